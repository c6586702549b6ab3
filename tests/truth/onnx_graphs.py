#!/usr/bin/env python3
"""Makes the ONNX files of tests/onnx that are graphs as other exporters write them, and what they answer.

    onnx_graphs.py DIR      needs onnx, onnxruntime and numpy from PyPI

For each NAME: NAME.onnx, NAME.npy (the rows), NAME.txt (the answers: a line for each row; of classes their probabilities).
"""
import sys

import numpy
import onnx
import onnx.reference
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

random = numpy.random.default_rng(7)


def tensor(name, *shape):
    return numpy_helper.from_array(random.normal(0, 0.5, shape).astype("f4"), name)


def given(name, values, dtype="f4"):
    return numpy_helper.from_array(numpy.array(values, dtype), name)


def model(nodes, tensors, x, y, opset, ml=False, functions=(), ir=8, producer="", inputs=()):
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", *x), *inputs], y, tensors)
    opsets = [helper.make_opsetid("", opset)] + [helper.make_opsetid("ai.onnx.ml", 1)] * ml
    opsets += [helper.make_opsetid("pkg.local", 1)] if functions else []
    result = helper.make_model(graph, opset_imports=opsets, functions=list(functions), producer_name=producer)
    result.ir_version = ir
    return result


def out(name, *shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def nhwc():
    """As tf2onnx: pictures with channels last, SAME_UPPER with stride 2, a transpose before and after."""
    node = helper.make_node
    nodes = [node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2]), node("Conv", ["t", "k"], ["c"], strides=[2, 2], auto_pad="SAME_UPPER", kernel_shape=[3, 3]),
             node("Transpose", ["c"], ["c2"], perm=[0, 2, 3, 1]), node("Transpose", ["c2"], ["c3"], perm=[0, 3, 1, 2]), node("Add", ["c3", "b"], ["cb"]),
             node("Relu", ["cb"], ["r"]), node("MaxPool", ["r"], ["p"], kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_UPPER"),
             node("Transpose", ["p"], ["q"], perm=[0, 2, 3, 1]), node("Reshape", ["q", "s"], ["f"]), node("MatMul", ["f", "w"], ["m"]),
             node("Add", ["m", "wb"], ["y"])]
    tensors = [tensor("k", 4, 2, 3, 3), tensor("b", 1, 4, 1, 1), given("s", [-1, 16], "i8"), tensor("w", 16, 3), tensor("wb", 3)]
    return model(nodes, tensors, (TensorProto.FLOAT, ["unk__6", 8, 8, 2]), [out("y", "unk__7", 3)], 13, producer="tf2onnx"), (4, 8, 8, 2)


def sklearn():
    """As skl2onnx: a scaler, a perceptron of two classes, labels and a ZipMap behind it. Nodes are not sorted."""
    node = helper.make_node
    nodes = [node("Scaler", ["x"], ["s"], domain="ai.onnx.ml", offset=[0.5, -0.25, 1.0], scale=[2.0, 0.5, 1.5]), node("Cast", ["s"], ["c"], to=TensorProto.FLOAT),
             node("ZipMap", ["probabilities"], ["output_probability"], domain="ai.onnx.ml", classlabels_strings=["no", "yes"]),
             node("MatMul", ["c", "w1"], ["m1"]), node("Add", ["m1", "b1"], ["a1"]), node("Relu", ["a1"], ["h1"]), node("MatMul", ["h1", "w2"], ["m2"]),
             node("Add", ["m2", "b2"], ["a2"]), node("Sigmoid", ["a2"], ["p"]), node("Sub", ["one", "p"], ["n"]),
             node("Concat", ["n", "p"], ["probabilities"], axis=1), node("ArgMax", ["probabilities"], ["best"], axis=1),
             node("ArrayFeatureExtractor", ["classes", "best"], ["picked"], domain="ai.onnx.ml"), node("Cast", ["picked"], ["output_label"], to=TensorProto.INT64)]
    tensors = [tensor("w1", 3, 5), tensor("b1", 1, 5), tensor("w2", 5, 1), tensor("b2", 1, 1), given("one", [1.0]), given("classes", [0, 1], "i8")]
    outputs = [out("output_label", "N", kind=TensorProto.INT64), helper.make_value_info("output_probability", helper.make_sequence_type_proto(
        helper.make_map_type_proto(TensorProto.STRING, helper.make_tensor_type_proto(TensorProto.FLOAT, [])))) ]
    return model(nodes, tensors, (TensorProto.FLOAT, ["N", 3]), outputs, 12, ml=True, producer="skl2onnx"), (4, 3)


