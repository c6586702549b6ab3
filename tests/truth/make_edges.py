#!/usr/bin/env python3
"""Makes tests/truth/edges.txt: values and derivatives of the library's functions at the edges of their range, by mpmath.

    pip install mpmath                       (the tests themselves only read the file)
    python3 tests/truth/make_edges.py

A case is a line "function VALUE GRADIENT text": the largest errors allowed, in ulp, and the expression in x. 48 lines "x value
gradient" follow: x in f32, the others to 17 digits, where a derivative by x that does not exist is `nan`. Pairs of operands are
written into the expression: pow and % take their second operand from a list.

A case "rows INPUTS OUTPUTS VALUE GRADIENT text" is of a function of several numbers: each of its 48 lines has a row of x, the values, and the
derivatives of their sum, each times its seed (1, -0.5, 0.25, 2), by each number of the row. A limit that ends in "r" is in ulp of the largest of
the row: where numbers of both signs are added, a result near 0 has the error of the others."""
import os
import struct

import mpmath
from mpmath import mpf

mpmath.mp.prec = 1000
FOLDER = os.path.dirname(os.path.abspath(__file__))
INF, NAN = mpmath.inf, mpmath.nan
COUNT = 48


def single(value):
    """The nearest f32, as a Python number."""
    return struct.unpack("f", struct.pack("f", value))[0]


SIZES = [0.0, 2.0 ** -149, 2.0 ** -126, 1e-30, 1e-20, 1e-10, 1e-4, 0.01, 0.1, 0.5, 1.0, 1.75, 2.5, 3.5, 5.0, 7.0, 9.5, 12.0, 16.0,
         20.0, 50.0, 88.0, 103.0, 3e38]
BOTH = [sign * size for size in SIZES for sign in (1.0, -1.0)]
MORE = [0.3, 0.7, 0.9, 0.99, 1.01, 1.3, 3.0, 4.0, 6.0, 8.0, 10.0, 15.0, 30.0, 60.0, 87.0, 89.0, 100.0, 1e4, 1e8, 1e12, 1e20, 1e30, 1e38,
        2.0 ** 127]
POSITIVE = SIZES + MORE
NEAR_ONE = [1 - 2.0 ** -k for k in range(1, 25)] + [2.0 ** -k for k in (3, 5, 7, 10, 14, 20, 30, 40, 60, 80, 100, 126)] + \
           [0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9, 0.35, 0.65, 0.05, 0.95]
ABOVE_MINUS_ONE = [-x for x in NEAR_ONE[:24]] + SIZES[:22] + [1e8, 1e30]
ANGLES = BOTH[:44] + [-100.0, 1e3, -1e4, 1e6]


def sigmoid(x):
    return 1 / (1 + mpmath.exp(-x))


def normal(x):
    return mpmath.erfc(-x / mpmath.sqrt(2)) / 2


def bell(x):
    return mpmath.exp(-x * x / 2) / mpmath.sqrt(2 * mpmath.pi)


ROOT = mpmath.sqrt(2 / mpmath.pi)


def tanh_argument(x):
    return 2 * ROOT * (x + mpf("0.044715") * x ** 3)


def gelu_tanh_slope(x):
    s, rest = sigmoid(tanh_argument(x)), sigmoid(-tanh_argument(x))
    return s + x * s * rest * 2 * ROOT * (1 + 3 * mpf("0.044715") * x ** 2)


def power(exponent):
    e = mpf(single(exponent))

    def value(x):
        return x ** e if x != 0 or e > 0 else INF

    def slope(x):
        return e * value_of(x, e - 1)

    def value_of(x, e):
        return x ** e if x != 0 or e > 0 else INF if e < 0 else mpf(1)
    return value, slope


def step(x):
    return mpf(1) if x > 0 else mpf(0)


def half_step(x):
    return mpf(1) if x > 0 else mpf(0) if x < 0 else mpf(1) / 2


