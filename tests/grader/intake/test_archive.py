"""Zips and folders as lists of entries: what honest programs write is read, what lies is refused with its reason."""

import io
import itertools
import os
import random
import re
import stat
import struct
import tracemalloc
import zipfile
import zlib
from dataclasses import dataclass, replace

import pytest

from autograder.core.errors import BadSubmission
from autograder.intake import archive
from autograder.intake.archive import folder_entries, zip_entries

AGAIN = " Pack the files again and hand in the new zip."
DAMAGED = "hw.zip is damaged: its parts contradict each other." + AGAIN


@dataclass
class Member:
    """One member of a handmade zip; every number can be a lie."""

    name: bytes
    data: bytes = b"x = 1\n"
    method: int = zipfile.ZIP_DEFLATED
    flags: int = 0
    mode: int = 0
    size: int | None = None
    packed: int | None = None
    crc: int | None = None
    offset: int | None = None
    local_name: bytes | None = None
    wide: bytes | None = None  # the zip64 field


def pack(*members, before=b"", comment=b"", count=None, length=None, offset=None, wide=False):
    """Return the bytes of a zip of `members`; what is None is told truthfully."""
    body, lines = bytearray(), bytearray()
    for member in members:
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        data = deflate.compress(member.data) + deflate.flush() if member.method == 8 else member.data
        size = len(member.data) if member.size is None else member.size
        packed = len(data) if member.packed is None else member.packed
        crc = zlib.crc32(member.data) if member.crc is None else member.crc
        start = len(body) if member.offset is None else member.offset
        common = (20, member.flags, member.method, 0, 0, crc, packed, size)
        local_name = member.name if member.local_name is None else member.local_name
        extra = member.wide or b""
        body += struct.pack("<4s5H3L2H", b"PK\x03\x04", *common, len(local_name), 0) + local_name + data
        fields = (len(member.name), len(extra), 0, 0, 0, member.mode << 16, start)
        lines += struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 3 << 8, *common, *fields) + member.name + extra
    count = len(members) if count is None else count
    length = len(lines) if length is None else length
    offset = len(body) if offset is None else offset
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, *(2 * [min(count, 0xFFFF)]), length, offset, len(comment))
    if wide:
        record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, length, offset)
        locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(before + body + lines), 1)
        end = record + locator + struct.pack("<4s4H2LH", b"PK\x05\x06", *(4 * [0xFFFF]), *(2 * [0xFFFFFFFF]), 0)
    return before + body + lines + end + comment


def listed(data):
    return zip_entries(io.BytesIO(data), "hw.zip")


def contents(data):
    return {"/".join(entry.parts): entry.read() for entry in listed(data) if entry.kind == "file"}


def refusal(data):
    with pytest.raises(BadSubmission) as caught:
        contents(data)
    return caught.value.message


HONEST = [Member(b"hw/", b"", 0, mode=stat.S_IFDIR), Member(b"hw/layers.py"), Member(b"hw/util.py", b"y = 2\n", 0)]
CONTENTS = {"hw/layers.py": b"x = 1\n", "hw/util.py": b"y = 2\n"}


# What honest programs write.


def test_the_handmade_zips_are_zips():
    with zipfile.ZipFile(io.BytesIO(pack(*HONEST))) as opened:
        assert opened.testzip() is None
        assert opened.namelist() == ["hw/", "hw/layers.py", "hw/util.py"]
    with zipfile.ZipFile(io.BytesIO(pack(*HONEST, wide=True))) as opened:
        assert opened.testzip() is None


@pytest.mark.parametrize(
    "extras",
    [
        {},
        {"before": b"#!/bin/sh\nexit\n"},
        {"comment": b"made by hand"},
        {"comment": b"x" * 0xFFFF},
        {"wide": True},
        {"wide": True, "before": b"MZ"},
    ],
    ids=["plain", "prefix", "comment", "longest comment", "zip64", "zip64 prefix"],
)
def test_members(extras):
    data = pack(*HONEST, **extras)
    assert contents(data) == CONTENTS
    assert [entry.kind for entry in listed(data)] == ["folder", "file", "file"]
    assert [entry.size for entry in listed(data)] == [0, 6, 6]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("streamed", [False, True])
def test_what_zipfile_writes_is_read_as_zipfile_reads_it(method, streamed):
    class Pipe(io.BytesIO):
        def seekable(self):
            return False  # sizes follow the data, as Finder writes them

    sink = Pipe() if streamed else io.BytesIO()
    wanted = {"layers.py": os.urandom(3000), "empty.py": b"", "pkg/größe.py": b"z = 0\n" * 5000}
    with zipfile.ZipFile(sink, "w", method) as writer:
        for name, data in wanted.items():
            with writer.open(name, "w", force_zip64=True) as file:
                file.write(data)
    assert contents(sink.getvalue()) == wanted


