"""Odd: forward and backward are one generator each; the cache is that generator, halfway through, and is used up."""

import numpy as np


def conv_output_size(size, kernel_size, stride=1, padding=0):
    return (size + 2 * padding - kernel_size) // stride + 1


def _slices(H, W, KH, KW, s):
    OH, OW = conv_output_size(H, KH, s), conv_output_size(W, KW, s)
    return [(..., slice(i, i + s * OH, s), slice(j, j + s * OW, s)) for i in range(KH) for j in range(KW)]


def _unfolding(x, kernel_size, stride, padding):
    """Yields the taps (K, N, C, OH, OW); is sent their gradient; yields the gradient of x."""
    p = padding
    xp = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    where = _slices(*xp.shape[2:], *kernel_size, stride)
    dtaps = yield np.stack([xp[s] for s in where])
    dxp = np.zeros(xp.shape, dtaps.dtype)
    for s, d in zip(where, dtaps):
        dxp[s] += d
    yield dxp[:, :, p:p + x.shape[2], p:p + x.shape[3]]


def _convolution(x, w, b, stride, padding):
    unfolding = _unfolding(x, w.shape[2:], stride, padding)
    taps = next(unfolding)
    kernel = np.moveaxis(w.reshape(*w.shape[:2], -1), 2, 0)  # K, F, C
    dout = yield np.einsum("kncpq,kfc->nfpq", taps, kernel) + b[:, None, None]
    dkernel = np.einsum("kncpq,nfpq->kfc", taps, dout)
    dx = unfolding.send(np.einsum("nfpq,kfc->kncpq", dout, kernel))
    yield dx, np.moveaxis(dkernel, 0, 2).reshape(w.shape), dout.sum((0, 2, 3))


def _max_pooling(x, kernel_size, stride):
    unfolding = _unfolding(x, kernel_size, stride, 0)
    taps = next(unfolding)
    dout = yield taps.max(0)
    dtaps = np.zeros(taps.shape, dout.dtype)
    np.put_along_axis(dtaps, taps.argmax(0)[None], dout[None], axis=0)
    yield unfolding.send(dtaps)


def _avg_pooling(x, kernel_size, stride):
    unfolding = _unfolding(x, kernel_size, stride, 0)
    taps = next(unfolding)
    dout = yield sum(taps) / len(taps)
    yield unfolding.send(np.broadcast_to(dout / len(taps), taps.shape))


def im2col(x, kernel_size, stride=1, padding=0):
    taps = next(_unfolding(x, kernel_size, stride, padding))
    K, N, C = taps.shape[:3]
    return taps.transpose(2, 0, 1, 3, 4).reshape(C * K, -1)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    unfolding = _unfolding(np.zeros(x_shape, cols.dtype), kernel_size, stride, padding)
    K, N, C, OH, OW = next(unfolding).shape
    return unfolding.send(cols.reshape(C, K, N, OH, OW).transpose(1, 2, 0, 3, 4))


def _start(layer):
    return next(layer), layer


def conv2d_forward(x, w, b, stride=1, padding=0):
    return _start(_convolution(x, w, b, stride, padding))


def max_pool2d_forward(x, kernel_size, stride):
    return _start(_max_pooling(x, kernel_size, stride))


def avg_pool2d_forward(x, kernel_size, stride):
    return _start(_avg_pooling(x, kernel_size, stride))


def conv2d_backward(dout, cache):
    return cache.send(dout)


def max_pool2d_backward(dout, cache):
    return cache.send(dout)


def avg_pool2d_backward(dout, cache):
    return cache.send(dout)
