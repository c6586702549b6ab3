
/* -- the parts of this file -- */

const $ = (id) => document.getElementById(id);

async function unpack(part) {
    const packed = Uint8Array.from(atob($(`part-${part}`).textContent), (c) => c.charCodeAt(0));
    return new Uint8Array(await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer());
}

/* -- pictures: each is [channels][height][width], in levels from 0 to 255 -- */

const rounded = (x) => { /* to whole numbers, halves to even ones */
    const up = Math.round(x);
    return up - x === 0.5 && up % 2 ? up - 1 : up;
};

/* The mean over an area of one channel; parts outside of the picture count as `outside`. */
function mean({ height, width, levels }, channel, top, left, tall, wide, outside) {
    const overlap = (pixel, from, to) => Math.max(0, Math.min(pixel + 1, to) - Math.max(pixel, from)), at = channel * height * width;
    let sum = 0, inside = 0;
    for (let y = Math.max(0, Math.floor(top)); y < Math.min(height, Math.ceil(top + tall)); y++) {
        const rows = overlap(y, top, top + tall);
        for (let x = Math.max(0, Math.floor(left)); x < Math.min(width, Math.ceil(left + wide)); x++) {
            const share = rows * overlap(x, left, left + wide);
            sum += share * levels[at + y * width + x];
            inside += share;
        }
    }
    return (sum + outside * (tall * wide - inside)) / (tall * wide);
}

/* Calls f with the index of every pixel beside a pixel, and of itself. */
function eachNear({ height, width }, pixel, f) {
    const y = Math.floor(pixel / width), x = pixel % width;
    for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny++)
        for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx++) f(ny * width + nx);
}

/* The levels of the border of one channel. */
function border({ height, width, levels }, channel) {
    return levels.filter((_, i) => {
        const inside = i - channel * height * width, y = Math.floor(inside / width), x = inside % width;
        return inside >= 0 && inside < height * width && (y === 0 || x === 0 || y === height - 1 || x === width - 1);
    });
}

/* How much brighter than the background pixels are, which is the median of the border. What 95 % of the border vary by is taken off. */
function contrasts(picture) {
    const edge = border(picture, 0).sort(), quantile = (sorted, share) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
    const background = quantile(edge, 0.5), paper = Math.min(64, quantile(edge.map((level) => Math.abs(level - background)).sort(), 0.95));
    return picture.levels.map((level) => Math.max(0, level - background - paper));
}

function threshold(levels) { /* Otsu's */
    const counts = new Float64Array(256);
    for (const level of levels) counts[level]++;
    const total = counts.reduce((a, b) => a + b, 0), sum = counts.reduce((a, b, level) => a + level * b, 0);
    let below = 0, sumBelow = 0, largest = 0, best = 0;
    for (let level = 0; level < 255; level++) {
        below += counts[level];
        sumBelow += level * counts[level];
        if (below === 0 || below === total) continue;
        const distance = sumBelow / below - (sum - sumBelow) / (total - below), variance = below * (total - below) * distance * distance;
        if (variance > largest) [largest, best] = [variance, level];
    }
    return best;
}

/* Removes what is far smaller than the largest stroke. */
function withoutSpecks(picture, stroke) {
    const left = stroke.slice(), groups = [], kept = new Uint8Array(stroke.length);
    for (let first = 0; first < left.length; first++) {
        if (!left[first]) continue;
        const group = [first];
        left[first] = 0;
        for (let done = 0; done < group.length; done++)
            eachNear(picture, group[done], (near) => {
                if (left[near]) group.push(near);
                left[near] = 0;
            });
        groups.push(group);
    }
    const largest = Math.max(...groups.map((group) => group.length));
    for (const group of groups) if (group.length * 25 >= largest) for (const i of group) kept[i] = 1;
    return kept;
}

/* Bright strokes on black, as `mlc predict --fit yes` makes them and MNIST has them: cropped to 20/28 of the size, with the centre of
 * mass in the middle. null: nothing is drawn. */
