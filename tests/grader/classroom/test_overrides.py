"""Decisions of staff: read strictly, applied everywhere, or said not to be with the line as an editor counts."""

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.classroom import overrides
from autograder.classroom.overrides import Override
from autograder.core.errors import ConfigurationError
from autograder.core.late import Lateness
from autograder.core.results import OUTPUT_LIMIT, Results, TestEntry
from autograder.intake.handins import HandIn, Student
from autograder.intake.roster import Person
from tests.grader.support.books import ANN, BEN, LATE_BY_TWO, POINTS, RULE, entry_of

HEAD = "submission,test,score,reason\n"


@pytest.fixture
def read(tmp_path):
    def read(text, **more):
        (tmp_path / "overrides.csv").write_text(text, encoding="utf-8")
        return overrides.read(tmp_path / "overrides.csv", POINTS, **more)

    return read


def test_they_are_read(read):
    assert read(f"\ufeff{HEAD}submission_1,test_double,1.5,typo in the name\n\nann,late,0,was ill\n") == [
        Override("submission_1", "test_double", Fraction(3, 2), "typo in the name", 2),
        Override("ann", "late", Fraction(0), "was ill", 4),
    ]


def test_they_are_read_as_european_excel_writes_them(read):
    assert read("submission;test;score;reason\n'-a;total;3,5;x, y\n") == [
        Override("-a", "total", Fraction(7, 2), "x, y", 2)
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("a,test_triple,1,x", "no test is called 'test_triple'. Write total, late, or one of: test_double, test_halve"),
        ("a,test_double,3.5,x", "score is '3.5', but should be a number from 0 to 3"),
        ("a,test_double,-1,x", "score is '-1', but"),
        ("a,test_double,,x", "score is '', but"),
        ("a,test_double,nan,x", "score is 'nan', but"),
        ("a,total,6,x", "from 0 to 5.5. Correct it, or allow it: grades.above_total in config.yaml"),
        ("a,late,101,x", "from 0 to 100"),
        ("a,total,5,", "has no reason"),
        (",total,5,x", "has no submission"),
        ("a,total,5,x\na,total,4,y", "line 3: decides total of a a second time, after line 2"),
        ("a,total,3,5,x", "line 2: has 5 cells, but the first line names 4 columns"),
        ('a,total,5,"x\nb,total,4,y', "line 2: a quote is opened and never closed"),
    ],
)
def test_what_cannot_be(read, line, problem):
    with pytest.raises(ConfigurationError) as caught:
        read(f"{HEAD}{line}\n")
    assert str(caught.value).startswith("overrides.csv: line ")
    assert problem in str(caught.value)


def test_a_column_that_is_missing_or_twice(read):
    with pytest.raises(ConfigurationError, match="has no column reason"):
        read("submission,test,score\n")
    with pytest.raises(ConfigurationError, match="the column 'score' is there twice"):
        read("submission,test,score,reason,score\na,total,4,x,1\n")


def test_more_than_all_points_where_it_is_allowed(read):
    assert read(f"{HEAD}a,total,7,bonus\n", above_total=True)[0].score == 7
    with pytest.raises(ConfigurationError, match="from 0 to 3"):
        read(f"{HEAD}a,test_double,4,bonus\n", above_total=True)


# Whose they are.


def test_by_the_name_of_a_submission_or_by_what_identifies_its_only_student():
    cleo = Person(Student("Cleo", "3", "cleo@u.edu"), frozenset({"3", "cleo@u.edu", "canvas 9"}), line=4)
    login = Person(ANN, frozenset({"01", "ann.l"}), line=2)
    entries = [
        HandIn("ann", Path("ann"), (ANN,)),
        HandIn("pair", Path("pair"), (BEN, Student("Di", "5", ""))),
        HandIn("e1", Path("x"), (Student("Eve", "6"),)),
        HandIn("e2", Path("x"), (Student("Eve", "6"),)),
    ]
    wanted = ["ann", "pair", "ANN@u.edu", "ann.l", "cleo@u.edu", "5", "6", "Cleo", "nobody"]
    given = [Override(name, "total", Fraction(line), "x", line) for line, name in enumerate(wanted, 2)]
    found = overrides.assign(given, entries, {"ann": (login,)}, [cleo])
    assert {name: [one.line for one in decided] for name, decided in found.entries.items()} == {"ann": [2], "pair": [3]}
    assert {line: [one.line for one in decided] for line, decided in found.absent.items()} == {4: [6]}
    assert found.problems == [
        "overrides: line 4 is not applied (total of ANN@u.edu): line 2 decides the same",
        "overrides: line 5 is not applied (total of ann.l): line 2 decides the same",
        "overrides: line 7 is not applied (total of 5): it was handed in by several: name the submission, pair",
        "overrides: line 8 is not applied (total of 6): there are 2 such submissions (e1, e2): name one of them",
        "overrides: line 9 is not applied (total of Cleo): no submission and no student is called so",
        "overrides: line 10 is not applied (total of nobody): no submission and no student is called so",
    ]


