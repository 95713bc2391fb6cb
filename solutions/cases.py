"""The inputs of the hidden tests: the shapes, strides and dtypes that a correct solution has to get right.

This module draws the inputs and asks the oracle for the expected arrays. A case's id says what the case is for.

One asymmetric case (H != W, KH != KW, C != F, N > 1, stride > 1, padding, a border
that no window reaches) finds more mistakes than a dozen square ones: nearly every case is asymmetric in several ways.

Exact sums
----------
A float64 holds integers of 53 bits, a float32 of 24. Inputs are odd multiples of a power of two, below one in
magnitude, with so few bits that every product and every sum, in any order, is a whole number of units that fits. So
expected arrays are the same to the last bit on every platform. The budget, in bits (`_fits` refuses what exceeds it)::

    sum                          float64            float32      and log2 of the number of terms
    out = x*w + b                27 + 15             9 + 6       C*KH*KW + 1
    dw  = x*dout                 27 + 19, 15 + 27    9 + 6       N*OH*OW
    dx  = w*dout                 15 + 19, 15 + 27    6 + 6       F*KH*KW
    db  = dout                   19, 27              6           N*OH*OW
    col2im, pooling              27 (28 below zero)  9           KH*KW, or (KH*KW)**2 for the average
    <dout, conv(x + d)>          5 + 28 + 5                      N*F*OH*OW * (C*KH*KW + 1)
    <dout, conv(x, w + d)>       5 + 27 + 6                      N*F*OH*OW * (C*KH*KW + 1)
    <dout, pool(x + d)>          8 + 28                          N*C*OH*OW, times (KH*KW)**2 for the average
    <cols, im2col(d)>            27 + 15                         entries of cols

The average divides by KH*KW: there x, dout and d are multiples of KH*KW, so that the division leaves no remainder.

Most float64 inputs need more than 24 bits, so a function that computes in float32 inside is off by 1e-8 and fails.

Slopes
------
The slope of a loss L along a direction d is its central difference ``(L(x + d) - L(x - d)) / 2``, taken on the oracle's
*forward* pass, with ``L = <dout, out>``. Convolution is linear in each argument, so its differences are exact however
long d is. Pooling is linear for as long as no two values change places, so there d is below half their spacing. By the
budget nothing is rounded on the way: slopes are exact, and a right gradient meets them up to its own rounding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Case = dict[str, Any]
"""Arrays, ints, texts and tuples of ints by name; inputs in the case's dtype, expected arrays in float64."""

DIRECTIONS = 3
"""Directions for each argument. One finds nearly every mistake; three leave nothing to luck."""


class Grid(NamedTuple):
    """How many bits each kind of input has, and how many a sum may have."""

    x: int
    w: int
    dout: int
    significand: int


GRIDS = {
    "float64": Grid(x=27, w=15, dout=19, significand=53),
    "precise dout": Grid(x=15, w=15, dout=27, significand=53),  # db is a sum of dout alone
    "float32": Grid(x=9, w=6, dout=6, significand=24),
    "slopes": Grid(x=27, w=5, dout=5, significand=53),
}
VALUES = ("", "large", "small", "positive", "negative", "equal", "near-equal", "rising")
"""What may be special about the values of an array: nothing; very large or small; all of one sign; equal ones, though
never two in one window that is pooled; all within a ten-millionth of 1; larger from each pair of rows to the next, so
that the largest of a window is in its last two rows."""
SCALES = {"large": 2.0**20, "small": 2.0**-20}
NEAR_BITS = 33
"""Bits behind the point of pooled values that are near-equal: a comparison to within 1e-9 takes some for the same."""
COARSE_DOUT = 8
"""Bits of dout where pooling is not judged by its precision."""