function centred(picture, height, width) {
    const levels = contrasts(picture), limit = threshold(levels), all = levels.map((level) => Number(level > limit));
    if (!levels.some((level, i) => all[i] && level >= 24)) return null;
    const stroke = withoutSpecks(picture, all), beside = new Uint8Array(stroke.length);
    let brightest = 0, top = picture.height, left = picture.width, bottom = 0, right = 0, mass = 0, yMass = 0, xMass = 0;
    stroke.forEach((is, i) => {
        if (!is) return;
        const y = Math.floor(i / picture.width), x = i % picture.width;
        eachNear(picture, i, (near) => { beside[near] = 1; });
        brightest = Math.max(brightest, levels[i]);
        [top, bottom, left, right] = [Math.min(top, y), Math.max(bottom, y), Math.min(left, x), Math.max(right, x)];
    });
    levels.forEach((level, i) => {
        levels[i] = beside[i] ? Math.floor(level * 255 / brightest) : 0;
        mass += levels[i];
        yMass += levels[i] * (Math.floor(i / picture.width) + 0.5);
        xMass += levels[i] * (i % picture.width + 0.5);
    });
    const size = Math.max((bottom - top + 1) / (height * 20 / 28), (right - left + 1) / (width * 20 / 28)), strokes = { ...picture, levels };
    const pixels = new Uint8Array(height * width).map((_, i) => rounded(mean(strokes, 0, yMass / mass + (Math.floor(i / width) - height / 2) * size,
        xMass / mass + (i % width - width / 2) * size, size, size, 0)));
    const white = Math.max(1, ...pixels);
    return pixels.map((level) => Math.floor(level * 255 / white));
}

/* A whole picture in another size: stretched, or with its background beside it, and inverted if that is light, as `mlc predict` does. */
function scaled(picture, channels, height, width, stretch) {
    const average = (values) => values.reduce((a, b) => a + b, 0) / values.length, outsides = Array.from({ length: channels }, (_, c) => average(border(picture, c)));
    const light = !stretch && average(outsides) > 127.5;
    const tall = picture.height / height, wide = picture.width / width, size = Math.max(tall, wide), pixels = [];
    for (let c = 0; c < channels; c++) {
        const top = (picture.height - size * height) / 2, left = (picture.width - size * width) / 2;
        for (let y = 0; y < height; y++)
            for (let x = 0; x < width; x++) {
                const level = stretch ? mean(picture, c, y * tall, x * wide, tall, wide, 0) : mean(picture, c, top + y * size, left + x * size, size, size, outsides[c]);
                pixels.push(rounded(light ? 255 - level : level));
            }
    }
    return Uint8Array.from(pixels);
}

/* -- the page -- */

const { page } = facts, wanted = facts.inputs.filter((input) => !input.training), labels = facts.inputs.filter((input) => input.training);
const image = wanted[0], [channels, rows, columns] = page.kind === "table" ? [] : image.shape, main = facts.outputs.find((output) => output.classes) ?? facts.outputs[0];
let net, given = null; /* the network; what it is asked about: its inputs by name, or null */

const decimal = (x, digits = 3) => (Number.isFinite(x) ? String(Number(x.toPrecision(digits))) : String(x));

/* The probabilities of the classes of a row. */
function probabilities(values) {
    if (names().length > values.length) { /* that of the second of two classes */
        const p = main.numbers === "probabilities" ? values[0] : 1 / (1 + Math.exp(-values[0]));
        return [1 - p, p];
    }
    const sum = values.reduce((a, b) => a + b, 0), are = values.every((value) => value >= 0) && Math.abs(sum - 1) < 1e-3;
    if (main.numbers === "probabilities" || (main.numbers === "unknown" && are)) return [...values];
    const most = Math.max(...values), powers = [...values].map((value) => Math.exp(value - most)), all = powers.reduce((a, b) => a + b, 0);
    return powers.map((power) => power / all);
}

const names = () => main.classes;

function element(tag, properties, ...children) {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children);
    return node;
}

