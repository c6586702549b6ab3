#!/usr/bin/env python3
"""A network in PyTorch 2, in one of its fast ways: what bench/peers.py measures mlc against.

    bench/torch_peers.py mlp|lenet5|cnn|resnet|rows_vit [--mode eager|compile|channels_last] [--batch 64] [--hidden 512,256,128]
                         [--samples 12800] [--threads 2] [--epochs 4] [--processes 1]

Adam is the fused one. `compile` compiles the network by torch.compile with its mode max-autotune-no-cudagraphs; `channels_last` is eager
with that layout of images. With --processes, DistributedDataParallel (gloo) trains on so many processes of this machine, each with --threads
threads and an equal part of every batch. Prints one JSON line an epoch, like bench/torch_mlp.py."""
import argparse
import json
import os
import tempfile
import time

import torch
from torch import nn

import torch_mlp
import torch_networks

CONVOLUTIONS = ("lenet5", "cnn", "resnet")


def network(options):
    if options.net == "mlp":
        return torch_mlp.network([int(width) for width in options.hidden.split(",") if width])
    return nn.Sequential(*getattr(torch_networks, options.net)())


def join_group(rank, options, folder):
    os.environ.update(RANK=str(rank), WORLD_SIZE=str(options.processes), GLOO_SOCKET_IFNAME="lo")
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/group", rank=rank, world_size=options.processes)


def train_part(rank, options, folder):
    """What each process does. folder: where they find each other; None: it is alone."""
    if folder:
        join_group(rank, options, folder)
    train(options, rank)
    if folder:
        torch.distributed.destroy_process_group()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("net", choices=["mlp", *CONVOLUTIONS, "rows_vit"])
    parser.add_argument("--mode", choices=["eager", "compile", "channels_last"], default="eager")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--hidden", default="512,256,128")
    parser.add_argument("--samples", type=int, default=12800)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    if options.processes == 1:
        return train_part(0, options, None)
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(train_part, (options, folder), nprocs=options.processes)


def train(options, rank):
    torch.set_num_threads(options.threads)
    torch.manual_seed(42)
    images, labels = torch_mlp.tensors("train")
    images, labels = images[:options.samples], labels[:options.samples]
    net = network(options)
    if options.net != "mlp":
        images = images.view(-1, 1, 28, 28)
    if options.mode == "channels_last":
        images, net = images.to(memory_format=torch.channels_last), net.to(memory_format=torch.channels_last)
    adam = torch_networks.optimizer_of(options.net, net.parameters(), fused=True)
    if options.processes > 1:
        net = nn.parallel.DistributedDataParallel(net)
        part = options.samples // options.processes
        images, labels = images[rank * part:(rank + 1) * part], labels[rank * part:(rank + 1) * part]
        options.batch, options.samples = options.batch // options.processes, part
    if options.mode == "compile":
        net = torch.compile(net, mode="max-autotune-no-cudagraphs")
    for epoch in range(1, options.epochs + 1):
        start = time.perf_counter()
        torch_mlp.train_epoch(net, adam, images, labels, options.batch, options.samples)
        if rank == 0:
            print(json.dumps({"event": "epoch", "epoch": epoch, "seconds": time.perf_counter() - start}), flush=True)


if __name__ == "__main__":
    main()
