#!/usr/bin/python3
"""The network of models/mnist.mdl in PyTorch, the fast way: what bench/compare.py measures mlc against.

    apt-get install python3-torch libopenblas0-openmp        (Debian 12: PyTorch 1.13)
    bench/torch_mlp.py [--batch 64] [--hidden 512,256,128] [--threads 2] [--epochs 2]

Reads MNIST where mlc finds it. All images are one float tensor in memory, batches are gathered by index, and Adam runs on
all tensors at once (foreach). Prints one JSON line an epoch, {"event":"epoch","epoch":1,"seconds":...}: the time of shuffling,
gathering and training; reading the data and evaluation are not counted. --samples ends an epoch after so many rows and gives the
seconds a whole one would take. --first-step ends after one step, for bench/startup.py."""
import argparse
import json
import time

import torch

import mnist_arrays


def tensors(split):
    images, labels = mnist_arrays.arrays(split)
    return torch.from_numpy(images), torch.from_numpy(labels)


def network(hidden):
    layers, inputs = [], 784
    for width in hidden:
        layers += [torch.nn.Linear(inputs, width), torch.nn.ReLU()]
        inputs = width
    return torch.nn.Sequential(*layers, torch.nn.Linear(inputs, 10))


def train_epoch(net, optimizer, images, labels, batch, samples):
    loss_of = torch.nn.CrossEntropyLoss()
    order = torch.randperm(len(labels))
    for start in range(0, samples, batch):
        rows = order[start:start + batch]
        optimizer.zero_grad(set_to_none=True)
        loss_of(net(images.index_select(0, rows)), labels.index_select(0, rows)).backward()
        optimizer.step()


def accuracy(net, images, labels):
    with torch.no_grad():
        return (net(images).argmax(1) == labels).float().mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--hidden", default="512,256,128")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--samples", type=int, default=60000)
    parser.add_argument("--first-step", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(42)
    images, labels = tensors("train")
    net = network([int(width) for width in options.hidden.split(",") if width])
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, foreach=True)
    if options.first_step:
        return train_epoch(net, optimizer, images, labels, options.batch, options.batch)
    test = tensors("t10k")
    for epoch in range(1, options.epochs + 1):
        start = time.perf_counter()
        train_epoch(net, optimizer, images, labels, options.batch, options.samples)
        seconds = (time.perf_counter() - start) * len(labels) / options.samples
        print(json.dumps({"event": "epoch", "epoch": epoch, "seconds": seconds, "test_accuracy": accuracy(net, *test)}), flush=True)


if __name__ == "__main__":
    main()
