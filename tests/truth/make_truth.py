#!/usr/bin/python3
"""Makes tests/truth/*.txt: what PyTorch computes for models that mlc must train to the same numbers.

    apt-get install python3-torch            (the tests themselves only read the files)
    /usr/bin/python3 tests/truth/make_truth.py

mnist.txt: the first 20 losses of models/mnist.mdl for each optimizer, in f32 as PyTorch trains, and in f64 to tell PyTorch's own
rounding from an error. Initial weights and data are drawn as mlc draws them: everything is a function of the seed, by the
Philox generator of ir/ops/random.h, which is written here a second time. Data: 5 batches of 64 that repeat, so that there is
something to learn. functions.txt: loss and gradients of single functions and losses, in f64. layers.txt: layers in training, in
f64: gradients of the first step, ten losses, running statistics, the loss when evaluated."""
import os
import re

import numpy
import torch

FOLDER = os.path.dirname(os.path.abspath(__file__))
SEED = 42
BATCH, BATCHES, STEPS = 64, 5, 20
STREAM_INIT, STREAM_INPUT = 1, 4
WIDTHS = [784, 512, 256, 128, 10]


def philox(counter, key):
    """Philox 4x32-10 on arrays: counter [n, 4] and key [2] of uint32 give [n, 4] random words."""
    words = [counter[:, i].astype(numpy.uint64) for i in range(4)]
    keys = [int(key[0]), int(key[1])]
    low = numpy.uint64(0xFFFFFFFF)
    for _ in range(10):
        first, second = words[0] * numpy.uint64(0xD2511F53), words[2] * numpy.uint64(0xCD9E8D57)
        words = [(second >> numpy.uint64(32)) ^ words[1] ^ numpy.uint64(keys[0]), second & low,
                 (first >> numpy.uint64(32)) ^ words[3] ^ numpy.uint64(keys[1]), first & low]
        keys = [(keys[0] + 0x9E3779B9) & 0xFFFFFFFF, (keys[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return numpy.stack(words, axis=1).astype(numpy.uint32)


def check_philox():
    """The known answers that Random123 publishes."""
    for counter, key, expected in [
            ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
            ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
            ([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], [0xA4093822, 0x299F31D0],
             [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1])]:
        assert philox(numpy.array([counter], dtype=numpy.uint32), key)[0].tolist() == expected


def random_bits(seed, stream, sub, count):
    """random_bits of ir/ops/random.c for index 0 .. count - 1."""
    blocks = numpy.arange((count + 3) // 4, dtype=numpy.uint64)
    counter = numpy.zeros((len(blocks), 4), dtype=numpy.uint32)
    counter[:, 0], counter[:, 1] = blocks & numpy.uint64(0xFFFFFFFF), blocks >> numpy.uint64(32)
    counter[:, 2], counter[:, 3] = sub, stream
    return philox(counter, [seed & 0xFFFFFFFF, seed >> 32]).reshape(-1)[:count]


def random_unit(seed, stream, sub, count):
    return (random_bits(seed, stream, sub, count) >> numpy.uint32(8)).astype(numpy.float32) * numpy.float32(2.0 ** -24)


def hash_name(name):
    """32-bit FNV-1a."""
    value = 2166136261
    for byte in name.encode():
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value


def initial_state(name, shape, fan_in):
    """state_initialize of ir/ops/random.c for a uniform state on [-1/sqrt(fan_in), 1/sqrt(fan_in)): in double, then rounded."""
    bound = numpy.float64(numpy.float32(1 / numpy.sqrt(float(fan_in))))
    unit = random_unit(SEED, STREAM_INIT, hash_name(name), int(numpy.prod(shape))).astype(numpy.float64)
    return (-bound + 2 * bound * unit).astype(numpy.float32).reshape(shape)


def data():
    """Images of which three pixels in four are black, and labels: what truth_test.c draws too."""
    bits = random_bits(SEED, STREAM_INPUT, 0, BATCHES * BATCH * 784)
    images = numpy.where(bits & 3, 0, bits >> 24).astype(numpy.uint8).reshape(-1, 784)
    labels = random_bits(SEED, STREAM_INPUT, 1, BATCHES * BATCH) % 10
    return images, labels.astype(numpy.int64)


def network(dtype, jitter):
    """models/mnist.mdl: dense1 to dense4 with ReLU between them; weights off by about `jitter`, relative."""
    layers = []
    for i, (inputs, outputs) in enumerate(zip(WIDTHS, WIDTHS[1:]), 1):
        layer = torch.nn.Linear(inputs, outputs, dtype=dtype)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(initial_state(f"dense{i}.weight", (outputs, inputs), inputs)))
            layer.bias.copy_(torch.from_numpy(initial_state(f"dense{i}.bias", (outputs,), inputs)))
        with torch.no_grad():
            for value in layer.parameters():
                value.mul_(1 + jitter * torch.randn_like(value))
        layers += [layer, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def losses(text, dtype, jitter=0.0):
    images, labels = data()
    x = torch.from_numpy(images.astype(numpy.float32) / 255).to(dtype)
    y = torch.from_numpy(labels)
    net = network(dtype, jitter)
    optimizer = OPTIMIZERS[text](net.parameters())
    schedule = schedule_of(text, optimizer)
    result = []
    for step in range(STEPS):
        rows = slice(step % BATCHES * BATCH, (step % BATCHES + 1) * BATCH)
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        clip(text, list(net.parameters()))
        optimizer.step()
        if not isinstance(schedule, EPOCH_SCHEDULES) or (step + 1) % BATCHES == 0:
            schedule.step()
        result.append(loss.item())
    return result


def clip(text, parameters):
    """As the keys behind the optimizer say."""
    limits = dict(re.findall(r"(clip_\w+) = ([\d.]+)", text))
    if "clip_value" in limits:
        torch.nn.utils.clip_grad_value_(parameters, float(limits["clip_value"]))
    if "clip_norm" in limits:
        torch.nn.utils.clip_grad_norm_(parameters, float(limits["clip_norm"]))


# The value of train.optimizer in the model, with further keys of train behind it, and the same in PyTorch: an optimizer, and a
# schedule where the rate changes.
OPTIMIZERS = {
    "adam(lr = 1e-3)": lambda p: torch.optim.Adam(p, lr=1e-3),
    "adam(lr = 3e-3, beta1 = 0.8, beta2 = 0.99, eps = 1e-6)": lambda p: torch.optim.Adam(p, lr=3e-3, betas=(0.8, 0.99), eps=1e-6),
    "adam(lr = 1e-3, decay = 0.001)": lambda p: torch.optim.Adam(p, lr=1e-3, weight_decay=0.001),
    "adamw(lr = 1e-3, decay = 0.05)": lambda p: torch.optim.AdamW(p, lr=1e-3, weight_decay=0.05),
    "sgd(lr = 0.5)": lambda p: torch.optim.SGD(p, lr=0.5),
    "sgd(lr = 0.5, decay = 0.01)": lambda p: torch.optim.SGD(p, lr=0.5, weight_decay=0.01),
    "sgd(lr = 0.2, momentum = 0.9)": lambda p: torch.optim.SGD(p, lr=0.2, momentum=0.9),
    "sgd(lr = 0.2, momentum = 0.9, nesterov = true)": lambda p: torch.optim.SGD(p, lr=0.2, momentum=0.9, nesterov=True),
    "sgd(lr = 0.2, momentum = 0.9, nesterov = true, decay = 0.01)":
        lambda p: torch.optim.SGD(p, lr=0.2, momentum=0.9, nesterov=True, weight_decay=0.01),
    "rmsprop(lr = 3e-4)": lambda p: torch.optim.RMSprop(p, lr=3e-4),
    "rmsprop(lr = 1e-4, alpha = 0.9, momentum = 0.5, decay = 0.003)":
        lambda p: torch.optim.RMSprop(p, lr=1e-4, alpha=0.9, momentum=0.5, weight_decay=0.003),
    "adagrad(lr = 1e-3)": lambda p: torch.optim.Adagrad(p, lr=1e-3),
    "adagrad(lr = 3e-3, lr_decay = 0.1, decay = 1e-4)": lambda p: torch.optim.Adagrad(p, lr=3e-3, lr_decay=0.1, weight_decay=1e-4),
    "sgd(lr = linear(0.5, to = 0.1))": lambda p: torch.optim.SGD(p, lr=0.5),
    "adam(lr = cosine(3e-3, to = 3e-4))": lambda p: torch.optim.Adam(p, lr=3e-3),
    "adam(lr = one_cycle(5e-3, warmup = 0.4))": lambda p: torch.optim.Adam(p, lr=5e-3),
    "sgd(lr = constant(0.4))": lambda p: torch.optim.SGD(p, lr=0.4),
    "sgd(lr = warmup(0.4, over = 8))": lambda p: torch.optim.SGD(p, lr=0.4),
    "sgd(lr = cosine(0.4, to = 0.02, warmup = 0.25))": lambda p: torch.optim.SGD(p, lr=0.4),
    "sgd(lr = step(0.4, every = 2, factor = 0.3))": lambda p: torch.optim.SGD(p, lr=0.4),
    "sgd(lr = exponential(0.4, gamma = 0.7))": lambda p: torch.optim.SGD(p, lr=0.4),
    "sgd(lr = 0.5); clip_value = 0.002": lambda p: torch.optim.SGD(p, lr=0.5),
    "sgd(lr = 0.5); clip_norm = 0.15": lambda p: torch.optim.SGD(p, lr=0.5),
    "adam(lr = 1e-3, decay = 0.001); clip_norm = 0.08; clip_value = 0.003": lambda p: torch.optim.Adam(p, lr=1e-3, weight_decay=0.001),
}
EPOCH_SCHEDULES = (torch.optim.lr_scheduler.StepLR, torch.optim.lr_scheduler.ExponentialLR)


def warmup(optimizer, over):
    return torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=1 / over, end_factor=1.0, total_iters=over - 1)


SCHEDULES = {
    "warmup": lambda o: warmup(o, 8),
    "cosine(0.4": lambda o: torch.optim.lr_scheduler.SequentialLR(
        o, [warmup(o, 5), torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=STEPS - 5, eta_min=0.02)], milestones=[5]),
    "step": lambda o: torch.optim.lr_scheduler.StepLR(o, 2, gamma=0.3),
    "exponential": lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.7),
    "linear": lambda o: torch.optim.lr_scheduler.LinearLR(o, start_factor=1.0, end_factor=0.2, total_iters=STEPS),
    "cosine": lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=STEPS, eta_min=3e-4),
    "one_cycle": lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 5e-3, total_steps=STEPS, pct_start=0.4, cycle_momentum=False),
}


