"""The right answer and the oracle: two ways of computing the same, checked against each other and against the theory.

They share no code and no method, so a mistake would have to be made twice to stay hidden.
"""

import doctest
import inspect
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solutions import layers, naive

Array = np.ndarray[Any, np.dtype[Any]]

BOTH = pytest.mark.parametrize("homework", [layers, naive], ids=["layers", "naive"])
SIGNATURES = {
    "conv_output_size": "size, kernel_size, stride=1, padding=0",
    "im2col": "x, kernel_size, stride=1, padding=0",
    "col2im": "cols, x_shape, kernel_size, stride=1, padding=0",
    "conv2d_forward": "x, w, b, stride=1, padding=0",
    "conv2d_backward": "dout, cache",
    "max_pool2d_forward": "x, kernel_size, stride",
    "max_pool2d_backward": "dout, cache",
    "avg_pool2d_forward": "x, kernel_size, stride",
    "avg_pool2d_backward": "dout, cache",
}
POOLS = ["max_pool2d", "avg_pool2d"]
TOLERANCE = {"float64": 1e-13, "float32": 1e-5}  # share of the largest magnitude


class Problem(NamedTuple):
    """A layer and its input, drawn at random."""

    x: Array
    w: Array
    b: Array
    stride: int
    padding: int

    @property
    def kernel_size(self):
        return self.w.shape[2:]

    def like(self, shape):
        """Draw another array of the same dtype."""
        return values(np.random.default_rng(shape), shape, self.x.dtype)


def values(rng, shape, dtype):
    """Draw from a coarse grid, so that sums are exact in any order and pooling windows have ties."""
    return (rng.integers(-12, 13, shape) / 4).astype(dtype)


@st.composite
def problems(draw, paddings=(0, 1, 2), dtypes=("float64", "float32")):
    N, C, F, KH, KW, stride = (draw(st.integers(1, 3)) for _ in range(6))
    padding = draw(st.sampled_from(paddings))
    H, W = (max(1, kernel - 2 * padding) + draw(st.integers(0, 5)) for kernel in (KH, KW))
    rng, dtype = np.random.default_rng(draw(st.integers(0, 2**32))), draw(st.sampled_from(dtypes))
    x, w, b = (values(rng, shape, dtype) for shape in ((N, C, H, W), (F, C, KH, KW), (F,)))
    return Problem(x, w, b, stride, padding)


def assert_same(got, expected, dtype):
    assert got.dtype == dtype
    assert expected.dtype == np.float64
    assert got.shape == expected.shape
    assert np.abs(got - expected).max(initial=0) <= TOLERANCE[str(dtype)] * np.abs(expected).max(initial=0)


repeatable = settings(derandomize=True, deadline=None, max_examples=60, database=None)


# --- one against the other -------------------------------------------------------------------------------------------


@repeatable
@given(problems())
def test_columns_agree(problem):
    x, (KH, KW), stride, padding = problem.x, problem.kernel_size, problem.stride, problem.padding
    for size, kernel in zip(x.shape[2:], (KH, KW), strict=True):
        expected = naive.conv_output_size(size, kernel, stride, padding)
        assert layers.conv_output_size(size, kernel, stride, padding) == expected
    cols = layers.im2col(x, (KH, KW), stride, padding)
    assert_same(cols, naive.im2col(x, (KH, KW), stride, padding), x.dtype)
    other = problem.like(cols.shape)
    image = layers.col2im(other, x.shape, (KH, KW), stride, padding)
    assert_same(image, naive.col2im(other, x.shape, (KH, KW), stride, padding), x.dtype)


@repeatable
@given(problems())
def test_convolutions_agree(problem):
    out, cache = layers.conv2d_forward(*problem)
    expected, naive_cache = naive.conv2d_forward(*problem)
    assert_same(out, expected, problem.x.dtype)
    dout = problem.like(out.shape)
    gradients = zip(layers.conv2d_backward(dout, cache), naive.conv2d_backward(dout, naive_cache), strict=True)
    for got, gradient in gradients:
        assert_same(got, gradient, problem.x.dtype)


