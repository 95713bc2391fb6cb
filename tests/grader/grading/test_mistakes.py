"""What a catalogue of mistakes is made with: the decorator, a submission with a mistake, functions with mistakes."""

import subprocess
import sys
import types

import pytest

from autograder.core.errors import ConfigurationError
from autograder.grading.diagnose import mistakes

MODEL = """\
LIMIT = 3


def double(x):
    return 2 * x


def twice(x):
    return double(double(x))
"""


@pytest.fixture
def model(tmp_path):
    """A model answer as a module."""
    path = tmp_path / "model.py"
    path.write_text(MODEL)
    module = types.ModuleType("model")
    module.__file__ = str(path)
    exec(MODEL, vars(module))
    for name in ("double", "twice"):
        getattr(module, name).__module__ = "model"
    return module


def double(x):
    raise AssertionError("the right one is called instead")


def one_more(x):
    """One is added.

    It should not be.
    """
    return double(x) + 1


def tripled(x):
    """It is tripled."""
    return 3 * x


def foreign(x):
    """It calls something of its own."""
    return tripled(x)


@pytest.fixture
def entries():
    registered: list[mistakes.Misconception] = []
    for wrong in (one_more, tripled, foreign):
        mistakes.registering(registered)("double", fails_only="test_double")(wrong)
    return {entry.id: entry for entry in registered}


def test_an_entry_is_named_after_its_function(entries):
    assert list(entries) == ["one-more", "tripled", "foreign"]
    assert entries["one-more"].hint == "One is added. It should not be."
    assert entries["one-more"].noticed_by == ("test_double", "test_double_promises")


def test_others_call_the_wrong_function(model, entries):
    right = mistakes.assemble(model, ["double", "twice"])
    assert (right["double"](5), right["twice"](5)) == (10, 20)
    wrong = mistakes.assemble(model, ["double", "twice"], [entries["one-more"]])
    assert (wrong["double"](5), wrong["twice"](5)) == (11, 23)
    both = mistakes.assemble(model, ["double"], [entries["one-more"], entries["tripled"]])
    assert both["double"](5) == 16


def test_a_submission_has_the_wrong_function_and_others_the_right_one(model, entries):
    text = mistakes.source(entries["one-more"], model)
    done = subprocess.run(
        [sys.executable, "-c", f"{text}\nprint(double(5), twice(5))"], capture_output=True, text=True, timeout=30
    )
    assert done.stdout.split() == ["11", "20"]


def test_a_name_that_the_submission_would_lack_is_refused(model, entries):
    """It would raise NameError everywhere, and every test would seem to notice the mistake."""
    with pytest.raises(ConfigurationError) as caught:
        mistakes.source(entries["foreign"], model)
    assert str(caught.value) == (
        "the catalogue of mistakes: foreign: uses tripled, which model.py does not have. "
        "Use what is in model.py, by its name there; import it with `from … import …`"
    )
