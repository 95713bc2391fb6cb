"""Whose a submission is: by what identifies a person, never by a name, and never by a guess."""

from pathlib import Path

import pytest

from autograder.core.errors import ConfigurationError
from autograder.intake import roster
from autograder.intake.handins import HandIn, Student

GRADESCOPE = "First Name,Last Name,SID,Email,Sections\nAnn,O'Hara,0123,ann@u.edu,A\nZoë,Li,77,zoe@u.edu,A\n"
CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,HW 1 (5)
    Points Possible,,,,,5
"O'Hara, Ann",501,0123,ann@u.edu,A,
"Li, Zoë",502,77,zli,A,
"""


@pytest.fixture
def read(tmp_path):
    def read(text, encoding="utf-8"):
        path = tmp_path / "roster.csv"
        path.write_bytes(text.encode(encoding))
        return roster.read(path)

    return read


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_roster_from_gradescope(read, encoding, separator):
    people = read(GRADESCOPE.replace(",", separator).replace("\n", "\r\n"), encoding)
    assert [person.student for person in people.people] == [
        Student("Ann O'Hara", "0123", "ann@u.edu"),
        Student("Zoë Li", "77", "zoe@u.edu"),
    ]
    assert people.people[0].canvas == ("Ann O'Hara", "", "0123", "ann@u.edu", "")


def test_a_roster_from_canvas(read):
    people = read(CANVAS, "utf-8-sig")
    assert [person.student for person in people.people] == [
        Student("Ann O'Hara", "0123", "ann@u.edu"),
        Student("Zoë Li", "77"),
    ]
    assert people.people[1].canvas == ("Li, Zoë", "502", "77", "zli", "A")
    assert people.people[1].keys == {"77", "zli", "canvas 502"}


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"Name,Points\nAnn,3\n", "has no column SID, Email, SIS User ID or SIS Login ID. Its first line names name"),
        (b"", "Its first line names nothing"),
        (b"SID\n\xff\n", "is not UTF-8 text"),
    ],
)
def test_a_roster_that_is_none(tmp_path, data, problem):
    (tmp_path / "roster.csv").write_bytes(data)
    with pytest.raises(ConfigurationError, match=r"^ROSTER: ") as caught:
        roster.read(tmp_path / "roster.csv")
    assert problem in str(caught.value)


def test_no_roster(tmp_path):
    with pytest.raises(ConfigurationError, match=r"nowhere\.csv cannot be read: No such file or directory"):
        roster.read(tmp_path / "nowhere.csv")


def entry(name, *students):
    return HandIn(name, Path(name), students)


def test_submissions_of_an_export(read):
    people = read(CANVAS)
    found = roster.match(
        [
            entry("submission_1", Student("A. O'Hara", "0123", "private@mail.com")),
            entry("submission_2", Student("Somebody", "", "ZLI"), Student("Ann O'Hara", "", "ann@elsewhere.edu")),
        ],
        people,
    )
    assert found.entries[0].students == (Student("A. O'Hara", "0123", "ann@u.edu"),)
    assert found.entries[1].students[0].sid == "77"
    assert found.entries[1].students[1] == Student("Ann O'Hara", "", "ann@elsewhere.edu")
    assert found.problems == ["submission_2 (Ann O'Hara): nobody in the roster"]  # a name identifies nobody
    assert found.absent == []


def test_two_claims_that_disagree(read):
    found = roster.match([entry("submission_1", Student("Ann", "0123", "zoe@u.edu"))], read(GRADESCOPE))
    assert found.people == {"submission_1": (None,)}
    assert found.problems == ["submission_1 (Ann): its id and its e-mail are two people's"]


@pytest.mark.parametrize(
    ("name", "sid"),
    [
        ("0123", "0123"),
        ("Ann@U.edu", "0123"),
        ("zli", "77"),
        ("lizoe_502_98765_layers", "77"),
        ("lizoe_LATE_502_98765_layers-1", "77"),
        ("501", None),  # Canvas' own id counts only where Canvas puts it
        ("ann", None),
        ("Ann O'Hara", None),
        ("123", None),
        ("lizoe_999_502_layers", None),
    ],
)
def test_files_of_a_learning_platform(read, name, sid):
    found = roster.match([entry(name)], read(CANVAS))
    assert [student.sid for student in found.entries[0].students] == ([sid] if sid else [])
    assert found.problems == ([] if sid else [f"{name}: nobody in the roster"])
    assert len(found.absent) == (1 if sid else 2)


def test_what_two_people_share_identifies_neither(read):
    people = read(GRADESCOPE + "Eve,Li,78,zoe@u.edu,B\n")
    found = roster.match(
        [entry("1", Student("Zoë", "77", "zoe@u.edu")), entry("2", Student("?", "", "zoe@u.edu"))], people
    )
    assert [[student.sid for student in one.students] for one in found.entries] == [["77"], [""]]
    assert found.problems == [
        "roster: 2 lines have zoe@u.edu: it identifies nobody (lines 3, 4)",
        "2 (?): nobody in the roster",
    ]


def test_two_submissions_of_one_person(read):
    found = roster.match([entry("0123"), entry("ann@u.edu")], read(GRADESCOPE))
    assert [persons[0].line for persons in found.people.values() if persons[0]] == [2, 2]
    assert len(found.absent) == 1


# Every line ends up somewhere.


def test_a_line_without_ids_is_listed(read):
    people = read("First Name,Last Name,SID,Email\nAnn,Lee,,\nBen,Mora,2,\n")
    found = roster.match([], people)
    assert found.problems == [
        "roster.csv: line 2 (Ann Lee) has no id and no e-mail address: matched with no submission"
    ]
    assert [person.student.name for person in found.unmatched] == ["Ann Lee"]
    assert [person.student.name for person in found.absent] == ["Ben Mora"]


def test_who_is_in_two_sections_is_one(read):
    people = read("Name,SID,Email,Sections\nAnn,1,a@u.edu,A\nBen,2,,A\nAnn,1,a@u.edu,B\n")
    found = roster.match([entry("1")], people)
    assert (found.problems, [one.student.name for one in found.absent]) == ([], ["Ben"])
    assert found.entries[0].students[0].name == "Ann"


def test_two_names_with_the_same_ids_are_two(read):
    found = roster.match([entry("1")], read("Name,SID,Email\nAnn,1,a@u.edu\nBen,1,a@u.edu\n"))
    assert [person.student.name for person in found.unmatched] == ["Ann", "Ben"]
    assert "roster: 2 lines have 1: it identifies nobody (lines 2, 3)" in found.problems


def test_whom_nothing_identifies_alone(read):
    found = roster.match([], read("Name,SID,Email\nAnn,,x@u.edu\nBen,2,x@u.edu\n"))
    assert [person.student.name for person in found.unmatched] == ["Ann"]
    assert [person.student.name for person in found.absent] == ["Ben"]


def test_staff_are_no_students(read):
    people = read(
        "Name,SID,Email,Role\nAnn,1,,Student\nBen,2,,TA\nCy,3,,Instructor\nDi,4,,\nEve,5,,StudentEnrollment\n"
        "Fay,6,,Teaching Assistant\n"
    )
    found = roster.match([entry("2")], people)
    assert [person.student.name for person in found.absent] == ["Ann", "Di", "Eve"]
    assert found.problems == [
        "roster.csv: no students, but staff or Canvas' test student, are in line 3, 4, 7: left out",
        "2 is of staff or of Canvas' test student (line 3 of the roster)",
    ]


CANVAS_ALONE = """\
Student,ID,SIS User ID,SIS Login ID,Section,Lab 3 (777)
,,,,,Manual Posting
    Points Possible,,,,,100
