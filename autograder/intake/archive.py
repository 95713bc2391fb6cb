"""What lies in a zip or a folder, and the bytes of one file of it. Nothing is unpacked, no link is followed.

A folder is read by descriptors, so that no link leads out of it, not even one put there meanwhile. A zip is read from
its end, where a fixed record says where its directory is, which says where the members are::

    member | member | ... | directory: one line per member | end record

These records are read by hand. Which odd archives `zipfile` takes, and with which exception it gives up on the others,
changes from one Python to the next, and a grade must not; it also reads names of Finder's zips wrong and unpacks some
methods without a bound. Here every offset and size is checked before it is used, and every byte is counted.

This room knows bytes and names. It must not know what a submission is, which files matter or where they go.

Source: PKWARE's APPNOTE.TXT, sections 4.3 and 4.5.3.
"""

from __future__ import annotations

import itertools
import os
import re
import stat
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, Literal, NoReturn

from autograder.core.errors import BadSubmission
from autograder.core.text import clean

MEMBERS = 20_000
"""Most files and folders that are looked at. Enough for a student who packed `.git` and a virtual environment as well;
listed in a third of a second."""

DEPTH = 20
"""Folders below each other that are looked into; it also bounds the open descriptors."""

DIRECTORY_BYTES = 8 << 20
"""Most bytes of a zip's directory: 400 for each of its lines, four times what they usually take."""

_END = struct.Struct("<4s4H2LH")
_LOCATOR_BYTES = 20
_WIDE_END = struct.Struct("<4sQ2H2L4Q")  # zip64, written by OneDrive even for small archives
_LINE = struct.Struct("<4s6H3L5H2L")
_HEADER = struct.Struct("<4s5H3L2H")
_TAIL = _END.size + 0xFFFF  # the end record, followed by a comment

_ENCRYPTED = 0x2041  # flag bits: encrypted, strongly encrypted, names hidden
_STORED, _DEFLATED = 0, 8
_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_AGAIN = "Pack the files again and hand in the new zip."

Kind = Literal["file", "folder", "link", "special"]
_KINDS: dict[int, Kind] = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "link",
    stat.S_IFIFO: "special",
    stat.S_IFCHR: "special",
    stat.S_IFBLK: "special",
    stat.S_IFSOCK: "special",
}


@dataclass(frozen=True)
class Member:
    """One thing that was handed in, whether in an archive or in a folder.

    Attributes
    ----------
    parts : tuple of str
        Its path, split; never absolute, without ``..``, otherwise as the student wrote it.
    kind : {'file', 'folder', 'link', 'special'}
        Special is what only an operating system makes: pipes, devices, sockets.
    size, packed : int
        Bytes it says it has, and bytes it takes where it lies.
    read : callable
        Returns the bytes, or raises `BadSubmission`. They are not more than ``size + 1``. Of a link: where it points.
    """

    parts: tuple[str, ...]
    kind: Kind
    size: int
    packed: int
    read: Callable[[], bytes]


def shown(parts: tuple[str, ...]) -> str:
    """Return a path for a message: safe to print, and of bounded length."""
    return clean("/".join(parts), 80)


def split(name: str, what: str) -> tuple[str, ...]:
    """Return the parts of the path `name`, found in `what`; some Windows programs separate them by backslashes.

    Raises
    ------
    BadSubmission
        When the path leaves the place it is unpacked to. No honest program writes such a path.
    """
    name = name.replace("\\", "/")
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if ".." in parts:
        raise BadSubmission(f"{what} contains {shown((name,))}, but no path may contain '..'. {_AGAIN}")
    if parts and (name.startswith("/") or re.match("[A-Za-z]:/", name)):
        raise BadSubmission(f"{what} contains {shown((name,))}, but no path may be absolute. {_AGAIN}")
    return parts


