"""Odd: `sliding_window_view` and one einsum per result; the backward pass slides over a stretched dout."""

from numpy import arange, argmax, einsum, pad, zeros
from numpy.lib.stride_tricks import sliding_window_view


def conv_output_size(size, kernel_size, stride=1, padding=0):
    last_start = size + 2 * padding - kernel_size
    return last_start // stride + 1


def _view(x, kernel_size, stride=1, padding=0):
    """(N, C, OH, OW, KH, KW)"""
    x = pad(x, ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2))
    return sliding_window_view(x, tuple(kernel_size), axis=(2, 3))[:, :, ::stride, ::stride]


def _stretch(dout, kernel_size, stride, size):
    """Put stride-1 zeros between the entries of dout, and enough around it that every pixel meets every tap.

    Then window (h, w) of the result, turned round, holds exactly what pixel (h, w) of the padded image sent out.
    """
    (N, C, OH, OW), (KH, KW), (H, W) = dout.shape, kernel_size, size
    big = zeros((N, C, H + KH - 1, W + KW - 1), dout.dtype)
    big[:, :, KH - 1 : KH - 1 + stride * OH : stride, KW - 1 : KW - 1 + stride * OW : stride] = dout
    return sliding_window_view(big, (KH, KW), axis=(2, 3))[..., ::-1, ::-1]


def im2col(x, kernel_size, stride=1, padding=0):
    view = _view(x, kernel_size, stride, padding)
    N, C, OH, OW, KH, KW = view.shape
    return einsum("ncpqij->cijnpq", view).reshape(C * KH * KW, N * OH * OW)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    (N, C, H, W), (KH, KW) = x_shape, kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    taps = cols.reshape(C, KH, KW, N, OH, OW)
    HP, WP = H + 2 * padding, W + 2 * padding
    x = zeros((N, C, HP, WP), cols.dtype)
    for i in range(KH):
        for j in range(KW):
            one = _stretch(einsum("cnpq->ncpq", taps[:, i, j]), (KH, KW), stride, (HP, WP))
            x += one[..., i, j]
    return x[:, :, padding : padding + H, padding : padding + W]


def conv2d_forward(x, w, b, stride=1, padding=0):
    out = einsum("ncpqij,fcij->nfpq", _view(x, w.shape[2:], stride, padding), w)
    return out + b[None, :, None, None], dict(x=x, w=w, stride=stride, padding=padding)


def conv2d_backward(dout, cache):
    x, w, stride, padding = (cache[name] for name in ("x", "w", "stride", "padding"))
    H, W = x.shape[2:]
    spread = _stretch(dout, w.shape[2:], stride, (H + 2 * padding, W + 2 * padding))
    dx = einsum("nfhwij,fcij->nchw", spread, w)[:, :, padding : padding + H, padding : padding + W]
    dw = einsum("nfpq,ncpqij->fcij", dout, _view(x, w.shape[2:], stride, padding))
    return dx, dw, einsum("nfpq->f", dout)


def max_pool2d_forward(x, kernel_size, stride):
    view = _view(x, kernel_size, stride)
    winner = argmax(view.reshape(*view.shape[:4], -1), axis=-1)
    return view.max(axis=(-2, -1)), (winner, x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    winner, (N, C, H, W), (KH, KW), stride = cache
    dx = zeros((N, C, H, W), dout.dtype)
    for tap in arange(KH * KW):
        only = _stretch(dout * (winner == tap), (KH, KW), stride, (H, W))
        dx += only[..., tap // KW, tap % KW]
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    return _view(x, kernel_size, stride).mean(axis=(-2, -1)), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    (N, C, H, W), (KH, KW), stride = cache
    return einsum("nchwij->nchw", _stretch(dout / (KH * KW), (KH, KW), stride, (H, W)))
