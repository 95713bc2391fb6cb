"""The rehearsal judges rightly: what is wrong is said, and a machine that cannot rehearse is told why."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.core import config
from autograder.core.extra import ResultsExtra, TestExtra
from autograder.core.results import Results, TestEntry
from autograder.sandbox import isolation
from tests.grader.stage import __main__ as stage
from tests.grader.stage import submissions, world
from tests.grader.stage.submissions import HandIn
from tests.grader.stage.world import Ran
from tests.grader.support import ROOT

SETTINGS = config.load(ROOT / "config.yaml")
POINTS = float(SETTINGS.total_points)


def results(score=POINTS, output="Found it.", **layers):
    report = {layer.name: "on" for layer in isolation.LAYERS}
    about = TestExtra(test="test_one", outcome="passed")
    entry = TestEntry(number="1.1", name="one", score=score, max_score=POINTS, extra_data=about)
    extra = ResultsExtra(isolation={**report, **layers})
    return Results(total_points=POINTS, score=score, output=output, tests=(entry,), extra_data=extra).model_dump()


GOOD = HandIn("good", {}, POINTS, ("Found",))


@pytest.fixture(autouse=True)
def idle(monkeypatch):
    monkeypatch.setattr(os, "getloadavg", lambda: (0.1, 0.1, 0.1))


def test_times_are_not_judged_on_a_busy_machine(monkeypatch):
    slow = Ran(0, 130.0, results(), "")
    assert len(list(stage.problems(GOOD, slow, SETTINGS))) == 1
    monkeypatch.setattr(os, "getloadavg", lambda: (9.04, 0.1, 0.1))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert list(stage.problems(GOOD, slow, SETTINGS)) == []
    assert stage.busy() == " (busy, load 9.0: times are not judged here)"


@pytest.mark.parametrize(
    ("hand_in", "ran", "problem"),
    [
        (GOOD, Ran(0, 1.0, results(), ""), None),
        (HandIn("fault", {}, published=False), Ran(1, 1.0, None, ""), None),
        (GOOD, Ran(0, 1.0, results(), "", ["process sleep 9"]), "left behind or open to others: process sleep 9"),
        (GOOD, Ran(0, 130.0, results(), ""), "took 130.0 s, but should take at most 120 s"),
        (GOOD, Ran(1, 1.0, results(), ""), "run_autograder ended with status 1"),
        (GOOD, Ran(0, 1.0, None, ""), "there is no results.json"),
        (HandIn("fault", {}, published=False), Ran(1, 1.0, results(), ""), "there is a results.json"),
        (
            GOOD,
            Ran(0, 1.0, {**results(), "visibility": "never"}, ""),
            "results.json: Results.visibility: Input should be",
        ),
        (GOOD, Ran(0, 1.0, {**results(), "tests": []}, ""), "results.json: Results: max_score adds up to 0.0, but"),
        (GOOD, Ran(0, 1.0, results(landlock="not here"), ""), "layer missing: landlock: not here"),
        (GOOD, Ran(0, 1.0, results(output="Lost it."), ""), "the student does not read 'Found'"),
        (GOOD, Ran(0, 1.0, results(score=1.0), ""), f"score is 1, but should be {POINTS:g}: Found it."),
    ],
)
def test_what_is_wrong_is_said(hand_in, ran, problem):
    found = list(stage.problems(hand_in, ran, SETTINGS))
    if problem is None:
        assert found == []
    else:
        assert len(found) == 1
        assert found[0].startswith(problem)


def test_another_text_than_at_home():
    here, home = results(), results()
    here["output"], here["tests"][0]["output"] = "a", "b"
    assert list(stage.differences(here, home)) == [
        "output is 'a', but at home it is 'Found it.'",
        "output of one is 'b', but at home it is ''",
    ]


def test_everything_is_handed_in():
    found = submissions.all_of_them(ROOT / "config.yaml")
    assert len({hand_in.name for hand_in in found}) == len(found) > 10
    assert all(hand_in.files for hand_in in found)
    assert {hand_in.small for hand_in in found} == {hand_in.published for hand_in in found} == {True, False}


def test_what_pip_is_told_here_holds_there(monkeypatch, tmp_path):
    (tmp_path / "mirror/simple").mkdir(parents=True)
    (tmp_path / "ca.crt").touch()
    said = (
        f"global.cert='{tmp_path}/ca.crt'\n:env:.find-links='/nonexistent'\n"
        f"global.extra-index-url='\\nhttps://one.example/simple\\nfile://{tmp_path}/mirror/simple'\n"
    )
    monkeypatch.setattr(world, "call", lambda command: said)
    monkeypatch.setattr(os, "environ", {"https_proxy": "http://proxy:1", "HOME": "/nobody"})
    variables, shared = world.pip_settings()
    assert variables == {
        "PIP_CERT": f"{tmp_path}/ca.crt",
        "PIP_FIND_LINKS": "/nonexistent",
        "PIP_EXTRA_INDEX_URL": f" https://one.example/simple file://{tmp_path}/mirror/simple",
        "https_proxy": "http://proxy:1",
    }
    assert shared == (tmp_path / "ca.crt", tmp_path / "mirror")


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine with these programs, and this user."""

    def machine(*programs, uid=0, platform="linux"):
        monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}" if name in programs else None)
        monkeypatch.setattr(os, "geteuid", lambda: uid)
        monkeypatch.setattr(sys, "platform", platform)
        monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 1))
        return world.choose(None, tmp_path)

    return machine


