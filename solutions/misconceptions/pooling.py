"""Wrong pooling functions, forwards and backwards. Knows the model answer alone.

Wrong forward passes keep the right cache, as in convolution. A tie can only be settled by who has seen the values: the
three misconceptions about ties come with a forward pass that keeps x.
"""

# mypy: allow-untyped-defs
# As a student writes them.

import numpy as np

from solutions.layers import (
    _taps,
    avg_pool2d_backward,
    avg_pool2d_forward,
    max_pool2d_backward,
    max_pool2d_forward,
)
from solutions.misconceptions.entry import misconception

EXACT_FIT = "(H - KH) % stride == 0 and (W - KW) % stride == 0"

# ---- max_pool2d_forward


@misconception("max_pool2d_forward")
def maximum_starts_at_zero(x, kernel_size, stride):
    """A window with nothing above zero gives zero.

    The maximum of negative numbers is negative: nothing but the pixels of the window may take part.
    """
    out, cache = max_pool2d_forward(x, kernel_size, stride)
    return np.maximum(out, 0), cache


@misconception("max_pool2d_forward")
def maximum_of_magnitudes(x, kernel_size, stride):
    """Signs are lost: the largest magnitude of each window is taken, but it should be the largest value."""
    out, _ = max_pool2d_forward(np.abs(x), kernel_size, stride)
    return out, max_pool2d_forward(x, kernel_size, stride)[1]


@misconception("max_pool2d_forward", hides_on="KH * KW == 1")
def minimum_instead_of_maximum(x, kernel_size, stride):
    """The smallest pixel of each window is taken, but it should be the largest."""
    out, _ = max_pool2d_forward(-x, kernel_size, stride)
    return -out, max_pool2d_forward(x, kernel_size, stride)[1]


