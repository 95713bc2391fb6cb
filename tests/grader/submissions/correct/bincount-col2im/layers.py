"""Odd: `np.bincount` with weights does every scattered addition (it only knows float64, hence the casts)."""
import numpy as np


def conv_output_size(size, kernel_size, stride=1, padding=0):
    return int(np.floor((size + 2 * padding - kernel_size) / stride + 1))


def pixel_numbers(x_shape, kernel_size, stride, padding):
    """For each entry of cols the number of its pixel in x.ravel(); entries on the padding get one past the end."""
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH = conv_output_size(H, KH, stride, padding)
    OW = conv_output_size(W, KW, stride, padding)
    c, i, j, n, p, q = np.indices((C, KH, KW, N, OH, OW), sparse=True)
    row, col = stride * p + i - padding, stride * q + j - padding
    number = ((n * C + c) * H + row) * W + col
    inside = (row >= 0) & (row < H) & (col >= 0) & (col < W)
    return np.where(inside, number, N * C * H * W).reshape(C * KH * KW, N * OH * OW)


def scatter(values, numbers, shape):
    size = int(np.prod(shape))
    flat = np.bincount(numbers.ravel(), weights=values.ravel(), minlength=size + 1)[:size]
    return flat.reshape(shape).astype(values.dtype)


def im2col(x, kernel_size, stride=1, padding=0):
    pixels = np.append(x.ravel(), x.dtype.type(0))  # the one past the end
    return pixels[pixel_numbers(x.shape, kernel_size, stride, padding)]


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    return scatter(cols, pixel_numbers(x_shape, kernel_size, stride, padding), x_shape)


def conv2d_forward(x, w, b, stride=1, padding=0):
    N, _, H, W = x.shape
    F, _, KH, KW = w.shape
    cols = im2col(x, (KH, KW), stride, padding)
    out = (w.reshape(F, -1) @ cols + b[:, None]).reshape(
        F, N, conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    )
    return out.transpose(1, 0, 2, 3), (cols, x.shape, w, stride, padding)


def conv2d_backward(dout, cache):
    cols, x_shape, w, stride, padding = cache
    F, C, KH, KW = w.shape
    d = dout.transpose(1, 0, 2, 3).reshape(F, -1)
    filter_of = np.repeat(np.arange(F), d.shape[1])
    db = np.bincount(filter_of, weights=d.ravel(), minlength=F).astype(dout.dtype)
    return col2im(w.reshape(F, -1).T @ d, x_shape, (KH, KW), stride, padding), (d @ cols.T).reshape(w.shape), db


def window_pixels(x_shape, kernel_size, stride):
    N, C, H, W = x_shape
    one_channel = pixel_numbers((N * C, 1, H, W), kernel_size, stride, 0)  # KH*KW, N*C*OH*OW
    return one_channel, (N, C, conv_output_size(H, kernel_size[0], stride), conv_output_size(W, kernel_size[1], stride))


def max_pool2d_forward(x, kernel_size, stride):
    pixels, out_shape = window_pixels(x.shape, kernel_size, stride)
    values = x.ravel()[pixels]
    best = pixels[values.argmax(0), np.arange(values.shape[1])]
    return x.ravel()[best].reshape(out_shape), (best, x.shape)


def max_pool2d_backward(dout, cache):
    best, x_shape = cache
    return scatter(dout, best, x_shape)


def avg_pool2d_forward(x, kernel_size, stride):
    pixels, out_shape = window_pixels(x.shape, kernel_size, stride)
    return x.ravel()[pixels].mean(0).reshape(out_shape), (pixels, x.shape)


def avg_pool2d_backward(dout, cache):
    pixels, x_shape = cache
    shares = np.broadcast_to(dout.ravel() / len(pixels), pixels.shape)
    return scatter(shares, pixels, x_shape)
