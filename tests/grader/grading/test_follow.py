"""Follow-through marks: what fails because of an earlier function, and what a hostile submission makes of it."""

# mypy: ignore-errors
# A homework and submissions put together from text.

import json
from pathlib import Path

import numpy as np
import pytest

from autograder.core import config
from autograder.grading.grader import Grader
from autograder.grading.standins import StandIns, answering, question_key
from autograder.sandbox.worker import wire
from tests.grader.support import toy as toy_homework
from tests.grader.support.slices import smoke

SOLUTION = """\
def double(x):
    return 2 * x

def halve(x):
    return double(x) / 4, x.shape

def unhalve(out, cache):
    return double(out.reshape(cache))
"""
WRONG = SOLUTION.replace("return 2 * x", "return 3 * x")
CREDITED = {"test_double_example": 0, "test_double": 0, "test_halve": 2, "test_unhalve": 4}
NOTHING = {**CREDITED, "test_halve": 0, "test_unhalve": 0}


@pytest.fixture
def grade(toy):
    """Grade a source; return results.json."""

    def grade(source, helpers=None, right=SOLUTION, **settings):
        (toy.root / "answers/toy.py").write_text(right)
        toy.configure(**settings)
        folder = toy.root / "handed in" / "ann"
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in {"toy.py": source, **(helpers or {})}.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
        path = toy.root / "results.json"
        graded = Grader(config.load(toy.config)).grade(folder, path)
        assert graded.score is not None, graded.remark
        return json.loads(path.read_text())

    return grade


def scores(results):
    return {test["extra_data"]["test"]: test["score"] for test in results["tests"]}


def outputs(results):
    return {test["extra_data"]["test"]: test["output"] for test in results["tests"]}


# What is carried.


def test_one_mistake_one_price(grade):
    results = grade(WRONG)
    assert scores(results) == CREDITED
    assert results["score"] == 6
    ended = {test["extra_data"]["test"]: test["extra_data"]["outcome"] for test in results["tests"]}
    assert ended == {
        "test_double_example": "wrong",
        "test_double": "wrong",
        "test_halve": "carried",
        "test_unhalve": "carried",
    }
    assert outputs(results)["test_halve"] == (
        "Carried: with a right double this passes.\nThey get their points: the mistake is paid for where it was made."
    )
    assert outputs(results)["test_unhalve"].startswith(
        "Carried: with a right double 2 of 2 cases pass that fail with yours.\n"
    )
    assert "0 + 6 carried: tests that fail only because of an earlier function get their points." in results["output"]
    assert "With a right double you would have 10 of 10." in results["output"]
    assert "Some tests fail only because of an earlier function, for: halve, unhalve." in results["output"]
    assert results["extra_data"]["carried"] == 6
    extra = {test["extra_data"]["test"]: test["extra_data"] for test in results["tests"]}
    assert extra["test_unhalve"]["carried"] == 4
    assert extra["test_unhalve"]["cases"]["one"]["stand_ins"] == ["double"]
    assert "carried" not in extra["test_double"]


def test_explain_only_says_it(grade):
    results = grade(WRONG, follow_through="explain")
    assert scores(results) == NOTHING
    assert "With a right double this passes." in outputs(results)["test_halve"]
    assert "With a right double you would have 10 of 10." in results["output"]
    assert results["extra_data"]["carried"] == 0


def test_off_tries_nothing(grade):
    results = grade(WRONG, follow_through=False)  # as YAML reads the word off
    assert scores(results) == NOTHING
    assert "right double" not in json.dumps(results)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("raise ValueError", id="raises"),
        pytest.param("return None", id="none"),
        pytest.param("import os; os._exit(1)", id="exits"),
        pytest.param("while True: pass", marks=pytest.mark.heavy, id="hangs"),
        pytest.param("return [0] * 10**9", id="memory"),
    ],
)
def test_an_earlier_function_that_is_of_no_use(grade, body):
    assert scores(grade(SOLUTION.replace("return 2 * x", body), limits={"call_seconds": 1})) == CREDITED


