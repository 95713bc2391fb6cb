"""Speed tests as the engine runs them, on the toy homework: when they run, what they earn, what a student reads."""

from fractions import Fraction

import pytest

from autograder.core import config
from autograder.core.errors import ConfigurationError
from autograder.core.outcomes import NOT_MEASURED, PASSED, CaseResult, TestResult
from autograder.grading import feedback, grader, timing
from autograder.grading.plan import is_meant
from autograder.sandbox import cpuclock

HIDDEN = '''\
def test_double_speed(race):
    """double: as fast as the model answer."""

    def lap(layers, draw, height, width):
        yield {"y": layers.double(draw(height, width))}

    race(lap, small=8, large=(128, 140, 150), over="entries")


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

SPEED = {"full_ratio": 20, "none_ratio": 1e6, "rounds": 11}
"""Between these bounds is whatever loops, so that its steps decide."""
TESTS = {
    "test_double_speed": {"points": 4},
    "test_double_example": {"points": 1},
    "test_double": {"points": 1},
    "test_halve": {"points": 2},
    "test_unhalve": {"points": 2},
}

LOOPS = """\
def double(x):
    y = x.copy()
    for i in range(len(x)):
        for j in range(x.shape[1]):
            for _ in range(20):
                y[i, j] = 2 * x[i, j]
    return y
"""


@pytest.fixture
def homework(toy):
    toy.set_tests(hidden=HIDDEN, **{name: settings["points"] for name, settings in TESTS.items()})
    toy.configure(tests=TESTS, speed=SPEED)
    return toy


@pytest.fixture
def graded(homework):
    """Grade a source; return what every test came to by its name, and the names in the order in which they ended."""

    def graded(source=homework.SOLUTION, only=None):
        ended, order = {}, []
        the_grader = grader.Grader(config.load(homework.config), only)
        results = homework.root / "results.json"

        def progress(result):
            order.append(result.name)
            ended[result.name] = result

        the_grader.grade(homework.hand_in(source), results, progress)
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
    assert grader.Grader(settings).grade(homework.hand_in(), results).score == 10
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
    assert feedback.test_output(test, "hint", {}, {}) == (
        "double takes more than 20 times the processor time of the model answer and loops over entries in Python "
        "[double]\n"
        "Hint: double loops over entries: its Python steps grow with their number."
    )
    assert feedback.test_output(test, "verdict", {}, {}) == "Failed."


def test_slow_without_a_loop(graded, homework):
    homework.configure(speed={**SPEED, "none_ratio": 21})
    wasteful = homework.SOLUTION.replace("    return 2 * x\n", "    for _ in range(9000): y = 2 * x\n    return y\n", 1)
    ended, _ = graded(wasteful)
    test = ended["test_double_speed"]
    assert (test.outcome, test.score(Fraction(4))) == ("too slow", 0)
    assert test.cases[0].message == "double takes more than 21 times the processor time of the model answer"


def test_slow_without_a_loop_but_not_so_slow(graded, homework):
    wasteful = homework.SOLUTION.replace("    return 2 * x\n", "    for _ in range(2000): y = 2 * x\n    return y\n", 1)
    ended, _ = graded(wasteful)
    assert ended["test_double_speed"].outcome == PASSED


def test_a_loop_over_rows(graded, homework):
    rows = "    y = x.copy()\n    for i in range(len(x)):\n        for _ in range(400): y[i] = 2 * x[i]\n    return y\n"
    slow = homework.SOLUTION.replace("    return 2 * x\n", rows, 1)
    ended, _ = graded(slow)
    assert ended["test_double_speed"].outcome == PASSED
    homework.configure(speed={**SPEED, "none_ratio": 21})
    ended, _ = graded(slow)
    assert ended["test_double_speed"].cases[0].message == (
        "double takes more than 21 times the processor time of the model answer\n"
        "Hint: double loops over rows or columns of entries."
    )


def test_steps_that_cannot_be_counted(graded, homework):
    untraced = loops(homework.SOLUTION).replace(
        "def double(x):\n    if", "def double(x):\n    sys.settrace(None)\n    if"
    )
    ended, _ = graded(f"import sys\n{untraced}")
    test = ended["test_double_speed"]
    assert (test.outcome, test.score(Fraction(4))) == ("too slow", 0)
    assert test.cases[0].message == (
        "double takes more than 20 times the processor time of the model answer, and its Python steps could not be "
        "counted"
    )


def test_a_time_out_keeps_its_hint(graded, homework):
    homework.configure(limits={"call_seconds": 0.5})
    slower = loops(homework.SOLUTION).replace("range(20)", "range(2000 if len(x) > 99 else 2)")
    ended, _ = graded(slower)
    test = ended["test_double_speed"]
    assert feedback.test_output(test, "hint", {}, {}).splitlines()[1:] == [
        "Hint: double loops over entries: its Python steps grow with their number."
    ]
    assert "did not return within 0.5 s" in test.cases[0].message


def test_without_a_clock_the_points_are_given(graded, monkeypatch):
    def nothing(pid):
        raise NotImplementedError("freebsd14 does not tell")

    monkeypatch.setattr(cpuclock, "seconds", nothing)
    ended, _ = graded()
    test = ended["test_double_speed"]
    assert (test.outcome, test.score(Fraction(4))) == (NOT_MEASURED, 4)
    assert feedback.test_output(test, "hint", {}, {}) == (
        "The processor time of another process cannot be read on this machine: not measured, full points"
    )
    assert test.cases[0].detail == {"reason": "freebsd14 does not tell"}


def test_what_is_wrong_everywhere_is_not_timed(graded, homework):
    ended, _ = graded(homework.SOLUTION.replace("2 * x\n", "3 * x\n", 1))
    test = ended["test_double_speed"]
    assert feedback.test_output(test, "hint", {}, {}) == (
        "Not run: with your code as it is, double passes no other test, and wrong results have no speed."
    )


def test_what_is_wrong_in_the_race_only(graded, homework):
    ended, _ = graded(homework.SOLUTION.replace("2 * x\n", "2 * x + (x.size > 64)\n", 1))
    test = ended["test_double_speed"]
    assert (test.outcome, test.score(Fraction(4))) == ("wrong", 0)
    assert test.cases[0].message == "double was not timed: y has wrong values on larger inputs"
    assert test.cases[0].function == "double"


def test_a_model_answer_that_fails_is_our_fault(homework):
    settings = config.load(homework.config)
    homework.root.joinpath("answers/toy.py").write_text("def double(x): raise ValueError\n")
    got = grader.Grader(settings).grade(homework.hand_in(), homework.root / "results.json")
    assert got.score is None
    assert "the model answer fails the speed test: " in got.remark


def test_a_model_answer_that_has_vanished_is_named(homework):
    settings = config.load(homework.config)
    homework.root.joinpath("answers/toy.py").unlink()
    with pytest.raises(ConfigurationError, match=r"toy.py: cannot be read: No such file or directory. Restore it"):
        grader.Grader(settings, "test_double")


def test_two_homeworks_in_one_process_may_use_the_same_file_names(homework, tmp_path):
    """As `make verify JOBS=1` does: the second one has no speed tests."""
    (test_file,) = (homework.root / "secret").glob("test_*.py")
    settings = config.load(homework.config)
    results = tmp_path / "results.json"
    assert grader.Grader(settings).grade(homework.hand_in(), results).score == 10
    test_file.write_text(HIDDEN[HIDDEN.index("def test_halve") :])
    homework.configure(tests={name: test for name, test in TESTS.items() if name != "test_double_speed"})
    assert grader.Grader(config.load(homework.config)).grade(homework.hand_in(), results).score == 6


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
    assert is_meant(only, name) is meant


# --- config.yaml


def test_the_speed_tests_are_those_that_race(homework):
    assert config.load(homework.config).speed_tests == {"test_double_speed"}


# --- shares


def test_shares_are_exact():
    result = TestResult("t", "T", None, (CaseResult("", PASSED), CaseResult("", NOT_MEASURED), CaseResult("", "wrong")))
    assert result.earned == Fraction(2, 3)
    assert result.score(Fraction(3)) == 2


def test_every_step_has_an_outcome():
    assert {timing.FULL, timing.NONE, timing.NOT_MEASURED} == {"full", "none", NOT_MEASURED}
