# np.vectorize is a loop in disguise: it calls a Python function for every window.


def im2col(x, kernel_size, stride=1, padding=0):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))

    def window(n, p, q):
        return xp[n, :, p * stride:p * stride + KH, q * stride:q * stride + KW].reshape(-1)

    cut = np.vectorize(window, signature="(),(),()->(k)")
    return np.ascontiguousarray(cut(*np.indices((N, OH, OW)).reshape(3, -1)).T)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    xp = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)

    def add(column, n, p, q):
        xp[n, :, p * stride:p * stride + KH, q * stride:q * stride + KW] += cols[:, column].reshape(C, KH, KW)
        return 0

    np.vectorize(add, otypes=[int])(np.arange(N * OH * OW), *np.indices((N, OH, OW)).reshape(3, -1))
    return xp[:, :, padding:padding + H, padding:padding + W].copy()


def _windows(x, kernel_size, stride, what):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)

    def of(n, c, p, q):
        return what(x[n, c, p * stride:p * stride + KH, q * stride:q * stride + KW])

    return np.vectorize(of, otypes=[x.dtype])(*np.indices((N, C, OH, OW)))


def max_pool2d_forward(x, kernel_size, stride):
    return _windows(x, kernel_size, stride, np.max), (x, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    x, (KH, KW), stride = cache
    dx = np.zeros_like(x)

    def add(n, c, p, q):
        window = x[n, c, p * stride:p * stride + KH, q * stride:q * stride + KW]
        i, j = divmod(int(window.argmax()), KW)
        dx[n, c, p * stride + i, q * stride + j] += dout[n, c, p, q]
        return 0

    np.vectorize(add, otypes=[int])(*np.indices(dout.shape))
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    return _windows(x, kernel_size, stride, np.mean), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    shape, (KH, KW), stride = cache
    dx = np.zeros(shape, dtype=dout.dtype)

    def add(n, c, p, q):
        dx[n, c, p * stride:p * stride + KH, q * stride:q * stride + KW] += dout[n, c, p, q] / (KH * KW)
        return 0

    np.vectorize(add, otypes=[int])(*np.indices(dout.shape))
    return dx
