"""Odd: plain Python. Nested lists of Python floats inside, sizes as Python ints, lists as results where several are due."""
import math

import numpy as np


def conv_output_size(size, kernel_size, stride=1, padding=0):
    return math.floor((int(size) + 2 * int(padding) - int(kernel_size)) / int(stride)) + 1


def zeros(*shape):
    if len(shape) == 1:
        return [0.0] * shape[0]
    return [zeros(*shape[1:]) for _ in range(shape[0])]


def shape_of(x):
    return tuple(int(n) for n in x.shape)


def pad(x, shape, padding):
    """x as nested lists with zeros around"""
    N, C, H, W = shape
    xp = zeros(N, C, H + 2 * padding, W + 2 * padding)
    for n in range(N):
        for c in range(C):
            for h in range(H):
                xp[n][c][h + padding][padding:padding + W] = x[n][c][h]
    return xp


def crop(xp, padding, dtype):
    end = -padding or None  # [0:-0] would be empty!
    return np.array([[[row[padding:end] for row in plane[padding:end]] for plane in image] for image in xp], dtype=dtype)


def positions(H, W, kernel_size, stride, padding=0):
    """all (p, q) with the corner of their window"""
    KH, KW = kernel_size
    return [
        (p, q, p * stride, q * stride)
        for p in range(conv_output_size(H, KH, stride, padding))
        for q in range(conv_output_size(W, KW, stride, padding))
    ]


def im2col(x, kernel_size, stride=1, padding=0):
    N, C, H, W = shape_of(x)
    KH, KW = kernel_size
    xp = pad(x.tolist(), (N, C, H, W), padding)
    columns = [
        [value for plane in xp[n] for row in plane[h:h + KH] for value in row[w:w + KW]]
        for n in range(N)
        for _, _, h, w in positions(H, W, kernel_size, stride, padding)
    ]
    return np.array(list(zip(*columns)), dtype=x.dtype)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    xp = zeros(N, C, H + 2 * padding, W + 2 * padding)
    columns = iter(cols.T.tolist())
    for n in range(N):
        for _, _, h, w in positions(H, W, kernel_size, stride, padding):
            values = iter(next(columns))
            for c in range(C):
                for i in range(KH):
                    for j in range(KW):
                        xp[n][c][h + i][w + j] += next(values)
    return crop(xp, padding, cols.dtype)


def conv2d_forward(x, w, b, stride=1, padding=0):
    (N, C, H, W), (F, _, KH, KW) = shape_of(x), shape_of(w)
    columns = im2col(x, (KH, KW), stride, padding).T.tolist()
    filters = [f.ravel().tolist() for f in w]
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    out = np.zeros((N, F, OH, OW), dtype=x.dtype)
    for number, column in enumerate(columns):
        n, rest = divmod(number, OH * OW)
        for f in range(F):
            out[n, f, rest // OW, rest % OW] = math.fsum(map(float.__mul__, filters[f], column)) + float(b[f])
    return [out, [columns, filters, shape_of(x), shape_of(w), stride, padding]]


def conv2d_backward(dout, cache):
    columns, filters, x_shape, (F, C, KH, KW), stride, padding = cache
    d = [dout[:, f].ravel().tolist() for f in range(F)]  # image by image, like the columns
    dw = [[sum(d[f][k] * column[r] for k, column in enumerate(columns)) for r in range(C * KH * KW)] for f in range(F)]
    dcols = [[sum(filters[f][r] * d[f][k] for f in range(F)) for k in range(len(columns))] for r in range(C * KH * KW)]
    return [
        col2im(np.array(dcols, dtype=dout.dtype), x_shape, (KH, KW), stride, padding),
        np.array(dw, dtype=dout.dtype).reshape(F, C, KH, KW),
        np.array([math.fsum(row) for row in d], dtype=dout.dtype),
    ]


def pixels(N, C, H, W, kernel_size, stride):
    """all windows of all channels: their index in the output, and the list of the indices of their pixels"""
    KH, KW = kernel_size
    for n in range(N):
        for c in range(C):
            for p, q, h, w in positions(H, W, kernel_size, stride):
                yield (n, c, p, q), [(n, c, h + i, w + j) for i in range(KH) for j in range(KW)]


def at(nested, index):
    for i in index:
        nested = nested[i]
    return nested


def add(nested, index, value):
    at(nested, index[:-1])[index[-1]] += value


def max_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = shape_of(x)
    values = x.tolist()
    out = zeros(N, C, conv_output_size(H, kernel_size[0], stride), conv_output_size(W, kernel_size[1], stride))
    for here, there in pixels(N, C, H, W, kernel_size, stride):
        add(out, here, max(at(values, index) for index in there))
    return [np.array(out, dtype=x.dtype), [values, shape_of(x), kernel_size, stride]]


def max_pool2d_backward(dout, cache):
    values, x_shape, kernel_size, stride = cache
    dx = zeros(*x_shape)
    d = dout.tolist()
    for here, there in pixels(*x_shape, kernel_size, stride):
        best = max(there, key=lambda index: at(values, index))  # of equals, max takes the first
        add(dx, best, at(d, here))
    return np.array(dx, dtype=dout.dtype)


def avg_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = shape_of(x)
    values = x.tolist()
    out = zeros(N, C, conv_output_size(H, kernel_size[0], stride), conv_output_size(W, kernel_size[1], stride))
    for here, there in pixels(N, C, H, W, kernel_size, stride):
        add(out, here, math.fsum(at(values, index) for index in there) / len(there))
    return [np.array(out, dtype=x.dtype), [shape_of(x), kernel_size, stride]]


def avg_pool2d_backward(dout, cache):
    x_shape, kernel_size, stride = cache
    dx = zeros(*x_shape)
    d = dout.tolist()
    for here, there in pixels(*x_shape, kernel_size, stride):
        for index in there:
            add(dx, index, at(d, here) / len(there))
    return np.array(dx, dtype=dout.dtype)
