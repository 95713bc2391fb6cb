"""How fast a student's function is, as a ratio to the model answer's.

Theory of operation
-------------------
Wall time says as much about the machine as about the code, so processor time decides: the kernel counts it for each
worker, and the grader reads that count from outside, where no student's code can reach. Student and model answer take
turns, each in a locked-down worker of its own, on the same fresh inputs, with one BLAS thread. Every round gives one
ratio, so that what slows both for a while cancels, and the median of the rounds counts: other work adds a little to
most of them, and one that was measured much too short must not decide, as it would if the best times counted. The
verdict is a step, not a slope, and its bounds lie in the wide gap between vectorised code and loops over pixels, so
that it is the same in every run. Where each of the first three rounds is far from every bound, they are enough.

A small size comes first: whoever is hopelessly slow there never sees the large one. Every output that was timed is
compared with the model answer's.

When the verdict is not the best one, the Python steps of the student's functions are counted at two sizes. That is no
measurement but a count, the same in every run, and it can name the function that loops. The worker does the counting,
so it is as good as the worker's word: it explains, and decides nothing.

This room knows two proxies and a clock. It must not know: pytest, points, what is being computed.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType

import numpy as np

from autograder import compare
from autograder.compare import Array
from autograder.errors import Crashed, GraderFault, StudentError, Wrong
from autograder.student import Student

FULL, HALF, NONE, NOT_MEASURED = "full", "half", "none", "not measured"

FEWEST_ROUNDS = 3
CLEAR = 2.0
"""This many times off every bound, and in every round so far, more rounds cannot change the verdict."""
SHORTEST = 1e-9
"""Seconds that a lap takes at least: a clock may say that it took none."""

COUNTED_SIZES = (8, 16, 32)
"""Where Python steps are counted; the first count is thrown away, since Python 3.12 misses most of its first call's."""
GROWS = 1.3
"""Steps of vectorised code do not grow at all between the last two sizes, those of a loop over all entries fourfold."""
FEWEST_STEPS = 20
"""Less than this at the smaller size is too little to build a ratio on."""

Draw = Callable[..., Array]
Lap = Callable[[Student, Draw, AbstractContextManager[object], int], Mapping[str, object]]
"""One timed call: ``lap(layers, draw, clock, size)`` draws its inputs, calls once inside ``with clock:``, and returns
the results by name."""


@dataclass(frozen=True)
class Bounds:
    """Where the steps are, in multiples of the model answer's processor time.

    Attributes
    ----------
    full_ratio, half_ratio : float
        Up to here all of the points, up to here half of them.
    rounds : int
        How often each is timed, unless the verdict is clear before.
    tolerance : float
        Of the comparison with the model answer's results, as in ``compare.array``.
    """

    full_ratio: float
    half_ratio: float
    rounds: int
    tolerance: float

    def step(self, ratio: float) -> str:
        """Return the step a ratio is on."""
        return FULL if ratio <= self.full_ratio else HALF if ratio <= self.half_ratio else NONE

    def is_clear(self, ratios: Sequence[float]) -> bool:
        """Whether all rounds are so far on one side of every bound that there is no need to go on."""
        return self.is_hopeless(ratios) or max(ratios) < self.full_ratio / CLEAR

    def is_hopeless(self, ratios: Sequence[float]) -> bool:
        """Whether all rounds are that far beyond the last bound."""
        return min(ratios) > CLEAR * self.half_ratio


@dataclass(frozen=True)
class Verdict:
    """The outcome of a race.

    Attributes
    ----------
    step : str
        ``full``, ``half``, ``none`` or ``not measured``.
    figures : dict
        Ratio and times, which vary from run to run: for staff only.
    """

    step: str
    figures: dict[str, object]


class Stopwatch:
    """The processor time that one worker spends inside ``with``, read from outside it; in seconds."""

    def __init__(self, layers: Student) -> None:
        self._layers = layers
        self.seconds = math.inf

    def __enter__(self) -> None:
        self._worker = self._layers.connect()
        self._before = self._worker.cpu_seconds()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if error is None:
            try:
                self.seconds = self._worker.cpu_seconds() - self._before
            except ProcessLookupError as gone:
                raise Crashed("the Python process ended right after its reply") from gone


def race(
    lap: Lap, student: Student, reference: Student, bounds: Bounds, *, small: int, large: int, seed: int
) -> Verdict:
    """Time a student's function against the model answer's.

    Parameters
    ----------
    lap : callable
        See ``Lap``.
    student, reference : Student
    bounds : Bounds
    small, large : int
        The sizes given to `lap`. The first only finds those that are hopelessly slow; the second decides.
    seed : int
        Of the inputs: other ones in every round, the same for both.

    Raises
    ------
    StudentError
        If the student's function fails or returns wrong results.
    GraderFault
        If the model answer fails.
    """
    try:
        with Stopwatch(student):
            pass
    except NotImplementedError as error:
        return Verdict(NOT_MEASURED, {"reason": str(error)})
    first = _Rounds(lap, student, reference, bounds.tolerance, seed, small)
    first.run(FEWEST_ROUNDS)
    if bounds.is_hopeless(first.ratios):
        return first.verdict(NONE)
    rounds = _Rounds(lap, student, reference, bounds.tolerance, seed, large)
    rounds.run(bounds.rounds, until=bounds.is_clear)
    return rounds.verdict(bounds.step(rounds.ratio))


