"""Races on scripted clocks: what decides, when it is measured again, what is counted, and whose fault a failure is."""

import itertools
from typing import Any

import numpy as np
import pytest

from autograder.core.errors import Crashed, GraderFault, NotRun, Raised, TimedOut, Wrong
from autograder.grading import timing
from autograder.grading.calls import Count, Seconds
from autograder.grading.inputs import Inputs
from autograder.grading.steps import ENTRIES, FIRST_SIZE, FLAT, ROWS, SIZES, UNKNOWN, Growth
from autograder.grading.timing import FULL, NONE, NOT_MEASURED, Bounds

BOUNDS = Bounds(full_ratio=4, none_ratio=30, rounds=7, tolerance=1e-4)
SMALL, LARGE = 2, tuple(range(100, 130))

STEPS = {
    FLAT: lambda size: 100,
    ROWS: lambda size: 10 * size,
    ENTRIES: lambda size: 10 * size * size,
    UNKNOWN: lambda size: 0,
}


class Layers:
    """Stands in for a proxy: ``square`` and then ``root``, which take as long as the script says, and some steps."""

    names = frozenset({"square", "helper"})

    def __init__(self, seconds=(), kind=FLAT, factor=1.0, wrong=0, copying=0.0, root=1.0):
        self.script = list(seconds)
        self.kind = kind
        self.factor = factor
        self.wrong = wrong
        self.copying = copying
        self.root_seconds = root
        self.laps: list[tuple[int, ...]] = []
        self.inputs: list[Any] = []
        self.counted_at: list[int] = []
        self.rooted = self.freed = self.closed = 0

    def connect(self):
        return self

    def cpu_seconds(self):
        return 0.0

    def forget(self):
        self.freed += 1

    def close(self):
        self.closed += 1

    def square(self, x):
        return x * x + self.wrong

    def root(self, x):
        return x

    def timed(self, name, x):
        if name == "root":
            self.rooted += 1
            return x, Seconds(0, self.root_seconds, 0)
        self.laps.append(x.shape)
        self.inputs.append(x)
        took = self.factor * (self.script.pop(0) if self.script else 1.0)
        return self.square(x), Seconds(self.copying / 2, took, self.copying / 2)

    def counted(self, name, x):
        self.counted_at.append(len(x))
        return self.square(x), Count({"helper": STEPS[self.kind](len(x))}, 0)


def lap(layers, draw, height, width):
    x = draw(height, width)
    yield {"y": layers.square(x)}
    yield {"root": layers.root(x)}


def race(student, reference=None, bounds=BOUNDS, function="square"):
    model: Any = reference or Layers()
    return timing.Race(lap, student, model, bounds, small=SMALL, large=LARGE).verdict(function)


def sizes(layers):
    """Which laps were small, which were large."""
    return ["small" if shape == (SMALL, SMALL) else "large" for shape in layers.laps]


# --- the verdict


@pytest.mark.parametrize(
    ("kind", "factor", "step"),
    [
        (FLAT, 1, FULL),
        (FLAT, 29, FULL),
        (FLAT, 31, NONE),
        (ROWS, 29, FULL),
        (ROWS, 31, NONE),
        (ENTRIES, 3.9, FULL),
        (ENTRIES, 4.1, NONE),
        (ENTRIES, 29, NONE),
        (ENTRIES, 1e6, NONE),
        (UNKNOWN, 3.9, FULL),
        (UNKNOWN, 4.1, NONE),
        (FLAT, 1e6, NONE),
    ],
)
def test_two_bounds_and_a_count_between_them(kind, factor, step):
    assert race(Layers(kind=kind, factor=factor)).step == step


@pytest.mark.parametrize(("kind", "bound"), [(FLAT, 30), (ENTRIES, 4)])
@pytest.mark.parametrize("noise", [0.4, 2.5])
def test_noise_of_more_than_twofold_changes_no_verdict(kind, bound, noise):
    """On either side of the bound that counts, whatever the other one is."""
    for factor, step in ((bound / 3, FULL), (bound * 3, NONE)):
        assert race(Layers(kind=kind, factor=factor * noise)).step == step


def test_the_median_of_the_rounds_counts():
    student = Layers([1, 3, 60, 3, 5, 4, 60, 1], kind=ENTRIES)
    verdict = race(student)
    assert (verdict.step, verdict.figures["ratio"]) == (FULL, 4.0)


