"""Follow-through marks in this homework, where three functions can be replaced; see also ``heavy/test_pairs.py``."""

import json
from collections import Counter

import pytest

from autograder.core import config
from autograder.grading import follow
from autograder.grading.grader import Grader
from autograder.grading.standins import StandIns
from tests.grader.support import ROOT

ONE = "\n\ndef conv2d_forward(x, w, b, stride=1, padding=0):\n    return im2col(x, w.shape[2:], stride, padding)\n"
TWO = ONE.replace("return", "conv_output_size(4, 2); return")


@pytest.mark.parametrize(
    ("more", "alone"),
    [("", (2, 1, 0)), (ONE, (4, 1, 2)), (TWO, (4, 3, 2))],
    ids=["asks for none", "asks for one", "asks for two"],
)
def test_right_functions_are_tried_alone_where_it_matters(more, alone, tmp_path, monkeypatch):
    """All three are wrong. Each is tried on the ones after it; alone on a later one unless that would change nothing.

    What asks for nothing is not run again, and what asks for `im2col` not with that one alone. The tests of
    conv2d_backward call conv2d_forward first.
    """
    tried: Counter[tuple[str, ...]] = Counter()

    def recorded(names, *given):
        tried[names] += 1
        return StandIns(names, *given)

    monkeypatch.setattr(follow, "StandIns", recorded)
    starter = (ROOT / "assignment" / "layers.py").read_text(encoding="utf-8")
    (tmp_path / "layers.py").write_text(starter + more, encoding="utf-8")
    grade = Grader(config.load(ROOT / "config.yaml")).grade(tmp_path / "layers.py", tmp_path / "results.json")
    assert grade.score == 0
    assert tuple(tried[name,] for name in ("conv_output_size", "im2col", "col2im")) == alone
    assert tried["conv_output_size", "im2col", "col2im"] == 6


SEES = """
_im2col, _forward = im2col, conv2d_forward

def im2col(x, kernel_size, stride=1, padding=0):
    return _im2col(x, kernel_size, stride, padding) + 1

def sees():
    return "worker" in im2col.__code__.co_filename

def conv2d_forward(x, w, b, stride=1, padding=0):
    while sees(): pass
    return _forward(x, w, b, stride, padding)

def max_pool2d_forward(x, kernel_size, stride):
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel_size, axis=(2, 3))[:, :, ::stride, ::stride]
    return windows.max(axis=(4, 5)) + (not sees()), None
"""


@pytest.mark.heavy
def test_who_does_not_ask_gains_nothing_after_another_function_has_hung(tmp_path):
    source = (ROOT / "solutions" / "layers.py").read_text(encoding="utf-8")
    (tmp_path / "layers.py").write_text(source + SEES, encoding="utf-8")
    results = tmp_path / "results.json"
    Grader(config.load(ROOT / "config.yaml")).grade(tmp_path / "layers.py", results)
    tests = {test["extra_data"]["test"]: test for test in json.loads(results.read_text())["tests"]}
    assert tests["test_max_pool2d_forward"]["score"] == 0
    assert tests["test_im2col"]["score"] == 0
