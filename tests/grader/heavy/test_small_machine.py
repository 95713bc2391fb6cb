"""Grading on a machine with 0.75 GB of memory, the smallest that Gradescope has: a real control group limits it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.grader.support import ROOT, SUBMISSIONS

pytestmark = pytest.mark.heavy

LIMIT = 750 << 20
MODEL = (ROOT / "solutions" / "layers.py").read_text(encoding="utf-8")
LOOPS = MODEL + (SUBMISSIONS / "speed" / "loops" / "everywhere.py").read_text(encoding="utf-8")
HOSTILE = {
    **{
        path.stem: MODEL + path.read_text() for path in (ROOT / "tests" / "grader" / "attacks" / "handins").glob("*.py")
    },
    **{
        name: LOOPS + (SUBMISSIONS / "speed" / "cheats" / f"{name}.py").read_text()
        for name in ("cache_storm", "threads")
    },
    **{
        name: (SUBMISSIONS / "sample" / name / "layers.py").read_text()
        for name in ("memory-hog", "infinite-loop", "returns-garbage")
    },
}
"""Who tries to take more memory or time than there is."""


@pytest.fixture
def group():
    """A control group that holds 0.75 GB and nothing yet."""
    first, second = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
    place, name = (first, "memory.limit_in_bytes") if first.is_dir() else (second, "memory.max")
    folder = place / f"small-machine-{os.getpid()}"
    try:
        folder.mkdir()
        (folder / name).write_text(str(LIMIT))
    except OSError as error:
        pytest.skip(f"no control group for memory can be made here: {error}")
    yield folder
    folder.rmdir()


@pytest.fixture
def hand_ins(tmp_path):
    """The model answer, and the hostile ones."""
    folder = tmp_path / "class"
    folder.mkdir()
    for name, source in {"model": MODEL, **HOSTILE}.items():
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
    return folder


def test_everybody_is_graded(group, hand_ins, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "autograder", "grade", str(hand_ins), "--out", str(out), "--jobs", "1"]
    ran = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=1800,
        preexec_fn=lambda: (group / "cgroup.procs").write_text(str(os.getpid())),
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "grader fault" not in ran.stdout
    scores = {
        path.stem: json.loads((out / path.stem / "results.json").read_text(encoding="utf-8"))["score"]
        for path in hand_ins.glob("*.py")
    }
    assert scores.pop("model") == 100
    assert set(scores) == set(HOSTILE)
    assert max(scores.values()) < 100
