"""MNIST as NumPy arrays, for the programs that mlc is measured against."""
import gzip
import os

import numpy

import compare


def read(name, header):
    path = os.path.join(compare.mnist_folder(), name)
    data = gzip.open(path + ".gz").read() if os.path.exists(path + ".gz") else open(path, "rb").read()
    return numpy.frombuffer(data, dtype=numpy.uint8, offset=header)


def arrays(split, samples=None):
    """Images [N, 784] from 0 to 1 and labels [N]: the first `samples`, or all."""
    images = read(split + "-images-idx3-ubyte", 16).reshape(-1, 784)[:samples].astype(numpy.float32) / 255
    return images, read(split + "-labels-idx1-ubyte", 8)[:samples].astype(numpy.int64)
