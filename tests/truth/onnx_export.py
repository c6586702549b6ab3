#!/usr/bin/env python3
"""Exports networks to ONNX and compares what onnxruntime answers with what mlc predicts.

    onnx_export.py MLC [-v] [--keep DIR] [NAME...]      needs onnx, onnxruntime and numpy (PyPI)

Every model of models/ is trained on 3,000 digits for an epoch, and every network of onnx_networks.list on its own rows.
For each: the largest difference of its outputs, in units of their largest number; the rows whose class differs; and
whether the exported file, imported again, predicts the same bits. NAME: part of a name.
"""
import csv
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile

import numpy
import onnx
import onnxruntime

HERE = os.path.dirname(os.path.abspath(__file__))
ROWS = 1000
TYPES = {"tensor(float)": "f4", "tensor(double)": "f8", "tensor(int32)": "i4", "tensor(uint8)": "u1", "tensor(bool)": "?"}


def run(*command, good=True):
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    if good and done.returncode:
        raise RuntimeError(f"{' '.join(command)}: status {done.returncode}: {done.stderr[:1500]}")
    return done


def idx(name):
    with gzip.open(f"{os.environ['MLC_DATA']}/mnist/{name}.gz") as file:
        data = file.read()
    rank = data[3]
    shape = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(rank)]
    return numpy.frombuffer(data, "u1", offset=4 + 4 * rank).reshape(shape)


def digits(work):
    """3,000 digits to train on, and 1,000 test digits, as arrays."""
    image, label = idx("train-images-idx3-ubyte")[:3000], idx("train-labels-idx1-ubyte")[:3000]
    numpy.savez(f"{work}/digits.npz", image=image[:, None], label=label)
    return {"image": idx("t10k-images-idx3-ubyte")[:ROWS, None]}


def train(mlc, name, text, work):
    """The run, with the loss replaced by one that compares nothing: so predictions are the outputs themselves."""
    path, folder = f"{work}/{name}.mdl", f"{work}/{name}"
    with open(path, "w") as file:
        file.write(text)
    run(mlc, "train", path, "--set", "train.epochs=1", "--out", folder, "-q")
    with open(f"{folder}/resolved.mdl") as file:
        text = file.read()
    first = re.search(r"model \w+\(.*?\) -> \(?(\w+)", text).group(1)
    text = re.sub(r"loss += [^}]*?(?=\n    \w)", f"loss = mean({first})", re.sub(r"    (metrics|keep_best|stop_when) +=.*\n", "", text))
    with open(f"{folder}/resolved.mdl", "w") as file:
        file.write(text)
    return folder


def predictions(mlc, folder, rows):
    """The outputs by name, and the text that mlc prints."""
    text = run(mlc, "predict", folder, rows, "--json", "-q", good=False)
    if text.returncode not in (0, 6):
        raise RuntimeError(text.stderr[:1500])
    lines = [json.loads(line) for line in text.stdout.splitlines()]
    lines = [line["outputs"] if "outputs" in line else line for line in lines]
    keys = [key for key in lines[0] if key not in ("row", "line", "file")]
    return {key: numpy.array([line[key] for line in lines], "f8") for key in keys}


class Table(dict):
    """The columns of a csv file, as texts."""

    def __init__(self, path):
        with open(path, newline="") as file:
            rows = list(csv.reader(file))
        super().__init__({name: [row[i] for row in rows[1 : ROWS + 1]] for i, name in enumerate(rows[0])})


def from_table(table, name, entries):
    """An input of the file: columns side by side, the numbers of texts, or a single column."""
    if f"{name}.texts" in entries:
        texts = json.loads(entries[f"{name}.texts"])
        return numpy.array([texts.index(cell) if cell in texts else -1 for cell in table[name]])
    names = json.loads(entries[f"{name}.columns"]) if f"{name}.columns" in entries else [name]
    array = numpy.array([[float(cell or "nan") for cell in table[column]] for column in names]).T
    return array if f"{name}.columns" in entries else array[:, 0]


