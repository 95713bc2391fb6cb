"""im2col and its transpose."""

import numpy as np

from .geometry import conv_output_size, taps


def im2col(x, kernel_size, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    pieces = np.stack([x[index] for _, _, index in taps(x.shape, kernel_size, stride)])  # K N C OH OW
    return pieces.transpose(2, 0, 1, 3, 4).reshape(x.shape[1] * len(pieces), -1)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    x = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    OH, OW = (conv_output_size(size, k, stride, padding) for size, k in zip((H, W), kernel_size))
    pieces = cols.reshape(C, -1, N, OH, OW).transpose(1, 2, 0, 3, 4)
    for piece, (_, _, index) in zip(pieces, taps(x.shape, kernel_size, stride)):
        x[index] += piece
    return x[:, :, padding : padding + H, padding : padding + W]
