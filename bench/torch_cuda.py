#!/usr/bin/env python3
"""The training step of a network in PyTorch on a GPU: what bench/cuda.sh puts beside mlc's.

    bench/torch_cuda.py mlp|lenet5|cnn|resnet|rows_vit [--mode eager|graph] [--batch 64] [--hidden 512,256,128] [--steps 500] [--device cuda]

All data are random and on the GPU; the rows of a batch are gathered there by index. Products use f32 without TF32, as mlc does. `graph` records
one step as a CUDA graph and plays it. Prints the microseconds of a step, the best of five loops."""
import argparse
import time

import torch

import torch_mlp
import torch_networks

LOOPS, WARM_UP, ROWS = 5, 11, 8192


def make_step(options):
    """A function that trains one batch."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    mlp = options.net == "mlp"
    hidden = [int(width) for width in options.hidden.split(",") if width]
    net = torch_mlp.network(hidden) if mlp else torch.nn.Sequential(*getattr(torch_networks, options.net)())
    net = net.to(options.device)
    images = torch.rand(ROWS, *((784,) if mlp else (1, 28, 28)), device=options.device)
    labels = torch.randint(10, (ROWS,), device=options.device)
    order = torch.randperm(ROWS, device=options.device)[:options.batch]
    loss_of = torch.nn.CrossEntropyLoss()
    adam = torch.optim.Adam(net.parameters(), fused=options.device != "cpu", capturable=options.mode == "graph")

    def step():
        adam.zero_grad(set_to_none=True)
        loss_of(net(images.index_select(0, order)), labels.index_select(0, order)).backward()
        adam.step()

    return step


def record(step):
    """The step as a CUDA graph."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UP):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def wait(device):
    if device != "cpu":
        torch.cuda.synchronize()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("net", choices=["mlp", "lenet5", "cnn", "resnet", "rows_vit"])
    parser.add_argument("--mode", choices=["eager", "graph"], default="eager")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--hidden", default="512,256,128")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--device", default="cuda")
    options = parser.parse_args()
    torch.manual_seed(42)
    step = make_step(options)
    step = record(step) if options.mode == "graph" else step
    best = float("inf")
    for loop in range(LOOPS + 1):
        wait(options.device)
        start = time.perf_counter()
        for _ in range(options.steps if loop else WARM_UP):
            step()
        wait(options.device)
        if loop:
            best = min(best, (time.perf_counter() - start) / options.steps)
    print(f"{best * 1e6:.1f}")


if __name__ == "__main__":
    main()
