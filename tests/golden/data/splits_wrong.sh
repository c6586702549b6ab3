# splits that cannot be: what the keys say, what the columns hold, and what is left to train on
printf 'id,who,part,flag,a,gap\n' >rows.csv
for i in 1 2 3 4 5 6 7 8 9; do printf '%d,p%d,%s,%d,0.%d,%s\n' $i $((i % 3)) $([ $i = 4 ] && echo tset || echo train) $((i % 2)) $i $([ $i = 7 ] || echo x); done >>rows.csv
try() {
    printf 'mdl 1\ndata {\n    source = csv("rows.csv")\n    field x = source |> columns("a")\n%b\n}\nmodel m(x) -> y { y = dense(x, 1) }\ntrain { loss = mean(y); optimizer = sgd(0.1); batch = 2 }\n' "$1" >rows.mdl
    mlc check rows.mdl >/dev/null && echo "accepted: $1"
}
try '    test = last(0)'
try '    test = last(1.5)'
try '    valid = last("all")'
try '    valid = group(source.who, 0)'
try '    test = "test.csv"'
try '    test = source.part'
try '    test = adam(0.1)'
try '    test = column()'
try '    test = group(source.whom, 0.2)'
try '    test = group(source.gap, 0.2)'
try '    test = stratified(source.gap, 3)'
try '    test = column(source.part)'
try '    test = column(source.a)'
try '    test = column(source.gap)'
try '    test = column(source.flag)'
try '    valid = column(source.flag)\n    test = 0.2'
try '    test = column(source.flag)\n    valid = 0.2'
try '    test = column(source.flag)\n    valid = column(source.who)'
try '    test = group(source.who, 1)\n    valid = group(source.flag, 1)'
try '    test = group(source.who, 3)'
try '    test = group(source[1], 1)'
try '    series = source.when'
try '    series = 3'
try '    test = 0.01'
try '    test = last(5)\n    valid = last(4)'
