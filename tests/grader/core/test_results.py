"""results.json: what the platform would reject cannot be made, and what is written is whole."""

import json
import os
import stat
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from pydantic import ValidationError

from autograder.core import results
from autograder.core.errors import GraderFault
from autograder.core.extra import (
    AttemptsExtra,
    CaseExtra,
    DecisionExtra,
    DiagnosisExtra,
    LateExtra,
    LedgerLine,
    ResultsExtra,
    TestExtra,
)
from autograder.core.results import NAME_LIMIT, NUMBER_LIMIT, OUTPUT_LIMIT, Results, TestEntry

ABOUT = TestExtra(test="test_add", outcome="partly")


def entry(**fields):
    given = {"number": "1.1", "name": "test_add", "score": 1.0, "max_score": 2.0, "extra_data": ABOUT}
    return TestEntry(**{**given, **fields})


def made(**fields):
    return Results(**{"total_points": 2.0, "score": 1.0, "tests": (entry(),), **fields})


def fault(make, *arguments, **fields):
    with pytest.raises(GraderFault) as caught:
        make(*arguments, **fields)
    assert str(caught.value).isascii()
    return str(caught.value)


# The file.


def test_the_file_is_this(tmp_path):
    everything = made(
        score=1.5,
        execution_time=2.25,
        output="found layers.py",
        tests=[
            entry(
                output="dx is wrong",
                extra_data=TestExtra(
                    test="test_add",
                    outcome="wrong",
                    cases={"größe": CaseExtra(outcome="wrong", result="dx", kind="values")},
                    diagnosis=DiagnosisExtra(id="", certain=False, seconds=0.5),
                ),
            ),
            entry(number="1.2", score=0.5, max_score=0.5, visibility="hidden", output_format="ansi"),
        ],
        total_points=2.5,
        extra_data=ResultsExtra(notes=[], isolation={"seccomp": "on"}, only=None),
    )
    everything.write(tmp_path / "results.json")
    expected = """\
{
  "score": 1.5,
  "execution_time": 2.25,
  "output": "found layers.py",
  "output_format": "text",
  "test_output_format": "text",
  "test_name_format": "text",
  "visibility": "visible",
  "stdout_visibility": "hidden",
  "tests": [
    {
      "number": "1.1",
      "name": "test_add",
      "score": 1.0,
      "max_score": 2.0,
      "status": "failed",
      "output": "dx is wrong",
      "output_format": "text",
      "visibility": "visible",
      "extra_data": {
        "test": "test_add",
        "outcome": "wrong",
        "cases": {
          "größe": {
            "outcome": "wrong",
            "kind": "values",
            "result": "dx"
          }
        },
        "diagnosis": {
          "id": "",
          "certain": false,
          "seconds": 0.5
        }
      }
    },
    {
      "number": "1.2",
      "name": "test_add",
      "score": 0.5,
      "max_score": 0.5,
      "status": "passed",
      "output": "",
      "output_format": "ansi",
      "visibility": "hidden",
      "extra_data": {
        "test": "test_add",
        "outcome": "partly"
      }
    }
  ],
  "extra_data": {
    "only": null,
    "isolation": {
      "seccomp": "on"
    },
    "notes": []
  }
}
"""
    assert (tmp_path / "results.json").read_bytes() == expected.encode()


def test_what_is_not_known_is_left_out():
    content = json.loads(made().to_json())
    assert "execution_time" not in content
    assert "total_points" not in content


def test_the_owner_alone_can_read_it(tmp_path):
    made().write(tmp_path / "results.json")
    assert stat.S_IMODE((tmp_path / "results.json").stat().st_mode) == 0o600


def test_it_replaces_what_stood_there(tmp_path):
    path = tmp_path / "results.json"
    Results.fallback().write(path)
    made().write(path)
    assert json.loads(path.read_text())["score"] == 1.0
    assert os.listdir(tmp_path) == ["results.json"]


