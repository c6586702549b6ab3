#!/usr/bin/env python3
"""Epoch times of mlc, of mlc with OpenBLAS and of PyTorch on the network of models/mnist.mdl, measured in turn.

    bench/compare.py [--rounds 5] [--batch 64] [--hidden 512,256,128] [--threads 2] [--programs mlc,mlc-openblas,torch]

Several values make several tables: --batch 8 64 256 --threads 1 2. --whole is the whole comparison: batches of 1, 8, 64, 256 and
1024 and other widths on two threads, and one thread; it takes about ten minutes a round. MNIST must be in $MLC_DATA/mnist or mlc's cache folder.
PyTorch needs python3-torch and libopenblas0-openmp; --python names another interpreter. In every round each program runs
two epochs and its better one counts, so that warming up is not held against anybody (batches below 64: one epoch, which PyTorch
does in part only, and the seconds of a whole one are computed); an epoch is shuffling, gathering and training, without evaluation. The machine's FMA peak is measured anew in every round: its spread, and that of each
program, says how much the machine was disturbed. Ratios of bests are what can be compared."""
import argparse
import glob
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile

BENCH = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(BENCH)
SAMPLES = 60000


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, nargs="+", default=[64])
    parser.add_argument("--hidden", nargs="+", default=["512,256,128"], help="widths between 784 and 10")
    parser.add_argument("--threads", type=int, nargs="+", default=[2])
    parser.add_argument("--whole", action="store_true", help="the whole comparison: leaves out --batch, --hidden and --threads")
    parser.add_argument("--programs", default=",".join(PROGRAMS))
    parser.add_argument("--mlc", default=os.path.join(ROOT, "build/release/mlc"))
    parser.add_argument("--python", default="/usr/bin/python3", help="the Python that has PyTorch")
    return parser.parse_args()


def mnist_folder():
    """Where mlc looks for the set too."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(os.environ.get("MLC_DATA") or os.path.join(cache, "mlc"), "mnist")


def chosen(names, known, what):
    """Names with commas between them, all of which must be known."""
    names = names.split(",")
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"unknown {what} {unknown[0]}; there are {', '.join(known)}")
    return names


class Setting:
    """One table: a batch size, widths and a number of threads."""

    def __init__(self, batch, hidden, threads):
        self.batch, self.hidden, self.threads = batch, hidden, threads

    def epochs(self):
        return 2 if self.batch >= 64 else 1

    def flops(self):
        """Multiply-adds of an epoch, two operations each; the first layer has no input gradient."""
        widths = [784] + [int(w) for w in self.hidden.split(",") if w] + [10]
        weights = [a * b for a, b in zip(widths, widths[1:])]
        return 2 * SAMPLES * (3 * sum(weights) - weights[0])

    def __str__(self):
        return f"784-{self.hidden.replace(',', '-')}-10, batch {self.batch}, {self.threads} thread{'s' * (self.threads > 1)}"


def mlc_command(options, setting, folder, *more):
    return [options.mlc, "train", os.path.join(ROOT, "models/mnist.mdl"), "--json", "--quiet", "--out", os.path.join(folder, "run"),
            "--threads", str(setting.threads), "--set", f"train.epochs={setting.epochs()}", "--set", f"train.batch={setting.batch}",
            "--set", f"hidden=[{setting.hidden}]", *more]


def torch_command(options, setting, folder):
    return [options.python, os.path.join(BENCH, "torch_mlp.py"), "--batch", str(setting.batch), "--hidden", setting.hidden,
            "--threads", str(setting.threads), "--epochs", str(setting.epochs()),
            "--samples", str(min(SAMPLES, 2000 * setting.batch))]


PROGRAMS = {
    "mlc": mlc_command,
    "mlc-openblas": lambda options, setting, folder: mlc_command(options, setting, folder, "--gemm=openblas"),
    "torch": torch_command,
}


def environment(setting):
    """PyTorch computes on OpenMP threads: with the pthread build of OpenBLAS, two pools of threads would fight."""
    result = dict(os.environ, OMP_NUM_THREADS=str(setting.threads), OPENBLAS_NUM_THREADS=str(setting.threads))
    openmp = openmp_blas()
    if openmp:
        result["LD_LIBRARY_PATH"] = os.pathsep.join([openmp] + [p for p in [os.environ.get("LD_LIBRARY_PATH")] if p])
    return result


def openmp_blas():
    given = os.environ.get("OPENBLAS_OPENMP")
    return given or next(iter(glob.glob("/usr/lib/*/openblas-openmp")), None)


def epoch_seconds(name, options, setting):
    with tempfile.TemporaryDirectory() as folder:
        return best_epoch(PROGRAMS[name](options, setting, folder), environment(setting) if name == "torch" else None)


def best_epoch(command, env):
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\nended with {done.returncode}:\n{done.stderr}")
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return min(event["seconds"] for event in events if event.get("event") == "epoch" and event["epoch"] > 0)


class Peak:
    """GFLOP/s of bench/peak.c and nanoseconds of bench/handover.c, compiled for this machine."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.handovers = []
        for name in ("peak", "handover"):
            subprocess.run([os.environ.get("CC", "cc"), "-O3", "-march=native", "-ffp-contract=fast", "-pthread",
                            os.path.join(BENCH, name + ".c"), "-o", os.path.join(self.folder.name, name)], check=True)

    def run(self, *command):
        program = os.path.join(self.folder.name, command[0])
        return float(subprocess.run([program, *command[1:]], check=True, stdout=subprocess.PIPE, text=True).stdout)

    def measure(self, threads):
        if threads > 1:
            self.measure_handover()
        return self.run("peak", str(threads))

    def measure_handover(self):
        self.handovers.append(self.run("handover"))

    def handover(self):
        """How far the cores were apart, in a sentence."""
        if not self.handovers:
            return ""
        return (f"a core saw what the other had written after {min(self.handovers):.0f} to {max(self.handovers):.0f} ns "
                "(bench/handover.c; 20 to 60 where they share a cache)")


