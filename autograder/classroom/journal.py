"""What has been graded already: one line per grade, beside the results, so that a second run grades what changed.

A grade counts as long as its key does: the bytes that were handed in, the tests with their inputs and expected arrays,
config.yaml, the engine, Python and NumPy. What late work costs is not part of it: that is counted anew every time; nor
is what concerns Gradescope alone.

It must not know: how a grade comes about, whose it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from autograder import __version__
from autograder.core.config import Config
from autograder.core.errors import ConfigurationError
from autograder.core.files import ENGINE
from autograder.grading.grader import Grade

JOURNAL = ".graded.jsonl"
RESULTS = "results.json"
_BLOCK = 1 << 20


class Journal:
    """The journal in the folder `out`; it is read once, and every new grade adds a line.

    Parameters
    ----------
    out : Path
        The output folder, which need not exist yet.
    circumstances : str
        What beside the submission decides on a grade; see `circumstances`.
    """

    def __init__(self, out: Path, circumstances: str) -> None:
        self._out = out
        self._circumstances = circumstances
        self._lines: dict[str, dict[str, Any]] = {}
        try:
            text = (out / JOURNAL).read_text(encoding="utf-8")
        except OSError:
            return
        for line in text.splitlines():
            try:
                entry = json.loads(line)
                self._lines[entry["name"]] = entry
            except (ValueError, KeyError, TypeError):  # a killed run's last line
                continue

    def key(self, path: Path) -> str:
        """Return what a grade of the submission at `path` depends on.

        Raises
        ------
        ConfigurationError
            If it cannot be read.
        """
        digest = hashlib.sha256(self._circumstances.encode())
        try:
            _add(digest, path)
        except OSError as error:
            problem = f"{error.filename} cannot be read: {error.strerror}"
            raise ConfigurationError("SUBMISSIONS", "", problem, "Make it readable, or move it away") from None
        return digest.hexdigest()

    def find(self, name: str, key: str, points: Fraction) -> Grade | None:
        """Return the grade that `name` got for `key`, if its results are still there."""
        line = self._lines.get(name)
        if line is None or line.get("key") != key:
            return None
        tests = graded_tests(self._out / name / RESULTS)
        if not tests:
            return None
        score = sum((Fraction(repr(test["score"])) for test in tests), Fraction())
        outcomes = Counter(test["extra_data"]["outcome"] for test in tests)
        return Grade(score, points, outcomes, line["seconds"], line["remark"], line["isolation"])

    def add(self, name: str, key: str, grade: Grade) -> None:
        """Note a grade whose results have been written."""
        known = {"seconds": round(grade.seconds, 3), "remark": grade.remark, "isolation": grade.isolation}
        line = json.dumps({"name": name, "key": key, **known}) + "\n"
        descriptor = os.open(self._out / JOURNAL, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with open(descriptor, "a", encoding="utf-8") as file:
            file.write(line)


def graded_tests(results: Path) -> list[dict[str, Any]]:
    """Return the tests in a ``results.json``; none while a grading has not ended, or where there is no such file."""
    try:
        content = json.loads(results.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    tests = content.get("tests", [])
    return tests if isinstance(tests, list) else []


def circumstances(config: Config, only: str | None) -> str:
    """Return a digest of all that a grade depends on beside the submission."""
    left_out: dict[str, Any] = {"title": True, "late": True, "attempts": True, "limits": {"platform_minutes"}}
    settings = config.model_dump(warnings=False, exclude={**left_out, "homework": _places(config)})
    about = [settings, only, __version__, platform.python_version(), platform.machine(), np.__version__]
    digest = hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode())
    homework = config.homework
    for place in (homework.public_tests, homework.hidden_tests, homework.fixtures, homework.solution):
        _add(digest, place, {".py", ".npz", ".json"})
    if homework.misconceptions.exists():
        _add(digest, homework.misconceptions, {".py"})
    _add(digest, ENGINE, {".py"})
    return digest.hexdigest()


def _places(config: Config) -> set[str]:
    """Return the keys of the homework that are paths: what lies there counts, and not where."""
    return {name for name, value in config.homework if isinstance(value, Path)}


def _add(digest: hashlib._Hash, path: Path, suffixes: Iterable[str] = ()) -> None:
    """Add all files at `path`, with their names; links count as what they say and are not followed."""
    for place in [path, *_below(path)] if path.is_dir() else [path]:
        mode = (place.stat() if place == path else place.lstat()).st_mode
        content: Iterable[bytes]
        if stat.S_ISLNK(mode):
            content = [os.fsencode(os.readlink(place))]
        elif stat.S_ISREG(mode) and (place == path or not suffixes or place.suffix in suffixes):
            content = _blocks(place)
        else:
            continue
        inner = hashlib.sha256()
        for block in content:
            inner.update(block)
        name = place.name if place == path else place.relative_to(path).as_posix()
        digest.update(b"%d %s " % (stat.S_IFMT(mode), os.fsencode(name)) + b"\0" + inner.digest())


def _below(folder: Path) -> Iterator[Path]:
    for directory, folders, files in os.walk(folder):
        folders.sort()
        yield from (Path(directory, name) for name in sorted(files))
        yield from (Path(directory, name) for name in folders if Path(directory, name).is_symlink())


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block
