# The cache is a list of functions: each knows how to take one tap back.


def conv2d_forward(x, w, b, stride=1, padding=0):
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    out = np.zeros((N, F, OH, OW), dtype=x.dtype)
    tape = []
    for i, j, rows, columns in _taps((KH, KW), (OH, OW), stride):
        pixels, weights = xp[:, :, rows, columns], w[:, :, i, j]
        out += np.einsum("ncpq,fc->nfpq", pixels, weights)

        def back(dout, dxp, dw, i=i, j=j, rows=rows, columns=columns, pixels=pixels, weights=weights):
            dxp[:, :, rows, columns] += np.einsum("nfpq,fc->ncpq", dout, weights)
            dw[:, :, i, j] += np.einsum("nfpq,ncpq->fc", dout, pixels)

        tape.append(back)
    out += b[:, None, None]

    def all_back(dout):
        dxp, dw = np.zeros_like(xp), np.zeros_like(w)
        for back in tape:
            back(dout, dxp, dw)
        return dxp[:, :, padding:padding + H, padding:padding + W], dw, dout.sum(axis=(0, 2, 3))

    return out, all_back


def conv2d_backward(dout, cache):
    return cache(dout)


def _play(tape, dout, x_shape):
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for back in tape:
        back(dout, dx)
    return dx


def max_pool2d_forward(x, kernel_size, stride):
    (H, W), (KH, KW) = x.shape[2:], kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    taps = _taps((KH, KW), (OH, OW), stride)
    windows = np.stack([x[:, :, rows, columns] for _, _, rows, columns in taps])
    first = windows.argmax(axis=0)

    def tap_back(k, rows, columns):
        def back(dout, dx):
            dx[:, :, rows, columns] += np.where(first == k, dout, 0)

        return back

    tape = [tap_back(k, rows, columns) for k, (_, _, rows, columns) in enumerate(taps)]
    return windows.max(axis=0), lambda dout: _play(tape, dout, x.shape)


def avg_pool2d_forward(x, kernel_size, stride):
    (H, W), (KH, KW) = x.shape[2:], kernel_size
    out_size = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    out = np.zeros((*x.shape[:2], *out_size), dtype=x.dtype)
    tape = []
    for _, _, rows, columns in _taps((KH, KW), out_size, stride):
        out += x[:, :, rows, columns] / (KH * KW)

        def back(dout, dx, rows=rows, columns=columns):
            dx[:, :, rows, columns] += dout / (KH * KW)

        tape.append(back)
    return out, lambda dout: _play(tape, dout, x.shape)


def max_pool2d_backward(dout, cache):
    return cache(dout)


def avg_pool2d_backward(dout, cache):
    return cache(dout)
