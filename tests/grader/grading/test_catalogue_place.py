"""The catalogue of mistakes may be anywhere below config.yaml, in a package or in one file, or missing altogether."""

import json

import numpy as np
import pytest

from autograder.core import config
from autograder.core.errors import ConfigurationError
from autograder.grading.grader import Grader

CATALOGUE = """\
from {imported} import right


class Tripled:
    id = "tripled"
    function = "double"
    hint = "It is three times the input."


CATALOGUE = [Tripled]


def assemble(entries):
    return {**right(), "double": lambda x: 3 * x} if entries else right()
"""

RIGHT = """\
def right():
    return {"double": lambda x: 2 * x, "halve": lambda x: (x / 2, x.shape), "unhalve": lambda out, cache: 2 * out}
"""

WRONG = "def double(x): return 3 * x\ndef halve(x): return x / 2, x.shape\ndef unhalve(out, cache): return 2 * out\n"


def grade(toy, place, files, answer=WRONG):
    """Grade a wrong answer with these files of the homework; return what the student reads about it."""
    for name, text in files.items():
        (toy.root / name).parent.mkdir(exist_ok=True)
        (toy.root / name).write_text(text)
    content = json.loads(toy.config.read_text())
    home = {key: value for key, value in content["homework"].items() if key != "misconceptions"}
    toy.config.write_text(json.dumps(content | {"homework": home | ({"misconceptions": place} if place else {})}))
    results = toy.root / "results.json"
    graded = Grader(config.load(toy.config)).grade(toy.hand_in(answer), results)
    assert graded.score is not None, graded.remark
    read = json.loads(results.read_text())
    (test,) = (test for test in read["tests"] if test["extra_data"]["test"] == "test_double")
    assert test["score"] == 0
    return read["output"] + test["output"]


@pytest.mark.parametrize(
    ("place", "files", "imported"),
    [
        ("mistakes.py", {"mistakes.py": CATALOGUE, "toy_parts.py": RIGHT}, "toy_parts"),
        ("mistakes", {"mistakes/__init__.py": CATALOGUE, "mistakes/parts.py": RIGHT}, "mistakes.parts"),
        ("mistakes", {"mistakes/__init__.py": CATALOGUE, "mistakes/parts.py": RIGHT}, ".parts"),
        ("deep/mistakes", {"deep/mistakes/__init__.py": CATALOGUE, "deep/parts.py": RIGHT}, "deep.parts"),
    ],
)
def test_where_it_may_be(toy, place, files, imported):
    (toy.root / "deep" / "mistakes").mkdir(parents=True)
    output = grade(toy, place, {name: text.replace("{imported}", imported) for name, text in files.items()})
    assert "It is three times the input." in output


@pytest.mark.parametrize(("place", "files"), [(None, {}), ("mistakes.py", {}), ("b.py", {"b.py": "import nowhere"})])
def test_without_one_that_can_be_used_grades_are_the_same(toy, place, files):
    output = grade(toy, place, files)
    assert output
    assert "three times" not in output


def test_without_geometry_nothing_is_said_of_rows_and_columns(toy):
    """A catalogue need not have `geometry`: what no entry explains is then told by the numbers of axes alone."""
    toy.set_cases(numbers={"one": {"x": np.arange(1.0, 21.0).reshape(5, 4)}})
    answer = WRONG.replace("return 3 * x", "y = 2 * x; y[0] = 0; return y")
    files = {"mistakes.py": CATALOGUE.replace("{imported}", "toy_parts"), "toy_parts.py": RIGHT}
    output = grade(toy, "mistakes.py", files, answer)
    assert "y is wrong for index 0 of axis 0 only; there it is 0" in output
    assert "border" not in output


def test_the_catalogue_of_another_homework_is_not_taken(toy, tmp_path):
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mistakes_of_two.py").write_text(f"CATALOGUE = {folder!r}")
    from autograder.core import homework

    for folder in ("one", "other", "one"):
        path = tmp_path / folder / "mistakes_of_two.py"
        assert folder == homework.package(path, path.parent).CATALOGUE


def test_one_outside_of_the_homework_is_refused(toy):
    toy.configure(homework={**json.loads(toy.config.read_text())["homework"], "misconceptions": "../elsewhere"})
    with pytest.raises(ConfigurationError) as caught:
        config.load(toy.config)
    assert str(caught.value).startswith(
        "config.yaml: homework.misconceptions: lies outside of the folder of config.yaml"
    )