# Expression, values of x, f, its derivative, errors in ulp of value and derivative.
CASES = [
    ("exp(x)", BOTH, mpmath.exp, mpmath.exp, 1, 1),
    ("expm1(x)", BOTH, mpmath.expm1, mpmath.exp, 1.5, 1),
    ("log(x)", POSITIVE, lambda x: mpmath.log(x) if x else -INF, lambda x: 1 / x if x else INF, 1, 1),
    ("log1p(x)", ABOVE_MINUS_ONE, mpmath.log1p, lambda x: 1 / (1 + x), 1.2, 1),
    ("sqrt(x)", POSITIVE, mpmath.sqrt, lambda x: 1 / (2 * mpmath.sqrt(x)) if x else INF, 0.5, 1.5),
    ("tanh(x)", BOTH, mpmath.tanh, lambda x: mpmath.sech(x) ** 2, 2.5, 3.5),
    ("sigmoid(x)", BOTH, sigmoid, lambda x: sigmoid(x) * sigmoid(-x), 2.5, 3.5),
    ("erf(x)", BOTH, mpmath.erf, lambda x: 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-x * x), 1.7, 3),
    ("sin(x)", ANGLES, mpmath.sin, mpmath.cos, 2.7, 2.7),
    ("cos(x)", ANGLES, mpmath.cos, lambda x: -mpmath.sin(x), 2.7, 2.7),
    ("relu(x)", BOTH, lambda x: max(x, mpf(0)), step, 0, 0),
    ("abs(x)", BOTH, abs, lambda x: mpf(mpmath.sign(x)), 0, 0),
    ("floor(x)", BOTH, mpmath.floor, lambda x: mpf(0), 0, 0),
    ("round(x)", BOTH, mpmath.nint, lambda x: mpf(0), 0, 0),
    ("rint(x)", BOTH, mpmath.nint, lambda x: mpf(0), 0, 0),
    ("sign(x)", BOTH, lambda x: mpf(mpmath.sign(x)), lambda x: mpf(0), 0, 0),
    ("max(x, 1.75)", BOTH, lambda x: max(x, mpf(1.75)), lambda x: half_step(x - mpf(1.75)), 0, 0),
    ("min(x, 1.75)", BOTH, lambda x: min(x, mpf(1.75)), lambda x: half_step(mpf(1.75) - x), 0, 0),
    ("clip(x, -1.0, 2.5)", BOTH, lambda x: min(max(x, mpf(-1)), mpf(2.5)), lambda x: mpf(1 if -1 <= x <= 2.5 else 0), 0, 0),
    ("leaky_relu(x, 0.25)", BOTH, lambda x: x if x > 0 else x / 4, lambda x: mpf(1 if x > 0 else 0.25), 0.5, 0),
    ("elu(x)", BOTH, lambda x: x if x > 0 else mpmath.expm1(x), lambda x: mpf(1) if x > 0 else mpmath.exp(x), 1.5, 1),
    ("softplus(x)", BOTH, lambda x: mpmath.log1p(mpmath.exp(-abs(x))) + max(x, 0), sigmoid, 2.5, 3),
    ("silu(x)", BOTH, lambda x: x * sigmoid(x), lambda x: sigmoid(x) + x * sigmoid(x) * sigmoid(-x), 3, 4),
    ("normal_cdf(x)", BOTH, normal, bell, 6, 3),
    ("gelu(x)", BOTH, lambda x: x * normal(x), lambda x: normal(x) + x * bell(x), 6, 12),
    ("gelu_tanh(x)", BOTH, lambda x: x * sigmoid(tanh_argument(x)), gelu_tanh_slope, 40, 60),
    ("1.0 / x", POSITIVE[1:] + [25.0], lambda x: 1 / x, lambda x: -1 / x ** 2, 0.5, 2),
    ("x ** 2", BOTH, lambda x: x * x, lambda x: 2 * x, 0.5, 0.5),
    ("x ** 3", BOTH, lambda x: x ** 3, lambda x: 3 * x * x, 1.5, 2),
    ("2.0 ** x", BOTH, lambda x: mpf(2) ** x, lambda x: mpmath.log(2) * mpf(2) ** x, 3, 4),
    ("x % 0.75", BOTH, lambda x: x - mpf(0.75) * mpmath.floor(x / mpf(0.75)), lambda x: mpf(1), 0.5, 0),
    ("x % -3.0", BOTH, lambda x: x + 3 * mpmath.floor(x / -3), lambda x: mpf(1), 0.5, 0),
    ("norm(unsqueeze(x, 1), axis = 1)", BOTH, abs, lambda x: mpf(mpmath.sign(x)), 0.5, 1),
]
for exponent, value_ulp, slope_ulp in [(-1.0, 0.5, 2), (-2.0, 3, 5), (-3.0, 3, 5), (-0.5, 2, 3), (0.5, 0.5, 1.5), (1.5, 3, 2), (2.5, 3, 5),
                                       (0.3, 3, 4), (-0.7, 3, 4), (7.0, 3, 5), (10.0, 3, 5)]:
    CASES.append((f"x ** {exponent!r}", POSITIVE, *power(exponent), value_ulp, slope_ulp))


