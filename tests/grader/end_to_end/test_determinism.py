"""The same submission gets the same grade and the same words: run by run, in any order, alone or beside others."""

import json
import random
import shutil
import subprocess
import sys

import pytest

from autograder.authoring import verify
from autograder.classroom import parallel
from autograder.core import config
from tests.grader.support import ROOT, SUBMISSIONS

CONFIG = ROOT / "config.yaml"
SAMPLE = SUBMISSIONS / "sample"

# Wrong in values, in shapes, in what is returned at all, and by remembering earlier calls.
NAMES = ("height-width-mixed", "overlapping-assigned", "returns-garbage", "piles-up")


@pytest.fixture
def settings(tmp_path):
    """The real homework without tests of speed: what they measure is theirs to prove."""
    return json.loads(verify.without_speed(config.load(CONFIG), tmp_path).read_text(encoding="utf-8"))


@pytest.fixture
def entries(tmp_path):
    source = (SAMPLE / "full-marks" / "layers.py").read_text(encoding="utf-8")
    fresh = "np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=windows.dtype)"
    assert source.count(fresh) == 1
    path = tmp_path / "class" / "piles-up.py"
    path.parent.mkdir()
    path.write_text("SEEN = {}\n" + source.replace(fresh, f"SEEN.setdefault(x_shape, {fresh})"), encoding="utf-8")
    for name in NAMES:
        if name != "piles-up":
            shutil.copytree(SAMPLE / name, tmp_path / "class" / name)
    return NAMES


def told(results_path):
    """All that a student and a gradebook are told, by the name of the test; figures that vary are for staff alone."""
    results = json.loads(results_path.read_text(encoding="utf-8"))
    shown = ("name", "number", "score", "max_score", "status", "output", "visibility")
    tests = {
        test["extra_data"]["test"]: [test["extra_data"]["outcome"], *(test[key] for key in shown)]
        for test in results["tests"]
    }
    return {"score": results["score"], "output": results["output"], "tests": tests}


def verdicts(told):
    """Return the score, and how every test ended with how many points."""
    tests = {name: (outcome, score) for name, (outcome, _, _, score, *_) in told["tests"].items()}
    return told["score"], tests


def failed_first(names, tests):
    """Return these names, those of tests that lost points before the others."""
    return sorted(names, key=lambda name: tests[name][3] == tests[name][4])


def grade(settings, entries, out, jobs=2):
    """Grade in processes of their own, as a batch does: here pytest would rewrite the asserts of the graded tests."""
    out.mkdir()
    path = CONFIG
    if settings is not None:
        path = out / "config.yaml"
        path.write_text(json.dumps(settings), encoding="utf-8")
    words = ["--config", path, "grade", out.parent / "class", "--out", out, "--jobs", jobs]
    command = [sys.executable, "-m", "autograder", *map(str, words)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return {name: told(out / name / parallel.RESULTS) for name in entries}


@pytest.mark.heavy
def test_no_verdict_depends_on_the_tests_before_it(settings, entries, tmp_path):
    """What is said of a verdict may: a mistake that earlier tests have found explains what fails in later ones."""
    expected = grade(settings, entries, tmp_path / "in order")
    for seed in range(5):
        names = list(settings["tests"])
        random.Random(seed).shuffle(names)
        shuffled = settings | {"tests": {name: settings["tests"][name] for name in names}}
        got = grade(shuffled, entries, tmp_path / f"shuffled-{seed}")
        for entry in entries:
            assert list(got[entry]["tests"]) == failed_first(names, got[entry]["tests"])
            assert verdicts(got[entry]) == verdicts(expected[entry]), (entry, seed)


@pytest.mark.heavy
def test_no_word_depends_on_what_runs_beside_it(settings, entries, tmp_path):
    results = [grade(settings, entries, tmp_path / f"{jobs} jobs", jobs) for jobs in (1, 2, 4)]
    assert results[0] == results[1] == results[2]


@pytest.mark.heavy
def test_fifty_runs_give_one_result(tmp_path):
    """With the tests of speed, too: a step is a step in every run."""
    name = "overlapping-assigned"
    shutil.copytree(SAMPLE / name, tmp_path / "class" / name)
    results = [grade(None, [name], tmp_path / str(run))[name] for run in range(50)]
    assert 0 < results[0]["score"] < 100
    assert all(result == results[0] for result in results)
