"""A homework that is not the real one: three functions that have nothing to do with convolution.

So the engine cannot know of it what its config.yaml does not say.
"""

import copy
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np

from autograder.core.sections import Limits
from autograder.grading import casefile

FUNCTIONS = {"double": ["y"], "halve": ["out", "cache"], "unhalve": ["x"]}

PARAMETERS = {"double": ["x"], "halve": ["x"], "unhalve": ["out", "cache"]}

SOLUTION = """\
def double(x):
    return 2 * x

def halve(x):
    return x / 2, x.shape

def unhalve(out, cache):
    return 2 * out.reshape(cache)
"""

PUBLIC = '''\
def test_double_example(toy):
    """double: by hand."""
    import numpy as np

    got = toy.double(np.array([1.0, 2.0]))
    assert isinstance(got, np.ndarray), f"y is {got!r}, but should be an array [double, by hand]"
    assert got.tolist() == [2.0, 4.0], f"y={got.tolist()}, but should be [2.0, 4.0] [double, by hand]"
'''

HIDDEN = '''\
import pytest


@pytest.mark.cases("numbers")
def test_double(student, case, check):
    """double: twice the input."""
    check.array("y", student.double(case.x), case.y)


def test_halve(student, check):
    """halve: half the input."""
    import numpy as np

    out, _ = student.halve(np.array([4.0]))
    check.array("out", out, np.array([2.0]))


@pytest.mark.cases("numbers")
def test_unhalve(student, case, check):
    """unhalve: undoes halve."""
    out, cache = student.halve(case.x)
    check.array("x", student.unhalve(out, cache), case.x)
'''

POINTS = {"test_double_example": 1, "test_double": 3, "test_halve": 2, "test_unhalve": 4}

LIMITS = {"call_seconds": 2, "import_seconds": 2, "submission_seconds": 30, "memory_mib": 512, "reply_mib": 1}
LIMITS |= {"platform_minutes": 10, "archive_mib": 20, "archive_files": 200, "example_calls": 100}

"""Of one submission's functions."""


def limits(**others: float) -> Limits:
    """The same as a model, some of them others."""
    return Limits.model_validate({**LIMITS}).model_copy(update=others)


CONFIG: dict[str, Any] = {
    "title": "Doubles and halves",
    "homework": {
        "required_file": "toy.py",
        "solution": "answers/toy.py",
        "oracle": "answers/oracle.py",
        "cases": "answers/cases.py",
        "public_tests": "open",
        "hidden_tests": "secret",
        "fixtures": "secret/arrays",
        "misconceptions": "answers/wrong",
        "correct": "answers/odd",
        "expected": "answers/expected.yaml",
        "functions": FUNCTIONS,
        "opaque": ["cache"],
    },
    "fixtures": {"seed": 1},
    "tolerances": {"float64": 1e-10, "float32": 1e-4, "slope": 1e-5},
    "limits": LIMITS,
    "isolation": {"without_seccomp": "warn"},
    "speed": {"full_ratio": 3, "none_ratio": 35, "rounds": 11},
    "tests": {},
}
"""All of its config.yaml but the tests, which ``Toy.set_tests`` adds."""

numbers = itertools.count()


class Toy:
    """A homework of three functions in a folder of its own."""

    SOLUTION = SOLUTION
    POINTS = POINTS

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config = root / "config.yaml"
        for folder in ("answers", "open", "secret/arrays", "handed in"):
            (root / folder).mkdir(parents=True)
        for name in ("toy", "oracle", "cases"):
            (root / f"answers/{name}.py").write_text(SOLUTION)
        self.set_cases(numbers={"one": {"x": np.array([1.0])}, "two": {"x": np.array([2.0, 3.0])}})
        self.set_tests()

    def set_cases(self, **groups: dict[str, dict[str, Any]]) -> None:
        for cases in groups.values():
            for case in cases.values():
                case.setdefault("y", 2 * case["x"])
        programs = casefile.hashes(self.root / "answers/oracle.py", self.root / "answers/cases.py")
        casefile.save(self.root / "secret/arrays", CONFIG["fixtures"]["seed"], programs, groups)

    def set_tests(self, hidden: str = HIDDEN, public: str = PUBLIC, **points: float) -> None:
        """Write the tests; pytest keeps modules by name within a process, so each file gets a name of its own."""
        for folder, source in (("secret", hidden), ("open", public)):
            for old in (self.root / folder).glob("test_*.py"):
                old.unlink()
            (self.root / folder / f"test_toy_{next(numbers)}.py").write_text(source)
        self.configure(tests={name: {"points": worth} for name, worth in (points or POINTS).items()})

    def configure(self, **changes: Any) -> None:
        """Write config.yaml anew, with these changes. It is JSON, which YAML includes."""
        if self.config.exists():
            content = json.loads(self.config.read_text())
        else:
            content = copy.deepcopy(CONFIG)
            content["homework"]["hidden_tests"] = str(self.root / "secret")  # absolute paths are as good
        limits = {**content["limits"], **changes.pop("limits", {})}
        tests = changes.pop("tests", None) or content["tests"]
        total = changes.pop("total_points", sum(test["points"] for test in tests.values()))
        content.update(limits=limits, tests=tests, total_points=total, **changes)
        self.config.write_text(json.dumps(content))

    @classmethod
    def lasting(cls, results: Any) -> Any:
        """Return what must be the same in every run: all of results.json but the figures that are allowed to vary."""
        if isinstance(results, list):
            return [cls.lasting(each) for each in results]
        if not isinstance(results, dict):
            return results
        vary = ("execution_time", "seconds", "import_seconds")
        return {key: cls.lasting(value) for key, value in results.items() if key not in vary}

    def hand_in(self, source: str = SOLUTION, name: str = "ann.py") -> Path:
        path = self.root / "handed in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
        return path