class Layer(NamedTuple):
    """One call: shapes and parameters.

    Pooling has no use for `padding` and `filters`. `values` is what is special about the values of x and cols, one of
    VALUES. `order` is how arrays are stored: ``F`` for columns first. `grid` is a grid other than that of the dtype,
    and `promise` is the clause of the contract that a case is about.
    """

    x_shape: tuple[int, int, int, int]
    kernel_size: tuple[int, int]
    stride: int = 1
    padding: int = 0
    filters: int = 0
    dtype: str = "float64"
    values: str = ""
    order: str = ""
    grid: str = ""
    promise: str = ""

    @property
    def window(self) -> int:
        """Return KH*KW."""
        return self.kernel_size[0] * self.kernel_size[1]

    @property
    def out_size(self) -> tuple[int, int]:
        """Return (OH, OW)."""
        (_, _, h, w), (kh, kw) = self.x_shape, self.kernel_size
        return (h + 2 * self.padding - kh) // self.stride + 1, (w + 2 * self.padding - kw) // self.stride + 1


OUTPUT_SIZES = {  # size, kernel_size, stride, padding
    "plain": (5, 3, 1, 0),
    "one-pixel-kernel": (4, 1, 1, 0),
    "kernel-fills-image": (4, 4, 1, 0),
    "kernel-fills-padding": (2, 6, 1, 2),
    "padding-keeps-size": (7, 3, 1, 1),
    "stride-two-exact": (9, 3, 2, 0),
    "stride-two-floored": (8, 3, 2, 0),
    "stride-three-padded": (10, 4, 3, 2),
    "stride-four-nearly-exact": (10, 3, 4, 0),  # 7/4 is nearer to 2
    "stride-beyond-size": (3, 2, 5, 0),
    "many-pixels": (70_000, 3, 2, 1),
}

# A student may write a shortcut for inputs of one kind, and a mistake in it shows only there. So there is a case for
# each kind. Each case also has everything else that can go wrong: several images and channels, stride 2, padding,
# windows that overlap, an exact fit along one axis and a border left over along the other.

WINDOWS = {  # im2col and col2im
    "one-image": Layer((1, 3, 6, 5), (3, 2)),
    "one-image-padded": Layer((1, 2, 7, 9), (3, 2), stride=2, padding=1),
    "one-channel": Layer((3, 1, 6, 10), (2, 3), stride=2, padding=1),
    "tall-kernel": Layer((2, 3, 6, 5), (3, 2)),
    "same-sizes-again": Layer((2, 3, 6, 5), (3, 2)),  # other values: nothing may be remembered by shape
    "wide-kernel-stride-two": Layer((2, 3, 5, 8), (2, 4), stride=2, padding=1, values="negative"),
    "padded": Layer((2, 2, 4, 3), (2, 3), padding=3),  # not 2: 2 + 2 is 2 * 2
    "border-unreached": Layer((3, 2, 7, 5), (2, 3), stride=3),
    "border-unreached-padded": Layer((2, 3, 7, 10), (4, 3), stride=3, padding=1, values="positive"),
    "square-kernel": Layer((2, 3, 7, 6), (3, 3), stride=2, padding=1),
    "square-image": Layer((2, 3, 6, 6), (3, 2), stride=2, padding=1),
    "side-by-side": Layer((2, 3, 4, 6), (2, 2), stride=2),
    "side-by-side-padded": Layer((2, 3, 6, 5), (2, 2), stride=2, padding=1),
    "one-pixel-kernel": Layer((2, 3, 3, 4), (1, 1)),
    "one-pixel-kernel-stride-two": Layer((2, 3, 5, 4), (1, 1), stride=2, padding=1),
    "gapped-windows": Layer((2, 3, 8, 7), (2, 3), stride=4, padding=1),
    "kernel-of-one-column": Layer((2, 3, 7, 8), (3, 1), stride=2, padding=1),
    "one-window": Layer((3, 2, 4, 3), (4, 5), stride=3, padding=1),
    "kernel-fills-image": Layer((3, 2, 2, 3), (4, 5), padding=1),
    "one-row-of-windows": Layer((2, 3, 2, 8), (3, 4), stride=2, padding=1, values="large"),
    "one-column-of-windows": Layer((2, 3, 8, 2), (4, 3), stride=2, padding=1, values="small"),
    "wide-padding": Layer((2, 3, 3, 8), (1, 3), stride=2, padding=2),
    "large-kernel": Layer((1, 1, 19, 17), (17, 16), stride=2, padding=1, values="equal"),
    "columns-first": Layer((2, 3, 7, 5), (3, 2), stride=2, padding=1, values="near-equal", order="F"),
    "float32": Layer((2, 3, 7, 5), (3, 2), stride=2, padding=1, dtype="float32"),
}

