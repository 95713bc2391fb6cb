"""Speed: each pass against the model answer, by processor time. One image, few channels, many pixels.

What a call gets and returns is copied between processes while the clock runs, so that results have one channel where
time decides; the small images have several filters, which wrong results show.
"""

SMALL, LARGE = 32, 256


def filters(size):
    return 1 if size == LARGE else 4


def test_conv2d_forward_speed(race):
    """conv2d_forward: as fast as vectorised code, with no loop over pixels."""

    def lap(layers, draw, clock, size):
        F = filters(size)
        x, w, b = draw(1, 1, size, size), draw(F, 1, 2, 2), draw(F)
        with clock:
            out, _ = layers.conv2d_forward(x, w, b, stride=1, padding=1)
        return {"out": out}

    race(lap, small=SMALL, large=LARGE, over="pixels")


def test_conv2d_backward_speed(race):
    """conv2d_backward: as fast as vectorised code, with no loop over pixels."""

    def lap(layers, draw, clock, size):
        F = filters(size)
        x, w, b = draw(1, 1, size, size), draw(F, 1, 2, 2), draw(F)
        dout = 1 + draw(1, F, size + 1, size + 1)  # their sum is db: it must not be what rounding leaves of 0
        _, cache = layers.conv2d_forward(x, w, b, stride=1, padding=1)
        with clock:
            dx, dw, db = layers.conv2d_backward(dout, cache)
        return {"dx": dx, "dw": dw, "db": db}

    race(lap, small=SMALL, large=LARGE, over="pixels")


def test_max_pool2d_forward_speed(race):
    """max_pool2d_forward: as fast as vectorised code, with no loop over pixels."""

    def lap(layers, draw, clock, size):
        x = draw(1, 1, size, size)
        with clock:
            out, _ = layers.max_pool2d_forward(x, (2, 2), 2)
        return {"out": out}

    race(lap, small=SMALL, large=LARGE, over="pixels")


def test_max_pool2d_backward_speed(race):
    """max_pool2d_backward: as fast as vectorised code, with no loop over pixels."""

    def lap(layers, draw, clock, size):
        x, dout = draw(1, 1, size, size), draw(1, 1, size - 1, size - 1)
        _, cache = layers.max_pool2d_forward(x, (2, 2), 1)  # a loop finds most windows where they overlap
        with clock:
            dx = layers.max_pool2d_backward(dout, cache)
        return {"dx": dx}

    race(lap, small=SMALL, large=192, over="pixels")


def test_avg_pool2d_forward_speed(race):
    """avg_pool2d_forward: as fast as vectorised code, with no loop over pixels."""

    def lap(layers, draw, clock, size):
        x = draw(1, 1, size, size)
        with clock:
            out, _ = layers.avg_pool2d_forward(x, (2, 2), 2)
        return {"out": out}

    race(lap, small=SMALL, large=LARGE, over="pixels")


def test_avg_pool2d_backward_speed(race):
    """avg_pool2d_backward: as fast as vectorised code, with no loop over pixels."""

    def lap(layers, draw, clock, size):
        x, dout = draw(1, 1, size, size), draw(1, 1, size // 2, size // 2)
        _, cache = layers.avg_pool2d_forward(x, (2, 2), 2)
        with clock:
            dx = layers.avg_pool2d_backward(dout, cache)
        return {"dx": dx}

    race(lap, small=SMALL, large=LARGE, over="pixels")
