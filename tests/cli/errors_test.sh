#!/usr/bin/env bash
# Errors outside of the model, beyond those in tests/golden/train: usage and files.
source "$(dirname "$0")/common.sh"
small_model

# usage
expect 2 mlc
expect 2 mlc trian small.mdl
says err "did you mean 'train'?"
expect 2 mlc train small.mdl --thread5 2
expect 2 mlc train small.mdl --treads 2
says err "did you mean '--threads'?"
expect 2 mlc train small.mdl --threads 0
expect 2 mlc train small.mdl --threads 2x
expect 2 mlc train small.mdl --threads
says err "--threads needs an argument"
expect 2 mlc train small.mdl --json=yes
expect 2 mlc train small.mdl -O 4
expect 2 mlc train small.mdl --gemm blas
expect 2 mlc train small.mdl extra
expect 2 mlc check
expect 2 mlc run small.mdl --skip fuse
expect 2 mlc run small.mdl --skip simplfy
says err "did you mean 'simplify'?"
expect 2 mlc run small.mdl --cpu pentium99
says err "unknown CPU 'pentium99'"
expect 2 mlc data get mnst
says err "did you mean 'mnist'?"
expect 0 mlc data list
says out "mnist" "mlc data get mnist"
expect 0 mlc --help
expect 0 mlc --version
for command in train eval predict check summary dump-ir opt run data; do
    expect 0 mlc "$command" --help
    says out "mlc $command" "--help"
done

# models
expect 5 mlc check nothing.mdl
expect 3 mlc train small.mdl --set lr=11
says err "lr=11"
expect 3 mlc train small.mdl --set lrr=1
expect 3 mlc train small.mdl --set train.epoch=1
says err "epochs"
expect 3 mlc train small.mdl --set train.epochs=0
sed 's/relu/rleu/' small.mdl >wrong.mdl
expect 3 mlc check wrong.mdl
says err "wrong.mdl:11:" "did you mean 'relu'?"
[[ ! -e runs ]] || fail "a run folder was made although nothing was trained"

# files: the answer cannot be written, the folder cannot be written
expect 5 bash -c 'mlc dump-ir small.mdl >/dev/full'
says err "No space left on device"
# A folder that may not be written. Root may write everything, so another user tries, with a copy of the program.
unprivileged=()
if [[ $(id -u) == 0 ]]; then unprivileged=(setpriv --reuid=65534 --regid=65534 --clear-groups); fi
if "${unprivileged[@]}" true 2>/dev/null; then
    chmod 755 "$scratch" "$scratch"/* && cp "$MLC" "$scratch/mlc"
    mkdir locked && cp small.mdl images labels test_images test_labels locked && chmod -R a+rX,a-w locked
    as_other() { env HOME="$scratch/work/locked" "${unprivileged[@]}" "$scratch/mlc" "$@"; }
    expect 5 as_other train locked/small.mdl --out locked/run
    says err "cannot make the folder 'locked/run': Permission denied"
    cd locked && expect 5 as_other train small.mdl && cd ..
    says err "cannot make the folder 'runs': Permission denied"
    expect 0 as_other run locked/small.mdl # the cache of compiled code cannot be kept there: that is no error
    says out "hash"
    expect 5 as_other predict locked --png locked/picture.png
    mkdir -p open/run && chmod -R a+rwX open
    expect 0 as_other train locked/small.mdl --out open/run --set train.epochs=1
    chmod -R a-w open
    expect 5 as_other train --resume open/run --set train.epochs=2
    says err "cannot write 'open/run/" "Permission denied"
    expect 5 as_other predict open/run --png open/run/picture.png
    says err "Permission denied"
else
    echo "skipped: no other user to try folders that cannot be written"
fi
touch file && expect 5 mlc train small.mdl --out file/run
finish