def dynamo():
    """As torch's exporter of today: opset 18, a local function, axes as inputs, Transpose and MatMul for Linear."""
    node = helper.make_node
    linear = helper.make_function("pkg.local", "torch_nn_linear", ["x", "w", "b"], ["y"],
                                  [node("Transpose", ["w"], ["t"], perm=[1, 0]), node("MatMul", ["x", "t"], ["m"]), node("Add", ["m", "b"], ["y"])],
                                  [helper.make_opsetid("", 18)])
    nodes = [node("torch_nn_linear", ["x", "fc1.weight", "fc1.bias"], ["h"], domain="pkg.local"), node("Gelu", ["h"], ["g"], domain=""),
             node("ReduceMean", ["g", "axes"], ["r"], keepdims=0), node("torch_nn_linear", ["r", "fc2.weight", "fc2.bias"], ["y"], domain="pkg.local")]
    tensors = [tensor("fc1.weight", 6, 4), tensor("fc1.bias", 6), tensor("fc2.weight", 3, 6), tensor("fc2.bias", 3), helper.make_tensor("axes", TensorProto.INT64, [1], [1])]
    return model(nodes, tensors, (TensorProto.FLOAT, ["s0", 5, 4]), [out("y", "s0", 3)], 20, functions=[linear], ir=10, producer="pytorch"), (4, 5, 4)


def quantized():
    """QDQ as onnxruntime's quantizer writes it: signed 8-bit numbers, weights for each channel."""
    node = helper.make_node
    nodes = [node("QuantizeLinear", ["x", "xs", "xz"], ["xq"]), node("DequantizeLinear", ["xq", "xs", "xz"], ["xd"]),
             node("DequantizeLinear", ["wq", "ws", "wz"], ["w"], axis=0), node("Gemm", ["xd", "w", "b"], ["g"], transB=1),
             node("QuantizeLinear", ["g", "gs", "gz"], ["gq"]), node("DequantizeLinear", ["gq", "gs", "gz"], ["y"])]
    tensors = [given("xs", 0.03), given("xz", 5, "i1"), given("wq", random.integers(-127, 128, (3, 6)), "i1"), given("ws", [0.01, 0.02, 0.015]),
               given("wz", [0, 0, 0], "i1"), tensor("b", 3), given("gs", 0.05), given("gz", -3, "i1")]
    return model(nodes, tensors, (TensorProto.FLOAT, ["N", 6]), [out("y", "N", 3)], 13), (4, 6)


def shapes():
    """A Shape chain, an open axis beside one of the size of the batch, and a reshape with the size of the batch in it. Tensors are listed as inputs (IR version 3)."""
    node = helper.make_node
    nodes = [node("Shape", ["x"], ["s"]), node("Gather", ["s", "zero"], ["n"]), node("Unsqueeze", ["n"], ["n1"], axes=[0]),
             node("Concat", ["n1", "rest"], ["to"], axis=0), node("Reshape", ["x", "open"], ["o"]), node("Add", ["o", "x"], ["sum"]), node("Reshape", ["sum", "to"], ["f"]),
             node("Gemm", ["f", "w", "b"], ["y"], alpha=0.5, beta=2.0)]
    tensors = [given("zero", 0, "i8"), given("rest", [-1], "i8"), given("open", [-1, 3, 4], "i8"), tensor("w", 12, 3), tensor("b", 1, 3)]
    inputs = [helper.make_tensor_value_info("w", TensorProto.FLOAT, [12, 3]), helper.make_tensor_value_info("b", TensorProto.FLOAT, [1, 3])]
    return model(nodes, tensors, (TensorProto.FLOAT, [4, 3, 4]), [out("y", 4, 3)], 11, ir=3, inputs=inputs), (4, 3, 4)


