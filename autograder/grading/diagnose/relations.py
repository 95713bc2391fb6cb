"""Describe how a wrong array is related to the right one, when no known mistake explains it.

Each relation has a key, so that relations of several cases can be compared: what holds in all of them is worth saying.
Only simple factors are ever named, so that nobody can compute expected values from them. This module is pure and does
not know what the arrays mean.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.grading.diagnose import altered

Array = NDArray[Any]
Mask = NDArray[np.bool_]

SINGLE_PRECISION = 1e-6
"""Errors below this share of the largest magnitude look like float32."""

LARGEST_FACTOR = 9
"""Numbers that may be named as a factor, or as 1 divided by the number."""

BY_CHANCE = 0.01
"""A region is named if randomly placed wrong entries would all lie in it with at most this probability."""

LARGEST_SHIFT = 3
"""By how many rows and columns an array may be shifted, and how wide a border may be."""


@dataclass(frozen=True)
class Relation:
    """Something that is true of a wrong array.

    `text` completes "It ...". `key` is the same wherever the same is true. An `empty` relation is true of any wrong
    array of this shape, so it says nothing. One `of_one_case` is not true of the other cases of its test.
    """

    key: str
    text: str
    empty: bool = False
    of_one_case: bool = False


@dataclass(frozen=True)
class Pair:
    """The array that was returned and the expected one.

    Attributes
    ----------
    got, expected : ndarray of float64
        Finite.
    tolerance : float
        As in ``compare.array``.
    axes : tuple of str
        What the axes are called, if known; products of names where an axis runs over several.
    sizes : mapping of str to int
        How long named axes are.
    factors : mapping of str to float
        Numbers with a name that a result may be too large or too small by: KH*KW.
    regions : mapping of str to ndarray of bool
        Parts of the last two axes that a mistake may be confined to.
    """

    got: Array
    expected: Array
    tolerance: float
    axes: tuple[str, ...]
    sizes: Mapping[str, int]
    factors: Mapping[str, float]
    regions: Mapping[str, Mask]

    @property
    def bound(self) -> float:
        """The largest error that passes."""
        return self.tolerance * float(np.max(np.abs(self.expected), initial=0.0))

    @property
    def wrong(self) -> Mask:
        """Which entries differ."""
        wrong: Mask = ~(np.abs(self.got - self.expected) <= self.bound)
        return wrong

    def is_close(self, other: Array) -> bool:
        """Whether `other` is what was returned."""
        return self.got.shape == other.shape and bool((np.abs(self.got - other) <= self.bound).all())

    def name(self, axis: int) -> str:
        """What an axis is called."""
        return self.axes[axis] if len(self.axes) == self.got.ndim else f"axis {axis}"


def relations(pair: Pair) -> list[Relation]:
    """Return what is true of a wrong array, the most informative first.

    `got` may have another shape than `expected`: then only the order of axes is looked at.
    """
    if pair.got.size == 0 or pair.expected.size == 0 or pair.got.size != pair.expected.size:
        return []
    if pair.got.shape != pair.expected.shape:
        return list(_orders_of_axes(pair))
    found = list(_as_a_whole(pair))
    if not found and _same_values(pair.got, pair.expected, pair.bound):
        found = [*_orders_of_axes(pair), *_flips(pair), *_shifts(pair)] or [
            Relation("elsewhere", "holds all the right values, but in other places")
        ]
    found = found or [*_flips(pair), *_offsets(pair), *_shifts(pair)]
    return found or list(_places(pair))


# ---- the array as a whole


def _as_a_whole(pair: Pair) -> Iterator[Relation]:
    got, expected = pair.got, pair.expected
    scale = float(np.max(np.abs(expected)))
    if not got.any():
        yield Relation("zero", "is 0 everywhere")
        return
    if got.size > 2 and (got == got.flat[0]).all():
        yield Relation("constant", "has the same number everywhere")
        return
    if pair.tolerance < SINGLE_PRECISION and float(np.max(np.abs(got - expected))) <= SINGLE_PRECISION * scale:
        yield Relation("float32", "is right to float32 precision only: somewhere on the way is an array of float32")
        return
    if to := altered.rounded(got, expected, pair.tolerance):
        yield Relation(f"rounded {to}", f"is rounded to {to}")
        return
    key, text = altered.limited(got, expected, pair.bound)
    if key:
        yield Relation(key, text)
        return
    if got.size > 1:
        yield from (
            Relation(f"factor {text}", f"is {text} what it should be, everywhere") for text in _factors(pair, ...)
        )


def _factors(pair: Pair, where: Any) -> list[str]:
    """Return in words the simple factors between the entries at `where`, plain numbers first."""
    got, expected = pair.got[where].reshape(-1), pair.expected[where].reshape(-1)
    if not expected.any():
        return []
    at = int(np.argmax(np.abs(expected)))
    ratio = float(got[at] / expected[at])
    if ratio == 0 or not (np.abs(got - ratio * expected) <= pair.bound * max(1.0, abs(ratio))).all():
        return []
    slack = 4 * max(pair.tolerance, 1e-12) * abs(ratio)
    sign, size = ("minus " if ratio < 0 else ""), abs(ratio)
    texts = []
    if abs(size - 1) <= slack and sign:
        texts.append("minus")
    numbers = {str(n): float(n) for n in range(2, LARGEST_FACTOR + 1)}
    for name, number in {**numbers, **pair.factors}.items():
        if abs(size - number) <= slack:
            texts.append(f"{sign}{name} times")
        if abs(size - 1 / number) <= slack:
            texts.append(f"{sign}1/({name}) of" if "*" in name or "/" in name else f"{sign}1/{name} of")
    for above, below in ((2, 3), (3, 2), (3, 4), (4, 3)):
        if abs(size - above / below) <= slack:
            texts.append(f"{sign}{above}/{below} of")
    return texts


def _offsets(pair: Pair) -> Iterator[Relation]:
    """Find a number that was added, the same everywhere or one for each index of an axis."""
    difference = pair.got - pair.expected
    spread = pair.bound + 1e-12 * float(np.max(np.abs(pair.got)))
    if difference.size > 1 and float(np.ptp(difference)) <= spread:
        yield Relation("offset", "is off by the same amount everywhere")
        return
    for axis in range(difference.ndim):
        others = tuple(other for other in range(difference.ndim) if other != axis)
        if 1 < difference.shape[axis] < difference.size and (np.ptp(difference, axis=others) <= spread).all():
            name = pair.name(axis)
            yield Relation(f"offset {name}", f"is off by one amount for each index of {name}")


# ---- the right values in other places


def _same_values(got: Array, expected: Array, bound: float) -> bool:
    difference = np.sort(got, axis=None) - np.sort(expected, axis=None)
    return bool((np.abs(difference) <= bound).all())


def _orders_of_axes(pair: Pair) -> Iterator[Relation]:
    """Find another order of axes, or of the parts of an axis, that gives the wrong array."""
    got, expected = pair.got, pair.expected
    if not _same_values(got, expected, pair.bound):
        return
    for order in itertools.permutations(range(expected.ndim)):
        if list(order) == sorted(order):
            continue
        permuted = expected.transpose(order)
        names = ", ".join(pair_axis(pair, axis) for axis in order)
        should = ", ".join(pair_axis(pair, axis) for axis in range(expected.ndim))
        if pair.is_close(permuted):
            yield Relation(f"axes {names}", f"has its axes in the order ({names}), but they should be ({should})")
            return
        if pair.is_close(permuted.reshape(got.shape)):
            text = f"holds the values in the order ({names}), reshaped; they should be transposed to ({should}) first"
            yield Relation(f"reshaped {names}", text)
            return
    yield from _orders_of_factors(pair)


def _orders_of_factors(pair: Pair) -> Iterator[Relation]:
    """The same where an axis runs over several, as columns do over N, OH and OW."""
    expected = pair.expected
    factors = [axis.split("*") for axis in pair.axes]
    if len(factors) != expected.ndim or max(map(len, factors), default=1) == 1:
        return
    lengths = [[pair.sizes.get(name, 0) for name in group] for group in factors]
    if [int(np.prod(group)) for group in lengths] != list(expected.shape):
        return
    atoms = expected.reshape([length for group in lengths for length in group])
    starts = np.cumsum([0, *map(len, factors)])[:-1]
    for orders in itertools.product(*(itertools.permutations(range(len(group))) for group in factors)):
        order = [int(start) + place for start, group in zip(starts, orders, strict=True) for place in group]
        if order == sorted(order):
            continue
        permuted = atoms.transpose(order).reshape(expected.shape)
        for turned, extra in ((permuted, ""), (permuted.T, ", and the matrix is transposed")):
            if pair.is_close(turned):
                moved = [
                    (_run(axis), ", ".join(group[i] for i in places), ", ".join(group))
                    for axis, (group, places) in enumerate(zip(factors, orders, strict=True))
                    if list(places) != sorted(places)
                ]
                text = " and ".join(
                    f"has its {what} in the order {now}, but it should be {wanted}" for what, now, wanted in moved
                )
                yield Relation(f"order {orders}{extra}", text + extra)
                return
    yield from _read_otherwise(pair, atoms, [name for group in factors for name in group])


def _read_otherwise(pair: Pair, atoms: Array, names: Sequence[str]) -> Iterator[Relation]:
    """Find an order of axes in which the entries were flattened and then reshaped."""
    for axis in range(1, atoms.ndim):
        moved = np.moveaxis(atoms, axis, 0)
        if pair.is_close(moved.reshape(pair.got.shape)):
            order = ", ".join([names[axis], *(name for name in names if name != names[axis])])
            text = (
                f"holds the values in the order {order}, reshaped; {names[axis]} should have been moved by a transpose"
            )
            yield Relation(f"read {names[axis]} first", text)
            return


def _run(axis: int) -> str:
    return ("rows", "columns")[axis] if axis < 2 else f"axis {axis}"


def pair_axis(pair: Pair, axis: int) -> str:
    """What an axis of the expected array is called."""
    return pair.axes[axis] if len(pair.axes) == pair.expected.ndim else str(axis)


def _flips(pair: Pair) -> Iterator[Relation]:
    axes = [axis for axis in range(pair.got.ndim) if pair.got.shape[axis] > 1]
    for count in range(1, len(axes) + 1):
        for chosen in itertools.combinations(axes, count):
            if pair.is_close(np.flip(pair.expected, chosen)):
                names = " and ".join(pair.name(axis) for axis in chosen)
                yield Relation(f"flip {names}", f"is flipped: back to front along {names}")
                return


def _shifts(pair: Pair) -> Iterator[Relation]:
    """Find a shift of the last two axes; entries shifted in from outside may have any value."""
    if pair.got.ndim < 3:
        return
    height, width = pair.got.shape[-2:]
    steps = range(-LARGEST_SHIFT, LARGEST_SHIFT + 1)
    for down, right in sorted(itertools.product(steps, steps), key=lambda step: abs(step[0]) + abs(step[1])):
        kept = (height - abs(down)) * (width - abs(right))
        if (down, right) == (0, 0) or abs(down) >= height or abs(right) >= width or 3 * kept < height * width:
            continue
        ours, theirs = (
            _window(array, y, x) for array, y, x in ((pair.got, down, right), (pair.expected, -down, -right))
        )
        if theirs.any() and theirs.size > 2 and (np.abs(ours - theirs) <= pair.bound).all():
            moves = [_moved(down, "down", "up", "row"), _moved(right, "to the right", "to the left", "column")]
            text = " and ".join(move for move in moves if move)
            yield Relation(f"shift {np.sign(down)} {np.sign(right)}", f"is shifted by {text}")
            return


def _window(array: Array, down: int, right: int) -> Array:
    rows = slice(max(down, 0), array.shape[-2] + min(down, 0))
    return array[..., rows, max(right, 0) : array.shape[-1] + min(right, 0)]


def _moved(steps: int, forwards: str, backwards: str, unit: str) -> str:
    return f"{_count(abs(steps), unit)} {forwards if steps > 0 else backwards}" if steps else ""


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" + ("s" if number != 1 else "")


# ---- where it is wrong


def _places(pair: Pair) -> Iterator[Relation]:
    wrong = pair.wrong
    if not wrong.any() or wrong.all():
        return
    note = _wrong_entries(pair, wrong)
    border = _in_border(wrong) if pair.axes else ()  # what has no named axes may have no rows and columns either
    for place in itertools.chain(_in_regions(wrong, pair.regions), border, _along_axes(pair, wrong)):
        yield Relation(place.key, place.text + note, place.empty)


def _wrong_entries(pair: Pair, wrong: Mask) -> str:
    """Say what the wrong entries have in common."""
    if not pair.got[wrong].any():
        return "; there it is 0"
    if not pair.expected[wrong].any():
        return "; there it should be 0"
    factors = _factors(pair, wrong) if np.count_nonzero(wrong) > 2 else []
    return f"; there it is {factors[0]} what it should be" if factors else ""


def _in_regions(wrong: Mask, regions: Mapping[str, Mask]) -> Iterator[Relation]:
    """Find a region that contains all wrong entries, and not just by chance."""
    for name, region in regions.items():
        if region.shape != wrong.shape[-2:] or not region.any():
            continue
        inside = np.broadcast_to(region, wrong.shape)
        count, share = np.count_nonzero(wrong), float(region.mean())
        if not wrong[~inside].any() and (
            region.all() or share**count < BY_CHANCE or 2 * count > np.count_nonzero(inside)
        ):
            yield Relation(f"region {name}", f"is right but for the entries {name}", bool(region.all()))


def _along_axes(pair: Pair, wrong: Mask) -> Iterator[Relation]:
    for axis, length in enumerate(wrong.shape):
        others = tuple(other for other in range(wrong.ndim) if other != axis)
        bad = np.flatnonzero(wrong.any(axis=others)).tolist()
        right = [index for index in range(length) if index not in bad]
        name = pair.name(axis)
        spaced = _spacing(right, length)
        if not right:
            continue
        if (right == [0] and length > 2) or (right == [0] and axis == 0):
            yield Relation(f"after first {name}", f"is right for index 0 of {name} only, and wrong in all others")
        elif bad == [length - 1]:
            yield Relation(f"last {name}", f"is wrong for the last index of {name} only")
        elif len(bad) == 1:
            key = "first" if bad == [0] else "one"
            yield Relation(f"{key} {name}", f"is wrong for index {bad[0]} of {name} only")
        elif spaced > 1:
            yield Relation(f"spaced {name}", f"is right in every {_ordinal(spaced)} index of {name} only")
        elif axis < wrong.ndim - 2:
            text = ", ".join(map(str, bad[:6])) + (" …" if len(bad) > 6 else "")
            yield Relation(f"some {name}", f"is wrong for some indices of {name} only: {text}")


def _spacing(right: list[int], length: int) -> int:
    """Return s where exactly 0, s, 2*s, ... are right, else 0."""
    return right[1] if len(right) > 1 and right == list(range(0, length, right[1])) else 0


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")


def _in_border(wrong: Mask) -> Iterator[Relation]:
    """Find a border around the last two axes that holds all wrong entries."""
    if wrong.ndim < 2:
        return
    plane: Mask = np.any(wrong.reshape(-1, *wrong.shape[-2:]), axis=0)
    height, width = plane.shape
    best: tuple[int, tuple[int, ...]] | None = None
    for sides in itertools.product(range(LARGEST_SHIFT + 1), repeat=4):
        top, bottom, left, right = sides
        inner = (height - top - bottom) * (width - left - right)
        fits = top + bottom < height and left + right < width and 4 * inner >= height * width
        strips = (plane[:top], plane[height - bottom :], plane[:, :left].T, plane[:, width - right :].T)
        fits = fits and all(strip.any(axis=1).all() for strip in strips)
        if fits and not plane[top : height - bottom, left : width - right].any():
            best = min(best or (height * width, sides), (height * width - inner, sides))
    if best is None or not any(best[1]):
        return
    names = ("at the top", "at the bottom", "on the left", "on the right")
    parts = [
        f"{_count(wide, 'row' if side < 2 else 'column')} {names[side]}" for side, wide in enumerate(best[1]) if wide
    ]
    key = " ".join(name for name, wide in zip(names, best[1], strict=True) if wide)
    text = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
    yield Relation(f"border {key}", f"is right inside and wrong in the border: {text}")
