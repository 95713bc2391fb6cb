"""Wrong paddings and wrong pools. Wrong forward passes keep the right cache, as in the core's catalogue."""

# mypy: allow-untyped-defs
# As a student writes them.
# ruff: noqa: B006
# A mutable default is how a function remembers without a global variable.

import numpy as np

from solutions.extras.extras import (
    _taps,
    adaptive_avg_pool2d_forward,
    global_avg_pool2d_backward,
    global_avg_pool2d_forward,
    lp_pool2d_backward,
    lp_pool2d_forward,
    min_pool2d_backward,
    min_pool2d_forward,
    pad2d_backward,
    pad2d_forward,
)
from solutions.extras.misconceptions.entry import misconception

# ---- pad2d


@misconception("pad2d_forward")
def left_and_right_before_top_and_bottom(x, padding):
    """Rows and columns are swapped: the padding is given as top, bottom, left, right."""
    top, bottom, left, right = padding
    return pad2d_forward(x, (left, right, top, bottom))[0], pad2d_forward(x, padding)[1]


@misconception("pad2d_forward")
def as_many_zeros_on_both_ends(x, padding):
    """Both ends of an axis get the zeros that the first one should have: each side has a number of its own."""
    top, _, left, _ = padding
    return pad2d_forward(x, (top, top, left, left))[0], pad2d_forward(x, padding)[1]


@misconception("pad2d_backward")
def cropped_with_minus_zero(dout, cache):
    """The gradient is empty where no rows are added at the bottom, or no columns on the right.

    A slice that ends at -0 ends at the beginning: count from the front.
    """
    (_, _, H, W), top, left = cache
    bottom, right = dout.shape[2] - top - H, dout.shape[3] - left - W
    return dout[:, :, top:-bottom, left:-right].copy()


@misconception("pad2d_backward")
def cropped_from_the_corner(dout, cache):
    """The gradient is that of the top left corner, but x begins below the rows and beside the columns of zeros."""
    return pad2d_backward(dout, (cache[0], 0, 0))


# ---- min_pool2d


@misconception("min_pool2d_forward")
def maximum_for_minimum(x, kernel_size, stride):
    """The largest pixel of each window is taken, but it should be the smallest."""
    return -min_pool2d_forward(-x, kernel_size, stride)[0], min_pool2d_forward(x, kernel_size, stride)[1]


@misconception("min_pool2d_forward")
def minimum_starts_at_zero(x, kernel_size, stride):
    """A window with nothing below zero gives zero: nothing but the pixels of the window may take part."""
    out, cache = min_pool2d_forward(x, kernel_size, stride)
    return np.minimum(out, 0), cache


@misconception("min_pool2d_forward")
def sign_never_turned_back(x, kernel_size, stride):
    """The sign is wrong: after a max pool of the negative image the result has to be negated as well."""
    out, cache = min_pool2d_forward(x, kernel_size, stride)
    return -out, cache


@misconception("min_pool2d_backward")
def gradient_negated(dout, cache):
    """The sign of the gradient is wrong: both negations of a max pool turn it, so it stays what it is."""
    return min_pool2d_backward(-dout, cache)


def keeping_x(x, kernel_size, stride):
    """Compute the right minima, and keep what tells where they are."""
    out, _ = min_pool2d_forward(x, kernel_size, stride)
    return out, (x, out.copy(), kernel_size, stride)


@misconception("min_pool2d_backward", forward=keeping_x)
def every_minimum_gets_the_gradient(dout, cache):
    """Where several pixels of a window are equally small, each of them gets the whole gradient.

    Only the first in row-major order should: a comparison with the minimum finds all of them.
    """
    x, out, kernel_size, stride = cache
    dx = np.zeros(x.shape, dtype=dout.dtype)
    for _, window in _taps(kernel_size, dout.shape[2:], stride):
        dx[window] += dout * (x[window] == out)
    return dx


@misconception("min_pool2d_backward", forward=keeping_x)
def last_minimum_gets_the_gradient(dout, cache):
    """Where several pixels of a window are equally small, the last one gets the gradient.

    It should be the first in row-major order: an equal pixel must not take over.
    """
    x, out, kernel_size, stride = cache
    winner = np.zeros((*out.shape, 2), dtype=int)
    for tap, window in _taps(kernel_size, dout.shape[2:], stride):
        winner[x[window] <= out] = tap
    return min_pool2d_backward(dout, (winner, x.shape, kernel_size, stride))


def sharing_minima(x, kernel_size, stride, shared=[]):
    """Compute the right output, and write the cache over that of the call before."""
    out, shared[:] = min_pool2d_forward(x, kernel_size, stride)
    return out, shared


@misconception("min_pool2d_backward", forward=sharing_minima, fails_only="test_min_pool2d_backward_promises")
def minima_of_the_last_forward_pass(dout, cache):
    """The gradient belongs to the last forward pass, whatever the cache.

    All calls share one cache, but each has to return its own: look for a global variable, or an object made only once.
    """
    return min_pool2d_backward(dout, cache)


# ---- lp_pool2d


@misconception("lp_pool2d_forward")
def root_forgotten(x, kernel_size, stride):
    """The result is the sum of squares: its square root is still to be taken."""
    out, cache = lp_pool2d_forward(x, kernel_size, stride)
    return out**2, cache


