"""Own exceptions."""


class LayerError(ValueError):
    pass


def check_sizes(size, kernel_size, stride, padding):
    if kernel_size > size + 2 * padding:
        raise LayerError(f"a window of {kernel_size} does not fit into {size} + 2*{padding}")
    if stride < 1:
        raise LayerError("stride must be positive")