@pytest.mark.parametrize("pool", POOLS)
@repeatable
@given(problem=problems(paddings=(0,)))
def test_pools_agree(pool, problem):
    arguments = problem.x, problem.kernel_size, problem.stride
    out, cache = getattr(layers, f"{pool}_forward")(*arguments)
    expected, naive_cache = getattr(naive, f"{pool}_forward")(*arguments)
    assert_same(out, expected, problem.x.dtype)
    dout = problem.like(out.shape)
    got = getattr(layers, f"{pool}_backward")(dout, cache)
    assert_same(got, getattr(naive, f"{pool}_backward")(dout, naive_cache), problem.x.dtype)


def test_oracle_convolves_without_columns(monkeypatch):
    for name in ("im2col", "col2im"):
        monkeypatch.delattr(naive, name)
    out, cache = naive.conv2d_forward(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)), np.zeros(1))
    assert np.array_equal(out, np.full((1, 1, 2, 2), 4.0))
    assert np.array_equal(naive.conv2d_backward(out, cache)[1], np.full((1, 1, 2, 2), 16.0))


# --- both against the theory -----------------------------------------------------------------------------------------


@BOTH
@repeatable
@given(problem=problems(dtypes=("float64",)))
def test_col2im_is_the_adjoint_of_im2col(homework, problem):
    window = problem.kernel_size, problem.stride, problem.padding
    cols = homework.im2col(problem.x, *window)
    other = problem.like(cols.shape)
    assert (cols * other).sum() == (problem.x * homework.col2im(other, problem.x.shape, *window)).sum()


@BOTH
@repeatable
@given(problem=problems(dtypes=("float64",)))
def test_gradients_of_a_convolution_are_its_differences(homework, problem):
    """Convolution is linear in each argument, so a difference of any length is exact."""
    out, cache = homework.conv2d_forward(*problem)
    dout = problem.like(out.shape)
    for name, gradient in zip(["x", "w", "b"], homework.conv2d_backward(dout, cache), strict=True):
        step = problem.like(gradient.shape)
        moved = problem._replace(**{name: getattr(problem, name) + step})
        assert (gradient * step).sum() == (dout * (homework.conv2d_forward(*moved)[0] - out)).sum()


@BOTH
@repeatable
@given(problem=problems(dtypes=("float64",)))
def test_stride_drops_rows_and_columns(homework, problem):
    out, _ = homework.conv2d_forward(*problem)
    dense, _ = homework.conv2d_forward(*problem._replace(stride=1))
    assert np.array_equal(out, dense[:, :, :: problem.stride, :: problem.stride])


@BOTH
@repeatable
@given(problem=problems(dtypes=("float64",)))
def test_dx_is_a_full_convolution_with_the_rotated_filter(homework, problem):
    problem = problem._replace(stride=1)
    out, cache = homework.conv2d_forward(*problem)
    dout, (KH, KW), padding = problem.like(out.shape), problem.kernel_size, problem.padding
    dx = homework.conv2d_backward(dout, cache)[0]
    around = np.pad(dout, ((0, 0), (0, 0), (KH - 1, KH - 1), (KW - 1, KW - 1)))
    rotated = problem.w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    full, _ = homework.conv2d_forward(around, rotated, np.zeros(rotated.shape[0]))
    H, W = problem.x.shape[2:]
    assert np.array_equal(dx, full[:, :, padding : padding + H, padding : padding + W])


@BOTH
def test_a_1x1_convolution_is_a_linear_layer_at_every_pixel(homework):
    rng = np.random.default_rng(1)
    x, w, b = (values(rng, shape, "float64") for shape in ((2, 3, 4, 5), (4, 3, 1, 1), (4,)))
    linear = np.einsum("fc,nchw->nfhw", w[:, :, 0, 0], x) + b[:, None, None]
    assert np.array_equal(homework.conv2d_forward(x, w, b)[0], linear)


