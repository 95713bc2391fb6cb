# Masks and np.where: the padding is masked, not added; every pixel is compared with its repeated maximum.


def im2col(x, kernel_size, stride=1, padding=0):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    i, j, p, q = np.ogrid[:KH, :KW, :OH, :OW]
    h, v = stride * p + i - padding, stride * q + j - padding
    inside = (h >= 0) & (h < H) & (v >= 0) & (v < W)
    windows = np.where(inside, x[:, :, h.clip(0, H - 1), v.clip(0, W - 1)], x.dtype.type(0))
    return windows.transpose(1, 2, 3, 0, 4, 5).reshape(C * KH * KW, N * OH * OW)


def _windows(x, kernel_size, stride):
    """(N, C, K, OH, OW)"""
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    cols = im2col(x.reshape(N * C, 1, H, W), kernel_size, stride)
    return cols.reshape(KH * KW, N, C, OH, OW).transpose(1, 2, 0, 3, 4)


def _add(dwindows, x_shape, kernel_size, stride):
    dx = np.zeros(x_shape, dtype=dwindows.dtype)
    for k, (_, _, rows, columns) in enumerate(_taps(kernel_size, dwindows.shape[3:], stride)):
        dx[:, :, rows, columns] += dwindows[:, :, k]
    return dx


def max_pool2d_forward(x, kernel_size, stride):
    windows = _windows(x, kernel_size, stride)
    out = windows.max(axis=2)
    return out, (windows, out.copy(), x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    windows, out, x_shape, kernel_size, stride = cache
    K = windows.shape[2]
    mask = windows == np.repeat(out[:, :, None], K, axis=2)
    mask &= mask.cumsum(axis=2) == 1  # the first of equals
    dwindows = np.where(mask, np.repeat(dout[:, :, None], K, axis=2), dout.dtype.type(0))
    return _add(dwindows, x_shape, kernel_size, stride)


def avg_pool2d_forward(x, kernel_size, stride):
    return _windows(x, kernel_size, stride).mean(axis=2), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, kernel_size, stride = cache
    K = kernel_size[0] * kernel_size[1]
    return _add(np.repeat(dout[:, :, None], K, axis=2) / K, x_shape, kernel_size, stride)
