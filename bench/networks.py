#!/usr/bin/env python3
"""Epoch times of mlc and of PyTorch on networks that are more than dense layers, measured in turn.

    bench/networks.py [--nets lenet5,cnn,resnet,rows_vit] [--rounds 5] [--samples 60000] [--threads 2]

The networks are bench/networks/NAME.mdl and their twins in bench/torch_networks.py: the same layers, optimizer and batches.
MNIST must be in $MLC_DATA/mnist or mlc's cache folder; PyTorch needs python3-torch and libopenblas0-openmp. In every round each
program runs two epochs over the first so many samples and its better one counts, scaled to 60,000. The bound is the time that the
network's multiply-adds take at the machine's FMA peak, which is measured anew in every round."""
import argparse
import gzip
import os
import statistics
import sys
import tempfile

import compare

BENCH = os.path.dirname(os.path.abspath(__file__))
ALL = 60000
TESTED = 100  # rows of the test set where not all samples are used: evaluation takes no part in the figures


def conv(side, inputs, outputs, kernel):
    return side * side * inputs * outputs * kernel * kernel


def block(tokens, width):
    """Of a transformer: queries, keys and values; scores and what they weigh; the layer after that, and two of 4 widths."""
    return [tokens * width * 3 * width, 2 * tokens * tokens * width, tokens * width * width, 2 * tokens * width * 4 * width]


# Multiply-adds of a sample, layer by layer; the first layer has no input gradient, the others are computed three times.
LAYERS = {
    "lenet5": [conv(28, 1, 6, 5), conv(10, 6, 16, 5), 400 * 120, 120 * 84, 84 * 10],
    "cnn": [conv(28, 1, 32, 3), conv(14, 32, 64, 3), 3136 * 128, 128 * 10],
    "resnet": [conv(28, 1, 32, 3), conv(28, 32, 32, 3), conv(28, 32, 32, 3), conv(14, 32, 64, 3), conv(14, 64, 64, 3),
               conv(14, 64, 64, 3), conv(7, 64, 64, 3), conv(7, 64, 64, 3), 64 * 10],
    "rows_vit": [28 * 28 * 64, *block(28, 64), *block(28, 64), 64 * 10],
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nets", default=",".join(LAYERS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--samples", type=int, default=ALL)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--mlc", default=os.path.join(os.path.dirname(BENCH), "build/release/mlc"))
    parser.add_argument("--python", default="/usr/bin/python3", help="the Python that has PyTorch")
    return parser.parse_args()


def shorten(source, target, rows):
    """The first rows of an IDX file: its header says how many there are in bytes 4 to 7, and the size of a row after that."""
    opened = gzip.open(source + ".gz") if os.path.exists(source + ".gz") else open(source, "rb")
    with opened, open(target, "wb") as out:
        magic = opened.read(4)
        opened.read(4)
        sizes = opened.read(4 * (magic[3] - 1))
        row = 1
        for i in range(0, len(sizes), 4):
            row *= int.from_bytes(sizes[i:i + 4], "big")
        out.write(magic + rows.to_bytes(4, "big") + sizes + opened.read(rows * row))


def shortened_data(options, folder):
    """$MLC_DATA with the first samples of MNIST, for both programs."""
    os.mkdir(os.path.join(folder, "mnist"))
    for name, rows in ("train", options.samples), ("t10k", TESTED):
        for kind in "images-idx3-ubyte", "labels-idx1-ubyte":
            shorten(os.path.join(compare.mnist_folder(), f"{name}-{kind}"), os.path.join(folder, "mnist", f"{name}-{kind}"), rows)


def command(program, net, options, folder):
    threads = ["--threads", str(options.threads)]
    if program == "torch":
        return [options.python, os.path.join(BENCH, "torch_networks.py"), net, *threads]
    return [options.mlc, "train", os.path.join(BENCH, f"networks/{net}.mdl"), "--json", "--quiet", *threads, "--out",
            os.path.join(folder, "run")]


def seconds(program, net, options, data):
    env = compare.environment(options) if program == "torch" else dict(os.environ)
    if data:
        env["MLC_DATA"] = data
    with tempfile.TemporaryDirectory() as folder:
        return compare.best_epoch(command(program, net, options, folder), env) * ALL / options.samples


def measure(net, options, peak, data):
    times, peaks = {"mlc": [], "torch": []}, []
    for number in range(1, options.rounds + 1):
        peaks.append(peak.measure(options.threads))
        for program, values in times.items():
            values.append(seconds(program, net, options, data))
        print(f"{net}, round {number}: peak {peaks[-1]:.0f}, mlc {times['mlc'][-1]:.2f}, torch {times['torch'][-1]:.2f}", file=sys.stderr)
    return times, max(peaks)


def print_row(net, times, peak):
    bound = 2 * ALL * (3 * sum(LAYERS[net]) - LAYERS[net][0]) / (peak * 1e9)
    mlc, torch = min(times["mlc"]), min(times["torch"])
    medians = statistics.median(times["mlc"]), statistics.median(times["torch"])
    print(f"| {net} | {mlc:.2f} | {torch:.2f} | {torch / mlc:.2f} | {medians[1] / medians[0]:.2f} | {bound:.2f} | {100 * bound / mlc:.0f} % |")


def print_table(nets, options, data):
    print(compare.machine())
    print(f"\nseconds for {ALL} samples, {options.threads} threads, best of {options.rounds}\n")
    print("| network | mlc | PyTorch | ratio | of medians | bound | of the bound |\n| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    peak = compare.Peak()
    for net in nets:
        print_row(net, *measure(net, options, peak, data))
        sys.stdout.flush()
    print("\n" + peak.handover())


def main():
    options = arguments()
    nets = compare.chosen(options.nets, LAYERS, "network")
    if options.samples == ALL:
        return print_table(nets, options, None)
    with tempfile.TemporaryDirectory() as folder:
        shortened_data(options, folder)
        print_table(nets, options, folder)


if __name__ == "__main__":
    main()