def test_values_over_32_bits_come_from_the_zip64_field():
    wide = struct.pack("<2H3Q", 1, 24, 6, 8, 0)
    sizes = Member(
        b"layers.py", size=0xFFFFFFFF, packed=0xFFFFFFFF, wide=struct.pack("<2H", 0x5455, 24) + bytes(24) + wide
    )
    assert contents(pack(replace(sizes, offset=0xFFFFFFFF))) == {"layers.py": b"x = 1\n"}
    assert refusal(pack(replace(sizes, wide=b""))) == DAMAGED
    assert refusal(pack(replace(sizes, wide=wide[:12]))) == DAMAGED


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        (b"layers.py", ("layers.py",)),
        (b"./hw//layers.py", ("hw", "layers.py")),
        (b"hw\\src\\layers.py", ("hw", "src", "layers.py")),
        ("größe.py".encode(), ("größe.py",)),  # Finder, without the flag that says UTF-8
        ("größe.py".encode("cp437"), ("größe.py",)),
        (b"\xed\xa0\x80.py", ("φáÇ.py",)),  # a surrogate is no UTF-8
        (b"layers.py\0.txt", ("layers.py\0.txt",)),  # not what zipfile makes of it
        (b"..py", ("..py",)),
        (b"a:b/c.py", ("a:b", "c.py")),
        (b"/", ()),
        (b"", ()),
    ],
)
def test_names(name, parts):
    (entry,) = listed(pack(Member(name)))
    assert entry.parts == parts


@pytest.mark.parametrize(
    ("name", "mode", "kind"),
    [
        (b"a", 0, "file"),
        (b"a", 0o600, "file"),
        (b"a", stat.S_IFREG | 0o777, "file"),
        (b"a/", 0, "folder"),
        (b"a\\", 0, "folder"),
        (b"a", stat.S_IFDIR, "folder"),
        (b"a", stat.S_IFLNK, "link"),
        (b"a/", stat.S_IFLNK, "link"),
        (b"a", stat.S_IFIFO, "special"),
        (b"a", stat.S_IFCHR, "special"),
        (b"a", stat.S_IFBLK, "special"),
        (b"a", stat.S_IFSOCK, "special"),
    ],
)
def test_kinds(name, mode, kind):
    (entry,) = listed(pack(Member(name, mode=mode)))
    assert entry.kind == kind


def test_an_empty_zip_has_no_members():
    assert listed(pack()) == []


# What is refused, and why.


@pytest.mark.parametrize("data", [b"", b"P", b"hello", bytes(70_000), b"PK\x05\x06", pack(*HONEST)[-30:-1]])
def test_not_a_zip(data):
    assert refusal(data) == "hw.zip is not a zip archive." + AGAIN


def test_truncated():
    data = pack(*HONEST)
    for end in range(4, len(data)):
        assert refusal(data[:end]) == "hw.zip is cut short: its end is missing." + AGAIN


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        (b"../layers.py", "no path may contain '..'"),
        (b"a/../../layers.py", "no path may contain '..'"),
        (b"a\\..\\layers.py", "no path may contain '..'"),
        (b"..", "no path may contain '..'"),
        (b"/etc/layers.py", "no path may be absolute"),
        (b"\\\\host\\layers.py", "no path may be absolute"),
        (b"C:\\layers.py", "no path may be absolute"),
        (b"c:/layers.py", "no path may be absolute"),
    ],
)
def test_paths_that_leave(name, rule):
    shown = name.decode().replace("\\", "/")
    assert refusal(pack(Member(b"ok.py"), Member(name))) == f"hw.zip contains {shown}, but {rule}." + AGAIN


def test_names_in_messages_are_clean_and_short():
    name = b"../\x1b[31m<b>" + b"x" * 1000
    assert (
        refusal(pack(Member(name))) == f"hw.zip contains ../[31m‹b›{'x' * 69}…, but no path may contain '..'." + AGAIN
    )


def test_encrypted():
    for flag in (0x1, 0x40, 0x2000):
        message = "hw.zip: layers.py is encrypted, but should have no password." + AGAIN
        assert refusal(pack(Member(b"layers.py", flags=flag))) == message


def test_unusual_methods():
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 9, 93, 99):
        message = f"hw.zip: layers.py is packed by method {method}, which few programs read." + AGAIN
        assert refusal(pack(Member(b"layers.py", method=method))) == message


def test_a_member_larger_than_it_says():
    message = "hw.zip: layers.py unpacks to more than the 1000 bytes it declares." + AGAIN
    data = pack(Member(b"layers.py", bytes(50 << 20), size=1000, packed=2000), Member(b"end", bytes(50 << 20)))
    tracemalloc.start()
    assert refusal(data.replace(struct.pack("<L", 2000), struct.pack("<L", 3024))) == message
    assert tracemalloc.get_traced_memory()[1] < 1 << 20, "no more is unpacked than was declared"
    tracemalloc.stop()
    stored = Member(b"layers.py", bytes(1001), method=0, size=1000)
    assert refusal(pack(stored)) == message


