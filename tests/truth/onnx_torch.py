#!/usr/bin/env python3
"""Exports networks with PyTorch of today, imports them, compares predictions with onnxruntime, and trains a step.

    onnx_torch.py MLC [-1] [-k DIR] [PATTERN...]      needs torch 2.9 or later, onnxscript, onnx, onnxruntime and numpy from PyPI

Each network is exported by both exporters, with a batch that has a name and with a fixed one, in several opsets. The
largest difference counts relative to the largest output. A file that is refused is listed with the reason. -1: only one opset for each exporter; -k: the files are kept.
"""
import argparse
import collections
import contextlib
import io
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings

import numpy
import onnxruntime
import torch
from torch import nn
from torch.nn import functional

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)
LIMIT = 1e-5


class Call(nn.Module):
    """Layers by name, and what is made of x with them."""

    def __init__(self, call, **layers):
        super().__init__()
        self.call = call
        for name, layer in layers.items():
            setattr(self, name, layer if isinstance(layer, nn.Module) else nn.Parameter(layer))

    def forward(self, *x):
        return self.call(self, *x)


def pictures(*layers, channels=3, size=8):
    return nn.Sequential(*layers), (torch.randn(4, channels, size, size),)


def on(call, *shapes, whole=0, **layers):
    x = tuple(torch.randint(0, whole, (4, *shape)) if whole else torch.randn(4, *shape) for shape in shapes)
    return Call(call, **layers), x


def heads(s, x, mask=None, causal=False):
    b, t, d = x.shape
    q, k, v = (part.view(b, t, 2, d // 2).transpose(1, 2) for part in s.qkv(x).chunk(3, -1))
    y = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)
    return s.out(y.transpose(1, 2).reshape(b, t, d)).mean(1)


def encoder(**more):
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, **more), 2, enable_nested_tensor=False)


def vit():
    """A class token, positions, a block and a head."""
    def call(s, x):
        p = s.patches(x).flatten(2).transpose(1, 2)
        t = torch.cat([s.token.expand(x.shape[0], -1, -1), p], 1) + s.places
        return s.head(s.norm(s.blocks(t))[:, 0])
    return on(call, (3, 8, 8), patches=nn.Conv2d(3, 8, 4, 4), token=torch.randn(1, 1, 8), places=torch.randn(1, 5, 8), norm=nn.LayerNorm(8),
              blocks=encoder(norm_first=True, activation="gelu"), head=nn.Linear(8, 3))


def recurrent(kind, **more):
    def call(s, x):
        y, state = s.rnn(x)
        state = state[0] if isinstance(state, tuple) else state
        return s.head(torch.cat([y[:, -1], state[-1]], 1))
    width = 5 * (2 if more.get("bidirectional") else 1)
    return on(call, (6, 4), rnn=kind(4, 5, batch_first=True, **more), head=nn.Linear(width + 5, 3))


def squeeze_excite(s, x):
    y = s.conv(x)
    return (y * torch.sigmoid(s.up(torch.relu(s.down(y.mean((2, 3), keepdim=True)))))).mean((2, 3))


def rope(s, x):
    q, k = s.q(x), s.k(x)
    def turn(y):
        a, b = y.chunk(2, -1)
        return y * s.cos + torch.cat([-b, a], -1) * s.sin
    return (torch.softmax(turn(q) @ turn(k).transpose(1, 2), -1) @ x).mean(1)


