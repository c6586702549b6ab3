# a packed table with a damaged byte
source "$GOLDEN/table.bash"
printf 'a,b\n1,2\n3,4\n5,6\n' | gzip -n >table.csv.gz
printf '\xff\xff\xff' | dd of=table.csv.gz bs=1 seek=12 conv=notrunc status=none
printf 'mdl 1\ndata { source = csv("table.csv"); field x = source |> columns(0) }\nmodel m(x) -> y { y = dense(x, 1) }\ntrain { loss = mean(y); optimizer = sgd(0.1); batch = 2 }\n' >table.mdl
mlc check table.mdl