def answers(path, data):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    entries = {entry.key: entry.value for entry in model.metadata_props}
    inputs = {}
    for value in session.get_inputs():
        array = from_table(data, value.name, entries) if isinstance(data, Table) else data[value.name]
        inputs[value.name] = array.reshape(array.shape[:1] + tuple(value.shape[1:])).astype(TYPES[value.type])
    names = [value.name for value in session.get_outputs()]
    batch = session.get_inputs()[0].shape[0]
    if isinstance(batch, str):
        return dict(zip(names, session.run(names, inputs))), inputs
    parts = [
        session.run(names, {name: array[i : i + batch] for name, array in inputs.items()})
        for i in range(0, len(next(iter(inputs.values()))) // batch * batch, batch)
    ]
    return {name: numpy.concatenate([part[i] for part in parts]) for i, name in enumerate(names)}, inputs


def compare(ours, theirs):
    """The largest difference in units of the largest number, and the share of rows with the same class."""
    worst, same = 0.0, 1.0
    for name, array in theirs.items():
        if name.endswith(".units"):
            continue
        a, b = ours[name].reshape(len(ours[name]), -1)[: len(array)], array.astype("f8").reshape(len(array), -1)
        scale = max(numpy.nanmax(numpy.abs(b)), 1e-30)
        if not numpy.array_equal(numpy.isnan(a), numpy.isnan(b)):
            return float("inf"), 0.0
        worst = max(worst, numpy.nanmax(numpy.abs(a - b)) / scale)
        same = min(same, numpy.mean(a.argmax(axis=1) == b.argmax(axis=1)))
    return worst, same


def again(mlc, path, work, rows, ours):
    """Whether the imported file predicts the same bits."""
    net = tempfile.mkdtemp(dir=work) + "/net"
    done = run(mlc, "import", path, "-o", net, "-q", good=False)
    if done.returncode:
        return "not imported: " + " ".join(done.stderr.split())[:300]
    with open(f"{net}/resolved.mdl") as file:
        text = file.read()
    outputs = re.search(r"model net\(.*?\) -> \(?(.*?)\)? \{", text).group(1).split(", ")
    text = re.sub(r"loss      = .*", f"loss = mean({outputs[0]})", re.sub(r"    metrics .*\n", "", text))
    with open(f"{net}/resolved.mdl", "w") as file:
        file.write(text)
    theirs = predictions(mlc, net, rows)
    ours = {name: array for name, array in ours.items() if name in theirs}
    same = len(ours) > 0 and all(numpy.array_equal(a, b, equal_nan=True) for a, b in ((ours[name], theirs[name]) for name in ours))
    worst = max(numpy.nanmax(numpy.abs(a - b)) for a, b in ((ours[name], theirs[name]) for name in ours))
    return "same bits" if same else f"other bits, {worst:.1e}"


def check(mlc, name, text, data, work, verbose):
    folder = train(mlc, name, text, work)
    path, rows = f"{work}/{name}.onnx", f"{work}/{name}.rows.npz"
    if isinstance(data, str):
        rows, data = data, Table(data)
    else:
        numpy.savez(rows, **data)
    out = run(mlc, "export", folder, "--to", path)
    if verbose:
        print(out.stdout, out.stderr)
    ours = predictions(mlc, folder, rows)
    theirs, inputs = answers(path, data)
    worst, same = compare(ours, theirs)
    if isinstance(data, Table):
        rows = f"{work}/{name}.rows.npz"
        numpy.savez(rows, **{name: numpy.ascontiguousarray(array) for name, array in inputs.items()})
    count = len(next(iter(ours.values())))
    bits = again(mlc, path, work, rows, ours)
    limit = 1e-5
    verdict = "ok" if worst <= limit else "DIFFERS"
    print(f"{name:24} {verdict:8} {worst:.1e}  class of {same * count:.0f}/{count}  {bits}", flush=True)
    return worst <= limit


def networks():
    """The networks of onnx_networks.list: a name and the statements of the model, from x [N, 3, 6, 8] in f32."""
    with open(f"{HERE}/onnx_networks.list") as file:
        for part in re.split(r"^== ", file.read(), flags=re.M)[1:]:
            name, body = part.split("\n", 1)
            yield name, body


def network_text(name, body):
    return (
        f'mdl 1\ndata {{\n    source = npz("{name}.npz")\n    field x = source.x\n    field i = source.i\n'
        f"    field label = source.label\n}}\nmodel net(x, i) -> y {{\n    x = x * weight([8], init = ones)\n{body}}}\n"
        "train {\n    loss      = mean(y)\n    optimizer = sgd(lr = 0.0)\n    batch = 16\n}\n"
    )


def network_data(name, work):
    random = numpy.random.default_rng(5)
    data = {"x": random.normal(0, 1, (64, 3, 6, 8)).astype("f4"), "i": random.integers(0, 10, (64, 5)).astype("i4")}
    numpy.savez(f"{work}/{name}.npz", label=numpy.zeros(64, "i4"), **data)
    return data


def main():
    arguments = sys.argv[1:]
    verbose = "-v" in arguments
    if verbose:
        arguments.remove("-v")
    keep = arguments.pop(arguments.index("--keep") + 1) if "--keep" in arguments else None
    arguments = [argument for argument in arguments if argument != "--keep"]
    mlc, wanted = os.path.abspath(arguments[0]), arguments[1:] or [""]
    work = keep or tempfile.mkdtemp()
    good, image = True, digits(work)
    cases = []
    models = f"{HERE}/../../models"
    for name in sorted(os.listdir(models)):
        if name.endswith(".mdl"):
            with open(f"{models}/{name}") as file:
                text = re.sub(r"(fashion_)?mnist\(\)", 'npz("digits.npz")', file.read())
            text = re.sub(r"valid += \d\d+", "valid = 0.1", text)
            table = re.search(r'csv\("(\w+\.csv)"', text)
            if table:
                with open(next(path for path in (f"{models}/{table[1]}", f"{os.environ['MLC_DATA']}/{table[1]}") if os.path.exists(path))) as file:
                    lines = file.readlines()[: ROWS + 1]
                with open(f"{work}/{table[1]}", "w") as file:
                    file.writelines(lines)
            cases.append((name[:-4], text, f"{work}/{table[1]}" if table else image))
    for name, body in networks():
        cases.append((name, network_text(name, body), None))
    for name, text, data in cases:
        if not any(part in name for part in wanted):
            continue
        try:
            good &= check(mlc, name, text, data or network_data(name, work), work, verbose)
        except Exception as error:
            print(f"{name:24} FAILED   {str(error)[:1500]}", flush=True)
            good = False
    return not good


if __name__ == "__main__":
    sys.exit(main())
