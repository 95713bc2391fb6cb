"""The models of ``extra_data`` in ``results.json``, which the platform keeps for staff and scripts and never shows."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, model_serializer


class Strict(BaseModel):
    """A frozen model with fixed keys and strict types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Extra(Strict):
    """A part of ``extra_data``, which the platform keeps for staff and scripts. Keys that were not set are left out."""

    @model_serializer
    def given(self) -> dict[str, Any]:
        """Return the keys that were set, in the order of the fields."""
        return {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}


class CaseExtra(_Extra):
    """How one case ended, and what staff may want to know about it.

    Attributes
    ----------
    outcome : str
    exception, line : str
        What the student's code raised, and in which of its lines.
    kind, result : str
        What kind of error it is, and which result has it.
    reason : str
        Why the speed could not be measured.
    stand_ins : list of str
        The student's functions that were replaced by right ones so that it passes.
    ratio : float
        Processor time in multiples of the model answer's; the times are medians.
    """

    outcome: str
    exception: str = ""
    line: str = ""
    kind: str = ""
    result: str = ""
    reason: str = ""
    ratio: float | None = None
    stand_ins: list[str] = []
    cpu_ms: float | None = None
    model_cpu_ms: float | None = None
    rounds: int | None = None


class DiagnosisExtra(_Extra):
    """Which mistake explains the wrong results, whether that is certain, and how long it took to find out."""

    id: str
    certain: bool
    seconds: float


class TestExtra(_Extra):
    """How one test ended.

    Attributes
    ----------
    test : str
        The name of its function.
    cases : dict of str to CaseExtra
        By case id; ``all`` for a test without cases.
    carried : float
        The points that it has only because it passes with right earlier functions.
    """

    __test__: ClassVar[bool] = False  # pytest must not collect this class because of its name

    test: str
    outcome: str
    cases: dict[str, CaseExtra] = {}
    carried: float = 0.0
    seconds: float = 0.0
    diagnosis: DiagnosisExtra | None = None
    staff: DecisionExtra | None = None


class DecisionExtra(_Extra):
    """What course staff decided: the points before, the reason, and the sentence that the student reads.

    Students do not see the reason, because it may name other students.
    """

    graded: float
    reason: str
    why: str


class LateExtra(_Extra):
    """What lateness took off, the score before, and the sentence that says so."""

    days: int
    percent: float
    earned: float
    why: str


class LedgerLine(_Extra):
    """One attempt: when it came in, whether it counts, and the score that the student got."""

    created_at: str
    counts: bool
    score: float | None


class AttemptsExtra(_Extra):
    """What the next submission has to know about the attempts so far."""

    ledger: list[LedgerLine]


class ResultsExtra(_Extra):
    """Data about the submission as a whole.

    Attributes
    ----------
    outcome : str
        Only set when there is no grade.
    engine, python, numpy : str
        The versions that graded it.
    only : str or None
        The test or pattern that was selected, if not all tests were run.
    isolated : str
        What student code could do; the layers that hold are in `isolation`.
    unusable : str
        Why no test could be run.
    carried : float
        The part of the score for cases that pass only with right earlier functions.
    examples : dict of str to int
        For each function with a smallest example, how many numbers are in its inputs.
    no_examples : str
        The error that ended the search for them: a bug of the grader's, which costs no points.
    notes : list of str
        For staff, about lateness and attempts.
    """

    outcome: str = ""
    engine: str = ""
    python: str = ""
    numpy: str = ""
    only: str | None = None
    isolated: str = ""
    import_seconds: float = 0.0
    isolation: dict[str, str] = {}
    unusable: str = ""
    carried: float = 0.0
    examples: dict[str, int] = {}
    no_examples: str = ""
    late: LateExtra | None = None
    staff: DecisionExtra | None = None
    attempts: AttemptsExtra | None = None
    notes: list[str] = []
