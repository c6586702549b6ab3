printf 'a,b\n1,1\n2,3\n' >t.csv
printf 'mdl 1\ndata { source = csv("t.csv"); field x = source |> columns("a"); field y = int(source.b - 1) }\nmodel m(x) -> z { z = dense(x, 2) }\ntrain { loss = cross_entropy(z, y); optimizer = sgd(0.1); epochs = 1 }\n' >m.mdl
mlc train m.mdl -q
sed -i 's/int(source.b - 1)/int(fma(source.b, 1, -1))/' m.mdl
mlc train m.mdl -q