def causal():
    """As torch writes scaled_dot_product_attention(is_causal=True): the mask is made of shapes, and then folded."""
    node = helper.make_node
    nodes = [node("Shape", ["x"], ["s"]), node("Slice", ["s", "one", "two"], ["rows"]), node("Slice", ["s", "one", "two"], ["columns"]),
             node("Concat", ["rows", "columns"], ["square"], axis=0), node("Expand", ["ones", "square"], ["full"]), node("Trilu", ["full"], ["lower"], upper=0),
             node("Equal", ["lower", "zero"], ["masked"]), node("Where", ["masked", "low", "zero"], ["mask"]), node("Transpose", ["x"], ["t"], perm=[0, 2, 1]),
             node("MatMul", ["x", "t"], ["scores"]), node("Add", ["scores", "mask"], ["added"]), node("Softmax", ["added"], ["weights"], axis=-1),
             node("MatMul", ["weights", "x"], ["mixed"]), node("Trilu", ["scores", "diagonal"], ["upper"], upper=1), node("ReduceSum", ["upper", "last"], ["r"], keepdims=0),
             node("Flatten", ["mixed"], ["f"]), node("Concat", ["f", "r"], ["all"], axis=1), node("Gemm", ["all", "w", "b"], ["y"])]
    tensors = [given("one", [1], "i8"), given("two", [2], "i8"), given("ones", 1.0), given("zero", 0.0), given("low", float("-inf")), given("diagonal", 1, "i8"),
               given("last", [-1], "i8"), tensor("w", 25, 3), tensor("b", 3)]
    return model(nodes, tensors, (TensorProto.FLOAT, ["N", 5, 4]), [out("y", "N", 3)], 20), (4, 5, 4)


def moves():
    """Padding by copies as torch writes it, with pads that are computed; slices backwards; indices that follow no rule; sums along an axis."""
    node = helper.make_node
    nodes = [node("ConstantOfShape", ["four"], ["more"], value=helper.make_tensor("v", TensorProto.INT64, [1], [0])), node("Concat", ["ends", "more"], ["backwards"], axis=0),
             node("Reshape", ["backwards", "pairs"], ["p1"]), node("Slice", ["p1", "last", "before", "axis0", "last"], ["p2"]), node("Transpose", ["p2"], ["p3"], perm=[1, 0]),
             node("Reshape", ["p3", "flat"], ["pads"]), node("Pad", ["x", "pads"], ["reflected"], mode="reflect"), node("Pad", ["x", "pads"], ["copied"], mode="edge"),
             node("Pad", ["x", "negative", "half"], ["cut"]), node("Slice", ["x", "far", "before", "axis2", "last"], ["reversed"]),
             node("Gather", ["x", "numbers"], ["mixed"], axis=2), node("CumSum", ["x", "two"], ["sums"]), node("CumSum", ["x", "two"], ["later"], reverse=1, exclusive=1),
             *(node("Flatten", [name], [f"{name}_flat"]) for name in ("reflected", "copied", "cut", "reversed", "mixed", "sums", "later")),
             node("Concat", [f"{name}_flat" for name in ("reflected", "copied", "cut", "reversed", "mixed", "sums", "later")], ["all"], axis=1), node("Gemm", ["all", "w"], ["y"])]
    tensors = [given("four", [4], "i8"), given("ends", [2, 1], "i8"), given("pairs", [-1, 2], "i8"), given("last", [-1], "i8"), given("before", [-2 ** 63], "i8"),
               given("axis0", [0], "i8"), given("axis2", [2], "i8"), given("flat", [-1], "i8"), given("far", [100], "i8"), given("negative", [0, 0, -1, 0, 0, 3], "i8"), given("half", 0.5),
               given("numbers", [0, 5, 2, 2, 4, 1, 0, 3, 5, 1, 4, 0], "i8"), given("two", 2, "i8"), tensor("w", 2 * (9 + 9 + 8 + 6 + 12 + 6 + 6), 3)]
    return model(nodes, tensors, (TensorProto.FLOAT, ["N", 2, 6]), [out("y", "N", 3)], 13, producer="pytorch"), (4, 2, 6)