function showAnswer() {
    const bars = $("bars");
    if (!given) {
        $("answer").textContent = "";
        for (const bar of bars.children) bar.update?.(0, false);
        $("time").textContent = "";
        return;
    }
    const start = performance.now(), outputs = net.run(given), took = performance.now() - start;
    if (names()) {
        const shares = probabilities(outputs[main.name]), best = shares.indexOf(Math.max(...shares));
        $("answer").textContent = names()[best];
        for (const [i, share] of shares.entries()) bars.children[i]?.update(share, i === best);
    } else
        $("answer").textContent = facts.outputs.map(({ name }) => `${name}: ${[...outputs[name].subarray(0, 8)].map((x) => decimal(x, 6)).join(", ")}`).join("; ");
    net.times = [...(net.times ?? []).slice(-31), took]; /* their mean without the slowest quarter, as browsers round times */
    const fast = [...net.times].sort((a, b) => a - b).slice(0, Math.ceil(net.times.length * 3 / 4)), mean = fast.reduce((a, b) => a + b, 0) / fast.length;
    $("time").textContent = `${mean < 0.005 ? "less than 0.01" : decimal(mean, 2)} ms an answer`;
}

function makeBars() {
    if (!names()) return;
    $("bars").classList.toggle("short", names().every((name) => name.length < 3));
    for (const name of names()) {
        const fill = element("i"), share = element("span", { className: "share" });
        const bar = element("li", {}, element("span", { className: "name", textContent: name, title: name }), element("span", { className: "bar" }, fill), share);
        bar.update = (value, best) => {
            fill.style.width = `${100 * value}%`;
            share.textContent = given ? `${(100 * value).toFixed(1)} %` : "";
            bar.style.fontWeight = best ? "600" : "";
        };
        $("bars").append(bar);
    }
}

/* Shows the picture as the network gets it. */
function showSeen(pixels) {
    const canvas = $("seen"), context = canvas.getContext("2d");
    canvas.width = columns;
    canvas.height = rows;
    const data = context.createImageData(columns, rows);
    for (let i = 0; i < rows * columns; i++)
        for (let c = 0; c < 4; c++) data.data[4 * i + c] = c === 3 ? 255 : pixels ? pixels[(channels === 3 ? c : 0) * rows * columns + i] : 0;
    context.putImageData(data, 0, 0);
}

function ask(pixels) {
    given = pixels && { [image.name]: pixels };
    showSeen(pixels);
    showAnswer();
}

/* The levels of a canvas: of its first channel, or of red, green and blue. */
function levelsOf(canvas, count) {
    const { data } = canvas.getContext("2d", { willReadFrequently: true }).getImageData(0, 0, canvas.width, canvas.height), pixels = canvas.width * canvas.height;
    const levels = new Uint8Array(count * pixels), grey = page.kind === "picture" && count === 1;
    for (let i = 0; i < pixels; i++)
        for (let c = 0; c < count; c++)
            levels[c * pixels + i] = grey ? rounded(0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2]) : data[4 * i + c];
    return { height: canvas.height, width: canvas.width, levels };
}

function openDrawing() {
    const pad = $("pad"), context = pad.getContext("2d", { willReadFrequently: true });
    let last = null, waiting = false;
    const clear = () => {
        context.fillStyle = "#000";
        context.fillRect(0, 0, pad.width, pad.height);
        ask(null);
    };
    const look = () => {
        waiting = false;
        ask(centred(levelsOf(pad, 1), rows, columns));
    };
    const lineTo = (event) => {
        const box = pad.getBoundingClientRect(), x = (event.clientX - box.left - pad.clientLeft) * pad.width / pad.clientWidth,
            y = (event.clientY - box.top - pad.clientTop) * pad.height / pad.clientHeight;
        Object.assign(context, { strokeStyle: "#fff", lineWidth: 20, lineCap: "round", lineJoin: "round" });
        context.beginPath();
        context.moveTo(...(last ?? [x, y]));
        context.lineTo(x, y);
        context.stroke();
        last = [x, y];
        if (!waiting) requestAnimationFrame(look);
        waiting = true;
    };
    pad.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        try { pad.setPointerCapture(event.pointerId); } catch { /* a pointer that is gone already */ }
        last = null;
        lineTo(event);
    });
    pad.addEventListener("pointermove", (event) => {
        if (last) for (const part of event.getCoalescedEvents?.().concat(event) ?? [event]) lineTo(part);
    });
    for (const end of ["pointerup", "pointercancel"]) pad.addEventListener(end, () => { last = null; });
    pad.addEventListener("keydown", (event) => { if (event.key === "Delete" || event.key === "Escape") clear(); });
    $("clear").addEventListener("click", clear);
    $("drawing").hidden = false;
    clear();
}

