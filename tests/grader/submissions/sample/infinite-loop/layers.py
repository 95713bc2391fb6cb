"""
Layers for the CNN homework
@author: jonas
"""
import numpy as np


def conv_output_size(size, kernel_size, stride=1, padding=0):
    return (size + 2 * padding - kernel_size) // stride + 1


def shifted(x, i, j, oh, ow, stride):
    """what the pixel (i, j) of the window sees while the window slides over the image"""
    return x[:, :, i:i + stride * oh:stride, j:j + stride * ow:stride]


def im2col(x, kernel_size, stride=1, padding=0):
    kh, kw = kernel_size
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    N, C, H, W = xp.shape
    oh, ow = conv_output_size(H, kh, stride), conv_output_size(W, kw, stride)
    cols = np.zeros((C, kh, kw, N, oh, ow), dtype=x.dtype)
    i = 0
    while i < kh:
        j = 0
        while j < kw:
            cols[:, i, j] = shifted(xp, i, j, oh, ow, stride).transpose(1, 0, 2, 3)
            j += 1
        i += 1
    return cols.reshape(C * kh * kw, N * oh * ow)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    kh, kw = kernel_size
    N, C, H, W = x_shape
    oh, ow = conv_output_size(H, kh, stride, padding), conv_output_size(W, kw, stride, padding)
    cols = cols.reshape(C, kh, kw, N, oh, ow)
    xp = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    i = 0
    while i < kh:
        j = 0
        while j < kw:
            shifted(xp, i, j, oh, ow, stride)[:] += cols[:, i, j].transpose(1, 0, 2, 3)
            j += 1
        i += 1
    return xp[:, :, padding:H + padding, padding:W + padding]


def conv2d_forward(x, w, b, stride=1, padding=0):
    F, C, kh, kw = w.shape
    cols = im2col(x, (kh, kw), stride, padding)
    oh = conv_output_size(x.shape[2], kh, stride, padding)
    ow = conv_output_size(x.shape[3], kw, stride, padding)
    out = (w.reshape(F, -1) @ cols).T + b
    out = out.reshape(len(x), oh, ow, F)
    return np.transpose(out, (0, 3, 1, 2)), (cols, x.shape, w, stride, padding)


def conv2d_backward(dout, cache):
    cols, x_shape, w, stride, padding = cache
    F = len(w)
    d = np.transpose(dout, (0, 2, 3, 1)).reshape(-1, F)
    dw = (cols @ d).T.reshape(w.shape)
    dx = col2im((d @ w.reshape(F, -1)).T, x_shape, w.shape[2:], stride, padding)
    return dx, dw, d.sum(axis=0)


def max_pool2d_forward(x, kernel_size, stride):
    kh, kw = kernel_size
    oh, ow = conv_output_size(x.shape[2], kh, stride), conv_output_size(x.shape[3], kw, stride)
    out = shifted(x, 0, 0, oh, ow, stride).copy()
    winner = np.zeros(out.shape, dtype=int)
    i = 0
    while i < kh:
        j = 0
        while j < kw:
            winner[shifted(x, i, j, oh, ow, stride) > out] = i * kw + j
            out = np.maximum(out, shifted(x, i, j, oh, ow, stride))
            j += 1
        i += 1
    return out, (winner, x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    winner, x_shape, (kh, kw), stride = cache
    oh, ow = dout.shape[2:]
    dx = np.zeros(x_shape, dtype=dout.dtype)
    i = 0
    while i < kh:
        j = 0
        while j < kw:
            shifted(dx, i, j, oh, ow, stride)[:] += dout * (winner == i * kw + j)
        j += 1
    i += 1
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    kh, kw = kernel_size
    oh, ow = conv_output_size(x.shape[2], kh, stride), conv_output_size(x.shape[3], kw, stride)
    out = np.zeros((x.shape[0], x.shape[1], oh, ow), dtype=x.dtype)
    i = 0
    while i < kh:
        j = 0
        while j < kw:
            out += shifted(x, i, j, oh, ow, stride)
            j += 1
        i += 1
    return out / (kh * kw), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (kh, kw), stride = cache
    oh, ow = dout.shape[2:]
    dx = np.zeros(x_shape, dtype=dout.dtype)
    i = 0
    while i < kh:
        j = 0
        while j < kw:
            shifted(dx, i, j, oh, ow, stride)[:] += dout / (kh * kw)
            j += 1
        i += 1
    return dx