@pytest.mark.parametrize(
    ("source", "helpers"),
    [
        ("from maths import double\n" + WRONG.split("\n\n", 1)[1], {"maths.py": WRONG.split("\n\n")[0]}),
        ("from pack.maths import *\n" + WRONG.split("\n\n", 1)[1], {"pack/__init__.py": "", "pack/maths.py": WRONG}),
        (WRONG.replace("def halve", "twice = double\n\ndef halve").replace("return double(", "return twice("), {}),
        (WRONG.replace("return double(x)", "from toy import double as d; return d(x)"), {}),
        (WRONG.replace("double(x) / 4", "double(x=x) / 4"), {}),
    ],
    ids=["helper", "package", "alias", "imported late", "keyword"],
)
def test_however_the_earlier_function_is_called(grade, source, helpers):
    assert scores(grade(source, helpers)) == CREDITED


@pytest.mark.parametrize(
    "source",
    [
        WRONG.replace("double(x) / 4, x.shape", "3 * x / 4, x.shape").replace("double(out", "3 * (out"),
        WRONG.replace("double(x) / 4", "double(x) / 5").replace("double(out.reshape", "7 * double(out.reshape"),
        WRONG.replace("double(x) / 4", "double([x]) / 4").replace("double(out.reshape(cache))", "double({1: out})"),
    ],
    ids=["own copy", "a mistake of its own", "asks for what cannot be asked"],
)
def test_nothing_is_claimed(grade, source):
    results = grade(source)
    assert scores(results) == NOTHING
    assert "right double" not in json.dumps(results)


def test_what_passes_with_the_own_function_is_not_tried(grade):
    assert scores(grade(SOLUTION)) == {"test_double_example": 1, "test_double": 3, "test_halve": 2, "test_unhalve": 4}


LARGE = """
def lap(layers, draw, height, width):
    out, _ = layers.halve(draw(height, width))
    yield {"out": out}

def test_halve_large(large):
    \"\"\"halve: right on large inputs too.\"\"\"
    large(lap, [(3, 4), (200, 300)], over="entries")
"""


def test_large_inputs_are_carried_as_well(grade, toy):
    toy.set_tests(hidden=toy_homework.HIDDEN + LARGE, **toy_homework.POINTS, test_halve_large=5)
    assert scores(grade(WRONG)) == {**CREDITED, "test_halve_large": 5}


HYBRID = WRONG.replace(
    "return double(x) / 4, x.shape", "return (x / {small} if x.size < 20 else double(x) / 4), x.shape"
)


@pytest.mark.parametrize(("small", "score"), [(2, 5), (3, 0)], ids=["right", "a mistake of its own"])
def test_large_inputs_are_tried_unless_smaller_ones_fail_and_ask_for_nothing(grade, toy, small, score):
    toy.set_tests(hidden=toy_homework.HIDDEN + LARGE, **toy_homework.POINTS, test_halve_large=5)
    assert scores(grade(HYBRID.format(small=small)))["test_halve_large"] == score


def test_a_public_test_sees_changes_to_its_arrays_again(grade, toy):
    public = toy_homework.PUBLIC + (
        '\ndef test_halve_example(toy):\n    """halve: x stays."""\n    import numpy as np\n    x = np.ones(2)\n'
        "    out, _ = toy.halve(x)\n    assert out.tolist() == [0.5, 0.5] and x.tolist() == [1, 1]\n"
    )
    toy.set_tests(public=public, **toy_homework.POINTS, test_halve_example=5)
    changing = WRONG.replace("return double(x) / 4, x.shape", "out = double(x) / 4; x[:] = 0; return out, x.shape")
    assert scores(grade(WRONG))["test_halve_example"] == 5
    assert scores(grade(changing))["test_halve_example"] == 0


# Two earlier functions, and one that keeps a cache.

RIGHT = """\
def first(x):
    return 2 * x

def second(x):
    return 3 * x

def third(x, option=0):
    return first(second(x)), 0
"""
FUNCTIONS = {"first": ["y"], "second": ["y"], "third": ["out", "cache"]}
TESTS = """\
import numpy as np

def test_first(student, check):
    \"""first: twice.\"""
    check.array("y", student.first(np.array([1.0, 2.0])), np.array([2.0, 4.0]))

def test_second(student, check):
    \"""second: three times.\"""
    check.array("y", student.second(np.array([1.0, 2.0])), np.array([3.0, 6.0]))

def test_third(student, check):
    \"""third: six times.\"""
    check.array("out", student.third(np.array([1.0, 2.0]))[0], np.array([6.0, 12.0]))
"""
THREE = {"test_first": 1, "test_second": 1, "test_third": 4}


