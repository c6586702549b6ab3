# Arguments of a source: a list of strings, and what is none.
printf 'x,y\n1,0\nNA,1\n' >t.csv
check() {
    printf 'mdl 1\ndata { source = %s; field x = source |> columns("x"); field y = source.y }\nmodel m(x) -> p { p = dense(x, 2) }\ntrain { loss = cross_entropy(p, y); optimizer = sgd(0.1) }\n' "$1" >m.mdl
    mlc check m.mdl
}
check 'csv("t.csv", missing = ["NA", "?"])'
check 'csv("t.csv", missing = [])'
check 'csv("t.csv", missing = ["NA", 3])'
check 'csv("t.csv", missing = [["NA"]])'
check 'csv("t.csv", missing = relu)'
