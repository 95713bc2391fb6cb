"""Two gradings side by side: whatever one of them does to the machine, the other gets the score of a quiet one.

The neighbours are the model answer with a file of ``attacks/neighbours/`` at its end.
"""

import json
import subprocess
import sys

import pytest

from tests.grader.support import ROOT

NEIGHBOURS = sorted((ROOT / "tests" / "grader" / "attacks" / "neighbours").glob("*.py"))
MODEL = (ROOT / "solutions" / "layers.py").read_text(encoding="utf-8")
SLOW_ONCE = """
_calls = [0]


def col2im(cols, x_shape, kernel_size, stride=1, padding=0, _honest=col2im):
    _calls[0] += 1
    if _calls[0] == 1 and not __import__("sys").gettrace():  # where steps are counted it would be no loop of seconds
        entries = np.zeros(4)
        for k in range(8_000_000):  # some seconds of plain Python, where 10 are allowed
            entries[k & 3] += 1.0
    return _honest(cols, x_shape, kernel_size, stride, padding)
"""


@pytest.mark.heavy
@pytest.mark.parametrize("path", NEIGHBOURS, ids=lambda path: path.stem)
def test_a_neighbour_changes_no_score(path, tmp_path):
    hostile = MODEL + path.read_text(encoding="utf-8")
    files = {"0-hostile": hostile, "1-slow": MODEL + SLOW_ONCE, **{f"{n}-model": MODEL for n in range(2, 5)}}
    (tmp_path / "in").mkdir()
    for name, source in files.items():
        (tmp_path / "in" / f"{name}.py").write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "autograder", "grade", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    ran = subprocess.run(
        [*command, "--as", "class", "--jobs", "2"], cwd=ROOT, capture_output=True, text=True, timeout=1200
    )
    assert ran.returncode == 0, ran.stderr
    scores = {
        name: json.loads((tmp_path / "out" / name / "results.json").read_text(encoding="utf-8"))["score"]
        for name in files
    }
    assert scores.pop("0-hostile") == 0
    assert set(scores.values()) == {100}, scores