def test_a_machine_that_cannot_is_told_why(machine):
    assert machine("docker", platform="darwin") == "it needs Docker, or Linux"
    assert machine(uid=1000) == "it needs Docker, or root: sudo make rehearse"
    assert machine("unshare") == ("it needs Docker, or debootstrap and chroot: apt-get install debootstrap util-linux")


def test_an_image_is_for_docker(machine, monkeypatch, tmp_path):
    machine()
    assert world.choose("ubuntu:22.04", tmp_path) == "Docker does not answer (docker info)"


def test_not_rehearsed_is_no_failure(monkeypatch, capsys):
    monkeypatch.setattr(stage, "choose", lambda image, keep: "it needs Docker, or Linux")
    monkeypatch.setattr(sys, "argv", ["rehearse"])
    assert stage.main() == 0
    assert capsys.readouterr().out == "Not rehearsed: it needs Docker, or Linux.\n"


class Broken(world.World):
    name, small = "nowhere", "nowhere is small"

    def make(self):
        pass

    def set_up(self, bundle):
        raise subprocess.CalledProcessError(1, "sh", "line\n" * 99 + "setup.sh: no network")

    def _run(self, folder, replaced, small):
        (folder / "results/stdout").write_text("GRADER FAULT")
        return "status 1\nprocess sleep\n"

    def close(self):
        pass


def test_an_image_that_cannot_be_built(capsys):
    assert stage.set_up(Broken(), Path("x.zip")) == 1
    first, *rest = capsys.readouterr().out.splitlines()
    assert first == "PROBLEM: sh ended with status 1:"
    assert len(rest) == stage.LINES
    assert rest[-1] == "    | setup.sh: no network"


def test_a_submission_in_one_line_and_its_problems_below(capsys):
    assert stage.rehearse(Broken(), GOOD, SETTINGS) == 3
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["good", "no", "grade", lines[0].split()[3], "s", "PROBLEMS"]
    assert lines[1:] == [
        "    left behind or open to others: process sleep",
        "    run_autograder ended with status 1",
        "    there is no results.json",
        "    | GRADER FAULT",
    ]


def test_what_cannot_be_made_small_is_said(capsys):
    assert stage.rehearse(Broken(), HandIn("tiny", {}, small=True), SETTINGS) == 0
    assert capsys.readouterr().out.split(maxsplit=1) == ["tiny", "not rehearsed: nowhere is small\n"]
