"""Right values, broken promises: dtype, inputs left alone, memory of one's own, no memory of earlier calls.

Each is to cost the points of one small test. The exceptions are gradients that pile up and columns that are remembered:
how many tests notice depends on how many calls share a process. Knows the model answer alone.
"""

# mypy: allow-untyped-defs
# As a student writes them.
# ruff: noqa: B006
# A mutable default is how a function remembers without a global variable.

import numpy as np

from solutions.layers import (
    _taps,
    avg_pool2d_backward,
    avg_pool2d_forward,
    col2im,
    conv2d_backward,
    conv2d_forward,
    im2col,
    max_pool2d_backward,
    max_pool2d_forward,
)
from solutions.misconceptions.entry import misconception

# ---- float64 for float32


@misconception("im2col", fails_only="test_im2col_dtype", hides_on="dtype == 'float64'")
def columns_always_float64(x, kernel_size, stride=1, padding=0):
    """The matrix is float64 whatever x is: an array made without a dtype is float64."""
    return im2col(x, kernel_size, stride, padding).astype(np.float64)


@misconception("col2im", fails_only="test_col2im_dtype", hides_on="dtype == 'float64'")
def image_always_float64(cols, x_shape, kernel_size, stride=1, padding=0):
    """The image is float64 whatever cols is: an array made without a dtype is float64."""
    return col2im(cols, x_shape, kernel_size, stride, padding).astype(np.float64)


@misconception("conv2d_forward", fails_only="test_conv2d_forward_dtype", hides_on="dtype == 'float64'")
def out_always_float64(x, w, b, stride=1, padding=0):
    """The output is float64 whatever x is: an array made without a dtype is float64."""
    out, cache = conv2d_forward(x, w, b, stride, padding)
    return out.astype(np.float64), cache


@misconception("conv2d_backward", fails_only="test_conv2d_backward_dtype", hides_on="dtype == 'float64'")
def dx_always_float64(dout, cache):
    """The gradient dx is float64 whatever x is: an array made without a dtype is float64."""
    dx, dw, db = conv2d_backward(dout, cache)
    return dx.astype(np.float64), dw, db


@misconception("max_pool2d_forward", fails_only="test_max_pool2d_forward_dtype", hides_on="dtype == 'float64'")
def maximum_always_float64(x, kernel_size, stride):
    """The output is float64 whatever x is: an array made without a dtype is float64."""
    out, cache = max_pool2d_forward(x, kernel_size, stride)
    return out.astype(np.float64), cache


@misconception("max_pool2d_backward", fails_only="test_max_pool2d_backward_dtype", hides_on="dtype == 'float64'")
def winners_always_float64(dout, cache):
    """The gradient is float64 whatever dout is: an array made without a dtype is float64."""
    return max_pool2d_backward(dout, cache).astype(np.float64)


@misconception("avg_pool2d_forward", fails_only="test_avg_pool2d_forward_dtype", hides_on="dtype == 'float64'")
def average_always_float64(x, kernel_size, stride):
    """The output is float64 whatever x is: an array made without a dtype is float64."""
    out, cache = avg_pool2d_forward(x, kernel_size, stride)
    return out.astype(np.float64), cache


@misconception("avg_pool2d_backward", fails_only="test_avg_pool2d_backward_dtype", hides_on="dtype == 'float64'")
def shares_always_float64(dout, cache):
    """The gradient is float64 whatever dout is: an array made without a dtype is float64."""
    return avg_pool2d_backward(dout, cache).astype(np.float64)


# ---- results that share memory with an input


@misconception("im2col", fails_only="test_im2col_inputs")
def columns_may_be_a_view(x, kernel_size, stride=1, padding=0):
    """With a kernel of one pixel the matrix shares its memory with x: who changes one changes the other.

    Transpose and reshape copy only where they must, but the result has to be a new array in any case.
    """
    (N, C, _, _), (KH, KW) = x.shape, kernel_size
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding))) if padding else x
    windows = np.lib.stride_tricks.sliding_window_view(padded, (1, 1, KH, KW))[:, :, ::stride, ::stride, 0, 0]
    OH, OW = windows.shape[2:4]
    return windows.transpose(1, 4, 5, 0, 2, 3).reshape(C * KH * KW, N * OH * OW)


@misconception("col2im", fails_only="test_col2im_inputs")
def image_may_be_a_view(cols, x_shape, kernel_size, stride=1, padding=0):
    """With a kernel of one pixel the image shares its memory with cols: who changes one changes the other.

    The result has to be a new array also where nothing has to be added up.
    """
    N, C, H, W = x_shape
    if kernel_size == (1, 1) and stride == 1 and not padding:
        return cols.reshape(C, N, H, W).transpose(1, 0, 2, 3)
    return col2im(cols, x_shape, kernel_size, stride, padding)


@misconception("max_pool2d_forward", fails_only="test_max_pool2d_forward_inputs")
def maximum_may_be_x(x, kernel_size, stride):
    """With a window of one pixel x itself is returned: who changes the result changes the input.

    The result has to be a new array also where there is nothing to compute.
    """
    out, cache = max_pool2d_forward(x, kernel_size, stride)
    return (x if out.shape == x.shape else out), cache


