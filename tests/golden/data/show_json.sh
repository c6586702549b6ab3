# one JSON object with the same facts
printf 'size,kind\n1,b\n,a\n4.5,b\n2,a\n' >table.csv
cat >table.mdl <<'END'
mdl 1
data { source = csv("table.csv"); field x = source |> columns("size") |> impute("mean"); field kind = source.kind; test = 1; seed = 3 }
model m(x) -> y { y = dense(x, 2) }
train { loss = cross_entropy(y, kind); optimizer = sgd(0.1); batch = 2 }
END
mlc data table.mdl --json --rows 2
