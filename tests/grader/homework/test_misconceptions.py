"""The wrong answers are wrong, in the way they say, and nowhere else."""

import copy
import functools
import re
from collections.abc import Callable, Mapping
from itertools import combinations, product
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
import yaml

from autograder.grading.diagnose.mistakes import registering
from solutions import layers, naive
from solutions.misconceptions import CATALOGUE, FUNCTIONS, Misconception, produce, source
from tests.grader.support import ROOT

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))

ENTRIES = pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.id)
TOLERANCE = {"float64": 1e-10, "float32": 1e-4}  # share of the largest magnitude


def broken_clause(entry: Misconception) -> str:
    """The clause of the contract that it breaks while its values are right: the last word of the test that notices."""
    remembers = any(isinstance(default, (dict, list)) for default in entry.wrong.__defaults__ or ())
    return "state" if remembers else entry.fails_only.rpartition("_")[2]


def entries(*clauses: str) -> pytest.MarkDecorator:
    chosen = [entry for entry in CATALOGUE if broken_clause(entry) in clauses]
    assert chosen
    return pytest.mark.parametrize("entry", chosen, ids=lambda entry: entry.id)


# --- inputs ----------------------------------------------------------------------------------------------------------


class Problem(NamedTuple):
    """The inputs of a call, what it should return, and the sizes that `hides_on` speaks of."""

    inputs: tuple[Any, ...]
    dout: Any
    expected: tuple[Any, ...]
    sizes: Mapping[str, Any]

    @property
    def asymmetric(self) -> bool:
        sizes = self.sizes
        return bool(sizes["H"] != sizes["W"] and sizes["KH"] != sizes["KW"] and sizes["N"] > 1)


def problem(function: str, rng: np.random.Generator, ties: bool = False, **fixed: Any) -> Problem:
    """Draw valid inputs at random, `fixed` sizes apart; values are all different unless there are to be ties."""
    sizes: dict[str, Any] = {name: int(rng.integers(1, 4)) for name in ("N", "C", "F", "stride")}
    sizes |= {"KH": int(rng.integers(1, 5)), "KW": int(rng.integers(1, 5)), "padding": int(rng.integers(0, 3))}
    sizes |= {"padding": 0} if "pool" in function else {}
    sizes |= {"dtype": str(rng.choice(["float64", "float64", "float32"]))} | fixed
    for side, kernel in (("H", "KH"), ("W", "KW")):
        sizes.setdefault(side, max(1, sizes[kernel] - 2 * sizes["padding"]) + int(rng.integers(0, 6)))
    N, C, H, W, F, KH, KW, stride, padding = (
        sizes[name] for name in ("N", "C", "H", "W", "F", "KH", "KW", "stride", "padding")
    )
    OH, OW = naive.conv_output_size(H, KH, stride, padding), naive.conv_output_size(W, KW, stride, padding)

    def draw(*shape: int) -> Any:
        numbers = rng.integers(0, 3, shape) if ties else rng.standard_normal(shape)
        return numbers.astype(sizes["dtype"])

    inputs: tuple[Any, ...] = (draw(N, C, H, W), (KH, KW), stride)
    if function == "conv_output_size":
        inputs = (H, KH, stride, padding)
    elif function == "im2col":
        inputs = (*inputs, padding)
    elif function == "col2im":
        inputs = (draw(C * KH * KW, N * OH * OW), (N, C, H, W), (KH, KW), stride, padding)
    elif "conv2d" in function:
        inputs = (draw(N, C, H, W), draw(F, C, KH, KW), draw(F), stride, padding)
    dout = draw(N, F if "conv2d" in function else C, OH, OW) if "backward" in function else None
    expected = results(naive, function, inputs, dout)
    return Problem(
        inputs,
        dout,
        expected,
        {**sizes, "OH": OH, "OW": OW, "size": H, "kernel_size": KH, "never": False, "apart": True, "given": True},
    )


def arguments(homework: Any, function: str, inputs: tuple[Any, ...], dout: Any = None) -> tuple[Any, ...]:
    """What a function is called with; a backward function gets a cache of the same homework's forward pass."""
    if dout is None:
        return inputs
    _, cache = getattr(homework, function.replace("backward", "forward"))(*inputs)
    return dout, cache


