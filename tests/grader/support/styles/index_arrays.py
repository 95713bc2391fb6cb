"""The homework without a Python loop: index arrays and np.add.at, the way most tutorials do it."""

# mypy: ignore-errors
# Written as students write.

import numpy as np


def conv_output_size(size, kernel_size, stride=1, padding=0):
    return (size + 2 * padding - kernel_size) // stride + 1


def _indices(x_shape, kernel_size, stride, padding):
    _, c, h, w = x_shape
    kh, kw = kernel_size
    oh, ow = conv_output_size(h, kh, stride, padding), conv_output_size(w, kw, stride, padding)
    i0 = np.tile(np.repeat(np.arange(kh), kw), c)
    i1 = stride * np.repeat(np.arange(oh), ow)
    j0 = np.tile(np.arange(kw), kh * c)
    j1 = stride * np.tile(np.arange(ow), oh)
    k = np.repeat(np.arange(c), kh * kw).reshape(-1, 1)
    return k, i0.reshape(-1, 1) + i1.reshape(1, -1), j0.reshape(-1, 1) + j1.reshape(1, -1)


def im2col(x, kernel_size, stride=1, padding=0):
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    k, i, j = _indices(x.shape, kernel_size, stride, padding)
    cols = xp[:, k, i, j]  # N, rows, positions
    return cols.transpose(1, 0, 2).reshape(k.shape[0], -1)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    n, c, h, w = x_shape
    xp = np.zeros((n, c, h + 2 * padding, w + 2 * padding), dtype=cols.dtype)
    k, i, j = _indices(x_shape, kernel_size, stride, padding)
    np.add.at(xp, (slice(None), k, i, j), cols.reshape(k.shape[0], n, -1).transpose(1, 0, 2))
    return xp[:, :, padding : padding + h, padding : padding + w].copy()


def conv2d_forward(x, w, b, stride=1, padding=0):
    n, _, h, wid = x.shape
    f, _, kh, kw = w.shape
    cols = im2col(x, (kh, kw), stride, padding)
    out = w.reshape(f, -1) @ cols + b.reshape(-1, 1)
    oh, ow = conv_output_size(h, kh, stride, padding), conv_output_size(wid, kw, stride, padding)
    return out.reshape(f, n, oh, ow).transpose(1, 0, 2, 3), (x.shape, w, cols, stride, padding)


def conv2d_backward(dout, cache):
    x_shape, w, cols, stride, padding = cache
    f = w.shape[0]
    d = dout.transpose(1, 0, 2, 3).reshape(f, -1)
    dx = col2im(w.reshape(f, -1).T @ d, x_shape, w.shape[2:], stride, padding)
    return dx, (d @ cols.T).reshape(w.shape), d.sum(axis=1)


def _pool_cols(x, kernel_size, stride):
    n, c, h, w = x.shape
    return im2col(x.reshape(n * c, 1, h, w), kernel_size, stride)


def max_pool2d_forward(x, kernel_size, stride):
    n, c, h, w = x.shape
    cols = _pool_cols(x, kernel_size, stride)
    best = cols.argmax(axis=0)
    out = cols[best, np.arange(cols.shape[1])]
    oh, ow = conv_output_size(h, kernel_size[0], stride), conv_output_size(w, kernel_size[1], stride)
    return out.reshape(n, c, oh, ow), (x.shape, cols.shape, best, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    (n, c, h, w), shape, best, kernel_size, stride = cache
    dcols = np.zeros(shape, dtype=dout.dtype)
    dcols[best, np.arange(shape[1])] = dout.reshape(-1)
    return col2im(dcols, (n * c, 1, h, w), kernel_size, stride).reshape(n, c, h, w)


def avg_pool2d_forward(x, kernel_size, stride):
    n, c, h, w = x.shape
    cols = _pool_cols(x, kernel_size, stride)
    oh, ow = conv_output_size(h, kernel_size[0], stride), conv_output_size(w, kernel_size[1], stride)
    return cols.mean(axis=0).reshape(n, c, oh, ow), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    (n, c, h, w), (kh, kw), stride = cache
    dcols = np.tile(dout.reshape(1, -1) / (kh * kw), (kh * kw, 1))
    return col2im(dcols, (n * c, 1, h, w), (kh, kw), stride).reshape(n, c, h, w)
