#!/usr/bin/python3
"""Makes tests/truth/training.txt: what tests/truth/training.mdl gives when PyTorch trains it.

    /usr/bin/python3 tests/truth/make_training.py

Augmentation, dropout, a running mean, batches of different sizes, accumulated and clipped gradients, a schedule, weights of the
classes, and metrics over all test rows. The random numbers are drawn here a second time, from what docs/numerics.md says of them."""
import math
import os

import numpy
import torch

from make_truth import FOLDER, SEED, STREAM_INPUT, hash_name, initial_state, philox, random_bits

TRAIN, TEST, SIDE, CLASSES = 53, 21, 8, 4
BATCH, ACCUMULATE, EPOCHS, RATE, CLIP, SMOOTH, DROP = 8, 3, 4, 0.02, 0.2, 0.1, 0.3
STREAM_DROPOUT, STREAM_AUGMENT, DEGREES = 5, 6, 25.0
LOSS_WEIGHTS, METRIC_WEIGHTS = torch.tensor([1.0, 2.0, 0.5, 1.5]).double(), torch.tensor([2.0, 1.0, 0.0, 0.5]).double()


def draw(stream, name, number, count):
    """Random numbers of a call in a graph: counter (element / 4, draw, substream, stream)."""
    counter = numpy.zeros(((count + 3) // 4, 4), dtype=numpy.uint32)
    counter[:, 0] = numpy.arange(len(counter))
    counter[:, 1], counter[:, 2], counter[:, 3] = number, hash_name(name), stream
    bits = philox(counter, [SEED & 0xFFFFFFFF, SEED >> 32]).reshape(-1)[:count]
    return (bits >> numpy.uint32(8)).astype(numpy.float64) * 2.0 ** -24


def data():
    """What training_test.c writes into its files: all rows, those for testing last."""
    rows = TRAIN + TEST
    images = (random_bits(SEED, STREAM_INPUT, 10, rows * SIDE * SIDE) >> numpy.uint32(24)).reshape(rows, SIDE, SIDE)
    labels = random_bits(SEED, STREAM_INPUT, 11, rows) % CLASSES
    return images.astype(numpy.float64) / 255, torch.from_numpy(labels.astype(numpy.int64))


def rotated(images, number):
    """random_rotate(25), by PyTorch's sampling between pixels."""
    angle = torch.from_numpy((2 * draw(STREAM_AUGMENT, "augment1", number, len(images)) - 1) * math.radians(DEGREES))
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros(len(images), dtype=torch.float64)
    turns = torch.stack([cos, sin, zero, -sin, cos, zero], 1).reshape(-1, 2, 3)
    grid = torch.nn.functional.affine_grid(turns, [len(images), 1, SIDE, SIDE], align_corners=True)
    pictures = torch.from_numpy(images[:, None])
    return torch.nn.functional.grid_sample(pictures, grid, mode="bilinear", padding_mode="zeros", align_corners=True)[:, 0].numpy()


def augmented(images, number):
    """random_rotate, random_flip, then random_crop(1)."""
    rows = len(images)
    images = rotated(images, number)
    flips = draw(STREAM_AUGMENT, "augment2", number, rows) < 0.5
    down = numpy.floor(draw(STREAM_AUGMENT, "augment3", number, rows) * 3).astype(int)
    right = numpy.floor(draw(STREAM_AUGMENT, "augment4", number, rows) * 3).astype(int)
    result = numpy.zeros_like(images)
    for i, image in enumerate(images):
        padded = numpy.pad(image[:, ::-1] if flips[i] else image, 1)
        result[i] = padded[down[i]:down[i] + SIDE, right[i]:right[i] + SIDE]
    return result


class Network:
    def __init__(self):
        shapes = {"dense1": (16, SIDE * SIDE), "dense2": (CLASSES, 16)}
        self.parameters = {}
        for name, (outputs, inputs) in shapes.items():
            for role, shape in [("weight", (outputs, inputs)), ("bias", (outputs,))]:
                value = torch.from_numpy(initial_state(f"{name}.{role}", shape, inputs).astype(numpy.float64))
                self.parameters[f"{name}.{role}"] = value.requires_grad_()
        self.seen = torch.zeros(SIDE * SIDE, dtype=torch.float64)

    def logits(self, images, number=None):
        """number: of the batch in training; None: evaluation."""
        x = torch.from_numpy(images.reshape(len(images), -1))
        p = self.parameters
        if number is None:
            x = x - self.seen
        else:
            now = x.mean(0)
            self.seen = 0.9 * self.seen + 0.1 * now
            x = x - now
        x = torch.tanh(torch.nn.functional.linear(x, p["dense1.weight"], p["dense1.bias"]))
        if number is not None:
            kept = draw(STREAM_DROPOUT, "dropout1", number, x.numel()).reshape(x.shape) >= numpy.float32(DROP)
            x = x * torch.from_numpy(kept) / (1 - DROP)
        return torch.nn.functional.linear(x, p["dense2.weight"], p["dense2.bias"])


def loss_of(logits, labels):
    return torch.nn.functional.cross_entropy(logits, labels, weight=LOSS_WEIGHTS, label_smoothing=SMOOTH)


def split_loss(logits, labels):
    """The mean of the batches' losses, each counted by its rows."""
    return sum(loss_of(some, of).item() * len(of) for some, of in zip(logits.split(BATCH), labels.split(BATCH))) / len(labels)


def metrics(logits, labels):
    """In the order of the model: accuracy, f1 (macro), rmse, r2, top 2, mae, weighted nll; the confusion matrix row by row."""
    guess, target = logits.argmax(1), torch.nn.functional.one_hot(labels, CLASSES).double()
    scores = []
    for c in range(CLASSES):
        there = (guess == c).sum() + (labels == c).sum()
        if there:
            scores.append(2 * ((guess == c) & (labels == c)).sum().double() / there)
    error, distance = ((target - logits) ** 2).sum(0), ((target - target.mean(0)) ** 2).sum(0)
    among = (logits.topk(2, 1).indices == labels[:, None]).any(1).double().mean()
    return [(guess == labels).double().mean(), sum(scores) / len(scores), ((logits - target) ** 2).mean().sqrt(),
            (1 - error / distance).mean(), among, (logits - target).abs().mean(),
            torch.nn.functional.cross_entropy(logits, labels, weight=METRIC_WEIGHTS),
            *torch.bincount(labels * CLASSES + guess, minlength=CLASSES ** 2)]


def train():
    images, labels = data()
    network = Network()
    parameters = list(network.parameters.values())
    optimizer = torch.optim.Adam(parameters, lr=RATE)
    batches = math.ceil(TRAIN / BATCH)
    steps, step = EPOCHS * math.ceil(batches / ACCUMULATE), 0
    for epoch in range(EPOCHS):
        total, rows = 0.0, 0
        sums = [torch.zeros_like(p) for p in parameters]
        for batch in range(batches):
            some = slice(batch * BATCH, min((batch + 1) * BATCH, TRAIN))
            number, count = epoch * batches + batch, some.stop - some.start
            loss = loss_of(network.logits(augmented(images[some], number), number), labels[some])
            for sum_, gradient in zip(sums, torch.autograd.grad(loss, parameters)):
                sum_ += count * gradient
            total, rows = total + loss.item() * count, rows + count
            if (batch + 1) % ACCUMULATE and batch + 1 < batches:
                continue
            for parameter, sum_ in zip(parameters, sums):
                parameter.grad = sum_ / rows
            torch.nn.utils.clip_grad_norm_(parameters, CLIP)
            optimizer.param_groups[0]["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * step / steps))
            optimizer.step()
            sums, rows, step = [torch.zeros_like(p) for p in parameters], 0, step + 1
        with torch.no_grad():
            logits = network.logits(images[TRAIN:])
            yield [total / TRAIN, split_loss(logits, labels[TRAIN:])] + [float(m) for m in metrics(logits, labels[TRAIN:])]


if __name__ == "__main__":
    with open(os.path.join(FOLDER, "training.txt"), "w") as out:
        out.write("# Train loss, test loss and metrics of tests/truth/training.mdl after each epoch. Made by make_training.py with PyTorch "
                  f"{torch.__version__} in f64.\n")
        for line in train():
            out.write("epoch " + " ".join(f"{value:.9g}" for value in line) + "\n")
