# A checkpoint in place of its run, a run without a checkpoint, names of classes of any length.
printf 'a,kind\n1,a kind with a long name\n2,b\n3,a kind with a long name\n4,b\n' >t.csv
cat >m.mdl <<'MODEL'
mdl 1
data { source = csv("t.csv"); field x = columns(source, "a"); field kind = source.kind }
model m(x) -> p { p = dense(x, 2, init = zeros, bias_init = zeros) + concat([x, 5.0 - x]) }
train { loss = cross_entropy(p, kind); optimizer = sgd(1e-30); epochs = 1; metrics = [confusion(p, kind)] }
MODEL
exec 2>&1
mlc train m.mdl --out run -q >/dev/null
mlc eval run/last.safetensors
echo "exit $?"
mlc predict run --split train --index 1
mlc eval run --split train --confusion
mlc eval run --split train --checkpoint best
echo "exit $?"
rm run/last.safetensors
mlc predict run t.csv
echo "exit $?"
mlc train m.mdl --set train.epochs
echo "exit $?"
