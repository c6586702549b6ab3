# Sourced by tests of the program: small data and a model for it, in the folder at hand. $MAKE_DATA is the program that writes data.

# 610 rows in batches of 50: the last batch of an epoch has 10.
small_model() {
    "$MAKE_DATA" . 610 203
    cat >small.mdl <<'END'
mdl 1
param lr = 0.01 in 1e-6..10.0

data {
    source = idx("images", "labels", test_images = "test_images", test_labels = "test_labels", classes = 10)
    field image = source.image / 255
    field label = source.label
}

model small(image) -> logits {
    logits = image |> flatten |> dense(24) |> relu |> dense(10)
}

train {
    loss      = cross_entropy(logits, label)
    optimizer = adam(lr = lr)
    batch     = 50
    epochs    = 3
    seed      = 7
    metrics   = [accuracy(logits, label)]
}
END
}
