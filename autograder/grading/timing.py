"""How fast a student's function is, as a ratio to the model answer's.

Theory of operation
-------------------
Wall time says as much about the machine as about the code, so processor time is measured: the kernel counts it for each
worker, and the grader reads that count from outside, where no code of the student's can reach it. Student and model
answer take turns on the same inputs, each in a locked-down worker of its own, with one BLAS thread. While one of them
works, the other is stopped, as every worker is that has nothing to do. Every round gives one ratio, so that what slows
both for a while cancels; the median of the rounds counts.

*The ratio means the call.* A timed call has three parts: the worker receives the arguments, calls the function, and
sends the results. The clock is read between them, while the worker waits. Copying is left out, unless it takes the
student's worker much longer than the model answer's: then the rest is counted, so that no work can hide there.

*Nobody can know the inputs, or work ahead.* Values and shapes are drawn from the operating system's entropy in every
round. The functions of a layer are judged by the same calls, so that what a forward pass prepares for a backward pass
is paid in the verdict on the forward pass. (Tables that a module makes while it is imported are not paid. Code that
gets by with such tables is vectorised.)

*Two far bounds, and a count between them.* A single bound on a noisy ratio always has somebody on it. Up to
``full_ratio`` times the model answer's time there is no loop over entries on any machine: all points. Beyond
``none_ratio`` times there is no vectorised code: no points. Between them the ratio decides nothing; the number of
Python steps at three sizes does (``steps.py``), which is the same in every run.

*What forging the count can gain.* The count is the word of the student's worker. Code that loops over entries and
forges it gets the points where it takes less than ``none_ratio`` times as long. Loops that call NumPy for every entry
take longer. Some loops on plain Python numbers take less; docs/performance.md says how many points that is.

A small size comes first: loops that are slow there never see the large one. Every output that was timed is compared
with the model answer's.
"""

from __future__ import annotations

import secrets
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.core.errors import Detail, GraderFault, StudentError, TimedOut, Wrong
from autograder.grading import compare, steps
from autograder.grading.calls import Seconds
from autograder.grading.inputs import Inputs
from autograder.grading.proxy import Proxy
from autograder.grading.steps import Growth

FULL, NONE, NOT_MEASURED = "full", "none", "not measured"

