"""The pooling layers."""

import numpy as np

from .geometry import taps


def max_pool2d_forward(x, kernel_size, stride):
    pieces = np.stack([x[index] for _, _, index in taps(x.shape, kernel_size, stride)])
    return pieces.max(axis=0), (pieces.argmax(axis=0), x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    winner, x_shape, kernel_size, stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for i, j, index in taps(x_shape, kernel_size, stride):
        dx[index] += np.where(winner == i * kernel_size[1] + j, dout, 0)
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    pieces = np.stack([x[index] for _, _, index in taps(x.shape, kernel_size, stride)])
    return pieces.mean(axis=0), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, kernel_size, stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for _, _, index in taps(x_shape, kernel_size, stride):
        dx[index] += dout / (kernel_size[0] * kernel_size[1])
    return dx