def test_what_two_students_share_decides_about_neither():
    ann, ben = (
        Person(Student(name), frozenset({sid, "x@u.edu"}), line=line)
        for name, sid, line in (("Ann", "1", 2), ("Ben", "2", 3))
    )
    entry = HandIn("a", Path("a"), (Student("Ann", "1", "x@u.edu"),))
    given = [Override(who, "total", Fraction(1), "x", line) for line, who in enumerate(["x@u.edu", "1", "2"], 2)]
    found = overrides.assign(given, [entry], {"a": (ann,)}, [ann, ben])
    assert (list(found.entries), list(found.absent)) == (["a"], [3])
    assert found.problems == ["overrides: line 2 is not applied (total of x@u.edu): 2 students of the roster have this"]


def test_by_a_name_as_tables_write_it():
    found = overrides.assign([Override("=1 x", "total", Fraction(1), "x", 2)], [HandIn("=1\u2800x", Path("x"))], {}, [])
    assert list(found.entries) == ["=1\u2800x"]


def test_by_the_name_that_a_file_had():
    entry = HandIn("ben (hand-in)", Path("x"), ids=("-ben",))
    found = overrides.assign([Override("-ben", "total", Fraction(1), "x", 2)], [entry], {}, [])
    assert list(found.entries) == ["ben (hand-in)"]
    pair = [HandIn(name, Path("x"), ids=("a1",)) for name in ("a1.py", "a1.zip")]
    found = overrides.assign([Override("a1", "total", Fraction(1), "x", 2)], pair, {}, [])
    assert found.problems == [
        "overrides: line 2 is not applied (total of a1): there are 2 such submissions (a1.py, a1.zip): name one of them"
    ]


# Their effect.


def scored(row, tests, **more):
    decided = [Override("submission_1", test, Fraction(score), "because", 2) for test, score in tests.items()]
    made = row(overrides=decided, halve=0.0, **more)
    return made.earned, made.score


@pytest.mark.parametrize(
    ("tests", "more", "earned", "score"),
    [
        ({"test_halve": 2}, {}, 5, 5),
        ({"test_double": 0}, {}, 0, 0),
        ({"total": 4}, {}, 3, 4),
        ({"total": 7}, {}, 3, 7),
        ({"test_halve": 2}, {"rule": RULE, "submitted": LATE_BY_TWO}, 5, 4),
        ({"total": 4, "test_halve": 2}, {"rule": RULE, "submitted": LATE_BY_TWO}, 5, 4),
        ({"late": 0}, {"rule": RULE, "submitted": LATE_BY_TWO}, 3, 3),
        ({"late": 50}, {}, 3, "1.5"),
        ({"late": "33.3333", "test_halve": "0.0001"}, {}, "3.0001", 2),
    ],
)
def test_the_row_and_the_results_say_the_same(row, tmp_path, tests, more, earned, score):
    assert scored(row, tests, **more) == (Fraction(earned), Fraction(score))
    results = json.loads((tmp_path / "submission_1/results.json").read_text())
    assert results["score"] == float(Fraction(score))
    assert sum(Fraction(repr(test["score"])) for test in results["tests"]) == Fraction(earned)
    if "late" in tests or "total" in tests:
        assert "Course staff decided" in results["output"].split("\n")[1]
    assert "because" not in results["output"] + "".join(test["output"] for test in results["tests"])


def test_lateness_has_no_effect_where_the_total_is_decided(row):
    decided = [Override("a", "late", Fraction(5), "x", 2), Override("a", "total", Fraction(4), "y", 3)]
    made = row("a", overrides=decided, rule=RULE, submitted=LATE_BY_TWO)
    assert (made.score, made.late, made.overrides) == (4, None, (decided[1],))
    assert made.dropped == ("overrides: line 2 is not applied (late of a): line 3 decides the total",)


def test_another_run_without_them_undoes_them(row, tmp_path):
    row(halve=0.0)
    results = Results.read(tmp_path / "submission_1/results.json")
    decided = [Override("x", test, Fraction(1), "why", 2) for test in ("total", "test_halve", "late")]
    late = Lateness(1, Fraction(10), "Handed in late")
    settled = results
    for chosen in (decided, decided[:1], decided[1:], decided[2:], decided[1:2], []):
        settled = overrides.settle(settled, chosen, late)
        assert overrides.settle(settled, chosen, late) == settled
        assert overrides.as_graded(settled) == results
    assert overrides.settle(settled, [], None).to_json() == results.to_json()


def entries(*tests):
    return tuple(TestEntry(**test) for test in tests)


@given(
    st.dictionaries(st.sampled_from(["test_double", "test_halve", "total", "late"]), st.integers(0, 250)), st.booleans()
)
def test_whatever_is_decided_can_be_undone(hundredths, is_late):
    tests = [entry_of("test_double", 1.0, 3.0), entry_of("test_halve", 2.5, 2.5)]
    results = Results(
        total_points=None,
        score=3.5,
        output="First line",
        tests=entries({**tests[0], "output": "x" * (OUTPUT_LIMIT - 5)}, tests[1]),
    )
    decided = [Override("a", test, Fraction(score, 100), "r", 2) for test, score in hundredths.items()]
    settled = overrides.settle(results, decided, Lateness(2, Fraction(20), "Late") if is_late else None)
    assert overrides.as_graded(settled) == results


def test_a_hidden_total_stays_hidden():
    tests = [entry_of("test_double", 1.0, 3.0, visibility="hidden")]
    results = Results(total_points=None, score=1.0, output="Found it.", tests=entries(*tests))
    settled = overrides.settle(results, [Override("a", "total", Fraction(2), "r", 2)], None)
    assert settled.output == "Found it.\nCourse staff decided the score of this submission."
    assert settled.score == 2
