"""Small inputs for every function, in a fixed order: the grader shows a student the first one that a mistake shows on.

Each is a program of a few lines, as a student would paste it into the notebook. None of it comes from a hidden test, so
a student may see all of it, with what came back and what should have. The order is by the number of input numbers and
of the things that are special about them; so a stride comes before two images. Knows lengths and numbers. It must not
know: what is right, tests, points.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MOST_NUMBERS = 12
"""Entries of all input arrays of one program; the few programs of `_long` have more, and write them in short."""
MOST_SPECIAL = 5
"""Things that are special about one input: more at once do not help a reader."""

_KERNELS = ((1, 1), (1, 2), (2, 1), (2, 2), (1, 3), (3, 1))
_OUTPUTS = ((1, 1), (1, 2), (2, 1), (2, 2))


class _Geometry(NamedTuple):
    N: int
    C: int
    H: int
    W: int
    F: int
    KH: int
    KW: int
    stride: int
    padding: int
    OH: int
    OW: int

    @property
    def special(self) -> int:
        """How many things a reader has to keep in mind: lengths beyond 1, more so where a window sees no pixel."""
        blank = self.padding >= min(self.KH, self.KW)
        return sum(length > 1 for length in self[:8]) + 2 * (self.stride > 2) + self.padding + 2 * blank

    @property
    def image(self) -> tuple[int, ...]:
        return self.N, self.C, self.H, self.W

    @property
    def windows(self) -> str:
        return f"({self.KH}, {self.KW})"

    @property
    def options(self) -> str:
        """The arguments stride and padding; left out where they are what they are by default."""
        given = [f"stride={self.stride}"] * (self.stride > 1) + [f"padding={self.padding}"] * (self.padding > 0)
        return "".join(f", {one}" for one in given)


@functools.cache
def _geometries(largest_padding: int, filters: tuple[int, ...]) -> list[_Geometry]:
    """Return every way to choose small lengths, the plainest first."""
    found = set()
    grid = itertools.product(
        (1, 2), (1, 2), filters, _KERNELS, _OUTPUTS, (1, 2, 3), range(largest_padding + 1), (0, 1), (0, 1)
    )
    for N, C, F, (KH, KW), (OH, OW), stride, padding, below, beside in grid:
        H = (OH - 1) * stride + KH - 2 * padding + below
        W = (OW - 1) * stride + KW - 2 * padding + beside
        one = _Geometry(N, C, H, W, F, KH, KW, stride, padding, OH, OW)
        uneven = below + beside
        fits = min(H, W) > 0 and N * C * H * W <= MOST_NUMBERS and uneven < min(stride, 2)
        if fits and one.special + 2 * uneven <= MOST_SPECIAL:
            found.add(one)
    return sorted(found, key=lambda one: (one.special, one))


# ---- numbers

_WHOLE = re.compile(r"\.0\b")
"""The end of a whole number, as Python writes it."""


def _ramp(*shape: int) -> NDArray[np.float64]:
    """1, 2, 3 and so on: every entry can be told from every other."""
    return np.arange(1.0, np.prod(shape) + 1, dtype=np.float64).reshape(shape)


def _jumping(*shape: int) -> NDArray[np.float64]:
    """All different, negative ones among them; the largest of a window may be anywhere in it."""
    size = int(np.prod(shape))
    values = np.array([2.0, -1, 3, -4, 1, 5, -2, 4, -6, 6, -3, 7])
    return np.resize(values, size).reshape(shape)


def _alike(*shape: int) -> NDArray[np.float64]:
    """All the same, so that there is no single maximum."""
    return np.ones(shape)


def _negative(*shape: int) -> NDArray[np.float64]:
    return -_ramp(*shape)


def _tenths(*shape: int) -> NDArray[np.float64]:
    """Fractions that float32 does not hold."""
    return _ramp(*shape) / 10


def _near(*shape: int) -> NDArray[np.float64]:
    """Close to each other, but different."""
    return 1 + (_ramp(*shape) - 1) * 1e-7


def _hundreds(*shape: int) -> NDArray[np.float64]:
    return _ramp(*shape) * 100


_PLAIN, _FILLS = _ramp, (_jumping, _negative, _alike, _tenths, _near, _hundreds)


def _written(values: NDArray[np.float64], dtype: str = "") -> str:
    """Return an array as code, with ``1.`` for 1.0, as NumPy writes whole numbers."""
    given = f", dtype=np.{dtype}" if dtype else ""
    return f"np.array({_WHOLE.sub('.', str(values.tolist()))}{given})"


class Program(NamedTuple):
    """Lines of code that call functions of the assignment.

    Attributes
    ----------
    numbers : int
        How many numbers go in.
    code : str
    special : int
        How many things are special about them.
    """

    numbers: int
    code: str
    special: int = 0


@functools.cache
def family(function: str) -> list[Program]:
    """Return the programs in which `function` is looked at, the smallest first."""
    found = dict.fromkeys(_MAKERS[function]())
    return sorted(found, key=lambda program: program.numbers + program.special)


# ---- the programs of each function


def _sizes() -> Iterator[Program]:
    grid = itertools.product(range(1, 8), range(1, 5), range(1, 4), range(4))
    plain = sorted(grid, key=lambda g: ((g[2] > 1) + (g[3] > 0) + (g[1] > 1), sum(g), g))
    for size, kernel_size, stride, padding in plain:
        if size + 2 * padding >= kernel_size:
            given = f", stride={stride}" * (stride > 1) + f", padding={padding}" * (padding > 0)
            yield Program(
                2 + (stride > 1) + (padding > 0), f"size = conv_output_size({size}, {kernel_size}{given})", size
            )


def _columns() -> Iterator[Program]:
    def program(g: _Geometry, x: NDArray[np.float64], dtype: str = "") -> Program:
        return Program(x.size, f"x = {_written(x, dtype)}\ncols = im2col(x, {g.windows}{g.options})", g.special)

    for g in _geometries(3, (1,)):
        yield program(g, _PLAIN(*g.image))
        if g.special <= 2:
            yield from (program(g, fill(*g.image)) for fill in _FILLS)
            yield program(g, _PLAIN(*g.image), "float32")
            yield _twice(program(g, _ramp(*g.image)), program(g, _jumping(*g.image)))
    yield from _long("x = {x}\ncols = im2col(x, (1, 1))")


def _images() -> Iterator[Program]:
    def program(g: _Geometry, cols: NDArray[np.float64], dtype: str = "") -> Program:
        call = f"x = col2im(cols, {g.image}, {g.windows}{g.options})"
        return Program(cols.size, f"cols = {_written(cols, dtype)}\n{call}", g.special)

    for g in _geometries(3, (1,)):
        shape = g.C * g.KH * g.KW, g.N * g.OH * g.OW
        if np.prod(shape) > MOST_NUMBERS:
            continue
        yield program(g, _PLAIN(*shape))
        if g.special <= 2:
            yield from (program(g, fill(*shape)) for fill in _FILLS)
            yield program(g, _PLAIN(*shape), "float32")
            yield _twice(program(g, _ramp(*shape)), program(g, _jumping(*shape)))
    yield from _long("cols = {x}.reshape(1, -1)\nx = col2im(cols, (1, 1, 1, {n}), (1, 1))")


def _long(code: str) -> Iterator[Program]:
    """Yield rows of pixels that are longer than an index of 8 or 16 bits reaches."""
    for n in (300, 40_000):
        yield Program(n, code.format(x=f"np.arange(1.0, {n + 1}).reshape(1, 1, 1, {n})", n=n))


def _convolution(backward: bool) -> Iterator[Program]:
    def arrays(g: _Geometry, fill: object = None) -> dict[str, NDArray[np.float64]]:
        draw = fill or _PLAIN
        found = {"x": draw(*g.image), "w": draw(g.F, g.C, g.KH, g.KW), "b": 10 * draw(g.F)}  # type: ignore[operator]
        return found | ({"dout": draw(g.N, g.F, g.OH, g.OW)} if backward else {})  # type: ignore[operator]

    def program(g: _Geometry, given: dict[str, NDArray[np.float64]], dtype: str = "") -> Program:
        lines = [f"{name} = {_written(values, dtype)}" for name, values in given.items()]
        lines.append(f"out, cache = conv2d_forward(x, w, b{g.options})")
        lines += ["dx, dw, db = conv2d_backward(dout, cache)"] if backward else []
        return Program(sum(values.size for values in given.values()), "\n".join(lines), g.special)

    def between(g: _Geometry) -> Program:
        """Look at one batch, then at another of the same shape, and only then go back for the first."""
        given = arrays(g)
        lines = [f"{name} = {_written(values)}" for name, values in given.items()]
        lines.append(f"out, cache = conv2d_forward(x, w, b{g.options})")
        other = _jumping(*g.image)
        lines += [f"other = {_written(other)}", f"conv2d_forward(other, w, b{g.options})"]
        lines.append("dx, dw, db = conv2d_backward(dout, cache)")
        return Program(sum(values.size for values in given.values()) + other.size, "\n".join(lines), g.special)

    for g in _geometries(3, (1, 2)):
        plain = arrays(g)
        if sum(values.size for values in plain.values()) > MOST_NUMBERS + 2:
            continue
        yield program(g, plain)
        if g.special <= 1:
            yield from (program(g, arrays(g, fill)) for fill in _FILLS)
            yield program(g, plain, "float32")
            yield _twice(program(g, plain), program(g, arrays(g, _jumping)))
            if backward:
                yield between(g)


def _twice(first: Program, second: Program) -> Program:
    return Program(first.numbers + second.numbers, f"{first.code}\n{second.code}", first.special)


def _pooling(kind: str, backward: bool) -> Iterator[Program]:
    def program(g: _Geometry, x: NDArray[np.float64], dtype: str = "", between: bool = False, sign: int = 1) -> Program:
        dout = sign * _PLAIN(g.N, g.C, g.OH, g.OW)
        lines = [f"x = {_written(x, dtype)}"]
        lines.append(f"out, cache = {kind}_pool2d_forward(x, {g.windows}, {g.stride})")
        if between:
            lines.append(f"{kind}_pool2d_forward(-x, {g.windows}, {g.stride})")
        if backward:
            lines.append(f"dout = {_written(dout, dtype)}")
            lines.append(f"dx = {kind}_pool2d_backward(dout, cache)")
        return Program(x.size + (dout.size if backward else 0), "\n".join(lines), g.special)

    for g in _geometries(0, (1,)):
        yield from (program(g, fill(*g.image)) for fill in (_ramp, _jumping))
        if g.special <= 2:
            yield from (program(g, fill(*g.image)) for fill in (_negative, _alike, _tenths, _near, _hundreds))
            yield program(g, _PLAIN(*g.image), "float32")
            yield _twice(program(g, _ramp(*g.image)), program(g, _jumping(*g.image)))
            if backward:
                yield program(g, _ramp(*g.image), sign=-1)
                yield program(g, _jumping(*g.image), between=True)
    forward = f"x = {{x}}\nout, cache = {kind}_pool2d_forward(x, (1, {{n}}), 1)"
    yield from _long(forward + (f"\ndout = np.ones((1, 1, 1, 1))\ndx = {kind}_pool2d_backward(dout, cache)" * backward))


_MAKERS: dict[str, Callable[[], Iterator[Program]]] = {
    "conv_output_size": _sizes,
    "im2col": _columns,
    "col2im": _images,
    "conv2d_forward": lambda: _convolution(backward=False),
    "conv2d_backward": lambda: _convolution(backward=True),
    "max_pool2d_forward": lambda: _pooling("max", backward=False),
    "max_pool2d_backward": lambda: _pooling("max", backward=True),
    "avg_pool2d_forward": lambda: _pooling("avg", backward=False),
    "avg_pool2d_backward": lambda: _pooling("avg", backward=True),
}
