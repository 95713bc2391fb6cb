"""The convolutional layer."""

import numpy as np

from .geometry import conv_output_size
from .unfold import col2im, im2col


def conv2d_forward(x, w, b, stride=1, padding=0):
    F, _, KH, KW = w.shape
    cols = im2col(x, (KH, KW), stride, padding)
    out = np.matmul(w.reshape(F, -1), cols) + b[:, np.newaxis]
    out = out.reshape(F, x.shape[0], conv_output_size(x.shape[2], KH, stride, padding), -1)
    return out.swapaxes(0, 1), {"cols": cols, "x_shape": x.shape, "w": w, "stride": stride, "padding": padding}


def conv2d_backward(dout, cache):
    w = cache["w"]
    F, _, KH, KW = w.shape
    d = dout.swapaxes(0, 1).reshape(F, -1)
    dx = col2im(w.reshape(F, -1).T @ d, cache["x_shape"], (KH, KW), cache["stride"], cache["padding"])
    return dx, (d @ cache["cols"].T).reshape(w.shape), d.sum(axis=1)
