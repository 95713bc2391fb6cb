"""Find the known mistakes that give exactly the array that was returned.

The homework has a catalogue of wrong answers. This module repeats the student's calls with one mistake in place and
compares the results entry by entry. It names a mistake only if that mistake explains every failure, and if no other
mistake does. This module does not know what the functions compute.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import itertools
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any, Protocol

import numpy as np

from autograder.grading.compare import Array, Foreign
from autograder.grading.diagnose.evidence import Evidence, Made
from autograder.grading.diagnose.relations import SINGLE_PRECISION

MOST_ENTRIES = 20_000
"""Inputs with more entries are not tried: they belong to tests of speed."""

MOST_PAIRS = 400
"""Pairs of mistakes that are tried for one submission. A pair takes a third of a millisecond."""


class Mistake(Protocol):
    """One mistake of the catalogue."""

    @property
    def id(self) -> str:
        """Unique words, joined by hyphens."""

    @property
    def function(self) -> str:
        """The function that is wrong."""

    @property
    def hint(self) -> str:
        """What a student reads."""

    @property
    def as_it_raises(self) -> Mistake:
        """The same mistake in code that raises; itself where there is no other."""


Functions = Mapping[str, Callable[..., Any]]
Mistakes = tuple[Mistake, ...]
"""Mistakes made together. If two are in one function, the first changes what the second returns."""


class Catalogue(Protocol):
    """What the homework provides: a module."""

    CATALOGUE: Sequence[Any]

    def assemble(self, entries: Sequence[Any], /) -> Mapping[str, Callable[..., Any]]:
        """Return the functions of the homework with these mistakes in place; right ones without any."""


@dataclass(frozen=True)
class _Ran:
    """The outcome of a repeated call: results, and inputs after it, the call's own ones first; or what it raised."""

    results: tuple[Any, ...]
    before: tuple[Array, ...]
    after: tuple[Array, ...]
    own: int
    raised: str = ""


