"""Wrong conv2d_forward and conv2d_backward. Knows the model answer alone.

Most wrong forward passes keep the right cache: the mistake is in what they return. So the backward pass stays right.
"""

# mypy: allow-untyped-defs
# As a student writes them.

import numpy as np

from solutions.layers import _taps, conv2d_backward, conv2d_forward
from solutions.misconceptions.entry import misconception

# ---- conv2d_forward: bias


@misconception("conv2d_forward")
def bias_missing(x, w, b, stride=1, padding=0):
    """The bias is missing: each filter adds its own to everything it computes."""
    out, cache = conv2d_forward(x, w, np.zeros_like(b), stride, padding)
    return out, cache


@misconception("conv2d_forward")
def bias_added_twice(x, w, b, stride=1, padding=0):
    """The bias is added twice: once for each output is enough."""
    out, cache = conv2d_forward(x, w, 2 * b, stride, padding)
    return out, cache


@misconception("conv2d_forward", hides_on="C == 1")
def bias_added_for_every_channel(x, w, b, stride=1, padding=0):
    """The bias is added once for every input channel.

    It belongs to the filter: add it after the sum over channels, not within.
    """
    out, cache = conv2d_forward(x, w, x.shape[1] * b, stride, padding)
    return out, cache


@misconception("conv2d_forward", hides_on="F == 1 or OH * OW == 1")
def bias_added_along_the_wrong_axis(x, w, b, stride=1, padding=0):
    """The biases are added along the wrong axis.

    Each belongs to one filter, and broadcasting lines up last axes: give b the axes that put it on the filter axis.
    """
    out, cache = conv2d_forward(x, w, np.zeros_like(b), stride, padding)
    return (out.reshape(-1, len(b)) + b).reshape(out.shape), cache


# ---- conv2d_forward: the filters


@misconception("conv2d_forward", hides_on="KH * KW == 1")
def kernel_flipped(x, w, b, stride=1, padding=0):
    """The kernel is flipped, as in signal processing.

    What is called convolution here multiplies the first kernel row with the first row of the window.
    """
    out, _ = conv2d_forward(x, w[:, :, ::-1, ::-1], b, stride, padding)
    return out, (x, w, stride, padding)


@misconception("conv2d_forward", hides_on="C * KH * KW == 1")
def kernel_and_channels_flipped(x, w, b, stride=1, padding=0):
    """The filter is flipped on all its axes, channels included.

    That is a convolution in three dimensions: here nothing is flipped, and each channel meets its own kernel.
    """
    out, _ = conv2d_forward(x, w[:, ::-1, ::-1, ::-1], b, stride, padding)
    return out, (x, w, stride, padding)


@misconception("conv2d_forward", hides_on="F == 1 or C * KH * KW == 1")
def filters_reshaped_not_transposed(x, w, b, stride=1, padding=0):
    """The filters are mixed up on the way to a matrix.

    A reshape to one filter per column does not put a filter into a column: make it one filter per row, then transpose.
    """
    mixed = w.reshape(-1, len(w)).T.reshape(w.shape)
    out, _ = conv2d_forward(x, mixed, b, stride, padding)
    return out, (x, w, stride, padding)


@misconception("conv2d_forward", hides_on="C == 1 or KH * KW == 1")
def filters_flattened_channel_last(x, w, b, stride=1, padding=0):
    """The weights of a filter meet the wrong pixels: they are flattened with the channel last.

    The rows of cols run channel first, then kernel row, then kernel column.
    """
    F, C, KH, KW = w.shape
    out, _ = conv2d_forward(x, w.transpose(0, 2, 3, 1).reshape(F, C, KH, KW), b, stride, padding)
    return out, (x, w, stride, padding)


@misconception("conv2d_forward", hides_on="C == 1")
def first_channel_only(x, w, b, stride=1, padding=0):
    """Only the first channel counts, but a filter looks at all of them: the sum runs over channels as well."""
    out, _ = conv2d_forward(x[:, :1], w[:, :1], b, stride, padding)
    return out, (x, w, stride, padding)


@misconception("conv2d_forward", hides_on="C * KH * KW == 1")
def mean_instead_of_sum(x, w, b, stride=1, padding=0):
    """The products of a window are averaged, but they should be summed."""
    out, _ = conv2d_forward(x, w / w[0].size, b, stride, padding)
    return out, (x, w, stride, padding)


# ---- conv2d_forward: the order of the result


