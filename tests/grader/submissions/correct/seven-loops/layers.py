"""Odd: seven nested loops, one multiplication at a time; NumPy is only there to hold the numbers."""
import numpy as np

try:
    from numba import njit
except ImportError:  # then it takes a little longer

    def njit(function):
        return function


def conv_output_size(size, kernel_size, stride=1, padding=0):
    return (size + 2 * padding - kernel_size) // stride + 1


@njit
def pixel(x, n, c, h, w):
    """the pixel, or 0 outside of the image (so nobody has to pad anything)"""
    if h < 0 or w < 0 or h >= x.shape[2] or w >= x.shape[3]:
        return 0
    return x[n, c, h, w]


def im2col(x, kernel_size, stride=1, padding=0):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH = conv_output_size(H, KH, stride, padding)
    OW = conv_output_size(W, KW, stride, padding)
    cols = np.zeros((C * KH * KW, N * OH * OW), dtype=x.dtype)
    col = 0
    for n in range(N):
        for p in range(OH):
            for q in range(OW):
                row = 0
                for c in range(C):
                    for i in range(KH):
                        for j in range(KW):
                            cols[row, col] = pixel(x, n, c, p * stride + i - padding, q * stride + j - padding)
                            row += 1
                col += 1
    return cols


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH = conv_output_size(H, KH, stride, padding)
    OW = conv_output_size(W, KW, stride, padding)
    x = np.zeros(x_shape, dtype=cols.dtype)
    col = 0
    for n in range(N):
        for p in range(OH):
            for q in range(OW):
                row = 0
                for c in range(C):
                    for i in range(KH):
                        for j in range(KW):
                            h, w = p * stride + i - padding, q * stride + j - padding
                            if 0 <= h < H and 0 <= w < W:
                                x[n, c, h, w] += cols[row, col]
                            row += 1
                col += 1
    return x


def conv2d_forward(x, w, b, stride=1, padding=0):
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    OH = conv_output_size(H, KH, stride, padding)
    OW = conv_output_size(W, KW, stride, padding)
    out = np.zeros((N, F, OH, OW), dtype=x.dtype)
    for n in range(N):
        for f in range(F):
            for p in range(OH):
                for q in range(OW):
                    out[n, f, p, q] = b[f]
                    for c in range(C):
                        for i in range(KH):
                            for j in range(KW):
                                h, v = p * stride + i - padding, q * stride + j - padding
                                out[n, f, p, q] += pixel(x, n, c, h, v) * w[f, c, i, j]
    return out, (x, w, stride, padding)


def conv2d_backward(dout, cache):
    x, w, stride, padding = cache
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros(F, dtype=x.dtype)
    for n in range(N):
        for f in range(F):
            for p in range(dout.shape[2]):
                for q in range(dout.shape[3]):
                    d = dout[n, f, p, q]
                    db[f] += d
                    for c in range(C):
                        for i in range(KH):
                            for j in range(KW):
                                h, v = p * stride + i - padding, q * stride + j - padding
                                if 0 <= h < H and 0 <= v < W:
                                    dx[n, c, h, v] += d * w[f, c, i, j]
                                    dw[f, c, i, j] += d * x[n, c, h, v]
    return dx, dw, db


def max_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    out = np.zeros((N, C, OH, OW), dtype=x.dtype)
    for n in range(N):
        for c in range(C):
            for p in range(OH):
                for q in range(OW):
                    out[n, c, p, q] = -np.inf
                    for i in range(KH):
                        for j in range(KW):
                            out[n, c, p, q] = max(out[n, c, p, q], pixel(x, n, c, p * stride + i, q * stride + j))
    return out, (x, out, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    x, out, (KH, KW), stride = cache
    dx = np.zeros(x.shape, dtype=dout.dtype)
    N, C, OH, OW = dout.shape
    for n in range(N):
        for c in range(C):
            for p in range(OH):
                for q in range(OW):
                    found = False
                    for i in range(KH):
                        for j in range(KW):
                            h, v = p * stride + i, q * stride + j
                            if pixel(x, n, c, h, v) == pixel(out, n, c, p, q) and not found:
                                dx[n, c, h, v] += dout[n, c, p, q]
                                found = True
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    out = np.zeros((N, C, OH, OW), dtype=x.dtype)
    for n in range(N):
        for c in range(C):
            for p in range(OH):
                for q in range(OW):
                    for i in range(KH):
                        for j in range(KW):
                            out[n, c, p, q] += pixel(x, n, c, p * stride + i, q * stride + j) / (KH * KW)
    return out, (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    shape, (KH, KW), stride = cache
    dx = np.zeros(shape, dtype=dout.dtype)
    N, C, OH, OW = dout.shape
    for n in range(N):
        for c in range(C):
            for p in range(OH):
                for q in range(OW):
                    for i in range(KH):
                        for j in range(KW):
                            dx[n, c, p * stride + i, q * stride + j] += dout[n, c, p, q] / (KH * KW)
    return dx
