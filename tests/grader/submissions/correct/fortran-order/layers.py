"""Odd: somebody who comes from MATLAB; every array is in column-major order, every result too."""
import numpy as np

ORDER = 'F'


def conv_output_size(size, kernel_size, stride=1, padding=0):
    return (size + 2*padding - kernel_size)//stride + 1


def zeropad(x, padding):
    (N, C, H, W) = x.shape
    y = np.zeros((N, C, H + 2*padding, W + 2*padding), dtype=x.dtype, order=ORDER)
    y[:, :, padding:padding+H, padding:padding+W] = x
    return y


def im2col(x, kernel_size, stride=1, padding=0):
    (N, C, H, W) = x.shape
    (KH, KW) = kernel_size
    OH = conv_output_size(H, KH, stride, padding)
    OW = conv_output_size(W, KW, stride, padding)
    xp = zeropad(x, padding)
    # in column-major order the first index runs fastest: hence everything is the other way round
    cols = np.zeros((KW, KH, C, OW, OH, N), dtype=x.dtype, order=ORDER)
    for i in range(KH):
        for j in range(KW):
            part = xp[:, :, i:i+stride*OH:stride, j:j+stride*OW:stride]
            cols[j, i] = part.transpose(1, 3, 2, 0)
    return cols.reshape((KW*KH*C, OW*OH*N), order=ORDER)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    (N, C, H, W) = x_shape
    (KH, KW) = kernel_size
    OH = conv_output_size(H, KH, stride, padding)
    OW = conv_output_size(W, KW, stride, padding)
    cols = cols.reshape((KW, KH, C, OW, OH, N), order=ORDER)
    x = zeropad(np.zeros(x_shape, dtype=cols.dtype), padding)
    for i in range(KH):
        for j in range(KW):
            x[:, :, i:i+stride*OH:stride, j:j+stride*OW:stride] += cols[j, i].transpose(3, 0, 2, 1)
    return np.asfortranarray(x[:, :, padding:padding+H, padding:padding+W])


def conv2d_forward(x, w, b, stride=1, padding=0):
    (N, C, H, W) = x.shape
    (F, C, KH, KW) = w.shape
    OH = conv_output_size(H, KH, stride, padding)
    OW = conv_output_size(W, KW, stride, padding)
    cols = im2col(x, (KH, KW), stride, padding)
    W_mat = w.reshape(F, -1)
    out = np.asfortranarray(W_mat @ cols + b[:, None])
    out = out.reshape((F, OW, OH, N), order=ORDER).transpose(3, 0, 2, 1)
    return np.asfortranarray(out), [cols, W_mat, x.shape, w.shape, stride, padding]


def conv2d_backward(dout, cache):
    [cols, W_mat, x_shape, w_shape, stride, padding] = cache
    D = dout.transpose(1, 3, 2, 0).reshape((w_shape[0], -1), order=ORDER)
    dx = col2im(W_mat.T @ D, x_shape, w_shape[2:], stride, padding)
    dw = np.asfortranarray((D @ cols.T).reshape(w_shape))
    db = D.sum(1)
    return dx, dw, db


def max_pool2d_forward(x, kernel_size, stride):
    (N, C, H, W) = x.shape
    (KH, KW) = kernel_size
    OH = conv_output_size(H, KH, stride)
    OW = conv_output_size(W, KW, stride)
    out = np.full((N, C, OH, OW), -np.inf, dtype=x.dtype, order=ORDER)
    where = np.zeros(out.shape, dtype=int, order=ORDER)
    # backwards, with >=, so that the first one has the last word
    for k in range(KH*KW - 1, -1, -1):
        (i, j) = divmod(k, KW)
        part = x[:, :, i:i+stride*OH:stride, j:j+stride*OW:stride]
        where[part >= out] = k
        out = np.maximum(out, part)
    return np.asfortranarray(out), (where, x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    (where, x_shape, (KH, KW), stride) = cache
    (OH, OW) = dout.shape[2:]
    dx = np.zeros(x_shape, dtype=dout.dtype, order=ORDER)
    for k in range(KH*KW):
        (i, j) = divmod(k, KW)
        dx[:, :, i:i+stride*OH:stride, j:j+stride*OW:stride] += (where == k)*dout
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    (N, C, H, W) = x.shape
    (KH, KW) = kernel_size
    OH = conv_output_size(H, KH, stride)
    OW = conv_output_size(W, KW, stride)
    out = np.zeros((N, C, OH, OW), dtype=x.dtype, order=ORDER)
    for i in range(KH):
        for j in range(KW):
            out += x[:, :, i:i+stride*OH:stride, j:j+stride*OW:stride]/(KH*KW)
    return out, (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    (x_shape, (KH, KW), stride) = cache
    (OH, OW) = dout.shape[2:]
    dx = np.zeros(x_shape, dtype=dout.dtype, order=ORDER)
    for i in range(KH):
        for j in range(KW):
            dx[:, :, i:i+stride*OH:stride, j:j+stride*OW:stride] += dout/(KH*KW)
    return dx
