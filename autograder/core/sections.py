"""The sections of ``config.yaml``, as frozen models: what each holds, and which values fit.

This module does not read the file, and does not know whether what it names exists.
"""

from __future__ import annotations

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
    ValidationInfo,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

Feedback = Literal["values", "hint", "verdict"]
"""What a failed test shows: got and expected entries, a description and a hint, or only that it failed."""


def _off(value: object) -> object:
    """Take ``off`` for the word that it is: YAML reads it as the truth value false."""
    return "off" if value is False else value


FollowThrough = Annotated[Literal["credit", "explain", "off"], BeforeValidator(_off)]
"""What a case gets if it fails because of an earlier function: its points, an explanation, or neither."""

Visibility = Literal["visible", "hidden", "after_due_date", "after_published"]
"""When a student sees a test; the platform's words."""


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


class Section(BaseModel):
    """A section of the file: unknown or missing keys are errors, and text is never taken for a number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Homework(Section):
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


class Fixtures(Section):
    """The seed that the inputs of the hidden tests are drawn from."""

    seed: Annotated[int, Field(ge=0)]


class Tolerances(Section):
    """The largest errors that pass.

    Attributes
    ----------
    float64, float32, slope : float
        Shares of the largest expected magnitude. With 1 or more, zeros would pass.
    absolute : float
        An error up to this passes in any case. For arrays that may be zero but for rounding, as gradients near a
        minimum are; there a share of the largest magnitude allows nothing.
    """

    float64: Share
    float32: Share
    slope: Share
    absolute: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0


class Limits(Section):
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


class Isolation(Section):
    """What to do on Gradescope when a layer of the isolation is missing. Elsewhere the grader only reports it."""

    without_seccomp: Literal["warn", "refuse"]


class Speed(Section):
    """How speed is judged, in multiples of the model answer's processor time.

    Attributes
    ----------
    full_ratio, none_ratio : float
        Up to `full_ratio` all points, above `none_ratio` none. Between them the number of Python steps decides.
    rounds : int
        How often each of the two is timed, unless the verdict is clear earlier.
    over, fine_loops : str
        How the handout calls what code must not loop over in Python, and what it may loop over.
    """

    full_ratio: PositiveNumber
    none_ratio: PositiveNumber
    rounds: Annotated[int, Field(ge=3)]
    over: str = "entries"
    fine_loops: str = ""

    @model_validator(mode="after")
    def _is_in_order(self) -> Speed:
        if not 1 <= self.full_ratio < self.none_ratio:
            raise PydanticCustomError("ratios", "Input should have 1 <= full_ratio < none_ratio")
        return self


class Late(Section):
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


class Attempts(Section):
    """How often a student may submit on Gradescope. Optional: without this section there is no limit."""

    per_day: PositiveInteger | None = None
    in_total: PositiveInteger | None = None

    @model_validator(mode="after")
    def _limits_something(self) -> Attempts:
        if self.per_day is None and self.in_total is None:
            raise PydanticCustomError("no_limit", "Input should have per_day, in_total or both")
        return self


class Grades(Section):
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


class PartSettings(Section):
    """How another part of the homework counts, which has a configuration file of its own.

    Attributes
    ----------
    points : {'bonus', 'within'}
        Whether its points come on top of `total_points`, or are a share of them.
    questions : tuple of str or None
        The questions that are asked; None for all. A question is a function, or its forward and backward pass.
    """

    points: Literal["bonus", "within"] = "bonus"
    questions: NamesOrMore | None = None


class TestSettings(Section):
    """What one test function is worth and how much of it is shown."""

    __test__: ClassVar[bool] = False  # pytest must not collect this class because of its name

    points: Points
    feedback: Feedback = "hint"
    visibility: Visibility = "visible"
