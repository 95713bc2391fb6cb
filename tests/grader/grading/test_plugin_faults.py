"""Faults of the grader and of the hidden tests: no student loses a point. What runs when only one test is asked for."""

from typing import Any

import pytest

from autograder.core.errors import GraderFault
from autograder.grading import compare, plugin
from tests.grader.support.verdicts import DOUBLE, ONE, ends

# Our own faults.


@pytest.mark.parametrize(
    ("body", "story"),
    [
        ("undefined", "test_double: NameError: name 'undefined' is not defined"),
        ("student.triple(x)", "test_double: AttributeError: the assignment has no function 'triple'"),
        ("student.double(1.5)", "test_double: TypeError: 'float' object cannot be interpreted as an integer"),
        ("student.double(x)[7]", "test_double: IndexError: index 7 is out of bounds for axis 0 with size 2"),
        ("import pytest; pytest.skip('today')", "test_double: Skipped: today"),
        ("import pytest; pytest.fail('so')", "test_double: Failed: so"),
        ("import pytest; pytest.xfail('so')", "test_double: XFailed: so"),
        ("import pytest; pytest.exit('enough')", "test_double: Exit: enough"),
        ("raise SystemExit(0)", "test_double: call failed:\n"),
        ("from autograder.core.errors import GraderFault; raise GraderFault('ours')", "test_double: GraderFault: ours"),
        ("check.array('y', student.double(x), x.tolist())", "test_double: AttributeError: "),
    ],
)
def test_a_broken_hidden_test(judge, body, story):
    with pytest.raises(GraderFault) as caught:
        judge(body, DOUBLE)
    assert str(caught.value).startswith(story)
    assert "line 4" in str(caught.value) or ".py:4" in str(caught.value)


def test_an_assert_of_the_engine_costs_no_student_a_point(judge, monkeypatch):
    broken: dict[str, Any] = {}
    exec(compile("def array(*arguments): assert False", plugin.__file__, "exec"), broken)
    monkeypatch.setattr(compare, "array", broken["array"])
    with pytest.raises(GraderFault):
        judge("check.array('y', student.double(x), 2 * x)", DOUBLE)


@pytest.mark.parametrize(
    ("hidden", "story"),
    [
        ("import nowhere\ndef test_double(student): pass", "the graded tests cannot be collected: "),
        ("def test_double(student, unknown): pass", "test_double: setup failed:\n"),
        ("def test_double(student, case): pass", "test_double asks for"),
        (
            "import pytest\n@pytest.mark.cases('letters')\ndef test_double(student, case): pass",
            "test_double asks for",
        ),
        ("import pytest\n@pytest.mark.skip\ndef test_double(student): pass", "test_double: setup failed:\n"),
        ("import pytest\n@pytest.mark.odd\ndef test_double(student): pass", "the graded tests cannot be collected: "),
        (
            "def test_double(student): pass\nclass TestMore:\n    def test_more(self): pass",
            "the graded tests could not",
        ),
        ("import pytest\npytest.skip('all', allow_module_level=True)\ndef test_double(): pass", ""),
    ],
)
def test_tests_that_cannot_be_run(run, toy, hidden, story):
    toy.set_tests(hidden=hidden, test_double=1, test_double_example=1)
    if story:
        with pytest.raises(GraderFault) as caught:
            run()
        assert str(caught.value).startswith(story)
    else:
        assert "test_double" not in run()  # grade.py misses it


@pytest.mark.parametrize(
    ("hidden", "words"),
    [
        ("def test_double(student, case): pass", "test_double asks for the cases of no group, which the fixtures lack"),
        (
            "import pytest\n@pytest.mark.cases('letters')\ndef test_double(student, case): pass",
            "test_double asks for the cases of letters, which the fixtures lack",
        ),
        (
            "import pytest\n@pytest.fixture\ndef more(check): return check\ndef test_double(more): pass",
            "test_double has a fixture that takes check, which only a test itself can take",
        ),
        ("import nowhere\ndef test_double(student): pass", "No module named 'nowhere'"),
        ("import pytest\npytest.exit('enough')\ndef test_double(student): pass", "Exit: enough"),
        ("import pytest\n@pytest.mark.odd\ndef test_double(student): pass", "'odd' not found in `markers`"),
        ("def test_double(student, unknown): pass", "fixture 'unknown' not found"),
    ],
)
def test_what_is_broken_is_said(run, toy, hidden, words):
    toy.set_tests(hidden=hidden, test_double=1, test_double_example=1)
    with pytest.raises(GraderFault, match=words):
        run()


def test_a_group_without_cases(run, toy):
    toy.set_cases(numbers={})
    with pytest.raises(GraderFault, match="test_double asks for the cases of numbers, which has none"):
        run()


@pytest.mark.parametrize(
    ("public", "story"),
    [
        ("import pytest; pytest.skip('today')", "test_double_example: Skipped: today"),
        ("undefined", "test_double_example: NameError: name 'undefined' is not defined"),
        ("toy.triple(3)", "test_double_example: AttributeError: the assignment has no function 'triple'"),
        ("assert 1 == 2", "test_double_example: AssertionError: "),
    ],
)
def test_a_broken_public_test(run, toy, public, story):
    """Nothing had come back from the student's file, so nothing can have been wrong with it."""
    toy.set_tests(public=f"def test_double_example(toy):\n    {public}\n", **toy.POINTS)
    with pytest.raises(GraderFault) as caught:
        run()
    assert str(caught.value).startswith(story)
    assert str(caught.value).endswith(".py, line 2)")


def test_nothing_runs_after_a_fault(run, toy, workers):
    toy.set_tests(public="def test_double_example(toy):\n    undefined\n", **toy.POINTS)
    with pytest.raises(GraderFault):
        run()
    assert len(workers) == 1


def test_ctrl_c_is_nobodys_fault(run, toy):
    toy.set_tests(hidden=ONE + "raise KeyboardInterrupt", test_double=1, test_double_example=1)
    with pytest.raises(KeyboardInterrupt):
        run()


# One test, or one case of it.


def test_only(run):
    assert list(run(only="test_double")) == ["test_double"]
    assert [case.case for case in run(only="test_double")["test_double"].cases] == ["one", "two"]
    assert [case.case for case in run(only="test_double[two]")["test_double"].cases] == ["two"]


def test_only_what_there_is(run):
    with pytest.raises(GraderFault) as caught:
        run(only="test_double[three]")
    assert str(caught.value) == (
        "ONLY: no case is called test_double[three]. The cases are: test_double[one], test_double[two]"
    )


# The machine has no say.


def test_settings_of_the_machine_do_not_count(run, toy, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    monkeypatch.setenv("PYTEST_PLUGINS", "nowhere")
    (toy.root / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (toy.root / "secret/pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (toy.root / "conftest.py").write_text("raise RuntimeError\n")
    assert set(ends(run()).values()) == {"passed"}


def test_nothing_is_printed_and_nothing_is_left(run, toy, capfd):
    before = sorted(toy.root.rglob("*"))
    toy_tests = [path for path in before if path.name.startswith("test_")]
    for path in toy_tests:
        path.write_text(path.read_text().replace("    import numpy", "    print('noise')\n    import numpy"))
    run()
    assert capfd.readouterr() == ("", "")
    assert [path for path in sorted(toy.root.rglob("*")) if "__pycache__" not in path.parts] == before
