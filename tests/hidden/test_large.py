"""Large images: more than 65,536 pixels and 32,767 windows, compared with the model answer. No file holds them.

There are few taps and channels, so that a loop over pixels takes a second or two. Sides and pixels cross 128, 256,
4,096, 32,768 and 65,536 one at a time. So the size at which a mistake begins shows the number of bits it depends on.
"""

import numpy as np

SIZES = (
    (8, 13),
    (14, 18),
    (20, 14),
    (63, 65),
    (66, 64),
    (127, 126),
    (130, 133),
    (179, 183),
    (184, 181),
    (255, 254),
    (260, 259),
)
"""Heights and widths of the images, the smallest first. As in the largest, the windows leave out the last row only: so
a mistake of the sides, the padding or the border shows in both, and is not taken for one of large images."""


def im2col(layers, draw, height, width):
    """Windows of one row that overlap and leave out every other row."""
    x = draw(2, 1, height, width)
    yield {"cols": layers.im2col(x, (1, 3), stride=2, padding=1)}


def col2im(layers, draw, height, width):
    """The way back for such windows."""
    cols = draw(3, 2 * ((height + 1) // 2 + 1) * ((width - 1) // 2 + 1))
    yield {"x": layers.col2im(cols, (2, 1, height, width), (1, 3), stride=2, padding=1)}


def conv2d(layers, draw, height, width):
    """A convolution with such windows, forward and backward."""
    x, w, b = draw(2, 1, height, width), draw(2, 1, 1, 3), draw(2)
    out, cache = layers.conv2d_forward(x, w, b, stride=2, padding=1)
    yield {"out": out}
    dx, dw, db = layers.conv2d_backward(upstream(draw, 2, height + 2, width + 2), cache)
    yield {"dx": dx, "dw": dw, "db": db}


def max_pool2d(layers, draw, height, width):
    """Max pooling with such windows, forward and backward."""
    # Rounded, and then apart within a window: no two are equal, or nearly equal by chance.
    x = np.round(draw(2, 1, height, width), 2) + 0.003 * (np.arange(width) % 3)
    out, cache = layers.max_pool2d_forward(x, (1, 3), 2)
    yield {"out": out}
    yield {"dx": layers.max_pool2d_backward(upstream(draw, 1, height, width), cache)}


def avg_pool2d(layers, draw, height, width):
    """Average pooling with such windows, forward and backward."""
    out, cache = layers.avg_pool2d_forward(draw(2, 1, height, width), (1, 3), 2)
    yield {"out": out}
    yield {"dx": layers.avg_pool2d_backward(upstream(draw, 1, height, width), cache)}


def upstream(draw, channels, height, width):
    """Draw dout. Its sums must not be near 0, where only rounding errors would remain."""
    return 2 + draw(2, channels, (height - 1) // 2 + 1, (width - 3) // 2 + 1)


def test_im2col_large(large):
    """im2col: right on large images too."""
    large(im2col, SIZES, over="pixels", inputs="images")


def test_col2im_large(large):
    """col2im: right on large images too."""
    large(col2im, SIZES, over="pixels", inputs="images")


def test_conv2d_forward_large(large):
    """conv2d_forward: right on large images too."""
    large(conv2d, SIZES, over="pixels", inputs="images")


def test_conv2d_backward_large(large):
    """conv2d_backward: right on large images too."""
    large(conv2d, SIZES, over="pixels", inputs="images")


def test_max_pool2d_forward_large(large):
    """max_pool2d_forward: right on large images too."""
    large(max_pool2d, SIZES, over="pixels", inputs="images")


def test_max_pool2d_backward_large(large):
    """max_pool2d_backward: right on large images too."""
    large(max_pool2d, SIZES, over="pixels", inputs="images")


def test_avg_pool2d_forward_large(large):
    """avg_pool2d_forward: right on large images too."""
    large(avg_pool2d, SIZES, over="pixels", inputs="images")


def test_avg_pool2d_backward_large(large):
    """avg_pool2d_backward: right on large images too."""
    large(avg_pool2d, SIZES, over="pixels", inputs="images")
