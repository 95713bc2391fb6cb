"""Grading as the platform does it: the supervisor, the folders, lateness, attempts, and what staff are told."""

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

from autograder import config, hosted
from autograder.gradescope import Results
from autograder.metadata import read
from tests.grader.stage.submissions import DUE, metadata

ROOT = Path(__file__).parents[2]
LATE = {"grace_minutes": 15, "percent_per_day": 10, "at_most_percent": 50}
HANGING = "import time\ndef test_double(student):\n    student.double(1)\n    time.sleep(60)\n"
FAULT = "def test_double(student):\n    undefined\n"


class Platform:
    """The platform's folders, with the toy homework's autograder in them."""

    def __init__(self, toy, root):
        self.toy, self.root = toy, root
        for folder in ("source", "submission", "results"):
            (root / folder).mkdir(parents=True)

    def run(self, source=None, about=None, **environment):
        """Run it as run_autograder does; the platform wipes these folders before."""
        for folder in ("submission", "results"):
            for path in (self.root / folder).iterdir():
                path.unlink()
        if source != "":
            (self.root / "submission/toy.py").write_text(source or self.toy.SOLUTION)
        (self.root / "submission_metadata.json").write_text(json.dumps(metadata() if about is None else about))
        done = subprocess.run(
            self.command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60
        )
        self.said = done.stdout + done.stderr
        return done.returncode

    @property
    def command(self):
        words = [sys.executable, "-m", "autograder", "--config", self.toy.config, "hosted", self.root]
        return [str(word) for word in words]

    @property
    def results(self):
        content = json.loads((self.root / "results/results.json").read_text())
        Results.model_validate({**content, "total_points": None})
        return content

    @property
    def left(self):
        return sorted(path.name for path in (self.root / "results").iterdir())


@pytest.fixture
def platform(toy, tmp_path):
    return Platform(toy, tmp_path / "auto grader")


# The supervisor.


def test_full_marks(platform, tmp_path):
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


def test_everything_is_closed(platform):
    platform.run()
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
    assert platform.run() == 0
    toy.set_tests(hidden=FAULT, test_double=1, test_double_example=1)
    assert platform.run() == 1
    assert platform.left == []
    assert platform.said.startswith("GRADER FAULT:\ntest_double: NameError: name 'undefined' is not defined")
    assert platform.said.endswith("The grading ended with status 1; the reason stands above. No grade is published.\n")


def test_a_configuration_that_does_not_fit_publishes_no_grade(platform, toy):
    toy.configure(total_points=99)
    assert platform.run() == 2
    assert platform.left == []
    assert "points of tests add up to 10, but total_points is 99" in platform.said


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


@pytest.fixture
def hangs(platform, toy):
    """A grader that hangs in its second test, and ends itself after three seconds."""
    toy.set_tests(hidden=HANGING, test_double_example=1, test_double=2)
    minutes = 3 / 60 / config.PLATFORM_SHARE
    limits = {"platform_minutes": minutes, "submission_seconds": 1.5}
    toy.configure(limits=limits, attempts={"per_day": 3})
    return platform


