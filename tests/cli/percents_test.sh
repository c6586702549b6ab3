#!/usr/bin/env bash
# "100 %" means all and "0 %" means none: 24,999 right predictions of 25,000 are neither, wherever a percentage is printed.
source "$(dirname "$0")/common.sh"
awk 'BEGIN { print "a,kind"; for (i = 0; i < 25999; i++) print (i % 2 ? 3 : -3) "," i % 2; print "3,0" }' >d.csv
cat >m.mdl <<'END'
mdl 1
data { source = csv("d.csv"); field x = source |> columns(["a"]); field kind = source.kind; test = 25000; seed = 1 }
model m(x) -> logits { logits = concat([weight([1, 1]) * 0 - 9 * x, 9 * x]) }
train { loss = cross_entropy(logits, kind); optimizer = sgd(0.0); epochs = 1; metrics = [accuracy(logits, kind)] }
END
expect 0 mlc train m.mdl --out run
says err ">99.99 %"
says out "test accuracy >99.99 %"
expect 0 mlc eval run --confusion
says out ">99.99 % +- <0.01 % (standard error; 24,999 of 25,000)" ">99.99 %"
grep -qE '^ *1 .* 100\.00 %$' "$scratch/out" || fail "the recall of class 1 is not 100.00 %"
expect 0 mlc predict run --index 0
says out ">99.99 %" "<0.01 %"
finish
