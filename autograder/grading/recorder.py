"""Writes ``results.json``: what one grading finds in all parts of a homework.

While a grading runs, the file says that it has not ended. On a platform that may stop it, the file says what would be
true if it were stopped now. The final file replaces it in one step. After a fault of ours there is no file, and so no
grade.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from autograder.core.errors import GraderFault
from autograder.core.extra import ResultsExtra
from autograder.core.outcomes import TestResult
from autograder.core.results import Results
from autograder.grading.findings import Findings
from autograder.sandbox import isolation


class PlatformTerms(Protocol):
    """What a platform has to say in a grading."""

    @property
    def stopped(self) -> str:
        """Why tests that are left over were not run, should the grading be ended early."""

    @property
    def withheld(self) -> str:
        """Why this submission is not graded, although it could be; empty if it is."""

    def finish(self, results: Results, ended: bool) -> Results:
        """Return what is written for these results, of a grading that has ended or has not."""


class Recorder:
    """Writes what one grading finds, in all parts of the homework.

    Parameters
    ----------
    path : Path
        Of ``results.json``.
    progress : callable, optional
        Told how each test ended, once that is kept.
    terms : PlatformTerms, optional
        Given on a platform. Then the file is up to date after every test, in case the grading is stopped.

    Attributes
    ----------
    parts : list of Findings
        What is found in each part that was handed in, the main part first.
    """

    def __init__(
        self,
        path: Path,
        progress: Callable[[TestResult], None] | None = None,
        terms: PlatformTerms | None = None,
    ) -> None:
        self._path = path
        self._progress = progress
        self._terms = terms
        self._started = time.monotonic()
        self._drafts: dict[Findings, Results] = {}
        self.parts: list[Findings] = []

    def begin(self) -> None:
        """Remove older results, so that nobody takes them for the results of this grading."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._terms is None:
            Results.fallback("Grading started and has not ended yet.").write(self._path)
        else:
            self._path.unlink(missing_ok=True)

    def note(self, part: Findings, test: TestResult) -> None:
        """Keep how a test of a part ended."""
        part.note(test)
        self.update(part)
        if self._progress is not None:
            self._progress(test)

    def update(self, part: Findings) -> None:
        """Bring the file up to date after more has been found in a part. The other parts are as they were."""
        if self._terms is None:
            return
        self._drafts.pop(part, None)
        for each in (each for each in self.parts if each not in self._drafts):
            # What has ended is final: a stop during a later part takes nothing from it.
            whole = each.is_complete
            self._drafts[each] = each.results(self._is_withheld) if whole else each.draft(self._terms.stopped)
        self._write([self._drafts[each] for each in self.parts], ended=False)

    def leave_out(self, part: Findings) -> None:
        """Tell nothing of a part in which nothing is written yet: it is as if it had not been handed in."""
        self.parts.remove(part)
        self.parts[0].add_note(
            f"Part {part.place} is not graded: in {part.config.homework.required_file} nothing is written yet."
        )
        self.update(self.parts[0])

    def finish(self) -> None:
        """Write the results of all tests.

        Raises
        ------
        GraderFault
            If one of them is missing, or the results cannot be written.
        """
        missing = {name for part in self.parts for name in part.graded} - {test.name for test in self.tests}
        if missing:
            raise GraderFault(f"these tests did not run: {', '.join(sorted(missing))}")
        self._write([part.results(self._is_withheld) for part in self.parts], ended=True)

    def discard(self) -> None:
        """Leave no results."""
        with contextlib.suppress(OSError):  # a file that cannot be written does not have to be removed
            self._path.unlink()

    @property
    def seconds(self) -> float:
        """Wall time since the start."""
        return time.monotonic() - self._started

    @property
    def tests(self) -> list[TestResult]:
        """How the tests of all parts ended."""
        return [test for part in self.parts for test in part.tests]

    @property
    def score(self) -> Fraction:
        """The points of all parts together."""
        return sum((part.score(part.tests) for part in self.parts), Fraction(0))

    @property
    def remark(self) -> str:
        """What is wrong with the submission as a whole, for staff."""
        return "; ".join(part.remark for part in self.parts if part.remark)

    @property
    def layers(self) -> dict[str, str]:
        """How the student's workers were locked down; empty if none ran."""
        return next((part.layers for part in self.parts if part.layers), {})

    @property
    def isolation(self) -> str:
        """The same in words."""
        return isolation.level(self.layers) if self.layers else ""

    @property
    def _is_withheld(self) -> bool:
        return self._terms is not None and bool(self._terms.withheld)

    def _write(self, results: list[Results], ended: bool) -> None:
        heads = [f"Part {part.place}, {part.config.homework.required_file}" for part in self.parts]
        whole = joined(results, heads).changed(execution_time=round(self.seconds, 2))
        (self._terms.finish(whole, ended) if self._terms is not None else whole).write(self._path, ended)


def joined(parts: Sequence[Results], heads: Sequence[str]) -> Results:
    """Return the results of all parts as one.

    Parameters
    ----------
    parts : sequence of Results
        The main part first. If it is the only one, its results are returned as they are.
    heads : sequence of str
        What each part is called: ``Part 2, extras.py``.
    """
    main, *others = parts
    if not others:
        return main
    tests, output, extra = list(main.tests), [main.output], main.extra_data.given()
    for part, head in zip(others, heads[1:], strict=True):
        tests += part.tests
        output += ["", *_section(head, part, main.total_points is not None)]
        extra["examples"] = extra["examples"] | part.extra_data.examples
        extra["no_examples"] = "; ".join(filter(None, [extra["no_examples"], part.extra_data.no_examples]))
    if any(part.score > 0 for part in others):  # an attempt; a file that earns nothing makes none of a failed upload
        extra["unusable"] = ""
    extra["carried"] = _sum(part.extra_data.carried for part in parts)
    return main.changed(
        total_points=None if main.total_points is None else _sum(part.total_points or 0.0 for part in parts),
        score=_sum(part.score for part in parts),
        output="\n".join(output),
        tests=tuple(tests),
        extra_data=ResultsExtra(**extra),
    )


def _section(head: str, part: Results, with_points: bool) -> list[str]:
    """Return what a student reads about another part than the main one."""
    if with_points and part.shows_total:
        head += f": {part.score:g} of {_sum(test.max_score for test in part.tests):g} points"
    return [head, "-" * len(head), part.output]


def _sum(amounts: Iterable[float]) -> float:
    return float(sum((Fraction(repr(amount)) for amount in amounts), Fraction(0)))
