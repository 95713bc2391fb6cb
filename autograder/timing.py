"""How fast a student's function is, as a ratio to the model answer's.

Theory of operation
-------------------
Wall time says as much about the machine as about the code, so processor time is measured: the kernel counts it for each
worker, and the grader reads that count from outside, where no code of the student's can reach it. Student and model
answer take turns on the same inputs, each in a locked-down worker of its own, with one BLAS thread. While one of them
works, the other is stopped. Every round gives one ratio, so that what slows both for a while cancels; the median of the
rounds counts.

*The ratio means the call.* A timed call has three parts: the worker receives the arguments, calls the function, and
sends the results. The clock is read between them, while the worker waits. Copying is left out, unless it takes the
student's worker much longer than the model answer's: then the rest is counted, so that no work can hide there.

*Nobody can know the inputs, or work ahead.* Values and shapes are drawn from the operating system's entropy in every
round. The two races of a layer make the same calls on the same kind of inputs and time all of them, so that no call can
tell which of them counts, and what a forward pass prepares for a backward pass is paid in the forward race.

*Two far bounds, and a count between them.* A single bound on a noisy ratio always has somebody on it. Up to
``full_ratio`` times the model answer's time there is no loop over pixels on any machine: all points. Beyond
``none_ratio`` times there is no vectorised code: no points. Between them the ratio decides nothing; the number of
Python steps at three sizes does (``steps.py``), which is the same in every run.

*What forging the count can gain.* The count is the word of the student's worker. Code that loops over pixels and forges
it gets the points where it takes less than ``none_ratio`` times as long. Loops that call NumPy for every pixel take
longer. Pixel by pixel on plain Python numbers, written for speed, some passes take less; `make bench` prints which.

A small size comes first: loops that are slow there never see the large one. Every output that was timed is compared
with the model answer's.
"""

from __future__ import annotations

import secrets
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder import compare, steps
from autograder.errors import GraderFault, StudentError, TimedOut, Wrong
from autograder.inputs import Inputs
from autograder.steps import Growth
from autograder.student import Seconds, Student

FULL, NONE, NOT_MEASURED = "full", "none", "not measured"

SMALL_ROUNDS = 3
"""All of them are run only where each is slow; the first call may import a module of NumPy's."""
SLOW = 3.0
"""This many times ``full_ratio`` in every small round. If it loops over pixels as well, the large size would only take
longer: beside a loop, what every call costs has less weight there."""
FEWEST_ROUNDS = 3
CLEAR = 1.5
"""This many times off the bound that counts, and in every round so far: more rounds cannot change the verdict."""
DISTURBED = 2.0
"""A round in which the model answer takes this many times its own best time is run again."""
COPYING = 3.0
"""Copying may take the student's worker this many times what it takes the model answer's: memory lies here or there."""
SHORTEST = 1e-6
"""Seconds that a call takes at least: a clock may say that it took none."""
Lap = Callable[..., Iterator[Mapping[str, object]]]
"""The calls of one round: ``lap(layers, draw, height, width)`` draws its inputs with ``draw(*shape)``, calls functions
of the assignment, and yields the results of each by name."""

WRONG = {
    "type": "is not an array",
    "shape": "has the wrong shape",
    "dtype": "is not an array of floats",
    "not finite": "has entries that are not finite",
    "values": "has wrong values",
}
"""What is said of a wrong result, by ``compare.Mismatch.kind``: nothing that depends on the inputs drawn."""


@dataclass(frozen=True)
class Bounds:
    """Where the verdict does not depend on how the code is written, in multiples of the model answer's time.

    Attributes
    ----------
    full_ratio : float
        Up to here all points, even for a loop over pixels.
    none_ratio : float
        Beyond it none, even for code without one.
    rounds : int
        How often each is timed, unless the verdict is clear before.
    tolerance : float
        Of the comparison with the model answer's results, as in ``compare.array``.
    """

    full_ratio: float
    none_ratio: float
    rounds: int
    tolerance: float

    def bound(self, growth: Growth) -> float:
        """Return the ratio up to which code with these steps gets all points."""
        return self.none_ratio if growth.is_vectorised else self.full_ratio


