# Index arrays and np.add.at into a buffer whose dtype was forgotten: float64, and cast back at the end.


def _pixels(x_shape, kernel_size, stride, padding):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    c, i, j, n, p, q = np.ogrid[:C, :KH, :KW, :N, :OH, :OW]
    return n, c, stride * p + i, stride * q + j


def im2col(x, kernel_size, stride=1, padding=0):
    N, C, H, W = x.shape
    xp = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    xp[:, :, padding:padding + H, padding:padding + W] = x
    cols = xp[_pixels(x.shape, kernel_size, stride, padding)]
    return cols.reshape(C * kernel_size[0] * kernel_size[1], -1).astype(x.dtype)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    xp = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    np.add.at(xp, _pixels(x_shape, kernel_size, stride, padding), cols.reshape(C, KH, KW, N, OH, OW))
    return xp[:, :, padding:padding + H, padding:padding + W].astype(cols.dtype)


def max_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    cols = im2col(x, kernel_size, stride).reshape(C, KH * KW, N, OH, OW)
    out = cols.max(axis=1).transpose(1, 0, 2, 3)
    return out, (cols.argmax(axis=1).transpose(1, 0, 2, 3), x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    winner, x_shape, (KH, KW), stride = cache
    N, C, OH, OW = dout.shape
    n, c, p, q = np.ogrid[:N, :C, :OH, :OW]
    dx = np.zeros(x_shape)
    np.add.at(dx, (n, c, stride * p + winner // KW, stride * q + winner % KW), dout)
    return dx.astype(dout.dtype)


def avg_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    out = im2col(x, kernel_size, stride).reshape(C, KH * KW, N, OH, OW).mean(axis=1)
    return out.transpose(1, 0, 2, 3), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), stride = cache
    share = dout.transpose(1, 0, 2, 3) / (KH * KW)
    dx = np.zeros(x_shape)
    np.add.at(dx, _pixels(x_shape, (KH, KW), stride, 0), share[:, None, None])
    return dx.astype(dout.dtype)
