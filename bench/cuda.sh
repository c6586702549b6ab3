#!/usr/bin/env bash
# What a GPU can tell about mlc, in one call of about ten minutes, as Markdown on stdout: the arithmetic of every op, the bits and the time
# of a step of every model, and PyTorch's time beside it where PyTorch finds the GPU.
#
#   bench/cuda.sh [NUMBERS]      NUMBERS: f32 numbers that each op gets, a power of two (default: all 2^32)
#
# $BUILD: the folder of the programs (default: build/release). $MODELS: the models (default: all). Status: 0 if all bits are those of the CPU.
set -u
cd "$(dirname "$0")/.." || exit 2
build=${BUILD:-build/release}
numbers=${1:-4294967296}
status=0
if [[ -z ${MODELS-} ]]; then MODELS=$(echo models/*.mdl bench/networks/*.mdl); fi

echo "# $(nvidia-smi --query-gpu=name,driver_version,clocks.max.sm --format=csv,noheader 2>/dev/null || echo "a GPU without nvidia-smi")"
echo

echo "## Ops, $numbers numbers each"
echo
timeout 420 "$build/bench_cuda_ops" "$numbers" >"${TMPDIR:-/tmp}/cuda_ops.$$" || status=1
sed 's/^/    /' "${TMPDIR:-/tmp}/cuda_ops.$$"
rm -f "${TMPDIR:-/tmp}/cuda_ops.$$"
echo

# PyTorch's microseconds of a step, or nothing.
torch() { timeout 60 python3 bench/torch_cuda.py "$@" 2>/dev/null; }
python3 -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' 2>/dev/null || torch() { :; }

# row MODEL BATCH [NETWORK]: a line of the table. NETWORK: of bench/torch_cuda.py.
row() {
    local out bits step eager='' graph=''
    out=$(timeout 120 "$build/bench_cuda" "$1" "$2" 2>&1) || status=1
    bits=$(grep -oE 'all bits are those of the CPU|bits differ' <<<"$out" || head -1 <<<"$out")
    step=$(grep -oE '^[0-9.]+ us' <<<"$out")
    if [[ -n ${3-} ]]; then eager=$(torch "$3" --batch "$2") graph=$(torch "$3" --batch "$2" --mode graph); fi
    echo "| $1 | $2 | $bits | ${step% us} | $eager | $graph |"
}

echo "## Steps"
echo
echo "| model | batch | bits | mlc, us | PyTorch eager, us | PyTorch with CUDA graphs, us |"
echo "| --- | --- | --- | --- | --- | --- |"
for model in $MODELS; do
    name=$(basename "$model" .mdl)
    case $model in
    models/mnist.mdl) for batch in 1 8 64 1024; do row "$model" $batch mlp; done ;;
    bench/networks/*) row "$model" 64 "$name" ;;
    *) row "$model" 64 ;;
    esac
done
exit $status
