#!/usr/bin/env bash
# Tables: trained, resumed bit for bit, evaluated; the numbers fitted to the training rows are in the checkpoint. With MLC_DATA, also R2 of
# models/housing.mdl.
given=${MLC_DATA-}
source "$(dirname "$0")/common.sh"

# 300 rows: y = 3 a - 2 b + 5 (kind is "x"); every seventh b is missing.
awk 'BEGIN { print "a,b,kind,note,y"; for (i = 0; i < 300; i++) { a = i * 37 % 101; b = i * 53 % 97 + 0.5; k = i % 3 ? "y" : "x";
    printf "%d,%s,%s,\"row %d, of 300\",%s\n", a, i % 7 ? b : "", k, i, 3 * a - 2 * b + 5 * (k == "x") } }' >table.csv
cat >table.mdl <<'END'
mdl 1
data {
    source = csv("table.csv")
    field x = concat([source |> columns(["a", "b"]) |> impute("mean") |> standardize,
                      source |> columns("kind") |> one_hot])
    field y = source |> columns("y") |> standardize
    valid = 30
    test  = 0.2
    seed  = 5
}
model line(x) -> value { value = dense(x, 1) }
train {
    loss      = mse(value, y)
    optimizer = adam(0.05)
    batch     = 32
    epochs    = 30
    metrics   = [mae(value, y)]
}
END
expect 0 mlc train table.mdl --out whole --expect 'mae<=0.15' -q
expect 0 mlc train table.mdl --out part -q --set train.epochs=11
expect 0 mlc train --resume part -q --set train.epochs=30
same whole/last.safetensors part/last.safetensors
grep -qa 'x.impute.value' whole/last.safetensors || fail "the checkpoint does not hold what impute has learnt"
expect 0 mlc eval whole
says out "test split, 60 rows" "mae"
expect 0 mlc eval whole --split train --threads 1
says out "210 rows"

# text as classes
sed -e 's/value = dense(x, 1)/value = dense(x, 2)/' -e 's/mse(value, y)/cross_entropy(value, kind)/' \
    -e 's/field y .*/field kind = source.kind/' -e 's/mae(value, y)/accuracy(value, kind)/' table.mdl >kinds.mdl
expect 0 mlc train kinds.mdl --out kinds -q --expect 'accuracy>=1'
expect 0 mlc eval kinds --confusion
says out "0 x" "1 y"

# Evaluating with another table than that of the training.
sed -i '5s/^[0-9]*/77/' table.csv
expect 5 mlc train --resume part -q --set train.epochs=40
says err "the data have changed"

# A file that is not beside the model is searched in the folder of named tables.
mkdir -p home/.cache/mlc && mv table.csv home/.cache/mlc
HOME=home expect 0 mlc check table.mdl
XDG_CACHE_HOME=home/.cache expect 0 mlc check table.mdl
MLC_DATA=home/.cache/mlc expect 0 mlc check table.mdl
MLC_DATA=nowhere HOME=home expect 4 mlc check table.mdl
says err "then in 'nowhere', which is \$MLC_DATA"
expect 0 mlc data list
says out "mlc data get california_housing"

# mlc data on the table of the model.
if [[ -f $given/california_housing.csv ]]; then
    MLC_DATA=$given expect 0 mlc train "$root/models/housing.mdl" --out housing -q --set train.epochs=40 --expect 'r2>=0.78'
fi
expect 0 mlc train "$root/models/iris.mdl" --out iris -q --expect 'accuracy>=0.96'
finish
