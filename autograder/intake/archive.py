"""Lists what is in a zip or a folder, and reads the bytes of its files. Nothing is written, no link is followed.

A folder is read through descriptors, so that no link leads out of it, not even a link that is made meanwhile. A zip is
read from its end. A fixed record there says where the directory is, and the directory says where the members are::

    member | member | ... | directory: one line per member | end record

This module reads these records itself. Each version of Python's `zipfile` accepts other odd archives and raises other
exceptions, but a grade must not depend on the version. `zipfile` also reads names in Finder's zips wrong and unpacks
some methods without a limit. Here every offset and size is checked before it is used, and every byte is counted.

A zip can also be cut: the members of one hand-in become a zip of their own, byte by byte and still packed. So a zip of
a whole class is never unpacked, and a file that one student packed cannot hurt the others.

This module knows bytes and names. It does not know what a submission is, which files matter or where they go.

Source: PKWARE's APPNOTE.TXT, sections 4.3 and 4.5.3.
"""

from __future__ import annotations

import itertools
import os
import re
import stat
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, Literal, NoReturn

from autograder.core.errors import BadSubmission
from autograder.core.text import clean

MEMBERS = 20_000
"""The most files and folders to list, in a third of a second: a student's `.git` and virtual environment fit."""

DEPTH = 20
"""How many levels of folders are read; this also limits the open descriptors."""

LINE_BYTES = 400
"""The most bytes that a line of a zip's directory may take on average: four times the usual size."""

CUT = ".hand-in"
"""The suffix of a zip that `cut` or `packed` made. Nobody handed in a file of that name, so no message shows it."""

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
_BLOCK = 1 << 18
_WIDE = 0xFFFFFFFE  # the largest value that 32 bits hold; one more means: see the zip64 field
_NO_DATE = 0x21  # the first day of 1980, the earliest date that a zip can hold
_AGAIN = "Pack the files again and hand in the new zip."

Kind = Literal["file", "folder", "link", "special", "locked"]
_KINDS: dict[int, Kind] = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "link",
    stat.S_IFIFO: "special",
    stat.S_IFCHR: "special",
    stat.S_IFBLK: "special",
    stat.S_IFSOCK: "special",
}


def kind_of(mode: int) -> Kind:
    """Return what a file is from its mode, as `os.stat` gives it."""
    return _KINDS.get(stat.S_IFMT(mode), "special")


@dataclass(frozen=True)
class Member:
    """One thing that was handed in, whether in an archive or in a folder.

    Attributes
    ----------
    parts : tuple of str
        Its path, split; never absolute, without ``..``, otherwise as the student wrote it.
    kind : {'file', 'folder', 'link', 'special', 'locked'}
        Special files are pipes, devices and sockets. A locked folder is one that we may not read.
    size, packed : int
        The size that it declares, and the bytes that it takes in the archive or on disk.
    read : callable
        Returns the bytes, at most ``size + 1``, or raises `BadSubmission`. Of a link it returns the target.
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
        When the path leads out of the folder it is unpacked to. No honest program writes such a path.
    """
    name = name.replace("\\", "/")
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if ".." in parts:
        raise BadSubmission(f"{what} contains {shown((name,))}, but no path may contain '..'. {_AGAIN}")
    if parts and (name.startswith("/") or re.match("[A-Za-z]:/", name)):
        raise BadSubmission(f"{what} contains {shown((name,))}, but no path may be absolute. {_AGAIN}")
    return parts


def folder_entries(root: int, what: str, skip: Callable[[str], bool]) -> list[Member]:
    """List the open folder `root`, which messages call `what`; do not look into folders whose names `skip` accepts.

    Raises
    ------
    BadSubmission
        When the folder holds too much, or a name contains ``..`` (with backslashes, from a badly unpacked zip).
    """
    entries = list(itertools.islice(_walk(root, root, (), what, skip), MEMBERS + 1))
    if len(entries) > MEMBERS:
        _too_many(what, f"over {MEMBERS}", MEMBERS)
    return entries