@dataclass(frozen=True)
class Verdict:
    """The outcome of a race.

    Attributes
    ----------
    step : str
        ``full``, ``none`` or ``not measured``.
    figures : dict
        Ratio and times, which vary from run to run: for staff only.
    growth : Growth or None
        How the Python steps grow; None where they did not have to be counted.
    timed_out : TimedOut or None
        The function did not return from a large round.
    """

    step: str
    figures: dict[str, object]
    growth: Growth | None = None
    timed_out: TimedOut | None = None


def race(
    lap: Lap, student: Student, reference: Student, function: str, bounds: Bounds, *, small: int, large: Sequence[int]
) -> Verdict:
    """Time a student's function against the model answer's.

    Parameters
    ----------
    lap : callable
        See ``Lap``.
    student, reference : Student
    function : str
        The function that is judged; the others of the lap are timed as well, so that no call can tell.
    bounds : Bounds
    small : int
        Height and width of a small round, which finds the loops that are slow even there.
    large : sequence of int
        Sides of the large rounds, which decide: height and width of each are two of them, drawn anew.

    Raises
    ------
    StudentError
        If the student's function fails or returns wrong results.
    GraderFault
        If the model answer fails.
    """
    try:
        student.connect().cpu_seconds()
    except NotImplementedError as error:
        return Verdict(NOT_MEASURED, {"reason": str(error)})
    first = _Rounds(lap, student, reference, function, bounds.tolerance, lambda: (small, small))
    for _ in range(SMALL_ROUNDS):
        first.run_one()
        slow = [name for name in first.names if min(first.ratios(name)) > SLOW * bounds.full_ratio]
        if not slow:
            break
    growths = {name: steps.count(lap, student, name) for name in slow}
    lost = {name for name in slow if growths[name].kind in (steps.PIXELS, steps.OBJECTS)}
    if function in lost:
        return Verdict(NONE, first.figures(), growths[function])

    def count() -> Growth:
        return growths.get(function) or steps.count(lap, student, function)

    rounds = _Rounds(lap, student, reference, function, bounds.tolerance, lambda: _shape(large), alone=bool(lost))
    try:
        return _decide(rounds, bounds, count)
    except TimedOut as error:
        if error.function != function:
            raise
        return Verdict(NONE, rounds.figures(), count(), error)


def _decide(rounds: _Rounds, bounds: Bounds, count: Callable[[], Growth]) -> Verdict:
    """Run rounds until the verdict is clear; have the steps counted if it can depend on them."""
    rounds.run(FEWEST_ROUNDS)
    if max(rounds.ratios()) * CLEAR < bounds.full_ratio:
        return Verdict(FULL, rounds.figures())
    growth = count()
    bound = bounds.bound(growth)
    rounds.run(bounds.rounds, until=lambda ratios: max(ratios) * CLEAR < bound or min(ratios) > CLEAR * bound)
    return Verdict(FULL if rounds.ratio <= bound else NONE, rounds.figures(), growth)


def _shape(sides: Sequence[int]) -> tuple[int, int]:
    """Draw height and width: others in every round, so that nothing that was prepared for one shape helps with it."""
    height, width = secrets.SystemRandom().sample(sides, 2)
    return height, width


@dataclass(frozen=True)
class _Round:
    """What every function of the lap took in one round: the student's, and the model answer's."""

    theirs: Mapping[str, Seconds]
    ours: Mapping[str, Seconds]

    def ratio(self, name: str) -> float:
        """Return how many times as long the student's function took."""
        return self.seconds(name) / max(self.ours[name].call, SHORTEST)

    def seconds(self, name: str) -> float:
        """Return what is counted of the student's call: the function, and what copying took beyond all reason."""
        theirs, ours = self.theirs[name], self.ours[name]
        return theirs.call + max(0.0, theirs.copying - COPYING * ours.copying)


