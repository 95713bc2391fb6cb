"""Wrong transposed convolutions, and wrong upsampling and downsampling."""

# mypy: allow-untyped-defs
# As a student writes them.

import numpy as np

from solutions.extras.extras import (
    conv_transpose2d_backward,
    conv_transpose2d_forward,
    downsample_forward,
    upsample_forward,
)
from solutions.extras.misconceptions.entry import misconception

# ---- conv_transpose2d


@misconception("conv_transpose2d_forward")
def stamps_rotated(x, w, b, stride=1, padding=0):
    """The filters are turned by 180 degrees, but they are stamped as they are.

    A rotated filter belongs to the way through zeros between the pixels: there a convolution turns it back.
    """
    out, _ = conv_transpose2d_forward(x, np.ascontiguousarray(w[:, :, ::-1, ::-1]), b, stride, padding)
    return out, (x, w, stride, padding)


@misconception("conv_transpose2d_forward")
def stamps_overwritten(x, w, b, stride=1, padding=0):
    """Where stamps overlap the last one wins, but they should add up."""
    right, cache = conv_transpose2d_forward(x, w, b, stride, padding)
    (N, _, H, W), (_, F, KH, KW) = x.shape, w.shape
    full = np.zeros((N, F, stride * (H - 1) + KH, stride * (W - 1) + KW), dtype=x.dtype)
    for p, q in np.ndindex(H, W):
        stamp = np.einsum("nc,cfij->nfij", x[:, :, p, q], w)
        full[:, :, stride * p : stride * p + KH, stride * q : stride * q + KW] = stamp
    OH, OW = right.shape[2:]
    return full[:, :, padding : padding + OH, padding : padding + OW] + b[:, np.newaxis, np.newaxis], cache


@misconception("conv_transpose2d_forward")
def padding_added_not_cut_off(x, w, b, stride=1, padding=0):
    """The result is too large: the padding was added around it, but it should be cut off."""
    full, _ = conv_transpose2d_forward(x, w, np.zeros_like(b), stride, 0)
    full = np.pad(full, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    return full + b[:, np.newaxis, np.newaxis], (x, w, stride, padding)


@misconception("conv_transpose2d_forward")
def padding_never_cut_off(x, w, b, stride=1, padding=0):
    """The padding has no effect: so many rows and columns should be cut off on all four sides."""
    return conv_transpose2d_forward(x, w, b, stride, 0)[0], (x, w, stride, padding)


@misconception("conv_transpose2d_forward")
def stamps_side_by_side(x, w, b, stride=1, padding=0):
    """The stride has no effect: from one stamp to the next it is one pixel."""
    return conv_transpose2d_forward(x, w, b, 1, padding)[0], (x, w, stride, padding)


@misconception("conv_transpose2d_forward")
def bias_at_every_stamp(x, w, b, stride=1, padding=0):
    """The bias is added with every pixel of x, but each pixel of the result should get it once."""
    right, cache = conv_transpose2d_forward(x, w, b, stride, padding)
    ones = np.ones((1, *w.shape[1:]), dtype=x.dtype) * b[:, np.newaxis, np.newaxis]
    many, _ = conv_transpose2d_forward(np.ones_like(x[:, :1]), ones, 0 * b, stride, padding)
    return right - b[:, np.newaxis, np.newaxis] + many, cache


@misconception("conv_transpose2d_backward")
def dx_with_rotated_filters(dout, cache):
    """The gradient dx is a convolution with rotated filters, but it should be one with the filters as they are.

    The two have changed places: what rotates in the gradient of a convolution does not rotate here.
    """
    x, w, stride, padding = cache
    dx, _, _ = conv_transpose2d_backward(dout, (x, np.ascontiguousarray(w[:, :, ::-1, ::-1]), stride, padding))
    return dx, *conv_transpose2d_backward(dout, cache)[1:]


@misconception("conv_transpose2d_backward")
def dw_of_the_first_image(dout, cache):
    """The gradient dw is that of the first image alone, but it should be a sum over all images."""
    x, w, stride, padding = cache
    dx, _, db = conv_transpose2d_backward(dout, cache)
    return dx, conv_transpose2d_backward(dout[:1], (x[:1], w, stride, padding))[1], db


@misconception("conv_transpose2d_backward")
def db_averaged_over_images(dout, cache):
    """The gradient db is a mean over images, but it should be a sum: each image adds to the loss."""
    dx, dw, db = conv_transpose2d_backward(dout, cache)
    return dx, dw, db / len(dout)


# ---- upsample and downsample


@misconception("upsample_forward")
def pixels_repeated(x, factor):
    """Every pixel is repeated, but it should stand once, with zeros after it."""
    return x.repeat(factor, axis=2).repeat(factor, axis=3), factor


@misconception("upsample_forward")
def no_zeros_after_the_last_pixel(x, factor):
    """The result ends with the last pixel of x, but zeros come after this one as well.

    It is factor times as high and as wide as x.
    """
    out, cache = upsample_forward(x, factor)
    return out[:, :, : out.shape[2] - factor + 1, : out.shape[3] - factor + 1].copy(), cache


@misconception("upsample_forward")
def zeros_before_the_pixels(x, factor):
    """The zeros come before each pixel, but they should come after it."""
    out, cache = upsample_forward(x, factor)
    return np.roll(out, (factor - 1, factor - 1), axis=(2, 3)), cache


@misconception("upsample_backward")
def blocks_summed(dout, cache):
    """Each block of dout is summed, as if pixels had been repeated.

    Where a zero was inserted the loss does not depend on x: only the first pixel of each block counts.
    """
    N, C, OH, OW = dout.shape
    return dout.reshape(N, C, OH // cache, cache, OW // cache, cache).sum(axis=(3, 5))


@misconception("downsample_forward")
def blocks_averaged(x, factor):
    """Each block is averaged, but its first pixel should be kept as it is."""
    out, cache = downsample_forward(x, factor)
    for n, c, p, q in np.ndindex(*out.shape):
        out[n, c, p, q] = x[n, c, factor * p : factor * (p + 1), factor * q : factor * (q + 1)].mean()
    return out, cache


@misconception("downsample_forward")
def last_block_dropped(x, factor):
    """The last row and column that are kept are missing where factor does not divide the size.

    Their number is rounded up: the first pixel is always kept.
    """
    out, cache = downsample_forward(x, factor)
    return out[:, :, : max(1, x.shape[2] // factor), : max(1, x.shape[3] // factor)].copy(), cache


@misconception("downsample_forward", fails_only="test_downsample_forward_promises")
def a_view_of_x(x, factor):
    """The result is a view of x: who changes it changes the input. Slices share memory: return a copy."""
    return x[:, :, ::factor, ::factor], (x.shape, factor)


@misconception("downsample_backward")
def gradient_repeated(dout, cache):
    """The gradient reaches every pixel of a block, but only the one that was kept has any influence."""
    shape, factor = cache
    return dout.repeat(factor, axis=2).repeat(factor, axis=3)[:, :, : shape[2], : shape[3]].copy()


@misconception("downsample_backward")
def size_of_x_from_dout(dout, cache):
    """The gradient is too large: its size comes from dout, but it should be that of x.

    Where factor does not divide the size of x, dout does not tell it.
    """
    return upsample_forward(dout, cache[1])[0]


@misconception("upsample_backward", fails_only="test_upsample_backward_promises")
def a_view_of_dout(dout, cache):
    """The result is a view of dout: who changes it changes the input. Slices share memory: return a copy."""
    return dout[:, :, ::cache, ::cache]
