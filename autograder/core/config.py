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
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetPydanticSchema,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from autograder.core import yamlfile
from autograder.core.errors import ConfigurationError, together
from autograder.core.homework import all_functions, files_with_tests, functions
from autograder.core.misfits import UNKNOWN_KEY, explained, listed, suggestion
from autograder.core.tables import number

Feedback = Literal["values", "hint", "verdict"]
"""What a failed test shows: got and expected entries, a description and a hint, or only that it failed."""

FollowThrough = Literal["credit", "explain", "off"]
"""What a case gets if it fails because of an earlier function: its points, an explanation, or neither."""

Visibility = Literal["visible", "hidden", "after_due_date", "after_published"]
"""When a student sees a test; the platform's words."""

PLATFORM_SHARE = 0.9
"""The share of the platform's time after which a grading is ended; the rest is for writing the results."""


# --- The models ------------------------------------------------------------------------------------------------------


def _inside(text: object, info: ValidationInfo) -> Path:
    """Resolve a path against the folder of config.yaml."""
    if not isinstance(text, str):
        raise PydanticCustomError("path_type", "Input should be text")
    root: Path = info.context  # type: ignore[assignment]  # see load()
    return root / text


def _name(text: str) -> str:
    if not text.isidentifier():
        raise PydanticCustomError("name", "Input should be a name in Python")
    return text


def _module_file(text: str) -> str:
    if not (text.endswith(".py") and text[:-3].isidentifier()):
        raise PydanticCustomError("module_file", "Input should be the name of a Python file, without a folder")
    return text