def test_it_is_on_the_disk_before_it_is_in_place(tmp_path, monkeypatch):
    steps = []

    def noted(step, function):
        def call(*arguments):
            steps.append(step)
            function(*arguments)

        return call

    monkeypatch.setattr(os, "fsync", noted("fsync", os.fsync))
    monkeypatch.setattr(os, "replace", noted("replace", os.replace))
    made().write(tmp_path / "results.json")
    assert steps == ["fsync", "replace"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_write_changes_nothing(tmp_path, monkeypatch, step, error):
    path = tmp_path / "results.json"
    Results.fallback().write(path)
    before = path.read_bytes()

    def fail(*_):
        raise error

    monkeypatch.setattr(os, step, fail)
    with pytest.raises((GraderFault, KeyboardInterrupt)) as caught:
        made().write(path)
    if isinstance(error, OSError):
        assert str(caught.value) == "results.json cannot be written: No space left on device"
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["results.json"]


def test_no_folder_to_write_to(tmp_path):
    message = fault(made().write, tmp_path / "nowhere" / "results.json")
    assert message == "results.json cannot be written: No such file or directory"


def test_the_fallback(tmp_path):
    Results.fallback("It was stopped after 600 seconds.").write(tmp_path / "results.json")
    content = json.loads((tmp_path / "results.json").read_text())
    assert content["score"] == 0
    assert content["tests"] == []
    assert content["extra_data"] == {"outcome": "grader fault"}
    assert content["output"] == (
        "The autograder did not finish grading this submission.\n"
        "This is a fault of the autograder or its machine, not of your work; the score 0 is not a grade.\n"
        "It was stopped after 600 seconds.\n"
        "Please submit again. If this text comes back, tell the course staff: your submission is stored."
    )


def test_the_fallback_without_a_reason():
    assert len(Results.fallback().output.splitlines()) == 3


# Scores.


@pytest.mark.parametrize(("score", "status"), [(0.0, "failed"), (1.99, "failed"), (2.0, "passed"), (2, "passed")])
def test_status_follows_from_the_scores(score, status):
    assert entry(score=score).status == status


def test_a_status_that_contradicts():
    assert fault(entry, status="passed") == (
        "results.json: TestEntry 'test_add': status is passed, but the score is 1.0 of 2.0"
    )
    assert entry(status="failed").status == "failed"


def test_more_than_all_points():
    assert fault(entry, score=2.5) == "results.json: TestEntry 'test_add': score is 2.5, but max_score is 2.0"


@pytest.mark.parametrize("field", ["score", "max_score"])
def test_negative_points(field):
    message = fault(entry, **{field: -1.0})
    assert message == (
        f"results.json: TestEntry 'test_add'.{field}: Input should be greater than or equal to 0, got -1.0"
    )


def test_a_negative_total():
    assert "Results.score: Input should be greater than or equal to 0" in fault(made, score=-0.5)


def test_a_sum_that_is_not_the_assignments():
    assert fault(made, total_points=3.0) == ("results.json: Results: max_score adds up to 2.0, but total_points is 3.0")


def test_a_sum_is_exact():
    assert 0.1 + 0.2 != 0.3
    both = (entry(score=0.1, max_score=0.1), entry(score=0.2, max_score=0.2))
    assert made(tests=both, total_points=0.3).tests == both


def test_a_partial_run_is_declared():
    assert made(total_points=None).total_points is None
    with pytest.raises(GraderFault, match="total_points: Field required"):
        Results(score=1.0)  # type: ignore[call-arg]


# Values.


@pytest.mark.parametrize("make", [entry, made])
@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("score", float("nan"), "is nan, but should be finite"),
        ("score", float("inf"), "is inf, but should be finite"),
        ("score", float("-inf"), "is -inf, but should be finite"),
        ("score", np.float64(1), "is of type numpy.float64, which JSON does not know"),
        ("score", np.float32(1), "is of type numpy.float32, which JSON does not know"),
        ("score", np.int64(1), "is of type numpy.int64, which JSON does not know"),
        ("score", True, "Input should be a valid number, got True"),
        ("score", "1", "Input should be a valid number, got '1'"),
        ("score", None, "Input should be a valid number, got None"),
        ("output", b"bytes", "is of type builtins.bytes, which JSON does not know"),
        ("output", "\ud800", "has a lone surrogate"),
        ("output", None, "Input should be a valid string, got None"),
        (
            "output_format",
            "markdown",
            "Input should be 'text', 'html', 'simple_format', 'md' or 'ansi', got 'markdown'",
        ),
        (
            "visibility",
            "never",
            "Input should be 'visible', 'hidden', 'after_due_date' or 'after_published', got 'never'",
        ),
        ("leader", 1, "Extra inputs are not permitted, got 1"),
    ],
)
def test_a_value_that_the_platform_rejects(make, field, value, problem):
    whose = "TestEntry 'test_add'" if make is entry else "Results"
    assert fault(make, **{field: value}) == f"results.json: {whose}.{field}: {problem}"


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("number", 1.1, "Input should be a valid string, got 1.1"),
        ("number", "1" * (NUMBER_LIMIT + 1), f"String should have at most {NUMBER_LIMIT} characters, got '1111"),
        ("max_score", np.float64(2), "is of type numpy.float64, which JSON does not know"),
        ("max_score", float("nan"), "is nan, but should be finite"),
        ("status", "partly", "Input should be 'passed' or 'failed', got 'partly'"),
    ],
)
def test_a_value_that_an_entry_rejects(field, value, problem):
    assert fault(entry, **{field: value}).startswith(f"results.json: TestEntry 'test_add'.{field}: {problem}")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "String should have at least 1 character"),
        ("two\nlines", "String should match pattern"),
        ("a carriage\rreturn", "String should match pattern"),
        ("line end\n", "String should match pattern"),
        ("n" * (NAME_LIMIT + 1), f"String should have at most {NAME_LIMIT} characters"),
        (7, "Input should be a valid string"),
        (np.str_("name"), "is of type numpy.str_"),
    ],
)
def test_a_name_that_is_none(name, problem):
    message = fault(entry, name=name)
    assert ".name: " in message
    assert problem in message
    assert len(message) < 3 * NAME_LIMIT


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("execution_time", float("nan")),
        ("execution_time", -1.0),
        ("execution_time", "2 s"),
        ("stdout_visibility", "staff"),
        ("test_output_format", "rst"),
        ("test_name_format", "rst"),
        ("tests", [1]),
        ("tests", [{"name": "test_add"}]),
        ("tests", None),
        ("total_points", "2"),
    ],
)
def test_a_value_that_the_whole_rejects(field, value):
    message = fault(made, **{field: value})
    assert message.startswith("results.json: ")
    assert field in message or "TestEntry" in message


