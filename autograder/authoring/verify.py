"""``make verify``: proves the tests with submissions whose grade is known in advance.

Theory of operation
-------------------
The model answer must get all points and the untouched starter none. Right solutions, however oddly written, must get
all points, except those that the file named ``expected`` lists. Every misconception is the model answer with one wrong
function. It must fail a test of that function, and no test of another function unless it declares that. So a test that
is too strict shows among the right solutions, one that is too lax lets a misconception survive, and one that looks at
two functions at once costs points twice.

All of them are graded as real submissions are: files, sandbox, results.json, side by side. Only the results that
a student would get are read. A test that was not run, because another function that it needs failed, is no failure.

Fixtures of another seed are drawn into a temporary folder and graded with a copy of config.yaml that points there.
Speed tests are run on right solutions only: wrong ones and other seeds say nothing about speed.

This module does not know what the homework is about, or how progress is shown.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from autograder.authoring import catalogues, fixtures, handout, starter
from autograder.authoring.killmatrix import Fall, MistakeLine
from autograder.classroom import parallel
from autograder.classroom.parallel import HandIn
from autograder.classroom.terminal import Display
from autograder.core import config, homework
from autograder.core.config import Config
from autograder.core.errors import ConfigurationError
from autograder.core.outcomes import NOT_MEASURED, PARTLY, PASSED
from autograder.core.results import Results, TestEntry
from autograder.grading import casefile
from autograder.grading.grader import Grade

MODEL, STARTER, CORRECT, MISCONCEPTION = "model answer", "starter", "correct", "misconception"

MAIN = "config.yaml"
"""The main file of a homework with several parts."""

HARMLESS = {PASSED, NOT_MEASURED, "not run"}
"""Outcomes of a case that do not blame the function that the test is about."""

Follow = Callable[[int], AbstractContextManager[Display]]


@dataclass(frozen=True)
class Report:
    """The result of ``make verify``.

    Attributes
    ----------
    seed : int
        The seed of the fixtures.
    rows : tuple of MistakeLine
        The kill matrix: each misconception with the tests it failed.
    problems : tuple of str
        What is wrong. If there is nothing, the tests are verified.
    graded : dict of str to int
        The number of submissions, by kind.
    seconds : float
        Wall time.
    """

    seed: int
    rows: tuple[MistakeLine, ...]
    problems: tuple[str, ...]
    graded: dict[str, int]
    seconds: float

    @property
    def at_home(self) -> str:
        """How many of the misconceptions a student can find before handing in."""
        return f"public tests notice {sum(row.at_home for row in self.rows)} of {len(self.rows)} misconceptions"


def verify(config_path: Path, out: Path, jobs: int, follow: Follow, seed: int | None = None) -> Report:
    """Grade every submission whose grade is known, and say where the grade differs.

    Parameters
    ----------
    config_path : Path
    out : Path
        The folder for ``<kind>/<name>/results.json``.
    jobs : int
        How many submissions are graded side by side.
    follow : callable
        Takes the number of submissions to grade; returns the object that shows the progress.
    seed : int, optional
        Of fixtures made for this run. By default the fixtures are those in place, and tests of speed are included.

    Raises
    ------
    ConfigurationError
        If a file that is needed is missing or broken.
    """
    started = time.monotonic()
    settings = config.load(config_path)
    with tempfile.TemporaryDirectory(prefix="verify-") as name:
        scratch = Path(name)
        if seed is not None:
            home = settings.homework
            fixtures.make_fixtures(seed, home.cases, home.oracle, scratch / "fixtures")
            settings = _with(settings, {"fixtures": scratch / "fixtures"}, seed)
        untimed_path = without_speed(settings, scratch)
        right_path = untimed_path if seed is not None else config_path
        right, wrong = _right(settings, scratch, seed is None), list(_wrong(settings, scratch))
        with follow(len(right) + len(wrong)) as display:
            found = [*_proved(right_path, right, out, jobs, display), *_proved(untimed_path, wrong, out, jobs, display)]
    rows = {name: row for name, row, _ in found}
    kinds = [claim.kind for claim in (*right, *wrong)]
    return Report(
        seed=settings.fixtures.seed,
        rows=tuple(row for claim in wrong if (row := rows.get(claim.name)) is not None),
        problems=tuple(problem for _, _, problems in found for problem in problems),
        graded={kind: kinds.count(kind) for kind in dict.fromkeys(kinds)},
        seconds=time.monotonic() - started,
    )


def _proved(
    config_path: Path, claims: Sequence[_Claim], out: Path, jobs: int, display: Display
) -> Iterator[tuple[str, MistakeLine | None, list[str]]]:
    """Grade the submissions of `claims`; yield the name of each, its line of the kill matrix, and its problems."""
    by_name = {_place(claim): claim for claim in claims}
    entries = [HandIn(name, claim.path) for name, claim in by_name.items()]
    for entry, grade in parallel.grade_all(entries, out, config_path, jobs):
        claim = by_name[entry.name]
        display.graded(claim.name, grade)
        ended = _ended(claim, grade, out)
        row = claim.row(ended) if isinstance(claim, _Wrong) and ended else None  # after a fault of ours nothing ended
        yield claim.name, row, list(claim.problems(grade, ended))


def disagreements(config_path: Path, assignment: Path) -> list[str]:
    """Say which of fixtures, configuration and handout do not fit together.

    Parameters
    ----------
    config_path : Path
    assignment : Path
        The folder that students download.
    """
    settings = config.load(config_path)
    found = []
    for part in settings.whole:
        casefile.load(part.homework.fixtures)  # every file is as the manifest recorded it
        found += [str(error) for error in casefile.out_of_date(part)]
    made = assignment.is_dir() and not _is_part(config_path)  # it may come later
    wrong = handout.disagreement(config_path, assignment) if made else None
    if wrong is not None:
        found.append(str(wrong))
    return found


def _is_part(config_path: Path) -> bool:
    """Whether the main file of the homework is beside this one: then the handout is made from that, for all parts."""
    main = config_path.with_name(MAIN)
    return main.is_file() and not main.samefile(config_path)


# --- submissions whose grade is known --------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Claim:
    """A submission, and the grade it must get."""

    kind: str
    name: str
    path: Path

    def problems(self, grade: Grade, ended: Mapping[str, _Ended]) -> Iterator[str]:
        """Return sentences about what is not as claimed."""
        who = f"{self.kind} {self.name}"
        if grade.score is None:
            yield f"{who}: grader fault: {grade.remark.strip().splitlines()[-1]}"
        else:
            yield from (f"{who}{complaint}" for complaint in self._complaints(grade.score, ended))

    @abstractmethod
    def _complaints(self, score: Fraction, ended: Mapping[str, _Ended]) -> Iterator[str]:
        """Return what is not as claimed, as ends of sentences."""


@dataclass(frozen=True)
class _Ended:
    """How one test ended."""

    outcome: str
    cases: dict[str, str]
    output: str
    ratio: float | None = None  # of a speed test

    @property
    def failed(self) -> list[str]:
        """The cases that failed; a case that was not run has not failed."""
        return [case for case, outcome in self.cases.items() if outcome not in HARMLESS]

    @property
    def about_speed(self) -> str:
        """What to do when a speed test did not end as it should."""
        if self.ratio is None:
            return ""
        return (
            f"It took {self.ratio:g} times the model answer's time. `make bench` measures where speed.full_ratio and "
            "speed.none_ratio belong."
        )


@dataclass(frozen=True)
class _Right(_Claim):
    """A submission that gets all points, or exactly those that are declared."""

    score: Fraction | None  # None: not known for the selected tests
    not_passed: Mapping[str, str]

    def _complaints(self, score: Fraction, ended: Mapping[str, _Ended]) -> Iterator[str]:
        # on a machine that cannot measure speed
        unmeasured = [test for test, end in ended.items() if end.outcome == NOT_MEASURED]
        for test, end in ended.items():
            expected = self.not_passed.get(test, PASSED)
            if end.outcome != expected and test not in unmeasured:
                said = [" / ".join(end.output.splitlines()), end.about_speed]
                yield " ".join([f": {test} ended {end.outcome}, but should be {expected}.", *filter(None, said)])
        if self.score is not None and score != self.score and not unmeasured:
            yield f": gets {float(score):g} points, but should get {float(self.score):g}"


@dataclass(frozen=True)
class _Starter(_Claim):
    """A submission that gets nothing."""

    def _complaints(self, score: Fraction, ended: Mapping[str, _Ended]) -> Iterator[str]:
        if score:
            passed = [test for test, end in ended.items() if end.outcome in (PASSED, PARTLY)]
            yield f": gets {float(score):g} points for nothing, in {', '.join(passed)}"


@dataclass(frozen=True)
class _Wrong(_Claim):
    """A submission with one wrong function: it fails a hidden test of it, and of other functions declared ones only."""

    function: str
    subjects: Mapping[str, str | None]  # of every test
    public: frozenset[str]  # the tests that students have at home
    may_fail: frozenset[str]  # tests of other functions
    noticed_by: tuple[str, ...]  # if not empty, no other test may fail

    def _complaints(self, score: Fraction, ended: Mapping[str, _Ended]) -> Iterator[str]:
        fell = [test for test, end in ended.items() if end.failed]
        if not any(self.subjects[test] == self.function and test not in self.public for test in fell):
            yield f" survives: no hidden test of {self.function} noticed it. Add a case that does"
        for test in fell:
            if not self._may_fail(test):
                cases, alone = (
                    ", ".join(ended[test].failed),
                    " and ".join(self.noticed_by) or f"tests of {self.function}",
                )
                yield f" fails {test} [{cases}], but should fail {alone} alone"

    def row(self, ended: Mapping[str, _Ended]) -> MistakeLine:
        """Return its line of the kill matrix."""
        falls = {
            test: Fall(end.outcome, len(end.failed), len(end.cases), self._may_fail(test))
            for test, end in ended.items()
        }
        at_home = any(falls[test].failed and self.subjects[test] == self.function for test in self.public & set(falls))
        return MistakeLine(self.name, self.function, falls, at_home)

    def _may_fail(self, test: str) -> bool:
        if self.noticed_by:
            return test in self.noticed_by
        return self.subjects[test] == self.function or test in self.may_fail


def _right(settings: Config, scratch: Path, timed: bool) -> list[_Claim]:
    """Return the submissions that must get all points, and the starter; scores are known for all tests together."""
    home = settings.homework
    untouched = scratch / "starter.py"
    untouched.write_text(starter.make_starter(home.solution, home.public_tests, home.module)[0], encoding="utf-8")
    model = _Right(MODEL, home.solution.stem, home.solution, settings.own_points if timed else None, {})
    claims: list[_Claim] = [model, _Starter(STARTER, "untouched", untouched)]
    declared = {} if home.expected is None else _declared(home.expected)
    for entry in [] if home.correct is None else parallel.find(home.correct, home.required_file):
        of_this = declared.get(entry.name, {})
        score = Fraction(str(of_this.get("score", settings.own_points)))
        claims.append(_Right(CORRECT, entry.name, entry.path, score if timed else None, of_this.get("not passed", {})))
    return claims


def _declared(path: Path) -> Mapping[str, Any]:
    """Return which points right solutions lose, by the solution's name."""
    try:
        declared = yaml.safe_load(path.read_bytes())[CORRECT]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        problem = f"cannot be read ({type(error).__name__}: {error})"
        remedy = f"It should hold `{CORRECT}:` with names of solutions, each with score and `not passed`"
        raise ConfigurationError(str(path), "", problem, remedy) from None
    return declared if isinstance(declared, dict) else {}


