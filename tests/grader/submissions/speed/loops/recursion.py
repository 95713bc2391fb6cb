# Recursion: the output is halved until one window is left.


def _each(rows, columns, do):
    """do(p, q) for every window; rows and columns are ranges."""
    if len(rows) > 1:
        _each(rows[:len(rows) // 2], columns, do)
        _each(rows[len(rows) // 2:], columns, do)
    elif len(columns) > 1:
        _each(rows, columns[:len(columns) // 2], do)
        _each(rows, columns[len(columns) // 2:], do)
    else:
        do(rows[0], columns[0])


def im2col(x, kernel_size, stride=1, padding=0):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    cols = np.zeros((C, KH, KW, N, OH, OW), dtype=x.dtype)

    def cut(p, q):
        window = xp[:, :, p * stride:p * stride + KH, q * stride:q * stride + KW]
        cols[..., p, q] = window.transpose(1, 2, 3, 0)

    _each(range(OH), range(OW), cut)
    return cols.reshape(C * KH * KW, N * OH * OW)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    cols = cols.reshape(C, KH, KW, N, OH, OW)
    xp = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)

    def add(p, q):
        window = cols[..., p, q].transpose(3, 0, 1, 2)
        xp[:, :, p * stride:p * stride + KH, q * stride:q * stride + KW] += window

    _each(range(OH), range(OW), add)
    return xp[:, :, padding:padding + H, padding:padding + W].copy()


def _pool(x, kernel_size, stride, what):
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    out = np.zeros((N, C, OH, OW), dtype=x.dtype)

    def pool(p, q):
        out[:, :, p, q] = what(x[:, :, p * stride:p * stride + KH, q * stride:q * stride + KW], axis=(2, 3))

    _each(range(OH), range(OW), pool)
    return out


def max_pool2d_forward(x, kernel_size, stride):
    return _pool(x, kernel_size, stride, np.max), (x, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    x, (KH, KW), stride = cache
    N, C, OH, OW = dout.shape
    dx = np.zeros(x.shape, dtype=dout.dtype)
    n, c = np.ogrid[:N, :C]

    def add(p, q):
        window = x[:, :, p * stride:p * stride + KH, q * stride:q * stride + KW]
        i, j = np.divmod(window.reshape(N, C, -1).argmax(axis=2), KW)
        dx[n, c, p * stride + i, q * stride + j] += dout[:, :, p, q]

    _each(range(OH), range(OW), add)
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    return _pool(x, kernel_size, stride, np.mean), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)

    def add(p, q):
        share = dout[:, :, p:p + 1, q:q + 1] / (KH * KW)
        dx[:, :, p * stride:p * stride + KH, q * stride:q * stride + KW] += share

    _each(range(dout.shape[2]), range(dout.shape[3]), add)
    return dx
