"""The platform's contract: what ``results.json`` may hold, how it is written, and how it is read back.

Gradescope voids a whole submission for one NaN, one unknown word or one NumPy scalar. So nothing can be constructed
here that the platform would reject, and what is written is either complete or not there. A violation is our own bug:
it raises ``GraderFault``, which publishes no grade.
"""

from __future__ import annotations

import json
import math
from abc import abstractmethod
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)

from autograder.core import files
from autograder.core.errors import GraderFault
from autograder.core.extra import ResultsExtra, Strict, TestExtra
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
"""Levels of lists and objects. Also what ends a list that contains itself."""

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


class _Contract(Strict):
    """What the platform reads: our own fault when it does not hold."""

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
    extra_data: TestExtra

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
    extra_data: ResultsExtra = ResultsExtra()

    def _contradiction(self) -> str:
        total = sum((Fraction(repr(test.max_score)) for test in self.tests), Fraction())
        if self.total_points is None or total == Fraction(repr(self.total_points)):
            return ""
        return f"max_score adds up to {float(total)}, but total_points is {self.total_points}"

    @classmethod
    def fallback(cls, message: str = "") -> Results:
        """Return what ``results.json`` holds until a grading ends.

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
        return cls(total_points=None, score=0.0, output="\n".join(lines), extra_data=ResultsExtra(outcome=FAULT))

    @classmethod
    def parse(cls, content: bytes) -> Results:
        """Return what a ``results.json`` holds that was written here; its `total_points` is not known.

        Raises
        ------
        GraderFault
            If it is none.
        """
        try:
            return cls(**{**json.loads(content), "total_points": None})
        except (GraderFault, TypeError, ValueError, RecursionError) as error:
            raise GraderFault(f"this is no results.json of this autograder ({error})") from None

    @classmethod
    def read(cls, path: Path) -> Results:
        """Read a ``results.json``; see `parse`.

        Raises
        ------
        GraderFault
            If it cannot be read, or is none.
        """
        try:
            return cls.parse(path.read_bytes())
        except OSError as error:
            problem = f"cannot be read: {error.strerror}"
        except GraderFault as error:
            problem = str(error)
        raise GraderFault(f"{path}: {problem}. Remove it, and grade this submission again")

    @property
    def shows_total(self) -> bool:
        """Whether a student may see the score: the platform hides it as long as it hides any test."""
        return all(test.visibility == "visible" for test in self.tests)

    def telling(self, sentence: str) -> Results:
        """Return these results with a sentence below the first line, which says what was found in the submission."""
        first, *rest = self.output.split("\n")
        return self.changed(output="\n".join([first, sentence, *rest]))

    def changed(self, **fields: Any) -> Results:
        """Return these results with other values in some fields, held against the contract anew."""
        return Results(**{**{name: getattr(self, name) for name in type(self).model_fields}, **fields})

    def to_json(self) -> str:
        """Return the file's text: keys in the order of the fields, the same for the same results."""
        _refuse_foreign("Results", self)  # a list or dict in extra_data may have been changed since it was checked
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
            If the contract is violated or the file cannot be written. What was there before still is.
        """
        text = self.to_json()
        try:
            files.replace(path, text.encode())
        except OSError as error:
            raise GraderFault(f"{path.name} cannot be written: {error.strerror}") from error


def _status(score: float, max_score: float) -> Status:
    return "passed" if score == max_score else "failed"


def _refuse_foreign(where: str, value: Any) -> None:
    """Refuse what JSON cannot hold, however deep inside."""
    problem = _foreign(value)
    if problem:
        raise GraderFault(f"results.json: {where}{problem}")


def _foreign(value: Any, depth: int = 0) -> str:
    """Say where and why JSON cannot hold a value, if so. Types count exactly: a NumPy float is a float, too."""
    kind = type(value)
    if kind is str:
        lone = not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value)
        return ": has a lone surrogate" if lone else ""
    if kind is float:
        return "" if math.isfinite(value) else f": is {value}, but should be finite"
    if kind is int:
        return "" if abs(value) <= INTEGER_LIMIT else ": is an integer beyond 2**53"
    if value is None or kind is bool:
        return ""
    if depth > NESTING_LIMIT:
        return ": is nested too deeply"
    inside: Iterable[tuple[Any, Any]]
    if kind is dict:
        for key in value:
            if type(key) is not str:
                return f": has the key {_shortened(key)}, which is not text"
            if _foreign(key):
                return f": the key {_shortened(key)}{_foreign(key)}"
        inside = value.items()
    elif kind is list or kind is tuple:
        inside = enumerate(value)
    elif isinstance(value, Strict):
        inside = vars(value).items()
    else:
        return f": is of type {kind.__module__}.{kind.__name__}, which JSON does not know"
    for place, inner in inside:
        problem = _foreign(inner, depth + 1)
        if problem:
            return (f"[{place}]" if isinstance(place, int) else f".{place}") + problem
    return ""


def _shortened(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= NAME_LIMIT else text[:NAME_LIMIT] + "..."