def folder_entries(root: int, what: str, skip: Callable[[str], bool]) -> list[Member]:
    """List the folder open at `root`, which messages call `what`, without looking into folders whose name `skip` takes.

    Raises
    ------
    BadSubmission
        When there is too much in it, or a name holds ``..`` (between backslashes, where some program unpacked a zip).
    """
    entries = list(itertools.islice(_walk(root, root, (), what, skip), MEMBERS + 1))
    if len(entries) > MEMBERS:
        _too_many(what, f"over {MEMBERS}")
    return entries


def _walk(root: int, folder: int, parents: tuple[str, ...], what: str, skip: Callable[[str], bool]) -> Iterator[Member]:
    with os.scandir(folder) as children:
        for child in children:
            names, status = (*parents, child.name), child.stat(follow_symlinks=False)
            kind, size = _KINDS.get(stat.S_IFMT(status.st_mode), "special"), status.st_size
            yield Member(split("/".join(names), what), kind, size, size, partial(_bytes, root, names, kind, size))
            if kind == "folder" and not skip(child.name) and len(names) < DEPTH:
                inside = os.open(child.name, _OPEN_FOLDER, dir_fd=folder)
                try:
                    yield from _walk(root, inside, names, what, skip)
                finally:
                    os.close(inside)


def _bytes(root: int, names: tuple[str, ...], kind: Kind, size: int) -> bytes:
    with ExitStack() as stack:
        folder = root
        for name in names[:-1]:
            folder = os.open(name, _OPEN_FOLDER, dir_fd=folder)
            stack.callback(os.close, folder)
        if kind == "link":
            return os.fsencode(os.readlink(names[-1], dir_fd=folder))
        descriptor = os.open(names[-1], _OPEN_FILE, dir_fd=folder)
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(f"{names[-1]!r} became something else while it was read")
            return file.read(size + 1)


def zip_entries(file: BinaryIO, what: str) -> list[Member]:
    """List the archive `file`, which messages call `what`.

    Raises
    ------
    BadSubmission
        When it is not a zip, cut short, damaged, too large, or members share bytes (how small bombs grow large).
    """
    lines, start = _directory(file, what)
    bounds = sorted((line.offset, line.offset + _HEADER.size + len(line.name) + line.packed) for line in lines)
    for (_, end), (following, _) in itertools.pairwise([*bounds, (start, start)]):
        if end > following:
            raise BadSubmission(f"{what} contains members that overlap, but each should have its own bytes. {_AGAIN}")
    return [_entry(file, what, line) for line in lines]


@dataclass(frozen=True)
class _Line:
    """One member as the directory describes it; `offset` counts from the start of the file."""

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    mode: int
    offset: int


def _directory(file: BinaryIO, what: str) -> tuple[list[_Line], int]:
    """Return the lines of the directory and where it starts."""
    count, start, length, prefix = _end(file, what)
    file.seek(start)
    directory = file.read(length)
    lines, at = [], 0
    for _ in range(count):
        if directory[at : at + 4] != b"PK\x01\x02" or at + _LINE.size > length:
            _damaged(what)
        (_, _, _, flags, method, _, _, crc, packed, size, name, extra, comment, _, _, attributes, offset) = (
            _LINE.unpack_from(directory, at)
        )
        at += _LINE.size
        sizes = _widened(directory[at + name : at + name + extra], [size, packed, offset])
        if sizes is None:
            _damaged(what)
        size, packed, offset = sizes
        raw = directory[at : at + name]
        lines.append(_Line(raw, flags, method, crc, packed, size, attributes >> 16, prefix + offset))
        at += name + extra + comment
    if at != length:
        _damaged(what)
    return lines, start


