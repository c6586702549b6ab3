#!/usr/bin/env python3
"""Microseconds of a call of shipped networks (mlc build), beside onnxruntime and openvino with one thread on the same network (mlc export).

    bench/ship.py RUN... [--rows 1,32] [--forms object,native,onnxruntime] [--rounds 5] [--python /usr/bin/python3]

RUN: folders of trained runs. All forms are made first. Then each round measures them in turn; the best call counts. Forms:

    object        as mlc build makes it: code for AVX2 and for AVX-512
    avx2, native  the same with --cpu x86-64-v3 and --cpu native
    int8          with bytes
    c             the source in C (gcc -O3 -march=native)
    onnxruntime, openvino    left out if that Python does not have them; openvino computes in f32"""
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

OPENVINO = """
import sys, time, numpy, openvino
core = openvino.Core()
model = core.read_model(sys.argv[1])
for given in model.inputs:
    shape = given.get_partial_shape()
    shape[0] = int(sys.argv[2])
    model.reshape({given: shape})
compiled = core.compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"})
request, best = compiled.create_infer_request(), 1e9
for given in compiled.inputs:
    kind = given.get_element_type().to_dtype()
    request.set_tensor(given, openvino.Tensor((numpy.random.rand(*given.shape) * 9).astype(kind)))
for _ in range(200):
    start = time.perf_counter()
    for _ in range(10):
        request.infer()
    best = min(best, (time.perf_counter() - start) / 10)
print(best * 1e6)
"""
PEERS = {"onnxruntime": ORT, "openvino": OPENVINO}
LIBRARY = ["-O1", "lib{}.a"]
OWN = {
    "object": ([], LIBRARY),
    "avx2": (["--cpu", "x86-64-v3"], LIBRARY),
    "native": (["--cpu", "native"], LIBRARY),
    "int8": (["--cpu", "native", "--int8"], LIBRARY),
    "c": (["--form", "c"], ["-O3", "-march=native", "{}.c", "-lm"]),
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--rows", default="1,32")
    parser.add_argument("--forms", default=",".join([*OWN, *PEERS]))
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
    for form in options.forms.split(","):
        if form not in OWN:
            continue
        more, code = OWN[form]
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
    commands = {}
    network = os.path.join(folder, "net.onnx")
    subprocess.run([options.mlc, "export", run, "--to", network], check=True, stdout=subprocess.DEVNULL)
    for peer in options.forms.split(","):
        if peer not in PEERS or subprocess.run([options.python, "-c", f"import {peer}"], capture_output=True).returncode:
            continue
        for rows in map(int, options.rows.split(",")):
            commands[peer, rows] = [options.python, "-c", PEERS[peer], network, str(rows)]
    return commands


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as folder:
        commands, best = {}, {}
        for run in options.runs:
            within = os.path.join(folder, str(len(commands)))
            os.mkdir(within)
            for key, command in {**compile_forms(options, run, within), **onnx_commands(options, run, within)}.items():
                commands[(run, *key)] = command
        print("measuring", flush=True)
        for _ in range(options.rounds):
            for key, command in commands.items():
                printed = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                best[key] = min(best.get(key, 1e9), printed)
        for (run, form, rows), microseconds in best.items():
            print(f"{run}: {rows:5} rows  {form:12} {microseconds:10.2f} us")


if __name__ == "__main__":
    main()
