"""Wrong conv_output_size, im2col and col2im. Knows the model answer alone."""

# mypy: allow-untyped-defs
# As a student writes them.

import numpy as np

from solutions.layers import _taps, col2im, conv_output_size, im2col
from solutions.misconceptions.entry import misconception

# ---- conv_output_size


@misconception("conv_output_size", hides_on="(size + 2 * padding - kernel_size) % stride == 0")
def size_rounded_up(size, kernel_size, stride=1, padding=0):
    """The number of windows is rounded up.

    Where the stride does not come out even, the last window would stick out of the image, and it does not count.
    """
    return -(-(size + 2 * padding - kernel_size) // stride) + 1


@misconception("conv_output_size")
def size_one_window_missing(size, kernel_size, stride=1, padding=0):
    """The number of windows is one too small.

    Steps are counted and not windows: there is a window before the first step.
    """
    return (size + 2 * padding - kernel_size) // stride


@misconception("conv_output_size", hides_on="padding == 0")
def size_padding_counted_once(size, kernel_size, stride=1, padding=0):
    """The padding is counted once, but it is there at both ends of the axis."""
    return (size + padding - kernel_size) // stride + 1


@misconception("conv_output_size", hides_on="padding == 0")
def size_padding_not_counted(size, kernel_size, stride=1, padding=0):
    """The padding is not counted, but it makes the axis longer, at both ends."""
    return (size - kernel_size) // stride + 1


@misconception("conv_output_size", hides_on="stride == 1")
def size_stride_ignored(size, kernel_size, stride=1, padding=0):
    """The stride is ignored: with a larger step fewer windows fit."""
    return size + 2 * padding - kernel_size + 1


@misconception("conv_output_size", hides_on="stride == 1")
def size_one_added_before_dividing(size, kernel_size, stride=1, padding=0):
    """The one is added before the division by the stride, but it stands for the first window, which needs no step."""
    return (size + 2 * padding - kernel_size + 1) // stride


@misconception("conv_output_size", hides_on="kernel_size == 1")
def size_counts_windows_that_stick_out(size, kernel_size, stride=1, padding=0):
    """Every starting position inside the image is counted.

    A window has to end inside as well, so the last starting positions have to go.
    """
    return len(range(0, size + 2 * padding, stride))


@misconception("conv_output_size")
def size_returned_as_float(size, kernel_size, stride=1, padding=0):
    """The size is a float, and not rounded down.

    It is a number of windows, and shapes are made of it: it has to be an int, from a division that gives ints.
    """
    return (size + 2 * padding - kernel_size) / stride + 1


# ---- im2col: the order of rows and columns


@misconception("im2col")
def columns_handed_in_as_rows(x, kernel_size, stride=1, padding=0):
    """The matrix is transposed: each window is a row here, but it should be a column."""
    return im2col(x, kernel_size, stride, padding).T


@misconception("im2col")
def columns_in_a_matrix_for_each_image(x, kernel_size, stride=1, padding=0):
    """There is one matrix for each image, in an array with three axes.

    They should stand side by side in a single matrix: first all windows of one image, then all of the next.
    """
    cols = im2col(x, kernel_size, stride, padding)
    return cols.reshape(len(cols), len(x), -1).transpose(1, 0, 2)


@misconception("im2col", hides_on="N == 1 or OH * OW == 1")
def columns_run_image_last(x, kernel_size, stride=1, padding=0):
    """The columns are in another order: here neighbours are the same window of different images.

    They should run image by image: all windows of the first image come before any of the second.
    """
    cols = im2col(x, kernel_size, stride, padding)
    return cols.reshape(len(cols), len(x), -1).transpose(0, 2, 1).reshape(cols.shape)


@misconception("im2col", hides_on="OH == 1 or OW == 1")
def columns_run_down_first(x, kernel_size, stride=1, padding=0):
    """The columns are in another order: here the windows of an image run down its height first.

    They should run along an output row first, as one reads.
    """
    (N, _, H, _), cols = x.shape, im2col(x, kernel_size, stride, padding)
    OH = conv_output_size(H, kernel_size[0], stride, padding)
    return cols.reshape(len(cols), N, OH, -1).transpose(0, 1, 3, 2).reshape(cols.shape)


@misconception("im2col", hides_on="N == 1 or C * KH * KW == 1")
def columns_reshaped_not_transposed(x, kernel_size, stride=1, padding=0):
    """All values are there, but with several images they are mixed up.

    The image axis has to move behind the kernel axes before the axes are merged: a reshape alone moves nothing.
    """
    cols = im2col(x, kernel_size, stride, padding)
    return cols.reshape(len(cols), len(x), -1).transpose(1, 0, 2).reshape(cols.shape)


@misconception("im2col", hides_on="C == 1 or KH * KW == 1")
def rows_run_channel_last(x, kernel_size, stride=1, padding=0):
    """The rows are in another order: here neighbours are the same tap in different channels.

    They should run channel first, then kernel row, then kernel column.
    """
    C, cols = x.shape[1], im2col(x, kernel_size, stride, padding)
    return cols.reshape(C, len(cols) // C, -1).transpose(1, 0, 2).reshape(cols.shape)


@misconception("im2col", hides_on="KH == 1 or KW == 1")
def rows_run_kernel_column_first(x, kernel_size, stride=1, padding=0):
    """The rows are in another order: within a channel they run down the kernel first.

    They should run along a kernel row first, as one reads.
    """
    (KH, KW), C = kernel_size, x.shape[1]
    cols = im2col(x, kernel_size, stride, padding)
    return cols.reshape(C, KH, KW, -1).transpose(0, 2, 1, 3).reshape(cols.shape)


@misconception("im2col", hides_on="KH * KW == 1")
def columns_kernel_flipped(x, kernel_size, stride=1, padding=0):
    """Each window is upside down and back to front.

    The first kernel row meets the first row of the window: nothing is flipped.
    """
    C, cols = x.shape[1], im2col(x, kernel_size, stride, padding)
    return cols.reshape(C, len(cols) // C, -1)[:, ::-1].reshape(cols.shape)


# ---- im2col: which windows there are


@misconception("im2col", hides_on="stride == 1")
def columns_stride_ignored(x, kernel_size, stride=1, padding=0):
    """The stride is ignored: there is a window at every pixel.

    From one window to the next it is stride pixels, down as well as to the right.
    """
    return im2col(x, kernel_size, 1, padding)


@misconception("im2col", hides_on="stride == 1 or OH * OW == 1")
def columns_one_pixel_apart(x, kernel_size, stride=1, padding=0):
    """There are as many windows as there should be, but from one to the next it is one pixel only.

    The stride belongs into the position of a window as well as into their number.
    """
    (H, W), (KH, KW) = x.shape[2:], kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    return im2col(padded[:, :, : OH + KH - 1, : OW + KW - 1], kernel_size)


@misconception("im2col", hides_on="(H + 2 * padding - KH) % stride == 0 and (W + 2 * padding - KW) % stride == 0")
def columns_of_partial_windows_kept(x, kernel_size, stride=1, padding=0):
    """Windows that stick out of the image at the bottom or on the right are kept, filled up with zeros.

    Only windows that lie inside the padded image count: their number is rounded down.
    """
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding + stride - 1), (padding, padding + stride - 1)))
    return im2col(padded, kernel_size, stride)


