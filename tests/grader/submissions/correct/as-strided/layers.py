"""Odd: every window is an `as_strided` view, for reading and for adding."""
import numpy as np
from numpy.lib.stride_tricks import as_strided


def conv_output_size(size, kernel_size, stride=1, padding=0):
    return (size - kernel_size + 2 * padding) // stride + 1


def patches(a, kh, kw, stride):
    """6-D view (N, C, KH, KW, OH, OW) of the already padded `a`. No memory is copied!"""
    n, c, h, w = a.shape
    sn, sc, sh, sw = a.strides
    oh, ow = (h - kh) // stride + 1, (w - kw) // stride + 1
    return as_strided(a, (n, c, kh, kw, oh, ow), (sn, sc, sh, sw, sh * stride, sw * stride))


def padded(x, padding):
    n, c, h, w = x.shape
    big = np.zeros((n, c, h + 2 * padding, w + 2 * padding), x.dtype)
    big[:, :, padding:h + padding, padding:w + padding] = x
    return big


def add_patches(values, shape, padding, stride):
    """transpose of `patches`. Adding into the 6-D view at once would lose overlaps, so tap by tap."""
    n, c, h, w = shape
    big = np.zeros((n, c, h + 2 * padding, w + 2 * padding), values.dtype)
    kh, kw = values.shape[2:4]
    view = patches(big, kh, kw, stride)
    for i in range(kh):
        for j in range(kw):
            view[:, :, i, j] += values[:, :, i, j]
    return big[:, :, padding:h + padding, padding:w + padding].copy()


def im2col(x, kernel_size, stride=1, padding=0):
    view = patches(padded(x, padding), *kernel_size, stride)
    n, c, kh, kw, oh, ow = view.shape
    return view.transpose(1, 2, 3, 0, 4, 5).reshape(c * kh * kw, n * oh * ow)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    n, c, h, w = x_shape
    kh, kw = kernel_size
    oh = conv_output_size(h, kh, stride, padding)
    ow = conv_output_size(w, kw, stride, padding)
    values = cols.reshape(c, kh, kw, n, oh, ow).transpose(3, 0, 1, 2, 4, 5)
    return add_patches(values, x_shape, padding, stride)


def conv2d_forward(x, w, b, stride=1, padding=0):
    view = patches(padded(x, padding), w.shape[2], w.shape[3], stride)
    out = np.einsum("ncijpq,fcij->nfpq", view, w) + b.reshape(1, -1, 1, 1)
    return out, (view, x.shape, w, padding, stride)


def conv2d_backward(dout, cache):
    view, x_shape, w, padding, stride = cache
    db = np.einsum("nfpq->f", dout)
    dw = np.einsum("nfpq,ncijpq->fcij", dout, view)
    dview = np.einsum("nfpq,fcij->ncijpq", dout, w)
    return add_patches(dview, x_shape, padding, stride), dw, db


def max_pool2d_forward(x, kernel_size, stride):
    view = patches(x, *kernel_size, stride)
    n, c, kh, kw, oh, ow = view.shape
    flat = view.reshape(n, c, kh * kw, oh, ow)
    winner = flat.argmax(axis=2)
    out = np.take_along_axis(flat, winner[:, :, None], axis=2)[:, :, 0]
    return out, (winner, x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    winner, x_shape, (kh, kw), stride = cache
    one_hot = np.arange(kh * kw).reshape(1, 1, kh, kw, 1, 1) == winner[:, :, None, None]
    return add_patches(one_hot * dout[:, :, None, None], x_shape, 0, stride)


def avg_pool2d_forward(x, kernel_size, stride):
    return patches(x, *kernel_size, stride).mean(axis=(2, 3)), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (kh, kw), stride = cache
    n, c, oh, ow = dout.shape
    share = np.broadcast_to((dout / (kh * kw))[:, :, None, None], (n, c, kh, kw, oh, ow))
    return add_patches(share, x_shape, 0, stride)
