"""Odd: average pooling by an integral image, max pooling one axis after the other, sums that cancel a little."""

import numpy as np


def conv_output_size(size, kernel_size, stride=1, padding=0):
    return np.int64((size + 2 * padding - kernel_size) // stride + 1)  # an integer of NumPy's


def _cut(x, KH, KW, s):
    OH, OW = conv_output_size(x.shape[-2], KH, s), conv_output_size(x.shape[-1], KW, s)
    for i in range(KH):
        for j in range(KW):
            yield i, j, np.s_[..., i : i + s * OH : s, j : j + s * OW : s]


def im2col(x, kernel_size, stride=1, padding=0):
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding))).transpose(1, 0, 2, 3)
    return np.array([[channel[s].ravel() for _, _, s in _cut(channel, *kernel_size, stride)] for channel in xp]).reshape(
        x.shape[1] * kernel_size[0] * kernel_size[1], -1
    )


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    xp = np.zeros((C, N, H + 2 * padding, W + 2 * padding), cols.dtype)
    rows = iter(cols)
    for channel in xp:
        for _, _, s in _cut(channel, *kernel_size, stride):
            channel[s] += next(rows).reshape(channel[s].shape)
    return xp[:, :, padding : padding + H, padding : padding + W].transpose(1, 0, 2, 3)


def conv2d_forward(x, w, b, stride=1, padding=0):
    F, C, KH, KW = w.shape
    cols = im2col(x, (KH, KW), stride, padding)
    # the bias as one more weight that always sees a one
    cols1 = np.vstack([cols, np.ones((1, cols.shape[1]), x.dtype)])
    w1 = np.hstack([w.reshape(F, -1), b[:, None]])
    OH = conv_output_size(x.shape[2], KH, stride, padding)
    return (w1 @ cols1).reshape(F, len(x), OH, -1).swapaxes(0, 1), (cols1, w1, x.shape, w.shape, stride, padding)


def conv2d_backward(dout, cache):
    cols1, w1, x_shape, w_shape, stride, padding = cache
    d = dout.swapaxes(0, 1).reshape(len(w1), -1)
    dw1, dcols1 = d @ cols1.T, w1.T @ d
    return col2im(dcols1[:-1], x_shape, w_shape[2:], stride, padding), dw1[:, :-1].reshape(w_shape), dw1[:, -1]


def _best_along(x, k, s, axis):
    """First maximum of every window along one axis, and where it is."""
    view = np.lib.stride_tricks.sliding_window_view(x, k, axis)
    view = view[:, :, ::s] if axis == 2 else view[:, :, :, ::s]
    return view.max(-1), view.argmax(-1)


def max_pool2d_forward(x, kernel_size, stride):
    KH, KW = kernel_size
    per_row, col = _best_along(x, KW, stride, 3)  # best of each row of a window ...
    out, row = _best_along(per_row, KH, stride, 2)  # ... and the best of these, the upper one first
    n, c, p, q = np.indices(out.shape)
    h = p * stride + row
    return out, (n, c, h, q * stride + col[n, c, h, q], x.shape)


def max_pool2d_backward(dout, cache):
    *where, x_shape = cache
    dx = np.zeros(x_shape, dout.dtype)
    np.add.at(dx, tuple(where), dout)
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    (KH, KW), (OH, OW) = kernel_size, (conv_output_size(n, k, stride) for n, k in zip(x.shape[2:], kernel_size))
    area = np.pad(x, ((0, 0), (0, 0), (1, 0), (1, 0))).astype(float).cumsum(2).cumsum(3)
    h, w = stride * np.arange(OH)[:, None], stride * np.arange(OW)
    total = area[..., h + KH, w + KW] - area[..., h, w + KW] - area[..., h + KH, w] + area[..., h, w]
    return (total / (KH * KW)).astype(x.dtype), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    """+ and - at the corners of every window, then two running sums: the transpose of the integral image"""
    (N, C, H, W), (KH, KW), stride = cache
    corners = np.zeros((N, C, H + 1, W + 1))
    share = dout / (KH * KW)
    h, w = stride * np.arange(dout.shape[2])[:, None], stride * np.arange(dout.shape[3])
    for i, j, sign in ((0, 0, 1), (KH, 0, -1), (0, KW, -1), (KH, KW, 1)):
        corners[..., h + i, w + j] += sign * share
    return corners.cumsum(2).cumsum(3)[:, :, :H, :W].astype(dout.dtype)