NETS = {
    "mlp": lambda: on(lambda s, x: s.net(x), (7,), net=nn.Sequential(nn.Linear(7, 8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3))),
    "mlp_softmax": lambda: on(lambda s, x: s.net(x), (7,), net=nn.Sequential(nn.Linear(7, 8), nn.Tanh(), nn.Linear(8, 3), nn.Softmax(-1))),
    "mlp_sigmoid": lambda: on(lambda s, x: s.net(x), (7,), net=nn.Sequential(nn.Linear(7, 8, bias=False), nn.SELU(), nn.Linear(8, 1), nn.Sigmoid())),
    "regression": lambda: on(lambda s, x: s.net(x).squeeze(-1), (7,), net=nn.Sequential(nn.Linear(7, 8), nn.SiLU(), nn.Linear(8, 1))),
    "lenet": lambda: pictures(nn.Conv2d(3, 4, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(6, 3)),
    "norms2d": lambda: pictures(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU6(), nn.GroupNorm(2, 4), nn.InstanceNorm2d(4, affine=True), nn.LayerNorm([4, 6, 6]), nn.Flatten(), nn.Linear(144, 3)),
    "norm_plain": lambda: pictures(nn.Conv2d(3, 4, 3), nn.InstanceNorm2d(4), nn.GroupNorm(1, 4, affine=False), nn.LayerNorm([6, 6], elementwise_affine=False), nn.Flatten(), nn.Linear(144, 3)),
    "norm1d": lambda: on(lambda s, x: s.net(x), (7,), net=nn.Sequential(nn.BatchNorm1d(7), nn.Linear(7, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.LayerNorm(8), nn.Linear(8, 3))),
    "rms": lambda: on(lambda s, x: s.head(s.norm(x)), (5, 6), norm=nn.RMSNorm(6), head=nn.Linear(6, 3)),
    "resnet": lambda: on(lambda s, x: s.head(functional.adaptive_avg_pool2d(torch.relu(s.b2(torch.relu(s.b1(s.stem(x)))) + s.down(s.stem(x))), 1).flatten(1)), (3, 8, 8), stem=nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU()), b1=nn.Sequential(nn.Conv2d(4, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8)), b2=nn.Sequential(nn.Conv2d(8, 8, 3, 1, 1), nn.BatchNorm2d(8)), down=nn.Sequential(nn.Conv2d(4, 8, 1, 2), nn.BatchNorm2d(8)), head=nn.Linear(8, 3)),
    "mobile": lambda: pictures(nn.Conv2d(3, 6, 3, 2, 1), nn.Hardswish(), nn.Conv2d(6, 6, 3, 1, 1, groups=6), nn.Hardsigmoid(), nn.Conv2d(6, 8, 1), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3)),
    "squeeze_excite": lambda: on(squeeze_excite, (3, 8, 8), conv=nn.Conv2d(3, 4, 3), down=nn.Conv2d(4, 2, 1), up=nn.Conv2d(2, 4, 1)),
    "pools": lambda: pictures(nn.MaxPool2d(3, 1, 1), nn.AvgPool2d(3, 1, 1), nn.AvgPool2d(3, 1, 1, count_include_pad=False), nn.MaxPool2d(3, 2, ceil_mode=True), nn.AvgPool2d(2, 2, ceil_mode=True), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(3, 3)),
    "adaptive": lambda: pictures(nn.Conv2d(3, 4, 1), nn.AdaptiveAvgPool2d((4, 2)), nn.AdaptiveMaxPool2d(2), nn.Flatten(), nn.Linear(16, 3)),
    "lp_pool": lambda: pictures(nn.Conv2d(3, 4, 1), nn.LPPool2d(2, 2), nn.Flatten(), nn.Linear(64, 3)),
    "conv1d": lambda: on(lambda s, x: s.net(x), (3, 12), net=nn.Sequential(nn.Conv1d(3, 4, 3, padding=2, dilation=2), nn.BatchNorm1d(4), nn.GLU(1), nn.MaxPool1d(2), nn.ConvTranspose1d(2, 3, 4, 2), nn.AdaptiveAvgPool1d(1), nn.Flatten())),
    "tcn": lambda: on(lambda s, x: s.head((functional.pad(x, (4, 0)).unfold(-1, 1, 1).squeeze(-1)[:, :, 4:] + s.conv(functional.pad(x, (4, 0))))[:, :, -1]), (3, 12), conv=nn.Conv1d(3, 3, 3, dilation=2), head=nn.Linear(3, 2)),
    "transposed": lambda: pictures(nn.Conv2d(3, 4, 3, 2, 1), nn.LeakyReLU(0.2), nn.ConvTranspose2d(4, 3, 4, 2, 1), nn.ConvTranspose2d(3, 2, 3, 2, 1, output_padding=1), nn.Flatten(), nn.Linear(512, 3)),
    "upsample": lambda: pictures(nn.Conv2d(3, 4, 3, 2, 1), nn.Upsample(scale_factor=2), nn.Conv2d(4, 2, 3), nn.Upsample(scale_factor=2, mode="bilinear"), nn.Upsample((5, 7), mode="bilinear", align_corners=True), nn.Flatten(), nn.Linear(70, 3)),
    "interpolate": lambda: on(lambda s, x: functional.interpolate(functional.interpolate(s.conv(x), scale_factor=0.5, mode="bicubic"), size=x.shape[2:], mode="nearest").mean((2, 3)), (3, 8, 8), conv=nn.Conv2d(3, 4, 3)),
    "pixel_shuffle": lambda: pictures(nn.Conv2d(3, 8, 3, padding=1), nn.PixelShuffle(2), nn.PixelUnshuffle(4), nn.ChannelShuffle(2), nn.Flatten(), nn.Linear(512, 3)),
    "pads": lambda: pictures(nn.ReflectionPad2d(2), nn.ReplicationPad2d((1, 0, 2, 1)), nn.ConstantPad2d(1, 0.5), nn.ZeroPad2d((0, 1, 1, 0)), nn.CircularPad2d(1), nn.Conv2d(3, 2, 3, padding=1, padding_mode="reflect"), nn.Flatten(), nn.LazyLinear(3)),
    "unet": lambda: on(lambda s, x: s.out(torch.cat([s.up(torch.relu(s.down(torch.relu(s.first(x))))), s.first(x)], 1)), (3, 8, 8), first=nn.Conv2d(3, 4, 3, padding=1), down=nn.Conv2d(4, 6, 3, 2, 1), up=nn.ConvTranspose2d(6, 4, 2, 2), out=nn.Conv2d(8, 2, 1)),
    "activations": lambda: on(lambda s, x: torch.cat([f(x) for f in (functional.relu, functional.elu, functional.selu, functional.celu, functional.gelu, lambda y: functional.gelu(y, approximate="tanh"), functional.silu, functional.mish, functional.hardswish, functional.hardsigmoid, functional.hardtanh, functional.softplus, functional.softsign, functional.tanhshrink, functional.hardshrink, functional.softshrink, functional.logsigmoid, lambda y: functional.threshold(y, 0.1, 0.0), lambda y: functional.leaky_relu(y, 0.3))], 1), (5,)),
    "glu_prelu": lambda: on(lambda s, x: s.p2(s.p1(functional.glu(s.a(x))).unsqueeze(2)).squeeze(2), (5,), a=nn.Linear(5, 8), p1=nn.PReLU(), p2=nn.PReLU(4)),
    "math": lambda: on(lambda s, x: torch.cat([torch.exp(x), torch.log1p(x.abs()), torch.expm1(x), torch.rsqrt(x.abs() + 1), torch.sin(x), torch.cos(x), torch.erf(x), torch.floor(x), torch.ceil(x), torch.round(x), torch.sign(x), x ** 3, torch.pow(2.0, x), x.clamp(-0.5, 0.5), torch.reciprocal(x + 5), torch.sinh(x), torch.log2(x.abs() + 1), torch.maximum(x, x * x), torch.minimum(x, x * x), torch.where(x > 0, x, -2 * x), torch.fmod(x, 0.3), torch.remainder(x, 0.3), torch.square(x), torch.trunc(x), x.masked_fill(x < 0, 7.0), torch.nan_to_num(x)], 1), (5,)),
    "angles": lambda: on(lambda s, x: torch.cat([torch.atan(x), torch.asin(torch.tanh(x)), torch.acos(torch.tanh(x)), torch.atan2(x, x + 3), torch.tan(x)], 1), (5,)),
    "reduce": lambda: on(lambda s, x: torch.cat([x.mean(1), x.sum(1), x.amax(1), x.amin(1), x.std(1), x.var(1, unbiased=False), x.norm(dim=1), x.prod(1), torch.logsumexp(x, 1), x.max(1).values, x.min(1)[0], x.cumsum(1)[:, -1], functional.normalize(x, dim=2)[:, 0], x.norm(p=1, dim=1)], 1), (4, 5)),
    "means": lambda: on(lambda s, x: torch.stack([x.mean((1, 2)), x.sum((1, 2)), x.flatten(1).amax(1), x.flatten(1).std(1)], 1), (4, 5)),
    "shapes": lambda: on(lambda s, x: s.head(torch.cat([x.reshape(x.size(0), -1), x.permute(0, 2, 1).flatten(1), x.view(-1, 20), x.unsqueeze(1).repeat(1, 2, 1, 1).view(x.shape[0], -1), torch.stack([x, -x], 1).flatten(1), x.roll(1, 2).flatten(1), x.flip(1).flatten(1)], 1)), (4, 5), head=nn.Linear(180, 3)),
    "parts": lambda: on(lambda s, x: torch.cat([a * b for a, b in [torch.chunk(x, 2, 1), torch.split(x, [4, 4], 1), (x[:, 0:8:2], x[:, 1::2]), (x[:, -4:], x[:, :4]), (x[..., [0, 3, 2, 1]], x.narrow(1, 2, 4)), x.view(-1, 2, 4).unbind(1)]], 1), (8,)),
    "uneven": lambda: on(lambda s, x: torch.cat([y.mean(1, keepdim=True) for y in (*x.chunk(3, 1), *x.split(3, 1), *x.tensor_split(3, 1))], 1), (8,)),
    "embedding": lambda: on(lambda s, x: s.head(s.table(x).mean(1)), (6,), whole=9, table=nn.Embedding(9, 4, padding_idx=0), head=nn.Linear(4, 3)),
    "embedding_pos": lambda: on(lambda s, x: s.head((s.table(x) + s.places(torch.arange(6))).flatten(1)), (6,), whole=9, table=nn.Embedding(9, 4), places=nn.Embedding(6, 4), head=nn.Linear(24, 3)),
    "embedding_bag": lambda: on(lambda s, x: s.head(s.table(x)), (6,), whole=9, table=nn.EmbeddingBag(9, 4, mode="mean"), head=nn.Linear(4, 3)),
    "one_hot": lambda: on(lambda s, x: s.head(functional.one_hot(x, 9).float().flatten(1)), (6,), whole=9, head=nn.Linear(54, 3)),
    "word_mask": lambda: on(lambda s, x: s.head((s.table(x) * (x != 0).unsqueeze(-1)).sum(1) / (x != 0).sum(1, keepdim=True).clamp(min=1)), (6,), whole=4, table=nn.Embedding(9, 4), head=nn.Linear(4, 3)),
    "lstm": lambda: recurrent(nn.LSTM), "lstm2": lambda: recurrent(nn.LSTM, num_layers=2, bidirectional=True), "lstm_plain": lambda: recurrent(nn.LSTM, bias=False),
    "gru": lambda: recurrent(nn.GRU, num_layers=2), "gru_bi": lambda: recurrent(nn.GRU, bidirectional=True), "rnn": lambda: recurrent(nn.RNN), "rnn_relu": lambda: recurrent(nn.RNN, nonlinearity="relu", bidirectional=True),
    "words_lstm": lambda: on(lambda s, x: s.head(s.rnn(s.table(x))[1][0][-1]), (6,), whole=9, table=nn.Embedding(9, 4), rnn=nn.LSTM(4, 5, batch_first=True), head=nn.Linear(5, 3)),
    "encoder": lambda: on(lambda s, x: s.head(s.blocks(x).mean(1)), (5, 8), blocks=encoder(), head=nn.Linear(8, 3)),
    "encoder_gelu": lambda: on(lambda s, x: s.head(s.blocks(x)[:, 0]), (5, 8), blocks=encoder(activation="gelu", norm_first=True), head=nn.Linear(8, 3)),
    "encoder_mask": lambda: on(lambda s, x: s.blocks(x, mask=torch.triu(torch.full((5, 5), float("-inf")), 1)).mean(1), (5, 8), blocks=encoder()),
    "encoder_causal": lambda: on(lambda s, x: s.blocks(x, mask=nn.Transformer.generate_square_subsequent_mask(5), is_causal=True).mean(1), (5, 8), blocks=encoder()),
    "decoder": lambda: on(lambda s, x, m: s.block(x, m).mean(1), (5, 8), (3, 8), block=nn.TransformerDecoderLayer(8, 2, 16, batch_first=True)),
    "multihead": lambda: on(lambda s, x: s.attention(x, x, x)[0].mean(1), (5, 8), attention=nn.MultiheadAttention(8, 2, batch_first=True)),
    "multihead_weights": lambda: on(lambda s, x: torch.cat([y.flatten(1) for y in s.attention(x, x, x)], 1), (5, 8), attention=nn.MultiheadAttention(8, 2, batch_first=True)),
    "words_encoder": lambda: on(lambda s, x: s.head(s.blocks(s.table(x) + s.places, src_key_padding_mask=x == 0)[:, 0]), (6,), whole=4, table=nn.Embedding(4, 8), places=torch.randn(6, 8), blocks=encoder(), head=nn.Linear(8, 3)),
    "sdpa": lambda: on(heads, (5, 8), qkv=nn.Linear(8, 24), out=nn.Linear(8, 8)),
    "sdpa_causal": lambda: on(lambda s, x: heads(s, x, causal=True), (5, 8), qkv=nn.Linear(8, 24), out=nn.Linear(8, 8)),
    "sdpa_mask": lambda: on(lambda s, x: heads(s, x, mask=torch.tensor([[True, False, True, True, False]] * 5)), (5, 8), qkv=nn.Linear(8, 24), out=nn.Linear(8, 8)),
    "sdpa_bias": lambda: on(lambda s, x: heads(s, x, mask=s.bias), (5, 8), qkv=nn.Linear(8, 24), out=nn.Linear(8, 8), bias=torch.randn(2, 5, 5)),
    "sdpa_given": lambda: on(lambda s, x, m: heads(s, x, mask=(m > -1)[:, None, None, :]), (5, 8), (5,), qkv=nn.Linear(8, 24), out=nn.Linear(8, 8)),
    "causal_hand": lambda: on(lambda s, x: (torch.softmax((s.q(x) @ s.k(x).mT / 8 ** 0.5).masked_fill(torch.tril(torch.ones(5, 5)) == 0, float("-inf")), -1) @ x).mean(1), (5, 8), q=nn.Linear(8, 8), k=nn.Linear(8, 8)),
    "gpt": lambda: on(lambda s, x: s.head(s.norm(s.table(x) + s.places[:6] + 0 * heads(s, s.table(x), causal=True).unsqueeze(1)))[:, -1], (6,), whole=9, table=nn.Embedding(9, 8), places=torch.randn(7, 8), norm=nn.LayerNorm(8), head=nn.Linear(8, 9, bias=False), qkv=nn.Linear(8, 24), out=nn.Linear(8, 8)),
    "vit": vit,
    "rope": lambda: on(rope, (5, 8), q=nn.Linear(8, 8), k=nn.Linear(8, 8), cos=torch.cos(torch.randn(5, 8)), sin=torch.sin(torch.randn(5, 8))),
    "einsum": lambda: on(lambda s, x: torch.einsum("bqk,bkd->bqd", torch.einsum("bqd,bkd->bqk", torch.einsum("btd,ed->bte", x, s.a), x).softmax(-1), torch.einsum("bij,jk->bik", x, s.c)).flatten(1), (5, 8), a=torch.randn(8, 8), c=torch.randn(8, 3)),
    "einsum_heads": lambda: on(lambda s, x: torch.einsum("bhij,bjhd->bihd", torch.einsum("bihd,bjhd->bhij", s.q(x).view(-1, 5, 2, 4), s.k(x).view(-1, 5, 2, 4)).softmax(-1), x.view(-1, 5, 2, 4)).reshape(-1, 40), (5, 8), q=nn.Linear(8, 8), k=nn.Linear(8, 8)),
    "einsum_more": lambda: on(lambda s, x: torch.cat([torch.einsum("bij->bji", x).flatten(1), torch.einsum("bij->b", x)[:, None], torch.einsum("bij,bij->bi", x, x), torch.einsum("...j,jk->...k", x, s.w).flatten(1), torch.einsum("bi,bj->bij", x[:, 0], x[:, 1]).flatten(1), torch.einsum("bi,ijk,bk->bj", x[:, 0, :4], s.t, x[:, 1])], 1), (5, 8), w=torch.randn(8, 2), t=torch.randn(4, 3, 8)),
    "bilinear": lambda: on(lambda s, x, z: s.b(x, z), (5,), (4,), b=nn.Bilinear(5, 4, 3)),
    "two_inputs": lambda: on(lambda s, x, z: s.head(torch.cat([s.a(x).relu().mean((2, 3)), z], 1)), (3, 8, 8), (5,), a=nn.Conv2d(3, 4, 3), head=nn.Linear(9, 3)),
    "two_outputs": lambda: on(lambda s, x: (s.a(x), torch.sigmoid(s.b(x))), (5,), a=nn.Linear(5, 3), b=nn.Linear(5, 1)),
    "siamese": lambda: on(lambda s, x, z: functional.cosine_similarity(s.a(x), s.a(z), dim=1)[:, None], (5,), (5,), a=nn.Linear(5, 4)),
    "distance": lambda: on(lambda s, x: -torch.cdist(x.unsqueeze(1), s.centers.unsqueeze(0)).squeeze(1), (5,), centers=torch.randn(3, 5)),
    "vae": lambda: on(lambda s, x: s.d(s.m(x) + torch.exp(0.5 * s.v(x)) * 0.1), (5,), m=nn.Linear(5, 2), v=nn.Linear(5, 2), d=nn.Linear(2, 5)),
    "experts": lambda: on(lambda s, x: (torch.stack([s.a(x), s.b(x)], 1) * s.g(x).softmax(1).unsqueeze(2)).sum(1), (5,), a=nn.Linear(5, 3), b=nn.Linear(5, 3), g=nn.Linear(5, 2)),
    "shared": lambda: on(lambda s, x: s.a(torch.relu(s.a(torch.relu(s.a(x))))), (5,), a=nn.Linear(5, 5)),
    "tied": lambda: on(lambda s, x: functional.linear(s.table(x).mean(1), s.table.weight), (6,), whole=9, table=nn.Embedding(9, 4)),
    "weight_norm": lambda: on(lambda s, x: s.a(x), (5,), a=torch.nn.utils.parametrizations.weight_norm(nn.Linear(5, 3))),
    "half": lambda: on(lambda s, x: s.a(x.half()).float(), (5,), a=nn.Linear(5, 3).half()),
    "double": lambda: on(lambda s, x: s.a(x.double()).float(), (5,), a=nn.Linear(5, 3).double()),
    "bytes": lambda: on(lambda s, x: s.a(x.float().div(255).flatten(1)), (4, 4), whole=256, a=nn.Linear(16, 3)),
    "normalized": lambda: on(lambda s, x: s.a(((x - s.mean) / s.std).flatten(1)), (3, 4, 4), mean=torch.rand(1, 3, 1, 1), std=torch.rand(1, 3, 1, 1) + 0.5, a=nn.Linear(48, 3)),
    "mixer": lambda: on(lambda s, x: s.h((x + s.t(s.n(x).transpose(1, 2)).transpose(1, 2)).mean(1)), (5, 8), n=nn.LayerNorm(8), t=nn.Sequential(nn.Linear(5, 6), nn.GELU(), nn.Linear(6, 5)), h=nn.Linear(8, 3)),
    "swiglu": lambda: on(lambda s, x: s.o(functional.silu(s.a(x)) * s.b(x)), (5,), a=nn.Linear(5, 8), b=nn.Linear(5, 8), o=nn.Linear(8, 3)),
    "unfold": lambda: on(lambda s, x: s.o(functional.unfold(x, 2, stride=2).mean(2)), (3, 8, 8), o=nn.Linear(12, 3)),
    "gather": lambda: on(lambda s, x: torch.gather(x, 1, torch.tensor([[2, 0, 1]]).expand(x.shape[0], -1)), (5,)),
    "index_put": lambda: on(lambda s, x: torch.index_select(x, 1, torch.tensor([3, 1])) * x[:, [0, 2]], (5,)),
    "slice_assign": lambda: on(lambda s, x: filled(s.a(x)), (5,), a=nn.Linear(5, 4)),
    "topk": lambda: on(lambda s, x: x.topk(2, 1).values, (5,)),
    "argmax": lambda: on(lambda s, x: s.a(x).argmax(1), (5,), a=nn.Linear(5, 3)),
    "spectrum": lambda: on(lambda s, x: s.head(torch.stack([x @ s.c, x @ s.d], -1).pow(2).sum(-1).sqrt()), (8,), c=torch.randn(8, 5), d=torch.randn(8, 5), head=nn.Linear(5, 2)),
    "conv3d": lambda: on(lambda s, x: s.a(x).mean((2, 3, 4)), (2, 4, 4, 4), a=nn.Conv3d(2, 3, 2)),
    "maxout": lambda: on(lambda s, x: s.a(x).view(-1, 4, 3).max(2).values, (5,), a=nn.Linear(5, 12)),
    "softmax2d": lambda: pictures(nn.Conv2d(3, 4, 1), nn.Softmax2d(), nn.Flatten(), nn.Linear(256, 3), nn.LogSoftmax(1)),
    "dropout2d": lambda: pictures(nn.Conv2d(3, 4, 3), nn.Dropout2d(0.2), nn.AlphaDropout(0.1), nn.Identity(), nn.Flatten(), nn.Unflatten(1, (4, 36)), nn.Flatten(), nn.Linear(144, 3)),
}


