"""Small inputs for every function of the extras, the smallest first, as in ``solutions/misconceptions/family.py``.

Each is a program of a few lines. None of it comes from a hidden test. Knows lengths and numbers; the model answer is
asked for nothing but the shape of out. It must not know: what is right, tests, points.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from solutions.extras import extras
from solutions.misconceptions.family import (
    _FILLS,
    MOST_NUMBERS,
    MOST_SPECIAL,
    Program,
    _jumping,
    _negative,
    _ramp,
    _twice,
    _written,
)

Shape = tuple[int, ...]
MOST_SETTINGS = 250
"""Ways to call one function; each gives a few programs."""


class Setting(NamedTuple):
    """One way to call the first function of a family.

    Attributes
    ----------
    arrays : dict of str to tuple of ints
        The shapes of the arrays that are filled with numbers.
    call : str
        The arguments, as code.
    numbers : int
        How many things are special about the numbers among them.
    fixed : tuple of pairs
        More arrays: their names, and themselves as code.
    """

    arrays: dict[str, Shape]
    call: str
    numbers: int = 0
    fixed: tuple[tuple[str, str], ...] = ()

    @property
    def size(self) -> int:
        """How many numbers go in."""
        return sum(int(np.prod(shape)) for shape in self.arrays.values())

    @property
    def special(self) -> int:
        """How many things a reader has to keep in mind: lengths beyond 1, and numbers that are not the usual ones."""
        return self.numbers + sum(length > 1 for shape in self.arrays.values() for length in shape)


def _images(largest: int = 3) -> Iterator[Shape]:
    lengths = range(1, largest + 1)
    for shape in itertools.product((1, 2), (1, 2), lengths, lengths):
        if np.prod(shape) <= MOST_NUMBERS:
            yield shape


def _options(**given: int) -> tuple[str, int]:
    """Return arguments by name as code, those left out that are what they are by default, and how many there are."""
    usual = {"padding": 0}
    said = {name: value for name, value in given.items() if value != usual.get(name, 1)}
    return "".join(f", {name}={value}" for name, value in said.items()), len(said) + sum(v > 2 for v in said.values())


# ---- how each family may be called


def _batchnorm() -> Iterator[Setting]:
    for shape in _images():
        for training, numbers in itertools.product((1, 0), ("", ", np.array(0.5), np.array(3.0)")):
            fixed = (
                ("running_mean", _written(_ramp(shape[1]))),
                ("running_var", _written(4 * _ramp(shape[1]))),
                ("gamma", _written(2 * _ramp(shape[1]))),
                ("beta", _written(10 * _ramp(shape[1]))),
            )
            call = f"x, gamma, beta, running_mean, running_var, {training}{numbers}"
            yield Setting({"x": shape}, call, 2 * (not training) + bool(numbers), fixed)


def _transpose() -> Iterator[Setting]:
    for N, C, F, H, W, KH, KW in itertools.product(*[(1, 2)] * 7):
        for stride, padding in itertools.product((1, 2, 3), (0, 1)):
            sides = stride * (H - 1) + KH - 2 * padding, stride * (W - 1) + KW - 2 * padding
            if min(sides) > 0:
                options, numbers = _options(stride=stride, padding=padding)
                arrays = {"x": (N, C, H, W), "w": (C, F, KH, KW), "b": (F,)}
                yield Setting(arrays, f"x, w, b{options}", numbers)


def _resample() -> Iterator[Setting]:
    for shape, factor in itertools.product(_images(), (1, 2, 3)):
        yield Setting({"x": shape}, f"x, {factor}", abs(factor - 2))


def _pad() -> Iterator[Setting]:
    for shape, padding in itertools.product(_images(2), itertools.product((0, 1, 2), repeat=4)):
        yield Setting({"x": shape}, f"x, {padding}", sum(n > 0 for n in padding) + sum(n > 1 for n in padding))


def _pool() -> Iterator[Setting]:
    for (N, C, H, W), KH, KW, stride in itertools.product(_images(), (1, 2, 3), (1, 2, 3), (1, 2, 3)):
        if KH <= H and KW <= W:
            numbers = (KH > 1) + (KW > 1) + (stride > 1)
            yield Setting({"x": (N, C, H, W)}, f"x, ({KH}, {KW}), {stride}", numbers)


def _global() -> Iterator[Setting]:
    yield from (Setting({"x": shape}, "x") for shape in _images())


def _adaptive() -> Iterator[Setting]:
    for shape, OH, OW in itertools.product(_images(), (1, 2, 3), (1, 2, 3)):
        yield Setting({"x": shape}, f"x, ({OH}, {OW})", (OH > 1) + (OW > 1))


def _grouped() -> Iterator[Setting]:
    for N, per_group, F, groups in itertools.product((1, 2), (1, 2), (1, 2), (1, 2)):
        for KH, KW, OH, OW in itertools.product((1, 2), (1, 2), (1, 2), (1, 2)):
            for stride, padding, dilation in itertools.product((1, 2), (0, 1), (1, 2, 3)):
                H = (OH - 1) * stride + dilation * (KH - 1) + 1 - 2 * padding
                W = (OW - 1) * stride + dilation * (KW - 1) + 1 - 2 * padding
                if min(H, W) > 0 and H * W <= MOST_NUMBERS:
                    options, numbers = _options(stride=stride, padding=padding, dilation=dilation, groups=groups)
                    arrays = {"x": (N, groups * per_group, H, W), "w": (groups * F, per_group, KH, KW)}
                    yield Setting(arrays | {"b": (groups * F,)}, f"x, w, b{options}", numbers)


def _slid(axes: int) -> Iterator[Setting]:
    """Convolutions along any number of axes."""
    for N, C, F, *sides in itertools.product((1, 2), (1, 2), (1, 2), *[(1, 2)] * (2 * axes)):
        for stride, padding in itertools.product((1, 2, 3) if axes == 1 else (1, 2), (0, 1)):
            kernel, out = sides[:axes], sides[axes:]
            size = [(o - 1) * stride + k - 2 * padding for o, k in zip(out, kernel, strict=True)]
            if min(size) > 0:
                options, numbers = _options(stride=stride, padding=padding)
                arrays = {"x": (N, C, *size), "w": (F, C, *kernel), "b": (F,)}
                yield Setting(arrays, f"x, w, b{options}", numbers)


def _linear() -> Iterator[Setting]:
    for shape, F in itertools.product(_images(), (1, 2)):
        yield Setting({"x": shape, "w": (F, shape[1], 1, 1), "b": (F,)}, "x, w, b")


def _backwards() -> Iterator[Setting]:
    for N, F, C, OH, OW, KH, KW, padding in itertools.product(*[(1, 2)] * 7, (0, 1)):
        if min(OH + KH, OW + KW) - 1 - 2 * padding > 0:
            options, numbers = _options(padding=padding)
            yield Setting({"dout": (N, F, OH, OW), "w": (F, C, KH, KW)}, f"dout, w{options}", numbers)


def _regions() -> Iterator[Setting]:
    boxes: tuple[str, ...] = (
        "[0, 0, 1, 1]",
        "[0, 0, 2, 1]",
        "[1, 0, 2, 2]",
        "[0, 1, 1, 1]",
        "[0, 0, 2, 2], [0, 0, 2, 2]",
    )
    boxes += ("[0, 0, 3, 2]", "[-1, 0, 1, 2]", "[1, 1, 3, 3], [0, 0, 3, 1]", "[2, 2, 4, 4]")
    for shape, (place, given) in itertools.product(_images(), enumerate(boxes)):
        count = given.count("[")
        for image, OH, OW in itertools.product(range(shape[0]), (1, 2), (1, 2)):
            fixed = ("images", f"np.array({[image] * count})"), ("boxes", f"np.array([{given}])")
            numbers = place // 2 + (OH > 1) + (OW > 1)
            yield Setting({"x": shape}, f"x, images, boxes, ({OH}, {OW})", numbers, fixed)


def _boxes() -> Iterator[Setting]:
    corners: tuple[str, ...] = (
        "[0.0, 0.0, 1.0, 1.0]",
        "[0.0, 0.0, 2.0, 1.0]",
        "[1.0, 1.0, 3.0, 2.0]",
        "[2.0, 2.0, 2.0, 2.0]",
    )
    corners += ("[4.0, 4.0, 6.0, 5.0]",)
    for one, other in itertools.product(range(len(corners)), repeat=2):
        fixed = ("a", f"np.array([{corners[one]}])"), ("b", f"np.array([{corners[other]}])")
        yield Setting({}, "a, b", one + other, fixed)


_SETTINGS: dict[str, Callable[[], Iterator[Setting]]] = {
    "spatial_batchnorm": _batchnorm,
    "conv_transpose2d": _transpose,
    "upsample": _resample,
    "downsample": _resample,
    "pad2d": _pad,
    "min_pool2d": _pool,
    "lp_pool2d": _pool,
    "global_avg_pool2d": _global,
    "adaptive_avg_pool2d": _adaptive,
    "conv2d_grouped": _grouped,
    "conv1d": lambda: _slid(1),
    "conv3d": lambda: _slid(3),
    "conv2d_as_linear": _linear,
    "conv2d_dx_as_conv": _backwards,
    "roi_max_pool": _regions,
    "box_iou": _boxes,
}
_RESULTS = {"spatial_batchnorm": "out, new_mean, new_var", "conv2d_dx_as_conv": "dx", "box_iou": "iou"}
_GRADIENTS = {"spatial_batchnorm": "dx, dgamma, dbeta"}


# ---- programs


@functools.cache
def family(function: str) -> list[Program]:
    """Return the programs in which `function` is looked at, the smallest first."""
    name = function.removesuffix("_forward").removesuffix("_backward")
    settings = [one for one in _SETTINGS[name]() if one.special <= MOST_SPECIAL + 2 and one.size <= MOST_NUMBERS + 2]
    settings.sort(key=lambda one: (one.special + one.size, one.special))
    found: dict[Program, None] = {}
    for setting in settings[:MOST_SETTINGS]:
        found |= dict.fromkeys(_programs(function, name, setting))
    small = [program for program in found if program.numbers <= 3 * MOST_NUMBERS]
    return sorted(small, key=lambda program: program.numbers + program.special)


def _programs(function: str, name: str, setting: Setting) -> Iterator[Program]:
    plain = _program(function, name, setting, _ramp)
    yield plain
    yield _program(function, name, setting, _jumping)
    if setting.special <= 3:
        yield from (_program(function, name, setting, fill) for fill in (*_FILLS, np.zeros))
        yield _program(function, name, setting, _ramp, "float32")
        if function.endswith("_backward"):
            yield _program(function, name, setting, _jumping, between=True)
        if setting.arrays:
            yield _twice(plain, _program(function, name, setting, _negative))


def _program(
    function: str, name: str, setting: Setting, fill: Callable[..., Any], dtype: str = "", between: bool = False
) -> Program:
    """Return one program; with a second forward pass `between` the two that belong together, if that is asked for."""
    whole = name in ("conv2d_as_linear", "conv2d_dx_as_conv", "box_iou")
    arrays = {key: fill(*shape) if fill is not np.zeros else np.zeros(shape) for key, shape in setting.arrays.items()}
    lines = [f"{key} = {_written(values, dtype)}" for key, values in arrays.items()]
    for key, code in setting.fixed:
        lines.append(f"{key} = {code}" if not dtype or "." not in code else f"{key} = {code[:-1]}, dtype=np.{dtype})")
    first = name if whole else f"{name}_forward"
    lines.append(f"{_RESULTS.get(name, 'out')}{'' if whole else ', cache'} = {first}({setting.call})")
    numbers = setting.size
    if between:
        lines.append(f"{first}(-{setting.call})")
    if function.endswith("_backward"):
        dout = _ramp(*_out_shape(name, setting))
        gradients = _GRADIENTS.get(name, "dx, dw, db" if "w" in setting.arrays else "dx")
        lines += [f"dout = {_written(dout, dtype)}", f"{gradients} = {function}(dout, cache)"]
        numbers += dout.size
    return Program(numbers, "\n".join(lines), setting.special)


def _out_shape(name: str, setting: Setting) -> Shape:
    """Ask the model answer for the shape of out."""
    names = {"np": np, "f": getattr(extras, f"{name}_forward")}
    names |= {key: _ramp(*shape) for key, shape in setting.arrays.items()}
    names |= {key: eval(code, {"np": np}) for key, code in setting.fixed}  # our own code
    shape: Shape = eval(f"f({setting.call})", names)[0].shape
    return shape
