"""The diagnosis: known mistakes are named in whatever style they come, others are described, right ones left alone."""

# mypy: ignore-errors
# Stands in for what it is not: results of every kind, and modules put together while running.

import re
import sys
import types

import numpy as np
import pytest

from autograder.grading.diagnose import errormap
from autograder.grading.diagnose.catalogue import Matcher
from autograder.grading.diagnose.diagnosis import Diagnostician
from autograder.grading.diagnose.evidence import Evidence, Made, Step
from autograder.grading.diagnose.relations import Pair, relations
from autograder.grading.feedback import HINT, test_output
from solutions import layers, misconceptions
from solutions.misconceptions import CATALOGUE, FUNCTIONS, geometry, shortcuts, slips
from tests.grader.support import rehearsal
from tests.grader.support.slices import smoke

test_output.__test__ = False  # type: ignore[attr-defined]  # pytest takes it for a test


BY_ID = {entry.id: entry for entry in CATALOGUE}
MOST_CHARACTERS = 10_000


def about(*functions):
    """Return the names of the hidden tests of some functions."""
    return [name for name in rehearsal.hidden_tests() if rehearsal.SETTINGS.subject(name) in functions]


def diagnosed(records):
    """Return the diagnoses of the tests that failed."""
    return {record.name: record.diagnosis for record in records if record.diagnosis is not None}


def is_fit_to_be_read(record):
    """Whether a hidden test says enough and not too much. Inputs and expected values are fractions."""
    text = test_output(record.result(), HINT, {}, {})
    decimal = re.search(r"\d\.\d|\de[-+]?\d", text)
    return not decimal and len(text) < MOST_CHARACTERS and "no diagnosis" not in text


# --- mistakes of the catalogue ---------------------------------------------------------------------------------------


SEEN = {"image-with-swapped-sides": "length: height and width were mixed up"}
"""What is said of a mistake where it has no name: the cause all the same."""


@pytest.mark.parametrize("function", smoke(FUNCTIONS, {"im2col", "max_pool2d_backward"}))
@pytest.mark.parametrize("style", smoke(["loops", "einsum"], {"loops"}))
def test_every_known_mistake_is_named_in_any_style(style, function):
    """On three other shapes at least, on one if it shows on few; and never another one, in none of its tests."""
    for entry in CATALOGUE:
        if entry.function != function:
            continue
        records = list(rehearsal.rehearse(rehearsal.injected(style, entry), about(function), others=True))
        hinted = [record for record in records if record.diagnosis is not None and record.diagnosis.hint]
        module = entry.wrong.__module__
        may_hide = module == shortcuts.__name__ or entry.hides_on == "given"  # on few shapes, or on none of ours
        fewest = 1 if module == slips.__name__ and entry.hides_on else 3
        if entry.parts > 1:  # where one part of it shows, that is named
            assert entry.id in {record.diagnosis.id for record in hinted}
        elif entry.id in SEEN and not hinted:  # in this style it raises on other cases, so the catalogue's is refuted
            assert SEEN[entry.id] in {record.diagnosis.id for record in records if record.diagnosis}
            continue
        elif not may_hide or hinted:
            assert {record.diagnosis.id for record in hinted} == {entry.id}
            assert {record.diagnosis.hint for record in hinted} == {entry.hint}
        cases = {case.case for record in hinted for case in record.cases if case.outcome == "wrong"}
        assert len(cases) >= fewest or may_hide, entry.id
        assert all(map(is_fit_to_be_read, records)), entry.id


@pytest.mark.heavy
@pytest.mark.parametrize("function", FUNCTIONS)
def test_on_the_fixtures_no_other_mistake_is_named(function):
    for entry in CATALOGUE:
        if entry.function == function:
            records = list(rehearsal.rehearse(rehearsal.injected("loops", entry), about(function)))
            others = {one.id for one in diagnosed(records).values() if one.hint} - {entry.id}
            assert not others or entry.parts > 1
            assert all(map(is_fit_to_be_read, records)), entry.id


