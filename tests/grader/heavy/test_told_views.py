"""What a student reads first about mistakes that were thought of before the hints were read, in another style.

Each is graded for real. The first mistake on the page is in the function that is wrong, and has a smallest example.
"""

# mypy: ignore-errors

import json
from pathlib import Path

import pytest
import yaml

from autograder.core import config
from autograder.grading.grader import Grader
from tests.grader.support import ROOT

pytestmark = pytest.mark.heavy

TEXTS = yaml.safe_load(Path(__file__).with_name("told_views.yaml").read_text(encoding="utf-8"))
RIGHT, MISTAKES = TEXTS["right"], TEXTS["mistakes"]


@pytest.fixture
def graded(tmp_path):
    """Grade a source; return its score, and what its page says of each mistake."""

    def grade(source):
        (tmp_path / "layers.py").write_text(source, encoding="utf-8")
        results = tmp_path / "results.json"
        done = Grader(config.load(ROOT / "config.yaml")).grade(tmp_path / "layers.py", results)
        assert done.score is not None, done.remark
        output = json.loads(results.read_text(encoding="utf-8"))["output"]
        return done.score, [paragraph for paragraph in output.split("\n\n") if paragraph.startswith("Mistake ")]

    return grade


def test_the_solution_is_right(graded):
    assert graded(RIGHT) == (100, [])


@pytest.mark.parametrize("name", MISTAKES)
def test_the_first_mistake_is_in_the_function_that_is_wrong(graded, name):
    mistake = MISTAKES[name]
    assert RIGHT.count(mistake["old"]) == 1
    _, (first, *_) = graded(RIGHT.replace(mistake["old"], mistake["new"]))
    assert first.startswith(f"Mistake 1, in {mistake['function']} ")
    assert "\nThe smallest input that shows it" in first
