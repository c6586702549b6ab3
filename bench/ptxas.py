#!/usr/bin/env python3
"""What NVIDIA's assembler makes of the steps of models, as rows of a table: registers of a thread, bytes of the memory of a block ("shared"),
and bytes of a thread's stack and of what it spills there.

    bench/ptxas.py [MODEL.mdl...] [--mlc build/release/mlc] [--gpus sm_75,sm_80,sm_90,sm_120]

Without models it takes all of models/ and bench/networks. ptxas comes with the CUDA toolkit and is looked for on PATH; GPUs that it does not
know are left out. The status is 1 if something spills."""
import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# The assembler reports the functions that it does not inline one by one.
FIGURES = (
    (max, r"Used (\d+) registers"),
    (max, r"(\d+) bytes smem"),
    (max, r"(\d+) bytes stack frame"),
    (sum, r"(\d+) bytes spill stores"),
    (sum, r"(\d+) bytes spill loads"),
)


def ptx_of(mlc, model, gpu):
    oldest = "sm_75" if gpu == "sm_75" else "sm_80"
    return subprocess.run([mlc, "dump-ir", model, "--ptx", "--cpu", oldest], check=True, capture_output=True).stdout


def figures(ptx, gpu):
    with tempfile.NamedTemporaryFile(suffix=".ptx") as file:
        file.write(ptx)
        file.flush()
        run = subprocess.run(["ptxas", "-v", f"-arch={gpu}", "-o", os.devnull, file.name], capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"ptxas.py: ptxas refuses the code for {gpu}: {run.stderr.strip()}")
    return [of_functions([0, *map(int, re.findall(pattern, run.stderr))]) for of_functions, pattern in FIGURES]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*")
    parser.add_argument("--mlc", default=os.path.join(ROOT, "build/release/mlc"))
    parser.add_argument("--gpus", default="sm_75,sm_80,sm_90,sm_120")
    args = parser.parse_args()
    if not shutil.which("ptxas"):
        sys.exit("ptxas.py: ptxas is not on PATH. It comes with the CUDA toolkit, often as /usr/local/cuda/bin/ptxas.")
    known = subprocess.run(["ptxas", "--help"], capture_output=True, text=True).stdout
    models = args.models or sorted(glob.glob(f"{ROOT}/models/*.mdl") + glob.glob(f"{ROOT}/bench/networks/*.mdl"))
    spills = False
    print("| model | GPU | registers | shared | stack | spilled | loaded again |\n| --- | --- | --- | --- | --- | --- | --- |")
    for model in models:
        for gpu in filter(lambda gpu: f"'{gpu}'" in known, args.gpus.split(",")):
            row = figures(ptx_of(args.mlc, model, gpu), gpu)
            spills |= any(row[3:])
            print(f"| {os.path.relpath(model, ROOT)} | {gpu} |", " | ".join(map(str, row)), "|", flush=True)
    sys.exit(spills)


if __name__ == "__main__":
    main()
