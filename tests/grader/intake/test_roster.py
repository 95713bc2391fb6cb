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
    assert [person.student for person in people] == [
        Student("Ann O'Hara", "0123", "ann@u.edu"),
        Student("Zoë Li", "77", "zoe@u.edu"),
    ]
    assert people[0].canvas == ("Ann O'Hara", "", "0123", "ann@u.edu", "")


def test_a_roster_from_canvas(read):
    people = read(CANVAS, "utf-8-sig")
    assert [person.student for person in people] == [
        Student("Ann O'Hara", "0123", "ann@u.edu"),
        Student("Zoë Li", "77"),
    ]
    assert people[1].canvas == ("Li, Zoë", "502", "77", "zli", "A")
    assert people[1].keys == {"77", "zli"}


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
    assert found.people == {}
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
        "roster: 2 lines have zoe@u.edu: it identifies nobody",
        "2 (?): nobody in the roster",
    ]


def test_two_submissions_of_one_person(read):
    found = roster.match([entry("0123"), entry("ann@u.edu")], read(GRADESCOPE))
    assert found.problems == ["Ann O'Hara has 2 submissions (0123, ann@u.edu): each has its own row"]
