#!/usr/bin/env python3
"""Trains in onnxruntime with exported steps, and compares the losses with those of mlc train.

    onnx_training.py MLC [NAME...]      needs onnx, onnxruntime and numpy (PyPI)

Every model of models/ for digits is trained on one batch. After the first step it is exported with --training; the next
20 steps are done by both. For each: the relative difference of the first loss, and the largest of all; rounding errors
grow in a training. NAME: part of a name.
"""
import json
import os
import re
import sys
import tempfile

import numpy
import onnx
import onnxruntime

from onnx_export import HERE, idx, run

STEPS = 20
TYPES = {"tensor(float)": "f4", "tensor(double)": "f8", "tensor(int32)": "i4", "tensor(uint8)": "u1"}


def losses_of(folder):
    with open(f"{folder}/metrics.jsonl") as file:
        events = [json.loads(line) for line in file]
    return [event["train_loss"] for event in events if event["event"] == "epoch" and event["epoch"] > 0]


def steps_in_onnx(path, data):
    """The losses of steps 1 to STEPS; the first one had been done before the export."""
    onnx.checker.check_model(onnx.load(path), full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_outputs()]
    states, losses = {}, []
    for step in range(1, STEPS + 1):
        inputs = {"step": step, "epoch": step, "steps": STEPS + 1, **data}
        inputs = {value.name: numpy.asarray(inputs[value.name], TYPES[value.type]) for value in session.get_inputs()}
        answers = dict(zip(names, session.run(names, {**inputs, **states})))
        losses.append(float(answers["loss"]))
        states = {name[: -len(".next")]: array for name, array in answers.items() if name.endswith(".next")}
    return losses


def check(mlc, name, text, work):
    batch = int(re.search(r"batch += (\d+)", text)[1])
    image, label = idx("train-images-idx3-ubyte")[:batch, None], idx("train-labels-idx1-ubyte")[:batch]
    numpy.savez(f"{work}/{name}.npz", image=image, label=label)
    text = re.sub(r"(fashion_)?mnist\(\)", f'npz("{name}.npz")', text)
    text = re.sub(r"\n +(valid|test|keep_best|stop_when|shuffle) +=.*", "", text)
    with open(f"{work}/{name}.mdl", "w") as file:
        file.write(text)
    run(mlc, "train", f"{work}/{name}.mdl", "--set", "train.shuffle=false", "--set", "train.epochs=1",
        "--out", f"{work}/{name}", "-q")
    out = run(mlc, "export", f"{work}/{name}", "--to", f"{work}/{name}.onnx", "--training")
    run(mlc, "train", "--resume", f"{work}/{name}", "--set", f"train.epochs={STEPS + 1}", "-q")
    ours = losses_of(f"{work}/{name}")[-STEPS:]
    theirs = steps_in_onnx(f"{work}/{name}.onnx", {"image": image, "label": label})
    away = [abs(a - b) / abs(a) for a, b in zip(ours, theirs)]
    print(f"{name:20} {away[0]:.1e}, {max(away):.1e}  losses {ours[0]:.4f} to {ours[-1]:.4f}  {out.stdout.split(': ')[1].strip()}", flush=True)
    return away[0] < 1e-6 and max(away) < 1e-4


def main():
    mlc, wanted = os.path.abspath(sys.argv[1]), sys.argv[2:] or [""]
    models, good = f"{HERE}/../../models", True
    with tempfile.TemporaryDirectory() as work:
        for name in sorted(os.listdir(models)):
            if not name.endswith(".mdl") or not any(part in name for part in wanted):
                continue
            with open(f"{models}/{name}") as file:
                text = file.read()
            if "mnist()" in text:
                good &= check(mlc, name[:-4], text, work)
    return not good


if __name__ == "__main__":
    sys.exit(main())
