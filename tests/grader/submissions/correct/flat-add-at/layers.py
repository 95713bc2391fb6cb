"""Odd: one `np.add.at` on a flat array per scatter, gathers with `np.take`, sizes from shapes only."""

import numpy as np


def conv_output_size(size, kernel_size, stride=1, padding=0):
    """Number of window positions."""
    return (size + 2 * padding - kernel_size) // stride + 1


def _index(shape, kernel_size, stride):
    """Flat indices into one (H, W) plane: (KH*KW, OH*OW)."""
    H, W = shape
    KH, KW = kernel_size
    i0 = np.repeat(np.arange(KH), KW)
    j0 = np.tile(np.arange(KW), KH)
    i1 = stride * np.repeat(np.arange(conv_output_size(H, KH, stride)), conv_output_size(W, KW, stride))
    j1 = stride * np.tile(np.arange(conv_output_size(W, KW, stride)), conv_output_size(H, KH, stride))
    return (i0[:, None] + i1[None, :]) * W + (j0[:, None] + j1[None, :])


def _planes(shape):
    """Offset of each plane (n, c) in the flat array: (N, C, 1, 1)."""
    N, C, H, W = shape
    return (np.arange(N * C) * H * W).reshape(N, C, 1, 1)


def im2col(x, kernel_size, stride=1, padding=0):
    xp = np.pad(x, ((0,), (0,), (padding,), (padding,)))
    index = _planes(xp.shape) + _index(xp.shape[2:], kernel_size, stride)  # N, C, K, L
    taken = np.take(xp, index)
    return np.moveaxis(taken, 0, 2).reshape(xp.shape[1] * index.shape[2], -1)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    xp = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    index = _planes(xp.shape) + _index(xp.shape[2:], kernel_size, stride)
    values = np.moveaxis(cols.reshape(C, index.shape[2], N, -1), 2, 0)
    np.add.at(xp.reshape(-1), index.ravel(), values.ravel())  # reshape(-1) of a fresh array is a view
    return xp[:, :, padding:padding + H, padding:padding + W]


def conv2d_forward(x, w, b, stride=1, padding=0):
    F, C, KH, KW = w.shape
    cols = im2col(x, (KH, KW), stride, padding)
    flat = np.dot(w.reshape(F, -1), cols)
    flat = np.add(flat, b.reshape(F, 1))
    OH = conv_output_size(x.shape[2], KH, stride, padding)
    out = np.swapaxes(flat.reshape(F, x.shape[0], OH, -1), 0, 1)
    return np.array(out), {"cols": cols, "w": w, "x_shape": x.shape, "stride": stride, "padding": padding}


def conv2d_backward(dout, cache):
    cols, w = cache.pop("cols"), cache.pop("w")  # used up: the big matrix can go as soon as we are done
    x_shape, stride, padding = cache.pop("x_shape"), cache.pop("stride"), cache.pop("padding")
    F, C, KH, KW = w.shape
    flat = np.swapaxes(dout, 0, 1).reshape(F, -1)
    dw = np.dot(flat, cols.T).reshape(w.shape)
    dcols = np.dot(w.reshape(F, -1).T, flat)
    return col2im(dcols, x_shape, (KH, KW), stride, padding), dw, flat.sum(axis=1)


def max_pool2d_forward(x, kernel_size, stride):
    index = _planes(x.shape) + _index(x.shape[2:], kernel_size, stride)
    windows = np.take(x, index)
    winner = np.take_along_axis(index, windows.argmax(axis=2, keepdims=True), axis=2)
    OH = conv_output_size(x.shape[2], kernel_size[0], stride)
    return np.take(x, winner).reshape(*x.shape[:2], OH, -1), (winner, x.shape)


def max_pool2d_backward(dout, cache):
    winner, x_shape = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    np.add.at(dx.reshape(-1), winner.ravel(), dout.ravel())
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    index = _planes(x.shape) + _index(x.shape[2:], kernel_size, stride)
    OH = conv_output_size(x.shape[2], kernel_size[0], stride)
    return np.take(x, index).mean(axis=2).reshape(*x.shape[:2], OH, -1), (index, x.shape)


def avg_pool2d_backward(dout, cache):
    index, x_shape = cache
    N, C, K, L = index.shape
    dx = np.zeros(x_shape, dtype=dout.dtype)
    share = np.repeat(dout.reshape(N, C, 1, L) / K, K, axis=2)
    np.add.at(dx.reshape(-1), index.ravel(), share.ravel())
    return dx
