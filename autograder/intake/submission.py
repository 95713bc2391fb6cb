"""What a student handed in -- a file, a folder or a zip -- becomes a clean directory for the worker.

Only the required file and the `.py` files beside and below it are copied, byte by byte, into new files. Nothing is
unpacked, no link is followed, and everything is judged before the first byte is written. For the rest:

- Files that could do harm, or could be read in two ways, are refused with the reason: paths and links that lead out of
  the submission, pipes and devices, bombs, and, among the files to be copied, names that collide or are misleading.
- Everything else is not copied, and listed in `ignored`. Folders of data, files that Finder adds, and the links of
  a virtual environment or a repository cost no honest student a point.

Links in the path that staff gave are followed, because staff made them; links below it never are. This module knows
names and bytes. It does not know what the code is for, and neither runs nor parses it.
"""

from __future__ import annotations

import io
import os
import re
import stat
from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from autograder.core.errors import BadSubmission, ConfigurationError, GraderFault
from autograder.core.sections import Limits
from autograder.core.text import clean
from autograder.intake import modules, sniff, variants
from autograder.intake.archive import CUT, DEPTH, Member, folder_entries, shown, zip_entries
from autograder.intake.refusals import TOGETHER, is_for, listed, mib, refuse_large, refuse_missing, remedy, unreadable

MODULE_BYTES = 1 << 20
"""The most bytes of one `.py` file. People write a hundredth of that; larger files are data."""

BOMB_RATIO = 100
"""How many times its size an archive over the limit may unpack to. Text shrinks to a tenth, zeros to a thousandth."""

IGNORED = 50
"""The most names in `CleanCopy.ignored`."""

_UNNAMED = "the submission"
_SKIPPED = {"__MACOSX", "__pycache__", "site-packages", "node_modules"}
_ENVIRONMENT = {"bin", "include", "lib", "lib64", "share", "Include", "Lib", "Scripts"}  # beside a pyvenv.cfg

ELSEWHERE = 200
"""The most paths in `CleanCopy.elsewhere`."""

_SUFFIXES = {
    ".rar": "a RAR archive",
    ".7z": "a 7-Zip archive",
    ".tar": "a tar archive",
    ".gz": "a gzip archive",
    ".tgz": "a gzip archive",
    ".pdf": "a PDF document",
    ".docx": "a Word document",
    ".ipynb": "a notebook",
    ".pyc": "compiled Python",
}
"""What messages call a file that is not recognised by its bytes."""


@dataclass(frozen=True)
class CleanCopy:
    """A submission as the worker may see it.

    Attributes
    ----------
    directory : Path
        Holds the copied files and nothing else.
    files : tuple of str
        Their paths in it, with ``/``.
    ignored : tuple of str
        Files that were handed in and not copied, safe to show; after `IGNORED` names a count.
    notes : tuple of str
        Sentences for the student about files that were not copied exactly as they were.
    elsewhere : tuple of str
        Paths of Python files that were not copied, because they are neither beside nor below the required file; as
        written. They help to explain an import that finds nothing.
    """

    directory: Path
    files: tuple[str, ...]
    ignored: tuple[str, ...]
    notes: tuple[str, ...]
    elsewhere: tuple[str, ...] = ()


def read(path: Path, into: Path, *, required: str, limits: Limits, others: Collection[str] = ()) -> CleanCopy:
    """Copy the files that matter from the submission at `path` into the empty directory `into`.

    Parameters
    ----------
    path : Path
        A `.py` file of any name, a folder, or a zip.
    into : Path
        An existing empty directory. Its own permissions do not change; the files in it are readable by all.
    required : str
        Name of the file the homework asks for.
    limits : Limits
        Those of archives bound what is copied.
    others : collection of str
        Names of the files that other parts of the homework ask for. None of them is taken for the required one.

    Raises
    ------
    BadSubmission
        The student's fault; `into` is still empty.
    ConfigurationError
        There is nothing at `path` that could be a submission.
    GraderFault
        A file could not be read or written for reasons of this machine.
    """
    try:
        with ExitStack() as stack:
            what, entries, notes = _opened(path, required, others, stack)
            picked = _picked(what, entries, notes, required, limits, others)
            contents = {name: _content(picked.what, entry) for name, entry in picked.modules.items()}
            notes = [*picked.notes, *_judged(picked.what, contents, required)]
        _write(into, contents)
    except OSError as error:
        raise GraderFault(f"the submission {path} could not be copied into {into}: {error}") from error
    names = sorted({clean(name, 80) for name in picked.ignored})
    more = [f"and {len(names) - IGNORED} more"] if len(names) > IGNORED else []
    return CleanCopy(into, tuple(contents), (*names[:IGNORED], *more), tuple(notes), picked.elsewhere)


# What was handed in.


