"""The cases of the hidden tests: up to date, exact, broad, cheap, and far from every mistake.

What holds for the seed of this term must hold for any, so everything that could depend on luck is asked of three.
"""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from autograder.authoring import fixtures
from autograder.core import config
from autograder.grading import casefile, compare
from solutions import naive
from solutions.cases import CONVOLUTIONS
from tests.grader.support import ROOT

CONFIG = config.load(ROOT / "config.yaml")
HOMEWORK = CONFIG.homework
SEEDS = sorted({CONFIG.fixtures.seed, 1, 20301231})

WINDOWS = ("im2col", "col2im")
POOLS = ("max_pool2d", "avg_pool2d")
VALUES = (*WINDOWS, "conv2d", *POOLS)
GRADIENTS = ("conv2d_slopes", "max_pool2d_slopes", "avg_pool2d_slopes")
SLOPES = (*GRADIENTS, "col2im_slopes")


@pytest.fixture(scope="module", params=SEEDS, ids=lambda seed: f"seed-{seed}")
def drawn(request, tmp_path_factory):
    """The groups of one seed, as the hidden tests get them."""
    folder = tmp_path_factory.mktemp("drawn") / "fixtures"
    fixtures.make_fixtures(request.param, HOMEWORK.cases, HOMEWORK.oracle, folder)
    return casefile.load(folder)


def every(groups, *names):
    """All cases of these groups; there are some."""
    found = [case for name in names or groups for case in groups[name]]
    assert found
    return found


def test_the_fixtures_are_up_to_date(tmp_path):
    fixtures.make_fixtures(CONFIG.fixtures.seed, HOMEWORK.cases, HOMEWORK.oracle, tmp_path / "fixtures")
    kept, new = (
        {path.name: path.read_bytes() for path in at.iterdir()} for at in (HOMEWORK.fixtures, tmp_path / "fixtures")
    )
    assert kept.keys() == new.keys()
    assert [name for name in new if kept[name] != new[name]] == [], "run `make fixtures`"


# ---- exact in any order


def unit(array):
    """The largest power of two that every entry is a multiple of."""
    return 1 / max(Fraction(float(entry)).denominator for entry in array.flat)


def shares(array, case):
    """What each pixel of a window has of `array`: average pooling divides, and nothing must be left over."""
    if not case.group.startswith("avg_pool2d"):
        return array
    window = case.kernel_size[0] * case.kernel_size[1]
    assert np.array_equal(array / window * window, array)
    return array / window


def sums(case):
    """Every sum a solution has to take: the sum of its terms' magnitudes, and the unit of its terms."""
    if case.group in WINDOWS:
        x = naive.col2im(abs(case.cols), case.x_shape, case.kernel_size, case.stride, case.padding)
        return [(x, unit(case.cols))]
    if case.group == "conv2d":
        x, w, b, dout = (abs(array) for array in (case.x, case.w, case.b, case.dout))
        out, cache = naive.conv2d_forward(x, w, b, case.stride, case.padding)
        dx, dw, db = naive.conv2d_backward(dout, cache)
        units = unit(x) * unit(w), unit(w) * unit(dout), unit(x) * unit(dout), unit(dout)
        return list(zip((out, dx, dw, db), units, strict=True))
    if case.group == "max_pool2d":
        _, cache = naive.max_pool2d_forward(case.x, case.kernel_size, case.stride)
        return [(naive.max_pool2d_backward(abs(case.dout), cache), unit(case.dout))]
    out, cache = naive.avg_pool2d_forward(abs(case.x), case.kernel_size, case.stride)
    total = out * (case.kernel_size[0] * case.kernel_size[1])
    dx = naive.avg_pool2d_backward(abs(case.dout), cache)
    return [(total, unit(shares(case.x, case))), (dx, unit(shares(case.dout, case)))]


def test_sums_are_exact_in_any_order(drawn):
    """No partial sum of any subset of the terms, in any order, needs more bits than the significand has."""
    for case in every(drawn, *VALUES):
        largest = 2 ** (53 if case.dtype == "float64" else 24)
        for magnitudes, size in sums(case):
            assert magnitudes.max() / size <= largest, case


