"""Tests of pages that mlc build makes, in Chromium:  page_test.py MLC   (run in an empty folder by tests/cli/build_page_test.sh)"""
import base64
import json
import os
import random
import struct
import subprocess
import sys
import time

from browser import Browser

MLC = sys.argv[1]
failures = []


def check(holds, text):
    if not holds:
        failures.append(text)
        print("FAIL", text)


def mlc(*arguments):
    done = subprocess.run([MLC, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    check(done.returncode == 0, f"mlc {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def wait(browser, condition, seconds=20):
    for _ in range(int(seconds * 20)):
        if browser.run(condition):
            return
        time.sleep(0.05)
    check(False, f"never: {condition}")


def text(browser, name):
    return browser.run(f"document.getElementById('{name}').textContent")


def click(browser, name):
    browser.run(f"document.getElementById('{name}').click()")


# -- data: bars that stand upright, lie, or cross, on 28 x 28 pixels --

def write_digits(images, labels, count, seed):
    draw, pixels, classes = random.Random(seed), bytearray(), bytearray()
    for _ in range(count):
        kind, at, picture = draw.randrange(3), draw.randrange(9, 19), [[0] * 28 for _ in range(28)]
        for i in range(4, 24):
            for k in range(at - 1, at + 2):
                if kind != 1:
                    picture[i][k] = draw.randrange(128, 256)
                if kind != 0:
                    picture[k][i] = draw.randrange(128, 256)
        pixels += bytes(sum(picture, []))
        classes.append(kind)
    for path, head, data in ((images, struct.pack(">IIII", 0x803, count, 28, 28), pixels), (labels, struct.pack(">II", 0x801, count), classes)):
        with open(path, "wb") as out:
            out.write(head + data)
    return pixels, classes


MODEL = """mdl 1
data {
    source = idx("images", "labels", test_images = "test_images", test_labels = "test_labels", classes = 3)
    field image = source.image / 255
    field label = source.label
}
model bars(image) -> logits { logits = image |> flatten |> dense(20) |> relu |> dropout(0.1) |> dense(3) }
train {
    loss      = cross_entropy(logits, label)
    optimizer = adam(lr = 0.01)
    batch     = 20
    epochs    = 3
    shuffle   = false
    metrics   = [accuracy(logits, label)]
}
"""


def make_bars():
    pixels, classes = write_digits("images", "labels", 200, 1)
    write_digits("test_images", "test_labels", 100, 2)
    with open("bars.mdl", "w") as out:
        out.write(MODEL)
    mlc("train", "bars.mdl", "--out", "run", "-q")
    mlc("build", "run", "--form", "html", "--train", "-o", "page")
    return pixels, classes


# -- the page for drawings --

def seen(browser):
    return bytes(browser.run("[...document.getElementById('seen').getContext('2d').getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0)"))


def check_drawing(browser):
    left, top = browser.run("(() => { const box = document.getElementById('pad').getBoundingClientRect(); return [box.left, box.top]; })()")
    nothing = seen(browser)
    check(text(browser, "answer") == "", "an answer before anything is drawn")
    browser.drag([(left + 60, top + 100), (left + 120, top + 105), (left + 200, top + 95)])
    wait(browser, "document.getElementById('answer').textContent !== ''")
    line = seen(browser)
    check(line != nothing, "the network does not see the line")
    browser.touch([(left + 130, top + 40), (left + 140, top + 120), (left + 135, top + 230)])
    browser.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    check(seen(browser) not in (nothing, line), "a finger does not draw")
    with open("pad.png", "wb") as out:
        out.write(base64.b64decode(browser.run("document.getElementById('pad').toDataURL('image/png')").split(",")[1]))
    expected = json.loads(mlc("predict", "run", "pad.png", "--json"))
    got = browser.run(f"[...net.run({{ image: {list(seen(browser))} }}).logits]")
    powers = [2.718281828459045 ** (x - max(got)) for x in got]
    shares = [power / sum(powers) for power in powers]
    check(max(abs(a - b) for a, b in zip(shares, expected["probabilities"])) < 1e-6, f"mlc predict says {expected['probabilities']}, the page {shares}")
    check(text(browser, "answer") == str(expected["class"]), "another class than that of mlc predict")
    bars = browser.run("[...document.querySelectorAll('#bars .share')].map((share) => parseFloat(share.textContent))")
    check(max(abs(100 * a - b) for a, b in zip(shares, bars)) < 0.06, f"the bars say {bars}")
    check("ms an answer" in text(browser, "time"), "no time of an answer")


def check_teaching(browser, pixels, classes):
    exported = mlc("export", "run", "--to", "run.safetensors").split("hash ")[1].strip()
    check(text(browser, "hash") == exported, "another hash than that of mlc export")
    wait(browser, "document.getElementById('progress').textContent.includes('of 100 test rows right')")
    share = json.loads(mlc("eval", "run", "--json"))
    check(f"{100 * share['accuracy']:.1f} %" in text(browser, "progress"), f"mlc eval says {share}, the page {text(browser, 'progress')}")
    browser.run("document.getElementById('label-class').value = '2'")
    click(browser, "add")
    check(text(browser, "examples") == "1 of your examples", "the example was not added")
    click(browser, "train")
    wait(browser, "/^[0-9]{2,} steps, loss [0-9.e-]+, /.test(document.getElementById('progress').textContent)")
    click(browser, "train")
    wait(browser, f"document.getElementById('hash').textContent !== '{exported}'")
    # from scratch, with the rows of the training: the weights of mlc train
    click(browser, "fresh")
    browser.run(f"globalThis.pixels = Uint8Array.from(atob('{base64.b64encode(pixels).decode()}'), (c) => c.charCodeAt(0)), globalThis.classes = {list(classes)}")
    hashed = browser.run("""(() => {
        for (let step = 0; step < 30; step++) {
            const first = step % 10 * 20;
            net.step({ image: pixels.subarray(first * 784, (first + 20) * 784), label: classes.slice(first, first + 20) });
        }
        return net.hash();
    })()""")
    check(hashed == exported, "from scratch, 30 steps give other weights than mlc train")
    click(browser, "reset")
    check(text(browser, "hash") == exported, "'As it was' gives other weights")
    saved = bytes(browser.run("[...net.safetensors()]"))
    with open("run.safetensors", "rb") as file:
        check(saved == file.read(), "the saved weights are other bytes than those of mlc export")
    mlc("train", "bars.mdl", "--out", "run2", "-q", "--set", "train.epochs=1")
    other = mlc("export", "run2", "--to", "other.safetensors").split("hash ")[1].strip()
    for path, what in (("other.safetensors", other), ("labels", other)):
        document = browser.call("DOM.getDocument")["root"]["nodeId"]
        node = browser.call("DOM.querySelector", nodeId=document, selector="#open")["nodeId"]
        browser.call("DOM.setFileInputFiles", nodeId=node, files=[os.path.abspath(path)])
        wait(browser, f"document.getElementById('hash').textContent === '{what}'")
    wait(browser, "document.getElementById('wrong').textContent === 'labels: the file is no .safetensors file'")


def check_small(browser):
    browser.size(360, 740, dark=True, touch=True)
    check(browser.run("document.documentElement.scrollWidth") <= 360, "wider than a small screen")
    back = browser.run("getComputedStyle(document.body).backgroundColor")
    check(back == "rgb(20, 24, 29)", f"the background of the dark page is {back}")


def check_bytes(browser):
    mlc("build", "run", "--int8", "--form", "html", "--name", "small", "-o", "small")
    mlc("build", "run", "--int8", "--form", "wasm", "--name", "small", "-o", "modules")
    browser.open("small/small.html")
    with open("modules/small_test.json") as file:
        tested = browser.run(f"net.selfTest({file.read()})")
    check(tested["good"] and "16 of 16 bit-equal" in str(tested["texts"]), f"--int8: the page says {tested}")
    check("computes with bytes" in text(browser, "about"), f"--int8: the page says {text(browser, 'about')}")


# -- the page for rows of a table --

def check_table(browser):
    with open("houses.csv", "w") as out:
        out.write("town,area,rooms,price\n" + "".join(f"{town},{area},{rooms},{price}\n" for town, area, rooms, price in (
            ("Oslo", 50, 2, 100), ("<Rome>", 80, "", 220), ("Oslo", 120, 5, 260), ("<Rome>", 60, 3, 170), ("Oslo", 90, 4, 200), ("<Rome>", 70, 2, 200))))
    with open("houses.mdl", "w") as out:
        out.write("""mdl 1
data {
    source = csv("houses.csv")
    field town  = source.town |> one_hot
    field x     = source |> columns(["area", "rooms"]) |> impute("mean") |> standardize
    field price = source.price |> unsqueeze(1)
}
model houses(town, x) -> guess { guess = concat([town, x], axis = 1) |> dense(4) |> tanh |> dense(1) }
train {
    loss      = mse(guess, price)
    optimizer = sgd(lr = 0.0001)
    epochs    = 2
    batch     = 3
}
""")
    mlc("train", "houses.mdl", "--out", "houses_run", "-q")
    mlc("build", "houses_run", "--form", "html", "--train", "-o", "houses")
    browser.open("houses/houses.html")
    browser.run("""(() => {
        document.getElementById('input-town').value = '<Rome>';
        document.getElementById('input-area').value = '80';
        document.getElementById('input-rooms').value = '';
        document.getElementById('form').dispatchEvent(new Event('input', { bubbles: true }));
    })()""")
    with open("one.csv", "w") as out:
        out.write("town,area,rooms\n<Rome>,80,\n")
    expected = json.loads(mlc("predict", "houses_run", "one.csv", "--json"))
    got = text(browser, "answer").removeprefix("guess: ")
    numbers = [value for value in expected.values() if isinstance(value, float)] + [value[0] for value in expected.values() if isinstance(value, list)]
    check(any(abs(float(got) - number) < 1e-4 * abs(number) for number in numbers), f"mlc predict says {expected}, the page {got}")
    browser.run("document.getElementById('input-area').value = ''; document.getElementById('form').dispatchEvent(new Event('input', { bubbles: true }))")
    browser.run("document.getElementById('input-area').value = '90'; document.getElementById('form').dispatchEvent(new Event('input', { bubbles: true }))")
    browser.run("document.getElementById('label-price').value = '210'")
    click(browser, "add")
    click(browser, "train")
    wait(browser, "/^[0-9]+ steps, loss [0-9.e+-]+, /.test(document.getElementById('progress').textContent)")
    click(browser, "train")


def main():
    pixels, classes = make_bars()
    browser = Browser()
    try:
        browser.open("page/bars.html")
        check_drawing(browser)
        check_teaching(browser, pixels, classes)
        check_small(browser)
        check_bytes(browser)
        check_table(browser)
        check(not browser.problems, f"the page reports {browser.problems}")
        strangers = [address for address in browser.requests if not address.startswith(("file:", "blob:", "data:"))]
        check(not strangers, f"the page asks for {strangers}")
    finally:
        browser.close()
    print(f"{len(failures)} failed" if failures else "ok")
    return bool(failures)


sys.exit(main())
