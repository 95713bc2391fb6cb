# A Python loop over the output columns; each column is done at once.


def im2col(x, kernel_size, stride=1, padding=0):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    cols = np.zeros((C, KH, KW, N, OH, OW), dtype=x.dtype)
    for q in range(OW):
        for i in range(KH):
            pixels = xp[:, :, i:i + stride * OH:stride, stride * q:stride * q + KW]  # N, C, OH, KW
            cols[:, i, :, :, :, q] = pixels.transpose(1, 3, 0, 2)
    return cols.reshape(C * KH * KW, N * OH * OW)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    cols = cols.reshape(C, KH, KW, N, OH, OW)
    xp = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    for q in range(OW):
        for i in range(KH):
            pixels = cols[:, i, :, :, :, q].transpose(2, 0, 3, 1)
            xp[:, :, i:i + stride * OH:stride, stride * q:stride * q + KW] += pixels
    return xp[:, :, padding:padding + H, padding:padding + W].copy()


def _windows(x, kernel_size, stride, OH, q):
    """The windows of one output column, (N, C, OH, KH*KW)."""
    KH, KW = kernel_size
    taps = [x[:, :, i:i + stride * OH:stride, stride * q + j] for i in range(KH) for j in range(KW)]
    return np.stack(taps, axis=-1)


def max_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    out = np.zeros((N, C, OH, OW), dtype=x.dtype)
    winner = np.zeros((N, C, OH, OW), dtype=int)
    for q in range(OW):
        windows = _windows(x, kernel_size, stride, OH, q)
        out[..., q] = windows.max(axis=-1)
        winner[..., q] = windows.argmax(axis=-1)
    return out, (winner, x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    winner, x_shape, (KH, KW), stride = cache
    OH, OW = dout.shape[2:]
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for q in range(OW):
        for k in range(KH * KW):
            i, j = divmod(k, KW)
            dx[:, :, i:i + stride * OH:stride, stride * q + j] += dout[..., q] * (winner[..., q] == k)
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    out = np.zeros((N, C, OH, OW), dtype=x.dtype)
    for q in range(OW):
        out[..., q] = _windows(x, kernel_size, stride, OH, q).mean(axis=-1)
    return out, (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), stride = cache
    OH, OW = dout.shape[2:]
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for q in range(OW):
        share = dout[..., q, None] / (KH * KW)
        for i in range(KH):
            dx[:, :, i:i + stride * OH:stride, stride * q:stride * q + KW] += share
    return dx