@misconception("im2col", hides_on="(H + 2 * padding - KH) % stride and (W + 2 * padding - KW) % stride")
def columns_of_the_last_windows_lost(x, kernel_size, stride=1, padding=0):
    """The last row and column of windows are missing.

    A window may end exactly where the padded image does: check where the loop over window positions stops.
    """
    (N, _, H, W), (KH, KW) = x.shape, kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    rows, columns = range(0, H + 2 * padding - KH, stride), range(0, W + 2 * padding - KW, stride)
    windows = im2col(x, kernel_size, stride, padding).reshape(-1, N, OH, OW)
    return windows[:, :, : len(rows), : len(columns)].reshape(len(windows), -1)


@misconception("im2col", hides_on="KH == KW")
def columns_kernel_sides_swapped(x, kernel_size, stride=1, padding=0):
    """Height and width of the kernel are swapped: the kernel size is its height, then its width."""
    KW, KH = kernel_size
    return im2col(x, (KH, KW), stride, padding)


@misconception("im2col", hides_on="OH == OW or N * OH == 1")
def columns_counted_by_output_height(x, kernel_size, stride=1, padding=0):
    """Height and width of the output are mixed up in the number of a column.

    From one output row to the next it is as many columns as an output row is long.
    """
    (N, _, H, W), (KH, KW) = x.shape, kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    right = im2col(x, kernel_size, stride, padding)
    windows, cols = right.reshape(-1, N, OH, OW), np.zeros_like(right)
    for n, p, q in np.ndindex(N, OH, OW):
        cols[:, (n * OH + p) * OH + q] = windows[:, n, p, q]
    return cols


