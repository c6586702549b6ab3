#!/usr/bin/env bash
# A network of equal layers: their kernels are compiled once, however many layers there are.
. "$(dirname "$0")/common.sh"
small_model

kernels() { # LAYERS: sets $found to how many kernels are compiled for the training step
    sed "s/logits = .*/x = image |> flatten |> dense(24) |> relu\n    for i in 0..$1 {\n        x = x |> dense(24) |> relu\n    }\n    logits = x |> dense(10)/" small.mdl >"deep$1.mdl"
    expect 0 mlc dump-ir "deep$1.mdl" --llvm
    found=$(grep -c '^define .*@kernel_' "$scratch/out")
}

kernels 5 && few=$found
kernels 40 && many=$found
((few > 5)) || fail "5 layers make $few kernels"
((many == few)) || fail "5 layers make $few kernels, 40 layers $many"

# The layers still compute their own values.
for deep in deep5.mdl deep40.mdl; do
    expect 0 mlc run "$deep" --no-cache && cp "$scratch/out" machine
    expect 0 mlc run "$deep" --backend ref && same "$scratch/out" machine
done
finish
