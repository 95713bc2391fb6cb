"""The list of mutants that no test can tell from the model answer, and the comparison that says so.

That the tests notice all others is proved by `make mutation`, which takes ten minutes.
"""

import pytest

from autograder.core import config
from tests.grader.mutation import extras
from tests.grader.mutation.mutants import EQUIVALENT, Mutant, difference, listed
from tests.grader.support import ROOT

SOURCE = config.load(ROOT / "config.yaml").homework.solution.read_text(encoding="utf-8")
LISTED = listed()
SOURCE_OF_EXTRAS = config.load(ROOT / "extras.yaml").homework.solution.read_text(encoding="utf-8")
LISTED_OF_EXTRAS = listed(EQUIVALENT.with_name("extras.yaml"))


@pytest.mark.parametrize(("source", "mutants"), [(SOURCE, LISTED), (SOURCE_OF_EXTRAS, LISTED_OF_EXTRAS)])
def test_every_listed_mutant_is_a_change_and_has_a_reason(source, mutants):
    assert mutants
    for mutant, reason in mutants.items():
        assert mutant.apply(source) != source
        assert reason.endswith(".")


@pytest.mark.heavy
@pytest.mark.parametrize("mutant", LISTED, ids=lambda mutant: mutant.mutated)
def test_listed_mutants_are_equal_to_the_last_bit(mutant):
    assert difference(SOURCE, mutant.apply(SOURCE)) == ""


@pytest.mark.heavy
@pytest.mark.parametrize("mutant", LISTED_OF_EXTRAS, ids=lambda mutant: mutant.mutated)
def test_listed_mutants_of_the_extras_are_equal_to_the_last_bit(mutant):
    assert difference(SOURCE_OF_EXTRAS, mutant.apply(SOURCE_OF_EXTRAS), inputs=extras) == ""


def test_a_difference_of_the_extras_is_found():
    changed = SOURCE_OF_EXTRAS.replace("max(bottom, 0)", "max(bottom, 1)")
    assert difference(SOURCE_OF_EXTRAS, changed, layers=180, inputs=extras).startswith("roi_max_pool_forward differs")


@pytest.mark.parametrize(
    ("function", "line", "mutated"),
    [
        ("conv_output_size", "padding: int = 0", "padding: int = 1"),
        ("im2col", "cols[:, i, j]", "cols[:, i, 0]"),
        ("col2im", "padding : padding + H", "padding : padding + H - 1"),
        ("conv2d_forward", "out += b[:, np.newaxis]", "out += b[:, np.newaxis] * (1 + 2**-20)"),
        ("conv2d_backward", "db = dout_matrix.sum(axis=1)", "db = 0 - dout_matrix.sum(axis=1)"),
        ("max_pool2d_forward", "pixels > out", "pixels >= out"),
        ("avg_pool2d_backward", "dtype=dout.dtype", "dtype=float"),
        ("max_pool2d_backward", "return dx", "raise KeyError"),
    ],
)
def test_a_difference_is_found(function, line, mutated):
    first, last = (SOURCE.index(f"\ndef {function}("), SOURCE.find("\ndef ", SOURCE.index(f"\ndef {function}(") + 1))
    body = SOURCE[first : last if last > 0 else len(SOURCE)]
    changed = SOURCE.replace(body, body.replace(line, mutated))
    assert changed != SOURCE
    assert " differs for " in difference(SOURCE, changed, layers=200)


def test_the_same_is_the_same():
    assert difference(SOURCE, SOURCE.replace("share = dout / (KH * KW)", "share = dout / (KW * KH)"), layers=50) == ""


def test_a_mutant_of_a_line_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="im2col has 0 lines 'x = 1', but should have one"):
        Mutant("im2col", "x = 1", "x = 2").apply(SOURCE)
