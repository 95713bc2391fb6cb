"""Races on scripted clocks: which step a ratio is on, when it is measured again, and whose fault a failure is."""

import contextlib
import itertools
from typing import Any

import numpy as np
import pytest

from autograder import timing
from autograder.errors import Crashed, GraderFault, Raised, Wrong
from autograder.timing import FULL, HALF, NONE, NOT_MEASURED, Bounds, Inputs

BOUNDS = Bounds(full_ratio=10, half_ratio=20, rounds=7, tolerance=1e-4)
SMALL, LARGE = 2, 4


class Layers:
    """Stands in for a proxy: one function, ``square``, that takes as long as the script says."""

    def __init__(self, seconds=(), wrong=False, steps=None, factor=1.0):
        self.now = 0.0
        self.script = list(seconds)
        self.laps = []
        self.inputs = []
        self.freed = 0
        self.wrong = wrong
        self.factor = factor
        self.steps = steps
        self.counted = None

    def connect(self):
        return self

    def cpu_seconds(self):
        return self.now

    def forget(self):
        self.freed += 1

    @contextlib.contextmanager
    def counting(self, steps):
        yield
        steps.update(self.steps(self.laps[-1]))

    def square(self, x):
        self.laps.append(len(x))
        self.inputs.append(x)
        self.now += self.factor * (self.script.pop(0) if self.script else 1.0)
        return x * x + self.wrong


def lap(layers, draw, clock, size):
    x = draw(size)
    layers.now += 100.0  # outside the clock
    with clock:
        y = layers.square(x)
    return {"y": y}


def race(student, reference=None, bounds=BOUNDS):
    model: Any = reference or Layers()
    return timing.race(lap, student, model, bounds, small=SMALL, large=LARGE, seed=1)


# --- the verdict


@pytest.mark.parametrize(
    ("ratio", "step"), [(0.5, FULL), (10, FULL), (10.01, HALF), (20, HALF), (20.01, NONE), (1e9, NONE)]
)
def test_steps(ratio, step):
    assert BOUNDS.step(ratio) == step


@pytest.mark.parametrize(
    ("ratios", "clear"),
    [
        ([4.9, 1, 2], True),
        ([4.9, 5.1, 1], False),
        ([20], False),
        ([41, 50, 60], True),
        ([39, 60, 60], False),
        ([1, 1, 60], False),
    ],
)
def test_only_where_every_round_is_far_on_one_side_it_is_clear(ratios, clear):
    assert BOUNDS.is_clear(ratios) is clear


def test_the_median_of_the_rounds_counts():
    student = Layers([1, 1, 1, 30, 6, 8, 3, 60, 1, 7])
    reference = Layers([1, 1, 1, 1, 1, 2, 1, 1, 1, 1])
    verdict = race(student, reference)
    assert verdict.step == FULL
    assert verdict.figures == {"ratio": 6.0, "size": 4, "cpu_ms": 7000, "model_cpu_ms": 1000, "rounds": 7}


def test_what_slows_both_in_a_round_cancels():
    student = Layers([1, 1, 1, 6, 60, 66, 6, 60, 6, 6])
    reference = Layers([1, 1, 1, 1, 10, 2, 1, 10, 1, 1])
    assert race(student, reference).figures["ratio"] == 6


@pytest.mark.parametrize("seconds", [0.1, 0.0])
def test_times_that_are_too_short_decide_nothing(seconds):
    """Two of them, whosever they are, and whenever they come."""
    for lost in itertools.combinations(range(3, 10), 2):
        reference = Layers([seconds if number in lost else 1 for number in range(10)])
        assert race(Layers(factor=4), reference).step == FULL
        student = Layers([seconds if number in lost else 41 for number in range(10)])
        assert race(student).step == NONE


def test_only_what_is_inside_the_clock_counts():
    assert race(Layers(factor=3)).figures["ratio"] == 3


def test_the_small_size_comes_first():
    student = Layers(factor=6)
    race(student)
    assert student.laps == [2] * 3 + [4] * 7


def test_the_hopeless_never_see_the_large_size():
    student = Layers(factor=41)
    assert race(student).step == NONE
    assert student.laps == [2, 2, 2]


@pytest.mark.parametrize("bad", [1, 2])
def test_some_bad_rounds_are_not_hopeless(bad):
    student = Layers([1000] * bad + [1] * (3 - bad) + [1000] * bad)
    assert race(student).step == FULL
    assert student.laps == [2] * 3 + [4] * 7