# ---- im2col: padding, precision


@misconception("im2col", hides_on="padding == 0")
def columns_padding_ignored(x, kernel_size, stride=1, padding=0):
    """The padding is ignored: the windows are those of the bare image."""
    return im2col(x, kernel_size, stride)


@misconception("im2col", hides_on="padding == 0")
def columns_padded_on_one_side(x, kernel_size, stride=1, padding=0):
    """All of the padding is at the bottom and on the right.

    The same number of zeros belongs on all four sides, so that the image is in the middle.
    """
    return im2col(np.pad(x, ((0, 0), (0, 0), (0, 2 * padding), (0, 2 * padding))), kernel_size, stride)


@misconception("im2col", hides_on="padding == 0")
def columns_padded_with_the_edge(x, kernel_size, stride=1, padding=0):
    """The padding repeats the pixels at the edge of the image, but it should be zeros."""
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), mode="edge")
    return im2col(padded, kernel_size, stride)


@misconception("im2col", hides_on="padding == 0")
def columns_padded_on_the_wrong_axes(x, kernel_size, stride=1, padding=0):
    """The padding adds images and channels.

    It should add rows and columns: those are the last two axes, and the first two stay as they are.
    """
    return im2col(np.pad(x, ((padding, padding), (padding, padding), (0, 0), (0, 0))), kernel_size, stride)


@misconception("im2col", hides_on="dtype == 'float32'")
def columns_in_a_float32_buffer(x, kernel_size, stride=1, padding=0):
    """The values are right to float32 precision only.

    An array of a fixed dtype rounds what is written into it: it should have the dtype of x.
    """
    return im2col(x.astype(np.float32), kernel_size, stride, padding)


# ---- col2im: where windows overlap


@misconception("col2im", hides_on="stride >= KH and stride >= KW")
def overlaps_overwritten(cols, x_shape, kernel_size, stride=1, padding=0):
    """Where windows overlap the last one wins.

    A pixel gets the sum over all windows it belongs to: look at how a window is written into the image.
    """
    (N, C, H, W), (KH, KW) = x_shape, kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    windows = cols.reshape(C, KH, KW, N, OH, OW).transpose(3, 0, 1, 2, 4, 5)
    padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    for p, q in np.ndindex(OH, OW):
        padded[:, :, stride * p : stride * p + KH, stride * q : stride * q + KW] = windows[..., p, q]
    return padded[:, :, padding : padding + H, padding : padding + W]


@misconception("col2im", hides_on="stride >= KH and stride >= KW")
def overlaps_added_once(cols, x_shape, kernel_size, stride=1, padding=0):
    """Where windows overlap a pixel gets one entry instead of their sum.

    Adding through index arrays counts a pixel once however often it is listed, and assigning overwrites what was there.
    """
    (N, C, H, W), (KH, KW) = x_shape, kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    taps = cols.reshape(C, KH, KW, N, OH, OW).transpose(3, 0, 1, 2, 4, 5)
    padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    for i, j, rows, columns in _taps((KH, KW), (OH, OW), stride):
        padded[:, :, rows, columns] = taps[:, :, i, j]
    return padded[:, :, padding : padding + H, padding : padding + W]


@misconception("col2im", hides_on="stride >= KH and stride >= KW")
def overlaps_averaged(cols, x_shape, kernel_size, stride=1, padding=0):
    """Where windows overlap a pixel gets the mean of its entries.

    That would undo im2col, but the backward pass needs its adjoint, which adds them up.
    """
    counts = col2im(np.ones_like(cols), x_shape, kernel_size, stride, padding)
    return col2im(cols, x_shape, kernel_size, stride, padding) / np.maximum(counts, 1)


# ---- col2im: padding


@misconception("col2im", hides_on="padding == 0")
def padding_not_cropped(cols, x_shape, kernel_size, stride=1, padding=0):
    """The image still has its padding: what falls on it is to be dropped."""
    N, C, H, W = x_shape
    return col2im(cols, (N, C, H + 2 * padding, W + 2 * padding), kernel_size, stride)


