#!/usr/bin/env bash
# One output for two classes: answers have the class and its probability, as those of a softmax. The class is that of the larger number.
source "$(dirname "$0")/common.sh"

awk -v OFS=, 'BEGIN { print "x,y,kind,side,price"
    for (i = 0; i < 40; i++) { k = i % 2; print (k ? 1 : -1) * (0.2 + i % 7), k, (k ? "yes" : "no"), (k ? 8 : -3), 90 + 20 * k } }' >t.csv

# model TARGET LOSS OUTPUT: the loss compares the output p with the field y
model() {
    cat >m.mdl <<END_OF_MODEL
mdl 1
data { source = csv("t.csv"); field x = columns(source, "x"); field y = $1; test = last(0.25) }
model m(x) -> p { p = $3 }
train { loss = $2; optimizer = adam(0.5); epochs = 20; batch = 10 }
END_OF_MODEL
    rm -rf run
}

# answers TARGET LOSS OUTPUT NAME NAME: predict, eval and --confusion use these names of classes
answers() {
    model "$1" "$2" "$3"
    expect 0 mlc train m.mdl --out run -q
    expect 0 mlc predict run
    says out "index  row  line  true" "$4" "10 of 10 correct"
    expect 0 mlc predict run --json
    says out '"true":0,"predicted":0,"class":"'"$4"'","probability":0.' '"true":1,"predicted":1,"class":"'"$5"'","probability":0.'
    expect 0 mlc predict run --csv -
    says out "true,predicted,probability,p($4),p($5)"
    expect 0 mlc eval run --confusion
    says out "recall" "5     .   100.00 %" ".     5   100.00 %"
    printf 'x\n-2\n3\n' >new.csv
    expect 0 mlc predict run new.csv
    says out "      0     2  $4 " "      1     3  $5 "
}
answers 'source.y' 'bce_logits(p, y)' 'dense(x, 1)[:, 0]' 0 1
answers 'columns(source, "y")' 'bce_logits(p, y)' 'dense(x, 1)' 0 1
answers 'columns(source, "y")' 'bce(p, y)' 'sigmoid(dense(x, 1))' 0 1
answers 'source.y' 'bce(sigmoid(p[:, 0]), y)' 'dense(x, 1)' 0 1
answers 'source.price > 100' 'bce_logits(p, unsqueeze(y, 1))' 'dense(x, 1)' 0 1
answers 'source.kind' 'bce_logits(p, y)' 'dense(x, 1)[:, 0]' no yes
answers 'columns(source, "kind")' 'bce_logits(p, y)' 'dense(x, 1)' no yes
answers 'classes(source.side, names = ["left", "right"])' 'bce(p, y)' 'sigmoid(dense(x, 1))[:, 0]' left right
answers 'classes(source.side)' 'bce_logits(p[:, 0], y)' 'dense(x, 1)' -3 8

# An exported network has both names.
answers 'source.kind' 'bce_logits(p, y)' 'dense(x, 1)[:, 0]' no yes
expect 0 mlc export run --to net.onnx
grep -q '\["no", "yes"\]' net.onnx || fail "the names of two classes are not in net.onnx: $(strings net.onnx | grep -A1 classes)"

# A computed target: the answer has the class, but not the true one.
model 'select(source.price > 100, 1.0, 0.0)' 'bce_logits(p, unsqueeze(y, 1))' 'dense(x, 1)'
expect 0 mlc train m.mdl --out run -q
expect 0 mlc predict run
says out "index  row  line  predicted  probability  "

# Labels of an archive in a column, [N, 1], which also stratify the rows.
npy() { printf '\x93NUMPY\1\0\x76\0%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': $1, }"; cat; }
for ((i = 0; i < 40; i++)); do printf '\\x%02x' $((i % 4 == 3)); done | xargs -0 printf | npy '(40, 1)' >y.npy
for ((i = 0; i < 40; i++)); do printf '\\x%02x' $(((i % 4 == 3) * 9)); done | xargs -0 printf | npy '(40, 1)' >x.npy
cat >m.mdl <<'END_OF_MODEL'
mdl 1
data { source = npy("x.npy", "y.npy"); field x = source.x / 9; field y = source.y; test = stratified(source.y, 0.2) }
model m(x) -> p { p = dense(x, 1) }
train { loss = bce_logits(p, y); optimizer = adam(0.5); epochs = 20 }
END_OF_MODEL
rm -rf run
expect 0 mlc data m.mdl
says out "classes of 'y', the label" "      0                                24         0         6" "      1                                 8         0         2"
expect 0 mlc train m.mdl --out run -q
expect 0 mlc eval run x.npy y.npy --confusion
says out "30     .   100.00 %"