@misconception("lp_pool2d_forward")
def mean_of_squares(x, kernel_size, stride):
    """The squares are averaged under the root, but they should be summed."""
    out, cache = lp_pool2d_forward(x, kernel_size, stride)
    return out / np.sqrt(kernel_size[0] * kernel_size[1]).astype(x.dtype), cache


@misconception("lp_pool2d_forward")
def sum_of_magnitudes(x, kernel_size, stride):
    """The magnitudes are summed, which is the L1 norm: the L2 norm is the root of the sum of squares."""
    out, cache = lp_pool2d_forward(x, kernel_size, stride)
    total = np.zeros_like(out)
    for _, window in _taps(kernel_size, out.shape[2:], stride):
        total += np.abs(x[window])
    return total, cache


@misconception("lp_pool2d_backward")
def nan_for_zero_windows(dout, cache):
    """The gradient is not a number where a window is zero everywhere: zero was divided by zero. It should be zero."""
    x, out, kernel_size, stride = cache
    dx = np.zeros_like(x)
    with np.errstate(all="ignore"):
        for _, window in _taps(kernel_size, dout.shape[2:], stride):
            dx[window] += dout * (x[window] / out)
    return dx


@misconception("lp_pool2d_backward")
def derivative_of_the_square(dout, cache):
    """The gradient is twice dout times x, that of a sum of squares: the root has a derivative, too."""
    x, out, kernel_size, stride = cache
    return lp_pool2d_backward(2 * dout * out, (x, out, kernel_size, stride))


# ---- global_avg_pool2d


@misconception("global_avg_pool2d_forward")
def average_of_channels_too(x):
    """There is one average for each image, but there should be one for each channel of it."""
    out, cache = global_avg_pool2d_forward(x)
    return np.repeat(out.mean(axis=1, keepdims=True), x.shape[1], axis=1), cache


@misconception("global_avg_pool2d_forward")
def axes_of_length_one_kept(x):
    """The result has two axes too many: it is one number for each channel, without rows and columns."""
    out, cache = global_avg_pool2d_forward(x)
    return out[:, :, np.newaxis, np.newaxis], cache


@misconception("global_avg_pool2d_backward")
def gradient_not_shared(dout, cache):
    """Every pixel gets all of the gradient, but it should get its share: the result is an average."""
    return global_avg_pool2d_backward(dout * (cache[2] * cache[3]), cache)


@misconception("global_avg_pool2d_backward", fails_only="test_global_avg_pool2d_backward_promises")
def pixels_share_one_number(dout, cache):
    """The result shares memory with dout where an image has one pixel.

    Broadcasting makes no copy: who changes the result changes the input.
    """
    dx = global_avg_pool2d_backward(dout, cache)
    return dout.reshape(dx.shape) if dx.size == dout.size else dx


# ---- adaptive_avg_pool2d


@misconception("adaptive_avg_pool2d_forward")
def windows_rounded_down(x, out_size):
    """The windows end too early where the size does not divide evenly: their end is rounded up.

    Without that, pixels between two windows have no influence.
    """
    out, cache = adaptive_avg_pool2d_forward(x, out_size)
    (H, W), (OH, OW) = x.shape[2:], out_size
    for p, q in np.ndindex(OH, OW):
        top, left = p * H // OH, q * W // OW
        bottom, right = max(top + 1, (p + 1) * H // OH), max(left + 1, (q + 1) * W // OW)
        out[:, :, p, q] = x[:, :, top:bottom, left:right].mean(axis=(2, 3))
    return out, cache


@misconception("adaptive_avg_pool2d_forward")
def output_size_swapped(x, out_size):
    """Height and width of the result are swapped: the output size is its height, then its width."""
    return adaptive_avg_pool2d_forward(x, out_size[::-1])[0], x.shape


@misconception("adaptive_avg_pool2d_backward")
def share_of_an_average_window(dout, cache):
    """Every window is divided by the same number, but windows differ in size where the sizes do not divide evenly."""
    dx = np.zeros(cache, dtype=dout.dtype)
    (H, W), (OH, OW) = cache[2:], dout.shape[2:]
    for p, q in np.ndindex(OH, OW):
        rows, columns = slice(p * H // OH, -(-(p + 1) * H // OH)), slice(q * W // OW, -(-(q + 1) * W // OW))
        dx[:, :, rows, columns] += dout[:, :, p, q, np.newaxis, np.newaxis] * (OH * OW) / (H * W)
    return dx


@misconception("adaptive_avg_pool2d_backward")
def shared_rows_overwritten(dout, cache):
    """Where windows overlap the last one wins: shares should add up."""
    dx = np.zeros(cache, dtype=dout.dtype)
    (H, W), (OH, OW) = cache[2:], dout.shape[2:]
    for p, q in np.ndindex(OH, OW):
        window = dx[:, :, p * H // OH : -(-(p + 1) * H // OH), q * W // OW : -(-(q + 1) * W // OW)]
        window[:] = dout[:, :, p, q, np.newaxis, np.newaxis] / (window.shape[2] * window.shape[3])
    return dx