def recurrent():
    """Both directions, and backwards; the reset gate before the product; states that begin with a weight or with those of another layer."""
    node = helper.make_node
    nodes = [node("Transpose", ["x"], ["t"], perm=[1, 0, 2]), node("LSTM", ["t", "w1", "r1", "b1", "lengths"], ["y1", "h1", "c1"], hidden_size=3, direction="bidirectional"),
             node("Transpose", ["y1"], ["y1t"], perm=[0, 2, 1, 3]), node("Reshape", ["y1t", "merge"], ["s1"]),
             node("LSTM", ["s1", "w2", "r2", "", "", "h1", "c1"], ["", "h2"], hidden_size=3, direction="bidirectional"),
             node("GRU", ["s1", "w3", "r3", "b3", "", "h3"], ["y3"], hidden_size=4, direction="reverse"), node("Squeeze", ["y3", "one"], ["s3"]),
             node("GRU", ["s3", "w4", "r4", "b4"], ["", "h4"], hidden_size=4, linear_before_reset=1, direction="bidirectional"),
             node("RNN", ["s3", "w5", "r5", "b5"], ["", "h5"], hidden_size=2, direction="bidirectional", activations=["Relu", "Tanh"]),
             *(node("Transpose", [name], [f"{name}t"], perm=[1, 0, 2]) for name in ("h2", "h4", "h5", "c1")),
             *(node("Flatten", [f"{name}t"], [f"{name}f"]) for name in ("h2", "h4", "h5", "c1")),
             node("Concat", ["h2f", "h4f", "h5f", "c1f"], ["all"], axis=1), node("Gemm", ["all", "w", "b"], ["y"])]
    tensors = [tensor("w1", 2, 12, 4), tensor("r1", 2, 12, 3), tensor("b1", 2, 24), given("lengths", [5] * 4, "i4"), given("merge", [0, 0, -1], "i8"), tensor("w2", 2, 12, 6),
               tensor("r2", 2, 12, 3), tensor("w3", 1, 12, 6), tensor("r3", 1, 12, 4), tensor("b3", 1, 24), given("one", [1], "i8"), tensor("w4", 2, 12, 4), tensor("r4", 2, 12, 4),
               tensor("b4", 2, 24), tensor("w5", 2, 2, 4), tensor("r5", 2, 2, 2), tensor("b5", 2, 4), tensor("w", 24, 3), tensor("b", 3),
               given("h3", numpy.tile(random.normal(0, 0.5, (1, 1, 4)), (1, 4, 1)))]
    return model(nodes, tensors, (TensorProto.FLOAT, [4, 5, 4]), [out("y", 4, 3)], 14), (4, 5, 4)


def batchwise():
    """The layout of sequences with the batch first, which only the reference of ONNX runs: the answers are those of the usual layout."""
    node = helper.make_node
    nodes = [node("LSTM", ["x", "w1", "r1", "b1"], ["y1", "h1"], hidden_size=3, layout=1), node("Squeeze", ["y1", "two"], ["s1"]), node("ReduceSum", ["s1", "one"], ["sums"], keepdims=0),
             node("Flatten", ["h1"], ["last"]), node("Concat", ["sums", "last"], ["y"], axis=1)]
    tensors = [tensor("w1", 1, 12, 4), tensor("r1", 1, 12, 3), tensor("b1", 1, 24), given("one", [1], "i8"), given("two", [2], "i8")]
    return model(nodes, tensors, (TensorProto.FLOAT, ["N", 5, 4]), [out("y", "N", 6)], 14), (4, 5, 4)