def _exact(number: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
    """Check a positive number, and keep it as the fraction that is written: 0.1 is 1/10."""
    return core_schema.no_info_after_validator_function(lambda value: Fraction(repr(value)), handler(PositiveNumber))


PositiveNumber = Annotated[float, Field(gt=0, allow_inf_nan=False)]
PositiveInteger = Annotated[int, Field(gt=0)]
Points = Annotated[Fraction, GetPydanticSchema(_exact)]
Share = Annotated[float, Field(gt=0, lt=1)]
Percent = Annotated[float, Field(ge=0, le=100)]
Location = Annotated[Path, BeforeValidator(_inside)]
Name = Annotated[str, AfterValidator(_name)]
Names = Annotated[tuple[Name, ...], Field(strict=False)]  # a YAML list may become a tuple; its entries stay strict
NamesOrMore = Annotated[Names, Field(min_length=1)]


class _Section(BaseModel):
    """A section of the file: unknown or missing keys are errors, and text is never taken for a number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Homework(_Section):
    """Where the homework lives.

    Attributes
    ----------
    required_file : str
        What a student must hand in.
    solution, oracle, cases : Path
        The model answer, the plain loops that compute the expected arrays, and the inputs.
    public_tests, hidden_tests, fixtures : Path
        Folders of the tests, and of the expected arrays.
    misconceptions, correct, expected : Path or None
        What proves the tests, each optional: a package or a file of wrong answers, a folder of right ones, and the
        points that right ones lose.
    functions : dict of str to tuple of str
        What each function returns, in the order of the assignment.
    opaque : tuple of str
        Results that stay in the worker: tests pass them on and never look inside.
    root : Path
        Where the homework's own imports begin: the folder of config.yaml.
    """

    required_file: Annotated[str, AfterValidator(_module_file)]
    solution: Location
    oracle: Location
    cases: Location
    public_tests: Location
    hidden_tests: Location
    fixtures: Location
    misconceptions: Location | None = None
    correct: Location | None = None
    expected: Location | None = None
    functions: Annotated[dict[Name, NamesOrMore], Field(min_length=1)]
    opaque: Names = ()
    root: Location = Field(default="", validate_default=True)

    @property
    def module(self) -> str:
        """What students call their file when they import it, and public tests their argument."""
        return self.required_file.removesuffix(".py")


class Fixtures(_Section):
    """The seed that the inputs of the hidden tests are drawn from."""

    seed: Annotated[int, Field(ge=0)]


class Tolerances(_Section):
    """The largest errors that pass, as shares of the largest expected magnitude. With 1 or more, zeros would pass."""

    float64: Share
    float32: Share
    slope: Share


class Limits(_Section):
    """What a submission may use. Sizes are in MiB, times are wall times in seconds.

    Attributes
    ----------
    platform_minutes : float
        How long Gradescope lets the autograder run. After that it stops it and gives no points.
    example_calls : int
        How often one function may be called while the smallest example of its mistake is searched.
    """

    call_seconds: PositiveNumber
    import_seconds: PositiveNumber
    submission_seconds: PositiveNumber
    platform_minutes: PositiveNumber
    memory_mib: PositiveInteger
    reply_mib: PositiveInteger
    archive_mib: PositiveInteger
    archive_files: PositiveInteger
    example_calls: PositiveInteger

    @property
    def archive_bytes(self) -> int:
        """The most bytes of Python that one submission may hold, unpacked."""
        return int(self.archive_mib * 2**20)


class Isolation(_Section):
    """What to do on Gradescope when a layer of the isolation is missing. Elsewhere the grader only reports it."""

    without_seccomp: Literal["warn", "refuse"]


class Speed(_Section):
    """How speed is judged, in multiples of the model answer's processor time.

    Attributes
    ----------
    full_ratio, none_ratio : float
        Up to `full_ratio` all points, above `none_ratio` none. Between them the number of Python steps decides.
    rounds : int
        How often each of the two is timed, unless the verdict is clear earlier.
    """

    full_ratio: PositiveNumber
    none_ratio: PositiveNumber
    rounds: Annotated[int, Field(ge=3)]

    @model_validator(mode="after")
    def _is_in_order(self) -> Speed:
        if not 1 <= self.full_ratio < self.none_ratio:
            raise PydanticCustomError("ratios", "Input should have 1 <= full_ratio < none_ratio")
        return self


class Late(_Section):
    """What late work costs. Optional: without this section, nothing. Without `due`, only Gradescope's due date counts.

    Attributes
    ----------
    grace_minutes : float
        A submission that is at most this late is on time.
    percent_per_day : float
        What each day takes off the score. A day counts as soon as it has begun.
    at_most_percent : float
        The most that lateness takes off.
    """

    due: AwareDatetime | None = None
    grace_minutes: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    percent_per_day: Percent
    at_most_percent: Percent


class Attempts(_Section):
    """How often a student may submit on Gradescope. Optional: without this section there is no limit."""

    per_day: PositiveInteger | None = None
    in_total: PositiveInteger | None = None

    @model_validator(mode="after")
    def _limits_something(self) -> Attempts:
        if self.per_day is None and self.in_total is None:
            raise PydanticCustomError("no_limit", "Input should have per_day, in_total or both")
        return self


class Grades(_Section):
    """How a class's grades go back to the course. Optional, as is every key.

    Attributes
    ----------
    of_several : {'latest', 'best'}
        Which hand-in counts when a student has several.
    above_total : bool
        Whether staff may give more than `total_points`.
    canvas_assignment : str or None
        The column of Canvas' gradebook, when its name is not `title`.
    """

    of_several: Literal["latest", "best"] = "latest"
    above_total: bool = False
    canvas_assignment: str | None = None


class TestSettings(_Section):
    """What one test function is worth and how much of it is shown."""

    __test__: ClassVar[bool] = False  # pytest must not collect this class because of its name

    points: Points
    feedback: Feedback = "hint"
    visibility: Visibility = "visible"


def _off(value: object) -> object:
    """Take ``off`` for the word that it is: YAML reads it as the truth value false."""
    return "off" if value is False else value


class Config(_Section):
    """All of ``config.yaml``."""

    title: str
    total_points: Points
    homework: Homework
    fixtures: Fixtures
    tolerances: Tolerances
    limits: Limits
    isolation: Isolation
    speed: Speed
    follow_through: Annotated[FollowThrough, BeforeValidator(_off)] = "credit"
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
