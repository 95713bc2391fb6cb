"""The pictures of the extras' handout, as SVG, drawn as those of the first part. Numbers are computed, not typed in."""

import numpy as np

from solutions.extras import naive
from solutions.pictures import CELL, Array, Picture


def _shown(values: Array) -> Array:
    """Write numbers as short as they are: 3 and 9.33."""
    texts = [f"{value:.3g}" for value in np.ravel(values)]
    return np.array(texts).reshape(np.shape(values))


def _row(picture: Picture, x: float, y: float, values: Array, colours: str, label: str) -> None:
    """Draw one row of cells, each with its own colour, and write what it is on its left."""
    names = colours.split()
    values = np.atleast_2d(_shown(values))
    picture.text(x, y + CELL / 2, label, "left small")
    picture.grid(x + 150, y, values, lambda r, c: names[(r * values.shape[1] + c) % len(names)], width=48, text="small")


def draw_batchnorm() -> Picture:
    """The four pixels of the example, step by step."""
    picture = Picture(400, 236, "Batch normalization: centred, divided by the root, scaled and shifted")
    x = np.array([1.0, 3.0, 5.0, 7.0])
    centred = x - x.mean()
    normal = centred / np.sqrt(x.var() + 4)
    steps = (("x", x), ("x - mean", centred), ("/ sqrt(var + eps)", normal), ("* gamma + beta", 2 * normal + 10))
    for line, (label, values) in enumerate(steps):
        _row(picture, 24, 24 + 50 * line, values, "red green blue gold", label)
    return picture


def draw_transpose() -> Picture:
    """Two stamps, and their sum."""
    picture = Picture(450, 190, "Transposed convolution: every pixel stamps the filter, and stamps add up")
    x, w = np.array([[[[1.0, 2.0]]]]), np.array([[[[1.0, 1.0, 1.0]]]])
    out, _ = naive.conv_transpose2d_forward(x, w, np.zeros(1), stride=2)
    first, second = (naive.conv_transpose2d_forward(x * mask, w, np.zeros(1), 2)[0] for mask in ([1, 0], [0, 1]))
    _row(picture, 24, 24, first[0, 0], "blue blue blue none none", "1 times the filter")
    _row(picture, 24, 74, second[0, 0], "none none green green green", "2 times, 2 further")
    _row(picture, 24, 124, out[0, 0], "blue blue gold green green", "out")
    return picture


def draw_resample() -> Picture:
    """Zeros inserted; every other pixel kept."""
    picture = Picture(400, 190, "Upsampling inserts zeros, downsampling keeps every other pixel")
    x = np.array([[[[1.0, 2.0]]]])
    wide = naive.upsample_forward(x, 2)[0][0, 0, :1]
    _row(picture, 24, 24, x[0, 0], "blue green", "x")
    _row(picture, 24, 74, wide, "blue none green none", "upsample(x, 2)")
    _row(picture, 24, 124, naive.downsample_forward(wide[None, None], 2)[0][0, 0], "blue green", "downsample it, 2")
    return picture


def draw_pad() -> Picture:
    """A 2 x 2 image with one row above and two columns on the right."""
    picture = Picture(380, 150, "Padding: top 1, bottom 0, left 0, right 2")
    x = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    padded = naive.pad2d_forward(x, (1, 0, 0, 2))[0][0, 0]
    picture.grid(30, 58, _shown(x[0, 0]), lambda *_: "blue")
    picture.arrow(112, 92, 150)
    picture.grid(170, 24, _shown(padded), lambda r, c: "blue" if r > 0 and c < 2 else "none")
    return picture


def draw_pools() -> Picture:
    """The same row through three pools, and the cells of an adaptive pool."""
    picture = Picture(450, 290, "Other pools: minimum, length, mean, and windows that share a column")
    x = np.array([[[[3.0, 4.0, 0.0, 0.0]]]])
    _row(picture, 24, 24, x[0, 0], "plain", "x, windows 1×2")
    _row(picture, 24, 74, naive.min_pool2d_forward(x, (1, 2), 1)[0][0, 0], "blue", "min_pool2d")
    _row(picture, 24, 124, naive.lp_pool2d_forward(x, (1, 2), 1)[0][0, 0], "green", "lp_pool2d")
    five = np.array([[[[1.0, 3.0, 5.0, 7.0, 9.0]]]])
    _row(picture, 24, 184, five[0, 0], "blue blue gold green green", "x, into two windows")
    _row(
        picture, 24, 234, naive.adaptive_avg_pool2d_forward(five, (1, 2))[0][0, 0], "blue green", "adaptive_avg_pool2d"
    )
    return picture