@misconception("conv2d_forward", hides_on="N == 1 or F == 1")
def out_reshaped_not_transposed(x, w, b, stride=1, padding=0):
    """All values are there, but with several images they are mixed up.

    The matrix product runs filter by filter, and out runs image by image: a reshape alone does not swap two axes.
    """
    out, cache = conv2d_forward(x, w, b, stride, padding)
    return out.transpose(1, 0, 2, 3).reshape(out.shape), cache


@misconception("conv2d_forward", hides_on="N == 1 or OH * OW == 1")
def out_read_image_last(x, w, b, stride=1, padding=0):
    """All values are there, but images are mixed up: neighbouring columns are taken for different images.

    The columns of the product are in the order of im2col: image by image.
    """
    out, cache = conv2d_forward(x, w, b, stride, padding)
    N, F, OH, OW = out.shape
    return out.transpose(1, 0, 2, 3).reshape(F, OH, OW, N).transpose(3, 0, 1, 2), cache


@misconception("conv2d_forward", hides_on="F == 1 and N == 1")
def out_with_filters_first(x, w, b, stride=1, padding=0):
    """The first two axes of out are swapped: images come first, then filters."""
    out, cache = conv2d_forward(x, w, b, stride, padding)
    return out.transpose(1, 0, 2, 3), cache


@misconception("conv2d_forward", hides_on="F == 1 and OH * OW == 1")
def out_with_filters_last(x, w, b, stride=1, padding=0):
    """The filter axis of out comes last: it should be the second, before rows and columns."""
    out, cache = conv2d_forward(x, w, b, stride, padding)
    return out.transpose(0, 2, 3, 1), cache


# ---- conv2d_forward: stride, padding, precision


@misconception("conv2d_forward", hides_on="stride == 1")
def out_stride_ignored(x, w, b, stride=1, padding=0):
    """The stride is ignored: out has an entry for every position of the window."""
    out, _ = conv2d_forward(x, w, b, 1, padding)
    return out, (x, w, stride, padding)


# A kernel that fits only into the padded image raises, and then there is no cache for the backward pass either.
@misconception("conv2d_forward", also_fails=("conv2d_backward",), hides_on="padding == 0")
def out_padding_ignored(x, w, b, stride=1, padding=0):
    """The padding is ignored: the windows are those of the bare image."""
    out, _ = conv2d_forward(x, w, b, stride)
    return out, (x, w, stride, padding)


@misconception("conv2d_forward", hides_on="padding == 0")
def out_padded_twice(x, w, b, stride=1, padding=0):
    """The padding is there twice.

    The image was padded already when a function was called that pads it again.
    """
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    out, _ = conv2d_forward(padded, w, b, stride, padding)
    return out, (x, w, stride, padding)


# Differences of float32 outputs are off by 1e-7 or so: now and then that is too much.
@misconception("conv2d_forward", hides_on="dtype == 'float32'")
def out_computed_in_float32(x, w, b, stride=1, padding=0):
    """The values are right to float32 precision only.

    Somewhere on the way an array has a fixed dtype: it should have the dtype of x.
    """
    out, _ = conv2d_forward(x.astype(np.float32), w.astype(np.float32), b.astype(np.float32), stride, padding)
    return out.astype(x.dtype), (x, w, stride, padding)


# ---- conv2d_backward: the order of dout


@misconception("conv2d_backward", hides_on="N == 1 or F == 1")
def dout_reshaped_not_transposed(dout, cache):
    """With several images dout is mixed up.

    It runs image by image, its matrix filter by filter: a reshape alone does not swap the two axes.
    """
    N, F, OH, OW = dout.shape
    return conv2d_backward(dout.reshape(F, N, OH, OW).transpose(1, 0, 2, 3), cache)


@misconception("conv2d_backward", hides_on="N == 1 or OH * OW == 1")
def dout_read_image_last(dout, cache):
    """With several images dout and the columns of im2col do not go together.

    The matrix of dout has to run image by image as well, so its image axis stays in front of rows and columns.
    """
    N, F, OH, OW = dout.shape
    in_order = dout.transpose(1, 2, 3, 0).reshape(F, N, OH, OW).transpose(1, 0, 2, 3)
    return conv2d_backward(in_order, cache)


# ---- conv2d_backward: db


@misconception("conv2d_backward", hides_on="N == 1")
def db_divided_by_images(dout, cache):
    """The gradient db is divided by the number of images: it should be a sum over them.

    Whether a loss takes a mean is settled in dout already.
    """
    dx, dw, db = conv2d_backward(dout, cache)
    return dx, dw, db / len(dout)


@misconception("conv2d_backward", hides_on="N * OH * OW == 1")
def db_averaged(dout, cache):
    """The gradient db is a mean over images, rows and columns: it should be a sum."""
    dx, dw, _ = conv2d_backward(dout, cache)
    return dx, dw, dout.mean(axis=(0, 2, 3))


