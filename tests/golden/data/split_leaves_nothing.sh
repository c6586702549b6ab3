# more rows held out than there are
source "$GOLDEN/table.bash"
printf 'name,size\nann,1\nbob,2\n' >table.csv
cat >table.mdl <<'END'
mdl 1
data { source = csv("table.csv"); field x = source |> columns("size"); test = 2 }
model m(x) -> y { y = dense(x, 1) }
train { loss = mean(y); optimizer = sgd(0.1); batch = 1 }
END
mlc check table.mdl
