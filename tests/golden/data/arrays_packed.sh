# Arrays packed by gzip, named or found in place of the file that is not there: the remedy is said.
show() {
    printf 'mdl 1\ndata { source = %s; field x = source.x }\nmodel m(x) -> p { p = dense(x, 1) }\ntrain { loss = mean(p); optimizer = sgd(0.1) }\n' "$1" >m.mdl
    mlc data m.mdl
    echo "exit $?"
}
exec 2>&1
printf 'anything' | gzip -n >x.npy.gz
printf 'anything' | gzip -n >a.npz.gz
show 'npy("x.npy.gz")'
show 'npy("x.npy")'
show 'npz("a.npz")'