def test_a_bias_lies_on_the_grid_of_the_products(drawn):
    for case in every(drawn, "conv2d", "conv2d_slopes"):
        assert unit(case.b) >= unit(case.x) * unit(case.w), case


def test_a_sum_that_needs_rounding_is_refused():
    source = HOMEWORK.cases.read_text(encoding="utf-8").replace("x=27, w=15", "x=40, w=15")
    module: dict[str, object] = {"__name__": "cases"}
    exec(compile(source, "cases.py", "exec"), module)
    with pytest.raises(ValueError, match=r"terms of \d+ bits do not fit into 53 bits"):
        module["build"](1, naive)  # type: ignore[operator]


def losses(case):
    """For each argument: the sum of all magnitudes that meet in a loss along a direction, and the unit of its terms."""
    if case.group == "conv2d_slopes":
        for name in ("x", "w", "b"):
            arguments = {other: abs(getattr(case, other)) for other in ("x", "w", "b")}
            arguments[name] += abs(getattr(case, f"directions_{name}")).max(axis=0)
            out, _ = naive.conv2d_forward(**arguments, stride=case.stride, padding=case.padding)
            x, w, b = (unit(array) for array in arguments.values())
            yield (abs(case.dout) * out).sum(), unit(case.dout) * min(x * w, b)
    else:
        forward = getattr(naive, case.group.removesuffix("_slopes") + "_forward")
        out, _ = forward(abs(case.x) + abs(case.directions).max(axis=0), case.kernel_size, case.stride)
        x, directions, dout = (unit(shares(array, case)) for array in (case.x, case.directions, case.dout))
        yield (abs(case.dout) * out).sum(), min(x, directions) * dout


def test_losses_are_exact(drawn):
    for case in every(drawn, *GRADIENTS):
        for magnitude, size in losses(case):
            assert magnitude / size <= 2**53, case


def gradients(case, dout=None):
    """The oracle's gradients, with the directions and slopes they are held against."""
    dout = case.dout if dout is None else dout
    if case.group == "conv2d_slopes":
        _, cache = naive.conv2d_forward(case.x, case.w, case.b, case.stride, case.padding)
        for name, gradient in zip(("x", "w", "b"), naive.conv2d_backward(dout, cache), strict=True):
            yield f"d{name}", gradient, getattr(case, f"directions_{name}"), getattr(case, f"slopes_{name}")
    else:
        pool = case.group.removesuffix("_slopes")
        _, cache = getattr(naive, f"{pool}_forward")(case.x, case.kernel_size, case.stride)
        yield "dx", getattr(naive, f"{pool}_backward")(dout, cache), case.directions, case.slopes


def test_slopes_are_those_of_the_gradients_to_the_last_bit(drawn):
    for case in every(drawn, *GRADIENTS):
        for name, gradient, directions, slopes in gradients(case):
            assert [(gradient * direction).sum() for direction in directions] == slopes.tolist(), (case, name)
    for case in every(drawn, "col2im_slopes"):
        x = naive.col2im(case.cols, case.x_shape, case.kernel_size, case.stride, case.padding)
        assert [(x * direction).sum() for direction in case.directions] == case.slopes.tolist(), case


def test_three_directions_for_each_argument_and_none_is_blind(drawn):
    for case in every(drawn, *SLOPES):
        for name in case.names:
            if name.startswith("directions"):
                directions = getattr(case, name)
                assert len(directions) == 3
                assert directions.all(), "an entry that does not move is not looked at"


# ---- float32 somewhere inside


@pytest.mark.parametrize(
    ("group", "name"), [("im2col", "x"), ("col2im", "cols"), ("conv2d", "x"), *itertools.product(POOLS, ("x", "dout"))]
)
def test_most_float64_inputs_do_not_fit_into_float32(drawn, group, name):
    arrays = [getattr(case, name).ravel() for case in drawn[group] if case.dtype == "float64"]
    entries = np.concatenate(arrays)
    assert np.mean(entries.astype(np.float32) != entries) > 0.7


