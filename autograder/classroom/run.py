"""Grades a class: reads the download, grades what has changed, and writes the tables and the report.

Every grade is on disk before the next one is handled. So an interrupted run loses only unfinished submissions, and the
same command goes on from there. This module does not know how one submission is graded, or how progress is shown.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from autograder.classroom import books, gradebook, lock, publish, remaining, report
from autograder.classroom import overrides as decisions
from autograder.classroom.books import Earlier
from autograder.classroom.gradebook import Gradebook, Row
from autograder.classroom.job import ClassJob, ClassResult
from autograder.classroom.journal import PAGE, RESULTS, Journal, circumstances
from autograder.classroom.lock import Held
from autograder.classroom.overrides import Assigned, Override
from autograder.classroom.publish import BOOKS, Places
from autograder.classroom.terminal import Display
from autograder.core import config as configuration
from autograder.core import console
from autograder.core.config import Config
from autograder.core.errors import ConfigurationError, GraderFault
from autograder.core.sections import Late
from autograder.grading.grader import Grade, Grader
from autograder.grading.plan import is_meant
from autograder.intake import download, roster
from autograder.intake.handins import HandIn, HandIns

OVERRIDES = "overrides.csv"


def mark(
    order: ClassJob, announce: Callable[[str], None], follow: Callable[[int], AbstractContextManager[Display]]
) -> ClassResult:
    """Grade a class.

    Parameters
    ----------
    announce : callable
        Called with one sentence that says what is going to happen.
    follow : callable
        Takes the number of submissions to grade; returns the object that shows the progress.

    Raises
    ------
    ConfigurationError
        If an option or a file does not fit; then nothing is graded.
    """
    config = configuration.load(order.config)
    total = Grader(config, order.only).points  # an error here must come before the output folder is made
    tests = {name: test.points for part in config.whole for name, test in part.tests.items()}
    points = {name: worth for name, worth in tests.items() if is_meant(order.only, name)}
    with contextlib.ExitStack() as stack:
        given = _read(order, config, points, stack)
        hand_ins = given.hand_ins
        decides = circumstances(config, order.only)
        held = stack.enter_context(lock.hold(order.place))
        journal = Journal(held.out, held.drafts, decides)
        _refuse_another_class(order, journal, hand_ins)
        announce(f"{hand_ins.recognised}.")
        grades = remaining.grade(order, hand_ins.entries, total, journal, held, announce, follow)
        problems = [*filter(None, [held.problem]), *journal.problems, *hand_ins.problems, *_not_private(held.out)]
        if order.only:
            rows = [gradebook.plain(entry, grades[entry.name]) for entry in hand_ins.entries]
            return ClassResult(grades, problems, rows=rows)
        book = _book(given, order, config, points, grades, journal, problems)
        if hand_ins.single:
            page = _page(book, book.rows[0], journal, held, problems)
            return ClassResult(grades, problems, rows=list(book.rows), page=page)
        people = given.people.roster if given.people else None
        platform = "" if order.anonymous else hand_ins.platform
        places = Places(platform, people, config.grades.canvas_assignment, order.anonymous)
        return _published(book, given.earlier, places, ClassResult(grades, problems), journal, held)


@dataclass(frozen=True)
class _Given:
    """What was read before anything is graded.

    Attributes
    ----------
    hand_ins : HandIns
        Matched with the roster, or with all names removed.
    named : list of HandIn
        The same ones, in the same order, as they are called in the download.
    people : Matched or None
        The roster, if there is one.
    overrides : list of Override
    earlier : dict or None
        The scores to compare with, if the user asked for it.
    """

    hand_ins: HandIns
    named: list[HandIn]
    people: roster.Matched | None
    overrides: list[Override]
    earlier: dict[str, Earlier] | None


def _read(order: ClassJob, config: Config, points: dict[str, Fraction], stack: contextlib.ExitStack) -> _Given:
    """Read the download and all tables; their errors come before anything is graded or written."""

    def scratch() -> Path:
        return stack.enter_context(_scratch())

    lock.keep_apart(order.source, order.out)
    homework = config.homework
    hand_ins = download.read(
        order.source, homework.required_file, scratch, asked=order.asked, functions=homework.functions
    )
    named = [*hand_ins.entries, *hand_ins.without_files]
    hand_ins, people = _nameless(hand_ins, scratch()) if order.anonymous else _whose(hand_ins, order)
    overrides = _overrides(order, points, config.grades.above_total)
    earlier = books.read_earlier(order.compare) if order.compare else None
    return _Given(hand_ins, named, people, overrides, earlier)


def _book(
    given: _Given,
    order: ClassJob,
    config: Config,
    points: dict[str, Fraction],
    grades: dict[str, Grade],
    journal: Journal,
    problems: list[str],
) -> Gradebook:
    """Apply the decisions and the late rule to what was graded; add what staff have to know to the problems."""
    hand_ins, people = given.hand_ins, given.people
    assigned = _assigned(given, order)
    if not hand_ins.single or order.overrides is not None:
        problems += assigned.problems
    rule = config.late if config.late and config.late.due else None
    decided = assigned.entries
    rows = [_row(entry, grades, journal, decided.get(entry.name, ()), rule) for entry in hand_ins.entries]
    rows += [
        gradebook.given(entry, decided.get(entry.name, ()), gradebook.NO_FILES) for entry in hand_ins.without_files
    ]
    book = Gradebook(
        config.title,
        points,
        rows,
        gradebook.absent(people, assigned.absent),
        people.people if people else {},
        config.grades.of_several,
        people is not None,
        config.most_points - config.total_points,
    )
    problems += book.problems
    if config.late and not hand_ins.single:
        problems += _untimed(hand_ins, rule, order)
    return book


def _assigned(given: _Given, order: ClassJob) -> Assigned:
    """Find what each decision is about; in an anonymous run decisions use the original names."""
    hand_ins, people, overrides = given.hand_ins, given.people, given.overrides
    entries = [*hand_ins.entries, *hand_ins.without_files]
    if not order.anonymous:
        if people is None:
            return decisions.assign(overrides, entries, {}, [])
        return decisions.assign(overrides, entries, people.people, people.roster.people)
    assigned = decisions.assign(overrides, given.named, {}, [])
    new = {old.name: entry.name for old, entry in zip(given.named, entries, strict=True)}
    renamed = {
        new[name]: tuple(replace(one, submission=new[name]) for one in decided)
        for name, decided in assigned.entries.items()
    }
    return Assigned(renamed, {}, [problem.partition(" (")[0] for problem in assigned.problems])


def _untimed(hand_ins: HandIns, rule: Late | None, order: ClassJob) -> list[str]:
    """Say which lateness cannot be counted, although there is a rule."""
    marked = [entry.name for entry in hand_ins.entries if entry.late and entry.submitted is None]
    said = []
    if marked:
        who = f" ({', '.join(marked)})" if not order.anonymous else ""
        said.append(
            f"{len(marked)} hand-ins are marked as late in their names, which hold no times{who}: "
            f"nothing is taken off. Decide it in {OVERRIDES}, as {decisions.LATE}"
        )
    if rule is None:
        said.append(f"{order.config.name}: late has no due, and an export names no dates: nothing counts as late here")
    elif not any(entry.submitted for entry in hand_ins.entries):
        said.append("these hand-ins have no times of submission: nothing counts as late here")
    return said


def _page(book: Gradebook, row: Row, journal: Journal, held: Held, problems: list[str]) -> Path | None:
    """Write the page of a single submission, if it has results."""
    if not row.has_results:
        return None
    try:
        page = report.write_page(book, row, journal.read(row.entry.name), held.drafts, "")
    except ImportError as error:
        problems.append(f"no {PAGE}: the package {error.name} is not installed; pip install -r requirements/ta.txt")
        return None
    place = held.out / row.entry.name / PAGE
    os.replace(page, place)
    return place


def _refuse_another_class(order: ClassJob, journal: Journal, hand_ins: HandIns) -> None:
    """Refuse to grade the sample class into a folder that holds the grades of a real class."""
    others = journal.names - {entry.name for entry in hand_ins.entries}
    if order.sample and others:
        problem = f"is missing, and without it the sample class is graded; but {order.place} holds grades of another"
        raise ConfigurationError("SUBMISSIONS", "", problem, "Say which submissions to grade, or give another OUT")


def _row(
    entry: HandIn,
    grades: dict[str, Grade],
    journal: Journal,
    overrides: Sequence[Override],
    rule: Late | None,
) -> Row:
    """Return one row of the books; a grade whose results were changed or removed meanwhile does not count."""
    grade = grades[entry.name]
    try:
        return gradebook.row(entry, grade, journal, overrides, rule)
    except FileNotFoundError:
        reason = f"{RESULTS} has vanished since it was written here: run the same command again"
    except GraderFault as error:
        reason = str(error)
    grades[entry.name] = Grade.fault(grade.points, reason, grade.seconds)
    return gradebook.row(entry, grades[entry.name], journal, overrides, rule)


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    """Make a private folder that exists while its submissions are graded."""
    folder = tempfile.mkdtemp(prefix="class-")
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _whose(hand_ins: HandIns, order: ClassJob) -> tuple[HandIns, roster.Matched | None]:
    """Match the hand-ins with the roster, if there is one."""
    if order.roster is None:
        return hand_ins, None
    people = roster.read(order.roster)
    everything = roster.match([*hand_ins.entries, *hand_ins.without_files], people)
    count = len(hand_ins.entries)
    matched = replace(
        hand_ins,
        entries=everything.entries[:count],
        without_files=everything.entries[count:],
        problems=[*hand_ins.problems, *everything.problems],
    )
    return matched, everything


def _nameless(hand_ins: HandIns, links: Path) -> tuple[HandIns, None]:
    """Remove all names. File names often contain people's names, and results quote them, so files are renamed, too."""
    entries, count = [], len(hand_ins.entries)
    for index, entry in enumerate(hand_ins.entries, 1):
        named_by_platform = entry.submitted is not None or bool(entry.students)
        name = entry.name if named_by_platform else f"submission-{index:0{len(str(count))}}"
        path = entry.path
        if path.is_file():
            path = links / f"{name}{entry.path.suffix}"
            path.symlink_to(entry.path.absolute())
        entries.append(replace(entry, name=name, path=path, students=()))
    absent = [replace(entry, students=()) for entry in hand_ins.without_files]
    hidden = len(hand_ins.problems)
    said = [f"{hidden} warnings about the hand-ins may name people: without ANONYMOUS they are shown"] if hidden else []
    return replace(hand_ins, entries=entries, without_files=absent, problems=said), None