def _wrong(settings: Config, scratch: Path) -> Iterator[_Wrong]:
    """Write a submission for each misconception of the catalogue."""
    subjects = {test: settings.subject(test) for test in settings.tests}
    public = frozenset(starter.sources_of_tests(settings.homework.public_tests))
    folder = scratch / "misconceptions"
    folder.mkdir()
    package, root = settings.homework.misconceptions, settings.homework.root
    if package is None:
        return
    with homework.forgotten(root):
        catalogue = catalogues.read(package, root)
        for entry in catalogue.CATALOGUE:
            path = folder / f"{entry.id}.py"
            path.write_text(catalogue.source(entry), encoding="utf-8")
            also, noticed_by = getattr(entry, "also_fails", ()), getattr(entry, "noticed_by", ())
            may_fail = frozenset(test for test, subject in subjects.items() if {test, subject} & set(also))
            yield _Wrong(MISCONCEPTION, entry.id, path, entry.function, subjects, public, may_fail, noticed_by)


# --- grading it ------------------------------------------------------------------------------------------------------


def _place(claim: _Claim) -> str:
    return f"{claim.kind.replace(' ', '-')}/{claim.name}"


def _ended(claim: _Claim, grade: Grade, out: Path) -> dict[str, _Ended]:
    """Return how every test of a submission ended, from its results."""
    if grade.score is None:
        return {}
    return {test.extra_data.test: _end(test) for test in Results.read(out / _place(claim) / parallel.RESULTS).tests}


