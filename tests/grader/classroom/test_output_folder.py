"""What is in the output folder is trusted only as far as this program knows that it has written it."""

import json
import os
import subprocess
import sys

import pytest

from autograder import __main__ as command_line
from autograder.__main__ import main
from autograder.classroom import lock
from autograder.classroom.journal import JOURNAL
from tests.grader.support import ROOT


@pytest.fixture
def grade(toy, capsys):
    """Grade as the command line does; return the status, what was printed and what was complained of."""

    def grade(*words, submissions=toy.root / "handed in"):
        given = [submissions] if submissions else []
        command = ["--config", toy.config, "grade", *given, "--out", toy.root / "results", "--jobs", 1, *words]
        status = main([str(word) for word in command])
        return status, *capsys.readouterr()

    return grade


@pytest.fixture
def graded(grade, toy):
    """Two submissions that are graded."""
    toy.hand_in(name="ann.py")
    toy.hand_in("def double(x): return 2 * x\n", name="ben.py")
    assert grade()[0] == 0
    return toy.root / "results"


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def without_lock(found):
    return {path: content for path, content in found.items() if path.name != lock.LOCK}


def test_a_results_file_that_was_edited_is_graded_again(graded, grade):
    books = (graded / "grades.csv").read_bytes()
    path = graded / "ben/results.json"
    results = json.loads(path.read_text())
    results["tests"][3]["score"] = results["tests"][3]["max_score"] = 141.0
    results["score"] = 145.0
    path.write_text(json.dumps(results))
    status, out, _ = grade()
    assert status == 0
    assert "1 of 2 are graded already" in out
    assert "ben: results.json is not as it was written here: graded again" in out
    assert json.loads(path.read_text())["score"] == 4
    assert (graded / "grades.csv").read_bytes() == books


def test_results_that_are_edited_during_a_run_are_no_grade(graded, grade, toy, monkeypatch):
    from autograder.classroom import remaining

    real = remaining.grade

    def edited(*arguments):
        grades = real(*arguments)
        with (graded / "ben/results.json").open("a") as file:
            file.write(" ")
        return grades

    monkeypatch.setattr(remaining, "grade", edited)
    status, out, _ = grade()
    assert status == 0
    assert "results.json has been changed since it was written here: run the same command again" in out
    monkeypatch.undo()
    status, out, _ = grade()
    assert "ben: results.json is not as it was written here: graded again" in out
    assert "no grade" not in out


def test_a_damaged_journal_is_put_aside_and_what_can_be_used_is_used(graded, grade):
    books = (graded / "grades.csv").read_bytes()
    damaged = (graded / JOURNAL).read_bytes().replace(b'"key"', b'"k\xff"', 1)
    (graded / JOURNAL).write_bytes(damaged)
    status, out, _ = grade()
    assert status == 0
    assert f"{JOURNAL}, the list of what is graded, is damaged: now {JOURNAL}.damaged-1; 1 of its lines could be" in out
    assert "1 of 2 are graded already" in out
    assert (graded / f"{JOURNAL}.damaged-1").read_bytes() == damaged
    assert (graded / "grades.csv").read_bytes() == books
    status, out, _ = grade()
    assert "All 2 are graded already" in out
    assert "is damaged" not in out


def test_some_tests_never_touch_the_results_of_all(graded, grade):
    before = contents(graded)
    status, out, _ = grade("--only", "test_halve")
    assert status == 0
    assert f"results go to {graded}/only/" in out
    after = contents(graded)
    assert before.items() <= after.items()
    assert {path.parts[0] for path in after.keys() - before.keys()} == {"only"}
    assert json.loads((graded / "only/ann/results.json").read_text())["score"] == 2


def test_a_folder_in_use_is_left_alone(graded, grade):
    before = without_lock(contents(graded))
    with lock.hold(graded):
        status, out, err = grade("--force")
    assert (status, out) == (2, "")
    assert err.startswith(f"ConfigurationError: OUT: {graded} is in use by another run: process {os.getpid()} on ")
    assert without_lock(contents(graded)) == before


def test_the_sample_class_stays_out_of_the_results_of_another(graded, grade, toy, monkeypatch):
    sample = toy.root / "sample"
    sample.mkdir()
    (sample / "first.py").write_text(toy.SOLUTION)
    (sample / "second.py").write_text(toy.SOLUTION)
    monkeypatch.setattr(command_line, "SAMPLE_CLASS", sample)
    before = without_lock(contents(graded))
    status, out, err = grade(submissions=None)
    assert (status, out) == (2, "")
    assert err == (
        "ConfigurationError: SUBMISSIONS: is missing, and without it the sample class is graded; "
        f"but {graded} holds grades of another. Say which submissions to grade, or give another OUT\n"
    )
    assert without_lock(contents(graded)) == before
    status, _, err = grade("--roster", "roster.csv", submissions=None)
    assert status == 2
    assert "SUBMISSIONS: is missing, and ROSTER says nothing about the sample class" in err
    assert grade("--out", toy.root / "elsewhere", submissions=None)[0] == 0


@pytest.mark.parametrize("name", ["grades.csv", "report.html"])
def test_a_book_that_cannot_be_written_costs_no_grade_and_no_other_book(graded, grade, name):
    (graded / name).unlink()
    (graded / name).mkdir()
    before = {path.name for path in graded.iterdir()}
    status, _, err = grade()
    assert status == 2
    assert err.startswith(f"This machine refused something: {graded}/{name}: Is a directory. ")
    assert err.endswith("What has been graded so far is kept: the same command goes on from there.\n")
    assert {path.name for path in graded.iterdir()} == before
    (graded / name).rmdir()
    status, out, _ = grade()
    assert (status, "All 2 are graded already" in out) == (0, True)
    assert (graded / "grades.csv").exists()


def test_nobody_reads_the_output(toy):
    toy.hand_in(name="ann.py")
    toy.hand_in(name="ben.py")
    command = [sys.executable, "-m", "autograder", "--config", toy.config, "grade", toy.root / "handed in"]
    command += ["--out", toy.root / "results", "--jobs", "1"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()  # as `head -1` does
        process.stdout.close()
        assert process.stderr.read() == (
            "Nobody reads the output any more: stopped. "
            "What has been graded so far is kept: the same command goes on from there.\n"
        )
        assert process.wait(timeout=60) == 141


@pytest.mark.heavy
def test_an_output_that_takes_nothing(graded, toy):
    command = [sys.executable, "-m", "autograder", "--config", toy.config, "grade", toy.root / "handed in"]
    command += ["--out", graded, "--jobs", "1"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("This machine refused something: No space left on device. Make room on this disk. ")
    closed = ["/bin/sh", "-c", 'exec "$@" >&-', "sh", *map(str, command)]
    done = subprocess.run(closed, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
