"""What a run over a class was asked for, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from autograder.classroom.books import Change
from autograder.classroom.gradebook import Row
from autograder.grading.grader import Grade
from autograder.intake.recognise import Asked

ONLY = "only"
"""The folder in the output folder for gradings of some tests."""


@dataclass(frozen=True)
class ClassJob:
    """What was asked for.

    Attributes
    ----------
    source, out, config : Path
        The submissions, the output folder, config.yaml.
    sample : bool
        Whether nobody has said what to grade, and `source` is a class that is there to be tried.
    only : str or None
        One test, or a pattern; then no books are kept, and results go to a folder of their own.
    jobs : int or None
        How many side by side.
    scheduler : str or None
        See `batch.grade_all`.
    force : bool
        Grade what is unchanged as well.
    roster, overrides, compare : Path or None
    anonymous : bool
        No names in anything that is written or printed.
    asked : {'class', 'one'} or None
        What staff say that the source is.
    """

    source: Path
    out: Path
    config: Path
    sample: bool = False
    only: str | None = None
    jobs: int | None = None
    scheduler: str | None = None
    force: bool = False
    roster: Path | None = None
    overrides: Path | None = None
    compare: Path | None = None
    anonymous: bool = False
    asked: Asked | None = None

    @property
    def place(self) -> Path:
        """Where results go: those of some tests never among those of all."""
        return self.out / ONLY if self.only else self.out


@dataclass(frozen=True)
class ClassResult:
    """What came of it.

    Attributes
    ----------
    grades : dict of str to Grade
        In the order of the class.
    problems : list of str
        What could not be matched or read, and what the books leave out; for staff.
    changes : list of Change or None
        Against earlier scores, where these were given.
    rows : list of Row
        As they count, also for those without a submission whom staff gave points.
    written : list of Path
        The books.
    page : Path or None
        Of the submission, if it is a single one.
    next_step : str
        What to do with the books.
    """

    grades: dict[str, Grade]
    problems: list[str]
    changes: list[Change] | None = None
    rows: list[Row] = field(default_factory=list)
    written: list[Path] = field(default_factory=list)
    page: Path | None = None
    next_step: str = ""