def filled(x):
    y = torch.zeros(x.shape[0], 6)
    y[:, 1:5] = x
    return y


FORMS = [("old", 11, True), ("old", 13, False), ("old", 17, True), ("new", 18, True), ("new", 20, False), ("new", 23, True)]


def export(net, x, path, kind, opset, named):
    names = [f"input {i}/x" for i in range(len(x))]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        if kind == "old":
            axes = {name: {0: "batch_size"} for name in names} if named else None
            torch.onnx.export(net, x, path, opset_version=opset, input_names=names, dynamic_axes=axes, dynamo=False)
        else:
            shapes = tuple({0: torch.export.Dim("batch")} for _ in x) if named else None
            shapes = (shapes,) if named and isinstance(net, Call) else shapes  # its *x is one argument
            torch.onnx.export(net, x, path, opset_version=opset, input_names=names, dynamic_shapes=shapes, dynamo=True, verbose=False, external_data=opset != 20)


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def answers(path, net, x):
    """Those of onnxruntime, or of PyTorch where onnxruntime fails: it has no masks [N, 1, 1, keys] of Attention."""
    try:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        return session.run(None, {value.name: array.numpy() for value, array in zip(session.get_inputs(), x)})
    except onnxruntime.capi.onnxruntime_pybind11_state.Fail:
        wanted = net(*x)
        return [y.detach().numpy() for y in (wanted if isinstance(wanted, tuple) else (wanted,))]


