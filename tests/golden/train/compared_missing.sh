# A missing number that the loss compares would be no class, or the class 0: an error, unless the model tests for it.
printf 'a,y\n1,0\n2,\n3,1\n4,1\n' >t.csv
train() { # FIELD LOSS
    printf 'mdl 1\ndata { source = csv("t.csv"); field x = columns(source, "a"); field y = %s }\nmodel m(x) -> p { p = dense(x, 1) }\ntrain {\n    loss = %s\n    optimizer = sgd(0.01); epochs = 1\n}\n' "$1" "$2" >m.mdl
    rm -rf run
    echo "== $1, $2"
    mlc train m.mdl --out run -q >/dev/null
    echo "exit $?"
}
exec 2>&1
train 'source.y' 'bce_logits(p[:, 0], select(y > 0.5, 1.0, 0.0))'
train 'select(source.y <= 0.5, 0.0, 1.0)' 'bce_logits(p[:, 0], y)'
train 'source.y > 0.5' 'bce_logits(p[:, 0], y * 1.0)'
train 'source.y' 'bce_logits(p[:, 0], select(y == y, select(y > 0.5, 1.0, 0.0), 0.5))'
train 'impute(source.y, "mode")' 'bce_logits(p[:, 0], select(y > 0.5, 1.0, 0.0))'
train 'impute(source.y, "mode")' 'huber(p[:, 0], y)'
train 'source.y' 'mean(select(y > -1e30, (p[:, 0] - y) ** 2, 0.0))'
train 'source.y' 'mean(select(y == y, (p[:, 0] - y) ** 2, 0.0))'
train 'impute(source.y, -1e30)' 'mean(select(y > -1e29, (p[:, 0] - y) ** 2, 0.0))'