CONVOLUTIONS = {
    "one-image": Layer((1, 3, 6, 5), (3, 2), filters=2),
    "one-image-padded": Layer((1, 2, 7, 9), (3, 2), stride=2, padding=1, filters=3),
    "one-channel": Layer((3, 1, 6, 10), (2, 3), stride=2, padding=1, filters=2),
    "one-filter": Layer((2, 3, 10, 6), (4, 2), stride=3, padding=1, filters=1),
    "tall-kernel": Layer((2, 3, 7, 5), (3, 2), padding=1, filters=4),
    "same-sizes-again": Layer((2, 3, 7, 5), (3, 2), padding=1, filters=4),
    "wide-kernel-stride-two": Layer((2, 3, 5, 8), (2, 4), stride=2, padding=1, filters=2, values="negative"),
    "stride-two-unpadded": Layer((2, 3, 7, 6), (3, 2), stride=2, filters=2),
    "border-unreached": Layer((3, 2, 8, 7), (3, 2), stride=3, filters=3),
    "border-unreached-padded": Layer((2, 3, 7, 10), (4, 3), stride=3, padding=1, filters=2, values="positive"),
    "square-kernel": Layer((2, 3, 7, 6), (3, 3), stride=2, padding=1, filters=4),
    "square-image": Layer((2, 3, 6, 6), (3, 2), stride=2, padding=1, filters=2),
    "side-by-side": Layer((2, 3, 4, 6), (2, 2), stride=2, filters=4),
    "side-by-side-padded": Layer((2, 3, 6, 5), (2, 2), stride=2, padding=1, filters=4),
    "one-pixel-kernel": Layer((2, 3, 4, 5), (1, 1), filters=4),
    "one-pixel-kernel-stride-two": Layer((2, 3, 5, 4), (1, 1), stride=2, padding=1, filters=4),
    "gapped-windows": Layer((2, 3, 8, 7), (2, 3), stride=4, padding=1, filters=2),
    "kernel-of-one-column": Layer((2, 3, 7, 8), (3, 1), stride=2, padding=1, filters=4),
    "one-window": Layer((3, 2, 4, 3), (4, 5), stride=3, padding=1, filters=4),
    "kernel-fills-image": Layer((3, 2, 2, 3), (4, 5), padding=1, filters=4),
    "one-row-of-windows": Layer((2, 3, 2, 8), (3, 4), stride=2, padding=1, filters=4, values="large"),
    "one-column-of-windows": Layer((2, 3, 8, 2), (4, 3), stride=2, padding=1, filters=4, values="small"),
    "double-padding": Layer((1, 2, 4, 5), (3, 4), padding=2, filters=3),
    "wide-padding": Layer((2, 3, 3, 8), (1, 3), stride=2, padding=2, filters=2),
    "large-kernel": Layer((2, 2, 19, 17), (17, 16), stride=2, padding=1, filters=2, values="equal"),
    "columns-first": Layer((2, 3, 7, 5), (3, 2), stride=2, padding=1, filters=4, values="near-equal", order="F"),
    "precise-dout": Layer((3, 2, 5, 6), (2, 3), stride=2, padding=1, filters=4, grid="precise dout"),
    "float32": Layer((2, 3, 7, 5), (3, 2), stride=2, padding=1, filters=2, dtype="float32"),
}

