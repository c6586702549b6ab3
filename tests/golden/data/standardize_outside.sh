# a transform outside of the data block
source "$GOLDEN/table.bash"
printf 'a\n1.5\n2\n' >table.csv
cat >table.mdl <<'END'
mdl 1
data { source = csv("table.csv"); field x = source |> columns(0) }
model m(x) -> y { y = x |> standardize |> dense(1) }
train { loss = mean(y); optimizer = sgd(0.1); batch = 1 }
END
mlc check table.mdl
