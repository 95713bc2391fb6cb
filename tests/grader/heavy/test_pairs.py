"""Two mistakes at once: the functions that are named are those that are wrong.

Each submission is the model answer with two wrong functions, which all others call. It is graded for real.
"""

# mypy: ignore-errors
# Sources that are put together.

import inspect
import itertools
import json
import re
from pathlib import Path

import numpy as np
import pytest

from autograder.core import config
from autograder.grading.grader import Grader
from solutions import layers
from solutions.misconceptions import CATALOGUE, shortcuts
from tests.grader.support import ROOT

EARLIER = ("conv_output_size", "im2col", "col2im")
PAIRS = 40
SEED = 5
PLAIN = [
    entry
    for entry in CATALOGUE
    if entry.forward is None and not entry.fails_only and entry.wrong.__module__ != shortcuts.__name__
]


def pairs():
    """Draw pairs of which the first is in a function that others call, and the second in another function."""
    rng = np.random.default_rng(SEED)
    possible = [
        (one, two)
        for one, two in itertools.product(PLAIN, PLAIN)
        if one.function in EARLIER and one.function != two.function
    ]
    return [possible[int(number)] for number in rng.choice(len(possible), PAIRS, replace=False)]


def submission(*entries):
    """Return the model answer with these wrong functions, which all other functions call."""
    text = Path(layers.__file__).read_text(encoding="utf-8")
    for entry in entries:
        name, body = entry.function, inspect.getsource(entry.wrong)
        body = body[re.search(r"^def ", body, re.MULTILINE).start() :]
        body = re.sub(rf"\b{name}\b", f"right_{name}", body).replace(f"def {entry.wrong.__name__}(", f"def {name}(")
        text = text.replace(f"def {name}(", f"def right_{name}(") + f"\n\n{body}"
    return text


def named(path, out):
    """Grade a submission; return the functions in which its page names a mistake, and those that were replaced."""
    grade = Grader(config.load(ROOT / "config.yaml")).grade(path, out)
    assert grade.score is not None, grade.remark
    results = json.loads(out.read_text(encoding="utf-8"))
    cases = [case for test in results["tests"] for case in test["extra_data"]["cases"].values()]
    roots = {name for case in cases for name in case.get("stand_ins", ())}
    return re.findall(r"^Mistake \d+, in (\w+)", results["output"], re.MULTILINE), roots


@pytest.mark.heavy
def test_the_functions_that_are_named_are_those_that_are_wrong(tmp_path):
    stated, wrong = 0, []
    for number, pair in enumerate(pairs()):
        path = tmp_path / f"{number}.py"
        path.write_text(submission(*pair), encoding="utf-8")
        mistakes, roots = named(path, tmp_path / "results.json")
        guilty = {entry.function for entry in pair}
        stated += len(mistakes) + len(roots)
        wrong += [(*[entry.id for entry in pair], name) for name in [*mistakes, *sorted(roots)] if name not in guilty]
    assert stated >= PAIRS
    assert len(wrong) <= 0.01 * stated, wrong
