"""Many submissions: each is found, each has a folder of its own, none is lost, and an interruption leaves nothing."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from autograder.classroom import parallel
from autograder.core.errors import ConfigurationError
from tests.grader.support import ROOT

HANG = "def double(x):\n    while True: pass\n"


def make(folder, *names):
    """Make files, and folders where a name ends in a slash."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir(parents=True)
        else:
            path.write_text("")
    return folder


# Finding them.


@pytest.mark.parametrize(
    ("handed_in", "names"),
    [
        (["ann.py", "ben.zip", "cleo/toy.py"], ["ann", "ben", "cleo"]),
        (["o'hara jr. (late).zip", "ä/x.py", "a.b.zip"], ["a.b", "o'hara jr. (late)", "ä"]),
        (["ann.py", ".DS_Store", "__MACOSX/x", ".git/"], ["ann"]),
        (["cleo.d/toy.py", "dora/"], ["cleo.d", "dora"]),
        (["ann.py", "ann.zip", "ben.py"], ["ann.py", "ann.zip", "ben"]),
        (["ann/", "ann.zip"], ["ann", "ann.zip"]),
        (["x.zip", "x.py", "x.zip.zip"], ["x.py", "x.zip", "x.zip (2)"]),
        (["Ann.py", "ann.zip"], ["Ann.py", "ann.zip"]),  # one folder on a Mac
        (["\u00e4.py", "a\u0308.zip"], ["\u00e4.py", "\u00e4.zip"]),
    ],
)
def test_a_folder_of_submissions(tmp_path, handed_in, names):
    entries = parallel.find(make(tmp_path, *handed_in), "toy.py")
    assert [entry.name for entry in entries] == names
    assert len({entry.path for entry in entries}) == len(names)


def test_one_submission(tmp_path):
    make(tmp_path, "ann.zip", "ben/toy.py", "ben/more.py")
    assert parallel.find(tmp_path / "ann.zip", "toy.py") == [parallel.HandIn("ann", tmp_path / "ann.zip")]
    assert parallel.find(tmp_path / "ben", "toy.py") == [parallel.HandIn("ben", tmp_path / "ben")]


def test_the_folder_one_stands_in(tmp_path, monkeypatch):
    monkeypatch.chdir(make(tmp_path / "ben", "toy.py"))
    assert parallel.find(Path(), "toy.py")[0].name == "ben"


@pytest.mark.parametrize(
    ("name", "problem"), [("nowhere", "{} does not exist"), ("empty", "{} is empty"), ("hidden", "{} is empty")]
)
def test_nothing_there(tmp_path, name, problem):
    make(tmp_path, "empty/", "hidden/.DS_Store")
    with pytest.raises(ConfigurationError) as caught:
        parallel.find(tmp_path / name, "toy.py")
    problem = problem.format(tmp_path / name)
    assert str(caught.value) == f"SUBMISSIONS: {problem}. Give a file or a folder of submissions"


def test_default_jobs():
    assert 1 <= parallel.default_jobs() <= (os.cpu_count() or 1)


# Grading them.


@pytest.fixture
def grade_all(toy):
    """Grade what was handed in; return the grades and what was written, by name."""

    def grade_all(jobs, out=toy.root / "results", **more):
        entries = parallel.find(toy.root / "handed in", "toy.py")
        grades = {entry.name: grade for entry, grade in parallel.grade_all(entries, out, toy.config, jobs, **more)}
        return grades, {path.parent.name: json.loads(path.read_text()) for path in out.glob("*/results.json")}

    return grade_all