class _Rounds:
    """The rounds of one race at one size, and the times of both so far."""

    def __init__(self, lap: Lap, student: Student, reference: Student, tolerance: float, seed: int, size: int) -> None:
        self._lap = lap
        self._student = student
        self._reference = reference
        self._tolerance = tolerance
        self._seed = [seed, size]
        self._size = size
        self._theirs: list[float] = []
        self._ours: list[float] = []

    @property
    def ratios(self) -> list[float]:
        """One of each round."""
        return [theirs / max(ours, SHORTEST) for theirs, ours in zip(self._theirs, self._ours, strict=True)]

    @property
    def ratio(self) -> float:
        """Their median."""
        return statistics.median(self.ratios)

    def run(self, rounds: int, until: Callable[[Sequence[float]], bool] = lambda ratios: False) -> None:
        """Run some rounds, or from the third on as many as it takes for the ratios to be what `until` asks for."""
        for _ in range(rounds):
            self._run_one()
            if len(self._ours) >= FEWEST_ROUNDS and until(self.ratios):
                break

    def verdict(self, step: str) -> Verdict:
        """Return the verdict, with the figures of these rounds."""
        times = {"cpu_ms": self._theirs, "model_cpu_ms": self._ours}
        medians = {name: round(1000 * statistics.median(seconds), 3) for name, seconds in times.items()}
        return Verdict(step, {"ratio": round(self.ratio, 2), "size": self._size, **medians, "rounds": len(self._ours)})

    def _run_one(self) -> None:
        inputs = Inputs([*self._seed, len(self._ours)])
        ours, expected = self._reference_lap(inputs)
        theirs, got = self._timed(self._student, inputs)
        _compare(got, expected, self._tolerance)
        self._theirs.append(theirs)
        self._ours.append(ours)

    def _reference_lap(self, inputs: Inputs) -> tuple[float, Mapping[str, object]]:
        try:
            self._reference.connect()  # until then nobody knows what it defines
            return self._timed(self._reference, inputs)
        except StudentError as error:
            raise GraderFault(f"the model answer fails the speed test: {error.message}") from error

    def _timed(self, layers: Student, inputs: Inputs) -> tuple[float, Mapping[str, object]]:
        stopwatch = Stopwatch(layers)
        results = self._lap(layers, inputs.draw(), stopwatch, self._size)
        layers.forget()
        return stopwatch.seconds, results


class Inputs:
    """The arrays of one round: drawn when they are first asked for, and the same for whoever asks again in this order.

    The entries of an array are all different, and uniform in [-1, 1): where equal ones leave a choice, nobody is
    judged by it here.
    """

    def __init__(self, seed: list[int]) -> None:
        self._generator = np.random.default_rng(seed)
        self._drawn: list[Array] = []

    def draw(self) -> Draw:
        """Return a function that gives the arrays one by one, from the first."""
        numbers = itertools.count()

        def draw(*shape: int) -> Array:
            number = next(numbers)
            if number == len(self._drawn):
                self._drawn.append(self._new(shape))
            return self._drawn[number]

        return draw

    def _new(self, shape: tuple[int, ...]) -> Array:
        count = math.prod(shape)
        steps = np.arange(count, dtype=np.float32)
        self._generator.shuffle(steps)
        steps *= 2 / count
        steps -= 1
        return steps.reshape(shape)


def _compare(got: Mapping[str, object], expected: Mapping[str, object], tolerance: float) -> None:
    for name, right in expected.items():
        assert isinstance(right, np.ndarray)
        mismatch = compare.array(name, got[name], right.astype(np.float64), tolerance)
        if mismatch is not None:
            raise Wrong(mismatch.message, detail={"kind": mismatch.kind})


# --- the explanation -------------------------------------------------------------------------------------------------


def growing(lap: Lap, student: Student, seed: int) -> tuple[str, int] | None:
    """Name the student's function whose Python steps grow with the size of the input, if there is one.

    Parameters
    ----------
    lap, student, seed
        As for ``race``.

    Returns
    -------
    tuple of str and int, or None
        The function whose steps grow by most, and how many times as many they are when both sides are doubled. None if
        no steps grow, or if that could not be found out.
    """
    try:
        _, before, after = (_steps(lap, student, size, seed) for size in COUNTED_SIZES)
    except StudentError:
        return None
    grown = {
        name: steps - before[name]
        for name, steps in after.items()
        if before.get(name, 0) >= FEWEST_STEPS and steps > GROWS * before[name]
    }
    if not grown:
        return None
    name = max(grown, key=lambda each: grown[each])
    return name, round(after[name] / before[name])


def _steps(lap: Lap, student: Student, size: int, seed: int) -> dict[str, int]:
    steps: dict[str, int] = {}
    lap(student, Inputs([seed, size]).draw(), student.counting(steps), size)
    student.forget()
    return steps
