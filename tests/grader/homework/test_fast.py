"""`solutions/fast.py`: right before it is fast, in every layout, block and strip; and the race of `tests/bench/`."""

import importlib
import inspect
import json
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solutions import fast, layers, naive
from tests.grader.support import ROOT
from tests.grader.support.slices import smoke

TOLERANCE = {"float64": 1e-12, "float32": 1e-5}  # share of the largest magnitude
KINDS = ["max_pool2d", "avg_pool2d"]
NAMES = [name for name, _ in inspect.getmembers(naive, inspect.isfunction) if not name.startswith("_")]


@st.composite
def problems(draw):
    """Draw a layer: sizes, then x, w and b. Kernels may be wider than the image, windows may drop its borders."""
    N, C, F, KH, KW, stride = (draw(st.integers(1, 4)) for _ in range(6))
    padding = draw(st.integers(0, 3))
    H, W = (max(1, kernel - 2 * padding) + draw(st.integers(0, 6)) for kernel in (KH, KW))
    rng, dtype = np.random.default_rng(draw(st.integers(0, 2**32))), draw(st.sampled_from(sorted(TOLERANCE)))
    x, w, b = (draw_values(rng, shape, dtype) for shape in ((N, C, H, W), (F, C, KH, KW), (F,)))
    return x, w, b, stride, padding


def draw_values(rng, shape, dtype):
    """Draw from a coarse grid, so that pooling windows have ties."""
    return (rng.integers(-6, 7, shape) / 4).astype(dtype)


def assert_same(got, expected, dtype):
    assert (got.shape, got.dtype) == (expected.shape, dtype)
    assert np.abs(got - expected).max(initial=0) <= TOLERANCE[str(dtype)] * np.abs(expected).max(initial=0)


repeatable = settings(derandomize=True, deadline=None, max_examples=60, database=None)
# Random layers are small. With these limits they too have several blocks, and products of several strips.
limits = pytest.mark.parametrize(
    "limits", [{}, {"BLOCK_BYTES": 1}, {"BLOCK_BYTES": 3000, "SMALL_PRODUCT": 4000, "THIN_STRIP": 16}], ids=str
)


def convolve(homework, problem, dout=None):
    out, cache = homework.conv2d_forward(*problem)
    dout = draw_values(np.random.default_rng(out.shape), out.shape, out.dtype) if dout is None else dout
    return dout, (out, *homework.conv2d_backward(dout, cache))


def pool(homework, kind, x, kernel_size, stride, dout=None):
    out, cache = getattr(homework, f"{kind}_forward")(x, kernel_size, stride)
    dout = draw_values(np.random.default_rng(out.shape), out.shape, x.dtype) if dout is None else dout
    return dout, (out, getattr(homework, f"{kind}_backward")(dout, cache))


# --- values ----------------------------------------------------------------------------------------------------------


@limits
@repeatable
@given(problem=problems())
def test_convolutions_agree(limits, problem):
    with pytest.MonkeyPatch.context() as patch:
        for name, limit in limits.items():
            patch.setattr(fast, name, limit)
        dout, results = convolve(fast, problem)
    for got, expected in zip(results, convolve(naive, problem, dout)[1], strict=True):
        assert_same(got, expected, problem[0].dtype)


@limits
@pytest.mark.parametrize("kind", KINDS)
@repeatable
@given(problem=problems())
def test_pools_agree(limits, kind, problem):
    x, w, _, stride, padding = problem
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))  # so that the kernel fits
    with pytest.MonkeyPatch.context() as patch:
        for name, limit in limits.items():
            patch.setattr(fast, name, limit)
        dout, results = pool(fast, kind, x, w.shape[2:], stride)
    for got, expected in zip(results, pool(naive, kind, x, w.shape[2:], stride, dout)[1], strict=True):
        assert_same(got, expected, x.dtype)


@repeatable
@given(problem=problems())
def test_columns_agree(problem):
    x, w, _, stride, padding = problem
    window = w.shape[2:], stride, padding
    cols = fast.im2col(x, *window)
    assert_same(cols, naive.im2col(x, *window), x.dtype)
    assert_same(fast.col2im(cols, x.shape, *window), naive.col2im(cols, x.shape, *window), x.dtype)


@pytest.mark.parametrize("dtype", smoke(sorted(TOLERANCE), {"float64"}))
def test_real_sizes_agree_with_the_model_answer(dtype):
    """Only these are large enough for blocks and strips as they are."""
    rng = np.random.default_rng(11)
    for shape, filters, kernel_size, stride, padding in [
        ((100, 6, 14, 14), 16, (5, 5), 1, 0),
        ((8, 64, 32, 33), 64, (3, 3), 1, 1),
        ((8, 32, 33, 37), 24, (3, 5), 2, 1),
    ]:
        x, w, b = (
            rng.standard_normal(size).astype(dtype) for size in (shape, (filters, shape[1], *kernel_size), (filters,))
        )
        dout, results = convolve(fast, (x, w, b, stride, padding))
        for got, expected in zip(results, convolve(layers, (x, w, b, stride, padding), dout)[1], strict=True):
            assert_same(got, expected, dtype)
        for kind in KINDS:
            dout, results = pool(fast, kind, x, kernel_size, 2)
            for got, expected in zip(results, pool(layers, kind, x, kernel_size, 2, dout)[1], strict=True):
                assert_same(got, expected, dtype)


