"""Speed: each pass against the model answer, by processor time. One image, few channels, many pixels.

Both tests of a layer judge the same calls.
"""

SMALL = 64
LARGE = (260, 266, 274, 286, 288, 290)
"""Sides of the images. All are even, so that windows of 2 x 2 with stride 2 fit in all of them. Large images have more
than 65,536 pixels. Neither these sides nor those of the padded image, of a full convolution or of the output are large
primes, which are slow for an FFT."""


def conv2d(layers, draw, height, width):
    """A convolution with few channels and filters, forward and backward."""
    C, F = 2, 3
    x, w, b = draw(1, C, height, width), draw(F, C, 2, 2), draw(F)
    dout = 2 + draw(1, F, height + 1, width + 1)  # their sum is db; near 0 only rounding errors would remain
    out, cache = layers.conv2d_forward(x, w, b, stride=1, padding=1)
    yield {"out": out}
    dx, dw, db = layers.conv2d_backward(dout, cache)
    yield {"dx": dx, "dw": dw, "db": db}


def max_pool2d(layers, draw, height, width):
    """Max pooling with overlapping windows, forward and backward."""
    x, dout = draw(1, 1, height, width), draw(1, 1, height - 1, width - 1)
    out, cache = layers.max_pool2d_forward(x, (2, 2), 1)
    yield {"out": out}
    dx = layers.max_pool2d_backward(dout, cache)
    yield {"dx": dx}


def avg_pool2d(layers, draw, height, width):
    """Average pooling with windows side by side, forward and backward."""
    x, dout = draw(1, 1, height, width), draw(1, 1, height // 2, width // 2)
    out, cache = layers.avg_pool2d_forward(x, (2, 2), 2)
    yield {"out": out}
    dx = layers.avg_pool2d_backward(dout, cache)
    yield {"dx": dx}


def test_conv2d_forward_speed(race):
    """conv2d_forward: as fast as vectorised code, with no loop over pixels."""
    race(conv2d, small=SMALL, large=LARGE, over="pixels")


def test_conv2d_backward_speed(race):
    """conv2d_backward: as fast as vectorised code, with no loop over pixels."""
    race(conv2d, small=SMALL, large=LARGE, over="pixels")


def test_max_pool2d_forward_speed(race):
    """max_pool2d_forward: as fast as vectorised code, with no loop over pixels."""
    race(max_pool2d, small=SMALL, large=LARGE, over="pixels")


def test_max_pool2d_backward_speed(race):
    """max_pool2d_backward: as fast as vectorised code, with no loop over pixels."""
    race(max_pool2d, small=SMALL, large=LARGE, over="pixels")


def test_avg_pool2d_forward_speed(race):
    """avg_pool2d_forward: as fast as vectorised code, with no loop over pixels."""
    race(avg_pool2d, small=SMALL, large=LARGE, over="pixels")


def test_avg_pool2d_backward_speed(race):
    """avg_pool2d_backward: as fast as vectorised code, with no loop over pixels."""
    race(avg_pool2d, small=SMALL, large=LARGE, over="pixels")
