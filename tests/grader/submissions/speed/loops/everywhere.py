# Everything window by window.


def im2col(x, kernel_size, stride=1, padding=0):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    cols = np.zeros((C * KH * KW, N * OH * OW), dtype=x.dtype)
    column = 0
    for n in range(N):
        for p in range(OH):
            for q in range(OW):
                window = xp[n, :, p * stride:p * stride + KH, q * stride:q * stride + KW]
                cols[:, column] = window.reshape(-1)
                column += 1
    return cols


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    xp = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    column = 0
    for n in range(N):
        for p in range(OH):
            for q in range(OW):
                window = cols[:, column].reshape(C, KH, KW)
                xp[n, :, p * stride:p * stride + KH, q * stride:q * stride + KW] += window
                column += 1
    return xp[:, :, padding:padding + H, padding:padding + W].copy()


def max_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    out = np.zeros((N, C, OH, OW), dtype=x.dtype)
    for p in range(OH):
        for q in range(OW):
            out[:, :, p, q] = x[:, :, p * stride:p * stride + KH, q * stride:q * stride + KW].max(axis=(2, 3))
    return out, (x, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    x, (KH, KW), stride = cache
    dx = np.zeros_like(x)
    for p in range(dout.shape[2]):
        for q in range(dout.shape[3]):
            rows, columns = slice(p * stride, p * stride + KH), slice(q * stride, q * stride + KW)
            window = x[:, :, rows, columns]
            won = window == window.max(axis=(2, 3), keepdims=True)
            dx[:, :, rows, columns] += won * dout[:, :, p, q][:, :, None, None]
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    out = np.zeros((N, C, OH, OW), dtype=x.dtype)
    for p in range(OH):
        for q in range(OW):
            out[:, :, p, q] = x[:, :, p * stride:p * stride + KH, q * stride:q * stride + KW].mean(axis=(2, 3))
    return out, (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    shape, (KH, KW), stride = cache
    dx = np.zeros(shape, dtype=dout.dtype)
    for p in range(dout.shape[2]):
        for q in range(dout.shape[3]):
            rows, columns = slice(p * stride, p * stride + KH), slice(q * stride, q * stride + KW)
            dx[:, :, rows, columns] += dout[:, :, p, q][:, :, None, None] / (KH * KW)
    return dx