@misconception("conv2d_backward")
def db_kept_as_a_column(dout, cache):
    """The gradient db has one axis too many: it has the shape of b, one number for each filter."""
    dx, dw, db = conv2d_backward(dout, cache)
    return dx, dw, db[:, np.newaxis]


@misconception("conv2d_backward")
def db_summed_over_the_wrong_axes(dout, cache):
    """The sum for db leaves one number for each image.

    It should leave one for each filter: the filter axis of dout is the one to stay.
    """
    dx, dw, _ = conv2d_backward(dout, cache)
    return dx, dw, dout.sum(axis=(1, 2, 3))


# ---- conv2d_backward: dw


@misconception("conv2d_backward", hides_on="N == 1")
def dw_divided_by_images(dout, cache):
    """The gradient dw is divided by the number of images: it should be a sum over them.

    Whether a loss takes a mean is settled in dout already.
    """
    dx, dw, db = conv2d_backward(dout, cache)
    return dx, dw / len(dout), db


@misconception("conv2d_backward", hides_on="N == 1")
def dw_of_the_last_image(dout, cache):
    """Only the last image counts for dw: within a loop over images, each has to add to the gradient."""
    x, w, stride, padding = cache
    dx, _, db = conv2d_backward(dout, cache)
    _, dw, _ = conv2d_backward(dout[-1:], (x[-1:], w, stride, padding))
    return dx, dw, db


@misconception("conv2d_backward", hides_on="KH * KW == 1")
def dw_flipped(dout, cache):
    """The gradient dw is flipped upside down and back to front.

    Each weight gets dout times the pixels that it met in the forward pass, and there nothing was flipped.
    """
    dx, dw, db = conv2d_backward(dout, cache)
    return dx, dw[:, :, ::-1, ::-1], db


@misconception("conv2d_backward", hides_on="F == 1 or C * KH * KW == 1")
def dw_reshaped_not_transposed(dout, cache):
    """The gradients of different filters are mixed up.

    A matrix with one filter per column has to be transposed before it is reshaped to the shape of w.
    """
    dx, dw, db = conv2d_backward(dout, cache)
    return dx, dw.reshape(len(dw), -1).T.reshape(dw.shape), db


@misconception("conv2d_backward", hides_on="stride == 1 or OH * OW == 1")
def dw_stride_forgotten(dout, cache):
    """The stride is missing in dw: pixels are read one by one, but neighbouring windows are stride pixels apart."""
    x, w, _, padding = cache
    (OH, OW), (KH, KW) = dout.shape[2:], w.shape[2:]
    dx, _, db = conv2d_backward(dout, cache)
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    _, dw, _ = conv2d_backward(dout, (padded[:, :, : OH + KH - 1, : OW + KW - 1], w, 1, 0))
    return dx, dw, db


# ---- conv2d_backward: dx


@misconception("conv2d_backward", hides_on="KH * KW == 1")
def dx_with_the_kernel_flipped(dout, cache):
    """The kernel is the wrong way round in dx.

    As a convolution over dout this gradient needs it flipped; as a sum of windows it needs it as it is.
    """
    x, w, stride, padding = cache
    _, dw, db = conv2d_backward(dout, cache)
    dx, _, _ = conv2d_backward(dout, (x, w[:, :, ::-1, ::-1], stride, padding))
    return dx, dw, db


@misconception("conv2d_backward", hides_on="F == 1")
def dx_of_the_last_filter(dout, cache):
    """Only the last filter counts for dx: within a loop over filters, each has to add to the gradient."""
    x, w, stride, padding = cache
    _, dw, db = conv2d_backward(dout, cache)
    dx, _, _ = conv2d_backward(dout[:, -1:], (x, w[-1:], stride, padding))
    return dx, dw, db


@misconception("conv2d_backward", hides_on="stride >= KH and stride >= KW")
def dx_overlaps_overwritten(dout, cache):
    """Where windows overlap the last one wins.

    A pixel gets the sum over all windows it belongs to: look at how a window is written into the gradient.
    """
    x, w, stride, padding = cache
    (_, _, H, W), (KH, KW) = x.shape, w.shape[2:]
    _, dw, db = conv2d_backward(dout, cache)
    padded = np.zeros_like(np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding))))
    for p, q in np.ndindex(*dout.shape[2:]):
        window = np.tensordot(dout[:, :, p, q], w, axes=1)
        padded[:, :, stride * p : stride * p + KH, stride * q : stride * q + KW] = window
    return padded[:, :, padding : padding + H, padding : padding + W], dw, db


