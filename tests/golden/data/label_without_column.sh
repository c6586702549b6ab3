# more categories than outputs
printf 'size,kind\n1,a\n2,b\n3,c\n4,a\n5,b\n' >table.csv
cat >table.mdl <<'END'
mdl 1
data { source = csv("table.csv"); field x = source |> columns("size"); field kind = source.kind }
model m(x) -> y { y = dense(x, 2) }
train { loss = cross_entropy(y, kind); optimizer = sgd(0.1); batch = 2 }
END
mlc train table.mdl --out run
