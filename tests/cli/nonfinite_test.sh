#!/usr/bin/env bash
# Numbers that are not finite in weights, states, the loss on held-out rows, and answers. Such a command never ends with status 0 or
# writes them into a checkpoint, and it names the operation where they began.
source "$(dirname "$0")/common.sh"

# The loss of the only step is finite; the rate carries the weight beyond f32.
printf 'x,y\n1,0\n2,0\n3,0\n4,0\n' >four.csv
model() { # model NAME LOSS [TRAIN LINE...]
    cat >"$1.mdl" <<END
mdl 1
data { source = csv("${data:-four.csv}"); field x = source |> columns(["x"]); field y = source.y; ${held-} }
model m(x) -> p {
    w = weight([1], init = ones)
    p = ${output:-x[:, 0] * w}
}
train {
    loss = $2
    optimizer = ${optimizer:-sgd(1e-3)}
    shuffle = false
    batch = ${batch:-4}
    epochs = ${epochs:-1}
    metrics = [${metrics-}]
}
END
}

optimizer='sgd(3e38)' model overflow 'mean((p - y) ** 2)'
expect 6 mlc train overflow.mdl --out overflow
says err "overflow.mdl:" "'w' is not finite after step 1 of epoch 1: the first -inf comes from" "here"
[[ ! -e overflow/last.safetensors ]] || fail "a checkpoint holds an infinity"
grep -q '"event":"end","result":"nonfinite"' overflow/metrics.jsonl || fail "the journal does not say how it ended"

# The gradient of a root at 0 is infinite. The rows before it make a checkpoint, which is kept.
printf 'x,y\n1,0\n2,0\n3,0\n0,0\n' >root.csv
data=root.csv batch=1 model root 'mean(sqrt(p))'
expect 6 mlc train root.mdl --out root
says err "root.mdl:8:17" "'w' is not finite after step 4 of epoch 1" "in 'sqrt' here" \
    "'root/last.safetensors' was written before that, and is sound"
expect 0 mlc eval root
says out "loss"

# The weights become wrong long before the loss shows it: the step is found at which they did.
{ echo x,y; for ((i = 0; i < 300; i++)); do echo "$((i == 100 ? -1 : 1)),$i"; done; } >long.csv
data=long.csv batch=1 output='x[:, 0] * w + 0.0 * select(x[:, 0] < 0.0, log(x[:, 0] * w) * 1e-3, 0.0)' \
    model quiet 'mean((p - 1.0) ** 2)'
sed -i 's/^    p = .*/    v = weight([300], init = ones)\n    q = state([1], zeros)\n    q2 = update(q, q + mean(log(x)))\n    p = x[:, 0] * w/' quiet.mdl
expect 6 mlc train quiet.mdl --out quiet
says err "quiet.mdl:7:" "is not finite after step" "comes from" "at step 101 of epoch 1"

# A loss that is NaN in the middle of an epoch: 0 / 0 and the logarithm of a negative number.
printf 'x,y\n1,1\n1,1\n0,0\n1,1\n' >zero.csv
data=zero.csv batch=1 model quotient 'mean(p / y)'
expect 6 mlc train quotient.mdl --out quotient
says err "quotient.mdl:8:17" "the loss is not finite at step 3 of epoch 1: the first nan comes from 'div'"
printf 'x,y\n1,1\n1,1\n-1,0\n1,1\n' >negative.csv
data=negative.csv batch=1 model logarithm 'mean(log(p))'
expect 6 mlc train logarithm.mdl --out logarithm
says err "logarithm.mdl:8:17" "at step 3 of epoch 1" "in 'log' here"

# Only the held-out rows give an infinite loss; that on the training rows is finite.
data=long.csv held='valid = 0.5' model held 'mean(log(x[:, 0] + 1.0) + (p - 1.0) ** 2)'
sed -i 's/long.csv/held.csv/' held.mdl
for seed in 1 2 3 4 5 6; do # one of them holds row 100 out
    { echo x,y; for ((i = 0; i < 40; i++)); do echo "$((i == 10 ? -2 : 1)),$i"; done; } >held.csv
    mlc train held.mdl --set data.seed=$seed --out "held$seed" >"$scratch/out" 2>"$scratch/err" </dev/null && fail "a NaN of the data is not told"
    grep -q "the valid loss is not finite before epoch 1: the first nan comes from" "$scratch/err" && break
done
says err "the valid loss is not finite before epoch 1" "in 'log' here"

# A metric without a value, or with an infinite one, is no error. JSON has null.
printf 'x,y\n1,5\n2,5\n3,5\n4,5\n' >equal.csv
data=equal.csv metrics='r2(p, y), mean(p / (y - 5.0))' model metric 'mean((p - y) ** 2)'
expect 0 mlc train metric.mdl --out metric
expect 0 mlc eval metric --split train
says out "undefined on these rows"
expect 0 mlc eval metric --split train --json
says out '"r2":null'

# A checkpoint with damaged weights.
model sound 'mean((p - y) ** 2)' && expect 0 mlc train sound.mdl --out sound -q
printf '\x00\x00\xc0\x7f' >nan.bin
size=$(stat -c %s sound/last.safetensors)
dd if=nan.bin of=sound/last.safetensors bs=1 seek=$((size - 4)) conv=notrunc 2>/dev/null
expect 6 mlc eval sound --split train
says out "loss       nan"
says err "the loss on the train rows is not finite: the first nan comes from 'w' f32[1]" "use another checkpoint"
expect 6 mlc eval sound --split train --json
says out '"loss":null'
says err "is not finite"
expect 6 mlc predict sound --split train --json
says out '"p":[null]'
says err "the predictions of 4 rows are not finite, such as line 2"
expect 5 mlc train --resume sound --set train.epochs=2
says err "its weights are not finite"
finish
