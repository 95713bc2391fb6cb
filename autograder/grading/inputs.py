"""The arrays of one round of a race: the same for everyone who asks in the same order, and not predictable."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from autograder.grading.compare import Array


class Inputs:
    """Arrays that are drawn when they are first asked for.

    Entries are float64, so that code which sums in float64 has the right type already, and uniform in [-1, 1). Two
    entries are equal with a chance of one in 2**53, so no verdict depends on which of two equal entries a function
    chooses.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int) -> None:
        self._generator = np.random.default_rng(seed)
        self._drawn: list[Array] = []

    def draw(self) -> Callable[..., Array]:
        """Return a function ``draw(*shape)`` that gives the arrays one by one, from the first."""
        numbers = itertools.count()

        def draw(*shape: int) -> Array:
            number = next(numbers)
            if number == len(self._drawn):
                self._drawn.append(2 * self._generator.random(shape) - 1)
            return self._drawn[number]

        return draw
