"""The extras as the second part of this homework: they change nothing for who leaves them out."""

import json
import shutil

import pytest

from autograder.core import config
from autograder.grading.grader import Grader
from tests.grader.support import ROOT

pytestmark = pytest.mark.heavy

FIGURES = {"execution_time", "seconds", "import_seconds", "ratio", "cpu_ms", "model_cpu_ms", "rounds"}
"""What may differ between two gradings of one submission."""


@pytest.fixture(scope="module")
def grade(tmp_path_factory):
    """Grade the model answers of these files, with or without the second part; return results.json."""
    root = tmp_path_factory.mktemp("two parts")
    for folder in ("solutions", "tests/public", "tests/hidden", "tests/extras"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "extras.yaml", root)
    text = (ROOT / "config.yaml").read_text(encoding="utf-8")
    (root / "config.yaml").write_text(text, encoding="utf-8")
    (root / "both.yaml").write_text(f"parts: {{extras.yaml: {{}}}}\n{text}", encoding="utf-8")

    def grade(name, *files):
        folder = root / "handed in"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for file in files:
            shutil.copy(root / "solutions" / file, folder)
        graded = Grader(config.load(root / name)).grade(folder, root / "results.json")
        assert graded.score is not None, graded.remark
        return json.loads((root / "results.json").read_text())

    return grade


def lasting(results):
    """Return what must be the same in every grading."""
    if isinstance(results, list):
        return [lasting(each) for each in results]
    if isinstance(results, dict):
        return {key: lasting(value) for key, value in results.items() if key not in FIGURES}
    return results


def test_without_extras_nothing_changes(grade):
    plain, switched_on = grade("config.yaml", "layers.py"), grade("both.yaml", "layers.py")
    assert json.dumps(lasting(plain)) == json.dumps(lasting(switched_on))


def test_both_get_all_points(grade):
    """How long that takes is measured by ``make bench``."""
    extras = float(config.load(ROOT / "extras.yaml").total_points)
    assert grade("both.yaml", "layers.py")["score"] == 100.0
    assert grade("both.yaml", "layers.py", "extras/extras.py")["score"] == 100.0 + extras