@misconception("max_pool2d_backward", fails_only="test_max_pool2d_backward_inputs")
def gradient_may_be_dout(dout, cache):
    """With a window of one pixel dout itself is returned: who changes the result changes the input.

    The result has to be a new array also where there is nothing to compute.
    """
    dx = max_pool2d_backward(dout, cache)
    return dout if dout.shape == dx.shape else dx


# ---- inputs that are changed


@misconception("conv2d_forward", fails_only="test_conv2d_forward_inputs")
def filters_flipped_in_place(x, w, b, stride=1, padding=0):
    """The input w is changed: it comes back flipped.

    Assigning into an array that was passed in changes the caller's array: work on a new one.
    """
    out, cache = conv2d_forward(x, w.copy(), b, stride, padding)
    w[...] = w[:, :, ::-1, ::-1].copy()
    return out, cache


@misconception("conv2d_backward", fails_only="test_conv2d_backward_inputs")
def dout_summed_in_place(dout, cache):
    """The input dout is changed: sums were collected in it.

    Adding to an array in place changes the caller's array: start from a new one.
    """
    dx, dw, _ = conv2d_backward(dout, cache)
    for image in dout[1:]:
        dout[0] += image
    dout[0, :, 0, 0] = dout[0].sum(axis=(1, 2))
    return dx, dw, dout[0, :, 0, 0].copy()


@misconception("avg_pool2d_forward", fails_only="test_avg_pool2d_forward_inputs")
def x_divided_in_place(x, kernel_size, stride):
    """The input x is changed: it was divided in place.

    An operator that assigns changes the caller's array: make a new one.
    """
    (KH, KW), (out, cache) = kernel_size, avg_pool2d_forward(x, kernel_size, stride)
    x /= KH * KW
    return out, cache


@misconception("avg_pool2d_backward", fails_only="test_avg_pool2d_backward_inputs")
def dout_divided_in_place(dout, cache):
    """The input dout is changed: it was divided in place.

    An operator that assigns changes the caller's array: make a new one.
    """
    x_shape, (KH, KW), stride = cache
    dout /= KH * KW
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for _, _, rows, columns in _taps((KH, KW), dout.shape[2:], stride):
        dx[:, :, rows, columns] += dout
    return dx


# ---- one call remembers another


def sharing_a_cache(x, w, b, stride=1, padding=0, shared=[]):
    """Compute the right output, and write the cache over that of the call before."""
    out, shared[:] = conv2d_forward(x, w, b, stride, padding)
    return out, shared


@misconception("conv2d_backward", forward=sharing_a_cache, fails_only="test_conv2d_backward_state")
def cache_of_the_last_forward_pass(dout, cache):
    """The gradient belongs to the last forward pass, whatever the cache.

    All calls share one cache, but each has to return its own: look for a global variable, or an object made only once.
    """
    return conv2d_backward(dout, cache)


def sharing_maxima(x, kernel_size, stride, shared=[]):
    """Compute the right output, and write the cache over that of the call before."""
    out, shared[:] = max_pool2d_forward(x, kernel_size, stride)
    return out, shared


@misconception("max_pool2d_backward", forward=sharing_maxima, fails_only="test_max_pool2d_backward_state")
def maxima_of_the_last_forward_pass(dout, cache):
    """The gradient belongs to the last forward pass, whatever the cache.

    All calls share one cache, but each has to return its own: look for a global variable, or an object made only once.
    """
    return max_pool2d_backward(dout, cache)


@misconception("conv2d_backward")
def dw_columns_remembered_by_shape(dout, cache, columns={}):
    """The gradient dw is that of another x, which had the same shape.

    Something is kept from one call to the next and found again by its shape, but what depends on values does not last.
    """
    x, w, stride, padding = cache
    dx, _, db = conv2d_backward(dout, cache)
    cols = columns.setdefault((x.shape, w.shape, stride, padding), im2col(x, w.shape[2:], stride, padding))
    dout_matrix = dout.transpose(1, 0, 2, 3).reshape(len(w), -1)
    return dx, (dout_matrix @ cols.T).reshape(w.shape), db


@misconception("conv2d_backward")
def dw_piles_up(dout, cache, totals={}):
    """The gradient dw includes those of earlier calls.

    It is added to something that outlives the call: every call starts from zero.
    """
    dx, dw, db = conv2d_backward(dout, cache)
    totals[dw.shape] = totals.get(dw.shape, 0) + dw
    return dx, totals[dw.shape].astype(dw.dtype), db


@misconception("max_pool2d_backward")
def winners_pile_up(dout, cache, totals={}):
    """The gradient includes those of earlier calls.

    It is added to something that outlives the call: every call starts from zero.
    """
    dx = max_pool2d_backward(dout, cache)
    totals[dx.shape] = totals.get(dx.shape, 0) + dx
    return totals[dx.shape].astype(dx.dtype)


@misconception("avg_pool2d_backward")
def shares_pile_up(dout, cache, totals={}):
    """The gradient includes those of earlier calls.

    It is added to something that outlives the call: every call starts from zero.
    """
    dx = avg_pool2d_backward(dout, cache)
    totals[dx.shape] = totals.get(dx.shape, 0) + dx
    return totals[dx.shape].astype(dx.dtype)
