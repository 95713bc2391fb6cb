"""Odd: two loops over the output pixels; whatever happens inside one window is vectorised over N, C and F."""

import numpy as np


def conv_output_size(size, kernel_size, stride=1, padding=0):
    return 1 + (size + 2 * padding - kernel_size) // stride


def _windows(H, W, KH, KW, stride):
    for p in range(conv_output_size(H, KH, stride)):
        for q in range(conv_output_size(W, KW, stride)):
            yield p, q, np.s_[:, :, p * stride : p * stride + KH, q * stride : q * stride + KW]


def _pad(x, padding):
    return np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)], mode="constant")


def im2col(x, kernel_size, stride=1, padding=0):
    (N, C), (KH, KW) = x.shape[:2], kernel_size
    xp = _pad(x, padding)
    columns = [xp[window].reshape(N, -1) for _, _, window in _windows(*xp.shape[2:], KH, KW, stride)]
    # (windows, N, C*KH*KW) -> rows, then image by image, then window
    return np.stack(columns).transpose(2, 1, 0).reshape(C * KH * KW, -1)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    xp = np.zeros((N, C, H + 2 * padding, W + 2 * padding), cols.dtype)
    per_image = cols.reshape(C, KH, KW, N, -1)
    for k, (_, _, window) in enumerate(_windows(*xp.shape[2:], KH, KW, stride)):
        xp[window] += per_image[..., k].transpose(3, 0, 1, 2)
    return xp[:, :, padding : H + padding, padding : W + padding]


def conv2d_forward(x, w, b, stride=1, padding=0):
    N, F, (KH, KW) = len(x), len(w), w.shape[2:]
    xp = _pad(x, padding)
    OH = conv_output_size(xp.shape[2], KH, stride)
    OW = conv_output_size(xp.shape[3], KW, stride)
    out = np.empty((N, F, OH, OW), x.dtype)
    for p, q, window in _windows(*xp.shape[2:], KH, KW, stride):
        out[:, :, p, q] = xp[window].reshape(N, -1) @ w.reshape(F, -1).T + b
    return out, (xp, w, stride, padding)


def conv2d_backward(dout, cache):
    xp, w, stride, padding = cache
    N, F = dout.shape[:2]
    dxp, dw = np.zeros_like(xp), np.zeros_like(w)
    for p, q, window in _windows(*xp.shape[2:], *w.shape[2:], stride):
        d = dout[:, :, p, q]
        dw += (d.T @ xp[window].reshape(N, -1)).reshape(w.shape)
        dxp[window] += (d @ w.reshape(F, -1)).reshape(dxp[window].shape)
    H, W = dxp.shape[2] - padding, dxp.shape[3] - padding
    return dxp[:, :, padding:H, padding:W], dw, dout.sum((0, 2, 3))


def max_pool2d_forward(x, kernel_size, stride):
    OH, OW = (conv_output_size(n, k, stride) for n, k in zip(x.shape[2:], kernel_size))
    out = np.empty((*x.shape[:2], OH, OW), x.dtype)
    for p, q, window in _windows(*x.shape[2:], *kernel_size, stride):
        out[:, :, p, q] = x[window].max((2, 3))
    return out, (x, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    x, kernel_size, stride = cache
    dx = np.zeros_like(x)
    N, C = x.shape[:2]
    n, c = np.ogrid[:N, :C]
    for p, q, window in _windows(*x.shape[2:], *kernel_size, stride):
        i, j = np.unravel_index(x[window].reshape(N, C, -1).argmax(2), kernel_size)
        dx[n, c, p * stride + i, q * stride + j] += dout[:, :, p, q]  # one pixel per (n, c): no double index
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    OH, OW = (conv_output_size(n, k, stride) for n, k in zip(x.shape[2:], kernel_size))
    out = np.empty((*x.shape[:2], OH, OW), x.dtype)
    for p, q, window in _windows(*x.shape[2:], *kernel_size, stride):
        out[:, :, p, q] = x[window].mean((2, 3))
    return out, (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    shape, (KH, KW), stride = cache
    dx = np.zeros(shape, dout.dtype)
    for p, q, window in _windows(*shape[2:], KH, KW, stride):
        dx[window] += dout[:, :, p, q, None, None] / (KH * KW)
    return dx


if __name__ == "__main__":
    import matplotlib.pyplot as plt

    noise = np.random.default_rng(1).normal(size=(1, 1, 64, 64))
    plt.imshow(avg_pool2d_forward(noise, (5, 5), 1)[0][0, 0])
    plt.show()
