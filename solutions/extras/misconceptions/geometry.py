"""What the axes of arrays are called. The diagnosis of wrong results asks here. Knows lengths, no values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Sizes = dict[str, int]

_IMAGE, _POOLED, _CONVOLVED = ("N", "C", "H", "W"), ("N", "C", "OH", "OW"), ("N", "F", "OH", "OW")
_CHANNELS = dict.fromkeys(("gamma", "beta", "running_mean", "running_var", "new_mean", "new_var"), ("C",))


def _both(
    name: str, arguments: dict[str, tuple[str, ...]], out: tuple[str, ...]
) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return the axes of a forward and of its backward pass."""
    gradients = {f"d{argument}": axes for argument, axes in arguments.items()}
    return {f"{name}_forward": {**arguments, "out": out}, f"{name}_backward": {"dout": out, **gradients}}


def _filters(*axes: str) -> dict[str, tuple[str, ...]]:
    return {"w": axes, "b": ("F",)}


AXES: dict[str, dict[str, tuple[str, ...]]] = {
    **_both("spatial_batchnorm", {"x": _IMAGE, **_CHANNELS}, _IMAGE),
    **_both("conv_transpose2d", {"x": _IMAGE, **_filters("C", "F", "KH", "KW")}, _CONVOLVED),
    **_both("upsample", {"x": _IMAGE}, ("N", "C", "factor*H", "factor*W")),
    **_both("downsample", {"x": _IMAGE}, _POOLED),
}
"""For every function: its arrays, by name, with the names of their axes."""


def sizes(function: str, inputs: Mapping[str, Any]) -> Sizes:
    """Return the length of every axis that the inputs of a call tell."""
    found: Sizes = {}
    for name, axes in AXES.get(function, {}).items():
        if isinstance(inputs.get(name), np.ndarray):
            found.update(zip(axes, inputs[name].shape, strict=True))
    return found


def factors(known: Sizes) -> dict[str, float]:
    """Return the numbers, by name, that sums and means are off by: sizes, and products of them."""
    groups = (("N",), ("C",), ("F",), ("KH", "KW"), ("H", "W"), ("N", "H", "W"))
    found = {"*".join(group): float(np.prod([known.get(name, 1) for name in group])) for group in groups}
    return {name: number for name, number in found.items() if number != 1}


def regions(function: str, result: str, known: Sizes) -> dict[str, NDArray[np.bool_]]:
    """Return no parts that a mistake may be confined to: these functions have too many kinds of them."""
    return {}


def wrong_lengths(axis: str, known: Sizes) -> Iterator[tuple[int, str, str]]:
    """Yield no wrong lengths."""
    yield from ()