def test_a_float32_buffer_is_far_outside_the_tolerance(drawn):
    seen = set()
    for case in every(drawn, *VALUES):
        for name in {"im2col": ["cols"], "col2im": ["x"], "conv2d": ["out", "dx", "dw", "db"]}.get(
            case.group, ["out", "dx"]
        ):
            expected = getattr(case, name)
            error = abs(expected.astype(np.float32) - expected).max() / abs(expected).max()
            if error > 10 * CONFIG.tolerances.float64:
                seen.add((case.group, name))
            else:
                assert case.dtype == "float32" or name == "db", (case, name)
    assert ("conv2d", "db") in seen, "one case has a dout that is fine enough"


def test_dtypes(drawn):
    """Inputs have the dtype of the case, what is expected has float64."""
    expected = {"im2col": {"cols"}, "col2im": {"x"}, "conv2d": {"out", "dx", "dw", "db"}}
    expected |= {group: {"out", "dx"} for group in POOLS}
    for case in every(drawn, *(group for group in drawn if group != "conv_output_size")):
        for name in case.names:
            value = getattr(case, name)
            if isinstance(value, np.ndarray):
                assert value.dtype == ("float64" if name in expected.get(case.group, ()) else case.dtype), (case, name)


# ---- no luck


def test_pooled_values_have_no_ties(drawn):
    """Not within a channel, which is pooled by itself."""
    for case in every(drawn, *(group for group in drawn if "pool" in group and not group.endswith("_ties"))):
        for name in {"x", "second_x"} & set(case.names):
            for channel in getattr(case, name).reshape(-1, *case.x.shape[2:]):
                assert len(np.unique(channel)) == channel.size, case


def test_no_two_values_change_places_along_a_direction(drawn):
    for case in every(drawn, "max_pool2d_slopes", "avg_pool2d_slopes"):
        assert np.diff(np.sort(case.x, axis=None)).min() > 2 * abs(case.directions).max(), case


def test_tie_cases_tell_every_other_rule(drawn):
    """All maxima, an even split and the last maximum give another gradient than the first maximum."""
    for case in every(drawn, "max_pool2d_ties"):
        found = {"all": np.zeros_like(case.x), "split": np.zeros_like(case.x), "last": np.zeros_like(case.x)}
        for n, c, p, q in np.ndindex(*case.dout.shape):
            corner = np.array([p, q]) * case.stride
            rows, columns = (slice(start, start + size) for start, size in zip(corner, case.kernel_size, strict=True))
            window = case.x[n, c, rows, columns]
            maxima = window == window.max()
            last = np.zeros_like(window)
            last[tuple(np.argwhere(maxima)[-1])] = 1
            for rule, mask in (("all", maxima), ("split", maxima / maxima.sum()), ("last", last)):
                found[rule][n, c, rows, columns] += mask * case.dout[n, c, p, q]
        for rule, dx in found.items():
            assert abs(dx - case.dx).max() > 1000 * CONFIG.tolerances.float64 * abs(case.dx).max(), (case, rule)


def test_dout_is_random_and_nothing_is_zero(drawn):
    for case in every(drawn):
        for name in {"x", "w", "b", "dout", "cols"} & set(case.names):
            array = getattr(case, name)
            may_be = (case.group, name) in {("max_pool2d_ties", "x"), ("col2im", "x"), ("im2col", "cols")}
            assert may_be or array.all(), (case, name)
        if "dout" in case.names:
            assert len(np.unique(case.dout)) >= min(case.dout.size, 32) / 2, case


# ---- broad


