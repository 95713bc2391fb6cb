"""Moodle's grading worksheet, filled in in any language, and the names under which it takes feedback."""

import csv
import io
from fractions import Fraction
from pathlib import Path

import pytest

from autograder.classroom import gradebook, moodle
from autograder.classroom.gradebook import Gradebook
from autograder.classroom.overrides import Override
from autograder.intake import roster
from autograder.intake.handins import HandIn
from tests.grader.support.books import POINTS, make_row

ENGLISH = (
    '\ufeffIdentifier,"Full name","Email address",Status,Grade,"Maximum grade","Grade can be changed",'
    '"Last modified (submission)","Last modified (grade)","Feedback comments"\n'
    '"Participant 1201","Ann Lee",ann@u.edu,"Submitted for grading",,5.50,Yes,"Thursday, 1 October 2026, 11:55 PM",-,\n'
    '"Participant 1202","Ben, Mora",ben@u.edu,"Submitted for grading",2.00,5.50,Yes,-,-,"-1 for style, = said\n2nd"\n'
    '"Participant 1203","Cy Zhao",cy@u.edu,"No submission",,5.50,Yes,-,-,\n'
)
GERMAN = (
    'ID,"Vollständiger Name","E-Mail-Adresse",Status,Bewertung,Bestwertung,"Bewertung kann geändert werden",'
    '"Zuletzt geändert (Bewertung)"\r\n'
    '"Teilnehmer/in 1201","Ann Lee",ann@u.edu,x,,"5,50",Ja,-\r\n'
    '"Teilnehmer/in 1202",Ben,ben@u.edu,x,"2,00","5,50",Ja,-\r\n'
    '"Teilnehmer/in 1203",Cy,cy@u.edu,x,,"5,50",Ja,-\r\n'
)
BLIND = "識別子;提出;評点;最大評点;変更\r\n参加者1201;x;;5,50;-\r\n参加者1202;x;;5,50;-\r\n参加者1203;x;;5,50;-\r\n"


@pytest.fixture
def fill(tmp_path):
    """Give a worksheet; return the filled in one, and what staff are told. Cy has no submission, but 4 points."""

    def fill(text, encoding="utf-8", points=POINTS, cy="4", bonus=Fraction()):
        worksheet = tmp_path / "worksheet.csv"
        worksheet.write_bytes(text.encode(encoding))
        known = roster.read(worksheet)
        assert known.platform == "Moodle"
        entries = [
            HandIn(name, Path(name), files=(f"{name}_",))
            for name in ("Ann Lee_1201_assignsubmission_file", "Ben_1202_assignsubmission_file")
        ]
        matched = roster.match(entries, known)
        assert matched.problems == []
        rows = [
            make_row(tmp_path, one, {"test_double": score, "test_halve": 0.25}, POINTS)[0]
            for one, score in zip(matched.entries, (3.0, 0.0), strict=True)
        ]
        decided = {matched.absent[0].line: [Override("cy", "total", Fraction(cy), "on paper", 2)]}
        book = Gradebook(
            "HW", points, rows, gradebook.absent(matched, decided), matched.people, with_roster=True, bonus=bonus
        )
        said = moodle.fill(book, worksheet, tmp_path / "moodle.csv")
        made = tmp_path / "moodle.csv"
        return made.read_bytes().decode(encoding) if made.exists() else "", said

    return fill


def cells(text, separator=","):
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=separator))


@pytest.mark.parametrize(
    ("text", "column", "separator", "grades"),
    [
        (ENGLISH, 4, ",", ["3.25", "0.25", "4.00"]),
        (GERMAN, 4, ",", ["3,25", "0,25", "4,00"]),
        (BLIND, 2, ";", ["3,25", "0,25", "4,00"]),
    ],
)
def test_grades_and_nothing_else_change(fill, text, column, separator, grades):
    filled, said = fill(text)
    assert said == []
    before, after = cells(text, separator), cells(filled, separator)
    assert [row[column] for row in after[1:]] == grades
    for old, new in zip(before, after, strict=True):
        assert [*old[:column], *old[column + 1 :]] == [*new[:column], *new[column + 1 :]]
    assert filled.startswith("\ufeff") == text.startswith("\ufeff")
    assert ("\r\n" in filled) == ("\r\n" in text)


def test_names_run_nothing(fill):
    filled, _ = fill(ENGLISH.replace("Ann Lee", "=cmd|x"))
    row = cells(filled)[1]
    assert (row[1], row[4]) == ("'=cmd|x", "3.25")
    assert cells(filled)[2][9].startswith("-1 for style")  # staff's own words stay as they are


def test_another_maximum_is_refused(fill):
    filled, said = fill(ENGLISH.replace("5.50", "100.00"))
    assert filled == ""
    assert said == [
        "no moodle.csv: grades are out of 100 in worksheet.csv, but out of 5.5 here. Change the maximum "
        "grade in Moodle, or total_points"
    ]


def test_more_than_the_maximum_is_said(fill):
    filled, said = fill(ENGLISH, cy="7")
    assert said == ["moodle.csv leaves out 1 with more than 5.5 points, which Moodle refuses: cy@u.edu"]
    assert cells(filled)[3][4] == ""


def test_a_bonus_fits_a_larger_maximum(fill):
    """Of 5.5 points two are a bonus here, so all are 3.5 or, with it, 5.5; Ann has 3.25 and Cy has more than all."""
    filled, said = fill(ENGLISH, bonus=Fraction(2))
    assert said == []
    assert [row[4] for row in cells(filled)[1:]] == ["3.25", "0.25", "4.00"]
    filled, said = fill(ENGLISH.replace("5.50", "3.50"), bonus=Fraction(2))
    assert said == [
        "moodle.csv leaves out 1 with more than 3.5 points, which Moodle refuses: cy@u.edu. To give them their bonus, "
        "set the maximum grade in Moodle to 5.5, and download the worksheet again"
    ]
    assert [row[4] for row in cells(filled)[1:]] == ["3.25", "0.25", ""]


def test_another_maximum_is_refused_with_a_bonus(fill):
    filled, said = fill(ENGLISH.replace("5.50", "100.00"), bonus=Fraction(2))
    assert (filled, said) == (
        "",
        [
            "no moodle.csv: grades are out of 100 in worksheet.csv, but out of 3.5, or 5.5 with the bonus, here. "
            "Change the maximum grade in Moodle, or total_points"
        ],
    )


def test_no_column_of_grades(fill):
    text = ENGLISH.replace("5.50", "x").replace("2.00", "").replace("Grade,", "Mark,")
    assert fill(text) == ("", ["no moodle.csv: it cannot be told which column of worksheet.csv holds the grades"])


def test_the_header_alone_may_tell(fill):
    filled, said = fill(ENGLISH.replace("5.50", "x"))
    assert said == []
    assert [row[4] for row in cells(filled)[1:]] == ["3.25", "0.25", "4.00"]


@pytest.mark.parametrize(
    ("files", "name"),
    [
        (("Ann Lee_1201_assignsubmission_file_",), "Ann Lee_1201_assignfeedback_file_/feedback.html"),
        (("Ann_Lee_1201_assignsubmission_file_layers.py",), "Ann Lee_1201_assignfeedback_file_/feedback.html"),
        (("a/..\\b_12_assignsubmission_file_",), "a .. b_12_assignfeedback_file_/feedback.html"),
        (("layers.py",), ""),
    ],
)
def test_the_name_of_feedback_has_the_participants_number(files, name):
    assert moodle.feedback_name(HandIn("x", Path("x"), files=files)) == name
