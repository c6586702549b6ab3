#!/usr/bin/env bash
# A smaller last batch and batch_norm: the running statistics are those of all rows, and the trained network is good.
source "$(dirname "$0")/common.sh"

awk 'BEGIN { print "a,b,y"; for (i = 0; i < 65; i++) { a = i * 37 % 101 / 9 - 3; b = i * 53 % 97 / 8 - 4; print a "," b "," a - b } }' >rows.csv
printf 'a,b\n0,0\n1,1\n' >two.csv
cat >net.mdl <<'END'
mdl 1
data { source = csv("rows.csv"); field x = columns(source, ["a", "b"]); field y = columns(source, "y") }
model net(x) -> (z, p) {
    z = batch_norm(x, affine = false, momentum = 0.02)
    p = x |> batch_norm |> dense(1)
}
train { loss = mse(p, y); optimizer = sgd(0.02); batch = 64; epochs = 200 }
END

# statistics RUN: mean and variance of each column, from the network's outputs for 0 and for 1
statistics() {
    mlc predict "$1" two.csv --json | sed 's/.*"z":\[\([^]]*\)\].*/\1/' |
        awk -F, '{ for (i = 1; i <= 2; i++) z[NR, i] = $i }
                 END { for (i = 1; i <= 2; i++) { d = z[2, i] - z[1, i]; print -z[1, i] / d, 1 / (d * d) } }'
}
# compare RUN TOLERANCE: the running statistics and those of all rows, the mean as a part of the deviation
compare() {
    statistics "$1" >got
    awk -F, 'NR > 1 { n++; for (i = 1; i <= 2; i++) { s[i] += $i; q[i] += $i * $i } }
             END { for (i = 1; i <= 2; i++) { m = s[i] / n; print m, (q[i] - n * m * m) / (n - 1) } }' rows.csv >right
    paste got right | awk -v most="$2" '{ m = ($1 - $3) / sqrt($4); v = $2 / $4 - 1; if (m * m > most * most || v * v > most * most) bad = 1 }
        END { exit bad || NR != 2 }' || fail "$1: running statistics $(tr '\n' ' ' <got) of rows with $(tr '\n' ' ' <right)"
}

expect 0 mlc check net.mdl
says err "the last batch of an epoch has one row, in which 'batch_norm1' (line 4) cannot compute a variance"
says err "with train.batch = 43 the last batch has 22"
expect 0 mlc train net.mdl --out one -q
says err "the last batch of an epoch has one row"
compare one 0.04
expect 0 mlc eval one --json
loss=$(sed 's/.*"loss":\([-0-9.e+]*\).*/\1/' "$scratch/out")
awk -v loss="$loss" 'BEGIN { exit !(loss < 0.02) }' || fail "the loss is $loss"

# No warning if the last batch has 5 or 22 rows, if all batches are full, or if one batch has all rows.
for batch in 60 43 13 65 100; do
    expect 0 mlc train net.mdl --out "batch$batch" -q --set train.batch="$batch"
    ! grep -F "one row" "$scratch/err" || fail "a warning with batches of $batch"
    compare "batch$batch" 0.12
done
# batches of 16 and of 1 whose gradients are added up
expect 0 mlc train net.mdl --out added -q --set train.batch=16 --set train.accumulate=3
compare added 0.12
# every batch has one row: the variance stays what it was
expect 0 mlc train net.mdl --out ones -q --set train.batch=1 --set train.epochs=2
says err "every batch of an epoch has one row"
statistics ones | awk '{ if ($2 < 0.99 || $2 > 1.01) exit 1 }' || fail "a variance of single rows: $(statistics ones)"
# With a single row, no batch size helps.
sed 's/field y/test = 64; field y/' net.mdl >single.mdl
expect 0 mlc check single.mdl
says err "the last batch of an epoch has one row" "help: use more training rows"
expect 0 mlc check net.mdl --set train.batch=2
says err "with train.batch = 3 the last batch has 2"
# Pictures have a variance even in a single row.
cat >pictures.mdl <<'END'
mdl 1
data { source = csv("rows.csv"); field x = reshape(columns(source, ["a", "b"]), [N, 1, 2]); field y = columns(source, "y") }
model net(x) -> p { p = x |> batch_norm |> flatten |> dense(1) }
train { loss = mse(p, y); optimizer = sgd(0.02); batch = 64 }
END
expect 0 mlc check pictures.mdl
! grep -F "one row" "$scratch/err" || fail "a warning for pictures"

finish