@pytest.mark.parametrize("style", ["layers", "loops", "einsum"])
def test_a_right_solution_is_left_alone(style):
    records = list(rehearsal.rehearse(rehearsal.injected(style)))
    assert len(records) > 30
    assert not diagnosed(records)
    assert all(record.result().passed == len(record.cases) for record in records)


# --- mistakes that meet, and mistakes that pass on -------------------------------------------------------------------


def calling_each_other(style, *ids):
    """Return functions of a style with these mistakes, one calling the other as in a student's file."""

    def functions():
        module = rehearsal.style(style)
        names = {key: value for key, value in vars(module).items() if isinstance(value, types.FunctionType)}
        shared = {**vars(module)}
        for key, value in names.items():
            shared[key] = types.FunctionType(value.__code__, shared, key, value.__defaults__)
        for entry in reversed([BY_ID[id] for id in ids]):
            known = {**entry.wrong.__globals__, **shared}
            shared[entry.function] = types.FunctionType(entry.wrong.__code__, known, "wrong", entry.wrong.__defaults__)
        return {name: shared[name] for name in FUNCTIONS}

    return functions


@pytest.mark.parametrize(
    "ids",
    [
        ("columns-padding-ignored", "columns-kernel-flipped"),
        ("columns-stride-ignored", "columns-run-image-last"),
        ("overlaps-averaged", "rows-read-channel-last"),
        ("bias-added-twice", "kernel-flipped"),
        ("bias-missing", "out-reshaped-not-transposed"),
        ("mean-instead-of-sum", "bias-added-twice"),
        ("dx-with-the-kernel-flipped", "dout-reshaped-not-transposed"),
        ("winners-share-divided", "winners-one-pixel-apart"),
        ("share-not-divided", "shares-one-pixel-apart"),
    ],
    ids="+".join,
)
def test_two_mistakes_in_one_function(ids):
    function = BY_ID[ids[0]].function
    found = diagnosed(rehearsal.rehearse(calling_each_other("loops", *ids), about(function)))
    value_tests = [name for name in found if name.removeprefix("test_") in (function, f"{function}_dx")]
    assert value_tests
    for name in value_tests:
        assert set(found[name].id.split("+")) == set(ids)
        assert found[name].hint.startswith("Two mistakes meet here. (1) ")
    named = {id for one in found.values() if one.hint for id in one.id.split("+")}
    assert named == set(ids)


@pytest.mark.parametrize("id", ["columns-kernel-flipped", "columns-padded-on-one-side", "columns-padded-with-the-edge"])
def test_a_wrong_helper_is_recognised_where_it_is_used(id):
    found = diagnosed(rehearsal.rehearse(calling_each_other("layers", id), about("im2col", "conv2d_forward")))
    assert found["test_conv2d_forward"].id == id
    assert found["test_conv2d_forward"].hint == f"This comes from im2col. {BY_ID[id].hint}"


def test_who_profiles_the_grader_reads_the_same_and_is_not_interrupted():
    def profile(*_):
        pass

    sys.setprofile(profile)
    try:
        found = diagnosed(
            rehearsal.rehearse(
                calling_each_other("layers", "columns-kernel-flipped"), about("im2col", "conv2d_forward")
            )
        )
        assert sys.getprofile() is profile
    finally:
        sys.setprofile(None)
    assert found["test_conv2d_forward"].id == "columns-kernel-flipped"


def test_a_wrong_helper_and_a_mistake_of_its_own():
    ids = ("columns-kernel-flipped", "bias-missing")
    functions = calling_each_other("layers", *ids)
    found = diagnosed(rehearsal.rehearse(functions, about("im2col", "conv2d_forward")))
    assert set(found["test_conv2d_forward"].id.split("+")) == set(ids)
    assert "This comes from im2col." in found["test_conv2d_forward"].hint


