#!/usr/bin/env bash
# bench/one_hash.sh [LAUNCHER...]: five models, trained by 1, 2, 3, 4, 5 and 8 processes with 1, 2 and 3 threads each, and 8 and 12 replicas, over
# sockets and with every MPI that is installed (or only: sockets, openmpi, mpich). All runs of a model with the same replicas must have the same
# checkpoint, bit for bit; half of them stop in the middle and go on with another number of processes. Prints a line a model. $MLC and $MAKE_DATA
# are the programs, by default those of build/release.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
MLC=${MLC:-$root/build/release/mlc}
MAKE_DATA=${MAKE_DATA:-$root/build/release/tests/make_data}
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 UCX_TLS=tcp,sm,self OMPI_MCA_rmaps_base_oversubscribe=1
"$MAKE_DATA" . 340 101
cp "$root/models/iris.csv" .
images='source = idx("images", "labels", test_images = "test_images", test_labels = "test_labels", classes = 10)
    field x = source.image / 255
    field y = source.label'
csv='source = csv("iris.csv")
    field x = source |> columns(["sepal_length", "sepal_width", "petal_length", "petal_width"]) |> standardize
    field y = source.species
    test = 0.2
    seed = 1'
# model NAME DATA LAYERS TRAIN...
model() {
    local name=$1 data=$2 layers=$3
    shift 3
    printf 'mdl 1\ndata {\n    %s\n}\nmodel net(x) -> logits { logits = x |> %s }\n' "$data" "$layers" >"$name.mdl"
    printf 'train {\n    loss = cross_entropy(logits, y)\n    epochs = 4\n    seed = 3\n' >>"$name.mdl"
    printf '    %s\n' "$@" >>"$name.mdl"
    echo '}' >>"$name.mdl"
}
model mlp "$images" 'flatten |> dense(64) |> relu |> dense(10)' 'optimizer = adam(lr = 0.01)' 'batch = 96'
model cnn "$images" 'conv(4, 3) |> batch_norm |> relu |> max_pool(2) |> flatten |> dense(10)' 'optimizer = sgd(lr = 0.05, momentum = 0.9)' 'batch = 48'
model drop "$images
    augment = x |> random_shift(2)" 'flatten |> dense(48) |> relu |> dropout(0.4) |> dense(10)' 'optimizer = adamw(lr = 0.01)' 'batch = 48'
model clip "$images" 'flatten |> dense(48) |> tanh |> dense(10)' 'optimizer = adam(lr = 0.01)' 'batch = 24' 'accumulate = 3' 'clip_norm = 0.5'
model csv "$csv" 'dense(32) |> relu |> dense(3)' 'optimizer = adam(lr = 0.01)' 'batch = 72' # 120 rows: the last batch has 48
launchers=("$@")
if ((!$#)); then
    launchers=(sockets)
    for mpi in openmpi mpich; do command -v mpirun.$mpi >/dev/null && launchers+=($mpi); done
fi
failures=0
# train LAUNCHER PROCESSES ARGUMENTS...
train() {
    local launcher=$1 processes=$2
    shift 2
    if [[ $launcher == sockets ]] || ((processes == 1)); then
        "$MLC" train -q "$@" --processes "$processes" >/dev/null 2>err
    else
        "mpirun.$launcher" -n "$processes" "$MLC" train -q "$@" >/dev/null 2>err
    fi || { echo "FAIL $launcher, $processes processes, $*: $(head -3 err)"; failures=$((failures + 1)); }
}
for name in ${MODELS:-mlp cnn drop clip csv}; do
    runs=0
    for replicas in 8 12; do
        rm -rf right
        train sockets 1 $name.mdl --set train.replicas=$replicas --out right
        for launcher in "${launchers[@]}"; do
            for processes in 1 2 3 4 5 8; do
                for threads in 1 2 3; do
                    rm -rf run
                    runs=$((runs + 1))
                    if ((runs % 2)); then
                        train "$launcher" $processes $name.mdl --set train.replicas=$replicas --threads $threads --out run
                    else
                        train "$launcher" $processes $name.mdl --set train.replicas=$replicas --set train.epochs=2 --threads $threads --out run
                        train "$launcher" $((RANDOM % 8 + 1)) --resume run --set train.epochs=4
                    fi
                    "$MLC" export run --to run.npz >/dev/null && "$MLC" export right --to right.npz >/dev/null && cmp -s run.npz right.npz ||
                        { echo "FAIL $name: other weights with $launcher, $processes processes, $threads threads, $replicas replicas"; failures=$((failures + 1)); }
                done
            done
        done
    done
    echo "$name: $runs runs"
done
echo "$failures failed"
exit $((failures > 0))
