"""Reading what teaching assistants download: nobody is lost, nobody is guessed, no link is followed."""

import time
from datetime import datetime, timezone

import pytest

from autograder.core.errors import ConfigurationError
from autograder.intake import download, export
from autograder.intake.handins import HandIn, Student

HEAD = "---\n"
ANN = """\
submission_1:
  :submitters:
  - :name: Ann O'Hara
    :sid: '0123'
    :email: ann@u.edu
  :created_at: 2023-12-02 02:52:07.938335000 Z
  :score: 40.5
  :status: processed
  :results:
    score: 40.5
    output: |-
      :submitters: no
    tests:
    - name: "x: {"
      output: 'two

        lines'
  :history:
  - :score: 1.0
"""
PAIR = """\
submission_2:
  :submitters:
  - :name: 李 <script>
    :sid:
    :email: li@u.edu
  - :name: 'No'
    :sid: '77'
    :email: no@u.edu
  :created_at: 2023-12-03 01:00:00 +0100
  :score:
  :status: unprocessed
"""
NOBODY = "submission_3:\n  :submitters: []\n  :created_at: never\n  :score: 0.0\n"


@pytest.fixture
def gradescope(tmp_path):
    """Make an export with these submissions, and folders of these names."""

    def gradescope(*submissions, folders=None, bom=""):
        root = tmp_path / "assignment_9_export"
        root.mkdir()
        (root / export.METADATA).write_text(bom + HEAD + "".join(submissions), encoding="utf-8")
        for name in folders if folders is not None else [text.partition(":")[0] for text in submissions]:
            (root / name).mkdir()
            (root / name / "toy.py").write_text("")
        return root

    return gradescope


@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_an_export(gradescope, bom):
    root = gradescope(ANN, PAIR, bom=bom)
    found = download.read(root, "toy.py")
    at = datetime(2023, 12, 2, 2, 52, 7, 938335, tzinfo=timezone.utc)
    assert found.entries == [
        HandIn("submission_1", root / "submission_1", (Student("Ann O'Hara", "0123", "ann@u.edu"),), at),
        HandIn(
            "submission_2",
            root / "submission_2",
            (Student("李 <script>", "", "li@u.edu"), Student("No", "77", "no@u.edu")),
            datetime(2023, 12, 3, 0, 0, tzinfo=timezone.utc),
        ),
    ]
    assert (found.without_files, found.problems, found.single) == ([], [], False)
    assert export.earlier_scores(root) == {"submission_1": 40.5}


def test_what_does_not_fit_is_listed(gradescope):
    root = gradescope(ANN, PAIR, NOBODY, folders=["submission_1", "submission_3", "submission_4", "__MACOSX"])
    (root / ".DS_Store").touch()
    (root / "notes.txt").touch()
    found = download.read(root, "toy.py")
    assert [entry.name for entry in found.entries] == ["submission_1", "submission_3", "submission_4"]
    assert [entry.name for entry in found.without_files] == ["submission_2"]
    assert found.entries[1].students == found.entries[2].students == ()
    assert found.problems == [
        "submission_2 is in submission_metadata.yml, but its files are not: not graded",
        "submission_3 has no submitters in submission_metadata.yml: graded, but not matched to a student",
        "submission_3 has no time of submission in submission_metadata.yml: not counted as late",
        "submission_4 is not in submission_metadata.yml: graded, but not matched to a student",
    ]


def test_one_student_twice_is_listed_and_not_merged(gradescope):
    again = ANN.replace("submission_1", "submission_8").replace("'0123'", "'9'").replace("ann@", "Ann@")
    found = download.read(gradescope(ANN, again), "toy.py")
    assert [entry.students[0].sid for entry in found.entries] == ["0123", "9"]
    assert found.problems == [
        "email ann@u.edu is 2 times in submission_metadata.yml (submission_1, submission_8): each keeps its own row"
    ]


def test_paths_in_the_metadata_lead_nowhere(gradescope, tmp_path):
    (tmp_path / "secret").mkdir()
    root = gradescope(ANN, PAIR.replace("submission_2", "../secret"), folders=["submission_1"])
    assert [entry.name for entry in download.read(root, "toy.py").entries] == ["submission_1"]


def test_links_are_not_followed(gradescope, tmp_path):
    root = gradescope(ANN, PAIR, folders=["submission_1"])
    (root / "submission_2").symlink_to(root / "submission_1")
    found = download.read(root, "toy.py")
    assert [entry.name for entry in found.entries] == ["submission_1"]
    assert found.problems == ["submission_2 is a link and was not followed: not graded"]
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "ann.py").touch()
    (folder / "ben.py").symlink_to(folder / "ann.py")
    found = download.read(folder, "toy.py")
    assert [entry.name for entry in found.entries] == ["ann"]
    assert found.problems == ["ben.py is a link and was not followed: not graded"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [", "is not YAML: "),
        ("- 1\n- 2\n", "should name submissions"),
        ("", "should name submissions"),
    ],
)
def test_metadata_that_are_none(gradescope, text, problem):
    root = gradescope(folders=["submission_1"])
    (root / export.METADATA).write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        download.read(root, "toy.py")
    assert str(caught.value).startswith(f"submission_metadata.yml: : {problem}"[:24])
    assert problem in str(caught.value)


def test_an_export_without_submissions(gradescope):
    with pytest.raises(ConfigurationError, match=r"holds submission_metadata\.yml and no submissions"):
        download.read(gradescope(ANN, folders=[]), "toy.py")


def test_aliases_across_what_is_left_out(gradescope):
    """Ruby writes one object once: then the whole file is read."""
    shared = "  :results:\n    who: &1\n      a: b\n  :extra: *1\n"
    found = download.read(gradescope(ANN + "", NOBODY + shared), "toy.py")
    assert [entry.name for entry in found.entries] == ["submission_1", "submission_3"]


def test_three_hundred_submissions_with_results_in_a_second(gradescope):
    tests = "".join(
        f"    - name: test {n}\n      output: |-\n        {'words ' * 40}\n      score: 1.0\n" for n in range(64)
    )
    many = [
        ANN.replace("submission_1", f"submission_{number}")
        .replace("0123", f"{number}")
        .replace("ann@", f"{number}@")
        .replace("    tests:\n", "    tests:\n" + tests)
        for number in range(300)
    ]
    root = gradescope(*many)
    started = time.process_time()
    found = download.read(root, "toy.py")
    assert time.process_time() - started < 1
    assert len(found.entries) == 300
    assert {len(entry.students) for entry in found.entries} == {1}