def test_a_helper_that_has_passed_is_not_suspected():
    entry = BY_ID["out-stride-ignored"]
    functions = rehearsal.injected("loops", entry)
    found = diagnosed(rehearsal.rehearse(functions, about("im2col", "conv2d_forward")))
    assert {one.id for one in found.values() if one.hint} == {entry.id}


# --- mistakes that nobody has listed ---------------------------------------------------------------------------------


def bent(function, bend):
    """Return functions of which one returns `bend(result, arguments)`."""

    def wrong(*args, **kwargs):
        returned = getattr(layers, function)(*args, **kwargs)
        if isinstance(returned, tuple):
            return (bend(returned[0].copy(), args), *returned[1:])
        return bend(returned.copy(), args)

    return lambda: {**{name: getattr(layers, name) for name in FUNCTIONS}, function: wrong}


def changed(result, place, factor=0.5):
    result[place] *= factor
    return result


def shifted(result, down, right):
    return np.roll(result, (down, right), axis=(2, 3))


def on_the_diagonal(result):
    for n in range(min(result.shape)):
        result[n, n] += 1
    return result


UNLISTED = {
    "half": ("max_pool2d_forward", lambda y, a: y / 2, r"out is 1/2 of what it should be, everywhere\."),
    "thrice": ("conv2d_backward", lambda y, a: 3 * y, r"dx is 3 times what it should be"),
    "by-the-images": ("max_pool2d_backward", lambda y, a: y / len(y), r"dx is 1/N of what it should be"),
    "sign": ("col2im", lambda y, a: -y, r"x is minus what it should be"),
    "by-the-window": (
        "conv2d_backward",
        lambda y, a: y / (a[1][1].shape[2] * a[1][1].shape[3]),
        r"dx is 1/\(KH\*KW\) of what it should be",
    ),
    "rounded": ("im2col", lambda y, a: np.round(y, 3), r"cols is rounded to 3 decimals"),
    "rounded-to-integers": ("avg_pool2d_forward", lambda y, a: np.round(y), r"out is rounded to whole numbers"),
    "clipped": (
        "conv2d_forward",
        lambda y, a: np.clip(y, -0.1, 0.2),
        r"out is cut off: entries that should be larger or smaller became a limit",
    ),
    "clipped-above": (
        "avg_pool2d_forward",
        lambda y, a: np.minimum(y, y.mean()),
        r"out is cut off: entries that should be larger became a limit",
    ),
    "no-negative-ones": (
        "conv2d_forward",
        lambda y, a: np.maximum(y, 0),
        r"out is right but for the negative entries, which became 0",
    ),
    "offset": ("avg_pool2d_forward", lambda y, a: y + 0.123, r"out is off by the same amount everywhere"),
    "offset-by-channel": (
        "max_pool2d_forward",
        lambda y, a: y + np.arange(y.shape[1]).reshape(-1, 1, 1),
        r"out is off by one amount for each index of C",
    ),
    "flip-down": ("avg_pool2d_forward", lambda y, a: y[:, :, ::-1], r"out is flipped: back to front along OH"),
    "flip-filters": ("conv2d_forward", lambda y, a: y[:, ::-1], r"out is flipped: back to front along F"),
    "channels-last": (
        "avg_pool2d_forward",
        lambda y, a: y.transpose(0, 2, 3, 1),
        r"axes in the order \(N, OH, OW, C\), but they should be \(N, C, OH, OW\)",
    ),
    "sides-exchanged": (
        "max_pool2d_backward",
        lambda y, a: y.transpose(0, 1, 3, 2),
        r"axes in the order \(N, C, W, H\), but they should be \(N, C, H, W\)",
    ),
    "columns-of-another-order": (
        "im2col",
        lambda y, a: _columns_in_order(y, a, (1, 0, 2)),
        r"columns in the order OH, N, OW, but it should be N, OH, OW",
    ),
    "shift": (
        "conv2d_backward",
        lambda y, a: shifted(y, 1, 1),
        r"shifted by 1 row down and 1 column to the right",
    ),
    "shift-left": ("col2im", lambda y, a: shifted(y, 0, -1), r"x is shifted by 1 column to the left"),
    "border": (
        "avg_pool2d_backward",
        lambda y, a: changed(y, np.s_[:, :, 0]),
        r"wrong in the border: 1 row at the top",
    ),
    "two-sides": (
        "conv2d_forward",
        lambda y, a: changed(changed(y, np.s_[:, :, 0], 1.7), np.s_[..., -1], 1.9),
        r"out is right inside and wrong in the border: 1 row at the top and 1 column on the right",
    ),
    "first-image-alone": (
        "conv2d_forward",
        lambda y, a: changed(y, np.s_[1:], np.arange(1.0, len(y) + 0.5).reshape(-1, 1, 1, 1)[1:] * 1.37),
        r"out is right for index 0 of N only, and wrong in all others",
    ),
    "one-channel": (
        "max_pool2d_forward",
        lambda y, a: changed(y, np.s_[:, 0], 0),
        r"index 0 of C only; there it is 0",
    ),
    "every-second-row": (
        "conv2d_backward",
        lambda y, a: changed(y, np.s_[:, :, 1::2], 1.37),
        r"dx is right in every second index of H only",
    ),
    "overlaps": (
        "avg_pool2d_backward",
        lambda y, a: np.where(_covered(y, a) > 1, y * 1.37, y),
        r"dx is right but for the entries where windows overlap",
    ),
    "unreached": (
        "avg_pool2d_backward",
        lambda y, a: np.where(_covered(y, a) == 0, 1.0, y),
        r"dx is right but for the entries that no window reaches; there it should be 0",
    ),
    "padding": (
        "conv2d_forward",
        lambda y, a: y + 0.37 * (_without_padding(y, a)),
        r"out is right but for the entries whose window touches the padding",
    ),
    "float32": ("max_pool2d_forward", lambda y, a: y.astype("f4").astype(y.dtype), r"right to float32 precision only"),
    "zeros": ("avg_pool2d_forward", lambda y, a: 0 * y, r"out is 0 everywhere"),
    "nan": ("conv2d_forward", lambda y, a: changed(y, np.s_[-1, -1, -1, -1], np.nan), r"out has NaN at \[0, 1, 3, 3\]"),
}


