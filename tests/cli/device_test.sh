#!/usr/bin/env bash
# --device cuda, with a library in place of NVIDIA's driver whose GPU is the interpreter of PTX (tests/ptx): a run has the bits of the CPU, and
# goes on on either; whatever fails is named, and the checkpoint before it is whole.
source "$(dirname "$0")/common.sh"
export MLC_CUDA_LIBRARY=${FAKE_CUDA:-$root/build/release/tests/libfake_cuda.so}
"$MAKE_DATA" . 100 30
model_of_all 20 'dense(24) |> batch_norm |> relu' 'cosine(0.01)' 'epochs = 3'
small="mlc train all.mdl --quiet --set train.replicas=1 --set train.accumulate=1 --set train.epochs=2"

# -- the same bits, on blocks of any number --
expect 0 mlc train all.mdl --quiet --out cpu
expect 0 mlc train all.mdl --quiet --out gpu --device cuda
[[ $(cat "$scratch/err") ]] && fail "messages:" && cat "$scratch/err"
same cpu/last.safetensors gpu/last.safetensors
same cpu/best.safetensors gpu/best.safetensors
grep -q '"device":"an interpreter"' gpu/metrics.jsonl || fail "metrics.jsonl does not name the device"
FAKE_CUDA_QUICK=1 FAKE_CUDA_PROCESSORS=7 expect 0 mlc train all.mdl --quiet --out seven --device cuda:0
same cpu/last.safetensors seven/last.safetensors
FAKE_CUDA_QUICK=1 FAKE_CUDA_MAJOR=7 FAKE_CUDA_MINOR=5 expect 0 mlc train all.mdl --quiet --out older --device cuda
same cpu/last.safetensors older/last.safetensors
for command in eval predict; do
    expect 0 mlc $command cpu --json && cp "$scratch/out" on_cpu
    expect 0 mlc $command cpu --json --device cuda && cp "$scratch/out" on_gpu
    same <(sed 's/"seconds":[^,}]*//' on_cpu) <(sed 's/"seconds":[^,}]*//' on_gpu)
done
expect 0 mlc run all.mdl --steps 3 && cp "$scratch/out" on_cpu
expect 0 mlc run all.mdl --steps 3 --device cuda && same on_cpu "$scratch/out"

# -- the data do not fit: rows are copied for each launch. The least memory that will do has no room for the data --
expect 0 mlc eval cpu --json && cp "$scratch/out" on_cpu
low=$((64 << 20)) high=$((low + 400000))
while ((high - low > 1000)); do
    middle=$(((low + high) / 2))
    if FAKE_CUDA_MEMORY=$middle mlc eval cpu --json --device cuda >on_gpu 2>/dev/null; then high=$middle; else low=$middle; fi
    [[ -s on_gpu ]] && same <(sed 's/"seconds":[^,}]*//' on_cpu) <(sed 's/"seconds":[^,}]*//' on_gpu)
done
((high < (64 << 20) + 400000)) || fail "400000 bytes are not enough"

# -- what is copied in each launch is pinned, as long as memory can be pinned --
copies() { # COUNTED: the number of copies of pinned and of other memory
    sed -n 's/^fake GPU: \([0-9]*\) copies of pinned memory, \([0-9]*\) of other memory$/\1 \2/p' "$scratch/err"
}
FAKE_CUDA_REPORT=1 expect 0 mlc train all.mdl --quiet --out pinned --device cuda
read -r pinned others < <(copies)
FAKE_CUDA_REPORT=1 FAKE_CUDA_HOST_MEMORY=0 expect 0 mlc train all.mdl --quiet --out usual --device cuda
read -r none all < <(copies)
echo "copies: $pinned of pinned memory, $others of other memory; without memory to pin: $none and $all"
((pinned > 2 && none == 0 && all > others)) || fail "copies"
same cpu/last.safetensors usual/last.safetensors

