/* The types of numbers that functions take, as typed arrays. */
const arrays = { uint8_t: Uint8Array, int32_t: Int32Array, float: Float32Array, double: Float64Array };
const count = (shape) => shape.reduce((product, size) => product * size, 1);

/* Whether this machine's relaxed multiply-add rounds once: with a = b = 1 + 2^-12 and c = -(1 + 2^-11), a * b + c is 2^-24, or 0 if
 * the product was rounded. The function of the module multiplies and adds its arguments. */
function fusesWhenRelaxed() {
    const probe = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 1, 96, 3, 125, 125, 125, 1, 125, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10,
        22, 1, 20, 0, 32, 0, 253, 19, 32, 1, 253, 19, 32, 2, 253, 19, 253, 133, 2, 253, 31, 0, 11]);
    if (!WebAssembly.validate(probe)) return false;
    const { f } = new WebAssembly.Instance(new WebAssembly.Module(probe)).exports;
    return f(1 + 2 ** -12, 1 + 2 ** -12, -(1 + 2 ** -11)) === 2 ** -24;
}

/* -- random numbers: Philox 4x32 with 10 rounds, as mlc draws the first weights -- */

function high(a, b) { /* the upper half of the product of two words of 32 bits */
    const low = (a & 65535) * (b & 65535), middle = (a >>> 16) * (b & 65535) + (low >>> 16), other = (a & 65535) * (b >>> 16) + (middle & 65535);
    return (a >>> 16) * (b >>> 16) + Math.floor(middle / 65536) + Math.floor(other / 65536);
}

function* randomWords(seed, stream, substream) {
    const low = Number(BigInt.asUintN(32, BigInt(seed))), top = Number(BigInt.asUintN(32, BigInt(seed) >> 32n));
    for (let block = 0; ; block++) {
        let c = [block >>> 0, Math.floor(block / 2 ** 32), substream, stream], k0 = low, k1 = top;
        for (let round = 0; round < 10; round++) {
            c = [(high(0xcd9e8d57, c[2]) ^ c[1] ^ k0) >>> 0, Math.imul(0xcd9e8d57, c[2]) >>> 0,
                (high(0xd2511f53, c[0]) ^ c[3] ^ k1) >>> 0, Math.imul(0xd2511f53, c[0]) >>> 0];
            k0 = (k0 + 0x9e3779b9) >>> 0;
            k1 = (k1 + 0xbb67ae85) >>> 0;
        }
        yield* c;
    }
}

const below = (values, x) => values.reduceRight((sum, value) => sum * x + value, 0);
/* The quantile of the normal distribution by Wichura's algorithm AS 241, with its coefficients. */
const middleAbove = [3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
    4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3];
const middleBelow = [1, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3, 2.1213794301586595867e4,
    3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3];
const tailAbove = [1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
    1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4];
const tailBelow = [1, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1, 1.48103976427480074590e-1,
    1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9];

function logarithm(x) { /* by + - * / alone, as Math.log differs between machines */
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, x);
    const bits = view.getBigUint64(0), exponent = BigInt.asIntN(64, bits - 0x3fe6a09e667f3bcdn) >> 52n;
    view.setBigUint64(0, BigInt.asUintN(64, bits - (exponent << 52n)));
    const m = view.getFloat64(0), s = (m - 1) / (m + 1), z = s * s;
    let series = 0;
    for (let i = 23; i > 1; i -= 2) series = (series + 1 / i) * z;
    return Number(exponent) * 0.69314718055994530942 + 2 * (s + s * series);
}

function normal(word) {
    const p = (word + 0.5) * 2 ** -32, q = p - 0.5;
    if (Math.abs(q) <= 0.425) {
        const r = 0.180625 - q * q;
        return q * below(middleAbove, r) / below(middleBelow, r);
    }
    const r = Math.sqrt(-logarithm(q < 0 ? p : 1 - p)) - 1.6, distance = below(tailAbove, r) / below(tailBelow, r);
    return q < 0 ? -distance : distance;
}

/* Rows, or columns if these are fewer, become orthonormal: Gram-Schmidt, each step done twice. */
function orthogonal(values, shape, gain) {
    const rows = shape.length > 1 ? shape[0] : 1, columns = values.length / rows, byRows = rows <= columns;
    const n = byRows ? columns : rows, place = (i) => byRows ? i : i % columns * n + Math.floor(i / columns), v = new Float64Array(values.length);
    const dot = (a, b) => { let sum = 0; for (let j = 0; j < n; j++) sum += v[a + j] * v[b + j]; return sum; };
    values.forEach((value, i) => { v[place(i)] = value; });
    for (let i = 0; i < v.length; i += n) {
        for (let pass = 0; pass < 2; pass++)
            for (let k = 0; k < i; k += n) {
                const part = dot(i, k);
                for (let j = 0; j < n; j++) v[i + j] -= part * v[k + j];
            }
        const length = Math.sqrt(dot(i, i));
        for (let j = 0; j < n; j++) v[i + j] /= length;
    }
    return Float32Array.from(values, (_, i) => gain * v[place(i)]);
}

