# np.ndindex runs over the windows; one window at a time.


def im2col(x, kernel_size, stride=1, padding=0):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    cols = np.zeros((C, KH, KW, N, OH, OW), dtype=x.dtype)
    for n, p, q in np.ndindex(N, OH, OW):
        cols[:, :, :, n, p, q] = xp[n, :, p * stride:p * stride + KH, q * stride:q * stride + KW]
    return cols.reshape(C * KH * KW, N * OH * OW)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    cols = cols.reshape(C, KH, KW, N, OH, OW)
    xp = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    for n, p, q in np.ndindex(N, OH, OW):
        xp[n, :, p * stride:p * stride + KH, q * stride:q * stride + KW] += cols[:, :, :, n, p, q]
    return xp[:, :, padding:padding + H, padding:padding + W].copy()


def max_pool2d_forward(x, kernel_size, stride):
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    out = np.zeros((N, C, conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)), dtype=x.dtype)
    for n, c, p, q in np.ndindex(out.shape):
        out[n, c, p, q] = x[n, c, p * stride:p * stride + KH, q * stride:q * stride + KW].max()
    return out, (x, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    x, (KH, KW), stride = cache
    dx = np.zeros(x.shape, dtype=dout.dtype)
    for n, c, p, q in np.ndindex(dout.shape):
        window = x[n, c, p * stride:p * stride + KH, q * stride:q * stride + KW]
        i, j = np.unravel_index(window.argmax(), window.shape)
        dx[n, c, p * stride + i, q * stride + j] += dout[n, c, p, q]
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    out = np.zeros((N, C, conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)), dtype=x.dtype)
    for n, c, p, q in np.ndindex(out.shape):
        out[n, c, p, q] = x[n, c, p * stride:p * stride + KH, q * stride:q * stride + KW].mean()
    return out, (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for n, c, p, q in np.ndindex(dout.shape):
        dx[n, c, p * stride:p * stride + KH, q * stride:q * stride + KW] += dout[n, c, p, q] / (KH * KW)
    return dx
