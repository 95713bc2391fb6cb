"""A second part for the toy homework: a file of its own, with tests and inputs of its own."""

import json

import numpy as np

from autograder.grading import casefile
from tests.grader.support.toy import Toy

SECOND = """\
import numpy as np


def shift_forward(x):
    return x + 1, x.shape


def shift_backward(dout, cache):
    return dout.reshape(cache).copy()


def flip(x):
    return x[::-1].copy()
"""

TESTS = '''\
import pytest


@pytest.mark.cases("moves")
def test_shift_forward(student, case, check):
    """shift_forward: one more."""
    check.array("out", student.shift_forward(case.x)[0], case.x + 1)


@pytest.mark.cases("moves")
def test_shift_backward(student, case, check):
    """shift_backward: the same."""
    _, cache = student.shift_forward(case.x)
    check.array("dx", student.shift_backward(case.x, cache), case.x)


@pytest.mark.cases("moves")
def test_flip(student, case, check):
    """flip: the other way round."""
    check.array("y", student.flip(case.x), case.x[::-1])
'''

PUBLIC = '''\
def test_flip_example(second):
    """flip: by hand."""
    import numpy as np

    got = second.flip(np.array([1.0, 2.0]))
    assert got.tolist() == [2.0, 1.0], f"y={got.tolist()}, but should be [2.0, 1.0] [flip, by hand]"
'''

POINTS = {"test_shift_forward": 2, "test_shift_backward": 2, "test_flip": 1, "test_flip_example": 1}
FUNCTIONS = {"shift_forward": ["out", "cache"], "shift_backward": ["dx"], "flip": ["y"]}


def add_second(toy: Toy) -> None:
    """Put a second part beside the toy homework, and switch it on, as a bonus."""
    for folder in ("second/open", "second/secret/arrays"):
        (toy.root / folder).mkdir(parents=True)
    for name in ("second", "oracle", "cases"):
        (toy.root / f"second/{name}.py").write_text(SECOND)
    (toy.root / "second/secret/test_second.py").write_text(TESTS)
    (toy.root / "second/open/test_open_second.py").write_text(PUBLIC)
    programs = casefile.hashes(toy.root / "second/oracle.py", toy.root / "second/cases.py")
    groups = {"moves": {"one": {"x": np.array([1.0, 2.0])}, "two": {"x": np.array([3.0, 4.0, 5.0])}}}
    casefile.save(toy.root / "second/secret/arrays", 1, programs, groups)
    content = json.loads(toy.config.read_text())
    places = {"solution": "second.py", "oracle": "oracle.py", "cases": "cases.py"}
    places |= {"public_tests": "open", "hidden_tests": "secret", "fixtures": "secret/arrays"}
    home: dict[str, object] = {key: f"second/{place}" for key, place in places.items()}
    home |= {"required_file": "second.py", "functions": FUNCTIONS, "opaque": ["cache"]}
    tests = {name: {"points": points} for name, points in POINTS.items()}
    (toy.root / "second.yaml").write_text(json.dumps(content | {"homework": home, "tests": tests, "total_points": 6}))
    toy.configure(parts={"second.yaml": {}})
