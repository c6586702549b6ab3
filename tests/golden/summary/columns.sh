# Columns are as wide as the longest of their names and shapes.
cat >long.mdl <<'END'
mdl 1
data {
    source = mnist()
    field image = source.image / 255
    field label = source.label
}
model net(image) -> logits {
    x = image |> conv(12, kernel = 3) |> relu
    logits = x |> global_avg_pool |> dense(100000) |> reshape([N, 10, 10, 10, 10, 10]) |> flatten |> dense(10)
}
train {
    loss = cross_entropy(logits, label)
    optimizer = adam(lr = 1e-3)
    batch = 10000
}
END
mlc summary long.mdl | sed '/^$/,$d'
