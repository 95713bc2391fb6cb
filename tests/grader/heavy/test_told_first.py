"""What a student reads first about a mistake in code of another style, or about one that the catalogue does not know.

Each submission is a right solution with one line changed, and graded for real. The first mistake on its page is in the
function that is wrong. The catalogue has a hint for the first kind; for the second, the smallest example has to do.
"""

# mypy: ignore-errors
# Sources that are put together.

import json

import pytest

from autograder.core import config
from autograder.grading.grader import Grader
from solutions.misconceptions import CATALOGUE
from tests.grader.support import ROOT, SUBMISSIONS

FLAT, LOOPS, STRIDED = (
    (SUBMISSIONS / "correct" / name / "layers.py").read_text(encoding="utf-8")
    for name in ("flat-add-at", "two-loops", "as-strided")
)
MODEL = (ROOT / "solutions" / "layers.py").read_text(encoding="utf-8")

KNOWN = {
    "flat: overlaps assigned": (
        FLAT,
        "np.add.at(xp.reshape(-1), index.ravel(), values.ravel())",
        "xp.reshape(-1)[index.ravel()] = values.ravel()",
        ("col2im", "a pixel gets one entry instead of their sum"),
    ),
    "flat: out reshaped": (
        FLAT,
        "np.swapaxes(flat.reshape(F, x.shape[0], OH, -1), 0, 1)",
        "flat.reshape(x.shape[0], F, OH, -1)",
        ("conv2d_forward", "a reshape alone does not swap two axes"),
    ),
    "flat: size rounded up": (
        FLAT,
        "(size + 2 * padding - kernel_size) // stride + 1",
        "-(-(size + 2 * padding - kernel_size) // stride) + 1",
        ("conv_output_size", "The number of windows is rounded up"),
    ),
    "flat: images last": (
        FLAT,
        "np.moveaxis(taken, 0, 2)",
        "np.moveaxis(taken, 0, 3)",
        ("im2col", "neighbours are the same window of different images"),
    ),
    "loops: the last window's dw": (
        LOOPS,
        "dw += (d.T @",
        "dw = (d.T @",
        ("conv2d_backward", "Only the last window of each image counts for dw"),
    ),
    "loops: a square": (
        LOOPS,
        "/ (KH * KW)",
        "/ KH ** 2",
        ("avg_pool2d_backward", "the square of the window's height"),
    ),
    "loops: padded at the end": (
        LOOPS,
        "(padding, padding), (padding, padding)]",
        "(0, 2 * padding), (0, 2 * padding)]",
        ("im2col", "All of the padding is at the bottom and on the right"),
    ),
    "strided: without the stride": (
        STRIDED,
        "sh * stride, sw * stride",
        "sh, sw",
        ("im2col", "from one to the next it is one pixel only"),
    ),
    "strided: db of images": (
        STRIDED,
        '"nfpq->f"',
        '"nfpq->n"',
        ("conv2d_backward", "The sum for db leaves one number for each image"),
    ),
    "strided: always float64": (
        STRIDED,
        "w + 2 * padding), values.dtype)",
        "w + 2 * padding))",
        ("col2im", "The image is float64 whatever cols is"),
    ),
}
UNKNOWN = {
    "padded with ones": ("(padding, padding))) if", "(padding, padding)), constant_values=1) if", "im2col"),
    "columns backwards": ("N * OH * OW)\n    # END", "N * OH * OW)[:, ::-1]\n    # END", "im2col"),
    "subtracted": (
        "padded[:, :, rows, columns] += cols_by_tap",
        "padded[:, :, rows, columns] -= cols_by_tap",
        "col2im",
    ),
    "half the kernel": ("+ 2 * padding - kernel_size)", "+ padding - kernel_size // 2)", "conv_output_size"),
    "negative bias": ("out += b[:, np.newaxis]", "out -= b[:, np.newaxis]", "conv2d_forward"),
    "magnitudes of w": ("out = w.reshape(F, -1)", "out = np.abs(w.reshape(F, -1))", "conv2d_forward"),
    "largest dout": ("db = dout_matrix.sum(axis=1)", "db = dout_matrix.max(axis=1)", "conv2d_backward"),
    "a name that is not defined": ("db = dout_matrix.sum", "db = dout_mat.sum", "conv2d_backward"),
    "height for width": ("winner == i * KW + j", "winner == i * KH + j", "max_pool2d_backward"),
    "magnitudes of dout": (
        "rows, columns] += dout * (",
        "rows, columns] += np.abs(dout) * (",
        "max_pool2d_backward",
    ),
    "half the border": ("    out /= KH * KW", "    out /= KH + KW", "avg_pool2d_forward"),
    "share of the stride": ("share = dout / (KH * KW)", "share = dout / stride**2", "avg_pool2d_backward"),
}


@pytest.fixture
def mistakes(tmp_path):
    """Grade a solution in which a piece of text is replaced; return what its page says of each mistake."""

    def grade(source, old, new):
        assert source.count(old) == 1
        (tmp_path / "layers.py").write_text(source.replace(old, new), encoding="utf-8")
        results = tmp_path / "results.json"
        done = Grader(config.load(ROOT / "config.yaml")).grade(tmp_path / "layers.py", results)
        assert done.score is not None, done.remark
        output = json.loads(results.read_text(encoding="utf-8"))["output"]
        return [paragraph for paragraph in output.split("\n\n") if paragraph.startswith("Mistake ")]

    return grade


@pytest.mark.heavy
@pytest.mark.parametrize("name", KNOWN)
def test_a_known_mistake_in_another_style_is_named(mistakes, name):
    source, old, new, (function, hint) = KNOWN[name]
    first, *others = mistakes(source, old, new)
    assert first.startswith("Mistake 1, in " + function)
    assert hint in first
    assert "\nThe smallest input that shows it" in first
    assert not any(other.partition(" (")[0].endswith(f" in {function}") for other in others)


@pytest.mark.heavy
@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_mistake_has_an_example_and_no_hint(mistakes, name):
    old, new, function = UNKNOWN[name]
    first = mistakes(MODEL, old, new)[0]
    assert first.startswith("Mistake 1, in " + function)
    assert "\nThe smallest input that shows it" in first
    assert not any(entry.hint in first for entry in CATALOGUE)