def schedule_of(text, optimizer):
    """The schedule that the optimizer's text names; else one that changes nothing."""
    for name, make in SCHEDULES.items():
        if "lr = " + name in text:
            return make(optimizer)
    return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)


def worst_difference(some, others):
    return max(abs(a - b) / abs(b) for a, b in zip(some, others))


def is_fragile(text, expected):
    """Where a ReLU's input comes so near 0 that rounding decides its sign, or Adam divides a gradient near 0 by its own size, two
    right programs drift apart at once. Weights off by half an ulp show whether that happens."""
    return any(worst_difference(losses(text, torch.float64, jitter=3e-8), expected) > 1e-6 for _ in range(8))


def write_training(path):
    with open(path, "w") as out:
        out.write(f"# Losses of {STEPS} steps of models/mnist.mdl: f32, f64. Made by make_truth.py with PyTorch {torch.__version__}.\n")
        for text in OPTIMIZERS:
            single, double = losses(text, torch.float32), losses(text, torch.float64)
            print(f"{text}: loss {double[0]:.4f} to {double[-1]:.4f}, f32 differs from f64 by {worst_difference(single, double):.1e}")
            assert not is_fragile(text, double), "nothing can be compared here: take other settings"
            out.write(f"optimizer {text}\n")
            out.writelines(f"{a:.9g} {b:.9g}\n" for a, b in zip(single, double))