SMALL_ROUNDS = 3
"""More small rounds follow only while a function is slow in all of them; the first may import parts of NumPy."""
SLOW = 3.0
"""This many times ``full_ratio`` in every small round. If it loops over entries as well, the large size would only take
longer: beside a loop, what every call costs has less weight there."""
FEWEST_ROUNDS = 3
CLEAR = 1.5
"""If every ratio so far is this many times above or below the bound, more rounds cannot change the verdict."""
DISTURBED = 2.0
"""A round in which the model answer takes this many times its own best time is run again."""
COPYING = 3.0
"""Copying may take the student's worker this many times as long as the model answer's; memory layout varies."""
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
        Up to here all points, even for a loop over entries.
    none_ratio : float
        Beyond it none, even for code without one.
    rounds : int
        How often each is timed, unless the verdict is clear before.
    tolerance : float
        For the comparison with the model answer's results, as in ``compare.array``.
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
    figures : Detail
        Ratio and times, which vary from run to run: for staff only.
    growth : Growth or None
        How the Python steps grow; None where they did not have to be counted.
    timed_out : TimedOut or None
        The function did not return from a large round.
    """

    step: str
    figures: Detail
    growth: Growth | None = None
    timed_out: TimedOut | None = None


class Race:
    """The functions of one layer, a student's against the model answer's.

    Parameters
    ----------
    lap : callable
        See ``Lap``.
    student, reference : Proxy
    bounds : Bounds
    small : int
        Height and width of a small round, which finds the loops that are slow even there.
    large : sequence of int
        Sides of the large rounds, which decide: height and width of each are two of them, drawn anew.
    """

    def __init__(
        self, lap: Lap, student: Proxy, reference: Proxy, bounds: Bounds, *, small: int, large: Sequence[int]
    ) -> None:
        self._lap = lap
        self._student = student
        self._bounds = bounds
        self._growths: dict[str, Growth] = {}
        self._lost: set[str] = set()
        self._small = _Rounds(lap, student, reference, bounds.tolerance, lambda: (small, small))
        self._large = _Rounds(lap, student, reference, bounds.tolerance, lambda: _shape(large))

    def verdict(self, function: str) -> Verdict:
        """Judge one function. All are judged by the same rounds, which the first call runs.

        Raises
        ------
        StudentError
            If the student's function fails or returns wrong results.
        GraderFault
            If the model answer fails.
        """
        try:
            self._student.connect().cpu_seconds()
        except NotImplementedError as error:
            return Verdict(NOT_MEASURED, {"reason": str(error)})
        if not self._small:
            self._run_small()
            self._run_large()
        self._small.complain(function)
        if function in self._lost:
            return Verdict(NONE, self._small.figures(function), self._growth(function))
        failure = self._large.failure(function)
        if isinstance(failure, TimedOut) and failure.function == function:
            return Verdict(NONE, {}, self._growth(function), failure)
        self._large.complain(function)
        ratio, bound = self._large.ratio(function), self._bound(function)
        growth = self._growths.get(function)
        return Verdict(FULL if ratio <= bound else NONE, self._large.figures(function), growth)

    def _run_small(self) -> None:
        """Find the functions that are slow on small inputs because they loop."""
        slow = {""}
        while slow and len(self._small) < SMALL_ROUNDS:
            self._small.run_one()
            least = {name: min(self._small.ratios(name)) for name in self._small.names}
            slow = {name for name, ratio in least.items() if ratio > SLOW * self._bounds.full_ratio}
        self._lost = {name for name in slow if self._growth(name).kind in (steps.ENTRIES, steps.OBJECTS)}
        self._large.leave_out(self._lost)

    def _run_large(self) -> None:
        """Run rounds until the verdict on every function is clear, and at most twice as many as are wanted."""
        open_ = set(self._small.names) - self._lost
        while open_ and len(self._large) < 2 * self._bounds.rounds:
            self._large.run_one()
            open_ = {name for name in open_ & set(self._large.names) if not self._is_clear(name)}

    def _is_clear(self, function: str) -> bool:
        """Whether more rounds cannot change the verdict on a function, or there have been enough."""
        ratios = self._large.ratios(function)
        if len(ratios) < FEWEST_ROUNDS:
            return False
        bound = self._bound(function)
        return max(ratios) * CLEAR < bound or min(ratios) > CLEAR * bound or len(ratios) >= self._bounds.rounds

    def _bound(self, function: str) -> float:
        """Return the ratio up to which a function gets all points; its steps are counted if that can matter."""
        if max(self._large.ratios(function)) * CLEAR < self._bounds.full_ratio:
            return self._bounds.full_ratio
        return self._bounds.bound(self._growth(function))

    def _growth(self, function: str) -> Growth:
        if function not in self._growths:
            self._growths[function] = steps.count(self._lap, self._student, function)
        return self._growths[function]


def _shape(sides: Sequence[int]) -> tuple[int, int]:
    """Draw height and width anew for every round, so that preparing for one shape does not help."""
    height, width = secrets.SystemRandom().sample(sides, 2)
    return height, width


@dataclass(frozen=True)
class _Round:
    """The times of all functions of the lap in one round, the student's and the model answer's."""

    theirs: Mapping[str, Seconds]
    ours: Mapping[str, Seconds]

    def ratio(self, name: str) -> float:
        """Return how many times as long the student's function took."""
        return self.seconds(name) / max(self.ours[name].call, SHORTEST)

    def seconds(self, name: str) -> float:
        """Return the seconds that count for the student's call: the function, and copying beyond what is normal."""
        theirs, ours = self.theirs[name], self.ours[name]
        return theirs.call + max(0.0, theirs.copying - COPYING * ours.copying)


