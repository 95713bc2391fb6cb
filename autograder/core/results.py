"""The platform's contract: what may stand in ``results.json``, and how it gets there.

Gradescope voids a whole submission for one NaN, one unknown word or one NumPy scalar. So nothing can be constructed
here that the platform would reject, and what is written is either complete or not there. A violation is our own bug:
it raises ``GraderFault``, which publishes no grade.

This room knows outcomes and the platform's keys. It must not know: NumPy, processes, how a score came about.
"""

from __future__ import annotations

import json
import math
from abc import abstractmethod
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)

from autograder.core import files
from autograder.core.errors import GraderFault
from autograder.core.outcomes import FAULT

Status = Literal["passed", "failed"]
Visibility = Literal["visible", "hidden", "after_due_date", "after_published"]
Format = Literal["text", "html", "simple_format", "md", "ansi"]

NAME_LIMIT = 200
"""Characters of a test's name. The platform states no limit; longer ones break its page."""

NUMBER_LIMIT = 20
"""Characters of a test's number, like ``3.12``."""

OUTPUT_LIMIT = 10_000
"""Characters of an output, far below the 100,000 at which the platform cuts without a word."""

NESTING_LIMIT = 20
"""Levels of lists and objects in ``extra_data``. Also what ends a list that contains itself."""

INTEGER_LIMIT = 2**53
"""Beyond this, readers of JSON that know only floats change an integer."""


