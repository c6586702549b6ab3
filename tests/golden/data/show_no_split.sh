# a split that has no rows
printf 'a\n1\n2\n' >table.csv
printf 'mdl 1\ndata { source = csv("table.csv"); field x = source |> columns("a") }\nmodel m(x) -> y { y = dense(x, 1) }\ntrain { loss = mean(y); optimizer = sgd(0.1); batch = 2 }\n' >table.mdl
mlc data table.mdl --split valid