# Pictures in folders of two classes.
mkdir -p pictures/cat pictures/dog
expect 0 "$MAKE_PICTURES" made
made=$(find made -name '*.png' | sort | head -1)
for i in 1 2 3 4; do cp "$made" pictures/cat/$i.png; cp "$made" pictures/dog/$i.png; done
cat >m.mdl <<'END_OF_MODEL'
mdl 1
data { source = images("pictures"); field x = flatten(source.image / 255); field y = source.label }
model m(x) -> p { p = dense(x, 1)[:, 0] }
train { loss = bce_logits(p, y); optimizer = adam(0.01); epochs = 1 }
END_OF_MODEL
rm -rf run
expect 0 mlc train m.mdl --out run -q
expect 0 mlc eval run pictures --confusion
says out "pictures, 8 rows" "0 cat" "1 dog"
expect 0 mlc predict run pictures
says out "true  predicted" "pictures/dog/4.png  dog"

# Other losses of one number, and bce of several numbers, are no classes.
model 'columns(source, "y")' 'mse(p, y)' 'dense(x, 1)'
expect 0 mlc train m.mdl --out run -q
expect 0 mlc predict run
says out "true y  predicted y"
model 'columns(source, ["y", "y"])' 'bce_logits(p, y)' 'dense(x, 2)'
expect 0 mlc train m.mdl --out run -q
expect 0 mlc predict run
says out "p[0]       p[1]"

# Targets that are not two classes.
sed -i '4s/no/maybe/; 8s/,0,/,2,/' t.csv
model 'source.kind' 'bce_logits(p[:, 0], y)' 'dense(x, 1)'
expect 3 mlc check m.mdl
says err "m.mdl:4:16: error: 'kind' has 3 classes, but a binary loss compares with 0 and 1" "cross_entropy(logits, label)"
model 'columns(source, "y")' 'bce_logits(p, y)' 'dense(x, 1)'
expect 4 mlc train m.mdl --out run -q
says err "'y' has class 2 in line 8 of 't.csv'"
sed -i '4s/maybe//; 8s/,2,/,,/' t.csv
expect 4 mlc train m.mdl --out run -q
says err "'y' is missing in line 8 of 't.csv'" "impute(...)"
model 'source.kind' 'bce_logits(p[:, 0], y)' 'dense(x, 1)'
expect 4 mlc train m.mdl --out run -q
says err "'kind' is missing in line 4 of 't.csv'"

# The class is that of the larger number even if the probabilities are equal in f32: in predict, --confusion and accuracy.
printf 'a,b,y\n0,1e-9,1\n1e-9,0,0\n0,0,0\n-1e-9,0,1\n' >near.csv
cat >near.mdl <<'END_OF_MODEL'
mdl 1
data { source = csv("near.csv"); field x = columns(source, ["a", "b"]); field y = source.y }
model m(x) -> logits { logits = x + weight([2], init = zeros) }
train { loss = cross_entropy(logits, y); optimizer = sgd(1e-30); epochs = 1; metrics = [accuracy(logits, y), confusion(logits, y)] }
END_OF_MODEL
expect 0 mlc train near.mdl --out near -q
expect 0 mlc predict near --split train
says out "4 of 4 correct"
expect 0 mlc eval near --split train --confusion
says out "100.00 %" "4 of 4"
[[ $(grep -c '2     .   100.00 %' "$scratch/out") == 2 ]] || fail "the matrices differ: $(cat "$scratch/out")"

# Logits that look like probabilities are logits, because the loss takes logits.
printf 'a,b,y\n0.25,0.75,1\n0.5,0.5,0\n' >near.csv
rm -rf near
expect 0 mlc train near.mdl --out near -q
expect 0 mlc predict near --split train --json
says out '"probabilities":[0.37754068,0.62245935]'

finish
