#!/usr/bin/env python3
"""One training on two processes of one thread: mlc beside PyTorch's DistributedDataParallel (gloo), and both on one process of two threads, in turn.

    python3 -m venv peers && peers/bin/pip install torch numpy
    peers/bin/python bench/processes_peers.py [--nets resnet,mlp] [--batch 128] [--samples 3840] [--rounds 3]

Prints the best epochs in seconds. mlc divides each batch into two replicas, also on one process."""
import argparse
import os
import sys
import tempfile

import compare
import networks

BENCH = os.path.dirname(os.path.abspath(__file__))
EPOCHS = 3


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nets", default="resnet,mlp")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--samples", type=int, default=3840)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mlc", default=os.path.join(os.path.dirname(BENCH), "build/release/mlc"))
    return parser.parse_args()


def command(program, processes, net, options, folder):
    shape = ["--processes", str(processes), "--threads", str(2 // processes)]
    if program == "torch":
        mode = "channels_last" if net != "mlp" and processes == 1 else "eager"
        return [sys.executable, os.path.join(BENCH, "torch_peers.py"), net, "--mode", mode, "--batch", str(options.batch), "--samples",
                str(options.samples), "--epochs", str(EPOCHS), *shape]
    model = "../models/mnist.mdl" if net == "mlp" else f"networks/{net}.mdl"
    sets = [f"train.batch={options.batch}", "train.replicas=2", f"train.epochs={EPOCHS}"]
    return [options.mlc, "train", os.path.join(BENCH, model), "--json", "--quiet", "--out", os.path.join(folder, "run"), *shape,
            *(word for value in sets for word in ("--set", value))]


def best(program, processes, net, options, data):
    env = dict(os.environ, OMP_NUM_THREADS=str(2 // processes))
    if program == "mlc":
        env["MLC_DATA"] = data
    with tempfile.TemporaryDirectory() as folder:
        return compare.best_epoch(command(program, processes, net, options, folder), env)


def main():
    options = arguments()
    ways = [(program, processes) for program in ("mlc", "torch") for processes in (1, 2)]
    with tempfile.TemporaryDirectory() as data:
        networks.shortened_data(options, data)
        for net in options.nets.split(","):
            found = {way: [] for way in ways}
            for number in range(1, options.rounds + 1):
                for way in ways:
                    found[way].append(best(*way, net, options, data))
                print(f"{net}, round {number}: {', '.join(f'{values[-1]:.3f}' for values in found.values())}", file=sys.stderr)
            least = {way: min(values) for way, values in found.items()}
            for program in ("mlc", "torch"):
                one, two = least[program, 1], least[program, 2]
                print(f"{net}, {program}: 1 process of 2 threads {one:.3f} s, 2 processes of 1 thread {two:.3f} s, ratio {one / two:.3f}", flush=True)


if __name__ == "__main__":
    main()