def tupled(returned: Any) -> tuple[Any, ...]:
    return returned if isinstance(returned, tuple) else (returned,)


def results(homework: Any, function: str, inputs: tuple[Any, ...], dout: Any = None) -> tuple[Any, ...]:
    """What a function makes of copies of the inputs, the cache left out."""
    inputs, dout = copy.deepcopy((inputs, dout))
    returned = tupled(getattr(homework, function)(*arguments(homework, function, inputs, dout)))
    return returned[:1] if function.endswith("_forward") else returned


def seeded(name: str) -> np.random.Generator:
    return np.random.default_rng(list(name.encode()))


@functools.cache
def problems_of(function: str) -> list[Problem]:
    """The same hundred problems for every test of a function."""
    rng = seeded(function)
    return [problem(function, rng) for _ in range(100)]


def produced(entry: Misconception, given: Problem) -> tuple[Any, ...] | None:
    got = produce(entry, *given.inputs, dout=given.dout)
    return got if got is None else got[: len(given.expected)]


def same(got: tuple[Any, ...] | None, expected: tuple[Any, ...], dtype: str) -> bool:
    return got is not None and all(alike(*pair, TOLERANCE[dtype]) for pair in zip(got, expected, strict=True))


def alike(got: Any, expected: Any, tolerance: float) -> bool:
    if not isinstance(expected, np.ndarray):
        return type(got) is type(expected) and bool(got == expected)
    if got.shape != expected.shape:
        return False
    return bool(np.abs(got - expected).max(initial=0) <= tolerance * np.abs(expected).max(initial=0))


def hides(entry: Misconception, given: Problem) -> bool:
    return bool(eval(entry.hides_on, {}, dict(given.sizes)))


def right(entry: Misconception, given: Problem) -> bool:
    return same(produced(entry, given), given.expected, given.sizes["dtype"])


def submission(entry: Misconception) -> ModuleType:
    """Import the file that verify would grade."""
    module = ModuleType(entry.id)
    exec(compile(source(entry), entry.id, "exec"), module.__dict__)
    return module


# --- the catalogue ---------------------------------------------------------------------------------------------------


def test_every_function_can_go_wrong_in_several_ways():
    assert len(CATALOGUE) >= 45
    assert list(CONFIG["homework"]["functions"]) == list(FUNCTIONS)
    for function in FUNCTIONS:
        assert sum(entry.function == function for entry in CATALOGUE) >= 2


def test_ids_are_words():
    ids = [entry.id for entry in CATALOGUE]
    assert len(set(ids)) == len(ids)
    for id in ids:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", id), id


@ENTRIES
def test_hints_are_short_and_without_code(entry):
    assert re.fullmatch(r"[A-Z][A-Za-z0-9 ,:;'-]+\.( [A-Z][A-Za-z0-9 ,:;'-]+\.)?", entry.hint), entry.hint
    assert 30 <= len(entry.hint) <= 300
    assert "np" not in entry.hint.split()


@ENTRIES
def test_what_else_falls_exists(entry):
    about = CONFIG["tests"] | dict.fromkeys(FUNCTIONS)
    for name in (*entry.also_fails, *filter(None, [entry.fails_only])):
        assert name in about
    assert not entry.fails_only or entry.function in entry.fails_only
    assert not any(entry.function in name for name in entry.also_fails)


@pytest.mark.parametrize(
    "test",
    [name for name in CONFIG["tests"] if name.endswith(("_dtype", "_inputs", "_ties", "_large", "2d_backward_state"))],
)
def test_every_clause_of_the_contract_is_broken_by_something(test):
    of_averages = test == "test_avg_pool2d_backward_state"  # all that an average can remember is a shape
    assert of_averages or any(entry.fails_only == test for entry in CATALOGUE)


# --- wrong, and where ------------------------------------------------------------------------------------------------


@entries("")
def test_it_differs_from_the_oracle(entry):
    problems = problems_of(entry.function)
    if all(hides(entry, given) for given in problems):
        pytest.skip("it shows on no inputs at random")
    shown = [given for given in problems if produced(entry, given) is not None and not right(entry, given)]
    assert sum(given.asymmetric or entry.function == "conv_output_size" for given in shown) >= 3


