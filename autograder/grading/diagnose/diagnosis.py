"""Diagnose the failures of one test: a hint if the mistake is certain, else what can be observed.

This module does not know how much of the diagnosis a student may read.
"""

from __future__ import annotations

import dataclasses
import inspect
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from autograder.core.outcomes import Diagnosis
from autograder.grading.compare import Array, Foreign
from autograder.grading.diagnose import catalogue, errormap
from autograder.grading.diagnose.catalogue import Matcher
from autograder.grading.diagnose.evidence import Evidence, Made, Step
from autograder.grading.diagnose.relations import Pair, Relation, relations

LOOKED_AT = 8
"""How many failures of a test are described. The text says what is true of all of them."""


REMEMBERED = 4
"""How many failures of a test are held against the mistakes that other tests name."""
REMEMBERED_SIZE = 10_000
"""The most entries of a result that is remembered; right results of most tests have fewer than 1,000."""

FEWEST_ENTRIES = 4
"""A mistake is certain if it explains at least so many numbers, in all tests together. Fewer may agree by chance."""


class Geometry(Protocol):
    """What the homework tells of its arrays: a module."""

    AXES: Mapping[str, Mapping[str, tuple[str, ...]]]

    def sizes(self, function: str, inputs: Mapping[str, Any], /) -> dict[str, int]:
        """Return the lengths of named axes, from the arguments of a function."""

    def factors(self, known: dict[str, int], /) -> dict[str, float]:
        """Return numbers with a name that a result may be too large or too small by."""

    def regions(self, function: str, result: str, known: dict[str, int], /) -> Mapping[str, Any]:
        """Return parts of the last two axes that a mistake may be confined to, by name."""

    def wrong_lengths(self, axis: str, known: dict[str, int], /) -> Iterator[tuple[int, str, str]]:
        """Yield lengths that an axis has by mistake, each with a formula in numbers and what the mistake is."""


class Knowledge(catalogue.Catalogue, Protocol):
    """The homework's catalogue of wrong answers. It may also have the meaning of its axes, ``geometry: Geometry``."""


