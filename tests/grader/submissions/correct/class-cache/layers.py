"""Odd: layers are objects, the nine functions thin wrappers around them; each cache is such an object."""

from dataclasses import dataclass, field
from typing import NamedTuple, Optional, Tuple

import numpy as np


class Output(NamedTuple):
    out: np.ndarray
    cache: "Layer"


class Gradients(NamedTuple):
    dx: np.ndarray
    dw: np.ndarray
    db: np.ndarray


@dataclass(eq=False)
class Layer:
    kernel_size: Tuple[int, int]
    stride: int = 1
    padding: int = 0
    x_shape: Optional[tuple] = field(default=None, init=False)

    def __bool__(self):
        raise TypeError("a layer is neither true nor false")

    def output_size(self, x_shape):
        return tuple(
            conv_output_size(size, k, self.stride, self.padding) for size, k in zip(x_shape[2:], self.kernel_size)
        )

    def slices(self):
        OH, OW = self.output_size(self.x_shape)
        s = self.stride
        for i in range(self.kernel_size[0]):
            for j in range(self.kernel_size[1]):
                yield (slice(None), slice(None), slice(i, i + s * OH, s), slice(j, j + s * OW, s))

    def unfold(self, x):
        """(KH*KW, N, C, OH, OW)"""
        self.x_shape = x.shape
        p = self.padding
        x = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        return np.stack([x[s] for s in self.slices()])

    def fold(self, taps):
        N, C, H, W = self.x_shape
        p = self.padding
        x = np.zeros((N, C, H + 2 * p, W + 2 * p), dtype=taps.dtype)
        for s, tap in zip(self.slices(), taps):
            x[s] += tap
        return x[:, :, p:p + H, p:p + W]


class Conv(Layer):
    def forward(self, x, w, b):
        self.taps, self.w = self.unfold(x), w
        kernel = w.reshape(*w.shape[:2], -1)
        return np.einsum("kncpq,fck->nfpq", self.taps, kernel) + b[:, None, None]

    def backward(self, dout):
        F, C = self.w.shape[:2]
        dw = np.einsum("nfpq,kncpq->fck", dout, self.taps).reshape(self.w.shape)
        dtaps = np.einsum("nfpq,fck->kncpq", dout, self.w.reshape(F, C, -1))
        return Gradients(self.fold(dtaps), dw, dout.sum(axis=(0, 2, 3)))


class MaxPool(Layer):
    def forward(self, x):
        taps = self.unfold(x)
        self.winner = taps.argmax(axis=0)
        return taps.max(axis=0)

    def backward(self, dout):
        taps = np.arange(np.prod(self.kernel_size)).reshape(-1, 1, 1, 1, 1)
        return self.fold(np.where(taps == self.winner, dout, 0).astype(dout.dtype))


class AvgPool(Layer):
    def forward(self, x):
        return self.unfold(x).mean(axis=0)

    def backward(self, dout):
        K = self.kernel_size[0] * self.kernel_size[1]
        return self.fold(np.repeat(dout[None] / K, K, axis=0))


def conv_output_size(size, kernel_size, stride=1, padding=0):
    return (size + 2 * padding - kernel_size) // stride + 1


def im2col(x, kernel_size, stride=1, padding=0):
    taps = Layer(kernel_size, stride, padding).unfold(x)
    K, N, C, OH, OW = taps.shape
    return taps.transpose(2, 0, 1, 3, 4).reshape(C * K, N * OH * OW)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    layer = Layer(kernel_size, stride, padding)
    layer.x_shape = N, C, H, W = x_shape
    taps = cols.reshape(C, -1, N, *layer.output_size(x_shape)).transpose(1, 2, 0, 3, 4)
    return layer.fold(taps)


def conv2d_forward(x, w, b, stride=1, padding=0):
    layer = Conv(w.shape[2:], stride, padding)
    return Output(layer.forward(x, w, b), layer)


def conv2d_backward(dout, cache):
    return cache.backward(dout)


def max_pool2d_forward(x, kernel_size, stride):
    layer = MaxPool(kernel_size, stride)
    return Output(layer.forward(x), layer)


def avg_pool2d_forward(x, kernel_size, stride):
    layer = AvgPool(kernel_size, stride)
    return Output(layer.forward(x), layer)


max_pool2d_backward = avg_pool2d_backward = conv2d_backward
