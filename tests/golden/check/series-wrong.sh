# windows and what is ahead: what they take, and where they belong
printf 'value,word\n1.5,a\n2,b\n3,a\n4,b\n5,a\n' >series.csv
try() {
    printf 'mdl 1\ndata {\n    source = csv("series.csv")\n    field x = %s\n    %s\n}\nmodel m(x) -> y { y = flatten(%s) |> dense(1) }\ntrain { loss = mean(y); optimizer = sgd(0.1); batch = 2 }\n' "$1" "$2" "${3-x}" >m.mdl
    mlc check m.mdl >/dev/null && echo "accepted: $1"
}
try 'windows(source.value, 2)'
try 'windows(source.value |> log, 2)'
try 'windows(2, 2)'
try 'windows(source.value)'
try 'windows(source.value, 2, horizon = 1)'
try 'ahead(ahead(source.value))'
try 'ahead(source.value, 0)'
try 'ahead(source.value, 1, 0)'
try 'unsqueeze(source.value, 1)' '' 'windows(x, 2)'
try 'windows(source.value, 2) + windows(source.value, 2, stride = 3) + windows(source.value, 2, stride = 2)'
try 'windows(source.value, 2)' 'series = 3'
try 'windows(source.word, 2)'