/* The first values of a weight: those of `mlc train` with that seed. */
function firstValues({ name, shape, init: { kind, a, b } }, seed) {
    const substream = [...new TextEncoder().encode(name)].reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193) >>> 0, 0x811c9dc5);
    const words = randomWords(seed, 1, substream), size = count(shape), result = new Float32Array(size);
    if (kind === "constant") return result.fill(a);
    if (kind === "orthogonal") return orthogonal(Float64Array.from(result, () => normal(words.next().value)), shape, a);
    if (kind === "normal") return result.map(() => a + b * normal(words.next().value));
    const bits = new Uint32Array(1), limit = new Float32Array(bits.buffer);
    limit[0] = b; /* the number below the upper end stands for what is rounded to it */
    if (b > a) bits[0] += b > 0 ? -1 : b < 0 ? 1 : 0x80000001;
    return result.map(() => {
        const value = Math.fround(a + (b - a) * ((words.next().value >>> 8) * 2 ** -24));
        return value < b || b <= a ? value : limit[0];
    });
}

/* -- the network -- */

export class Net {
    /* facts: NAME.json. module: the bytes of one of the two modules. weights: NAME.weights. */
    constructor(facts, module, weights, relaxed) {
        this.facts = facts;
        this.relaxed = relaxed;
        this.exports = new WebAssembly.Instance(new WebAssembly.Module(module)).exports;
        this.weightBytes = new Uint8Array(weights);
        const constant = this.weightBytes.subarray(4 * this.tensorNumbers());
        this.view("weights", Uint8Array, constant.length).set(constant);
        this.classes = Object.fromEntries(facts.outputs.filter((output) => output.classes).map(({ name, classes }) => [name, classes]));
        if (facts.training) this.reset();
    }

    address(name) { return this.exports[`${this.facts.name}_${name}`].value; }

    /* The numbers of all tensors that training changes. */
    tensorNumbers() { return (this.facts.training?.weights ?? []).reduce((sum, { shape }) => sum + count(shape), 0); }

    /* `length` numbers of the memory. */
    view(name, Type, length) { return new Type(this.exports.memory.buffer, this.address(name), length); }

    call(name, ...parameters) { return this.exports[`${this.facts.name}_${name}`](...parameters); }

    /* The numbers of an input, from a number, a name of a category, or an array of them. */
    numbers(input, given) {
        const number = (value) => {
            if (typeof value !== "string") return value ?? (input.type === "int32_t" ? -1 : NaN);
            return input.categories ? input.categories.indexOf(value) : Number(value);
        };
        if (given === undefined) throw new Error(`the input '${input.name}' is missing`);
        return ArrayBuffer.isView(given) ? given : Array.isArray(given) ? given.map(number) : [number(given)];
    }

    /* How many lines of data the inputs have. */
    lines(inputs, given) {
        let lines;
        for (const input of inputs) {
            const length = this.numbers(input, given[input.name]).length / count(input.shape);
            if (!Number.isInteger(length) || (lines ?? length) !== length)
                throw new Error(`the input '${input.name}' has ${this.numbers(input, given[input.name]).length} numbers: ${count(input.shape)} make a row`);
            lines = length;
        }
        return lines;
    }

    /* Copies lines [first, first + lines) of the inputs into the memory; returns the addresses of the arguments. */
    pass(inputs, given, first, lines) {
        const view = new DataView(this.exports.memory.buffer), passed = [], bytes = this.facts.row_bytes;
        const setters = { uint8_t: "setUint8", int32_t: "setInt32", float: "setFloat32", double: "setFloat64" };
        for (const input of inputs) {
            const values = this.numbers(input, given[input.name]), each = count(input.shape), at = this.address(`input_${input.argument}`);
            passed[input.argument] = at;
            if (input.offset === undefined)
                new arrays[input.type](view.buffer, at, lines * each).set(values.slice(first * each, (first + lines) * each));
            else
                for (let i = 0; i < lines; i++) view[setters[input.type]](at + i * bytes + input.offset, values[first + i], true);
        }
        return passed;
    }