@ENTRIES
def test_it_is_right_where_it_says_it_hides(entry):
    hidden = [given for given in problems_of(entry.function) if hides(entry, given)]
    assert hidden or entry.hides_on == "never"
    for given in hidden:
        assert right(entry, given), given.sizes


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_two_are_the_same_mistake(function):
    problems = problems_of(function)
    wrong = {
        entry.id: [produced(entry, given) for given in problems]
        for entry in CATALOGUE
        if entry.function == function and broken_clause(entry) == "" and entry.parts == 1
        if not all(hides(entry, given) for given in problems)
    }
    for first, second in combinations(wrong, 2):
        apart = [
            one is not None and not same(one, other, given.sizes["dtype"])
            for given, one, other in zip(problems, wrong[first], wrong[second], strict=True)
            if other is not None
        ]
        assert sum(apart) >= 3, (first, second)


# --- right, but for a clause of the contract -------------------------------------------------------------------------


@entries("dtype", "inputs", "ties", "state", "large")
def test_values_are_right(entry):
    assert all(right(entry, given) for given in problems_of(entry.function))


@entries("dtype")
def test_the_dtype_is_wrong_for_float32_alone(entry):
    tiles = [
        problem(entry.function, seeded(entry.id), dtype="float32", KH=size, KW=size, stride=size) for size in (1, 2)
    ]
    for given in (*problems_of(entry.function), *tiles):
        got = produced(entry, given)
        assert got is not None
        assert hides(entry, given) != any(array.dtype != given.sizes["dtype"] for array in got)
        assert hides(entry, given) or given.sizes["dtype"] == "float32"
    assert not all(hides(entry, given) for given in tiles)


@entries("inputs")
def test_an_input_is_changed_or_shared(entry):
    changed = shared = 0
    homework = submission(entry)
    for kernel, rng in ((2, seeded(entry.id)), (1, seeded(entry.id))):
        fixed: dict[str, Any] = {
            "N": 1 if kernel == 1 else 2,
            "C": 3,
            "H": 4,
            "W": 5,
            "KH": kernel,
            "KW": kernel,
            "stride": 1,
        }
        given = problem(entry.function, rng, padding=0, dtype="float64", **fixed)
        held = arguments(homework, entry.function, given.inputs, given.dout)
        arrays = [value for value in (*held, *given.inputs) if isinstance(value, np.ndarray)]
        before = [array.copy() for array in arrays]
        got = tupled(getattr(homework, entry.function)(*held))
        changed += any(not np.array_equal(*pair) for pair in zip(arrays, before, strict=True))
        arrays = [value for value in held if isinstance(value, np.ndarray)]
        shared += any(np.shares_memory(*pair) for pair in product(arrays, got) if isinstance(pair[1], np.ndarray))
    assert changed or shared
    assert not (changed and shared)


@entries("ties")
def test_ties_tell(entry):
    rng = seeded(entry.id)
    tied = [problem(entry.function, rng, ties=True, KH=2, KW=3, dtype="float64") for _ in range(5)]
    assert sum(not right(entry, given) for given in tied) >= 3


@entries("large")
def test_only_large_images_tell(entry):
    """The model answer is the yardstick: the oracle would take minutes."""
    rng, padding = seeded(entry.id), 0 if "pool" in entry.function else 1
    x, w, b = (rng.standard_normal(shape) for shape in ((2, 1, 260, 259), (2, 1, 1, 3), (2,)))
    inputs: tuple[Any, ...] = (x, (1, 3), 2)
    cols = layers.im2col(x, (1, 3), 2, padding)
    if entry.function == "im2col":
        inputs = (*inputs, padding)
    elif entry.function == "col2im":
        inputs = (cols, x.shape, (1, 3), 2, padding)
    elif "conv2d" in entry.function:
        inputs = (x, w, b, 2, padding)
    forward = getattr(layers, entry.function.replace("backward", "forward"))
    dout = rng.standard_normal(forward(*inputs)[0].shape) if "backward" in entry.function else None
    got = produce(entry, *inputs, dout=dout) or ()
    expected = results(layers, entry.function, inputs, dout)
    assert not same(got[: len(expected)], expected, "float64")