def _image_filled_from_minus_zero(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    padded = col2im(cols, (N, C, H + 2 * padding, W + 2 * padding), kernel_size, stride)
    image = np.zeros((N, C, H, W), dtype=cols.dtype)
    image[:] = padded[:, :, padding:-padding, padding:-padding]
    return image


@misconception("col2im", raising=_image_filled_from_minus_zero, hides_on="padding > 0")
def padding_cropped_with_minus_zero(cols, x_shape, kernel_size, stride=1, padding=0):
    """Without padding there is nothing left of the image.

    A slice that ends at minus the padding cuts from the end, but minus zero is the front: count from the front instead.
    """
    N, C, H, W = x_shape
    padded = col2im(cols, (N, C, H + 2 * padding, W + 2 * padding), kernel_size, stride)
    return padded[:, :, padding:-padding, padding:-padding]


@misconception("col2im", hides_on="padding == 0")
def padding_cropped_at_the_end_only(cols, x_shape, kernel_size, stride=1, padding=0):
    """The image is shifted by the padding: all of it was cut off at the bottom and on the right.

    It is there on all four sides.
    """
    N, C, H, W = x_shape
    return col2im(cols, (N, C, H + 2 * padding, W + 2 * padding), kernel_size, stride)[:, :, :H, :W]


@misconception("col2im", hides_on="padding == 0")
def padding_cropped_on_the_wrong_axes(cols, x_shape, kernel_size, stride=1, padding=0):
    """Images and channels are cut off instead of the padding, which lies on the last two axes."""
    N, C, H, W = x_shape
    padded = col2im(cols, (N, C, H + 2 * padding, W + 2 * padding), kernel_size, stride)
    return padded[padding : padding + N, padding : padding + C]


@misconception("col2im", hides_on="H == W")
def padding_cropped_with_sides_swapped(cols, x_shape, kernel_size, stride=1, padding=0):
    """Height and width are swapped where the padding is cut off: the height comes first, as in all shapes here."""
    N, C, H, W = x_shape
    padded = col2im(cols, (N, C, H + 2 * padding, W + 2 * padding), kernel_size, stride)
    return padded[:, :, padding : padding + W, padding : padding + H]


# ---- col2im: the order of entries


@misconception("col2im", hides_on="N == 1 or OH * OW == 1")
def columns_read_image_last(cols, x_shape, kernel_size, stride=1, padding=0):
    """The columns are read in another order: neighbours are taken for the same window of different images.

    They run image by image, as im2col writes them.
    """
    in_order = cols.reshape(len(cols), -1, x_shape[0]).transpose(0, 2, 1).reshape(cols.shape)
    return col2im(in_order, x_shape, kernel_size, stride, padding)


@misconception("col2im", hides_on="N == 1 or C * KH * KW == 1")
def columns_read_by_a_reshape_alone(cols, x_shape, kernel_size, stride=1, padding=0):
    """With several images their entries are mixed up.

    In cols the image axis comes after the kernel axes: a reshape can split axes but not move them.
    """
    in_order = cols.reshape(x_shape[0], len(cols), -1).transpose(1, 0, 2).reshape(cols.shape)
    return col2im(in_order, x_shape, kernel_size, stride, padding)


@misconception("col2im", hides_on="C == 1 or KH * KW == 1")
def rows_read_channel_last(cols, x_shape, kernel_size, stride=1, padding=0):
    """The rows are read in another order: neighbours are taken for the same tap in different channels.

    They run channel first, then kernel row, then kernel column, as im2col writes them.
    """
    (_, C, _, _), (KH, KW) = x_shape, kernel_size
    in_order = cols.reshape(KH * KW, C, -1).transpose(1, 0, 2).reshape(cols.shape)
    return col2im(in_order, x_shape, kernel_size, stride, padding)


@misconception("col2im", hides_on="KH * KW == 1")
def windows_put_back_flipped(cols, x_shape, kernel_size, stride=1, padding=0):
    """Each window is put back upside down and back to front.

    Every entry goes to the very pixel that im2col reads it from: nothing is flipped.
    """
    (_, C, _, _), (KH, KW) = x_shape, kernel_size
    in_order = cols.reshape(C, KH * KW, -1)[:, ::-1].reshape(cols.shape)
    return col2im(in_order, x_shape, kernel_size, stride, padding)


@misconception("col2im", hides_on="stride == 1 or OH * OW == 1")
def windows_put_back_one_pixel_apart(cols, x_shape, kernel_size, stride=1, padding=0):
    """The stride is ignored: from one window to the next it is one pixel only.

    Each window goes back to where im2col found it.
    """
    (N, C, H, W), (KH, KW) = x_shape, kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    padded[:, :, : OH + KH - 1, : OW + KW - 1] = col2im(cols, (N, C, OH + KH - 1, OW + KW - 1), kernel_size)
    return padded[:, :, padding : padding + H, padding : padding + W]
