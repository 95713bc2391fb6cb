"""A homework of two parts on the platform: lateness, attempts and drafts are about the sum."""

from collections import Counter
from datetime import timedelta

import pytest

from autograder.core import config
from autograder.gradescope import hosted
from autograder.grading.findings import Findings
from autograder.grading.grader import Grader
from tests.grader.stage.submissions import DUE, metadata
from tests.grader.support.parts import POINTS, SECOND, add_second
from tests.grader.support.platform import LATE


@pytest.fixture
def parts(toy, platform):
    add_second(toy)
    (platform.root / "submission/second.py").write_text(SECOND)
    return toy


def test_lateness_takes_its_share_of_the_sum(parts, platform):
    parts.configure(late=LATE)
    assert platform.grade(about=metadata(DUE + timedelta(hours=1)))
    assert platform.results["score"] == 14.4
    lines = platform.results["output"].split("\n")
    assert lines[1] == "Handed in 1 h late: 1 day begun × 10 % = 10 % off: 16.00 → 14.40."
    assert "Part 2, second.py: 6 of 6 points" in lines
    assert platform.said.startswith("16 of 10: ")


def test_the_score_that_stays_may_hold_a_bonus(parts, platform):
    parts.configure(attempts={"in_total": 1})
    assert platform.grade(about=metadata(previous=[(-60, 15.0, True)]))
    assert platform.results["score"] == 15.0
    assert len(platform.results["tests"]) == 8
    assert all(test["output"].startswith("Not run: ") for test in platform.results["tests"])


def test_an_attempt_counts_if_one_part_earns_points(parts, platform):
    parts.configure(attempts={"in_total": 3})
    assert platform.grade("import nowhere", about=metadata())
    assert platform.results["score"] == 6
    assert platform.results["extra_data"]["attempts"]["ledger"][-1]["counts"] is True


@pytest.mark.parametrize(
    "second",
    [
        "import nowhere",
        "def flip(x):\n    raise NotImplementedError\n",
        "def flip(x):\n    return x[:0]\n",
    ],
    ids=["broken", "untouched", "wrong"],
)
def test_a_failed_upload_is_no_attempt_because_of_a_part_that_earns_nothing(parts, platform, second):
    parts.configure(attempts={"in_total": 3})
    (platform.root / "submission/second.py").write_text(second)
    assert platform.grade("import nowhere", about=metadata())
    assert platform.results["score"] == 0
    assert platform.results["extra_data"]["attempts"]["ledger"][-1]["counts"] is False


class Terms:
    """A platform that keeps every draft."""

    stopped, withheld = "grading had to be stopped", ""

    def __init__(self):
        self.drafts = []

    def finish(self, results, ended):
        self.drafts.append((results, ended))
        return results


def drafts(parts, platform, source):
    """Grade both parts; return all drafts, and what was written in the end."""
    terms = Terms()
    (platform.root / "submission/toy.py").write_text(source)
    grade = Grader(config.load(parts.config)).grade(
        platform.root / "submission", platform.root / "results.json", terms=terms
    )
    assert grade.score is not None, grade.remark
    assert [ended for _, ended in terms.drafts].count(True) == 1
    *kept, (last, ended) = terms.drafts
    assert ended
    return [results for results, _ in kept], last


def test_a_draft_has_the_tests_of_both_parts(parts, platform):
    """What would be published if the grading were ended after its first test."""
    (first, *_), last = drafts(parts, platform, parts.SOLUTION)
    assert set(POINTS) < {test.extra_data.test for test in first.tests}
    assert first.score < 10
    assert "Grading had to be stopped: tests that were not run count 0. Submit again." in first.output
    assert last.score == 16


def test_each_test_is_told_once_in_all_drafts(parts, platform, monkeypatch):
    """A draft is written after every test, on the student's clock."""
    told: Counter[str] = Counter()
    entry = Findings._entry

    def counted(self, test, *more):
        told[test.name] += 1
        return entry(self, test, *more)

    monkeypatch.setattr(Findings, "_entry", counted)
    kept, _ = drafts(parts, platform, parts.SOLUTION)
    assert len(kept) >= 8
    # As not run, as it ended, after all tests of its part, after that part's examples, and in the end.
    assert max(told.values()) <= 5


def test_a_part_that_has_ended_is_final_in_every_later_draft(parts, platform):
    """halve and unhalve call double, and get their points for a right one once all tests of the part have ended."""
    calls_double = parts.SOLUTION.replace("x / 2", "double(x) / 4").replace("2 * out.resh", "double(out.resh")
    source = calls_double.replace("reshape(cache)", "reshape(cache))").replace("2 * x", "3 * x")
    kept, last = drafts(parts, platform, source)
    own = set(parts.POINTS)
    final = [test for test in last.tests if test.extra_data.test in own]
    assert last.extra_data.carried == 6
    later = kept[len(own) :]
    assert kept[len(own) - 1].extra_data.carried == 0
    assert len(later) >= len(POINTS)
    for draft in later:
        assert [test for test in draft.tests if test.extra_data.test in own] == final
        assert draft.extra_data.carried == 6
        top, _, second = draft.output.partition("Part 2, second.py")
        assert "to be stopped" not in top
        assert "to be stopped" in second or draft.score == last.score
    assert later[-1].changed(execution_time=last.execution_time) == last


def test_the_model_answers_are_checked_when_the_platform_is_set_up(parts):
    assert hosted.self_check(config.load(parts.config)) == ""
    (parts.root / "second/second.py").write_text(SECOND.replace("x + 1", "x + 2"))
    assert hosted.self_check(config.load(parts.config)).startswith(
        "the model answer gets 14 of 16 points, but should get all of them\ntest_shift_forward: "
    )


def test_a_model_answer_that_needs_another_part_is_found_when_the_platform_is_set_up(parts):
    """It gets all points, but has no other file beside it where the grader compares with it."""
    (parts.root / "second/second.py").write_text("import toy\n" + SECOND.replace("x + 1", "toy.double(x) - x + 1"))
    said = hosted.self_check(config.load(parts.config))
    assert said.startswith("second.py: cannot be imported without the files of other parts: ")
    assert "No module named 'toy'" in said
    assert said.endswith(". Write what it needs into it")
