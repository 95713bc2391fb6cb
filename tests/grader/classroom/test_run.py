"""A class from its download to its books: resumed, compared, decided upon, late, nameless, on a cluster."""

import csv
import importlib.util
import json
import os
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import time
import zipfile
from fractions import Fraction
from pathlib import Path

import pytest

from autograder.core.errors import ConfigurationError
from tests.grader.support import ROOT
from tests.grader.support.books import table

HALF = "def double(x): return 2 * x\n"


@pytest.fixture
def gradescope(toy):
    """An export of three: full marks, half of them a day late, and a pair."""
    root = toy.root / "assignment_1_export"
    sources = {"submission_1": toy.SOLUTION, "submission_2": HALF, "submission_3": toy.SOLUTION}
    people = {"submission_1": "A", "submission_2": "B", "submission_3": "CD"}
    text = "---\n"
    for day, (name, source) in enumerate(sources.items(), 1):
        (root / name).mkdir(parents=True)
        (root / name / "toy.py").write_text(source)
        text += f"{name}:\n  :submitters:\n"
        for person in people[name]:
            text += f"  - :name: {person}\n    :sid: '{person}1'\n    :email: {person}@u.edu\n"
        text += f"  :created_at: 2026-01-0{day} 12:00:00.5 Z\n  :score: 10.0\n"
    (root / "submission_metadata.yml").write_text(text)
    return root


def grades(toy, key="submission"):
    """The lines of grades.csv, that of the points left out."""
    with (toy.root / "results/grades.csv").open(encoding="utf-8", newline="") as file:
        return {line[key]: line for line in list(csv.DictReader(file))[1:]}


def everything(folder):
    """All that is written below a folder, and where; pictures left out."""
    written = [path.read_text(errors="replace") + str(path) for path in folder.rglob("*") if path.is_file()]
    return re.sub(r"base64,[\w+/=]+", "", "".join(written))


def test_an_export(mark, gradescope, toy):
    done, names, _ = mark(gradescope)
    assert names == ["submission_1", "submission_2", "submission_3"]
    assert done.problems == []
    assert [path.name for path in done.written] == ["grades.csv", "canvas.csv", "report.html"]
    assert {name: line["score"] for name, line in grades(toy, "name").items()} == {
        "A": "10",
        "B": "4",
        "C": "10",
        "D": "10",
    }
    for name in ("", *names):
        assert stat.S_IMODE((toy.root / "results" / name).stat().st_mode) == 0o700
    private = [path for path in (toy.root / "results").rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}


