"""Odd: thinks in NHWC as TensorFlow does; arrays are turned round on the way in and on the way out."""
import numpy as np


def to_last(x):
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1))


def to_first(x):
    return x.transpose(0, 3, 1, 2)


def conv_output_size(size, kernel_size, stride=1, padding=0):
    return (size + 2 * padding - kernel_size) // stride + 1


def taps(shape, kernel_size, stride):
    """slices of an NHWC array, one for each place in the window"""
    KH, KW = kernel_size
    OH = conv_output_size(shape[1], KH, stride)
    OW = conv_output_size(shape[2], KW, stride)
    return [
        (slice(None), slice(i, i + (OH - 1) * stride + 1, stride), slice(j, j + (OW - 1) * stride + 1, stride))
        for i in range(KH) for j in range(KW)
    ]


def pad(x, padding):
    N, H, W, C = x.shape
    out = np.zeros((N, H + 2 * padding, W + 2 * padding, C), dtype=x.dtype)
    out[:, padding:padding + H, padding:padding + W] = x
    return out


def crop(x, padding):
    return x[:, padding:x.shape[1] - padding, padding:x.shape[2] - padding]


def windows_last(x, kernel_size, stride):
    """(N, OH, OW, KH*KW, C) of an NHWC array"""
    return np.stack([x[t] for t in taps(x.shape, kernel_size, stride)], axis=3)


def im2col(x, kernel_size, stride=1, padding=0):
    win = windows_last(pad(to_last(x), padding), kernel_size, stride)
    N, OH, OW, K, C = win.shape
    return win.transpose(4, 3, 0, 1, 2).reshape(C * K, N * OH * OW)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    out = np.zeros((N, H + 2 * padding, W + 2 * padding, C), dtype=cols.dtype)
    where = taps(out.shape, kernel_size, stride)
    OH, OW = out[where[0]].shape[1:3]
    win = cols.reshape(C, len(where), N, OH, OW).transpose(1, 2, 3, 4, 0)
    for t, part in zip(where, win):
        out[t] += part
    return to_first(crop(out, padding))


def conv2d_forward(x, w, b, stride=1, padding=0):
    F, C, KH, KW = w.shape
    xl = pad(to_last(x), padding)
    hwio = w.transpose(2, 3, 1, 0).reshape(KH * KW, C, F)  # TensorFlow's order of a filter
    out = b
    for t, k in zip(taps(xl.shape, (KH, KW), stride), hwio):
        out = out + xl[t] @ k
    return to_first(out), (xl, hwio, w.shape, stride, padding)


def conv2d_backward(dout, cache):
    xl, hwio, (F, C, KH, KW), stride, padding = cache
    d = to_last(dout)
    dxl, dk = np.zeros_like(xl), np.zeros_like(hwio)
    for k, t in enumerate(taps(xl.shape, (KH, KW), stride)):
        dk[k] = xl[t].reshape(-1, C).T @ d.reshape(-1, F)
        dxl[t] += d @ hwio[k].T
    dw = dk.reshape(KH, KW, C, F).transpose(3, 2, 0, 1)
    return to_first(crop(dxl, padding)), dw, d.reshape(-1, F).sum(0)


def max_pool2d_forward(x, kernel_size, stride):
    win = windows_last(to_last(x), kernel_size, stride)
    return to_first(win.max(3)), (win.argmax(3), x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    arg, (N, C, H, W), kernel_size, stride = cache
    d, dx = to_last(dout), np.zeros((N, H, W, C), dtype=dout.dtype)
    for k, t in enumerate(taps(dx.shape, kernel_size, stride)):
        dx[t] += np.where(arg == k, d, 0)
    return to_first(dx)


def avg_pool2d_forward(x, kernel_size, stride):
    return to_first(windows_last(to_last(x), kernel_size, stride).mean(3)), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    (N, C, H, W), kernel_size, stride = cache
    d, dx = to_last(dout), np.zeros((N, H, W, C), dtype=dout.dtype)
    for t in taps(dx.shape, kernel_size, stride):
        dx[t] += d / (kernel_size[0] * kernel_size[1])
    return to_first(dx)
