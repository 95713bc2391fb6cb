"""Odd: no result owns its memory: transposes, reversed slices, every second column of something larger, zero strides."""

import numpy as np


def conv_output_size(size, kernel_size, stride=1, padding=0):
    return (size + 2 * padding - kernel_size) // stride + 1


def _hidden(shape, dtype):
    """Zeros with this shape: every second entry of each row of a larger array, read from the bottom right."""
    *front, H, W = shape
    return np.zeros((*front, H + 1, 2 * W), dtype)[..., :0:-1, ::-2]


def _padded(x, padding):
    N, C, H, W = x.shape
    big = _hidden((N, C, H + 2 * padding, W + 2 * padding), x.dtype)
    big[..., padding : padding + H, padding : padding + W] = x
    return big


def _taps(KH, KW, OH, OW, stride):
    for i in range(KH):
        for j in range(KW):
            yield i, j, (..., slice(i, i + stride * OH, stride), slice(j, j + stride * OW, stride))


def _sizes(H, W, kernel_size, stride, padding=0):
    KH, KW = kernel_size
    return conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)


def im2col(x, kernel_size, stride=1, padding=0):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = _sizes(H, W, kernel_size, stride, padding)
    rows = np.empty((N, OH, OW, C, KH, KW), x.dtype)  # the other way round ...
    xp = _padded(x, padding)
    for i, j, tap in _taps(KH, KW, OH, OW, stride):
        rows[..., i, j] = xp[tap].transpose(0, 2, 3, 1)
    return rows.reshape(N * OH * OW, C * KH * KW).T  # ... so this is a transposed view


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH, OW = _sizes(H, W, kernel_size, stride, padding)
    xp = _hidden((N, C, H + 2 * padding, W + 2 * padding), cols.dtype)
    taps = cols.reshape(C, KH, KW, N, OH, OW)
    for i, j, tap in _taps(KH, KW, OH, OW, stride):
        xp[tap] += taps[:, i, j].swapaxes(0, 1)
    return xp[..., padding : padding + H, padding : padding + W]


def conv2d_forward(x, w, b, stride=1, padding=0):
    F, C, KH, KW = w.shape
    OH, OW = _sizes(x.shape[2], x.shape[3], (KH, KW), stride, padding)
    rows = im2col(x, (KH, KW), stride, padding).T
    out = rows @ w.reshape(F, -1).T + b  # N*OH*OW, F: channels last
    return np.moveaxis(out.reshape(len(x), OH, OW, F), 3, 1), (rows, w, x.shape, stride, padding)


def conv2d_backward(dout, cache):
    rows, w, x_shape, stride, padding = cache
    F, C, KH, KW = w.shape
    d = np.moveaxis(dout, 1, 3).reshape(-1, F)
    both = np.stack([(rows.T @ d).T, np.zeros((F, C * KH * KW), rows.dtype)], axis=2)
    dw = both.reshape(F, C, KH, KW, 2)[..., 0]  # strided
    db = np.concatenate([d, d]).reshape(2, -1, F).sum(axis=(0, 1))[::-1][::-1] / 2
    dx = col2im(w.reshape(F, -1).T @ d.T, x_shape, (KH, KW), stride, padding)
    return dx, dw, db


def max_pool2d_forward(x, kernel_size, stride):
    KH, KW = kernel_size
    OH, OW = _sizes(*x.shape[2:], kernel_size, stride)
    best, winner = None, None
    for i, j, tap in _taps(KH, KW, OH, OW, stride):
        if best is None:
            best, winner = _hidden(x[tap].shape, x.dtype), np.zeros(x[tap].shape, int)
            best[...] = x[tap]
        better = x[tap] > best
        best[better] = x[tap][better]
        winner[better] = i * KW + j
    return best, (winner, x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    winner, x_shape, (KH, KW), stride = cache
    dx = _hidden(x_shape, dout.dtype)
    for i, j, tap in _taps(KH, KW, *dout.shape[2:], stride):
        dx[tap] += np.where(winner == i * KW + j, dout, 0)
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    KH, KW = kernel_size
    OH, OW = _sizes(*x.shape[2:], kernel_size, stride)
    out = _hidden((*x.shape[:2], OH, OW), x.dtype)
    for _, _, tap in _taps(KH, KW, OH, OW, stride):
        out += x[tap]
    out /= KH * KW
    return out, (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), stride = cache
    if dout.shape[2:] == (1, 1) and x_shape[2:] == (KH, KW):
        return np.broadcast_to(dout / (KH * KW), x_shape)  # all pixels are one and the same number in memory
    dx = _hidden(x_shape, dout.dtype)
    for _, _, tap in _taps(KH, KW, *dout.shape[2:], stride):
        dx[tap] += dout / (KH * KW)
    return dx
