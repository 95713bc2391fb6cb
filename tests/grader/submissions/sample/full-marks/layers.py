"""CS 4787 - Homework 3 - convolution and pooling
Priya R.
"""
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def conv_output_size(size, kernel_size, stride=1, padding=0):
    return (size + 2 * padding - kernel_size) // stride + 1


def get_windows(x, kernel_size, stride, padding=0):
    """All windows of x, shape (N, C, OH, OW, KH, KW). This is a view, do not write into it."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))  # a copy even if padding is 0
    return sliding_window_view(x, kernel_size, axis=(2, 3))[:, :, ::stride, ::stride]


def add_windows(windows, x_shape, stride, padding=0):
    """The opposite: add every window (N, C, OH, OW, KH, KW) back to where it came from."""
    N, C, H, W = x_shape
    OH, OW, KH, KW = windows.shape[2:]
    x = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=windows.dtype)
    # KH * KW additions of whole images instead of OH * OW additions of windows
    for i in range(KH):
        for j in range(KW):
            x[:, :, i:i + OH * stride:stride, j:j + OW * stride:stride] += windows[..., i, j]
    return x[:, :, padding:H + padding, padding:W + padding]


def im2col(x, kernel_size, stride=1, padding=0):
    windows = get_windows(x, kernel_size, stride, padding)
    N, C, OH, OW, KH, KW = windows.shape
    return windows.transpose(1, 4, 5, 0, 2, 3).reshape(C * KH * KW, N * OH * OW)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH = conv_output_size(H, KH, stride, padding)
    OW = conv_output_size(W, KW, stride, padding)
    windows = cols.reshape(C, KH, KW, N, OH, OW).transpose(3, 0, 4, 5, 1, 2)
    return add_windows(windows, x_shape, stride, padding)


def conv2d_forward(x, w, b, stride=1, padding=0):
    F, C, KH, KW = w.shape
    N, _, H, W = x.shape
    cols = im2col(x, (KH, KW), stride, padding)
    out = w.reshape(F, -1) @ cols + b.reshape(F, 1)
    OH = conv_output_size(H, KH, stride, padding)
    OW = conv_output_size(W, KW, stride, padding)
    out = out.reshape(F, N, OH, OW).transpose(1, 0, 2, 3)
    return out, (x.shape, w, cols, stride, padding)


def conv2d_backward(dout, cache):
    x_shape, w, cols, stride, padding = cache
    F, C, KH, KW = w.shape
    dout2d = dout.transpose(1, 0, 2, 3).reshape(F, -1)
    db = dout2d.sum(axis=1)
    dw = (dout2d @ cols.T).reshape(w.shape)
    dx = col2im(w.reshape(F, -1).T @ dout2d, x_shape, (KH, KW), stride, padding)
    return dx, dw, db


def max_pool2d_forward(x, kernel_size, stride):
    windows = get_windows(x, kernel_size, stride)
    flat = windows.reshape(windows.shape[:4] + (-1,))
    best = flat.argmax(axis=-1)
    out = np.take_along_axis(flat, best[..., None], axis=-1)[..., 0]
    return out, (best, x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    best, x_shape, (KH, KW), stride = cache
    one_hot = (best[..., None] == np.arange(KH * KW)).reshape(best.shape + (KH, KW))
    return add_windows(dout[..., None, None] * one_hot, x_shape, stride)


def avg_pool2d_forward(x, kernel_size, stride):
    return get_windows(x, kernel_size, stride).mean(axis=(-2, -1)), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), stride = cache
    share = dout[..., None, None] / (KH * KW)
    return add_windows(np.broadcast_to(share, dout.shape + (KH, KW)), x_shape, stride)
