"""Odd: both gradients are convolutions again. dx: dilated dout with the kernel rotated by 180 degrees; dw: x with dout."""
import numpy as np


def conv_output_size(size, kernel_size, stride=1, padding=0):
    return int((size + 2 * padding - kernel_size) / stride) + 1


def correlate(x, w, stride=1):
    """plain valid cross-correlation of (N, C, H, W) with (F, C, KH, KW); either may be the large one"""
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.moveaxis(np.tensordot(windows, w, axes=((1, 4, 5), (1, 2, 3))), 3, 1)


def pad(x, top, bottom, left, right):
    return np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))


def dilate(d, stride):
    """zeros between the entries: stride 3 makes  a b  ->  a 0 0 b"""
    N, C, H, W = d.shape
    big = np.zeros((N, C, (H - 1) * stride + 1, (W - 1) * stride + 1), dtype=d.dtype)
    big[:, :, ::stride, ::stride] = d
    return big


def rot180(w):
    return np.rot90(w, 2, axes=(2, 3))


def conv2d_forward(x, w, b, stride=1, padding=0):
    out = correlate(pad(x, *[padding] * 4), w, stride)
    return out + b.reshape(-1, 1, 1), (x, w, stride, padding)


def conv2d_backward(dout, cache):
    x, w, stride, padding = cache
    KH, KW = w.shape[2:]
    d = dilate(dout, stride)
    H, W = x.shape[2] + 2 * padding, x.shape[3] + 2 * padding
    # the rows that no window has reached: d is too short by that many
    rest_h, rest_w = H - KH + 1 - d.shape[2], W - KW + 1 - d.shape[3]

    full = pad(d, KH - 1, KH - 1 + rest_h, KW - 1, KW - 1 + rest_w)
    dx = correlate(full, rot180(w).swapaxes(0, 1))
    dx = dx[:, :, padding:H - padding, padding:W - padding]

    # images take the part of the channels and channels that of the images
    dw = correlate(pad(x, *[padding] * 4).swapaxes(0, 1), d.swapaxes(0, 1)).swapaxes(0, 1)
    return dx, dw[:, :, :KH, :KW], dout.sum(axis=(0, 2, 3))


def unit_filters(C, KH, KW, dtype):
    """C*KH*KW filters with a single one each: convolving with them *is* im2col"""
    return np.eye(C * KH * KW, dtype=dtype).reshape(-1, C, KH, KW)


def im2col(x, kernel_size, stride=1, padding=0):
    filters = unit_filters(x.shape[1], *kernel_size, x.dtype)
    out, _ = conv2d_forward(x, filters, np.zeros(len(filters), x.dtype), stride, padding)
    return out.swapaxes(0, 1).reshape(len(filters), -1)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    """... and so its transpose is the gradient of that convolution"""
    N, C, H, W = x_shape
    filters = unit_filters(C, *kernel_size, cols.dtype)
    OH = conv_output_size(H, kernel_size[0], stride, padding)
    OW = conv_output_size(W, kernel_size[1], stride, padding)
    dout = cols.reshape(len(filters), N, OH, OW).swapaxes(0, 1)
    return conv2d_backward(dout, (np.zeros(x_shape, cols.dtype), filters, stride, padding))[0]


def by_channel(x):
    """pooling does not mix channels: make every channel an image of its own"""
    N, C, H, W = x.shape
    return x.reshape(N * C, 1, H, W)


def max_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    cols = im2col(by_channel(x), kernel_size, stride)
    winner = cols.argmax(axis=0)
    out = cols[winner, np.arange(cols.shape[1])]
    OH = conv_output_size(H, kernel_size[0], stride)
    return out.reshape(N, C, OH, -1), (winner, x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    winner, (N, C, H, W), kernel_size, stride = cache
    cols = np.zeros((kernel_size[0] * kernel_size[1], winner.size), dtype=dout.dtype)
    cols[winner, np.arange(winner.size)] = dout.reshape(-1)
    return col2im(cols, (N * C, 1, H, W), kernel_size, stride).reshape(N, C, H, W)


def avg_pool2d_forward(x, kernel_size, stride):
    N, C = x.shape[:2]
    mean = np.ones((1, 1, *kernel_size), dtype=x.dtype) / (kernel_size[0] * kernel_size[1])
    out, cache = conv2d_forward(by_channel(x), mean, np.zeros(1, x.dtype), stride)
    return out.reshape(N, C, *out.shape[2:]), (cache, x.shape)


def avg_pool2d_backward(dout, cache):
    cache, x_shape = cache
    return conv2d_backward(by_channel(dout), cache)[0].reshape(x_shape)