def log_or(x):
    return max(mpmath.log(x), mpf(-100)) if x > 0 else mpf(-100)


def logistic(t):
    t = mpf(single(t))
    return (lambda x: max(x, 0) * (1 - t) + max(-x, 0) * t + mpmath.log1p(mpmath.exp(-abs(x))),
            lambda x: sigmoid(x) * (1 - t) - sigmoid(-x) * t)


# Losses of single elements, whose mean is the element.
for target in (0.0, 1.0, 0.25):
    CASES.append((f"loss bce_logits(row, expand({target!r}, [N]))", BOTH, *logistic(target), 3, 8))
CASES.append(("loss bce(row, expand(0.0, [N]))", NEAR_ONE, lambda p: -mpmath.log1p(-p), lambda p: 1 / (1 - p), 1.5, 1.5))
CASES.append(("loss bce(row, expand(1.0, [N]))", NEAR_ONE, lambda p: -mpmath.log(p), lambda p: -1 / p, 1.5, 1.5))
CASES.append(("cut_log(x)", POSITIVE, log_or, lambda x: 1 / x if x and log_or(x) > -100 else mpf(0), 1, 1))
CASES.append(("loss mse(row, expand(0.0, [N]))", BOTH, lambda x: x * x, lambda x: 2 * x, 0.5, 0.5))
CASES.append(("loss mae(row, expand(1.75, [N]))", BOTH, lambda x: abs(x - mpf(1.75)), lambda x: mpf(mpmath.sign(x - mpf(1.75))), 0.5, 0))
CASES.append(("loss huber(row, expand(0.0, [N]))", BOTH, lambda x: x * x / 2 if abs(x) <= 1 else abs(x) - mpf(0.5),
              lambda x: x if abs(x) <= 1 else mpf(mpmath.sign(x)), 1, 1.1))


# -- functions of several numbers --

SEEDS = [mpf(1), mpf(-0.5), mpf(0.25), mpf(2)]


def weighted(values):
    return sum((seed * value for seed, value in zip(SEEDS, values)), mpf(0))


def slopes(function, row):
    """Central differences, so close that the third derivative does not count: of smooth functions only."""
    step = max(abs(x) for x in row) * mpf(2) ** -200 or mpf(2) ** -400
    result = []
    for i in range(len(row)):
        up, down = list(row), list(row)
        up[i], down[i] = row[i] + step, row[i] - step
        result.append((weighted(function(up)) - weighted(function(down))) / (2 * step))
    return result


def softmax(row):
    powers = [mpmath.exp(x - max(row)) for x in row]
    return [p / sum(powers) for p in powers]


def log_softmax(row):
    total = mpmath.log(sum(mpmath.exp(x) for x in row))
    return [x - total for x in row]


def mean(row):
    return sum(row) / len(row)


def variance(row):
    return sum((x - mean(row)) ** 2 for x in row) / (len(row) - 1)


def norm(row):
    return mpmath.sqrt(sum(x * x for x in row))


