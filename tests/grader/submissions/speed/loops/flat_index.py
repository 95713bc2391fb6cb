# One loop over the number of the window, with divmod for its row and column.


def im2col(x, kernel_size, stride=1, padding=0):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    cols = np.zeros((C * KH * KW, N, OH * OW), dtype=x.dtype)
    for k in range(OH * OW):
        p, q = divmod(k, OW)
        window = xp[:, :, p * stride:p * stride + KH, q * stride:q * stride + KW]
        cols[:, :, k] = window.reshape(N, -1).T
    return cols.reshape(C * KH * KW, N * OH * OW)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    cols = cols.reshape(C * KH * KW, N, OH * OW)
    xp = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    for k in range(OH * OW):
        p, q = divmod(k, OW)
        window = cols[:, :, k].T.reshape(N, C, KH, KW)
        xp[:, :, p * stride:p * stride + KH, q * stride:q * stride + KW] += window
    return xp[:, :, padding:padding + H, padding:padding + W].copy()


def max_pool2d_forward(x, kernel_size, stride):
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    out = np.zeros((N, C, OH * OW), dtype=x.dtype)
    for k in range(OH * OW):
        p, q = divmod(k, OW)
        out[:, :, k] = x[:, :, p * stride:p * stride + KH, q * stride:q * stride + KW].max(axis=(2, 3))
    return out.reshape(N, C, OH, OW), (x, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    x, (KH, KW), stride = cache
    N, C, OH, OW = dout.shape
    dx = np.zeros(x.shape, dtype=dout.dtype)
    n, c = np.ogrid[:N, :C]
    for k in range(OH * OW):
        p, q = divmod(k, OW)
        window = x[:, :, p * stride:p * stride + KH, q * stride:q * stride + KW].reshape(N, C, KH * KW)
        i, j = divmod(window.argmax(axis=2), KW)
        dx[n, c, p * stride + i, q * stride + j] += dout[:, :, p, q]
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    out = np.zeros((N, C, OH * OW), dtype=x.dtype)
    for k in range(OH * OW):
        p, q = divmod(k, OW)
        out[:, :, k] = x[:, :, p * stride:p * stride + KH, q * stride:q * stride + KW].mean(axis=(2, 3))
    return out.reshape(N, C, OH, OW), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), stride = cache
    OH, OW = dout.shape[2:]
    share = dout / (KH * KW)
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for k in range(OH * OW):
        p, q = divmod(k, OW)
        dx[:, :, p * stride:p * stride + KH, q * stride:q * stride + KW] += share[:, :, p:p + 1, q:q + 1]
    return dx
