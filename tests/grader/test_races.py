"""Speed tests as the engine runs them, on the toy homework: when they run, what they earn, what a student reads."""

from fractions import Fraction

import pytest

from autograder import config, cpuclock, feedback, grade, plugin, timing
from autograder.errors import ConfigurationError
from autograder.outcomes import NOT_MEASURED, PASSED, CaseResult, TestResult

HIDDEN = '''\
def test_double_speed(race):
    """double: as fast as the model answer."""

    def lap(layers, draw, clock, size):
        x = draw(size, size)
        with clock:
            y = layers.double(x)
        return {"y": y}

    race(lap, small=8, large=128, over="entries")


def test_halve(student, check):
    """halve: half the input."""
    import numpy as np

    out, _ = student.halve(np.array([4.0]))
    check.array("out", out, np.array([2.0]))


def test_unhalve(student, check):
    """unhalve: undoes halve."""
    import numpy as np

    out, cache = student.halve(np.array([4.0]))
    check.array("x", student.unhalve(out, cache), np.array([4.0]))


def test_double(student, check):
    """double: twice the input."""
    import numpy as np

    check.array("y", student.double(np.array([1.0])), np.array([2.0]))
'''

SPEED = {"points": 4, "full_ratio": 20, "half_ratio": 40}
TESTS = {
    "test_double_speed": SPEED,
    "test_double_example": {"points": 1},
    "test_double": {"points": 1},
    "test_halve": {"points": 2},
    "test_unhalve": {"points": 2},
}

LOOPS = """\
def double(x):
    y = x.copy()
    for i in range(len(x)):
        for j in range(len(x)):
            for _ in range(20):
                y[i, j] = 2 * x[i, j]
    return y
"""


@pytest.fixture
def homework(toy):
    toy.set_tests(hidden=HIDDEN, **{name: settings["points"] for name, settings in TESTS.items()})
    toy.configure(tests=TESTS)
    return toy


@pytest.fixture
def graded(homework):
    """Grade a source; return what every test came to by its name, and the names in the order in which they ended."""

    def graded(source=homework.SOLUTION, only=None):
        ended, order = {}, []
        grader = grade.Grader(config.load(homework.config), only)
        results = homework.root / "results.json"

        def progress(result):
            order.append(result.name)
            ended[result.name] = result

        grader.grade(homework.hand_in(source), results, progress)
        assert results.exists()
        return ended, order

    return graded


def loops(source):
    """A source whose `double` is replaced by loops, which take small arrays too."""
    return source + LOOPS.replace("    y = x.copy()", "    if x.ndim == 1: return 2 * x\n    y = x.copy()")


def test_they_run_last(graded, homework):
    _, order = graded()
    assert order[-1] == "test_double_speed"
    assert len(order) == len(TESTS)


def test_results_are_in_the_order_of_the_assignment(homework):
    settings = config.load(homework.config)
    results = homework.root / "results.json"
    assert grade.Grader(settings).grade(homework.hand_in(), results).score == 10
    assert results.read_text().index("test_double_speed") < results.read_text().index("test_unhalve")


def test_as_fast_as_the_model_answer(graded):
    ended, _ = graded()
    (case,) = ended["test_double_speed"].cases
    assert (case.outcome, case.message) == (PASSED, "")
    assert case.detail["ratio"] < 20


def test_too_slow(graded, homework):
    ended, _ = graded(loops(homework.SOLUTION))
    test = ended["test_double_speed"]
    assert (test.outcome, test.score(Fraction(4))) == ("too slow", 0)
    assert feedback.test_output(test, "hint") == (
        "processor time of double is more than 40 times that of the model answer, but should be at most 20 times "
        "[double]\n"
        "Hint: double runs 4 times the Python steps on 4 times the entries: it loops over entries."
    )
    assert feedback.test_output(test, "verdict") == "Failed."


def test_half_of_the_points(graded, homework):
    homework.configure(tests={**TESTS, "test_double_speed": {**SPEED, "half_ratio": 1e6}})
    ended, _ = graded(loops(homework.SOLUTION))
    test = ended["test_double_speed"]
    assert (test.outcome, test.score(Fraction(4))) == ("too slow", 2)
    assert test.cases[0].message.splitlines()[0] == (
        "processor time of double is more than 20 times that of the model answer, but should be at most 20 times; "
        "up to 1e+06 times earns half of the points"
    )