NAME_LENGTH = struct.pack("<5H", 3, 0, 0, 0, 0), struct.pack("<5H", 255, 0, 0, 0, 0)  # in the directory
EXTRA_LENGTH = struct.pack("<5H", 1, 4, 0, 0, 0), struct.pack("<5H", 1, 0, 0, 0, 0)

LIES = {
    "smaller than it says": pack(Member(b"a", size=7)),
    "stored, smaller than it says": pack(Member(b"a", method=0, size=7)),
    "wrong checksum": pack(Member(b"a", crc=1)),
    "no deflate stream": pack(Member(b"a", b"\xff" * 9, method=0)).replace(struct.pack("<2H", 0, 0), b"\0\0\x08\0"),
    "far more packed than unpacked": pack(Member(b"a", os.urandom(2000), method=0, size=1)),
    "other name in the header": pack(Member(b"a", local_name=b"b")),
    "no header there": pack(Member(b"a")).replace(b"PK\x03\x04", b"PK\x03\x05"),
    "fewer lines than counted": pack(Member(b"a"), count=2),
    "more lines than counted": pack(Member(b"a"), Member(b"b"), count=1),
    "directory larger than the file": pack(Member(b"a"), length=5000),
    "directory outside the file": pack(Member(b"a"), offset=5000),
    "directory too short": pack(Member(b"a"), length=40),
    "line longer than the directory": pack(Member(b"abc")).replace(
        struct.pack("<5H", 3, 0, 0, 0, 0), b"\xff\0" + bytes(8)
    ),
    "line cut short": pack(Member(b"a", wide=b"PK\x01\x02"), count=2).replace(*EXTRA_LENGTH),
    "no line there": pack(Member(b"a")).replace(b"PK\x01\x02", b"PK\x01\x03"),
    "counts that differ": pack(Member(b"a"))[:-14] + b"\2\0" + pack(Member(b"a"))[-12:],
}


@pytest.mark.parametrize("data", LIES.values(), ids=LIES.keys())
def test_damaged(data):
    assert refusal(data) == DAMAGED


def test_an_archive_that_shrinks_while_it_is_read():
    file = io.BytesIO(pack(Member(b"layers.py")))
    (entry,) = zip_entries(file, "hw.zip")
    file.truncate(10)
    with pytest.raises(BadSubmission, match=r"^hw\.zip is damaged"):
        entry.read()


OVERLAP = "hw.zip contains members that overlap, but each should have its own bytes." + AGAIN


def test_overlap():
    kernel = Member(b"a", bytes(1000))
    assert refusal(pack(kernel, replace(kernel, name=b"b", offset=0))) == OVERLAP
    assert refusal(pack(Member(b"a", packed=500), kernel)) == OVERLAP
    assert refusal(pack(kernel, Member(b"b", packed=500))) == OVERLAP, "the last one lies over the directory"
    assert refusal(pack(Member(b"a"), Member(b"b", offset=1 << 31))) == OVERLAP, "or behind it"


def test_overlap_with_quoted_headers():
    """Each member's stream holds the next one's header: David Fifield's bomb, in small."""
    inner = pack(Member(b"b"))
    header = inner[: inner.index(b"PK\x01\x02")]
    outer = Member(b"a", header, method=0)
    data = pack(outer, replace(outer, name=b"b", offset=31))
    assert data[31:].startswith(header), "what the directory calls b lies in the bytes of a"
    assert refusal(data) == OVERLAP


MANY = "hw.zip contains {} files and folders, but should contain at most 20000. Hand in your Python files only."


def test_too_many():
    assert len(listed(pack(*(Member(b"%d" % index, b"", 0) for index in range(20_000))))) == 20_000
    assert refusal(pack(*(Member(b"%d" % index, b"", 0) for index in range(20_001)))) == MANY.format(20_001)
    assert refusal(pack(count=2**63, wide=True)) == MANY.format(2**63)
    long_names = pack(*(Member(b"x" * 60_000, b"", 0) for _ in range(141)))
    assert refusal(long_names) == DAMAGED, "no honest directory is that long"


# What nobody thought of. The long form of this is fuzz/test_fuzz_archive.py.


def outcome(data):
    """Return the contents, or the refusal without its numbers; any other exception is a failure."""
    try:
        return contents(data)
    except BadSubmission as refused:
        return re.sub(r"\d+", "N", refused.message)


