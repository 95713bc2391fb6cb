"""Odd: prints on import and on every call, to stdout and stderr, warns and logs; the debugging was never removed."""

import logging
import sys
import warnings

import numpy as np

logging.basicConfig(level=logging.DEBUG)
log = logging.getLogger(__name__)

print("layers imported, numpy", np.__version__)


def DEBUG(*things):
    print("[DEBUG]", *things, flush=True)
    print("[DEBUG]", *things, file=sys.stderr)
    log.debug("%s", things)
    sys.stdout.write("\x1b[31mred\x1b[0m \N{SNOWMAN}\n")


def conv_output_size(size, kernel_size, stride=1, padding=0):
    DEBUG("conv_output_size", size, kernel_size, stride, padding)
    return (size + 2 * padding - kernel_size) // stride + 1


def steps(H, W, kernel_size, stride):
    DEBUG("steps", H, W, kernel_size, stride)
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    return [
        (slice(i, i + stride * OH, stride), slice(j, j + stride * OW, stride)) for i in range(KH) for j in range(KW)
    ]


def im2col(x, kernel_size, stride=1, padding=0):
    DEBUG("im2col", x)
    warnings.warn("im2col is slow")
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    taps = [xp[:, :, rows, columns] for rows, columns in steps(*xp.shape[2:], kernel_size, stride)]
    cols = np.stack(taps).transpose(2, 0, 1, 3, 4).reshape(x.shape[1] * len(taps), -1)
    DEBUG("cols", cols.shape)
    return cols


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    DEBUG("col2im", cols)
    N, C, H, W = x_shape
    xp = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    where = steps(*xp.shape[2:], kernel_size, stride)
    for k, (rows, columns) in enumerate(where):
        tap = xp[:, :, rows, columns]  # a view
        tap += cols.reshape(C, len(where), N, *tap.shape[2:])[:, k].transpose(1, 0, 2, 3)
        DEBUG("tap", k, tap)
    return xp[:, :, padding : padding + H, padding : padding + W]


def conv2d_forward(x, w, b, stride=1, padding=0):
    DEBUG("conv2d_forward", x.shape, w.shape, b)
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    cols = im2col(x, (KH, KW), stride, padding)
    out = w.reshape(F, C * KH * KW).dot(cols) + b.reshape(F, 1)
    OH = conv_output_size(H, KH, stride, padding)
    OW = conv_output_size(W, KW, stride, padding)
    out = out.reshape(F, N, OH, OW).transpose(1, 0, 2, 3)
    DEBUG("out", out)
    return out, (cols, x, w, stride, padding)


def conv2d_backward(dout, cache):
    DEBUG("conv2d_backward", dout, cache)
    cols, x, w, stride, padding = cache
    F, C, KH, KW = w.shape
    dflat = dout.transpose(1, 0, 2, 3).reshape(F, -1)
    dw = dflat.dot(cols.T).reshape(w.shape)
    dx = col2im(w.reshape(F, -1).T.dot(dflat), x.shape, (KH, KW), stride, padding)
    db = np.sum(dflat, axis=1)
    DEBUG("db", db)
    return dx, dw, db


def max_pool2d_forward(x, kernel_size, stride):
    DEBUG("max_pool2d_forward")
    taps = np.stack([x[:, :, rows, columns] for rows, columns in steps(*x.shape[2:], kernel_size, stride)])
    print(taps)
    return taps.max(axis=0), (taps.argmax(axis=0), x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    DEBUG("max_pool2d_backward", cache)
    winner, x_shape, kernel_size, stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for k, (rows, columns) in enumerate(steps(*x_shape[2:], kernel_size, stride)):
        dx[:, :, rows, columns] += dout * (winner == k)
        print(k, "won", np.sum(winner == k), "times")
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    taps = np.stack([x[:, :, rows, columns] for rows, columns in steps(*x.shape[2:], kernel_size, stride)])
    out = taps.mean(axis=0)
    print(out)
    return out, (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for rows, columns in steps(*x_shape[2:], (KH, KW), stride):
        dx[:, :, rows, columns] += dout / (KH * KW)
    print(dx, file=sys.stderr)
    return dx


print("all functions defined, good luck!")
