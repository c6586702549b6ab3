# training and test rows in files of their own: what may not differ
printf 'size,kind\n1,a\n2,b\n3,a\n' >train.csv
try() {
    printf 'mdl 1\ndata { source = csv("train.csv", %s); field x = source |> columns("size") }\nmodel m(x) -> y { y = dense(x, 1) }\ntrain { loss = mean(y); optimizer = sgd(0.1); batch = 2 }\n' "$1" >m.mdl
    mlc check m.mdl >/dev/null && echo "accepted: $1"
}
printf 'kind,size\na,4\n' >turned.csv
printf 'size\n4\n' >fewer.csv
printf 'size,kind,id\n4,a,1\n' >more.csv
printf 'size,kind\nlarge,a\n' >words.csv
printf 'size,kind\n' >none.csv
printf '5,6\n' >bare.csv
printf '|a remark\nsize,kind\n4,a\n' >remark.csv
try 'test = "turned.csv"'
try 'test = "remark.csv", test_skip = 1'
try 'test = "fewer.csv"'
try 'test = "more.csv"'
try 'valid = "turned.csv", test = "words.csv"'
try 'test = "none.csv"'
try 'test = "bare.csv"'
try 'test = "nowhere.csv"'
try 'test = "turned.csv", test_skip = 9'
try 'test = "turned.csv", test_skip = "1"'
try 'skip = -1'
try 'test = "turned.csv"); test = last(0.1); valid = (0.1'
