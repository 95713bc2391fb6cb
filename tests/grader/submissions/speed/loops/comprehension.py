# List comprehensions over the windows, with NumPy inside each window.


def _starts(size, kernel_size, stride):
    return range(0, size - kernel_size + 1, stride)


def _spread(dout, x_shape, kernel_size, stride, fill=0):
    """dout with stride - 1 zeros between its pixels: window (h, v) holds all that pixel (h, v) of x gets."""
    (N, F, OH, OW), (_, _, H, W), (KH, KW) = dout.shape, x_shape, kernel_size
    spread = np.full((N, F, H + KH - 1, W + KW - 1), fill, dtype=dout.dtype)
    spread[:, :, KH - 1:KH - 1 + stride * OH:stride, KW - 1:KW - 1 + stride * OW:stride] = dout
    return spread


def conv2d_forward(x, w, b, stride=1, padding=0):
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    H, W = xp.shape[2:]
    F, C, KH, KW = w.shape
    out = [
        [
            [
                [np.sum(image[:, h:h + KH, v:v + KW] * w[f]) + b[f] for v in _starts(W, KW, stride)]
                for h in _starts(H, KH, stride)
            ]
            for f in range(F)
        ]
        for image in xp
    ]
    return np.array(out, dtype=x.dtype), (xp, w, stride, padding)


def conv2d_backward(dout, cache):
    xp, w, stride, padding = cache
    N, C, H, W = xp.shape
    F, _, KH, KW = w.shape
    spread, turned = _spread(dout, xp.shape, (KH, KW), stride), w[:, :, ::-1, ::-1]
    dx = [
        [
            [
                [np.sum(image[:, h:h + KH, v:v + KW] * turned[:, c]) for v in range(padding, W - padding)]
                for h in range(padding, H - padding)
            ]
            for c in range(C)
        ]
        for image in spread
    ]
    dw = [
        sum(
            [
                dout[n, f, p, q] * xp[n, :, stride * p:stride * p + KH, stride * q:stride * q + KW]
                for n in range(N)
                for p in range(dout.shape[2])
                for q in range(dout.shape[3])
            ]
        )
        for f in range(F)
    ]
    db = [sum([d for image in dout for d in image[f].ravel()]) for f in range(F)]
    return np.array(dx, dtype=dout.dtype), np.array(dw, dtype=dout.dtype), np.array(db, dtype=dout.dtype)


def _pool(x, kernel_size, stride, what):
    (H, W), (KH, KW) = x.shape[2:], kernel_size
    return np.array(
        [
            [
                [
                    [what(channel[h:h + KH, v:v + KW]) for v in _starts(W, KW, stride)]
                    for h in _starts(H, KH, stride)
                ]
                for channel in image
            ]
            for image in x
        ]
    )


def max_pool2d_forward(x, kernel_size, stride):
    return _pool(x, kernel_size, stride, np.max), (x, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    x, (KH, KW), stride = cache
    N, C, H, W = x.shape
    i, j = np.divmod(_pool(x, (KH, KW), stride, np.argmax), KW)
    p, q = np.ogrid[:dout.shape[2], :dout.shape[3]]
    winner = _spread((stride * p + i) * W + stride * q + j, x.shape, (KH, KW), stride, fill=-1)
    spread = _spread(dout, x.shape, (KH, KW), stride)
    dx = [
        [
            [
                [
                    np.sum(spread[n, c, h:h + KH, v:v + KW] * (winner[n, c, h:h + KH, v:v + KW] == h * W + v))
                    for v in range(W)
                ]
                for h in range(H)
            ]
            for c in range(C)
        ]
        for n in range(N)
    ]
    return np.array(dx, dtype=dout.dtype)


def avg_pool2d_forward(x, kernel_size, stride):
    return _pool(x, kernel_size, stride, np.mean), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), stride = cache
    return _pool(_spread(dout, x_shape, (KH, KW), stride), (KH, KW), 1, np.sum) / dout.dtype.type(KH * KW)