def _end(test: TestEntry) -> _Ended:
    data = test.extra_data
    ratio = data.cases["all"].ratio if "all" in data.cases else None
    return _Ended(data.outcome, {case: end.outcome for case, end in data.cases.items()}, test.output, ratio)


# --- config.yaml, changed --------------------------------------------------------------------------------------------


def _with(settings: Config, places: Mapping[str, Path], seed: int) -> Config:
    """Return the settings with other paths of the homework, and another seed."""
    home = settings.homework.model_copy(update=dict(places))
    drawn = settings.fixtures.model_copy(update={"seed": seed})
    return settings.model_copy(update={"homework": home, "fixtures": drawn})


def without_speed(settings: Config, scratch: Path) -> Path:
    """Write a configuration without the speed tests; return its path."""
    speed = settings.speed_tests
    hidden = scratch / "hidden"
    shutil.copytree(settings.homework.hidden_tests, hidden, ignore=shutil.ignore_patterns("*.npz", "__pycache__"))
    for path in homework.files_with_tests(hidden):
        path.write_text(homework.without(path.read_text(encoding="utf-8"), speed), encoding="utf-8")
    tests = {name: test for name, test in settings.tests.items() if name not in speed}
    update = {"homework": settings.homework.model_copy(update={"hidden_tests": hidden}), "tests": tests, "parts": {}}
    update["total_points"] = sum(test.points for test in tests.values())
    path = scratch / "config.yaml"
    path.write_text(json.dumps(settings.model_copy(update=update), default=_plain), encoding="utf-8")  # YAML knows JSON
    return path


def _plain(value: object) -> object:
    """Return a value that JSON does not know as config.yaml writes it."""
    if isinstance(value, BaseModel):
        return dict(value)
    return float(value) if isinstance(value, Fraction) else str(value)
