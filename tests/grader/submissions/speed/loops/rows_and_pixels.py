# while loops with counters, over rows and pixels, as in C.


def conv2d_forward(x, w, b, stride=1, padding=0):
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    out = np.zeros((N, F, OH, OW), dtype=x.dtype)
    p = 0
    while p < OH:
        q = 0
        while q < OW:
            window = xp[:, :, stride * p:stride * p + KH, stride * q:stride * q + KW]
            out[:, :, p, q] = window.reshape(N, -1) @ w.reshape(F, -1).T + b
            q += 1
        p += 1
    return out, (xp, w, stride, padding)


def conv2d_backward(dout, cache):
    xp, w, stride, padding = cache
    N, F, OH, OW = dout.shape
    _, C, KH, KW = w.shape
    H, W = xp.shape[2:]
    dxp, dw, db = np.zeros_like(xp), np.zeros_like(w), np.zeros(F, dtype=dout.dtype)
    p = 0
    while p < OH:
        q = 0
        while q < OW:
            rows, columns = slice(stride * p, stride * p + KH), slice(stride * q, stride * q + KW)
            d = dout[:, :, p, q]
            dw += (d.T @ xp[:, :, rows, columns].reshape(N, -1)).reshape(w.shape)
            dxp[:, :, rows, columns] += (d @ w.reshape(F, -1)).reshape(N, C, KH, KW)
            db += d.sum(axis=0)
            q += 1
        p += 1
    return dxp[:, :, padding:H - padding, padding:W - padding].copy(), dw, db


def max_pool2d_forward(x, kernel_size, stride):
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    out = np.zeros((N, C, OH, OW), dtype=x.dtype)
    winner = np.zeros((N, C, OH, OW), dtype=int)
    p = h = 0
    while p < OH:
        q = v = 0
        while q < OW:
            window = x[:, :, h:h + KH, v:v + KW].reshape(N, C, KH * KW)
            out[:, :, p, q] = window.max(axis=2)
            winner[:, :, p, q] = window.argmax(axis=2)
            q += 1
            v += stride
        p += 1
        h += stride
    return out, (winner, x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    winner, x_shape, (KH, KW), stride = cache
    N, C, OH, OW = dout.shape
    dx = np.zeros(x_shape, dtype=dout.dtype)
    n = 0
    while n < N:
        c = 0
        while c < C:
            p = 0
            while p < OH:
                q = 0
                while q < OW:
                    k = winner[n, c, p, q]
                    dx[n, c, stride * p + k // KW, stride * q + k % KW] += dout[n, c, p, q]
                    q += 1
                p += 1
            c += 1
        n += 1
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    out = np.zeros((N, C, OH, OW), dtype=x.dtype)
    p = h = 0
    while p < OH:
        q = v = 0
        while q < OW:
            out[:, :, p, q] = x[:, :, h:h + KH, v:v + KW].mean(axis=(2, 3))
            q += 1
            v += stride
        p += 1
        h += stride
    return out, (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), stride = cache
    OH, OW = dout.shape[2:]
    dx = np.zeros(x_shape, dtype=dout.dtype)
    p = h = 0
    while p < OH:
        q = v = 0
        while q < OW:
            dx[:, :, h:h + KH, v:v + KW] += dout[:, :, p:p + 1, q:q + 1] / (KH * KW)
            q += 1
            v += stride
        p += 1
        h += stride
    return dx
