# Sourced by tests: makes small data and a model for them in the current folder. $MAKE_DATA is the program that writes data.

# data_of_digits LINE...: the data block of a model that reads what make_data writes, with further lines.
data_of_digits() {
    printf 'data {\n    %s\n' 'source = idx("images", "labels", test_images = "test_images", test_labels = "test_labels", classes = 10)'
    printf '    %s\n' 'field image = source.image / 255' 'field label = source.label' "$@"
    printf '}\n'
}

# 610 rows in batches of 50: the last batch of an epoch has 10.
small_model() {
    "$MAKE_DATA" . 610 203
    cat >small.mdl <<END
mdl 1
param lr = 0.01 in 1e-6..10.0

$(data_of_digits)

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

# model_with_states LAYERS: net.mdl, whose training has statistics, random numbers, a schedule, accumulated gradients and clipping. 610 rows
# make 10 batches of 61 in an epoch.
model_with_states() {
    "$MAKE_DATA" . 610 203
    cat >net.mdl <<END
mdl 1
$(data_of_digits)
model net(image) -> logits {
    logits = image |> $1
}
train {
    loss       = cross_entropy(logits, label)
    optimizer  = adamw(lr = cosine(0.01, to = 0.001, warmup = 3), decay = 0.01)
    batch      = 61
    accumulate = 2
    clip_norm  = 1.0
    epochs     = 3
    shuffle    = false
    seed       = 5
    metrics    = [accuracy(logits, label)]
}
END
}

# model_of_all ROWS LAYERS RATE LINE...: all.mdl, a training with everything that has a state or random numbers: augmentation, dropout, running
# statistics, gradients added up over batches and shares, a schedule, and the choice of the best epoch. ROWS are held out for it.
model_of_all() {
    local rows=$1 layers=$2 rate=$3
    shift 3
    cat >all.mdl <<END
mdl 1
$(data_of_digits 'augment = image |> random_flip |> random_shift(2)' "valid = $rows" 'seed = 5')
def centred(x: f32[N, W]) -> y {
    seen = state([W])
    y = x - seen
    if training {
        now = mean(x, axis = 0)
        kept = update(seen, 0.9 * seen + 0.1 * now)
        y = x - now
    }
}
model all(image) -> logits {
    logits = image |> flatten |> centred |> $layers |> dropout(0.4) |> dense(10)
}
train {
    loss       = cross_entropy(logits, label)
    optimizer  = adamw(lr = $rate)
    batch      = 9
    replicas   = 3
    accumulate = 4
    clip_norm  = 1.0
    seed       = 3
    metrics    = [accuracy(logits, label), f1(logits, label), rmse(softmax(logits), one_hot(label, 10))]
    keep_best  = f1
$(printf '    %s\n' "$@")
}
END
}

# weather.csv, and weather.mdl, which reads windows of it
weather_model() {
    awk 'BEGIN { print "temp,x"; for (i = 0; i < 60; i++) print sin(i) "," i }' >weather.csv
    cat >weather.mdl <<'END'
mdl 1
data {
    source = csv("weather.csv")
    field past = windows(source.temp, 4)
    field next = unsqueeze(ahead(source.temp, 1), 1)
}
model weather(past) -> temp { temp = dense(past, 1) }
train {
    loss      = mse(temp, next)
    optimizer = sgd(lr = 0.01)
    epochs    = 1
}
END
}

# log.mdl, whose state q becomes nan in its first step: row 3 of its only batch has a negative number. A batch has 3 shares.
model_of_logarithms() {
    printf 'x,y\n1,1\n1,1\n1,1\n-1,0\n1,1\n1,1\n' >negative.csv
    cat >log.mdl <<'END'
mdl 1
data { source = csv("negative.csv"); field x = columns(source, ["x"]); field y = source.y }
model m(x) -> p {
    w = weight([1], init = ones)
    q = state([1], zeros)
    if training { q2 = update(q, q + mean(log(x))) }
    p = x[:, 0] * w
}
train { loss = mean((p - y) ** 2); optimizer = sgd(0.1); batch = 6; replicas = 3; shuffle = false; epochs = 1 }
END
}
