# Where only one window fits, its stride means nothing: no gradient makes room for it.
cat >beyond.mdl <<'MODEL'
mdl 1
data {
    source = mnist()
    field image = source.image / 255
    field label = source.label
}
model net(image) -> logits {
    x = image |> conv(4, kernel = 20) |> max_pool(3, stride = 2147483648) |> conv(5, kernel = 1, stride = 2147483648)
    logits = x |> avg_pool(1, stride = 1000000000) |> flatten |> dense(10)
}
train {
    loss = cross_entropy(logits, label)
    optimizer = adam(lr = 1e-3)
}
MODEL
mlc summary beyond.mdl | sed -n '1,7s/ *$//p'