def test_when_time_is_up_what_was_found_counts(hangs, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    assert hangs.run(TMPDIR=str(scratch)) == 0
    assert hangs.left == ["results.json"]
    assert hangs.said == "The grading was ended after 3 s. What it had found by then counts.\n"
    results = hangs.results
    assert results["score"] == 1.0
    assert results["output"] == (
        "Found toy.py; 3 of 3 functions defined.\n"
        "This attempt does not count. Used: 0 of 3 on 2026-10-01.\n"
        "Grading had to be stopped after 0.05 minutes: tests that were not run count 0. Submit again."
    )
    first, second = results["tests"]
    assert (first["output"], first["score"]) == ("Passed.", 1.0)
    assert (second["name"], second["score"], second["max_score"]) == ("test_double", 0.0, 2.0)
    assert second["output"] == ("Not run: grading had to be stopped after 0.05 minutes.\nThat is not a second mistake.")
    assert results["extra_data"]["attempts"]["ledger"][0]["counts"] is False
    assert list(scratch.iterdir()) == []
    assert not running(str(hangs.root))


def test_asked_to_end_it_leaves_nothing(hangs, toy):
    toy.configure(limits={"platform_minutes": 10})
    (hangs.root / "submission/toy.py").write_text(toy.SOLUTION)
    process = subprocess.Popen(hangs.command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    draft = hangs.root / "results/results.partial.json"
    deadline = time.monotonic() + 30
    while not draft.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert stat.S_IMODE(draft.stat().st_mode) == 0o600
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Interrupted." in said
    assert hangs.left == []
    assert not running(str(hangs.root))


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


# What cannot be graded.


def test_no_required_file(platform, toy):
    toy.configure(attempts={"in_total": 3})
    assert platform.run("") == 0
    first, second = platform.results["output"].split("\n")[:2]
    assert "toy.py" in first
    assert second == "This attempt does not count. Used: 0 of 3 in all."
    assert platform.results["score"] == 0
    assert platform.results["extra_data"]["attempts"]["ledger"][-1]["counts"] is False
    assert "The submission: " in platform.said


def test_a_file_that_cannot_be_imported_does_not_count(platform, toy):
    toy.configure(attempts={"in_total": 3})
    platform.run("def double(x)")
    assert platform.results["output"].split("\n")[:2] == [
        "toy.py could not be imported: SyntaxError: expected ':' (toy.py, line 1: def double(x))",
        "This attempt does not count. Used: 0 of 3 in all.",
    ]


# The rules.


def test_late_and_counted(platform, toy):
    toy.configure(late=LATE, attempts={"per_day": 3, "in_total": 9})
    assert platform.run(about=metadata(DUE + timedelta(hours=30), previous=[(-99, 2.0, True)])) == 0
    assert platform.results["score"] == 8.0
    assert platform.results["output"].split("\n") == [
        "Found toy.py; 3 of 3 functions defined.",
        "Attempt 2 of 3 on 2026-10-03, 2 of 9 in all.",
        "Handed in 1 day 6 h late: 2 days begun × 10 % = 20 % off: 10.00 → 8.00.",
        "Every test passed.",
    ]
    assert "Handed in 1 day 6 h late: 2 days begun × 10 % = 20 % off.\n" in platform.said


def test_what_is_over_the_budget_is_not_graded(platform, toy):
    """It is read, so that the first line says what was found, and no test is run."""
    toy.configure(late=LATE, attempts={"per_day": 1})
    toy.set_tests(
        hidden=FAULT.replace("undefined", "student.double(1)\n    undefined"), test_double=7, test_double_example=3
    )
    about = metadata(DUE + timedelta(hours=30), previous=[(-30, 6.5, True)])
    assert platform.run(about=about) == 0
    results = platform.results
    assert results["score"] == 6.5
    assert results["output"].split("\n") == [
        "Found toy.py; 3 of 3 functions defined.",
        "Not graded: the only attempt of 2026-10-03 is used. The score stays 6.50, that of your last attempt that "
        "counts (2026-10-03 05:30). The next attempt is possible on 2026-10-04.",
    ]
    assert {test["output"] for test in results["tests"]} == {
        "Not run: the only attempt of 2026-10-03 is used.\nThat is not a second mistake."
    }
    assert [line["counts"] for line in results["extra_data"]["attempts"]["ledger"]] == [True, False]
    assert "Not graded: the only attempt of 2026-10-03 is used.\n" in platform.said


def known(tmp_path, content):
    path = tmp_path / "submission_metadata.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read(path)


@pytest.fixture
def standing(toy, tmp_path):
    """What the rules make of the platform's metadata."""

    def standing(about, **rules):
        toy.configure(**rules)
        return hosted.standing(known(tmp_path, about), config.load(toy.config))

    return standing


def test_without_rules_nothing_has_to_be_known(standing):
    assert standing("") == hosted.Standing()


def test_whose_due_date(standing):
    after = DUE + timedelta(hours=30)

    def days(**more):
        stands = standing(metadata(after, **more), late=LATE)
        return stands.late.days if stands.late else 0, len(stands.notes)

    assert days() == (2, 0)
    assert days(extensions=[DUE + timedelta(days=1)]) == (1, 0)
    assert days(extensions=[None, DUE + timedelta(days=3)]) == (0, 0)


def test_config_before_the_assignment_and_extensions_before_config(toy, tmp_path):
    about = metadata(DUE + timedelta(hours=30))
    settings = config.load(toy.config)

    def days(due, about=about):
        late = config.Late.model_validate({**LATE, "due": due})
        stands = hosted.standing(known(tmp_path, about), settings.model_copy(update={"late": late}))
        return stands.late.days if stands.late else 0, stands.notes

    note = f"config.yaml: late.due is {DUE - timedelta(days=1)}, on Gradescope it is {DUE}: the former counts"
    assert days(DUE - timedelta(days=1)) == (3, [note])
    assert days(DUE) == (2, [])
    assert days(DUE - timedelta(days=1), metadata(DUE, extensions=[DUE + timedelta(days=1)]))[0] == 0


def test_nobody_says_when_it_was_due(standing):
    about = metadata()
    about["assignment"]["due_date"] = about["users"][0]["assignment"]["due_date"] = None
    stands = standing(about, late=LATE)
    assert stands.late is None
    assert stands.notes == ["late: neither config.yaml nor Gradescope says when it was due, so nothing is taken off"]


def test_no_earlier_score_is_known(standing):
    about = metadata(previous=[(-30, 5.0, True)])
    about["previous_submissions"][0]["score"] = None
    stands = standing(about, attempts={"in_total": 1})
    assert stands.withheld == ""
    assert stands.notes == [
        "the only attempt is used, but no earlier score is known that could stay: graded all the same"
    ]


def test_metadata_that_cannot_be_read_is_told_to_everybody(platform, toy):
    toy.configure(late=LATE, attempts={"per_day": 1})
    assert platform.run(about=[]) == 0
    results = platform.results
    assert results["score"] == 10
    assert results["output"].split("\n")[:2] == ["Found toy.py; 3 of 3 functions defined.", hosted.UNREAD]
    assert results["extra_data"]["notes"] == ["submission_metadata.json holds no object"]
    assert "Note: submission_metadata.json holds no object\n" in platform.said


# What a student may not see.


def test_what_is_hidden_is_not_given_away(platform, toy):
    """The platform hides the test and the total; the text on top is shown to everybody at once."""
    tests = {name: {"points": points} for name, points in toy.POINTS.items()}
    tests["test_halve"]["visibility"] = "after_due_date"
    toy.configure(tests=tests, late=LATE)
    platform.run(toy.SOLUTION.replace("x / 2", "x / 3"), metadata(DUE + timedelta(hours=30)))
    assert platform.results["output"].split("\n") == [
        "Found toy.py; 3 of 3 functions defined.",
        "Handed in 1 day 6 h late: 2 days begun × 10 % = 20 % off.",
        "1 of 4 tests are not shown here, or not yet: the rest of this text is about the others.",
        *platform.results["output"].split("\n")[3:],
    ]
    assert "halve" not in platform.results["output"].replace("unhalve", "")


# The self-check.


def test_the_model_answer_gets_all_points(toy):
    assert hosted.self_check(config.load(toy.config)) == ""


def test_a_model_answer_that_does_not(toy):
    (toy.root / "answers/toy.py").write_text(toy.SOLUTION.replace("2 * x", "x"))
    assert hosted.self_check(config.load(toy.config)).split("\n")[:2] == [
        "the model answer gets 6 of 10 points, but should get all of them",
        "test_double_example: y=[1.0, 2.0], but should be [2.0, 4.0] [double, by hand]",
    ]


def test_a_model_answer_that_cannot_be_graded(toy):
    toy.set_tests(hidden=FAULT, test_double=1, test_double_example=1)
    assert hosted.self_check(config.load(toy.config)).startswith(
        "the model answer cannot be graded: test_double: NameError"
    )


@pytest.mark.parametrize(("change", "status"), [("", 0), ("x", 1)])
def test_its_command(toy, change, status):
    (toy.root / "answers/toy.py").write_text(toy.SOLUTION.replace("2 * x", f"2 * {change or 'x'}{change}"))
    command = [sys.executable, "-m", "autograder", "--config", str(toy.config), "self-check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == status
    assert done.stdout.startswith("the model answer gets " if status else "The model answer gets all points.\n")