ROWS, COLUMNS = 4, 6


def functions():
    """Expressions over x and k (both f32[4, 6]) and label (classes below 6), and their PyTorch twins. Where the expression is
    sum(f(x) * k), the gradient by k is f(x) and the gradient by x that of f at a random cotangent."""
    f = torch.nn.functional
    weighted = {
        "relu(x)": torch.relu, "leaky_relu(x, 0.1)": lambda x: f.leaky_relu(x, 0.1), "sigmoid(x)": torch.sigmoid,
        "tanh(x)": torch.tanh, "exp(x)": torch.exp, "log(abs(x) + 0.5)": lambda x: torch.log(x.abs() + 0.5),
        "sqrt(abs(x) + 0.5)": lambda x: torch.sqrt(x.abs() + 0.5), "clip(x, -1.0, 1.0)": lambda x: x.clamp(-1, 1),
        "max(x, 0.5)": lambda x: x.clamp(min=0.5), "min(x, 0.5)": lambda x: x.clamp(max=0.5),
        "x ** 3": lambda x: x ** 3, "(abs(x) + 0.5) ** 1.5": lambda x: (x.abs() + 0.5) ** 1.5,
        "softmax(x)": lambda x: f.softmax(x, -1), "log_softmax(x)": lambda x: f.log_softmax(x, -1),
        "softmax(x, axis = 0)": lambda x: f.softmax(x, 0), "transpose(transpose(x) * 2)": lambda x: x * 2,
        "(x - mean(x, axis = 1, keep = true))": lambda x: x - x.mean(1, keepdim=True),
        "x / (1 + exp(-x))": f.silu, "silu(x)": f.silu, "elu(x, 0.7)": lambda x: f.elu(x, 0.7), "softplus(x)": f.softplus,
        "erf(x)": torch.erf, "gelu(x)": f.gelu, "normal_cdf(x)": torch.special.ndtr, "gelu_tanh(x)": lambda x: f.gelu(x, approximate="tanh"), "sin(x)": torch.sin, "cos(x)": torch.cos,
        "sign(x)": torch.sign, "round(x)": torch.round, "std(x, axis = 1, keep = true)": lambda x: x.std(1, keepdim=True),
        "norm(x, axis = 1, keep = true)": lambda x: x.norm(dim=1, keepdim=True), "norm(x)": lambda x: x.norm(), "x ** -3": lambda x: x ** -3,
        "cumsum(x)": lambda x: x.cumsum(1), "cumsum(x, axis = 0)": lambda x: x.cumsum(0),
        "unsqueeze(prod(x), 1)": lambda x: x.prod(1, keepdim=True), "pad(x, 1, 2)[:, 0:6]": lambda x: f.pad(x, (1, 2))[:, :6],
        "stack([x, x * x])[1]": lambda x: torch.stack([x, x * x])[1], "unsqueeze(x, -1)[:, :, 0]": lambda x: x.unsqueeze(-1)[:, :, 0],
        "stack([x, exp(x)], axis = -1)[:, :, 1]": lambda x: torch.stack([x, x.exp()], -1)[:, :, 1],
        "repeat(x, 3)[:, 4:10]": lambda x: x.repeat(1, 3)[:, 4:10], "x[:, -1:6]": lambda x: x[:, -1:],
        "sum(x[:, 1::2] ** 2, axis = 1, keep = true)": lambda x: (x[:, 1::2] ** 2).sum(1, keepdim=True),
        "sum(x[::3, -5:-1:3] ** 2)": lambda x: (x[::3, -5:-1:3] ** 2).sum(), "expand(2.5, [N, 6]) * x": lambda x: 2.5 * x,
        "select(int(x * 3.0) == -1, 2.0 * x, x)": lambda x: torch.where((x * 3).int() == -1, 2 * x, x),
        "leaky_relu(floor(x * 0.5) * x, 0.3)": lambda x: f.leaky_relu(torch.floor(x * 0.5) * x, 0.3),
        "elu(floor(x * 0.5) * x, 0.7)": lambda x: f.elu(torch.floor(x * 0.5) * x, 0.7),
        "std(floor(x * 0.1), axis = 1, keep = true) * x": lambda x: torch.floor(x * 0.1).std(1, keepdim=True) * x,
        "amax(x, axis = 1, keep = true)": lambda x: x.amax(1, keepdim=True), "abs(x)": torch.abs,
        "amin(x, axis = [0, -1])": lambda x: x.amin((0, 1)), "expm1(x)": torch.expm1, "log1p(abs(x))": lambda x: torch.log1p(x.abs()), "x % 0.7": lambda x: x.remainder(0.7),
        "permute(reshape(x, [N, 2, 3]), [0, 2, 1])[1, 2, 0]": lambda x: x.reshape(4, 2, 3).permute(0, 2, 1)[1, 2, 0],
        "concat([split(x, 2)[1], split(x, [3, 3])[0]])": lambda x: torch.cat([x[:, 3:], x[:, :3]], 1),
        "expand(x[0], [N, 6])": lambda x: x[0].expand(4, 6), "select(x > 0.5, x, x * x)": lambda x: torch.where(x > 0.5, x, x * x),
        "floor(x)": torch.floor, "rint(x)": torch.round, "(x + detach(x * x))": lambda x: x + (x * x).detach(),
        "sum(x, axis = 0)": lambda x: x.sum(0), "x * count(x, axis = 1)": lambda x: x * 6, "one_hot(argmax(x), 6) * x": lambda x: f.one_hot(x.argmax(1), 6) * x,
        "(x / sqrt(var(x, axis = 1, keep = true, correction = 0) + 1e-5))":
            lambda x: x / torch.sqrt(x.var(1, unbiased=False, keepdim=True) + 1e-5),
    }
    result = {f"sum({text} * k)": lambda x, k, label, g=g: (g(x) * k).sum() for text, g in weighted.items()}
    result["cross_entropy(x, label)"] = lambda x, k, label: f.cross_entropy(x, label)
    result["cross_entropy(x, label, smooth = 0.1)"] = lambda x, k, label: f.cross_entropy(x, label, label_smoothing=0.1)
    result["nll(log_softmax(x), label)"] = lambda x, k, label: f.nll_loss(f.log_softmax(x, -1), label)
    w = torch.tensor([0.5, 2.0, 0.0, 1.0, 1.0, 3.25], dtype=torch.float64)
    weights = ", weights = [0.5, 2.0, 0.0, 1.0, 1.0, 3.25]"
    result[f"nll(log_softmax(x), label{weights})"] = lambda x, k, label: f.nll_loss(f.log_softmax(x, -1), label, weight=w)
    result[f"cross_entropy(x, label{weights})"] = lambda x, k, label: f.cross_entropy(x, label, weight=w)
    result[f"cross_entropy(x, label, smooth = 0.3{weights})"] = \
        lambda x, k, label: f.cross_entropy(x, label, weight=w, label_smoothing=0.3)
    result["mse(x, k)"] = lambda x, k, label: f.mse_loss(x, k)
    result["mae(x, k)"] = lambda x, k, label: f.l1_loss(x, k)
    result["huber(x, k, delta = 1.5)"] = lambda x, k, label: f.huber_loss(x, k, delta=1.5)
    result["bce(sigmoid(x), sigmoid(k))"] = lambda x, k, label: f.binary_cross_entropy(torch.sigmoid(x), torch.sigmoid(k))
    result["bce_logits(x, sigmoid(k))"] = lambda x, k, label: f.binary_cross_entropy_with_logits(x, torch.sigmoid(k))
    result["sum((x @ transpose(k)) ** 2)"] = lambda x, k, label: ((x @ k.T) ** 2).sum()
    result["mean(x * x) + sum(k, axis = 0)[2]"] = lambda x, k, label: (x * x).mean() + k.sum(0)[2]
    return result


