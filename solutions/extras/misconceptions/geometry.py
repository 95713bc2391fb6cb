"""What the axes of arrays are called. The diagnosis of wrong results asks here. Knows lengths, no values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Sizes = dict[str, int]

_IMAGE, _POOLED, _CONVOLVED = ("N", "C", "H", "W"), ("N", "C", "OH", "OW"), ("N", "F", "OH", "OW")
_VOLUME = ("N", "F", "OD", "OH", "OW")
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
    **_both("pad2d", {"x": _IMAGE}, ("N", "C", "top+H+bottom", "left+W+right")),
    **_both("min_pool2d", {"x": _IMAGE}, _POOLED),
    **_both("lp_pool2d", {"x": _IMAGE}, _POOLED),
    **_both("global_avg_pool2d", {"x": _IMAGE}, ("N", "C")),
    **_both("adaptive_avg_pool2d", {"x": _IMAGE}, _POOLED),
    **_both("conv2d_grouped", {"x": _IMAGE, **_filters("F", "C/groups", "KH", "KW")}, _CONVOLVED),
    **_both("conv1d", {"x": ("N", "C", "L"), **_filters("F", "C", "K")}, ("N", "F", "OL")),
    **_both("conv3d", {"x": ("N", "C", "D", "H", "W"), **_filters("F", "C", "KD", "KH", "KW")}, _VOLUME),
    **_both("roi_max_pool", {"x": _IMAGE}, ("R", "C", "OH", "OW")),
    "conv2d_as_linear": {"x": _IMAGE, **_filters("F", "C", "1", "1"), "out": ("N", "F", "H", "W")},
    "conv2d_dx_as_conv": {"dout": _CONVOLVED, "w": ("F", "C", "KH", "KW"), "dx": _IMAGE},
    "box_iou": {"a": ("R", "4"), "b": ("S", "4"), "iou": ("R", "S")},
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
