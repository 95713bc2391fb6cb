"""The oracle: all nine functions as loops straight from their definitions.

Expected values come from here, so being right matters more than anything else. This file does not use the method
that the homework teaches: its convolution has no column matrix, its pooling no slicing. All arithmetic is in float64
whatever the inputs are. Every sum adds one term at a time in the order written, so results are equal to the last bit
on every platform.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def conv_output_size(size: int, kernel_size: int, stride: int = 1, padding: int = 0) -> int:
    """Count the windows that fit along one axis, by trying them from the left."""
    count = 0
    while count * stride + kernel_size <= size + 2 * padding:
        count += 1
    return count


def _reads(size: int, kernel_size: int, stride: int, padding: int) -> list[list[tuple[int, int]]]:
    """List, for each output position along one axis, the pairs (kernel tap, input pixel) that meet there.

    Taps on the padding meet no pixel: they would add zero, so they are left out.
    """
    positions = range(conv_output_size(size, kernel_size, stride, padding))
    return [
        [(tap, pixel) for tap in range(kernel_size) if 0 <= (pixel := position * stride + tap - padding) < size]
        for position in positions
    ]


def im2col(x: Array, kernel_size: Sequence[int], stride: int = 1, padding: int = 0) -> Array:
    """Write each window of ``x (N, C, H, W)`` as a column of ``cols (C*KH*KW, N*OH*OW)``."""
    N, C, H, W = x.shape
    KH, KW = kernel_size
    rows, columns = _reads(H, KH, stride, padding), _reads(W, KW, stride, padding)
    OH, OW = len(rows), len(columns)
    cols = np.zeros((C * KH * KW, N * OH * OW))
    for n, p, q in np.ndindex(N, OH, OW):
        for c in range(C):
            for i, row in rows[p]:
                for j, column in columns[q]:
                    cols[(c * KH + i) * KW + j, (n * OH + p) * OW + q] = x[n, c, row, column]
    return cols


def col2im(cols: Array, x_shape: Sequence[int], kernel_size: Sequence[int], stride: int = 1, padding: int = 0) -> Array:
    """Add each entry of ``cols (C*KH*KW, N*OH*OW)`` to the pixel of ``x (N, C, H, W)`` it was read from."""
    N, C, H, W = x_shape
    KH, KW = kernel_size
    cols = np.asarray(cols, dtype=np.float64)
    rows, columns = _reads(H, KH, stride, padding), _reads(W, KW, stride, padding)
    OH, OW = len(rows), len(columns)
    x = np.zeros((N, C, H, W))
    for n, p, q in np.ndindex(N, OH, OW):
        for c in range(C):
            for i, row in rows[p]:
                for j, column in columns[q]:
                    x[n, c, row, column] += cols[(c * KH + i) * KW + j, (n * OH + p) * OW + q]
    return x


def conv2d_forward(x: Array, w: Array, b: Array, stride: int = 1, padding: int = 0) -> tuple[Array, Any]:
    """Slide each filter of ``w (F, C, KH, KW)`` over ``x (N, C, H, W)`` and add ``b (F,)``."""
    x, w, b = (np.asarray(array, dtype=np.float64) for array in (x, w, b))
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    rows, columns = _reads(H, KH, stride, padding), _reads(W, KW, stride, padding)
    out = np.zeros((N, F, len(rows), len(columns)))
    for n, f, p, q in np.ndindex(*out.shape):
        total = b[f]
        for c in range(C):
            for i, row in rows[p]:
                for j, column in columns[q]:
                    total += x[n, c, row, column] * w[f, c, i, j]
        out[n, f, p, q] = total
    return out, (x, w, rows, columns)


def conv2d_backward(dout: Array, cache: Any) -> tuple[Array, Array, Array]:
    """Hand each entry of ``dout (N, F, OH, OW)`` back to everything that was multiplied into it."""
    x, w, rows, columns = cache
    dout = np.asarray(dout, dtype=np.float64)
    dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros(w.shape[0])
    for n, f, p, q in np.ndindex(*dout.shape):
        upstream = dout[n, f, p, q]
        db[f] += upstream
        for c in range(x.shape[1]):
            for i, row in rows[p]:
                for j, column in columns[q]:
                    dx[n, c, row, column] += upstream * w[f, c, i, j]
                    dw[f, c, i, j] += upstream * x[n, c, row, column]
    return dx, dw, db


def max_pool2d_forward(x: Array, kernel_size: Sequence[int], stride: int) -> tuple[Array, Any]:
    """Keep the largest pixel of each window, and remember where it was: the first one in row-major order."""
    x = np.asarray(x, dtype=np.float64)
    N, C, H, W = x.shape
    rows, columns = _reads(H, kernel_size[0], stride, 0), _reads(W, kernel_size[1], stride, 0)
    out = np.zeros((N, C, len(rows), len(columns)))
    winners = {}
    for n, c, p, q in np.ndindex(*out.shape):
        pixels = [(row, column) for _, row in rows[p] for _, column in columns[q]]
        winner = max(pixels, key=x[n, c].__getitem__)  # of equals, max returns the first
        out[n, c, p, q] = x[n, c][winner]
        winners[n, c, p, q] = winner
    return out, (x.shape, winners)


def max_pool2d_backward(dout: Array, cache: Any) -> Array:
    """Give each entry of ``dout (N, C, OH, OW)`` to the pixel that won its window."""
    x_shape, winners = cache
    dx = np.zeros(x_shape)
    for (n, c, p, q), (row, column) in winners.items():
        dx[n, c, row, column] += dout[n, c, p, q]
    return dx


def avg_pool2d_forward(x: Array, kernel_size: Sequence[int], stride: int) -> tuple[Array, Any]:
    """Average the pixels of each window."""
    x = np.asarray(x, dtype=np.float64)
    N, C, H, W = x.shape
    KH, KW = kernel_size
    rows, columns = _reads(H, KH, stride, 0), _reads(W, KW, stride, 0)
    out = np.zeros((N, C, len(rows), len(columns)))
    for n, c, p, q in np.ndindex(*out.shape):
        total = 0.0
        for _, row in rows[p]:
            for _, column in columns[q]:
                total += x[n, c, row, column]
        out[n, c, p, q] = total / (KH * KW)
    return out, (x.shape, KH * KW, rows, columns)


def avg_pool2d_backward(dout: Array, cache: Any) -> Array:
    """Share each entry of ``dout (N, C, OH, OW)`` equally among the pixels of its window."""
    x_shape, window, rows, columns = cache
    dout = np.asarray(dout, dtype=np.float64)
    dx = np.zeros(x_shape)
    for n, c, p, q in np.ndindex(*dout.shape):
        share = dout[n, c, p, q] / window
        for _, row in rows[p]:
            for _, column in columns[q]:
                dx[n, c, row, column] += share
    return dx
