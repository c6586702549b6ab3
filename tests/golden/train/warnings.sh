# Warnings of a training: on stderr, as events with --json, and in metrics.jsonl. Errors are events with --json, too.
exec 2>&1
printf 'a,y\n1,0\n2,0\n3,0\n4,0\n5,0\n6,0\n' >table.csv
cat >my.mdl <<'MODEL'
mdl 1
param depth = 2
data { source = csv("table.csv"); field x = columns(source, "a"); field y = source.y; test = last(2) }
model net(x) -> logits { logits = dense(x, 2) }
train { loss = cross_entropy(logits, y); optimizer = adam(1e-3); epochs = 2; keep_best = loss }
MODEL
mlc train my.mdl --out run -q | sed 's/[0-9.]* s$/T s/; s/loss [0-9.e-]*/loss L/g'
echo "exit ${PIPESTATUS[0]}"
grep warning run/metrics.jsonl
echo "== as JSON =="
mlc train my.mdl --out again --json 2>/dev/null | grep -E '"(warning|error)"'
echo "== a run that goes on does not repeat what is said of the model =="
mlc train --resume run --set train.epochs=3 -q 2>&1 | grep warning
echo "== an error as JSON =="
mlc train my.mdl --set train.epochs=no --json 2>/dev/null
echo "exit $?"
mlc train my.mdl --out worse --json --expect 'loss<=0' 2>/dev/null | grep error
