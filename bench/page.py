#!/usr/bin/env python3
"""The page of mlc build --form html, used by a program:  bench/page.py RUN [DIGITS] [--int8]      $MLC: the program, $MLC_DATA: the data

RUN is a run of models/mnist.mdl. Draws test digits with synthetic pointer events: the strokes are the skeletons of the digits.
Prints how many are right, and the time of an answer and of a training step in Chromium, in node, and of mlc itself. A network of bytes
(--int8) has no training.
Needs chromium, node and wasm-ld-19."""
import gzip
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "web"))
from browser import Browser  # noqa: E402

SIDE, MLC = 28, os.environ.get("MLC", "build/release/mlc")


def read_idx(name, head):
    path = os.path.join(os.environ.get("MLC_DATA", os.path.expanduser("~/.cache/mlc")), "mnist", name)
    with (open(path, "rb") if os.path.exists(path) else gzip.open(path + ".gz", "rb")) as file:
        return file.read()[head:]


def skeleton(pixels):
    """The middle lines of the strokes: Zhang and Suen, "A fast parallel algorithm for thinning digital patterns" (1984)."""
    ink = {(i // SIDE, i % SIDE) for i, level in enumerate(pixels) if level >= 100}
    ring = [(-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1)]
    changed = True
    while changed:
        changed = False
        for half in (0, 1):
            gone = set()
            for y, x in ink:
                p = [(y + dy, x + dx) in ink for dy, dx in ring]
                turns = sum(not p[i] and p[(i + 1) % 8] for i in range(8))
                north, east, south, west = p[0], p[2], p[4], p[6]
                sides = (north and east and south) or (east and south and west) if half == 0 else (north and east and west) or (north and south and west)
                if 2 <= sum(p) <= 6 and turns == 1 and not sides:
                    gone.add((y, x))
            ink -= gone
            changed |= bool(gone)
    return ink


def strokes(ink):
    """Paths along the skeleton, as points of the drawing area."""
    left, paths = set(ink), []
    near = lambda p: [(p[0] + dy, p[1] + dx) for dy, dx in ((-1, 0), (0, 1), (1, 0), (0, -1), (-1, 1), (1, 1), (1, -1), (-1, -1)) if (p[0] + dy, p[1] + dx) in ink]
    while left:
        at = min(left, key=lambda p: (sum(n in left for n in near(p)), p))
        path = [n for n in near(at) if n not in left][:1] + [at]
        left.discard(at)
        while True:
            ahead = [n for n in near(path[-1]) if n in left]
            if not ahead:
                path += [n for n in near(path[-1]) if n not in path[-3:]][:1]
                break
            path.append(ahead[0])
            left.discard(ahead[0])
        paths.append([[10 * x + 5, 10 * y + 5] for y, x in path])
    return paths


DRAW = """(async (strokes) => {
    const pad = document.getElementById('pad'), box = pad.getBoundingClientRect();
    document.getElementById('clear').click();
    for (const stroke of strokes)
        for (const [i, [x, y]] of [...stroke.entries(), [-1, stroke[stroke.length - 1]]]) {
            const type = i === 0 ? 'pointerdown' : i < 0 ? 'pointerup' : 'pointermove';
            pad.dispatchEvent(new PointerEvent(type, { pointerId: 1, clientX: box.left + x, clientY: box.top + y, bubbles: true, buttons: 1 }));
        }
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    return document.getElementById('answer').textContent;
})"""

TIMES = """(() => {
    const rows = net.facts.training ? net.facts.training.rows : 1;
    const image = Uint8Array.from({ length: 784 * rows }, (_, i) => (i * 7919 % 10 < 8 ? 0 : i * 31 % 256));
    const label = Uint8Array.from({ length: rows }, (_, i) => i % 10), one = image.slice(0, 784);
    const best = (times, each, f) => Math.min(...Array.from({ length: times }, () => {
        const start = performance.now();
        for (let i = 0; i < each; i++) f();
        return (performance.now() - start) / each;
    }));
    return [net.relaxed, best(30, 20, () => net.run({ image: one })), net.facts.training ? best(60, 1, () => net.step({ image, label })) : NaN];
})()"""


def report(where, times):
    relaxed, run, step = times
    trains = f" {step:8.2f} ms a step" if step else ""
    print(f"{where:10} {'relaxed' if relaxed else 'exact':8} {1000 * run:8.0f} us an answer{trains}")


def draw_digits(browser, count):
    images, labels, right = read_idx("t10k-images-idx3-ubyte", 16), read_idx("t10k-labels-idx1-ubyte", 8), 0
    for i in range(count):
        answer = browser.run(f"{DRAW}({strokes(skeleton(images[i * SIDE * SIDE:(i + 1) * SIDE * SIDE]))})")
        right += answer == str(labels[i])
    print(f"{right} of {count} drawn test digits are right")


def main():
    plain = [argument for argument in sys.argv[1:] if argument != "--int8"]
    run, count, kind = plain[0], int(plain[1]) if len(plain) > 1 else 200, "--int8" if "--int8" in sys.argv else "--train"
    with tempfile.TemporaryDirectory() as folder:
        for form in ("html", "wasm"):
            print(subprocess.run([MLC, "build", run, "--form", form, kind, "--name", "digits", "-o", f"{folder}/{form}"], check=True,
                                 capture_output=True, text=True).stdout.splitlines()[kind == "--int8"])
        with open(f"{folder}/html/digits.html") as page:
            text = page.read()
        parts = {name: len(part) for name, part in re.findall(r'id="part-(\w+)">([^<]*)<', text)}
        print(f"page {len(text):,} B: " + ", ".join(f"{name} {size:,}" for name, size in parts.items()) + f", the rest {len(text) - sum(parts.values()):,}")
        browser = Browser()
        try:
            browser.open(f"{folder}/html/digits.html")
            draw_digits(browser, count)
            report("Chromium", browser.run(TIMES))
        finally:
            browser.close()
        for flags in (["--experimental-wasm-relaxed-simd"], []):
            script = f"import {{ load }} from '{folder}/wasm/digits.js'; const net = await load(); console.log(JSON.stringify({TIMES}));"
            done = subprocess.run(["node", *flags, "--input-type=module", "-e", script], check=True, capture_output=True, text=True)
            relaxed, answer, step = done.stdout.strip("[]\n").split(",")
            report("node", (relaxed == "true", float(answer), 0 if step == "null" else float(step)))
        done = subprocess.run([MLC, "profile", f"{run}/resolved.mdl", "--threads", "1"], capture_output=True, text=True)
        print("mlc, one thread:", next((line for line in done.stdout.splitlines() if line.startswith("step:")), done.stderr))


main()