def test_a_zip_of_it_leaves_nothing_behind(mark, gradescope, toy, tmp_path, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    archive = shutil.make_archive(str(toy.root / "export"), "zip", gradescope.parent, gradescope.name)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    done, names, _ = mark(Path(archive))
    assert [float(grade.score or 0) for grade in done.grades.values()] == [10, 4, 10]
    assert len(names) == 3
    assert list(temporary.glob("class-*")) == []


def test_only_what_changed_is_graded_again(mark, gradescope, toy):
    mark(gradescope)
    before = (toy.root / "results/grades.csv").read_bytes()
    _, names, said = mark(gradescope)
    assert names == []
    assert said == (
        f"All 3 are graded already and unchanged (FORCE=1 grades them again); results are in {toy.root / 'results'}/"
    )
    assert (toy.root / "results/grades.csv").read_bytes() == before
    (gradescope / "submission_2/toy.py").write_text(toy.SOLUTION)
    (toy.root / "results/submission_3/results.json").unlink()
    _, names, _ = mark(gradescope)
    assert names == ["submission_2", "submission_3"]
    assert grades(toy)["submission_2"]["score"] == "10"
    assert mark(gradescope, force=True)[1] == ["submission_1", "submission_2", "submission_3"]
    toy.configure(limits={"call_seconds": 3})
    assert len(mark(gradescope)[1]) == 3


def test_late_decided_and_compared(mark, gradescope, toy):
    mark(gradescope)
    shutil.copy(toy.root / "results/grades.csv", toy.root / "earlier.csv")
    late = "late: {due: 2026-01-01 13:00:00 +00:00, grace_minutes: 0, percent_per_day: 25, at_most_percent: 40}"
    toy.config.write_text(f"{toy.config.read_text()[:-1]}, {late}}}")
    overrides = toy.root / "results/overrides.csv"
    overrides.write_text(
        "submission,test,score,reason\nsubmission_2,test_halve,2,one character\nsubmission_9,total,1,?\n"
    )
    done, names, _ = mark(gradescope, compare=toy.root / "earlier.csv")
    assert names == []  # neither costs a second grading
    found = {name: (line["score"], line["before lateness"], line["late"]) for name, line in grades(toy).items()}
    assert found == {
        "submission_1": ("10", "10", ""),
        "submission_2": ("4.5", "6", "25 %"),
        "submission_3": ("6", "10", "40 %"),
    }
    assert [(change.row.entry.name, change.why) for change in done.changes or ()] == [
        ("submission_3", "late: 40 % off"),
        ("submission_2", "test_halve 0 → 2; override of test_halve = 2: one character; late: 25 % off"),
    ]
    assert done.problems == [
        "overrides: line 3 is not applied (total of submission_9): no submission and no student is called so"
    ]
    assert "one character" in (toy.root / "results/submission_2/page.html").read_text()
    results = json.loads((toy.root / "results/submission_3/results.json").read_text())
    assert (results["score"], results["extra_data"]["late"]["days"]) == (6.0, 2)
    mark(gradescope, force=True)
    assert grades(toy)["submission_2"]["overrides"] == "test_halve = 2: one character"


def test_late_without_a_date_counts_on_gradescope_alone(mark, gradescope, toy):
    toy.configure(late={"grace_minutes": 0, "percent_per_day": 25, "at_most_percent": 40})
    done, _, _ = mark(gradescope)
    assert done.problems == ["config.yaml: late has no due, and an export names no dates: nothing counts as late here"]
    assert {line["late"] for line in grades(toy).values()} == {""}


def test_a_roster(mark, gradescope, toy):
    (toy.root / "roster.csv").write_text(
        "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section\n"
        '"Last, A",501,A1,a,1\n"Last, C",503,C1,c,1\n"Last, D",504,,D@U.edu,1\n"Last, E",505,E1,e,1\n'
    )
    done, _, _ = mark(gradescope, roster=toy.root / "roster.csv")
    assert done.problems == [
        "submission_2 (B): nobody in the roster",
        "canvas.csv: no column of roster.csv is called like title, 'Doubles and halves': Canvas will make a new "
        "assignment of it. Write the name of the right column as grades.canvas_assignment into config.yaml",
        "canvas.csv leaves out 1 whom Canvas could find by name only: submission_2",
    ]
    assert (toy.root / "results/canvas.csv").read_text().splitlines()[2:] == [
        '"Last, A","501","A1","a","1","10"',
        '"Last, C","503","C1","c","1","10"',
        '"Last, D","504","","D@U.edu","1","10"',
    ]
    assert grades(toy, "name")["E Last"]["outcomes"] == "no submission"


@pytest.mark.heavy
def test_anonymous(mark, toy, gradescope):
    toy.hand_in(name="Ann O'Hara.py")
    toy.hand_in(HALF, name="Zoë.py")
    _, names, said = mark(anonymous=True)
    assert names == ["submission-1", "submission-2"]
    assert "handed in" not in said
    done, _, _ = mark(gradescope, anonymous=True)
    assert [path.name for path in done.written] == ["grades.csv", "report.html"]
    text = everything(toy.root / "results")
    for name in ("Ann", "Zoë", "@u.edu", "A1"):
        assert name not in text
    assert grades(toy)["submission_2"]["score"] == "4"


def test_decisions_are_the_same_everywhere(mark, gradescope, toy):
    """The table, results.json, the page and the CSVs agree to the cent; whom it is about, too."""
    with (gradescope / "submission_metadata.yml").open("a") as file:
        file.write("submission_4:\n  :submitters:\n  - :name: E\n    :sid: 'E1'\n    :email: E@u.edu\n")
        file.write("  :created_at: 2026-01-04 12:00:00.5 Z\n")
    (toy.root / "roster.csv").write_text("Name,SID\nA,A1\nB,B1\nC,C1\nD,D1\nE,E1\nF,F1\nG,G1\n")
    overrides = toy.root / "results/overrides.csv"
    overrides.parent.mkdir(mode=0o700)
    overrides.write_text(
        "submission,test,score,reason\nsubmission_1,total,9.25,r\nB1,test_halve,1.5,r\nsubmission_3,late,33,r\n"
        "submission_4,total,7,on paper\nF1,test_double,2,r\nF1,late,50,r\nsubmission_4,late,10,r\nE,total,1,r\n"
    )
    expected = {"A": "9.25", "B": "5.5", "C": "6.7", "D": "6.7", "E": "7", "F": "1", "G": ""}
    for _ in range(2):
        done, _, _ = mark(gradescope, roster=toy.root / "roster.csv")
        assert {name: line["score"] for name, line in grades(toy, "name").items()} == expected
        with (toy.root / "results/canvas.csv").open(newline="") as file:
            canvas = {line["Student"]: line["Doubles and halves"] for line in list(csv.DictReader(file))[1:]}
        assert canvas == {name: score for name, score in expected.items() if score}
        table = {student.name: row.score for row in done.rows for student in row.entry.students}
        assert table == {name: Fraction(score) for name, score in expected.items() if score}
        for name, student in {"submission_1": "A", "submission_2": "B", "submission_3": "C"}.items():
            results = json.loads((toy.root / "results" / name / "results.json").read_text())
            assert results["score"] == float(expected[student])
            page = (toy.root / "results" / name / "page.html").read_text()
            assert f"<b>{expected[student]}</b> of 10" in page
            before = sum(test["score"] for test in results["tests"])
            assert f"{before:g}" == grades(toy)[name]["before lateness"]
        assert done.problems == [
            "submission_4 is in submission_metadata.yml, but its files are not: not graded",
            "overrides: line 9 is not applied (total of E): no submission and no student is called so",
            "overrides: line 8 is not applied (late of submission_4): line 5 decides the total",
        ]
    overrides.unlink()
    mark(gradescope)
    assert grades(toy)["submission_1"]["score"] == "10"
    assert json.loads((toy.root / "results/submission_1/results.json").read_text())["score"] == 10.0


def test_more_points_than_there_are(mark, gradescope, toy):
    (toy.root / "more.csv").write_text("submission,test,score,reason\nsubmission_1,total,11.5,bonus\n")
    with pytest.raises(ConfigurationError, match="from 0 to 10"):
        mark(gradescope, overrides=toy.root / "more.csv")
    toy.configure(grades={"above_total": True})
    done, _, _ = mark(gradescope, overrides=toy.root / "more.csv")
    assert grades(toy)["submission_1"]["score"] == "11.5"
    assert done.rows[0].score == Fraction("11.5")


def test_what_does_not_count_is_said_on_the_screen_too(mark, gradescope, toy):
    text = (gradescope / "submission_metadata.yml").read_text()
    (gradescope / "submission_metadata.yml").write_text(text.replace("'B1'", "'A1'"))
    done, _, _ = mark(gradescope)
    assert done.rows[0].remark == "does not count: another submission of this student does"
    assert [row[1] for row in table(toy.root / "results/grades.csv")[2:4]] == ["", "A1"]


def test_changes_of_another_run_go(mark, gradescope, toy):
    mark(gradescope)
    shutil.copy(toy.root / "results/grades.csv", toy.root / "earlier.csv")
    assert mark(gradescope, compare=toy.root / "earlier.csv")[0].changes == []
    assert (toy.root / "results/changes.csv").exists()
    mark(gradescope)
    assert not (toy.root / "results/changes.csv").exists()


def test_a_single_submission_has_a_page_and_its_first_mistake(mark, toy):
    done, _, _ = mark(toy.hand_in(HALF))
    assert done.page == toy.root / "results/ann/page.html"
    assert done.page.exists()
    (row,) = done.rows
    assert row.score == 4
    assert row.mistake.startswith("halve is not defined in toy")
    done, _, _ = mark(toy.root / "handed in/ann.py", only="test_double")
    assert (done.page, [row.score for row in done.rows]) == (None, [3])


def test_anonymous_decisions_are_applied_and_name_nobody(mark, toy):
    toy.hand_in(name="Ann O'Hara.py")
    toy.hand_in(HALF, name="Zoë.py")
    (toy.root / "decided.csv").write_text("submission,test,score,reason\nZoë,total,5,r\nBen,total,1,r\n")
    done, _, _ = mark(anonymous=True, overrides=toy.root / "decided.csv")
    assert {name: line["score"] for name, line in grades(toy).items()} == {"submission-1": "10", "submission-2": "5"}
    assert done.problems == ["overrides: line 3 is not applied"]
    (toy.root / "decided.csv").write_text("submission,test,score,reason\nZoë,total,5,r\nZoë,late,1,r\n")
    (toy.root / "handed in/Ann's notes.txt").write_text("x")
    done, _, _ = mark(anonymous=True, overrides=toy.root / "decided.csv")
    assert done.problems == [
        "1 warnings about the hand-ins may name people: without ANONYMOUS they are shown",
        "overrides: line 3 is not applied (late of submission-2): line 2 decides the total",
    ]


@pytest.mark.heavy
def test_one_submission_and_one_test_leave_the_books_alone(mark, toy, gradescope):
    mark(gradescope)
    books = {name: (toy.root / "results" / name).read_bytes() for name in ("grades.csv", "canvas.csv", "report.html")}
    assert mark(gradescope / "submission_1/toy.py")[0].written == []
    assert mark(gradescope, only="test_halve")[0].written == []
    assert books == {name: (toy.root / "results" / name).read_bytes() for name in books}


def test_a_fault_is_on_top_and_is_tried_again(mark, toy):
    toy.set_tests(hidden="def test_double(student):\n    undefined\n", test_double=1, test_double_example=1)
    toy.hand_in(name="ann.py")
    for _ in range(2):
        done, names, _ = mark()
        assert names == ["ann"]
        assert done.grades["ann"].score is None
    report = (toy.root / "results/report.html").read_text()
    assert report.index("Faults of the grader") < report.index("Misconceptions")
    assert "name &#39;undefined&#39; is not defined" in report
    assert grades(toy)["ann"]["score"] == ""


def test_others_can_look_into_it(mark, toy):
    toy.hand_in()
    (toy.root / "results").mkdir(mode=0o755)
    assert mark()[0].problems == [
        f"others on this machine can look into {toy.root / 'results'}: chmod 700 keeps grades private"
    ]


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"roster": Path("nowhere.csv")}, r"ROSTER: nowhere\.csv cannot be read"),
        ({"compare": Path("nowhere")}, "COMPARE: nowhere does not exist"),
        ({"overrides": Path("nowhere.csv")}, r"OVERRIDES: nowhere\.csv cannot be read"),
    ],
)
def test_what_does_not_fit_grades_nothing(mark, toy, more, problem):
    toy.hand_in()
    with pytest.raises(ConfigurationError, match=problem):
        mark(**more)
    assert not (toy.root / "results").exists()


