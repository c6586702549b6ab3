#!/usr/bin/env python3
"""One training on several processes: epoch times and processor times beside one process with as many threads, measured in turn.

    bench/processes.py [--model bench/networks/resnet.mdl] [--set NAME=VALUE]... [--processes 2] [--rounds 5] [--launch "mpirun.mpich -n"] [--mlc build/release/mlc]

One process has --processes threads, and each of --processes processes has one. Of every setting the best epoch of all rounds counts,
and the least processor time an epoch, in all processes together. The data must be in $MLC_DATA or mlc's cache folder."""
import argparse
import json
import os
import resource
import shlex
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--model", default=os.path.join(ROOT, "bench/networks/resnet.mdl"))
    parser.add_argument("--set", action="append", default=[], help="passed on to mlc")
    parser.add_argument("--launch", help="a launcher, up to its number of processes; default: mlc starts them")
    parser.add_argument("--mlc", default=os.path.join(ROOT, "build/release/mlc"))
    return parser.parse_args()


def train(options, epochs, several):
    """The best epoch and the processor time of a training."""
    sets = [word for value in [*options.set, f"train.epochs={epochs}"] for word in ("--set", value)]
    threads = 1 if several else options.processes
    launch = [*shlex.split(options.launch), str(options.processes)] if several and options.launch else []
    processes = ["--processes", str(options.processes)] if several and not options.launch else []
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder:
        command = [*launch, options.mlc, "train", options.model, "--json", "--quiet", "--threads", str(threads), *processes,
                   "--out", os.path.join(folder, "run"), *sets]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\nended with {done.returncode}:\n{done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    best = min(event["seconds"] for event in events if event.get("event") == "epoch" and event["epoch"] > 0)
    return best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(options, several):
    """The best epoch, and the processor time of an epoch: without the start, which is that of a training with one epoch."""
    short, start = train(options, 1, several)
    best, whole = train(options, options.epochs, several)
    return min(short, best), (whole - start) / (options.epochs - 1)


def main():
    options = arguments()
    found = {False: [], True: []}
    for number in range(1, options.rounds + 1):
        for several in found:
            found[several].append(measure(options, several))
        print(f"round {number}: " + ", ".join(f"{w[-1][0]:.3f} s, processor {w[-1][1]:.3f} s" for w in found.values()), file=sys.stderr)
    least = {several: [min(column) for column in zip(*rows)] for several, rows in found.items()}
    names = {False: f"1 process, {options.processes} threads", True: f"{options.processes} processes, 1 thread"}
    print("| | best epoch, s | processor time an epoch, s |\n| --- | --- | --- |")
    for several, (wall, processor) in least.items():
        print(f"| {names[several]} | {wall:.3f} | {processor:.3f} |")
    print(f"speed beside one process: {least[False][0] / least[True][0]:.3f}; by processor time {least[False][1] / least[True][1]:.3f}")


if __name__ == "__main__":
    main()
