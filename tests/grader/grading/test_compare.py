"""Comparisons, judged by the very words they answer with; nothing that is wrong may pass."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.grading import compare
from autograder.grading.compare import Foreign, Mismatch

EXPECTED = np.array([[1.0, -2.0, 0.0], [4.0, 5.0, 8.0]])
NOTHING = Foreign("None")


def changed(place, value, of=EXPECTED):
    array = of.copy()
    array[place] = value
    return array


# Shapes and types.


@pytest.mark.parametrize(
    ("got", "kind", "message"),
    [
        (NOTHING, "type", "y is None, but should be an array of shape (2, 3)"),
        (Foreign("a list of 2"), "type", "y is a list of 2, but should be an array of shape (2, 3)"),
        (7, "type", "y is the number 7, but should be an array of shape (2, 3)"),
        (np.zeros((3, 2)), "shape", "y.shape=(3, 2), but should be (2, 3)"),
        (np.zeros(()), "shape", "y.shape=(), but should be (2, 3)"),
        (np.zeros((2, 1)), "shape", "y.shape=(2, 1), but should be (2, 3)"),
        (np.zeros((1, 2, 3)), "shape", "y.shape=(1, 2, 3), but should be (2, 3)"),
        (np.zeros((2, 3, 0)), "shape", "y.shape=(2, 3, 0), but should be (2, 3)"),
    ],
)
def test_a_wrong_shape_or_type(got, kind, message):
    for mismatch in (
        compare.shape("y", got, (2, 3)),
        compare.tensor("y", got, (2, 3)),
        compare.array("y", got, EXPECTED, 0.5),
        compare.slopes("y", got, np.ones((1, 2, 3)), np.zeros(1), 0.5, "im2col"),
    ):
        assert mismatch == Mismatch(kind, message)


@pytest.mark.parametrize("shape", [(1,), (), (1, 1), (3,), (2, 1)])
def test_nothing_is_broadcast_into_passing(shape):
    same = np.full((2, 3), 4.0)
    assert compare.array("y", np.full(shape, 4.0), same, 0.5) == Mismatch(
        "shape", f"y.shape={shape}, but should be (2, 3)"
    )


def test_shapes_are_said_in_plain_numbers():
    assert compare.shape("y", np.zeros(2), [np.int64(3)]) == Mismatch(  # type: ignore[list-item]
        "shape", "y.shape=(2,), but should be (3,)"
    )


@pytest.mark.parametrize("dtype", ["int64", "bool", "complex128", "uint8"])
def test_only_floats_have_float_values(dtype):
    got = EXPECTED.astype(dtype)
    assert compare.tensor("y", got, (2, 3)) == Mismatch("dtype", f"y.dtype={dtype}, but should be a float dtype")
    assert compare.array("y", got, EXPECTED, 0.5) == Mismatch("dtype", f"y.dtype={dtype}, but should be a float dtype")


def test_a_dtype_is_exact():
    assert compare.dtype("y", EXPECTED, np.dtype("float64")) is None
    assert compare.dtype("y", EXPECTED, np.dtype("float32")) == Mismatch(
        "dtype", "y.dtype=float64, but should be float32"
    )
    assert compare.dtype("y", NOTHING, np.dtype("float32")) == Mismatch(
        "type", "y is None, but should be an array of dtype float32"
    )


# Values.


@pytest.mark.parametrize(
    ("value", "what"), [(np.nan, "NaN"), (-np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")]
)
def test_what_is_not_finite_never_passes(value, what):
    message = f"y has {what} at [1, 0] (1 of 6 entries are not finite), but should be finite everywhere"
    for expected in (EXPECTED, changed((1, 0), value)):  # not even where it is what was expected
        assert compare.array("y", changed((1, 0), value), expected, 0.9) == Mismatch("not finite", message)
    assert compare.tensor("y", changed((1, 0), value), (2, 3)) == Mismatch("not finite", message)


@given(st.lists(st.floats(width=32) | st.just(float("nan")), min_size=6, max_size=6))
def test_an_array_of_which_one_entry_is_off_does_not_pass(values):
    got = np.array(values).reshape(2, 3)
    with np.errstate(invalid="ignore"):
        right = bool((np.abs(got - EXPECTED) <= 8e-3).all())
    assert (compare.array("y", got, EXPECTED, 1e-3) is None) == right


def test_an_absolute_tolerance_is_for_what_is_zero_but_for_rounding():
    zeros, directions = np.zeros(3), np.eye(3)
    for got, passes in ((1e-15, True), (1e-13, False)):
        found = compare.array("dx", np.full(3, got), zeros, 1e-10, absolute=1e-14)
        sloped = compare.slopes("dx", np.full(3, got), directions, zeros, 1e-5, "differences", absolute=1e-14)
        assert (found is None, sloped is None) == (passes, passes)
        assert compare.array("dx", np.full(3, got), zeros, 1e-10) is not None
    assert compare.array("dx", np.array([1.0, 1e-12]), np.array([1.0, 0.0]), 1e-10, absolute=1e-14) is None


def test_a_tolerance_is_a_share_of_the_largest_magnitude():
    assert compare.array("y", EXPECTED, EXPECTED, 1e-10) is None
    assert compare.array("y", changed((0, 2), 7e-4), EXPECTED, 1e-4) is None
    assert compare.array("y", changed((0, 2), 9e-4), EXPECTED, 1e-4) is not None
    assert compare.array("y", np.zeros(2), np.zeros(2), 1e-4) is None
    assert compare.array("y", np.full(2, 1e-300), np.zeros(2), 1e-4) is not None
    assert compare.array("y", np.zeros((0, 3)), np.zeros((0, 3)), 1e-4) is None


def test_precision_counts_and_not_the_dtype():
    third = np.full(4, 1 / 3)
    assert compare.array("y", third.astype("float32"), third, 1e-4) is None
    assert compare.array("y", third.astype("float32"), third, 1e-10) is not None


def test_wrong_values_are_counted_and_the_first_is_placed():
    got = changed((1, 2), 9.0, of=changed((0, 1), 2.0))
    assert compare.array("y", got, EXPECTED, 1e-3) == Mismatch(
        "values",
        "y differs in 2 of 6 entries, first at [0, 1]",
        "y[0, 1]=2, but should be -2\ny[1, 2]=9, but should be 8",
    )


def test_few_values_are_written_out():
    mismatch = compare.array("y", EXPECTED + 1, EXPECTED, 1e-3)
    assert mismatch is not None
    assert len(mismatch.values.splitlines()) == compare.SHOWN_ENTRIES
    assert "should be 8" not in mismatch.message


def test_a_huge_value_does_not_overflow_into_passing():
    largest = np.finfo(np.float64).max
    assert compare.array("y", np.array([largest]), np.array([-largest]), 1e-3) is not None


# Integers.


@pytest.mark.parametrize(
    ("got", "mismatch"),
    [
        (3, None),
        (4, Mismatch("values", "size has the wrong value", "size=4, but should be 3")),
        (NOTHING, Mismatch("type", "size is None, but should be an int")),
        (Foreign("a float"), Mismatch("type", "size is a float, but should be an int")),
        (np.zeros((1,)), Mismatch("type", "size is an array of shape (1,), but should be an int")),
    ],
)
def test_an_integer(got, mismatch):
    assert compare.integer("size", got, 3) == mismatch


# Slopes along directions.


def test_slopes():
    gradient = np.array([1.0, 2.0, 3.0])
    directions = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
    slopes = directions @ gradient
    assert compare.slopes("dx", gradient, directions, slopes, 1e-7, "im2col") is None
    for wrong, count in (
        (np.array([2.0, 2.0, 3.0]), 2),
        (np.array([1.0, 2.0 + 1e-6, 3.0]), 2),
        (-gradient, 3),
        (gradient * 0, 3),
    ):
        message = f"dx disagrees with im2col along {count} of 3 directions"
        assert compare.slopes("dx", wrong, directions, slopes, 1e-7, "im2col") == Mismatch("values", message)


def test_slopes_of_what_overflows():
    huge = np.full(2, np.finfo(np.float64).max)
    assert compare.slopes("dx", huge, np.array([[1.0, 1.0]]), np.array([1.0]), 0.9, "im2col") is not None


# Two inputs, two outputs.


@pytest.mark.parametrize("value", [0.0, 1.0, np.inf])
def test_a_constant_is_no_answer(value):
    constant = np.full(3, value)
    message = "y is the same for two different inputs, but should depend on them"
    assert compare.distinct("y", constant, constant.copy()) == Mismatch("values", message)


def test_what_holds_no_number_is_no_answer():
    nan = np.full(3, np.nan)
    message = "y is NaN everywhere, but should be finite and depend on the inputs"
    assert compare.distinct("y", nan, nan.copy()) == Mismatch("values", message)
    message = "y has no entries, but should depend on the inputs"
    assert compare.distinct("y", np.zeros((2, 0)), np.zeros((2, 0))) == Mismatch("values", message)


def test_zero_times_the_input_is_a_constant():
    x = np.array([1.0, 2.0])
    assert compare.distinct("y", 0 * x, 0 * -x) is not None  # 0.0 and -0.0 have different bits


@pytest.mark.parametrize("pair", [(NOTHING, EXPECTED), (EXPECTED, NOTHING), (NOTHING, NOTHING)])
def test_what_is_no_array_is_not_distinct(pair):
    assert compare.distinct("y", *pair) == Mismatch("type", "y is None, but should be an array")


def test_distinct_arrays():
    assert compare.distinct("y", EXPECTED, EXPECTED + 1) is None


# What a call does beside its results.


@pytest.mark.parametrize(
    "after", [EXPECTED + 1, EXPECTED.astype("float32"), EXPECTED.reshape(3, 2), changed((0, 2), -0.0)]
)
def test_a_changed_input_is_found(after):
    other = np.arange(3)
    message = "input array 2 was changed by the call, but should be left as it was"
    assert compare.untouched([other, EXPECTED], [other, after]) == Mismatch("values", message)


def test_untouched_inputs():
    holey = changed((0, 0), np.nan)
    assert compare.untouched([holey, EXPECTED], [holey.copy(), np.asfortranarray(EXPECTED)]) is None


def test_shared_memory_is_found():
    message = "dw shares memory with an input, but should have memory of its own"
    assert compare.own_memory(["dx", "dw"], [[False, False], [False, True]]) == Mismatch("values", message)
    assert compare.own_memory(["dx"], [[False, False]]) is None
    assert compare.own_memory(["dx"], [[]]) is None