@misconception("conv2d_backward", hides_on="stride >= KH and stride >= KW")
def dx_overlaps_added_once(dout, cache):
    """Where windows overlap a pixel gets one entry instead of their sum.

    Adding through index arrays counts a pixel once however often it is listed, and assigning overwrites what was there.
    """
    x, w, stride, padding = cache
    (_, _, H, W), (KH, KW) = x.shape, w.shape[2:]
    _, dw, db = conv2d_backward(dout, cache)
    padded = np.zeros_like(np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding))))
    for i, j, rows, columns in _taps((KH, KW), dout.shape[2:], stride):
        padded[:, :, rows, columns] = np.tensordot(dout, w[:, :, i, j], axes=(1, 0)).transpose(0, 3, 1, 2)
    return padded[:, :, padding : padding + H, padding : padding + W], dw, db


@misconception("conv2d_backward", hides_on="stride == 1 or OH * OW == 1")
def dx_stride_forgotten(dout, cache):
    """The stride is missing in dx: from one window to the next it is one pixel only.

    Each entry of dout goes back to where its window stood, and between neighbours that is stride pixels.
    """
    x, w, _, padding = cache
    (N, C, H, W), (OH, OW), (KH, KW) = x.shape, dout.shape[2:], w.shape[2:]
    _, dw, db = conv2d_backward(dout, cache)
    reached = np.zeros((N, C, OH + KH - 1, OW + KW - 1), dtype=x.dtype)
    padded = np.zeros_like(np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding))))
    padded[:, :, : OH + KH - 1, : OW + KW - 1] = conv2d_backward(dout, (reached, w, 1, 0))[0]
    return padded[:, :, padding : padding + H, padding : padding + W], dw, db


@misconception(
    "conv2d_backward", hides_on="(H + 2 * padding - KH) % stride == 0 and (W + 2 * padding - KW) % stride == 0"
)
def dx_size_from_dout(dout, cache):
    """The gradient dx is too small: its size comes from dout.

    Where windows leave a border that they do not reach, dout does not tell how large x was.
    """
    _, w, stride, padding = cache
    (OH, OW), (KH, KW) = dout.shape[2:], w.shape[2:]
    dx, dw, db = conv2d_backward(dout, cache)
    return dx[:, :, : (OH - 1) * stride + KH - 2 * padding, : (OW - 1) * stride + KW - 2 * padding], dw, db


def _dx_filled_from_minus_zero(dout, cache):
    x, w, stride, padding = cache
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dx_padded, dw, db = conv2d_backward(dout, (padded, w, stride, 0))
    dx = np.zeros_like(x)
    dx[:] = dx_padded[:, :, padding:-padding, padding:-padding]
    return dx, dw, db


@misconception("conv2d_backward", raising=_dx_filled_from_minus_zero, hides_on="padding > 0")
def dx_padding_cropped_with_minus_zero(dout, cache):
    """Without padding there is nothing left of dx.

    A slice that ends at minus the padding cuts from the end, but minus zero is the front: count from the front instead.
    """
    x, w, stride, padding = cache
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dx, dw, db = conv2d_backward(dout, (padded, w, stride, 0))
    return dx[:, :, padding:-padding, padding:-padding], dw, db


@misconception("conv2d_backward", hides_on="padding == 0")
def dx_padding_not_cropped(dout, cache):
    """The gradient dx still has the padding around it: it should have the shape of x."""
    x, w, stride, padding = cache
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    return conv2d_backward(dout, (padded, w, stride, 0))


@misconception("conv2d_backward", hides_on="padding == 0")
def dx_padding_cropped_at_the_end_only(dout, cache):
    """The gradient dx is shifted by the padding: all of it was cut off at the bottom and on the right.

    It is there on all four sides.
    """
    x, w, stride, padding = cache
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dx, dw, db = conv2d_backward(dout, (padded, w, stride, 0))
    return dx[:, :, : x.shape[2], : x.shape[3]], dw, db


@misconception("conv2d_backward", hides_on="padding == 0")
def dx_padding_cropped_on_the_wrong_axes(dout, cache):
    """Images and channels are cut off instead of the padding, which lies on the last two axes."""
    x, w, stride, padding = cache
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dx, dw, db = conv2d_backward(dout, (padded, w, stride, 0))
    return dx[padding : padding + len(x), padding : padding + x.shape[1]], dw, db


# ---- conv2d_backward: all three


@misconception("conv2d_backward")
def gradients_in_another_order(dout, cache):
    """The three gradients are returned in another order: it should be dx, dw, db, as the arguments x, w, b."""
    dx, dw, db = conv2d_backward(dout, cache)
    return dw, db, dx
