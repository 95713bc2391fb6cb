"""Convolution and pooling in NumPy."""

from typing import Iterator, Tuple

import numpy as np


def conv_output_size(size: int, kernel_size: int, stride: int = 1, padding: int = 0) -> int:
    """Number of positions of the kernel."""
    return int((size + 2 * padding - kernel_size) / stride + 1)


def pad2d(x: np.ndarray, pad: int) -> np.ndarray:
    """Zero-pad the two spatial axes."""
    return np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="constant", constant_values=0)


def unpad2d(x: np.ndarray, pad: int) -> np.ndarray:
    """Undo pad2d."""
    return x[:, :, pad:-pad, pad:-pad]


def offsets(kernel_size: Tuple[int, int]) -> Iterator[Tuple[int, int]]:
    """All positions inside the kernel."""
    return np.ndindex(*kernel_size)


def seen_from(x: np.ndarray, i: int, j: int, OH: int, OW: int, stride: int) -> np.ndarray:
    """The pixels below entry (i, j) of the kernel, for all its positions: a view of shape (N, C, OH, OW)."""
    return x[:, :, i : i + stride * OH : stride, j : j + stride * OW : stride]


def im2col(x: np.ndarray, kernel_size: Tuple[int, int], stride: int = 1, padding: int = 0) -> np.ndarray:
    """Stretch every receptive field into a column."""
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH = conv_output_size(H, KH, stride, padding)
    OW = conv_output_size(W, KW, stride, padding)
    x_pad = pad2d(x, padding)
    fields = np.zeros((C, KH, KW, N, OH, OW), dtype=x.dtype)
    for i, j in offsets(kernel_size):
        fields[:, i, j] = seen_from(x_pad, i, j, OH, OW, stride).transpose(1, 0, 2, 3)
    return fields.reshape(C * KH * KW, N * OH * OW)


def col2im(
    cols: np.ndarray, x_shape: Tuple[int, ...], kernel_size: Tuple[int, int], stride: int = 1, padding: int = 0
) -> np.ndarray:
    """Sum the columns back into an image."""
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH = conv_output_size(H, KH, stride, padding)
    OW = conv_output_size(W, KW, stride, padding)
    fields = cols.reshape(C, KH, KW, N, OH, OW)
    x_pad = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    for i, j in offsets(kernel_size):
        seen_from(x_pad, i, j, OH, OW, stride)[...] += fields[:, i, j].transpose(1, 0, 2, 3)
    return unpad2d(x_pad, padding)


def conv2d_forward(x, w, b, stride=1, padding=0):
    """Forward pass of a convolutional layer."""
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    OH = conv_output_size(H, KH, stride, padding)
    OW = conv_output_size(W, KW, stride, padding)
    cols = im2col(x, (KH, KW), stride, padding)
    out = (w.reshape(F, -1) @ cols + b[:, None]).reshape(F, N, OH, OW)
    return out.transpose(1, 0, 2, 3), (x, w, b, stride, padding)


def conv2d_backward(dout, cache):
    """Backward pass of a convolutional layer."""
    x, w, b, stride, padding = cache
    N, F, OH, OW = dout.shape
    x_pad = pad2d(x, padding)
    dx_pad = np.zeros_like(x_pad)
    dw = np.zeros_like(w)
    db = dout.sum(axis=(0, 2, 3))
    for i, j in offsets(w.shape[2:]):
        dw[:, :, i, j] = np.tensordot(dout, seen_from(x_pad, i, j, OH, OW, stride), axes=((0, 2, 3), (0, 2, 3)))
        seen_from(dx_pad, i, j, OH, OW, stride)[...] += np.einsum("nfpq,fc->ncpq", dout, w[:, :, i, j])
    dx = unpad2d(dx_pad, padding)
    return dx, dw, db


def max_pool2d_forward(x, kernel_size, stride):
    """Forward pass of max pooling."""
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    fields = np.stack([seen_from(x, i, j, OH, OW, stride) for i, j in offsets(kernel_size)])
    return fields.max(axis=0), (fields.argmax(axis=0), x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    """Backward pass of max pooling."""
    winner, x_shape, kernel_size, stride = cache
    OH, OW = dout.shape[2:]
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for number, (i, j) in enumerate(offsets(kernel_size)):
        seen_from(dx, i, j, OH, OW, stride)[...] += dout * (winner == number)
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    """Forward pass of average pooling."""
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    fields = np.stack([seen_from(x, i, j, OH, OW, stride) for i, j in offsets(kernel_size)])
    return fields.mean(axis=0), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    """Backward pass of average pooling."""
    x_shape, kernel_size, stride = cache
    OH, OW = dout.shape[2:]
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for i, j in offsets(kernel_size):
        seen_from(dx, i, j, OH, OW, stride)[...] += dout / (kernel_size[0] * kernel_size[1])
    return dx
