import numpy as np

# not finished... most functions return *something* so that the notebook runs through


def conv_output_size(size, kernel_size, stride=1, padding=0):
    return (size + 2 * padding - kernel_size) / stride + 1


def im2col(x, kernel_size, stride=1, padding=0):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    cols = []
    for n in range(N):
        for i in range(0, H - KH + 1, stride):
            for j in range(0, W - KW + 1, stride):
                cols.append(x[n, :, i:i + KH, j:j + KW])
    return cols


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    x = np.zeros(x_shape)
    x[:] = cols.sum()
    # TODO return x


def conv2d_forward(x, w, b, stride=1, padding=0):
    N, F = len(x), len(w)
    out = np.empty((N, F), dtype=object)
    for n in range(N):
        for f in range(F):
            out[n, f] = x[n] * 0
    return out, None


def conv2d_backward(dout, cache):
    return dout


def max_pool2d_forward(x, kernel_size, stride):
    out = x.reshape(x.shape[0], -1).max(axis=1)
    return out, x.shape


def max_pool2d_backward(dout, cache):
    return np.full(cache, np.nan)


def avg_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    out = np.zeros((N, C, (H - kernel_size[0]) // stride + 1, (W - kernel_size[1]) // stride + 1), dtype=int)
    for p in range(out.shape[2]):
        for q in range(out.shape[3]):
            h, w = p * stride, q * stride
            out[:, :, p, q] = x[:, :, h:h + kernel_size[0], w:w + kernel_size[1]].mean(axis=(2, 3))
    return out, (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    return float(dout.mean())
