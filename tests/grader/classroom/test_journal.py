"""What counts as graded already."""

import errno
import json
import os
from collections import Counter
from fractions import Fraction

import pytest

from autograder.classroom import journal
from autograder.classroom.journal import Journal
from autograder.core import config
from autograder.core.extra import TestExtra
from autograder.core.results import Results, TestEntry
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


@pytest.mark.parametrize(
    ("damage", "used"),
    [
        (lambda text: text.replace(b'"key"', b'"k\xff"', 1), "1 of its lines"),
        (lambda text: text[:-20], "1 of its lines"),
        (lambda text: text[:-1], "2 of its lines"),
        (lambda text: text + b'{"name": "cleo", "ke', "2 of its lines"),
        (lambda text: text + b"\0" * 4096, "2 of its lines"),
        (lambda text: text + b'{"name": "cleo", "sha256": "0"}\n', "2 of its lines"),
        (lambda text: text.replace(b'"score": "1"', b'"score": "1/0"'), "nothing"),
        (lambda text: text.replace(b'"seconds": 1.25', b'"seconds": NaN'), "nothing"),
        (lambda text: text.replace(b"sha256", b"md5"), "nothing"),
        (lambda text: b"submission,score\nann,10\n", "nothing"),
        (lambda text: b"[" * 100_000, "nothing"),
    ],
)
def test_a_damaged_journal_is_put_aside_and_what_can_be_used_is_used(tmp_path, damage, used):
    add(tmp_path)
    add(tmp_path, "ben")
    path = tmp_path / journal.JOURNAL
    damaged = damage(path.read_bytes())
    path.write_bytes(damaged)
    found = opened(tmp_path)
    said = f"{path.name}, the list of what is graded, is damaged: now {path.name}.damaged-1; {used} of it could be used"
    assert found.problems == [said if used == "nothing" else said.replace(" of it could", " could")]
    assert (tmp_path / f"{path.name}.damaged-1").read_bytes() == damaged
    count = sum(found.find(name, "key", Fraction(2)) == GRADE for name in ("ann", "ben"))
    assert count == (0 if used == "nothing" else int(used[0]))
    assert add(tmp_path, "cleo") == GRADE
    again = opened(tmp_path)
    assert (again.problems, again.find("cleo", "key", Fraction(2))) == ([], GRADE)


def test_a_folder_in_the_place_of_the_journal(tmp_path):
    (tmp_path / journal.JOURNAL).mkdir()
    assert opened(tmp_path).problems[0].endswith("nothing of it could be used")
    assert add(tmp_path) == GRADE


def test_results_that_do_not_hold_the_grade_are_a_fault(tmp_path):
    grade = add(tmp_path, written=2.0)
    assert (grade.score, grade.remark) == (None, "results.json does not hold the grade that was given")
    assert not (tmp_path / "ann").exists()


def test_a_place_that_is_taken_costs_its_own_grade(tmp_path):
    (tmp_path / "ann").write_text("")
    grade = add(tmp_path)
    assert grade.score is None
    assert grade.remark == f"results.json cannot be written: {tmp_path / 'ann'}: File exists"


def test_what_is_published_counts_as_written_before_and_after(tmp_path):
    add(tmp_path)
    before = (tmp_path / "ann/results.json").read_bytes()
    opened(tmp_path).publish("ann", results(1.0).changed(output="late"))
    after = (tmp_path / "ann/results.json").read_bytes()
    assert before != after
    for content in (before, after):  # a run may be killed between its note and the file
        (tmp_path / "ann/results.json").write_bytes(content)
        assert opened(tmp_path).find("ann", "key", Fraction(2)) == GRADE


def test_a_line_is_whole_or_not_there(tmp_path, monkeypatch):
    add(tmp_path)
    path = tmp_path / journal.JOURNAL
    before = path.read_bytes()
    monkeypatch.setattr("os.fsync", fail_on(path))
    with pytest.raises(OSError, match="Input/output error"):
        add(tmp_path, "ben")
    monkeypatch.undo()
    assert path.read_bytes() == before


def fail_on(path):
    real = os.fsync

    def fsync(descriptor):
        if os.fstat(descriptor).st_ino == path.stat().st_ino:
            raise OSError(errno.EIO, "Input/output error")
        real(descriptor)

    return fsync


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