def compare(mlc, path, x, wanted, work):
    """The reason for a refusal or a fault, and the largest relative difference."""
    net = f"{work}/net"
    shutil.rmtree(net, ignore_errors=True)
    status, _, err = run(mlc, "import", path, "-o", net, "-q")
    if status:
        return "BROKEN " + err[:600] if status != 3 or "net.mdl:" in err else next(line for line in err.splitlines() if "error" in line).split(": error: ")[-1][-150:], None
    with open(f"{net}/resolved.mdl") as file:
        text = file.read()
    outputs = re.search(r"model net\(.*?\) -> \(?(.*?)\)? \{", text).group(1).split(", ")
    fields = re.findall(r"field (\w+) = source\.\w+", text)
    shutil.copytree(net, f"{work}/plain", dirs_exist_ok=True)
    with open(f"{work}/plain/resolved.mdl", "w") as file:
        file.write(re.sub(r"loss      = .*", f"loss = mean({outputs[0]})", re.sub(r"    metrics .*\n", "", text)))
    arrays = {field: array.numpy() for field, array in zip(fields, x)}
    numpy.savez(f"{work}/rows.npz", **arrays)
    status, _, err = run(mlc, "predict", f"{work}/plain", f"{work}/rows.npz", "--out", f"{work}/answers.npz", "-q")
    if status:
        return "BROKEN predict: " + err[:300], None
    worst = 0
    with numpy.load(f"{work}/answers.npz") as got:
        for name, array in zip(outputs, wanted):
            ours = got[name].astype("f8").reshape(array.shape) if got[name].size == array.size else numpy.full(array.shape, numpy.nan)
            worst = max(worst, numpy.abs(ours - array).max() / max(1e-30, numpy.abs(array).max()))
    status, err = train_step(mlc, net, arrays, wanted)
    return ("BROKEN train: " + err[:300] if status else ""), worst


