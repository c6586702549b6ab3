#!/usr/bin/env bash
# mlc dump-ir --ptx: NVIDIA's assembler accepts the code where it is installed, and wrong combinations are refused.
. "$(dirname "$0")/common.sh"
small_model

expect 0 mlc dump-ir small.mdl --ptx && says out ".visible .entry step("
for graph in eval predict; do expect 0 mlc dump-ir small.mdl --ptx --kind "$graph" && says out ".visible .entry step("; done
expect 0 mlc dump-ir small.mdl --ptx --verbose && says err "kernels, PTX from the cache in" && cp "$scratch/out" cached.ptx
expect 0 mlc dump-ir small.mdl --ptx --no-cache --verbose && says err "kernels, PTX in" && same cached.ptx "$scratch/out"
expect 2 mlc dump-ir small.mdl --ptx --asm && says err "exclude each other"
expect 2 mlc dump-ir small.mdl --ptx --after fuse && says err "exclude each other"
expect 2 mlc dump-ir small.mdl --ptx --cpu x86-64-v3 && says err "code for GPUs does not take 'x86-64-v3'" "sm_75 and sm_80"
expect 2 mlc dump-ir small.mdl --ptx --gemm openblas && says err "leave --gemm=openblas out"

PATH=$PATH:/usr/local/cuda/bin
if ! command -v ptxas >"$scratch/where"; then echo "skipped: ptxas is not installed"; exit 0; fi
for model in small.mdl "$root/models/softmax.mdl" "$root/models/mnist.mdl" "$root/models/lenet5.mdl"; do
    for card in sm_75 sm_80 sm_86 sm_90 sm_120; do
        oldest=$([[ $card == sm_75 ]] && echo sm_75 || echo sm_80)
        mlc dump-ir "$model" --ptx --cpu $oldest >step.ptx || fail "$model: no PTX"
        ptxas --help | grep -q "'$card'" || continue
        expect 0 ptxas -arch="$card" --warn-on-spills -v -o step.cubin step.ptx
        grep -iE 'warning|[1-9][0-9]* bytes (stack|spill)' "$scratch/err" && fail "$model, $card: a thread has memory on a stack"
        # A block of 256 threads has 65,536 registers, and 49,152 bytes of memory unless it asks for more.
        used=$(grep -oE 'Used [0-9]+ registers.*' "$scratch/err")
        registers=$(grep -oE '[0-9]+ registers' <<<"$used") memory=$(grep -oE '[0-9]+ bytes smem' <<<"$used")
        echo "${model##*/}, $card: $used"
        ((${registers% *} <= 255 && ${memory%% *} + 0 <= 49152)) || fail "$model, $card: no block fits"
    done
done
# The steps of transformers have the largest functions. Nothing of theirs is spilled.
table="$root/bench/ptxas.py" && python=$(python3 -c 'import sys; print(sys.executable)')
expect 0 "$python" "$table" --mlc "$(command -v mlc)" --gpus sm_80 "$root/models/rows_vit.mdl" && says out "| models/rows_vit.mdl | sm_80 |"
expect 1 env PATH=/nowhere "$python" "$table" && says err "ptxas is not on PATH"
finish
