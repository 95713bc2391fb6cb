"""Odd: works in float64 (and, for sums, in longdouble) whatever comes in, and casts back at the very end."""

import functools

import numpy as np


def in_double(function):
    """Convert all float arrays to float64 before the call, and the results back to what came in first."""

    @functools.wraps(function)
    def wrapped(first, *args, **kwargs):
        def up(a):
            return a.astype(np.float64) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a

        def down(a):
            return a.astype(first.dtype) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a

        result = function(up(first), *map(up, args), **kwargs)
        return tuple(map(down, result)) if isinstance(result, tuple) else down(result)

    return wrapped


def conv_output_size(size, kernel_size, stride=1, padding=0):
    return (size + 2 * padding - kernel_size) // stride + 1


def _grid(size, kernel_size, stride, padding):
    (H, W), (KH, KW) = size, kernel_size
    rows = stride * np.arange(conv_output_size(H, KH, stride, padding))[None, :] + np.arange(KH)[:, None]
    cols = stride * np.arange(conv_output_size(W, KW, stride, padding))[None, :] + np.arange(KW)[:, None]
    return rows[:, None, :, None], cols[None, :, None, :]  # KH, 1, OH, 1  and  1, KW, 1, OW


@in_double
def im2col(x, kernel_size, stride=1, padding=0):
    rows, cols = _grid(x.shape[2:], kernel_size, stride, padding)
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    return xp[:, :, rows, cols].transpose(1, 2, 3, 0, 4, 5).reshape(x.shape[1] * rows.shape[0] * cols.shape[1], -1)


@in_double
def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    where_h, where_w = _grid((H, W), kernel_size, stride, padding)
    KH, KW, OH, OW = where_h.shape[0], where_w.shape[1], where_h.shape[2], where_w.shape[3]
    total = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=np.longdouble)
    values = cols.reshape(C, KH, KW, N, OH, OW).transpose(3, 0, 1, 2, 4, 5)
    for i in range(KH):
        for j in range(KW):
            total[:, :, where_h[i, 0], where_w[0, j]] += values[:, :, i, j]
    return total[:, :, padding:padding + H, padding:padding + W]


@in_double
def conv2d_forward(x, w, b, stride=1, padding=0):
    F, C, KH, KW = w.shape
    N, _, H, W = x.shape
    cols = im2col(x, (KH, KW), stride, padding)
    out = w.reshape(F, -1) @ cols + b.reshape(-1, 1)
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    return out.reshape(F, N, OH, OW).swapaxes(0, 1), (cols, x.shape, w, stride, padding)


@in_double
def conv2d_backward(dout, cache):
    cols, x_shape, w, stride, padding = cache
    F, C, KH, KW = w.shape
    d = dout.swapaxes(0, 1).reshape(F, -1)
    dx = col2im(w.reshape(F, -1).T @ d, x_shape, (KH, KW), stride, padding)
    return dx, (d @ cols.T).reshape(w.shape), d.sum(1, dtype=np.longdouble)


@in_double
def max_pool2d_forward(x, kernel_size, stride):
    rows, cols = _grid(x.shape[2:], kernel_size, stride, 0)
    windows = x[:, :, rows, cols]
    flat = windows.reshape(*windows.shape[:2], -1, *windows.shape[4:])
    return flat.max(2), (flat.argmax(2), x.shape, kernel_size, stride)


@in_double
def max_pool2d_backward(dout, cache):
    winner, x_shape, (KH, KW), stride = cache
    rows, cols = _grid(x_shape[2:], (KH, KW), stride, 0)
    dx = np.zeros(x_shape)
    for k in range(KH * KW):
        dx[:, :, rows[k // KW, 0], cols[0, k % KW]] += dout * (winner == k)
    return dx


@in_double
def avg_pool2d_forward(x, kernel_size, stride):
    rows, cols = _grid(x.shape[2:], kernel_size, stride, 0)
    return x[:, :, rows, cols].mean((2, 3), dtype=np.longdouble), (x.shape, kernel_size, stride)


@in_double
def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), stride = cache
    rows, cols = _grid(x_shape[2:], (KH, KW), stride, 0)
    dx = np.zeros(x_shape)
    for i in range(KH):
        for j in range(KW):
            dx[:, :, rows[i, 0], cols[0, j]] += dout / (KH * KW)
    return dx
