"""How the windows of a layer are wired to its pixels."""

from itertools import product

from errors import check_sizes


def conv_output_size(size, kernel_size, stride=1, padding=0):
    check_sizes(size, kernel_size, stride, padding)
    return (size + 2 * padding - kernel_size) // stride + 1


def wires(x_shape, kernel_size, stride, padding=0):
    """Yield (tap number, index) where index picks from the padded image what this tap sees."""
    rows, cols = (
        [slice(tap, tap + stride * conv_output_size(size, k, stride, padding), stride) for tap in range(k)]
        for size, k in zip(x_shape[2:], kernel_size)
    )
    return enumerate((..., row, col) for row, col in product(rows, cols))