# -- from one to the other in the middle of an epoch, after signals --
export FAKE_CUDA_QUICK=1
run="mlc train all.mdl --quiet --save-every 1"
device=cuda
for signal in INT KILL TERM KILL INT; do
    if [[ -s moved/last.safetensors ]]; then run="mlc train --resume moved --quiet"; else run="$run --out moved"; fi
    FAKE_CUDA_LAUNCH_MS=200 $run --device $device >"$scratch/out" 2>"$scratch/err" </dev/null &
    child=$!
    for ((i = 0; i < 500; i++)); do [[ -s moved/last.safetensors ]] && break || sleep 0.01; done
    sleep 0.3
    kill -$signal $child 2>/dev/null || echo "note: the run was over before SIG$signal"
    wait $child 2>/dev/null
    [[ $device == cuda ]] && device=cpu || device=cuda
done
expect 0 mlc train --resume moved --quiet --device $device
same cpu/last.safetensors moved/last.safetensors
same cpu/best.safetensors moved/best.safetensors

# -- a checkpoint after the first batch, which ends within a launch --
sed -e '/def centred/,/^}/d; s/|> centred |> dense(24) |> batch_norm |> relu |> dropout(0.4) //; /augment/d' all.mdl >tiny.mdl
shares="mlc train tiny.mdl --quiet --set train.accumulate=1 --set train.batch=12 --set train.replicas=6 --set train.epochs=1"
expect 0 $shares --out whole
for pause in 0 1 2 3 5 7; do # milliseconds decide how many steps a launch has
    rm -rf pieces
    FAKE_CUDA_LAUNCH_MS=$pause expect 0 $shares --out pieces --device cuda
    same whole/last.safetensors pieces/last.safetensors
done

# -- 20 steps of the network of the manual --
mnist=$root/models/mnist.mdl
expect 0 mlc run "$mnist" --set train.batch=4 --steps 20 && cp "$scratch/out" on_cpu
expect 0 mlc run "$mnist" --set train.batch=4 --steps 20 --device cuda && same on_cpu "$scratch/out"

# -- each call of the driver fails: the first time, and in the middle of the training --
expect 0 $small --out plain
calls=$(sed -n 's/^CUDA(\([A-Za-z0-9_]*\),.*/\1/p' "$root/runtime/device/cuda_driver.def" |
    grep -v 'cuGetErrorName\|Free\|Unload\|Release')
for call in $calls; do
    rm -rf broken
    FAKE_CUDA_FAILS=$call expect 5 $small --out broken --device cuda
    says err "GPU 0 (" "has failed: $call: CUDA_ERROR_INVALID_VALUE (1)" "--device cpu computes the same bits"
    [[ -e broken/last.safetensors ]] && fail "$call: a checkpoint was written"
done
FAKE_CUDA_FAILS=cuModuleLoadDataEx expect 5 $small --out broken --device cuda
says err "the driver says: ptxas: this is the log"
for call in cuMemcpyHtoD_v2:40 cuMemcpyDtoH_v2:40 cuMemcpyDtoH_v2:53 cuLaunchCooperativeKernel:12 cuCtxSynchronize:12; do
    rm -rf broken
    FAKE_CUDA_FAILS=$call expect 5 $small --out broken --device cuda
    says err "has failed: ${call%:*}" "'broken/last.safetensors' is whole: 'mlc train --resume broken' goes on from it, on any device"
    expect 0 mlc train --resume broken --quiet
    same plain/last.safetensors broken/last.safetensors
done
for call in cuModuleUnload cuMemFreeHost cuDevicePrimaryCtxRelease_v2; do # nothing is lost
    rm -rf broken
    FAKE_CUDA_FAILS=$call expect 0 $small --out broken --device cuda
    same plain/last.safetensors broken/last.safetensors
