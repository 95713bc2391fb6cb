"""A run of ``make grade`` in which one operation on a file fails, or at which the run is killed or interrupted.

``python -m tests.grader.support.faults --most 20`` grades a small class once without a fault, counts what the run does
to files, and then runs it again for every operation and every fault, or for an even selection of them. After each: no
traceback, no wrong grade, no books of two runs; and the next run, undisturbed, leaves what an undisturbed run leaves.
Prints one line per violation, and the count of faults; exits with status 1 if there is a violation.

With ``--stub`` a function stands in for the grading of one submission: it gives the grades that the real one gives.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import errno
import itertools
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from autograder.__main__ import main as command
from autograder.classroom import run, terminal  # noqa: F401  # imported once, before all the forks
from autograder.core import console
from autograder.core.extra import ResultsExtra, TestExtra
from autograder.core.results import Results, TestEntry
from autograder.grading import grader
from autograder.grading.grader import Grade
from tests.grader.support import ROOT
from tests.grader.support.toy import SOLUTION, Toy

HALF = "def double(x):\n    return 2 * x\n"
ERRORS = ("ENOSPC", "EACCES", "EIO", "EINTR")
KILL, INTERRUPT = "kill -9", "Ctrl-C"
FAULTS = (*ERRORS, KILL, INTERRUPT)
BOOKS = ("grades.csv", "canvas.csv", "changes.csv")
EVENTS = {
    "open",
    "os.mkdir",
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "fcntl.flock",
}
SECONDS = 60


# --- The class -------------------------------------------------------------------------------------------------------


def make_class(root: Path) -> Toy:
    """Four submissions of an export: all points, some, some and late, none; a roster, decisions of staff."""
    toy = Toy(root)
    late = "{due: 2026-01-03 00:00:00 +00:00, grace_minutes: 0, percent_per_day: 25, at_most_percent: 50}"
    toy.config.write_text(f"{toy.config.read_text()[:-1]}, late: {late}}}")
    sources = [SOLUTION, HALF, SOLUTION + "# late\n", "def nothing(): pass\n"]
    export = root / "assignment_1_export"
    text = "---\n"
    for number, source in enumerate(sources, 1):
        (export / f"submission_{number}").mkdir(parents=True)
        (export / f"submission_{number}/toy.py").write_text(source)
        text += f"submission_{number}:\n  :submitters:\n  - :name: Student {number}\n    :sid: 's{number}'\n"
        text += f"  :created_at: 2026-01-0{number} 12:00:00.5 Z\n"
    (export / "submission_metadata.yml").write_text(text)
    (root / "roster.csv").write_text(
        "Student,ID,SIS User ID,SIS Login ID,Section\n" + "".join(f"Student {n},{n},s{n},,1\n" for n in range(1, 6))
    )
    (root / "temporary").mkdir()
    return toy


def words(toy: Toy, out: Path) -> list[str]:
    """Return the command that grades the class."""
    source, roster = toy.root / "assignment_1_export", toy.root / "roster.csv"
    given = ["--config", toy.config, "grade", source, "--out", out, "--roster", roster, "--jobs", 1]
    return [str(word) for word in given]


def decide(out: Path) -> None:
    """Write a decision of staff into the output folder."""
    out.mkdir(exist_ok=True)
    (out / "overrides.csv").write_text("submission,test,score,reason\nsubmission_2,test_halve,1,nearly\n")


def stub(
    self: grader.Grader, path: Path, results_path: Path, progress: Any = None, terms: Any = None
) -> Grade:  # as Grader.grade
    """Grade by what is written in the file; write results as a grading does, a placeholder first."""
    source = next(path.glob("*.py")).read_text()
    passed = (
        set(Toy.POINTS) if SOLUTION in source else {"test_double_example", "test_double"} if HALF in source else set()
    )
    tests = [
        TestEntry(
            number=f"1.{number}",
            name=name,
            score=float(points if name in passed else 0),
            max_score=float(points),
            extra_data=TestExtra(test=name, outcome="passed" if name in passed else "wrong", cases={}),
        )
        for number, (name, points) in enumerate(Toy.POINTS.items(), 1)
    ]
    score = sum(test.score for test in tests)
    results = Results(total_points=10.0, score=score, output="Found it.", tests=tuple(tests), extra_data=ResultsExtra())
    try:
        results_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        Results.fallback("Grading started and has not ended yet.").write(results_path)
        results.write(results_path)
    except Exception as error:
        results_path.unlink(missing_ok=True)
        return Grade.fault(Fraction(10), str(error))
    return Grade(Fraction(repr(score)), Fraction(10), Counter(test.extra_data.outcome for test in tests), 1.0)


# --- One run in a process of its own ---------------------------------------------------------------------------------


class Fault:
    """Counts operations on files below `root`, and lets the one with number `at` fail as `kind` says."""

    def __init__(self, root: Path, at: int, kind: str) -> None:
        self._root, self._at, self._kind = str(root), at, kind
        self.count = 0

    def install(self) -> None:
        """Watch this process from now on, and for good."""
        os.write = self._watched(os.write)
        os.fsync = self._watched(os.fsync)
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in EVENTS and arguments and self._is_below(arguments[0]):
            self._happen()

    def _watched(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        def watched(descriptor: int, *rest: Any) -> Any:
            if self._is_below(descriptor):
                if operation.__name__ == "write" and self.count + 1 == self._at:
                    operation(descriptor, bytes(rest[0])[: len(rest[0]) // 2])  # as when the disk fills up
                self._happen()
            return operation(descriptor, *rest)

        return watched

    def _is_below(self, place: Any) -> bool:
        try:
            path = os.readlink(f"/proc/self/fd/{place}") if isinstance(place, int) else os.fsdecode(place)
        except (OSError, TypeError):
            return False
        return path.startswith(self._root) and "/secret/" not in path and "/open/" not in path

    def _happen(self) -> None:
        self.count += 1
        if self.count != self._at:
            return
        if self._kind == KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        elif self._kind == INTERRUPT:
            signal.raise_signal(signal.SIGINT)
        else:
            number = getattr(errno, self._kind)
            raise OSError(number, os.strerror(number))


def perform(toy: Toy, out: Path, stubbed: bool, at: int = 0, kind: str = "") -> tuple[int, int, str]:
    """Run the command in a child; return how it ended (negative: by which signal), its operations, what it printed."""
    said = toy.root / "said"
    counted = toy.root / "counted"
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            for stream in (1, 2):
                os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
            os.environ["TMPDIR"] = tempfile.tempdir = str(toy.root / "temporary")
            if stubbed:
                grader.Grader.grade = stub  # type: ignore[method-assign]
            sys.modules["matplotlib"] = None  # type: ignore[assignment]  # a second for every run
            fault = Fault(toy.root, at, kind)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            console.listen()
            fault.install()
            status = command(words(toy, out))
            sys.stdout.flush()
            counted.write_text(str(fault.count))
            os._exit(status)
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
        os._exit(99)
    deadline = time.monotonic() + SECONDS
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return 98, 0, "it took too long"
        time.sleep(0.002)
    text = said.read_text(errors="replace")
    said.unlink()
    count = int(counted.read_text()) if counted.exists() else 0
    counted.unlink(missing_ok=True)
    return os.waitstatus_to_exitcode(ended[1]), count, text


# --- What has to hold ------------------------------------------------------------------------------------------------


def grades_in(out: Path) -> dict[str, Any]:
    """Return what every results file holds, without figures that vary."""
    found = {}
    for path in out.glob("submission_*/results.json"):
        try:
            found[path.parent.name] = Toy.lasting(json.loads(path.read_text()))
        except ValueError:
            found[path.parent.name] = "half a file"
    return found


def books_in(out: Path) -> dict[str, str]:
    """Return the books that are there."""
    return {name: (out / name).read_text() for name in BOOKS if (out / name).exists()}


def scores(book: str) -> dict[tuple[str, str], str]:
    """Return the score of every line of grades.csv."""
    return {(line["submission"], line["name"]): line["score"] for line in csv.DictReader(book.splitlines())}


def raw(results: Any) -> Any:
    """Return by test what a results file says was earned, before decisions and lateness."""
    if not isinstance(results, dict):
        return results
    return {test["extra_data"]["test"]: test["extra_data"]["outcome"] for test in results["tests"]}


class Undisturbed:
    """What a run leaves that nothing disturbs."""

    def __init__(self, toy: Toy, stubbed: bool) -> None:
        out = toy.root / "undisturbed"
        decide(out)
        status, self.operations, said = perform(toy, out, stubbed)
        assert status == 0, said
        self.grades, self.books = grades_in(out), books_in(out)
        assert len(self.grades) == 4, said
        assert "grades.csv" in self.books, said
        shutil.rmtree(out)

    def violations(self, out: Path, status: int, said: str, kind: str, state: Path) -> Iterator[str]:
        """Yield what is wrong after a disturbed run on a folder that was as `state` is."""
        before, before_grades = books_in(state), grades_in(state)
        if "Traceback" in said or (status not in (0, 2, 130) and not (kind == KILL and status == -signal.SIGKILL)):
            yield f"ended with {status}: {said[-600:]}"
        for name, results in grades_in(out).items():
            untouched = "Grading" not in said and results == before_grades.get(name)  # refused before it began
            if raw(results) != raw(self.grades[name]) and not untouched:
                yield f"{name}/results.json: {results}"
        books = books_in(out)
        known = scores(self.books["grades.csv"])
        if "grades.csv" in books and books["grades.csv"] != before.get("grades.csv"):
            for who, score in scores(books["grades.csv"]).items():
                if score not in ("", known.get(who)) or (
                    not score and known[who] and "no grade was written" not in said
                ):
                    yield f"grades.csv: {who} has {score!r}, but should have {known.get(who)}"
        old = {name for name, book in books.items() if book == before.get(name) != self.books.get(name)}
        if old and old != set(books):
            yield f"books of two runs: {sorted(old)} are old, of {sorted(books)}"

    def differences(self, out: Path, status: int, said: str) -> Iterator[str]:
        """Yield what the next run should have left, and has not."""
        if status != 0 or "Traceback" in said:
            yield f"the next run ended with {status}: {said[-600:]}"
        if grades_in(out) != self.grades:
            yield "the next run left other results"
        if books_in(out) != self.books:
            yield f"the next run left other books: {books_in(out)}"
        if leftover := [path.name for path in out.glob(".drafts-*")]:
            yield f"the next run left {leftover}"


def trials(operations: int, most: int | None) -> list[tuple[int, str]]:
    """Return which operation is to fail how: all, or an even selection in which every fault has its turn."""
    every = list(itertools.product(range(1, operations + 1), FAULTS))
    if most is None or most >= len(every):
        return every
    step = operations * len(FAULTS) / most
    return [every[(int(index * step) // len(FAULTS)) * len(FAULTS) + index % len(FAULTS)] for index in range(most)]


def main() -> int:
    """Try them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, help="how many faults for each of the two classes (default: all)")
    parser.add_argument("--stub", action="store_true", help="a function stands in for the grading")
    options = parser.parse_args()
    os.chdir(ROOT)
    found = tried = 0
    with tempfile.TemporaryDirectory(prefix="faults-") as scratch:
        toy = make_class(Path(scratch) / "class")
        undisturbed = Undisturbed(toy, options.stub)
        new, again = toy.root / "new", toy.root / "again"
        decide(new)
        # The class as it was before: one has handed in something else since, and there were no decisions.
        hand_in = toy.root / "assignment_1_export/submission_1/toy.py"
        hand_in.write_text("def old(): pass\n")
        status, _, said = perform(toy, again, options.stub)
        assert status == 0, said
        hand_in.write_text(SOLUTION)
        decide(again)
        for state in (new, again):
            out = toy.root / "out"
            shutil.copytree(state, out)
            _, operations, _ = perform(toy, out, options.stub)
            shutil.rmtree(out)
            for at, kind in trials(operations, options.most):
                shutil.copytree(state, out)
                status, _, said = perform(toy, out, options.stub, at, kind)
                wrong = list(undisturbed.violations(out, status, said, kind, state))
                status, _, said = perform(toy, out, options.stub)
                wrong += undisturbed.differences(out, status, said)
                shutil.rmtree(out)
                tried, found = tried + 1, found + bool(wrong)
                for violation in wrong:
                    print(f"VIOLATION {state.name}, {kind} at {at} of {operations}: {violation}", flush=True)
    print(f"{tried} faults, {found} with violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
