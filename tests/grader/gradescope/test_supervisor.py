"""The supervisor: a grade in full or none, when time is up, when somebody ends it, whoever reads."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from autograder.gradescope import hosted
from tests.grader.stage.submissions import DUE, metadata
from tests.grader.support import ROOT
from tests.grader.support.platform import FAULT, LATE


def running(word):
    """Whether a process with this word in its command line is there."""
    if sys.platform != "linux":
        return False
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word in path.read_text(errors="replace"):
                return True
        except OSError:
            continue
    return False


# The supervisor.


def test_full_marks_and_everything_is_closed(platform, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    assert platform.run(TMPDIR=str(scratch)) == 0
    assert platform.left == ["results.json"]
    results = platform.results
    assert (results["score"], results["stdout_visibility"]) == (10.0, "hidden")
    assert results["output"] == "Found toy.py; 3 of 3 functions defined.\nEvery test passed."
    assert platform.said.startswith("10 of 10: 4 passed; ")
    assert "Isolation: " in platform.said
    assert list(scratch.iterdir()) == []
    # Everything is closed to other users.
    for name in ("source", "submission", "results"):
        assert stat.S_IMODE((platform.root / name).stat().st_mode) == 0o700
    for name in ("submission_metadata.json", "results/results.json"):
        assert stat.S_IMODE((platform.root / name).stat().st_mode) == 0o600


def test_the_same_as_at_home(platform, toy):
    source = "def double(x): return x\ndef halve(x): return x / 2, x.shape\ndef unhalve(out, cache): return 1 / 0\n"
    platform.run(source)
    path = toy.hand_in(source, "ann/toy.py").parent
    command = [sys.executable, "-m", "autograder", "--config", toy.config, "grade", path, "--out", toy.root / "out"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    at_home = json.loads((toy.root / "out/ann/results.json").read_text())
    here = platform.results
    assert here["extra_data"].pop("notes") == []
    assert toy.lasting(here) == toy.lasting(at_home)


def test_a_fault_publishes_no_grade(platform, toy):
    toy.set_tests(hidden=FAULT, test_double=1, test_double_example=1)
    assert platform.run() == 1
    assert platform.left == []
    assert platform.said.startswith("GRADER FAULT:\ntest_double: NameError: name 'undefined' is not defined")
    assert platform.said.endswith("The grading ended with status 1; the reason is above. No grade is published.\n")


def test_a_configuration_that_does_not_fit_publishes_no_grade(platform, toy):
    toy.configure(total_points=99)
    assert platform.run() == 2
    assert platform.left == []
    assert "points of tests add up to 10, but total_points is 99" in platform.said


@pytest.mark.heavy
def test_no_grade_without_fixtures(platform, toy):
    (toy.root / "secret/arrays/manifest.json").write_text("{}")
    assert platform.run() == 1
    assert platform.left == []
    assert "manifest.json: groups: is missing or is not what was saved" in platform.said


def test_a_grading_that_is_killed_publishes_no_grade(platform, toy):
    hidden = "import os\ndef test_double(student):\n    student.double(1)\n    os.kill(os.getpid(), 9)\n"
    toy.set_tests(hidden=hidden, test_double=1, test_double_example=1)
    assert platform.run() == 1
    assert platform.left == []
    assert platform.said == (
        "The grading was killed, probably because memory ran out: choose a larger container on Gradescope. "
        "No grade is published.\n"
    )


def test_when_time_is_up_what_was_found_counts(hangs, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    seconds = hangs.run_out_of_time(TMPDIR=str(scratch))
    assert hangs.left == ["results.json"]
    assert hangs.said == f"The grading was ended after {seconds} s. What it had found by then counts.\n"
    results = hangs.results
    assert results["score"] == 1.0
    assert results["output"] == (
        "Found toy.py; 3 of 3 functions defined.\n"
        "This attempt does not count. Used: 0 of 3 on 2026-10-01.\n"
        f"Grading had to be stopped after {seconds} s: tests that were not run count 0. Submit again."
    )
    second, first = results["tests"]  # failed ones come first
    assert (first["output"], first["score"]) == ("Passed.", 1.0)
    assert (second["name"], second["score"], second["max_score"]) == ("test_double", 0.0, 2.0)
    assert second["output"] == f"Not run: grading had to be stopped after {seconds} s."
    assert results["extra_data"]["attempts"]["ledger"][0]["counts"] is False
    assert list(scratch.iterdir()) == []
    assert not running(str(hangs.root))


def test_asked_to_end_it_leaves_nothing(hangs, toy):
    (hangs.root / "submission/toy.py").write_text(toy.SOLUTION)
    process = subprocess.Popen(hangs.command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    draft = hangs.draft()
    assert stat.S_IMODE(draft.stat().st_mode) == 0o600
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Interrupted." in said
    assert hangs.left == []
    assert not running(str(hangs.root))


@pytest.mark.skipif(sys.platform != "linux", reason="nobody else ends a process with its parent")
def test_a_grading_does_not_outlive_its_supervisor(hangs, toy, tmp_path):
    """It would write into the results of the next one."""
    (hangs.root / "submission/toy.py").write_text(toy.SOLUTION)
    environment = {**os.environ, "TMPDIR": str(tmp_path)}  # nobody is left to remove what is temporary
    process = subprocess.Popen(hangs.command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    draft = hangs.draft()
    process.kill()
    process.wait()
    deadline = time.monotonic() + 20
    while running(str(hangs.root)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not running(str(hangs.root))
    assert hangs.left == [draft.name]
    toy.set_tests()
    assert hangs.run_again() == 0
    assert hangs.left == ["results.json"]
    assert hangs.results["score"] == 10


@pytest.mark.skipif(sys.platform != "linux", reason="nobody else ends a process with its parent")
def test_a_grading_whose_supervisor_is_gone_ends_at_once(platform):
    done = subprocess.run([*platform.command, "--unsupervised", "1"], cwd=ROOT, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert platform.left == []


def test_nothing_of_another_run_is_published(platform, tmp_path):
    """Here the grading writes no draft; another run's is there, whole and half."""
    results = platform.root / "results/results.json"
    for name in ("results.json", "results.partial.json", "results.partial-0.json", ".results.partial-0.json-x"):
        (results.parent / name).write_text("{}")
    script = "from autograder.gradescope.supervisor import supervise; from pathlib import Path; import sys; "
    script += "a, b = map(Path, sys.argv[1:]); print(supervise([sys.executable, '-c', ''], a, b, 30))"
    draft = hosted.Folders(platform.root).draft
    done = subprocess.run([sys.executable, "-c", script, draft, results], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "The grading has left no results. No grade is published.\nFalse\n"
    assert platform.left == []


def test_every_run_has_a_draft_of_its_own(tmp_path):
    assert hosted.Folders(tmp_path).draft != hosted.Folders(tmp_path).draft


# Who reads it.


@pytest.mark.heavy
def test_a_terminal_that_knows_only_ascii(platform, toy):
    toy.configure(late=LATE)
    assert platform.run(about=metadata(DUE + timedelta(hours=30)), PYTHONIOENCODING="ascii", PYTHONUTF8="0") == 0
    assert "2 days begun \\xd7 10 % = 20 % off.\n" in platform.said
    assert platform.results["score"] == 8.0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device")
def test_a_full_disk_behind_stdout(platform):
    with Path("/dev/full").open("w") as full:
        assert platform.run(stdout=full) == 0
    assert platform.results["score"] == 10


@pytest.mark.heavy
def test_nobody_listens(platform):
    read, write = os.pipe()
    os.close(read)
    assert platform.run(stdout=write) == 0
    os.close(write)
    assert platform.results["score"] == 10


@pytest.mark.heavy
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device")
def test_nobody_listens_when_time_is_up(hangs):
    with Path("/dev/full").open("w") as full:
        hangs.run_out_of_time(stdout=full)
    assert hangs.results["score"] == 1.0


@pytest.mark.heavy
def test_no_stdout_at_all(platform):
    (platform.root / "submission/toy.py").write_text(platform.toy.SOLUTION)
    done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *platform.command], cwd=ROOT, timeout=60)
    assert done.returncode == 0
    assert platform.results["score"] == 10


@pytest.mark.heavy
def test_a_fault_is_one_whoever_reads_of_it(platform, toy):
    toy.set_tests(hidden=FAULT, test_double=1, test_double_example=1)
    assert platform.run(PYTHONIOENCODING="ascii") == 1
    assert platform.left == []


@pytest.mark.parametrize(
    ("minutes", "said"), [(0.05, "3 s"), (0.9, "54 s"), (9, "9 minutes"), (13.5, "13.5 minutes"), (9.99, "10 minutes")]
)
def test_how_long_in_words(minutes, said):
    assert hosted.span(minutes) == said
