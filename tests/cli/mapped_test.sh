#!/usr/bin/env bash
# Data files that are not packed are mapped into memory. They give the bits of packed files, and a file cut short is reported.
source "$(dirname "$0")/common.sh"
small_model

expect 0 mlc train small.mdl --out plain --quiet
mkdir packed && gzip -k images labels test_images test_labels && mv ./*.gz packed/ && sed 's/"\(images\|labels\|test_images\|test_labels\)"/"\1.gz"/g' small.mdl >packed/small.mdl
expect 0 mlc train packed/small.mdl --out unpacked --quiet
cmp <(tail -c 20000 plain/last.safetensors) <(tail -c 20000 unpacked/last.safetensors) || fail "weights differ"

# A file is cut short during training, with several threads, of which more than one may read the missing part.
for ((i = 0; i < 5; i++)); do
    mlc train small.mdl --out "cut$i" --quiet --threads 3 --set train.epochs=1000000 --set train.batch=600 >"$scratch/out" 2>"$scratch/err" &
    training=$!
    for _ in {1..200}; do [[ -s cut$i/last.safetensors ]] && break; sleep 0.05; done
    cp images whole
    truncate -s 100 images
    status=0
    wait "$training" || status=$?
    [[ $status == 4 ]] || fail "training with 3 threads on a file that is cut short ended with $status"
    [[ $(wc -l <"$scratch/err") == 1 ]] || fail "several threads tell of it: $(cat "$scratch/err")"
    says err "images' was cut short, or cannot be read any more, while it was in use"
    mv whole images
done
mlc train small.mdl --out cut --quiet --set train.epochs=1000000 >"$scratch/out" 2>"$scratch/err" &
training=$!
for _ in {1..200}; do [[ -s cut/last.safetensors ]] && break; sleep 0.05; done
cp images whole
truncate -s 100 images
status=0
wait "$training" || status=$?
[[ $status == 4 ]] || fail "training on a file that is cut short ended with $status"
says err "images' was cut short, or cannot be read any more, while it was in use"
expect 4 mlc train --resume cut
says err "is cut short"
mv whole images
expect 0 mlc eval cut
finish
