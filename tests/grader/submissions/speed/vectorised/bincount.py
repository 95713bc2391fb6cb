# np.bincount with weights does every addition; it returns float64, which is cast back.


def _numbers(x_shape, kernel_size, stride, padding=0):
    """The number of the pixel in xp.ravel() for every entry of the columns."""
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    c, i, j, n, p, q = np.ogrid[:C, :KH, :KW, :N, :OH, :OW]
    H, W = H + 2 * padding, W + 2 * padding
    return (((n * C + c) * H + stride * p + i) * W + stride * q + j).reshape(C * KH * KW, N * OH * OW)


def _scatter(values, numbers, shape):
    return np.bincount(numbers.ravel(), values.ravel(), np.prod(shape)).reshape(shape).astype(values.dtype)


def im2col(x, kernel_size, stride=1, padding=0):
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    return xp.ravel()[_numbers(x.shape, kernel_size, stride, padding)]


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    numbers = _numbers(x_shape, kernel_size, stride, padding)
    xp = _scatter(cols, numbers, (N, C, H + 2 * padding, W + 2 * padding))
    return xp[:, :, padding:padding + H, padding:padding + W]


def _pool_numbers(x, kernel_size, stride):
    N, C, H, W = x.shape
    out_shape = N, C, conv_output_size(H, kernel_size[0], stride), conv_output_size(W, kernel_size[1], stride)
    return _numbers((N * C, 1, H, W), kernel_size, stride), out_shape


def max_pool2d_forward(x, kernel_size, stride):
    numbers, out_shape = _pool_numbers(x, kernel_size, stride)
    first = x.ravel()[numbers].argmax(axis=0)
    winners = numbers[first, np.arange(first.size)]
    return x.ravel()[winners].reshape(out_shape), (winners, x.shape)


def max_pool2d_backward(dout, cache):
    winners, x_shape = cache
    return _scatter(dout, winners, x_shape)


def avg_pool2d_forward(x, kernel_size, stride):
    numbers, out_shape = _pool_numbers(x, kernel_size, stride)
    windows, pixels = np.broadcast_to(np.arange(numbers.shape[1]), numbers.shape), x.ravel()[numbers]
    return _scatter(pixels, windows, out_shape) / len(numbers), (numbers, x.shape)


def avg_pool2d_backward(dout, cache):
    numbers, x_shape = cache
    return _scatter(np.broadcast_to(dout.ravel() / len(numbers), numbers.shape), numbers, x_shape)
