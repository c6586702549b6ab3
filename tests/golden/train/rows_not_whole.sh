# New rows with a gap, or a fraction, where the network reads whole numbers: the line is named.
printf 'a,k,y\n1,0,1\n2,1,2\n3,2,3\n' >t.csv
cat >m.mdl <<'MODEL'
mdl 1
data { source = csv("t.csv"); field x = one_hot(source.k, 3); field y = source.y }
model m(x) -> p { p = dense(x, 1) }
train { loss = mse(p[:, 0], y); optimizer = sgd(0.1); epochs = 1 }
MODEL
mlc train m.mdl --out run -q >/dev/null
exec 2>&1
printf 'k\n1\n\n2\n0.5\n1\n' >new.csv
mlc predict run new.csv
echo "exit $?"
printf 'k,a\n1,1\n,2\n2,3\n' >new.csv
mlc predict run new.csv
echo "exit $?"
mlc predict run - <new.csv
echo "exit $?"
