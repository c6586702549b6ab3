# One cell makes a column text: what usually marks a missing cell is told as such.
show() {
    printf 'a,b,y\n1,%s,0\n2,3,1\n' "$1" >t.csv
    printf 'mdl 1\ndata { source = csv("t.csv"); field x = columns(source, ["a", "b"]); field y = source.y }\nmodel m(x) -> p { p = dense(x, 2) }\ntrain { loss = cross_entropy(p, y); optimizer = sgd(0.1) }\n' >m.mdl
    mlc check m.mdl 2>&1 | grep help
}
for cell in N/A null '?' - Graz 2024-06-29; do show "$cell"; done
