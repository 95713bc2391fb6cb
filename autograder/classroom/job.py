"""What a run over a class is asked to do, and its result."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from autograder.classroom.books import Change
from autograder.classroom.gradebook import Row
from autograder.grading.grader import Grade
from autograder.intake.recognise import Asked

ONLY = "only"
"""The folder, inside the output folder, for runs with only some of the tests."""


@dataclass(frozen=True)
class ClassJob:
    """What the user asked for.

    Attributes
    ----------
    source, out, config : Path
        The submissions, the output folder, config.yaml.
    sample : bool
        Whether the user named no submissions, so that `source` is the sample class.
    only : str or None
        One test, or a pattern. With it no books are written, and results go to a separate folder.
    jobs : int or None
        How many submissions are graded side by side.
    scheduler : str or None
        See `parallel.grade_all`.
    force : bool
        Whether to grade unchanged submissions, too.
    roster, overrides, compare : Path or None
    anonymous : bool
        Whether to leave all names out of what is written or printed.
    asked : {'class', 'one'} or None
        What staff say about `source`: a class, or one submission. None if it is to be recognised.
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
        """The folder for results. With `only` it is a folder inside `out`, so that complete results stay."""
        return self.out / ONLY if self.only else self.out


@dataclass(frozen=True)
class ClassResult:
    """The result of a run.

    Attributes
    ----------
    grades : dict of str to Grade
        In the order of the class.
    problems : list of str
        Sentences for staff: what could not be matched or read, and what the books leave out.
    changes : list of Change or None
        Changes against earlier scores, if there are any to compare with.
    rows : list of Row
        The rows of the books, also for students without a submission to whom staff gave points.
    written : list of Path
        The files of the books.
    page : Path or None
        The page of the submission, if there is only one.
    next_step : str
        A sentence that says what to do with the books.
    """

    grades: dict[str, Grade]
    problems: list[str]
    changes: list[Change] | None = None
    rows: list[Row] = field(default_factory=list)
    written: list[Path] = field(default_factory=list)
    page: Path | None = None
    next_step: str = ""
