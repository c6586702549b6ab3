#!/usr/bin/env python3
"""Imports every ONNX file of Debian's libonnx-testdata and compares predictions with the expected outputs.

    onnx_import.py MLC [-v] [PATTERN...]      needs onnx and numpy (PyPI, or python3-onnx)

The files of node/ have no tensors, only inputs. The first input, and those with as many rows, are data; the others
become tensors here. A file that is refused is listed with the reason; one that answers otherwise is a failure.
"""
import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile

import numpy
import onnx
from onnx import numpy_helper

DATA = "/usr/share/libonnx-testdata/data"


def tensors(folder, kind, values):
    """The data set has the bits of bfloat16 as u16, so the model has to say what they are."""
    result = []
    while os.path.exists(path := f"{folder}/test_data_set_0/{kind}_{len(result)}.pb"):
        tensor = onnx.TensorProto()
        with open(path, "rb") as file:
            tensor.ParseFromString(file.read())
        try:
            array = numpy_helper.to_array(tensor)
            declared = values[len(result)].type.tensor_type.elem_type if len(result) < len(values) else tensor.data_type
            if declared == onnx.TensorProto.BFLOAT16 and array.dtype == numpy.uint16:
                array = (array.astype("u4") << 16).view("f4")
            result.append(array)
        except (ValueError, KeyError, TypeError):
            return None  # a sequence or a map
    return result


def fits_f32(array):
    """Some files have f64 data that f32 does not hold: memory that nobody had filled."""
    with numpy.errstate(over="ignore"):
        return array.dtype != numpy.float64 or numpy.allclose(array, array.astype("f4"), rtol=1e-3, atol=0)


def prepare(folder, path):
    """Writes the model with tensors for the inputs that are no data. The data, by name, and the outputs."""
    model = onnx.load(f"{folder}/model.onnx")
    graph = model.graph
    known = {tensor.name for tensor in graph.initializer}
    free = [value for value in graph.input if value.name not in known]
    inputs, outputs = tensors(folder, "input", free), tensors(folder, "output", graph.output)
    sixteen = {value.name for value in graph.output if value.type.tensor_type.elem_type in (onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16)}
    if not inputs or not outputs:
        return None, "its inputs or outputs are no tensors"
    if any(array.dtype.kind not in "fiub" for array in inputs + outputs):
        return None, "its data are texts"
    if not all(map(fits_f32, inputs + outputs)):
        return None, "its data do not fit into f32"
    values = dict(zip([value.name for value in free], inputs))
    rows = next(iter(values.values())).shape[:1]
    data = {}
    for value in free:
        array = values[value.name]
        if array.shape[:1] == rows and rows and (not data or array.ndim > 1):
            data[value.name] = array
        else:
            graph.initializer.append(numpy_helper.from_array(array, value.name))
    for value in free:
        if value.type.tensor_type.elem_type == onnx.TensorProto.BFLOAT16:  # f32 holds the same numbers
            value.type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    onnx.save(model, path)
    return data, {value.name: (output, value.name in sixteen) for value, output in zip(graph.output, outputs)}


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def answers(mlc, net, data, work):
    """The outputs of the network as numbers: without a comparison, predictions are not made probabilities."""
    with open(f"{net}/resolved.mdl") as file:
        text = file.read()
    outputs = re.search(r"model net\(.*?\) -> \(?(.*?)\)? \{", text).group(1).split(", ")
    fields = re.findall(r"field (\w+) = source\.\w+", text)
    text = re.sub(r"loss      = .*", f"loss = mean({outputs[0]})", re.sub(r"    metrics .*\n", "", text))
    with open(f"{net}/resolved.mdl", "w") as file:
        file.write(text)
    arrays = {field: array for field, array in zip(fields, data.values())}
    arrays = {field: array.astype("f4") if array.dtype.kind == "f" else array for field, array in arrays.items()}
    numpy.savez(f"{work}/rows.npz", **arrays)
    status, _, err = run(mlc, "predict", net, f"{work}/rows.npz", "--out", f"{work}/answers.npz", "-q")
    if status not in (0, 6):
        return None, err
    with numpy.load(f"{work}/answers.npz") as archive:
        if any(name not in archive for name in outputs):
            return None, f"the answers are {list(archive)}, not {outputs}"
        return {name: archive[name].astype("f8") for name in outputs}, ""


def first_error(text):
    line = next((line for line in text.splitlines() if "error" in line), text[:200])
    line = re.sub(r"^.*?error: ('[^']*model\.onnx': )?", "", line)
    return re.sub(r"'[^']*' \(byte \d+\)", "", line).strip()


def check(mlc, folder, work, verbose):
    data, wanted = prepare(folder, f"{work}/model.onnx")
    if data is None:
        return "refused", wanted
    net = f"{work}/net"
    shutil.rmtree(net, ignore_errors=True)
    status, _, err = run(mlc, "import", f"{work}/model.onnx", "-o", net, "-q")
    if status not in (0, 3):
        return "FAILED", f"status {status}: {err[:300]}"
    if status:
        internal = "net.mdl:" in err
        return "FAILED" if internal else "refused", (err[:400] if internal else first_error(err))
    if verbose:
        with open(f"{net}/net.mdl") as file:
            print(file.read())
    if "the scores from which it follows" in err:
        return "refused", "its only output is a class"
    got, err = answers(mlc, net, data, work)
    if got is None:
        return "FAILED", err[:300]
    reals = [(array, short) for array, short in wanted.values() if array.dtype.kind == "f"] or list(wanted.values())
    for (array, short), name in zip(reals, got):
        ours = got[name].reshape(array.shape) if got[name].size == array.size else got[name]
        if ours.shape != array.shape:
            return "FAILED", f"shape {ours.shape}, not {array.shape}"
        rtol = 1e-2 if short else 1e-4  # the network computes in f32, and leaves casts to 16 bits out
        if not numpy.allclose(ours, array.astype("f8"), rtol=rtol, atol=1e-5, equal_nan=True):
            return "FAILED", f"differs by {numpy.nanmax(numpy.abs(ours - array))}"
    return "equal", ""


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "-v"]
    mlc, patterns, verbose = os.path.abspath(arguments[0]), arguments[1:] or [""], "-v" in sys.argv
    counts, reasons = collections.Counter(), collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as work:
        for kind in "pytorch-converted", "pytorch-operator", "node", "simple":
            for name in sorted(os.listdir(f"{DATA}/{kind}")):
                if not any(pattern in f"{kind}/{name}" for pattern in patterns):
                    continue
                result, why = check(mlc, f"{DATA}/{kind}/{name}", work, verbose)
                counts[kind, result] += 1
                if result == "FAILED":
                    print(f"FAILED {kind}/{name}: {why}", flush=True)
                if result == "refused":
                    reasons[kind, why].append(name)
    for (kind, why), names in sorted(reasons.items(), key=lambda item: (item[0][0], -len(item[1]))):
        print(f"refused {kind}: {why}: {len(names)}, such as {names[0]}")
    for (kind, result), count in sorted(counts.items()):
        print(kind, result, count)
    return any(result == "FAILED" for _, result in counts)


if __name__ == "__main__":
    sys.exit(main())
