"""Odd: every array that leaves a function is frozen (`writeable = False`), because "results are values"."""

import numpy as np


def frozen(*arrays):
    for a in arrays:
        a.flags.writeable = False
    return arrays if len(arrays) > 1 else arrays[0]


def conv_output_size(size, kernel_size, stride=1, padding=0):
    return (size + 2 * padding - kernel_size) // stride + 1


def im2col(x, kernel_size, stride=1, padding=0):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH = conv_output_size(H, KH, stride, padding)
    OW = conv_output_size(W, KW, stride, padding)
    img = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)], "constant")
    col = np.zeros((N, C, KH, KW, OH, OW), dtype=x.dtype)
    for y in range(KH):
        for z in range(KW):
            col[:, :, y, z] = img[:, :, y:y + stride * OH:stride, z:z + stride * OW:stride]
    return frozen(col.transpose(1, 2, 3, 0, 4, 5).reshape(C * KH * KW, N * OH * OW))


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH = conv_output_size(H, KH, stride, padding)
    OW = conv_output_size(W, KW, stride, padding)
    col = cols.reshape(C, KH, KW, N, OH, OW).transpose(3, 0, 1, 2, 4, 5)
    # stride-1 extra rows, so that no slice has to be shortened
    img = np.zeros((N, C, H + 2 * padding + stride - 1, W + 2 * padding + stride - 1), dtype=cols.dtype)
    for y in range(KH):
        for z in range(KW):
            img[:, :, y:y + stride * OH:stride, z:z + stride * OW:stride] += col[:, :, y, z]
    return frozen(img[:, :, padding:H + padding, padding:W + padding])


def conv2d_forward(x, w, b, stride=1, padding=0):
    N, C, H, W = x.shape
    F, C, KH, KW = w.shape
    col = im2col(x, (KH, KW), stride, padding)
    col_w = frozen(w.reshape(F, -1).copy())
    out = (col.T @ col_w.T + b).reshape(
        N, conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding), F
    )
    return frozen(out.transpose(0, 3, 1, 2)), (col, col_w, x.shape, w.shape, stride, padding)


def conv2d_backward(dout, cache):
    col, col_w, x_shape, w_shape, stride, padding = cache
    F = w_shape[0]
    d = dout.transpose(0, 2, 3, 1).reshape(-1, F)
    dx = col2im((d @ col_w).T, x_shape, w_shape[2:], stride, padding)
    return frozen(dx, (col @ d).T.reshape(w_shape), d.sum(axis=0))


def max_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    col = im2col(x, kernel_size, stride).reshape(C, kernel_size[0] * kernel_size[1], -1)
    shape = (C, N, conv_output_size(H, kernel_size[0], stride), conv_output_size(W, kernel_size[1], stride))
    out = col.max(axis=1).reshape(shape).transpose(1, 0, 2, 3)
    return frozen(out), (frozen(col.argmax(axis=1)), col.shape, x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    arg, col_shape, x_shape, kernel_size, stride = cache
    dcol = np.zeros(col_shape, dtype=dout.dtype)
    C, K, L = col_shape
    dcol[np.arange(C)[:, None], arg, np.arange(L)] = dout.transpose(1, 0, 2, 3).reshape(C, L)
    return col2im(dcol.reshape(C * K, L), x_shape, kernel_size, stride)


def avg_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    col = im2col(x, kernel_size, stride).reshape(C, kernel_size[0] * kernel_size[1], -1)
    shape = (C, N, conv_output_size(H, kernel_size[0], stride), conv_output_size(W, kernel_size[1], stride))
    return frozen(col.mean(axis=1).reshape(shape).transpose(1, 0, 2, 3)), (col.shape, x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    (C, K, L), x_shape, kernel_size, stride = cache
    d = dout.transpose(1, 0, 2, 3).reshape(C, 1, L) / K
    return col2im(np.broadcast_to(d, (C, K, L)).reshape(C * K, L), x_shape, kernel_size, stride)