def resized():
    """Sizes that grow and shrink, in all modes; a resized sequence."""
    node = helper.make_node
    kinds = {"half": dict(mode="linear"), "corners": dict(mode="linear", coordinate_transformation_mode="align_corners"),
             "torch": dict(mode="linear", coordinate_transformation_mode="pytorch_half_pixel"), "cubic": dict(mode="cubic", cubic_coeff_a=-0.5),
             "excluded": dict(mode="cubic", exclude_outside=1), "smooth": dict(mode="linear", antialias=1), "smooth3": dict(mode="cubic", antialias=1),
             "near": dict(mode="nearest"), "floor": dict(mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
             "above": dict(mode="nearest", coordinate_transformation_mode="align_corners", nearest_mode="ceil")}
    nodes = [node("Resize", ["x", "", "", "sizes"], [kind], **attributes) for kind, attributes in kinds.items()]
    nodes += [node("Resize", ["x", "", "scales"], ["scaled"], mode="linear", axes=[2, 3]), node("Reshape", ["x", "flat"], ["sequence"]),
              node("Resize", ["sequence", "", "double"], ["doubled"]), *(node("Flatten", [kind], [f"{kind}_flat"]) for kind in (*kinds, "scaled", "doubled")),
              node("Concat", [f"{kind}_flat" for kind in (*kinds, "scaled", "doubled")], ["all"], axis=1), node("Gemm", ["all", "w"], ["y"])]
    width = len(kinds) * 2 * 7 * 3 + 2 * 12 * 4 + 2 * 60
    tensors = [given("sizes", [4, 2, 7, 3], "i8"), given("scales", [2.4, 0.7]), given("flat", [0, 2, 30], "i8"), given("double", [1, 1, 2.0]), tensor("w", width, 3)]
    return model(nodes, tensors, (TensorProto.FLOAT, [4, 2, 5, 6]), [out("y", 4, 3)], 18), (4, 2, 5, 6)


def flattened(nodes, names, tensors, x, opset, width, ml=False):
    """All outputs side by side, and a dense layer behind them."""
    node = helper.make_node
    nodes = [*nodes, *(node("Flatten", [name], [f"{name}_flat"]) for name in names), node("Concat", [f"{name}_flat" for name in names], ["all"], axis=1),
             node("MatMul", ["all", "w"], ["y"])]
    return model(nodes, [*tensors, tensor("w", width, 3)], x, [out("y", x[1][0], 3)], opset, ml), (4, *x[1][1:])


def elements():
    """Tests for numbers that are none; classes along other axes; limits in the wrong order."""
    node = helper.make_node
    nodes = [node("Log", ["x"], ["logs"]), node("IsNaN", ["logs"], ["none"]), node("Where", ["none", "zero", "logs"], ["known"]),
             node("Floor", ["x"], ["steps"]), node("Div", ["one", "steps"], ["far"]), node("IsInf", ["far"], ["infinite"]), node("IsInf", ["far"], ["above"], detect_negative=0),
             node("IsInf", ["far"], ["below"], detect_positive=0), node("Where", ["above", "below", "infinite"], ["chosen"]), node("CastLike", ["chosen", "x"], ["numbers"]),
             node("Where", ["infinite", "x", "far"], ["finite"]), node("Shrink", ["x"], ["shrunk"], lambd=0.3, bias=0.1),
             node("Hardmax", ["x"], ["best"], axis=1), node("ArgMax", ["x"], ["places"], axis=2, keepdims=0), node("OneHot", ["places", "five", "values"], ["hot"], axis=1),
             node("Sub", ["places", "five"], ["behind"]), node("OneHot", ["behind", "five", "values"], ["hot_behind"]), node("Clip", ["x", "one", "zero"], ["clipped"])]
    tensors = [given("zero", 0.0), given("one", 1.0), given("five", 5, "i8"), given("values", [-1.0, 2.0])]
    return flattened(nodes, ["known", "numbers", "finite", "shrunk", "best", "hot", "hot_behind", "clipped"], tensors, (TensorProto.FLOAT, ["N", 3, 5]), 18, 15 * 8)


def norms():
    """Over several axes, groups and neighbouring channels; weights that come after the norm."""
    node = helper.make_node
    nodes = [node("GroupNormalization", ["x", "gw", "gb"], ["groups"], num_groups=2), node("LayerNormalization", ["x", "lw", "lb"], ["layer"], axis=2), node("LayerNormalization", ["x", "whole"], ["all_axes"], axis=-3, epsilon=0.1),
             node("RMSNormalization", ["x", "lw"], ["rms"], axis=2), node("InstanceNormalization", ["x", "gw", "gb"], ["instances"]), node("LRN", ["x"], ["neighbours"], size=3, alpha=0.5, beta=0.6, bias=2.0),
             node("LpNormalization", ["x"], ["length"], axis=1)]
    tensors = [tensor("lw", 2, 3), tensor("lb", 2, 3), tensor("whole", 4, 2, 3), tensor("gw", 4), tensor("gb", 4)]
    return flattened(nodes, ["layer", "all_axes", "rms", "groups", "instances", "neighbours", "length"], tensors, (TensorProto.FLOAT, ["N", 4, 2, 3]), 23, 24 * 7)


def einsum():
    """Products of matrices with and without weights, of heads, of three operands; outer products, sums and other orders."""
    node = helper.make_node
    equations = {"scores": ("bqd,bkd->bqk", "x", "x"), "dense": ("btd, ed -> bte", "x", "a"), "heads": ("bihd,bjhd->bhij", "h", "h"), "mixed": ("bhij,bjhd->bihd", "heads", "h"),
                 "order": ("bij->bji", "x"), "sums": ("bij->bi", "x"), "rest": ("...j,jk", "x", "c"), "outer": ("bi,bj->bij", "sums", "sums"), "inner": ("bij,bij->bi", "x", "x"),
                 "three": ("bi,ijk,bk->bj", "sums", "t", "sums"), "left": ("ed,btd->bet", "a", "x"), "scaled": ("bij,j->bij", "x", "v")}
    nodes = [node("Reshape", ["x", "split"], ["h"]), *(node("Einsum", inputs, [name], equation=equation) for name, (equation, *inputs) in equations.items())]
    tensors = [given("split", [0, 3, 2, 4], "i8"), tensor("a", 2, 8), tensor("c", 8, 2), tensor("t", 3, 4, 3), tensor("v", 8)]
    return flattened(nodes, list(equations), tensors, (TensorProto.FLOAT, ["N", 3, 8]), 12, 9 + 6 + 18 + 24 + 24 + 3 + 6 + 9 + 3 + 4 + 6 + 24)


def attention():
    """Heads in an axis or in the last one; heads that share keys; masks of truths and of numbers."""
    node = helper.make_node
    nodes = [node("Reshape", ["x", "split"], ["h"]), node("Transpose", ["h"], ["q"], perm=[0, 2, 1, 3]), node("Attention", ["q", "q", "q", "seen"], ["masked"]),
             node("Attention", ["q", "q", "q"], ["causal"], is_causal=1, scale=0.3), node("MatMul", ["x", "k"], ["few"]),
             node("Attention", ["x", "few", "few", "added"], ["shared"], q_num_heads=4, kv_num_heads=2, softcap=1.5)]
    tensors = [given("split", [0, 5, 2, 4], "i8"), given("seen", numpy.arange(25).reshape(5, 5) % 3 > 0, "?"), tensor("k", 8, 4), tensor("added", 1, 1, 5, 5)]
    return flattened(nodes, ["masked", "causal", "shared"], tensors, (TensorProto.FLOAT, ["N", 5, 8]), 23, 40 * 3)


def places():
    """Elements at places in several axes, taken and replaced; a token for each row of a batch of a fixed size."""
    node = helper.make_node
    nodes = [node("Transpose", ["x"], ["t"], perm=[1, 2, 0]), node("GatherND", ["t", "pairs"], ["taken"]), node("GatherND", ["t", "rows"], ["lines"]),
             node("ScatterND", ["t", "pairs", "taken"], ["replaced"]), node("ScatterND", ["t", "others", "lines"], ["set"]),
             node("Transpose", ["taken"], ["a"], perm=[1, 0]), *(node("Transpose", [name], [to], perm=[2, 0, 1]) for name, to in (("lines", "b"), ("replaced", "c"), ("set", "d")))]
    tensors = [given("pairs", [[0, 1], [2, -1], [1, 1], [0, 1]], "i8"), given("rows", [[2], [0]], "i8"), given("others", [[0], [1]], "i8"),
               given("token", [[[0.1, 0.2, 0.3, 0.4, 0.5]]] * 4)]
    return flattened([*nodes, node("Concat", ["token", "x"], ["e"], axis=1)], ["a", "b", "c", "d", "e"], tensors, (TensorProto.FLOAT, [4, 3, 5]), 18, 4 + 10 + 15 + 15 + 20)


def linear():
    """Of scikit-learn: missing values, categories, linear classifiers of two and more classes; a product with a vector."""
    node, ml = helper.make_node, dict(domain="ai.onnx.ml")
    weights, biases, labels = [0.5, -1.0, 0.25, 2.0], [0.3], dict(classlabels_ints=[0, 1])
    nodes = [node("Log", ["x"], ["logs"]), node("Imputer", ["logs"], ["full"], **ml, imputed_value_floats=[0.5, 1.0, 1.5, 2.0], replaced_value_float=float("nan")),
             node("Scaler", ["full"], ["s"], **ml, offset=[0.5, -0.25, 1.0, 0.0], scale=[2.0, 0.5, 1.5, 1.0]), node("ArrayFeatureExtractor", ["s", "columns"], ["some"], **ml),
             node("Binarizer", ["some"], ["binary"], **ml, threshold=0.2), node("Normalizer", ["s"], ["n1"], **ml, norm="L1"), node("Normalizer", ["s"], ["n2"], **ml, norm="L2"),
             node("Floor", ["x"], ["steps"]), node("Gather", ["steps", "one"], ["column"], axis=1), node("Cast", ["column"], ["whole"], to=TensorProto.INT64),
             node("OneHotEncoder", ["whole"], ["hot"], **ml, cats_int64s=[-1, 0, 2], zeros=1),
             node("LinearClassifier", ["s"], ["two_class", "two"], **ml, **labels, coefficients=[-w for w in weights] + weights, intercepts=[-0.3, 0.3], post_transform="LOGISTIC"),
             node("LinearClassifier", ["s"], ["single_class", "single"], **ml, **labels, coefficients=weights, intercepts=biases, post_transform="LOGISTIC"),
             node("LinearClassifier", ["s"], ["score_class", "score"], **ml, **labels, coefficients=weights, intercepts=biases),
             node("LinearClassifier", ["s"], ["three_class", "three"], **ml, classlabels_ints=[0, 1, 2], coefficients=[0.1 * i for i in range(12)], intercepts=[0.1, 0.2, -0.3], post_transform="SOFTMAX"),
             node("Normalizer", ["three"], ["sums"], **ml, norm="L1"),
             node("LinearClassifier", ["s"], ["each_class", "each"], **ml, classlabels_ints=[0, 1, 2], coefficients=[0.1 * i for i in range(12)], intercepts=[0.1, 0.2, -0.3], post_transform="LOGISTIC"),
             node("LinearRegressor", ["s"], ["line"], **ml, coefficients=weights, intercepts=biases), node("MatMul", ["s", "v"], ["product"]), node("Unsqueeze", ["product", "last"], ["p"])]
    tensors = [given("columns", [3, 0], "i8"), given("one", [1], "i8"), given("last", [1], "i8"), tensor("v", 4)]
    names = ["binary", "n1", "n2", "hot", "two", "single", "score", "sums", "each", "line", "p"]
    return flattened(nodes, names, tensors, (TensorProto.FLOAT, ["N", 4]), 18, 2 + 4 + 4 + 3 + 6 + 6 + 2, ml=True)


def answers(path, x):
    """Of scikit-learn's network the probabilities; of the others what softmax makes of their outputs."""
    reference = "batchwise" in path or "elements" in path  # onnxruntime has no layout, and no Where for truth values
    y = (onnx.reference.ReferenceEvaluator if reference else onnxruntime.InferenceSession)(path).run(None, {"x": x})[-1]
    if isinstance(y, list):
        return numpy.array([[row["no"], row["yes"]] for row in y])
    y = numpy.exp(y - y.max(1, keepdims=True))
    return y / y.sum(1, keepdims=True)


def main():
    folder = sys.argv[1]
    for make in nhwc, sklearn, dynamo, quantized, shapes, causal, moves, recurrent, batchwise, resized, elements, norms, einsum, attention, places, linear:
        net, shape = make()
        name = make.__name__
        x = random.normal(0, 1, shape).astype("f4")
        if make is dynamo:
            onnx.save(net, f"{folder}/{name}.onnx", save_as_external_data=True, location=f"{name}.onnx.data", size_threshold=24)
        else:
            onnx.save(net, f"{folder}/{name}.onnx")
        numpy.save(f"{folder}/{name}.npy", x)
        numpy.savetxt(f"{folder}/{name}.txt", answers(f"{folder}/{name}.onnx", x), "%.9g")


main()
