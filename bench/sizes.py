#!/usr/bin/env python3
"""Bytes and instructions of shipped networks (mlc build) on microcontrollers, as rows of a table.

    bench/sizes.py RUN... [--target cortex-m4] [--int8] [--train]

RUN: folders of trained runs whose input is u8 pixels. Instructions of a call with one row are counted by qemu (-icount shift=0: an instruction
takes a nanosecond, and the timer of the processor ticks each 40 ns). They are left out without qemu-system-arm and arm-none-eabi-gcc, for other
targets than cortex-m4, and with --train."""
import argparse
import json
import os
import shutil
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = """
#include "net.h"
#include <stdio.h>
static net_scratch scratch;
static unsigned char pixels[%d];
static float output[%d];
int main(void) {
    volatile unsigned *control = (unsigned *)0xE000E010, *reload = control + 1, *now = control + 2;
    for (unsigned i = 0; i < sizeof pixels; i++) pixels[i] = (unsigned char)(i * 37 >> 3);
    *reload = 0xffffff;
    *now = 0;
    *control = 5;
    net_run(pixels, output, &scratch);
    unsigned before = *now;
    net_run(pixels, output, &scratch);
    printf("%%u\\n", ((before - *now) & 0xffffff) * 40);
    return 0;
}
"""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--target", default="cortex-m4")
    parser.add_argument("--int8", action="store_true")
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--mlc", default=os.path.join(ROOT, "build/release/mlc"))
    return parser.parse_args()


def elements(items):
    count = 1
    for size in items[0]["shape"]:
        count *= size
    return count


def instructions(folder, notes):
    """Of the second call, so that nothing is counted that only the first one does."""
    image = os.path.join(folder, "program.elf")
    source = os.path.join(folder, "program.c")
    with open(source, "w") as file:
        file.write(PROGRAM % (elements(notes["inputs"]), elements(notes["outputs"])))
    tests = os.path.join(ROOT, "tests/cli")
    subprocess.run(["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mthumb", "-mfloat-abi=hard", "-O1", "--specs=rdimon.specs", "-nostartfiles",
                    f"{tests}/cortex_m.c", source, f"-I{folder}", f"{folder}/libnet.a", "-T", f"{tests}/cortex_m.ld", "-o", image],
                   check=True, stderr=subprocess.DEVNULL)
    done = subprocess.run(["qemu-system-arm", "-M", "mps2-an386", "-nographic", "-icount", "shift=0", "-semihosting-config", "enable=on,target=native",
                           "-kernel", image], check=True, capture_output=True, text=True, timeout=300)
    return int(done.stdout)


def measure(run, options):
    with tempfile.TemporaryDirectory() as folder:
        command = [options.mlc, "build", run, "--name", "net", "--target", options.target, "--json", "-o", os.path.join(folder, "net")]
        command += ["--int8"] * options.int8 + ["--train"] * options.train
        notes = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        call = notes["training"] if options.train else notes["functions"][0]
        row = [os.path.basename(run.rstrip("/"))] + [f"{number:,}" for number in (notes["weights_bytes"], notes["code_bytes"], call["scratch_bytes"],
                                                                              call["stack_bytes"])]
        countable = options.target == "cortex-m4" and not options.train and shutil.which("qemu-system-arm") and shutil.which("arm-none-eabi-gcc")
        if countable:
            row.append(f"{instructions(os.path.join(folder, 'net'), notes) / notes['multiply_adds']:.1f}")
        print("| " + " | ".join(row) + " |", flush=True)


def main():
    options = arguments()
    print("| run | weights | code | scratch | stack | instructions a multiply-add |\n| --- | --- | --- | --- | --- | --- |")
    for run in options.runs:
        measure(run, options)


main()
