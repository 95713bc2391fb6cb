"""The same submission gets the same grade and the same words: run by run, in any order, alone or beside others."""

import json
import random
from pathlib import Path

import pytest

from autograder import batch, config, verify
from autograder.grade import Grader

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config.yaml"
SAMPLE = ROOT / "tests" / "grader" / "submissions" / "sample"

# Wrong in values, in shapes, in what is returned at all, and by remembering earlier calls.
NAMES = ("height-width-mixed", "overlapping-assigned", "returns-garbage", "piles-up")


@pytest.fixture
def settings(tmp_path):
    """The real homework without tests of speed: what they measure is theirs to prove."""
    return config.load(verify.without_speed(config.load(CONFIG), tmp_path))


@pytest.fixture
def entries(tmp_path):
    source = (SAMPLE / "full-marks" / "layers.py").read_text(encoding="utf-8")
    fresh = "np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=windows.dtype)"
    assert source.count(fresh) == 1
    path = tmp_path / "piles-up.py"
    path.write_text("SEEN = {}\n" + source.replace(fresh, f"SEEN.setdefault(x_shape, {fresh})"), encoding="utf-8")
    return [batch.Entry(name, path if name == "piles-up" else SAMPLE / name) for name in NAMES]


def told(results_path):
    """All that a student and a gradebook are told, by the name of the test; figures that vary are for staff alone."""
    results = json.loads(results_path.read_text(encoding="utf-8"))
    shown = ("name", "number", "score", "max_score", "status", "output", "visibility")
    tests = {
        test["extra_data"]["test"]: [test["extra_data"]["outcome"], *(test[key] for key in shown)]
        for test in results["tests"]
    }
    return {"score": results["score"], "output": results["output"], "tests": tests}


def grade(settings, entry, out):
    path = out / entry.name / batch.RESULTS
    assert Grader(settings).grade(entry.path, path).score is not None
    return told(path)


@pytest.mark.heavy
def test_no_test_depends_on_those_before_it(settings, entries, tmp_path):
    expected = {entry: grade(settings, entry, tmp_path / "in order") for entry in entries}
    for seed in range(5):
        names = list(settings.tests)
        random.Random(seed).shuffle(names)
        shuffled = settings.model_copy(update={"tests": {name: settings.tests[name] for name in names}})
        for entry in entries:
            got = grade(shuffled, entry, tmp_path / f"shuffled-{seed}")
            assert list(got["tests"]) == names
            for result in (*got["tests"].values(), *expected[entry]["tests"].values()):
                result[2] = ""  # its place in the list
            assert got == expected[entry], (entry.name, seed)


@pytest.mark.heavy
def test_no_test_depends_on_what_runs_beside_it(entries, tmp_path):
    path = verify.without_speed(config.load(CONFIG), tmp_path)
    results = []
    for jobs in (1, 2, 4):
        out = tmp_path / f"{jobs} jobs"
        assert len(list(batch.grade_all(entries, out, path, jobs))) == len(entries)
        results.append({entry.name: told(out / entry.name / batch.RESULTS) for entry in entries})
    assert results[0] == results[1] == results[2]


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["overlapping-assigned"])
def test_fifty_runs_give_one_result(name, tmp_path):
    """With the tests of speed, too: a step is a step in every run."""
    settings, entry = config.load(CONFIG), batch.Entry(name, SAMPLE / name)
    results = [grade(settings, entry, tmp_path / str(run)) for run in range(50)]
    assert 0 < results[0]["score"] < 100
    assert all(result == results[0] for result in results)