@pytest.fixture
def three(toy, grade):
    """Grade a source with three functions; return the points of each test."""

    def three(source, right=RIGHT, tests=TESTS, **points):
        toy.set_tests(hidden=tests, public="", **(points or THREE))
        for name in ("oracle", "cases"):
            (toy.root / f"answers/{name}.py").write_text(right)
        toy.set_cases(numbers={"one": {"x": np.array([1.0])}})
        homework = json.loads(toy.config.read_text())["homework"]
        toy.configure(homework=homework | {"functions": FUNCTIONS, "opaque": ["cache"]})
        return scores(grade(source, right=right))

    return three


def test_two_mistakes_are_tried_together_and_each_alone(three):
    source = RIGHT.replace("2 * x", "5 * x").replace("3 * x", "7 * x")
    assert three(source) == {"test_first": 0, "test_second": 0, "test_third": 4}


def test_what_depends_on_its_own_wrong_function_may_pass_with_the_other_one_right(three):
    """With both right it asks for `second`, cannot use a row, and never comes to `first`."""
    source = RIGHT.replace("2 * x", "5 * x").replace("3 * x", "(3 * x).reshape(-1, 1)")
    source = source.replace("first(second(x))", "first(second(x)[:, 0])")
    assert three(source) == {"test_first": 0, "test_second": 0, "test_third": 4}


THIRD_LARGE = """
def lap(layers, draw, height, width):
    out, _ = layers.third(draw(height, width))
    yield {"out": out}

def test_third_large(large):
    \"""third: right on large inputs too.\"""
    large(lap, [(3, 4), (200, 300)], over="entries")
"""


def test_a_smaller_case_that_raises_before_it_asks_says_nothing_of_large_inputs(three):
    tests = (TESTS + THIRD_LARGE).replace("2.0]))[0], np.array([6", "2.0]), 1)[0], np.array([6")
    source = RIGHT.replace("2 * x", "5 * x").replace(
        "0):\n    return", "0):\n    if option: raise ValueError\n    return"
    )
    points = three(source, tests=tests, **THREE, test_third_large=5)
    assert (points["test_third"], points["test_third_large"]) == (0, 5)


@pytest.mark.heavy
def test_a_question_that_hangs_the_model_answer_does_not_spoil_a_test_on_large_inputs(three, toy):
    toy.configure(limits={"call_seconds": 6})
    right = RIGHT.replace("return 2 * x", "import time; time.sleep(3 * (x.size == 7)); return 2 * x")
    large = THIRD_LARGE.replace("    out, _", "    yield {'y': layers.first(draw(height, width))}\n    out, _")
    source = "import numpy as np\n" + RIGHT.replace("2 * x", "5 * x")
    source = source.replace("0):\n    return", "0):\n    if x.size > 100: first(np.ones(7))\n    return")
    assert three(source, right, TESTS + large, **THREE, test_third_large=5)["test_third"] == 4


def test_a_question_too_many_for_one_function_takes_nothing_from_another(three, monkeypatch):
    monkeypatch.setattr("autograder.grading.standins.MOST_QUESTIONS", 30)
    many = '\n\ndef test_third_many(student):\n    "third: many."\n'
    many += "    assert np.array_equal(student.third(np.ones(50))[0], 6 * np.ones(50))\n"
    tests = TESTS.replace("\ndef test_third", f"{many}\ndef test_third")
    source = (
        RIGHT.replace("2 * x", "5 * x")
        .replace("3 * x", "7 * x")
        .replace(
            "    return first(second(x)), 0",
            "    for i in range(x.size if x.size > 10 else 0):\n        second(x[i:])\n    return first(x) * 3, 0",
        )
    )
    assert three(source, tests=tests, test_third_many=4, **THREE)["test_third"] == 4


