#!/usr/bin/env python3
"""From the start of the process to the end of the first training step, and to the end of the first epoch: seconds and peak memory;
and from the end of reading the data to the beginning of the first step.

    bench/startup.py [--rounds 5] [--threads 2] [--model models/mnist.mdl] [--torch]

first step: `mlc run MODEL --steps 1`, which compiles and runs one step on drawn inputs, so that no data are read; what it says with
--verbose about LLVM's time is printed once. first epoch: `mlc train MODEL --set train.epochs=1`, from a cold start to the test
accuracy, data read from the page cache; what it says with --verbose about the beginning of its first step is in a table of its own.
(Data are read while programs are compiled. Between the data and the first step, the untrained network is evaluated on the test rows.)
Both with code from mlc's cache, and compiled anew. --torch measures bench/torch_mlp.py alike (its first step includes reading the data)."""
import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

BENCH = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(BENCH)


def run(command):
    """Seconds, peak megabytes and stderr of a command that must succeed."""
    with tempfile.TemporaryFile(mode="w+") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        text = errors.read()
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}\nended with {process.returncode}:\n{text}")
    return seconds, usage.ru_maxrss / 1024, text


def commands(options, folder):
    threads = ["--threads", str(options.threads)]
    step = [options.mlc, "run", options.model, "--steps", "1", "--verbose", *threads]
    epoch = [options.mlc, "train", options.model, "--quiet", "--verbose", "--set", "train.epochs=1", *threads, "--out"]
    mlc = {
        "mlc, first step": step,
        "mlc, first step, compiled anew": [*step, "--no-cache"],
        "mlc, first epoch": [*epoch, folder],
        "mlc, first epoch, compiled anew": [*epoch, folder + "-anew", "--no-cache"],
    }
    torch = [options.python, os.path.join(BENCH, "torch_mlp.py"), *threads]
    return mlc | ({"PyTorch, first step": torch + ["--first-step"], "PyTorch, first epoch": torch + ["--epochs", "1"]} if options.torch else {})


def print_beginnings(results):
    """When the first step begins: of each command that says so, the best and the median round."""
    print("\n| first step begins | after the start, best ms | median ms | after the data, best ms | median ms |\n| --- | --- | --- | --- | --- |")
    for name, measured in results.items():
        found = [re.search(r"first step begins (\d+) ms after the start, (\d+) ms after the data", text) for _, _, text in measured]
        if not all(found):
            continue
        start, data = ([int(match[i]) for match in found] for i in (1, 2))
        print(f"| {name} | {min(start)} | {statistics.median(start):.0f} | {min(data)} | {statistics.median(data):.0f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--model", default=os.path.join(ROOT, "models/mnist.mdl"))
    parser.add_argument("--mlc", default=os.path.join(ROOT, "build/release/mlc"))
    parser.add_argument("--python", default="/usr/bin/python3", help="the Python that has PyTorch")
    parser.add_argument("--torch", action="store_true")
    options = parser.parse_args()
    results = {}
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory() as folder:
            for name, command in commands(options, os.path.join(folder, "run")).items():
                results.setdefault(name, []).append(run(command))
    print("| | best s | median s | peak MB |\n| --- | --- | --- | --- |")
    for name, measured in results.items():
        seconds = [s for s, _, _ in measured]
        print(f"| {name} | {min(seconds):.3f} | {statistics.median(seconds):.3f} | {max(m for _, m, _ in measured):.0f} |")
    print_beginnings(results)
    print("\n" + results["mlc, first step, compiled anew"][-1][2].strip())


if __name__ == "__main__":
    main()
