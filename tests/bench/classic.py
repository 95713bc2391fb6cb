"""The column method as most tutorials write it: index arrays made for the whole image, `np.add.at` on the way back.

One of the contestants of `peers.py`: short, vectorised, and slow where it matters. Fancy indexing moves one number at a
time, and `np.add.at` with a tuple of indices is slower again. Its columns are in an order of its own (OH, OW, N), so it
answers the homework's questions about layers only.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def _indices(x_shape: tuple[int, ...], kernel_size: tuple[int, int], stride: int, padding: int) -> tuple[Array, ...]:
    """Give channel, row and column of every entry of a column matrix, as arrays that broadcast to its shape."""
    _, C, H, W = x_shape
    KH, KW = kernel_size
    OH, OW = (H + 2 * padding - KH) // stride + 1, (W + 2 * padding - KW) // stride + 1
    c, i, j = (axis.reshape(-1, 1) for axis in np.indices((C, KH, KW)))
    p, q = (axis.reshape(1, -1) for axis in np.indices((OH, OW)))
    return c, i + stride * p, j + stride * q


def im2col(x: Array, kernel_size: tuple[int, int], stride: int = 1, padding: int = 0) -> Array:
    """Write the windows of ``x (N, C, H, W)`` as columns ``(C*KH*KW, OH*OW*N)``."""
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    cols = padded[(slice(None), *_indices(x.shape, kernel_size, stride, padding))]
    return cols.transpose(1, 2, 0).reshape(cols.shape[1], -1)


def col2im(
    cols: Array, x_shape: tuple[int, ...], kernel_size: tuple[int, int], stride: int = 1, padding: int = 0
) -> Array:
    """Add columns ``(C*KH*KW, OH*OW*N)`` up where they came from."""
    N, C, H, W = x_shape
    padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    by_image = cols.reshape(cols.shape[0], -1, N).transpose(2, 0, 1)
    np.add.at(padded, (slice(None), *_indices(x_shape, kernel_size, stride, padding)), by_image)
    return padded[:, :, padding : padding + H, padding : padding + W]


def conv2d_forward(x: Array, w: Array, b: Array, stride: int = 1, padding: int = 0) -> tuple[Array, Any]:
    """Convolve; keep the columns for the way back."""
    N, _, H, W = x.shape
    F, _, KH, KW = w.shape
    OH, OW = (H + 2 * padding - KH) // stride + 1, (W + 2 * padding - KW) // stride + 1
    cols = im2col(x, (KH, KW), stride, padding)
    out = w.reshape(F, -1) @ cols + b.reshape(-1, 1)
    return out.reshape(F, OH, OW, N).transpose(3, 0, 1, 2), (x, w, stride, padding, cols)


def conv2d_backward(dout: Array, cache: Any) -> tuple[Array, Array, Array]:
    """Return dx, dw and db."""
    x, w, stride, padding, cols = cache
    F, _, KH, KW = w.shape
    dout_matrix = dout.transpose(1, 2, 3, 0).reshape(F, -1)
    dw = (dout_matrix @ cols.T).reshape(w.shape)
    dx = col2im(w.reshape(F, -1).T @ dout_matrix, x.shape, (KH, KW), stride, padding)
    return dx, dw, dout.sum(axis=(0, 2, 3))


def max_pool2d_forward(x: Array, kernel_size: tuple[int, int], stride: int) -> tuple[Array, Any]:
    """Pool by way of the columns of N*C images with one channel."""
    N, C, H, W = x.shape
    cols = im2col(x.reshape(N * C, 1, H, W), kernel_size, stride)
    winner = cols.argmax(axis=0)
    out = cols[winner, np.arange(winner.size)]
    OH, OW = (H - kernel_size[0]) // stride + 1, (W - kernel_size[1]) // stride + 1
    return out.reshape(OH, OW, N, C).transpose(2, 3, 0, 1), (x.shape, kernel_size, stride, winner, cols.shape)


def max_pool2d_backward(dout: Array, cache: Any) -> Array:
    """Return dx."""
    (N, C, H, W), kernel_size, stride, winner, shape = cache
    dcols = np.zeros(shape, dtype=dout.dtype)
    dcols[winner, np.arange(winner.size)] = dout.transpose(2, 3, 0, 1).reshape(-1)
    return col2im(dcols, (N * C, 1, H, W), kernel_size, stride).reshape(N, C, H, W)


def avg_pool2d_forward(x: Array, kernel_size: tuple[int, int], stride: int) -> tuple[Array, Any]:
    """Pool by way of the columns of N*C images with one channel."""
    N, C, H, W = x.shape
    cols = im2col(x.reshape(N * C, 1, H, W), kernel_size, stride)
    OH, OW = (H - kernel_size[0]) // stride + 1, (W - kernel_size[1]) // stride + 1
    out = cols.mean(axis=0).reshape(OH, OW, N, C).transpose(2, 3, 0, 1)
    return out, (x.shape, kernel_size, stride, cols.shape)


def avg_pool2d_backward(dout: Array, cache: Any) -> Array:
    """Return dx."""
    (N, C, H, W), kernel_size, stride, shape = cache
    share = dout.transpose(2, 3, 0, 1).reshape(-1) / shape[0]
    dcols = np.broadcast_to(share, shape)
    return col2im(dcols, (N * C, 1, H, W), kernel_size, stride).reshape(N, C, H, W)