def test_an_entry_given_as_a_dictionary():
    assert (
        made(tests=[{"number": "1", "name": "a", "score": 2.0, "max_score": 2.0, "extra_data": ABOUT}]).tests[0].status
        == "passed"
    )
    message = fault(made, tests=[{"number": "1", "name": "a", "score": 3.0, "max_score": 2.0, "extra_data": ABOUT}])
    assert message == "results.json: TestEntry 'a': score is 3.0, but max_score is 2.0"


@pytest.mark.parametrize("name", get_args(results.Visibility))
def test_every_visibility(name):
    assert json.loads(made(visibility=name, stdout_visibility=name).to_json())["stdout_visibility"] == name
    assert entry(visibility=name).visibility == name


@pytest.mark.parametrize("name", get_args(results.Format))
def test_every_format(name):
    assert entry(output_format=name).output_format == name
    assert made(output_format=name, test_output_format=name, test_name_format=name).output_format == name


def test_a_copy_with_other_fields_is_held_to_the_contract():
    before = made(output="a", tests=[entry(score=1.0)])
    after = before.changed(score=0.5, output="b")
    assert (after.score, after.output, after.tests, after.total_points) == (0.5, "b", before.tests, 2.0)
    assert (before.score, before.output) == (1.0, "a")
    assert fault(before.changed, score=float("nan")) == "results.json: Results.score: is nan, but should be finite"


