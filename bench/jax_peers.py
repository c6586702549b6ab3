#!/usr/bin/env python3
"""A network in JAX: what bench/peers.py measures mlc against.

    bench/jax_peers.py mlp|lenet5|cnn|resnet [--batch 64] [--hidden 512,256,128] [--samples 12800] [--threads 2] [--epochs 4]

The step is one jitted function. For `mlp` a whole epoch is one function, with lax.scan over its steps; convolutions are faster as one
call a step. Prints one JSON line an epoch, like bench/torch_mlp.py."""
import argparse
import json
import os
import time

import numpy


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("net", choices=["mlp", "lenet5", "cnn", "resnet"])
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--hidden", default="512,256,128")
    parser.add_argument("--samples", type=int, default=12800)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=4)
    return parser.parse_args()


OPTIONS = arguments()
os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:OPTIONS.threads]))  # XLA takes one thread for each core it may use

import jax  # noqa: E402
import jax.numpy as np  # noqa: E402

import mnist_arrays  # noqa: E402


class Builder:
    """Makes the weights while a network is called for the first time, and gives them in order afterwards."""

    def __init__(self, weights=None):
        self.weights, self.made, self.at, self.random = weights, [], 0, numpy.random.default_rng(42)

    def weight(self, shape, fan):
        if self.weights is None:
            bound = fan ** -0.5
            self.made.append(np.asarray(self.random.uniform(-bound, bound, shape), np.float32))
            return self.made[-1]
        self.at += 1
        return self.weights[self.at - 1]

    def constant(self, shape, value):
        if self.weights is None:
            self.made.append(np.full(shape, value, np.float32))
            return self.made[-1]
        return self.weight(shape, 1)

    def dense(self, x, outputs):
        inputs = x.shape[-1]
        return x @ self.weight((inputs, outputs), inputs) + self.weight((outputs,), inputs)

    def conv(self, x, outputs, kernel, padding, bias=True):
        inputs = x.shape[-1]
        fan = inputs * kernel * kernel
        y = jax.lax.conv_general_dilated(x, self.weight((kernel, kernel, inputs, outputs), fan), (1, 1), padding,
                                         dimension_numbers=("NHWC", "HWIO", "NHWC"))
        return y + self.weight((outputs,), fan) if bias else y

    def norm(self, x):
        """Batch normalization, with the statistics of the batch: training needs no others."""
        scale, shift = self.constant((x.shape[-1],), 1), self.constant((x.shape[-1],), 0)
        mean, square = x.mean((0, 1, 2)), (x * x).mean((0, 1, 2))
        return (x - mean) * (jax.lax.rsqrt(square - mean * mean + 1e-5) * scale) + shift

    def conv_norm(self, x, outputs):
        return self.norm(self.conv(x, outputs, 3, "SAME", bias=False))

    def residual(self, x):
        inner = jax.nn.relu(self.conv_norm(x, x.shape[-1]))
        return jax.nn.relu(x + self.conv_norm(inner, x.shape[-1]))


def pool(x):
    return jax.lax.reduce_window(x, -np.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def flat(x):
    return x.reshape(x.shape[0], -1)


def mlp(b, x):
    for width in (int(width) for width in OPTIONS.hidden.split(",") if width):
        x = jax.nn.relu(b.dense(x, width))
    return b.dense(x, 10)


def lenet5(b, x):
    x = pool(jax.nn.relu(b.conv(x, 6, 5, "SAME")))
    x = flat(pool(jax.nn.relu(b.conv(x, 16, 5, "VALID"))))
    return b.dense(jax.nn.relu(b.dense(jax.nn.relu(b.dense(x, 120)), 84)), 10)


def cnn(b, x):
    x = pool(jax.nn.relu(b.conv(x, 32, 3, "SAME")))
    x = flat(pool(jax.nn.relu(b.conv(x, 64, 3, "SAME"))))
    return b.dense(jax.nn.relu(b.dense(x, 128)), 10)


def resnet(b, x):
    x = pool(b.residual(jax.nn.relu(b.conv_norm(x, 32))))
    x = pool(b.residual(jax.nn.relu(b.conv_norm(x, 64))))
    return b.dense(b.residual(x).mean((1, 2)), 10)


def loss(weights, images, labels):
    logits = globals()[OPTIONS.net](Builder(weights), images)
    return -np.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1).mean()


def step(state, images, labels):
    """Adam with the defaults of PyTorch."""
    weights, m, v, count = state
    gradients = jax.grad(loss)(weights, images, labels)
    count = count + 1
    m = [0.9 * a + 0.1 * g for a, g in zip(m, gradients)]
    v = [0.999 * a + 0.001 * g * g for a, g in zip(v, gradients)]
    rate, scale = 1e-3 / (1 - 0.9 ** count), 1 / (1 - 0.999 ** count)
    weights = [w - rate * a / (np.sqrt(b * scale) + 1e-8) for w, a, b in zip(weights, m, v)]
    return weights, m, v, count


def main():
    images, labels = mnist_arrays.arrays("train", OPTIONS.samples)
    if OPTIONS.net != "mlp":
        images = images.reshape(-1, 28, 28, 1)
    builder = Builder()
    globals()[OPTIONS.net](builder, np.asarray(images[:2]))
    zeros = [np.zeros_like(w) for w in builder.made]
    state = builder.made, zeros, [np.zeros_like(w) for w in builder.made], np.float32(0)
    images, labels = np.asarray(images), np.asarray(labels, np.int32)
    steps = OPTIONS.samples // OPTIONS.batch

    def gathered(state, rows):
        return step(state, images[rows], labels[rows]), None

    whole = jax.jit(lambda state, rows: jax.lax.scan(gathered, state, rows)[0], donate_argnums=0)
    single = jax.jit(lambda state, rows: gathered(state, rows)[0], donate_argnums=0)
    random = numpy.random.default_rng(1)
    for epoch in range(1, OPTIONS.epochs + 1):
        start = time.perf_counter()
        rows = np.asarray(random.permutation(OPTIONS.samples)[:steps * OPTIONS.batch].reshape(steps, OPTIONS.batch))
        if OPTIONS.net == "mlp":
            state = whole(state, rows)
        else:
            for at in range(steps):
                state = single(state, rows[at])
        jax.block_until_ready(state)
        print(json.dumps({"event": "epoch", "epoch": epoch, "seconds": time.perf_counter() - start}), flush=True)


if __name__ == "__main__":
    main()