def test_side_by_side_as_one_after_the_other(grade_all, toy):
    toy.hand_in(name="ann.py")
    toy.hand_in(name="ben b./toy.py")
    toy.hand_in("def double(x): return x", name="cleo.py")
    toy.hand_in("import os; os._exit(1)", name="dora.py")
    (toy.root / "handed in/émile.zip").write_bytes(b"not a zip")
    with zipfile.ZipFile(toy.root / "handed in/fay.zip", "w") as archive:
        archive.writestr("fay-main/toy.py", toy.SOLUTION)
    alone, written_alone = grade_all(1)
    together, written_together = grade_all(2, toy.root / "results together")
    scores = {"ann": 10, "ben b.": 10, "cleo": 0, "dora": 0, "fay": 10, "émile": 0}
    assert {name: grade.score for name, grade in alone.items()} == scores
    assert {name: grade.score for name, grade in together.items()} == scores
    assert list(alone) == sorted(scores)
    assert toy.lasting(written_alone) == toy.lasting(written_together)
    assert sorted(written_alone) == sorted(scores)


def test_progress_within_one_submission(grade_all, toy):
    toy.hand_in()
    told = []
    grade_all(2, progress=lambda result: told.append(result.name))  # one submission: one job
    assert told == list(toy.POINTS)


def test_results_are_private(grade_all, toy):
    toy.hand_in()
    grade_all(1, toy.root / "a/b")
    for path, mode in (("a/b", 0o700), ("a/b/ann", 0o700), ("a/b/ann/results.json", 0o600)):
        assert stat.S_IMODE((toy.root / path).stat().st_mode) == mode, path


def test_a_folder_of_the_users_own_keeps_its_mode(grade_all, toy):
    toy.hand_in()
    (toy.root / "results").mkdir(mode=0o755)
    grade_all(1)
    assert stat.S_IMODE((toy.root / "results").stat().st_mode) == 0o755


def test_a_place_that_cannot_be_made(grade_all, toy):
    toy.hand_in()
    make(toy.root, "a file")
    with pytest.raises(ConfigurationError) as caught:
        grade_all(1, toy.root / "a file")
    assert str(caught.value) == f"OUT: {toy.root / 'a file'} cannot be made: File exists. Give another folder"


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("change", [{"total_points": 99}, {"limits": {"call_seconds": "ten"}}, {"unknown": 1}])
def test_a_bad_configuration_grades_nothing(grade_all, toy, change, jobs):
    toy.hand_in(name="ann.py")
    toy.hand_in(name="ben.py")
    toy.configure(**change)
    with pytest.raises(ConfigurationError, match=r"config\.yaml: "):
        grade_all(jobs)
    assert not (toy.root / "results").exists()


def test_an_unknown_test_grades_nothing(grade_all, toy):
    toy.hand_in()
    with pytest.raises(ConfigurationError, match="ONLY: no test is called test_triple"):
        grade_all(1, only="test_triple")
    assert not (toy.root / "results").exists()


def test_only_one_test(grade_all, toy):
    toy.hand_in(name="ann.py")
    toy.hand_in("", name="ben.py")
    grades, _ = grade_all(1, only="test_halve")
    assert {name: (grade.score, grade.points) for name, grade in grades.items()} == {"ann": (2, 2), "ben": (0, 2)}


# Lost processes. A grading dies when a submission says so: nothing a student can do.

DEADLY = """\
def test_double(student):
    import os, pathlib
    mark = student.double(3)
    if mark == 666 or mark == 667 and not pathlib.Path({once!r}).exists():
        pathlib.Path({once!r}).touch()
        os._exit(1)
    assert mark in (6, 666, 667)
"""


@pytest.mark.heavy
def test_a_lost_process_costs_a_second_try_and_at_most_one_grade(grade_all, toy):
    toy.set_tests(hidden=DEADLY.format(once=str(toy.root / "once")), test_double=1, test_double_example=1)
    sources = {"ann": 6, "ben": 666, "dora": 667, "emil": 6}
    for name, mark in sources.items():
        toy.hand_in(f"def double(x): return {mark} if x is 3 else 2 * x", name=f"{name}.py")
    make(toy.root, "results/ben/results.json")  # of an earlier run
    grades, written = grade_all(2)
    assert {name: grade.score for name, grade in grades.items()} == {
        "ann": 2,
        "ben": None,
        "dora": 2,
        "emil": 2,
    }
    assert sorted(written) == ["ann", "dora", "emil"]
    assert grades["ben"].remark == "the grading process was lost, twice"
    assert dict(grades["ben"].outcomes) == {"grader fault": 1}
    assert all(results["score"] == 2 for results in written.values())