def _output(text: str) -> str:
    r"""Give an output the platform's line ends and cut it to the limit, saying so."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(text) <= OUTPUT_LIMIT:
        return text
    note = f"\n[cut: {len(text):,} characters are too many to show]"
    return text[: OUTPUT_LIMIT - len(note)] + note


Name = Annotated[str, Field(min_length=1, max_length=NAME_LIMIT, pattern=r"^[^\r\n]+$")]
Number = Annotated[str, Field(max_length=NUMBER_LIMIT)]
Output = Annotated[str, AfterValidator(_output)]
Amount = Annotated[float, Field(ge=0)]


class _Contract(BaseModel):
    """Strict, frozen, and our own fault when it does not hold."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="wrap")
    @classmethod
    def _hold(cls, data: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
        if isinstance(data, cls):
            return data
        whose = cls.__name__
        if isinstance(data, dict):
            whose += f" {_shortened(data['name'])}" if "name" in data else ""
            for field, value in data.items():
                _refuse_foreign(f"{whose}.{field}", value)
        try:
            model = handler(data)
        except ValidationError as error:
            first = error.errors()[0]
            field = "".join(f".{part}" for part in first["loc"])
            got = f", got {_shortened(first['input'])}" if field and first["type"] != "missing" else ""
            raise GraderFault(f"results.json: {whose}{field}: {first['msg']}{got}") from error
        contradiction = model._contradiction()
        if contradiction:
            raise GraderFault(f"results.json: {whose}: {contradiction}")
        return model

    @abstractmethod
    def _contradiction(self) -> str:
        """Say which fields do not agree with each other, if any."""


class TestEntry(_Contract):
    """One line of the list of tests that a student sees.

    Attributes
    ----------
    number : str
        Its place, like ``2.1``. The platform wants text.
    output : str
        What the student reads; cut to ``OUTPUT_LIMIT``.
    status : str
        Follows from the scores: ``passed`` if and only if they are equal.
    """

    __test__: ClassVar[bool] = False  # no test of ours, whatever pytest thinks of the name

    number: Number
    name: Name
    score: Amount
    max_score: Amount
    status: Status = Field(default_factory=lambda data: _status(data["score"], data["max_score"]))
    output: Output = ""
    output_format: Format = "text"
    visibility: Visibility = "visible"
    extra_data: dict[str, Any] = {}

    def _contradiction(self) -> str:
        if self.score > self.max_score:
            return f"score is {self.score}, but max_score is {self.max_score}"
        if self.status != _status(self.score, self.max_score):
            return f"status is {self.status}, but the score is {self.score} of {self.max_score}"
        return ""


class Results(_Contract):
    """Everything that ``results.json`` holds.

    Attributes
    ----------
    total_points : float or None
        What the tests' ``max_score`` must add up to. None declares that these are not all tests. Not written.
    score : float
        Overrides the sum of the tests.
    output : str
        What the student reads above the tests; cut to ``OUTPUT_LIMIT``.
    execution_time : float or None
        In seconds; left out when None.
    """

    total_points: Amount | None = Field(exclude=True)
    score: Amount
    execution_time: Amount | None = None
    output: Output = ""
    output_format: Format = "text"
    test_output_format: Format = "text"
    test_name_format: Format = "text"
    visibility: Visibility = "visible"
    stdout_visibility: Visibility = "hidden"
    tests: Annotated[tuple[TestEntry, ...], Field(strict=False)] = ()
    extra_data: dict[str, Any] = {}

    def _contradiction(self) -> str:
        total = sum((Fraction(repr(test.max_score)) for test in self.tests), Fraction())
        if self.total_points is None or total == Fraction(repr(self.total_points)):
            return ""
        return f"max_score adds up to {float(total)}, but total_points is {self.total_points}"

    @classmethod
    def fallback(cls, message: str = "") -> Results:
        """Return what stands in ``results.json`` until a grading ends.

        Parameters
        ----------
        message : str
            What is known about the reason, for the student to read.
        """
        lines = [
            "The autograder did not finish grading this submission.",
            "This is a fault of the autograder or its machine, not of your work; the score 0 is not a grade.",
            *([message] if message else []),
            "Please submit again. If this text comes back, tell the course staff: your submission is stored.",
        ]
        return cls(total_points=None, score=0.0, output="\n".join(lines), extra_data={"outcome": FAULT})

    def changed(self, **fields: Any) -> Results:
        """Return these results with other values in some fields, held against the contract anew."""
        return Results(**{**{name: getattr(self, name) for name in type(self).model_fields}, **fields})

    def to_json(self) -> str:
        """Return the file's text: keys in the order of the fields, the same for the same results."""
        _refuse_foreign("Results", self)  # extra_data may have been changed since it was checked
        content = {field: value for field, value in self.model_dump().items() if value is not None}
        return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def write(self, path: Path) -> None:
        """Put the results at `path`, whole or not at all, readable by the owner alone.

        Parameters
        ----------
        path : Path
            The file; its folder exists.

        Raises
        ------
        GraderFault
            If the contract is violated or the file cannot be written. What stood there before still does.
        """
        text = self.to_json()
        try:
            files.replace(path, text.encode())
        except OSError as error:
            raise GraderFault(f"{path.name} cannot be written: {error.strerror}") from error


def _status(score: float, max_score: float) -> Status:
    return "passed" if score == max_score else "failed"


def _refuse_foreign(where: str, value: Any, depth: int = 0) -> None:
    """Refuse what JSON cannot hold, wherever it hides. Types count exactly: a NumPy float is a float, too."""
    kind = type(value)
    problem = ""
    if depth > NESTING_LIMIT:
        problem = "is nested too deeply"
    elif isinstance(value, _Contract):
        for field, inner in value:
            _refuse_foreign(f"{where}.{field}", inner, depth + 1)
    elif kind is dict:
        for key, inner in value.items():
            if type(key) is not str:
                raise GraderFault(f"results.json: {where}: has the key {_shortened(key)}, which is not text")
            _refuse_foreign(f"{where}: the key {_shortened(key)}", key)
            _refuse_foreign(f"{where}.{key}", inner, depth + 1)
    elif kind is list or kind is tuple:
        for index, inner in enumerate(value):
            _refuse_foreign(f"{where}[{index}]", inner, depth + 1)
    elif kind is str:
        if any("\ud800" <= character <= "\udfff" for character in value):
            problem = "has a lone surrogate"
    elif kind is float:
        if not math.isfinite(value):
            problem = f"is {value}, but should be finite"
    elif kind is int:
        if abs(value) > INTEGER_LIMIT:
            problem = "is an integer beyond 2**53"
    elif value is not None and kind is not bool:
        problem = f"is of type {kind.__module__}.{kind.__name__}, which JSON does not know"
    if problem:
        raise GraderFault(f"results.json: {where}: {problem}")


def _shortened(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= NAME_LIMIT else text[:NAME_LIMIT] + "..."
