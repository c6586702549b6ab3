# The label among the features, in whatever way it gets there; and what only looks like it.
exec 2>&1
printf 'a,b,c,y,k\n1,2,3,0.5,0\n2,1,1,1.5,1\n3,3,2,2.5,2\n4,1,0,3.5,0\n5,2,1,4.5,1\n6,2,1,5.5,0\n' >table.csv
try() { # FIELDS [LOSS [MODEL]]
    local loss=${2:-mse(p, y)} network=${3:-model net(x) -> p \{ p = dense(x, 1)[:, 0] \}}
    printf 'mdl 1\ndata {\n    source = csv("table.csv")\n    %b\n}\n%b\ntrain {\n    loss = %s\n    optimizer = adam(1e-3)\n}\n' \
        "$1" "$network" "$loss" >try.mdl
    echo "== $1 | $loss =="
    mlc check try.mdl | sed -n '/warning:/,$p; /error:/,$p'
}
echo "=== there"
try 'field x = columns(source, ["a", "b", "y"]); field y = source.y'
try 'field x = columns(source, ["a", "b", "y"]) |> standardize; field y = standardize(source.y)'
try 'field x = columns(source, ["a", "b", "c", "y", "k"]); field y = source.y' 'mean((p - y) ** 2)'
try 'field x = columns(source, ["a", "b", "k"]); field y = source.k' 'cross_entropy(p, y)' 'model net(x) -> p { p = dense(x, 3) }'
try 'field x = columns(source, ["a", "b", "k"]); field y = unsqueeze(source.k == 1, 1)' 'bce_logits(p, y)' 'model net(x) -> p { p = dense(x, 1) }'
try 'field x = concat([columns(source, ["a", "b"]), one_hot(source.k, 3)]); field y = source.k' 'cross_entropy(p, y)' 'model net(x) -> p { p = dense(x, 3) }'
try 'field x = columns(source, ["a", "b"]); field r = source.a / source.y; field y = source.y' 'mse(p, y)' 'model net(x, r) -> p { p = dense(concat([x, unsqueeze(r, 1)]), 1)[:, 0] }'
try 'field x = windows(source.y, 3); field y = source.y'
try 'field x = windows(columns(source, ["a", "y"]), 2); field y = source.y' 'mse(p, y)' 'model net(x) -> p { p = dense(flatten(x), 1)[:, 0] }'
try 'field x = columns(source, ["a", "b", "c", "y"]); field y = columns(source, ["y", "k"])' 'mse(p, y)' 'model net(x) -> p { p = dense(x, 2) }'
try 'field x = columns(source, ["a", "b", "y"])' 'mse(p, x[:, 2:])' 'model net(x) -> p { p = dense(x, 1) }'
echo "=== not there"
try 'field x = columns(source, ["a", "b", "c"]); field y = source.y'
try 'field x = columns(source, ["a", "b", "c"])' 'mse(p, x)' 'model net(x) -> p { p = x |> dense(2) |> dense(3) }'
try 'field x = columns(source, ["a", "b", "c"]); field k = one_hot(source.k, 3)' 'mse(p, x)' 'model net(x, k) -> p { p = concat([x, k]) |> dense(3) }'
try 'field x = columns(source, ["a", "b", "y"]); field y = source.y' 'mse(p, y)' 'model net(x) -> p { p = dense(x[:, 0:2], 1)[:, 0] }'
try 'field x = columns(source, ["a", "b", "y"])' 'mse(p, x[:, 2:])' 'model net(x) -> p { p = dense(x[:, 0:2], 1) }'
try 'field x = windows(source.y, 3); field y = ahead(source.y, 1)'
try 'field x = windows(source.y, 3); field y = ahead(source.y, 1) - source.y'
try 'field x = windows(source.y, 3)[:, 0:2]; field y = source.y'
try 'field x = columns(source, ["a", "b"]); field w = source.b; field y = source.y' 'mean(w * (p - y) ** 2)'
try 'field x = columns(source, ["a", "b"]); field w = source.b; field y = source.y' 'mse(p, y) + 0.1 * mean((p - w) ** 2)'
