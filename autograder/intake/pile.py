"""Lists one level of a download, in a folder or in a zip, and makes each item of it readable.

A zip is not unpacked as a whole: a folder in it is cut out as a zip of its own, still packed, and a file is unpacked
alone, within the limits of a student's own zip. So deep folders, long names, double names or bombs of one student cost
only that hand-in, and the error is reported when it is read. Only a few levels of a folder are read, and no link is
followed.

This module does not know which items are hand-ins, or whose they are.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from autograder.core.errors import BadSubmission, ConfigurationError
from autograder.core.text import clean
from autograder.intake import archive
from autograder.intake.archive import Kind, Line

DEPTH = 4
"""How many levels of folders are listed to recognise a folder."""

LOOKED_AT = 2000
"""The most files of one folder that are listed for that."""

CLASS_MEMBERS = 200_000
"""The most files in a zip of a class: 200 for each of a thousand students."""

CLASS_BYTES = 4 << 30
"""The most bytes that the single files in a zip of a class may unpack to: a thousand students with 4 MiB each."""

CALM_BYTES = 20 << 20
BOMB_RATIO = 100
"""A file of a class zip may unpack to this many times its size, or to `CALM_BYTES`; else it stays packed."""

COPIED_BYTES = 64 << 20
"""The most bytes of a file that is copied together with others of the same student."""

START_BYTES = 1 << 18
"""How much of a file is read to recognise it."""

JUNK = re.compile(
    r"\._.*|__MACOSX|__pycache__|\.DS_Store|\.localized|\.git.*|\.ipynb_checkpoints|\.Trash.*|\.Spotlight.*"
    r"|\$RECYCLE\.BIN|System Volume Information|@eaDir|#recycle|lost\+found|~\$.*"
)
"""Files that computers add to folders by themselves; they are left out without a message."""


@dataclass(frozen=True)
class Item:
    """A file or a folder at one place.

    Attributes
    ----------
    name : str
        The name as it is written there.
    size : int
        Bytes of a file.
    inside : tuple of tuple of str
        Of a folder: paths of files in it, a few levels deep.
    handle : object
        What its pile needs to find the item again.
    """

    name: str
    kind: Kind
    size: int = 0
    inside: tuple[tuple[str, ...], ...] = ()
    handle: object = None

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.kind == "folder"


class Store:
    """Makes new folders for files that are taken out of a zip or copied together.

    Parameters
    ----------
    scratch : callable
        Makes one empty folder; called at most once, and only when a folder is needed.
    """

    def __init__(self, scratch: Callable[[], Path]) -> None:
        self._scratch = scratch
        self._root: Path | None = None
        self._numbers = itertools.count(1)
        self.bytes = 0

    def folder(self) -> Path:
        """Return a new empty folder."""
        self._root = self._root or self._scratch()
        place = self._root / f"{next(self._numbers):05}"
        place.mkdir(mode=0o700)
        return place


class Pile(Protocol):
    """One level of a download."""

    items: list[Item]
    problems: list[str]

    def enter(self, item: Item) -> Pile:
        """Return what lies in a folder."""

    def start(self, item: Item, most: int = START_BYTES) -> bytes:
        """Return how a file begins; nothing where it cannot be read."""

    def take(self, item: Item, store: Store, name: str) -> Path:
        """Return a path where one item can be read; a file gets this name."""

    def together(self, items: Sequence[tuple[Item, str]], store: Store, name: str) -> Path:
        """Return a path where several files of one student can be read as one submission, under the given names."""


class Folder:
    """A folder on disk.

    Raises
    ------
    ConfigurationError
        If it cannot be listed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.problems: list[str] = []
        try:
            with os.scandir(path) as children:
                found = sorted(children, key=lambda child: child.name)
                self.items = [self._item(child) for child in found if not JUNK.fullmatch(child.name)]
        except OSError as error:
            problem = f"{path} cannot be listed: {error.strerror}"
            raise ConfigurationError("SUBMISSIONS", "", problem, "Make it readable") from None

    @staticmethod
    def _item(child: os.DirEntry[str]) -> Item:
        status = child.stat(follow_symlinks=False)
        kind = archive.kind_of(status.st_mode)
        inside = tuple(_look(child.path)) if kind == "folder" else ()
        return Item(child.name, kind, status.st_size, inside, child.path)

    def enter(self, item: Item) -> Pile:
        """Return what lies in a folder."""
        return Folder(self._path / item.name)

    def start(self, item: Item, most: int = START_BYTES) -> bytes:
        """Return how a file begins; nothing where it cannot be read."""
        try:
            descriptor = os.open(self._path / item.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(descriptor, "rb") as file:
                return file.read(most) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
        except OSError:
            return b""

    def take(self, item: Item, store: Store, name: str) -> Path:
        """Return its path on disk; if it needs another name, the path of a link that we make."""
        path = self._path / item.name
        if name == item.name or item.is_folder:
            return path
        link = store.folder() / _on_disk(name)
        link.symlink_to(path.absolute())
        return link

    def together(self, items: Sequence[tuple[Item, str]], store: Store, name: str) -> Path:
        """Copy the files into one folder; files that are far too large to be code are left out."""
        place = store.folder() / _on_disk(name)
        place.mkdir(mode=0o700)
        for item, own in items:
            copy = place / _on_disk(own)
            if item.size > COPIED_BYTES:
                self.problems.append(f"{clean(item.name)} is larger than {COPIED_BYTES >> 20} MiB: left out")
                continue
            try:
                shutil.copyfile(self._path / item.name, copy, follow_symlinks=False)
            except OSError as error:  # the copy cannot be read then, and the hand-in is judged as unreadable
                self.problems.append(f"{clean(item.name)} cannot be read: {error.strerror}")
                copy.touch(mode=0)
        return place


def _look(folder: str) -> Iterator[tuple[str, ...]]:
    """Yield the paths of files in a folder, level by level, down to a limit; skip what cannot be opened."""
    level: list[tuple[str, ...]] = [()]
    seen = 0
    for _ in range(DEPTH):
        below = []
        for parts in level:
            try:
                with os.scandir(os.path.join(folder, *parts)) as children:
                    for child in itertools.islice(children, LOOKED_AT - seen):
                        seen += 1
                        if child.is_dir(follow_symlinks=False):
                            below += [(*parts, child.name)] if not _is_passed_over(child.name) else []
                        elif child.is_file(follow_symlinks=False):
                            yield (*parts, child.name)
            except OSError:
                continue
        level = below


def _is_passed_over(name: str) -> bool:
    return name.startswith((".", "__")) or name in ("site-packages", "node_modules")


class Zip:
    """A folder in a zip, or its top.

    Parameters
    ----------
    file : BinaryIO
        The zip; it stays open as long as hand-ins are taken out of it.
    what : str
        What messages call it.

    Raises
    ------
    BadSubmission
        If it cannot be read.
    """

    def __init__(self, file: BinaryIO, what: str, members: list[tuple[tuple[str, ...], Line]] | None = None) -> None:
        self._file, self._what = file, what
        self.problems: list[str] = []
        members = self._members() if members is None else members
        self._in: dict[str, list[tuple[tuple[str, ...], Line]]] = {}
        self.items = []
        twins = set()
        for parts, line in members:
            if JUNK.fullmatch(parts[0]):
                continue
            if len(parts) == 1 and line.kind != "folder":
                if (parts[0], line.crc, line.size) in twins:
                    self.problems.append(f"{clean(parts[0], 100)} is in {what} twice with the same bytes: graded once")
                    continue
                twins.add((parts[0], line.crc, line.size))
                self.items.append(Item(parts[0], line.kind, line.size, (), line))
            else:
                self._in.setdefault(parts[0], []).append((parts[1:], line))
        self.items += [Item(name, "folder", 0, tuple(self._inside(name))) for name in self._in]
        self.items.sort(key=lambda item: item.name)

    def _members(self) -> list[tuple[tuple[str, ...], Line]]:
        members = []
        for line in archive.zip_lines(self._file, self._what, CLASS_MEMBERS):
            path = line.path.replace("\\", "/")
            parts = tuple(part for part in path.split("/") if part not in ("", "."))
            if path.startswith("/") or re.match("[A-Za-z]:/", path) or parts[:1] == ("..",):
                self.problems.append(f"{archive.shown((path,))} leads out of {self._what}: left out")
            elif parts:
                members.append((parts, line))
        return members

    def _inside(self, name: str) -> Iterator[tuple[str, ...]]:
        files = (parts for parts, line in self._in[name] if parts and line.kind == "file" and len(parts) <= DEPTH)
        seen = (parts for parts in files if not any(map(_is_passed_over, parts[:-1])))
        return itertools.islice(seen, LOOKED_AT)

    def enter(self, item: Item) -> Pile:
        """Return what lies in a folder."""
        below = Zip(self._file, self._what, [member for member in self._in[item.name] if member[0]])
        below.problems = [*self.problems, *below.problems]
        return below

    def start(self, item: Item, most: int = START_BYTES) -> bytes:
        """Return how a file begins; nothing where it cannot be read."""
        assert isinstance(item.handle, Line)
        data = b""
        try:
            for block in archive.unpack(self._file, self._what, item.handle):
                data += block
                if len(data) >= most:
                    break
        except BadSubmission:
            pass
        return data[:most]

    def take(self, item: Item, store: Store, name: str) -> Path:
        """Cut a folder out; unpack a file if it is small and intact, else cut it out, so that its reader reports it."""
        if item.is_folder:
            inside = self._in[item.name]
            return self._cut(((_path(parts, line), line) for parts, line in inside if parts), store, name)
        assert isinstance(item.handle, Line)
        line = item.handle
        if line.size <= max(CALM_BYTES, BOMB_RATIO * line.packed):
            store.bytes += line.size
            if store.bytes > CLASS_BYTES:
                raise BadSubmission(f"{self._what} unpacks to more than {CLASS_BYTES >> 30} GiB")
            path = store.folder() / _on_disk(name)
            try:
                with path.open("xb") as file:
                    file.writelines(archive.unpack(self._file, self._what, line))
                return path
            except BadSubmission:
                path.unlink()
        return self._cut([(name, line)], store, name)

    def together(self, items: Sequence[tuple[Item, str]], store: Store, name: str) -> Path:
        """Cut the files out."""
        return self._cut([(own, item.handle) for item, own in items if isinstance(item.handle, Line)], store, name)

    def _cut(self, members: Iterable[tuple[str, Line]], store: Store, name: str) -> Path:
        path = store.folder() / (_on_disk(name) + archive.CUT)
        with path.open("xb") as file:
            archive.cut(self._file, self._what, members, file)
        return path


def _path(parts: tuple[str, ...], line: Line) -> str:
    return "/".join(parts) + "/" * (line.kind == "folder")


def _on_disk(name: str) -> str:
    """Return a name that every file system accepts; a long one loses its middle, not its suffix."""
    raw = os.fsencode("".join("_" if each in "/\0" or "\ud800" <= each <= "\udfff" else each for each in name))
    if len(raw) > 200:
        stem, suffix = os.path.splitext(raw)
        raw = stem[: 200 - min(len(suffix), 20)] + suffix[-20:]
    return raw.decode("utf-8", "ignore").strip(".") or "hand-in"
