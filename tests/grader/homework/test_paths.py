"""Mistakes that show on one path only, a kind of input that code may have a shortcut for: the tests find them there.

Every mistake of the catalogue is put on every path where it can show at all. Those that survive are listed in
survivors.yaml.
"""

from pathlib import Path

import numpy as np
import pytest
import yaml

from autograder.core.outcomes import PASSED
from solutions import layers
from solutions.misconceptions import CATALOGUE, FUNCTIONS
from solutions.misconceptions.pooling import keeping_x
from tests.grader.support import paths, rehearsal

OF_IMAGES = [name for name in FUNCTIONS if name != "conv_output_size"]
SMALL_TESTS = ("dtype", "inputs", "state", "large")
"""Tests of one clause of the contract each, with few cases: a mistake there is looked for on the likely paths alone."""
SURVIVORS = yaml.safe_load(Path(__file__).with_name("survivors.yaml").read_text(encoding="utf-8"))
LIKELY = {
    "dtype": (
        "windows side by side",
        "one-pixel kernel",
        "one image",
        "one channel",
        "padding 0",
        "stride 1",
        "stride 2",
    ),
    "inputs": ("one-pixel kernel", "one image", "padding 0", "stride 1"),
}


def killed(entry, path):
    """Whether a test of the function notices a mistake on a path."""
    functions = paths.restricted(entry, path)
    tests = [name for name in rehearsal.hidden_tests() if rehearsal.SETTINGS.subject(name) == entry.function]
    if path == "many pixels":
        return rehearsal.rehearse_large(functions, f"test_{entry.function}_large") is not None
    records = rehearsal.rehearse(functions, tests, knowledge=None)
    return any(case.outcome not in (PASSED, "not run") for record in records for case in record.cases)


def clause(entry):
    """The clause of the contract that a mistake breaks, or nothing where values are wrong."""
    return entry.fails_only.rpartition("_")[2] if entry.fails_only.endswith(SMALL_TESTS) else ""


@pytest.mark.heavy
@pytest.mark.parametrize("path", paths.PATHS)
@pytest.mark.parametrize("function", OF_IMAGES)
def test_a_mistake_on_one_path_is_found(function, path):
    entries = [entry for entry in CATALOGUE if entry.function == function]
    entries = [entry for entry in entries if not clause(entry) or path in LIKELY.get(clause(entry), ())]
    possible = [entry for entry in entries if paths.possible(entry, path)]
    known = [entry.id for entry in entries if path in SURVIVORS.get(function, {}).get(entry.id, [])]
    assert [entry.id for entry in possible if not killed(entry, path)] == known


def test_survivors_are_mistakes_of_the_catalogue_on_known_paths():
    listed = {(function, id) for function, mistakes in SURVIVORS.items() for id in mistakes}
    assert listed <= {(entry.function, entry.id) for entry in CATALOGUE}
    assert {path for mistakes in SURVIVORS.values() for on in mistakes.values() for path in on} <= set(paths.PATHS)


def test_most_mistakes_can_be_put_on_most_paths():
    """Here for three paths, in the heavy test for all of them."""
    found = [
        (entry.id, path)
        for path in ("one-pixel kernel", "square image", "another memory order")
        for entry in CATALOGUE
        if entry.function == "im2col" and paths.possible(entry, path)
    ]
    assert len(found) >= 20
    survive = [
        (id, path)
        for id, path in found
        for entry in CATALOGUE
        if entry.id == id and not clause(entry) and not killed(entry, path)
    ]
    assert survive == []


# ---- two that the catalogue leaves out: where they show, a mistake that it has looks the same


def keeping_maxima_by_shape(x, kernel_size, stride, buffers={}):  # noqa: B006
    """Keep the winners in an array that the next call of that shape overwrites."""
    out, (winner, *rest) = layers.max_pool2d_forward(x, kernel_size, stride)
    kept = buffers.setdefault((x.shape, kernel_size, stride), winner)
    kept[...] = winner
    return out, (kept, *rest)


def near_maxima_get_the_gradient(dout, cache):
    """Give the gradient to all values that are nearly as large as the maximum."""
    x, out, kernel_size, stride = cache
    dx = np.zeros(x.shape, dtype=dout.dtype)
    for _, _, rows, columns in layers._taps(kernel_size, dout.shape[2:], stride):
        dx[:, :, rows, columns] += dout * np.isclose(x[:, :, rows, columns], out)
    return dx


@pytest.mark.parametrize(
    ("replaced", "fails"),
    [
        ({"max_pool2d_forward": keeping_maxima_by_shape}, {"state": ["side-by-side"]}),
        (
            {"max_pool2d_forward": keeping_x, "max_pool2d_backward": near_maxima_get_the_gradient},
            {"": ["border-unreached", "near-equal"], "ties": ["even-split", "gapped-windows", "border-unreached"]},
        ),
    ],
    ids=["by-shape", "near-equal"],
)
def test_what_the_catalogue_leaves_out_is_found(replaced, fails):
    functions = {name: getattr(layers, name) for name in FUNCTIONS} | replaced
    tests = [f"test_max_pool2d_backward{aspect}" for aspect in ("", "_ties", "_state")]
    found = {}
    for record in rehearsal.rehearse(lambda: functions, tests, knowledge=None):
        failed = [case.case for case in record.cases if case.outcome != PASSED]
        if failed:
            found[record.name.removeprefix("test_max_pool2d_backward").lstrip("_")] = failed
    assert found == fails