# Runs that end early, and runs elsewhere, have the same books.


@pytest.fixture
def command(toy):
    """The real command on a class of six."""
    for number in range(6):
        toy.hand_in(
            (toy.SOLUTION, HALF, "import os; os._exit(1)")[number % 3] + f"# {number}\n", name=f"s {number}.zip.py"
        )

    def command(out, *more):
        words = ["grade", toy.root / "handed in", "--out", toy.root / out, "--jobs", "2", *more]
        return [sys.executable, "-m", "autograder", "--config", str(toy.config), *map(str, words)]

    return command


@pytest.mark.heavy
@pytest.mark.skipif(sys.platform != "linux", reason="its processes end with it on Linux")
def test_a_killed_run_is_resumed_to_the_same_books(command, toy):
    subprocess.run(command("whole"), cwd=ROOT, check=True, capture_output=True, timeout=300)
    with subprocess.Popen(command("killed"), cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("  2/6"):
                os.kill(process.pid, signal.SIGKILL)
                break
    assert not (toy.root / "killed/grades.csv").exists()
    time.sleep(0.5)
    done = subprocess.run(command("killed"), cwd=ROOT, check=True, capture_output=True, text=True, timeout=300)
    graded_before = int(done.stdout.splitlines()[1].split()[0])
    assert 2 <= graded_before < 6
    for name in ("grades.csv", "canvas.csv"):
        assert (toy.root / "killed" / name).read_bytes() == (toy.root / "whole" / name).read_bytes()


@pytest.mark.heavy
@pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="pip install -r requirements/dask.txt")
def test_a_cluster_has_the_same_books(command, toy):
    subprocess.run(command("here"), cwd=ROOT, check=True, capture_output=True, timeout=300)
    done = subprocess.run(
        command("there", "--scheduler", "local"), cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "on Dask (local)" in done.stdout
    assert (toy.root / "there/grades.csv").read_bytes() == (toy.root / "here/grades.csv").read_bytes()


@pytest.mark.heavy
@pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="pip install -r requirements/dask.txt")
def test_a_lost_worker_of_a_cluster_costs_at_most_one_grade(toy):
    once = toy.root / "once"
    toy.set_tests(hidden=DEADLY.format(once=str(once)), test_double=1, test_double_example=1)
    for name, marker in {"ann": 6, "ben": 666, "cleo": 667, "dora": 6}.items():
        toy.hand_in(f"def double(x): return {marker} if x is 3 else 2 * x", name=f"{name}.py")
    words = ["grade", toy.root / "handed in", "--out", toy.root / "results", "--jobs", "2", "--scheduler", "local"]
    command = [sys.executable, "-m", "autograder", "--config", str(toy.config), *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    found = {name: line["score"] for name, line in grades(toy).items()}
    assert found == {"ann": "2", "ben": "", "cleo": "2", "dora": "2"}


DEADLY = """\
def test_double(student):
    import os, pathlib
    mark = student.double(3)
    if mark == 666 or mark == 667 and not pathlib.Path({once!r}).exists():
        pathlib.Path({once!r}).touch()
        os._exit(1)
    assert mark in (6, 666, 667)
"""


@pytest.mark.skipif(importlib.util.find_spec("distributed") is not None, reason="Dask is installed")
def test_without_dask_it_says_what_to_install(mark, toy):
    toy.hand_in()
    with pytest.raises(ConfigurationError, match="SCHEDULER: needs the package distributed"):
        mark(scheduler="local")


def test_a_folder_of_zips(mark, toy):
    for name in ("Ann O'Hara.zip", "Zoë, 李.zip"):
        path = toy.root / "handed in" / name
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("toy.py", toy.SOLUTION)
    _, names, _ = mark()
    assert names == ["Ann O'Hara", "Zoë, 李"]
    assert list(grades(toy)) == names
    assert 'href="Ann%20O%27Hara/page.html"' in (toy.root / "results/report.html").read_text()


# The commands of the README, as they are written there.

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (make grade SUBMISSIONS=.*?) +#", README, re.M)


@pytest.fixture
def desk(toy, gradescope, tmp_path):
    """A folder with the Makefile, the three things of the README, and a toy homework; make runs in it."""
    folder = tmp_path / "a TA's désk"
    folder.mkdir()
    shutil.copy(ROOT / "Makefile", folder)
    folder.joinpath("requirements").mkdir(exist_ok=True)
    shutil.copy(ROOT / "requirements/variables.sh", folder / "requirements")
    gradescope.rename(folder / "assignment_1_export")
    (folder / "Lab 3/hand-ins").mkdir(parents=True)
    for path in ("Lab 3/hand-ins/Zoë O'Hara.zip", "Lab 3/hand-ins/ben.zip", "alice.zip"):
        with zipfile.ZipFile(folder / path, "w") as archive:
            archive.writestr("toy.py", toy.SOLUTION)
    python = folder / "python"
    config = shlex.quote(str(toy.config))
    code = f'shift 2; exec {sys.executable} -m autograder --config {config} "$@"'
    python.write_text(f"#!/bin/sh\nexport PYTHONPATH={shlex.quote(str(ROOT))}\n{code}\n")
    python.chmod(0o755)
    return folder


def test_the_readme_has_the_three_cases():
    assert len(COMMANDS) == 3


@pytest.mark.parametrize(
    ("command", "out", "scores"),
    [
        (0, "lab3", {"submission_1": 10, "submission_2": 4, "submission_3": 10}),
        pytest.param(1, "lab3", {"Zoë O'Hara": 10, "ben": 10}, marks=pytest.mark.heavy),
        (2, "results", {"alice": 10}),
    ],
)
def test_the_commands_of_the_readme(desk, command, out, scores):
    ours = re.findall(
        r"^override (\w+)", (ROOT / "Makefile").read_text(), re.M
    )  # `make test` has exported these, empty
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name not in ours
    }
    done = subprocess.run(
        ["/bin/sh", "-c", f'{COMMANDS[command]} "PY={desk}/python"'],
        cwd=desk,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = {path.parent.name: json.loads(path.read_text())["score"] for path in (desk / out).glob("*/results.json")}
    assert found == scores
    assert (desk / out / "grades.csv").exists() == (command < 2)
