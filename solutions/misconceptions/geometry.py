"""What the axes of arrays are called, how long they are by right and by mistake, and which regions they have.

The diagnosis of wrong results asks here: it knows no convolution itself. Knows numpy and lengths, no values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Sizes = dict[str, int]

_IMAGE, _COLUMNS = ("N", "C", "H", "W"), ("C*KH*KW", "N*OH*OW")
_GEOMETRY = {"kernel_size": ("KH", "KW"), "stride": ("stride",), "padding": ("padding",)}
_WINDOWS = {"stride": ("stride",), "kernel_size": ("KH", "KW")}
_CONVOLVED, _POOLED = ("N", "F", "OH", "OW"), ("N", "C", "OH", "OW")
_CONVOLUTION = {"x": _IMAGE, "w": ("F", "C", "KH", "KW"), "b": ("F",), "stride": ("stride",), "padding": ("padding",)}

AXES: dict[str, dict[str, tuple[str, ...]]] = {
    "conv_output_size": {"size": ("size",), "kernel_size": ("kernel_size",), **dict(list(_GEOMETRY.items())[1:])},
    "im2col": {"x": _IMAGE, **_GEOMETRY, "cols": _COLUMNS},
    "col2im": {"cols": _COLUMNS, "x_shape": _IMAGE, **_GEOMETRY, "x": _IMAGE},
    "conv2d_forward": {**_CONVOLUTION, "out": _CONVOLVED},
    "conv2d_backward": {"dout": _CONVOLVED, "dx": _IMAGE, "dw": _CONVOLUTION["w"], "db": ("F",)},
    "max_pool2d_forward": {"x": _IMAGE, **_WINDOWS, "out": _POOLED},
    "max_pool2d_backward": {"dout": _POOLED, "dx": _IMAGE},
    "avg_pool2d_forward": {"x": _IMAGE, **_WINDOWS, "out": _POOLED},
    "avg_pool2d_backward": {"dout": _POOLED, "dx": _IMAGE},
}
"""For every function: its arguments and results, by name, with the names of their axes; of numbers, their own name."""

_SIDES = {"OH": ("H", "KH"), "OW": ("W", "KW")}

_WRONG_OUTPUT_SIZES = (
    ("({size} - {kernel})//{stride} + 1", "the padding was not counted"),
    ("({size} + {padding} - {kernel})//{stride} + 1", "the padding was counted at one end only"),
    ("({size} + 4*{padding} - {kernel})//{stride} + 1", "the padding was counted twice"),
    ("({size} + 2*{padding} - {kernel})//{stride}", "the window before the first step was not counted"),
    ("({size} + 2*{padding} - {kernel})//1 + 1", "the stride was not counted"),
    ("-(-({size} + 2*{padding} - {kernel})//{stride}) + 1", "it was rounded up"),
    ("({size} + 2*{padding} - {kernel} + 1)//{stride}", "the one was added before the division"),
    ("({size} + 2*{padding} - {other_kernel})//{stride} + 1", "height and width of the kernel were mixed up"),
    ("({other_size} + 2*{padding} - {other_kernel})//{stride} + 1", "height and width were mixed up"),
    ("({other_size} + 2*{padding} - {kernel})//{stride} + 1", "height and width of the image were mixed up"),
    ("({size} + 2*{padding})//{stride}", "the kernel was not counted"),
    ("{size}//{kernel}", "the windows stand side by side"),
)
_WRONG_IMAGE_SIZES = (
    ("{size} + 2*{padding}", "the padding is still there"),
    ("{size} + {padding}", "the padding was cut off at one end only"),
    ("{size} - 2*{padding}", "the padding was cut off although it was gone"),
    ("({out} - 1)*{stride} + {kernel} - 2*{padding}", "the size comes from that of dout"),
    ("({out} - 1)*{stride} + {kernel}", "the size comes from that of dout"),
    ("{out}*{kernel}", "the windows stand side by side"),
    ("{out}", "this is the size of dout"),
    ("{other_size}", "height and width were mixed up"),
    ("0*{size}", "a slice that ends at -0 is empty"),
)


def sizes(function: str, inputs: Mapping[str, Any]) -> Sizes:
    """Return the length of every axis that the inputs of a call tell, and of those of its windows.

    Parameters
    ----------
    function : str
        The function that takes the inputs: for a backward pass, the forward pass before it.
    inputs : mapping of str to array, tuple or int
        By parameter name.
    """
    found: Sizes = {"stride": 1, "padding": 0}
    for name, axes in AXES[function].items():
        if name in inputs:
            lengths = getattr(inputs[name], "shape", inputs[name])
            lengths = lengths if isinstance(lengths, tuple) else (lengths,)
            found.update({axis: int(length) for axis, length in zip(axes, lengths, strict=True) if "*" not in axis})
    for out, (size, kernel) in _SIDES.items():
        if size in found and kernel in found:
            found[out] = (found[size] + 2 * found["padding"] - found[kernel]) // found["stride"] + 1
    return found


def wrong_lengths(axis: str, known: Sizes) -> Iterator[tuple[int, str, str]]:
    """Yield lengths that an axis has by mistake, each with its formula in numbers and what the mistake is.

    A product of sizes, as in ``N*OH*OW``, is wrong where one of its factors is wrong or missing.
    """
    factors = axis.split("*")
    if len(factors) > 1:
        yield from _wrong_products(factors, known)
        return
    for height, width in (("H", "W"), ("W", "H")):
        names = {
            "size": height,
            "other_size": width,
            "kernel": f"K{height}",
            "other_kernel": f"K{width}",
            "out": f"O{height}",
            "stride": "stride",
            "padding": "padding",
        }
        if axis in (height, f"O{height}"):
            numbers = {role: known[name] for role, name in names.items() if name in known}
            for formula, story in _WRONG_IMAGE_SIZES if axis == height else _WRONG_OUTPUT_SIZES:
                if all(f"{{{role}}}" not in formula or role in numbers for role in names):
                    text = formula.format(**numbers)
                    yield int(eval(text, {"__builtins__": {}})), text, story  # our own formula, filled with ints


def _wrong_products(factors: Sequence[str], known: Sizes) -> Iterator[tuple[int, str, str]]:
    for missing in factors:
        rest = [name for name in factors if name != missing]
        yield int(np.prod([known[name] for name in rest])), "*".join(rest), f"{missing} is missing"
    stories: dict[str, dict[str, tuple[int, str]]] = {}
    for name in factors:
        for length, text, story in wrong_lengths(name, known):
            stories.setdefault(story, {})[name] = length, text
    for story, wrong in stories.items():  # the same mistake in both directions
        numbers = {name: wrong[name][0] if name in wrong else known[name] for name in factors}
        texts = ", ".join(f"{name} = {length} = {text}" for name, (length, text) in wrong.items())
        yield int(np.prod(list(numbers.values()))), "*".join(map(str, numbers.values())) + f" with {texts}", story


def factors(known: Sizes) -> dict[str, float]:
    """Return the numbers, by name, that sums and means are off by: sizes, their products, ratios of sides."""
    groups = [("N",), ("C",), ("F",), ("OH", "OW"), ("KH", "KW"), ("H", "W")]
    groups += [("N", "OH", "OW"), ("N", "H", "W"), ("C", "KH", "KW")]
    found = {
        "*".join(group): float(np.prod([known[name] for name in group])) for group in groups if {*group} <= {*known}
    }
    if {"KH", "KW"} <= {*known}:
        found["KH/KW"] = known["KH"] / known["KW"]
    return {name: number for name, number in found.items() if number != 1}


def regions(function: str, result: str, known: Sizes) -> dict[str, NDArray[np.bool_]]:
    """Return parts of a result that a mistake may be confined to: by name, what of its last two axes belongs to it.

    The names complete "it is right but for the entries …".
    """
    if AXES[function].get(result) not in (_IMAGE, _CONVOLVED, _POOLED, _COLUMNS):
        return {}
    try:
        rows, columns = (_reads(known, *side) for side in (("H", "KH", "OH"), ("W", "KW", "OW")))
    except KeyError:
        return {}
    if AXES[function][result] == _IMAGE:
        height, width = (
            np.bincount(reads[(reads >= 0) & (reads < known[size])], minlength=known[size])
            for reads, size in ((rows, "H"), (columns, "W"))
        )
        counts = np.outer(height, width)
        return {
            "where windows overlap": counts > 1,
            "that no window reaches": counts == 0,
        }
    sides = ((rows, "H"), (columns, "W"))
    down, across = (np.any((reads < 0) | (reads >= known[size]), axis=1) for reads, size in sides)
    touching: NDArray[np.bool_] = np.logical_or.outer(down, across)
    if AXES[function][result] != _COLUMNS:
        return {"whose window touches the padding": touching}
    on = np.zeros([known[name] for name in ("C", "KH", "KW", "N", "OH", "OW")], dtype=bool)
    outside = [((reads < 0) | (reads >= known[size])).T for reads, size in ((rows, "H"), (columns, "W"))]
    on[:] = (outside[0][:, np.newaxis, :, np.newaxis] | outside[1][:, np.newaxis])[:, :, np.newaxis]
    windows = np.broadcast_to(touching, on.shape)
    shape = known["C"] * known["KH"] * known["KW"], -1
    return {"that lie on the padding": on.reshape(shape), "whose window touches the padding": windows.reshape(shape)}


def _reads(known: Sizes, size: str, kernel: str, out: str) -> NDArray[np.int_]:
    """Return which pixel each tap (columns) of each window (rows) reads along one side; outside lies the padding."""
    starts = np.arange(known[out]) * known["stride"] - known["padding"]
    reads: NDArray[np.int_] = starts[:, np.newaxis] + np.arange(known[kernel])
    return reads
