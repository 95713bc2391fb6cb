"""What counts as graded already."""

import json
from collections import Counter
from fractions import Fraction

import pytest

from autograder.classroom import journal
from autograder.classroom.journal import Journal
from autograder.core import config
from autograder.core.results import Results, TestEntry
from autograder.grading.grader import Grade

GRADE = Grade(Fraction(1), Fraction(2), Counter({"passed": 1}), 1.25, "a remark", "full")


def write_results(out, name="ann"):
    (out / name).mkdir(parents=True, exist_ok=True)
    test = TestEntry(number="1", name="t", score=1.0, max_score=2.0, extra_data={"test": "t", "outcome": "passed"})
    Results(total_points=None, score=1.0, tests=(test,)).write(out / name / "results.json")


def test_a_grade_is_found_again(tmp_path):
    write_results(tmp_path)
    Journal(tmp_path, "x").add("ann", "key", GRADE)
    again = Journal(tmp_path, "x")
    assert again.find("ann", "key", Fraction(2)) == GRADE
    assert again.find("ann", "another", Fraction(2)) is None
    assert again.find("ben", "key", Fraction(2)) is None


@pytest.mark.parametrize("damage", ["removed", "half", "fallback"])
def test_a_grade_without_its_results_is_none(tmp_path, damage):
    write_results(tmp_path)
    Journal(tmp_path, "x").add("ann", "key", GRADE)
    results = tmp_path / "ann/results.json"
    if damage == "removed":
        results.unlink()
    elif damage == "half":
        results.write_bytes(results.read_bytes()[:50])
    else:
        Results.fallback("Grading started and has not ended yet.").write(results)
    assert Journal(tmp_path, "x").find("ann", "key", Fraction(2)) is None


def test_a_killed_runs_last_line(tmp_path):
    write_results(tmp_path)
    Journal(tmp_path, "x").add("ann", "key", GRADE)
    with (tmp_path / journal.JOURNAL).open("a") as file:
        file.write('{"name": "ben", "ke')
    assert Journal(tmp_path, "x").find("ann", "key", Fraction(2)) == GRADE


def test_what_a_key_depends_on(tmp_path):
    def key(circumstances="x"):
        return Journal(tmp_path / "out", circumstances).key(tmp_path / "ann")

    (tmp_path / "ann/deep").mkdir(parents=True)
    (tmp_path / "ann/toy.py").write_text("x = 1")
    first = key()
    assert key() == first
    assert key("y") != first
    (tmp_path / "ann/deep/more.py").write_text("")
    second = key()
    assert second != first
    (tmp_path / "ann/deep/more.py").rename(tmp_path / "ann/deep/less.py")
    third = key()
    assert third not in (first, second)
    (tmp_path / "ann/link").symlink_to("/nowhere")
    assert key() != third
    (tmp_path / "ann/link").unlink()
    assert key() == third
    (tmp_path / "ann/toy.py").write_text("x = 2")
    assert key() != third


def test_what_a_grade_depends_on(toy):
    def circumstances(only=None):
        return journal.circumstances(config.load(toy.config), only)

    first = circumstances()
    assert circumstances() == first
    assert circumstances("test_double") != first
    late = "late: {due: 2026-01-01 10:00:00 +00:00, grace_minutes: 1, percent_per_day: 1, at_most_percent: 1}"
    toy.config.write_text(f"{toy.config.read_text()[:-1]}, {late}}}")
    assert config.load(toy.config).late is not None
    assert circumstances() == first  # lateness is counted anew every time
    content = json.loads(toy.config.read_text().replace(f", {late}", ""))
    toy.config.write_text(json.dumps({**content, "title": "another"}))
    assert circumstances() == first
    toy.set_tests()
    second = circumstances()
    assert second != first  # tests have other names
    (toy.root / "answers/toy.py").write_text("# changed\n" + toy.SOLUTION)
    third = circumstances()
    assert third != second
    toy.configure(limits={"call_seconds": 3})
    fourth = circumstances()
    assert fourth != third
    moved = toy.root.with_name("elsewhere")
    toy.root.rename(moved)
    moved_config = moved / "config.yaml"
    moved_config.write_text(moved_config.read_text().replace(str(toy.root), str(moved)))
    assert journal.circumstances(config.load(moved_config), None) == fourth