def normalized(row):
    scale = mpmath.sqrt(sum((x - mean(row)) ** 2 for x in row) / len(row) + mpf(single(1e-5)))
    return [(x - mean(row)) / scale for x in row]


def running(row):
    return [sum(row[:i + 1]) for i in range(len(row))]


def ratios(count):
    """Gaps between logits: 48 rows of `count` numbers, the largest at each place, ties, and offsets."""
    gaps = [0.0, 1e-30, 1e-6, 0.01, 0.3, 0.7, 1.0, 2.0, 4.0, 8.0, 12.0, 16.0, 17.0, 20.0, 25.0, 30.0, 50.0, 70.0, 86.0, 87.5, 95.0, 102.0, 104.0, 120.0]
    rows = []
    for i, gap in enumerate(gaps):
        row = [-gap * (1 + 0.125 * j) for j in range(count)]
        rows.append(row[i % count:] + row[:i % count])
        offset = [0.0, 5.0, -300.0, 1e4][i % 4]
        rows.append([offset + gap if j == i % count else offset for j in range(count)])
    return rows


def sizes(pattern, low, high, offsets=()):
    """One pattern at 48 sizes, from 10 ** low to 10 ** high, the last of them with an offset."""
    rows = []
    for i in range(COUNT - len(offsets)):
        scale = 10.0 ** (low + (high - low) * i / (COUNT - len(offsets) - 1))
        row = [x * scale for x in pattern]
        rows.append(row[i % len(row):] + row[:i % len(row)])
    return rows + [[offset + x for x in pattern] for offset in offsets]


