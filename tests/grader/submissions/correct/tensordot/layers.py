"""Odd: all sums are `np.tensordot`s over named axes, with the axes put back by `np.moveaxis`."""
import numpy as np


def conv_output_size(size, kernel_size, stride=1, padding=0):
    return len(range(0, size + 2 * padding - kernel_size + 1, stride))


def rows_and_cols(H, W, KH, KW, stride, padding):
    # index arrays, both (K, O): which padded row/col does tap k of window o touch?
    oh = np.arange(conv_output_size(H, KH, stride, padding))
    ow = np.arange(conv_output_size(W, KW, stride, padding))
    return np.arange(KH)[:, None] + stride * oh, np.arange(KW)[:, None] + stride * ow


def unfold(x, kernel_size, stride, padding):
    """-> (N, C, KH, OH, KW, OW)"""
    rows, cols = rows_and_cols(*x.shape[2:], *kernel_size, stride, padding)
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    return xp[:, :, rows][..., cols]


def indicator(index, size):
    """S[k, o, s] = 1 if tap k of window o touches pixel s"""
    return (index[..., None] == np.arange(size)).astype(float)


def fold(u, x_shape, stride, padding):
    """transpose of unfold: a tensordot with 0/1 tensors, one axis after the other"""
    N, C, H, W = x_shape
    KH, KW = u.shape[2], u.shape[4]
    rows, cols = rows_and_cols(H, W, KH, KW, stride, padding)
    u = np.tensordot(u, indicator(cols - padding, W).astype(u.dtype), axes=([4, 5], [0, 1]))  # N C KH OH W
    u = np.tensordot(u, indicator(rows - padding, H).astype(u.dtype), axes=([2, 3], [0, 1]))  # N C W H
    return np.moveaxis(u, 2, 3)


def im2col(x, kernel_size, stride=1, padding=0):
    u = unfold(x, kernel_size, stride, padding)
    N, C, KH, OH, KW, OW = u.shape
    return u.transpose(1, 2, 4, 0, 3, 5).reshape(C * KH * KW, N * OH * OW)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    u = cols.reshape(C, KH, KW, N, OH, OW).transpose(3, 0, 1, 4, 2, 5)
    return fold(u, x_shape, stride, padding)


def conv2d_forward(x, w, b, stride=1, padding=0):
    u = unfold(x, w.shape[2:], stride, padding)
    out = np.tensordot(u, w, axes=([1, 2, 4], [1, 2, 3]))  # N OH OW F
    return np.moveaxis(out + b, -1, 1), (u, x.shape, w, stride, padding)


def conv2d_backward(dout, cache):
    u, x_shape, w, stride, padding = cache
    db = np.tensordot(dout, np.ones(dout.shape[0:1] + dout.shape[2:], dout.dtype), axes=([0, 2, 3], [0, 1, 2]))
    dw = np.tensordot(dout, u, axes=([0, 2, 3], [0, 3, 5]))  # F C KH KW
    du = np.tensordot(dout, w, axes=(1, 0))  # N OH OW C KH KW
    return fold(du.transpose(0, 3, 4, 1, 5, 2), x_shape, stride, padding), dw, db


def max_pool2d_forward(x, kernel_size, stride):
    u = np.moveaxis(unfold(x, kernel_size, stride, 0), 3, -2)  # N C KH KW OH OW
    KH, KW = kernel_size
    flat = u.reshape(*u.shape[:2], KH * KW, *u.shape[4:])
    first = np.argmax(flat, axis=2)
    return np.max(flat, axis=2), (first, x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    first, x_shape, (KH, KW), stride = cache
    won = np.moveaxis(first[..., None] == np.arange(KH * KW), -1, 2)
    du = (won * dout[:, :, None]).reshape(*dout.shape[:2], KH, KW, *dout.shape[2:])
    return fold(np.moveaxis(du, 3, 4), x_shape, stride, 0)


def avg_pool2d_forward(x, kernel_size, stride):
    u = unfold(x, kernel_size, stride, 0)
    KH, KW = kernel_size
    out = np.tensordot(u, np.ones((KH, KW), x.dtype), axes=([2, 4], [0, 1])) / (KH * KW)
    return out, (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), stride = cache
    u = np.tensordot(dout, np.ones((KH, KW), dout.dtype), axes=0) / (KH * KW)  # N C OH OW KH KW
    return fold(u.transpose(0, 1, 4, 2, 5, 3), x_shape, stride, 0)