def test_nothing_can_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        entry().score = 2.0
    with pytest.raises(ValidationError, match="frozen"):
        made().score = 2.0


# extra_data.


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"a": np.float64(1)}, ".a: is of type numpy.float64, which JSON does not know"),
        ({"a": [1, {"b": np.int32(1)}]}, ".a[1].b: is of type numpy.int32, which JSON does not know"),
        ({"a": np.bool_(True)}, ".a: is of type numpy.bool, which JSON does not know"),
        ({"a": np.zeros(2)}, ".a: is of type numpy.ndarray, which JSON does not know"),
        ({"a": (0.0, float("inf"))}, ".a[1]: is inf, but should be finite"),
        ({"a": {"b": float("nan")}}, ".a.b: is nan, but should be finite"),
        ({"a": Path("x")}, "PosixPath, which JSON does not know"),
        ({"a": {1}}, ".a: is of type builtins.set, which JSON does not know"),
        ({"a": 2**53 + 1}, ".a: is an integer beyond 2**53"),
        ({"a": -(2**53) - 1}, ".a: is an integer beyond 2**53"),
        ({"a": "\udfff"}, ".a: has a lone surrogate"),
        ({"\ud83d": 1}, ": the key '\\ud83d': has a lone surrogate"),
        ({1: 1}, ": has the key 1, which is not text"),
        ({"a": {None: 1}}, ".a: has the key None, which is not text"),
        ({np.str_("a"): 1}, ": has the key "),
    ],
)
@pytest.mark.parametrize("make", [entry, made])
def test_what_json_cannot_hold(make, data, problem):
    whose = "TestEntry 'test_add'" if make is entry else "Results"
    message = fault(make, extra_data=data)
    assert message.startswith(f"results.json: {whose}.extra_data")
    assert problem in message


def test_a_list_inside_itself():
    loop: list[Any] = []
    loop.append(loop)
    assert fault(made, extra_data={"loop": loop}).endswith("[0][0]: is nested too deeply")


@pytest.mark.parametrize(
    ("make", "data", "problem"),
    [
        (made, [], "Results.extra_data: Input should be a valid dictionary or instance of ResultsExtra, got []"),
        (entry, None, "extra_data: Input should be a valid dictionary or instance of TestExtra, got None"),
        (made, {"engin": "1"}, "Results.extra_data.engin: Extra inputs are not permitted, got '1'"),
        (made, {"isolation": {"seccomp": 1}}, "Results.extra_data.isolation.seccomp: Input should be a valid string"),
        (made, {"late": {"days": 1}}, "Results.extra_data.late.percent: Field required"),
        (made, {"attempts": {"ledger": [{"counts": 1}]}}, "Results.extra_data.attempts.ledger.0.created_at: Field req"),
        (entry, {"test": "a"}, "TestEntry 'test_add'.extra_data.outcome: Field required"),
        (entry, {"test": "a", "outcome": "b", "cases": {"c": {}}}, "'test_add'.extra_data.cases.c.outcome: Field req"),
        (entry, {"test": "a", "outcome": "b", "seconds": "1"}, "extra_data.seconds: Input should be a valid number"),
    ],
)
def test_a_key_or_value_that_nobody_reads(make, data, problem):
    assert problem in fault(make, extra_data=data)


def test_what_was_changed_after_the_check_is_found_before_writing(tmp_path):
    late = made(extra_data=ResultsExtra(notes=[]))
    late.extra_data.notes.append(np.str_("late"))
    message = fault(late.write, tmp_path / "results.json")
    assert message == ("results.json: Results.extra_data.notes[0]: is of type numpy.str_, which JSON does not know")
    assert os.listdir(tmp_path) == []