def operand(sub):
    unit = random_unit(SEED, STREAM_INPUT, sub, ROWS * COLUMNS)
    return torch.from_numpy(((unit - numpy.float32(0.5)) * numpy.float32(6)).reshape(ROWS, COLUMNS)).double().requires_grad_()


def write_functions(path):
    label = torch.from_numpy((random_bits(SEED, STREAM_INPUT, 4, ROWS) % COLUMNS).astype(numpy.int64))
    with open(path, "w") as out:
        out.write(f"# Loss, gradient by x, gradient by k. Made by make_truth.py with PyTorch {torch.__version__} in f64.\n")
        for text, function in functions().items():
            x, k = operand(2), operand(3)
            loss = function(x, k, label)
            gradients = torch.autograd.grad(loss, [x, k], allow_unused=True)
            out.write(f"loss {text}\n{loss.item():.9g}\n")
            for value, gradient in zip([x, k], gradients):
                gradient = torch.zeros_like(value) if gradient is None else gradient
                out.write(" ".join(f"{element:.9g}" for element in gradient.flatten().tolist()) + "\n")


LABEL = torch.from_numpy((random_bits(SEED, STREAM_INPUT, 4, ROWS) % COLUMNS).astype(numpy.int64))
LAYER_STEPS, LAYER_RATE = 11, 0.03


