# sliding_window_view and einsum; the gradients slide over dout with zeros between its pixels.
from numpy.lib.stride_tricks import sliding_window_view


def _windows(x, kernel_size, stride=1, padding=0):
    """(N, C, OH, OW, KH, KW)"""
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    return sliding_window_view(xp, kernel_size, axis=(2, 3))[:, :, ::stride, ::stride]


def _spread(dout, size, kernel_size, stride):
    """For each pixel of the image, in the order of the taps, the dout of the windows that it belongs to."""
    (N, F, OH, OW), (H, W), (KH, KW) = dout.shape, size, kernel_size
    spread = np.zeros((N, F, H + KH - 1, W + KW - 1), dtype=dout.dtype)
    spread[:, :, KH - 1:KH - 1 + stride * OH:stride, KW - 1:KW - 1 + stride * OW:stride] = dout
    return _windows(spread, kernel_size)[..., ::-1, ::-1]


def im2col(x, kernel_size, stride=1, padding=0):
    windows = _windows(x, kernel_size, stride, padding)
    cols = np.einsum("ncpqij->cijnpq", windows)
    return cols.reshape(x.shape[1] * kernel_size[0] * kernel_size[1], -1).copy()


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    cols = cols.reshape(C, KH, KW, N, OH, OW)
    H, W = H + 2 * padding, W + 2 * padding
    xp = np.zeros((N, C, H, W), dtype=cols.dtype)
    for i in range(KH):
        for j in range(KW):
            xp += _spread(cols[:, i, j].swapaxes(0, 1), (H, W), (KH, KW), stride)[..., i, j]
    return xp[:, :, padding:H - padding, padding:W - padding]


def conv2d_forward(x, w, b, stride=1, padding=0):
    out = np.einsum("ncpqij,fcij->nfpq", _windows(x, w.shape[2:], stride, padding), w)
    return out + b[:, None, None], (x, w, stride, padding)


def conv2d_backward(dout, cache):
    x, w, stride, padding = cache
    H, W = x.shape[2] + 2 * padding, x.shape[3] + 2 * padding
    dx = np.einsum("nfhwij,fcij->nchw", _spread(dout, (H, W), w.shape[2:], stride), w)
    dw = np.einsum("ncpqij,nfpq->fcij", _windows(x, w.shape[2:], stride, padding), dout)
    return dx[:, :, padding:H - padding, padding:W - padding], dw, np.einsum("nfpq->f", dout)


def max_pool2d_forward(x, kernel_size, stride):
    windows = _windows(x, kernel_size, stride)
    winner = windows.reshape(*windows.shape[:4], -1).argmax(axis=-1)
    return windows.max(axis=(-2, -1)), (winner, x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    winner, x_shape, (KH, KW), stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for i in range(KH):
        for j in range(KW):
            won = dout * (winner == i * KW + j)
            dx += _spread(won, x_shape[2:], (KH, KW), stride)[..., i, j]
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    return _windows(x, kernel_size, stride).mean(axis=(-2, -1)), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), stride = cache
    return np.einsum("nchwij->nchw", _spread(dout / (KH * KW), x_shape[2:], (KH, KW), stride))
