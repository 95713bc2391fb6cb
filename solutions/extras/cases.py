"""The inputs of the hidden tests of extras.py: shapes, numbers and dtypes that a right solution has to cope with.

This module draws inputs and asks the oracle for what is expected. Each function has three groups of cases: one of
values, one of the contract (shape, dtype, inputs that stay as they are), and one of slopes. A case's id says what is
special about it. Nearly all have sides that differ, several images and channels, and whatever else can go wrong.

Exact sums
----------
As in ``solutions/cases.py``, inputs are odd multiples of a power of two, below one in magnitude, with so few bits that
every product and every sum of a convolution is exact in any order. Most float64 inputs have more bits than a float32
holds, so code that computes in float32 inside is noticed. Means and roots are rounded, but as IEEE 754 says, in the
order in which the oracle writes them: expected arrays are the same on every platform.

Slopes
------
The slope of ``L = <dout, out>`` along a direction d is ``(L(x + d) - L(x - d)) / 2``, on the oracle's forward pass.
Directions are short: no two pixels change places, and what is curved is straight enough for the tolerance.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Case = dict[str, Any]
Setting = Mapping[str, Any]
"""What is special about one case: shapes of arrays and numbers by parameter name, and dtype, values or order."""

BITS = {"float64": (27, 15, 19), "float32": (9, 6, 6)}
"""Bits of x, of w and of dout."""
DIRECTIONS = 3
STEP = 2.0**-12
"""Length of each entry of a direction."""


class Draw:
    """Draws the arrays of one case."""

    def __init__(self, seed: int, group: str, id: str, setting: Setting) -> None:
        digest = hashlib.sha256(f"{group}/{id}".encode()).digest()
        self.rng = np.random.default_rng([seed, int.from_bytes(digest[:8], "little")])
        self.dtype = setting.get("dtype", "float64")
        self.values = setting.get("values", "")

    def odd(self, shape: tuple[int, ...], bits: int) -> Array:
        """Draw odd multiples of ``2**-bits`` from (-1, 1): never zero, and with all their bits in use."""
        half = 2 ** (bits - 1)
        units: Array = 2 * self.rng.integers(-half, half, size=shape) + 1
        return (units * 2.0**-bits).astype(self.dtype)

    def x(self, shape: tuple[int, ...]) -> Array:
        """Draw images; all of one sign if the setting says so."""
        drawn = self.odd(shape, BITS[self.dtype][0])
        return {"positive": abs(drawn), "negative": -abs(drawn)}.get(self.values, drawn)

    def w(self, shape: tuple[int, ...]) -> Array:
        """Draw filters or biases."""
        return self.odd(shape, BITS[self.dtype][1])

    def dout(self, shape: tuple[int, ...]) -> Array:
        """Draw the derivative with respect to out."""
        return self.odd(shape, BITS[self.dtype][2])

    def apart(self, shape: tuple[int, ...]) -> Array:
        """Draw images without two pixels that are equal or nearly so; with few values and many ties if asked for."""
        if self.values == "ties":
            return self.rng.integers(-1, 2, size=shape).astype(self.dtype)
        count = int(np.prod(shape))
        bits = BITS[self.dtype][0]
        room = bits - (count - 1).bit_length() - 1
        ranks = self.rng.permutation(count)
        units: Array = (2 * ranks + 1 - count) * 2**room + self.rng.integers(0, max(1, 2 ** (room - 4)), size=count)
        drawn = (units * 2.0**-bits).reshape(shape).astype(self.dtype)
        return drawn + {"positive": 1, "negative": -1}.get(self.values, 0)

    def direction(self, shape: tuple[int, ...]) -> Array:
        """Draw directions with entries of either sign, none of them near zero."""
        size = (DIRECTIONS, *shape)
        return (2 * self.rng.integers(0, 2, size=size) - 1) * self.rng.integers(16, 32, size=size) * (STEP / 32)


class Family(NamedTuple):
    """One function, or a forward pass with its backward pass.

    Attributes
    ----------
    inputs : callable
        Draws the arguments of the function, by parameter name.
    values, contract, slopes : mapping
        The settings of the cases of each group, by id.
    results : tuple of str
        What the function returns, the cache left out.
    gradients : tuple of str
        What the backward pass returns; empty if there is none.
    """

    inputs: Callable[[Draw, Setting], Case]
    values: Mapping[str, Setting]
    contract: Mapping[str, Setting]
    slopes: Mapping[str, Setting] = {}
    results: tuple[str, ...] = ("out",)
    gradients: tuple[str, ...] = ("dx",)


def _numbers(setting: Setting, **defaults: Any) -> Case:
    return {name: setting.get(name, default) for name, default in defaults.items()}


# ---- batch normalization


def _batchnorm(draw: Draw, setting: Setting) -> Case:
    C = setting["x"][1]
    numbers = {name: np.array(value, dtype=draw.dtype) for name, value in (("momentum", 0.25), ("eps", 2.0**-4))}
    return {
        "x": draw.x(setting["x"]) + setting.get("shift", 0),
        "gamma": draw.w((C,)),
        "beta": draw.w((C,)),
        "running_mean": draw.w((C,)),
        "running_var": abs(draw.w((C,))),
        "training": setting.get("training", 1),
        **({} if setting.get("defaults") else numbers),
    }


BATCHNORM = Family(
    _batchnorm,
    {
        "defaults": {"x": (2, 3, 4, 3), "defaults": True},
        "one-image": {"x": (1, 3, 3, 4)},
        "one-channel": {"x": (3, 1, 3, 2)},
        "one-pixel": {"x": (5, 3, 1, 1)},
        "wide": {"x": (2, 4, 2, 5)},
        "mean-far-from-zero": {"x": (3, 2, 3, 2), "shift": 4},
        "columns-first-defaults": {"x": (2, 3, 4, 3), "order": "F", "defaults": True},
        "test-mode": {"x": (2, 3, 3, 4), "training": 0},
        "test-mode-one-image": {"x": (1, 4, 2, 3), "training": 0, "shift": 2},
        "test-mode-defaults": {"x": (3, 2, 2, 3), "training": 0, "defaults": True},
    },
    {
        "training": {"x": (2, 3, 3, 2), "dtype": "float32"},
        "test-mode": {"x": (3, 2, 2, 3), "dtype": "float32", "training": 0},
    },
    {"training": {"x": (2, 3, 3, 2)}, "test-mode": {"x": (3, 2, 2, 3), "training": 0}},
    ("out", "new_mean", "new_var"),
    ("dx", "dgamma", "dbeta"),
)


# ---- transposed convolution


def _transpose(draw: Draw, setting: Setting) -> Case:
    x, w, b = draw.x(setting["x"]), draw.w(setting["w"]), draw.w((setting["w"][1],))
    return {"x": x, "w": w, "b": b, **_numbers(setting, stride=1, padding=0)}


TRANSPOSE = Family(
    _transpose,
    {
        "defaults": {"x": (2, 3, 3, 4), "w": (3, 2, 3, 2)},
        "one-image": {"x": (1, 2, 3, 4), "w": (2, 3, 3, 2), "stride": 2, "padding": 1},
        "one-channel": {"x": (3, 1, 4, 3), "w": (1, 2, 2, 3), "stride": 2, "padding": 1},
        "to-one-channel": {"x": (2, 3, 2, 4), "w": (3, 1, 4, 3), "stride": 2, "padding": 1},
        "padded": {"x": (2, 2, 4, 3), "w": (2, 4, 3, 4), "padding": 1},
        "stamps-apart": {"x": (2, 3, 3, 2), "w": (3, 2, 2, 3), "stride": 4, "padding": 1},
        "side-by-side": {"x": (2, 3, 2, 3), "w": (3, 4, 2, 2), "stride": 2},
        "square": {"x": (2, 3, 3, 3), "w": (3, 2, 3, 3), "stride": 2, "padding": 2},
        "one-pixel-kernel": {"x": (2, 3, 3, 4), "w": (3, 2, 1, 1), "stride": 3},
        "columns-first": {"x": (2, 3, 3, 4), "w": (3, 2, 3, 2), "stride": 2, "padding": 1, "order": "F"},
    },
    {
        "padded": {"x": (2, 3, 3, 4), "w": (3, 2, 3, 2), "stride": 2, "padding": 1, "dtype": "float32"},
        "one-pixel-kernel": {"x": (1, 1, 3, 4), "w": (1, 1, 1, 1), "dtype": "float32"},
    },
    {
        "padded": {"x": (2, 3, 3, 4), "w": (3, 2, 3, 2), "stride": 2, "padding": 1},
        "stamps-apart": {"x": (2, 2, 3, 2), "w": (2, 3, 2, 3), "stride": 4},
    },
    ("out",),
    ("dx", "dw", "db"),
)


# ---- upsampling and downsampling


def _resample(draw: Draw, setting: Setting) -> Case:
    return {"x": draw.x(setting["x"]), "factor": setting["factor"]}


RESAMPLE = {
    "factor-two": {"x": (2, 3, 4, 6), "factor": 2},
    "one-image": {"x": (1, 3, 3, 5), "factor": 3},
    "one-channel": {"x": (3, 1, 5, 4), "factor": 2},
    "uneven": {"x": (2, 3, 7, 5), "factor": 3},
    "one-pixel": {"x": (2, 3, 1, 1), "factor": 4},
    "factor-one": {"x": (2, 3, 3, 4), "factor": 1},
    "columns-first": {"x": (2, 3, 5, 4), "factor": 2, "order": "F"},
}
RESAMPLED = (
    _resample,
    RESAMPLE,
    {
        "factor-two": {"x": (2, 3, 5, 4), "factor": 2, "dtype": "float32"},
        "factor-one": {"x": (1, 2, 3, 4), "factor": 1, "dtype": "float32"},
    },
    {"uneven": RESAMPLE["uneven"]},
)


# ---- padding


def _pad(draw: Draw, setting: Setting) -> Case:
    return {"x": draw.x(setting["x"]), "padding": setting["padding"]}


PAD = Family(
    _pad,
    {
        "four-sides": {"x": (2, 3, 3, 4), "padding": (1, 2, 3, 4)},
        "one-image": {"x": (1, 3, 4, 2), "padding": (2, 1, 0, 3)},
        "one-channel": {"x": (3, 1, 2, 3), "padding": (0, 3, 1, 2)},
        "top-alone": {"x": (2, 3, 3, 2), "padding": (2, 0, 0, 0)},
        "bottom-alone": {"x": (2, 2, 3, 4), "padding": (0, 2, 0, 0)},
        "left-alone": {"x": (2, 3, 2, 4), "padding": (0, 0, 1, 0)},
        "right-alone": {"x": (2, 3, 2, 3), "padding": (0, 0, 0, 3)},
        "same-on-all-sides": {"x": (2, 3, 3, 4), "padding": (1, 1, 1, 1)},
        "columns-first": {"x": (2, 3, 3, 4), "padding": (1, 0, 2, 1), "order": "F"},
    },
    {
        "four-sides": {"x": (2, 3, 3, 4), "padding": (1, 2, 3, 0), "dtype": "float32"},
        "no-padding": {"x": (1, 2, 3, 4), "padding": (0, 0, 0, 0), "dtype": "float32"},
    },
    {"four-sides": {"x": (2, 2, 3, 4), "padding": (1, 2, 0, 3)}},
)


# ---- other pools


def _pool(draw: Draw, setting: Setting) -> Case:
    return {"x": draw.apart(setting["x"]), "kernel_size": setting["kernel_size"], "stride": setting["stride"]}


POOLS = {
    "one-image": {"x": (1, 3, 7, 5), "kernel_size": (3, 2), "stride": 2},
    "one-channel": {"x": (2, 1, 7, 6), "kernel_size": (2, 3), "stride": 2},
    "below-zero": {"x": (2, 3, 5, 7), "kernel_size": (3, 2), "stride": 2, "values": "negative"},
    "above-zero": {"x": (2, 3, 5, 7), "kernel_size": (2, 3), "stride": 2, "values": "positive"},
    "overlapping-windows": {"x": (2, 3, 5, 4), "kernel_size": (3, 2), "stride": 1},
    "gapped-windows": {"x": (2, 3, 8, 7), "kernel_size": (2, 3), "stride": 4},
    "border-unreached": {"x": (2, 3, 6, 8), "kernel_size": (3, 3), "stride": 2},
    "side-by-side": {"x": (2, 3, 4, 6), "kernel_size": (2, 2), "stride": 2},
    "one-window": {"x": (3, 2, 3, 4), "kernel_size": (3, 4), "stride": 1},
    "columns-first": {"x": (2, 3, 7, 5), "kernel_size": (3, 2), "stride": 2, "order": "F"},
}
POOLED_CONTRACT = {
    "overlapping-windows": {"x": (2, 3, 5, 4), "kernel_size": (3, 2), "stride": 1, "dtype": "float32"},
    "one-pixel-window": {"x": (1, 2, 3, 4), "kernel_size": (1, 1), "stride": 1, "dtype": "float32"},
}
POOLED_SLOPES = {id: POOLS[id] for id in ("overlapping-windows", "gapped-windows")}
TIES = {"ties": {"x": (2, 3, 5, 7), "kernel_size": (3, 2), "stride": 2, "values": "ties"}}
MIN_POOL = Family(_pool, {**POOLS, **TIES}, POOLED_CONTRACT, POOLED_SLOPES)


def _blanked(draw: Draw, setting: Setting) -> Case:
    """Blank some windows if the setting says so: all of their pixels are zero."""
    case = _pool(draw, setting)
    if setting.get("values") == "blank":
        case["x"][:, 0] = 0
        case["x"][:, 1, :, :3] = 0
    return case


BLANK = {"zero-windows": {"x": (2, 3, 5, 7), "kernel_size": (2, 2), "stride": 2, "values": "blank"}}
LP_POOL = Family(_blanked, {**POOLS, **BLANK}, POOLED_CONTRACT, POOLED_SLOPES)


def _global(draw: Draw, setting: Setting) -> Case:
    return {"x": draw.x(setting["x"])}


GLOBAL_POOL = Family(
    _global,
    {
        "one-image": {"x": (1, 3, 4, 5)},
        "one-channel": {"x": (3, 1, 5, 2)},
        "tall": {"x": (2, 3, 5, 2)},
        "wide": {"x": (3, 2, 2, 7)},
        "as-many-images-as-channels": {"x": (3, 3, 4, 2)},
        "below-zero": {"x": (2, 3, 3, 4), "values": "negative"},
        "columns-first": {"x": (2, 3, 4, 5), "order": "F"},
    },
    {"plain": {"x": (2, 3, 4, 5), "dtype": "float32"}, "one-pixel": {"x": (2, 3, 1, 1), "dtype": "float32"}},
    {"plain": {"x": (2, 3, 3, 4)}},
)


def _adaptive(draw: Draw, setting: Setting) -> Case:
    return {"x": draw.x(setting["x"]), "out_size": setting["out_size"]}


ADAPTIVE_POOL = Family(
    _adaptive,
    {
        "even-split": {"x": (2, 3, 4, 6), "out_size": (2, 3)},
        "uneven-split": {"x": (2, 3, 7, 5), "out_size": (3, 2)},
        "one-image": {"x": (1, 2, 5, 8), "out_size": (2, 3)},
        "one-channel": {"x": (3, 1, 8, 5), "out_size": (3, 4)},
        "one-window": {"x": (2, 3, 3, 5), "out_size": (1, 1)},
        "one-row": {"x": (2, 3, 5, 7), "out_size": (1, 4)},
        "as-large-as-x": {"x": (2, 2, 3, 4), "out_size": (3, 4)},
        "larger-than-x": {"x": (2, 2, 3, 2), "out_size": (5, 3)},
        "columns-first": {"x": (2, 3, 7, 5), "out_size": (3, 4), "order": "F"},
    },
    {
        "uneven-split": {"x": (2, 3, 7, 5), "out_size": (3, 2), "dtype": "float32"},
        "as-large-as-x": {"x": (1, 2, 3, 4), "out_size": (3, 4), "dtype": "float32"},
    },
    {"uneven-split": {"x": (2, 2, 7, 5), "out_size": (3, 2)}},
)


# ---- other convolutions


def _conv(draw: Draw, setting: Setting) -> Case:
    x, w, b = draw.x(setting["x"]), draw.w(setting["w"]), draw.w((setting["w"][0],))
    return {"x": x, "w": w, "b": b, **_numbers(setting, stride=1, padding=0)}


def _grouped(draw: Draw, setting: Setting) -> Case:
    return _conv(draw, setting) | _numbers(setting, dilation=1, groups=1)


GROUPED = Family(
    _grouped,
    {
        "defaults": {"x": (2, 3, 5, 4), "w": (2, 3, 3, 2)},
        "stride-two-padded": {"x": (2, 3, 5, 6), "w": (4, 3, 2, 3), "stride": 2, "padding": 1},
        "dilation-two": {"x": (2, 3, 6, 5), "w": (2, 3, 2, 3), "dilation": 2},
        "dilation-three-padded": {"x": (2, 2, 5, 6), "w": (3, 2, 3, 2), "padding": 2, "dilation": 3},
        "dilation-with-stride": {"x": (1, 3, 8, 7), "w": (2, 3, 3, 2), "stride": 2, "padding": 1, "dilation": 2},
        "two-groups": {"x": (2, 4, 4, 5), "w": (6, 2, 3, 2), "stride": 1, "padding": 1, "groups": 2},
        "three-groups": {"x": (2, 6, 4, 3), "w": (3, 2, 2, 3), "padding": 1, "groups": 3},
        "depthwise": {"x": (2, 3, 4, 5), "w": (3, 1, 2, 3), "padding": 1, "groups": 3},
        "depthwise-two-filters-each": {"x": (2, 3, 5, 4), "w": (6, 1, 3, 2), "stride": 2, "groups": 3},
        "everything": {"x": (2, 4, 7, 8), "w": (6, 2, 3, 2), "stride": 2, "padding": 2, "dilation": 2, "groups": 2},
        "columns-first": {"x": (2, 4, 6, 5), "w": (2, 2, 2, 3), "padding": 1, "dilation": 2, "groups": 2, "order": "F"},
    },
    {
        "two-groups": {"x": (2, 4, 5, 4), "w": (2, 2, 3, 2), "padding": 1, "groups": 2, "dtype": "float32"},
        "one-pixel-kernel": {"x": (1, 2, 3, 4), "w": (2, 1, 1, 1), "groups": 2, "dtype": "float32"},
    },
    {
        "dilation-with-stride": {"x": (2, 3, 7, 6), "w": (2, 3, 3, 2), "stride": 2, "padding": 1, "dilation": 2},
        "two-groups": {"x": (2, 4, 4, 3), "w": (6, 2, 3, 2), "padding": 1, "groups": 2},
    },
    ("out",),
    ("dx", "dw", "db"),
)

CONV1D = Family(
    _conv,
    {
        "defaults": {"x": (2, 3, 6), "w": (4, 3, 3)},
        "one-image": {"x": (1, 3, 7), "w": (2, 3, 4), "stride": 2, "padding": 1},
        "one-channel": {"x": (3, 1, 8), "w": (2, 1, 3), "stride": 2, "padding": 1},
        "one-filter": {"x": (2, 3, 7), "w": (1, 3, 2), "padding": 2},
        "border-unreached": {"x": (2, 3, 9), "w": (4, 3, 3), "stride": 4},
        "gapped-windows": {"x": (2, 3, 9), "w": (2, 3, 2), "stride": 3, "padding": 1},
        "one-window": {"x": (3, 2, 4), "w": (2, 2, 6), "stride": 2, "padding": 1},
        "one-tap": {"x": (2, 3, 5), "w": (4, 3, 1), "stride": 2},
        "columns-first": {"x": (2, 3, 7), "w": (4, 3, 3), "stride": 2, "padding": 1, "order": "F"},
    },
    {
        "padded": {"x": (2, 3, 7), "w": (4, 3, 3), "stride": 2, "padding": 1, "dtype": "float32"},
        "one-tap": {"x": (1, 1, 4), "w": (1, 1, 1), "dtype": "float32"},
    },
    {"border-unreached": {"x": (2, 3, 9), "w": (2, 3, 3), "stride": 4, "padding": 1}},
    ("out",),
    ("dx", "dw", "db"),
)

CONV3D = Family(
    _conv,
    {
        "defaults": {"x": (2, 2, 3, 4, 3), "w": (3, 2, 2, 3, 2)},
        "one-volume": {"x": (1, 3, 4, 3, 5), "w": (2, 3, 3, 2, 2), "stride": 2, "padding": 1},
        "one-channel": {"x": (2, 1, 3, 5, 4), "w": (2, 1, 2, 2, 3), "stride": 2, "padding": 1},
        "one-filter": {"x": (2, 2, 3, 2, 4), "w": (1, 2, 2, 1, 3), "padding": 1},
        "border-unreached": {"x": (2, 2, 5, 4, 6), "w": (2, 2, 2, 2, 3), "stride": 3},
        "one-window": {"x": (2, 2, 2, 3, 4), "w": (3, 2, 2, 3, 4)},
        "columns-first": {"x": (2, 2, 3, 5, 4), "w": (3, 2, 2, 3, 2), "stride": 2, "padding": 1, "order": "F"},
    },
    {
        "padded": {"x": (2, 2, 3, 4, 3), "w": (3, 2, 2, 3, 2), "stride": 2, "padding": 1, "dtype": "float32"},
        "one-tap": {"x": (1, 1, 2, 3, 4), "w": (1, 1, 1, 1, 1), "dtype": "float32"},
    },
    {"padded": {"x": (2, 2, 3, 4, 3), "w": (2, 2, 2, 3, 2), "stride": 2, "padding": 1}},
    ("out",),
    ("dx", "dw", "db"),
)


def _linear(draw: Draw, setting: Setting) -> Case:
    F, C = setting["filters"], setting["x"][1]
    return {"x": draw.x(setting["x"]), "w": draw.w((F, C, 1, 1)), "b": draw.w((F,))}


LINEAR = Family(
    _linear,
    {
        "one-image": {"x": (1, 3, 4, 5), "filters": 2},
        "one-channel": {"x": (2, 1, 3, 4), "filters": 3},
        "one-filter": {"x": (2, 4, 3, 2), "filters": 1},
        "as-many-filters-as-channels": {"x": (2, 3, 4, 2), "filters": 3},
        "wide": {"x": (3, 2, 2, 6), "filters": 4},
        "columns-first": {"x": (2, 3, 4, 5), "filters": 2, "order": "F"},
    },
    {
        "plain": {"x": (2, 3, 4, 5), "filters": 2, "dtype": "float32"},
        "one-channel": {"x": (1, 1, 3, 4), "filters": 1, "dtype": "float32"},
    },
    gradients=(),
)


def _backwards(draw: Draw, setting: Setting) -> Case:
    return {"dout": draw.dout(setting["dout"]), "w": draw.w(setting["w"]), **_numbers(setting, padding=0)}


DX_AS_CONV = Family(
    _backwards,
    {
        "defaults": {"dout": (2, 2, 3, 4), "w": (2, 3, 3, 2)},
        "one-image": {"dout": (1, 3, 5, 4), "w": (3, 2, 2, 3), "padding": 1},
        "one-channel": {"dout": (2, 3, 4, 5), "w": (3, 1, 3, 3), "padding": 1},
        "one-filter": {"dout": (3, 1, 3, 2), "w": (1, 4, 2, 4), "padding": 1},
        "padding-two": {"dout": (2, 2, 6, 7), "w": (2, 3, 4, 3), "padding": 2},
        "padding-beyond-kernel": {"dout": (2, 2, 6, 7), "w": (2, 3, 2, 1), "padding": 2},
        "columns-first": {"dout": (2, 2, 3, 4), "w": (2, 3, 3, 2), "padding": 1, "order": "F"},
    },
    {
        "padded": {"dout": (2, 2, 3, 4), "w": (2, 3, 3, 2), "padding": 1, "dtype": "float32"},
        "one-pixel-kernel": {"dout": (1, 1, 3, 4), "w": (1, 1, 1, 1), "dtype": "float32"},
    },
    results=("dx",),
    gradients=(),
)


# ---- regions of interest


def _regions(draw: Draw, setting: Setting) -> Case:
    boxes = np.array(setting["boxes"])
    images = draw.rng.integers(0, setting["x"][0], len(boxes)) if "images" not in setting else setting["images"]
    return {
        "x": draw.apart(setting["x"]),
        "images": np.array(images),
        "boxes": boxes,
        "out_size": setting["out_size"],
    }


ROI_POOL = Family(
    _regions,
    {
        "even-cells": {"x": (2, 3, 6, 8), "boxes": ((1, 2, 7, 6), (0, 0, 3, 2)), "images": (1, 0), "out_size": (2, 3)},
        "uneven-cells": {"x": (2, 3, 7, 8), "boxes": ((1, 0, 6, 7), (3, 2, 8, 5)), "out_size": (3, 2)},
        "below-zero": {
            "x": (2, 2, 5, 6),
            "boxes": ((0, 1, 5, 4), (2, 0, 6, 5)),
            "out_size": (2, 2),
            "values": "negative",
        },
        "one-image": {"x": (1, 3, 6, 5), "boxes": ((0, 0, 5, 6), (1, 1, 4, 3), (2, 3, 5, 6)), "out_size": (2, 3)},
        "same-box-twice": {
            "x": (2, 2, 5, 6),
            "boxes": ((1, 1, 5, 4), (1, 1, 5, 4)),
            "images": (1, 1),
            "out_size": (2, 3),
        },
        "overlapping-boxes": {
            "x": (2, 2, 6, 6),
            "boxes": ((0, 0, 4, 4), (2, 1, 6, 5), (1, 2, 5, 6)),
            "out_size": (1, 2),
        },
        "empty-boxes": {"x": (2, 3, 5, 6), "boxes": ((2, 1, 2, 4), (1, 3, 5, 3), (0, 1, 4, 5)), "out_size": (2, 3)},
        "boxes-beyond-the-image": {
            "x": (2, 3, 5, 6),
            "boxes": ((-2, -1, 3, 4), (3, 2, 9, 8), (6, 5, 8, 7), (-4, 1, -2, 4), (1, -5, 4, -3)),
            "out_size": (3, 2),
        },
        "smaller-than-the-grid": {"x": (3, 2, 5, 6), "boxes": ((1, 2, 3, 3), (4, 1, 5, 3)), "out_size": (2, 3)},
        "ties": {"x": (2, 3, 6, 7), "boxes": ((0, 1, 6, 5), (2, 0, 7, 6)), "out_size": (2, 3), "values": "ties"},
        "columns-first": {"x": (2, 3, 6, 8), "boxes": ((1, 2, 7, 6), (0, 0, 3, 5)), "out_size": (2, 3), "order": "F"},
    },
    {
        "two-boxes": {"x": (2, 3, 6, 8), "boxes": ((1, 2, 7, 6), (0, 0, 3, 2)), "out_size": (2, 3), "dtype": "float32"},
        "one-pixel-cells": {"x": (1, 2, 3, 4), "boxes": ((0, 0, 4, 3),), "out_size": (3, 4), "dtype": "float32"},
    },
    {"uneven-cells": {"x": (2, 2, 7, 8), "boxes": ((1, 0, 6, 7), (3, 2, 8, 5)), "out_size": (3, 2)}},
)


def _boxes(draw: Draw, setting: Setting) -> Case:
    def drawn(count: int) -> Array:
        """Boxes with whole corners from 0 to 8, or a hundredth of them: areas are exact, or nearly so."""
        corners = np.sort(draw.rng.integers(0, 9, (count, 2, 2)), axis=1).reshape(count, 4)
        corners[:, 2:] += setting.get("widened", 1)
        scaled: Array = (corners + setting.get("shift", 0)) * setting.get("scale", 1.0)
        return scaled.astype(draw.dtype)

    a, b = drawn(setting["boxes"][0]), drawn(setting["boxes"][1])
    if setting.get("flat"):
        a[0, 2:], b[0, 2:] = a[0, :2], b[0, :2]
        b[-1] = a[0]
    return {"a": a, "b": b}


BOX_IOU = Family(
    _boxes,
    {
        "many": {"boxes": (6, 9)},
        "one-against-many": {"boxes": (1, 7)},
        "many-against-one": {"boxes": (8, 1), "widened": 3},
        "fractions": {"boxes": (5, 4), "scale": 0.01, "widened": 2},
        "below-zero": {"boxes": (4, 6), "shift": -12},
        "without-an-area": {"boxes": (4, 5), "flat": True},
        "columns-first": {"boxes": (5, 7), "order": "F"},
    },
    {"many": {"boxes": (5, 4), "dtype": "float32", "widened": 2}},
    results=("iou",),
    gradients=(),
)


# ---- all of it

FAMILIES: dict[str, Family] = {
    "spatial_batchnorm": BATCHNORM,
    "conv_transpose2d": TRANSPOSE,
    "upsample": Family(*RESAMPLED),
    "downsample": Family(*RESAMPLED),
    "pad2d": PAD,
    "min_pool2d": MIN_POOL,
    "lp_pool2d": LP_POOL,
    "global_avg_pool2d": GLOBAL_POOL,
    "adaptive_avg_pool2d": ADAPTIVE_POOL,
    "conv2d_grouped": GROUPED,
    "conv1d": CONV1D,
    "conv3d": CONV3D,
    "conv2d_as_linear": LINEAR,
    "conv2d_dx_as_conv": DX_AS_CONV,
    "roi_max_pool": ROI_POOL,
    "box_iou": BOX_IOU,
}


def build(seed: int, oracle: Any) -> dict[str, dict[str, Case]]:
    """Return every case of every group.

    Parameters
    ----------
    seed : int
        What the inputs are drawn from. Each case has a stream of its own: adding one leaves the others as they are.
    oracle : module
        The functions of the homework, right beyond doubt.

    Returns
    -------
    dict
        ``groups[group][case id][name]``.
    """
    groups: dict[str, dict[str, Case]] = {}
    for name, family in FAMILIES.items():
        for group, settings, finish in (
            (name, family.values, _with_results),
            (f"{name}_contract", family.contract, _with_results),
            (f"{name}_slopes", family.slopes, _with_slopes),
        ):
            for id, setting in settings.items():
                draw = Draw(seed, group, id, setting)
                inputs = family.inputs(draw, setting)
                case = inputs | finish(draw, name, family, inputs, oracle)
                special = {"order": setting["order"]} if "order" in setting else {}
                groups.setdefault(group, {})[id] = case | {"dtype": draw.dtype} | special
    return groups


def _with_results(draw: Draw, name: str, family: Family, inputs: Case, oracle: Any) -> Case:
    """Return what the oracle returns, and dout where there is a backward pass."""
    if not family.gradients:
        returned = (getattr(oracle, name)(**inputs),)
        return dict(zip(family.results, returned, strict=True))
    *results, cache = getattr(oracle, f"{name}_forward")(**inputs)
    dout = draw.dout(results[0].shape)
    gradients = getattr(oracle, f"{name}_backward")(dout, cache)
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    names = (*family.results, *family.gradients)
    return {"dout": dout} | dict(zip(names, (*results, *gradients), strict=True))


def _with_slopes(draw: Draw, name: str, family: Family, inputs: Case, oracle: Any) -> Case:
    """Return directions and slopes for every argument that has a gradient."""
    case = _with_results(draw, name, family, inputs, oracle)

    def loss(argument: str, step: Array) -> float:
        out = getattr(oracle, f"{name}_forward")(**inputs | {argument: inputs[argument] + step})[0]
        return float((case["dout"] * out).sum())

    found: Case = {"dout": case["dout"]}
    for gradient in family.gradients:
        argument = gradient[1:]
        directions = draw.direction(inputs[argument].shape)
        slopes = [(loss(argument, d) - loss(argument, -d)) / 2 for d in directions]
        found |= {f"directions_{argument}": directions, f"slopes_{argument}": np.array(slopes)}
    return found