class Diagnostician:
    """Diagnoses the tests of one submission, one after the other.

    Parameters
    ----------
    load : callable
        Returns what the homework knows of mistakes, or None; called when something is wrong for the first time.
    """

    def __init__(self, load: Callable[[], Knowledge | None]) -> None:
        self._load = load
        self._knowledge: Knowledge | None = None
        self._geometry: Geometry | None = None
        self._matcher: Matcher | None = None
        self._right: Mapping[str, Callable[..., Any]] = {}
        self._loaded = False
        self._varied: set[tuple[str, str]] = set()
        self._passed: list[Evidence] = []
        self._failed: list[tuple[Evidence, catalogue.Mistakes]] = []
        self._named: dict[tuple[tuple[str, str], ...], catalogue.Mistakes] = {}
        self._explained: Counter[tuple[tuple[str, str], ...]] = Counter()

    def diagnose(self, evidence: Sequence[Evidence], passed: Sequence[Evidence] = ()) -> Diagnosis | None:
        """Return the diagnosis of the failures of one test, some of whose results `passed`; None if there is none."""
        self._passed += passed
        if not evidence:
            return None
        started = time.perf_counter()
        self._prepare()
        evidence = [one for one in evidence if one.kind != "raised"] or evidence  # values tell more than exceptions
        function = Counter(one.function for one in evidence).most_common(1)[0][0]
        evidence = [one for one in evidence if one.function == function]
        alike = [one for one in evidence if one.name == evidence[0].name]
        mistakes: catalogue.Mistakes = ()
        self._varied |= {(one.function, one.name) for one in (*evidence, *passed) if not _is_constant(one.got)}
        simplest = "" if (function, alike[0].name) in self._varied else _constant(alike)
        if self._matcher is not None and not simplest:
            mistakes = self._matcher.name(evidence, passed)
            if not mistakes and len(alike) < len(evidence):
                mistakes = self._matcher.name(alike, passed)
        hint = simplest or _hint(function, mistakes)
        ids = "constant" if simplest else "+".join(mistake.id for mistake in mistakes)
        kept = [one for one in alike if one.kind != "public"]
        kept = ([one for one in kept if one.kind == "shape"] or kept)[:LOOKED_AT]
        right = [one for one in (*alike, *passed) if one.function == function and one.name == alike[0].name]
        looks = [] if hint else list(self._looks(kept, [one for one in right if _has_right_shape(one)]))
        drawn = next(filter(None, map(self._map, kept)), "")
        if evidence[0].kind == "raised" and not hint:
            return None
        key = ids or (f"{looks[0].key}" if looks else "")
        notes = tuple(look.text for look in looks)
        small = [one for one in kept if one.result is not None and _size(one) <= REMEMBERED_SIZE]
        self._failed += [(one, mistakes) for one in small[:REMEMBERED]]
        known = tuple((mistake.function, mistake.hint) for mistake in mistakes) or ((function, hint),)
        self._named |= {known: mistakes} if mistakes else {}
        self._explained[known] += sum(map(_weight, evidence))
        of_one_case = bool(looks) and looks[0].of_one_case
        return Diagnosis(key, hint, notes, drawn, time.perf_counter() - started, known, of_one_case)

    def without_refuted(self, diagnosis: Diagnosis) -> Diagnosis:
        """Return a diagnosis; without its hint if any test of the whole submission says otherwise.

        A mistake would have failed what has passed, or would give another wrong result than one that it has no part in
        as far as is known: then it has fitted a few cases by chance. Nor is there a hint if a single tiny public test
        is all that the mistake explains.
        """
        mistakes = self._named.get(diagnosis.known, ())
        if self._matcher is None or not mistakes:
            return diagnosis
        few = self._explained[diagnosis.known] < FEWEST_ENTRIES
        others = [one for one, behind in self._failed if mistakes[0] not in behind] if len(mistakes) == 1 else []
        refuted = any(self._matcher.is_refuted(one, self._passed) for one in mistakes)
        if not few and not refuted and not self._matcher.is_contradicted(mistakes[0], others):
            return diagnosis
        return dataclasses.replace(diagnosis, id="", hint="", known=())

    def _prepare(self) -> None:
        if not self._loaded:
            self._loaded = True
            self._knowledge = self._load()
            if self._knowledge is not None:
                self._geometry = getattr(self._knowledge, "geometry", None)
                self._matcher = Matcher(self._knowledge)
                self._right = self._knowledge.assemble(())

    # --- what can be seen ---

    def _looks(self, evidence: Sequence[Evidence], well_shaped: Sequence[Evidence]) -> Iterator[Relation]:
        """Yield what is true of all these failures, in whole sentences; else what is true of the first."""
        if not evidence:
            return
        if isinstance(evidence[0].got, Foreign):
            if evidence[0].got.kind == "None" and evidence[0].alone:
                yield Relation("none", "A function that ends without a return statement returns None.")
            elif evidence[0].got.kind == "None":
                text = f"{evidence[0].name} is None, although the function returns something: compute it before that."
                yield Relation("none inside", text)
            return
        if isinstance(evidence[0].got, np.ndarray) and evidence[0].got.dtype.kind in "iu":
            text = "holds whole numbers: a division that rounds down, or an array of integers, cuts off the rest"
            yield Relation("integers", f"{evidence[0].name} {text}.")
            return
        first, *others = evidence
        found = common = [relation for relation in self._relations(first) if not relation.empty]
        for one in others:
            if common:
                keys = {relation.key for relation in self._relations(one)}
                common = [relation for relation in common if relation.key in keys]
        if common or (found and first.kind != "shape"):
            of_one_case = not common and bool(first.case)
            where = f" (in the case {first.case})" if of_one_case else ""
            text = f"{first.name} {(common or found)[0].text}{where}."
            yield Relation((common or found)[0].key, text, of_one_case=of_one_case)
        else:
            yield from self._lengths(evidence, well_shaped)

    def _relations(self, evidence: Evidence) -> list[Relation]:
        got, expected = evidence.got, evidence.expected
        if not isinstance(got, np.ndarray) or not isinstance(expected, np.ndarray) or got.dtype.kind != "f":
            return []
        if got.size > catalogue.MOST_ENTRIES or got.size != expected.size or not np.isfinite(got).all():
            return []
        sizes = self._sizes(evidence)
        regions: Mapping[str, Any] = {}
        factors: dict[str, float] = {}
        if self._geometry is not None and sizes:
            regions = self._geometry.regions(evidence.function, evidence.name, sizes)
            factors = self._geometry.factors(sizes)
        ours: Array = got.astype(np.float64)
        axes = self._axes(evidence)
        with np.errstate(all="ignore"):
            return relations(Pair(ours, expected, evidence.tolerance, axes, sizes, factors, regions))

    def _lengths(self, evidence: Sequence[Evidence], well_shaped: Sequence[Evidence]) -> Iterator[Relation]:
        """Yield which axis has the wrong length, and which formula gives it.

        A formula that gives another length than a result of the right shape has is not the student's.
        """
        misshapen = [one for one in evidence if one.kind == "shape" and one.shape is not None]
        if not misshapen:
            return
        first, axes = misshapen[0], self._axes(misshapen[0])
        expected = _shape_of(first.expected)
        if expected is None or first.shape is None:
            return
        named = f"({', '.join(axes)})" if axes else ""
        if len(first.shape) != len(expected):
            axis_or_axes = "axis" if len(first.shape) == 1 else "axes"
            counted = f"{first.name} has {len(first.shape)} {axis_or_axes}, but should have {len(expected)}"
            yield Relation("axes", f"{counted}{': ' if named else ''}{named}.")
            return
        if self._geometry is None or len(axes) != len(expected):
            return
        stories = [self._stories(one) for one in misshapen]
        common = [story for story in stories[0] if all(story in others for others in stories)]
        common = [story for story in common if not any(self._is_refuted(story, one) for one in well_shaped)]
        if len(common) == 1:
            yield Relation(f"length: {common[0]}", f"{first.name}: {stories[0][common[0]]}: {common[0]}.")
            return
        wrong = [n for n, (got, wanted) in enumerate(zip(first.shape, expected, strict=True)) if got != wanted]
        lengths = " and ".join(f"{axes[n]} is {first.shape[n]}, but should be {expected[n]}" for n in wrong)
        yield Relation("length", f"Of the axes {named} of {first.name}, {lengths}.")

    def _stories(self, evidence: Evidence) -> dict[str, str]:
        """Return the mistakes that explain every wrong length of a shape, each with its formulas in numbers."""
        assert self._geometry is not None
        expected = _shape_of(evidence.expected)
        assert evidence.shape is not None and expected is not None
        sizes = self._sizes(evidence)
        found: list[dict[str, str]] = []
        if sizes:
            for axis, got, wanted in zip(self._axes(evidence), evidence.shape, expected, strict=False):
                if got != wanted:
                    lengths = self._geometry.wrong_lengths(axis, sizes)
                    said = {story: text for length, text, story in lengths if length == got}
                    sums = {story: f" = {text}" if text != str(got) else "" for story, text in said.items()}
                    found.append({story: f"{axis} = {got}{formula}" for story, formula in sums.items()})
        if not found:
            return {}
        return {
            story: ", ".join(one[story] for one in found) for story in found[0] if all(story in one for one in found)
        }

    def _is_refuted(self, story: str, right: Evidence) -> bool:
        """Whether a mistake would have given this result of the right shape another one."""
        sizes, shape = self._sizes(right), right.shape
        if self._geometry is None or not sizes or shape is None:
            return False
        for axis, had in zip(self._axes(right), shape, strict=False):
            lengths = [length for length, _, said in self._geometry.wrong_lengths(axis, sizes) if said == story]
            if lengths and had not in lengths:
                return True
        return False

    def _axes(self, evidence: Evidence) -> tuple[str, ...]:
        if self._geometry is None:
            return ()
        return self._geometry.AXES.get(evidence.function, {}).get(evidence.name, ())

    def _sizes(self, evidence: Evidence) -> dict[str, int]:
        """Return the sizes of the inputs: of this call, or of the earlier call that made its cache."""
        if self._geometry is None:
            return {}
        step: Step = evidence.steps[-1]
        made = [value for value in (*step.args, *step.kwargs.values()) if isinstance(value, Made)]
        step = evidence.steps[made[0].step] if made else step
        try:
            bound = inspect.signature(self._right[step.function]).bind(*step.args, **step.kwargs)
            return self._geometry.sizes(step.function, bound.arguments)
        except (KeyError, TypeError, ValueError):  # the call has wrong arguments
            return {}

    def _map(self, evidence: Evidence) -> str:
        got, expected = evidence.got, evidence.expected
        if evidence.kind != "values" or not isinstance(got, np.ndarray) or not isinstance(expected, np.ndarray):
            return ""
        if got.shape != expected.shape or got.dtype.kind != "f":
            return ""
        with np.errstate(all="ignore"):
            bound = evidence.tolerance * np.max(np.abs(expected), initial=0.0)
            wrong = ~(np.abs(got.astype(np.float64) - expected) <= bound)
        return errormap.draw(evidence.name, wrong, evidence.case)


