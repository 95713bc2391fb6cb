"""Public tests end the same at home and in the grader: both pass the very same objects, whatever calls do to them.

They also find most mistakes before the grader does, and none in a right solution.
"""

import importlib.util
import inspect
import subprocess
import sys
from types import SimpleNamespace

import pytest

from autograder.authoring import starter
from autograder.core import config
from autograder.grading import grader
from solutions import layers
from solutions.misconceptions import CATALOGUE, FUNCTIONS, source
from tests.grader.support import ROOT, SUBMISSIONS
from tests.grader.support.slices import smoke

PUBLIC = starter.sources_of_tests(ROOT / "tests" / "public")

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


AT_ONCE = ("backward clears x through the cache",)


@pytest.mark.parametrize("odd", smoke(ODD, AT_ONCE))
def test_home_and_grader_agree(tmp_path, odd):
    settings = config.load(ROOT / "config.yaml")
    (tmp_path / "layers.py").write_text(edited(ODD[odd]), encoding="utf-8")
    homework = imported(tmp_path / "layers.py")
    at_home = {}
    for name, test in public_tests().items():
        try:
            test(homework)
            at_home[name] = ""
        except Exception as error:
            at_home[name] = str(error) or type(error).__name__
    graded = {}

    def note(result):
        if result.name in PUBLIC:
            (case,) = result.cases
            graded[result.name] = case.message

    for only in ("test_*le", "test_*es"):  # example, rectangle; images, promises, and some that are hidden
        grade = grader.Grader(settings, only).grade(tmp_path / "layers.py", tmp_path / "results.json", note)
        assert grade.score is not None, grade.remark
    assert set(graded) == set(at_home)
    assert {name for name in graded if graded[name]} == {name for name in at_home if at_home[name]}


def public_tests():
    namespace: dict[str, object] = {}
    for name, test in PUBLIC.items():
        exec(compile(test, name, "exec"), namespace)
    return {name: namespace[name] for name in PUBLIC}


# --- mistakes --------------------------------------------------------------------------------------------------------

SHARE = 118 / 141
"""Of the known mistakes that students find at home, at least. The others need large images, or are about memory."""


def test_most_mistakes_show_at_home():
    tests = public_tests()
    unseen = []
    for entry in CATALOGUE:
        namespace = {"__name__": "layers"}
        exec(compile(source(entry), entry.id, "exec"), namespace)
        fell = {name for name, test in tests.items() if raises(test, SimpleNamespace(**namespace))}
        subjects = {max((function for function in FUNCTIONS if function in name), key=len) for name in fell}
        assert subjects <= {entry.function}, entry.id
        if not subjects:
            unseen.append(entry.id)
    assert len(unseen) <= (1 - SHARE) * len(CATALOGUE), unseen


@pytest.mark.filterwarnings("ignore")  # a wrong function may divide by zero
def raises(test, homework):
    try:
        test(homework)
    except Exception:
        return True
    return False


# --- right solutions, oddly written ----------------------------------------------------------------------------------

RUN = """
import sys
sys.path.insert(0, sys.argv[1])
import layers
namespace = {}
exec(sys.stdin.read(), namespace)
for name, test in namespace.items():
    if name.startswith("test_"):
        test(layers)
"""
QUICK = ("closure-cache", "ndarray-subclass", "python-numbers", "read-only-results")


CORRECT = sorted(path.name for path in (SUBMISSIONS / "correct").iterdir())


@pytest.mark.parametrize("name", smoke(CORRECT, QUICK))
def test_right_solutions_pass_at_home(name):
    """In a process of its own: such a file may change numpy, or define modules."""
    command = [sys.executable, "-B", "-c", RUN, str(SUBMISSIONS / "correct" / name)]
    tests = "\n\n".join(PUBLIC.values())
    run = subprocess.run(command, input=tests, capture_output=True, encoding="utf-8", check=False, timeout=60)
    assert run.returncode == 0, run.stderr
