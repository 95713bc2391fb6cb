# np.apply_along_axis: a Python function for each window, written as one column of a matrix.


def _apply(function, matrix):
    return np.apply_along_axis(function, 0, matrix)


def conv2d_forward(x, w, b, stride=1, padding=0):
    F, _, KH, KW = w.shape
    OH = conv_output_size(x.shape[2], KH, stride, padding)
    cols = im2col(x, (KH, KW), stride, padding)
    out = _apply(lambda window: w.reshape(F, -1) @ window + b, cols)
    return out.reshape(F, len(x), OH, -1).transpose(1, 0, 2, 3), (cols, x.shape, w, stride, padding)


def conv2d_backward(dout, cache):
    cols, x_shape, w, stride, padding = cache
    F, _, KH, KW = w.shape
    matrix = dout.transpose(1, 0, 2, 3).reshape(F, -1)
    dcols = _apply(lambda d: w.reshape(F, -1).T @ d, matrix)
    products = _apply(lambda both: np.outer(both[:F], both[F:]).ravel(), np.concatenate([matrix, cols]))
    dw = products.sum(axis=1).reshape(w.shape)
    return col2im(dcols, x_shape, (KH, KW), stride, padding), dw, matrix.sum(axis=1)


def _pool(function, x, kernel_size, stride):
    N, C, H, W = x.shape
    windows = im2col(x.reshape(N * C, 1, H, W), kernel_size, stride)
    return _apply(function, windows).reshape(N, C, conv_output_size(H, kernel_size[0], stride), -1)


def _back(function, values, x_shape, kernel_size, stride):
    N, C, H, W = x_shape
    return col2im(_apply(function, values), (N * C, 1, H, W), kernel_size, stride).reshape(x_shape)


def max_pool2d_forward(x, kernel_size, stride):
    winner = _pool(np.argmax, x, kernel_size, stride)
    return _pool(np.max, x, kernel_size, stride), (winner, x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    winner, x_shape, (KH, KW), stride = cache

    def one_pixel(both):
        window = np.zeros(KH * KW, dtype=dout.dtype)
        window[int(both[0])] = both[1]
        return window

    return _back(one_pixel, np.stack([winner.ravel(), dout.ravel()]), x_shape, (KH, KW), stride)


def avg_pool2d_forward(x, kernel_size, stride):
    return _pool(np.mean, x, kernel_size, stride), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), stride = cache
    return _back(lambda d: np.repeat(d / (KH * KW), KH * KW), dout.reshape(1, -1), x_shape, (KH, KW), stride)