class _Rounds:
    """The rounds of one race at one size."""

    def __init__(
        self,
        lap: Lap,
        student: Student,
        reference: Student,
        function: str,
        tolerance: float,
        shape: Callable[[], tuple[int, int]],
        alone: bool = False,
    ) -> None:
        self._lap = lap
        self._student = student
        self._reference = reference
        self._function = function
        self._tolerance = tolerance
        self._shape = shape
        self._alone = alone
        self._rounds: list[_Round] = []

    @property
    def names(self) -> list[str]:
        """The functions that both have called in every round."""
        return [name for name in self._rounds[0].ours if all(name in each.theirs for each in self._rounds)]

    @property
    def kept(self) -> list[_Round]:
        """The rounds in which nothing disturbed the model answer."""
        best = min((each.ours[self._function].call for each in self._rounds), default=0.0)
        return [each for each in self._rounds if each.ours[self._function].call <= DISTURBED * best]

    def ratios(self, name: str = "") -> list[float]:
        """Return one of each round that is kept, of the function that is judged or of another one."""
        return [each.ratio(name or self._function) for each in self.kept]

    @property
    def ratio(self) -> float:
        """The median of these, which counts."""
        return statistics.median(self.ratios())

    def run(self, rounds: int, until: Callable[[Sequence[float]], bool] = lambda ratios: False) -> None:
        """Run rounds until so many are kept, or the ratios are what `until` asks for; at most twice as many in all."""
        while len(self.kept) < rounds and len(self._rounds) < 2 * rounds:
            if self._rounds and until(self.ratios()):
                break
            self.run_one()

    def run_one(self) -> None:
        """Run one round."""
        inputs, shape = Inputs(secrets.randbits(128)), self._shape()
        expected, ours = self._reference_lap(inputs, shape)
        got, theirs = self._timed(self._student, inputs, shape)
        self._compare(got, expected)
        self._rounds.append(_Round(theirs, ours))

    def figures(self) -> dict[str, object]:
        """Return what staff may want to know."""
        name = self._function
        if not self._rounds:
            return {}
        times = {
            "cpu_ms": [each.seconds(name) for each in self.kept],
            "model_cpu_ms": [each.ours[name].call for each in self.kept],
        }
        medians = {key: round(1000 * statistics.median(seconds), 3) for key, seconds in times.items()}
        return {"ratio": round(self.ratio, 2), **medians, "rounds": len(self._rounds)}

    # --- one lap

    def _reference_lap(self, inputs: Inputs, shape: tuple[int, int]) -> tuple[Mapping[str, object], _Times]:
        try:
            self._reference.connect()  # until then nobody knows what it defines
            with self._student.stopped():
                return self._timed(self._reference, inputs, shape)
        except StudentError as error:
            raise GraderFault(f"the model answer fails the speed test: {error.message}") from error

    def _timed(self, layers: Student, inputs: Inputs, shape: tuple[int, int]) -> tuple[Mapping[str, object], _Times]:
        """Run the calls of the lap; return the results of the function that is judged, and the times of all."""
        timed = _Timed(layers)
        calls = self._lap(timed, inputs.draw(), *shape)
        results = next((given for given in calls if self._function in timed.times), None)
        if results is None:
            raise GraderFault(f"the calls of this speed test do not include {self._function}")
        if not self._alone:
            with suppress(StudentError):  # what fails after it has a race of its own
                for _ in calls:
                    pass
        layers.forget()
        return results, timed.times

    def _compare(self, got: Mapping[str, object], expected: Mapping[str, object]) -> None:
        for name, right in expected.items():
            assert isinstance(right, np.ndarray)
            mismatch = compare.array(name, got[name], right.astype(np.float64), self._tolerance)
            if mismatch is not None:
                message = f"{self._function} was not timed, because {name} {WRONG[mismatch.kind]} on larger inputs"
                raise Wrong(message, self._function, {"kind": mismatch.kind, "result": name})


_Times = Mapping[str, Seconds]


class _Timed:
    """Functions whose calls are timed, all of them in the same way."""

    def __init__(self, layers: Student) -> None:
        self._layers = layers
        self.times: dict[str, Seconds] = {}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            results, self.times[name] = self._layers.timed(name, *args, **kwargs)
            return results

        return timed
