#!/usr/bin/env python3
"""What becomes of two threads when they have less than two cores: epoch times, measured in turn.

    bench/threads.py [--rounds 5] [--model models/mnist.mdl] [--set NAME=VALUE]... [--mlc build/release/mlc]

Five settings a round, all of one epoch: one thread; two threads; one and two threads that may use one core only; two threads while a busy
process, `taskset -c CORE sh -c 'while :; do :; done'`, keeps the second core. The data must be in $MLC_DATA or mlc's cache folder.
Ratios are of bests. With --apart the busy process gets a session of its own, which schedulers that share time out to sessions
first (Linux with autogroups) treat otherwise than one started from the same shell."""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import compare

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model", default=os.path.join(ROOT, "models/mnist.mdl"))
    parser.add_argument("--set", action="append", default=[], help="passed on to mlc")
    parser.add_argument("--mlc", nargs="+", default=[os.path.join(ROOT, "build/release/mlc")], help="several are compared in turn")
    parser.add_argument("--apart", action="store_true", help="the busy process in a session of its own")
    return parser.parse_args()


def epoch_seconds(options, mlc, threads, cores):
    sets = [word for value in ["train.epochs=1", *options.set] for word in ("--set", value)]
    with tempfile.TemporaryDirectory() as folder:
        command = ["taskset", "-c", cores, mlc, "train", options.model, "--json", "--quiet", "--out", os.path.join(folder, "run"),
                   "--threads", str(threads), *sets]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\nended with {done.returncode}:\n{done.stderr}")
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return min(event["seconds"] for event in events if event.get("event") == "epoch" and event["epoch"] > 0)


def beside_busy_process(options, mlc, cores):
    busy = subprocess.Popen(["taskset", "-c", cores[1], "sh", "-c", "while :; do :; done"], start_new_session=options.apart)
    try:
        return epoch_seconds(options, mlc, 2, ",".join(cores))
    finally:
        busy.kill()
        busy.wait()


def measure(options, mlc, cores):
    return {"one thread": epoch_seconds(options, mlc, 1, ",".join(cores)),
            "two threads": epoch_seconds(options, mlc, 2, ",".join(cores)),
            "one thread on one core": epoch_seconds(options, mlc, 1, cores[0]),
            "two threads on one core": epoch_seconds(options, mlc, 2, cores[0]),
            "two threads beside a busy process": beside_busy_process(options, mlc, cores)}


def print_table(mlc, rounds):
    best = {setting: min(seconds[setting] for seconds in rounds) for setting in rounds[0]}
    print(f"\n{mlc}\n\n| | best s | all s |\n| --- | --- | --- |")
    for setting, seconds in best.items():
        print(f"| {setting} | {seconds:.3f} | {', '.join(f'{r[setting]:.3f}' for r in rounds)} |")
    print(f"\ntwo threads: {best['one thread'] / best['two threads']:.2f} times the speed of one\n"
          f"two threads on one core: {best['two threads on one core'] / best['one thread on one core']:.2f} times the seconds of one\n"
          f"beside a busy process: {best['two threads'] / best['two threads beside a busy process']:.2f} of the undisturbed speed")


def main():
    options = arguments()
    cores = [str(core) for core in sorted(os.sched_getaffinity(0))[:2]]
    if len(cores) < 2:
        sys.exit("two cores are needed")
    rounds, peak = {mlc: [] for mlc in options.mlc}, compare.Peak()
    for number in range(1, options.rounds + 1):
        peak.measure_handover()
        for mlc in options.mlc:
            rounds[mlc].append(measure(options, mlc, cores))
            print(f"round {number}: " + ", ".join(f"{s} {v:.3f}" for s, v in rounds[mlc][-1].items()), file=sys.stderr)
    for mlc in options.mlc:
        print_table(mlc, rounds[mlc])
    print(peak.handover())


if __name__ == "__main__":
    main()
