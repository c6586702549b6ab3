# a label without a column is shown, and an error as in training
source "$GOLDEN/arrays.bash"
printf '\1\0\2\0' | npy '|u1' '(4,)' False >y.npy && printf '1234' | npy '|u1' '(4, 1)' False >x.npy
cat >model.mdl <<'END'
mdl 1
data { source = npy("x.npy", "y.npy"); field x = source.x; field y = source.y }
model m(x) -> p { p = dense(x, 2) }
train { loss = cross_entropy(p, y); optimizer = sgd(0.1); batch = 2 }
END
mlc data model.mdl