def test_a_window_may_have_more_pixels_than_a_byte_counts():
    x = np.random.default_rng(12).standard_normal((2, 1, 20, 21))
    dout, results = pool(fast, "max_pool2d", x, (17, 18), 1)
    for got, expected in zip(results, pool(naive, "max_pool2d", x, (17, 18), 1, dout)[1], strict=True):
        assert_same(got, expected, "float64")


# --- the contract ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_signatures(name):
    assert inspect.signature(getattr(fast, name)) == inspect.signature(getattr(layers, name))


def test_layers_hand_on_their_order_without_copying():
    x = np.random.default_rng(13).standard_normal((5, 2, 8, 8))
    out, conv_cache = fast.conv2d_forward(x, np.ones((3, 2, 3, 3)), np.zeros(3))
    out = np.maximum(out, 0)
    assert np.shares_memory(fast.rows_first(out), out)
    out, pool_cache = fast.max_pool2d_forward(out, (2, 2), 2)
    assert np.shares_memory(fast.rows_first(out), out)
    dx = fast.max_pool2d_backward(out, pool_cache)
    assert np.shares_memory(fast.rows_first(dx), dx)
    dx = fast.conv2d_backward(dx, conv_cache)[0]
    assert np.shares_memory(fast.rows_first(dx), dx)


@pytest.mark.parametrize("order", ["images first", "rows first"])
def test_inputs_stay_as_they_are_and_results_are_new(order):
    rng = np.random.default_rng(14)
    x, w, b = rng.standard_normal((1, 1, 4, 5)), rng.standard_normal((1, 1, 1, 1)), np.zeros(1)
    if order == "rows first":
        x = np.ascontiguousarray(x.transpose(2, 1, 3, 0)).transpose(3, 1, 0, 2)
    for array in (x, w, b):
        array.flags.writeable = False  # a write would raise
    dout, results = convolve(fast, (x, w, b, 1, 0))
    for kind in KINDS:
        results += pool(fast, kind, x, (1, 1), 1)[1]
    assert not any(np.shares_memory(result, array) for result in results for array in (x, w, b, dout))


def test_memory_stays_near_that_of_the_results():
    rng = np.random.default_rng(15)
    x, w, b = rng.standard_normal((16, 64, 32, 32)), rng.standard_normal((64, 64, 3, 3)), np.zeros(64)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        dout, (out, dx, *_) = convolve(fast, (x, w, b, 1, 1))
        peak = tracemalloc.get_traced_memory()[1] - before - dout.nbytes
    finally:
        tracemalloc.stop()
    assert peak < 3 * (out.nbytes + dx.nbytes)  # whole columns would be nine times x, before anything else


@pytest.mark.heavy
def test_full_marks(tmp_path):
    command = [sys.executable, "-m", "autograder", "grade", str(ROOT / "solutions" / "fast.py"), "--out", str(tmp_path)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    results = json.loads((tmp_path / "fast" / "results.json").read_text(encoding="utf-8"))
    lost = {test["name"]: test["output"] for test in results["tests"] if test["status"] != "passed"}
    assert (results["score"], lost) == (100, {})


# --- the race --------------------------------------------------------------------------------------------------------


@pytest.fixture
def peers(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "bench"))
    monkeypatch.setitem(sys.modules, "torch", None)  # no part of what is tested here, and slow to import
    return importlib.import_module("peers")


@pytest.mark.parametrize("dtype", sorted(TOLERANCE))
def test_contestants_do_the_same_work(peers, dtype):
    contestants = list(peers.HOMEWORKS)
    peers.Layer("a convolution", "conv2d", (2, 3, 7, 6), (3, 2), 2, filters=4, padding=1).check(contestants, dtype)
    for kind in KINDS:
        peers.Layer("a pool", kind, (2, 3, 7, 6), (3, 2), 2).check(contestants, dtype)
    peers.Training("LeNet-5", 1, timed=1, batch=2).check(contestants, dtype)


def test_every_promise_is_about_a_case(peers):
    assert set(peers.PROMISES) <= set(peers.CASES)
    assert {case.name for case in peers.CASES.values()} == set(peers.CASES)


def test_the_committed_measurements_keep_the_promises(peers, monkeypatch, capsys):
    measured = json.loads((ROOT / "tests" / "bench" / "peers.json").read_text(encoding="utf-8"))
    assert {found["case"] for found in measured["results"]} == set(peers.CASES)
    assert measured["machine"]["pytorch"]
    monkeypatch.setattr(peers, "torch", object())  # it was there
    assert peers.promises(measured["results"]), capsys.readouterr().out
