#!/usr/bin/env python3
"""Epoch times of mlc and of PyTorch on convolutional networks, measured in turn.

    bench/convolutions.py [--nets lenet5,cnn,resnet] [--rounds 5] [--samples 60000] [--threads 2]

The networks are bench/convolutions/NAME.mdl and their twins in bench/torch_convolutions.py: the same layers, Adam, batches of 64.
MNIST must be in $MLC_DATA/mnist or mlc's cache folder; PyTorch needs python3-torch and libopenblas0-openmp. In every round each
program runs two epochs over so many samples and its better one counts, scaled to 60,000. The bound is the time that the
network's multiply-adds take at the machine's FMA peak, which is measured anew in every round."""
import argparse
import os
import statistics
import sys
import tempfile

import compare

BENCH = os.path.dirname(os.path.abspath(__file__))
ALL = 60000


def conv(side, inputs, outputs, kernel):
    return side * side * inputs * outputs * kernel * kernel


# Multiply-adds of a sample, layer by layer; the first layer has no input gradient, the others are computed three times.
LAYERS = {
    "lenet5": [conv(28, 1, 6, 5), conv(10, 6, 16, 5), 400 * 120, 120 * 84, 84 * 10],
    "cnn": [conv(28, 1, 32, 3), conv(14, 32, 64, 3), 3136 * 128, 128 * 10],
    "resnet": [conv(28, 1, 32, 3), conv(28, 32, 32, 3), conv(28, 32, 32, 3), conv(14, 32, 64, 3), conv(14, 64, 64, 3),
               conv(14, 64, 64, 3), conv(7, 64, 64, 3), conv(7, 64, 64, 3), 64 * 10],
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


def command(program, net, options, folder):
    if program == "torch":
        return [options.python, os.path.join(BENCH, "torch_convolutions.py"), net, "--threads", str(options.threads),
                "--samples", str(options.samples)]
    left_out = [] if options.samples == ALL else ["--set", f"data.valid={ALL - options.samples}"]
    return [options.mlc, "train", os.path.join(BENCH, f"convolutions/{net}.mdl"), "--json", "--quiet", "--threads",
            str(options.threads), "--out", os.path.join(folder, "run"), *left_out]


def seconds(program, net, options):
    with tempfile.TemporaryDirectory() as folder:
        env = compare.environment(options) if program == "torch" else None
        return compare.best_epoch(command(program, net, options, folder), env) * ALL / options.samples


def measure(net, options, peak):
    times, peaks = {"mlc": [], "torch": []}, []
    for number in range(1, options.rounds + 1):
        peaks.append(peak.measure(options.threads))
        for program, values in times.items():
            values.append(seconds(program, net, options))
        print(f"{net}, round {number}: peak {peaks[-1]:.0f}, mlc {times['mlc'][-1]:.2f}, torch {times['torch'][-1]:.2f}", file=sys.stderr)
    return times, max(peaks)


def print_row(net, times, peak):
    bound = 2 * ALL * (3 * sum(LAYERS[net]) - LAYERS[net][0]) / (peak * 1e9)
    mlc, torch = min(times["mlc"]), min(times["torch"])
    medians = statistics.median(times["mlc"]), statistics.median(times["torch"])
    print(f"| {net} | {mlc:.2f} | {torch:.2f} | {torch / mlc:.2f} | {medians[1] / medians[0]:.2f} | {bound:.2f} | {100 * bound / mlc:.0f} % |")


def main():
    options = arguments()
    nets = options.nets.split(",")
    unknown = [net for net in nets if net not in LAYERS]
    if unknown:
        sys.exit(f"unknown network {unknown[0]}; there are {', '.join(LAYERS)}")
    print(compare.machine())
    print(f"\nseconds for {ALL} samples, {options.threads} threads, best of {options.rounds}\n")
    print("| network | mlc | PyTorch | ratio | of medians | bound | of the bound |\n| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    peak = compare.Peak()
    for net in nets:
        print_row(net, *measure(net, options, peak))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
