"""Hand-ins that ended a whole class: graded beside their neighbours, who keep their grades, also in a second run."""

import contextlib
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from autograder.classroom import run
from autograder.classroom.job import ClassJob
from autograder.sandbox.interpreter import open_to_others
from tests.grader.support.handins import zip_bytes
from tests.grader.support.slices import smoke

ROOT = Path(__file__).parents[3]


class Follower:
    def graded(self, name, grade):
        pass

    def tested(self, result):
        pass


@pytest.fixture
def scores(toy):
    """Grade what is at a place, twice; return the scores in grades.csv, the announcements and the problems."""

    def scores(source, **more):
        said: list[str] = []
        order = ClassJob(source, toy.root / "results", toy.config, **{"jobs": 1, **more})
        for _ in range(2):
            said.clear()
            done = run.mark(order, said.append, lambda total: contextlib.nullcontext(Follower()))
        with (toy.root / "results/grades.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))[1:]
        return {row["submission"]: row["score"] for row in rows}, said, done.problems

    return scores


BOOKS = ("grades.csv", "overrides.csv", "canvas.csv", "report.html", "changes.csv", "only")


@pytest.mark.parametrize("name", smoke(BOOKS, ("grades.csv", "only")))
def test_a_hand_in_with_the_name_of_a_book(toy, scores, name):
    toy.hand_in(name=f"{name}.py")
    toy.hand_in(name="alice.py")
    found, said, problems = scores(toy.root / "handed in")
    assert found == {"alice": "10", f"{name} (hand-in)": "10"}
    assert said[0] == "Class: 2 hand-ins (2 .py files, each a submission of its own)."
    assert (toy.root / "results/grades.csv").is_file()
    assert f"{name}.py is called {name} (hand-in) here: its own name is hidden, or one of ours" in problems


def test_deep_folders(toy, scores):
    for name in ("alice", "mallory"):
        toy.hand_in(name=f"{name}/toy.py")
    place = toy.root / "handed in/mallory"
    descriptors = [os.open(place, os.O_RDONLY)]
    for _ in range(1200):
        os.mkdir("a", dir_fd=descriptors[-1])
        descriptors.append(os.open("a", os.O_RDONLY, dir_fd=descriptors[-1]))
        os.close(descriptors[-2])
    os.close(descriptors[-1])
    try:
        assert scores(toy.root / "handed in")[0] == {"alice": "10", "mallory": "10"}
    finally:
        subprocess.run(["rm", "-rf", str(place)], check=True)  # pytest's own removal is recursive


@pytest.mark.heavy
def test_a_class_zip_with_every_kind_of_harm(toy, scores, tmp_path):
    source = toy.SOLUTION.encode()
    members = [(f"{name}/toy.py", source) for name in ("alice", "bob", "deep", "long", "twice", "both", "bomb")]
    members += [("deep/" + "a/" * 1200 + "x", b""), ("long/" + "x" * 4000, b""), ("twice/toy.py", b"x = 1")]
    members += [("both/data", b"1"), ("both/data/x", b"1"), ("bomb/zeros", bytes(60 << 20))]
    (tmp_path / "Lab 3.zip").write_bytes(zip_bytes(members))
    found, said, problems = scores(tmp_path / "Lab 3.zip")
    assert found == dict.fromkeys(["alice", "bob", "both", "deep", "long"], "10") | {"bomb": "0", "twice": "0"}
    assert said[0].startswith("Class: 7 hand-ins (7 folders")
    assert problems == []


def test_a_fake_export_names_nobody(toy, scores):
    for name in ("victim", "mallory"):
        toy.hand_in(toy.SOLUTION if name == "victim" else "raise SystemExit", f"{name}/toy.py")
    people = {"victim": "Mallory", "mallory": "Victim"}
    text = "".join(f"{name}:\n  :submitters:\n  - :name: {who}\n    :sid: '1'\n" for name, who in people.items())
    (toy.root / "handed in/submission_metadata.yml").write_text(text)
    found, said, problems = scores(toy.root / "handed in")
    assert found == {"mallory": "0", "victim": "10"}
    assert said[0].startswith("Class: 2 hand-ins")
    assert problems[0].startswith("submission_metadata.yml was not read")
    assert "Victim" not in (toy.root / "results/grades.csv").read_text()


def test_a_package_that_shadows_the_file(toy, scores):
    toy.hand_in(name="alice.py")
    toy.hand_in("raise NotImplementedError('innocent')", "mallory/toy.py")
    toy.hand_in(name="mallory/toy/__init__.py")
    assert scores(toy.root / "handed in")[0] == {"alice": "10", "mallory": "0"}
    results = json.loads((toy.root / "results/mallory/results.json").read_text())
    said = "The submission contains toy/__init__.py beside toy.py: Python would import the folder instead"
    assert said in results["output"]


def test_canvas_files_of_one_student_are_one_row(toy, scores):
    toy.hand_in("from tools import double, halve, unhalve\n", "leeann_501_9001_toy.py")
    toy.hand_in(name="leeann_501_9002_tools.py")
    toy.hand_in(name="moraben_LATE_502_9003_toy-1.py")
    found, said, _ = scores(toy.root / "handed in")
    assert found == {"leeann_501_9001_toy": "10", "moraben_LATE_502_9003_toy-1": "10"}
    assert said[0].startswith("Canvas download: 2 students, 3 files (")


def test_a_name_collision_renames_only_the_pair(toy, scores):
    for name in ("a0001", "a0002", "a0003"):
        toy.hand_in(name=f"{name}.py")
    (toy.root / "handed in/a0001.zip").write_bytes(zip_bytes([("toy.py", toy.SOLUTION.encode())]))
    (toy.root / "handed in/Thumbs.db").write_bytes(b"\0")
    found, _, problems = scores(toy.root / "handed in")
    assert found == dict.fromkeys(["a0001.py", "a0001.zip", "a0002", "a0003"], "10")
    assert problems[0] == "not hand-ins, so left out: Thumbs.db"


UNREADABLE = """
import sys, tempfile
from pathlib import Path
from typing import Any
from autograder.classroom.journal import _add
from autograder.core.sections import Limits
from autograder.core.errors import BadSubmission
from autograder.intake import download, submission
import hashlib
place = Path(sys.argv[1])
limits = Limits.model_construct(archive_mib=1, archive_files=9)
found = download.read(place, "toy.py", lambda: Path(tempfile.mkdtemp()), functions=["double"])
for entry in found.entries:
    digest = hashlib.sha256()
    _add(digest, entry.path, strict=False)
    into = Path(tempfile.mkdtemp())
    try:
        submission.read(entry.path, into, required="toy.py", limits=limits)
        print(entry.name, "read")
    except BadSubmission as refusal:
        print(entry.name, refusal.message)
"""


def test_what_may_not_be_read_costs_its_own_submission():
    """As a user without rights: root may read everything."""
    if os.getuid() == 0 and not open_to_others(Path(sys.executable)):
        pytest.skip("another user cannot run this Python")
    place = Path(tempfile.mkdtemp())
    try:
        source = "def double(x): return x\n"
        for name in ("alice.py", "bob/toy.py", "bob/data/x.csv", "cy/toy.py", "dora.py", "eve/toy.py", "eve/src/x.py"):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(source)
        for name in ("bob/data", "cy/toy.py", "dora.py", "eve"):
            (place / name).chmod(0)
        user: dict[str, Any] = {"user": 65534, "group": 65534, "extra_groups": []} if os.getuid() == 0 else {}
        if user:
            for path in (place, *place.rglob("*")):
                os.chown(path, 65534, 65534, follow_symlinks=False)
        environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "TMPDIR": str(place.parent)}
        done = subprocess.run(
            [sys.executable, "-c", UNREADABLE, str(place)],
            capture_output=True,
            text=True,
            cwd="/",
            env=environment,
            check=False,
            **user,
        )
        if "PermissionError" in done.stderr and "autograder" not in done.stderr.splitlines()[-1]:
            pytest.skip("another user cannot run this Python or read this checkout")
        why = "cannot be read, since its permissions forbid it. Allow reading it"
        lines = dict(line.split(" ", 1) for line in done.stdout.splitlines())
        assert lines.keys() == {"alice", "bob", "cy", "dora", "eve"}, done.stderr
        assert lines["alice"] == lines["bob"] == "read"
        assert lines["cy"].startswith(f"the submission: toy.py {why}")
        assert lines["dora"].startswith(f"the submission: dora.py {why}")
        assert lines["eve"].startswith(f"the submission: eve {why}")
    finally:
        for path in (place, *place.rglob("*")):
            path.chmod(0o700)
        shutil.rmtree(place)
