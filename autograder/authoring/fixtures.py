"""``make fixtures``: draws the inputs of the hidden tests, and has the oracle compute the expected arrays.

It runs the homework's own ``cases`` and ``oracle`` programs, at the paths that it is given. It does not know what a
case means.
"""

from __future__ import annotations

import contextlib
import re
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autograder.core import files, homework
from autograder.core.errors import ConfigurationError
from autograder.grading import casefile

_SECTION = re.compile(r"^fixtures:.*\n?(?:(?:[ \t\r].*|#.*)?\n)*(?:[ \t].*)?", re.MULTILINE)
"""A top-level section: its first line, then lines that are indented, blank or a comment."""

_SEED = re.compile(r"^((?:[^#\n]*[\s{,:])?seed:[ \t]*)([0-9]+)(?=[\s,}]|$)", re.MULTILINE)
"""A seed that is not in a comment."""


@dataclass(frozen=True)
class Summary:
    """What was written, and to which folder.

    Attributes
    ----------
    directory : Path
    seed : int
    cases : dict of str to int
        The number of cases, by group.
    bytes : int
        Size of all files.
    """

    directory: Path
    seed: int
    cases: dict[str, int]
    bytes: int

    def __str__(self) -> str:
        count = sum(self.cases.values())
        size = f"{self.bytes / 1024:.0f} KiB"
        groups = f"{len(self.cases)} group{'' if len(self.cases) == 1 else 's'}"
        return f"{count} cases in {groups} from seed {self.seed}: {self.directory} ({size})"


def make_fixtures(seed: int, cases: Path, oracle: Path, out: Path) -> Summary:
    """Write all fixtures anew; the old ones stay if anything goes wrong.

    Parameters
    ----------
    seed : int
        The seed that the inputs are drawn from.
    cases, oracle : Path
        Python files: ``cases.build(seed, oracle)`` returns what ``casefile.save`` takes.
    out : Path
        The folder that is replaced. Its parent must exist.

    Raises
    ------
    ConfigurationError
        One of the two files is missing or fails, or the folder cannot be written.
    """
    with contextlib.ExitStack() as stack:
        with _blamed(cases, ""):
            cases_module = stack.enter_context(homework.loaded(cases))
        with _blamed(oracle, ""):
            oracle_module = stack.enter_context(homework.loaded(oracle))
        with _blamed(cases, "build(seed, oracle)"):
            groups = cases_module.build(seed, oracle_module)
    provenance = casefile.hashes(oracle, cases)
    try:
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as scratch:
            new, old = Path(scratch) / "new", Path(scratch) / "old"
            new.mkdir()
            with _blamed(cases, "build(seed, oracle)", (AttributeError, TypeError, ValueError)):
                casefile.save(new, seed, provenance, groups)
            size = sum(path.stat().st_size for path in new.iterdir())
            _replace(out, new, old)
    except OSError as error:
        remedy = "Make the folder above it, or make it writable"
        raise ConfigurationError(str(out), "", f"cannot be written ({error.strerror})", remedy) from error
    return Summary(out, seed, {group: len(members) for group, members in groups.items()}, size)


def with_seed(config: Path, seed: int) -> bytes:
    """Return a configuration file with another seed in its ``fixtures`` section, and no other change.

    Raises
    ------
    ConfigurationError
        The file cannot be read, or it does not have that one seed.
    """
    try:
        text = config.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(str(config), "", f"cannot be read ({error})", "It should be a text file") from None
    places = [
        (section.start() + found.start(2), section.start() + found.end(2))
        for section in _SECTION.finditer(text)
        for found in _SEED.finditer(section.group())
    ]
    if len(places) != 1:
        problem = f"found {len(places)} times, but should be there once"
        raise ConfigurationError(str(config), "fixtures.seed", problem, "Write it as `fixtures: {seed: 1}`")
    ((start, end),) = places
    return (text[:start] + str(seed) + text[end:]).encode("utf-8")


def write_seed(config: Path, content: bytes) -> None:
    """Replace the configuration file by the one with the other seed; its permissions stay the same.

    Raises
    ------
    ConfigurationError
        If it cannot be written.
    """
    try:
        files.replace(config, content, stat.S_IMODE(config.stat().st_mode))
    except OSError as error:
        remedy = "Write fixtures.seed yourself: the fixtures are drawn from it already"
        raise ConfigurationError(str(config), "", f"cannot be written ({error.strerror})", remedy) from None


def _replace(directory: Path, new: Path, old: Path) -> None:
    """Move `directory` to `old` and `new` to `directory`; if that fails, leave everything as it was."""
    if directory.exists():
        directory.rename(old)
    try:
        new.rename(directory)
    except OSError:
        if old.exists():
            old.rename(directory)
        raise


@contextmanager
def _blamed(path: Path, key: str, kinds: tuple[type[Exception], ...] = (Exception,)) -> Iterator[None]:
    """Turn an exception of the homework's own code into a ConfigurationError that names the file."""
    try:
        yield
    except ConfigurationError:
        raise
    except kinds as error:
        problem = f"raised {type(error).__name__}: {error}"
        raise ConfigurationError(str(path), key, problem, "Correct it; the old fixtures are still in place") from error