def test_what_slows_both_in_a_round_cancels():
    student = Layers([1, 6, 10, 6, 10, 6, 6, 6])
    reference = Layers([1, 1, 1.7, 1, 1.6, 1, 1, 1])
    assert race(student, reference).figures["ratio"] == 6


def test_one_small_round_comes_first():
    student = Layers(factor=2)
    race(student)
    assert sizes(student) == ["small"] + ["large"] * 3


def test_loops_that_are_slow_never_see_the_large_size():
    student = Layers(factor=13, root=13.0, kind=ENTRIES)
    assert race(student) == timing.Verdict(
        NONE, {"ratio": 13.0, "cpu_ms": 13000.0, "model_cpu_ms": 1000.0, "rounds": 3}, Growth(ENTRIES, "helper")
    )
    assert sizes(student) == ["small"] * 3


def test_vectorised_code_is_judged_by_the_large_size():
    """What it does once, for instance to make a table, may take long beside a small image."""
    assert race(Layers([100, 100, 100, 1, 1, 1])).step == FULL


@pytest.mark.parametrize("bad", [1, 2])
def test_some_bad_rounds_are_not_slow(bad):
    student = Layers([1000] * bad + [1, 1, 1, 1], kind=ENTRIES)
    assert race(student).step == FULL
    assert sizes(student) == ["small"] * (bad + 1) + ["large"] * 3


@pytest.mark.parametrize(("factor", "kind"), [(2, ENTRIES), (10, FLAT), (10, ENTRIES), (50, FLAT)])
def test_where_the_verdict_is_clear_three_rounds_are_enough(factor, kind):
    student = Layers(factor=factor, kind=kind)
    race(student)
    assert sizes(student)[-3:] == ["large"] * 3
    assert len(student.laps) <= 6


@pytest.mark.parametrize(("factor", "kind"), [(3, ENTRIES), (25, FLAT)])
def test_near_the_bound_that_counts_all_rounds_are_run(factor, kind):
    student = Layers(factor=factor, kind=kind)
    race(student)
    assert sizes(student).count("large") == 7


def test_steps_are_counted_only_where_they_can_matter():
    student = Layers(factor=2)
    assert race(student).growth is None
    assert student.counted_at == []
    student = Layers(factor=10)
    assert race(student).growth == Growth(FLAT, "square")
    assert student.counted_at == [FIRST_SIZE, *SIZES]
    assert student.closed == 1  # what a worker has kept of earlier calls would be missing from the count


# --- what is measured


def test_a_round_that_disturbed_the_model_answer_is_run_again():
    student, reference = Layers(factor=6), Layers([1, 1, 5, 1, 1, 1])
    verdict = race(student, reference)
    assert (verdict.figures["ratio"], verdict.figures["rounds"]) == (6, 4)


def test_the_first_round_may_be_the_disturbed_one():
    assert race(Layers(factor=6), Layers([1, 5, 1, 1, 1])).figures["ratio"] == 6


def test_a_machine_that_is_always_busy_comes_to_an_end():
    quicker_and_quicker = [2.2**-number for number in range(3 + 2 * BOUNDS.rounds)]
    student = Layers(quicker_and_quicker, factor=29)
    race(student, Layers(quicker_and_quicker))  # each round makes the one before a disturbed one
    assert sizes(student).count("large") == 2 * BOUNDS.rounds


@pytest.mark.parametrize("seconds", [0.1, 0.0])
def test_times_that_are_too_short_decide_nothing(seconds):
    """Two of them, whosever they are, and whenever they come."""
    for lost in itertools.combinations(range(3, 10), 2):
        student = Layers([seconds if number in lost else 41 for number in range(10)])
        assert race(student).step == NONE


def test_copying_is_not_counted_unless_it_takes_much_longer_than_the_model_answers():
    reference = Layers(copying=2.0)
    assert race(Layers(copying=5.9), reference).figures["ratio"] == 1
    assert race(Layers(copying=16.0), reference).figures["ratio"] == 11


def test_both_races_of_a_layer_make_the_same_calls():
    student = Layers()
    race(student)
    assert student.rooted == len(student.laps)


def test_what_is_lost_and_not_judged_is_left_out_of_the_large_rounds():
    student = Layers(root=1000.0, kind=ENTRIES)
    assert race(student).step == FULL
    assert student.rooted == 3


