#!/usr/bin/env bash
# Models trained on the small set reach their accuracy, and the seed decides every bit.
source "$(dirname "$0")/common.sh"
"$MAKE_DATA" . 610 203
source='idx("images", "labels", test_images = "test_images", test_labels = "test_labels", classes = 10)'

learns() { # MODEL EXPECTATION SETTING...
    local model=$1 expectation=$2 settings=()
    shift 2
    for setting in "$@"; do settings+=(--set "$setting"); done
    cp "$root/models/$model.mdl" .
    expect 0 mlc train "$model.mdl" --set "data.source=$source" "${settings[@]}" --out "$model" --quiet --expect "$expectation"
    expect 0 mlc eval "$model"
    says out "203 rows"
    mlc train "$model.mdl" --set "data.source=$source" "${settings[@]}" --threads 1 --out "$model.again" --quiet >/dev/null 2>&1
    same "$model/last.safetensors" "$model.again/last.safetensors"
}

learns lstm_rows 'accuracy>=0.9' width=32 lr=0.01 train.batch=32 train.epochs=8
learns mlp_mixer 'accuracy>=0.9' width=16 inner=32 depth=1 lr=0.01 train.batch=32 train.epochs=6
learns rows_vit 'accuracy>=0.9' width=16 depth=1 lr=0.01 train.batch=32 train.epochs=10
# The classes of this set are places, which a mean over all places or a random shift hides.
learns mnist_resnet 'accuracy>=0.7' base=8 depth=1 lr=0.1 train.batch=32 train.epochs=12
learns conv_autoencoder 'mse<=0.05' train.batch=32 train.epochs=6
learns mnist_tanh 'accuracy>=0.8' data.valid=60 train.batch=32
finish
