import numpy as np

from wire import conv_output_size, wires


def im2col(x, kernel_size, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    blocks = np.stack([x[index] for _, index in wires(x.shape, kernel_size, stride)], axis=2)  # N C K OH OW
    N, C, K, OH, OW = blocks.shape
    return blocks.transpose(1, 2, 0, 3, 4).reshape(C * K, N * OH * OW)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    blocks = cols.reshape(C, KH * KW, N, OH, OW).transpose(2, 0, 1, 3, 4)
    x = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    for k, index in wires(x.shape, kernel_size, stride):
        x[index] += blocks[:, :, k]
    return x[:, :, padding:padding + H, padding:padding + W]