class Matcher:
    """Names mistakes of one submission; remembers those it has named, since they show in later functions again."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._named: list[Mistakes] = []
        self._passed: list[_Case] = []
        self._failed: set[str] = set()
        self._pairs_left = MOST_PAIRS
        self._in_vain: set[tuple[str, str, str]] = set()
        self._matched = False
        self._by_exception = False

    def name(self, evidence: Sequence[Evidence], passed: Sequence[Evidence] = ()) -> Mistakes:
        """Return the mistakes that explain all of `evidence`, most often one; empty unless that is certain.

        A mistake that would have failed a case that has `passed` is excluded.
        """
        if not evidence:
            return ()
        function = evidence[0].function
        usable = [one for one in evidence if one.result is not None or one.kind in ("changed", "shared", "raised")]
        usable = [one for one in usable if one.function == function and _size(one) <= MOST_ENTRIES]
        usable = [one for one in usable if _search_of(one) not in self._in_vain]
        self._matched = False
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            cases = [case.sharpened() for case in (_Case(one, self._catalogue) for one in usable)]
            cases = [case for case in cases if case.evidence.kind != "public" or case.is_wrong()]
            # A test may compare two results of a student with each other: such results may pass and still be wrong.
            held = [_Case(one, self._catalogue) for one in passed if one.function == function] if cases else []
            self._passed = [case for case in held if not case.is_wrong()]
            self._by_exception = bool(cases) and cases[0].evidence.kind == "raised"
            found = self._search(function, cases) if cases else ()
        self._failed.add(function)
        if not found and not self._matched:
            self._in_vain |= {_search_of(one) for one in usable}
        if found and found not in self._named:
            self._named.append(found)
        return found

    def is_refuted(self, mistake: Mistake, passed: Sequence[Evidence]) -> bool:
        """Whether a mistake would have failed a result of its function that has passed."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            held = [_Case(one, self._catalogue) for one in passed if one.function == mistake.function]
            return any(case.active((mistake,)) for case in held if not case.is_wrong())

    def is_contradicted(self, mistake: Mistake, failed: Sequence[Evidence]) -> bool:
        """Whether a mistake would give another wrong result of its function than one that came back."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            cases = [_Case(one, self._catalogue) for one in failed if one.function == mistake.function]
            return any(case.active((mistake,)) and not case.shows((mistake,)) for case in cases)

    def _search(self, function: str, cases: list[_Case]) -> Mistakes:
        called = set[str]().union(*(case.called for case in cases))
        singles = [single for single in self._singles(function) if single[0].function in called]
        first = cases[0]
        matching = [mistakes for mistakes in [*self._named, *singles] if first.shows(mistakes)]
        self._matched = bool(matching)
        found = [mistakes for mistakes in matching if all(case.shows(mistakes) for case in cases[1:])]
        found = [mistakes for mistakes in found if not self._shows_elsewhere(mistakes)]
        if len(found) > 1:
            found = [mistakes for mistakes in found if mistakes in self._named] or found
        if found:
            return _only(found, self._named)
        for mistakes in matching:  # these explain some failures; another mistake may explain the rest
            other = next((case for case in cases[1:] if not case.shows(mistakes)), None)
            if other is None:  # these explain all failures, but a case that passed refutes them
                continue
            rest = [single for single in singles if single != mistakes and other.active(single)]
            pairs = [pair for single in rest for pair in _orders(mistakes, single) if other.shows(pair)]
            pairs = [pair for pair in pairs if all(case.shows(pair) for case in cases)]
            found += [pair for pair in pairs if not self._shows_elsewhere(pair)]
        if found:
            return _only(found, self._named)
        remembered = [m for m in singles if m[0].function == function and not first.active(m)]
        remembered = [m for m in remembered if all(case.shows(m, history=True) for case in cases)]
        return _only(remembered, []) or self._pair(function, cases, singles)

    def _shows_elsewhere(self, mistakes: Mistakes) -> bool:
        return any(case.active(mistakes) or (self._by_exception and case.raises(mistakes)) for case in self._passed)

    def _singles(self, function: str) -> Iterator[Mistakes]:
        """Yield possible causes of a failure: mistakes of the function, and of functions that failed before it."""
        for entry in self._catalogue.CATALOGUE:
            named = any(entry.function == mistake.function for mistakes in self._named for mistake in mistakes)
            if entry.function == function or (entry.function in self._failed and not named):
                yield (entry.as_it_raises if self._by_exception else entry,)

    def _pair(self, function: str, cases: list[_Case], singles: list[Mistakes]) -> Mistakes:
        """Try two mistakes at once, first on the largest failure, because most can go wrong there."""
        largest = max(cases, key=lambda case: _size(case.evidence))
        if largest.evidence.kind not in ("values", "shape"):
            return ()
        active = [mistakes for mistakes in singles if largest.active(mistakes)]
        own = [mistakes for mistakes in active if mistakes[0].function == function]
        helpers = [m for m in self._named if m[0].function != function and largest.active(m)]
        helpers += [mistakes for mistakes in active if mistakes[0].function != function]
        pairs = [pair for one, two in itertools.product(helpers, own) for pair in _orders(one, two)]
        pairs += [pair for one, two in itertools.combinations(own, 2) for pair in _orders(one, two)]
        pairs = [pair for pair in pairs if any(map(largest.gives_the_shape, pair))]
        found = []
        for pair in pairs:
            if self._pairs_left <= 0:
                break
            self._pairs_left -= 1
            if largest.shows(pair):
                found.append(pair)
        return _only([pair for pair in found if all(case.shows(pair) for case in cases)], self._named)


class _Case:
    """One failure, and the results of its calls with some mistakes in place."""

    def __init__(self, evidence: Evidence, catalogue: Catalogue) -> None:
        self.evidence = evidence
        self._catalogue = catalogue
        self._ran: dict[tuple[str, ...], _Ran | None] = {}

    def is_wrong(self) -> bool:
        """Whether the model answer returns something else."""
        right = self._run(())
        return right is not None and not self._agree(right, self.evidence)

    def sharpened(self) -> _Case:
        """Return the case of a public test with right values as one of a wrong dtype or of changed inputs, if it is."""
        right = self._run(()) if self.evidence.kind == "public" else None
        if right is None or not isinstance(self.evidence.got, np.ndarray):
            return self
        for kind in ("dtype", "changed"):
            evidence = dataclasses.replace(self.evidence, kind=kind)
            tolerance = SINGLE_PRECISION if kind == "dtype" else evidence.tolerance  # one of the two may be float32
            values = dataclasses.replace(evidence, kind="values", tolerance=tolerance)
            if self._agree(right, values) and not self._agree(right, evidence):
                return _Case(evidence, self._catalogue)
        return self

    @functools.cached_property
    def called(self) -> set[str]:
        """The functions that run when the calls are repeated with right ones.

        A mistake in another one, alone, changes nothing. All functions where somebody else looks at every call.
        """
        functions = self._catalogue.assemble(())
        if sys.getprofile() is not None:
            return set(functions)
        names = {function.__code__: name for name, function in functions.items() if hasattr(function, "__code__")}
        seen = set(functions) - set(names.values())  # of these nobody would know

        def enter(frame: FrameType, event: str, _: object) -> None:
            if event == "call" and frame.f_code in names:
                seen.add(names[frame.f_code])

        sys.setprofile(enter)
        try:
            _repeat(functions, self.evidence, history=False)
        finally:
            sys.setprofile(None)
        return seen

    def shows(self, mistakes: Mistakes, history: bool = False) -> bool:
        """Whether these mistakes give the result that was got, and the model answer does not."""
        ran = self._run(mistakes, history)
        return ran is not None and self._agree(ran, self.evidence) and self.active(mistakes, history)

    def gives_the_shape(self, mistake: Mistake) -> bool:
        """Whether one mistake alone gives the shape that was got; of two mistakes together, one always does."""
        ran, number = self._run((mistake,)), self.evidence.result
        if ran is None or number is None or number >= len(ran.results):
            return False
        return getattr(ran.results[number], "shape", None) == self.evidence.shape

    def active(self, mistakes: Mistakes, history: bool = False) -> bool:
        """Whether these mistakes make any difference here."""
        ran, right = self._run(mistakes, history), self._run(())
        if ran is None or right is None:
            return False
        kind, number = self.evidence.kind, self.evidence.result
        if kind == "raised":
            return bool(ran.raised)
        if kind == "changed":
            return any(not np.array_equal(*pair) for pair in zip(ran.before, ran.after, strict=True))
        if kind == "shared":
            return any(_shared(ran))
        assert number is not None
        if number >= len(ran.results):
            return True
        one, other = ran.results[number], right.results[number]
        if kind == "dtype":
            return getattr(one, "dtype", None) != getattr(other, "dtype", None)
        return not _alike(one, other, self.evidence.tolerance)

    def raises(self, mistakes: Mistakes) -> bool:
        """Whether the call raises with these mistakes in place."""
        return bool(_repeat(self._catalogue.assemble(mistakes), self.evidence, False).raised)

    def _agree(self, ran: _Ran, evidence: Evidence) -> bool:
        if evidence.kind == "raised":
            return ran.raised == evidence.got
        if evidence.kind == "changed":
            pairs = zip(ran.after, evidence.after, strict=False)
            return len(ran.after) >= len(evidence.after) and all(np.array_equal(*pair) for pair in pairs)
        if evidence.kind == "shared":
            return _shared(ran) == [any(row) for row in evidence.shares]
        if evidence.result is None or evidence.result >= len(ran.results):
            return False
        one, got = ran.results[evidence.result], evidence.got
        if evidence.kind == "dtype":
            return isinstance(one, np.ndarray) and isinstance(got, np.ndarray) and one.dtype == got.dtype
        return _alike(one, got, evidence.tolerance) or (self._got_is_rounded and self._is_rounded(one))

    @functools.cached_property
    def _got_is_rounded(self) -> bool:
        return self._is_rounded(self.evidence.got)

    def _is_rounded(self, result: Any) -> bool:
        """Whether a result is right to float32 precision only: then its rounding depends on the order of summation."""
        right, number, tolerance = self._run(()), self.evidence.result, self.evidence.tolerance
        if right is None or number is None or tolerance >= SINGLE_PRECISION:
            return False
        exact = right.results[number]
        return _alike(exact, result, SINGLE_PRECISION) and not _alike(exact, result, tolerance)

    def _run(self, mistakes: Mistakes, history: bool = False) -> _Ran | None:
        key = (*(mistake.id for mistake in mistakes), *(["history"] if history else []))
        if key not in self._ran:
            ran = _repeat(self._catalogue.assemble(mistakes), self.evidence, history)
            self._ran[key] = None if ran.raised and self.evidence.kind != "raised" else ran
        return self._ran[key]


def _repeat(functions: Functions, evidence: Evidence, history: bool) -> _Ran:
    """Repeat the needed calls, or with `history` all calls."""
    made: dict[Made, Any] = {}
    given: dict[int, list[Array]] = {}
    left: dict[int, list[Array]] = {}
    numbers = range(len(evidence.steps)) if history else evidence.needed()
    for number in numbers:
        step = evidence.steps[number]
        args = [made.get(value) if isinstance(value, Made) else _copied(value) for value in step.args]
        kwargs = {n: made.get(v) if isinstance(v, Made) else _copied(v) for n, v in step.kwargs.items()}
        given[number] = [value for value in (*args, *kwargs.values()) if isinstance(value, np.ndarray)]
        left[number] = list(map(_copied, given[number]))
        try:
            results = functions[step.function](*args, **kwargs)
        except Exception as error:  # a wrong function may raise anything
            if number == numbers[-1]:
                return _Ran((), (), (), 0, f"{type(error).__name__}: {error}")
            continue
        if number != numbers[-1]:
            left[number] = list(map(_copied, given[number]))
        results = results if isinstance(results, tuple) else (results,)
        made.update({Made(number, place): value for place, value in enumerate(results)})
    looked_at = [numbers[-1]]  # what a step was given, and what the steps that made its cache were given
    looked_at += [value.step for value in (*step.args, *step.kwargs.values()) if isinstance(value, Made)]
    before, after = ([array for number in looked_at for array in arrays[number]] for arrays in (left, given))
    return _Ran(results, tuple(before), tuple(after), len(given[numbers[-1]]))


def _copied(value: Any) -> Any:
    return value.copy("K") if isinstance(value, np.ndarray) else copy.copy(value)


def _shared(ran: _Ran) -> list[bool]:
    arrays = [result for result in ran.results if isinstance(result, np.ndarray)]
    return [any(np.shares_memory(array, other) for other in ran.after[: ran.own]) for array in arrays]


def _alike(one: Any, other: Any, tolerance: float) -> bool:
    """Whether two results are equal up to rounding. Of a value that cannot be sent only the type is known."""
    if isinstance(other, Foreign):
        return not isinstance(one, (np.ndarray, int, np.integer)) and other.kind.endswith(f" {type(one).__name__}")
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        if one.shape != other.shape or one.dtype.kind != other.dtype.kind:
            return False
        if one.size == 0 or one.dtype.kind != "f":
            return bool(np.array_equal(one, other))
        finite = np.isfinite(one)
        if not np.array_equal(one[~finite], other[~finite], equal_nan=True):
            return False
        here, there = one[finite].astype(np.float64), other[finite]
        return bool((np.abs(here - there) <= tolerance * np.abs(here).max(initial=0.0)).all())
    return type(one) is type(other) and not isinstance(one, np.ndarray) and bool(one == other)


def _orders(one: Mistakes, two: Mistakes) -> list[Mistakes]:
    """Return both orders of two mistakes in one function; for different functions one order suffices."""
    together = tuple(dict.fromkeys([*one, *two]))
    if one[0].function != two[0].function or len(together) < 2:
        return [together]
    return [together, tuple(dict.fromkeys([*two, *one]))]


def _only(candidates: Iterable[Mistakes], preferred: Sequence[Mistakes]) -> Mistakes:
    """Return the only candidate. If there are several, return one whose mistakes were named before, else none."""
    by_ids = {frozenset(mistake.id for mistake in mistakes): mistakes for mistakes in candidates}
    known = [{mistake.id for mistake in mistakes} for mistakes in preferred]
    before = [mistakes for ids, mistakes in by_ids.items() if any(one <= ids for one in known)]
    if len(before) == 1:
        return before[0]
    # One that is made of several mistakes may say so: where fewer explain the same, they are named.
    parts = {ids: sum(getattr(mistake, "parts", 1) for mistake in mistakes) for ids, mistakes in by_ids.items()}
    simplest = [mistakes for ids, mistakes in by_ids.items() if parts[ids] == min(parts.values())]
    return simplest[0] if len(simplest) == 1 else ()


def _search_of(evidence: Evidence) -> tuple[str, str, str]:
    """Return a key for the search: what no mistake explains in one test, none will in the next test with this key."""
    return evidence.function, evidence.name, "values" if evidence.kind == "shape" else evidence.kind


def _size(evidence: Evidence) -> int:
    steps = (evidence.steps[number] for number in evidence.needed())
    arrays = (value for step in steps for value in (*step.args, *step.kwargs.values()) if isinstance(value, np.ndarray))
    return sum(array.size for array in arrays)
