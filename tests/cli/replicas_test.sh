#!/usr/bin/env bash
# A batch that is cut into shares (replicas): its gradient is that of the whole batch, its random numbers are the same, and every bit is
# defined: by the interpreter, by gradients that are accumulated, and on any number of threads.
source "$(dirname "$0")/common.sh"
"$MAKE_DATA" . 610 203
cat >all.mdl <<END
mdl 1
$(data_of_digits 'augment = image |> random_flip |> random_shift(2)' 'valid = 100')
model all(image) -> logits {
    x = image |> flatten |> dense(31) |> relu |> dropout(0.3)
    noise = weight([31, 4], init = normal(0.1))
    if training { noise = dropout(noise, 0.5) }
    logits = x |> dense(24) |> relu |> dropout(0.2) |> dense(10)
    logits = logits + sum(x @ noise, axis = 1, keep = true)
}
train {
    loss      = cross_entropy(logits, label)
    optimizer = adamw(lr = cosine(0.01, warmup = 3))
    batch     = 48
    clip_norm = 1.0
    epochs    = 3
    seed      = 3
    metrics   = [accuracy(logits, label)]
}
END
losses() { grep '"event":"epoch"' "$1/metrics.jsonl" | sed 's/.*"train_loss":\([^,]*\),.*"test_loss":\([^,}]*\).*/\1\n\2/'; }
# near RUN RUN: the losses differ by roundings only, but they do differ.
near() {
    paste <(losses "$1") <(losses "$2") | awk '$1 != "null" { d = $1 / $2 - 1; n++; if (d * d > 1e-10) bad = 1; if (d) differ = 1 }
        END { exit bad || !differ || n < 7 }' || fail "$1 and $2: losses $(losses "$1" | tr '\n' ' ') and $(losses "$2" | tr '\n' ' ')"
}

# 510 rows: ten batches of 48 and one of 30. 48 shares of one row leave the last batch with 30 of them.
expect 0 mlc train all.mdl -q --out one
for replicas in 2 4 6 48; do
    expect 0 mlc train all.mdl -q --out "r$replicas" --set train.replicas=$replicas
    near one "r$replicas"
done
expect 0 mlc train all.mdl -q --out again --set train.replicas=1
expect 0 mlc export one --to one.safetensors
expect 0 mlc export again --to again.safetensors
same one.safetensors again.safetensors

# Any number of threads, and a run that goes on.
for threads in 1 3; do
    expect 0 mlc train all.mdl -q --out "t$threads" --set train.replicas=4 --threads $threads
    same r4/last.safetensors "t$threads/last.safetensors"
done
expect 0 mlc train all.mdl -q --out parts --set train.replicas=4 --set 'train.optimizer=adamw(0.01)' --set train.epochs=1
expect 0 mlc train -q --resume parts --set train.epochs=8
expect 0 mlc train all.mdl -q --out whole --set train.replicas=4 --set 'train.optimizer=adamw(0.01)' --set train.epochs=8
noise() { tail -1 "$1/metrics.jsonl" | sed 's/.*"noise_scale":\([^,}]*\).*/\1/'; }
[[ $(noise parts) == "$(noise whole)" && $(noise whole) == [1-9]* ]] || fail "noise scales $(noise parts) and $(noise whole)"
expect 0 mlc export parts --to parts.safetensors
expect 0 mlc export whole --to whole.safetensors
same parts.safetensors whole.safetensors

# The interpreter, with every setting that has to do with steps.
for settings in replicas=4 'replicas=3 accumulate=5' 'replicas=48 accumulate=2' 'replicas=2 clip_value=0.01'; do
    sets=$(printf -- '--set train.%s ' $settings)
    # shellcheck disable=SC2086
    expected=$(mlc run all.mdl --backend ref --steps 9 $sets | tail -1)
    for level in 0 3; do
        # shellcheck disable=SC2086
        got=$(mlc run all.mdl --steps 9 -O$level $sets | tail -1)
        [[ $got == "$expected" && $got == hash* ]] || fail "$settings at -O$level: $got, the interpreter says $expected"
    done
done

# Without random numbers, four shares of 12 rows are four accumulated batches of 12.
sed '/augment/d; /dropout(noise/d; s/ |> dropout([0-9.]*)//g; s/valid = 100/valid = 130/' all.mdl >plain.mdl
expect 0 mlc train plain.mdl -q --out shares --set train.replicas=4 --set train.accumulate=2
expect 0 mlc train plain.mdl -q --out batches --set train.batch=12 --set train.accumulate=8
expect 0 mlc export shares --to shares.safetensors
expect 0 mlc export batches --to batches.safetensors
same shares.safetensors batches.safetensors