def _hint(function: str, mistakes: catalogue.Mistakes) -> str:
    """Return the catalogue's text about a mistake, and the function if the mistake is in another one."""
    said = [
        mistake.hint if mistake.function == function else f"This comes from {mistake.function}. {mistake.hint}"
        for mistake in mistakes
    ]
    if len(said) < 2:
        return "".join(said)
    return " ".join(["Two mistakes meet here.", *(f"({number}) {text}" for number, text in enumerate(said, start=1))])


def _constant(evidence: Sequence[Evidence]) -> str:
    """Say that a result is the same number everywhere, if it is; empty otherwise. The number may be a hidden input."""
    usable = [one for one in evidence if one.kind not in ("public", "shape")]
    seen = [one for one in usable if isinstance(one.got, np.ndarray) and one.got.size]
    values = {float(one.got.flat[0]) for one in seen if isinstance(one.got, np.ndarray)}
    if len(values) != 1 or len(seen) < len(evidence) or not any(_size(one) > 1 for one in seen):
        return ""
    what = "is 0 everywhere" if values == {0.0} else "is the same number everywhere"
    return f"{evidence[0].name} {what}, whatever the inputs: what should fill it is missing, or fills a copy of it."


def _weight(evidence: Evidence) -> int:
    """Return how many numbers show a mistake; enough for what is no number, and for what hidden tests are about."""
    if evidence.kind != "public" or not isinstance(evidence.got, (np.ndarray, int)):
        return FEWEST_ENTRIES
    return _size(evidence)


def _size(evidence: Evidence) -> int:
    return evidence.got.size if isinstance(evidence.got, np.ndarray) else 1


def _is_constant(result: object) -> bool:
    """Whether a result is one number everywhere, or nothing can be seen of it."""
    if not isinstance(result, np.ndarray):
        return not isinstance(result, int)
    return result.dtype.kind not in "fiu" or result.size < 2 or bool((result == result.flat[0]).all())


def _has_right_shape(evidence: Evidence) -> bool:
    expected = _shape_of(evidence.expected)
    return evidence.shape is not None and evidence.kind != "shape" and expected in (None, evidence.shape)


def _shape_of(expected: object) -> tuple[int, ...] | None:
    shape = expected.shape if isinstance(expected, np.ndarray) else expected
    return tuple(shape) if isinstance(shape, tuple) else None
