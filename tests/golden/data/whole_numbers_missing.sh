# A missing number decides no class: not by int(), nor by a comparison, a floor, an index; nor do a fraction, infinity, too large a number.
printf 'x,y,z\n1,0.0,1\n2,1.0,0\n3,,1\n4,2.0,0\n' >t.csv
train() {
    printf 'mdl 1\ndata { source = csv("t.csv"%s); field x = source |> columns("x"); field y = %s }\nmodel m(x) -> p { p = dense(x, 3) }\ntrain { loss = cross_entropy(p, y); optimizer = sgd(0.1); epochs = 1; metrics = [accuracy(p, y)] }\n' "${2-}" "$1" >m.mdl
    mlc train m.mdl -q >/dev/null && echo "$1: trained"
}
train 'int(source.y)'
train 'int(source.y) % 2'
train 'int(floor(source.y))'
train 'int(log(source.y + 1))'
train 'int(select(source.y > 0.5, 1, 0))'
train 'source.y > 0.5'
train 'int(impute(source.y, 0))'
train 'int(select(source.y == source.y, source.y, 2))'
train 'int(source.y)' ', drop_missing = "y"'
train 'int(source.y)' ', drop_missing = true'
train 'int(source.y)' ', drop_missing = ["y", "q"]'
train 'int(source.y)' ', drop_missing = 3'
printf 'x,y,z\n1,0,1\n2,1.5,0\n' >t.csv
train 'int(source.y)'
train 'int(floor(source.y))'
printf 'x,y,z\n1,0,1\n2,inf,0\n' >t.csv
train 'int(source.y)'
printf 'x,y,z\n1,0,1\n2,3000000000,0\n' >t.csv
train 'int(source.y)'
printf 'x,y,z\n1,0,1\n2,-1,0\n' >t.csv
train 'source.y'
train 'int(source.y + 0.5)'