@BOTH
def test_average_pooling_is_a_convolution_with_a_uniform_filter(homework):
    x = values(np.random.default_rng(2), (2, 1, 6, 9), "float64")
    uniform = np.full((1, 1, 2, 4), 1 / 8)
    for stride in (1, 2, 3):
        out, cache = homework.avg_pool2d_forward(x, (2, 4), stride)
        convolved, conv_cache = homework.conv2d_forward(x, uniform, np.zeros(1), stride)
        assert np.array_equal(out, convolved)
        dx = homework.avg_pool2d_backward(out, cache)
        assert np.array_equal(dx, homework.conv2d_backward(out, conv_cache)[0])


@BOTH
def test_the_first_of_equal_maxima_gets_the_gradient(homework):
    image = [[0.4, 2.3, 0, 1.3, 0], [1.9, 3.2, 2.1, 1.5, 0], [2.3, 0, 3.8, 0, 4.3], [1.5, 2.3, 1.5, 0.7, 2.1]]
    x = np.array([[image]])
    winners = np.array([[4, 3, 3, 3], [2, 4, 3, 4], [1, 2, 1, 2]]) - 1  # the lecture counts from 1, row by row
    out, cache = homework.max_pool2d_forward(x, (2, 2), 1)
    expected = np.zeros((4, 5))
    for p, q in np.ndindex(3, 4):
        row, column = p + winners[p, q] // 2, q + winners[p, q] % 2
        assert out[0, 0, p, q] == x[0, 0, row, column]
        expected[row, column] += 4 * p + q + 1
    dx = homework.max_pool2d_backward(np.arange(1.0, 13.0).reshape(1, 1, 3, 4), cache)
    assert np.array_equal(dx, expected[np.newaxis, np.newaxis])


@BOTH
def test_pixels_that_no_window_reaches_get_no_gradient(homework):
    x = values(np.random.default_rng(3), (1, 1, 6, 8), "float64")
    for pool in POOLS:
        out, cache = getattr(homework, f"{pool}_forward")(x, (2, 3), 4)
        assert out.shape == (1, 1, 2, 2)
        dx = getattr(homework, f"{pool}_backward")(np.ones_like(out), cache)
        assert dx.sum() == pytest.approx(4)
        assert not dx[:, :, 2:4].any()
        assert not dx[:, :, :, 3].any()
        assert not dx[:, :, :, 7].any()


@BOTH
def test_lecture_examples(homework):
    x = np.arange(1.0, 49.0).reshape(1, 3, 4, 4)
    cols = homework.im2col(x, (2, 2))
    assert cols.shape == (12, 9)
    assert cols[0].tolist() == [1, 2, 3, 5, 6, 7, 9, 10, 11]
    assert cols[3].tolist() == [6, 7, 8, 10, 11, 12, 14, 15, 16]
    assert cols[4, :4].tolist() == [17, 18, 19, 21]
    w = np.arange(24.0).reshape(2, 3, 2, 2)
    product = w.reshape(2, 12) @ cols
    assert np.array_equal(homework.conv2d_forward(x, w, np.zeros(2))[0], product.reshape(1, 2, 3, 3))

    pixels, taps, upstream = np.arange(1.0, 10.0), np.arange(11.0, 15.0), np.arange(21.0, 25.0)
    _, cache = homework.conv2d_forward(pixels.reshape(1, 1, 3, 3), taps.reshape(1, 1, 2, 2), np.zeros(1))
    dx, dw, db = homework.conv2d_backward(upstream.reshape(1, 1, 2, 2), cache)
    assert dx[0, 0, 1, 1] == upstream @ taps[::-1]  # dO11 F22 + dO12 F21 + dO21 F12 + dO22 F11
    assert dw[0, 0, 0, 0] == upstream @ pixels[[0, 1, 3, 4]]
    assert db == [upstream.sum()]


# --- what the handout promises ---------------------------------------------------------------------------------------


