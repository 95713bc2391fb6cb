# np.frompyfunc makes a ufunc of a Python function, which is called for every window.


def _call(function, shape, dtype):
    """The array of function(*index), for all indices."""
    axes = [np.arange(size).reshape(-1, *[1] * (len(shape) - k - 1)) for k, size in enumerate(shape)]
    return np.frompyfunc(function, len(shape), 1)(*axes).astype(dtype)


def im2col(x, kernel_size, stride=1, padding=0):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))

    def pixel(c, i, j, n, p, q):
        return xp[n, c, p * stride + i, q * stride + j]

    return _call(pixel, (C, KH, KW, N, OH, OW), x.dtype).reshape(C * KH * KW, N * OH * OW)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    cols = cols.reshape(C, KH, KW, N, OH, OW)
    xp = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)

    def add(n, p, q):
        xp[n, :, p * stride:p * stride + KH, q * stride:q * stride + KW] += cols[:, :, :, n, p, q]
        return 0

    _call(add, (N, OH, OW), int)
    return xp[:, :, padding:padding + H, padding:padding + W].copy()


def _pool(x, kernel_size, stride, what, dtype):
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)

    def pool(n, c, p, q):
        return what(x[n, c, p * stride:p * stride + KH, q * stride:q * stride + KW])

    return _call(pool, (N, C, OH, OW), dtype)


def max_pool2d_forward(x, kernel_size, stride):
    return _pool(x, kernel_size, stride, np.max, x.dtype), (x, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    x, (KH, KW), stride = cache
    winner = _pool(x, (KH, KW), stride, np.argmax, int)
    dx = np.zeros(x.shape, dtype=dout.dtype)

    def add(n, c, p, q):
        i, j = divmod(winner[n, c, p, q], KW)
        dx[n, c, p * stride + i, q * stride + j] += dout[n, c, p, q]
        return 0

    _call(add, dout.shape, int)
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    return _pool(x, kernel_size, stride, np.mean, x.dtype), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)

    def add(n, c, p, q):
        dx[n, c, p * stride:p * stride + KH, q * stride:q * stride + KW] += dout[n, c, p, q] / (KH * KW)
        return 0

    _call(add, dout.shape, int)
    return dx