done
FAKE_CUDA_FAILS=cuLaunchCooperativeKernel expect 5 mlc eval cpu --device cuda && says err "has failed: cuLaunchCooperativeKernel"
FAKE_CUDA_FAILS=cuCtxSynchronize expect 5 mlc predict cpu --device cuda --all && says err "has failed: cuCtxSynchronize"
FAKE_CUDA_FAILS=cuLaunchCooperativeKernel expect 5 mlc run all.mdl --device cuda && says err "has failed: cuLaunchCooperativeKernel"
FAKE_CUDA_FAILS=cuLaunchCooperativeKernel:3 expect 5 mlc train all.mdl --find-lr --quiet --device cuda && says err "has failed"

# -- the device with less predicted time: long work goes to the GPU, and nothing that is missing is an error --
sed 's/dense(24)/dense(3000)/' all.mdl >wide.mdl
long="mlc train wide.mdl --set train.epochs=1000000 --find-lr --device auto"
export FAKE_CUDA_PROCESSORS=132
train="mlc train all.mdl --set train.epochs=1 --device auto"
chooses() { says err "--device auto: $1"; }
expect 0 $train --out chosen && chooses "the CPU: predicted"
expect 0 $train --out chosen2 --quiet && [[ ! -s $scratch/err ]] || fail "--quiet: messages"
same chosen/last.safetensors chosen2/last.safetensors
FAKE_CUDA_FAILS=cuLaunchCooperativeKernel expect 5 $long && chooses "an interpreter: predicted" && says err "s on the CPU" "has failed"
FAKE_CUDA_CLOCK=1000 expect 0 $long && chooses "the CPU: predicted"
FAKE_CUDA_MEMORY=1000 expect 0 $long && chooses "the CPU: this needs"
MLC_CUDA_LIBRARY=nowhere.so expect 0 $train --set train.epochs=2 --find-lr && chooses "the CPU: there is no NVIDIA driver"
FAKE_CUDA_FAILS=cuInit expect 0 $train --set train.epochs=2 --find-lr && chooses "the CPU: GPU 0 (unknown) has failed: cuInit"
expect 0 $train --find-lr --cpu x86-64-v3 && chooses "the CPU: --gemm=openblas and --cpu do not go with a GPU"
expect 0 mlc train all.mdl --set train.epochs=1 --folds 2 --out folded --device auto
expect 0 mlc train all.mdl --set train.epochs=1 --processes 2 --out spread --device auto
expect 0 mlc eval cpu --device auto && chooses "the CPU: predicted" && cp "$scratch/out" on_either
expect 0 mlc eval cpu && same on_either "$scratch/out"
expect 0 mlc predict cpu --device auto && chooses "the CPU: there is little to compute"
expect 0 mlc predict cpu --all --device auto && chooses "the CPU: predicted"
expect 0 mlc run all.mdl --device auto && chooses "the CPU: there is little to compute"

# -- the prediction needs no GPU, and knows the one that is there --
expect 0 mlc summary all.mdl --device cuda && says out "training step on a GPU, batch 9" "  NVIDIA H100 " "  an interpreter " "(this machine's)"
for device in auto cuda:3; do
    MLC_CUDA_LIBRARY=nowhere.so expect 0 mlc summary all.mdl --device $device && says out "  NVIDIA H100 "
    grep -q "this machine's" "$scratch/out" && fail "--device $device: there is no GPU here"
done
expect 0 mlc summary all.mdl --device cpu && ! grep -q GPU "$scratch/out" || fail "--device cpu: a GPU"
expect 2 mlc summary all.mdl --device gpu && says err "--device does not take 'gpu'"
# A step of N barriers takes N us and its kernels; the sum of the columns is the step.
expect 0 mlc summary "$mnist" --device cuda
stages=$(sed -n 's/.*ended by a barrier  *//p' "$scratch/out")
awk -v stages="$stages" '/^  NVIDIA/ { rows++
        if ($(NF - 1) != stages + 0 || ($NF - $(NF - 1) - $(NF - 2)) ^ 2 > 0.05) bad = 1 }
    END { exit bad || rows != 5 }' <(grep -v "this machine's" "$scratch/out") || fail "the columns are not the step"

