#!/usr/bin/env python3
"""What shares of a batch cost: epoch times with `replicas`, measured in turn.

    bench/replicas.py [--model models/mnist.mdl] [--set NAME=VALUE]... [--replicas 1,2,8] [--rounds 5] [--threads 2] [--mlc build/release/mlc]

In every round each setting trains for some epochs (--epochs 3), and its best one counts. The data must be in $MLC_DATA or mlc's cache folder.
bench/networks.py shortens them for networks with slow epochs."""
import argparse
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--model", default=os.path.join(ROOT, "models/mnist.mdl"))
    parser.add_argument("--set", action="append", default=[], help="passed on to mlc")
    parser.add_argument("--replicas", default="1,2,8", help="the first one is what the others are compared with")
    parser.add_argument("--mlc", default=os.path.join(ROOT, "build/release/mlc"))
    return parser.parse_args()


def epoch_seconds(options, replicas):
    settings = [f"train.epochs={options.epochs}", *options.set, f"train.replicas={replicas}"]
    sets = [word for value in settings for word in ("--set", value)]
    with tempfile.TemporaryDirectory() as folder:
        command = [options.mlc, "train", options.model, "--json", "--quiet", "--threads", str(options.threads), "--out",
                   os.path.join(folder, "run"), *sets]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\nended with {done.returncode}:\n{done.stderr}")
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return min(event["seconds"] for event in events if event.get("event") == "epoch" and event["epoch"] > 0)


def main():
    options = arguments()
    all_replicas = [int(replicas) for replicas in options.replicas.split(",")]
    best = {}
    for number in range(1, options.rounds + 1):
        for replicas in all_replicas:
            best[replicas] = min(best.get(replicas, float("inf")), epoch_seconds(options, replicas))
        print(f"round {number}: " + ", ".join(f"{r} {s:.3f}" for r, s in best.items()), file=sys.stderr)
    print("| replicas | best epoch, s | longer by |\n| --- | --- | --- |")
    for replicas, seconds in best.items():
        print(f"| {replicas} | {seconds:.3f} | {100 * (seconds / best[all_replicas[0]] - 1):.1f} % |")


if __name__ == "__main__":
    main()