class Layer:
    """A layer's twin while it runs: weights and statistics by the names they have in mlc."""

    def __init__(self, weights, states):
        self.weights, self.states, self.training = weights, states, True

    def __getitem__(self, name):
        return self.weights[name]


def layers():
    """What is computed of x: its shape, the text, the shapes of the layer's weights, the twin, and the layer's statistics with
    their first values."""
    f = torch.nn.functional
    plain = {
        "dense(x, 5)": ([4, 6], {"dense1.weight": [5, 6], "dense1.bias": [5]},
                        lambda x, l: f.linear(x, l["dense1.weight"], l["dense1.bias"])),
        "dense(x, 5, bias = false)": ([4, 3, 6], {"dense1.weight": [5, 6]}, lambda x, l: f.linear(x, l["dense1.weight"])),
        "x + embedding(label, 6, 6)": ([4, 6], {"embedding1.weight": [6, 6]},
                                       lambda x, l: x + f.embedding(LABEL, l["embedding1.weight"])),
        "embedding(argmax(x), 5, 3) * x[:, :, 0:3]": ([4, 7, 5], {"embedding1.weight": [5, 3]},
                                                      lambda x, l: f.embedding(x.argmax(2), l["embedding1.weight"]) * x[:, :, :3]),
        "layer_norm(x)": ([4, 6], {"layer_norm1.weight": [6], "layer_norm1.bias": [6]},
                          lambda x, l: f.layer_norm(x, [6], l["layer_norm1.weight"], l["layer_norm1.bias"])),
        "layer_norm(x, eps = 0.01, affine = false)": ([4, 3, 6], {}, lambda x, l: f.layer_norm(x, [6], eps=0.01)),
        "layer_norm(x, bias = false)": ([4, 6], {"layer_norm1.weight": [6]},
                                        lambda x, l: f.layer_norm(x, [6], l["layer_norm1.weight"])),
    }
    result = [(text, *case, {}) for text, case in plain.items()]
    result += [(*case, {}) for case in pictures()]

    def batch_norm(x, l, momentum=0.1, eps=1e-5):
        return f.batch_norm(x, l.states["batch_norm1.running_mean"], l.states["batch_norm1.running_var"],
                            l.weights.get("batch_norm1.weight"), l.weights.get("batch_norm1.bias"), l.training, momentum, eps)

    def statistics(channels):
        return {"batch_norm1.running_mean": [0.0] * channels, "batch_norm1.running_var": [1.0] * channels}

    affine = {"batch_norm1.weight": [6], "batch_norm1.bias": [6]}
    result.append(("batch_norm(x)", [4, 6], affine, batch_norm, statistics(6)))
    result.append(("batch_norm(x)", [4, 6, 3, 5], affine, batch_norm, statistics(6)))
    result.append(("batch_norm(x, momentum = 0.3, eps = 0.01, affine = false)", [4, 2, 7], {},
                   lambda x, l: batch_norm(x, l, 0.3, 0.01), statistics(2)))
    return result


