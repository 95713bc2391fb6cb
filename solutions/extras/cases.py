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
    numbers = {name: np.array(value, dtype=draw.dtype) for name, value in (("momentum", 0.75), ("eps", 2.0**-4))}
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


# ---- all of it

FAMILIES: dict[str, Family] = {
    "spatial_batchnorm": BATCHNORM,
    "conv_transpose2d": TRANSPOSE,
    "upsample": Family(*RESAMPLED),
    "downsample": Family(*RESAMPLED),
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
