"""``config.yaml``, the one file an instructor edits, read into frozen models.

A value that does not fit is refused before anything is graded, with file, key and remedy: text for a number, a key that
nobody reads, a test that does not exist or has no points, points that do not add up. No number has a default: each one
is in the file.

A homework may have more parts, each with a file of the same format, named under ``parts``: its own required file, tests
and fixtures. Late work, attempts and grade books are about the whole homework, so they are in the main file alone.

This module also finds the homework and the names of its tests. It does not know what a test does.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Annotated

from pydantic import Field, PrivateAttr, ValidationError

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
    PartSettings,
    Points,
    Section,
    Speed,
    TestSettings,
    Tolerances,
)
from autograder.core.tables import number

SHARED = {
    "limits": ("memory_mib", "archive_mib", "archive_files", "platform_minutes"),
    "isolation": ("without_seccomp",),
}
"""What must be the same in all parts: a submission is read once, and all its workers are confined in the same way."""

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
    parts: dict[str, PartSettings] = Field(default_factory=dict)
    tests: Annotated[dict[str, TestSettings], Field(min_length=1)]
    _path: Path = PrivateAttr(Path("config.yaml"))
    _file: str = PrivateAttr("config.yaml")
    _parts: tuple[Config, ...] = PrivateAttr(())
    _left_out: frozenset[str] = PrivateAttr(frozenset())

    @property
    def path(self) -> Path:
        """The file that this was read from."""
        return self._path

    @property
    def file(self) -> str:
        """What messages call this file: for another part, its path relative to the main file."""
        return self._file

    @property
    def left_out(self) -> frozenset[str]:
        """The functions and tests of questions that are not asked."""
        return self._left_out

    @property
    def whole(self) -> tuple[Config, ...]:
        """All parts of the homework; the first is this one."""
        return (self, *self._parts)

    @property
    def within(self) -> tuple[Config, ...]:
        """The other parts whose points are a share of `total_points`."""
        return tuple(part for part, how in zip(self._parts, self.parts.values(), strict=True) if how.points == "within")

    @property
    def own_points(self) -> Fraction:
        """What the tests of this part are worth together."""
        return sum((test.points for test in self.tests.values()), Fraction())

    @property
    def most_points(self) -> Fraction:
        """What the tests of all parts are worth together: more than `total_points` if there is a bonus."""
        return sum((part.own_points for part in self.whole), Fraction())

    def subject(self, test_name: str) -> str | None:
        """Return the function a test is about: the longest function name contained in its own name, if any."""
        contained = [function for function in self.homework.functions if function in test_name]
        return max(contained, key=len, default=None)

    @property
    def speed_tests(self) -> frozenset[str]:
        """The tests that measure speed."""
        tests = all_functions(self.homework.hidden_tests, self.homework.public_tests)
        return frozenset(test.name for test in tests if test.measures_speed and test.name in self.tests)


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
    return _load(path, path.name, "")


def _load(path: Path, file: str, main: str) -> Config:
    """Do so; `file` is its name in messages, and `main` that of the main file if this is one of another part."""
    data = yamlfile.parse(path, file)
    root = path.resolve().parent
    try:
        config = Config.model_validate(data, context=root)
    except ValidationError as error:
        # Unknown keys come first: a misspelt key is also a missing one, and "misspelt" explains it better.
        details = sorted(error.errors(), key=lambda detail: detail["type"] not in UNKNOWN_KEY)
        raise together(explained(file, detail, Config) for detail in details) from None
    missing = list(_missing_files(file, config.homework, root))
    if missing:
        raise together(missing)
    if main:
        _refuse_in_part(config, file, main)
    config._path, config._file = path, file
    config._parts = tuple(_part(path, name, settings) for name, settings in config.parts.items())
    problems = [*_problems_of_limits(config), *_problems_of_tests(file, config, root), *_problems_of_parts(config)]
    if problems:
        raise together(problems)
    return config


# --- More parts ------------------------------------------------------------------------------------------------------


def question(function: str) -> str:
    """Return the question that a function belongs to: ``softmax`` for ``softmax_forward`` and ``softmax_backward``."""
    return function.removesuffix("_forward").removesuffix("_backward")


def _part(main: Path, name: str, settings: PartSettings) -> Config:
    """Read the file of another part of the homework, and leave out the questions that are not asked."""
    path, key = main.parent / name, f"parts.{name}"
    if not path.is_file():
        raise ConfigurationError(main.name, key, f"no such file: {name}", f"Correct it; it is relative to {main.name}.")
    if not path.resolve().is_relative_to(main.resolve().parent):
        raise ConfigurationError(main.name, key, f"lies outside of the folder of {main.name}", "Move it there.")
    part = _load(path, name, main.name)
    if settings.questions is None:
        return part
    known = dict.fromkeys(map(question, part.homework.functions))
    for wrong in (one for one in settings.questions if one not in known):
        remedy = suggestion(wrong, known, f"There are {listed(known)}.")
        raise ConfigurationError(main.name, f"{key}.questions", f"{name} has no question {wrong}", remedy)
    asked = {name: got for name, got in part.homework.functions.items() if question(name) in settings.questions}
    tests = {name: test for name, test in part.tests.items() if (part.subject(name) or next(iter(asked))) in asked}
    homework = part.homework.model_copy(update={"functions": asked})
    chosen = part.model_copy(update={"homework": homework, "tests": tests})
    chosen._left_out = frozenset({*part.homework.functions, *part.tests} - {*asked, *tests})
    return chosen


def _refuse_in_part(config: Config, file: str, main: str) -> None:
    for section in ("parts", "late", "attempts"):
        if section in config.model_fields_set:
            problem = f"is about the whole homework, and {file} is a part of it"
            raise ConfigurationError(file, section, problem, f"Write it into {main}.")


def _problems_of_parts(config: Config) -> Iterator[ConfigurationError]:
    """Find what two parts of a homework must not share: points, overrides and texts go by these names."""
    tests: dict[str, str] = {}
    functions: dict[str, str] = {}
    files: dict[str, str] = {}
    for part in config.whole:
        file = part.file
        names = (("tests", tests, part.tests), ("homework.functions", functions, part.homework.functions))
        for key, known, own in (*names, ("homework.required_file", files, [part.homework.required_file])):
            for name in own:
                if name in known:
                    problem = f"{known[name]} has {name}, too"
                    yield ConfigurationError(file, key, problem, "Rename one of them: parts are told apart by it.")
                known[name] = file
    for part in config._parts:
        for section, keys in SHARED.items():
            for key in keys:
                got, expected = (getattr(getattr(one, section), key) for one in (part, config))
                if got != expected:
                    problem = f"is {_value(got)}, but {_value(expected)} in {config.file}; "
                    problem += "one submission has one for all parts"
                    yield ConfigurationError(part.file, f"{section}.{key}", problem, "Write the same in both")


def _value(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


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


def _problems_of_limits(config: Config) -> Iterator[ConfigurationError]:
    most = PLATFORM_SHARE * config.limits.platform_minutes * 60
    seconds = [part.limits.submission_seconds for part in config.whole]
    if sum(seconds) >= most:
        got = " + ".join(f"{each:g}" for each in seconds)
        problem = f"got {got}, but should be less than {most:g}: "
        problem += f"{PLATFORM_SHARE * 100:g} % of limits.platform_minutes"
        remedy = "Lower it, or have Gradescope allow more minutes and write them here."
        yield ConfigurationError(config.file, "limits.submission_seconds", problem, remedy)


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

    total = sum((part.own_points for part in (config, *config.within)), Fraction())
    if total != config.total_points and not (unknown or unsettled):
        others = listed(part.file for part in config.within)
        whose = f"tests, with those of {others}," if others else "tests"
        problem = f"points of {whose} add up to {number(total)}, but total_points is {number(config.total_points)}"
        yield ConfigurationError(file, "tests", problem, "Change the points of some tests, or total_points.")


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
