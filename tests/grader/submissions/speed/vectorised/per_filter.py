# Python loops over filters and channels; each pair of planes is done tap by tap.


def im2col(x, kernel_size, stride=1, padding=0):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    cols = []
    for c in range(C):
        for _, _, rows, columns in _taps((KH, KW), (OH, OW), stride):
            cols.append(xp[:, c, rows, columns].ravel())
    return np.array(cols)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    xp = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    for c in range(C):
        for i, j, rows, columns in _taps((KH, KW), (OH, OW), stride):
            xp[:, c, rows, columns] += cols[(c * KH + i) * KW + j].reshape(N, OH, OW)
    return xp[:, :, padding:padding + H, padding:padding + W]


def conv2d_forward(x, w, b, stride=1, padding=0):
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    out = np.zeros((N, F, OH, OW), dtype=x.dtype)
    for f in range(F):
        for c in range(C):
            for i, j, rows, columns in _taps((KH, KW), (OH, OW), stride):
                out[:, f] += w[f, c, i, j] * xp[:, c, rows, columns]
        out[:, f] += b[f]
    return out, (xp, w, stride, padding)


def conv2d_backward(dout, cache):
    xp, w, stride, padding = cache
    F, C, KH, KW = w.shape
    dxp, dw, db = np.zeros_like(xp), np.zeros_like(w), np.zeros(F, dtype=dout.dtype)
    for f in range(F):
        db[f] = dout[:, f].sum()
        for c in range(C):
            for i, j, rows, columns in _taps((KH, KW), dout.shape[2:], stride):
                dw[f, c, i, j] = (dout[:, f] * xp[:, c, rows, columns]).sum()
                dxp[:, c, rows, columns] += dout[:, f] * w[f, c, i, j]
    H, W = xp.shape[2:]
    return dxp[:, :, padding:H - padding, padding:W - padding], dw, db


def max_pool2d_forward(x, kernel_size, stride):
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    out = np.zeros((N, C, OH, OW), dtype=x.dtype)
    winner = np.zeros((N, C, OH, OW), dtype=int)
    for c in range(C):
        taps = np.array([x[:, c, rows, columns] for _, _, rows, columns in _taps((KH, KW), (OH, OW), stride)])
        out[:, c], winner[:, c] = taps.max(axis=0), taps.argmax(axis=0)
    return out, (winner, x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    winner, x_shape, kernel_size, stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for c in range(x_shape[1]):
        for k, (_, _, rows, columns) in enumerate(_taps(kernel_size, dout.shape[2:], stride)):
            won = winner[:, c] == k
            dx[:, c, rows, columns][won] += dout[:, c][won]
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    out = np.zeros((N, C, OH, OW), dtype=x.dtype)
    for c in range(C):
        for _, _, rows, columns in _taps((KH, KW), (OH, OW), stride):
            out[:, c] += x[:, c, rows, columns] / (KH * KW)
    return out, (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for c in range(x_shape[1]):
        for _, _, rows, columns in _taps((KH, KW), dout.shape[2:], stride):
            dx[:, c, rows, columns] += dout[:, c] / (KH * KW)
    return dx