def results(homework, problem):
    """Call all functions that take arrays; give each call's inputs and results."""
    x, w, b, stride, padding = problem
    cols = homework.im2col(x, problem.kernel_size, stride, padding)
    yield [x], [cols]
    yield [cols], [homework.col2im(cols, x.shape, problem.kernel_size, stride, padding)]
    out, cache = homework.conv2d_forward(*problem)
    yield [x, w, b], [out]
    yield [x, w, b, out], homework.conv2d_backward(out, cache)
    for pool in POOLS:
        out, cache = getattr(homework, f"{pool}_forward")(x, problem.kernel_size, stride)
        yield [x], [out]
        yield [x, out], [getattr(homework, f"{pool}_backward")(out, cache)]


@BOTH
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_inputs_stay_as_they_are_and_results_are_new(homework, dtype):
    rng = np.random.default_rng(4)
    x, w, b = (values(rng, shape, dtype) for shape in ((1, 1, 4, 5), (1, 1, 1, 1), (1,)))
    for array in (x, w, b):
        array.flags.writeable = False  # a write would raise
    calls = 0
    for inputs, made in results(homework, Problem(x, w, b, 1, 0)):
        for result in made:
            assert result.dtype == (dtype if homework is layers else "float64")
            assert not any(np.shares_memory(result, array) for array in inputs)
        for array in (*inputs, *made):
            array.flags.writeable = False
        calls += 1
    assert calls == len(SIGNATURES) - 1


def test_caches_are_small():
    x = np.zeros((2, 3, 16, 16))
    _, cache = layers.conv2d_forward(x, np.zeros((4, 3, 5, 5)), np.zeros(4), padding=2)
    assert sum(item.nbytes for item in cache if isinstance(item, np.ndarray)) < 1.5 * x.nbytes
    for forward in (layers.max_pool2d_forward, layers.avg_pool2d_forward):
        _, cache = forward(x, (3, 3), 1)
        assert sum(item.nbytes for item in cache if isinstance(item, np.ndarray)) <= x.nbytes


@BOTH
@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures(homework, name):
    parameters = inspect.signature(getattr(homework, name)).parameters.values()
    bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in parameters]
    assert ", ".join(map(str, bare)) == SIGNATURES[name]


@pytest.mark.parametrize("name", SIGNATURES)
def test_docstrings_teach(name):
    documented = inspect.getdoc(getattr(layers, name)) or ""
    headings = ["Parameters", "Returns", "References", "Examples"]
    sections = {heading: documented.find(f"\n{heading}\n{'-' * len(heading)}\n") for heading in headings}
    assert min(sections.values()) > 0
    assert list(sections.values()) == sorted(sections.values())
    described = documented[sections["Parameters"] : sections["Returns"]]
    for parameter in inspect.signature(getattr(layers, name)).parameters:
        assert f"\n{parameter} : " in described or f"{parameter}, " in described or f", {parameter} : " in described
    assert documented.splitlines()[0].endswith(".")


def test_docstring_examples_hold():
    outcome = doctest.testmod(layers)
    assert outcome.failed == 0
    assert outcome.attempted >= len(SIGNATURES)


@pytest.mark.parametrize(
    "call",
    [
        lambda: layers.col2im(np.zeros((4, 5)), (1, 1, 3, 3), (2, 2)),
        lambda: layers.conv2d_forward(np.zeros((1, 2, 4, 4)), np.zeros((3, 1, 2, 2)), np.zeros(3)),
        lambda: layers.conv2d_forward(np.zeros((1, 2, 4, 4)), np.zeros((3, 2, 2, 2)), np.zeros(2)),
        lambda: layers.conv2d_backward(
            np.zeros((1, 3, 2, 3)),
            layers.conv2d_forward(np.zeros((1, 2, 4, 4)), np.zeros((3, 2, 2, 2)), np.zeros(3))[1],
        ),
    ],
    ids=["col2im", "channels", "bias", "dout"],
)
def test_arrays_that_do_not_fit_raise_as_documented(call):
    with pytest.raises(ValueError, match=r"reshape|mismatch|broadcast"):
        call()
