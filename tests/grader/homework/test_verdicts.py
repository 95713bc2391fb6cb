"""Submissions that were once judged or explained wrongly: a solution with index arrays, and what was changed in it."""

# mypy: ignore-errors
# Modules that are put together while running.

import types

import pytest

from autograder.core.outcomes import PASSED
from solutions.misconceptions import FUNCTIONS
from tests.grader.support import rehearsal
from tests.grader.support.slices import smoke

RIGHT = (rehearsal.STYLES / "index_arrays.py").read_text(encoding="utf-8")

DX = "    dx = col2im(w.reshape(f, -1).T @ d, x_shape, w.shape[2:], stride, padding)\n"
GROWN = """\
    (n, c, h, wid), p = x_shape, padding
    dxp = col2im(w.reshape(f, -1).T @ d, (n, c, h + 2 * p, wid + 2 * p), w.shape[2:], stride, 0)
"""
CROPPED = f"{GROWN}    dx = dxp[:, :, p:-p, p:-p].copy()\n"
FILLED = f"{GROWN}    dx = np.zeros(x_shape, dtype=dout.dtype)\n    dx[:] = dxp[:, :, p:-p, p:-p]\n"
NO_DX = "    dx = np.zeros(x_shape, dtype=dout.dtype)\n"
GRADIENTS = "return dx, (d @ cols.T).reshape(w.shape), d.sum(axis=1)"
NO_GRADIENTS = "return dx, np.zeros_like(w), np.zeros(f, dtype=dout.dtype)"
DTYPE = "w + 2 * padding), dtype=cols.dtype)"
IMAGE = "xp[:, :, padding : padding + h, padding : padding + w]"
COLUMNS = "(x.shape, w, cols, stride, padding)\n\n\ndef conv2d_backward(dout, cache):\n    x_shape, w, cols, stride"
INPUT = "(x, w, stride, padding)\n\n\ndef conv2d_backward(dout, cache):\n    x, w, stride"
AGAIN = "    f = w.shape[0]\n    cols = im2col(x, w.shape[2:], stride, padding)\n    x_shape = x.shape\n"
WINNERS = """\
    dcols = np.zeros(shape, dtype=dout.dtype)
    dcols[best, np.arange(shape[1])] = dout.reshape(-1)
"""
MASK = "    dcols = (np.arange(shape[0]).reshape(-1, 1) == best) * dout.reshape(1, -1)\n"
POOLED = "    return col2im(dcols, (n * c, 1, h, w), kernel_size, stride).reshape(n, c, h, w)\n"
BY_DIVISION = """\
    kh, kw = kernel_size
    dx = np.zeros((n, c, h, w), dtype=dout.dtype)
    best = best.reshape(dout.shape)
    for p in range(min(h // kh, dout.shape[2])):  # counted without the overlap
        for q in range(min(w // kw, dout.shape[3])):
            i, j = np.divmod(best[:, :, p, q], kw)
            rows, columns = np.ogrid[:n, :c]
            dx[rows, columns, stride * p + i, stride * q + j] += dout[:, :, p, q]
    return dx
"""
AVERAGES = """\
    dcols = np.tile(dout.reshape(1, -1) / (kh * kw), (kh * kw, 1))
    return col2im(dcols, (n * c, 1, h, w), (kh, kw), stride).reshape(n, c, h, w)
"""
ZEROS = "    return np.zeros((n, c, h, w), dtype=dout.dtype)\n"
MAXIMA = "return out.reshape(n, c, oh, ow), (x.shape, cols.shape"
FORWARDS = {
    f"return {IMAGE}.copy()": "return np.zeros(x_shape, dtype=cols.dtype)",
    "return out.reshape(f, n, oh, ow).transpose(1, 0, 2, 3)": "return np.zeros((n, f, oh, ow), dtype=x.dtype)",
    MAXIMA: "return np.zeros((n, c, oh, ow), dtype=x.dtype), (x.shape, cols.shape",
    "return cols.mean(axis=0).reshape(n, c, oh, ow)": "return np.zeros((n, c, oh, ow), dtype=x.dtype)",
}
WASTEFUL = {DTYPE: "w + 2 * padding))", f"{IMAGE}.copy()": f"{IMAGE}.astype(cols.dtype)", COLUMNS: INPUT}
WASTEFUL |= {"    f = w.shape[0]\n": AGAIN, WINNERS: MASK}

CASES = {  # what is changed; the functions that lose points; what is said: ids of the diagnoses, `none` without one
    "right": ({}, set(), set()),
    "wasteful": (WASTEFUL, set(), set()),
    "float64": (
        {DTYPE: "w + 2 * padding))"},
        {"col2im", "conv2d_backward", "max_pool2d_backward", "avg_pool2d_backward"},
        {"image-always-float64", "winners-always-float64", "shares-always-float64"},  # col2im explains the others
    ),
    "crop_minus_zero": ({DX: CROPPED}, {"conv2d_backward"}, {"dx-padding-cropped-with-minus-zero"}),
    "crop_minus_zero_raises": ({DX: FILLED}, {"conv2d_backward"}, {"dx-padding-cropped-with-minus-zero"}),
    "none_in_tuple": (
        {MAXIMA: MAXIMA.replace("out.reshape(n, c, oh, ow)", "None")},
        {"max_pool2d_forward"},
        {"none inside"},
    ),
    "windows_by_division": ({WINNERS + POOLED: BY_DIVISION}, {"max_pool2d_backward"}, {"winners-counted-by-division"}),
    "zeros_avg_backward": ({AVERAGES: ZEROS}, {"avg_pool2d_backward"}, {"constant"}),
    "zeros_conv_all": ({DX: NO_DX, GRADIENTS: NO_GRADIENTS}, {"conv2d_backward"}, {"constant"}),
    "zeros_conv_dx": ({DX: NO_DX}, {"conv2d_backward"}, {"constant"}),
    "zeros_forwards": (
        FORWARDS,
        {name for name in FUNCTIONS if name == "col2im" or name[-8:] in ("_forward", "backward")},
        {"constant"},
    ),
    "zeros_max_backward": ({WINNERS + POOLED: ZEROS}, {"max_pool2d_backward"}, {"constant"}),
}


@pytest.mark.parametrize("name", smoke(CASES, {"crop_minus_zero_raises", "none_in_tuple", "zeros_avg_backward"}))
def test_it_is_judged_and_explained_rightly(name):
    changes, losing, said = CASES[name]
    source = RIGHT
    for old, new in changes.items():
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    module = types.ModuleType(name)
    exec(source, vars(module))
    records = list(rehearsal.rehearse(lambda: {function: getattr(module, function) for function in FUNCTIONS}))
    failed = [record for record in records if any(case.outcome != PASSED for case in record.cases)]
    assert {record.subject for record in failed} == losing
    assert {record.diagnosis.id for record in failed if record.diagnosis is not None} == said
