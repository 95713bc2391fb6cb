"""Grades one submission on Gradescope: applies the course's rules to its metadata, and tells staff what happened.

What this module prints is for staff: the platform shows it to nobody else. ``supervisor.py`` starts this and ends it in
time; this module does not know about processes and deadlines, or how a test is run.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from autograder.core import late as late_rules
from autograder.core.config import PLATFORM_SHARE, Config
from autograder.core.errors import ConfigurationError
from autograder.core.extra import ResultsExtra
from autograder.core.late import Lateness
from autograder.core.outcomes import tally
from autograder.core.results import Results
from autograder.core.tables import number
from autograder.core.text import clean
from autograder.gradescope import attempts, metadata
from autograder.gradescope.attempts import Budget
from autograder.gradescope.metadata import Metadata
from autograder.grading.grader import Grade, Grader
from autograder.sandbox import isolation

_STORY = 20_000
"""The most characters of a fault's description that are printed."""

UNREAD = (
    "Not everything that Gradescope knows of this submission could be read, so lateness and attempts may be counted "
    "wrongly: ask the course staff, who can see why."
)


@dataclass(frozen=True)
class Folders:
    """The platform's folders.

    Attributes
    ----------
    root : Path
        The folder that holds all others; on Gradescope ``/autograder``.
    run : str
        Unique per run, so that a leftover draft is never mistaken for this one's.
    """

    root: Path
    run: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def submission(self) -> Path:
        """The folder with the student's files, unpacked."""
        return self.root / "submission"

    @property
    def results(self) -> Path:
        """The results file that the platform reads."""
        return self.root / "results" / "results.json"

    @property
    def draft(self) -> Path:
        """The results if the grading ended now."""
        return self.root / "results" / f"results.partial-{self.run}.json"

    @property
    def metadata(self) -> Path:
        """The platform's metadata file about the submission."""
        return self.root / metadata.FILE

    def close(self) -> None:
        """Make the folders private: student code runs as another user."""
        self.results.parent.mkdir(exist_ok=True)
        for folder in (self.root / "source", self.submission, self.results.parent):
            with contextlib.suppress(FileNotFoundError):
                folder.chmod(0o700)
        with contextlib.suppress(FileNotFoundError):
            self.metadata.chmod(0o600)


@dataclass(frozen=True)
class Ruling:
    """What the course's rules say about a submission.

    Attributes
    ----------
    stopped : str
        What to say about tests that were not run, if the grading is ended early.
    late : Lateness or None
    budget : Budget or None
        None if attempts are not limited, or cannot be counted.
    withheld : str
        Why it is not graded; an earlier score stays. Empty if it is graded.
    kept : Fraction
        That score.
    fault : str
        Why there can be neither a new grade nor an earlier one; for staff.
    notes : list of str
        For staff.
    unread : bool
        Whether part of the metadata could not be read, so that the rules may have been applied wrongly.
    """

    stopped: str
    late: Lateness | None = None
    budget: Budget | None = None
    withheld: str = ""
    kept: Fraction = Fraction(0)
    fault: str = ""
    notes: list[str] = field(default_factory=list)
    unread: bool = False

    def finish(self, results: Results, ended: bool) -> Results:
        """Apply the rules to the results of the tests.

        An attempt does not count if no test could be run, or if the grading was ended early.
        """
        counts = ended and not results.extra_data.unusable
        results = late_rules.apply(results, None if self.withheld else self.late)
        extra = results.extra_data.given()
        if self.budget is not None:
            if self.withheld:
                counts, results = False, results.changed(score=float(self.kept))
                sentence = self.budget.refusal(self.kept, results.shows_total)
            else:
                sentence = self.budget.sentence(counts)
            results = results.telling(sentence)
            extra["attempts"] = self.budget.ledger(counts, Fraction(repr(results.score)))
        if self.unread:
            results = results.telling(UNREAD)
        return results.changed(extra_data=ResultsExtra(**extra, notes=self.notes))


