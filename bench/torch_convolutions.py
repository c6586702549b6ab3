#!/usr/bin/python3
"""The networks of bench/convolutions/*.mdl in PyTorch, the fast way: what bench/convolutions.py measures mlc against.

    bench/torch_convolutions.py lenet5|cnn|resnet [--threads 2] [--samples 60000] [--epochs 2]

Data, batches and the lines that are printed are those of bench/torch_mlp.py."""
import argparse
import json
import time

import torch
from torch import nn

import torch_mlp

BATCH = 64


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.inner = nn.Sequential(*conv_norm(channels, channels), nn.ReLU(), *conv_norm(channels, channels))

    def forward(self, x):
        return torch.relu(x + self.inner(x))


def conv_norm(inputs, outputs):
    return [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs)]


def lenet5():
    return [nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)]


def cnn():
    return [nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Linear(128, 10)]


def resnet():
    return [*conv_norm(1, 32), nn.ReLU(), Residual(32), nn.MaxPool2d(2), *conv_norm(32, 64), nn.ReLU(), Residual(64), nn.MaxPool2d(2),
            Residual(64), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("net", choices=["lenet5", "cnn", "resnet"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--samples", type=int, default=60000)
    parser.add_argument("--epochs", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(42)
    images, labels = torch_mlp.tensors("train")
    images, labels = images[:options.samples].view(-1, 1, 28, 28), labels[:options.samples]
    net = nn.Sequential(*globals()[options.net]())
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, foreach=True)
    for epoch in range(1, options.epochs + 1):
        start = time.perf_counter()
        torch_mlp.train_epoch(net, optimizer, images, labels, BATCH, options.samples)
        print(json.dumps({"event": "epoch", "epoch": epoch, "seconds": time.perf_counter() - start}), flush=True)


if __name__ == "__main__":
    main()
