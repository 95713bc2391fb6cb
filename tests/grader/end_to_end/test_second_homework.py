"""The homework in examples/softmax/ goes all the way, with the commands of docs/new-homework.md, from any folder."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

from tests.grader.support import ROOT

pytestmark = pytest.mark.heavy

SOFTMAX = ROOT / "examples" / "softmax"
MODEL = (SOFTMAX / "softmax.py").read_text(encoding="utf-8")

HANDED_IN = {
    "right": MODEL,
    "overflows": MODEL.replace("scores - scores.max(axis=1, keepdims=True)", "scores"),
    "upstream-lost": MODEL.replace("return dscores * dlosses[:, np.newaxis]", "return dscores"),
    "never-written": "def cross_entropy_forward(scores, labels):\n    raise NotImplementedError\n",
}
SCORES = {"right": 20, "overflows": 16.8, "upstream-lost": 10, "never-written": 0}


@pytest.fixture
def homework(tmp_path):
    """A copy of the homework, as an instructor keeps it: nowhere near the engine."""
    return shutil.copytree(SOFTMAX, tmp_path / "hw 2", ignore=shutil.ignore_patterns("__pycache__"))


@pytest.fixture
def engine(homework, tmp_path):
    def engine(*words):
        command = [sys.executable, "-m", "autograder", "--config", homework / "config.yaml", *words]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
        )

    return engine


def test_a_class_is_graded(engine, homework, tmp_path):
    (tmp_path / "class").mkdir()
    for name, source in HANDED_IN.items():
        (tmp_path / "class" / f"{name}.py").write_text(source)
    done = engine("grade", "class", "--out", "results", "--as", "class")
    assert (done.returncode, done.stderr) == (0, "")
    results = {name: json.loads((tmp_path / f"results/{name}/results.json").read_text()) for name in HANDED_IN}
    assert {name: each["score"] for name, each in results.items()} == SCORES
    told = "".join(test["output"] for each in results.values() for test in each["tests"])
    assert not re.search(r"pixel|convol|pool|kernel|stride|padding|layers", told)


def test_its_tests_are_proved_and_everything_is_made(engine, homework, tmp_path):
    assert engine("fixtures").returncode == 0
    done = engine("assignment")
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in (homework / "assignment").iterdir()) == ["softmax.py", "test_public.py"]
    done = engine("verify", "--out", "verified")
    assert done.returncode == 0, done.stdout
    assert engine("handout").returncode == 0
    with zipfile.ZipFile(homework / "dist" / "handout.zip") as packed:
        assert packed.namelist() == ["handout/softmax.py", "handout/test_public.py"]
    done = engine("bundle")
    assert (done.returncode, done.stderr) == (0, "")
    with zipfile.ZipFile(homework / "dist" / "autograder.zip") as packed:
        names = [name for name in packed.namelist() if not name.startswith(("autograder/", "requirements/"))]
    assert names == [
        *["cases.py", "config.yaml", "hidden/fixtures/manifest.json", "hidden/fixtures/scores.npz"],
        *["hidden/test_cross_entropy.py", "oracle.py", "public/test_examples.py", "run_autograder", "setup.sh"],
        "softmax.py",
    ]


def test_what_students_run_at_home(engine, homework):
    assert engine("assignment").returncode == 0
    folder = homework / "assignment"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_public.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert "2 failed" in done.stdout
    (folder / "softmax.py").write_text(MODEL)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert "2 passed" in done.stdout


def test_a_class_that_is_not_there_is_named(engine, homework):
    done = engine("grade")
    assert done.returncode == 2
    assert done.stderr.endswith("sample does not exist. Give a file or a folder of submissions\n")


def test_the_required_file_may_have_any_name(engine, homework, tmp_path):
    text = (homework / "config.yaml").read_text().replace("required_file: softmax.py", "required_file: hw2.py")
    (homework / "config.yaml").write_text(text)
    public = homework / "public" / "test_examples.py"
    public.write_text(public.read_text().replace("(softmax)", "(hw2)").replace("softmax.c", "hw2.c"))
    (tmp_path / "hw2.py").write_text(MODEL)
    done = engine("grade", "hw2.py", "--out", "results")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "results/hw2/results.json").read_text())["score"] == 20


def test_the_catalogue_of_the_documentation(engine, homework, tmp_path):
    """The mistake that docs/new-homework.md shows is proved, and a student who makes it reads its hint."""
    text = (ROOT / "docs/new-homework.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(import softmax\n.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (homework / "mistakes.py").write_text(block)
    config = (homework / "config.yaml").read_text()
    (homework / "config.yaml").write_text(config.replace("  functions:", "  misconceptions: mistakes.py\n  functions:"))
    done = engine("verify", "--out", "verified")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 misconception: all as it should be" in done.stdout
    (tmp_path / "ann.py").write_text(HANDED_IN["upstream-lost"])
    assert engine("grade", "ann.py", "--out", "results").returncode == 0
    told = json.loads((tmp_path / "results/ann/results.json").read_text())["output"]
    assert "dlosses is ignored: the chain rule multiplies every row by its entry." in told
