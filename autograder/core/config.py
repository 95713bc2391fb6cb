"""``config.yaml``, the one file an instructor edits, read into frozen models.

Whatever does not fit is refused with file, key and remedy before anything is graded: text for a number, a key nobody
reads, a test that does not exist or has no points, points that do not add up. No number has a default: what is not in
the file is nowhere.

This room finds the homework and the names of its tests. It must not know: arrays, processes, what a test does.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args

import yaml
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
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema

from autograder.core.errors import ConfigurationError
from autograder.core.homework import all_functions, files_with_tests, functions
from autograder.core.tables import number

try:
    from yaml import CSafeLoader as _SafeLoader  # ten times faster
except ImportError:
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

Feedback = Literal["values", "hint", "verdict"]
"""What a failed test tells: got and expected entries, what is wrong and a hint, or only that it failed."""

Visibility = Literal["visible", "hidden", "after_due_date", "after_published"]
"""When a student sees a test; the platform's words."""

PLATFORM_SHARE = 0.9
"""How much of the platform's time a grading may take before it is ended: what is left is for writing down the rest."""

_SHOWN_CHARACTERS = 60
"""How much of a wrong value is repeated in a message."""


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
    """Accept what a positive float accepts, and keep it as the fraction that is written: 0.1 is 1/10."""
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
    """Keys with values: none unknown, none missing, text is never taken for a number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Homework(_Section):
    """Where the homework lives.

    Attributes
    ----------
    required_file : str
        What a student must hand in.
    solution, oracle, cases : Path
        The model answer, the loops it is judged by, the inputs.
    public_tests, hidden_tests, fixtures : Path
        Folders of the tests, and of the expected arrays.
    misconceptions, correct, expected : Path
        What proves the tests: a package of wrong answers, a folder of right ones, and what these lose all the same.
    functions : dict of str to tuple of str
        What each function returns, in the order of the assignment.
    opaque : tuple of str
        Results that stay with the student's code.
    """

    required_file: Annotated[str, AfterValidator(_module_file)]
    solution: Location
    oracle: Location
    cases: Location
    public_tests: Location
    hidden_tests: Location
    fixtures: Location
    misconceptions: Location
    correct: Location
    expected: Location
    functions: Annotated[dict[Name, NamesOrMore], Field(min_length=1)]
    opaque: Names


class Fixtures(_Section):
    """What the fixtures are drawn from."""

    seed: Annotated[int, Field(ge=0)]


class Tolerances(_Section):
    """Largest errors that pass, as shares of the largest expected magnitude. From 1 on, zeros would pass."""

    float64: Share
    float32: Share
    slope: Share


class Limits(_Section):
    """What a submission may use. Sizes are in MiB, times are wall times in seconds.

    Attributes
    ----------
    platform_minutes : float
        What Gradescope allows for all of it, before it stops the autograder and gives no points.
    example_calls : int
        Calls of one function in the search for the smallest example of its mistake.
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


class Isolation(_Section):
    """What to do on Gradescope where a layer of the isolation is missing; elsewhere it is only said."""

    without_seccomp: Literal["warn", "refuse"]


class Speed(_Section):
    """How speed is judged, in multiples of the model answer's processor time.

    Attributes
    ----------
    full_ratio, none_ratio : float
        Up to the first all points, beyond the second none; between them the Python steps decide.
    rounds : int
        How often each is timed, unless the verdict is clear before.
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
    """What handing in late costs. Optional: without this section, nothing; without `due`, nothing but on Gradescope.

    Attributes
    ----------
    grace_minutes : float
        Up to this late is on time.
    percent_per_day : float
        What every day that has begun since `due` takes off the score.
    at_most_percent : float
        The most that lateness takes off.
    """

    due: AwareDatetime | None = None
    grace_minutes: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    percent_per_day: Percent
    at_most_percent: Percent


class Attempts(_Section):
    """How often one may submit on Gradescope. Optional: without this section, as often as one likes."""

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
        Which hand-in of a student counts who has several.
    above_total : bool
        Whether staff may give more than `total_points`.
    canvas_assignment : str or None
        The column of Canvas' gradebook, where `title` does not name it.
    """

    of_several: Literal["latest", "best"] = "latest"
    above_total: bool = False
    canvas_assignment: str | None = None


class TestSettings(_Section):
    """What one test function is worth and how much of it is shown."""

    __test__: ClassVar[bool] = False  # no test of ours, whatever pytest thinks of the name

    points: Points
    feedback: Feedback = "hint"
    visibility: Visibility = "visible"


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
        If anything does not fit. It is about the first problem; its remedy goes on with the others, one to a line.
    """
    data = parse(path)
    root = path.resolve().parent
    try:
        config = Config.model_validate(data, context=root)
    except ValidationError as error:
        # Unknown keys first: a key that is misspelt is also missing, and the spelling is the better explanation.
        details = sorted(error.errors(), key=lambda detail: detail["type"] not in _UNKNOWN_KEY)
        raise _together(_explained(path.name, detail) for detail in details) from None
    missing = list(_missing_files(path.name, config.homework, root))
    if missing:
        raise _together(missing)
    problems = [*_problems_of_limits(path.name, config.limits), *_problems_of_tests(path.name, config, root)]
    if problems:
        raise _together(problems)
    return config


def _together(problems: Iterable[ConfigurationError]) -> ConfigurationError:
    """Return the first problem, its remedy followed by the others."""
    first, *others = problems
    return ConfigurationError(first.file, first.key, first.problem, "\n".join([first.remedy, *map(str, others)]))


# --- YAML ------------------------------------------------------------------------------------------------------------


class _Loader(_SafeLoader):
    """Safe YAML in which 1e-7 is a number, as it is everywhere but in YAML 1.1."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)