def test_what_is_slow_and_may_not_be_lost_is_not_left_out():
    """Otherwise a call could tell that it is another one that counts."""
    student = Layers(root=1000.0, kind=FLAT)
    assert race(student).step == FULL
    assert student.rooted == len(student.laps) == 6


def test_what_comes_after_the_judged_function_may_fail():
    class Half(Layers):
        def timed(self, name, x):
            if name == "root":
                raise Raised("root raised ValueError", "root")
            return super().timed(name, x)

    assert race(Half()).step == FULL
    with pytest.raises(Raised, match="root raised"):
        race(Half(), function="root")


# --- the inputs


def test_both_get_the_same_inputs_and_every_round_has_others():
    student, reference = Layers(), Layers()
    race(student, reference)
    for ours, theirs in zip(student.inputs, reference.inputs, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert len({x.tobytes() for x in student.inputs}) == len(student.inputs)


def test_the_next_grading_gets_other_inputs_and_shapes():
    first, second = Layers(factor=3.9), Layers(factor=3.9)
    race(first)
    race(second)
    assert not {x[0, 0] for x in first.inputs} & {x[0, 0] for x in second.inputs}
    shapes = {*first.laps[1:], *second.laps[1:]}
    assert len(shapes) > 3
    assert all(side in LARGE for shape in shapes for side in shape)
    assert all(height != width for height, width in shapes)


def test_no_two_entries_are_equal():
    x = Inputs(1).draw()(2, 3, 50, 70)
    assert x.shape == (2, 3, 50, 70)
    assert x.dtype == np.float64
    assert len(np.unique(x)) == x.size
    assert (x.min() >= -1, x.max() < 1) == (True, True)


def test_what_calls_leave_behind_is_freed():
    student, reference = Layers(), Layers()
    race(student, reference)
    assert student.freed == reference.freed == 4


# --- whose fault


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (lambda x: x + 1, "square was not timed: y has wrong values on larger inputs"),
        (lambda x: x[:1], "square was not timed: y has the wrong shape on larger inputs"),
        (lambda x: x * np.nan, "square was not timed: y has entries that are not finite on larger inputs"),
        (lambda x: x.astype(int), "square was not timed: y is not an array of floats on larger inputs"),
        (lambda x: None, "square was not timed: y is not an array on larger inputs"),
    ],
)
def test_wrong_results_have_no_speed(result, said):
    class Lying(Layers):
        def square(self, x):
            return result(x)

    with pytest.raises(Wrong) as wrong:
        race(Lying())
    assert wrong.value.message == said
    assert set(timing.WRONG) == {"type", "shape", "dtype", "not finite", "values"}


def test_the_result_of_every_round_is_looked_at():
    class Forgetful(Layers):
        def square(self, x):
            return super().square(x) + (len(self.laps) == 4)

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


def test_a_lap_without_the_function():
    with pytest.raises(GraderFault, match="the calls of this speed test do not include cube"):
        race(Layers(), function="cube")


def test_a_time_out_says_which_function_loops():
    class Endless(Layers):
        def square(self, x):
            if len(x) in LARGE:
                raise TimedOut("square did not return within 10 s", "square")
            return super().square(x)

    verdict = race(Endless(kind=ENTRIES))
    assert (verdict.step, verdict.growth, str(verdict.timed_out)) == (
        NONE,
        Growth(ENTRIES, "helper"),
        "square did not return within 10 s",
    )


def test_who_dies_while_steps_are_counted_is_not_vectorised():
    class Dying(Layers):
        def counted(self, name, x):
            raise Crashed("square ended the Python process")

    verdict = race(Dying(factor=10))
    assert (verdict.step, verdict.growth) == (NONE, Growth(UNKNOWN))


def test_when_time_is_up_while_steps_are_counted_nothing_is_said_of_loops():
    class Late(Layers):
        def counted(self, name, x):
            raise NotRun("the 60 s for the whole submission were used up")

    with pytest.raises(NotRun, match="were used up"):
        race(Late(factor=10))


def test_no_clock_no_verdict():
    class Clockless(Layers):
        def cpu_seconds(self):
            raise NotImplementedError("freebsd14 does not tell")

    student = Clockless()
    verdict = race(student)
    assert (verdict.step, verdict.figures) == (NOT_MEASURED, {"reason": "freebsd14 does not tell"})
    assert student.laps == []