def _columns_in_order(cols, arguments, order):
    x, (KH, KW) = arguments[:2]
    N = len(x)
    atoms = cols.reshape(len(cols), N, -1)
    heights = [n for n in range(1, atoms.shape[2] + 1) if atoms.shape[2] % n == 0]
    H, W = x.shape[2:]
    OH = min(heights, key=lambda n: abs(n * (W - KW + 1) - (H - KH + 1) * (atoms.shape[2] // n)))
    return atoms.reshape(len(cols), N, OH, -1).transpose(0, *(axis + 1 for axis in order)).reshape(cols.shape)


def _covered(dx, arguments):
    dout, (_, (KH, KW), stride) = arguments
    covered = np.zeros(dx.shape)
    for p, q in np.ndindex(*dout.shape[2:]):
        covered[:, :, p * stride : p * stride + KH, q * stride : q * stride + KW] += 1
    return covered


def _without_padding(out, arguments):
    """Return one where a window of stride 1 touches a padding of 1: the outermost windows."""
    return np.pad(np.zeros((out.shape[2] - 2, out.shape[3] - 2)), 1, constant_values=1)


CASES_OF = {  # where a mistake shows in its plain form
    "nan": ("one-image",),
    "shift": ("border-unreached", "stride-two-unpadded"),
    "padding": ("tall-kernel",),
    "sides-exchanged": ("even-split", "below-zero"),
    "channels-last": ("even-split", "below-zero", "overlapping-windows"),
    "first-image-alone": ("border-unreached", "kernel-fills-image", "precise-dout"),
    "two-sides": ("tall-kernel", "one-pixel-kernel"),
    "border": ("even-split", "below-zero", "overlapping-columns"),
    "overlaps": ("overlapping-columns", "border-unreached", "below-zero"),
    "unreached": ("gapped-windows", "border-unreached"),
    "every-second-row": ("tall-kernel", "stride-two-unpadded"),
    "columns-of-another-order": ("same-sizes-again",),
    "shift-left": ("one-image", "tall-kernel", "wide-kernel-stride-two"),
    "offset-by-channel": ("even-split", "below-zero"),
    "one-channel": ("even-split", "below-zero"),
}


@pytest.mark.parametrize("name", UNLISTED)
def test_an_unlisted_mistake_is_described(name, monkeypatch):
    function, bend, wanted = UNLISTED[name]
    test = f"test_{function}" + ("_dx" if function == "conv2d_backward" else "")
    cases = [
        case for case in rehearsal.CASES[rehearsal.hidden_tests()[test][1]] if case.id in CASES_OF.get(name, case.id)
    ]
    monkeypatch.setitem(rehearsal.CASES, rehearsal.hidden_tests()[test][1], cases)
    (record,) = rehearsal.rehearse(bent(function, bend), [test])
    assert record.diagnosis is not None
    text = test_output(record.result(), HINT, {}, {})
    assert re.search(wanted, text), text
    assert ("Hint:" in text) == (name == "zeros")  # a stub is certain
    assert is_fit_to_be_read(record), text


# --- shapes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "story"),
    [
        (lambda s, k, st, p: (s - k) // st + 1, "the padding was not counted"),
        (lambda s, k, st, p: (s + 2 * p - k) // st, "the window before the first step was not counted"),
        (lambda s, k, st, p: -(-(s + 2 * p - k) // st) + 1, "it was rounded up"),
        (lambda s, k, st, p: s + 2 * p - k + 1, "the stride was not counted"),
    ],
)
def test_a_wrong_length_is_traced_to_its_formula(formula, story):
    def wrong(x, w, b, stride=1, padding=0):
        H, W, KH, KW = *x.shape[2:], *w.shape[2:]
        shape = formula(H, KH, stride, padding), formula(W, KW, stride, padding)
        return np.zeros((len(x), len(w), *map(abs, shape))), (x, w, stride, padding)

    functions = {**{name: getattr(layers, name) for name in FUNCTIONS}, "conv2d_forward": wrong}
    (record,) = rehearsal.rehearse(lambda: functions, ["test_conv2d_forward"])
    assert record.diagnosis.notes[0].endswith(f"+ 1: {story}.") or record.diagnosis.notes[0].endswith(f": {story}.")
    assert re.search(r"out: O[HW] = \d+ = .*\d+.*//", record.diagnosis.notes[0])


def test_one_side_for_both_is_not_called_swapped():
    def of_height(dout, cache):
        dx, dw, db = layers.conv2d_backward(dout, cache)
        return np.resize(dx, (*dx.shape[:3], dx.shape[2])), dw, db

    functions = {**{name: getattr(layers, name) for name in FUNCTIONS}, "conv2d_backward": of_height}
    (record,) = rehearsal.rehearse(lambda: functions, ["test_conv2d_backward_shape"])
    assert record.diagnosis.notes == ("dx: W = 5: height and width were mixed up.",)


def test_right_where_nothing_can_be_wrong_is_not_worth_saying():
    """Where no window reaches, dx is 0 in almost any code: that the rest is wrong says nothing."""

    def by_height(dout, cache):
        winner, x_shape, (KH, KW), stride = cache
        dx = np.zeros(x_shape, dtype=dout.dtype)
        for i, j, rows, columns in layers._taps((KH, KW), dout.shape[2:], stride):
            dx[:, :, rows, columns] += dout * (winner == i * KH + j)
        return dx

    functions = {**{name: getattr(layers, name) for name in FUNCTIONS}, "max_pool2d_backward": by_height}
    for record in rehearsal.rehearse(lambda: functions, about("max_pool2d_backward")):
        assert record.diagnosis is None or not any("window reaches" in note for note in record.diagnosis.notes)


def test_a_missing_axis_is_counted():
    functions = bent("conv2d_forward", lambda y, a: y[0])
    (record,) = rehearsal.rehearse(functions, ["test_conv2d_forward"])
    assert record.diagnosis.notes == ("out has 3 axes, but should have 4: (N, F, OH, OW).",)


def test_every_axis_of_the_homework_has_a_name():
    returned = rehearsal.SETTINGS.homework.functions
    for function, results in returned.items():
        assert {name for name in results if name not in ("cache", "size")} <= set(geometry.AXES[function])


# --- a hint only when certain ----------------------------------------------------------------------------------------


def evidence(function, *inputs, got, kind="values", result=0, **named):
    steps = (Step(function, inputs, named),)
    return Evidence("", kind, steps, "size", result, got, None, 1e-10)


def test_what_two_mistakes_explain_is_not_named():
    one = evidence("conv_output_size", 8, 4, 3, 0, got=1)
    assert Matcher(misconceptions).name([one]) == ()
    other = evidence("conv_output_size", 8, 3, 2, 0, got=2)
    (named,) = Matcher(misconceptions).name([one, other])
    assert named.id == "size-one-window-missing"


def test_what_has_passed_tells_mistakes_apart():
    one = evidence("conv_output_size", 8, 4, 3, 0, got=1)
    both = {"size-one-window-missing", "size-one-added-before-dividing"}
    assert all(layers.conv_output_size(8, 4, 3) != BY_ID[id].wrong(8, 4, 3) == 1 for id in both)
    passed = evidence("conv_output_size", 6, 3, 1, 0, got=4)
    (named,) = Matcher(misconceptions).name([one], [passed])
    assert named.id == "size-one-added-before-dividing"


def test_a_factor_that_is_not_simple_is_never_said():
    expected = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    for factor in (1.2345, 0.77, np.pi, 17.0, 1 / 23):
        pair = Pair(factor * expected, expected, 1e-10, (), {}, {}, {})
        assert not any(re.search(r"\d", relation.text) for relation in relations(pair)), factor


def test_steps_that_a_result_depends_on():
    steps = (Step("f", (), {}), Step("g", (), {}), Step("h", (1, Made(0, 1)), {}))
    one = Evidence("", "values", steps, "y", 0, None, None, 1e-10)
    assert one.needed() == [0, 2]


# --- the map ---------------------------------------------------------------------------------------------------------


def test_a_map_shows_rows_and_columns():
    wrong = np.zeros((2, 3, 3, 5), dtype=bool)
    wrong[1, 2, 0] = wrong[1, 2, :, 4] = True
    assert errormap.draw("dx", wrong, "tall-kernel").splitlines() == [
        "Map of dx[1, 2], tall-kernel (3 by 5): . right, # wrong",
        "  #####",
        "  ....#",
        "  ....#",
    ]


def test_a_large_map_is_drawn_in_blocks():
    wrong = np.zeros((40, 200), dtype=bool)
    wrong[:20, :100] = True
    wrong[39, 199] = True
    head, *lines = errormap.draw("cols", wrong).splitlines()
    assert head == "Map of cols (40 by 200, drawn in blocks): . right, # wrong, + partly wrong"
    assert lines == ["  " + "#" * 20 + "." * 20] * 5 + ["  " + "." * 40] * 4 + ["  " + "." * 39 + "+"]


def test_whole_channels_are_drawn_as_marks():
    wrong = np.zeros((2, 3, 4, 4), dtype=bool)
    wrong[:, 1] = True
    assert errormap.draw("out", wrong).splitlines()[1:] == ["  .#.", "  .#."]


@pytest.mark.parametrize("shape", [(3,), (2, 2, 2, 2), ()])
def test_no_map_of_what_is_all_wrong_or_all_right(shape):
    assert errormap.draw("y", np.ones(shape, dtype=bool)) == errormap.draw("y", np.zeros(shape, dtype=bool)) == ""


# --- what it costs ---------------------------------------------------------------------------------------------------


def test_the_work_is_bounded_whatever_is_wrong():
    """Nothing fits, everywhere: as many runs of wrong functions as a submission can cost."""
    runs = 0

    class Counted:
        CATALOGUE = CATALOGUE
        geometry = geometry

        @staticmethod
        def assemble(entries):
            nonlocal runs
            runs += 1
            return misconceptions.assemble(entries)

    noise = np.random.default_rng(0)
    noisy = {"conv_output_size": layers.conv_output_size}
    for name in FUNCTIONS[1:]:
        noisy[name] = bent(name, lambda y, a: y + noise.standard_normal(y.shape))()[name]
    found = diagnosed(rehearsal.rehearse(lambda: noisy, knowledge=Counted))
    assert len(found) > 15
    assert not any(one.hint for name, one in found.items() if not name.endswith("_dtype"))
    assert runs < 8 * len(CATALOGUE)


# --- the simplest explanation comes first ----------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, 3])
def test_a_stub_is_not_explained_as_something_clever(number):
    def stub(dout, cache):
        return np.full(layers.avg_pool2d_backward(dout, cache).shape, float(number))

    functions = {**{name: getattr(layers, name) for name in FUNCTIONS}, "avg_pool2d_backward": stub}
    found = diagnosed(rehearsal.rehearse(lambda: functions, about("avg_pool2d_backward")))
    what = "is the same number everywhere" if number else "is 0 everywhere"
    assert len(found) > 4
    assert {one.id for one in found.values()} == {"constant"}
    assert all(one.hint.startswith(f"dx {what}, whatever the inputs") for one in found.values())


def test_zeros_where_other_results_are_right_are_no_stub():
    """The maximum that starts at zero is zero everywhere where all values are negative."""
    (entry,) = [entry for entry in CATALOGUE if entry.id == "maximum-starts-at-zero"]
    found = diagnosed(rehearsal.rehearse(rehearsal.injected("layers", entry), about("max_pool2d_forward")))
    assert {one.id for one in found.values() if one.hint} == {entry.id}


@pytest.mark.parametrize(
    ("function", "result", "said"),
    [
        ("im2col", None, "A function that ends without a return statement returns None."),
        ("avg_pool2d_forward", (None, 1), "out is None, although the function returns something"),
    ],
)
def test_none_inside_a_tuple_is_no_missing_return_statement(function, result, said):
    functions = {**{name: getattr(layers, name) for name in FUNCTIONS}, function: lambda *args, **kwargs: result}
    (record,) = rehearsal.rehearse(lambda: functions, [f"test_{function}"])
    assert record.diagnosis.notes[0].startswith(said)


# --- exceptions ------------------------------------------------------------------------------------------------------


def filled(dout, cache):
    """Fill dx from a slice that ends at -0, in another style than the catalogue's."""
    x, w, stride, padding = cache
    dx = np.empty_like(x)
    grown = x if padding == 0 else np.pad(x, [(0, 0)] * 2 + [(padding, padding)] * 2)
    whole, dw, db = layers.conv2d_backward(dout, (grown, w, stride, 0))
    dx[...] = whole[..., padding:-padding, padding:-padding]
    return dx, dw, db


def test_an_exception_has_a_hint_where_a_known_mistake_raises_the_same():
    functions = {**{name: getattr(layers, name) for name in FUNCTIONS}, "conv2d_backward": filled}
    found = diagnosed(rehearsal.rehearse(lambda: functions, about("conv2d_backward")))
    assert {one.id for one in found.values()} == {"dx-padding-cropped-with-minus-zero"}
    assert "test_conv2d_backward_dw" in found


def found_by_row_and_column(x, kernel_size, stride=1, padding=0):
    """Take the height for the width, and read pixel by pixel."""
    (_, C, W, H), (KH, KW) = x.shape, kernel_size
    OH, OW = ((size + 2 * padding - k) // stride + 1 for size, k in ((H, KH), (W, KW)))
    padded = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    down = np.add.outer(np.arange(KH), stride * np.arange(OH))
    across = np.add.outer(np.arange(KW), stride * np.arange(OW))
    windows = padded[:, :, down[:, np.newaxis, :, np.newaxis], across[np.newaxis, :, np.newaxis]]
    return windows.transpose(1, 2, 3, 0, 4, 5).reshape(C * KH * KW, -1)


def test_swapped_sides_of_the_image_are_named_where_they_raise():
    functions = {**{name: getattr(layers, name) for name in FUNCTIONS}, "im2col": found_by_row_and_column}
    found = diagnosed(rehearsal.rehearse(lambda: functions, about("im2col")))
    assert {one.id for one in found.values() if one.hint} == {"columns-of-swapped-image-sides"}


@pytest.mark.parametrize("raised", [ValueError("no"), IndexError("list index out of range")])
def test_other_exceptions_have_none(raised):
    def wrong(dout, cache):
        raise raised

    functions = {**{name: getattr(layers, name) for name in FUNCTIONS}, "conv2d_backward": wrong}
    assert not diagnosed(rehearsal.rehearse(lambda: functions, about("conv2d_backward")))


def test_an_exception_is_not_explained_by_a_mistake_that_would_have_raised_where_the_student_passed():
    def sometimes(dout, cache):
        if len(dout) == 1 and cache[-1] == 0:
            return filled(dout, cache)
        return layers.conv2d_backward(dout, cache)

    functions = {**{name: getattr(layers, name) for name in FUNCTIONS}, "conv2d_backward": sometimes}
    found = diagnosed(rehearsal.rehearse(lambda: functions, ["test_conv2d_backward_dw"]))
    assert not found


def test_a_hint_is_taken_back_if_a_later_test_refutes_it():
    """One window too few, but only where they fit exactly: the first test alone cannot tell."""

    def exact_fit_forgotten(size, kernel_size, stride=1, padding=0):
        return len(range(0, size + 2 * padding - kernel_size, stride))

    diagnostician = Diagnostician(lambda: misconceptions)
    evidence, passed = (
        Evidence("", kind, (Step("conv_output_size", args, {}),), "size", 0, exact_fit_forgotten(*args), None, 0.0)
        for kind, args in (("values", (5, 2)), ("values", (6, 3, 2)))
    )
    found = diagnostician.diagnose([evidence])
    assert found.id == "size-one-window-missing"
    assert diagnostician.without_refuted(found) == found
    diagnostician.diagnose([], [passed])
    assert diagnostician.without_refuted(found).hint == ""


def test_hints_are_taken_back_if_they_contradict_each_other():
    """Divided by the stride: that may look like a square, or like no division at all."""
    diagnostician, found = Diagnostician(lambda: misconceptions), []
    for kernel_size, stride in (((2, 3), 2), ((3, 2), 1)):
        x = np.zeros((1, 1, 5, 7))
        out, cache = layers.avg_pool2d_forward(x, kernel_size, stride)
        dout = np.arange(1.0, out.size + 1).reshape(out.shape)
        right = layers.avg_pool2d_backward(dout, cache)
        got = right * (kernel_size[0] * kernel_size[1]) / stride**2
        steps = (
            Step("avg_pool2d_forward", (x, kernel_size, stride), {}),
            Step("avg_pool2d_backward", (dout, Made(0, 1)), {}),
        )
        found.append(diagnostician.diagnose([Evidence("", "values", steps, "dx", 0, got, right, 1e-10)]))
        if len(found) == 1:
            assert diagnostician.without_refuted(found[0]).hint
    assert [one.id for one in found] == ["share-of-a-square", "share-not-divided"]
    assert [diagnostician.without_refuted(one).hint for one in found] == ["", ""]