def _opened(
    path: Path, required: str, others: Collection[str], stack: ExitStack
) -> tuple[str, list[Member], list[str]]:
    """Return the submission's name in messages, what is in it, and the first notes."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise ConfigurationError(str(path), "", "no such file or folder", "Check the path.") from None
    if not stat.S_ISDIR(status.st_mode) and not stat.S_ISREG(status.st_mode):
        raise ConfigurationError(str(path), "", "neither a file nor a folder", "Name a .py file, a folder or a zip.")
    try:
        if stat.S_ISDIR(status.st_mode):
            root = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            stack.callback(os.close, root)
            return _UNNAMED, folder_entries(root, _UNNAMED, _is_skipped), []
        file = stack.enter_context(path.open("rb"))
    except PermissionError:
        raise unreadable(_UNNAMED, clean(path.name, 80)) from None
    return _opened_file(file, path.name, status.st_size, required, others)


def _opened_file(
    file: BinaryIO, name: str, size: int, required: str, others: Collection[str]
) -> tuple[str, list[Member], list[str]]:
    what, suffix = clean(name, 80) or _UNNAMED, os.path.splitext(name)[1].lower()
    if suffix == CUT:
        return _UNNAMED, zip_entries(file, _UNNAMED), []
    if variants.is_python(name):
        if is_for(name, others, required):
            raise BadSubmission(f"{what} is there, but {required} is missing. {TOGETHER}")
        notes = [] if name == required else [f"{what} was taken as {required}."]
        return _UNNAMED, [Member((required,), "file", size, size, lambda: file.read(size + 1))], notes
    start = file.read(sniff.LOOK)
    wrong = sniff.document(start)
    kind = wrong.kind if wrong else _SUFFIXES.get(suffix)
    if not start:
        kind = "an empty file"
    elif kind is None and suffix != ".zip" and not sniff.is_zip(start):
        cause = variants.mistaken(name, required)
        if cause:
            raise BadSubmission(f"{what} should be called {required}: {cause}. Rename the file.")
        kind = "neither a .py file nor a zip"
    if kind:
        do = remedy({suffix}, required)
        raise BadSubmission(f"{what} is {kind}, but should be {required} or a zip that contains it. {do}")
    return what, zip_entries(file, what), []


# What of it matters.


@dataclass(frozen=True)
class _Picked:
    what: str
    modules: dict[str, Member]
    ignored: list[str]
    notes: list[str]
    elsewhere: tuple[str, ...] = ()


def _picked(
    what: str,
    entries: list[Member],
    notes: list[str],
    required: str,
    limits: Limits,
    others: Collection[str],
    nested: bool = False,
) -> _Picked:
    """Choose the required file and its modules; refuse harmful and ambiguous files."""
    visible, skipped = _parted(sorted(entries, key=lambda entry: entry.parts))
    _refuse_harmful(what, visible, limits)
    locked = [shown(entry.parts) for entry in visible if entry.kind == "locked"]
    visible = [entry for entry in visible if entry.kind != "locked"]
    found = [entry.parts for entry in visible if entry.parts[-1].casefold() == required.casefold()]
    zips = [entry for entry in visible if entry.kind == "file" and entry.parts[-1].lower().endswith(".zip")]
    if not found and len(zips) == 1 and not nested:  # a zip in a zip, or a folder that a learning platform made
        inner, name = zips[0], shown(zips[0].parts)
        if inner.size > limits.archive_bytes:
            refuse_large(name, mib(inner.size), mib(limits.archive_bytes), required)
        notes = [*notes, f"{required} was taken from {name}."]
        picked = _picked(
            name, zip_entries(io.BytesIO(inner.read()), name), notes, required, limits, others, nested=True
        )
        left = ["/".join(entry.parts) for entry in visible if entry is not inner]
        return replace(picked, ignored=[*skipped, *left, *picked.ignored])
    if not found and locked:
        raise unreadable(what, locked[0])
    if not found:
        refuse_missing(what, [entry.parts for entry in visible], skipped, required, others)

    root = _chosen(what, found, required)[:-1]
    beside = [entry for entry in visible if entry.parts[:-1][: len(root)] == root]
    copied_modules = modules.modules(what, beside, len(root), {entry.parts for entry in visible}, required)
    if len(copied_modules) > limits.archive_files:
        refuse_large(what, f"{len(copied_modules)} Python files", str(limits.archive_files), required)
    if (size := sum(entry.size for entry in copied_modules.values())) > limits.archive_bytes:
        refuse_large(what, f"{mib(size)} of Python", mib(limits.archive_bytes), required)

    if deeper := sorted({shown(parts) for parts in found if parts[:-1] != root}):
        notes = [*notes, f"{shown((*root, required))} was taken; also found: {listed(deeper)}."]
    if versions := [shown(entry.parts) for entry in beside if variants.is_version(entry.parts[-1], required)]:
        notes = [*notes, f"{required} was taken; not used, although maybe another version: {listed(versions)}."]
    if links := [shown(entry.parts) for entry in beside if entry.kind == "link"]:
        notes = [*notes, f"Links are not followed: {listed(links)}."]
    if unread := [name for name in locked if name.split("/")[: len(root)] == list(root)]:
        notes = [*notes, f"Not read, since its permissions forbid it: {listed(unread)}."]
    copied = {entry.parts for entry in copied_modules.values()}
    left = ["/".join(entry.parts) for entry in visible if entry.parts not in copied]
    elsewhere = tuple(name for name in left if name.endswith(".py"))[:ELSEWHERE]
    return _Picked(what, copied_modules, [*skipped, *left], notes, elsewhere)


def _is_skipped(name: str) -> bool:
    return name.startswith(".") or name in _SKIPPED


def _parted(entries: list[Member]) -> tuple[list[Member], list[str]]:
    """Separate files that may count from files that never do; of a skipped folder only its own name is kept."""
    environments = {entry.parts[:-1] for entry in entries if entry.parts[-1:] == ("pyvenv.cfg",)}
    visible, skipped = [], []
    for entry in entries:
        for depth, name in enumerate(entry.parts):
            in_environment = name in _ENVIRONMENT and entry.parts[:depth] in environments
            if _is_skipped(name) or in_environment or depth >= DEPTH:
                is_folder = depth < len(entry.parts) - 1 or entry.kind == "folder"
                skipped.append("/".join(entry.parts[: depth + 1]) + "/" * is_folder)
                break
        else:
            if entry.parts and entry.kind != "folder":
                visible.append(entry)
    return visible, skipped


def _refuse_harmful(what: str, visible: list[Member], limits: Limits) -> None:
    for entry in visible:
        name = shown(entry.parts)
        if entry.kind == "special":
            raise BadSubmission(f"{what} contains {name}, a pipe or a device, but should contain files. Remove it.")
        if entry.kind == "link" and _leaves(entry):
            raise BadSubmission(f"{what} contains {name}, a link that leaves the submission. Replace it by the file.")
    size, packed = sum(entry.size for entry in visible), sum(entry.packed for entry in visible)
    if size > max(limits.archive_bytes, BOMB_RATIO * packed):
        bomb = f"over {BOMB_RATIO} times its size, as zip bombs do"
        raise BadSubmission(f"{what} unpacks to {mib(size)}, {bomb}. Hand in your Python files only.")


def _leaves(link: Member) -> bool:
    """Whether the link points out of the submission; a target that is too long for a path counts as such."""
    target = link.read().decode("utf-8", "replace").replace("\\", "/") if link.size <= 4096 else "/"
    depth = len(link.parts) - 1
    for part in target.split("/"):
        depth += {"..": -1, ".": 0, "": 0}.get(part, 1)
        if depth < 0:
            return True
    return bool(re.match("/|[A-Za-z]:", target))


def _chosen(what: str, found: list[tuple[str, ...]], required: str) -> tuple[str, ...]:
    """Return the shallowest of the paths `found`; their names equal `required` except for upper and lower case."""
    depth = min(map(len, found))
    level = sorted({parts for parts in found if len(parts) == depth})
    if len(level) > 1:
        several = listed([shown(parts) for parts in level])
        raise BadSubmission(f"{what} contains {several}, but should contain one {required}. Keep the one to be graded.")
    if level[0][-1] != required:
        raise BadSubmission(f"{what}: found {shown(level[0])}; the name must be exactly {required}. Rename the file.")
    return level[0]


# The copy.


def _content(what: str, entry: Member) -> bytes:
    try:
        data = entry.read() if entry.size <= MODULE_BYTES else b""
    except PermissionError:
        raise unreadable(what, shown(entry.parts)) from None
    if max(entry.size, len(data)) > MODULE_BYTES:
        name = shown(entry.parts)
        raise BadSubmission(f"{what}: {name} holds {mib(entry.size)}, but a Python file should hold at most 1 MiB.")
    return data


def _judged(what: str, contents: dict[str, bytes], required: str) -> list[str]:
    """Refuse a required file that is no Python at all; note which other modules are no Python, or are hidden."""
    notes = []
    for name, data in contents.items():
        wrong = sniff.python(data)
        if wrong is not None and name == required:
            raise BadSubmission(f"{what}: {required} is {wrong.kind}, but should be Python. {wrong.remedy}.")
        if wrong is not None:
            notes.append(f"{clean(name, 80)} cannot be imported, since it is {wrong.kind}. {wrong.remedy}.")
    for name in modules.shadowed(contents):
        folder = clean(name.removesuffix(".py"), 80)
        notes.append(f"{folder}.py is never imported: Python takes the folder {folder}/ instead. Rename one of them.")
    return notes


def _write(into: Path, contents: dict[str, bytes]) -> None:
    if any(into.iterdir()):
        raise GraderFault(f"{into} should be empty before a submission is copied into it")
    for name, data in contents.items():
        *folders, file = name.split("/")
        place = into
        for folder in folders:
            place /= folder
            if not place.exists():
                place.mkdir()
                place.chmod(0o755)
        descriptor = os.open(place / file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC)
        with open(descriptor, "wb") as copy:
            os.fchmod(descriptor, 0o644)
            copy.write(data)
