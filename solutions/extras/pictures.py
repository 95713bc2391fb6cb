"""The pictures of the extras' handout, as SVG, drawn as those of the first part. Numbers are computed, not typed in."""

import numpy as np

from solutions.extras import naive
from solutions.pictures import Array, Picture, painted

CELL, STEP = 34, 46
"""Height of a row, and from one row to the next."""


def _shown(values: Array) -> Array:
    """Write numbers as short as they are: 3 and 9.33."""
    texts = [f"{value:.3g}" for value in np.ravel(values)]
    return np.array(texts).reshape(np.shape(values))


def _row(picture: Picture, y: float, values: Array, colours: str, label: str) -> None:
    """Draw one row of cells, each with its own colour, and write what it is on its left."""
    names = colours.split()
    texts = values if values.dtype.kind == "U" else _shown(values)
    picture.text(14, y + CELL / 2, label, "left small")
    width = min(48, 246 // texts.size)
    picture.grid(146, y, np.atleast_2d(texts), lambda _, c: names[c % len(names)], width=width, text="small")


def _rows(title: str, *rows: tuple[Array, str, str]) -> Picture:
    """Draw one row below the other; each has values, colours and a label."""
    picture = Picture(28 + STEP * len(rows), title)
    for line, (values, colours, label) in enumerate(rows):
        _row(picture, 18 + STEP * line, values, colours, label)
    return picture


def draw_batchnorm() -> Picture:
    """The four pixels of the example, step by step."""
    x = np.array([1.0, 3.0, 5.0, 7.0])
    centred = x - x.mean()
    normal = centred / np.sqrt(x.var() + 4)
    steps = (
        ("x", x),
        ("x - mean", centred),
        ("/ sqrt(var + eps)", normal.round(2)),
        ("* gamma + beta", 2 * normal + 10),
    )
    title = "Batch normalization: centred, divided by the root, scaled and shifted"
    return _rows(title, *((values, "red green blue gold", label) for label, values in steps))


def draw_transpose() -> Picture:
    """Two stamps, and their sum."""
    x, w = np.array([[[[1.0, 2.0]]]]), np.array([[[[1.0, 1.0, 1.0]]]])
    out, _ = naive.conv_transpose2d_forward(x, w, np.zeros(1), stride=2)
    first, second = (naive.conv_transpose2d_forward(x * mask, w, np.zeros(1), 2)[0] for mask in ([1, 0], [0, 1]))
    return _rows(
        "Transposed convolution: every pixel stamps the filter, and stamps add up",
        (first[0, 0, 0], "blue blue blue none none", "1 times the filter"),
        (second[0, 0, 0], "none none green green green", "2 times, 2 further"),
        (out[0, 0, 0], "blue blue gold green green", "out, their sum"),
    )


def draw_resample() -> Picture:
    """Zeros inserted; every other pixel kept."""
    x = np.array([[[[1.0, 2.0]]]])
    wide = naive.upsample_forward(x, 2)[0][:, :, :1]
    return _rows(
        "Upsampling inserts zeros, downsampling keeps every other pixel",
        (x[0, 0, 0], "blue green", "x"),
        (wide[0, 0, 0], "blue none green none", "upsample(x, 2)"),
        (naive.downsample_forward(wide, 2)[0][0, 0, 0], "blue green", "downsample it, 2"),
    )


def draw_pad() -> Picture:
    """A 2 x 2 image with one row above and two columns on the right."""
    picture = Picture(140, "Padding: top 1, bottom 0, left 0, right 2")
    x = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    padded = naive.pad2d_forward(x, (1, 0, 0, 2))[0][0, 0]
    picture.grid(50, 52, _shown(x[0, 0]), painted("blue"))
    picture.arrow(136, 86, 40)
    picture.grid(194, 18, _shown(padded), lambda r, c: "blue" if r > 0 and c < 2 else "none")
    return picture


def draw_pools() -> Picture:
    """The same row through two pools, and the windows of an adaptive pool."""
    x, five = np.array([[[[3.0, 4.0, 0.0, 0.0]]]]), np.array([[[[1.0, 3.0, 5.0, 7.0, 9.0]]]])
    return _rows(
        "Other pools: the smallest, the length, and windows that share a column",
        (x[0, 0, 0], "plain", "x, windows 1×2"),
        (naive.min_pool2d_forward(x, (1, 2), 1)[0][0, 0, 0], "blue", "min_pool2d"),
        (naive.lp_pool2d_forward(x, (1, 2), 1)[0][0, 0, 0], "green", "lp_pool2d"),
        (five[0, 0, 0], "blue blue gold green green", "x, in two windows"),
        (naive.adaptive_avg_pool2d_forward(five, (1, 2))[0][0, 0, 0], "blue green", "their averages"),
    )


def draw_grouped() -> Picture:
    """Which pixels a filter with gaps meets; which channels a group sees."""
    met = np.array(["", "w0", "", "w1", "", "w2", ""])
    channels, filters = (np.array([f"{letter}={k}" for k in range(4)]) for letter in "cf")
    return _rows(
        "Dilation leaves gaps between the weights; groups share out the channels",
        (met, "plain blue", "dilation 2"),
        (channels, "red red green green", "4 channels"),
        (filters, "red red green green", "4 filters, 2 groups"),
    )


def draw_directions() -> Picture:
    """A sequence with its padding, and what comes out; two slices of a volume."""
    x, w = np.array([[[1.0, 2.0, 4.0]]]), np.array([[[-1.0, 1.0]]])
    out, _ = naive.conv1d_forward(x, w, np.zeros(1), padding=1)
    picture = Picture(240, "One direction: differences of neighbours. Three directions: slices of a volume")
    _row(picture, 18, np.array([0.0, *x[0, 0], 0.0]), "none plain plain plain none", "x, padding 1")
    _row(picture, 18 + STEP, out[0, 0], "blue", "right minus left")
    volume = np.arange(8).reshape(2, 2, 2)
    picture.text(14, 160, "2 slices, 2×1×2", "left small")
    for depth, left in ((0, 146), (1, 256)):
        picture.grid(left, 126, volume[depth], lambda row, _: "none" if row else "gold")
        picture.text(left + CELL, 212, f"depth {depth}", "small")
    return picture


def draw_full() -> Picture:
    """A full convolution: dout with its zeros, the rotated filter, dx."""
    dout, w = np.array([[[[1.0, 10.0]]]]), np.array([[[[2.0, 3.0, 4.0]]]])
    return _rows(
        "dx is a full convolution of dout with the rotated filter",
        (np.pad(dout[0, 0, 0], (2, 2)), "none none blue blue none none", "dout, with zeros"),
        (w[0, 0, 0, ::-1], "green", "w, rotated"),
        (naive.conv2d_dx_as_conv(dout, w)[0, 0, 0], "gold", "dx"),
    )


def draw_regions() -> Picture:
    """A box whose two cells share a column; two boxes that overlap."""
    picture = Picture(270, "Regions: cells of a box may share a column; two boxes overlap")
    x = np.array([[1, 5, 2], [4, 3, 9]])
    picture.grid(80, 18, x, lambda _, c: ("blue", "gold", "green")[c])
    picture.arrow(198, 52, 40)
    pooled, _ = naive.roi_max_pool_forward(x[None, None], np.array([0]), np.array([[0, 0, 3, 2]]), (1, 2))
    picture.grid(256, 35, _shown(pooled[0, 0]), lambda _, c: ("blue", "green")[c])
    picture.text(200, 108, "one box, a grid of 1×2: its cells share a column", "small")
    boxes = np.array([[0.0, 0, 2, 2], [1.0, 0, 3, 2]])
    iou = naive.box_iou(boxes[:1], boxes[1:])[0, 0]
    for (x1, y1, x2, y2), colour in zip(boxes * CELL, ("red", "violet"), strict=True):
        picture.rect(149 + x1, 140 + y1, x2 - x1, y2 - y1, f"cell {colour}")
    picture.rect(149 + CELL, 140, CELL, 2 * CELL, "cell gold")
    picture.text(200, 236, f"two boxes have 2 of 6 pixels in common: {iou:.3f}", "small")
    return picture


def draw() -> dict[str, str]:
    """Return the name and the text of every picture."""
    pools = (draw_pad, draw_pools, draw_regions)
    others = (draw_batchnorm, draw_transpose, draw_resample, draw_grouped, draw_directions, draw_full)
    return {f"{make.__name__.removeprefix('draw_')}.svg": make().svg() for make in pools + others}