def standing(known: Metadata, config: Config) -> Ruling:
    """Apply the rules of config.yaml to the metadata. Without rules, the metadata is not needed."""
    stopped = f"grading had to be stopped after {span(config.limits.platform_minutes * PLATFORM_SHARE)}"
    if config.late is None and config.attempts is None:
        return Ruling(stopped)
    notes = list(known.problems)
    stands = Ruling(stopped, _late(known, config, notes), notes=notes, unread=bool(known.problems))
    if config.attempts is None or known.submitted is None:
        return stands
    budget = attempts.budget(known.submitted, known.previous, config.attempts)
    if not budget.used_up:
        return replace(stands, budget=budget)
    if budget.stays is None or budget.stays.score is None:
        fault = f"not graded: {budget.used_up}, and no score is known that could stay: an earlier upload is still "
        fault += "being graded. Once that has ended, rerun this submission, or have the student submit again."
        return replace(stands, budget=budget, fault=fault)
    notes += budget.for_staff()
    kept = min(budget.stays.score, config.most_points)
    if kept < budget.stays.score:
        notes.append(f"that score is {number(budget.stays.score)}, more than all {number(kept)} points: cut to these")
    return replace(stands, budget=budget, withheld=budget.used_up, kept=kept)


def _late(known: Metadata, config: Config, notes: list[str]) -> Lateness | None:
    if config.late is None or known.submitted is None:
        return None
    due = late_rules.due(known.due, known.own_due, config.late.due)
    if due is None:
        notes.append("late: neither config.yaml nor Gradescope says when it was due, so nothing is taken off")
        return None
    if config.late.due and known.due and config.late.due != known.due:
        both = f"config.yaml: late.due is {config.late.due}, on Gradescope it is {known.due}"
        notes.append(f"{both}: the former counts, except for extensions beyond it")
    if config.late.due and not known.due and any(known.own_due):
        notes.append(
            "late: Gradescope names no due date of the assignment, so students' own are not taken for extensions"
        )
    return late_rules.lateness(known.submitted, due, config.late)


def grade(place: Folders, config: Config) -> bool:
    """Grade the submission into the draft, and tell staff about it; return whether there is a grade."""
    place.close()
    stands = standing(metadata.read(place.metadata), config)
    if stands.fault:
        _tell(_report(Grade.fault(config.total_points, stands.fault), stands))
        return False
    graded = Grader(config).grade(place.submission, place.draft, terms=stands)
    _tell(_report(graded, stands))
    return graded.score is not None


def _tell(staff: list[str]) -> None:
    for line in staff:
        with contextlib.suppress(OSError):  # a grade must not depend on whether the output can be printed
            print(clean(line, _STORY, lines=True), flush=True)


def _report(graded: Grade, stands: Ruling) -> list[str]:
    notes = [f"Note: {note}" for note in stands.notes]
    if graded.score is None:
        return [f"GRADER FAULT:\n{graded.remark}", *notes]
    lines = [f"{number(graded.score)} of {number(graded.points)}: {tally(graded.outcomes)}; {graded.seconds:.1f} s"]
    lines += [f"The submission: {graded.remark}"] * bool(graded.remark)
    lines += [f"Not graded: {stands.withheld}."] * bool(stands.withheld)
    if stands.late is not None and not stands.withheld:
        lines.append(f"{stands.late.why}.")
    lines += [f"Isolation: {graded.isolation}."] * bool(graded.isolation)
    missing = isolation.missing(graded.layers) if graded.layers else []
    lines += [f"Layer of isolation that does not hold: {layer}." for layer in missing]
    return lines + notes


def self_check(config: Config) -> str:
    """Grade the model answers of all parts on this machine; return what is wrong, empty if they get all points."""
    with tempfile.TemporaryDirectory(prefix="self-check-") as scratch:
        folder = Path(scratch, "submission")
        folder.mkdir()
        for part in config.whole:
            shutil.copyfile(part.homework.solution, folder / part.homework.required_file)
        results = Path(scratch, "results", "results.json")
        grader = Grader(config)
        if len(config.whole) > 1:
            try:
                grader.refuse_dependent()
            except ConfigurationError as error:
                return str(error)
        graded = grader.grade(folder, results)
        if graded.score is None:
            return f"the model answer cannot be graded: {graded.remark}"
        tests = Results.read(results).tests
    lost = [f"{test.extra_data.test}: {test.output}" for test in tests if test.status != "passed"]
    if not lost:
        return ""
    got, of = number(graded.score), number(config.most_points)
    return "\n".join([f"the model answer gets {got} of {of} points, but should get all of them", *lost])


def span(minutes: float) -> str:
    """Return a time in seconds as text, rounded to what is meaningful."""
    return f"{minutes * 60:.0f} s" if minutes < 2 else f"{round(minutes, 1):g} minutes"