def spread(values):
    return f"{100 * (max(values) / min(values) - 1):.0f} %"


def measure(options, setting, names, peak):
    seconds, peaks = {name: [] for name in names}, []
    for number in range(1, options.rounds + 1):
        peaks.append(peak.measure(setting.threads))
        for name in names:
            seconds[name].append(epoch_seconds(name, options, setting))
        print(f"round {number}: peak {peaks[-1]:.0f}, " + ", ".join(f"{n} {s[-1]:.3f}" for n, s in seconds.items()), file=sys.stderr)
    return seconds, peaks


def print_table(setting, seconds, peaks):
    bound = setting.flops() / (max(peaks) * 1e9)
    baseline = min(seconds[next(iter(seconds))])
    print(f"\n{setting}\n\nFMA peak {max(peaks):.0f} GFLOP/s (spread over the rounds {spread(peaks)}); "
          f"{setting.flops() * 1e-9:.0f} GFLOP an epoch: at least {bound:.2f} s without skipping zeros\n")
    pairs = {name: statistics.median(a / b for a, b in zip(values, seconds[next(iter(seconds))])) for name, values in seconds.items()}
    print("| program | best s | median s | spread | best, relative | median of the rounds' ratios | of the bound |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, values in seconds.items():
        print(f"| {name} | {min(values):.3f} | {statistics.median(values):.3f} | {spread(values)} | "
              f"{min(values) / baseline:.2f} | {pairs[name]:.2f} | {100 * bound / min(values):.0f} % |")


def all_settings(options):
    """The whole comparison, or all combinations of what was asked for."""
    if options.whole:
        return [Setting(64, "512,256,128", threads) for threads in (2, 1)] + \
               [Setting(batch, "512,256,128", 2) for batch in (1, 8, 256, 1024)] + \
               [Setting(64, hidden, 2) for hidden in ("300,100", "77,33", "1000,1000")]
    return [Setting(batch, hidden, threads) for hidden in options.hidden for batch in options.batch for threads in options.threads]


def print_noise(peaks, handover):
    """All rounds of all tables: what one thread could do at least and at most says how far the figures can be trusted."""
    values = [peak / setting.threads for setting, rounds in peaks for peak in rounds]
    if len(values) < 3:
        verdict = "too few rounds to say how quiet the machine was"
    elif min(values) > 0.9 * max(values):
        verdict = "a quiet machine"
    else:
        verdict = "others used the machine: only ratios within a round mean much"
    print(f"\nFMA peak a thread over all rounds: {min(values):.0f} to {max(values):.0f} GFLOP/s, "
          f"median {statistics.median(values):.0f}; {verdict}")
    if handover:
        print(handover)


def machine():
    with open("/proc/cpuinfo") as info:
        model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), platform.machine())
    load = os.getloadavg()[0]
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, load {load:.1f} before the first round"


def main():
    options = arguments()
    names = chosen(options.programs, PROGRAMS, "program")
    print(machine())
    if "torch" in names and not openmp_blas():
        print("PyTorch runs with the pthread build of OpenBLAS here, which slows it down: install libopenblas0-openmp.")
    peak, peaks = Peak(), []
    for setting in all_settings(options):
        seconds, rounds = measure(options, setting, names, peak)
        print_table(setting, seconds, rounds)
        peaks.append((setting, rounds))
    print_noise(peaks, peak.handover())


if __name__ == "__main__":
    main()