def test_values_that_are_nearly_equal_tell():
    shown = [entry for entry in CATALOGUE if entry.hides_on == "apart"]
    assert shown
    for entry in shown:
        x = 1 + 1e-9 * seeded(entry.id).permutation(60).reshape(2, 1, 5, 6)
        inputs, dout = (x, (2, 3), 1), np.ones((2, 1, 4, 4))
        assert not same(produce(entry, *inputs, dout=dout), results(naive, entry.function, inputs, dout), "float64")


@entries("state")
def test_earlier_calls_have_a_part_in_it(entry):
    rng, homework = seeded(entry.id), submission(entry)
    fixed: dict[str, Any] = {
        "N": 2,
        "C": 2,
        "F": 3,
        "H": 5,
        "W": 6,
        "KH": 2,
        "KW": 3,
        "stride": 1,
        "padding": 0,
        "dtype": "float64",
    }
    first, second = (problem(entry.function, rng, **fixed) for _ in range(2))
    forward, backward = (getattr(homework, entry.function.replace("backward", way)) for way in ("forward", "backward"))
    caches = [forward(*given.inputs)[1] for given in (first, second)]
    got = [backward(given.dout, cache) for given, cache in zip((first, second), caches, strict=True)]
    pairs = zip(got, (first, second), strict=True)
    assert not all(same(tupled(one), given.expected, "float64") for one, given in pairs)


# --- as a submission, and as a single call ---------------------------------------------------------------------------


@ENTRIES
def test_a_submission_is_wrong_in_one_function_only(entry):
    homework = submission(entry)
    for function in FUNCTIONS:
        assert callable(getattr(homework, function))
        given = problems_of(function)[0]
        if function != entry.function:
            got = results(homework, function, given.inputs, given.dout)
            assert same(got, given.expected, given.sizes["dtype"]), function


@ENTRIES
def test_a_submission_does_what_produce_says(entry):
    homework = submission(entry)
    for given in problems_of(entry.function)[:6]:
        got = produced(entry, given)
        if got is None or broken_clause(entry) == "state":
            continue
        ours = results(homework, entry.function, given.inputs, given.dout)
        for one, other in zip(ours, got, strict=True):
            np.testing.assert_array_equal(one, other, strict=True)


def made(wrong: Callable[..., Any], function: str = "im2col") -> Misconception:
    return Misconception("made-up", function, "A hint.", wrong)


def test_produce_leaves_inputs_alone():
    def wrong(x, kernel_size, stride=1, padding=0):
        x += 1
        return x

    x = np.zeros((1, 1, 2, 2))
    x.flags.writeable = False  # as fixtures are
    (got,) = produce(made(wrong), x, (1, 1)) or (None,)
    assert np.array_equal(got, np.ones((1, 1, 2, 2)))
    assert not x.any()


def test_produce_forgets():
    def wrong(x, seen=[]):  # noqa: B006
        seen.append(x)
        return len(seen)

    entry = made(wrong)
    assert [produce(entry, 5), produce(entry, 5)] == [(1,), (1,)]


def test_produce_keeps_exceptions_and_warnings_to_itself():
    assert produce(made(lambda x: x.no_such_method()), 1) is None
    ((got,),) = [produce(made(lambda x: (np.zeros(1) / x).mean()), 0) or ()]
    assert np.isnan(got)


def test_produce_gives_backward_the_right_cache():
    x, w, b, dout = np.ones((1, 1, 2, 2)), np.ones((1, 1, 2, 2)), np.ones(1), np.ones((1, 1, 1, 1))
    _, right_cache = layers.conv2d_forward(x, w, b)
    got = produce(made(lambda dout, cache: (dout, cache), "conv2d_backward"), x, w, b, stride=1, padding=0, dout=dout)
    assert got is not None
    assert np.array_equal(got[0], dout)
    assert repr(got[1]) == repr(right_cache)


def test_registering_takes_id_and_hint_from_the_function():
    registered: list[Misconception] = []

    @registering(registered)("im2col", hides_on="stride == 1")
    def columns_of_wood(x, kernel_size, stride=1, padding=0):
        """Wood.

        Look
        at the grain.
        """

    assert registered == [
        Misconception("columns-of-wood", "im2col", "Wood. Look at the grain.", columns_of_wood, hides_on="stride == 1")
    ]