POOLS = {
    "one-image": Layer((1, 3, 7, 5), (3, 2), stride=2),
    "one-channel": Layer((2, 1, 9, 7), (3, 4), stride=2, values="negative"),
    "even-split": Layer((2, 3, 4, 6), (2, 2), stride=2),
    "same-sizes-again": Layer((2, 3, 4, 6), (2, 2), stride=2),
    "side-by-side": Layer((2, 3, 7, 6), (2, 2), stride=2),
    "overlapping-columns": Layer((3, 2, 4, 9), (2, 3), stride=2, values="positive"),
    "overlapping-windows": Layer((2, 3, 6, 5), (3, 2)),
    "overlapping-stride-three": Layer((2, 3, 10, 9), (4, 5), stride=3, values="large"),
    "gapped-windows": Layer((3, 2, 10, 8), (2, 3), stride=4),
    "border-unreached": Layer((2, 3, 7, 8), (2, 3), stride=2, values="small"),
    "square-kernel": Layer((2, 3, 7, 6), (3, 3), stride=2),
    "square-image": Layer((2, 3, 7, 7), (3, 2), stride=2),
    "kernel-of-one-row": Layer((2, 3, 6, 7), (1, 3), stride=2),
    "kernel-of-one-column": Layer((2, 3, 7, 6), (3, 1), stride=2),
    "one-pixel-window": Layer((2, 2, 3, 4), (1, 1)),
    "one-pixel-window-stride-two": Layer((2, 3, 5, 4), (1, 1), stride=2),
    "one-window": Layer((3, 2, 5, 6), (2, 3), stride=5),
    "window-fills-image": Layer((3, 2, 3, 4), (3, 4)),
    "one-row-of-windows": Layer((2, 3, 4, 8), (3, 4), stride=2),
    "one-column-of-windows": Layer((2, 3, 7, 3), (3, 2), stride=2),
    "below-zero": Layer((2, 3, 7, 9), (3, 2), stride=2, values="negative"),
    "near-equal": Layer((2, 3, 7, 5), (3, 2), stride=2, values="near-equal"),
    "equal-elsewhere": Layer((2, 3, 7, 9), (3, 2), stride=2, values="equal"),
    "large-window": Layer((1, 1, 22, 20), (18, 17), stride=2, values="rising"),
    "columns-first": Layer((2, 3, 7, 5), (3, 2), stride=2, order="F"),
    "float32": Layer((2, 3, 7, 5), (2, 3), stride=2, dtype="float32"),
}

SLOPE_WINDOWS = {id: WINDOWS[id] for id in ("padded", "border-unreached", "gapped-windows")}
SLOPE_POOLS = {id: POOLS[id] for id in ("overlapping-windows", "border-unreached", "gapped-windows")}
SLOPE_CONVOLUTIONS = {
    id: CONVOLUTIONS[id] for id in ("stride-two-unpadded", "wide-kernel-stride-two", "border-unreached-padded")
}
STRIDES = {id: CONVOLUTIONS[id] for id in ("stride-two-unpadded", "wide-kernel-stride-two", "border-unreached")}
TIES = {id: POOLS[id] for id in ("even-split", "gapped-windows", "border-unreached")}

# Tests of the contract alone need only a few shapes, for convolution and pooling. Some are padded and some are
# not, so that a mistake in the padding does not cost all of them.
SHAPES = {
    "plain": Layer((2, 3, 5, 6), (3, 2), filters=4),
    "stride-two": Layer((3, 2, 6, 9), (2, 3), stride=2, padding=1, filters=3),
    "border-unreached": Layer((2, 3, 9, 8), (3, 2), stride=3, padding=1, filters=2),
}
FLOAT32 = {
    "overlapping-windows": Layer((2, 3, 5, 6), (3, 2), padding=1, filters=4, dtype="float32"),
    "stride-two": Layer((2, 2, 6, 5), (2, 3), stride=2, filters=3, dtype="float32"),
    "side-by-side": Layer((2, 2, 6, 6), (2, 2), stride=2, filters=3, dtype="float32"),
    "one-pixel-kernel": Layer((1, 1, 3, 4), (1, 1), filters=1, dtype="float32"),
}
PROMISES = {  # a view of the input comes naturally to a one-pixel kernel on one image, and to windows side by side
    "untouched": Layer((2, 3, 5, 6), (3, 2), filters=4, promise="untouched"),
    "untouched-padded": Layer((2, 3, 6, 5), (2, 2), stride=2, padding=1, filters=2, promise="untouched"),
    "own-memory": Layer((1, 3, 4, 5), (1, 1), filters=2, promise="own_memory"),
    "own-memory-padded": Layer((1, 3, 4, 5), (1, 1), padding=1, filters=2, promise="own_memory"),
}
PAIRS = {
    "overlapping-windows": Layer((2, 3, 5, 4), (3, 2), padding=1, filters=2),
    "stride-two": Layer((3, 2, 6, 7), (2, 3), stride=2, filters=3),
    "side-by-side": Layer((2, 3, 6, 6), (2, 2), stride=2, filters=2),  # turned on its side it has the same shape
}


