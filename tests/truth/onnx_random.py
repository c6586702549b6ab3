#!/usr/bin/env python3
"""Random graphs in onnxruntime: what the interpreter answers, within what rounding allows.

    onnx_random.py PROGRAM FIRST LAST      PROGRAM: build/release/tests/onnx_random; needs onnx, onnxruntime, numpy

A difference counts if it is far above that between the interpreter in f32 and in f64: many graphs divide by numbers
near 0. The graphs have gradients, too: the operations of a training are among them.
"""
import collections
import os
import subprocess
import sys
import tempfile

import numpy
import onnx
import onnxruntime

TYPES = {"tensor(float)": "f4", "tensor(int32)": "i4", "tensor(uint8)": "u1", "tensor(bool)": "?"}


def read(folder, seed, name, dtype, shape):
    return numpy.fromfile(f"{folder}/{seed}.{name}", dtype).reshape(shape)


def distance(a, b):
    """The largest difference in units of the largest number, but of at least 0.01: onnxruntime's erf and sigmoid are not
    exact in their tails. NaN and infinity must agree."""
    with numpy.errstate(all="ignore"):
        a, b = a.astype("f8"), b.astype("f8")
        special = ~numpy.isfinite(a) | ~numpy.isfinite(b)
        if not numpy.array_equal(a[special], b[special], equal_nan=True):
            return numpy.inf
        a, b = a[~special], b[~special]
        return numpy.max(numpy.abs(a - b), initial=0) / max(numpy.max(numpy.abs(b), initial=0), 1e-2)


def check(folder, seed):
    model = onnx.load(f"{folder}/{seed}.onnx")
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        f"{folder}/{seed}.onnx", options, providers=["CPUExecutionProvider"]
    )
    inputs = {}
    for value in session.get_inputs():
        inputs[value.name] = read(folder, seed, f"{value.name}.in", TYPES[value.type], value.shape)
    worst = ("", 0.0, 0.0)
    for value, array in zip(session.get_outputs(), session.run(None, inputs)):
        if not all(os.path.exists(f"{folder}/{seed}.{value.name}.{kind}") for kind in ("f32", "f64")):
            continue
        single = read(folder, seed, f"{value.name}.f32", TYPES[value.type], value.shape)
        wide = read(folder, seed, f"{value.name}.f64", "f8" if value.type == "tensor(float)" else TYPES[value.type], value.shape)
        here, rounding = distance(array, single), distance(single, wide)
        if here > 1e-5 + 30 * rounding:
            worst = max(worst, (value.name, here, rounding), key=lambda item: item[1])
    return worst, [node.op_type for node in model.graph.node]


def main():
    program, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    operations, counts = collections.Counter(), collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, folder, str(first), str(last)], check=True)
        for seed in range(first, last + 1):
            if not os.path.exists(f"{folder}/{seed}.onnx"):
                counts["refused"] += 1
                continue
            try:
                (name, here, rounding), used = check(folder, seed)
            except Exception as error:
                print(f"seed {seed}: {str(error)[-300:]}")
                counts["FAILED"] += 1
                continue
            operations.update(set(used))
            counts["DIFFERS" if name else "equal"] += 1
            if name:
                print(f"seed {seed}: {name} differs by {here:.1e}; f32 and f64 by {rounding:.1e}")
    print(dict(counts))
    print(" ".join(f"{name} {count}" for name, count in sorted(operations.items())))
    return counts["FAILED"] + counts["DIFFERS"] > 0


if __name__ == "__main__":
    sys.exit(main())