def geometry(case):
    """What one case is an example of."""
    n, c, h, w = case.x_shape if "x_shape" in case.names else case.x.shape
    kh, kw = case.kernel_size if "kernel_size" in case.names else case.w.shape[2:]
    stride, padding = case.stride, getattr(case, "padding", 0)
    room_h, room_w = h + 2 * padding - kh, w + 2 * padding - kw
    unreached = [room_h % stride > padding, room_w % stride > padding]
    traits = {
        f"N={n}",
        f"stride {stride}",
        f"padding {padding}",
        case.dtype,
        "H != W" if h != w else "H == W",
        "KH != KW" if kh != kw else "KH == KW",
        "unreached border" if any(unreached) else "reached border",
        "one-pixel kernel" if kh == kw == 1 else "larger kernel",
        "kernel fills the padded image" if room_h == room_w == 0 else "several windows",
        "overlapping" if stride < max(kh, kw) else "apart",
        "gapped" if stride > min(kh, kw) else "gapless",
    }
    if "w" in case.names:
        traits.add("C != F" if c != len(case.w) else "C == F")
    if "unreached border" in traits and padding:
        traits.add("unreached border, padded")
    if {"H != W", "KH != KW", "unreached border"} <= traits and stride > 1 and n > 1:
        traits.add("everything at once" if padding else "everything at once, unpadded")
    if case.group in POOLS and case.x.max() < 0:
        traits.add("all below zero")
    return traits


ANY = {"N=1", "N=2", "N=3", "stride 1", "stride 2", "stride 3", "float32", "float64", "H != W", "KH != KW"}
ANY |= {"unreached border", "one-pixel kernel", "kernel fills the padded image", "overlapping", "gapped", "apart"}
ANY |= {"everything at once, unpadded"}
PADDED = {"padding 0", "padding 1", "padding 2", "unreached border, padded", "everything at once"}


@pytest.mark.parametrize(
    ("group", "wanted"),
    [
        ("im2col", ANY | PADDED),
        ("col2im", ANY | PADDED),
        ("conv2d", ANY | PADDED | {"C != F"}),
        ("max_pool2d", ANY | {"all below zero"}),
        ("avg_pool2d", ANY | {"all below zero"}),
    ],
)
def test_cases_cover(group, wanted):
    cases = casefile.load(HOMEWORK.fixtures)[group]
    assert wanted - set().union(*(geometry(case) for case in cases)) == set()


def test_values_of_either_sign():
    one_sign = {id for id, layer in CONVOLUTIONS.items() if layer.values in ("positive", "negative", "near-equal")}
    assert len(one_sign) == 3
    for case in every(casefile.load(HOMEWORK.fixtures), "im2col", "conv2d"):
        assert (case.x.min() < 0 < case.x.max()) == (case.id not in one_sign), case
    for case in every(casefile.load(HOMEWORK.fixtures), "conv2d"):
        assert case.w.min() < 0 or case.w.size < 4, case


def test_shapes_of_what_is_expected():
    for case in every(casefile.load(HOMEWORK.fixtures), "conv2d"):
        assert (case.dx.shape, case.dw.shape, case.db.shape) == (case.x.shape, case.w.shape, case.b.shape), case
        assert case.dout.shape == case.out.shape, case
    for case in every(casefile.load(HOMEWORK.fixtures), *POOLS):
        assert (case.dx.shape, case.dout.shape) == (case.x.shape, case.out.shape), case
    for case in every(casefile.load(HOMEWORK.fixtures), "conv2d_shapes", "conv2d_dense"):
        out, _ = naive.conv2d_forward(case.x, case.w, case.b, case.stride, case.padding)
        assert case.dout.shape == out.shape, case
    for case in every(casefile.load(HOMEWORK.fixtures), "conv2d_dense"):
        assert naive.conv2d_forward(case.x, case.w, case.b, 1, case.padding)[0].shape == case.dense_shape, case
    for case in every(casefile.load(HOMEWORK.fixtures), "pool_shapes"):
        assert naive.avg_pool2d_forward(case.x, case.kernel_size, case.stride)[0].shape == case.dout.shape, case
    for case in every(casefile.load(HOMEWORK.fixtures), "im2col_shapes"):
        assert naive.im2col(case.x, case.kernel_size, case.stride, case.padding).shape == case.cols.shape, case


# ---- cheap


def multiply_adds(case):
    """A bound on the multiply-adds of everything that a test does with one case, in a student's loops."""
    if case.group == "conv_output_size":
        return 0
    if "w" in case.names:
        passes = 3 * (2 + 18 * case.group.endswith("_slopes") + 6 * case.group.endswith("_pairs"))
        return passes * case.dout.size * case.w[0].size
    if "cols" in case.names:
        return 2 * case.cols.size
    return (4 + 6 * case.group.endswith("_slopes")) * case.dout.size * case.kernel_size[0] * case.kernel_size[1]