function openPicture() {
    const take = async (file) => {
        try {
            const bitmap = await createImageBitmap(file), scale = Math.min(1, 1024 / Math.max(bitmap.width, bitmap.height));
            const canvas = element("canvas", { width: Math.max(1, bitmap.width * scale), height: Math.max(1, bitmap.height * scale) });
            canvas.getContext("2d", { willReadFrequently: true }).drawImage(bitmap, 0, 0, canvas.width, canvas.height);
            ask(scaled(levelsOf(canvas, channels), channels, rows, columns, page.stretch));
        } catch { $("answer").textContent = "This is no picture that the browser can read."; }
    };
    $("file").addEventListener("change", () => { if ($("file").files[0]) take($("file").files[0]); });
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
        event.preventDefault();
        if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
    });
    $("picture").hidden = false;
    ask(null);
}

/* An element for a column of a table: a list for text, a field for numbers. value() is what the network takes. */
function control(input, id) {
    const node = input.categories ? element("select", { id }, ...input.categories.map((name) => element("option", { textContent: name === "" ? "(empty)" : name, value: name })))
        : element("input", { id, type: "text", inputMode: "decimal", autocomplete: "off" });
    if (!input.categories) node.value = "0";
    const value = () => (input.categories ? node.value : node.value.trim() === "" ? NaN : Number(node.value.replace(",", ".")));
    return { node, value };
}

function openForm(data) {
    const controls = wanted.map((input) => ({ input, ...control(input, `input-${input.name}`) }));
    const look = () => {
        given = Object.fromEntries(controls.map(({ input, value }) => [input.name, value()]));
        const missing = controls.find(({ input, value }) => !input.categories && Number.isNaN(value()) && !input.gaps);
        if (missing) {
            given = null;
            showAnswer();
            $("answer").textContent = `${missing.input.field}: a number is needed`;
        } else
            showAnswer();
    };
    for (const { input, node } of controls) {
        const first = data[input.name]?.[0]; /* begins with a row that is in this file */
        if (first !== undefined) node.value = input.categories ? input.categories[first] ?? input.categories[0] : Number.isNaN(first) ? "" : decimal(first, 6);
        $("form").append(element("label", { htmlFor: node.id, textContent: input.gaps ? `${input.field} (may be empty)` : input.field }), node);
    }
    $("form").addEventListener("input", look);
    $("form").addEventListener("submit", (event) => event.preventDefault());
    $("form").hidden = false;
    look();
}

/* -- training -- */

/* The losses of all steps, as at most `most` means over equally many steps. */
class Curve {
    constructor(most) { Object.assign(this, { most, means: [], each: 1, sum: 0, count: 0, last: NaN }); }

    add(loss) {
        this.last = loss;
        this.sum += loss;
        if (++this.count < this.each) return;
        this.means.push(this.sum / this.count);
        this.sum = this.count = 0;
        if (this.means.length < this.most) return;
        this.means = this.means.filter((_, i) => i % 2 === 0).map((mean, i) => (mean + this.means[2 * i + 1]) / 2);
        this.each *= 2;
    }

    draw(canvas) {
        const context = canvas.getContext("2d"), width = canvas.clientWidth * devicePixelRatio, height = canvas.clientHeight * devicePixelRatio;
        Object.assign(canvas, { width, height });
        const most = Math.max(...this.means.filter(Number.isFinite), 1e-9);
        context.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--fill");
        context.lineWidth = 2 * devicePixelRatio;
        context.beginPath();
        this.means.forEach((mean, i) => context.lineTo(i / Math.max(1, this.means.length - 1) * width, height - 4 - mean / most * (height - 8)));
        context.stroke();
    }
}