def pictures():
    """Convolution and pooling."""
    f = torch.nn.functional

    def weights(layer, *shape, bias=True):
        channels = shape[1] if layer == "conv_transpose" else shape[0]
        return {f"{layer}1.weight": list(shape), **({f"{layer}1.bias": [channels]} if bias else {})}

    def conv(layer, function, **settings):
        return lambda x, l: function(x, l[f"{layer}1.weight"], l.weights.get(f"{layer}1.bias"), **settings)

    return [
        ("conv(x, 4, 3)", [4, 3, 6, 5], weights("conv", 4, 3, 3, 3), conv("conv", f.conv2d)),
        ("conv(x, 4, [3, 2], stride = 2, pad = [1, 0], dilation = [1, 2], bias = false)", [4, 3, 7, 6],
         weights("conv", 4, 3, 3, 2, bias=False), conv("conv", f.conv2d, stride=2, padding=(1, 0), dilation=(1, 2))),
        ("conv(x, 6, 3, pad = \"same\", groups = 3)", [4, 3, 5, 5], weights("conv", 6, 1, 3, 3),
         conv("conv", f.conv2d, padding="same", groups=3)),
        ("conv(x, 2, 4, pad = \"same\")", [4, 3, 5, 6], weights("conv", 2, 3, 4, 4), conv("conv", f.conv2d, padding="same")),
        ("depthwise(x, 3, pad = 1, multiplier = 2)", [4, 3, 5, 5], weights("depthwise", 6, 1, 3, 3),
         conv("depthwise", f.conv2d, padding=1, groups=3)),
        ("conv_transpose(x, 4, 3, stride = 2, pad = 1, output_pad = 1)", [4, 3, 4, 3], weights("conv_transpose", 3, 4, 3, 3),
         conv("conv_transpose", f.conv_transpose2d, stride=2, padding=1, output_padding=1)),
        ("conv_transpose(x, 6, [2, 3], dilation = 2, groups = 2, bias = false)", [4, 4, 3, 4],
         weights("conv_transpose", 4, 3, 2, 3, bias=False), conv("conv_transpose", f.conv_transpose2d, dilation=2, groups=2)),
        ("max_pool(x, 2)", [4, 3, 6, 5], {}, lambda x, l: f.max_pool2d(x, 2)),
        ("max_pool(x, 3, stride = 2, pad = 1)", [4, 2, 7, 6], {}, lambda x, l: f.max_pool2d(x, 3, stride=2, padding=1)),
        ("max_pool(x, 2, stride = 1, dilation = 2)", [4, 2, 5, 6], {}, lambda x, l: f.max_pool2d(x, 2, stride=1, dilation=2)),
        ("avg_pool(x, 2)", [4, 3, 6, 4], {}, lambda x, l: f.avg_pool2d(x, 2)),
        ("avg_pool(x, [3, 2], stride = 1, pad = 1)", [4, 2, 5, 4], {}, lambda x, l: f.avg_pool2d(x, (3, 2), stride=1, padding=1)),
        ("global_avg_pool(x)", [4, 3, 6, 5], {}, lambda x, l: x.mean((2, 3))),
    ]