@pytest.mark.parametrize(("factor", "step"), [(4.9, FULL), (41, NONE)])
def test_where_the_verdict_is_clear_three_rounds_are_enough(factor, step):
    student = Layers([1, 1, 1] + [factor] * 7)
    assert race(student).step == step
    assert student.laps == [2, 2, 2, 4, 4, 4]


@pytest.mark.parametrize(("last", "step"), [([9, 9, 9], FULL), ([11, 9, 9], HALF)])
def test_near_a_bound_all_rounds_count(last, step):
    student = Layers([1, 1, 1, 9, 11, 11, 11, *last])
    assert race(student).step == step
    assert student.laps == [2] * 3 + [4] * 7


# --- the inputs


def test_both_get_the_same_inputs_and_every_round_has_others():
    student, reference = Layers(), Layers()
    race(student, reference)
    for ours, theirs in zip(student.inputs, reference.inputs, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    large = [x.tobytes() for x in student.inputs if len(x) == LARGE]
    assert len(set(large)) == len(large)


def test_the_next_grading_gets_the_same_inputs():
    first, second = Layers(), Layers()
    race(first)
    race(second)
    assert [x.tobytes() for x in first.inputs] == [x.tobytes() for x in second.inputs]


def test_no_two_entries_are_equal():
    x = Inputs([1]).draw()(2, 3, 50, 70)
    assert x.shape == (2, 3, 50, 70)
    assert x.dtype == np.float32
    assert len(np.unique(x)) == x.size
    assert (x.min(), x.max() < 1) == (-1, True)
    assert abs(np.corrcoef(x.ravel()[1:], x.ravel()[:-1])[0, 1]) < 0.05


def test_what_calls_leave_behind_is_freed():
    student, reference = Layers(), Layers()
    race(student, reference)
    assert student.freed == reference.freed == 6


# --- whose fault


def test_wrong_results_have_no_speed():
    with pytest.raises(Wrong, match="y differs in 2 of 2 entries"):
        race(Layers(wrong=True))


def test_the_result_of_every_round_is_looked_at():
    class Forgetful(Layers):
        def square(self, x):
            y = super().square(x)
            return y + (len(self.laps) == 6)

    with pytest.raises(Wrong):
        race(Forgetful())


def test_the_student_fails():
    class Raising(Layers):
        def square(self, x):
            raise Raised("square raised ValueError", "square")

    with pytest.raises(Raised, match="square raised ValueError"):
        race(Raising())


def test_the_model_answer_fails():
    class Raising(Layers):
        def square(self, x):
            raise Raised("square raised ValueError", "square")

    with pytest.raises(GraderFault, match="the model answer fails the speed test: square raised ValueError"):
        race(Layers(), Raising())


def test_a_worker_that_ends_before_its_clock_is_read():
    class Ending(Layers):
        def cpu_seconds(self):
            if self.laps:
                raise ProcessLookupError
            return 0.0

    with pytest.raises(Crashed, match="ended right after its reply"):
        race(Ending())


def test_no_clock_no_verdict():
    class Clockless(Layers):
        def cpu_seconds(self):
            raise NotImplementedError("freebsd14 does not tell")

    student = Clockless()
    verdict = race(student)
    assert (verdict.step, verdict.figures) == (NOT_MEASURED, {"reason": "freebsd14 does not tell"})
    assert student.laps == []


# --- the explanation


def growing(steps):
    student: Any = Layers(steps=steps)
    return timing.growing(lap, student, seed=1)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (lambda size: {"f": 100}, None),
        (lambda size: {"f": 100 + size}, None),  # a little more is no loop
        (lambda size: {"f": 10 * size**2}, ("f", 4)),
        (lambda size: {"f": 10 * size}, ("f", 2)),
        (lambda size: {"f": 2 * size**2, "g": 3 * size**2, "h": 1000}, ("g", 4)),
        (lambda size: {"f": size**2 // 16}, None),  # too little to tell
        (lambda size: {"f": size**2} if size > 16 else {}, None),
        (lambda size: {}, None),  # tracing was switched off
    ],
)
def test_the_function_whose_steps_grow(steps, expected):
    assert growing(steps) == expected


def test_the_first_count_is_thrown_away():
    student: Any = Layers(steps=lambda size: {"f": 10 * size**2})
    timing.growing(lap, student, seed=1)
    assert student.laps == [8, 16, 32]


def test_who_cannot_be_counted_is_not_explained():
    def steps(size):
        raise Crashed("f ended the Python process")

    assert growing(steps) is None
