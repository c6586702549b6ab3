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
FAKE_CUDA_COUNT=0 expect 2 "$BENCH_CUDA" "$iris" && says err "knows no GPU"
FAKE_CUDA_MAJOR=7 expect 2 "$BENCH_CUDA" "$iris" && says err "compute capability 7.0; mlc needs 7.5"
MLC_CUDA_LIBRARY=nowhere.so expect 2 "$BENCH_CUDA" "$iris" && says err "no NVIDIA driver"
finish
