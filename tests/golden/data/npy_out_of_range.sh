# a whole number beyond 64 bits
source "$GOLDEN/arrays.bash"
printf '\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x80' | npy '<u8' '(2,)' False >x.npy
printf 'mdl 1\ndata { source = npy("x.npy"); field x = reshape(source.x, [N, 1]) }\nmodel m(x) -> y { y = dense(x, 1) }\ntrain { loss = mean(y); optimizer = sgd(0.1); batch = 1 }\n' >model.mdl
mlc data model.mdl
