#!/usr/bin/env python3
"""Makes the ONNX files of tests/onnx with PyTorch, and what the networks answer.

    onnx_files.py DIR           needs torch 1.13 and numpy: Debian's python3-torch
    onnx_files.py --today DIR   only the file of the exporter of today: torch 2.9 or later, and onnxscript

NAME.onnx, NAME.npy (the rows), NAME.txt (the answers: a line for each row; of classes their probabilities).
"""
import sys
import warnings

import numpy
import torch
from torch import nn

warnings.filterwarnings("ignore")


class Residual(nn.Module):
    """Batch norms behind the sum are not folded into a convolution."""

    def __init__(self):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(1, 4, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(4)
        self.deep = nn.Conv2d(4, 4, 3, padding=1, groups=4)
        self.last = nn.Linear(4, 3)
        self.norm.running_mean.normal_(0, 0.3)
        self.norm.running_var.uniform_(0.5, 2)

    def forward(self, x):
        x = torch.relu(self.stem(x))
        x = self.norm(x + self.deep(x))
        return self.last(nn.functional.adaptive_avg_pool2d(x, 1).flatten(1))


class Recurrent(nn.Module):
    """Two layers over a sequence; the states begin with zeros, whose shape is computed from the batch."""

    def __init__(self, kind, layers):
        super().__init__()
        self.layers, self.last = kind(4, 5, layers, batch_first=True), nn.Linear(5, 3)

    def forward(self, x):
        return self.last(self.layers(x)[0][:, -1])


class Block(nn.Module):
    """A transformer block. Before opset 17 layer norm and gelu are spelled out."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.LayerNorm(8), nn.LayerNorm(8)
        self.qkv, self.out = nn.Linear(8, 24), nn.Linear(8, 8)
        self.up, self.down, self.head = nn.Linear(8, 16), nn.Linear(16, 8), nn.Linear(8, 3)
        nn.init.normal_(self.first.weight)
        nn.init.normal_(self.second.bias)

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = (part.view(b, t, 2, 4).transpose(1, 2) for part in self.qkv(self.first(x)).chunk(3, -1))
        weights = (q @ k.transpose(-2, -1) / 2.0).softmax(-1)
        x = x + self.out((weights @ v).transpose(1, 2).reshape(b, t, d))
        x = x + self.down(nn.functional.gelu(self.up(self.second(x))))
        return self.head(x.mean(1))


NETS = {
    "mlp": (nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3)), (1, 4, 4), 17, False),
    "lenet": (nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(3, 4, 3), nn.LeakyReLU(0.1),
                            nn.MaxPool2d(2, ceil_mode=True), nn.Flatten(), nn.Linear(16, 3), nn.Softmax(1)), (1, 10, 10), 13, True),
    "residual": (Residual(), (1, 8, 8), 13, True),
    "block": (Block(), (5, 8), 11, True),
    "block17": (Block(), (5, 8), 17, False),
    "sequence": (nn.Sequential(nn.Conv1d(2, 4, 3, padding=1), nn.SiLU(), nn.MaxPool1d(2), nn.Conv1d(4, 4, 3, dilation=2),
                               nn.ELU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(4, 1)), (2, 12), 9, False),
    "lstm": (Recurrent(nn.LSTM, 2), (6, 4), 13, False),
    "gru": (Recurrent(nn.GRU, 1), (6, 4), 17, True),
    "words": (nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(12, 3), nn.LogSoftmax(1)), None, 17, True),
}


def today(folder):
    """Opset 20, weights in a second file, and names such as node_MatMul_1."""
    torch.manual_seed(5)
    net, x = Block().eval(), torch.randn(4, 5, 8)
    torch.onnx.export(net, (x,), f"{folder}/today.onnx", opset_version=20, input_names=["x"], output_names=["y"], dynamo=True,
                      dynamic_shapes=({0: torch.export.Dim("batch")},), external_data=True, verbose=False)
    import onnx

    model = onnx.load(f"{folder}/today.onnx", load_external_data=False)
    for part in model, model.graph, *model.graph.node, *model.graph.input, *model.graph.output, *model.graph.value_info, *model.graph.initializer:
        del part.metadata_props[:]  # where in the sources a node comes from
        part.doc_string = ""
    with open(f"{folder}/today.onnx", "wb") as file:
        file.write(model.SerializeToString())
    numpy.save(f"{folder}/today.npy", x.numpy())
    numpy.savetxt(f"{folder}/today.txt", net(x).detach().softmax(1).numpy(), "%.9g")


def main():
    folder = sys.argv[-1]
    if "--today" in sys.argv:
        today(folder)
        return
    for name, (net, row, opset, batch) in NETS.items():
        torch.manual_seed(len(name))
        net.eval()
        x = torch.randint(0, 9, (4, 3)) if row is None else torch.randn(4, *row)
        axes = {"x": {0: "batch"}, "y": {0: "batch"}} if batch else None
        torch.onnx.export(net, x, f"{folder}/{name}.onnx", opset_version=opset, input_names=["x"], output_names=["y"], dynamic_axes=axes)
        y = net(x).detach()
        last = net[-1] if isinstance(net, nn.Sequential) else None
        if y.shape[1] > 1 and not isinstance(last, nn.Softmax):
            y = y.softmax(1)
        numpy.save(f"{folder}/{name}.npy", x.numpy().astype("i4" if row is None else "f4"))
        numpy.savetxt(f"{folder}/{name}.txt", y.numpy(), "%.9g")


main()