def drawn(name, shape, width):
    unit = random_unit(SEED, STREAM_INPUT, hash_name(name), int(numpy.prod(shape)))
    return torch.from_numpy(((unit - numpy.float32(0.5)) * numpy.float32(width)).reshape(shape)).double().requires_grad_()


def numbers(values):
    return " ".join(f"{value:.9g}" for value in values)


def write_layer(out, text, shape, weights, function, states):
    """The first step only shows the gradients."""
    states = {name: torch.as_tensor(value).double() for name, value in states.items()}
    layer = Layer({name: drawn(name, size, 2) for name, size in weights.items()}, states)
    x = drawn("x", shape, 6)
    k = drawn("k", function(x, Layer(layer.weights, {name: value.clone() for name, value in states.items()})).shape, 6)
    trained = {"x": x, **layer.weights, "k": k}
    out.write(f"layer [{','.join(['N', *map(str, shape[1:])])}] {text}\nlosses\n")
    for step in range(LAYER_STEPS):
        loss = ((function(x, layer) - k) ** 2).mean()
        gradients = torch.autograd.grad(loss, list(trained.values()), allow_unused=True)
        out.write(f"{loss.item():.9g}\n")
        with torch.no_grad():
            for (name, value), gradient in zip(trained.items(), gradients):
                if gradient is not None and step > 0:
                    value -= LAYER_RATE * gradient
                elif gradient is not None:
                    out.write(f"gradient {name} {numbers(gradient.flatten().tolist())}\n")
    for name, value in states.items():
        out.write(f"state {name} {numbers(value.flatten().tolist())}\n")
    layer.training = False
    out.write(f"evaluated {((function(x, layer) - k) ** 2).mean().item():.9g}\n")


def write_layers(path):
    with open(path, "w") as out:
        out.write(f"# Layers in training, see truth_layers_test.c. Made by make_truth.py with PyTorch {torch.__version__} in f64.\n")
        for case in layers():
            write_layer(out, *case)


if __name__ == "__main__":
    torch.set_num_threads(1)
    check_philox()
    write_layers(os.path.join(FOLDER, "layers.txt"))
    write_functions(os.path.join(FOLDER, "functions.txt"))
    write_training(os.path.join(FOLDER, "mnist.txt"))
