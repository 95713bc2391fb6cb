"""Whatever a class is like: every student once, the same score everywhere, every decision applied or said not to be."""

import json
import random
import re
import shutil
import sys
import zipfile
from collections import Counter
from contextlib import nullcontext
from fractions import Fraction

import pytest

from autograder.classroom import parallel, run
from autograder.classroom.job import ClassJob
from autograder.core import tables
from autograder.core.text import printable
from tests.grader.support import classes
from tests.grader.support.toy import POINTS

COST = "percent_per_day: 10, at_most_percent: 35"


class Quiet:
    def graded(self, name, grade):
        pass

    def tested(self, result):
        pass


@pytest.fixture
def mark(toy, monkeypatch):
    """Grade a random class with a grader that draws its points; without pictures, which take most of the time."""

    def graded(entries, out, *rest, **more):
        for entry in entries:
            yield entry, classes.stub_grade(entry.name, out / entry.name / "results.json", POINTS)

    monkeypatch.setattr(parallel, "grade_all", graded)
    monkeypatch.setitem(sys.modules, "matplotlib", None)

    toy.configure(grades={"of_several": "latest"}, late=None)
    base = toy.config.read_text()
    late = f"{{due: {classes.DUE:%Y-%m-%d %H:%M:%S} +00:00, grace_minutes: 0, {COST}}}"  # JSON knows no times

    def mark(made, out, **more):
        text = base.replace('"late": null', f'"late": {late}') if made.late else base
        toy.config.write_text(text.replace('"of_several": "latest"', f'"of_several": "{made.of_several}"'))
        order = ClassJob(made.source, out, toy.config, roster=made.roster, overrides=made.overrides, jobs=1, **more)
        return run.mark(order, lambda said: None, lambda total: nullcontext(Quiet()))

    return mark


def rows_of(path):
    return [row.cells for row in tables.read("TEST", path).rows]


def students_are_there_once(made, rows):
    listed = Counter((row["sid"], row["email"]) for row in rows if row["sid"] or row["email"])  # a name is no identity
    assert set(listed.values()) <= {1}, listed
    tokens = Counter(token for row in rows for token in re.findall(r"Tok\d+en", row["name"]))
    if made.roster:
        for one in made.people:
            if one.in_roster:
                assert tokens[one.token] == 1 or (made.platform == "Gradescope" and not one.sid and not one.email), one


def scores_agree(made, out, rows, done):
    shown = {row.label: row.score for row in done.rows}
    canvas = rows_of(out / "canvas.csv")[1:] if (out / "canvas.csv").exists() else []
    pages = pages_of(out / "feedback.zip")
    moodle = moodle_of(out / "moodle.csv")
    for row in rows:
        name, score = row["submission"], row["score"]
        tests = [Fraction(row[test]) for test in POINTS if row[test]]
        if tests:
            assert sum(tests) == Fraction(row["before lateness"])
        if name:
            assert shown[name] == (Fraction(score) if score else None)
        results = out / name / "results.json"
        if name and results.exists():
            content = json.loads(results.read_text())
            assert content["score"] == float(score)
            assert sum(Fraction(repr(test["score"])) for test in content["tests"]) == Fraction(row["before lateness"])
            assert f"<b>{score}</b> of 10<" in (out / name / "page.html").read_text(encoding="utf-8")
        for number in re.findall(r"Tok(\d+)en", row["name"]):
            one = made.people[int(number)]
            if moodle and one.in_roster:
                assert moodle[str(one.number)] == (f"{float(score):.2f}".replace(".", ",") if score else "")
            own = [list(line.values())[-1] for line in canvas if one.token in line["student"]]
            known = one.in_roster if made.roster else True
            reachable = one.sid or one.email or (made.roster and made.platform == "Canvas")
            assert own == ([score] if score and known and reachable and canvas else [])
            own = [page for name, page in pages.items() if f"_{one.number}_" in name]
            assert len(own) == bool(score and name and made.platform in ("Canvas", "Moodle"))
            for page in own:
                assert f"<b>{score}</b> of 10<" in page
                assert set(re.findall(r"Tok\d+en", page)) <= {one.token}


def moodle_of(path):
    """Return the grades in Moodle's worksheet, by the number of the participant."""
    if not path.exists():
        return {}
    lines = tables.read_sheet("TEST", path).lines[1:]
    return {re.findall(r"\d+", cells[0])[0]: cells[4] for _, cells in lines}


def pages_of(path):
    if not path.exists():
        return {}
    with zipfile.ZipFile(path) as archive:
        assert len(set(archive.namelist())) == len(archive.namelist())
        return {name: archive.read(name).decode() for name in archive.namelist()}


def decisions_are_applied_or_listed(made, rows, done):
    applied = {(row["submission"], row["sid"], row["overrides"]) for row in rows if row["overrides"]}
    said = [problem for problem in done.problems if problem.startswith("overrides: line ")]
    counted = {
        key[:2] if not key[0] else key[0]: len(re.findall(r" = [\d.]+: as; '?=agreed", key[2])) for key in applied
    }
    assert sum(counted.values()) + len(said) == made.override_lines, (applied, said)
    assert len({re.findall(r"line (\d+)", problem)[0] for problem in said}) == len(said)


def check(mark, root, seed):
    folder, draw = root / f"class {seed}", random.Random(seed)
    made = classes.make(folder, draw, POINTS)
    out = folder / "results"
    done = mark(made, out)
    rows = rows_of(out / "grades.csv")[1:]
    students_are_there_once(made, rows)
    scores_agree(made, out, rows, done)
    decisions_are_applied_or_listed(made, rows, done)
    assert {printable(row["submission"]) for row in rows} - {""} == {row.label for row in done.rows if row.entry.name}
    books = {name: (out / name).read_bytes() for name in ("grades.csv", "canvas.csv") if (out / name).exists()}
    shutil.copy(out / "grades.csv", folder / "before.csv")
    again = mark(made, out, compare=folder / "before.csv")
    assert again.changes == []
    assert not [problem for problem in again.problems if problem.startswith("earlier scores")]
    assert books == {name: (out / name).read_bytes() for name in books}
    shutil.rmtree(folder)


def test_a_few_random_classes(mark, tmp_path):
    for seed in range(12):
        check(mark, tmp_path, seed)


@pytest.mark.heavy
def test_a_thousand_random_classes(mark, tmp_path):
    for seed in range(12, 1030):
        check(mark, tmp_path, seed)