def draw_grouped() -> Picture:
    """Which pixels a filter with gaps meets; which channels a group sees."""
    picture = Picture(560, 190, "Dilation leaves gaps between the weights; groups share out the channels")
    picture.text(24, 41, "dilation 2", "left small")
    picture.grid(174, 24, _shown(np.arange(1, 8)[None]), lambda r, c: "blue" if c in (1, 3, 5) else "plain", width=48)
    picture.text(24, 107, "4 channels, 2 groups", "left small")
    picture.grid(174, 90, np.array([["c=0", "c=1", "c=2", "c=3"]]), lambda r, c: "red" if c < 2 else "green", width=48)
    picture.text(24, 157, "4 filters", "left small")
    picture.grid(174, 140, np.array([["f=0", "f=1", "f=2", "f=3"]]), lambda r, c: "red" if c < 2 else "green", width=48)
    return picture


def draw_directions() -> Picture:
    """A sequence with its padding, and what comes out; two slices of a volume."""
    picture = Picture(600, 240, "One direction: differences of neighbours. Three directions: slices of a volume")
    x, w = np.array([[[1.0, 2.0, 4.0]]]), np.array([[[-1.0, 1.0]]])
    out, _ = naive.conv1d_forward(x, w, np.zeros(1), padding=1)
    _row(picture, 24, 24, np.array([0, 1, 2, 4, 0]), "none plain plain plain none", "x, padding 1")
    _row(picture, 24, 74, out[0], "blue", "-1 times left + right")
    volume = np.arange(8).reshape(2, 2, 2)
    picture.text(24, 175, "depth 0 and depth 1", "left small")
    picture.grid(174, 140, volume[0], lambda row, _: "plain" if row else "green")
    picture.grid(284, 140, volume[1], lambda row, _: "plain" if row else "gold")
    picture.text(410, 175, "2×1×2: the coloured ones", "left small faint")
    return picture


def draw_full() -> Picture:
    """A full convolution: dout with its zeros, the rotated filter, dx."""
    picture = Picture(540, 190, "dx is a full convolution of dout with the rotated filter")
    dout, w = np.array([[[[1.0, 10.0]]]]), np.array([[[[2.0, 3.0, 4.0]]]])
    colours = "none none blue blue none none"
    _row(picture, 24, 24, np.pad(dout[0, 0], ((0, 0), (2, 2))), colours, "dout, with zeros")
    _row(picture, 24, 74, w[0, 0, :, ::-1], "green", "w, rotated")
    _row(picture, 24, 124, naive.conv2d_dx_as_conv(dout, w)[0, 0], "gold", "dx")
    return picture


def draw_regions() -> Picture:
    """A box whose two cells share a column; two boxes that overlap."""
    picture = Picture(560, 200, "Regions: cells of a box may share a column; two boxes overlap")
    x = np.array([[1, 5, 2], [4, 3, 9]])
    picture.grid(40, 50, x, lambda r, c: ("blue", "gold", "green")[c])
    picture.arrow(160, 84, 196)
    pooled, _ = naive.roi_max_pool_forward(x[None, None], np.array([0]), np.array([[0, 0, 3, 2]]), (1, 2))
    picture.grid(214, 67, _shown(pooled[0, 0]), lambda r, c: ("blue", "green")[c])
    picture.text(170, 150, "one box, a grid of 1×2: the cells share a column", "small")
    boxes = np.array([[0.0, 0, 2, 2], [1.0, 0, 3, 2]])
    iou = naive.box_iou(boxes[:1], boxes[1:])[0, 0]
    for (x1, y1, x2, y2), colour in zip(boxes * CELL, ("red", "violet"), strict=True):
        picture.rect(380 + x1, 50 + y1, x2 - x1, y2 - y1, f"cell {colour}")
    picture.rect(380 + CELL, 50, CELL, 2 * CELL, "cell gold")
    picture.text(432, 150, f"2 of 6 pixels in common: {iou:.3f}", "small")
    return picture


def draw() -> dict[str, str]:
    """Return the name and the text of every picture."""
    pools = (draw_pad, draw_pools, draw_regions)
    others = (draw_batchnorm, draw_transpose, draw_resample, draw_grouped, draw_directions, draw_full)
    return {f"{make.__name__.removeprefix('draw_')}.svg": make().svg() for make in pools + others}
