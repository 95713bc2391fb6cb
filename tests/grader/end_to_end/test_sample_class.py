"""The sample class, graded by the real command and checked down to the text that a student reads.

One flaw per entry of ``submissions/sample/``. ``submissions/expected.yaml`` says what each scores and how its tests
end, ``golden/<name>.txt`` what its student reads: the summary, and the tests that did not get all points. After a
change that is meant to change these texts::

    UPDATE_GOLDEN=1 make test-all   # writes golden/ anew, and the untouched starter
    git diff tests/grader/end_to_end/golden    # read it as a student would

No program updates ``expected.yaml``: a mismatch prints what was got, and whoever pastes it has counted the cases.
"""

import difflib
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml

from autograder.__main__ import main
from autograder.core import config
from autograder.grading import advice
from tests.grader.support import ROOT, SUBMISSIONS
from tests.grader.support.slices import is_whole, smoke

SAMPLE = SUBMISSIONS / "sample"
GOLDEN = Path(__file__).with_name("golden")
EXPECTED = yaml.safe_load((SAMPLE.parent / "expected.yaml").read_text(encoding="utf-8"))["sample"]
NAMES = sorted(path.stem for path in SAMPLE.iterdir() if not path.name.startswith("."))
FEW = ("not-a-zip", "padding-crop-zero", "starter-untouched", "syntax-error")
"""One of each way to lose points; full marks are in test_correct_submissions.py. ``make test-all`` grades all."""
every_submission = pytest.mark.parametrize("name", smoke(NAMES, FEW))
UPDATE = bool(os.environ.get("UPDATE_GOLDEN"))


KEYS = {
    "extra_data",
    "max_score",
    "name",
    "number",
    "output",
    "output_format",
    "score",
    "status",
    "visibility",
}


def autograder(*arguments):
    """Run the real command, as make does."""
    command = [sys.executable, "-m", "autograder", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)


@pytest.fixture(scope="module")
def graded(request, tmp_path_factory):
    """Grade the whole class, or a few of it, once; return how the command ended and where the results are."""
    out = tmp_path_factory.mktemp("class") / "results"
    if UPDATE:
        starter = (ROOT / "assignment" / "layers.py").read_bytes()
        (SAMPLE / "starter-untouched" / "layers.py").write_bytes(starter)
    whole = UPDATE or is_whole(request)
    ran = autograder("grade", "--out", out, "--jobs", 2, *([] if whole else [some_of_them(tmp_path_factory)]))
    assert "grader fault" not in ran.stdout, ran.stdout
    if UPDATE:
        texts = {name: text_to_keep(load(out, name)) for name in NAMES}
        shutil.rmtree(GOLDEN, ignore_errors=True)
        GOLDEN.mkdir()
        for name, text in texts.items():
            golden(name).write_text(text, encoding="utf-8")
    return ran, out, NAMES if whole else list(FEW)


def some_of_them(tmp_path_factory):
    """Make a class of the few."""
    folder = tmp_path_factory.mktemp("few")
    for path in SAMPLE.iterdir():
        if path.stem in FEW:
            (shutil.copytree if path.is_dir() else shutil.copy)(path, folder / path.name)
    return folder


@pytest.fixture
def results(graded, name):
    """What one submission got."""
    _, out, _ = graded
    return load(out, name)


def verdict(results):
    """Put a results.json into the words of ``expected.yaml``: the score, and how tests ended that did not pass."""
    ended = {test["extra_data"]["test"]: test["extra_data"]["outcome"] for test in results["tests"]}
    unpassed = {test: outcome for test, outcome in ended.items() if outcome != "passed"}
    if len(unpassed) == len(ended) and len(set(unpassed.values())) == 1:
        unpassed = {"every test": next(iter(unpassed.values()))}
    return {"score": results["score"]} | ({"not passed": unpassed} if unpassed else {})


def golden(name):
    return GOLDEN / f"{name}.txt"


def load(out, name):
    """Read a results.json as strictly as the platform does."""

    def refuse(constant):
        raise AssertionError(f"{constant} voids the submission")

    return json.loads((out / name / "results.json").read_text(encoding="utf-8"), parse_constant=refuse)


def text_of(results, tests=None):
    """All that a student reads, in the order in which they read it; or of these tests only."""
    total = sum(test["max_score"] for test in results["tests"])
    lines = [f"{results['score']:g} of {total:g}", "", *results["output"].split("\n")]
    for test in results["tests"] if tests is None else tests:
        lines += ["", f"{test['number']} {test['name']} ({test['score']:g} of {test['max_score']:g})"]
        lines += [f"    {line}".rstrip() for line in test["output"].split("\n")]
    return "\n".join(lines) + "\n"


def text_to_keep(results):
    """What ``golden/`` keeps: the summary, and the tests that did not get all points."""
    text = text_of(results, [test for test in results["tests"] if test["score"] != test["max_score"]])
    return text.replace(f"runs {advice.version()}", "runs Python 3.x")  # the one thing that a machine may add


# --- the command -----------------------------------------------------------------------------------------------------


def test_the_command_succeeds_and_shows_every_score(graded):
    ran, _, names = graded
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    for name in names:
        assert f"  {EXPECTED[name]['score']:g} of 100  {name}\n" in ran.stdout


def test_everybody_has_a_folder_with_a_results_file(graded):
    _, out, names = graded
    assert sorted(path.name for path in out.iterdir() if path.is_dir()) == names
    assert sorted(path.parent.name for path in out.glob("*/results.json")) == names