def parse(path: Path) -> object:
    """Return what the file holds as plain Python objects."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
        raise ConfigurationError(path.name, "", problem, "Run this in the folder that holds it.") from None
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 text (byte {error.start})"
        raise ConfigurationError(path.name, "", problem, "Save it as UTF-8.") from None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            raise ConfigurationError(path.name, "", "is empty", "Restore it from the repository.")
        repeated = [_repeated(path.name, *where) for where in _repetitions(node, ())]
        if repeated:
            raise _together(repeated)
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        problem = f"is not YAML: {line}{error.problem}"
        raise ConfigurationError(path.name, "", problem, "Correct this line or the one before it.") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # A control character, a date like 2026-13-45, a list inside itself.
        problem = f"is not YAML: {' '.join(str(error).split())}"
        raise ConfigurationError(path.name, "", problem, "Correct it.") from None


def _repetitions(node: yaml.Node, key: tuple[str, ...]) -> Iterator[tuple[str, int, int]]:
    """Yield key and lines of what stands twice in one section; YAML would silently keep the last."""
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[str, int] = {}
    for name, value in node.value:
        line = name.start_mark.line + 1
        inner = (*key, str(name.value))
        if inner[-1] in lines:
            yield ".".join(inner), lines[inner[-1]], line
        lines[inner[-1]] = line
        yield from _repetitions(value, inner)


def _repeated(file: str, key: str, first: int, second: int) -> ConfigurationError:
    return ConfigurationError(file, key, f"stands in line {first} and again in line {second}", "Remove one of them.")


# --- What does not fit the models ------------------------------------------------------------------------------------

_SHOULD = {
    "datetime_type": "should be a day, a time and a time zone, like 2026-10-01 23:59:00 -04:00",
    "dict_type": "should be names with values",
    "float_type": "should be a number",
    "int_type": "should be a whole number",
    "string_type": "should be text",
    "timezone_aware": "should end in a time zone, like 2026-10-01 23:59:00 -04:00",
    "too_short": "should name at least one",
    "tuple_type": "should be a list",
}
"""Plainer words than pydantic's, by its kinds of errors."""

_UNKNOWN_KEY = ("extra_forbidden", "invalid_key")
"""Its kinds for a key that no model has, and for one that is no text at all."""


def _explained(file: str, detail: ErrorDetails) -> ConfigurationError:
    """Turn an error of pydantic's into one of ours."""
    kind, got = detail["type"], detail["input"]
    where = tuple(str(part) for part in detail["loc"] if part != "[key]")
    key = ".".join(where)
    if kind == "missing":
        return ConfigurationError(file, key, "is missing", "Add this key and its value.")
    if kind in _UNKNOWN_KEY:
        keys = _keys(where[:-1])
        return ConfigurationError(file, key, "no such key", _suggestion(where[-1], keys, f"Known are {_listed(keys)}."))
    should = _SHOULD.get(kind, detail["msg"].removeprefix("Input "))
    if kind == "model_type":
        should = f"should be keys with values: {_listed(_keys(where))}"
    return ConfigurationError(file, key, f"got {_described(got)}, but {should}", _remedy(kind, got, should))


def _remedy(kind: str, got: object, should: str) -> str:
    if kind in ("float_type", "int_type") and isinstance(got, str):
        return "Write a plain number, without quotes and without a unit."
    if kind in ("string_type", "path_type") and got is not None:
        return "Put it in quotes."
    if kind == "literal_error" and isinstance(got, str):
        return _suggestion(got, re.findall(r"'(\w+)'", should), "Choose one of them.")
    return "Correct the value."


def _keys(where: tuple[str, ...]) -> list[str]:
    """Return the keys of the section at `where`."""
    section: Any = Config
    for part in where:
        if section is Config and part == "tests":
            return list(TestSettings.model_fields)
        annotation = section.model_fields[part].annotation
        section = (get_args(annotation) or (annotation,))[0]  # an optional section is a union with None
    return list(section.model_fields)


def _described(got: object) -> str:
    if got is None:
        return "nothing"
    if isinstance(got, bool):
        return f"the truth value {str(got).lower()}"
    if isinstance(got, (list, tuple)):
        return "a list" if got else "an empty list"
    if isinstance(got, dict):
        return "keys with values" if got else "no keys"
    text = f"the text {got!r}" if isinstance(got, str) else str(got)
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"


def _suggestion(wrong: str, known: Iterable[str], otherwise: str) -> str:
    close = difflib.get_close_matches(wrong, known, n=1)
    return f"Did you mean {close[0]}?" if close else otherwise


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


# --- What does not fit the homework ----------------------------------------------------------------------------------


def _missing_files(file: str, homework: Homework, root: Path) -> Iterator[ConfigurationError]:
    for key in ("solution", "oracle", "cases", "public_tests", "hidden_tests"):
        path: Path = getattr(homework, key)
        folder = key.endswith("_tests")
        if not (path.is_dir() if folder else path.is_file()):
            problem = f"no such {'folder' if folder else 'file'}: {_shown(path, root)}"
            yield ConfigurationError(file, f"homework.{key}", problem, f"Correct the path; it is relative to {file}.")


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
            remedy = _suggestion(name, returned, f"Returned are {_listed(sorted(returned))}.")
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
        # What has no points yet is the likelier meaning.
        remedy = _suggestion(name, unsettled, _suggestion(name, defined, "Remove it, or write the test."))
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
