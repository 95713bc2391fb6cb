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

from autograder.core import config
from autograder.core.results import Results
from autograder.gradescope import hosted
from autograder.gradescope.metadata import read
from tests.grader.stage.submissions import DUE, metadata
from tests.grader.support import ROOT

LATE = {"grace_minutes": 15, "percent_per_day": 10, "at_most_percent": 50}
HANGING = "import time\ndef test_double(student):\n    student.double(1)\n    time.sleep(60)\n"
FAULT = "def test_double(student):\n    undefined\n"


class Platform:
    """The platform's folders, with the toy homework's autograder in them."""

    def __init__(self, toy, root):
        self.toy, self.root = toy, root
        for folder in ("source", "submission", "results"):
            (root / folder).mkdir(parents=True)

    def run(self, source=None, about=None, stdout=subprocess.PIPE, **environment):
        """Run it as run_autograder does; the platform wipes these folders before."""
        for folder in ("submission", "results"):
            for path in (self.root / folder).iterdir():
                path.unlink()
        return self.run_again(source, about, stdout, **environment)

    def run_again(self, source=None, about=None, stdout=subprocess.PIPE, **environment):
        """Run it where nothing was wiped."""
        if source != "":
            (self.root / "submission/toy.py").write_text(source or self.toy.SOLUTION)
        (self.root / "submission_metadata.json").write_text(json.dumps(metadata() if about is None else about))
        stderr = subprocess.PIPE if stdout == subprocess.PIPE else subprocess.STDOUT
        done = subprocess.run(
            self.command, cwd=ROOT, env={**os.environ, **environment}, stdout=stdout, stderr=stderr, timeout=60
        )
        self.said = ((done.stdout or b"") + (done.stderr or b"")).decode()
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

    def draft(self):
        """The draft of the grading that runs, as soon as it is there."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for path in (self.root / "results").glob("results.partial-*.json"):
                return path
            time.sleep(0.05)
        raise AssertionError("no draft")

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
        "Grading had to be stopped after 3 s: tests that were not run count 0. Submit again."
    )
    first, second = results["tests"]
    assert (first["output"], first["score"]) == ("Passed.", 1.0)
    assert (second["name"], second["score"], second["max_score"]) == ("test_double", 0.0, 2.0)
    assert second["output"] == "Not run: grading had to be stopped after 3 s.\nThat is not a second mistake."
    assert results["extra_data"]["attempts"]["ledger"][0]["counts"] is False
    assert list(scratch.iterdir()) == []
    assert not running(str(hangs.root))


def test_asked_to_end_it_leaves_nothing(hangs, toy):
    toy.configure(limits={"platform_minutes": 10})
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
    toy.configure(limits={"platform_minutes": 10})
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


def test_nobody_listens(platform):
    read, write = os.pipe()
    os.close(read)
    assert platform.run(stdout=write) == 0
    os.close(write)
    assert platform.results["score"] == 10


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device")
def test_nobody_listens_when_time_is_up(hangs):
    with Path("/dev/full").open("w") as full:
        assert hangs.run(stdout=full) == 0
    assert hangs.results["score"] == 1.0


def test_no_stdout_at_all(platform):
    (platform.root / "submission/toy.py").write_text(platform.toy.SOLUTION)
    done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *platform.command], cwd=ROOT, timeout=60)
    assert done.returncode == 0
    assert platform.results["score"] == 10


def test_a_fault_is_one_whoever_reads_of_it(platform, toy):
    toy.set_tests(hidden=FAULT, test_double=1, test_double_example=1)
    assert platform.run(PYTHONIOENCODING="ascii") == 1
    assert platform.left == []


@pytest.mark.parametrize(
    ("minutes", "said"), [(0.05, "3 s"), (0.9, "54 s"), (9, "9 minutes"), (13.5, "13.5 minutes"), (9.99, "10 minutes")]
)
def test_how_long_in_words(minutes, said):
    assert hosted._span(minutes) == said


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
    ledger = results["extra_data"]["attempts"]["ledger"]
    assert [(line["counts"], line["score"]) for line in ledger] == [(True, 6.5), (False, 6.5)]
    assert "Not graded: the only attempt of 2026-10-03 is used.\n" in platform.said
    note = "it keeps the score of 2026-10-03 05:30; if the tests have changed since, rerun that one and activate it"
    assert results["extra_data"]["notes"] == [note]
    assert f"Note: {note}\n" in platform.said


def test_the_ledger_has_the_score_that_is_published(platform, toy):
    toy.configure(late=LATE, attempts={"in_total": 2})
    platform.run(about=metadata(DUE + timedelta(hours=30), previous=[(-60, 2.0, True)]))
    ledger = platform.results["extra_data"]["attempts"]["ledger"]
    assert [(line["counts"], line["score"]) for line in ledger] == [(True, 2.0), (True, 8.0)]


def test_an_upload_that_is_being_graded_is_an_attempt(platform, toy):
    """The first of three was graded; two came at once."""
    toy.configure(attempts={"in_total": 2})
    about = metadata(previous=[(-60, 7.5, True), (-1, None, True)])
    about["previous_submissions"][0]["results"] = about["previous_submissions"][1].pop("results")
    assert platform.run(about=about) == 0
    assert platform.results["score"] == 7.5
    assert "The score stays 7.50, that of your last attempt" in platform.results["output"]
    assert len(platform.results["extra_data"]["notes"]) == 2


def test_no_grade_while_no_score_is_known_that_could_stay(platform, toy):
    """Neither 0 nor an attempt more than there are."""
    toy.configure(attempts={"in_total": 2})
    assert platform.run(about=metadata(previous=[(-2, None, True), (-1, None, True)])) == 1
    assert platform.left == []
    assert platform.said == (
        "GRADER FAULT:\n"
        "not graded: all 2 attempts are used, and no score is known that could stay: an earlier upload is still being "
        "graded. Once that has ended, rerun this submission, or have the student submit again.\n"
        "The grading ended with status 1; the reason stands above. No grade is published.\n"
    )


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
    assert standing("") == hosted.Ruling()


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

    def note(due):
        both = f"config.yaml: late.due is {due}, on Gradescope it is {DUE}"
        return [f"{both}: the former counts, except for extensions beyond it"]

    before, after = DUE - timedelta(days=1), DUE + timedelta(days=4)
    assert days(before) == (3, note(before))
    assert days(DUE) == (2, [])
    assert days(before, metadata(DUE, extensions=[DUE + timedelta(days=1)]))[0] == 0
    # An extension that ends before everybody's date takes nothing away.
    assert days(after, metadata(DUE + timedelta(days=3), extensions=[DUE + timedelta(days=2)])) == (0, note(after))
    # Without everybody's date on the platform, a student's there is nothing special.
    about = metadata(DUE + timedelta(days=3))
    about["assignment"]["due_date"] = None
    alone = "late: Gradescope names no due date of the assignment, so students' own are not taken for extensions"
    assert days(after, about) == (0, [alone])
    assert days(before, about) == (4, [alone])


def test_nobody_says_when_it_was_due(standing):
    about = metadata()
    about["assignment"]["due_date"] = about["users"][0]["assignment"]["due_date"] = None
    stands = standing(about, late=LATE)
    assert stands.late is None
    assert stands.notes == ["late: neither config.yaml nor Gradescope says when it was due, so nothing is taken off"]


@pytest.mark.parametrize("score", [None, -5, 10**400])
def test_no_earlier_score_is_known(standing, score):
    about = metadata(previous=[(-30, None, True)])
    about["previous_submissions"][0]["score"] = score
    stands = standing(about, attempts={"in_total": 1})
    assert stands.withheld == ""
    assert stands.fault.startswith("not graded: the only attempt is used, and no score is known that could stay: ")
    assert len(stands.notes) == (score is not None)


def test_more_points_than_there_are_now(standing):
    stands = standing(metadata(previous=[(-30, 150, True)]), attempts={"in_total": 1})
    assert stands.kept == 10
    assert stands.notes[-1] == "that score is 150, more than all 10 points: cut to these"


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
