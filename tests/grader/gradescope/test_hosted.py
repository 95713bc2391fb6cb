"""Grading as the platform does it: folders, lateness, attempts, and what staff are told."""

import json
import subprocess
import sys
from datetime import timedelta

import pytest

from autograder.core import config, sections
from autograder.gradescope import hosted
from autograder.gradescope.metadata import read
from autograder.grading import advice
from tests.grader.stage.submissions import DUE, metadata
from tests.grader.support import ROOT
from tests.grader.support.platform import FAULT, LATE

# What cannot be graded.


def test_no_required_file(platform, toy):
    toy.configure(attempts={"in_total": 3})
    assert platform.grade("")
    first, second = platform.results["output"].split("\n")[:2]
    assert "toy.py" in first
    assert second == "This attempt does not count. Used: 0 of 3 in all."
    assert platform.results["score"] == 0
    assert platform.results["extra_data"]["attempts"]["ledger"][-1]["counts"] is False
    assert "The submission: " in platform.said


def test_a_file_that_cannot_be_imported_does_not_count(platform, toy):
    toy.configure(attempts={"in_total": 3})
    platform.grade("def double(x)")
    assert platform.results["output"].split("\n")[:2] == [
        "toy.py could not be imported: SyntaxError: expected ':' (toy.py, line 1: def double(x)). "
        f"The grader runs {advice.version()}.",
        "This attempt does not count. Used: 0 of 3 in all.",
    ]


# The rules.


def test_late_and_counted(platform, toy):
    toy.configure(late=LATE, attempts={"per_day": 3, "in_total": 9})
    assert platform.grade(about=metadata(DUE + timedelta(hours=30), previous=[(-99, 2.0, True)]))
    assert platform.results["score"] == 8.0
    assert platform.results["output"].split("\n") == [
        "Found toy.py; 3 of 3 functions defined.",
        "Attempt 2 of 3 on 2026-10-03, 2 of 9 in all.",
        "Handed in 1 day 6 h late: 2 days begun × 10 % = 20 % off: 10.00 → 8.00.",
        "Every test passed.",
    ]
    assert "Handed in 1 day 6 h late: 2 days begun × 10 % = 20 % off.\n" in platform.said


def test_what_is_over_the_budget_is_not_graded(platform, toy):
    """It is read, so that the first line says what was found, and no test is run."""
    toy.configure(late=LATE, attempts={"per_day": 1})
    toy.set_tests(
        hidden=FAULT.replace("undefined", "student.double(1)\n    undefined"), test_double=7, test_double_example=3
    )
    about = metadata(DUE + timedelta(hours=30), previous=[(-30, 6.5, True)])
    assert platform.grade(about=about)
    results = platform.results
    assert results["score"] == 6.5
    assert results["output"].split("\n") == [
        "Found toy.py; 3 of 3 functions defined.",
        "Not graded: the only attempt of 2026-10-03 is used. The score stays 6.50, that of your last attempt that "
        "counts (2026-10-03 05:30). The next attempt is possible on 2026-10-04.",
    ]
    assert {test["output"] for test in results["tests"]} == {"Not run: the only attempt of 2026-10-03 is used."}
    ledger = results["extra_data"]["attempts"]["ledger"]
    assert [(line["counts"], line["score"]) for line in ledger] == [(True, 6.5), (False, 6.5)]
    assert "Not graded: the only attempt of 2026-10-03 is used.\n" in platform.said
    note = "it keeps the score of 2026-10-03 05:30; if the tests have changed since, rerun that one and activate it"
    assert results["extra_data"]["notes"] == [note]
    assert f"Note: {note}\n" in platform.said


def test_the_ledger_has_the_score_that_is_published(platform, toy):
    toy.configure(late=LATE, attempts={"in_total": 2})
    platform.grade(about=metadata(DUE + timedelta(hours=30), previous=[(-60, 2.0, True)]))
    ledger = platform.results["extra_data"]["attempts"]["ledger"]
    assert [(line["counts"], line["score"]) for line in ledger] == [(True, 2.0), (True, 8.0)]


def test_an_upload_that_is_being_graded_is_an_attempt(platform, toy):
    """The first of three was graded; two came at once."""
    toy.configure(attempts={"in_total": 2})
    about = metadata(previous=[(-60, 7.5, True), (-1, None, True)])
    about["previous_submissions"][0]["results"] = about["previous_submissions"][1].pop("results")
    assert platform.grade(about=about)
    assert platform.results["score"] == 7.5
    assert "The score stays 7.50, that of your last attempt" in platform.results["output"]
    assert len(platform.results["extra_data"]["notes"]) == 2


def test_no_grade_while_no_score_is_known_that_could_stay(platform, toy):
    """Neither 0 nor an attempt more than there are."""
    toy.configure(attempts={"in_total": 2})
    assert platform.run(about=metadata(previous=[(-2, None, True), (-1, None, True)])) == 1
    assert platform.left == []
    assert platform.said == (
        "GRADER FAULT:\n"
        "not graded: all 2 attempts are used, and no score is known that could stay: an earlier upload is still being "
        "graded. Once that has ended, rerun this submission, or have the student submit again.\n"
        "The grading ended with status 1; the reason is above. No grade is published.\n"
    )


def known(tmp_path, content):
    path = tmp_path / "submission_metadata.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read(path)


@pytest.fixture
def standing(toy, tmp_path):
    """What the rules make of the platform's metadata."""

    def standing(about, **rules):
        toy.configure(**rules)
        return hosted.standing(known(tmp_path, about), config.load(toy.config))

    return standing