    /* The outputs for some rows of inputs, given by name: `net.run({ image })`. Each output is a Float32Array of all rows. Of a
     * series, the rows are those of windows, one after the other. */
    run(given) {
        const { inputs, outputs, functions, window } = this.facts, read = inputs.filter((input) => !input.training);
        const lines = this.lines(read, given), rows = lines / window;
        const results = Object.fromEntries(outputs.map(({ name, shape }) => [name, new Float32Array(rows * count(shape))]));
        const trains = this.facts.training, state = trains ? [this.address("state")] : [], prefix = `${this.facts.name}_run`;
        for (let row = 0; row < rows;) {
            const best = functions.filter((f) => f.rows <= rows - row).sort((a, b) => b.rows - a.rows)[0];
            if (!best || !Number.isInteger(rows)) throw new Error(`${lines} rows are given, but calls take ${functions.map((f) => f.rows * window)}`);
            const passed = this.pass(read, given, row * window, best.rows * window), to = outputs.map((_, i) => this.address(`output_${i}`));
            this.exports[trains ? best.name.replace(prefix, `${prefix}_state`) : best.name](...state, ...passed, ...to, this.address("scratch"));
            for (const [i, { name, shape }] of outputs.entries())
                results[name].set(this.view(`output_${i}`, Float32Array, best.rows * count(shape)), row * count(shape));
            row += best.rows;
        }
        return results;
    }

    /* The class that an output of one row says: the name at its first largest number. Of two classes, an output may have the number
     * of the second one only. */
    className(output, values) {
        const names = this.classes[output], { numbers } = this.facts.outputs.find(({ name }) => name === output);
        if (values.length < names.length) return names[Number(values[0] > (numbers === "probabilities" ? 0.5 : 0))];
        return names[values.indexOf(Math.max(...values))];
    }

    /* -- training -- */

    /* Begins with the weights of the file, and an optimizer that has not seen anything. */
    reset() {
        const numbers = this.tensorNumbers();
        this.call("state_trained", this.address("state"));
        this.setWeights(new Float32Array(this.weightBytes.slice(0, 4 * numbers).buffer));
    }

    /* Begins with the first weights of a training with this seed. */
    fresh(seed = this.facts.training.seed) {
        this.reset();
        let at = 0;
        const values = this.weights();
        for (const tensor of this.facts.training.weights) {
            values.set(firstValues(tensor, seed), at);
            at += count(tensor.shape);
        }
        this.setWeights(values);
        new DataView(this.exports.memory.buffer).setBigUint64(this.address("state") + 16, BigInt(seed), true);
    }

    /* One step of training on facts.training.rows rows, given as for run, with their labels. Returns the loss before it. */
    step(given) {
        const { inputs, training } = this.facts, lines = this.lines(inputs, given);
        if (lines !== training.rows) throw new Error(`a step takes ${training.rows} rows, not ${lines}`);
        const passed = this.pass(inputs, given, 0, lines), status = this.call("step", this.address("state"), ...passed, this.address("loss"), this.address("scratch"));
        if (status === 2) throw new Error("the state was made by another build");
        return this.view("loss", Float32Array, 1)[0];
    }

    /* What training keeps, in bytes: `net.state().slice()` is a copy, `net.state().set(copy)` puts it back. */
    state() { return this.view("state", Uint8Array, this.facts.training.state_bytes); }

    /* All weights, one tensor after the other, as facts.training.weights lists them. */
    weights() {
        this.call("state_weights", this.address("state"), this.address("tensors"));
        return this.view("tensors", Float32Array, this.tensorNumbers()).slice();
    }

    setWeights(values) {
        this.view("tensors", Float32Array, values.length).set(values);
        this.call("state_load", this.address("state"), this.address("tensors"));
    }

    /* A hash of the bits of all weights (FNV-1a, 64 bits): that of `mlc export RUN --to weights.safetensors`. */
    hash() {
        let top = 0xcbf29ce4, low = 0x84222325;
        for (let bits of new Uint32Array(this.weights().buffer)) {
            if ((bits & 0x7fffffff) > 0x7f800000) bits = 0x7fc00000; /* all NaNs count as one */
            for (let shift = 0; shift < 32; shift += 8) {
                low = (low ^ (bits >>> shift & 255)) >>> 0;
                const product = low * 0x1b3;
                top = (top * 0x1b3 + low * 256 + Math.floor(product / 2 ** 32)) % 2 ** 32;
                low = product >>> 0;
            }
        }
        return top.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
    }

    /* The weights as the bytes of a .safetensors file, the same as mlc writes. */
    safetensors() {
        const header = { __metadata__: { format: "pt", model: this.facts.model } }, weights = this.weights();
        let at = 0;
        for (const { name, shape } of this.facts.training.weights)
            header[name] = { dtype: "F32", shape, data_offsets: [at, at += 4 * count(shape)] };
        let text = JSON.stringify(header);
        text += " ".repeat(-new TextEncoder().encode(text).length & 7);
        const bytes = new TextEncoder().encode(text), file = new Uint8Array(8 + bytes.length + at);
        new DataView(file.buffer).setBigUint64(0, BigInt(bytes.length), true);
        file.set(bytes, 8);
        file.set(new Uint8Array(weights.buffer), 8 + bytes.length);
        return file;
    }

