# np.nditer over the output, with the index of every window.


def _windows(array, *flags):
    """Every entry of the array with its index."""
    iterator = np.nditer(array, ["multi_index"], [list(flags)])
    for entry in iterator:
        yield iterator.multi_index, entry


def conv2d_forward(x, w, b, stride=1, padding=0):
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    out = np.zeros((N, F, OH, OW), dtype=x.dtype)
    for (n, f, p, q), entry in _windows(out, "writeonly"):
        window = xp[n, :, p * stride:p * stride + KH, q * stride:q * stride + KW]
        entry[...] = (window * w[f]).sum() + b[f]
    return out, (xp, w, stride, padding)


def conv2d_backward(dout, cache):
    xp, w, stride, padding = cache
    (H, W), (KH, KW) = xp.shape[2:], w.shape[2:]
    dxp, dw, db = np.zeros_like(xp), np.zeros_like(w), np.zeros(len(w), dtype=dout.dtype)
    for (n, f, p, q), d in _windows(dout, "readonly"):
        rows, columns = slice(p * stride, p * stride + KH), slice(q * stride, q * stride + KW)
        dxp[n, :, rows, columns] += d * w[f]
        dw[f] += d * xp[n, :, rows, columns]
        db[f] += d
    return dxp[:, :, padding:H - padding, padding:W - padding].copy(), dw, db


def max_pool2d_forward(x, kernel_size, stride):
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    out = np.zeros((N, C, conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)), dtype=x.dtype)
    winner = np.zeros(out.shape, dtype=int)
    for (n, c, p, q), entry in _windows(out, "writeonly"):
        window = x[n, c, p * stride:p * stride + KH, q * stride:q * stride + KW]
        entry[...] = window.max()
        winner[n, c, p, q] = window.argmax()
    return out, (winner, x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    winner, x_shape, (KH, KW), stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for (n, c, p, q), d in _windows(dout, "readonly"):
        i, j = divmod(winner[n, c, p, q], KW)
        dx[n, c, p * stride + i, q * stride + j] += d
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    out = np.zeros((N, C, conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)), dtype=x.dtype)
    for (n, c, p, q), entry in _windows(out, "writeonly"):
        entry[...] = x[n, c, p * stride:p * stride + KH, q * stride:q * stride + KW].mean()
    return out, (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for (n, c, p, q), d in _windows(dout, "readonly"):
        dx[n, c, p * stride:p * stride + KH, q * stride:q * stride + KW] += d / (KH * KW)
    return dx