def _walk(root: int, folder: int, parents: tuple[str, ...], what: str, skip: Callable[[str], bool]) -> Iterator[Member]:
    """Yield what is in the open folder `folder` and below, down to `DEPTH`, which also limits this recursion."""
    with os.scandir(folder) as children:
        for child in children:
            names, status = (*parents, child.name), child.stat(follow_symlinks=False)
            kind, size = kind_of(status.st_mode), status.st_size
            inside = None
            if kind == "folder" and not skip(child.name) and len(names) < DEPTH:
                try:
                    inside = os.open(child.name, _OPEN_FOLDER, dir_fd=folder)
                except PermissionError:
                    kind = "locked"
            yield Member(split("/".join(names), what), kind, size, size, partial(_bytes, root, names, kind, size))
            if inside is not None:
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
    return [_entry(file, what, line) for line in zip_lines(file, what, MEMBERS)]


def zip_lines(file: BinaryIO, what: str, most: int) -> list[Line]:
    """List the archive for `cut` and `unpack`, without checking names; raises the same errors as `zip_entries`."""
    lines, start = _directory(file, what, most)
    bounds = sorted((line.offset, line.offset + _HEADER.size + len(line.name) + line.packed) for line in lines)
    for (_, end), (following, _) in itertools.pairwise([*bounds, (start, start)]):
        if end > following:
            raise BadSubmission(f"{what} contains members that overlap, but each should have its own bytes. {_AGAIN}")
    return lines


@dataclass(frozen=True, slots=True)
class Line:
    """One member, as the directory of a zip describes it; `offset` counts from the start of the file."""

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    mode: int
    offset: int

    @property
    def kind(self) -> Kind:
        """The kind of the member; Windows leaves the mode empty."""
        kind = _KINDS.get(stat.S_IFMT(self.mode), "file")
        return "folder" if kind == "file" and self.name.endswith((b"/", b"\\")) else kind

    @property
    def path(self) -> str:
        """Its path as text, unchecked."""
        return _decoded(self.name)


def _directory(file: BinaryIO, what: str, most: int) -> tuple[list[Line], int]:
    """Return the lines of the directory, and where it starts."""
    count, start, length, prefix = _end(file, what, most)
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
        lines.append(Line(raw, flags, method, crc, packed, size, attributes >> 16, prefix + offset))
        at += name + extra + comment
    if at != length:
        _damaged(what)
    return lines, start


def _end(file: BinaryIO, what: str, most: int) -> tuple[int, int, int, int]:
    """Return the number of members, start and length of the directory, and the number of bytes before the zip."""
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
    if count > most:
        _too_many(what, str(count), most)
    if here != count or length > LINE_BYTES * most or offset + length > end:
        _damaged(what)
    return count, end - length, length, end - length - offset


def _widened(extra: bytes, values: list[int]) -> list[int] | None:
    """Replace values that do not fit into 32 bits by the ones in the zip64 field; None if the field lacks them."""
    missing = [index for index, value in enumerate(values) if value == 0xFFFFFFFF]
    while missing and len(extra) >= 4:
        tag, length = struct.unpack_from("<2H", extra)
        field, extra = extra[4 : 4 + length], extra[4 + length :]
        if tag == 1 and len(field) >= 8 * len(missing):
            for index, value in zip(missing, struct.unpack_from(f"<{len(missing)}Q", field), strict=True):
                values[index] = value
            return values
    return None if missing else values


def _entry(file: BinaryIO, what: str, line: Line) -> Member:
    parts = split(line.path, what)
    return Member(parts, line.kind, line.size, line.packed, lambda: b"".join(unpack(file, what, line)))


def _decoded(name: bytes) -> str:
    """Return the name: Finder writes UTF-8 without declaring it, and other bytes are in the old DOS alphabet."""
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("cp437")


