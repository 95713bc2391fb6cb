'''
Assignment: layers of a CNN.  I followed the matrix version of the lecture:

    out = W @ cols + b        so       dW = dout @ cols.T      dcols = W.T @ dout      db = sum(dout)
'''
import numpy as np


def conv_output_size(size, kernel_size, stride=1, padding=0):
    return 1 + (size + 2*padding - kernel_size)//stride


def indices(H, W, KH, KW, stride):
    ''' rows and columns of the padded image for every (tap, position) '''
    i, j = np.meshgrid(np.arange(KH), np.arange(KW), indexing='ij')
    p, q = np.meshgrid(np.arange(conv_output_size(H, KH, stride)), np.arange(conv_output_size(W, KW, stride)), indexing='ij')
    return i.reshape(-1, 1) + stride*p.reshape(1, -1), j.reshape(-1, 1) + stride*q.reshape(1, -1)


def im2col(x, kernel_size, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    rows, columns = indices(x.shape[2], x.shape[3], kernel_size[0], kernel_size[1], stride)
    # (N, C, taps, positions)
    taps = x[:, :, rows, columns]
    return taps.transpose(1, 2, 0, 3).reshape(taps.shape[1]*taps.shape[2], -1)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    x = np.zeros((N, C, H + 2*padding, W + 2*padding), dtype=cols.dtype)
    rows, columns = indices(H + 2*padding, W + 2*padding, kernel_size[0], kernel_size[1], stride)
    taps = cols.reshape(C, len(rows), N, -1).transpose(2, 0, 1, 3)
    np.add.at(x, (slice(None), slice(None), rows, columns), taps)
    return x[:, :, padding:padding + H, padding:padding + W]


def conv2d_forward(x, w, b, stride=1, padding=0):
    N, C, H, W = x.shape
    F, C, KH, KW = w.shape
    cols = im2col(x, (KH, KW), stride, padding)
    out = w.reshape(F, -1) @ cols + b.reshape(-1, 1)
    OH = conv_output_size(H, KH, stride, padding)
    OW = conv_output_size(W, KW, stride, padding)
    out = out.reshape(F, N, OH, OW).transpose(1, 0, 2, 3)
    return out, (x, w, cols, stride, padding)


def conv2d_backward(dout, cache):
    x, w, cols, stride, padding = cache
    F, C, KH, KW = w.shape
    dout = dout.reshape(F, -1)
    db = dout.sum(axis=1)
    dw = (dout @ cols.T).reshape(w.shape)
    dcols = w.reshape(F, -1).T @ dout
    dx = col2im(dcols, x.shape, (KH, KW), stride, padding)
    return dx, dw, db


def max_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    rows, columns = indices(H, W, kernel_size[0], kernel_size[1], stride)
    taps = x[:, :, rows, columns]
    which = taps.argmax(axis=2)
    OH = conv_output_size(H, kernel_size[0], stride)
    return taps.max(axis=2).reshape(N, C, OH, -1), (x.shape, which, rows, columns)


def max_pool2d_backward(dout, cache):
    x_shape, which, rows, columns = cache
    N, C, H, W = x_shape
    dx = np.zeros(x_shape, dtype=dout.dtype)
    position = np.arange(rows.shape[1])
    n, c = np.arange(N).reshape(-1, 1, 1), np.arange(C).reshape(1, -1, 1)
    np.add.at(dx, (n, c, rows[which, position], columns[which, position]), dout.reshape(N, C, -1))
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    rows, columns = indices(H, W, kernel_size[0], kernel_size[1], stride)
    OH = conv_output_size(H, kernel_size[0], stride)
    return x[:, :, rows, columns].mean(axis=2).reshape(N, C, OH, -1), (x.shape, rows, columns)


def avg_pool2d_backward(dout, cache):
    x_shape, rows, columns = cache
    N, C, H, W = x_shape
    dx = np.zeros(x_shape, dtype=dout.dtype)
    np.add.at(dx, (slice(None), slice(None), rows, columns), dout.reshape(N, C, 1, -1)/len(rows))
    return dx
