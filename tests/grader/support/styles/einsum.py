"""The homework in the style of einsum: each side has a tensor that says which window reads which pixel with which tap.

Then every function is a product of tensors, and every backward pass the same product with other letters. A template:
mistakes of the catalogue are put into it, so its caches hold what the model answer's hold.
"""

# mypy: ignore-errors
# Stands in for what it is not: results of every kind, and modules put together while running.

import numpy as np


def conv_output_size(size, kernel_size, stride=1, padding=0):
    return int(np.floor((size + 2 * padding - kernel_size) / stride)) + 1


def reads(size, kernel, stride, padding, out=None, dtype=float):
    """Return a tensor (windows, taps, pixels) of zeros and ones."""
    count = conv_output_size(size, kernel, stride, padding) if out is None else out
    pixel = np.arange(count)[:, None] * stride + np.arange(kernel) - padding
    return (pixel[:, :, None] == np.arange(size)).astype(dtype)


def sides(x_shape, kernel_size, stride, padding, dtype):
    return [reads(x_shape[2 + s], kernel_size[s], stride, padding, dtype=dtype) for s in (0, 1)]


def im2col(x, kernel_size, stride=1, padding=0):
    down, across = sides(x.shape, kernel_size, stride, padding, x.dtype)
    cols = np.einsum("pih,nchw,qjw->cijnpq", down, x, across, optimize=True)
    return np.ascontiguousarray(cols).reshape(cols.shape[0] * cols.shape[1] * cols.shape[2], -1)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    down, across = sides(x_shape, kernel_size, stride, padding, cols.dtype)
    shape = (x_shape[1], *kernel_size, x_shape[0], len(down), len(across))
    return np.einsum("pih,cijnpq,qjw->nchw", down, cols.reshape(shape), across, optimize=True)


def conv2d_forward(x, w, b, stride=1, padding=0):
    down, across = sides(x.shape, w.shape[2:], stride, padding, x.dtype)
    out = np.einsum("pih,nchw,qjw,fcij->nfpq", down, x, across, w, optimize=True)
    return out + b[:, None, None], (x, w, stride, padding)


def conv2d_backward(dout, cache):
    x, w, stride, padding = cache
    down, across = sides(x.shape, w.shape[2:], stride, padding, x.dtype)
    dx = np.einsum("pih,nfpq,qjw,fcij->nchw", down, dout, across, w, optimize=True)
    dw = np.einsum("pih,nfpq,qjw,nchw->fcij", down, dout, across, x, optimize=True)
    return dx, dw, np.einsum("nfpq->f", dout)


def view(x, kernel_size, stride):
    return np.lib.stride_tricks.sliding_window_view(x, kernel_size, axis=(2, 3))[:, :, ::stride, ::stride]


def max_pool2d_forward(x, kernel_size, stride):
    flat = view(x, kernel_size, stride)
    flat = flat.reshape(*flat.shape[:4], -1)
    return flat.max(axis=-1), (flat.argmax(axis=-1), x.shape, tuple(kernel_size), stride)


def max_pool2d_backward(dout, cache):
    winner, x_shape, (KH, KW), stride = cache
    won = (winner[..., None] == np.arange(KH * KW)).astype(dout.dtype)
    won = np.broadcast_to(won, (*dout.shape, KH * KW)).reshape(*dout.shape, KH, KW)
    down, across = (reads(x_shape[2 + s], (KH, KW)[s], stride, 0, dout.shape[2 + s], dout.dtype) for s in (0, 1))
    return np.einsum("pih,ncpq,ncpqij,qjw->nchw", down, dout, won, across, optimize=True)


def avg_pool2d_forward(x, kernel_size, stride):
    down, across = sides(x.shape, kernel_size, stride, 0, x.dtype)
    out = np.einsum("pih,nchw,qjw->ncpq", down, x, across, optimize=True) / (kernel_size[0] * kernel_size[1])
    return out.astype(x.dtype), (x.shape, tuple(kernel_size), stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), stride = cache
    down, across = (reads(x_shape[2 + s], (KH, KW)[s], stride, 0, dout.shape[2 + s], dout.dtype) for s in (0, 1))
    return np.einsum("pih,ncpq,qjw->nchw", down, dout / (KH * KW), across, optimize=True)
