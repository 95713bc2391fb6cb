"""Wrong on one path only: for windows side by side, for values that are nearly equal, for large images.

Students write shortcuts for special inputs, and choose sizes that are large enough for what they try. Each of these is
right on nearly all inputs, and seen in real submissions. Knows the model answer alone.
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
    conv2d_backward,
    conv2d_forward,
    im2col,
    max_pool2d_backward,
    max_pool2d_forward,
)
from solutions.misconceptions.entry import misconception
from solutions.misconceptions.pooling import keeping_x

TILES = "dtype == 'float64' or not stride == KH == KW"

# ---- float64 for float32, in a shortcut


@misconception("im2col", fails_only="test_im2col_dtype", hides_on=TILES)
def columns_of_tiles_float64(x, kernel_size, stride=1, padding=0):
    """Where windows lie side by side the matrix is float64 whatever x is: an array made without a dtype is float64."""
    cols = im2col(x, kernel_size, stride, padding)
    return cols.astype(np.float64) if kernel_size == (stride, stride) else cols


@misconception("conv2d_forward", fails_only="test_conv2d_forward_dtype", hides_on="dtype == 'float64' or KH * KW > 1")
def out_of_one_pixel_kernels_float64(x, w, b, stride=1, padding=0):
    """With a kernel of one pixel the output is float64 whatever x is: an array made without a dtype is float64."""
    out, cache = conv2d_forward(x, w, b, stride, padding)
    return out.astype(np.float64) if w.shape[2:] == (1, 1) else out, cache


@misconception("max_pool2d_forward", fails_only="test_max_pool2d_forward_dtype", hides_on=TILES)
def maximum_of_tiles_float64(x, kernel_size, stride):
    """Where windows lie side by side the output is float64 whatever x is: an array made without a dtype is float64."""
    out, cache = max_pool2d_forward(x, kernel_size, stride)
    return out.astype(np.float64) if kernel_size == (stride, stride) else out, cache


@misconception("max_pool2d_backward", fails_only="test_max_pool2d_backward_dtype", hides_on=TILES)
def winners_of_tiles_float64(dout, cache):
    """Where windows lie side by side the gradient is float64 whatever dout is.

    An array made without a dtype is float64.
    """
    _, _, kernel_size, stride = cache
    dx = max_pool2d_backward(dout, cache)
    return dx.astype(np.float64) if kernel_size == (stride, stride) else dx


@misconception("avg_pool2d_forward", fails_only="test_avg_pool2d_forward_dtype", hides_on=TILES)
def average_of_tiles_float64(x, kernel_size, stride):
    """Where windows lie side by side the output is float64 whatever x is: an array made without a dtype is float64."""
    out, cache = avg_pool2d_forward(x, kernel_size, stride)
    return out.astype(np.float64) if kernel_size == (stride, stride) else out, cache


@misconception("avg_pool2d_backward", fails_only="test_avg_pool2d_backward_dtype", hides_on=TILES)
def shares_of_tiles_float64(dout, cache):
    """Where windows lie side by side the gradient is float64 whatever dout is.

    An array made without a dtype is float64.
    """
    _, kernel_size, stride = cache
    dx = avg_pool2d_backward(dout, cache)
    return dx.astype(np.float64) if kernel_size == (stride, stride) else dx


# ---- inputs that backward changes, since they are in the cache


@misconception("conv2d_backward", fails_only="test_conv2d_backward_inputs")
def filters_flipped_through_the_cache(dout, cache):
    """The w that forward was given is changed by backward: it comes back flipped.

    What is in the cache may be the array of the caller: flip a copy.
    """
    _, w, _, _ = cache
    gradients = conv2d_backward(dout, cache)
    w[...] = w[:, :, ::-1, ::-1].copy()
    return gradients


@misconception("conv2d_backward", fails_only="test_conv2d_backward_inputs")
def filters_reshaped_through_the_cache(dout, cache):
    """The w that forward was given has another shape after backward.

    Assigning a shape changes the array of the caller: reshape gives a new view and leaves the array alone.
    """
    _, w, _, _ = cache
    gradients = conv2d_backward(dout, cache)
    if w.flags.c_contiguous:  # else NumPy refuses
        w.shape = (len(w), -1)
    return gradients


@misconception("conv2d_backward", fails_only="test_conv2d_backward_inputs")
def dx_written_into_x(dout, cache):
    """The x that forward was given is overwritten by backward: the gradient was written into it.

    What is in the cache may be the array of the caller: make a new array for the gradient.
    """
    x, _, _, _ = cache
    dx, dw, db = conv2d_backward(dout, cache)
    x[...] = dx
    return x, dw, db


def keeping_b(x, w, b, stride=1, padding=0):
    """Compute the right output, and keep b as well."""
    out, cache = conv2d_forward(x, w, b, stride, padding)
    return out, (*cache, b)


@misconception("conv2d_backward", forward=keeping_b, fails_only="test_conv2d_backward_inputs")
def db_written_into_b(dout, cache):
    """The b that forward was given is overwritten by backward: the gradient was written into it.

    What is in the cache may be the array of the caller: make a new array for the gradient.
    """
    *cache, b = cache
    dx, dw, db = conv2d_backward(dout, cache)
    b[...] = db
    return dx, dw, b


@misconception("max_pool2d_backward", forward=keeping_x, fails_only="test_max_pool2d_backward_inputs")
def winners_written_into_x(dout, cache):
    """The x that forward was given is overwritten by backward: the gradient was written into it.

    What is in the cache may be the array of the caller: make a new array for the gradient.
    """
    x, _, kernel_size, stride = cache
    _, right_cache = max_pool2d_forward(x, kernel_size, stride)
    x[...] = max_pool2d_backward(dout, right_cache)
    return x


def averaging_and_keeping_x(x, kernel_size, stride):
    """Compute the right averages, and keep x where its shape would do."""
    out, _ = avg_pool2d_forward(x, kernel_size, stride)
    return out, (x, kernel_size, stride)


@misconception("avg_pool2d_backward", forward=averaging_and_keeping_x, fails_only="test_avg_pool2d_backward_inputs")
def shares_written_into_x(dout, cache):
    """The x that forward was given is overwritten by backward: the gradient was written into it.

    What is in the cache may be the array of the caller: make a new array for the gradient.
    """
    x, kernel_size, stride = cache
    x[...] = avg_pool2d_backward(dout, (x.shape, kernel_size, stride))
    return x


# ---- one call remembers another of the same shape


def keeping_columns_by_shape(x, w, b, stride=1, padding=0, buffers={}):
    """Compute the right output, and keep the columns in an array that the next call of that shape overwrites."""
    out, cache = conv2d_forward(x, w, b, stride, padding)
    cols = im2col(x, w.shape[2:], stride, padding)
    kept = buffers.setdefault((x.shape, w.shape, stride, padding), cols)
    kept[...] = cols
    return out, (*cache, kept)


@misconception("conv2d_backward", forward=keeping_columns_by_shape, fails_only="test_conv2d_backward_state")
def columns_kept_by_shape(dout, cache):
    """The gradient dw belongs to the last forward pass of that shape, whatever the cache.

    An array is kept and used again for the same shape, but each cache has to have its own.
    """
    x, w, stride, padding, cols = cache
    dx, _, db = conv2d_backward(dout, (x, w, stride, padding))
    dout_matrix = dout.transpose(1, 0, 2, 3).reshape(len(w), -1)
    return dx, (dout_matrix @ cols.T).reshape(w.shape).astype(w.dtype), db


# ---- values that are nearly equal


@misconception("max_pool2d_backward", forward=keeping_x, hides_on="apart")
def first_of_near_maxima(dout, cache):
    """The first value that is nearly as large as the maximum gets the gradient.

    Values are compared with a tolerance, or rounded, but they have to be compared exactly.
    """
    x, out, (KH, KW), stride = cache
    winner = np.full(out.shape, -1)
    for i, j, rows, columns in _taps((KH, KW), dout.shape[2:], stride):
        winner[(winner < 0) & np.isclose(x[:, :, rows, columns], out)] = i * KW + j
    return max_pool2d_backward(dout, (winner, x.shape, (KH, KW), stride))


# ---- large images: numbers of few bits, blocks of a fixed size


@misconception("im2col", fails_only="test_im2col_large", hides_on="H * W < 2**15")
def pixels_numbered_with_16_bits(x, kernel_size, stride=1, padding=0):
    """Pixels have numbers of 16 bits, which are too small for large images: use the integers that arange gives."""
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    H, W = H + 2 * padding, W + 2 * padding
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    numbers = np.arange(H * W).astype(np.int16).reshape(1, 1, H, W)
    places = im2col(numbers, (KH, KW), stride)
    cols = padded.reshape(N, C, H * W)[:, :, places]
    return cols.transpose(1, 2, 0, 3).reshape(C * KH * KW, -1)


@misconception("im2col", fails_only="test_im2col_large", hides_on="N * OH * OW <= 4096")
def columns_of_the_first_4096_windows(x, kernel_size, stride=1, padding=0):
    """Only the first windows are copied, up to a fixed number: what is left over needs a block of its own."""
    cols = im2col(x, kernel_size, stride, padding)
    cols[:, 4096:] = 0
    return cols


@misconception("col2im", fails_only="test_col2im_large", hides_on="(H + 2 * padding) * (W + 2 * padding) < 2**15")
def entries_numbered_with_16_bits(cols, x_shape, kernel_size, stride=1, padding=0):
    """Entries go to wrong pixels of large images, whose numbers do not fit into 16 bits.

    Use the integers that arange gives.
    """
    (N, C, H, W), (KH, KW) = x_shape, kernel_size
    H, W = H + 2 * padding, W + 2 * padding
    numbers = np.arange(H * W).astype(np.int16).reshape(1, 1, H, W)
    places = im2col(numbers, (KH, KW), stride).reshape(-1)
    flat = np.zeros((H * W, N * C), dtype=cols.dtype)
    np.add.at(flat, places, cols.reshape(C, KH * KW, N, -1).transpose(1, 3, 2, 0).reshape(-1, N * C))
    padded = flat.reshape(H, W, N, C).transpose(2, 3, 0, 1)
    return padded[:, :, padding : H - padding, padding : W - padding].copy()


@misconception("conv2d_forward", fails_only="test_conv2d_forward_large", hides_on="N * OH * OW < 4096")
def out_in_whole_blocks(x, w, b, stride=1, padding=0):
    """Windows are computed in blocks of a fixed size, and those left over at the end are not computed at all.

    The last block may be smaller.
    """
    out, cache = conv2d_forward(x, w, b, stride, padding)
    flat = out.transpose(1, 0, 2, 3).reshape(len(w), -1).copy()
    if flat.shape[1] > 4096:
        flat[:, flat.shape[1] // 4096 * 4096 :] = 0
    return flat.reshape(len(w), len(x), *out.shape[2:]).transpose(1, 0, 2, 3), cache


@misconception("conv2d_backward", fails_only="test_conv2d_backward_large", hides_on="N * OH * OW <= 4096")
def dw_in_whole_blocks(dout, cache):
    """The gradient dw is summed in blocks of a fixed size, and what is left over at the end is missing.

    The last block may be smaller.
    """
    x, w, stride, padding = cache
    dx, dw, db = conv2d_backward(dout, cache)
    dout_matrix = dout.transpose(1, 0, 2, 3).reshape(len(w), -1)
    whole = dout_matrix.shape[1] // 4096 * 4096
    if whole:
        cols = im2col(x, w.shape[2:], stride, padding)
        dw = (dout_matrix[:, :whole] @ cols[:, :whole].T).reshape(w.shape)
    return dx, dw, db


@misconception("max_pool2d_forward", fails_only="test_max_pool2d_forward_large", hides_on="H < 256 and W < 256")
def rows_numbered_with_8_bits(x, kernel_size, stride):
    """Rows and columns have numbers of 8 bits, which are too small for large images.

    Use the integers that arange gives.
    """
    _, cache = max_pool2d_forward(x, kernel_size, stride)
    rows, columns = (np.arange(size).astype(np.uint8) for size in x.shape[2:])
    return max_pool2d_forward(x[:, :, rows][:, :, :, columns], kernel_size, stride)[0], cache


@misconception("max_pool2d_backward", fails_only="test_max_pool2d_backward_large", hides_on="H * W < 2**15")
def winners_numbered_with_16_bits(dout, cache):
    """The gradient goes to wrong pixels of large images, whose numbers do not fit into 16 bits.

    Use the integers that arange gives.
    """
    winner, (N, C, H, W), (_, KW), stride = cache
    OH, OW = dout.shape[2:]
    rows = stride * np.arange(OH)[:, np.newaxis] + winner // KW
    columns = stride * np.arange(OW) + winner % KW
    places = (rows * W + columns).astype(np.int16).reshape(N * C, -1)
    dx = np.zeros((N * C, H * W), dtype=dout.dtype)
    np.add.at(dx, (np.arange(N * C)[:, np.newaxis], places), dout.reshape(N * C, -1))
    return dx.reshape(N, C, H, W)


@misconception("max_pool2d_backward", hides_on="KH * KW <= 256")
def taps_numbered_with_8_bits(dout, cache):
    """With large windows the gradient goes to the wrong pixel: the position of the maximum does not fit into 8 bits."""
    winner, *rest = cache
    return max_pool2d_backward(dout, (winner.astype(np.uint8), *rest))


@misconception("avg_pool2d_forward", fails_only="test_avg_pool2d_forward_large", hides_on="N * C * OH * OW <= 4096")
def average_of_the_first_4096_windows(x, kernel_size, stride):
    """Only the first windows are averaged, up to a fixed number: what is left over needs a block of its own."""
    out, cache = avg_pool2d_forward(x, kernel_size, stride)
    out.reshape(-1)[4096:] = 0
    return out, cache


@misconception("avg_pool2d_backward", fails_only="test_avg_pool2d_backward_large", hides_on="N * C * OH * OW < 2**15")
def shares_of_the_first_32768_windows(dout, cache):
    """Only the first windows hand on their gradient: their number does not fit into 16 bits.

    Use the integers that arange gives.
    """
    dout = dout.copy()
    dout.reshape(-1)[2**15 :] = 0
    return avg_pool2d_backward(dout, cache)


# ---- geometry that most layers do not have


@misconception("conv_output_size", hides_on="(size + 2 * padding - kernel_size) % stride * 2 < stride")
def size_rounded_to_the_nearest(size, kernel_size, stride=1, padding=0):
    """The number of windows is rounded to the nearest, but where the stride does not come out even it is rounded down.

    The last window would stick out of the image.
    """
    return int((size + 2 * padding - kernel_size) / stride + 0.5) + 1


@misconception("conv_output_size", hides_on="padding == 0 or (size + 2 * padding - kernel_size) % stride == 0")
def size_rounded_up_where_padded(size, kernel_size, stride=1, padding=0):
    """With padding the number of windows is rounded up, but it is rounded down in any case.

    A window that sticks out of the padded image does not count.
    """
    up = stride - 1 if padding else 0
    return (size + 2 * padding - kernel_size + up) // stride + 1


@misconception("im2col", hides_on="padding == 0 or KH % 2 and KW % 2")
def columns_of_even_kernels_shifted(x, kernel_size, stride=1, padding=0):
    """With an even kernel the image is not in the middle: one row or column of the padding is on the other side.

    The same number of zeros belongs on all four sides, whatever the kernel.
    """
    down, right = (int(padding > 0 and size % 2 == 0) for size in kernel_size)
    sides = (padding - down, padding + down), (padding - right, padding + right)
    return im2col(np.pad(x, ((0, 0), (0, 0), *sides)), kernel_size, stride)


@misconception("conv2d_forward", hides_on="N == 1")
def bias_for_the_first_image_only(x, w, b, stride=1, padding=0):
    """The bias is added to the first image only, but every image gets it."""
    out, cache = conv2d_forward(x, w, np.zeros_like(b), stride, padding)
    out[0] += b[:, np.newaxis, np.newaxis]
    return out, cache


@misconception("conv2d_forward", hides_on="KH == 1")
def bias_added_for_every_kernel_row(x, w, b, stride=1, padding=0):
    """The bias is added once for every row of the kernel.

    It belongs to the filter: add it after the sum over the window, not within.
    """
    out, cache = conv2d_forward(x, w, w.shape[2] * b, stride, padding)
    return out, cache


@misconception("conv2d_backward", hides_on="padding == 1")
def dx_cropped_by_one(dout, cache):
    """One row and column is cut off dx on every side, whatever the padding: cut off as many as were put around x."""
    x, w, stride, padding = cache
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dx, dw, db = conv2d_backward(dout, (padded, w, stride, 0))
    return dx[:, :, 1:-1, 1:-1], dw, db


@misconception("conv2d_backward", hides_on="padding < KH and padding < KW")
def dx_without_room_for_the_padding(dout, cache):
    """Where the padding is as large as the kernel dx is shifted and too large.

    The full convolution needs less padding than none there: crop what is too much.
    """
    x, w, stride, padding = cache
    (H, W), (KH, KW) = x.shape[2:], w.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dx, dw, db = conv2d_backward(dout, (padded, w, stride, 0))
    top, left = min(padding, KH - 1), min(padding, KW - 1)
    return dx[:, :, top : H + 2 * padding - top, left : W + 2 * padding - left], dw, db


@misconception("max_pool2d_backward", hides_on="OH <= H // KH and OW <= W // KW")
def winners_counted_by_division(dout, cache):
    """Gradients of the last windows are missing: windows are counted as if they lay side by side.

    Where windows overlap there are more: as many as dout has rows and columns.
    """
    _, (_, _, H, W), (KH, KW), _ = cache
    dout = dout.copy()
    dout[:, :, H // KH :] = 0
    dout[:, :, :, W // KW :] = 0
    return max_pool2d_backward(dout, cache)


@misconception("avg_pool2d_backward", hides_on="OH <= H // KH and OW <= W // KW")
def shares_counted_by_division(dout, cache):
    """Gradients of the last windows are missing: windows are counted as if they lay side by side.

    Where windows overlap there are more: as many as dout has rows and columns.
    """
    (_, _, H, W), (KH, KW), _ = cache
    dout = dout.copy()
    dout[:, :, H // KH :] = 0
    dout[:, :, :, W // KW :] = 0
    return avg_pool2d_backward(dout, cache)