def test_without_rules_nothing_has_to_be_known(standing):
    assert standing("") == hosted.Ruling("grading had to be stopped after 9 minutes")


def test_whose_due_date(standing):
    after = DUE + timedelta(hours=30)

    def days(**more):
        stands = standing(metadata(after, **more), late=LATE)
        return stands.late.days if stands.late else 0, len(stands.notes)

    assert days() == (2, 0)
    assert days(extensions=[DUE + timedelta(days=1)]) == (1, 0)
    assert days(extensions=[None, DUE + timedelta(days=3)]) == (0, 0)


def test_config_before_the_assignment_and_extensions_before_config(toy, tmp_path):
    about = metadata(DUE + timedelta(hours=30))
    settings = config.load(toy.config)

    def days(due, about=about):
        late = sections.Late.model_validate({**LATE, "due": due})
        stands = hosted.standing(known(tmp_path, about), settings.model_copy(update={"late": late}))
        return stands.late.days if stands.late else 0, stands.notes

    def note(due):
        both = f"config.yaml: late.due is {due}, on Gradescope it is {DUE}"
        return [f"{both}: the former counts, except for extensions beyond it"]

    before, after = DUE - timedelta(days=1), DUE + timedelta(days=4)
    assert days(before) == (3, note(before))
    assert days(DUE) == (2, [])
    assert days(before, metadata(DUE, extensions=[DUE + timedelta(days=1)]))[0] == 0
    # An extension that ends before everybody's date takes nothing away.
    assert days(after, metadata(DUE + timedelta(days=3), extensions=[DUE + timedelta(days=2)])) == (0, note(after))
    # Without everybody's date on the platform, a student's there is nothing special.
    about = metadata(DUE + timedelta(days=3))
    about["assignment"]["due_date"] = None
    alone = "late: Gradescope names no due date of the assignment, so students' own are not taken for extensions"
    assert days(after, about) == (0, [alone])
    assert days(before, about) == (4, [alone])


def test_nobody_says_when_it_was_due(standing):
    about = metadata()
    about["assignment"]["due_date"] = about["users"][0]["assignment"]["due_date"] = None
    stands = standing(about, late=LATE)
    assert stands.late is None
    assert stands.notes == ["late: neither config.yaml nor Gradescope says when it was due, so nothing is taken off"]


@pytest.mark.parametrize("score", [None, -5, 10**400])
def test_no_earlier_score_is_known(standing, score):
    about = metadata(previous=[(-30, None, True)])
    about["previous_submissions"][0]["score"] = score
    stands = standing(about, attempts={"in_total": 1})
    assert stands.withheld == ""
    assert stands.fault.startswith("not graded: the only attempt is used, and no score is known that could stay: ")
    assert len(stands.notes) == (score is not None)


def test_more_points_than_there_are_now(standing):
    stands = standing(metadata(previous=[(-30, 150, True)]), attempts={"in_total": 1})
    assert stands.kept == 10
    assert stands.notes[-1] == "that score is 150, more than all 10 points: cut to these"


def test_metadata_that_cannot_be_read_is_told_to_everybody(platform, toy):
    toy.configure(late=LATE, attempts={"per_day": 1})
    assert platform.grade(about=[])
    results = platform.results
    assert results["score"] == 10
    assert results["output"].split("\n")[:2] == ["Found toy.py; 3 of 3 functions defined.", hosted.UNREAD]
    assert results["extra_data"]["notes"] == ["submission_metadata.json holds no object"]
    assert "Note: submission_metadata.json holds no object\n" in platform.said


# What a student may not see.


def test_what_is_hidden_is_not_given_away(platform, toy):
    """The platform hides the test and the total; the text on top is shown to everybody at once."""
    tests = {name: {"points": points} for name, points in toy.POINTS.items()}
    tests["test_halve"]["visibility"] = "after_due_date"
    toy.configure(tests=tests, late=LATE)
    platform.grade(toy.SOLUTION.replace("x / 2", "x / 3"), metadata(DUE + timedelta(hours=30)))
    assert platform.results["output"].split("\n") == [
        "Found toy.py; 3 of 3 functions defined.",
        "Handed in 1 day 6 h late: 2 days begun × 10 % = 20 % off.",
        "1 of 4 tests are not shown here, or not yet: the rest of this text is about the others.",
        *platform.results["output"].split("\n")[3:],
    ]
    assert "halve" not in platform.results["output"].replace("unhalve", "")


# The self-check.


def test_the_model_answer_gets_all_points(toy):
    assert hosted.self_check(config.load(toy.config)) == ""


def test_a_model_answer_that_does_not(toy):
    (toy.root / "answers/toy.py").write_text(toy.SOLUTION.replace("2 * x", "x"))
    assert hosted.self_check(config.load(toy.config)).split("\n")[:2] == [
        "the model answer gets 6 of 10 points, but should get all of them",
        "test_double_example: y=[1.0, 2.0], but should be [2.0, 4.0] [double, by hand]",
    ]


def test_a_model_answer_that_cannot_be_graded(toy):
    toy.set_tests(hidden=FAULT, test_double=1, test_double_example=1)
    assert hosted.self_check(config.load(toy.config)).startswith(
        "the model answer cannot be graded: test_double: NameError"
    )


@pytest.mark.parametrize(("change", "status"), [("", 0), ("x", 1)])
def test_its_command(toy, change, status):
    (toy.root / "answers/toy.py").write_text(toy.SOLUTION.replace("2 * x", f"2 * {change or 'x'}{change}"))
    command = [sys.executable, "-m", "autograder", "--config", str(toy.config), "self-check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == status
    assert done.stdout.startswith("the model answer gets " if status else "The model answer gets all points.\n")
