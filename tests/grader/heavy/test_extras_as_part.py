"""The extras as the second part of this homework: they change nothing for who leaves them out, and take little time."""

import json
import math
import resource
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


def test_both_get_all_points_in_good_time(grade):
    """At most two and a half times the processor time of the first part alone: the least of up to four runs."""

    def seconds(*files):
        before = used()
        assert grade("both.yaml", *files)["score"] == points[files]
        return used() - before

    core, both = ("layers.py",), ("layers.py", "extras/extras.py")
    points = {core: 100.0, both: 100.0 + float(config.load(ROOT / "extras.yaml").total_points)}
    least = {core: math.inf, both: math.inf}
    for _ in range(4):  # a busy machine makes both take longer, never shorter
        least = {files: min(known, seconds(*files)) for files, known in least.items()}
        if least[both] <= 2.5 * least[core]:
            return
    raise AssertionError(f"both parts take {least[both]:.2f} s, the first alone {least[core]:.2f} s")


def used():
    """Return the processor time of this process, and of all that it has started and that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
