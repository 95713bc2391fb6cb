"""Odd: kn2row, a convolution as a sum of 1x1 convolutions of the whole image whose results are shifted and added."""

import numpy as np


def conv_output_size(size, kernel_size, stride=1, padding=0):
    return (size + 2 * padding - kernel_size + stride) // stride


class Shift:
    """How one tap (i, j) looks at an unpadded image: which output pixels see which image pixels.

    Nothing is ever padded: the part of the output whose tap lies on the padding is simply left out.
    """

    def __init__(self, size, kernel_size, stride, padding):
        self.size, self.stride, self.padding = size, stride, padding
        self.out = [conv_output_size(s, k, stride, padding) for s, k in zip(size, kernel_size)]

    def __call__(self, i, j):
        (rows_out, rows_in), (cols_out, cols_in) = self._axis(0, i), self._axis(1, j)
        return (Ellipsis, rows_out, cols_out), (Ellipsis, rows_in, cols_in)

    def _axis(self, axis, tap):
        # out position o reads pixel stride*o + tap - padding, which must lie in 0 .. size-1
        s, offset = self.stride, tap - self.padding
        first = max(0, -(offset // s))  # ceil(-offset / s)
        last = min(self.out[axis] - 1, (self.size[axis] - 1 - offset) // s)
        count = max(0, last - first + 1)
        start = max(0, s * first + offset) if count else 0
        return slice(first, first + count), slice(start, start + s * count, s) if count else slice(0, 0)


def im2col(x, kernel_size, stride=1, padding=0):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    shift = Shift((H, W), kernel_size, stride, padding)
    cols = np.zeros((C, KH, KW, N, *shift.out), dtype=x.dtype)
    for i in range(KH):
        for j in range(KW):
            there, here = shift(i, j)
            cols[:, i, j][there] = x[here].swapaxes(0, 1)
    return cols.reshape(C * KH * KW, -1)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    shift = Shift((H, W), kernel_size, stride, padding)
    cols = cols.reshape(C, KH, KW, N, *shift.out)
    x = np.zeros(x_shape, dtype=cols.dtype)
    for i in range(KH):
        for j in range(KW):
            there, here = shift(i, j)
            x[here] += cols[:, i, j][there].swapaxes(0, 1)
    return x


def conv2d_forward(x, w, b, stride=1, padding=0):
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    shift = Shift((H, W), (KH, KW), stride, padding)
    out = np.empty((N, F, *shift.out), dtype=x.dtype)
    out[:] = b[:, None, None]
    pixels = x.reshape(N, C, H * W)
    for i in range(KH):
        for j in range(KW):
            one_by_one = (w[:, :, i, j] @ pixels).reshape(N, F, H, W)
            there, here = shift(i, j)
            out[there] += one_by_one[here]
    return out, (x, w, shift)


def conv2d_backward(dout, cache):
    x, w, shift = cache
    F, C, KH, KW = w.shape
    dx, dw = np.zeros_like(x), np.empty_like(w)
    for i in range(KH):
        for j in range(KW):
            there, here = shift(i, j)
            d = dout[there]
            dw[:, :, i, j] = np.einsum("nfpq,ncpq->fc", d, x[here])
            dx[here] += np.einsum("nfpq,fc->ncpq", d, w[:, :, i, j])
    return dx, dw, dout.sum(axis=3).sum(axis=2).sum(axis=0)


def max_pool2d_forward(x, kernel_size, stride):
    KH, KW = kernel_size
    shift = Shift(x.shape[2:], kernel_size, stride, 0)
    seen = np.stack([x[shift(i, j)[1]] for i in range(KH) for j in range(KW)])
    return seen.max(axis=0), (seen.argmax(axis=0), x.shape, kernel_size, shift)


def max_pool2d_backward(dout, cache):
    winner, x_shape, (KH, KW), shift = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for i in range(KH):
        for j in range(KW):
            dx[shift(i, j)[1]] += np.where(winner == i * KW + j, dout, 0)
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    KH, KW = kernel_size
    shift = Shift(x.shape[2:], kernel_size, stride, 0)
    out = sum(x[shift(i, j)[1]] for i in range(KH) for j in range(KW)) / (KH * KW)
    return out, (x.shape, kernel_size, shift)


def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), shift = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for i in range(KH):
        for j in range(KW):
            dx[shift(i, j)[1]] += dout / (KH * KW)
    return dx
