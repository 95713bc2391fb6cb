"""``make numpys`` prints every difference between two versions, and says what to do if one cannot be had."""

import subprocess
import sys

from tests.grader.numpys import Told, compare
from tests.grader.support import ROOT


def test_what_differs_is_told_with_both_sides():
    usual = {
        "sample/same": Told(100.0, {"im2col": 1.0}, {"": "All passed.", "im2col": ""}),
        "sample/words": Told(0.0, {"im2col": 0.0}, {"": "", "im2col": "only length-1 arrays"}),
        "sample/points": Told(1.0, {"im2col": 1.0}, {"": "", "im2col": ""}),
        "sample/ends": Told(1.0, {"im2col": 1.0}, {"": ""}),
    }
    now = {
        "sample/same": usual["sample/same"],
        "sample/words": Told(0.0, {"im2col": 0.0}, {"": "", "im2col": "only 0-dimensional arrays"}),
        "sample/points": Told(0.5, {"im2col": 0.5}, {"": "", "im2col": ""}),
        "sample/begins": Told(2.0, {}, {}),
    }
    assert list(compare({"2.2.6": usual})) == []
    assert list(compare({"2.2.6": usual, "2.3.5": usual})) == []
    assert list(compare({"2.2.6": usual, "2.3.5": usual, "2.5.5": now})) == [
        "SCORE sample/begins: None with 2.2.6, 2.0 with 2.5.5",
        "SCORE sample/ends: 1.0 with 2.2.6, None with 2.5.5",
        "SCORE sample/ends, im2col: 1.0 with 2.2.6, None with 2.5.5",
        "TEXT sample/ends, summary\n  2.2.6: ''\n  2.5.5: None",
        "SCORE sample/points: 1.0 with 2.2.6, 0.5 with 2.5.5",
        "SCORE sample/points, im2col: 1.0 with 2.2.6, 0.5 with 2.5.5",
        "TEXT sample/words, im2col\n  2.2.6: 'only length-1 arrays'\n  2.5.5: 'only 0-dimensional arrays'",
    ]


def test_a_version_that_cannot_be_had():
    command = [sys.executable, "-m", "tests.grader.numpys", "--versions", "0.0.1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    version = sys.version.split()[0]
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout.splitlines()[-2:] == [
        f"NumPy 0.0.1 cannot be installed for Python {version}.",
        'Name others, like NUMPYS="2.2.6 2.3.5", or another Python, like PYTHON=python3.12.',
    ]
