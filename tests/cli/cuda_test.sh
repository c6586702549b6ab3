#!/usr/bin/env bash
# bench_cuda, with a library in place of NVIDIA's driver whose GPU is the interpreter of PTX: the bits are those of the CPU, and each call
# of the driver that fails is named.
. "$(dirname "$0")/common.sh"
BENCH_CUDA=${BENCH_CUDA:-$root/build/release/bench_cuda}
export MLC_CUDA_LIBRARY=${FAKE_CUDA:-$root/build/release/tests/libfake_cuda.so}
iris=$root/models/iris.mdl

expect 0 "$BENCH_CUDA" "$iris" 6 && says out "an interpreter, compute capability 8.0" "all bits are those of the CPU" "us a step"
[[ -s $scratch/err ]] && fail "messages:" && cat "$scratch/err"

calls=$(sed -n 's/^CUDA(\([A-Za-z0-9_]*\),.*/\1/p' "$root/runtime/device/cuda_driver.def" | grep -v 'cuGetErrorName\|Free\|Unload\|Release')
for call in $calls; do
    FAKE_CUDA_FAILS=$call expect 5 "$BENCH_CUDA" "$iris" 2 && says err "has failed: $call: CUDA_ERROR_INVALID_VALUE (1)"
done
# All that a card is asked: the arithmetic of each op, and a line for each model and batch.
export BUILD=$(dirname "$BENCH_CUDA") FAKE_CUDA_QUICK=1
MODELS="$iris models/softmax.mdl" expect 0 "$root/bench/cuda.sh" 1024
says out "## Ops, 1024 numbers each" "    remainder      the same bits" "| models/softmax.mdl | 64 | all bits are those of the CPU |"
(($(grep -c 'the same bits' "$scratch/out") > 40)) || fail "too few ops"
MODELS=$iris FAKE_CUDA_FAILS=cuCtxSynchronize expect 1 "$root/bench/cuda.sh" 1024 && says out "has failed: cuCtxSynchronize"
expect 2 "$BUILD/bench_cuda_ops" 1000 && says err "a power of two"

FAKE_CUDA_COUNT=0 expect 2 "$BENCH_CUDA" "$iris" && says err "knows no GPU"
FAKE_CUDA_MAJOR=7 expect 2 "$BENCH_CUDA" "$iris" && says err "compute capability 7.0; mlc needs 7.5"
MLC_CUDA_LIBRARY=nowhere.so expect 2 "$BENCH_CUDA" "$iris" && says err "no NVIDIA driver"
finish
