# ONNX files of networks that read tables: columns are computed in the file, and the metadata say what goes in.
printf 'length,width,colour,when,kind\n' >table.csv
for i in 1 2 3 4 5 6 7 8 9; do
    printf '%d.5,%s,%s,2024-0%d-01,%s\n' $i "$( ((i == 4)) || echo $((i * i)))" "$( ((i % 2)) && echo red || echo blue)" $i "$( ((i > 4)) && echo big || echo small)"
done >>table.csv
cat >table.mdl <<'END'
mdl 1
data {
    source = csv("table.csv")
    field x      = source |> columns(["length", "width"]) |> impute("median") |> standardize
    field ratio  = (source.length - source.width) / (source.length + 1.0) |> impute(0)
    field large  = source.length * 2 >= 7
    field colour = source.colour
    field season = date(source.when, "%Y-%m-%d", "month")
    field kind   = source.kind
}
model net(x, ratio, large, colour, season) -> logits {
    parts = [x, reshape(ratio, [N, 1]), reshape(select(large, 1.0, 0.0), [N, 1]), one_hot(colour), embedding(colour, 2, 3), one_hot(int(season), 13)]
    logits = concat(parts) |> dense(2)
}
train {
    loss      = cross_entropy(logits, kind)
    optimizer = sgd(lr = 0.1)
    epochs    = 1
}
END
mlc train table.mdl --out table -q >/dev/null && mlc export table --to table.onnx && mlc import table.onnx -o again -q
grep -aoE '[a-z]+\.(columns|texts|classes|formula)' table.onnx | sort -u
grep -aoE '\["[^]]*"\]|"date.*, month\)"' table.onnx | sort -u
sed -n '/^data/,/^}/p; /^model/,/^}/p' again/net.mdl
# A target in other units than the data: the output comes in both.
sed '/^model/,$d; /field [xrls]/d; s/    field kind .*/    field y = log(source.length)/' table.mdl >size.mdl
cat >>size.mdl <<'END'
model net(colour) -> size {
    size = one_hot(colour) |> dense(1)
}
train {
    loss      = mse(size, reshape(y, [N, 1]))
    optimizer = sgd(lr = 0.1)
    epochs    = 1
}
END
mlc train size.mdl --out size -q >/dev/null && mlc export size --to size.onnx && mlc import size.onnx -o size.again -q
sed -n '/^model/,/^}/p' size.again/net.mdl
