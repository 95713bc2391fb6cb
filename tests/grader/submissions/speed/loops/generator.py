# A generator yields the result pixel by pixel, and np.fromiter collects it.


def _collect(pixels, shape, dtype):
    return np.fromiter(pixels, dtype, np.prod(shape)).reshape(shape)


def _windows(x, kernel_size, stride=1):
    """All windows, (C, KH, KW) each: image by image, row by row."""
    KH, KW = kernel_size
    for image in x:
        for h in range(0, x.shape[2] - KH + 1, stride):
            for v in range(0, x.shape[3] - KW + 1, stride):
                yield image[:, h:h + KH, v:v + KW]


def _spread(dout, size, kernel_size, stride, fill=0):
    """dout with stride - 1 zeros between its pixels: window (h, v) holds all that pixel (h, v) gets."""
    (N, F, OH, OW), (H, W), (KH, KW) = dout.shape, size, kernel_size
    spread = np.full((N, F, H + KH - 1, W + KW - 1), fill, dtype=dout.dtype)
    spread[:, :, KH - 1:KH - 1 + stride * OH:stride, KW - 1:KW - 1 + stride * OW:stride] = dout
    return spread


def _correlate(x, w, stride):
    """Without a bias."""
    F, _, KH, KW = w.shape
    OH, OW = conv_output_size(x.shape[2], KH, stride), conv_output_size(x.shape[3], KW, stride)
    pixels = ((window * one).sum() for window in _windows(x, (KH, KW), stride) for one in w)
    return _collect(pixels, (len(x), OH, OW, F), x.dtype).transpose(0, 3, 1, 2)


def conv2d_forward(x, w, b, stride=1, padding=0):
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    return _correlate(xp, w, stride) + b[:, None, None], (xp, w, stride, padding)


def conv2d_backward(dout, cache):
    xp, w, stride, padding = cache
    H, W = xp.shape[2:]
    spread = _spread(dout, (H, W), w.shape[2:], stride)
    dx = _correlate(spread, w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3), 1)
    dw, db = np.zeros_like(w), np.zeros(len(w), dtype=dout.dtype)
    for f in range(len(w)):
        ds = (d for image in dout for d in image[f].ravel())
        dw[f] = sum(d * window for d, window in zip(ds, _windows(xp, w.shape[2:], stride)))
        db[f] = sum(d for image in dout for d in image[f].ravel())
    return dx[:, :, padding:H - padding, padding:W - padding], dw, db


def _pool(x, kernel_size, stride, what, dtype):
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    shape = N, C, conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    windows = _windows(x.reshape(N * C, 1, H, W), kernel_size, stride)
    return _collect((what(window) for window in windows), shape, dtype)


def max_pool2d_forward(x, kernel_size, stride):
    return _pool(x, kernel_size, stride, np.max, x.dtype), (x, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    x, (KH, KW), stride = cache
    (N, C, H, W), size = x.shape, x.shape[2:]
    i, j = np.divmod(_pool(x, (KH, KW), stride, np.argmax, int), KW)
    p, q = np.ogrid[:dout.shape[2], :dout.shape[3]]
    winner = _spread((stride * p + i) * W + stride * q + j, size, (KH, KW), stride, fill=-1)
    spread = _spread(dout, size, (KH, KW), stride)

    def pixels():
        for n, c, h, v in np.ndindex(N, C, H, W):
            won = winner[n, c, h:h + KH, v:v + KW] == h * W + v
            yield (spread[n, c, h:h + KH, v:v + KW] * won).sum()

    return _collect(pixels(), x.shape, dout.dtype)


def avg_pool2d_forward(x, kernel_size, stride):
    return _pool(x, kernel_size, stride, np.mean, x.dtype), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), stride = cache
    return _pool(_spread(dout / (KH * KW), x_shape[2:], (KH, KW), stride), (KH, KW), 1, np.sum, dout.dtype)