def test_loops_never_run_out_of_time():
    """Loops in Python manage a million multiply-adds a second: 100 ms a case, 3 s in all for those of the oracle."""
    groups = casefile.load(HOMEWORK.fixtures)
    costs = {repr(case): multiply_adds(case) for case in every(groups)}
    assert {name: cost for name, cost in costs.items() if cost > 100_000} == {}
    assert sum(costs.values()) < 3_000_000


# ---- slopes: what is wrong is far outside the tolerance, what is right is far inside

MISTAKES_IN_DOUT = {
    "scaled by a hundredth too much": lambda dout: dout * 1.01,
    "divided by N": lambda dout: dout / len(dout),
    "sign": lambda dout: -dout,
    "first image lost": lambda dout: np.concatenate([0 * dout[:1], dout[1:]]),
    "last image lost": lambda dout: np.concatenate([dout[:-1], 0 * dout[-1:]]),
    "images in reverse order": lambda dout: dout[::-1],
    "first row lost": lambda dout: np.concatenate([0 * dout[:, :, :1], dout[:, :, 1:]], axis=2),
    "last column lost": lambda dout: np.concatenate([dout[..., :-1], 0 * dout[..., -1:]], axis=3),
    "one entry lost": lambda dout: np.where(abs(dout) == abs(dout).max(), 0, dout),
    "channels before images": lambda dout: dout.swapaxes(0, 1).reshape(dout.shape),
    "channels last": lambda dout: dout.transpose(0, 2, 3, 1).reshape(dout.shape),
}
MISTAKES_IN_GRADIENT = {
    "shifted by a row": lambda gradient: np.roll(gradient, 1, axis=2),
    "shifted by a column": lambda gradient: np.roll(gradient, -1, axis=3),
    "turned by 180 degrees": lambda gradient: gradient[:, :, ::-1, ::-1],
    "height and width mixed up": lambda gradient: gradient.swapaxes(2, 3).reshape(gradient.shape),
    "channels mixed up": lambda gradient: gradient[:, ::-1],
    "first row lost": lambda gradient: np.concatenate([0 * gradient[:, :, :1], gradient[:, :, 1:]], axis=2),
    "first column lost": lambda gradient: np.concatenate([0 * gradient[..., :1], gradient[..., 1:]], axis=3),
    "all zero": lambda gradient: 0 * gradient,
}


def distance(gradient, directions, slopes):
    """How far a gradient is from its slopes, in tolerances."""
    found = (directions * gradient).reshape(len(directions), -1).sum(axis=1)
    return abs(found - slopes).max() / (CONFIG.tolerances.slope * abs(slopes).max())


@pytest.mark.parametrize("mistake", MISTAKES_IN_DOUT)
def test_mistakes_in_dout_are_far_outside_the_tolerance(drawn, mistake):
    """In one of the gradients at least: db is a mere sum, and may come out right."""
    for case in every(drawn, *GRADIENTS):
        wrong = gradients(case, MISTAKES_IN_DOUT[mistake](case.dout))
        assert max(distance(gradient, directions, slopes) for _, gradient, directions, slopes in wrong) > 100, case


@pytest.mark.parametrize("mistake", MISTAKES_IN_GRADIENT)
def test_mistakes_in_a_gradient_are_far_outside_the_tolerance(drawn, mistake):
    for case in every(drawn, *GRADIENTS):
        for name, gradient, directions, slopes in gradients(case):
            if gradient.ndim == 4:
                wrong = MISTAKES_IN_GRADIENT[mistake](gradient)
                assert distance(wrong, directions, slopes) > 100, (case, name)
                assert compare.slopes(name, wrong, directions, slopes, CONFIG.tolerances.slope, ""), (case, name)


def test_rounding_is_far_inside_the_tolerance(drawn):
    """A right gradient whose every entry is off by a few units in the last place."""
    for case in every(drawn, *GRADIENTS):
        for name, gradient, directions, slopes in gradients(case):
            assert distance(gradient * (1 + 2.0**-50), directions, slopes) < 0.001, (case, name)
