# Each row of the output is a sum of rows of the image times a Toeplitz matrix: a filter row, shifted.


def _toeplitz(taps, size, stride):
    """(size, O): column q holds the taps from row stride*q on."""
    q = np.arange(conv_output_size(size, len(taps), stride))
    matrix = np.zeros((size, len(q)), dtype=taps.dtype)
    for j, tap in enumerate(taps):
        matrix[stride * q + j, q] = tap
    return matrix


def conv2d_forward(x, w, b, stride=1, padding=0):
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    F, C, KH, KW = w.shape
    OH, OW = conv_output_size(xp.shape[2], KH, stride), conv_output_size(xp.shape[3], KW, stride)
    out = np.zeros((len(x), F, OH, OW), dtype=x.dtype)
    out += b[:, None, None]
    for f, c, i in np.ndindex(F, C, KH):
        out[:, f] += xp[:, c, i:i + stride * OH:stride] @ _toeplitz(w[f, c, i], xp.shape[3], stride)
    return out, (xp, w, stride, padding)


def conv2d_backward(dout, cache):
    xp, w, stride, padding = cache
    F, C, KH, KW = w.shape
    H, W = xp.shape[2:]
    OH, OW = dout.shape[2:]
    dxp, dw = np.zeros_like(xp), np.zeros_like(w)
    q = np.arange(OW)
    for f, c, i in np.ndindex(F, C, KH):
        rows = slice(i, i + stride * OH, stride)
        dxp[:, c, rows] += dout[:, f] @ _toeplitz(w[f, c, i], W, stride).T
        dmatrix = np.tensordot(xp[:, c, rows], dout[:, f], axes=((0, 1), (0, 1)))
        dw[f, c, i] = [dmatrix[stride * q + j, q].sum() for j in range(KW)]
    return dxp[:, :, padding:H - padding, padding:W - padding], dw, dout.sum(axis=(0, 2, 3))


def max_pool2d_forward(x, kernel_size, stride):
    (H, W), (KH, KW) = x.shape[2:], kernel_size
    ones = np.eye(max(KH, KW), dtype=x.dtype)  # a tap of its own for each pixel of the window
    down = [_toeplitz(tap[:KH], H, stride).T for tap in ones[:KH]]
    right = [_toeplitz(tap[:KW], W, stride) for tap in ones[:KW]]
    taps = np.array([rows @ x @ columns for rows in down for columns in right])
    return taps.max(axis=0), (taps.argmax(axis=0), x.shape, down, right)


def max_pool2d_backward(dout, cache):
    winner, x_shape, down, right = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for i, rows in enumerate(down):
        for j, columns in enumerate(right):
            dx += rows.T @ (dout * (winner == i * len(right) + j)) @ columns.T
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    (H, W), (KH, KW) = x.shape[2:], kernel_size
    down = _toeplitz(np.full(KH, 1 / KH, dtype=x.dtype), H, stride).T
    right = _toeplitz(np.full(KW, 1 / KW, dtype=x.dtype), W, stride)
    return down @ x @ right, (down, right)


def avg_pool2d_backward(dout, cache):
    down, right = cache
    return down.T @ dout @ right.T
