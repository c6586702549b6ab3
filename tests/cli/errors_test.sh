#!/usr/bin/env bash
# What goes wrong outside the model: usage, data, files. Each has its message and exit status.
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

# data
sed 's/idx(.*)/mnist()/' small.mdl >mnist.mdl
expect 4 mlc train mnist.mdl
says err "mlc data get mnist"
mkdir broken && cp small.mdl images labels test_images test_labels broken
cd broken || exit 1
head -c 5000 ../images >images && expect 4 mlc train small.mdl
cat ../images ../labels >images && expect 4 mlc train small.mdl
cp ../labels images && expect 4 mlc train small.mdl
cp ../images labels && expect 4 mlc train small.mdl
cp ../images images && cp ../test_labels labels && expect 4 mlc train small.mdl
says err "610" "203"
cp ../labels labels && printf '\377' | dd of=labels bs=1 seek=100 conv=notrunc 2>/dev/null && expect 4 mlc train small.mdl
cp ../labels labels && gzip -c ../images | head -c 5000 >images.gz && rm images && expect 4 mlc train small.mdl
cd ..

# a loss that is not finite: which op and line
sed 's/loss      = cross_entropy(logits, label)/loss = mean(log(0 - abs(logits)))/' small.mdl >nan.mdl
expect 6 mlc train nan.mdl --quiet
says err "nan.mdl:" "log"

# files: the answer cannot be written, the folder cannot be written, the disk is full
expect 5 bash -c 'mlc dump-ir small.mdl >/dev/full'
says err "No space left on device"
if [[ $(id -u) != 0 ]]; then
    mkdir locked && chmod a-w locked
    expect 5 mlc train small.mdl --out locked/run
fi
touch file && expect 5 mlc train small.mdl --out file/run
limited() (
    trap '' XFSZ
    ulimit -f 8 # a file of more than 8 KiB cannot be written, as on a full disk
    "$@"
)
expect 5 limited mlc train small.mdl --out full
says err "full/last.safetensors" "File too large"
finish
