"""The homework in the style of loops: one window after the other, arithmetic on what is inside. Nothing is vectorised.

A template: mistakes of the catalogue are put into it, so its caches hold what the model answer's hold.
"""

import numpy as np


def conv_output_size(size, kernel_size, stride=1, padding=0):
    count = 0
    while count * stride + kernel_size <= size + 2 * padding:
        count += 1
    return count


def windows(H, W, KH, KW, stride, padding):
    """Yield the number of each window and where it is in the padded image."""
    for p in range(conv_output_size(H, KH, stride, padding)):
        for q in range(conv_output_size(W, KW, stride, padding)):
            yield p, q, slice(p * stride, p * stride + KH), slice(q * stride, q * stride + KW)


def framed(x, padding):
    N, C, H, W = x.shape
    padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=x.dtype)
    padded[:, :, padding : padding + H, padding : padding + W] = x
    return padded


def im2col(x, kernel_size, stride=1, padding=0):
    (N, _, H, W), (KH, KW), padded = x.shape, kernel_size, framed(x, padding)
    columns = []
    for n in range(N):
        for _, _, rows, across in windows(H, W, KH, KW, stride, padding):
            columns.append(padded[n, :, rows, across].flatten())
    return np.array(columns, dtype=x.dtype).T.copy()


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    (N, C, H, W), (KH, KW) = x_shape, kernel_size
    padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    column = 0
    for n in range(N):
        for _, _, rows, across in windows(H, W, KH, KW, stride, padding):
            padded[n, :, rows, across] += cols[:, column].reshape(C, KH, KW)
            column += 1
    return padded[:, :, padding : padding + H, padding : padding + W].copy()


def conv2d_forward(x, w, b, stride=1, padding=0):
    (N, _, H, W), (F, _, KH, KW), padded = x.shape, w.shape, framed(x, padding)
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    out = np.zeros((N, F, OH, OW), dtype=x.dtype)
    for p, q, rows, across in windows(H, W, KH, KW, stride, padding):
        for f in range(F):
            out[:, f, p, q] = (padded[:, :, rows, across] * w[f]).sum(axis=(1, 2, 3)) + b[f]
    return out, (x, w, stride, padding)


def conv2d_backward(dout, cache):
    x, w, stride, padding = cache
    (_, _, H, W), (F, _, KH, KW), padded = x.shape, w.shape, framed(x, padding)
    dpadded, dw, db = np.zeros_like(padded), np.zeros_like(w), np.zeros(F, dtype=x.dtype)
    for p, q, rows, across in windows(H, W, KH, KW, stride, padding):
        for f in range(F):
            upstream = dout[:, f, p, q]
            db[f] += upstream.sum()
            dw[f] += (upstream[:, None, None, None] * padded[:, :, rows, across]).sum(axis=0)
            dpadded[:, :, rows, across] += upstream[:, None, None, None] * w[f]
    return dpadded[:, :, padding : padding + H, padding : padding + W].copy(), dw, db


def max_pool2d_forward(x, kernel_size, stride):
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    out, winner = np.zeros((N, C, OH, OW), dtype=x.dtype), np.zeros((N, C, OH, OW), dtype=int)
    for p, q, rows, across in windows(H, W, KH, KW, stride, 0):
        flat = x[:, :, rows, across].reshape(N, C, -1)
        winner[:, :, p, q] = flat.argmax(axis=2)
        out[:, :, p, q] = flat.max(axis=2)
    return out, (winner, x.shape, (KH, KW), stride)


def max_pool2d_backward(dout, cache):
    winner, x_shape, (_, KW), stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for n, c, p, q in np.ndindex(*dout.shape):
        row, column = divmod(int(np.broadcast_to(winner, dout.shape)[n, c, p, q]), KW)
        dx[n, c, p * stride + row, q * stride + column] += dout[n, c, p, q]
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    out = np.zeros((N, C, OH, OW), dtype=x.dtype)
    for p, q, rows, across in windows(H, W, KH, KW, stride, 0):
        out[:, :, p, q] = x[:, :, rows, across].mean(axis=(2, 3))
    return out, (x.shape, (KH, KW), stride)


def avg_pool2d_backward(dout, cache):
    (N, C, H, W), (KH, KW), stride = cache
    dx = np.zeros((N, C, H, W), dtype=dout.dtype)
    for p in range(dout.shape[2]):
        for q in range(dout.shape[3]):
            rows, across = slice(p * stride, p * stride + KH), slice(q * stride, q * stride + KW)
            dx[:, :, rows, across] += (dout[:, :, p, q] / (KH * KW))[:, :, None, None]
    return dx