"Lee, Ann",501,a0001,lee.a,S1,
"Mora, Ben",502,,,S1,
"Mora, Ben",503,,,S1,
"Student, Test",504,,,S1,
"""


def test_canvas_own_numbers_are_enough(read):
    people = read(CANVAS_ALONE)
    assert (people.platform, people.columns[-1]) == ("Canvas", "Lab 3 (777)")
    found = roster.match([entry("moraben_502_90001_layers"), entry("moraben_503_90002_layers")], people)
    assert [persons[0].canvas[1] for persons in found.people.values() if persons[0]] == ["502", "503"]
    assert [person.student.name for person in found.absent] == ["Ann Lee"]
    assert found.problems == ["roster.csv: no students, but staff or Canvas' test student, are in line 7: left out"]


@pytest.mark.parametrize("word", ["Participant ", "Teilnehmer/in ", "Participante ", "参加者", "Uczestnik"])
def test_moodles_worksheet_in_any_language(read, word):
    people = read(
        f"a,b,c,Status\n{word}1201,Ann Lee,ann@u.edu,x\n{word}1202,Ben,ben@u.edu,y\n{word}1203,Cy,,y\n", "utf-8-sig"
    )
    assert people.platform == "Moodle"
    assert people.people[0].student == Student("Ann Lee", "", "ann@u.edu")
    entries = [
        HandIn("x", Path("x"), files=("Ann Lee_1201_assignsubmission_file_",)),
        entry("Cy_1203_assignsubmission_file_layers"),
    ]
    found = roster.match(entries, people)
    assert [persons[0].line for persons in found.people.values() if persons[0]] == [2, 4]
    assert found.problems == []


def test_a_column_of_student_numbers_is_not_moodles(read):
    assert read("SID,Name,Points\na0001,Ann,1\na0002,Ben,2\n").platform == ""
    assert read("Name,SID\nstudent 1,1\nstudent 2,2\n").platform == ""


def test_one_person_named_twice_in_a_group_is_one(read):
    group = entry("submission_1", Student("Ann", "0123", ""), Student("A. O'Hara", "", "ann@u.edu"))
    found = roster.match([group], read(GRADESCOPE))
    assert len(found.entries[0].students) == len(found.people["submission_1"]) == 1


def test_our_own_grades_are_a_roster(read):
    people = read("name,sid,email,submission,score\nPoints possible,,,,5\nAnn,1,,x,3\n'=Ben,2,,y,3\n")
    assert [person.student.name for person in people.people] == ["Ann", "=Ben"]
    assert people.problems == []
