# parts of a field: the elements that choose a row of a table are looked at, and no others
base64 -d >ids.npy <<<k05VTVBZAQB2AHsnZGVzY3InOiAnPGk0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDYsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAWgAAAAMAAAACAAAABwAAAAAAAAABAAAAMgAAAAQAAAAAAAAAAAAAAAEAAAACAAAAYwAAAAIAAAABAAAAAwAAAAUAAAA=
printf 'kind,town,y\nred,Rome,0\nblue,,1\nred,Oslo,1\n' >towns.csv
model() {
    cat >model.mdl <<END
mdl 1
data {
    source = $1
    field ids = $2
}
model net(ids) -> y {
    y = dense(flatten($3), 1)
}
train {
    loss = mean(y ** 2)
    optimizer = adam(1e-3)
    epochs = 1
}
END
    mlc train model.mdl -q --out "$4" >/dev/null && echo "$3: trained"
}
numbers='npy("ids.npy")'
model "$numbers" source.x 'embedding(ids[:, 0], 3, 2)' first
model "$numbers" source.x 'embedding(ids[:, 0:2], 100, 2)' two
model "$numbers" source.x 'embedding(reshape(transpose(ids)[::2], [2 * N]), 6, 2) |> reshape([N, 4])' turned
model "$numbers" source.x 'embedding(ids[:, 0], 2, 2)' none
model "$numbers" source.x 'concat([embedding(ids[:, 0], 3, 2), embedding(reshape(ids, [N, 1, 3])[:, 0, 2], 5, 2)])' none
model "$numbers" source.x 'embedding(ids, 99, 2)' none
towns='csv("towns.csv")'
model "$towns" 'source |> columns(["kind", "town"])' 'embedding(ids[:, 0], 2, 2)' kinds
model "$towns" 'source |> columns(["kind", "town"])' 'embedding(ids, 2, 2)' none
printf 'kind,town\nred,\ngreen,Rome\n' >new.csv
mlc predict kinds new.csv
