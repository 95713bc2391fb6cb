"""``config.yaml``, the one file an instructor edits, read into frozen models.

A value that does not fit is refused before anything is graded, with file, key and remedy: text for a number, a key that
nobody reads, a test that does not exist or has no points, points that do not add up. No number has a default: each one
is in the file.

This module also finds the homework and the names of its tests. It does not know what a test does.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from autograder.core import yamlfile
from autograder.core.errors import ConfigurationError, together
from autograder.core.homework import all_functions, files_with_tests, functions
from autograder.core.misfits import UNKNOWN_KEY, explained, listed, suggestion
from autograder.core.sections import (
    Attempts,
    Fixtures,
    FollowThrough,
    Grades,
    Homework,
    Isolation,
    Late,
    Limits,
    Points,
    Section,
    Speed,
    TestSettings,
    Tolerances,
)
from autograder.core.tables import number

PLATFORM_SHARE = 0.9
"""The share of the platform's time after which a grading is ended; the rest is for writing the results."""


class Config(Section):
    """All of ``config.yaml``."""

    title: str
    total_points: Points
    homework: Homework
    fixtures: Fixtures
    tolerances: Tolerances
    limits: Limits
    isolation: Isolation
    speed: Speed
    follow_through: FollowThrough = "credit"
    late: Late | None = None
    attempts: Attempts | None = None
    grades: Grades = Grades()
    tests: Annotated[dict[str, TestSettings], Field(min_length=1)]

    def subject(self, test_name: str) -> str | None:
        """Return the function a test is about: the longest function name contained in its own name, if any."""
        contained = [function for function in self.homework.functions if function in test_name]
        return max(contained, key=len, default=None)

    @property
    def speed_tests(self) -> frozenset[str]:
        """The tests that measure speed."""
        tests = all_functions(self.homework.hidden_tests, self.homework.public_tests)
        return frozenset(test.name for test in tests if test.measures_speed)


# --- Loading ---------------------------------------------------------------------------------------------------------


def load(path: Path) -> Config:
    """Read and check ``config.yaml`` and the names of the tests it gives points to.

    Parameters
    ----------
    path : Path
        The file. Paths inside it are relative to its folder.

    Returns
    -------
    Config

    Raises
    ------
    ConfigurationError
        If anything does not fit. The error names the first problem; its remedy lists the others, one per line.
    """
    data = yamlfile.parse(path)
    root = path.resolve().parent
    try:
        config = Config.model_validate(data, context=root)
    except ValidationError as error:
        # Unknown keys come first: a misspelt key is also a missing one, and "misspelt" explains it better.
        details = sorted(error.errors(), key=lambda detail: detail["type"] not in UNKNOWN_KEY)
        raise together(explained(path.name, detail, Config) for detail in details) from None
    missing = list(_missing_files(path.name, config.homework, root))
    if missing:
        raise together(missing)
    problems = [*_problems_of_limits(path.name, config.limits), *_problems_of_tests(path.name, config, root)]
    if problems:
        raise together(problems)
    return config


# --- What does not fit the homework ----------------------------------------------------------------------------------


def _missing_files(file: str, homework: Homework, root: Path) -> Iterator[ConfigurationError]:
    for key in ("solution", "oracle", "cases", "public_tests", "hidden_tests"):
        path: Path = getattr(homework, key)
        folder = key.endswith("_tests")
        if not (path.is_dir() if folder else path.is_file()):
            problem = f"no such {'folder' if folder else 'file'}: {_shown(path, root)}"
            yield ConfigurationError(file, f"homework.{key}", problem, f"Correct the path; it is relative to {file}.")
    if homework.misconceptions is not None and not homework.misconceptions.resolve().is_relative_to(
        homework.root.resolve()
    ):
        problem = f"lies outside of the folder of {file}, from which it is imported"
        yield ConfigurationError(file, "homework.misconceptions", problem, "Move it there.")


def _problems_of_limits(file: str, limits: Limits) -> Iterator[ConfigurationError]:
    most = PLATFORM_SHARE * limits.platform_minutes * 60
    if limits.submission_seconds >= most:
        problem = f"got {limits.submission_seconds:g}, but should be less than {most:g}: "
        problem += f"{PLATFORM_SHARE * 100:g} % of limits.platform_minutes"
        remedy = "Lower it, or have Gradescope allow more minutes and write them here."
        yield ConfigurationError(file, "limits.submission_seconds", problem, remedy)


def _problems_of_tests(file: str, config: Config, root: Path) -> Iterator[ConfigurationError]:
    homework = config.homework
    returned = {result for results in homework.functions.values() for result in results}
    for name in homework.opaque:
        if name not in returned:
            remedy = suggestion(name, returned, f"Returned are {listed(sorted(returned))}.")
            yield ConfigurationError(file, "homework.opaque", f"no function returns {name}", remedy)

    defined: dict[str, str] = {}
    for folder in (homework.hidden_tests, homework.public_tests):
        for path in files_with_tests(folder):
            shown = _shown(path, root)
            for name in (test.name for test in functions(path, shown)):
                if name in defined:
                    problem = f"also defined in {defined[name]}" if defined[name] != shown else "defined twice"
                    yield ConfigurationError(shown, name, problem, "Rename one of them: points go by name.")
                defined[name] = shown

    unknown = [name for name in config.tests if name not in defined]
    unsettled = [name for name in defined if name not in config.tests]
    for name in unknown:
        problem = f"no such test in {_shown(homework.hidden_tests, root)}/ or {_shown(homework.public_tests, root)}/"
        # Suggest a test without points first: that is the likelier meaning.
        remedy = suggestion(name, unsettled, suggestion(name, defined, "Remove it, or write the test."))
        yield ConfigurationError(file, f"tests.{name}", problem, remedy)
    for name in unsettled:
        problem = f"{defined[name]} defines this test, but it has no points"
        yield ConfigurationError(file, f"tests.{name}", problem, f"Add a line under tests: {name}: {{points: 1}}")

    total = sum((settings.points for settings in config.tests.values()), Fraction())
    if total != config.total_points and not (unknown or unsettled):
        problem = f"points of tests add up to {number(total)}, but total_points is {number(config.total_points)}"
        yield ConfigurationError(file, "tests", problem, "Change the points of some tests, or total_points.")


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
