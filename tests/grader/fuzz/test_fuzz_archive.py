"""The archive reader against bytes that nobody thought of, for as long as one likes.

::

    FUZZ_SECONDS=600 python -m pytest tests/grader/fuzz/test_fuzz_archive.py

Not collected by default. The quick form, every byte of a zip made wrong in turn, is in test_archive.py; what is found
here becomes a test there.
"""

import io
import os
import shutil
import stat
import struct
import time
import unicodedata
import warnings
import zipfile

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from autograder.core.errors import BadSubmission
from autograder.intake import submission
from tests.grader.support.configs import archive_limits

SECONDS = float(os.environ.get("FUZZ_SECONDS", "10"))
DANGEROUS = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
LIMITS = archive_limits(1 << 16, 5)

PIECES = ["layers.py", "Layers.py", "util.py", "hw", "pkg", "..", ".git", "__MACOSX", "", "/", "\\", "a" * 300]
PIECES += [
    "conftest.py",
    "hw.zip",
    "x.so",
    "e\u0301.py",
    "\u00e9.py",
    "\u202egnp.py",
    "pyvenv.cfg",
    "bin",
    "C:",
    "\0",
    "a.ipynb",
]
names = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), min_size=1, max_size=4).map("/".join)
modes = st.sampled_from([0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, 0xFFFF])
contents = st.binary(max_size=40) | st.sampled_from(
    [b"x" * 70_000, bytes(2 << 20), b"/etc/passwd", b"../..", b"util.py"]
)


@st.composite
def zips(draw, depth=1):
    """Draw zips as `zipfile` writes them, of members that it should not have been given."""
    sink = io.BytesIO(draw(st.sampled_from([b"", b"MZ prefix"])))
    with warnings.catch_warnings(), zipfile.ZipFile(sink, "a") as writer:
        warnings.simplefilter("ignore", UserWarning)  # duplicate names
        for name in draw(st.lists(names, max_size=6)) + draw(st.sampled_from([[], ["layers.py"], ["hw/layers.py"]])):
            info = zipfile.ZipInfo(name.encode("utf-8", "replace").decode() or "x")
            info.external_attr = draw(modes) << 16
            info.compress_type = draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2]))
            nested = depth and name.endswith(".zip")
            writer.writestr(info, draw(zips(depth=depth - 1)) if nested else draw(contents))
        writer.comment = draw(st.binary(max_size=30))
    return sink.getvalue()


@st.composite
def damaged(draw):
    """Draw zips with fields overwritten, parts cut out, repeated, or swapped."""
    data = bytearray(draw(zips()))
    for _ in range(draw(st.integers(0, 5))):
        at, end = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
        change = draw(st.sampled_from(["field", "record", "cut", "repeat", "insert"]))
        value = draw(
            st.sampled_from([0, 1, 0x7F, 0xFF, 0xFFFF, 1 << 31, 0xFFFFFFFF, 1 << 63, 2**64 - 1, len(data), at])
        )
        if change == "field":
            width = draw(st.sampled_from("BHLQ"))
            field = struct.pack(f"<{width}", value % (1 << 8 * struct.calcsize(f"<{width}")))
            data[at : at + len(field)] = field
        elif change == "record":  # near the next signature, where it hurts
            at = data.find(b"PK", at)
            if at >= 0:
                at += draw(st.integers(0, 50))
                data[at : at + 2] = struct.pack("<H", value % (1 << 16))
        elif change == "cut":
            del data[at:end]
        elif change == "repeat":
            data[at:at] = data[at:end]
        else:
            data[at:at] = draw(
                st.sampled_from([b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x01\x02"]) | st.binary()
            )
    return bytes(data)


@pytest.fixture
def attempt(tmp_path):
    """Hand in bytes; afterwards only `into` may hold anything new, and only what is announced."""

    def attempt(data):
        shutil.rmtree(tmp_path)
        path = tmp_path / "hw.zip"
        into = tmp_path / "grading" / "into"
        into.mkdir(parents=True)
        path.write_bytes(data)
        outside = {path, into.parent, into}
        try:
            taken = submission.read(path, into, required="layers.py", limits=LIMITS)
        except BadSubmission as refused:
            taken, texts = None, (refused.message,)
        else:
            texts = taken.notes + taken.ignored
        found = {path for path in into.rglob("*") if not path.is_dir()}
        assert set(tmp_path.rglob("*")) - set(into.rglob("*")) == outside
        assert {path.relative_to(into).as_posix() for path in found} == set(taken.files if taken else ())
        assert all(len(text) < 1000 and not DANGEROUS & set(map(unicodedata.category, text)) for text in texts)
        assert all(path.is_file() and not path.is_symlink() and path.suffix == ".py" for path in found)
        assert len(found) <= LIMITS.archive_files
        assert sum(path.stat().st_size for path in found) <= LIMITS.archive_bytes
        assert taken is None or into / "layers.py" in found

    return attempt


def for_a_while(test, examples, share):
    """Run a hypothesis test with new seeds until its share of the time is over."""
    deadline = time.monotonic() + SECONDS * share
    suppress = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    quiet = settings(max_examples=300, deadline=None, database=None, suppress_health_check=suppress)
    start = time.time_ns() % 10**9
    for number in range(start, start + 10**9):
        seed(number)(quiet(given(examples)(test)))()
        if time.monotonic() > deadline:
            return


def test_zips_that_are_damaged(attempt):
    for_a_while(attempt, damaged(), share=0.7)


def test_zips_of_strange_members(attempt):
    for_a_while(attempt, zips(), share=0.2)


def test_bytes(attempt):
    starts = st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06"])
    for_a_while(attempt, st.builds(bytes.__add__, starts, st.binary()), share=0.1)
