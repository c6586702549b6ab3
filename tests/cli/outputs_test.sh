#!/usr/bin/env bash
# Networks with several outputs: each is compared with the label that the loss compares it with.
source "$(dirname "$0")/common.sh"

awk 'BEGIN { print "a,b,kind,size,y"; for (i = 0; i < 60; i++) { a = i * 37 % 101 / 10; b = i * 53 % 97 / 10;
    printf "%s,%s,%s,%d,%s\n", a, b, (a > b ? "more" : "less"), (a > 6) + (a > 3), 3 * a - 2 * b } }' >table.csv
cat >heads.mdl <<'END'
mdl 1
data {
    source = csv("table.csv")
    field x = source |> columns(["a", "b"]) |> standardize
    field kind = source.kind
    field size = source.size
    field large = fma(source.size, 1, 0) > 1
    field y = source |> columns("y")
}
model heads(x) -> (size_logits, price, kind_logits, large_logits) {
    h = x |> dense(16) |> relu
    size_logits = dense(h, 3)
    kind_logits = dense(h, 2)
    large_logits = dense(h, 2)
    price = dense(h, 1)
}
train {
    loss = cross_entropy(kind_logits, kind) + cross_entropy(size_logits, size) + mse(price, y) + cross_entropy(large_logits, large)
    optimizer = adam(0.05)
    epochs = 20
    batch = 16
    metrics = [accuracy(kind_logits, kind), accuracy(size_logits, size)]
}
END
expect 0 mlc train heads.mdl --out run -q

# The fraction of right predictions equals the metric.
expect 0 mlc eval run --split train --json
right() { grep -o "\"$1\":[0-9.]*" "$scratch/out" | awk -F: '{ printf "%.0f of 60 correct\n", 60 * $2 }'; }
kind=$(right accuracy) size=$(right accuracy_2)
expect 0 mlc predict run --split train --index 0..59
says out "kind_logits: $kind" "size_logits: $size" "predicted y" "y: rmse "
! grep -q "large_logits: " "$scratch/out" || fail "an output without labels is compared"
expect 0 mlc predict run --split train --index 0
says out "size_logits:" "kind_logits:" "more" "large_logits:" "predicted y"
[[ $(grep -c '%  true' "$scratch/out") == 2 ]] || fail "another number of true classes than 2"
expect 0 mlc predict run --split train --index 0 --json
says out '{"index":0,"file":' '"row":0,"line":2,"outputs":{"size_logits":{"true":0,' '"kind_logits":{"true":0,' '"class":"less"' '"large_logits":{"predicted":0,' '"price":{"output":[' '"columns":["y"],"predicted":['
expect 0 mlc eval run --split train --confusion
says out "size_logits, compared with 'size':" "kind_logits, compared with 'kind':" "1 more"
expect 0 mlc eval run --split train --confusion --json
says out '"outputs":{"size_logits":{"confusion":[[' '"kind_logits":{"confusion":[['

