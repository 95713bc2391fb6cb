# Windows as views made with as_strided, for reading and, tap by tap, for adding.
from numpy.lib.stride_tricks import as_strided


def _windows(x, kernel_size, stride):
    """View (N, C, KH, KW, OH, OW)."""
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    sn, sc, sh, sw = x.strides
    return as_strided(x, (N, C, KH, KW, OH, OW), (sn, sc, sh, sw, stride * sh, stride * sw))


def _add(values, x_shape, stride, padding=0):
    N, C, H, W = x_shape
    KH, KW = values.shape[2:4]
    xp = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=values.dtype)
    windows = _windows(xp, (KH, KW), stride)
    for i in range(KH):
        for j in range(KW):
            windows[:, :, i, j] += values[:, :, i, j]
    return xp[:, :, padding:padding + H, padding:padding + W]


def im2col(x, kernel_size, stride=1, padding=0):
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = _windows(xp, kernel_size, stride)
    N, C, KH, KW, OH, OW = windows.shape
    return windows.transpose(1, 2, 3, 0, 4, 5).reshape(C * KH * KW, N * OH * OW).copy()


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    return _add(cols.reshape(C, KH, KW, N, OH, OW).transpose(3, 0, 1, 2, 4, 5), x_shape, stride, padding)


def conv2d_forward(x, w, b, stride=1, padding=0):
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = _windows(xp, w.shape[2:], stride)
    out = np.tensordot(w, windows, axes=((1, 2, 3), (1, 2, 3))).swapaxes(0, 1)  # F, N, OH, OW before
    return out + b[:, None, None], (windows, x.shape, w, stride, padding)


def conv2d_backward(dout, cache):
    windows, x_shape, w, stride, padding = cache
    dw = np.tensordot(dout, windows, axes=((0, 2, 3), (0, 4, 5)))
    dwindows = np.tensordot(w, dout, axes=(0, 1)).transpose(3, 0, 1, 2, 4, 5)  # C, KH, KW, N, OH, OW before
    return _add(dwindows, x_shape, stride, padding), dw, dout.sum(axis=(0, 2, 3))


def max_pool2d_forward(x, kernel_size, stride):
    windows = _windows(x, kernel_size, stride)
    N, C, KH, KW, OH, OW = windows.shape
    winner = windows.reshape(N, C, KH * KW, OH, OW).argmax(axis=2)
    return windows.max(axis=(2, 3)), (winner, x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    winner, x_shape, (KH, KW), stride = cache
    won = winner[:, :, None, None] == np.arange(KH * KW).reshape(KH, KW, 1, 1)
    return _add(won * dout[:, :, None, None], x_shape, stride)


def avg_pool2d_forward(x, kernel_size, stride):
    return _windows(x, kernel_size, stride).mean(axis=(2, 3)), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), stride = cache
    share = (dout / (KH * KW))[:, :, None, None]
    return _add(np.tile(share, (1, 1, KH, KW, 1, 1)), x_shape, stride)