def pairs(first, second):
    """48 pairs of numbers of two lists, so that every number of both occurs."""
    return [(first[i % len(first)], second[(i * 5 + i // len(first)) % len(second)]) for i in range(COUNT)]


def one(function):
    return lambda row: [function(row)]


ROWS = [3.0, -4.0, 2.5, 0.7]
ONE_SIGN = [3.0, 4.0, 1.0, 0.5]
OFFSETS = (1.0, 100.0, -1e3, 1e4, 1e5, -1e6)
POWER_BASES = [2.0 ** -149, 1e-30, 1e-10, 0.01, 0.5, 0.9, 0.99, 1.01, 1.3, 2.0, 7.0, 100.0, 1e6, 1e10, 1e30, 3e38]
EXPONENTS = [0.3, -0.7, 1.5, -1.3, 2.0, 0.1, -0.1, 3.7, 0.01, -2.5, 1.0]
DIVISORS = [1.0, -1.75, 0.1, 3.0, -1e-10, 1e10, 7.5, -0.3, 100.0]
NUMERATORS = [1e-30, -1e-10, 0.01, -0.1, 0.5, 1.0, -2.5, 7.0, 50.0, -103.0, 1e6, -1e10]
TARGETS = [0.0, 1.0, 0.25, 0.9, 0.5]


def fixed(value, slope):
    """A function with its derivatives, where differences do not do: kinks, ties."""
    return (value, slope)


def extreme(choose):
    def slope(row):
        best = choose(row)
        ties = sum(x == best for x in row)
        return [mpf(1) / ties if x == best else mpf(0) for x in row]
    return fixed(one(choose), slope)


def deviation_slopes(row):
    return slopes(one(lambda r: mpmath.sqrt(variance(r))), row) if variance(row) else [mpf(0)] * len(row)


def norm_slopes(row):
    return [x / norm(row) if norm(row) else mpf(0) for x in row]


def bce(row):
    p, t = row
    return [-(t * log_or(p) + (1 - t) * log_or(1 - p))]


def huber(row):
    d = abs(row[0] - row[1])
    return [d * d / 2 if d <= 1 else d - mpf(0.5)]


def huber_slopes(row):
    d = row[0] - row[1]
    g = d if abs(d) <= 1 else mpf(mpmath.sign(d))
    return [g, -g]


def smooth_entropy(row):
    log_p = log_softmax(row)
    s = mpf(0.25)
    return [-(1 - s) * log_p[1] - s * mean(log_p)]


LOGITS = ratios(4)
VALUES = sizes(ROWS, -38, 37, OFFSETS)
# Expression in x, of [48, inputs]; rows; what it is of one row; errors.
ROW_CASES = [
    ("softmax(x)", LOGITS, softmax, "2", "4r"),
    ("log_softmax(x)", LOGITS, log_softmax, "2", "4r"),
    ("loss cross_entropy(row, label)", LOGITS, one(lambda r: -log_softmax(r)[0]), "2", "4"),
    ("loss nll(log_softmax(row), int(label + 2))", LOGITS, one(lambda r: -log_softmax(r)[2]), "2", "4"),
    ("loss cross_entropy(row, int(label + 1), smooth = 0.25)", LOGITS, smooth_entropy, "3", "4r"),
    ("sum(x, axis = 1)", VALUES, one(sum), "4", "0"),
    ("mean(x, axis = 1)", VALUES, one(mean), "4", "0"),
    ("cumsum(x)", VALUES, running, "0.51", "1"),
    ("prod(x, axis = 1)", sizes(ONE_SIGN, -9, 9), one(mpmath.fprod), "2", "3"),
    ("amax(x, axis = 1)", LOGITS, extreme(max), "0", "0.5"),
    ("amin(x, axis = 1)", LOGITS, extreme(min), "0", "0.5"),
    ("sum(first(x, axis = 1), axis = 1)", VALUES, one(lambda r: r[0]), "0", "0"),
    ("argmax(x) * 1.0", LOGITS, fixed(one(lambda r: mpf(r.index(max(r)))), lambda r: [mpf(0)] * len(r)), "0", "0"),
    ("distances(x, axis = 1)", VALUES, lambda r: [x - mean(r) for x in r], "4r", "4r"),
    ("var(x, axis = 1)", sizes(ROWS, -18, 18, OFFSETS), one(variance), "4", "4r"),
    ("std(x, axis = 1)", VALUES + [], fixed(one(lambda r: mpmath.sqrt(variance(r))), deviation_slopes), "4", "4r"),
    ("norm(x, axis = 1)", VALUES, fixed(one(norm), norm_slopes), "2", "4"),
    ("layer_norm(x, affine = false)", sizes(ROWS, -38, 18, OFFSETS), normalized, "4r", "8r"),
    ("transpose(batch_norm(transpose(x), affine = false))", sizes(ROWS, -38, 18, OFFSETS), normalized, "4r", "8r"),
    ("reshape(max_pool(reshape(x, [48, 1, 2, 2]), 2), [48])", VALUES, one(max), "0", "0"),
    ("reshape(avg_pool(reshape(x, [48, 1, 2, 2]), 2), [48])", VALUES, one(mean), "4", "0"),
    ("sum(global_avg_pool(expand(reshape(x, [1, 48, 2, 2]), [N, 48, 2, 2])), axis = 0)", VALUES, one(mean), "4", "0"),
    ("reshape(dense(x, 1, bias = false, init = ones), [48])", VALUES, one(sum), "4", "0"),
    ("reshape(conv(reshape(x, [48, 1, 2, 2]), 1, 2, bias = false, init = ones), [48])", VALUES, one(sum), "4", "0"),
    ("reshape(depthwise(reshape(x, [48, 1, 2, 2]), 2, bias = false, init = ones), [48])", VALUES, one(sum), "4", "0"),
    ("reshape(conv_transpose(reshape(x, [48, 4, 1, 1]), 1, 1, bias = false, init = ones), [48])", VALUES, one(sum), "4", "0"),
    ("reshape(reshape(x, [48, 1, 4]) @ reshape(x, [48, 4, 1]), [48])", sizes(ROWS, -18, 18, OFFSETS), one(lambda r: sum(x * x for x in r)), "2", "1"),
    ("x[:, 0] ** x[:, 1]", pairs(POWER_BASES, EXPONENTS), one(lambda r: r[0] ** r[1]), "3", "4"),
    ("x[:, 0] / x[:, 1]", pairs(NUMERATORS, DIVISORS), one(lambda r: r[0] / r[1]), "0.5", "2"),
    ("x[:, 0] * x[:, 1]", pairs(NUMERATORS, DIVISORS), one(lambda r: r[0] * r[1]), "0.5", "0"),
    ("fma(x[:, 0], x[:, 1], 1.0)", pairs(NUMERATORS, DIVISORS), one(lambda r: r[0] * r[1] + 1), "0.5", "0"),
    ("x[:, 0] % x[:, 1]", pairs(NUMERATORS, DIVISORS), fixed(one(lambda r: r[0] - r[1] * mpmath.floor(r[0] / r[1])),
                                                             lambda r: [mpf(1), -mpmath.floor(r[0] / r[1])]), "0.5", "1"),
    ("max(x[:, 0], x[:, 1])", pairs(NUMERATORS, NUMERATORS[:7] + [0.0]), extreme(max), "0", "0"),
    ("min(x[:, 0], x[:, 1])", pairs(NUMERATORS, NUMERATORS[:7] + [0.0]), extreme(min), "0", "0"),
    ("select(x[:, 0] > x[:, 1], x[:, 0], 2.0 * x[:, 1])", pairs(NUMERATORS, DIVISORS),
     one(lambda r: r[0] if r[0] > r[1] else 2 * r[1]), "0", "0"),
    ("loss mse(row[:, 0], row[:, 1])", pairs(NUMERATORS, DIVISORS), one(lambda r: (r[0] - r[1]) ** 2), "2", "1"),
    ("loss mae(row[:, 0], row[:, 1])", pairs(NUMERATORS, DIVISORS), fixed(one(lambda r: abs(r[0] - r[1])), lambda r: [
        mpf(mpmath.sign(r[0] - r[1])), mpf(mpmath.sign(r[1] - r[0]))]), "0.5", "0"),
    ("loss huber(row[:, 0], row[:, 1])", pairs(NUMERATORS, DIVISORS), fixed(huber, huber_slopes), "2", "1"),
    ("loss bce(row[:, 0], row[:, 1])", pairs(NEAR_ONE, TARGETS), bce, "2", "4r"),
    ("loss bce_logits(row[:, 0], row[:, 1])", pairs(BOTH[2:], TARGETS),
     fixed(one(lambda r: max(r[0], 0) * (1 - r[1]) + max(-r[0], 0) * r[1] + mpmath.log1p(mpmath.exp(-abs(r[0])))),
           lambda r: [sigmoid(r[0]) * (1 - r[1]) - sigmoid(-r[0]) * r[1], -r[0]]), "3", "8"),
]


def text(value):
    if mpmath.isnan(value):
        return "nan"
    if mpmath.isinf(value):
        return "inf" if value > 0 else "-inf"
    return mpmath.nstr(value, 17, min_fixed=0, max_fixed=0) if abs(value) > 1e-300 else "0"


def write_points(out):
    for expression, points, value, slope, value_ulp, slope_ulp in CASES:
        points = [single(x) for x in points]
        assert len(points) == COUNT, (expression, len(points))
        out.write(f"function {value_ulp} {slope_ulp} {expression}\n")
        for x in points:
            out.write(f"{x!r} {text(value(mpf(x)))} {text(slope(mpf(x)))}\n")


def write_rows(out):
    for expression, rows, function, value_ulp, slope_ulp in ROW_CASES:
        value, slope = function if isinstance(function, tuple) else (function, lambda row: slopes(function, row))
        assert len(rows) == COUNT, (expression, len(rows))
        rows = [[mpf(single(x)) for x in row] for row in rows]
        out.write(f"rows {len(rows[0])} {len(value(rows[0]))} {value_ulp} {slope_ulp} {expression}\n")
        for row in rows:
            numbers = [repr(float(x)) for x in row] + [text(y) for y in value(row) + slope(row)]
            out.write(" ".join(numbers) + "\n")


def main():
    with open(os.path.join(FOLDER, "edges.txt"), "w") as out:
        out.write("# x, f(x) and its derivative. Made by make_edges.py with mpmath.\n")
        write_points(out)
        write_rows(out)


if __name__ == "__main__":
    main()