def _end(file: BinaryIO, what: str) -> tuple[int, int, int, int]:
    """Return how many members there are, start and length of the directory, and how many bytes precede the zip."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _TAIL))
    tail = file.read(_TAIL)
    found = tail.rfind(b"PK\x05\x06", 0, max(0, len(tail) - _END.size + 4))
    if found < 0:
        file.seek(0)
        if file.read(4) == b"PK\x03\x04":
            raise BadSubmission(f"{what} is cut short: its end is missing. {_AGAIN}")
        raise BadSubmission(f"{what} is not a zip archive. {_AGAIN}")
    _, _, _, here, count, length, offset, _ = _END.unpack_from(tail, found)
    end = max(0, size - _TAIL) + found
    wide = found - _LOCATOR_BYTES - _WIDE_END.size
    if wide >= 0 and tail[wide : wide + 4] == b"PK\x06\x06" and tail[found - _LOCATOR_BYTES :][:4] == b"PK\x06\x07":
        *_, here, count, length, offset = _WIDE_END.unpack_from(tail, wide)
        end -= found - wide
    if count > MEMBERS:
        _too_many(what, str(count))
    if here != count or length > DIRECTORY_BYTES or offset + length > end:
        _damaged(what)
    return count, end - length, length, end - length - offset


def _widened(extra: bytes, values: list[int]) -> list[int] | None:
    """Replace values that do not fit into 32 bits by those of the zip64 field, None when it does not hold them."""
    missing = [index for index, value in enumerate(values) if value == 0xFFFFFFFF]
    while missing and len(extra) >= 4:
        tag, length = struct.unpack_from("<2H", extra)
        field, extra = extra[4 : 4 + length], extra[4 + length :]
        if tag == 1 and len(field) >= 8 * len(missing):
            for index, value in zip(missing, struct.unpack_from(f"<{len(missing)}Q", field), strict=True):
                values[index] = value
            return values
    return None if missing else values


def _entry(file: BinaryIO, what: str, line: _Line) -> Member:
    name = _decoded(line.name)
    parts = split(name, what)
    kind = _KINDS.get(stat.S_IFMT(line.mode), "file")  # Windows leaves the mode empty
    if kind == "file" and name.endswith(("/", "\\")):
        kind = "folder"
    return Member(parts, kind, line.size, line.packed, lambda: _content(file, what, line))


def _decoded(name: bytes) -> str:
    """Return the name: Finder writes UTF-8 without saying so, and what is not UTF-8 is the old DOS alphabet."""
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("cp437")


def _content(file: BinaryIO, what: str, line: _Line) -> bytes:
    """Return the bytes of one member; the caller has found its declared size acceptable."""
    name = shown((_decoded(line.name),))
    if line.flags & _ENCRYPTED:
        raise BadSubmission(f"{what}: {name} is encrypted, but should have no password. {_AGAIN}")
    if line.method not in (_STORED, _DEFLATED):
        raise BadSubmission(f"{what}: {name} is packed by method {line.method}, which few programs read. {_AGAIN}")
    file.seek(line.offset)
    header = file.read(_HEADER.size)
    if len(header) < _HEADER.size or header[:4] != b"PK\x03\x04":
        _damaged(what)
    length, extra = _HEADER.unpack(header)[-2:]
    if file.read(length) != line.name or line.packed > 2 * line.size + 1024:  # deflate adds a few bytes at the worst
        _damaged(what)
    file.seek(extra, os.SEEK_CUR)
    data = file.read(line.packed)
    if line.method == _DEFLATED:
        try:
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, line.size + 1)
        except zlib.error:
            _damaged(what)
    if len(data) > line.size:
        raise BadSubmission(f"{what}: {name} unpacks to more than the {line.size} bytes it declares. {_AGAIN}")
    if len(data) < line.size or zlib.crc32(data) != line.crc:
        _damaged(what)
    return data


def _too_many(what: str, count: str) -> NoReturn:
    most = f"but should contain at most {MEMBERS}"
    raise BadSubmission(f"{what} contains {count} files and folders, {most}. Hand in your Python files only.")


def _damaged(what: str) -> NoReturn:
    raise BadSubmission(f"{what} is damaged: its parts contradict each other. {_AGAIN}")