# ---- from numbers to arrays


def stream(seed: int, group: str, id: str) -> np.random.Generator:
    """Return the random numbers of one case; whatever happens to other cases, these stay."""
    digest = hashlib.sha256(f"{group}/{id}".encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "little")])


def _draw(rng: np.random.Generator, shape: tuple[int, ...], bits: int, dtype: str = "float64") -> Array:
    """Draw odd multiples of ``2**-bits`` from (-1, 1): never zero, and with all their bits in use."""
    half = 2 ** (bits - 1)
    units: Array = 2 * rng.integers(-half, half, size=shape) + 1
    return (units * 2.0**-bits).astype(dtype)


def _special(rng: np.random.Generator, layer: Layer, shape: tuple[int, ...], bits: int) -> Array:
    """Draw the values that a layer asks for; near-equal ones are odd multiples of ``2**-27`` around 1."""
    if layer.values == "equal":
        several = _draw(rng, (1 + int(np.prod(shape)) // 4,), bits, layer.dtype)
        return rng.choice(several, shape)
    if layer.values == "near-equal":
        return 1 + _draw(rng, shape, 7) * 2.0**-20
    drawn = _draw(rng, shape, bits, layer.dtype) * SCALES.get(layer.values, 1.0)
    return {"positive": abs(drawn), "negative": -abs(drawn)}.get(layer.values, drawn)


def _pooled(rng: np.random.Generator, layer: Layer, bits: int) -> Array:
    """Draw the values that a layer of pooling asks for; no window has two equal ones.

    The first channel has the smallest values. So code that finds no maximum below zero fails if there are two channels.
    """
    if layer.values == "near-equal":
        ranks = rng.permutation(int(np.prod(layer.x_shape))).reshape(layer.x_shape)
        return 1 + ranks * 2.0**-NEAR_BITS
    if layer.values == "equal":  # in other channels, at other places
        n, c, h, w = layer.x_shape
        one = _spread(rng, (h * w,), bits, layer.dtype)
        return np.stack([rng.permutation(one) for _ in range(n * c)]).reshape(layer.x_shape)
    n, c, h, w = layer.x_shape
    drawn = _spread(rng, layer.x_shape, bits, layer.dtype, lowest=h * w) * SCALES.get(layer.values, 1.0)
    if layer.values == "rising":
        order = drawn.reshape(-1, 2 * w).argsort().argsort()  # within two rows the order stays as it was drawn
        pairs = np.sort(drawn.reshape(n * c, h * w)).reshape(-1, 2 * w)
        drawn = np.take_along_axis(pairs, order, axis=1).reshape(layer.x_shape)
    return drawn + {"positive": 1, "negative": -1}.get(layer.values, 0)


def _spread(
    rng: np.random.Generator, shape: tuple[int, ...], bits: int, dtype: str = "float64", lowest: int = 0
) -> Array:
    """Draw multiples of ``2**-bits`` from (-1, 1) no two of which are close; the lowest come first, so many of them.

    Ranks in random order are evenly spaced. In float64 each is then moved by less than a sixteenth of the spacing to
    have all its bits in use.
    """
    count = int(np.prod(shape))
    room = bits - (count - 1).bit_length()
    ranks = np.concatenate([rng.permutation(lowest), lowest + rng.permutation(count - lowest)])
    units: Array = (2 * ranks + 1 - count) * 2**room  # 2 * 2**room apart
    if dtype == "float64":
        units += 2 * rng.integers(-(2 ** (room - 4)), 2 ** (room - 4), size=count) + 1
    return (units * 2.0**-bits).reshape(shape).astype(dtype)


def _directions(rng: np.random.Generator, shape: tuple[int, ...], scale: float = 1.0) -> Array:
    """Draw directions with entries of either sign and of magnitude 1/2 to 1, times `scale`: none hides an entry."""
    size = (DIRECTIONS, *shape)
    return (2 * rng.integers(0, 2, size=size) - 1) * rng.integers(16, 32, size=size) * (scale / 32)


def _slopes(loss: Callable[[Array], float], at: Array, directions: Array) -> Array:
    return np.array([(loss(at + direction) - loss(at - direction)) / 2 for direction in directions])


def _fits(significand: int, bits: int, terms: int) -> None:
    """Refuse a sum of `terms` terms of so many bits each that may need rounding."""
    if bits + (terms - 1).bit_length() > significand:
        raise ValueError(f"{terms} terms of {bits} bits do not fit into {significand} bits: make the case smaller")


# ---- inputs alone


def _window_inputs(rng: np.random.Generator, layer: Layer, oracle: Any) -> Case:
    """Return the inputs of im2col (`x`) and of col2im (`cols`)."""
    grid = GRIDS[layer.dtype]
    _fits(grid.significand, grid.x + (layer.values == "near-equal"), terms=layer.window)
    (n, c, _, _), (oh, ow) = layer.x_shape, layer.out_size
    return {
        **_parameters(layer, "kernel_size", "stride", "padding", "x_shape"),
        "x": _special(rng, layer, layer.x_shape, grid.x),
        "cols": _special(rng, layer, (c * layer.window, n * oh * ow), grid.x),
    }


def _conv_inputs(rng: np.random.Generator, layer: Layer, oracle: Any) -> Case:
    """Return the inputs of both passes of a convolution."""
    grid = GRIDS[layer.grid or layer.dtype]
    (n, c, _, _), (oh, ow) = layer.x_shape, layer.out_size
    near = layer.values == "near-equal"
    _fits(grid.significand, grid.x + grid.w + near, terms=c * layer.window + 1)
    _fits(grid.significand, grid.x + grid.dout + near, terms=n * oh * ow)
    _fits(grid.significand, grid.w + grid.dout, terms=layer.filters * layer.window)
    return {
        **_parameters(layer, "stride", "padding"),
        "x": _special(rng, layer, layer.x_shape, grid.x),
        "w": _draw(rng, (layer.filters, c, *layer.kernel_size), grid.w, layer.dtype),
        "b": _draw(rng, (layer.filters,), grid.w, layer.dtype) * SCALES.get(layer.values, 1.0),
        "dout": _draw(rng, (n, layer.filters, oh, ow), grid.dout, layer.dtype),
    }


def _pool_inputs(
    rng: np.random.Generator, layer: Layer, oracle: Any, unit: int = 1, dout_bits: int | None = None
) -> Case:
    """Return the inputs of both passes of pooling, multiples of `unit`. No two values of x are the same."""
    layer = layer._replace(padding=0)
    grid = GRIDS[layer.dtype]
    bits = NEAR_BITS if layer.values == "near-equal" else grid.x
    _fits(grid.significand, bits + (layer.values in ("positive", "negative", "near-equal")), terms=unit * layer.window)
    (n, c, _, _), (oh, ow) = layer.x_shape, layer.out_size
    x = _pooled(rng, layer, grid.x)
    dout = _draw(rng, (n, c, oh, ow), dout_bits or grid.x, layer.dtype)
    return {**_parameters(layer, "kernel_size", "stride"), "x": unit * x, "dout": unit * dout}


def _conv_pair(rng: np.random.Generator, layer: Layer, oracle: Any) -> Case:
    """Return two calls of the same shapes, so that they can be added up as well as mixed up."""
    return _pair(_conv_inputs(rng, layer, oracle), _conv_inputs(rng, layer, oracle))


def _pool_pair(rng: np.random.Generator, layer: Layer, oracle: Any) -> Case:
    """Return two calls, the second on images turned on their side: average pooling depends only on the shape.

    A square image has the same shape again, so that nothing may be remembered by shape.
    """
    n, c, h, w = layer.x_shape
    return _pair(_pool_inputs(rng, layer, oracle), _pool_inputs(rng, layer._replace(x_shape=(n, c, w, h)), oracle))


def _pair(first: Case, second: Case) -> Case:
    return first | {f"second_{name}": value for name, value in second.items() if isinstance(value, np.ndarray)}


def _conv_dense(rng: np.random.Generator, layer: Layer, oracle: Any) -> Case:
    """Return a convolution, and the shape it would have with stride 1."""
    case = _conv_inputs(rng, layer, oracle)
    return case | {"dense_shape": (*case["dout"].shape[:2], *layer._replace(stride=1).out_size)}


def _parameters(layer: Layer, *names: str) -> Case:
    special = {name: getattr(layer, name) for name in ("order", "promise") if getattr(layer, name)}
    return {name: getattr(layer, name) for name in names} | {"dtype": layer.dtype} | special


# ---- inputs with what is expected of them


def _output_size(size: int, kernel_size: int, stride: int, padding: int, oracle: Any) -> Case:
    expected = oracle.conv_output_size(size, kernel_size, stride, padding)
    return {"size": size, "kernel_size": kernel_size, "stride": stride, "padding": padding, "expected": expected}


def _im2col(rng: np.random.Generator, layer: Layer, oracle: Any) -> Case:
    case = _window_inputs(rng, layer, oracle)
    return case | {"cols": oracle.im2col(case["x"], layer.kernel_size, layer.stride, layer.padding)}


def _col2im(rng: np.random.Generator, layer: Layer, oracle: Any) -> Case:
    case = _window_inputs(rng, layer, oracle)
    return case | {"x": oracle.col2im(case["cols"], layer.x_shape, layer.kernel_size, layer.stride, layer.padding)}


def _conv(rng: np.random.Generator, layer: Layer, oracle: Any) -> Case:
    case = _conv_inputs(rng, layer, oracle)
    out, cache = oracle.conv2d_forward(case["x"], case["w"], case["b"], layer.stride, layer.padding)
    dx, dw, db = oracle.conv2d_backward(case["dout"], cache)
    return case | {"out": out, "dx": dx, "dw": dw, "db": db}


def _max_pool(rng: np.random.Generator, layer: Layer, oracle: Any) -> Case:
    case = _pool_inputs(rng, layer, oracle)
    out, cache = oracle.max_pool2d_forward(case["x"], layer.kernel_size, layer.stride)
    return case | {"out": out, "dx": oracle.max_pool2d_backward(case["dout"], cache)}


def _max_pool_ties(rng: np.random.Generator, layer: Layer, oracle: Any) -> Case:
    """As after a ReLU: half the values are zero, and the others are small integers, so that most windows have a tie."""
    case = _pool_inputs(rng, layer, oracle, dout_bits=COARSE_DOUT)
    case["x"] = np.maximum(rng.integers(-2, 3, size=layer.x_shape), 0).astype(layer.dtype)
    _, cache = oracle.max_pool2d_forward(case["x"], layer.kernel_size, layer.stride)
    return case | {"dx": oracle.max_pool2d_backward(case["dout"], cache)}


def _avg_pool(rng: np.random.Generator, layer: Layer, oracle: Any) -> Case:
    case = _pool_inputs(rng, layer, oracle, unit=layer.window)
    out, cache = oracle.avg_pool2d_forward(case["x"], layer.kernel_size, layer.stride)
    return case | {"out": out, "dx": oracle.avg_pool2d_backward(case["dout"], cache)}


# ---- slopes


def _col2im_slopes(rng: np.random.Generator, layer: Layer, oracle: Any) -> Case:
    """``<col2im(cols), d> == <cols, im2col(d)>``: the right-hand side is the oracle's."""
    case = _window_inputs(rng, layer, oracle)
    directions = np.array([_draw(rng, layer.x_shape, 15) for _ in range(DIRECTIONS)])
    _fits(53, GRIDS[layer.dtype].x + 15, terms=case["cols"].size)
    unfolded = (oracle.im2col(d, layer.kernel_size, layer.stride, layer.padding) for d in directions)
    return case | {"directions": directions, "slopes": np.array([(case["cols"] * cols).sum() for cols in unfolded])}


def _conv_slopes(rng: np.random.Generator, layer: Layer, oracle: Any) -> Case:
    case = _conv_inputs(rng, layer._replace(grid="slopes", values=""), oracle)
    grid = GRIDS["slopes"]
    terms = case["dout"].size * (layer.x_shape[1] * layer.window + 1)
    _fits(grid.significand, grid.dout + grid.x + grid.w + 1, terms)

    def loss(x: Array, w: Array, b: Array) -> float:
        out, _ = oracle.conv2d_forward(x, w, b, layer.stride, layer.padding)
        return float((case["dout"] * out).sum())

    x, w, b = case["x"], case["w"], case["b"]
    along_x, along_w, along_b = (_directions(rng, at.shape) for at in (x, w, b))
    return case | {
        "directions_x": along_x,
        "directions_w": along_w,
        "directions_b": along_b,
        "slopes_x": _slopes(lambda value: loss(value, w, b), x, along_x),
        "slopes_w": _slopes(lambda value: loss(x, value, b), w, along_w),
        "slopes_b": _slopes(lambda value: loss(x, w, value), b, along_b),
    }


def _max_pool_slopes(rng: np.random.Generator, layer: Layer, oracle: Any) -> Case:
    return _pool_slopes(rng, layer, oracle, 1, oracle.max_pool2d_forward)


def _avg_pool_slopes(rng: np.random.Generator, layer: Layer, oracle: Any) -> Case:
    return _pool_slopes(rng, layer, oracle, layer.window, oracle.avg_pool2d_forward)


def _pool_slopes(rng: np.random.Generator, layer: Layer, oracle: Any, unit: int, forward: Callable[..., Any]) -> Case:
    case = _pool_inputs(rng, layer._replace(values=""), oracle, unit, COARSE_DOUT)
    _fits(53, COARSE_DOUT + 28, terms=unit * unit * case["dout"].size)
    half_spacing = 0.5 ** (case["x"].size - 1).bit_length()
    directions = _directions(rng, layer.x_shape, unit * half_spacing / 2)

    def loss(x: Array) -> float:
        out, _ = forward(x, layer.kernel_size, layer.stride)
        return float((case["dout"] * out).sum())

    return case | {"directions": directions, "slopes": _slopes(loss, case["x"], directions)}


# ---- all of it

GROUPS: dict[str, tuple[dict[str, Layer], Callable[[np.random.Generator, Layer, Any], Case]]] = {
    "im2col": (WINDOWS, _im2col),
    "im2col_shapes": (SHAPES, _window_inputs),
    "im2col_float32": (FLOAT32, _window_inputs),
    "im2col_inputs": (PROMISES, _window_inputs),
    "col2im": (WINDOWS, _col2im),
    "col2im_slopes": (SLOPE_WINDOWS, _col2im_slopes),
    "conv2d": (CONVOLUTIONS, _conv),
    "conv2d_shapes": (SHAPES, _conv_inputs),
    "conv2d_slopes": (SLOPE_CONVOLUTIONS, _conv_slopes),
    "conv2d_dense": (STRIDES, _conv_dense),
    "conv2d_pairs": (PAIRS, _conv_pair),
    "conv2d_float32": (FLOAT32, _conv_inputs),
    "conv2d_inputs": (PROMISES, _conv_inputs),
    "max_pool2d": (POOLS, _max_pool),
    "max_pool2d_slopes": (SLOPE_POOLS, _max_pool_slopes),
    "max_pool2d_ties": (TIES, _max_pool_ties),
    "avg_pool2d": (POOLS, _avg_pool),
    "avg_pool2d_slopes": (SLOPE_POOLS, _avg_pool_slopes),
    "pool_shapes": (SHAPES, _pool_inputs),
    "pool_pairs": (PAIRS, _pool_pair),
    "pool_float32": (FLOAT32, _pool_inputs),
    "pool_inputs": (PROMISES, _pool_inputs),
}


def build(seed: int, oracle: Any) -> dict[str, dict[str, Case]]:
    """Return every case of every group.

    Parameters
    ----------
    seed : int
        What the inputs are drawn from. Each case has a stream of its own: adding one leaves the others as they are.
    oracle : module
        The nine functions of the homework, right beyond doubt.

    Returns
    -------
    dict
        ``groups[group][case id][name]``.
    """
    sizes = {"conv_output_size": {id: _output_size(*row, oracle) for id, row in OUTPUT_SIZES.items()}}
    return sizes | {
        group: {id: make(stream(seed, group, id), layer, oracle) for id, layer in layers.items()}
        for group, (layers, make) in GROUPS.items()
    }
