"""Wrong convolutions: with dilation and groups, in one and three directions, as a linear layer. Caches are right."""

# mypy: allow-untyped-defs
# As a student writes them.
# ruff: noqa: B006
# A mutable default is how a function remembers without a global variable.

import numpy as np

from solutions.extras.extras import (
    conv1d_backward,
    conv1d_forward,
    conv2d_as_linear,
    conv2d_dx_as_conv,
    conv2d_grouped_backward,
    conv2d_grouped_forward,
    conv3d_backward,
    conv3d_forward,
)
from solutions.extras.misconceptions.entry import misconception

# ---- conv2d_grouped


@misconception("conv2d_grouped_forward")
def dilation_ignored(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    """The dilation has no effect: neighbouring weights meet neighbouring pixels."""
    out, _ = conv2d_grouped_forward(x, w, b, stride, padding, 1, groups)
    return out, (x, w, stride, padding, dilation, groups)


@misconception("conv2d_grouped_forward")
def output_size_without_dilation(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    """The result is too large: with gaps, a filter covers more pixels than it has weights."""
    (H, W), (KH, KW) = x.shape[2:], w.shape[2:]
    right, cache = conv2d_grouped_forward(x, w, b, stride, padding, dilation, groups)
    OH, OW = (H + 2 * padding - KH) // stride + 1, (W + 2 * padding - KW) // stride + 1
    out = np.zeros((*right.shape[:2], OH, OW), dtype=x.dtype) + b[:, np.newaxis, np.newaxis]
    out[:, :, : right.shape[2], : right.shape[3]] = right
    return out, cache


@misconception("conv2d_grouped_forward")
def groups_interleaved(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    """The filters of a group are not neighbours: they are cut into groups in order, not dealt out in turn."""
    F = len(w)
    order = np.arange(F).reshape(-1, groups).T.ravel()
    out, _ = conv2d_grouped_forward(x, w[order], b[order], stride, padding, dilation, groups)
    return out[:, np.argsort(order)], (x, w, stride, padding, dilation, groups)


@misconception("conv2d_grouped_forward")
def channels_of_the_first_group(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    """Every group sees the channels of the first one: each has channels of its own."""
    first = np.concatenate([x[:, : w.shape[1]]] * groups, axis=1)
    out, _ = conv2d_grouped_forward(first, w, b, stride, padding, dilation, groups)
    return out, (x, w, stride, padding, dilation, groups)


@misconception("conv2d_grouped_backward")
def dx_without_dilation(dout, cache):
    """The gradient dx is added to neighbouring pixels, but those that a filter met are dilation pixels apart."""
    x, w, stride, padding, _, groups = cache
    _, dw, db = conv2d_grouped_backward(dout, cache)
    return conv2d_grouped_backward(dout, (x, w, stride, padding, 1, groups))[0], dw, db


@misconception("conv2d_grouped_backward")
def dw_without_stride(dout, cache):
    """The gradient dw looks at the wrong pixels: from one window to the next it is stride pixels."""
    x, w, _, padding, dilation, groups = cache
    dx, _, db = conv2d_grouped_backward(dout, cache)
    return dx, conv2d_grouped_backward(dout, (x, w, 1, padding, dilation, groups))[1], db


@misconception("conv2d_grouped_backward")
def dx_of_the_last_group(dout, cache):
    """The gradient dx is zero for all but the last group: each group has to leave what others have added."""
    _, w, *_, groups = cache
    dx, dw, db = conv2d_grouped_backward(dout, cache)
    dx = dx.copy()
    dx[:, : (groups - 1) * w.shape[1]] = 0
    return dx, dw, db


@misconception("conv2d_grouped_backward")
def db_is_a_mean(dout, cache):
    """The gradient db is a mean over windows, but it should be a sum over images, rows and columns."""
    dx, dw, _ = conv2d_grouped_backward(dout, cache)
    return dx, dw, dout.mean(axis=(0, 2, 3))


# ---- conv1d


@misconception("conv1d_forward")
def taps_in_reverse(x, w, b, stride=1, padding=0):
    """The filter is reversed, as in signal processing: here it is not."""
    out, _ = conv1d_forward(x, w[:, :, ::-1], b, stride, padding)
    return out, (x, w, stride, padding)


@misconception("conv1d_forward")
def padded_at_the_front_only(x, w, b, stride=1, padding=0):
    """All zeros are at the front, as for a causal convolution: both ends should get the same number of them."""
    padded = np.pad(x, ((0, 0), (0, 0), (2 * padding, 0)))
    return conv1d_forward(padded, w, b, stride)[0], (x, w, stride, padding)


@misconception("conv1d_forward")
def channels_and_images_swapped(x, w, b, stride=1, padding=0):
    """All values are there, but images and filters are mixed up: a reshape moves nothing, a transpose does."""
    out, cache = conv1d_forward(x, w, b, stride, padding)
    return out.transpose(1, 0, 2).reshape(out.shape), cache


@misconception("conv1d_backward")
def gradient_with_its_padding(dout, cache):
    """The gradient dx is too long: the padding has to be cut off again."""
    x, w, stride, padding = cache
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding)))
    return conv1d_backward(dout, (padded, w, stride, 0))[0], *conv1d_backward(dout, cache)[1:]


@misconception("conv1d_backward")
def overlaps_not_added(dout, cache):
    """Where windows overlap the last one wins: dx should be the sum over all windows that a value belongs to."""
    x, w, stride, padding = cache
    _, dw, db = conv1d_backward(dout, cache)
    dx = np.zeros((*x.shape[:2], x.shape[2] + 2 * padding), dtype=dout.dtype)
    for p in range(dout.shape[2]):
        dx[:, :, stride * p : stride * p + w.shape[2]] = np.einsum("nf,fci->nci", dout[:, :, p], w)
    return dx[:, :, padding : padding + x.shape[2]], dw, db


def sharing_a_cache(x, w, b, stride=1, padding=0, shared=[]):
    """Compute the right output, and write the cache over that of the call before."""
    out, shared[:] = conv1d_forward(x, w, b, stride, padding)
    return out, shared


@misconception("conv1d_backward", forward=sharing_a_cache, fails_only="test_conv1d_backward_promises")
def cache_of_the_last_sequence(dout, cache):
    """The gradient belongs to the last forward pass, whatever the cache.

    All calls share one cache, but each has to return its own: look for a global variable, or an object made only once.
    """
    return conv1d_backward(dout, cache)


# ---- conv3d


@misconception("conv3d_forward")
def depth_never_moves(x, w, b, stride=1, padding=0):
    """The stride does not hold for the depth: windows move by stride in all three directions."""
    right, cache = conv3d_forward(x, w, b, stride, padding)
    dense, _ = conv3d_forward(x, w, b, 1, padding)
    return dense[:, :, : right.shape[2], ::stride, ::stride].copy(), cache


@misconception("conv3d_forward")
def depth_not_padded(x, w, b, stride=1, padding=0):
    """The depth is not padded: zeros are added on all six sides."""
    _, cache = conv3d_forward(x, w, b, stride, padding)
    padded = np.pad(x, ((0, 0), (0, 0), (0, 0), (padding, padding), (padding, padding)))
    return conv3d_forward(padded, w, b, stride, 0)[0], cache


@misconception("conv3d_backward")
def dw_summed_over_depth(dout, cache):
    """All slices of dw along the depth are the same, their mean: each tap meets pixels of its own."""
    dx, dw, db = conv3d_backward(dout, cache)
    return dx, np.repeat(dw.mean(axis=2, keepdims=True), dw.shape[2], axis=2), db


@misconception("conv3d_backward")
def db_over_two_axes_only(dout, cache):
    """The gradient db counts the first slice of the depth only, but it should be a sum over all of dout."""
    dx, dw, _ = conv3d_backward(dout, cache)
    return dx, dw, dout[:, :, 0].sum(axis=(0, 2, 3))


# ---- conv2d_as_linear and conv2d_dx_as_conv


@misconception("conv2d_as_linear")
def pixels_reshaped_not_transposed(x, w, b):
    """The numbers of different pixels are mixed: a reshape moves nothing. Put the channels last, then sum them."""
    N, C, H, W = x.shape
    return conv2d_as_linear(x.reshape(N, H, W, C).transpose(0, 3, 1, 2), w, b)


@misconception("conv2d_as_linear")
def bias_of_the_linear_layer_missing(x, w, b):
    """The bias is missing: each filter adds its own to every pixel."""
    return conv2d_as_linear(x, w, np.zeros_like(b))


@misconception("conv2d_dx_as_conv")
def filters_not_rotated(dout, w, padding=0):
    """The filters are not rotated: turn them by 180 degrees, in rows and in columns."""
    return conv2d_dx_as_conv(dout, w[:, :, ::-1, ::-1], padding)


@misconception("conv2d_dx_as_conv")
def filters_mirrored_once(dout, w, padding=0):
    """The filters are mirrored in one direction only: turn them by 180 degrees, in rows and in columns."""
    return conv2d_dx_as_conv(dout, w[:, :, :, ::-1], padding)


@misconception("conv2d_dx_as_conv")
def padding_not_cut_off(dout, w, padding=0):
    """The result is too large: the padding of the convolution has to be cut off at the end."""
    return conv2d_dx_as_conv(dout, w)