@pytest.mark.parametrize("wide", [False, True])
def test_every_byte_may_be_wrong(wide):
    honest = pack(*HONEST, wide=wide)
    refused = set()
    for at, byte in itertools.product(range(len(honest)), (0x00, 0x01, 0x7F, 0x80, 0xFF)):
        found = outcome(honest[:at] + bytes([byte]) + honest[at + 1 :])
        if isinstance(found, str):
            refused.add(found)
        else:
            assert set(found.values()) <= set(CONTENTS.values()), "what is read is what was packed"
    assert {DAMAGED, OVERLAP} < refused
    assert len(refused) >= 5


def test_splices_of_zips():
    chance = random.Random(0)
    honest = [pack(*HONEST), pack(*HONEST, wide=True), pack(Member(b"layers.py"), comment=b"c" * 30)]
    found = []
    for _ in range(2000):
        one, other = chance.choice(honest), chance.choice([*honest, chance.randbytes(100)])
        found.append(outcome(one[: chance.randrange(len(one))] + other[chance.randrange(len(other)) :]))
    read = [contents for contents in found if not isinstance(contents, str)]
    assert 0 < len(read) < 1000
    assert all(set(contents.values()) <= set(CONTENTS.values()) for contents in read)


# Folders.


@pytest.fixture
def entries(tmp_path):
    opened = []

    def entries(skip=lambda name: False):
        opened.append(os.open(tmp_path, os.O_RDONLY))
        return {"/".join(entry.parts): entry for entry in folder_entries(opened[-1], "the submission", skip)}

    yield entries
    for descriptor in opened:
        os.close(descriptor)


def test_folder(tmp_path, entries):
    (tmp_path / "hw" / "skipped").mkdir(parents=True)
    (tmp_path / "hw" / "skipped" / "secret").touch()
    (tmp_path / "hw" / "layers.py").write_bytes(b"x = 1\n")
    (tmp_path / "link.py").symlink_to("/etc/passwd")
    (tmp_path / "folder").symlink_to("hw")
    os.mkfifo(tmp_path / "pipe")
    found = entries(skip=lambda name: name == "skipped")
    assert {path: entry.kind for path, entry in found.items()} == {
        "hw": "folder",
        "hw/skipped": "folder",
        "hw/layers.py": "file",
        "link.py": "link",
        "folder": "link",
        "pipe": "special",
    }
    assert found["hw/layers.py"].read() == b"x = 1\n"
    assert found["link.py"].read() == b"/etc/passwd"


def test_folder_with_the_backslashes_of_a_windows_zip(tmp_path, entries):
    (tmp_path / "hw\\layers.py").write_bytes(b"x = 1\n")
    assert entries()["hw/layers.py"].read() == b"x = 1\n"
    (tmp_path / "..\\layers.py").touch()
    with pytest.raises(
        BadSubmission, match=r"^the submission contains \.\./layers\.py, but no path may contain '\.\.'"
    ):
        entries()


def test_a_link_put_there_meanwhile_is_not_followed(tmp_path, entries):
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "layers.py").write_text("hidden")
    (tmp_path / "hw").mkdir()
    (tmp_path / "hw" / "layers.py").touch()
    (tmp_path / "layers.py").touch()
    found = entries()
    (tmp_path / "layers.py").unlink()
    (tmp_path / "layers.py").symlink_to(secret / "layers.py")
    (tmp_path / "hw").rename(tmp_path / "old")
    (tmp_path / "hw").symlink_to(secret)
    for path in ("layers.py", "hw/layers.py"):
        with pytest.raises(OSError, match=r"symbolic|directory"):
            found[path].read()


def test_a_pipe_put_there_meanwhile_does_not_hang(tmp_path, entries):
    (tmp_path / "layers.py").touch()
    found = entries()
    (tmp_path / "layers.py").unlink()
    os.mkfifo(tmp_path / "layers.py")
    with pytest.raises(OSError, match=r"'layers\.py' became something else"):
        found["layers.py"].read()


def test_a_file_that_grows_is_not_read_to_its_end(tmp_path, entries):
    (tmp_path / "layers.py").write_bytes(b"x")
    entry = entries()["layers.py"]
    (tmp_path / "layers.py").write_bytes(b"x" * 1000)
    assert entry.read() == b"xx"


def test_depth_and_number_are_bounded(tmp_path, entries, monkeypatch):
    (tmp_path / "/".join("d" * 30)).mkdir(parents=True)
    before = len(os.listdir("/dev/fd"))
    assert max(len(entry.parts) for entry in entries().values()) == archive.DEPTH
    assert len(os.listdir("/dev/fd")) == before + 1, "only the root stays open"
    monkeypatch.setattr(archive, "MEMBERS", 7)
    with pytest.raises(BadSubmission) as caught:
        entries()
    message = "the submission contains over 7 files and folders, but should contain at most 7."
    assert caught.value.message == message + " Hand in your Python files only."
