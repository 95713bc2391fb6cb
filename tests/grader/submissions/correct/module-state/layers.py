"""Odd: the module remembers. Index arrays and work buffers are kept between calls and used again."""
from functools import lru_cache

import numpy as np

_buffers = {}
calls = 0


def _zeros(shape, dtype):
    """a work buffer; the same one for the same shape, so nothing that is returned may point to it"""
    global calls
    calls += 1
    key = shape, np.dtype(dtype).str
    if key not in _buffers:
        _buffers[key] = np.empty(shape, dtype)
    _buffers[key].fill(0)
    return _buffers[key]


@lru_cache(maxsize=None)
def conv_output_size(size, kernel_size, stride=1, padding=0):
    return (size + 2 * padding - kernel_size) // stride + 1


@lru_cache(maxsize=None)
def _im2col_indices(shape, kernel_size, stride, padding):
    """k, i, j as in the well-known lecture notes; i and j count from the padded corner"""
    N, C, H, W = shape
    KH, KW = kernel_size
    OH = conv_output_size(H, KH, stride, padding)
    OW = conv_output_size(W, KW, stride, padding)
    i0 = np.tile(np.repeat(np.arange(KH), KW), C)
    i1 = stride * np.repeat(np.arange(OH), OW)
    j0 = np.tile(np.arange(KW), KH * C)
    j1 = stride * np.tile(np.arange(OW), OH)
    k = np.repeat(np.arange(C), KH * KW).reshape(-1, 1)
    return k, i0.reshape(-1, 1) + i1, j0.reshape(-1, 1) + j1


def im2col(x, kernel_size, stride=1, padding=0):
    N, C, H, W = x.shape
    xp = _zeros((N, C, H + 2 * padding, W + 2 * padding), x.dtype)
    xp[:, :, padding:H + padding, padding:W + padding] = x
    k, i, j = _im2col_indices(x.shape, tuple(kernel_size), stride, padding)
    return np.concatenate(list(xp[:, k, i, j]), axis=1)  # image beside image


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    k, i, j = _im2col_indices(tuple(x_shape), tuple(kernel_size), stride, padding)
    xp = _zeros((N, C, H + 2 * padding, W + 2 * padding), cols.dtype)
    for n, part in enumerate(np.split(cols, N, axis=1)):
        np.add.at(xp[n], (k, i, j), part)
    return xp[:, :, padding:H + padding, padding:W + padding].copy()


def conv2d_forward(x, w, b, stride=1, padding=0):
    F, _, KH, KW = w.shape
    cols = im2col(x, (KH, KW), stride, padding)
    OH = conv_output_size(x.shape[2], KH, stride, padding)
    out = np.stack(np.split(w.reshape(F, -1) @ cols + b.reshape(F, 1), len(x), axis=1))
    return out.reshape(len(x), F, OH, -1), (cols, x.shape, w, stride, padding)


def conv2d_backward(dout, cache):
    cols, x_shape, w, stride, padding = cache
    F, _, KH, KW = w.shape
    flat = np.concatenate(list(dout.reshape(len(dout), F, -1)), axis=1)
    dx = col2im(w.reshape(F, -1).T @ flat, x_shape, (KH, KW), stride, padding)
    return dx, (flat @ cols.T).reshape(w.shape), flat.sum(1)


def max_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    cols = im2col(x.reshape(N * C, 1, H, W), kernel_size, stride)
    winner = cols.argmax(0)
    out = cols[winner, np.arange(len(winner))].reshape(N, C, conv_output_size(H, kernel_size[0], stride), -1)
    return out, (winner, x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    winner, (N, C, H, W), kernel_size, stride = cache
    cols = _zeros((kernel_size[0] * kernel_size[1], len(winner)), dout.dtype)
    cols[winner, np.arange(len(winner))] = dout.ravel()
    return col2im(cols, (N * C, 1, H, W), kernel_size, stride).reshape(N, C, H, W)


def avg_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    out = im2col(x.reshape(N * C, 1, H, W), kernel_size, stride).mean(0)
    return out.reshape(N, C, conv_output_size(H, kernel_size[0], stride), -1), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    (N, C, H, W), kernel_size, stride = cache
    cols = _zeros((kernel_size[0] * kernel_size[1], dout.size), dout.dtype)
    cols += dout.ravel() / len(cols)
    return col2im(cols, (N * C, 1, H, W), kernel_size, stride).reshape(N, C, H, W)