def _overrides(order: ClassJob, points: dict[str, Fraction], above_total: bool) -> list[Override]:
    path = order.overrides or order.out / OVERRIDES
    if order.only or (order.overrides is None and not path.exists()):
        return []
    return decisions.read(path, points, above_total)


def _not_private(out: Path) -> list[str]:
    readable = os.stat(out).st_mode & 0o077
    return [f"others on this machine can look into {out}: chmod 700 keeps grades private"] if readable else []


def _published(
    book: Gradebook,
    earlier: dict[str, Earlier] | None,
    places: Places,
    done: ClassResult,
    journal: Journal,
    held: Held,
) -> ClassResult:
    """Write the books, all or none."""
    changes = None if earlier is None else books.changes(book, earlier)
    done.problems.extend([] if earlier is None else books.vanished(book, earlier))
    fresh = held.drafts / "books"
    fresh.mkdir()
    publish.write(book, changes, places, done.problems, journal.read, fresh)
    written = _exchange(fresh, held.out)
    rows = [row if book.counts(row) else replace(row, remark=gradebook.NOT_COUNTED) for row in book.rows]
    rows += [standing.row for standing in book.absent if standing.row.score is not None]
    next_step = publish.next_step({path.name for path in written}, places, bool(book.standings))
    return replace(done, changes=changes, rows=rows, written=written, next_step=next_step)


def _exchange(fresh: Path, out: Path) -> list[Path]:
    """Replace the books of the last run by the new ones; books of two runs are never side by side."""
    written = [out / name for name in BOOKS if (fresh / name).exists()]
    for folder in (out / name for name in BOOKS if (out / name).is_dir()):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(folder))
    with console.shielded():
        for page in fresh.glob(f"*/{PAGE}"):
            os.replace(page, out / page.relative_to(fresh))
        for name in BOOKS:
            (out / name).unlink(missing_ok=True)
        for book in written:
            os.replace(fresh / book.name, book)
    return written
