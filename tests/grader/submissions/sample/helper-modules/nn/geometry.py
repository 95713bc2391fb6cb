"""Sizes and slices."""


def conv_output_size(size, kernel_size, stride=1, padding=0):
    return (size + 2 * padding - kernel_size) // stride + 1


def taps(x_shape, kernel_size, stride):
    """All (i, j, index): index takes the pixels that tap (i, j) of the kernel touches."""
    KH, KW = kernel_size
    height = stride * conv_output_size(x_shape[2], KH, stride)
    width = stride * conv_output_size(x_shape[3], KW, stride)
    for i in range(KH):
        for j in range(KW):
            yield i, j, (slice(None), slice(None), slice(i, i + height, stride), slice(j, j + width, stride))
