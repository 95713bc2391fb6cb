"""Hostile submissions graded as a whole: nobody gains a point, and the grader's memory stays small.

Each is the model answer with a file of ``attacks/handins/`` at its end. They are graded as root and as a plain user.
"""

import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import pytest

from autograder.sandbox.interpreter import interpreter
from tests.grader.attacks.modes import MODES, PLAIN_USER
from tests.grader.support import ROOT

HANDINS = ROOT / "tests" / "grader" / "attacks" / "handins"
MODEL = (ROOT / "solutions" / "layers.py").read_text(encoding="utf-8")
GRADE = r"""
import gc, re, sys
gc.disable()  # what is freed must not depend on when a version of Python looks for cycles
from pathlib import Path
from autograder.core import config
from autograder.grading.grader import Grader
grade = Grader(config.load(Path(sys.argv[1]))).grade(Path(sys.argv[2]), Path(sys.argv[3]))
peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]  # ru_maxrss holds the parent's, too
print(grade.score, int(peak) // 1024, grade.remark)
"""
MOST_MIB = 150
"""What a grader may use, whatever workers send; Gradescope's smallest machine has 768, and a worker may have 512."""
ONE_OF_ALL = ("shares_denied",)
"""What the quick suite tries."""
LOST = {
    "big_results": 97,
    "big_within_bounds": 97,
    "big_inputs_afterwards": 4,
    "big_text": 100,
    "shares_denied": 4,
    "stand_ins_as_oracle": 24,
    "stand_ins_flooded": 7,
    "stand_ins_remembered": 7,
    "text_in_hints": 3,
    "work_while_idle": 13.5,
}
"""How many points each loses at least: those of what it breaks."""


@pytest.fixture
def graded():
    """Grade a source as root or as a plain user; return results.json and the grader's peak in MiB."""
    with tempfile.TemporaryDirectory(prefix="hostile-") as made:  # pytest's own folders are closed to a plain user
        folder = Path(made)
        folder.chmod(0o755)
        yield functools.partial(grade, folder)


def grade(folder, name, mode):
    python, user = sys.executable, None
    if MODES[mode].missing:
        pytest.skip(MODES[mode].missing)
    if mode == "plain" and os.geteuid() == 0:
        python, user = interpreter(for_others=True)[0], PLAIN_USER
    (folder / "layers.py").write_text(MODEL + (HANDINS / f"{name}.py").read_text(encoding="utf-8"), encoding="utf-8")
    out = folder / "out"
    out.mkdir()
    if user is not None:
        os.chown(out, user, user)
    packages = str(Path(numpy.__file__).parents[1])
    ran = subprocess.run(
        [python, "-B", "-c", GRADE, ROOT / "config.yaml", folder / "layers.py", out / "results.json"],
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join((str(ROOT), packages)), "TMPDIR": "/tmp"},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    score, peak, *_ = ran.stdout.split()
    assert score != "None", ran.stdout
    return json.loads((out / "results.json").read_text(encoding="utf-8")), int(peak)


def cases():
    for mode in ("root", "plain"):
        for path in sorted(HANDINS.glob("*.py")):
            quick = path.stem in ONE_OF_ALL and mode == "plain"
            yield pytest.param(path.stem, mode, marks=() if quick else pytest.mark.heavy, id=f"{path.stem}-{mode}")


@pytest.mark.parametrize(("name", "mode"), list(cases()))
def test_nothing_is_gained(graded, name, mode):
    results, peak = graded(name, mode)
    assert results["score"] <= 100 - LOST[name]
    assert peak <= MOST_MIB
    shown = "\n".join([results["output"], *(test["output"] for test in results["tests"])])
    assert "STAFF" not in shown
    # A busy machine may let the grader come late once. Without stopping, it would be many in every test.
    assert sum("turns: many" in test["output"] for test in results["tests"]) <= 1
    assert ("turns: few" in shown) == (name == "work_while_idle")


def test_every_hand_in_has_its_line():
    assert set(LOST) == {path.stem for path in HANDINS.glob("*.py")}