@misconception("max_pool2d_forward", hides_on="stride == KH == KW")
def maximum_with_windows_side_by_side(x, kernel_size, stride):
    """The stride is ignored: windows stand side by side.

    They overlap when the stride is smaller than the window, and leave gaps when it is larger.
    """
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    tiles = x[:, :, : H // KH * KH, : W // KW * KW].reshape(N, C, H // KH, KH, W // KW, KW)
    return tiles.max(axis=(3, 5)), max_pool2d_forward(x, kernel_size, stride)[1]


@misconception("max_pool2d_forward", hides_on="stride == 1")
def maximum_at_every_pixel(x, kernel_size, stride):
    """The stride is ignored: there is a window at every pixel."""
    out, _ = max_pool2d_forward(x, kernel_size, 1)
    return out, max_pool2d_forward(x, kernel_size, stride)[1]


@misconception("max_pool2d_forward", hides_on="KH == KW")
def maximum_with_sides_swapped(x, kernel_size, stride):
    """Height and width of the window are swapped: the kernel size is its height, then its width."""
    out, _ = max_pool2d_forward(x, kernel_size[::-1], stride)
    return out, max_pool2d_forward(x, kernel_size, stride)[1]


@misconception("max_pool2d_forward", hides_on=EXACT_FIT)
def maximum_of_partial_windows(x, kernel_size, stride):
    """Windows that stick out of the image at the bottom or on the right are kept.

    Only windows that lie inside count: their number is rounded down.
    """
    padded = np.pad(x, ((0, 0), (0, 0), (0, stride - 1), (0, stride - 1)), constant_values=-np.inf)
    out, _ = max_pool2d_forward(padded, kernel_size, stride)
    return out, max_pool2d_forward(x, kernel_size, stride)[1]


@misconception("max_pool2d_forward", hides_on="C == 1")
def maximum_over_channels(x, kernel_size, stride):
    """The maximum is taken over all channels, but each channel is pooled by itself."""
    out, cache = max_pool2d_forward(x, kernel_size, stride)
    return np.repeat(out.max(axis=1, keepdims=True), x.shape[1], axis=1), cache


@misconception("max_pool2d_forward", hides_on="N == 1 or C == 1")
def maximum_reshaped_not_transposed(x, kernel_size, stride):
    """All values are there, but images and channels are mixed up.

    What was computed channel by channel has to be transposed, since out runs image by image: a reshape moves nothing.
    """
    out, cache = max_pool2d_forward(x, kernel_size, stride)
    return out.transpose(1, 0, 2, 3).reshape(out.shape), cache


# ---- max_pool2d_backward


@misconception("max_pool2d_backward", hides_on="KH * KW == 1")
def gradient_to_the_whole_window(dout, cache):
    """Every pixel of a window gets its gradient.

    Only the largest one had any influence on the output, so the others get nothing.
    """
    _, x_shape, kernel_size, stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for _, _, rows, columns in _taps(kernel_size, dout.shape[2:], stride):
        dx[:, :, rows, columns] += dout
    return dx


@misconception("max_pool2d_backward", hides_on="stride >= KH and stride >= KW")
def winners_overwritten(dout, cache):
    """A pixel that wins several windows gets the gradient of the last one only.

    It should get the sum of all.
    """
    winner, x_shape, (_, KW), stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for n, c, p, q in np.ndindex(*dout.shape):
        i, j = divmod(winner[n, c, p, q], KW)
        dx[n, c, stride * p + i, stride * q + j] = dout[n, c, p, q]
    return dx


@misconception("max_pool2d_backward", hides_on="stride >= KH and stride >= KW")
def winners_added_once(dout, cache):
    """A pixel that wins several windows gets the gradient of one of them only.

    It should get the sum of all: assigning overwrites what was there, and so does adding through index arrays.
    """
    winner, x_shape, (KH, KW), stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for i, j, rows, columns in _taps((KH, KW), dout.shape[2:], stride):
        won = np.broadcast_to(winner == i * KW + j, dout.shape)
        dx[:, :, rows, columns][won] = dout[won]
    return dx


@misconception("max_pool2d_backward", hides_on="stride >= KH and stride >= KW")
def windows_overwritten(dout, cache):
    """Where windows overlap the last one wins: its zeros wipe out what other windows left there.

    Windows have to add to the gradient, not to replace it.
    """
    winner, x_shape, (KH, KW), stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    taps = np.arange(KH * KW).reshape(KH, KW)
    for p, q in np.ndindex(*dout.shape[2:]):
        mask = winner[:, :, p, q, np.newaxis, np.newaxis] == taps
        window = mask * dout[:, :, p, q, np.newaxis, np.newaxis]
        dx[:, :, stride * p : stride * p + KH, stride * q : stride * q + KW] = window
    return dx


@misconception("max_pool2d_backward", hides_on="KH == 1 or KW == 1")
def winner_row_and_column_swapped(dout, cache):
    """The gradient goes to the wrong pixel of the window.

    The position of the maximum is one number that runs along the rows of the window: the width takes it apart again.
    """
    winner, x_shape, (KH, KW), stride = cache
    return max_pool2d_backward(dout, (winner % KH * KW + winner // KH, x_shape, (KH, KW), stride))


def keeping_x(x, kernel_size, stride):
    """Compute the right maxima, and keep what tells where they are."""
    out, _ = max_pool2d_forward(x, kernel_size, stride)
    return out, (x, out, kernel_size, stride)


@misconception("max_pool2d_backward", forward=keeping_x, hides_on="KH * KW == 1")
def argmax_of_argmax(dout, cache):
    """The gradient goes to the wrong pixel of the window.

    A search for the largest position among positions is not a search among values: look for the maximum in both
    directions at once.
    """
    x, _, (KH, KW), stride = cache
    windows = np.lib.stride_tricks.sliding_window_view(x, (1, 1, KH, KW))[:, :, ::stride, ::stride, 0, 0]
    row, column = windows.argmax(axis=-1).argmax(axis=-1), windows.argmax(axis=-2).argmax(axis=-1)
    return max_pool2d_backward(dout, (row * KW + column, x.shape, (KH, KW), stride))


@misconception("max_pool2d_backward", hides_on="stride == 1 or OH * OW == 1")
def winners_one_pixel_apart(dout, cache):
    """The stride is missing: from one window to the next it is one pixel only.

    The gradient belongs where the window stood in the forward pass.
    """
    winner, x_shape, kernel_size, _ = cache
    return max_pool2d_backward(dout, (winner, x_shape, kernel_size, 1))


@misconception("max_pool2d_backward", hides_on="KH * KW == 1")
def winners_share_divided(dout, cache):
    """The gradient is divided by the size of the window, as for the average: here the largest pixel gets all of it."""
    _, _, (KH, KW), _ = cache
    return max_pool2d_backward(dout / (KH * KW), cache)


@misconception("max_pool2d_backward")
def dout_taken_for_ones(dout, cache):
    """The values of dout have no influence.

    It is the mask of the maxima: by the chain rule it has to be multiplied with what comes from above.
    """
    return max_pool2d_backward(np.ones_like(dout), cache)


@misconception("max_pool2d_backward", hides_on=EXACT_FIT)
def winners_in_a_size_from_dout(dout, cache):
    """The gradient is too small: its size comes from dout.

    Where windows leave a border that they do not reach, dout does not tell how large x was.
    """
    (OH, OW), (_, _, (KH, KW), stride) = dout.shape[2:], cache
    return max_pool2d_backward(dout, cache)[:, :, : (OH - 1) * stride + KH, : (OW - 1) * stride + KW]


@misconception("max_pool2d_backward", hides_on="C == 1")
def winners_of_the_first_channel(dout, cache):
    """All channels use the maxima of the first one, but each channel has its own."""
    winner, x_shape, kernel_size, stride = cache
    return max_pool2d_backward(dout, (winner[:, :1], x_shape, kernel_size, stride))


# ---- max_pool2d_backward: ties


@misconception("max_pool2d_backward", forward=keeping_x, fails_only="test_max_pool2d_backward_ties")
def every_maximum_gets_the_gradient(dout, cache):
    """Where several pixels of a window are equally large, each of them gets the whole gradient.

    Only the first in row-major order should: a comparison with the maximum finds all of them.
    """
    x, out, kernel_size, stride = cache
    dx = np.zeros(x.shape, dtype=dout.dtype)
    for _, _, rows, columns in _taps(kernel_size, dout.shape[2:], stride):
        dx[:, :, rows, columns] += dout * (x[:, :, rows, columns] == out)
    return dx


@misconception("max_pool2d_backward", forward=keeping_x, fails_only="test_max_pool2d_backward_ties")
def gradient_split_among_maxima(dout, cache):
    """Where several pixels of a window are equally large, the gradient is split among them.

    That is a fair rule, but not the one here: the first in row-major order should get all of it.
    """
    x, out, kernel_size, stride = cache
    maxima = sum((x[:, :, rows, columns] == out) for *_, rows, columns in _taps(kernel_size, dout.shape[2:], stride))
    dx = np.zeros(x.shape, dtype=dout.dtype)
    for _, _, rows, columns in _taps(kernel_size, dout.shape[2:], stride):
        dx[:, :, rows, columns] += dout / maxima * (x[:, :, rows, columns] == out)
    return dx


@misconception("max_pool2d_backward", forward=keeping_x, fails_only="test_max_pool2d_backward_ties")
def last_maximum_gets_the_gradient(dout, cache):
    """Where several pixels of a window are equally large, the last one gets the gradient.

    It should be the first in row-major order: an equal pixel must not take over.
    """
    x, out, (KH, KW), stride = cache
    winner = np.zeros(out.shape, dtype=int)
    for i, j, rows, columns in _taps((KH, KW), dout.shape[2:], stride):
        winner[x[:, :, rows, columns] >= out] = i * KW + j
    return max_pool2d_backward(dout, (winner, x.shape, (KH, KW), stride))


# ---- avg_pool2d_forward


@misconception("avg_pool2d_forward", hides_on="KH * KW == 1")
def sum_instead_of_average(x, kernel_size, stride):
    """The windows are summed: each sum still has to be divided by the number of pixels in the window."""
    (KH, KW), (out, cache) = kernel_size, avg_pool2d_forward(x, kernel_size, stride)
    return out * (KH * KW), cache


@misconception("avg_pool2d_forward", hides_on="KH == KW")
def average_over_a_square(x, kernel_size, stride):
    """The sum is divided by the square of the window's height: the window has as many pixels as height times width."""
    (KH, KW), (out, cache) = kernel_size, avg_pool2d_forward(x, kernel_size, stride)
    return out * KW / KH, cache


@misconception("avg_pool2d_forward", hides_on="KH * KW == 1")
def maximum_instead_of_average(x, kernel_size, stride):
    """The largest pixel of each window is taken, but it should be their average."""
    out, _ = max_pool2d_forward(x, kernel_size, stride)
    return out, avg_pool2d_forward(x, kernel_size, stride)[1]


@misconception("avg_pool2d_forward")
def average_rounded_down(x, kernel_size, stride):
    """The averages are whole numbers: a division that rounds down was used."""
    out, cache = avg_pool2d_forward(x, kernel_size, stride)
    return np.floor(out), cache


@misconception("avg_pool2d_forward", hides_on="stride == KH == KW")
def average_with_windows_side_by_side(x, kernel_size, stride):
    """The stride is ignored: windows stand side by side.

    They overlap when the stride is smaller than the window, and leave gaps when it is larger.
    """
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    tiles = x[:, :, : H // KH * KH, : W // KW * KW].reshape(N, C, H // KH, KH, W // KW, KW)
    return tiles.mean(axis=(3, 5)), avg_pool2d_forward(x, kernel_size, stride)[1]


@misconception("avg_pool2d_forward", hides_on="KH == KW")
def average_with_sides_swapped(x, kernel_size, stride):
    """Height and width of the window are swapped: the kernel size is its height, then its width."""
    out, _ = avg_pool2d_forward(x, kernel_size[::-1], stride)
    return out, avg_pool2d_forward(x, kernel_size, stride)[1]


@misconception("avg_pool2d_forward", hides_on=EXACT_FIT)
def average_of_partial_windows(x, kernel_size, stride):
    """Windows that stick out of the image at the bottom or on the right are kept, filled up with zeros.

    Only windows that lie inside count: their number is rounded down.
    """
    padded = np.pad(x, ((0, 0), (0, 0), (0, stride - 1), (0, stride - 1)))
    out, _ = avg_pool2d_forward(padded, kernel_size, stride)
    return out, avg_pool2d_forward(x, kernel_size, stride)[1]


# ---- avg_pool2d_backward


@misconception("avg_pool2d_backward", hides_on="KH * KW == 1")
def share_not_divided(dout, cache):
    """Every pixel gets all of the gradient, but it should get its share.

    The output is an average, so each pixel counts for one part of the window only.
    """
    _, (KH, KW), _ = cache
    return avg_pool2d_backward(dout * (KH * KW), cache)


@misconception("avg_pool2d_backward", hides_on="N == 1")
def share_divided_by_images_too(dout, cache):
    """The gradient is divided by the number of images as well.

    Whether a loss takes a mean is settled in dout already: the share depends on the window alone.
    """
    return avg_pool2d_backward(dout / len(dout), cache)


@misconception("avg_pool2d_backward", hides_on="OH * OW == KH * KW")
def share_divided_by_the_output_size(dout, cache):
    """The gradient is divided by the size of the output, but it should be divided by the size of the window."""
    _, (KH, KW), _ = cache
    return avg_pool2d_backward(dout * (KH * KW) / dout[0, 0].size, cache)


@misconception("avg_pool2d_backward", hides_on="stride >= KH and stride >= KW")
def shares_overwritten(dout, cache):
    """Where windows overlap the last one wins.

    A pixel gets the sum over all windows it belongs to: look at how a window is written into the gradient.
    """
    x_shape, (KH, KW), stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for p, q in np.ndindex(*dout.shape[2:]):
        share = dout[:, :, p, q, np.newaxis, np.newaxis] / (KH * KW)
        dx[:, :, stride * p : stride * p + KH, stride * q : stride * q + KW] = share
    return dx


@misconception("avg_pool2d_backward", hides_on="stride >= KH and stride >= KW")
def shares_added_once(dout, cache):
    """Where windows overlap a pixel gets one share instead of the sum of all.

    Assigning overwrites what was there, and adding through index arrays counts a pixel once.
    """
    x_shape, (KH, KW), stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for _, _, rows, columns in _taps((KH, KW), dout.shape[2:], stride):
        dx[:, :, rows, columns] = dout / (KH * KW)
    return dx


@misconception("avg_pool2d_backward", hides_on="stride == KH == KW and " + EXACT_FIT)
def shares_repeated_side_by_side(dout, cache):
    """The gradient is spread as if windows stood side by side.

    They do when the stride is the size of the window and nothing is left over: otherwise they overlap or leave gaps.
    """
    _, (KH, KW), _ = cache
    return dout.repeat(KH, axis=2).repeat(KW, axis=3) / (KH * KW)


@misconception("avg_pool2d_backward", hides_on="stride >= KH and stride >= KW")
def shares_averaged(dout, cache):
    """Where windows overlap a pixel gets the mean of its shares, but it should get their sum."""
    x_shape, (KH, KW), stride = cache
    counts = np.zeros(x_shape, dtype=dout.dtype)
    for _, _, rows, columns in _taps((KH, KW), dout.shape[2:], stride):
        counts[:, :, rows, columns] += 1
    return avg_pool2d_backward(dout, cache) / np.maximum(counts, 1)


@misconception("avg_pool2d_backward", hides_on="stride == 1 or OH * OW == 1")
def shares_one_pixel_apart(dout, cache):
    """The stride is missing: from one window to the next it is one pixel only.

    The gradient belongs where the window stood in the forward pass.
    """
    x_shape, kernel_size, _ = cache
    return avg_pool2d_backward(dout, (x_shape, kernel_size, 1))


@misconception("avg_pool2d_backward", hides_on=EXACT_FIT)
def shares_in_a_size_from_dout(dout, cache):
    """The gradient is too small: its size comes from dout.

    Where windows leave a border that they do not reach, dout does not tell how large x was.
    """
    (OH, OW), (_, (KH, KW), stride) = dout.shape[2:], cache
    return avg_pool2d_backward(dout, cache)[:, :, : (OH - 1) * stride + KH, : (OW - 1) * stride + KW]
