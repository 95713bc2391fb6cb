"""Tests of large inputs as the engine runs them, on the toy homework: when they run, and what a student reads."""

import pytest

from autograder.core import config
from autograder.grading import grader

HIDDEN = '''\
def lap(layers, draw, height, width):
    x = draw(height, width)
    out, cache = layers.halve(x)
    yield {"out": out}
    yield {"x": layers.unhalve(out, cache)}


SIZES = (3, 4), (20, 30), (200, 300)


def test_halve_large(large):
    """halve: right on large inputs too."""
    large(lap, SIZES, over="entries", inputs="images")


def test_unhalve_large(large):
    """unhalve: right on large inputs too."""
    large(lap, SIZES, over="entries", inputs="images")


def test_double(student, check):
    """double: twice the input."""
    import numpy as np

    check.array("y", student.double(np.array([1.0])), np.array([2.0]))
'''
POINTS = {"test_halve_large": 1, "test_unhalve_large": 1, "test_double": 1, "test_double_example": 1}

RIGHT = "def double(x): return 2 * x\ndef halve(x): return x / 2, None\ndef unhalve(out, cache): return 2 * out\n"
FROM = (
    "It is right on small images, up to {} entries, and wrong from {} entries on: look for index arrays of 8 or 16 "
    "bits, and for blocks of a fixed size"
)


@pytest.fixture
def graded(toy):
    """Grade a source; return how every test ended: outcome, message and function."""
    toy.set_tests(hidden=HIDDEN, **POINTS)

    def graded(source):
        ended = {}

        def progress(result):
            (case,) = result.cases
            ended[result.name] = case.outcome, case.message, case.function

        grade = grader.Grader(config.load(toy.config)).grade(toy.hand_in(source), toy.root / "results.json", progress)
        assert grade.score is not None, grade.remark
        return ended

    return graded


def test_a_right_function_passes_after_all_others(graded):
    ended = graded(RIGHT)
    assert {outcome for outcome, *_ in ended.values()} == {"passed"}
    assert list(ended)[-2:] == ["test_halve_large", "test_unhalve_large"]


@pytest.mark.parametrize(
    ("wrong", "right_up_to", "wrong_from"),
    [("if x.size > 500: out.flat[-1] = 0", 12, 600), ("if x.size > 50000: out[-1] = 0", 600, 60000)],
)
def test_it_is_said_where_a_mistake_begins(graded, wrong, right_up_to, wrong_from):
    source = RIGHT.replace(
        "def halve(x): return x / 2, None", f"def halve(x):\n out = x / 2\n {wrong}\n return out, None"
    )
    outcome, message, function = graded(source)["test_halve_large"]
    assert (outcome, function) == ("wrong", "halve")
    assert message.startswith("out differs in ")
    assert message.endswith(f". {FROM.format(right_up_to, wrong_from)}")


def test_the_same_is_said_of_an_exception(graded):
    source = RIGHT.replace("return x / 2, None", "return (x / 2 if len(x) < 200 else x.nothing), None")
    outcome, message, function = graded(source)["test_halve_large"]
    assert (outcome, function) == ("raised", "halve")
    assert message.startswith("halve(x (200,300)) raised AttributeError: ")
    assert message.endswith(f". {FROM.format(600, 60000)}")


def test_what_is_wrong_on_small_inputs_too_is_not_blamed_on_the_size(graded):
    outcome, message, _ = graded(RIGHT.replace("x / 2", "x / 3"))["test_halve_large"]
    assert outcome == "wrong"
    assert message.endswith("entries, first at [0, 0], and it is wrong on small images as well")


def test_a_function_does_not_pay_for_the_one_before_it(graded):
    ended = graded(RIGHT.replace("return x / 2, None", "return x / (2 if len(x) < 200 else 1), None"))
    assert ended["test_halve_large"][0] == "wrong"
    ended = graded(RIGHT.replace("return x / 2, None", "return x.nothing, None"))
    assert ended["test_unhalve_large"] == ("not run", "needs halve, which raised an exception", "halve")


def test_a_model_answer_that_fails_is_our_fault(toy):
    toy.set_tests(hidden=HIDDEN, **POINTS)
    (toy.root / "answers/toy.py").write_text(RIGHT.replace("x / 2", "x.nothing"))
    grade = grader.Grader(config.load(toy.config)).grade(toy.hand_in(RIGHT), toy.root / "results.json")
    assert grade.score is None
    assert "the model answer fails on large inputs: halve(x (200,300)) raised AttributeError" in grade.remark
