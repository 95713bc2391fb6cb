import numpy as np

import wire

from . import columns


def conv2d_forward(x, w, b, stride=1, padding=0):
    F, KH, KW = w.shape[0], *w.shape[2:]
    OH = wire.conv_output_size(x.shape[2], KH, stride, padding)
    cols = columns.im2col(x, (KH, KW), stride, padding)
    out = w.reshape(F, -1) @ cols + b[:, np.newaxis]
    return out.reshape(F, len(x), OH, -1).transpose(1, 0, 2, 3), (cols, x.shape, w, stride, padding)


def conv2d_backward(dout, cache):
    cols, x_shape, w, stride, padding = cache
    flat = dout.transpose(1, 0, 2, 3).reshape(len(w), -1)
    dcols = w.reshape(len(w), -1).T @ flat
    dx = columns.col2im(dcols, x_shape, w.shape[2:], stride, padding)
    return dx, (flat @ cols.T).reshape(w.shape), flat.sum(axis=1)
