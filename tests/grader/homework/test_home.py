"""Public tests end the same at home and in the grader: both pass the very same objects, whatever calls do to them."""

import importlib.util
import inspect

import pytest

from autograder.core import config
from autograder.grading import grader
from solutions import layers
from tests.grader.support import ROOT

SOURCE = inspect.getsource(layers)
ODD = {
    "right": [],
    "a list for a tuple": [("return out, (x, w, stride, padding)", "return [out, (x, w, stride, padding)]")],
    "forward reshapes w": [("    out += b[:, np.newaxis]\n", "    out += b[:, np.newaxis]\n    w.shape = (F, -1)\n")],
    "backward reshapes w": [
        ("    return col2im(dcols, x.shape", "    w.shape = (F, -1)\n    return col2im(dcols, x.shape")
    ],
    "x is pooled in place": [
        ("    return out, (x.shape, (KH, KW), stride)", "    x *= 2\n    return out, (x.shape, (KH, KW), stride)")
    ],
    "dout is divided in place": [("    share = dout / (KH * KW)\n", "    dout /= KH * KW\n    share = dout\n")],
    "x is padded in place": [("    cols = np.empty((C, KH", "    x[..., -1:] = 0\n    cols = np.empty((C, KH")],
    "backward clears x through the cache": [
        (
            "    dcols = w.reshape(F, -1).T @ dout_matrix\n",
            "    dcols = w.reshape(F, -1).T @ dout_matrix\n    x[...] = 0\n",
        )
    ],
    "None for an array": [("    return dx\n", "    return None\n")],
    "a matrix with one axis too many": [
        ("return cols.reshape(C * KH * KW, N * OH * OW)", "return cols.reshape(-1, N, OH * OW)")
    ],
}


def edited(edits):
    source = SOURCE
    for old, new in edits:
        assert old in source
        source = source.replace(old, new)
    return source


def imported(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("odd", ODD)
def test_home_and_grader_agree(tmp_path, odd):
    settings = config.load(ROOT / "config.yaml")
    (tmp_path / "layers.py").write_text(edited(ODD[odd]), encoding="utf-8")
    homework, tests = imported(tmp_path / "layers.py"), imported(ROOT / "tests/public/test_examples.py")
    at_home = {}
    for name in [name for name in vars(tests) if name.startswith("test_")]:
        try:
            getattr(tests, name)(homework)
            at_home[name] = ""
        except Exception as error:
            at_home[name] = str(error) or type(error).__name__
    graded = {}

    def note(result):
        (case,) = result.cases
        graded[result.name] = case.message

    grade = grader.Grader(settings, "test_*_example").grade(tmp_path / "layers.py", tmp_path / "results.json", note)
    assert grade.score is not None, grade.remark
    shared = set(graded) & set(at_home)
    assert len(shared) == len(graded) == 9
    assert {name for name in shared if graded[name]} == {name for name in shared if at_home[name]}