# What is hostile.

ASK = """
import sys, wire_of_mine as w
def ask(question, arrays=()):
    frame = sys._getframe()
    link = next(o for o in __import__("gc").get_objects() if type(o).__name__ == "Asking")
    w.send(link._connection, {"nonce": link.nonce, "question": question}, arrays)
    return w.receive(link._connection, 2**40)
"""

ATTACKS = {
    "a_function_that_is_no_stand_in": "ask({'function': 'halve', 'args': [{'array': 0}], 'kwargs': {}}, [x])",
    "no_question": "ask(['double'])",
    "an_object": "ask({'function': 'double', 'args': [{'handle': 0}], 'kwargs': {}})",
    "a_missing_array": "ask({'function': 'double', 'args': [{'array': 3}], 'kwargs': {}})",
    "a_private_name": "ask({'function': '_session', 'args': [], 'kwargs': {}})",
    "many_arguments": "ask({'function': 'double', 'args': [{'value': 1}] * 10000, 'kwargs': {}})",
}


HALVING_BY_HAND = "a = ask({'function': 'double', 'args': [{'array': 0}], 'kwargs': {}}, [x])[1][0]"


def test_a_question_that_is_one_is_answered(grade):
    """So that the questions below fail for what they ask, and not for how."""
    source = ASK + WRONG.replace("return double(x) / 4, x.shape", f"{HALVING_BY_HAND}; return a / 4, x.shape")
    results = grade(source, {"wire_of_mine.py": Path(wire.__file__).read_text(encoding="utf-8")})
    assert scores(results)["test_halve"] == 2


@pytest.mark.parametrize("question", smoke(ATTACKS, ("a_function_that_is_no_stand_in", "a_missing_array")))
def test_a_question_that_is_none_ends_the_worker_and_earns_nothing(grade, question):
    wire_source = Path(wire.__file__).read_text(encoding="utf-8")
    source = ASK + WRONG.replace(
        "return double(x) / 4, x.shape", f"a = double(x); {ATTACKS[question]}; return a / 4, x.shape"
    )
    results = grade(source, {"wire_of_mine.py": wire_source})
    assert scores(results)["test_halve"] == 0
    assert scores(results)["test_unhalve"] == 0  # it calls halve first


def test_who_sees_the_stand_in_and_does_not_ask_it_gains_nothing(grade):
    seen = "return (x / 2 if 'worker' in double.__code__.co_filename else x), x.shape"
    results = grade(WRONG.replace("return double(x) / 4, x.shape", seen))
    assert scores(results)["test_halve"] == 0


def test_asking_for_one_thing_and_returning_another_gains_nothing(grade):
    results = grade(WRONG.replace("return double(x) / 4, x.shape", "double(x); return 3 * x, x.shape"))
    assert scores(results)["test_halve"] == 0


def test_a_later_function_is_no_oracle_for_an_earlier_one(grade):
    """`double` is wrong, and halves with the right `halve`: which stands for nothing while double is tried."""
    source = "def double(x):\n    return 4 * halve(x)[0]\n\ndef halve(x):\n    return x / 3, x.shape\n"
    results = grade(source + SOLUTION[SOLUTION.index("\ndef unhalve") :])
    assert scores(results)["test_double"] == 0
    assert scores(results)["test_halve"] == 0


def test_questions_that_hang_or_burst_the_model_answer_cost_the_asker_alone(submit):
    hostile = "def double(x):\n    if x.size == 2:\n        return [0] * 10**9\n    return 2 * x\n"
    right = answering(submit(hostile))
    answers = StandIns(["double"], right)
    question = {"function": "double", "args": [{"array": 0}], "kwargs": {}}
    try:
        for _ in range(3):
            assert answers.answer(question, [np.ones(2)]) == ({}, [])
        assert answers.answer(question, [np.ones(1)]) == ({}, []), "enough is enough"
        assert not answers.asked
    finally:
        right.close()


def test_questions_that_only_look_equal_are_told_apart():
    keys = {question_key("double", [value], {}) for value in (1, 1.0, True, (1, 2), (1.0, 2))}
    assert len(keys) == 5
