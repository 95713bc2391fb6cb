"""Odd: the convolution theorem. Forward and both gradients are products of Fourier transforms, rounded a little."""

import numpy as np
from numpy.fft import irfft2, rfft2


def conv_output_size(size, kernel_size, stride=1, padding=0):
    return (size + 2 * padding - kernel_size) // stride + 1


def conv2d_forward(x, w, b, stride=1, padding=0):
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    size = (H + 2 * padding, W + 2 * padding)
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    xp = np.zeros((N, C) + size)
    xp[:, :, padding:padding + H, padding:padding + W] = x
    X, K = rfft2(xp), rfft2(w, size)
    # correlation theorem: multiply by the conjugate. The wrap-around only reaches windows that do not fit anyway.
    dense = irfft2(np.einsum("nchw,fchw->nfhw", X, K.conj()), size)
    out = dense[:, :, :stride * OH:stride, :stride * OW:stride] + b[:, None, None]
    return out.astype(x.dtype), (X, K, size, x.shape, w.shape, stride, padding, x.dtype)


def conv2d_backward(dout, cache):
    X, K, size, x_shape, w_shape, stride, padding, dtype = cache
    OH, OW = dout.shape[2:]
    dense = np.zeros(dout.shape[:2] + size)
    dense[:, :, :stride * OH:stride, :stride * OW:stride] = dout
    D = rfft2(dense)
    dw = irfft2(np.einsum("nfhw,nchw->fchw", D.conj(), X), size)[:, :, :w_shape[2], :w_shape[3]]
    dxp = irfft2(np.einsum("nfhw,fchw->nchw", D, K), size)  # a true convolution this time
    dx = dxp[:, :, padding:padding + x_shape[2], padding:padding + x_shape[3]]
    db = D[:, :, 0, 0].real.sum(0)  # the zero frequency is the sum
    return dx.astype(dtype), dw.astype(dtype), db.astype(dtype)


# the rest has little to do with Fourier

def _slices(H, W, kernel_size, stride):
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    return [np.s_[:, :, i:i + stride * OH:stride, j:j + stride * OW:stride] for i in range(KH) for j in range(KW)]


def im2col(x, kernel_size, stride=1, padding=0):
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    taps = np.array([xp[s] for s in _slices(*xp.shape[2:], kernel_size, stride)])  # K N C OH OW
    return taps.transpose(2, 0, 1, 3, 4).reshape(x.shape[1] * len(taps), -1)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    xp = np.zeros((N, C, H + 2 * padding, W + 2 * padding), cols.dtype)
    slices = _slices(*xp.shape[2:], kernel_size, stride)
    taps = cols.reshape(C, len(slices), N, *xp[slices[0]].shape[2:]).transpose(1, 2, 0, 3, 4)
    for s, tap in zip(slices, taps):
        xp[s] += tap
    return xp[:, :, padding:padding + H, padding:padding + W]


def max_pool2d_forward(x, kernel_size, stride):
    taps = np.array([x[s] for s in _slices(*x.shape[2:], kernel_size, stride)])
    return taps.max(0), (taps.argmax(0), x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    winner, x_shape, kernel_size, stride = cache
    dx = np.zeros(x_shape, dout.dtype)
    for k, s in enumerate(_slices(*x_shape[2:], kernel_size, stride)):
        dx[s] += dout * (winner == k)
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    """average pooling = convolution of every channel with a box, so Fourier can do it as well"""
    N, C, H, W = x.shape
    box = np.full((1, 1) + tuple(kernel_size), 1 / np.prod(kernel_size), dtype=x.dtype)
    out, _ = conv2d_forward(x.reshape(N * C, 1, H, W), box, np.zeros(1, x.dtype), stride)
    return out.reshape(N, C, *out.shape[2:]), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, kernel_size, stride = cache
    dx = np.zeros(x_shape, dout.dtype)
    for s in _slices(*x_shape[2:], kernel_size, stride):
        dx[s] += dout / np.prod(kernel_size)
    return dx