unset FAKE_CUDA_PROCESSORS

# -- the time of each kernel: the largest product takes longest, and kernels and barriers make the step --
FAKE_CUDA_PROCESSORS=8 expect 0 mlc profile "$mnist" --set train.batch=4 --steps 1 --device cuda
says out "mlp, batch 4, GPU 0 (an interpreter), median of 1 steps" "by its data: 8 processors, 1628.2 GFLOP/s, 320 GB/s of memory"
awk '/^k/ { line = substr($0, 28); space = line; sub(/\].*/, "", space); sub(/^[^]]*\] */, "", line); split(line, f, " ")
        rows++; if (f[3] <= 0) bad = 1; if (f[3] > most) { most = f[3]; where = space }; if (f[1] > stages) stages = f[1] }
    /^step:/ { if ($9 != stages || $6 <= 0 || $6 >= $2 || most >= $2) bad = 1 }
    END { exit bad || rows < 20 || where !~ /4,512|512,784/ }' "$scratch/out" || { fail "profile: the table" && cat "$scratch/out"; }
expect 0 mlc profile all.mdl --steps 6 --device cuda --trace trace.json && says out "median of 6 steps"
kernels=$(grep -c '^k' "$scratch/out")
(($(grep -c '"ph":"X"' trace.json) == 6 * 2 * kernels)) || fail "profile: a trace of 6 steps, 2 blocks and $kernels kernels"
mlc dump-ir all.mdl --ptx | grep -q clock64 && fail "code that nobody times reads clocks"
expect 0 mlc profile all.mdl --steps 3 --device auto && chooses "the CPU: predicted" && says out "machine:"
for call in cuModuleLoadDataEx cuMemAlloc_v2 cuLaunchCooperativeKernel cuMemcpyDtoH_v2:3; do
    FAKE_CUDA_FAILS=$call expect 5 mlc profile all.mdl --steps 20 --device cuda && says err "has failed: ${call%:*}"
done
expect 2 mlc profile all.mdl --device cuda:7 && says err "there is no GPU 7"
expect 2 mlc profile all.mdl --device cuda --gemm openblas && says err "OpenBLAS does not run on a GPU"

# -- no such device --
MLC_CUDA_LIBRARY=nowhere.so expect 2 $small --device cuda && says err "there is no NVIDIA driver" "leave --device out"
MLC_CUDA_LIBRARY=libz.so.1 expect 2 $small --device cuda && says err "NVIDIA's driver is too old: it has no cuInit"
FAKE_CUDA_COUNT=0 expect 2 $small --device cuda && says err "NVIDIA's driver knows no GPU"
expect 2 $small --device cuda:7 && says err "there is no GPU 7: the driver knows 1" "cuda:0 is the last one"
FAKE_CUDA_DRIVER=10020 expect 2 $small --device cuda && says err "NVIDIA's driver is for CUDA 10.2; mlc needs 11.0"
FAKE_CUDA_MAJOR=7 expect 2 $small --device cuda && says err "has compute capability 7.0; mlc needs 7.5"
FAKE_CUDA_MEMORY=1000 expect 5 $small --device cuda && says err "of memory on GPU 0 (an interpreter), but only 1000 bytes are free"
for text in gpu cuda: cuda:x cuda:-1 cuda:1x cuda:99999999999 ""; do
    expect 2 $small --device "$text" && says err "--device does not take '$text'" "cuda:N"
done
expect 2 mlc train all.mdl --device cuda --folds 2 && says err "--device cuda does not go with --folds"
expect 2 mlc train all.mdl --device cuda --processes 2 && says err "--device does not go with several processes"
expect 2 mlc train all.mdl --device cuda --gemm openblas && says err "OpenBLAS does not run on a GPU"
expect 2 mlc run all.mdl --device cuda --backend ref && says err "--device and --backend exclude each other"
expect 0 mlc train all.mdl --device cpu --folds 2 --quiet --set train.epochs=1
finish
