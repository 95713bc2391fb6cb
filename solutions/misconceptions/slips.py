"""Slips that look like nothing: two sides or two arguments swapped, another default, a rounded or limited result.

Knows the model answer alone.
"""

# mypy: allow-untyped-defs
# As a student writes them.

import numpy as np

from solutions.layers import (
    _taps,
    avg_pool2d_backward,
    avg_pool2d_forward,
    col2im,
    conv2d_backward,
    conv2d_forward,
    conv_output_size,
    im2col,
    max_pool2d_forward,
)
from solutions.misconceptions.entry import misconception
from solutions.misconceptions.pooling import keeping_x

# ---- conv_output_size


@misconception("conv_output_size", hides_on="(size + 2 * padding - kernel_size) % stride * 2 < stride")
def size_rounded_to_the_nearest_even(size, kernel_size, stride=1, padding=0):
    """The number of steps is rounded to the nearest whole number, and a half to the even one.

    Where the stride does not come out even it is rounded down, so use a division that does that.
    """
    return round((size + 2 * padding - kernel_size) / stride) + 1


@misconception("conv_output_size", hides_on="stride == kernel_size")
def size_of_windows_side_by_side(size, kernel_size, stride=1, padding=0):
    """The stride is ignored: windows are counted as if they stood side by side.

    From one window to the next it is stride pixels, and not the length of the window.
    """
    return (size + 2 * padding) // kernel_size


# ---- other defaults: right wherever all arguments are given


@misconception("conv_output_size", hides_on="given")
def size_with_stride_two_by_default(size, kernel_size, stride=2, padding=0):
    """Where no stride is given it is taken to be 2: the default is 1."""
    return conv_output_size(size, kernel_size, stride, padding)


@misconception("conv_output_size", hides_on="given")
def size_with_padding_by_default(size, kernel_size, stride=1, padding=1):
    """Where no padding is given it is taken to be 1: the default is 0."""
    return conv_output_size(size, kernel_size, stride, padding)


@misconception("im2col", hides_on="given")
def columns_with_stride_two_by_default(x, kernel_size, stride=2, padding=0):
    """Where no stride is given it is taken to be 2: the default is 1."""
    return im2col(x, kernel_size, stride, padding)


@misconception("im2col", hides_on="given")
def columns_with_padding_by_default(x, kernel_size, stride=1, padding=1):
    """Where no padding is given it is taken to be 1: the default is 0."""
    return im2col(x, kernel_size, stride, padding)


@misconception("col2im", hides_on="given")
def image_with_stride_two_by_default(cols, x_shape, kernel_size, stride=2, padding=0):
    """Where no stride is given it is taken to be 2: the default is 1."""
    return col2im(cols, x_shape, kernel_size, stride, padding)


@misconception("col2im", hides_on="given")
def image_with_padding_by_default(cols, x_shape, kernel_size, stride=1, padding=1):
    """Where no padding is given it is taken to be 1: the default is 0."""
    return col2im(cols, x_shape, kernel_size, stride, padding)


@misconception("conv2d_forward", hides_on="given")
def out_with_stride_two_by_default(x, w, b, stride=2, padding=0):
    """Where no stride is given it is taken to be 2: the default is 1."""
    return conv2d_forward(x, w, b, stride, padding)


@misconception("conv2d_forward", hides_on="given")
def out_with_padding_by_default(x, w, b, stride=1, padding=1):
    """Where no padding is given it is taken to be 1: the default is 0."""
    return conv2d_forward(x, w, b, stride, padding)


# ---- height and width swapped


def _windows_found_by_row_and_column(x, kernel_size, stride=1, padding=0):
    _, C, W, H = x.shape
    KH, KW = kernel_size
    rows = stride * np.arange(conv_output_size(H, KH, stride, padding))[:, np.newaxis] + np.arange(KH)
    columns = stride * np.arange(conv_output_size(W, KW, stride, padding))[:, np.newaxis] + np.arange(KW)
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = padded[:, :, rows][..., columns]
    return windows.transpose(1, 3, 5, 0, 2, 4).reshape(C * KH * KW, -1)


