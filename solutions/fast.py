"""How fast NumPy goes: the nine functions of `layers.py`, and what makes them quick.

Students need not write code like this. Read the model answer first; this file shows how much faster vectorised code
can still become. Functions, arrays and hidden tests are the same; what `layers.py` documents is not repeated.
``make bench`` compares the two with PyTorch. Each idea ends with what leaving it out costs, at one thread in float32,
as a multiple of the time of a LeNet-5 training step where nothing else is said.

1. **Rows first, images last.** Inside, a batch of images is ``(H, C, W, N)``. One pixel to the right is then N numbers
   further on, so a window's row moves as one run of ``OW*N`` numbers, and one row of all images is one matrix. Results
   go out as transposed views; ReLU and the next layer keep their order, so only foreign arrays are ever copied. With
   plain NCHW arrays between the layers: 1.4.
2. **Rows as they lie.** `im2col` copies each pixel KH*KW times. Here the windows of output row p are image rows p to
   p + KH, which are neighbours already: KW copies are enough, and the matrix of row p + 1 starts one image row further
   on in the same memory (Cho and Brand, "MEC: Memory-efficient convolution for deep neural network", 2017). It works
   backwards, too: row h of dx needs rows h - KH + 1 to h of dout, neighbours again, so one product sums over the
   kernel's rows, and KW slices are left to add. With KH*KW copies and additions: 1.55.
3. **Blocks.** Columns are written for a few output rows, used while the cache has them, and written again on the way
   back. All rows at once are no faster and need several times the memory; small blocks copy the rows that they share
   too often. With 256 KB: 1.35. Pooling goes by blocks as well; without: up to 1.4 times a large one in float64.
4. **Small products.** OpenBLAS multiplies small matrices where they lie and rearranges large ones first, which does
   not pay when one side is short. So products are cut into strips below its limit. Without: 1.2, and 1.6 times the
   second convolution.
5. **Air.** Rows a power of two apart share a few places of the cache and push each other out, hence sixteen unused
   numbers at the end of each. Without: 1.2 to 1.3 times a convolution where ``OW*N`` is a multiple of a large power of
   two, nothing elsewhere.
6. **Maximum instead of mask.** Max pooling keeps the winner's number with the operation that keeps its value. With a
   masked assignment: 1.25, five times max pooling itself.
7. **One flat addition.** ``np.add.at`` is slow with a tuple of indices, but not with one flat array of them: the
   gradient of max pooling then goes straight to the winners. Tap by tap with masks: twice a 3x3 backward pass.

Not here because they gained nothing in this design: splitting images by phases of the stride before they are copied,
smaller buffers (`np.setbufsize`), and larger thresholds of `malloc`, as no page fault is left after the first step.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

Array = np.ndarray[Any, np.dtype[Any]]  # float32 or float64

BLOCK_BYTES = 2**21  # smaller blocks copy the rows that neighbours share more often, larger ones gain nothing
SMALL_PRODUCT = 10**6  # multiplications; the limit of OpenBLAS on x86 with AVX-512, harmless elsewhere
THIN_STRIP = 48  # columns; below, a strip costs more than it saves
AIR = 16  # entries


def conv_output_size(size: int, kernel_size: int, stride: int = 1, padding: int = 0) -> int:
    """Compute how many windows fit along one axis."""
    return (size + 2 * padding - kernel_size) // stride + 1


def im2col(x: Array, kernel_size: tuple[int, int], stride: int = 1, padding: int = 0) -> Array:
    """Write every window of ``x (N, C, H, W)`` as one column of ``cols (C*KH*KW, N*OH*OW)``; for show only."""
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows: Array = sliding_window_view(padded, kernel_size, axis=(2, 3))  # type: ignore[call-overload]
    windows = windows[:, :, ::stride, ::stride].transpose(1, 4, 5, 0, 2, 3)  # (C, KH, KW, N, OH, OW)
    return windows.reshape(np.prod(windows.shape[:3]), -1)


def col2im(
    cols: Array, x_shape: tuple[int, int, int, int], kernel_size: tuple[int, int], stride: int = 1, padding: int = 0
) -> Array:
    """Add every entry of ``cols (C*KH*KW, N*OH*OW)`` to its pixel of ``x (N, C, H, W)``; for show only."""
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    taps = cols.reshape(C, KH, KW, N, OH, OW)
    padded = np.zeros((C, N, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    for i, j in np.ndindex(KH, KW):
        padded[:, :, i : i + stride * OH : stride, j : j + stride * OW : stride] += taps[:, i, j]
    return padded[:, :, padding : padding + H, padding : padding + W].transpose(1, 0, 2, 3)


# --- the layout inside -----------------------------------------------------------------------------------------------


def _row_blocks(rows: int, bytes_per_row: int) -> Iterator[slice]:
    """Cut rows into blocks of about BLOCK_BYTES."""
    block = max(1, BLOCK_BYTES // bytes_per_row)
    return (slice(start, min(start + block, rows)) for start in range(0, rows, block))


def rows_first(x: Array) -> Array:
    """Give ``x (N, C, H, W)`` as ``(H, C, W, N)``, contiguous: a view if it came from `_images_first`, else a copy."""
    return np.ascontiguousarray(x.transpose(2, 1, 3, 0))


def _images_first(x: Array) -> Array:
    """Give ``x (H, C, W, N)`` as ``(N, C, H, W)``, without moving anything."""
    return x.transpose(3, 1, 0, 2)


# --- convolution -----------------------------------------------------------------------------------------------------


def _multiply(a: Array, b: Array, out: Array) -> None:
    """Compute ``out = a @ b``, also for stacks of matrices, in strips of columns where that is faster."""
    columns = b.shape[-1]
    strip = SMALL_PRODUCT // (a.shape[-2] * a.shape[-1]) // 16 * 16
    if strip < THIN_STRIP:
        strip = columns
    for start in range(0, columns, strip):
        np.matmul(a, b[..., start : start + strip], out=out[..., start : start + strip])


def _column_blocks(
    image: Array, kernel_size: tuple[int, int], stride: int, padding: int
) -> Iterator[tuple[slice, Array]]:
    """Walk through the output rows in blocks, with the column matrix of each row.

    Parameters
    ----------
    image : ndarray, shape (H, C, W, N)
        Images, rows first.
    kernel_size : tuple of two ints
        ``(KH, KW)``.
    stride, padding : int
        Step of the window, and zeros added around each image.

    Yields
    ------
    rows : slice
        The output rows of this block.
    cols : ndarray, shape (rows, KH*C*KW, OW*N)
        ``cols[p, (i*C + c)*KW + j, q*N + n] = xp[n, c, stride*p + i, stride*q + j]``, p counted from ``rows.start``.
        A view of memory that the next block writes over.
    """
    H, C, W, N = image.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    length = OW * N + AIR
    fitting = BLOCK_BYTES // (C * KW * length * image.itemsize)
    block = min(OH, max(1, (fitting - KH) // stride + 1))
    # Windows that reach into the padding on the left and right never write here, so these zeros stay.
    buffer = np.zeros((stride * (block - 1) + KH, C, KW, length), dtype=image.dtype)
    for start in range(0, OH, block):
        count = min(block, OH - start)
        above, height = stride * start - padding, stride * (count - 1) + KH
        top = min(max(0, -above), height)  # the rows of the buffer from top to bottom hold pixels, the rest padding
        bottom = max(top, min(height, H - above))
        buffer[:top] = 0
        buffer[bottom:height] = 0
        for j in range(KW):
            left = j - padding  # where window 0 reads
            first = max(0, -(left // stride))  # the windows from first to last read pixels; division rounds up
            last = max(first, min(OW, -((left - W) // stride)))
            target = buffer[top:bottom, :, j, first * N : last * N].reshape(bottom - top, C, last - first, N)
            columns = slice(stride * first + left, stride * last + left, stride)
            target[...] = image[top + above : bottom + above, :, columns]
        # Row p's matrix starts stride image rows after that of row p - 1. Made like this, NumPy checks that it fits.
        shape, row = (count, KH * C * KW, OW * N), length * image.itemsize
        yield (
            slice(start, start + count),
            np.ndarray(shape, image.dtype, buffer, strides=(stride * C * KW * row, row, image.itemsize)),
        )


def conv2d_forward(x: Array, w: Array, b: Array, stride: int = 1, padding: int = 0) -> tuple[Array, Any]:
    """Convolve ``x (N, C, H, W)`` with ``w (F, C, KH, KW)``, add ``b (F,)``; return ``out (N, F, OH, OW)``, cache."""
    N, _, H, W = x.shape
    F, _, KH, KW = w.shape
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    image = rows_first(x)
    weights = w.transpose(0, 2, 1, 3).reshape(F, -1)  # (F, KH*C*KW), as the columns are ordered
    out = np.empty((OH, F, OW * N), dtype=x.dtype)
    for rows, cols in _column_blocks(image, (KH, KW), stride, padding):
        _multiply(weights, cols, out[rows])
        out[rows] += b[:, np.newaxis]
    return _images_first(out.reshape(OH, F, OW, N)), (image, w, stride, padding)


def conv2d_backward(dout: Array, cache: Any) -> tuple[Array, Array, Array]:
    """Compute ``dx (N, C, H, W)``, ``dw (F, C, KH, KW)`` and ``db (F,)`` from ``dout (N, F, OH, OW)``."""
    image, w, stride, padding = cache
    H, _, W, N = image.shape
    F, _, KH, KW = w.shape
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    dout_rows = rows_first(dout).reshape(OH, F, OW * N)
    dw = _filter_gradient(dout_rows, image, w.shape, stride, padding)
    dx = _input_gradient(dout_rows, w, image.shape, stride, padding)
    return _images_first(dx), dw, dout_rows.sum(axis=(0, 2))


def _filter_gradient(
    dout_rows: Array, image: Array, shape: tuple[int, int, int, int], stride: int, padding: int
) -> Array:
    """Compute ``dw (F, C, KH, KW)`` from ``dout (OH, F, OW*N)`` and ``x (H, C, W, N)``, both rows first."""
    F, C, KH, KW = shape
    dw = np.zeros((F, KH * C * KW), dtype=image.dtype)
    for rows, cols in _column_blocks(image, (KH, KW), stride, padding):
        # Made the other way round in memory: OpenBLAS is quicker when the long side of a product comes first.
        products = np.empty((len(cols), KH * C * KW, F), dtype=dw.dtype).transpose(0, 2, 1)
        _multiply(dout_rows[rows], cols.transpose(0, 2, 1), products)
        dw += products.sum(axis=0)
    return dw.reshape(F, KH, C, KW).transpose(0, 2, 1, 3)


def _input_gradient(dout_rows: Array, w: Array, shape: tuple[int, int, int, int], stride: int, padding: int) -> Array:
    """Compute the gradient of a convolution with respect to its input.

    Row ``h = stride*m + r`` of the padded image meets the kernel rows ``r, r + stride, r + 2*stride, …``, the first of
    them in output row m, the second in output row m - 1, and so on. Columns go by the same rule, which is why they are
    added up phase by phase: columns ``r, r + stride, …`` of the image side by side.

    Parameters
    ----------
    dout_rows : ndarray, shape (OH, F, OW*N)
        Derivative of the loss with respect to `out`, rows first.
    w : ndarray, shape (F, C, KH, KW)
        Filters.
    shape : tuple of four ints
        ``(H, C, W, N)``.
    stride, padding : int
        Step of the window, and zeros added around each image.

    Returns
    -------
    ndarray, shape (H, C, W, N)
        dx, rows first.
    """
    H, C, W, N = shape
    OH, F, length = dout_rows.shape
    KW, OW = w.shape[3], length // N
    stack = dout_rows.reshape(OH * F, length)
    # For each r, the kernel rows that meet it, last one first, as the rows of dout lie: (KW*C, taps*F).
    phases = [w[:, :, r::stride][:, :, ::-1].transpose(3, 1, 2, 0).reshape(KW * C, -1) for r in range(stride)]
    dx = np.empty(shape, dtype=dout_rows.dtype)
    width = -(-W // stride)
    for block in _row_blocks(H, KW * C * (length + AIR) * dx.itemsize):
        rows = dx[block]
        count = len(rows)
        buffer = np.empty((count, KW * C, length + AIR), dtype=dx.dtype)
        for k in range(count):
            m, r = divmod(block.start + k + padding, stride)
            taps = phases[r].shape[1] // F
            low, high = max(0, m - OH + 1), min(taps, m + 1)  # of the taps, those that meet a row of dout
            if low < high:
                kernel = phases[r][:, (taps - high) * F : (taps - low) * F]
                _multiply(kernel, stack[(m - high + 1) * F : (m - low + 1) * F], buffer[k, :, :length])
            else:
                buffer[k] = 0
        # The gradients of the KW taps, and the image's columns by phase: with stride 1 that is dx itself.
        gradients = buffer.reshape(count, KW, C, length + AIR)
        columns = np.empty((count, C, stride, width * N), dx.dtype) if stride > 1 else rows.reshape(count, C, 1, W * N)
        columns[...] = 0
        for j in range(KW):
            shift, r = divmod(j - padding, stride)
            first = max(0, -shift)  # the windows from first to last read pixels with tap j
            last = max(first, min(OW, width - shift))
            columns[:, :, r, (first + shift) * N : (last + shift) * N] += gradients[:, j, :, first * N : last * N]
        if stride > 1:
            for r in range(stride):
                target = rows[:, :, r::stride]
                target[...] = columns[:, :, r, : target.shape[2] * N].reshape(target.shape)
    return dx


# --- pooling ---------------------------------------------------------------------------------------------------------


def _shifts(start: int, windows: int, kernel_size: int, stride: int) -> list[slice]:
    """List, for each tap of the kernel along one axis, the pixels it meets in so many windows from start on."""
    return [slice(i, i + stride * windows, stride) for i in range(stride * start, stride * start + kernel_size)]


def max_pool2d_forward(x: Array, kernel_size: tuple[int, int], stride: int) -> tuple[Array, Any]:
    """Keep the largest pixel of every window of ``x (N, C, H, W)``; return ``out (N, C, OH, OW)`` and cache."""
    image, (KH, KW) = rows_first(x), kernel_size
    H, C, W, N = image.shape
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    out = np.empty((OH, C, OW, N), dtype=x.dtype)
    winner = np.zeros(out.shape, dtype=np.min_scalar_type(KH * KW))
    for block in _row_blocks(OH, stride * image[0].nbytes):
        best, won = out[block], winner[block]
        rows, columns = _shifts(block.start, len(best), KH, stride), _shifts(0, OW, KW, stride)
        best[...] = image[rows[0], :, columns[0]]
        for k in range(1, KH * KW):
            pixels = image[rows[k // KW], :, columns[k % KW]].copy()  # used twice, and strides are slow to read
            # Only a strictly larger pixel takes over, and k grows: the maximum is the last to take over.
            np.maximum(won, (pixels > best) * won.dtype.type(k), out=won)
            np.maximum(best, pixels, out=best)
    return _images_first(out), (winner, image.shape, (KH, KW), stride)


def max_pool2d_backward(dout: Array, cache: Any) -> Array:
    """Give each entry of ``dout (N, C, OH, OW)`` to the pixel of ``dx (N, C, H, W)`` that won its window."""
    winner, (H, C, W, N), (KH, KW), stride = cache
    OH, _, OW, _ = winner.shape
    dout_rows = rows_first(dout)
    dx = np.zeros((H, C, W, N), dtype=dout.dtype)
    # Where in dx each window of an output row starts, and how far from there each tap is.
    c, q, n = np.ogrid[:C, :OW, :N]
    starts = (c * W + stride * q) * N + n
    taps = (np.arange(KH)[:, np.newaxis] * C * W + np.arange(KW)).reshape(-1) * N
    for block in _row_blocks(OH, stride * dx[0].nbytes):
        targets = taps[winner[block]]
        targets += starts
        targets += np.arange(block.start, block.stop).reshape(-1, 1, 1, 1) * (stride * C * W * N)
        np.add.at(dx.reshape(-1), targets.reshape(-1), dout_rows[block].reshape(-1))
    return _images_first(dx)


def avg_pool2d_forward(x: Array, kernel_size: tuple[int, int], stride: int) -> tuple[Array, Any]:
    """Average the pixels of every window of ``x (N, C, H, W)``; return ``out (N, C, OH, OW)`` and cache."""
    image, (KH, KW) = rows_first(x), kernel_size
    H, C, W, N = image.shape
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    out = np.empty((OH, C, OW, N), dtype=x.dtype)
    for block in _row_blocks(OH, stride * image[0].nbytes):
        down, across = _shifts(block.start, block.stop - block.start, KH, stride), _shifts(0, OW, KW, stride)
        sums = image[down[0]].copy()  # first down the columns, where memory is contiguous, then along the rows
        for rows in down[1:]:
            sums += image[rows]
        total = out[block]
        total[...] = sums[:, :, across[0]]
        for columns in across[1:]:
            total += sums[:, :, columns]
        total /= KH * KW
    return _images_first(out), (image.shape, (KH, KW), stride)


def avg_pool2d_backward(dout: Array, cache: Any) -> Array:
    """Share each entry of ``dout (N, C, OH, OW)`` among the pixels of its window in ``dx (N, C, H, W)``."""
    (H, C, W, N), (KH, KW), stride = cache
    dout_rows = rows_first(dout)
    OH, _, OW, _ = dout_rows.shape
    dx = np.zeros((H, C, W, N), dtype=dout.dtype)
    for block in _row_blocks(OH, stride * dx[0].nbytes):
        share = dout_rows[block] / (KH * KW)
        sums = np.zeros((len(share), C, W, N), dtype=dx.dtype)
        for columns in _shifts(0, OW, KW, stride):
            if stride < KW:
                sums[:, :, columns] += share
            else:  # no pixel is in two windows, so there is nothing to add to
                sums[:, :, columns] = share
        for rows in _shifts(block.start, len(share), KH, stride):
            if stride < KH:
                dx[rows] += sums
            else:
                dx[rows] = sums
    return _images_first(dx)