# The arrays of an archive have the numbers of JSON, and a file has the format that its name says.
cat >archive.py <<'END'
import ast, json, struct, sys, zipfile
archive, arrays = zipfile.ZipFile(sys.argv[1]), {}
for name in archive.namelist():
    data = archive.read(name)
    length = struct.unpack("<H", data[8:10])[0]
    head = ast.literal_eval(data[10:10 + length].decode())
    code, count = {"<f4": "f", "<f8": "d", "<i4": "i"}[head["descr"]], head["shape"][0]
    flat = struct.unpack("<%d%s" % ((len(data) - 10 - length) // struct.calcsize(code), code), data[10 + length:])
    width = len(flat) // count
    arrays[name] = [flat[i * width:(i + 1) * width] for i in range(count)]
seen = set()
for i, line in enumerate(open(sys.argv[2])):
    for output, keys in json.loads(line)["outputs"].items():
        for key, want in keys.items():
            name = output + (".npy" if key == "output" else f".{key}.npy")
            if name not in arrays: continue
            seen.add(name)
            got = arrays[name][i]
            for a, b in zip(got, want if isinstance(want, list) else [want]): assert abs(a - b) <= 1e-6 * abs(b), (name, i, a, b)
assert seen == set(arrays), set(arrays) - seen
print(len(arrays), "arrays", i + 1, "rows")
END
expect 0 mlc predict run --split train --out all.npz
expect 0 mlc predict run --split train --out all.json
expect 0 python3 archive.py all.npz all.json
says out "11 arrays 60 rows"
expect 0 mlc predict run --split train --index 4..9 --out some.npz
expect 0 mlc predict run --split train --index 4..9 --json --out some.txt
expect 0 python3 archive.py some.npz some.txt
says out "11 arrays 6 rows"
for name in predictions.npy picture.png; do
    expect 2 mlc predict run --out "$name"
    says err "--out $name: predictions cannot be written as" "help: "
    [[ ! -e $name ]] || fail "a refused file is written"
done
expect 2 mlc predict run --json --out both.npz
says err "leave out --json"
expect 5 mlc predict run --out nowhere/all.npz

# Every fraction of right predictions is printed in percent.
expect 0 mlc eval run --split train
says out "  accuracy   " "  accuracy_2 "
[[ $(grep -c "% +- .* of 60)" "$scratch/out") == 2 ]] || fail "a share that is not in percent"
expect 0 mlc train heads.mdl --set train.epochs=1 --set data.valid=0.2 --out short
grep -qE '^ *1/1 .*[0-9.]+ % +[0-9.]+ %( |$)' "$scratch/err" || fail "the line of an epoch has a share that is not in percent"
grep -q "accuracy [0-9.]* %.*accuracy_2 [0-9.]* %" "$scratch/out" || fail "a share that is not in percent"

# A metric with the name of a key of the answer does not replace it.
cat >single.mdl <<'END'
mdl 1
data { source = csv("table.csv"); field x = source |> columns(["a", "b"]); field kind = source.kind }
def recall(logits: tensor, label: tensor) = accuracy(logits, label)
model single(x) -> logits { logits = dense(x, 2) }
train { loss = cross_entropy(logits, kind); optimizer = adam(0.05); metrics = [recall(logits, kind)] }
END
expect 0 mlc train single.mdl --set train.epochs=1 --out single -q
expect 0 mlc eval single --split train --confusion --json
says out '"recall":0.' '"recall_standard_error":' '"outputs":{"logits":{"confusion":[[' '"recall":['

# New rows have no labels, or one of them.
printf 'a,b\n1,2\n9,0.5\n' >new.csv
expect 0 mlc predict run new.csv
! grep -q "true\|right" "$scratch/out" || fail "labels that are not there are shown"
printf 'a,b,kind\n1,2,less\n9,0.5,less\n' >new.csv
expect 0 mlc predict run new.csv
says out "kind_logits: 1 of 2 correct"
! grep -q "size_logits: " "$scratch/out" || fail "a label that is not there is compared"

# If two outputs are combined in the loss, neither has a label; untrained outputs keep their first weights.
sed 's/loss = .*/loss = cross_entropy(kind_logits + large_logits, kind) + mse(price, y)/; /metrics/d' heads.mdl >mixed.mdl
expect 0 mlc train mixed.mdl --out mixed -q
expect 0 mlc train --resume mixed -q --set train.epochs=22
expect 0 mlc predict mixed --split train
says out "size_logits[0]" "kind_logits[0]"
! grep -q "right\|%" "$scratch/out" || fail "what cannot be known is compared"
expect 2 mlc eval mixed --split train --confusion
says err "compares no output with classes"

# Labels for parts of a row, and a label that is a part of a field.
npy() { printf '\x93NUMPY\1\0\x76\0%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': $1, }" && cat; }
for _ in {1..10}; do printf '123456'; done | npy '(30, 2)' >x.npy
for _ in {1..10}; do printf '\1\0\1\2\1\1'; done | npy '(30, 2)' >y.npy
cat >parts.mdl <<'END'
mdl 1
data {
    source = npy("x.npy", "y.npy")
    field x = source.x / 64
    field y = source.y
}
model tagger(x) -> index {
    index = reshape(x, [N, 2, 1]) |> dense(3)
}
train {
    loss = cross_entropy(reshape(index, [N * 2, 3]), reshape(y, [N * 2]))
    optimizer = adam(0.1)
    batch = 5
    metrics = [accuracy(reshape(index, [N * 2, 3]), reshape(y, [N * 2]))]
}
END
expect 0 mlc train parts.mdl --out parts -q
expect 0 mlc eval parts --split train
says out "of 60)"
expect 2 mlc eval parts --split train --confusion
says err "resolved.mdl:7:" "--confusion needs an output [N, classes]: 'index' has classes for parts of a row" "help: "
expect 0 mlc predict parts --split train --index 3 --json
says out '{"index":3,' '"outputs":{"index":['
sed 's/index = reshape.*/index = dense(x, 3)/; s/cross_entropy(.*/cross_entropy(index, y[:, 0])/; s/metrics = .*/metrics = [accuracy(index, y[:, 0])]/' \
    parts.mdl >first.mdl
expect 0 mlc train first.mdl --out first -q
expect 2 mlc eval first --split train --confusion
says err "needs labels that are a field of the source"
expect 0 mlc predict first --split train
! grep -q "true" "$scratch/out" || fail "the first number of a row is compared with all of its field"
finish
