# itertools.product instead of nested loops, down to the single pixel.
from itertools import product


def im2col(x, kernel_size, stride=1, padding=0):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    cols = np.zeros((C * KH * KW, N * OH * OW), dtype=x.dtype)
    for row, (c, i, j) in enumerate(product(range(C), range(KH), range(KW))):
        for column, (n, p, q) in enumerate(product(range(N), range(OH), range(OW))):
            cols[row, column] = xp[n, c, stride * p + i, stride * q + j]
    return cols


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    xp = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    for row, (c, i, j) in enumerate(product(range(C), range(KH), range(KW))):
        for column, (n, p, q) in enumerate(product(range(N), range(OH), range(OW))):
            xp[n, c, stride * p + i, stride * q + j] += cols[row, column]
    return xp[:, :, padding:padding + H, padding:padding + W].copy()


def max_pool2d_forward(x, kernel_size, stride):
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    out = np.full((N, C, OH, OW), -np.inf, dtype=x.dtype)
    winner = {}
    for n, c, p, q, i, j in product(range(N), range(C), range(OH), range(OW), range(KH), range(KW)):
        pixel = x[n, c, stride * p + i, stride * q + j]
        if pixel > out[n, c, p, q]:
            out[n, c, p, q] = pixel
            winner[n, c, p, q] = n, c, stride * p + i, stride * q + j
    return out, (winner, x.shape)


def max_pool2d_backward(dout, cache):
    winner, x_shape = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for window in product(*map(range, dout.shape)):
        dx[winner[window]] += dout[window]
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    out = np.zeros((N, C, OH, OW), dtype=x.dtype)
    for n, c, p, q, i, j in product(range(N), range(C), range(OH), range(OW), range(KH), range(KW)):
        out[n, c, p, q] += x[n, c, stride * p + i, stride * q + j]
    return out / x.dtype.type(KH * KW), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), stride = cache
    share = dout / (KH * KW)
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for n, c, p, q, i, j in product(*map(range, dout.shape), range(KH), range(KW)):
        dx[n, c, stride * p + i, stride * q + j] += share[n, c, p, q]
    return dx
