# Sourced by tests of arrays and images.
# npy DESCR SHAPE ORDER: an NPY file of the elements on stdin.
npy() {
    printf '\x93NUMPY\1\0\x76\0%-117s\n' "{'descr': '$1', 'fortran_order': $3, 'shape': $2, }"
    cat
}

# check READER FIELD: checks a model whose field is made from the source.
check() {
    cat >model.mdl <<END
mdl 1
data {
    source = $1
    field x = $2
}
model m(x) -> y { y = flatten(x) |> dense(1) }
train { loss = mean(y); optimizer = sgd(0.1); batch = 1 }
END
    mlc check model.mdl
}

# Shows the data of a model on the folder of two classes, pictures.
show_pictures() {
    cat >model.mdl <<'END'
mdl 1
data { source = images("pictures"); field x = source.image; field label = source.label }
model m(x) -> y { y = flatten(x) |> dense(2) }
train { loss = cross_entropy(y, label); optimizer = sgd(0.1); batch = 1 }
END
    mlc data model.mdl --rows 3
}

small_png() { base64 -d <<<iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAAAAABX3VL4AAAADElEQVR42mNg+A+EAAYAAf+tLDclAAAAAElFTkSuQmCC; }       # 2 x 2, grey
wide_png() { base64 -d <<<iVBORw0KGgoAAAANSUhEUgAAAAQAAAACCAAAAABawyK/AAAAEElEQVR42mNg+M/ACcSMTAAMOAILV1xUZwAAAABJRU5ErkJggg==; } # 4 x 2, grey

# idx SIZE...: the header of an IDX file of bytes.
idx() {
    printf "\\0\\0\\x8\\x$(printf %x $#)"
    for size in "$@"; do printf "\\0\\0\\0\\x$(printf %x "$size")"; done
}
