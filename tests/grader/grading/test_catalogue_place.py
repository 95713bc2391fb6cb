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


def grade(toy, place, files, answer=WRONG, test="test_double"):
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
    (entry,) = (entry for entry in read["tests"] if entry["extra_data"]["test"] == test)
    assert entry["score"] == 0
    return read["output"] + entry["output"]


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


PAIR = """\
def test_double_example(toy):
    \"\"\"double: by hand.\"\"\"
    import numpy as np

    assert toy.double(np.arange(1.0, {stop})).tolist() == [2.0, 4.0, 6.0, 8.0][: {stop} - 1]
"""


@pytest.mark.parametrize(("stop", "certain"), [(3, False), (5, True)])
def test_one_tiny_public_test_alone_makes_no_hint_certain(toy, stop, certain):
    """Two numbers may agree with a known mistake by chance; where hidden tests agree as well, it is certain."""
    files = {"mistakes.py": CATALOGUE.replace("{imported}", "toy_parts"), "toy_parts.py": RIGHT}
    hidden = "def test_halve(student):\n    pass\n"
    toy.set_tests(hidden=hidden, public=PAIR.format(stop=stop), test_halve=1, test_double_example=1)
    assert ("It is three times the input." in grade(toy, "mistakes.py", files, test="test_double_example")) == certain


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
