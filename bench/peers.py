#!/usr/bin/env python3
"""Training on a CPU beside today's PyTorch and JAX: every network in turn, best of the rounds, with the bound of each row.

    python3 -m venv peers && peers/bin/pip install torch jax numpy
    bench/peers.py --python peers/bin/python3 [--rows mlp-64,lenet5] [--programs mlc,eager,compile,channels_last,jax]
                   [--rounds 5] [--samples 12800] [--threads 2]

MNIST must be in $MLC_DATA/mnist or mlc's cache folder. In every round each program trains four epochs over the first so many samples,
and its best one counts, so that compiling and warming up are held against nobody. Rows of the table are in microseconds a sample. The
bound is the time that all multiply-adds take at the FMA peak, which is measured anew in every round. mlc skips multiplications by zero
where this cannot change the result, so it can exceed 100 %."""
import argparse
import os
import sys
import tempfile

import compare
import networks

BENCH = os.path.dirname(os.path.abspath(__file__))
EPOCHS = 4


def mlp_layers(hidden):
    widths = [784] + [int(w) for w in hidden.split(",")] + [10]
    return [a * b for a, b in zip(widths, widths[1:])]


class Row:
    """A network with its batch, and the arguments that the programs need for it."""

    def __init__(self, net, batch=64, hidden="512,256,128", model=None):
        self.net, self.batch, self.hidden = net, batch, hidden
        self.layers = mlp_layers(hidden) if net == "mlp" else networks.LAYERS[net]

    def flops(self):
        """Of a sample; the first layer has no input gradient."""
        return 2 * (3 * sum(self.layers) - self.layers[0])

    def samples(self, options):
        return min(options.samples, 200 * self.batch) if self.net == "mlp" else options.samples // (5 if self.net == "resnet" else 1)

    def programs(self):
        convolves = self.net in ("lenet5", "cnn", "resnet")
        return ["mlc", "eager", "compile"] + ["channels_last"] * convolves + ["jax"] * (self.net != "rows_vit")


ROWS = {"mlp-64": Row("mlp"), **{f"mlp-{b}": Row("mlp", batch=b) for b in (1, 8, 256, 1024)},
        **{f"mlp-{h.replace(',', '-')}": Row("mlp", hidden=h) for h in ("300,100", "77,33", "1000,1000")},
        **{net: Row(net) for net in networks.LAYERS}}


def command(program, row, options, folder):
    samples, shape = str(row.samples(options)), ["--batch", str(row.batch), "--hidden", row.hidden]
    peer = [*shape, "--samples", samples, "--threads", str(options.threads), "--epochs", str(EPOCHS)]
    if program == "jax":
        return [options.python, os.path.join(BENCH, "jax_peers.py"), row.net, *peer]
    if program != "mlc":
        return [options.python, os.path.join(BENCH, "torch_peers.py"), row.net, "--mode", program, *peer]
    model = "../models/mnist.mdl" if row.net == "mlp" else f"networks/{row.net}.mdl"
    sets = ["--set", f"train.epochs={EPOCHS}"]
    if row.net == "mlp":
        sets += ["--set", f"train.batch={row.batch}", "--set", f"hidden=[{row.hidden}]"]
    return [options.mlc, "train", os.path.join(BENCH, model), "--json", "--quiet", "--threads", str(options.threads), *sets,
            "--out", os.path.join(folder, "run")]


def microseconds(program, row, options, data):
    env = dict(os.environ, OMP_NUM_THREADS=str(options.threads))
    if program == "mlc":
        env["MLC_DATA"] = data
    with tempfile.TemporaryDirectory() as folder:
        return compare.best_epoch(command(program, row, options, folder), env) * 1e6 / row.samples(options)


def measure(name, options, peak):
    row, peaks = ROWS[name], []
    times = {program: [] for program in row.programs() if program in options.chosen}
    with tempfile.TemporaryDirectory() as data:
        networks.shortened_data(argparse.Namespace(samples=row.samples(options)), data)
        for number in range(1, options.rounds + 1):
            peaks.append(peak.measure(options.threads))
            for program, values in times.items():
                values.append(microseconds(program, row, options, data))
            print(f"{name}, round {number}: peak {peaks[-1]:.0f}, " + ", ".join(f"{p} {v[-1]:.2f}" for p, v in times.items()),
                  file=sys.stderr)
    return {program: min(values) for program, values in times.items()}, max(peaks)


def print_row(name, best, peak, options):
    cells = [f"{best[program]:.2f}" if program in best else "" for program in options.chosen]
    peers = [value for program, value in best.items() if program != "mlc"]
    bound = ROWS[name].flops() / (peak * 1e3)
    ratio = f"{min(peers) / best['mlc']:.2f}" if peers and "mlc" in best else ""
    share = f"{100 * bound / best['mlc']:.0f} %" if "mlc" in best else ""
    print(f"| {name} | {' | '.join(cells)} | {ratio} | {bound:.2f} | {share} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--programs", default="mlc,eager,compile,channels_last,jax")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--samples", type=int, default=12800)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--mlc", default=os.path.join(os.path.dirname(BENCH), "build/release/mlc"))
    parser.add_argument("--python", default=sys.executable, help="the Python that has PyTorch 2 and JAX")
    options = parser.parse_args()
    options.chosen = options.programs.split(",")
    print(compare.machine())
    print(f"\nmicroseconds a sample, {options.threads} threads, best of {options.rounds}\n")
    print(f"| network | {' | '.join(options.chosen)} | best peer / mlc | bound | of the bound |")
    print("| --- " * (len(options.chosen) + 4) + "|", flush=True)
    peak = compare.Peak()
    for name in compare.chosen(options.rows, ROWS, "row"):
        print_row(name, *measure(name, options, peak), options)
    print("\n" + peak.handover())


if __name__ == "__main__":
    main()