def train_step(mlc, net, arrays, wanted):
    """Targets that the loss of the file takes: the answers of the network, or classes."""
    with open(f"{net}/net.mdl") as file:
        text = file.read()
    fields = re.findall(r"field (\w+)\s*=\s*source\.(\w+)", text)
    data = {column: array for (_, column), array in zip(fields, arrays.values())}
    for index, (field, column) in enumerate(fields[len(arrays):]):
        classes = re.search(rf"(cross_entropy|nll)\([^+]*, {field}\)", text)
        data[column] = numpy.arange(4, dtype="i4") % 2 if classes else wanted[min(index, len(wanted) - 1)].astype("f4")
    numpy.savez(f"{net}/data.npz", **data)
    status, _, err = run(mlc, "train", f"{net}/net.mdl", "--set", "data.test=1", "--set", "train.epochs=1", "--out", f"{net}/on", "-q")
    untrained = "depends on no weight" in err or "is 0 for every weight" in err  # the network has none
    return status and not untrained, err


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mlc")
    parser.add_argument("patterns", nargs="*", default=[""])
    parser.add_argument("-1", dest="few", action="store_true")
    parser.add_argument("-k", dest="keep")
    options = parser.parse_args()
    mlc, counts, largest = os.path.abspath(options.mlc), collections.Counter(), 0
    for name, make in NETS.items():
        if not any(pattern in name for pattern in options.patterns):
            continue
        for kind, opset, named in FORMS:
            if options.few and opset not in (17, 23):
                continue
            with tempfile.TemporaryDirectory() as work:
                torch.manual_seed(len(name))
                try:
                    net, x = make()
                    net.eval()
                    net(*x)
                    for part in net.modules():
                        if isinstance(part, nn.modules.batchnorm._BatchNorm):
                            part.running_mean.normal_(0, 0.3), part.running_var.uniform_(0.5, 2)
                    export(net, x, f"{work}/n.onnx", kind, opset, named)
                except Exception as error:
                    counts["not exported"] += 1
                    print(f"{name} {kind} {opset}: not exported: {str(error).strip()[:100]!r}", flush=True)
                    continue
                try:
                    why, worst = compare(mlc, f"{work}/n.onnx", x, answers(f"{work}/n.onnx", net, x), work)
                except Exception as error:
                    why, worst = f"HARNESS {error!r}"[:200], None
                if options.keep:
                    shutil.copytree(work, f"{options.keep}/{name}_{kind}{opset}", dirs_exist_ok=True)
                wrong = worst is not None and not worst <= LIMIT
                result = "WRONG" if wrong else "BROKEN" if why[:6] in ("BROKEN", "HARNES") else "refused" if why else "equal"
                counts[result] += 1
                largest = max(largest, worst or 0)
                if result != "equal":
                    print(f"{name} {kind} {opset}: {result} {worst if worst is not None else ''} {why}", flush=True)
    print(*sorted(counts.items()), f"largest {largest:.1e}")
    return counts["WRONG"] + counts["BROKEN"] > 0


if __name__ == "__main__":
    sys.exit(main())
