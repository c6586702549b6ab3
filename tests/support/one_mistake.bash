# A right model of table.csv, and wrong EDIT: the errors of mlc check after one edit by sed.
cat >right.mdl <<'MODEL'
mdl 1
data {
    source = csv("table.csv")
    field x = columns(source, ["a", "b"])
    field y = source.y
}
model net(x) -> logits {
    logits = x |> dense(8) |> relu |> dense(3)
}
train {
    loss      = cross_entropy(logits, y)
    optimizer = adam(lr = 1e-3)
    batch     = 16
    epochs    = 2
    metrics   = [accuracy(logits, y)]
}
MODEL
wrong() {
    sed -E "$1" right.mdl >wrong.mdl
    echo "== $1 =="
    mlc check wrong.mdl
    echo "exit $?"
}
