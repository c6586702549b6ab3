#!/usr/bin/env python3
"""Makes tests/truth/edges.txt: values and derivatives of the library's functions at the edges of their range, by mpmath.

    pip install mpmath                       (the tests themselves only read the file)
    python3 tests/truth/make_edges.py

A case is a line "function VALUE GRADIENT text": the largest errors allowed, in ulp, and the expression in x. 48 lines "x value
gradient" follow: x in f32, the others to 17 digits, where a derivative by x that does not exist is `nan`. Pairs of operands are
written into the expression: pow and % take their second operand from a list."""
import os
import struct

import mpmath
from mpmath import mpf

mpmath.mp.prec = 400
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
    ("tanh(x)", BOTH, mpmath.tanh, lambda x: mpmath.sech(x) ** 2, 2.5, 7),
    ("sigmoid(x)", BOTH, sigmoid, lambda x: sigmoid(x) * sigmoid(-x), 2.5, 6),
    ("erf(x)", BOTH, mpmath.erf, lambda x: 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-x * x), 1.7, 3),
    ("sin(x)", ANGLES, mpmath.sin, mpmath.cos, 2.7, 2.7),
    ("cos(x)", ANGLES, mpmath.cos, lambda x: -mpmath.sin(x), 2.7, 2.7),
    ("relu(x)", BOTH, lambda x: max(x, mpf(0)), step, 0, 0),
    ("abs(x)", BOTH, abs, lambda x: mpf(mpmath.sign(x)), 0, 0),
    ("floor(x)", BOTH, mpmath.floor, lambda x: mpf(0), 0, 0),
    ("round(x)", BOTH, mpmath.nint, lambda x: mpf(0), 0, 0),
    ("sign(x)", BOTH, lambda x: mpf(mpmath.sign(x)), lambda x: mpf(0), 0, 0),
    ("max(x, 1.75)", BOTH, lambda x: max(x, mpf(1.75)), lambda x: half_step(x - mpf(1.75)), 0, 0),
    ("min(x, 1.75)", BOTH, lambda x: min(x, mpf(1.75)), lambda x: half_step(mpf(1.75) - x), 0, 0),
    ("clip(x, -1.0, 2.5)", BOTH, lambda x: min(max(x, mpf(-1)), mpf(2.5)), lambda x: mpf(1 if -1 <= x <= 2.5 else 0), 0, 0),
    ("leaky_relu(x, 0.25)", BOTH, lambda x: x if x > 0 else x / 4, lambda x: mpf(1 if x > 0 else 0.25), 0.5, 0),
    ("elu(x)", BOTH, lambda x: x if x > 0 else mpmath.expm1(x), lambda x: mpf(1) if x > 0 else mpmath.exp(x), 1.5, 1),
    ("softplus(x)", BOTH, lambda x: mpmath.log1p(mpmath.exp(-abs(x))) + max(x, 0), sigmoid, 2.5, 3),
    ("silu(x)", BOTH, lambda x: x * sigmoid(x), lambda x: sigmoid(x) + x * sigmoid(x) * sigmoid(-x), 40, 40),
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
                                       (0.3, 3, 30), (-0.7, 3, 50), (7.0, 3, 5), (10.0, 3, 5)]:
    CASES.append((f"x ** {exponent!r}", POSITIVE, *power(exponent), value_ulp, slope_ulp))


def log_or(x):
    return max(mpmath.log(x), mpf(-100)) if x > 0 else mpf(-100)


def logistic(t):
    t = mpf(single(t))
    return (lambda x: max(x, 0) * (1 - t) + max(-x, 0) * t + mpmath.log1p(mpmath.exp(-abs(x))),
            lambda x: sigmoid(x) * (1 - t) - sigmoid(-x) * t)


# Losses of single elements, whose mean is the element.
for target in (0.0, 1.0, 0.25):
    CASES.append((f"loss bce_logits {target!r}", BOTH, *logistic(target), 3, 8))
CASES.append(("loss bce 0.0", NEAR_ONE, lambda p: -mpmath.log1p(-p), lambda p: 1 / (1 - p), 1.5, 1.5))
CASES.append(("loss bce 1.0", NEAR_ONE, lambda p: -mpmath.log(p), lambda p: -1 / p, 1.5, 1.5))
CASES.append(("loss mse 0.0", BOTH, lambda x: x * x, lambda x: 2 * x, 0.5, 0.5))
CASES.append(("loss mae 1.75", BOTH, lambda x: abs(x - mpf(1.75)), lambda x: mpf(mpmath.sign(x - mpf(1.75))), 0.5, 0))
CASES.append(("loss huber 0.0", BOTH, lambda x: x * x / 2 if abs(x) <= 1 else abs(x) - mpf(0.5),
              lambda x: x if abs(x) <= 1 else mpf(mpmath.sign(x)), 1, 1.1))


def text(value):
    if mpmath.isnan(value):
        return "nan"
    if mpmath.isinf(value):
        return "inf" if value > 0 else "-inf"
    return mpmath.nstr(value, 17, min_fixed=0, max_fixed=0) if value else "0"


def main():
    with open(os.path.join(FOLDER, "edges.txt"), "w") as out:
        out.write("# x, f(x) and its derivative. Made by make_edges.py with mpmath.\n")
        for expression, points, value, slope, value_ulp, slope_ulp in CASES:
            points = [single(x) for x in points]
            assert len(points) == COUNT, (expression, len(points))
            out.write(f"function {value_ulp} {slope_ulp} {expression}\n")
            for x in points:
                out.write(f"{x!r} {text(value(mpf(x)))} {text(slope(mpf(x)))}\n")


if __name__ == "__main__":
    main()
