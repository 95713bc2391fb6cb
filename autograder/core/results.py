"""The platform's contract: what ``results.json`` may hold, how it is written, and how it is read back.

Gradescope voids a whole submission for one NaN, one unknown word or one NumPy scalar. So these models refuse everything
that the platform would reject, and a file is written completely or not at all. A violation is a bug of the grader: it
raises ``GraderFault``, and no grade is published.
"""

from __future__ import annotations

import json
import math
from abc import abstractmethod
from collections import Counter
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
"""The most characters of a test's name. The platform states no limit, but longer names break its page."""

NUMBER_LIMIT = 20
"""The most characters of a test's number, like ``3.12``."""

OUTPUT_LIMIT = 10_000
"""The most characters of an output, far below the 100,000 at which the platform cuts it without notice."""

NESTING_LIMIT = 20
"""The most levels of lists and objects. This also stops at a list that contains itself."""

INTEGER_LIMIT = 2**53
"""The largest integer that readers of JSON with only floats keep exactly."""


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
    """A model of what the platform reads. A value that does not fit is the grader's fault."""

    @model_validator(mode="wrap")
    @classmethod
    def _hold(cls, data: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
        if isinstance(data, cls):
            return data
        whose = cls.__name__
        if isinstance(data, dict):
            whose += f" {_shortened(data['name'])}" if "name" in data else ""
            for field, value in data.items():
                if not _is_held(value):
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
        """Return which fields contradict each other; empty if none do."""


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

    __test__: ClassVar[bool] = False  # pytest must not collect this class because of its name

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
        What the tests' ``max_score`` must add up to; None when not all tests are listed. Not written to the file.
    score : float
        Replaces the sum of the tests.
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
        worth = Counter(test.max_score for test in self.tests)  # few different ones, so few exact numbers to make
        total = sum((times * Fraction(repr(points)) for points, times in worth.items()), Fraction())
        if self.total_points is None or total == Fraction(repr(self.total_points)):
            return ""
        return f"max_score adds up to {float(total)}, but total_points is {self.total_points}"

    @classmethod
    def fallback(cls, message: str = "") -> Results:
        """Return the results that count if the grading does not end.

        Parameters
        ----------
        message : str
            Why there are no other results, for the student to read.
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
        """Return the results in the text of a ``results.json`` that this module wrote; `total_points` is None.

        Raises
        ------
        GraderFault
            If the text is something else.
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
            If it cannot be read, or is not such a file.
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
        """Whether a student may see the score: the platform hides it if it hides any test."""
        return all(test.visibility == "visible" for test in self.tests)

    def telling(self, sentence: str) -> Results:
        """Return these results with a sentence below the first line of the output."""
        first, *rest = self.output.split("\n")
        return self.changed(output="\n".join([first, sentence, *rest]))

    def changed(self, **fields: Any) -> Results:
        """Return these results with other values in some fields, checked again."""
        return Results(**{**{name: getattr(self, name) for name in type(self).model_fields}, **fields})

    def to_json(self, ended: bool = True) -> str:
        """Return the file's text, with keys in the order of the fields. Equal results give equal text.

        If the grading has not `ended`, it is one line, and its values are not checked again: that takes a fraction of
        the time, and it is written after every test.
        """
        if ended:
            _refuse_foreign("Results", self)  # a list or dict in extra_data may have been changed since it was checked
        content = {field: value for field, value in self.model_dump().items() if value is not None}
        return json.dumps(content, indent=2 if ended else None, ensure_ascii=False, allow_nan=False) + "\n"

    def write(self, path: Path, ended: bool = True) -> None:
        """Write the results to `path`, completely or not at all, readable by the owner alone.

        Parameters
        ----------
        path : Path
            The file; its folder exists.
        ended : bool
            Whether these are final; see `to_json`.

        Raises
        ------
        GraderFault
            If the contract is violated or the file cannot be written. The old file is then unchanged.
        """
        text = self.to_json(ended)
        try:
            files.replace(path, text.encode())
        except OSError as error:
            raise GraderFault(f"{path.name} cannot be written: {error.strerror}") from error


def _status(score: float, max_score: float) -> Status:
    return "passed" if score == max_score else "failed"


def _is_held(value: object) -> bool:
    """Whether this is entries that were checked when they were made. `to_json` checks everything once more."""
    return isinstance(value, list | tuple) and all(isinstance(each, _Contract) for each in value)


def _refuse_foreign(where: str, value: Any) -> None:
    """Refuse values that JSON cannot hold, at any depth."""
    problem = _foreign(value)
    if problem:
        raise GraderFault(f"results.json: {where}{problem}")


def _foreign(value: Any, depth: int = 0) -> str:
    """Return where and why JSON cannot hold a value, if so. Types are compared exactly: np.float64 is a float, too."""
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