@pytest.fixture
def altered_config(tmp_path):
    """Write config.yaml with one change somewhere else; return its path."""

    def write(section, key, value):
        settings = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
        homework = settings["homework"]
        for place in ("solution", "oracle", "cases", "public_tests", "hidden_tests", "fixtures"):
            homework[place] = str(ROOT / homework[place])
        settings[section][key] = value
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(settings), encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            ("limits", "call_seconds", "ten"),
            "config.yaml: limits.call_seconds: got the text 'ten', but should be a number.",
        ),
        (("limits", "call_second", 10), "config.yaml: limits.call_second: no such key."),
        (("tests", "test_im2coll", {"points": 1}), "config.yaml: tests.test_im2coll: no such test"),
        (("tests", "test_im2col", {"points": 7}), "config.yaml: tests: "),
    ],
    ids=["text-for-a-number", "unknown-key", "unknown-test", "points-do-not-add-up"],
)
def test_a_bad_config_is_refused_and_nothing_is_graded(altered_config, tmp_path, capsys, change, complaint):
    out = tmp_path / "out"
    words = ("--config", altered_config(*change), "grade", SAMPLE / "full-marks", "--out", out)
    assert main([*map(str, words)]) == 2
    said, complained = capsys.readouterr()
    assert complaint in complained
    assert said == ""
    assert not out.exists()


def test_the_altered_config_itself_is_sound(altered_config, tmp_path):
    path = altered_config("limits", "call_seconds", 9)
    arguments = ("grade", SAMPLE / "full-marks", "--only", "test_im2col[padded]", "--out", tmp_path / "out")
    ran = autograder("--config", path, *arguments)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "out" / "only" / "full-marks" / "results.json").is_file()


def test_what_is_not_there_cannot_be_graded(tmp_path, capsys):
    empty = tmp_path / "empty"
    empty.mkdir()
    for path in (tmp_path / "nowhere", tmp_path / "nowhere" / "layers.py", empty):
        assert main(["grade", str(path), "--out", str(tmp_path / "out")]) == 2
        assert str(path) in capsys.readouterr().err
        assert not (tmp_path / "out").exists()


# --- the verdicts ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("graded")
def test_every_entry_has_its_expectation_and_its_text():
    assert sorted(EXPECTED) == NAMES
    assert sorted(path.stem for path in GOLDEN.glob("*.txt")) == NAMES


@every_submission
def test_score_and_outcomes(results, name):
    got = verdict(results)
    assert got == EXPECTED[name], f"got:\n{yaml.safe_dump({name: got}, sort_keys=False)}"


@every_submission
def test_contract(results, name):
    tests = results["tests"]
    assert sum(test["max_score"] for test in tests) == 100
    assert math.isclose(sum(test["score"] for test in tests), results["score"], abs_tol=1e-9)
    assert isinstance(results["execution_time"], float)
    assert len({test["number"] for test in tests}) == len(tests)
    for test in tests:
        assert set(test) == KEYS
        assert 0 <= test["score"] <= test["max_score"]
        assert test["status"] == ("passed" if test["score"] == test["max_score"] else "failed")
        assert test["output"]


@pytest.mark.heavy
def test_a_hang_costs_one_call(graded):
    settings = config.load(ROOT / "config.yaml")
    _, out, _ = graded
    tests = [test["extra_data"] for test in load(out, "infinite-loop")["tests"]]
    hung = [test for test in tests if test["outcome"] == "timed out"]
    assert len(hung) > 1
    first, *others = sorted((test["seconds"] for test in hung), reverse=True)
    assert first >= settings.limits.call_seconds > sum(others)  # on a busy machine the first may take longer


def test_the_untouched_starter_is_the_one_handed_out():
    handed_out = (ROOT / "assignment" / "layers.py").read_bytes()
    assert (SAMPLE / "starter-untouched" / "layers.py").read_bytes() == handed_out, "run with UPDATE_GOLDEN=1"


# --- what a student reads --------------------------------------------------------------------------------------------


@every_submission
def test_golden_text(results, name):
    """Compare with ``golden/<name>.txt``; ``UPDATE_GOLDEN=1`` writes it anew."""
    got, wanted = text_to_keep(results), golden(name).read_text(encoding="utf-8")
    difference = difflib.unified_diff(wanted.splitlines(), got.splitlines(), golden(name).name, "now", lineterm="", n=1)
    assert got == wanted, "\n".join(difference)


@every_submission
def test_a_test_with_all_points_says_that_it_passed(results, name):
    for test in results["tests"]:
        if test["score"] == test["max_score"]:
            carried = test["extra_data"]["outcome"] == "carried"
            words = r"Carried: with a right \w+ .+\n.+" if carried else r"Passed( in (both|all \d+) cases)?\."
            assert re.fullmatch(words, test["output"]), test["output"]


@every_submission
def test_nothing_of_ours_is_shown(results, name):
    text = text_of(results)
    machine = [ROOT, Path.home(), tempfile.gettempdir(), sys.prefix]
    ours = [*map(str, machine), "Traceback", 'File "', "site-packages", "autograder", "worker", "tests/"]
    assert [word for word in ours if word in text] == []
    assert all(character.isprintable() or character == "\n" for character in text)


@every_submission
def test_hidden_tests_show_no_values(results, name):
    """Expected values are fractions: a number with a point would be one of them, or one of the student's own."""
    settings = config.load(ROOT / "config.yaml")
    for test in results["tests"]:
        if settings.tests[test["extra_data"]["test"]].feedback != "values":
            assert not re.search(r"\d\.\d|\de-\d", test["output"]), test["output"]
