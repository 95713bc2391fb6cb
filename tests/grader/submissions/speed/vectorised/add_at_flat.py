# Numbers of pixels in the flat image, and np.add.at on a flat array of the same dtype.


def _numbers(x_shape, kernel_size, stride, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    HP, WP = H + 2 * padding, W + 2 * padding
    corner = (stride * np.arange(OH)[:, None] * WP + stride * np.arange(OW)).ravel()
    tap = (np.arange(KH)[:, None] * WP + np.arange(KW)).ravel()
    image = np.arange(N) * C * HP * WP
    channel = np.arange(C) * HP * WP
    rows = (channel[:, None] + tap).ravel()
    columns = (image[:, None] + corner).ravel()
    return rows[:, None] + columns


def im2col(x, kernel_size, stride=1, padding=0):
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    return xp.ravel()[_numbers(x.shape, kernel_size, stride, padding)]


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    flat = np.zeros(N * C * (H + 2 * padding) * (W + 2 * padding), dtype=cols.dtype)
    np.add.at(flat, _numbers(x_shape, kernel_size, stride, padding).ravel(), cols.ravel())
    xp = flat.reshape(N, C, H + 2 * padding, W + 2 * padding)
    return xp[:, :, padding:padding + H, padding:padding + W]


def max_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    numbers = _numbers((N * C, 1, H, W), kernel_size, stride)
    windows = x.ravel()[numbers]
    winners = numbers[windows.argmax(axis=0), np.arange(windows.shape[1])]
    out = windows.max(axis=0).reshape(N, C, conv_output_size(H, kernel_size[0], stride), -1)
    return out, (winners, x.shape)


def max_pool2d_backward(dout, cache):
    winners, x_shape = cache
    dx = np.zeros(np.prod(x_shape), dtype=dout.dtype)
    np.add.at(dx, winners, dout.ravel())
    return dx.reshape(x_shape)


def avg_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    numbers = _numbers((N * C, 1, H, W), kernel_size, stride)
    out = x.ravel()[numbers].mean(axis=0).reshape(N, C, conv_output_size(H, kernel_size[0], stride), -1)
    return out, (numbers, x.shape)


def avg_pool2d_backward(dout, cache):
    numbers, x_shape = cache
    dx = np.zeros(np.prod(x_shape), dtype=dout.dtype)
    share = np.tile(dout.ravel() / len(numbers), len(numbers))
    np.add.at(dx, numbers.ravel(), share)
    return dx.reshape(x_shape)