    /* Takes the weights of a .safetensors file, and begins a training with them. */
    openSafetensors(bytes) {
        const file = new Uint8Array(bytes);
        const wrong = (text) => { throw new Error(`the file ${text}`); };
        if (file.length < 8) wrong("is too short for .safetensors");
        const length = Number(new DataView(file.buffer).getBigUint64(0, true));
        if (length > file.length - 8) wrong("is no .safetensors file");
        let header;
        try { header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length))); } catch { wrong("has no header in JSON"); }
        const values = this.weights(), data = file.slice(8 + length);
        let at = 0;
        for (const { name, shape } of this.facts.training.weights) {
            const tensor = header[name] ?? wrong(`has no tensor '${name}'`), [from, to] = tensor.data_offsets ?? [0, 0];
            if (tensor.dtype !== "F32" || `${tensor.shape}` !== `${shape}` || to - from !== 4 * count(shape) || from < 0 || to > data.length)
                wrong(`has '${name}' as ${tensor.dtype}[${tensor.shape}], not F32[${shape}]`);
            values.set(new Float32Array(data.slice(from, to).buffer), at);
            at += count(shape);
        }
        this.reset();
        this.setWeights(values);
    }

    /* -- test -- */

    /* Runs the examples of NAME_test.json and compares every bit. Returns lines of text, and whether all is equal. */
    selfTest({ rows, inputs, outputs, losses, hash, trained }) {
        const unpack = (text, Type) => new Type(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer), texts = [];
        const given = Object.fromEntries(this.facts.inputs.map(({ name, type }) => [name, unpack(inputs[name], arrays[type])]));
        const { window, training } = this.facts, read = this.facts.inputs.filter((input) => !input.training);
        const bits = (values) => new Uint32Array(values.buffer).map((b) => ((b & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : b));
        const equalRows = (expected) => {
            let equal = 0;
            for (let row = 0; row < rows; row++) {
                const part = Object.fromEntries(read.map(({ name, shape }) => [name, given[name].slice(row * count(shape), (row + window) * count(shape))]));
                const got = this.runOne(part);
                equal += this.facts.outputs.every(({ name, shape }) => {
                    const wanted = unpack(expected[name], Uint32Array).subarray(row * count(shape), (row + 1) * count(shape));
                    return bits(got[name]).every((value, i) => value === wanted[i]);
                });
            }
            return equal;
        };
        let good = true;
        const report = (what, equal, all) => { texts.push(`${this.facts.name}_${what}: ${equal} of ${all} bit-equal`); good &&= equal === all; };
        const kept = training && this.state().slice();
        if (training) this.reset();
        report("run: rows", equalRows(outputs), rows);
        if (training) {
            const steps = losses.map((_, step) => this.step(Object.fromEntries(this.facts.inputs.map(({ name, shape }) => {
                const each = count(shape), batch = new given[name].constructor(training.rows * each);
                for (let i = 0; i < training.rows; i++) {
                    const row = (step * training.rows + i) % rows;
                    batch.set(given[name].subarray(row * each, (row + 1) * each), i * each);
                }
                return [name, batch];
            }))));
            report("step: losses", bits(Float32Array.from(steps)).reduce((sum, value, i) => sum + (value === losses[i]), 0), losses.length);
            report("step: weights", Number(this.hash() === hash), 1);
            report("run: rows after the steps", equalRows(trained), rows);
            this.state().set(kept);
        }
        return { good, texts };
    }

    /* One row by the function that takes the fewest rows: all its rows are this one. */
    runOne(part) {
        const least = Math.min(...this.facts.functions.map((f) => f.rows)), read = this.facts.inputs.filter((input) => !input.training);
        const many = Object.fromEntries(read.map(({ name }) => {
            const all = new part[name].constructor(part[name].length * least);
            for (let i = 0; i < least; i++) all.set(part[name], i * part[name].length);
            return [name, all];
        }));
        return Object.fromEntries(Object.entries(this.run(many)).map(([name, values]) => [name, values.slice(0, values.length / least)]));
    }
}

/* Makes a network of the bytes of its parts: { relaxed, exact, weights }. The two modules give the same bits. The relaxed one is
 * faster, and is taken where this machine's relaxed multiply-add rounds once. */
export function open(parts, { relaxed = fusesWhenRelaxed() } = {}) {
    return new Net(facts, relaxed ? parts.relaxed : parts.exact, parts.weights, relaxed);
}