# Interruptions.


def descendants(pid):
    """The process ids below `pid`, and the folders they were started with."""
    parents, commands = {}, {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text().rpartition(")")[2].split()
            commands[int(path.name)] = (path / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(path.name)] = int(fields[1])
    found, more = set(), {pid}
    while more:
        found |= more
        more = {child for child, parent in parents.items() if parent in more} - found
    folders = {word for each in found for word in commands.get(each, []) if "/grading-" in word}
    return found - {pid}, {Path(folder).parent for folder in folders}


def alive(pids):
    return {pid for pid in pids if (Path("/proc") / str(pid)).exists() and "\nState:\tZ" not in _status(pid)}


def _status(pid):
    try:
        return (Path("/proc") / str(pid) / "status").read_text()
    except OSError:
        return "\nState:\tZ"


def wait_until(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def hanging(toy):
    """Start the real command on submissions that hang; give the process when all of them are in hand."""
    processes = []

    def hanging(jobs):
        toy.configure(limits={"call_seconds": 100, "submission_seconds": 100})
        toy.hand_in("def double(x): return 2 * x", name="a finished one.py")
        for number in range(jobs + 1):
            toy.hand_in(HANG, name=f"hanging {number}.py")
        out = toy.root / "results"
        command = [sys.executable, "-m", "autograder", "--config", toy.config, "grade", toy.root / "handed in"]
        command += ["--out", out, "--jobs", str(jobs)]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored in the background
        )
        processes.append(process)
        wait_until(lambda: len(list(out.glob(".drafts-*/hanging*/results.json"))) == jobs, 30)
        below, _ = descendants(process.pid)
        wait_until(lambda: len(descendants(process.pid)[0]) >= (3 * jobs if jobs > 1 else 2), 10)
        below, folders = descendants(process.pid)
        assert folders
        return process, out, below, folders

    yield hanging
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        with process:  # closes its pipes
            pass


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")
@pytest.mark.parametrize(
    ("jobs", "send", "number"),
    [
        pytest.param(1, os.kill, signal.SIGINT, id="one job", marks=pytest.mark.heavy),
        pytest.param(1, os.kill, signal.SIGTERM, id="one job, by a scheduler"),
        pytest.param(2, os.killpg, signal.SIGINT, id="two jobs, from a terminal"),
    ],
)
def test_an_interruption_ends_at_once_and_leaves_nothing(hanging, jobs, send, number):
    process, out, below, folders = hanging(jobs)
    started = time.monotonic()
    send(process.pid, number)
    _, errors = process.communicate(timeout=20)
    assert time.monotonic() - started < 2 * (1 + os.getloadavg()[0] / (os.cpu_count() or 1))
    assert process.returncode == 130
    assert errors == "\nInterrupted. What has been graded so far is kept: the same command goes on from there.\n"
    wait_until(lambda: not alive(below), 2)
    assert [path.parent.name for path in out.glob("*/*")] == ["a finished one"]
    assert json.loads((out / "a finished one/results.json").read_text())["score"] == 4.0
    assert [folder for folder in folders if folder.exists()] == []


@pytest.mark.heavy
@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")
def test_nothing_outlives_a_killed_run(hanging):
    process, out, below, folders = hanging(2)
    process.kill()
    process.communicate(timeout=20)
    wait_until(lambda: not alive(below), 10)
    for folder in folders:  # removed already, unless this machine was too busy to do it in time
        shutil.rmtree(folder, ignore_errors=True)
    assert [path.parent.name for path in out.glob("*/results.json")] == ["a finished one"]


def test_processes_of_a_cluster_leave_ctrl_c_to_the_command():
    ask = [sys.executable, "-c", "import signal; print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"]
    before = signal.getsignal(signal.SIGINT)
    with parallel.children_ignore_ctrl_c():
        inside = subprocess.run(ask, capture_output=True, text=True, check=True).stdout
    assert inside.strip() == "True"
    assert signal.getsignal(signal.SIGINT) is before
