#!/usr/bin/python3
"""The networks of bench/networks/*.mdl in PyTorch, the fast way: what bench/networks.py measures mlc against.

    bench/torch_networks.py lenet5|cnn|resnet|rows_vit [--threads 2] [--epochs 2]

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


class Attention(nn.Module):
    """Queries, keys and values from one product, heads as an axis of batched products."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.into, self.out = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        rows, tokens, width = x.shape
        q, k, v = self.into(x).view(rows, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        weights = torch.softmax(q @ k.transpose(-2, -1) * (width // self.heads) ** -0.5, dim=-1)
        return self.out((weights @ v).transpose(1, 2).reshape(rows, tokens, width))


class Block(nn.Module):
    def __init__(self, width, heads, drop):
        super().__init__()
        self.attention = nn.Sequential(nn.LayerNorm(width), Attention(width, heads), nn.Dropout(drop))
        self.feed_forward = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(),
                                          nn.Linear(4 * width, width), nn.Dropout(drop))

    def forward(self, x):
        x = x + self.attention(x)
        return x + self.feed_forward(x)


class Rows(nn.Module):
    """The rows of a picture as tokens, with learned positions."""

    def __init__(self, width):
        super().__init__()
        self.dense = nn.Linear(28, width)
        self.position = nn.Parameter(0.02 * torch.randn(28, width))

    def forward(self, x):
        return self.dense(x[:, 0]) + self.position


class Mean(nn.Module):
    def forward(self, x):
        return x.mean(dim=1)


def lenet5():
    return [nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)]


def cnn():
    return [nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Linear(128, 10)]


def resnet():
    return [*conv_norm(1, 32), nn.ReLU(), Residual(32), nn.MaxPool2d(2), *conv_norm(32, 64), nn.ReLU(), Residual(64), nn.MaxPool2d(2),
            Residual(64), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)]


def rows_vit():
    return [Rows(64), Block(64, 4, 0.1), Block(64, 4, 0.1), nn.LayerNorm(64), Mean(), nn.Linear(64, 10)]


def optimizer_of(net, parameters, **way):
    """way: how PyTorch computes the update, foreach=True or fused=True."""
    if net == "rows_vit":
        return torch.optim.AdamW(parameters, lr=1e-3, weight_decay=0.05, **way)
    return torch.optim.Adam(parameters, lr=1e-3, **way)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("net", choices=["lenet5", "cnn", "resnet", "rows_vit"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(42)
    images, labels = torch_mlp.tensors("train")
    images = images.view(-1, 1, 28, 28)
    net = nn.Sequential(*globals()[options.net]())
    optimizer = optimizer_of(options.net, net.parameters(), foreach=True)
    for epoch in range(1, options.epochs + 1):
        start = time.perf_counter()
        torch_mlp.train_epoch(net, optimizer, images, labels, BATCH, len(labels))
        print(json.dumps({"event": "epoch", "epoch": epoch, "seconds": time.perf_counter() - start}), flush=True)


if __name__ == "__main__":
    main()