# Reading it back.


def with_everything():
    """Results in which every key of extra_data is set."""
    case = CaseExtra(
        outcome="wrong", exception="ValueError", line="7", kind="shape", result="dx", reason="none", ratio=1.5,
        stand_ins=["add"], cpu_ms=2.0, model_cpu_ms=1.0, rounds=3,
    )  # fmt: skip
    diagnosis = DiagnosisExtra(id="no-padding", certain=True, seconds=0.1)
    staff = DecisionExtra(graded=1.0, reason="regrade", why="Course staff decided.")
    test = TestExtra(test="test_add", outcome="wrong", cases={"ü": case}, carried=0.5, seconds=0.5)
    test = test.model_copy(update={"diagnosis": diagnosis, "staff": staff})
    return made(
        execution_time=2.5,
        tests=(entry(extra_data=test),),
        extra_data=ResultsExtra(
            outcome="", engine="1", python="3.10", numpy="2.2.6", only="test_add", isolated="full", import_seconds=0.25,
            isolation={"seccomp": "on"},
            unusable="", carried=1.0, examples={"im2col": 2}, no_examples="none",
            late=LateExtra(days=1, percent=12.5, earned=2.0, why="late"), staff=staff,
            attempts=AttemptsExtra(ledger=[LedgerLine(created_at="2026-10-01", counts=True, score=None)]), notes=["a"],
        ),
    )  # fmt: skip


@pytest.mark.parametrize("make", [with_everything, made, Results.fallback])
def test_what_is_written_can_be_read_back(tmp_path, make):
    written, path = make(), tmp_path / "results.json"
    written.write(path)
    read = Results.read(path)
    assert read == written.changed(total_points=None)
    assert read.to_json() == written.to_json()


def test_every_key_is_tried():
    results = with_everything()
    test = results.tests[0].extra_data
    for model in (results.extra_data, test, *test.cases.values()):
        assert model.model_fields_set == set(type(model).model_fields)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "this is no results.json of this autograder (Expecting value"),
        (b"\xff", "this is no results.json of this autograder ('utf-8' codec"),
        (b"[" * 100_000, "this is no results.json of this autograder (maximum recursion depth"),
        (b"[]", "this is no results.json of this autograder ("),
        (b"{}", "Results.score: Field required"),
        (b'{"score": NaN}', "Results.score: is nan, but should be finite"),
        (b'{"score": 1.0, "tests": [{"name": "a"}]}', "number: Field required"),
        (
            b'{"score": 1.0, "extra_data": {"late": 1}}',
            "Results.extra_data.late: Input should be a valid dictionary or instance of LateExtra, got 1",
        ),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_a_file_that_is_none(tmp_path, content, problem):
    path = tmp_path / "results.json"
    if content is not None:
        path.write_bytes(content)
    message = fault(Results.read, path)
    assert message.startswith(f"{path}: ")
    assert problem in message
    assert message.endswith(". Remove it, and grade this submission again")


# Output.


@pytest.mark.parametrize("make", [entry, made])
def test_an_output_is_cut_with_a_note(make):
    note = "\n[cut: 10,001 characters are too many to show]"
    got = make(output="x" * (OUTPUT_LIMIT + 1)).output
    assert len(got) == OUTPUT_LIMIT
    assert got == "x" * (OUTPUT_LIMIT - len(note)) + note


@pytest.mark.parametrize("make", [entry, made])
def test_an_output_at_the_limit_is_whole(make):
    assert make(output="x" * OUTPUT_LIMIT).output == "x" * OUTPUT_LIMIT


@pytest.mark.parametrize("make", [entry, made])
def test_line_ends_are_the_platforms(make):
    assert make(output="a\r\nb\rc\n").output == "a\nb\nc\n"