class _Rounds:
    """The rounds of one race at one size."""

    def __init__(
        self, lap: Lap, student: Proxy, reference: Proxy, tolerance: float, shape: Callable[[], tuple[int, int]]
    ) -> None:
        self._lap = lap
        self._student = student
        self._reference = reference
        self._tolerance = tolerance
        self._shape = shape
        self._rounds: list[_Round] = []
        self._left_out: set[str] = set()
        self._failures: dict[str | None, StudentError] = {}

    def __len__(self) -> int:
        return len(self._rounds)

    @property
    def names(self) -> list[str]:
        """The functions that both have called in every round, without a failure."""
        common = set.intersection(*(set(each.theirs) for each in self._rounds)) if self._rounds else set()
        return [name for name in sorted(common) if name not in self._failures]

    def leave_out(self, functions: Iterable[str]) -> None:
        """End every lap before the last of its functions if that is one of these."""
        self._left_out = set(functions)

    def failure(self, function: str) -> StudentError | None:
        """Return what keeps a function from being judged, if anything does: its own failure, or one before it."""
        if function in self.names:
            return None
        return self._failures.get(function) or next(iter(self._failures.values()), None)

    def complain(self, function: str) -> None:
        """Raise what keeps a function from being judged, if anything does."""
        failure = self.failure(function)
        if failure is not None:
            raise failure
        if function not in self.names:
            raise GraderFault(f"the calls of this speed test do not include {function}")

    def kept(self, function: str) -> list[_Round]:
        """Return the rounds in which nothing disturbed the model answer."""
        best = min((each.ours[function].call for each in self._rounds), default=0.0)
        return [each for each in self._rounds if each.ours[function].call <= DISTURBED * best]

    def ratios(self, function: str) -> list[float]:
        """Return the ratio of each round that is kept."""
        return [each.ratio(function) for each in self.kept(function)]

    def ratio(self, function: str) -> float:
        """Return the median of the ratios, which decides."""
        return statistics.median(self.ratios(function))

    def run_one(self) -> None:
        """Run one round."""
        inputs, shape = Inputs(secrets.randbits(128)), self._shape()
        expected, ours = self._reference_lap(inputs, shape)
        theirs = self._student_lap(inputs, shape, expected)
        self._rounds.append(_Round(theirs, ours))

    def figures(self, function: str) -> Detail:
        """Return what staff may want to know."""
        if function not in self.names:
            return {}
        kept = self.kept(function)
        return {
            "ratio": round(self.ratio(function), 2),
            "cpu_ms": _median_ms([each.seconds(function) for each in kept]),
            "model_cpu_ms": _median_ms([each.ours[function].call for each in kept]),
            "rounds": len(self),
        }

    # --- one lap

    def _reference_lap(self, inputs: Inputs, shape: tuple[int, int]) -> tuple[_Results, Mapping[str, Seconds]]:
        """Have the model answer make the calls; return the results by function, and the times."""
        timed = _Timed(self._reference)
        try:
            self._reference.connect()  # its functions are known only after that
            results = {}
            for given in self._lap(timed, inputs.draw(), *shape):
                results[timed.last] = given
            self._reference.forget()
        except StudentError as error:
            raise GraderFault(f"the model answer fails the speed test: {error.message}") from error
        return results, timed.times

    def _student_lap(self, inputs: Inputs, shape: tuple[int, int], expected: _Results) -> Mapping[str, Seconds]:
        """Have the student's functions make the calls; return the times, and keep what fails."""
        timed = _Timed(self._student)
        calls = self._lap(timed, inputs.draw(), *shape)
        last = list(expected)[-1]
        try:
            for function, right in expected.items():
                if function == last and function in self._left_out | set(self._failures):
                    break
                self._compare(function, next(calls), right)
        except StudentError as error:
            self._failures.setdefault(error.function, error)
        calls.close()  # type: ignore[attr-defined]  # laps are generators
        self._student.forget()
        return timed.times

    def _compare(self, function: str, got: Mapping[str, object], expected: Mapping[str, object]) -> None:
        for name, right in expected.items():
            assert isinstance(right, np.ndarray)
            mismatch = compare.array(name, got[name], right.astype(np.float64, copy=False), self._tolerance)
            if mismatch is not None:
                message = f"{function} was not timed: {name} {WRONG[mismatch.kind]} on larger inputs"
                wrong = Wrong(message, function, {"kind": mismatch.kind, "result": name})
                self._failures.setdefault(function, wrong)


def _median_ms(seconds: Sequence[float]) -> float:
    return round(1000 * statistics.median(seconds), 3)


_Results = Mapping[str, Mapping[str, object]]
"""What each function returned, by name."""


class _Timed:
    """Functions whose calls are timed, all of them in the same way."""

    def __init__(self, layers: Proxy) -> None:
        self._layers = layers
        self.last = ""
        self.times: dict[str, Seconds] = {}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            results, self.times[name] = self._layers.timed(name, *args, **kwargs)
            self.last = name
            return results

        return timed