def test_without_a_clock_the_points_are_given(graded, monkeypatch):
    def nothing(pid):
        raise NotImplementedError("freebsd14 does not tell")

    monkeypatch.setattr(cpuclock, "seconds", nothing)
    ended, _ = graded()
    test = ended["test_double_speed"]
    assert (test.outcome, test.score(Fraction(4))) == (NOT_MEASURED, 4)
    assert feedback.test_output(test, "hint") == (
        "The processor time of another process cannot be read on this machine: not measured, full points"
    )
    assert test.cases[0].detail == {"reason": "freebsd14 does not tell"}


def test_what_is_wrong_everywhere_is_not_timed(graded, homework):
    ended, _ = graded(homework.SOLUTION.replace("2 * x\n", "3 * x\n", 1))
    test = ended["test_double_speed"]
    assert feedback.test_output(test, "hint") == (
        "Not run: double has passed no other test, and wrong results have no speed.\nThat is not a second mistake."
    )


def test_what_is_wrong_in_the_race_only(graded, homework):
    ended, _ = graded(homework.SOLUTION.replace("2 * x\n", "2 * x + (x.size > 64)\n", 1))
    test = ended["test_double_speed"]
    assert (test.outcome, test.score(Fraction(4))) == ("wrong", 0)
    assert "y differs in" in test.cases[0].message
    assert test.cases[0].function == "double"


def test_a_model_answer_that_fails_is_our_fault(homework):
    settings = config.load(homework.config)
    homework.root.joinpath("answers/toy.py").write_text("def double(x): raise ValueError\n")
    got = grade.Grader(settings).grade(homework.hand_in(), homework.root / "results.json")
    assert got.score is None
    assert "the model answer fails the speed test: " in got.remark


def test_no_race_no_model_answer(homework):
    """The file of the model answer is not even read when no speed test runs."""
    settings = config.load(homework.config)
    homework.root.joinpath("answers/toy.py").unlink()
    assert grade.Grader(settings, "test_double").grade(homework.hand_in(), homework.root / "results.json").score == 1


def test_a_pattern_names_several_tests(graded):
    _, order = graded(only="test_double*")
    assert order == ["test_double_example", "test_double", "test_double_speed"]


@pytest.mark.parametrize(
    ("only", "name", "meant"),
    [
        (None, "test_a", True),
        ("test_a", "test_a", True),
        ("test_a", "test_ab", False),
        ("test_a[case]", "test_a", True),
        ("test_*_speed", "test_a_speed", True),
        ("test_*_speed", "test_a", False),
    ],
)
def test_what_only_means(only, name, meant):
    assert plugin.is_meant(only, name) is meant


# --- config.yaml


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"full_ratio": None}, "test_double_speed.full_ratio: is missing, and this test measures speed. Add this key"),
        ({"half_ratio": 10}, "test_double_speed: full_ratio is 20 and half_ratio 10, but should be 1 <= full_ratio"),
        ({"full_ratio": 0.5}, "test_double_speed: full_ratio is 0.5 and half_ratio 40, but should be 1 <= full_ratio"),
    ],
)
def test_ratios_that_do_not_fit(homework, changes, message):
    settings = {key: value for key, value in {**SPEED, **changes}.items() if value is not None}
    homework.configure(tests={**TESTS, "test_double_speed": settings})
    with pytest.raises(ConfigurationError) as error:
        config.load(homework.config)
    assert str(error.value).startswith(f"config.yaml: tests.{message}")


def test_ratios_where_there_is_no_race(homework):
    homework.configure(tests={**TESTS, "test_halve": {"points": 2, "full_ratio": 2}})
    with pytest.raises(ConfigurationError) as error:
        config.load(homework.config)
    assert str(error.value) == (
        "config.yaml: tests.test_halve.full_ratio: this test measures no speed. Remove this key."
    )


# --- shares


def test_shares_are_exact():
    half = CaseResult("", "too slow", share=Fraction(1, 2))
    result = TestResult("t", "T", None, (CaseResult("", PASSED), half, CaseResult("", "wrong")))
    assert result.earned == Fraction(1, 2)
    assert result.score(Fraction(3)) == Fraction(3, 2)


def test_every_step_has_an_outcome():
    assert {timing.FULL, timing.HALF, timing.NONE, timing.NOT_MEASURED} == {"full", "half", "none", NOT_MEASURED}