@misconception("im2col", raising=_windows_found_by_row_and_column, hides_on="H == W")
def columns_of_swapped_image_sides(x, kernel_size, stride=1, padding=0):
    """Height and width of the image are swapped: of its four axes, the third is the height and the last the width."""
    (N, C, H, W), p = x.shape, padding
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    return im2col(padded.reshape(N, C, W + 2 * p, H + 2 * p), kernel_size, stride)


@misconception("col2im", hides_on="H == W")
def image_with_swapped_sides(cols, x_shape, kernel_size, stride=1, padding=0):
    """Height and width of the image are swapped: of its four axes, the third is the height and the last the width."""
    N, C, W, H = x_shape
    return col2im(cols, (N, C, H, W), kernel_size, stride, padding)


@misconception("conv2d_forward", hides_on="KH == 1 or KW == 1")
def kernel_transposed(x, w, b, stride=1, padding=0):
    """Rows and columns of the kernel are swapped: its first row has to meet the first row of the window."""
    out, _ = conv2d_forward(x, w.transpose(0, 1, 3, 2).reshape(w.shape), b, stride, padding)
    return out, (x, w, stride, padding)


@misconception("conv2d_backward", hides_on="KH == 1 or KW == 1")
def dw_transposed(dout, cache):
    """Rows and columns of the kernel are swapped in dw: it is laid out like w."""
    dx, dw, db = conv2d_backward(dout, cache)
    return dx, dw.transpose(0, 1, 3, 2).reshape(dw.shape), db


@misconception("conv2d_backward", hides_on="KH == 1 or KW == 1")
def dx_with_the_kernel_transposed(dout, cache):
    """Rows and columns of the kernel are swapped in dx: each weight acts where it did in the forward pass."""
    x, w, stride, padding = cache
    _, dw, db = conv2d_backward(dout, cache)
    dx, _, _ = conv2d_backward(dout, (x, w.transpose(0, 1, 3, 2).reshape(w.shape), stride, padding))
    return dx, dw, db


# ---- channels in the reverse order


@misconception("im2col", hides_on="C == 1")
def columns_with_channels_reversed(x, kernel_size, stride=1, padding=0):
    """The channels are in the reverse order, the last one first."""
    return im2col(x[:, ::-1], kernel_size, stride, padding)


@misconception("conv2d_forward", hides_on="C == 1")
def channels_reversed(x, w, b, stride=1, padding=0):
    """The channels are in the reverse order: the first channel of a filter meets the last one of the image."""
    out, _ = conv2d_forward(x, w[:, ::-1], b, stride, padding)
    return out, (x, w, stride, padding)


# ---- rounded and limited results


@misconception("conv2d_forward")
def out_rounded(x, w, b, stride=1, padding=0):
    """The output is rounded to two decimals: results stay as they are, and rounding is for printing only."""
    out, cache = conv2d_forward(x, w, b, stride, padding)
    return np.round(out, 2), cache


@misconception("avg_pool2d_forward")
def average_rounded(x, kernel_size, stride):
    """The averages are rounded to two decimals: results stay as they are, and rounding is for printing only."""
    out, cache = avg_pool2d_forward(x, kernel_size, stride)
    return np.round(out, 2), cache


@misconception("conv2d_backward")
def gradients_clipped(dout, cache):
    """The gradients are limited to numbers between -1 and 1.

    That may help while a network is trained, but backward returns the gradients as they are.
    """
    return tuple(np.clip(gradient, -1, 1) for gradient in conv2d_backward(dout, cache))


# ---- loops over windows, and a shape that is assigned


@misconception("conv2d_forward", hides_on="stride == 1 or OH * OW == 1")
def out_of_windows_one_pixel_apart(x, w, b, stride=1, padding=0):
    """There are as many windows as there should be, but from one to the next it is one pixel only.

    The stride belongs into the position of a window as well as into their number.
    """
    (OH, OW), (KH, KW) = conv2d_forward(x, w, b, stride, padding)[0].shape[2:], w.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    out, _ = conv2d_forward(padded[:, :, : OH + KH - 1, : OW + KW - 1], w, b)
    return out, (x, w, stride, padding)