# batch_norm sees a share: its statistics change with every share, as with batches of that size.
sed 's/|> dense(31) |>/|> dense(31) |> batch_norm |>/' plain.mdl >norm.mdl
expect 0 mlc train norm.mdl -q --out norm_shares --set train.replicas=4
expect 0 mlc train norm.mdl -q --out norm_batches --set train.batch=12 --set train.accumulate=4
expect 0 mlc export norm_shares --to norm_shares.safetensors
expect 0 mlc export norm_batches --to norm_batches.safetensors
same norm_shares.safetensors norm_batches.safetensors
expect 0 mlc check norm.mdl --set train.replicas=48
says err "has one row, in which 'batch_norm1'"

# A number that is not finite is found in its share. The logarithm is in row 3 of the batch.
model_of_logarithms
expect 6 mlc train log.mdl --out nonfinite
says err "log.mdl:6:" "'q' is not finite after step 1 of epoch 1: the first nan comes from" "'log' here"

# The gradient noise scale. The gradient of a row is the row itself, so awk finds it from shares of six rows.
awk 'BEGIN { OFS = ","; print "a,b,c"; for (i = 0; i < 24; i++) print i * 7 % 11, i * 5 % 13 + 2, 3 - i * 3 % 7 }' >rows.csv
cat >noise.mdl <<'END'
mdl 1
data { source = csv("rows.csv"); field x = columns(source, ["a", "b", "c"]) }
model m(x) -> y { w = weight([3], init = ones); y = x * w }
train { loss = 3.0 * mean(y); optimizer = sgd(0.001); batch = 24; replicas = 4; shuffle = false; epochs = 1 }
END
expect 0 mlc train noise.mdl --out noise
awk -F, 'NR > 1 { s = int((NR - 2) / 6); for (i = 1; i <= 3; i++) g[s, i] += $i / 6 }
    END { for (i = 1; i <= 3; i++) { for (s = 0; s < 4; s++) { small += g[s, i] ^ 2 / 4; m[i] += g[s, i] / 4 }; large += m[i] ^ 2 }
          printf "%.9g", 24 * (small - large) / (4 * large - small) }' rows.csv >right
awk -v got="$(noise noise)" -v right="$(cat right)" 'BEGIN { d = got / right - 1; exit !(d * d < 1e-12 && right > 0.1) }' ||
    fail "a noise scale of $(noise noise), not $(cat right)"
says out "gradient noise scale "
# It is not known where all rows have the same gradient, and it is not measured without shares.
sed 's/csv("rows.csv")/csv("equal.csv")/' noise.mdl >equal.mdl
awk 'BEGIN { print "a,b,c"; for (i = 0; i < 24; i++) print "1,2,3" }' >equal.csv
expect 0 mlc train equal.mdl --out equal
[[ $(noise equal) == null ]] || fail "a noise scale of $(noise equal) without noise"
! grep -F "noise scale" "$scratch/out" || fail "a noise scale without noise is printed"
expect 0 mlc train noise.mdl --out uncut --set train.replicas=1
! grep -F "noise scale" "$scratch/out" && ! grep -F noise_scale uncut/metrics.jsonl || fail "a noise scale without shares"

# A table of settings with other numbers of shares.
expect 0 mlc sweep plain.mdl -q --out sweep --set 'train.replicas=1|4' --set train.epochs=1 --csv sweep.csv
[[ $(grep -c ',done,' sweep.csv) == 2 ]] || fail "a sweep over replicas: $(cat sweep.csv)"

# What the shares do not fit.
expect 3 mlc check all.mdl --set train.replicas=5
says err "'replicas' must divide the batch: 48 rows do not make 5 equal shares" "batch = 45 and batch = 50 are the nearest"
expect 3 mlc check all.mdl --set train.replicas=100
says err "48 rows do not make 100 equal shares" "batch = 100 is the nearest"
expect 3 mlc check all.mdl --set train.replicas=0
says err "'replicas' must be a whole number from 1 to 1048576, not 0"
expect 3 mlc check all.mdl --set train.replicas=48 --set train.accumulate=1000000
says err "48 replicas times 1000000 accumulated batches are more than 1048576 shares of a step"
sed 's/|> relu |> dropout(0.3)/|> relu |> transpose |> dropout(0.3) |> transpose/' all.mdl >across.mdl
expect 0 mlc check across.mdl
expect 3 mlc check across.mdl --set train.replicas=2
says err "random numbers for the rows of a batch need the rows on their first axis, not on axis 1"

# An ONNX file has one whole step.
expect 3 mlc export r4 --to step.onnx --training
says err "a step of the training takes 4 shares of a batch (replicas), but one of the file takes one batch" "replicas = 1"
[[ ! -e step.onnx ]] || fail "step.onnx was written"
expect 0 mlc summary all.mdl --set train.replicas=4
says out "memory of the training step, batch 48 in 4 shares"
expect 0 mlc profile all.mdl --set train.replicas=4 --steps 8
finish
