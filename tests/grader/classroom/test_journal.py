"""What counts as graded already."""

import json
from collections import Counter
from fractions import Fraction

import pytest

from autograder.classroom import journal
from autograder.classroom.journal import Journal
from autograder.core import config
from autograder.core.results import Results, TestEntry, TestExtra
from autograder.grading.grader import Grade

GRADE = Grade(Fraction(1), Fraction(2), Counter({"passed": 1}), 1.25, "a remark", "full")


def results(score=1.0):
    extra = TestExtra(test="t", outcome="passed")
    test = TestEntry(number="1", name="t", score=score, max_score=2.0, extra_data=extra)
    return Results(total_points=None, score=score, tests=(test,))


def opened(out):
    out.mkdir(exist_ok=True)
    return Journal(out, out, "x")


def add(out, name="ann", grade=GRADE, written=1.0):
    """Note a grade, as a run does that has just written its results."""
    journal = opened(out)
    results(written).write(out / "draft.json")
    return journal.add(name, "key", grade, out / "draft.json")


def test_a_grade_is_found_again(tmp_path):
    add(tmp_path)
    again = opened(tmp_path)
    assert again.find("ann", "key", Fraction(2)) == GRADE
    assert again.find("ann", "another", Fraction(2)) is None
    assert again.find("ben", "key", Fraction(2)) is None


@pytest.mark.parametrize("damage", ["removed", "half", "edited", "fallback"])
def test_a_grade_without_its_results_is_none(tmp_path, damage):
    add(tmp_path)
    path = tmp_path / "ann/results.json"
    if damage == "removed":
        path.unlink()
    elif damage == "half":
        path.write_bytes(path.read_bytes()[:50])
    elif damage == "edited":
        path.write_text(path.read_text().replace('"score": 1.0', '"score": 2.0'))
    else:
        Results.fallback("Grading started and has not ended yet.").write(path)
    journal = opened(tmp_path)
    assert journal.find("ann", "key", Fraction(2)) is None
    said = ["ann: results.json is not as it was written here: graded again"]
    assert journal.problems == ([] if damage == "removed" else said)


def test_a_killed_runs_last_line(tmp_path):
    add(tmp_path)
    with (tmp_path / journal.JOURNAL).open("a") as file:
        file.write('{"name": "ben", "ke')
    assert opened(tmp_path).find("ann", "key", Fraction(2)) == GRADE


def test_what_a_key_depends_on(tmp_path):
    def key(circumstances="x"):
        return Journal(tmp_path, tmp_path, circumstances).key(tmp_path / "ann")

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