@misconception("conv2d_backward", hides_on="OH * OW == 1")
def dw_of_the_last_window(dout, cache):
    """Only the last window of each image counts for dw: within a loop over windows, each has to add to the gradient."""
    dx, _, db = conv2d_backward(dout, cache)
    last = np.zeros_like(dout)
    last[:, :, -1, -1] = dout[:, :, -1, -1]
    return dx, conv2d_backward(last, cache)[1], db


@misconception("conv2d_forward", fails_only="test_conv2d_forward_inputs")
def filters_reshaped_in_place(x, w, b, stride=1, padding=0):
    """The array w has another shape after the call.

    Assigning a shape changes the array of the caller: reshape gives a new view and leaves the array alone.
    """
    out, _ = conv2d_forward(x, w, b, stride, padding)
    kept = w.copy()
    if w.flags.c_contiguous:  # else NumPy refuses
        w.shape = (len(w), -1)
    return out, (x, kept, stride, padding)


# ---- pooling: every maximum, and the last window wins


@misconception("max_pool2d_backward", forward=keeping_x, parts=2)
def every_maximum_assigned(dout, cache):
    """Where windows overlap the last one wins, and of equal pixels each gets the gradient.

    Windows have to add to the gradient, and only the first maximum of a window counts.
    """
    x, out, (KH, KW), stride = cache
    dx = np.zeros(x.shape, dtype=dout.dtype)
    for p, q in np.ndindex(*dout.shape[2:]):
        at = np.s_[:, :, stride * p : stride * p + KH, stride * q : stride * q + KW]
        dx[at] = (x[at] == out[:, :, p : p + 1, q : q + 1]) * dout[:, :, p : p + 1, q : q + 1]
    return dx


@misconception("max_pool2d_backward", hides_on="stride >= KH and stride >= KW")
def taps_assigned(dout, cache):
    """Where windows overlap zeros wipe out what was there.

    One position of the window after the other assigns its part of the gradient, but each has to add it.
    """
    winner, x_shape, (KH, KW), stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for i, j, rows, columns in _taps((KH, KW), dout.shape[2:], stride):
        dx[:, :, rows, columns] = dout * (winner == i * KW + j)
    return dx


# ---- pooling: windows that are as long as the stride


@misconception("max_pool2d_forward", hides_on="stride <= KH and stride <= KW")
def maximum_with_the_gaps(x, kernel_size, stride):
    """Where the stride is larger than the window, pixels between two windows take part: they belong to no window."""
    out, cache = max_pool2d_forward(x, kernel_size, stride)
    KH, KW = (max(size, stride) for size in kernel_size)
    for p, q in np.ndindex(*out.shape[2:]):
        window = x[:, :, stride * p : stride * p + KH, stride * q : stride * q + KW]
        out[:, :, p, q] = window.max(axis=(2, 3))
    return out, cache


@misconception("avg_pool2d_forward", hides_on="stride <= KH and stride <= KW")
def average_with_the_gaps(x, kernel_size, stride):
    """Where the stride is larger than the window, pixels between two windows take part: they belong to no window."""
    out, cache = avg_pool2d_forward(x, kernel_size, stride)
    KH, KW = (max(size, stride) for size in kernel_size)
    for p, q in np.ndindex(*out.shape[2:]):
        window = x[:, :, stride * p : stride * p + KH, stride * q : stride * q + KW]
        out[:, :, p, q] = window.sum(axis=(2, 3)) / (kernel_size[0] * kernel_size[1])
    return out, cache


@misconception("avg_pool2d_backward", hides_on="stride <= KH and stride <= KW")
def shares_in_the_gaps(dout, cache):
    """Where the stride is larger than the window, pixels between two windows get a share: they belong to no window."""
    x_shape, (KH, KW), stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    size = max(KH, stride), max(KW, stride)
    for p, q in np.ndindex(*dout.shape[2:]):
        window = dx[:, :, stride * p : stride * p + size[0], stride * q : stride * q + size[1]]
        window += dout[:, :, p : p + 1, q : q + 1] / (KH * KW)
    return dx


@misconception("avg_pool2d_backward", hides_on="KH == KW")
def share_of_a_square(dout, cache):
    """The gradient is divided by the square of the window's height: the window has height times width pixels."""
    _, (KH, KW), _ = cache
    return avg_pool2d_backward(dout * KW / KH, cache)
