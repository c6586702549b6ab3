# What is right by the language and seldom meant: each is a warning, and the status stays 0.
exec 2>&1
printf 'a,b,y\n1,2,0\n2,1,1\n3,3,2\n4,1,0\n' >table.csv
cat >right.mdl <<'MODEL'
mdl 1
param lr = 1e-3
data {
    source = csv("table.csv")
    field x = columns(source, ["a", "b"])
    field y = source.y
}
model net(x) -> logits {
    h = x |> dense(8) |> relu
    logits = h |> dense(3)
}
train {
    loss      = cross_entropy(logits, y)
    optimizer = adam(lr = lr)
}
MODEL
try() {
    sed -E "$1" right.mdl >try.mdl
    echo "== $1 =="
    mlc check try.mdl "${@:2}" | sed -n '/warning:/,$p; /error:/,$p'
    echo "exit ${PIPESTATUS[0]}"
}
try ''
# used nowhere
try 's/^param/param depth = 2\nparam/'
try 's/lr = lr/lr = 1e-3/' --set lr=0.1
try 's/field y/field z = source.a\n    field y/'
try 's/net\(x\)/net(x, y)/'
try 's/h \|>/x |>/'
try 's/    logits = /    if training { g = x |> dense(2) }\n    logits = /'
try 's/    h = /    _unused, h = x, /'
try 's/h = x/h = dense(x, 4)\n    h = x/'
try 's/logits \{/(logits, other) {\n    other = dense(x, 1)/'
try 's/logits \{/(logits, other) {\n    other = dense(x, 1)/; s/^train \{/train {\n    freeze = [dense1]/'
try 's/h \|>/detach(h) |>/'
try 's/h \|>/round(h) |>/'
try 's/h \|>/select(h > 0.5, x[:, 0:1], 1.0) |>/'
try 's/h \|>/detach(h) |>/; s/^train \{/train {\n    freeze = [dense1]/'
try 's/h \|>/(h + detach(h)) |>/'
try 's/^model/def twice(x, k: int = 3) -> z { w = x + k; z = 2 * x }\nmodel/; s/h \|>/h |> twice |>/'
try 's/source.y$/source.y/; s/logits/y/g; s/cross_entropy\(y, y\)/mean(y)/'
# a loss that is given something else
try 's/dense\(3\)/dense(3) |> softmax/'
try 's/dense\(3\)/dense(3) |> relu/'
try 's/dense\(3\)/dense(3) |> sigmoid/'
try 's/dense\(3\)/dense(1)/; s/source.y/source.y * 0/'
try 's/dense\(3\)/dense(1)/; s/cross_entropy.*/bce_logits(logits[:, 0], source.a == 1)\n    metrics = [accuracy(logits, y), f1(logits, y)]/; s/source.a/y/'
try 's/cross_entropy.*/nll(softmax(logits), y)/'
try 's/dense\(3\)/dense(1) |> sigmoid/; s/cross_entropy.*/bce_logits(logits, unsqueeze(y == 1, 1))/'
try 's/dense\(3\)/dense(1)/; s/cross_entropy.*/bce(logits, unsqueeze(y == 1, 1))/'
try 's/dense\(3\)/dense(1) |> sigmoid/; s/cross_entropy.*/bce(logits, unsqueeze(y == 1, 1))/'
# numbers
try 's/lr = 1e-3/lr = 0/'
try '' --set train.seed=3 --set data.test=0.25
try 's/field y/test = last(0.25)\n    field y/' --set train.seed=3
try 's/field y/seed = 5\n    test = 0.25\n    field y/' --set train.seed=3
# a state is changed by what is used nowhere
try 's/^model/def seen(x) -> y { kept = update(state([2]), mean(x, axis = 0)[0:2]); y = x }\nmodel/; s/    logits = /    done = seen(h)\n    logits = /'
