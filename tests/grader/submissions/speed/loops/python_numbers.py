# Nested lists of Python floats and plain loops; NumPy only holds the results.


def _zeros(*shape):
    return [_zeros(*shape[1:]) for _ in range(shape[0])] if shape else 0.0


def _padded(x, padding):
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding))).tolist()


def conv2d_forward(x, w, b, stride=1, padding=0):
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    xp, filters, biases = _padded(x, padding), w.tolist(), b.tolist()
    out = _zeros(N, F, OH, OW)
    for n in range(N):
        for f in range(F):
            for p in range(OH):
                for q in range(OW):
                    total = biases[f]
                    for c in range(C):
                        for i in range(KH):
                            for j in range(KW):
                                total += filters[f][c][i][j] * xp[n][c][stride * p + i][stride * q + j]
                    out[n][f][p][q] = total
    return np.array(out, dtype=x.dtype), (xp, x.shape, filters, stride, padding)


def conv2d_backward(dout, cache):
    xp, (N, C, H, W), filters, stride, padding = cache
    F, KH, KW = len(filters), len(filters[0][0]), len(filters[0][0][0])
    douts = dout.tolist()
    dxp, dw, db = _zeros(N, C, H + 2 * padding, W + 2 * padding), _zeros(F, C, KH, KW), _zeros(F)
    for n in range(N):
        for f in range(F):
            for p, row in enumerate(douts[n][f]):
                for q, d in enumerate(row):
                    db[f] += d
                    for c in range(C):
                        for i in range(KH):
                            for j in range(KW):
                                h, v = stride * p + i, stride * q + j
                                dxp[n][c][h][v] += d * filters[f][c][i][j]
                                dw[f][c][i][j] += d * xp[n][c][h][v]
    dx = np.array(dxp, dtype=dout.dtype)[:, :, padding:padding + H, padding:padding + W]
    return dx, np.array(dw, dtype=dout.dtype), np.array(db, dtype=dout.dtype)


def max_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    pixels = x.tolist()
    out, winner = _zeros(N, C, OH, OW), _zeros(N, C, OH, OW)
    for n in range(N):
        for c in range(C):
            for p in range(OH):
                for q in range(OW):
                    best = -float("inf")
                    for h in range(stride * p, stride * p + KH):
                        for v in range(stride * q, stride * q + KW):
                            if pixels[n][c][h][v] > best:
                                best = pixels[n][c][h][v]
                                winner[n][c][p][q] = h, v
                    out[n][c][p][q] = best
    return np.array(out, dtype=x.dtype), (winner, x.shape)


def max_pool2d_backward(dout, cache):
    winner, x_shape = cache
    dx = _zeros(*x_shape)
    for n, image in enumerate(dout.tolist()):
        for c, channel in enumerate(image):
            for p, row in enumerate(channel):
                for q, d in enumerate(row):
                    h, v = winner[n][c][p][q]
                    dx[n][c][h][v] += d
    return np.array(dx, dtype=dout.dtype)


def avg_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    pixels = x.tolist()
    out = _zeros(N, C, OH, OW)
    for n in range(N):
        for c in range(C):
            for p in range(OH):
                for q in range(OW):
                    total = 0.0
                    for i in range(KH):
                        for j in range(KW):
                            total += pixels[n][c][stride * p + i][stride * q + j]
                    out[n][c][p][q] = total / (KH * KW)
    return np.array(out, dtype=x.dtype), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), stride = cache
    dx = _zeros(*x_shape)
    for n, image in enumerate(dout.tolist()):
        for c, channel in enumerate(image):
            for p, row in enumerate(channel):
                for q, d in enumerate(row):
                    for i in range(KH):
                        for j in range(KW):
                            dx[n][c][stride * p + i][stride * q + j] += d / (KH * KW)
    return np.array(dx, dtype=dout.dtype)
