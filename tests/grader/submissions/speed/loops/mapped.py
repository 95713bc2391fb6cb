# map with a Python function for every window.


def _windows(x, kernel_size, stride):
    """All windows, image by image, then channel by channel, and the shape of the output."""
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    shape = N, C, conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)

    def window(n, c, p, q):
        return x[n, c, p * stride:p * stride + KH, q * stride:q * stride + KW]

    return list(map(window, *np.indices(shape).reshape(4, -1).tolist())), shape


def _add_windows(values, x_shape, kernel_size, stride):
    """Add one array, or one number, to each window of zeros."""
    x = np.zeros(x_shape, dtype=values[0].dtype)

    def add(window, value):
        window += value

    list(map(add, _windows(x, kernel_size, stride)[0], values))
    return x


def im2col(x, kernel_size, stride=1, padding=0):
    N, C = x.shape[:2]
    KH, KW = kernel_size
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows, (_, _, OH, OW) = _windows(xp, kernel_size, stride)
    rows = np.array(list(map(np.ravel, windows))).reshape(N, C, OH * OW, KH * KW)
    return rows.transpose(1, 3, 0, 2).reshape(C * KH * KW, N * OH * OW)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    windows = cols.reshape(C, KH, KW, N, -1).transpose(3, 0, 4, 1, 2).reshape(-1, KH, KW)
    xp = _add_windows(windows, (N, C, H + 2 * padding, W + 2 * padding), kernel_size, stride)
    return xp[:, :, padding:padding + H, padding:padding + W].copy()


def max_pool2d_forward(x, kernel_size, stride):
    windows, shape = _windows(x, kernel_size, stride)
    out = np.array(list(map(lambda window: window.max(), windows))).reshape(shape)
    return out, (windows, x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    windows, x_shape, kernel_size, stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)

    def add(window, target, d):
        i, j = divmod(int(window.argmax()), kernel_size[1])
        target[i, j] += d

    list(map(add, windows, _windows(dx, kernel_size, stride)[0], dout.ravel()))
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    windows, shape = _windows(x, kernel_size, stride)
    out = np.array(list(map(lambda window: window.mean(), windows))).reshape(shape)
    return out, (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), stride = cache
    return _add_windows(dout.ravel() / (KH * KW), x_shape, (KH, KW), stride)