function openTraining(data) {
    const { training } = facts, examples = [], capacity = 4096;
    /* rows of the data: those for testing, then those that are kept for training */
    const at = (row) => Object.fromEntries(facts.inputs.map(({ name, shape }) => [name, data[name].subarray(row * count(shape), (row + 1) * count(shape))]));
    /* Rows of the training data and examples by turns. */
    const pick = (number) => {
        const mixed = $("keep").checked && page.kept > 0, both = mixed && examples.length > 0;
        if (mixed && !(both && number % 2)) return at(page.test + (both ? number >> 1 : number) % page.kept);
        return examples[(both ? number >> 1 : number) % examples.length] ?? null;
    };
    const choice = page.labels.length === 1 && names() ? { input: labels[0], ...classControl() } : null;
    const controls = choice ? [choice] : labels.map((input) => ({ input, ...control(input, `label-${input.name}`) }));
    let running = false, next = 0, steps = 0, spent = 0, job = null, curve = new Curve(400);

    function classControl() {
        const node = element("select", { id: "label-class" }, ...names().map((name, i) => element("option", { textContent: name, value: i })));
        return { node, value: () => page.labels[0].values?.[Number(node.value)] ?? Number(node.value) };
    }

    function batch() {
        const inputs = Object.fromEntries(facts.inputs.map(({ name, type, shape }) => [name, new arrays[type](training.rows * count(shape))]));
        for (let row = 0; row < training.rows; row++) {
            const example = pick(next++);
            if (!example) return null;
            for (const { name, shape } of facts.inputs) inputs[name].set(example[name], row * count(shape));
        }
        return inputs;
    }

    /* The share of the rows for testing that are right: a few rows at a time, until `end`. */
    function measure(end) {
        if (!page.test || !choice) return;
        job ??= { row: 0, right: 0 };
        while (job.row < page.test && performance.now() < end) {
            const row = at(job.row++), shares = probabilities(net.run(Object.fromEntries(wanted.map(({ name }) => [name, row[name]])))[main.name]);
            const truth = row[labels[0].name][0], named = page.labels[0].values?.indexOf(truth) ?? truth;
            job.right += shares.indexOf(Math.max(...shares)) === named;
        }
        if (job.row < page.test) return;
        net.accuracy = job.right / page.test;
        job = null;
        showProgress();
    }

    function showProgress() {
        const parts = [];
        if (steps) parts.push(`${steps} steps`, `loss ${decimal(curve.last)}`, `${decimal(spent / steps, 2)} ms a step`);
        if (net.accuracy !== undefined) parts.push(`${(100 * net.accuracy).toFixed(1)} % of ${page.test} test rows right`);
        $("progress").textContent = parts.join(", ");
        $("examples").textContent = `${examples.length} of your examples`;
        curve.draw($("curve"));
    }

    function changed() {
        job = null;
        net.accuracy = undefined;
        $("hash").textContent = net.hash();
        showAnswer();
        showProgress();
        requestAnimationFrame(settle);
    }

    /* Measures between steps, or after the last one. */
    function settle() {
        if (running) return;
        measure(performance.now() + 8);
        if (job) requestAnimationFrame(settle);
    }

    function frame() {
        if (!running) return changed();
        const end = performance.now() + 8;
        do {
            const inputs = batch();
            if (!inputs) {
                $("how").textContent = "Draw or enter something, choose what it is, and add it: then there is something to learn.";
                stop();
                break;
            }
            const start = performance.now(), loss = net.step(inputs);
            spent += performance.now() - start;
            steps++;
            curve.add(loss);
            if (!Number.isFinite(loss)) stop();
        } while (running && performance.now() < end);
        measure(performance.now() + 4);
        if (steps % 4 === 0) showAnswer();
        showProgress();
        requestAnimationFrame(frame);
    }

    function stop() {
        running = false;
        $("train").setAttribute("aria-pressed", "false");
        $("train").textContent = "Train";
    }

    function begin(how) {
        $("wrong").textContent = "";
        how();
        steps = spent = next = 0;
        curve = new Curve(400);
        changed();
    }

    $("train").addEventListener("click", () => {
        if (running) return stop();
        running = true;
        $("train").setAttribute("aria-pressed", "true");
        $("train").textContent = "Stop";
        requestAnimationFrame(frame);
    });
    $("add").addEventListener("click", () => {
        if (!given) return;
        const numbers = (input, value) => arrays[input.type].from(net.numbers(input, value));
        const example = Object.fromEntries([...wanted.map((input) => [input.name, numbers(input, given[input.name])]),
            ...controls.map(({ input, value }) => [input.name, numbers(input, value())])]);
        examples.length < capacity ? examples.push(example) : (examples[net.oldest = ((net.oldest ?? -1) + 1) % capacity] = example);
        if (page.kind === "drawing") $("clear").click();
        showProgress();
    });
    $("fresh").addEventListener("click", () => begin(() => net.fresh()));
    $("reset").addEventListener("click", () => begin(() => net.reset()));
    $("save").addEventListener("click", () => {
        const link = element("a", { href: URL.createObjectURL(new Blob([net.safetensors()])), download: `${facts.name}.safetensors` });
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
    $("open").addEventListener("change", async () => {
        const file = $("open").files[0];
        if (!file) return;
        const bytes = new Uint8Array(await file.arrayBuffer());
        try { begin(() => net.openSafetensors(bytes)); } catch (error) { $("wrong").textContent = `${file.name}: ${error.message}`; }
        $("open").value = "";
    });
    for (const { input, node } of controls) $("label").append(element("label", { htmlFor: node.id, textContent: choice ? "It is: " : `${input.field}: ` }), node);
    $("how").textContent = page.kind === "drawing" ? "Draw, choose what it is, and add it. Then train: these are the steps of mlc's own training."
        : "Enter or choose something, say what it is, and add it. Then train: these are the steps of mlc's own training.";
    $("keep-label").hidden = !page.kept;
    $("keep-text").textContent = `also train on ${page.kept} rows of the training data, so that the network does not forget them`;
    $("teach").hidden = false;
    changed();
}

/* The rows in this file, by the name of the input. */
function readRows(bytes) {
    const data = {};
    let at = 0;
    for (const { name, type, shape } of facts.inputs) {
        const length = (page.test + page.kept) * count(shape) * arrays[type].BYTES_PER_ELEMENT;
        data[name] = new arrays[type](bytes.slice(at, at + length).buffer);
        at += length;
    }
    return data;
}

async function begin() {
    const relaxed = fusesWhenRelaxed(), parts = { weights: await unpack("weights") };
    parts[relaxed ? "relaxed" : "exact"] = await unpack(relaxed ? "relaxed" : "exact");
    net = globalThis.net = open(parts, { relaxed });
    $("title").textContent = page.title;
    $("ask-title").textContent = { drawing: page.digits ? "Draw a digit" : "Draw", picture: "Choose a picture", table: "Enter a row" }[page.kind];
    $("seen-figure").hidden = page.kind === "table";
    $("seen-text").textContent = `What the network sees: ${rows} \u00d7 ${columns} pixels`;
    $("about").textContent = `Made by ${facts.made_by}. ${relaxed ? "Fast" : "Exact"} module: ${facts.int8 ? "it computes with bytes, and the bits are the same" : "the bits are those of mlc predict"} on every machine.`;
    makeBars();
    const data = page.test + page.kept ? readRows(await unpack("rows")) : {};
    ({ drawing: openDrawing, picture: openPicture, table: openForm })[page.kind](data);
    if (facts.training) openTraining(data);
    document.documentElement.dataset.ready = "yes";
}

begin().catch((error) => {
    $("title").textContent = "This page cannot run here";
    $("ask-title").textContent = "";
    $("answer").textContent = typeof DecompressionStream === "undefined" || typeof WebAssembly === "undefined"
        ? "It needs a newer browser: Chrome 91, Firefox 113, Safari 16.4, or later." : String(error.message ?? error);
});
