#!/usr/bin/env python3
"""Microseconds of a call of shipped networks (mlc build), also with bytes (--int8), beside onnxruntime with one thread on the same network
(mlc export).

    bench/ship.py RUN... [--rows 1,32] [--cpu native] [--rounds 5] [--python /usr/bin/python3]

RUN: folders of trained runs. Each round measures the object, that of bytes, the source in C (gcc -O3 -march=native) and onnxruntime in turn; the
best call counts. onnxruntime is left out if that Python does not have it."""
import argparse
import json
import os
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ORT = """
import sys, time, numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options)
binding, best = session.io_binding(), 1e9
for given in session.get_inputs():
    shape = [int(sys.argv[2]) if not isinstance(n, int) else n for n in given.shape]
    kind = {"tensor(uint8)": numpy.uint8, "tensor(int32)": numpy.int32}.get(given.type, numpy.float32)
    binding.bind_cpu_input(given.name, (numpy.random.rand(*shape) * 9).astype(kind))
for output in session.get_outputs():
    binding.bind_output(output.name)
for _ in range(200):
    start = time.perf_counter()
    for _ in range(10):
        session.run_with_iobinding(binding)
    best = min(best, (time.perf_counter() - start) / 10)
print(best * 1e6)
"""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--rows", default="1,32")
    parser.add_argument("--cpu", default="native")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mlc", default=os.path.join(ROOT, "build/release/mlc"))
    parser.add_argument("--python", default="/usr/bin/python3", help="the Python that has onnxruntime")
    return parser.parse_args()


def timing_program(notes, rows):
    """A C program that prints the microseconds of the best of many calls."""
    name, upper, suffix = notes["name"], notes["name"].upper(), "" if rows == 1 else f"_{rows}"
    lines = rows * notes["window"]
    arrays = [f"static {name}_row row[{lines}];"] if notes["row_bytes"] else []
    given = ["row"] if arrays else []
    for tensor in notes["inputs"]:
        if "offset" not in tensor:
            arrays.append(f"static {tensor['type']} {tensor['name']}[{lines} * {upper}_{tensor['name'].upper()}];")
            given.append(tensor["name"])
    fill = "".join(f"for (size_t i = 0; i < sizeof {array}; i++) ((char *){array})[i] = (char)(i % 3 ? 0 : i * 37 % 64);" for array in given)
    for tensor in notes["outputs"]:
        arrays.append(f"static float {tensor['name']}[{rows} * {upper}_{tensor['name'].upper()}];")
        given.append(tensor["name"])
    call = f"{name}_run{suffix}({', '.join(given)}, &scratch);"
    return f"""#define _POSIX_C_SOURCE 199309L
#include "{name}.h"
#include <stdio.h>
#include <time.h>
{' '.join(arrays)}
static {name}_scratch{suffix} scratch;
static double now(void) {{ struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return 1e6 * (double)t.tv_sec + (double)t.tv_nsec / 1e3; }}
int main(void) {{
    double best = 1e9;
    {fill}
    for (int i = 0; i < 300; i++) {{
        double start = now();
        for (int k = 0; k < 10; k++) {call}
        if ((now() - start) / 10 < best) best = (now() - start) / 10;
    }}
    printf("%g\\n", best);
}}
"""


def compile_forms(options, run, folder):
    """The programs that measure a run: {(form, rows): command}."""
    commands = {}
    library = ["-O1", "lib{}.a"]
    for form, more, code in (("object", ["--cpu", options.cpu], library), ("int8", ["--cpu", options.cpu, "--int8"], library), ("c", ["--form", "c"], ["-O3", "-march=native", "{}.c", "-lm"])):
        into = os.path.join(folder, form)
        subprocess.run([options.mlc, "build", run, "--rows", options.rows, "-o", into, *more], check=True, stdout=subprocess.DEVNULL)
        names = [file[:-5] for file in os.listdir(into) if file.endswith(".json")]
        with open(os.path.join(into, names[0] + ".json")) as file:
            notes = json.load(file)
        for rows in map(int, options.rows.split(",")):
            with open(os.path.join(into, "timing.c"), "w") as file:
                file.write(timing_program(notes, rows))
            program = os.path.join(into, f"timing_{rows}")
            sources = [part.format(names[0]) for part in code]
            subprocess.run(["gcc", "timing.c", *sources[:-1], sources[-1], "-o", program], check=True, cwd=into)
            commands[form, rows] = [program]
    return commands


def onnx_commands(options, run, folder):
    if subprocess.run([options.python, "-c", "import onnxruntime"], capture_output=True).returncode:
        return {}
    network = os.path.join(folder, "net.onnx")
    subprocess.run([options.mlc, "export", run, "--to", network], check=True, stdout=subprocess.DEVNULL)
    return {("onnxruntime", rows): [options.python, "-c", ORT, network, str(rows)] for rows in map(int, options.rows.split(","))}


def main():
    options = arguments()
    for run in options.runs:
        with tempfile.TemporaryDirectory() as folder:
            commands = {**compile_forms(options, run, folder), **onnx_commands(options, run, folder)}
            best = {}
            for _ in range(options.rounds):
                for key, command in commands.items():
                    printed = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                    best[key] = min(best.get(key, 1e9), printed)
            for (form, rows), microseconds in best.items():
                print(f"{run}: {rows:5} rows  {form:12} {microseconds:10.2f} us")


if __name__ == "__main__":
    main()
