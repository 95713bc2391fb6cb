# Index arrays for every entry of the columns, and np.add.at with a tuple of them: the widely read notes do it so.


def _indices(C, KH, KW, OH, OW, stride):
    i0, i1 = np.tile(np.repeat(np.arange(KH), KW), C), stride * np.repeat(np.arange(OH), OW)
    j0, j1 = np.tile(np.arange(KW), KH * C), stride * np.tile(np.arange(OW), OH)
    k = np.repeat(np.arange(C), KH * KW).reshape(-1, 1)
    return k, i0.reshape(-1, 1) + i1, j0.reshape(-1, 1) + j1


def im2col(x, kernel_size, stride=1, padding=0):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    k, i, j = _indices(C, KH, KW, OH, OW, stride)
    return xp[:, k, i, j].transpose(1, 0, 2).reshape(C * KH * KW, -1)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    xp = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    k, i, j = _indices(C, KH, KW, OH, OW, stride)
    np.add.at(xp, (slice(None), k, i, j), cols.reshape(C * KH * KW, N, -1).transpose(1, 0, 2))
    return xp[:, :, padding:padding + H, padding:padding + W].copy()


def max_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    cols = im2col(x.reshape(N * C, 1, H, W), kernel_size, stride)
    first = cols.argmax(axis=0)
    OH, OW = conv_output_size(H, kernel_size[0], stride), conv_output_size(W, kernel_size[1], stride)
    out = cols[first, np.arange(first.size)].reshape(N, C, OH, OW)
    return out, (first, cols.shape, x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    first, shape, (N, C, H, W), kernel_size, stride = cache
    dcols = np.zeros(shape, dtype=dout.dtype)
    dcols[first, np.arange(first.size)] = dout.ravel()
    return col2im(dcols, (N * C, 1, H, W), kernel_size, stride).reshape(N, C, H, W)


def avg_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    cols = im2col(x.reshape(N * C, 1, H, W), kernel_size, stride)
    OH, OW = conv_output_size(H, kernel_size[0], stride), conv_output_size(W, kernel_size[1], stride)
    return cols.mean(axis=0).reshape(N, C, OH, OW), (cols.shape, x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    shape, (N, C, H, W), kernel_size, stride = cache
    dcols = np.tile(dout.ravel() / shape[0], (shape[0], 1)).astype(dout.dtype)
    return col2im(dcols, (N * C, 1, H, W), kernel_size, stride).reshape(N, C, H, W)
