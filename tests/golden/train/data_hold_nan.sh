printf 'a,b\n1,2\n,3\n' >t.csv
printf 'mdl 1\ndata { source = csv("t.csv"); field x = source |> columns("a"); field y = source |> columns("b") }\nmodel m(x) -> z { z = dense(x, 1) }\ntrain { loss = mse(z, y); optimizer = sgd(0.1); epochs = 1 }\n' >m.mdl
mlc train m.mdl -q