def unpack(file: BinaryIO, what: str, line: Line) -> Iterator[bytes]:
    """Yield the bytes of one member, block by block; the caller has already checked its declared size.

    Raises
    ------
    BadSubmission
        When it cannot be read, or differs from the directory. Some errors show only after a few blocks.
    """
    name = shown((line.path,))
    if line.flags & _ENCRYPTED:
        raise BadSubmission(f"{what}: {name} is encrypted, but should have no password. {_AGAIN}")
    if line.method not in (_STORED, _DEFLATED):
        raise BadSubmission(f"{what}: {name} is packed by method {line.method}, which few programs read. {_AGAIN}")
    if line.packed > 2 * line.size + 1024 or _seek(file, what, line) != line.name:  # deflate adds a few bytes at worst
        _damaged(what)
    size = check = 0
    for block in _inflated(file, what, line) if line.method == _DEFLATED else _blocks(file, line.packed):
        size, check = size + len(block), zlib.crc32(block, check)
        if size > line.size:
            raise BadSubmission(f"{what}: {name} unpacks to more than the {line.size} bytes it declares. {_AGAIN}")
        yield block
    if size < line.size or check != line.crc:
        _damaged(what)


def _seek(file: BinaryIO, what: str, line: Line) -> bytes:
    """Move to where the bytes of a member begin, and return the name that is written there."""
    file.seek(line.offset)
    header = file.read(_HEADER.size)
    if len(header) < _HEADER.size or header[:4] != b"PK\x03\x04":
        _damaged(what)
    length, extra = _HEADER.unpack(header)[-2:]
    name = file.read(length)
    file.seek(extra, os.SEEK_CUR)
    return name


def _blocks(file: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0 and (block := file.read(min(size, _BLOCK))):
        size -= len(block)
        yield block


def _inflated(file: BinaryIO, what: str, line: Line) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    for packed in _blocks(file, line.packed):
        while packed and not unpacker.eof:
            try:
                yield unpacker.decompress(packed, min(_BLOCK, line.size + 1))
            except zlib.error:
                _damaged(what)
            packed = unpacker.unconsumed_tail


def cut(file: BinaryIO, what: str, members: Iterable[tuple[str, Line]], into: BinaryIO) -> None:
    """Write some members of the zip `file`, under other names, into a new zip; their bytes stay packed as they are.

    The new zip holds no times, so that the same hand-in is the same bytes in every download.

    Raises
    ------
    BadSubmission
        When the zip is damaged.
    """
    directory, count = [], 0
    # one more than a hand-in may have, so that it will be refused
    for name, line in itertools.islice(members, MEMBERS + 1):
        raw, count = _encoded(name), count + 1
        _seek(file, what, line)
        flags, packed, size = line.flags & _ENCRYPTED, min(line.packed, _WIDE), min(line.size, _WIDE)
        common = (flags, line.method, 0, _NO_DATE, line.crc, packed, size, len(raw), 0)
        attributes, offset = line.mode << 16, into.tell()
        if offset > _WIDE:
            raise BadSubmission(f"{what}: more than 4 GiB are one student's. Unpack it and give the folder.")
        directory.append(_LINE.pack(b"PK\x01\x02", 20, 20, *common, 0, 0, 0, attributes, offset) + raw)
        into.write(_HEADER.pack(b"PK\x03\x04", 20, *common) + raw)
        for block in _blocks(file, packed):
            into.write(block)
    start = into.tell()
    into.write(b"".join(directory))
    into.write(_END.pack(b"PK\x05\x06", 0, 0, count, count, into.tell() - start, min(start, _WIDE), 0))


def _encoded(name: str) -> bytes:
    """Return the name in UTF-8, cut so that its length fits into the zip; long names are refused later."""
    return name.encode("utf-8", "surrogateescape" if _is_escaped(name) else "replace")[:0xFFFF]


def _is_escaped(name: str) -> bool:
    try:
        name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _too_many(what: str, count: str, most: int) -> NoReturn:
    limit = f"but should contain at most {most}"
    raise BadSubmission(f"{what} contains {count} files and folders, {limit}. Hand in your Python files only.")


def _damaged(what: str) -> NoReturn:
    raise BadSubmission(f"{what} is damaged: its parts contradict each other. {_AGAIN}")
