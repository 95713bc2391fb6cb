# A Python loop over the output rows; each row is done at once.


def im2col(x, kernel_size, stride=1, padding=0):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    columns = np.arange(KW)[:, None] + stride * np.arange(OW)
    cols = np.zeros((C, KH, KW, N, OH, OW), dtype=x.dtype)
    for p in range(OH):
        band = xp[:, :, stride * p:stride * p + KH]
        cols[:, :, :, :, p] = band[:, :, :, columns].transpose(1, 2, 3, 0, 4)
    return cols.reshape(C * KH * KW, N * OH * OW)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    cols = cols.reshape(C, KH, KW, N, OH, OW)
    xp = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    for p in range(OH):
        band = xp[:, :, stride * p:stride * p + KH]
        for j in range(KW):
            band[:, :, :, j:j + stride * OW:stride] += cols[:, :, j, :, p].transpose(2, 0, 1, 3)
    return xp[:, :, padding:padding + H, padding:padding + W].copy()


def max_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    columns = stride * np.arange(OW)[:, None] + np.arange(KW)
    out = np.zeros((N, C, OH, OW), dtype=x.dtype)
    winner = np.zeros((N, C, OH, OW), dtype=int)
    for p in range(OH):
        windows = x[:, :, stride * p:stride * p + KH, columns].transpose(0, 1, 3, 2, 4).reshape(N, C, OW, -1)
        out[:, :, p] = windows.max(axis=3)
        winner[:, :, p] = windows.argmax(axis=3)
    return out, (winner, x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    winner, x_shape, (KH, KW), stride = cache
    N, C, OH, OW = dout.shape
    dx = np.zeros(x_shape, dtype=dout.dtype)
    n, c, q = np.ogrid[:N, :C, :OW]
    for p in range(OH):
        i, j = np.divmod(winner[:, :, p], KW)
        np.add.at(dx, (n, c, stride * p + i, stride * q + j), dout[:, :, p])
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    columns = stride * np.arange(OW)[:, None] + np.arange(KW)
    out = np.zeros((N, C, OH, OW), dtype=x.dtype)
    for p in range(OH):
        out[:, :, p] = x[:, :, stride * p:stride * p + KH, columns].mean(axis=(2, 4))
    return out, (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), stride = cache
    OH, OW = dout.shape[2:]
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for p in range(OH):
        share = dout[:, :, p, None] / (KH * KW)
        for j in range(KW):
            dx[:, :, stride * p:stride * p + KH, j:j + stride * OW:stride] += share
    return dx
