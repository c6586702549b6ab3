# each argument of an optimizer has the limits that PyTorch gives it
for optimizer in "adam(beta1 = 1.0)" "adam(beta2 = 2)" "adamw(beta1 = -0.1)" "adamw(eps = -1e-8)" "adam(lr = -1e-3)" \
    "sgd(0.1, momentum = -0.9)" "sgd(0.1, decay = -1.0)" "rmsprop(alpha = -0.1)" "adagrad(lr_decay = -1.0)" \
    "sgd(cosine(-0.1))" "sgd(step(0.1, every = 0))" "sgd(exponential(0.1, gamma = -0.5))" "sgd(one_cycle(0.1, warmup = 1.5))" \
    "sgd(0.1, nesterov = true)"; do
    printf '%s\n' 'mdl 1' 'data { source = mnist(); field image = source.image / 255; field label = source.label }' \
        'model net(image) -> logits { logits = image |> flatten |> dense(10) }' \
        "train { loss = cross_entropy(logits, label); optimizer = $optimizer }" >model.mdl
    mlc check model.mdl
done
