"""Odd: changes NumPy's and Python's settings for the whole process: errors raise, warnings are errors, own printing."""

import decimal
import locale
import random
import sys
import warnings

import numpy as np

np.seterr(all="raise")
np.set_printoptions(precision=2, suppress=True, threshold=5, linewidth=20)
np.random.seed(0)
random.seed(0)
warnings.simplefilter("error")
decimal.getcontext().prec = 3
sys.setrecursionlimit(300)
sys.tracebacklimit = 0
locale.setlocale(locale.LC_ALL, "C")


def conv_output_size(size, kernel_size, stride=1, padding=0):
    return (size + 2 * padding - kernel_size) // stride + 1


def out_size(x_shape, kernel_size, stride, padding=0):
    return [conv_output_size(n, k, stride, padding) for n, k in zip(x_shape[-2:], kernel_size)]


def im2col(x, kernel_size, stride=1, padding=0):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = out_size(x.shape, kernel_size, stride, padding)
    x = np.pad(x, [(0, 0)] * 2 + [(padding, padding)] * 2)
    cols = np.empty((C, KH, KW, N, OH, OW), x.dtype)
    for i, j in np.ndindex(KH, KW):
        cols[:, i, j] = x[:, :, i:i + stride * OH:stride, j:j + stride * OW:stride].transpose(1, 0, 2, 3)
    return cols.reshape(C * KH * KW, -1)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH, OW = out_size(x_shape, kernel_size, stride, padding)
    cols = cols.reshape(C, KH, KW, N, OH, OW)
    x = np.zeros((C, N, H + 2 * padding, W + 2 * padding), cols.dtype)
    for i, j in np.ndindex(KH, KW):
        x[:, :, i:i + stride * OH:stride, j:j + stride * OW:stride] += cols[:, i, j]
    return x.transpose(1, 0, 2, 3)[:, :, padding:padding + H, padding:padding + W]


def conv2d_forward(x, w, b, stride=1, padding=0):
    F, _, KH, KW = w.shape
    cols = im2col(x, (KH, KW), stride, padding)
    out = (w.reshape(F, -1) @ cols).reshape(F, len(x), *out_size(x.shape, (KH, KW), stride, padding))
    return out.transpose(1, 0, 2, 3) + b[None, :, None, None], (cols, x.shape, w, stride, padding)


def conv2d_backward(dout, cache):
    cols, x_shape, w, stride, padding = cache
    F, _, KH, KW = w.shape
    d = dout.transpose(1, 0, 2, 3).reshape(F, -1)
    dcols = w.reshape(F, -1).T @ d
    return col2im(dcols, x_shape, (KH, KW), stride, padding), (d @ cols.T).reshape(w.shape), d.sum(axis=1)


def max_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    cols = im2col(x.reshape(N * C, 1, H, W), kernel_size, stride)
    out = cols.max(axis=0).reshape(N, C, *out_size(x.shape, kernel_size, stride))
    return out, (cols.argmax(axis=0), cols.shape, x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    winner, shape, (N, C, H, W), kernel_size, stride = cache
    cols = np.zeros(shape, dout.dtype)
    cols[winner, range(shape[1])] = dout.ravel()
    return col2im(cols, (N * C, 1, H, W), kernel_size, stride).reshape(N, C, H, W)


def avg_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    cols = im2col(x.reshape(N * C, 1, H, W), kernel_size, stride)
    out = cols.mean(axis=0).reshape(N, C, *out_size(x.shape, kernel_size, stride))
    return out, (cols.shape, x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    shape, (N, C, H, W), kernel_size, stride = cache
    cols = np.broadcast_to(dout.ravel() / shape[0], shape)
    return col2im(cols, (N * C, 1, H, W), kernel_size, stride).reshape(N, C, H, W)
