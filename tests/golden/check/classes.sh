# What classes(...) is given.
printf 'a,label,kind,part\n1,1,x,1.0\n2,2,y,2.5\n3,5,x,1.0\n' >t.csv

# check EXPRESSION: a model with that field
check() {
    printf 'mdl 1\ndata {\n    source = csv("t.csv")\n    field x = source |> columns("a")\n    field y = %s\n}\nmodel m(x) -> z { z = dense(x, 3) }\ntrain { loss = cross_entropy(z, y); optimizer = sgd(0.1) }\n' "$1" >m.mdl
    mlc check m.mdl
}

check 'classes(source.label)'
check 'classes(source.label, names = ["low", "high"])'
check 'classes(source.label, names = "low")'
check 'classes(source.label, names = ["low", "low", "high"])'
check 'classes(source.label, names = [1, 2, 5])'
check 'classes(source.kind, names = ["one", "two"])'
check 'classes(source.part)'
check 'classes(source.part * 1e300)'
check 'classes(log(source.a))'
check 'classes(windows(source.label, 2))'
check 'classes(source.label) + 1'
check 'one_hot(source.label)'
check 'classes(source.labl)'
sed -i 's/, y)/, classes(y))/' m.mdl && sed -i 's/field y = .*/field y = source.label/' m.mdl && mlc check m.mdl
check 'classes(source.kind)' && sed -i 's/dense(x, 3)/dense(x, 1)/' m.mdl && mlc check m.mdl
check 'classes(source.label)' && sed -i 's/dense(x, 3)/dense(x, 2)/' m.mdl && mlc check m.mdl
