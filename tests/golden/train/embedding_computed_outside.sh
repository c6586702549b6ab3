# a row of an embedding that a computed number asks for, and that it does not have
printf 'x\n0\n1.5\n3\n2\n' >table.csv
cat >model.mdl <<'END'
mdl 1
data { source = csv("table.csv"); field x = source.x }
model net(x) -> y { y = embedding(int(fma(x, 1, 0)), 3, 2) }
train { loss = mean(y ** 2); optimizer = adam(); epochs = 1; batch = 2; shuffle = false }
END
mlc train model.mdl -q
sed -i 's/int(fma(x, 1, 0)), 3/int(fma(x, 1, 0)), 4/' model.mdl
mlc train model.mdl -q --out run >/dev/null
printf 'x\n0\n-1\n' >new.csv
mlc predict run new.csv --json
