"""Records what has been graded: one line per grade, so that a second run grades only what has changed.

A grade counts as long as its key is the same. The key covers the bytes that were handed in, the tests with their inputs
and expected arrays, config.yaml, the engine, Python and NumPy. It does not cover the late rules, which are applied anew
every time, or the settings for Gradescope. A results file counts only if it is unchanged: its hash is in the journal.

This module does not know how a grade is computed, or whose it is.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import platform
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from autograder import __version__
from autograder.core import files
from autograder.core.config import Config
from autograder.core.errors import GraderFault
from autograder.core.files import ENGINE
from autograder.core.results import Results
from autograder.grading.grader import Grade
from autograder.intake.archive import DEPTH

JOURNAL = ".graded.jsonl"
RESULTS = "results.json"
PAGE = "page.html"
_BLOCK = 1 << 20


@dataclass
class _Line:
    """What the journal says about one submission.

    Attributes
    ----------
    written : set of str
        The hashes of its results file: as the grader wrote it, and as it was rewritten with lateness counted.
    """

    key: str
    score: Fraction
    seconds: float
    remark: str
    isolation: str
    written: set[str]


class Journal:
    """The journal in the folder `out`. It is read once; every new grade adds a line.

    Only the run that holds the lock of `out` may use it.

    Parameters
    ----------
    out : Path
        The output folder.
    drafts : Path
        A folder on the same disk, for unfinished files.
    circumstances : str
        A digest of all that decides a grade beside the submission; see `circumstances`.

    Attributes
    ----------
    problems : list of str
        Sentences for staff: what was damaged, and what was done about it.

    Raises
    ------
    OSError
        If it cannot be read, or a damaged one cannot be put aside.
    """

    def __init__(self, out: Path, drafts: Path, circumstances: str) -> None:
        self._out = out
        self._drafts = drafts
        self._path = out / JOURNAL
        self._circumstances = circumstances
        self._lines: dict[str, _Line] = {}
        self.problems: list[str] = []
        self._read()

    @property
    def names(self) -> set[str]:
        """The submissions with a recorded grade, current or not."""
        return set(self._lines)

    def key(self, path: Path) -> str:
        """Return a digest of what a grade of the submission at `path` depends on, unreadable files included."""
        digest = hashlib.sha256(self._circumstances.encode())
        _add(digest, path, strict=False)
        return digest.hexdigest()

    def find(self, name: str, key: str, points: Fraction) -> Grade | None:
        """Return the grade that `name` got for `key`, if its results file is there and unchanged."""
        line = self._lines.get(name)
        if line is None or line.key != key:
            return None
        try:
            tests = self.read(name).tests
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, GraderFault):
            self.problems.append(f"{name}: {RESULTS} is not as it was written here: graded again")
            return None
        outcomes = Counter(test.extra_data.outcome for test in tests)
        return Grade(line.score, points, outcomes, line.seconds, line.remark, line.isolation)

    def read(self, name: str) -> Results:
        """Return the results of a submission.

        Raises
        ------
        GraderFault
            If the file is not as it was written.
        OSError
            If the file cannot be read.
        """
        content = (self._out / name / RESULTS).read_bytes()
        line = self._lines.get(name)
        if line is None or _hash(content) not in line.written:
            raise GraderFault(f"{RESULTS} has been changed since it was written here: run the same command again")
        return Results.parse(content)

    def forget(self, name: str) -> None:
        """Remove results that no longer count, and the page that shows them."""
        for file in (PAGE, RESULTS):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                (self._out / name / file).unlink()

    def add(self, name: str, key: str, grade: Grade, fresh: Path) -> Grade:
        """Move new results from `fresh` to their place, and record their grade.

        Returns
        -------
        Grade
            The grade; a fault if `fresh` does not hold it or cannot be moved. Then there are no results.

        Raises
        ------
        OSError
            If the journal cannot be written.
        """
        place = self._out / name / RESULTS
        score = grade.score
        if score is None:
            return grade
        try:
            content = fresh.read_bytes()
            if not _holds(content, score):
                return Grade.fault(grade.points, f"{RESULTS} does not hold the grade that was given", grade.seconds)
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.replace(fresh, place)
        except OSError as error:
            return Grade.fault(grade.points, f"{RESULTS} cannot be written: {files.described(error)}", grade.seconds)
        seconds = round(grade.seconds, 3)
        known = {"score": str(score), "seconds": seconds, "remark": grade.remark, "isolation": grade.isolation}
        self._append({"name": name, "key": key, "sha256": _hash(content), **known})
        self._lines[name] = _Line(key, score, seconds, grade.remark, grade.isolation, {_hash(content)})
        return grade

    def publish(self, name: str, results: Results) -> None:
        """Rewrite the results of a submission after other things were counted in them, such as lateness.

        Raises
        ------
        OSError
            If that cannot be written. The old file is then unchanged.
        """
        content = results.to_json().encode()
        line, draft = self._lines[name], self._drafts / RESULTS
        # recorded first: after a kill either of the two files may be there, and both count
        if _hash(content) not in line.written:
            self._append({"name": name, "sha256": _hash(content)})
            line.written.add(_hash(content))
        files.replace(draft, content)
        os.replace(draft, self._out / name / RESULTS)

    def _read(self) -> None:
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return
        except IsADirectoryError:
            content = b"\0"
        usable = [line for line in content.split(b"\n") if line and self._take(line)]
        whole = b"".join(line + b"\n" for line in usable)
        if whole == content:
            return
        aside = next(path for path in self._asides() if not os.path.lexists(path))
        os.replace(self._path, aside)
        files.replace(self._path, whole)
        found = f"{len(usable)} of its lines could be used" if usable else "nothing of it could be used"
        self.problems.append(f"{JOURNAL}, the list of what is graded, is damaged: now {aside.name}; {found}")

    def _asides(self) -> Iterator[Path]:
        number = 0
        while True:
            number += 1
            yield self._path.with_name(f"{JOURNAL}.damaged-{number}")

    def _take(self, line: bytes) -> bool:
        """Store what a line says; return whether it could be read."""
        try:
            entry = json.loads(line)
            name, digest = _text(entry["name"]), _text(entry["sha256"])
            if entry.keys() == {"name", "sha256"}:
                self._lines[name].written.add(digest)
                return True
            seconds = float(entry["seconds"])
            if not math.isfinite(seconds):
                return False
            key, score, remark, isolation = (_text(entry[word]) for word in ("key", "score", "remark", "isolation"))
            self._lines[name] = _Line(key, Fraction(score), seconds, remark, isolation, {digest})
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError):
            return False
        return True

    def _append(self, entry: dict[str, Any]) -> None:
        """Add a line, completely or not at all."""
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            before = os.fstat(descriptor).st_size
            try:
                files.write_all(descriptor, json.dumps(entry).encode() + b"\n")
                os.fsync(descriptor)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.ftruncate(descriptor, before)
                raise
        finally:
            os.close(descriptor)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _holds(content: bytes, score: Fraction) -> bool:
    """Whether a results file is complete, and its tests add up to this score."""
    try:
        results = Results.parse(content)
    except GraderFault:
        return False
    if not results.tests and not results.extra_data.only:  # one test may be of a part that was not handed in
        return False
    return sum((Fraction(repr(test.score)) for test in results.tests), Fraction()) == score


def circumstances(config: Config, only: str | None) -> str:
    """Return a digest of all that a grade depends on, except the submission."""
    sections = dict.fromkeys(("title", "late", "attempts", "grades"), True)
    left_out: dict[str, Any] = {**sections, "limits": {"platform_minutes"}}
    about: list[Any] = [only, __version__, platform.python_version(), platform.machine(), np.__version__]
    digest = hashlib.sha256()
    for part in config.whole:
        about.append(part.model_dump(warnings=False, exclude={**left_out, "homework": _places(part)}))
        homework = part.homework
        for place in (homework.public_tests, homework.hidden_tests, homework.fixtures, homework.solution):
            _add(digest, place, {".py", ".npz", ".json"})
        if homework.misconceptions is not None and homework.misconceptions.exists():
            _add(digest, homework.misconceptions, {".py"})
    _add(digest, ENGINE, {".py"})
    digest.update(json.dumps(about, sort_keys=True, default=str).encode())
    return digest.hexdigest()


def _places(config: Config) -> set[str]:
    """Return the keys of the homework that are paths: the files there count, not where they are."""
    return {name for name, value in config.homework if isinstance(value, Path)}


def _add(digest: hashlib._Hash, path: Path, suffixes: Iterable[str] = (), strict: bool = True) -> None:
    """Add all files at `path`, with their names. Of a link its target's name is added; it is not followed.

    A file that cannot be read raises OSError; without `strict`, the error is added in its place.
    """
    for place in [path, *_below(path)] if path.is_dir() else [path]:
        mode, inner = 0, hashlib.sha256()
        content: Iterable[bytes]
        try:
            mode = (place.stat() if place == path else place.lstat()).st_mode
            if stat.S_ISLNK(mode):
                content = [os.fsencode(os.readlink(place))]
            elif stat.S_ISREG(mode) and (place == path or not suffixes or place.suffix in suffixes):
                content = _blocks(place)
            else:
                continue
            for block in content:
                inner.update(block)
        except OSError as error:
            if strict:
                raise
            inner.update(f"cannot be read: {error.errno}".encode())
        name = place.name if place == path else place.relative_to(path).as_posix()
        digest.update(b"%d %s " % (stat.S_IFMT(mode), os.fsencode(name)) + b"\0" + inner.digest())


def _below(folder: Path) -> Iterator[Path]:
    """Yield all files below a folder, as deep as a hand-in is read, and links, also those to folders."""
    waiting = [(folder, 1)]
    while waiting:
        place, depth = waiting.pop()
        try:
            with os.scandir(place) as found:
                children = sorted(found, key=lambda child: child.name)
        except OSError:
            continue
        folders = [child.name for child in children if child.is_dir(follow_symlinks=False)]
        yield from (place / child.name for child in children if not child.is_dir(follow_symlinks=False))
        if depth < DEPTH:
            waiting += [(place / name, depth + 1) for name in reversed(folders)]


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block
