"""Random classes, with names from all of Unicode: every hand-in comes out exactly once, and nothing else is raised."""

import contextlib
import os
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.core.errors import BadSubmission, ConfigurationError
from autograder.intake import download, submission
from tests.grader.support.configs import archive_limits
from tests.grader.support.handins import zip_bytes

LIMITS = archive_limits(20 << 20, 200)
FUNCTIONS = ("im2col", "col2im")
EXAMPLES = int(os.environ.get("RANDOM_CLASSES", "25"))
"""Of each test. A thousand take some minutes."""

PRINTABLE = st.characters(exclude_characters="/\\\0", exclude_categories=["Cs"])
TRICKY = st.sampled_from("aAäÄßﬁ\u0308\u200b\u202e\n\r\t \u3000.-~=_ (1)C:\U0001f600\u2028")
NAME = (st.text(PRINTABLE, min_size=1, max_size=20) | st.text(TRICKY, min_size=1, max_size=8)).filter(
    lambda name: name not in (".", "..")
)
LONG = st.integers(60, 700).map("é".__mul__)
KIND = st.sampled_from(["py", "zip", "folder", "deep", "nothing"])
HAND_INS = st.lists(st.tuples(NAME | LONG, KIND), min_size=1, max_size=8)


def members(hand_ins):
    """Return the files of these hand-ins, each with a number in it that is its own; and the names at the top."""
    found, top = [], []
    for number, (name, kind) in enumerate(hand_ins):
        source = f"def im2col(): return {number}\ndef col2im(): ...\n".encode()
        files = {
            "py": [(f"{name}.py", source)],
            "zip": [(f"{name}.zip", zip_bytes([("hw/layers.py", source)]))],
            "folder": [(f"{name}/layers.py", source), (f"{name}/notes.txt", b"")],
            "deep": [(f"{name}/src/layers.py", source), (f"{name}/{'x/' * 30}y.py", source)],
            "nothing": [(f"{name}/notes.txt", b"")],
        }[kind]
        found += files
        top.append(files[0][0].split("/")[0])
    return found, top


def numbers(entries, place):
    """Return the number in every hand-in that can be read, as a worker would see it."""
    seen = []
    for index, entry in enumerate(entries):
        into = place / f"copy-{index}"
        into.mkdir()
        with contextlib.suppress(BadSubmission):
            taken = submission.read(entry.path, into, required="layers.py", limits=LIMITS)
            seen.append((into / taken.files[taken.files.index("layers.py")]).read_bytes().split()[3])
    return seen


def written(place, files):
    """Write the files as far as this file system takes them; return the names at the top."""
    for name, data in files:
        with contextlib.suppress(OSError):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            with open(place / name, "xb") as file:
                file.write(data)
    return os.listdir(place)


def checked(found, place):
    """Check what holds of every class; return how often each number was seen."""
    names = [entry.name for entry in found.entries]
    assert len({name.casefold() for name in names}) == len(names)
    for name in names:
        (place / "out" / name).mkdir(parents=True)
    seen = Counter(numbers(found.entries, place))
    assert all(times == 1 for times in seen.values())
    assert found.recognised
    for sentence in [found.recognised, *found.problems]:
        assert sentence
    return seen


def is_taken(name):
    junk = name in ("__MACOSX", "__pycache__") or name.startswith((".", "__"))
    return not junk


@settings(max_examples=EXAMPLES, deadline=None)
@given(HAND_INS)
def test_a_folder(hand_ins):
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "class").mkdir()
        files, _ = members(hand_ins)
        top = written(place / "class", files)
        try:
            found = download.read(place / "class", "layers.py", lambda: place, asked="class", functions=FUNCTIONS)
        except ConfigurationError:
            assert not any(map(is_taken, top))
            return
        if not found.platform:
            assert len(found.entries) == len([*filter(is_taken, top)])
        checked(found, place)


@settings(max_examples=EXAMPLES, deadline=None)
@given(HAND_INS, st.integers(0, 3))
def test_a_zip(hand_ins, twins):
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "scratch").mkdir()
        files, top = members(hand_ins)
        files += files[:twins]  # the same bytes under the same name: once
        (place / "class.zip").write_bytes(zip_bytes(files))
        found = None
        with contextlib.suppress(ConfigurationError):
            found = download.read(
                place / "class.zip", "layers.py", lambda: place / "scratch", asked="class", functions=FUNCTIONS
            )
        if found is None:
            assert not any(map(is_taken, top))
            return
        astray = any("leads out of" in problem for problem in found.problems)
        if not found.platform and not astray:
            loose = {(name, data) for name, data in files if "/" not in name and is_taken(name)}
            folders = {name.split("/")[0] for name, _ in files if "/" in name}
            assert len(found.entries) == len(loose) + len([*filter(is_taken, folders)])
        checked(found, place)


@settings(max_examples=EXAMPLES, deadline=None)
@given(HAND_INS, st.booleans())
def test_whatever_is_pointed_at_is_recognised_or_refused(hand_ins, packed):
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "scratch").mkdir()
        files, _ = members(hand_ins)
        if packed:
            (place / "class").write_bytes(zip_bytes(files))
        else:
            (place / "class").mkdir()
            written(place / "class", files)
        with contextlib.suppress(ConfigurationError):
            found = download.read(place / "class", "layers.py", lambda: place / "scratch", functions=FUNCTIONS)
            checked(found, place)


PEOPLE = st.dictionaries(
    st.integers(1, 10**9),
    st.tuples(
        st.text(st.characters(categories=["Ll", "Lo", "Lu"]), min_size=1, max_size=12),
        st.booleans(),
        st.sets(st.sampled_from(["tools.py", "notes.pdf", "im2col_fast.py", "shot.png"]), max_size=3),
    ),
    min_size=1,
    max_size=10,
)


@pytest.mark.parametrize("packed", [False, True])
@settings(max_examples=EXAMPLES, deadline=None)
@given(PEOPLE)
def test_every_student_of_a_canvas_download(packed, people):
    files: list[tuple[str, bytes]] = []
    for number, (user, (name, late, others)) in enumerate(people.items()):
        source = f"def im2col(): return {number}\ndef col2im(): ...\n".encode()
        for file in ("layers.py", *sorted(others)):
            prefix = f"{name}{'_LATE' * late}_{user}_{90_000 + len(files)}"
            files.append((f"{prefix}_{file}", source if file == "layers.py" else b"%PDF" if "." not in file else b""))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "scratch").mkdir()
        if packed:
            (place / "class").write_bytes(zip_bytes(files))
        else:
            (place / "class").mkdir()
            written(place / "class", files)
        found = download.read(place / "class", "layers.py", lambda: place / "scratch", functions=FUNCTIONS)
        assert found.platform == "Canvas"
        assert sorted(entry.ids[0] for entry in found.entries) == sorted(f"canvas {user}" for user in people)
        assert sum(len(entry.files) for entry in found.entries) == len(files)
        assert checked(found, place).total() == len(people)
        lateness = {entry.ids[0]: entry.late for entry in found.entries}
        assert lateness == {f"canvas {user}": late for user, (_, late, _) in people.items()}
