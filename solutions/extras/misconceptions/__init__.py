"""Named wrong answers to the extras, each with its hint: as in ``solutions/misconceptions``, which explains them.

The catalogue knows the model answer, its text included, and tests by their names. It must not know: points, processes,
what a test does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograder.grading.diagnose import mistakes
from autograder.grading.diagnose.mistakes import Misconception
from solutions.extras import extras
from solutions.extras.misconceptions import convolutions, family, geometry, normalization, pools, regions, resampling
from solutions.extras.misconceptions.entry import FUNCTIONS, REGISTERED

__all__ = [
    "CATALOGUE",
    "FUNCTIONS",
    "assemble",
    "convolutions",
    "family",
    "geometry",
    "normalization",
    "pools",
    "regions",
    "resampling",
    "source",
]

CATALOGUE: tuple[Misconception, ...] = tuple(sorted(REGISTERED, key=lambda one: FUNCTIONS.index(one.function)))
"""All of them, in the order of the assignment."""


def source(entry: Misconception) -> str:
    """Return a submission that is right but for this misconception: the text of an ``extras.py``."""
    return mistakes.source(entry, extras)


def assemble(entries: Sequence[Misconception] = ()) -> dict[str, Any]:
    """Return all functions, right but for these mistakes."""
    return mistakes.assemble(extras, FUNCTIONS, entries)
