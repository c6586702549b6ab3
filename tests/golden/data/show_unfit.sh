# what is known is told although a transform cannot be fitted
printf 'a,b\n1,\n2,\n' >table.csv
cat >table.mdl <<'END'
mdl 1
data { source = csv("table.csv", header = true, missing = "?"); field x = source |> columns(["a", "b"]) |> standardize }
model m(x) -> y { y = dense(x, 1) }
train { loss = mean(y); optimizer = sgd(0.1); batch = 2 }
END
mlc data table.mdl
