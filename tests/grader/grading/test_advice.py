"""What a student is told beside Python's own words, and that the line that is quoted is the right one."""

import math
import sys

import numpy as np
import pytest

from autograder.core.errors import Raised
from autograder.grading import advice
from autograder.grading.advice import IMPORTABLE, of_environment, of_import, of_name, of_syntax, version

COPIED = ["toy.py", "helpers/pad.py", "pkg/__init__.py", "Tools.py"]
ELSEWHERE = ["hw/lib/extra.py", "hw/other/__init__.py", "hw/other/deep.py"]


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("No module named 'nowhere'", IMPORTABLE),
        (
            "No module named 'extra'",
            "hw/lib/extra.py was handed in, but only what is beside or below toy.py can",
        ),
        (
            "No module named 'other'",
            "hw/other/deep.py was handed in, but only what is beside or below toy.py can",
        ),
        ("No module named 'other.deep'", "hw/other/deep.py was handed in, but only what is beside or below toy.py"),
        ("No module named 'pad'", "helpers/pad.py was handed in: import it as helpers.pad, as seen from toy.py"),
        ("No module named 'tools'", "It was handed in as Tools, and capitals count"),
        ("No module named 'pad'; 'helpers' is not a package", "helpers/pad.py was handed in: import it as helpers.pad"),
        ("No module named '<b>x'", IMPORTABLE),
        ("anything else that a student writes", IMPORTABLE),
    ],
)
def test_a_module_that_was_not_found(message, told):
    assert of_import(message, COPIED, ELSEWHERE, "toy.py").startswith(told)


def test_a_module_of_a_newer_python(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    said = of_import("No module named 'tomllib'", COPIED, [], "toy.py")
    assert said == "The grader runs Python 3.10, and this module needs Python 3.11"
    monkeypatch.setattr(sys, "version_info", (3, 11, 0))
    assert of_import("No module named 'tomllib'", COPIED, [], "toy.py") == IMPORTABLE


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("cannot import name 'batched' from 'itertools' (unknown location)", True),
        ("cannot import name 'override' from 'typing' (/usr/lib/python3.10/typing.py)", True),
        ("cannot import name 'x' from 'toy' (toy.py)", False),
        ("cannot import name 'x' from partially initialized module 'toy'", False),
        ("no", False),
    ],
)
def test_a_name_that_another_version_may_have(message, told):
    assert of_name(message) == (f"The grader runs {version()}: another version may have it" if told else "")


@pytest.mark.parametrize(
    ("line", "needed"),
    [
        ("def first[T](xs: list[T]) -> T:", "3.12"),
        ("    async def first[T](xs):", "3.12"),
        ("class Stack[T]:", "3.12"),
        ("type Pair = tuple[int, int]", "3.12"),
        ("type Pair[T] = tuple[T, T]", "3.12"),
        ('print(f"{x["a"]}")', "3.12"),
        ("print(f'{x['a']} {y}')", "3.12"),
        ("    except* ValueError:", "3.11"),
        ("    except *ValueError:", "3.11"),
        ("y = x[0, *rest]", "3.11"),
        ('x = t"{y}"', "3.14"),
        ("x = a[2*n", ""),
        ("def f(x)", ""),
        ("print 'x'", ""),
        ("import x[", ""),
        ('input"', ""),
        ("", ""),
    ],
)
def test_syntax_of_a_newer_python(monkeypatch, line, needed):
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    wanted = "The grader runs Python 3.10" + (f", and this line needs Python {needed}" if needed else "")
    assert of_syntax("SyntaxError", line) == wanted


def test_syntax_that_this_python_knows_needs_no_other(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 13, 0))
    assert of_syntax("SyntaxError", "def first[T](x)") == "The grader runs Python 3.13"
    assert of_syntax("NameError", "def first[T](x)") == ""


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("%matplotlib inline", "Lines that begin with % or ! work in notebooks only"),
        ("    !pip install numpy", "Lines that begin with % or ! work in notebooks only"),
        ("<<<<<<< HEAD", "This is a mark that git leaves where two versions differ"),
        ("diff --git a/layers.py b/layers.py", "This is a list of changes"),
        ("@@ -1,3 +1,4 @@", "This is a list of changes"),
        ("```python", "This line marks code in a text: remove it"),
        (">>> import numpy as np", "This is the prompt of an interactive session"),
        ("In [12]: x = 1", "This is the prompt of an interactive session"),
        ("x = \u201chello\u201d", "A text program made these quotes: type \" or ' instead"),
        ("x = \u2018hello\u2019", "A text program made these quotes"),
        ("\u00a0   return x", "It is a space of another kind"),
        ("x = a\u200b + b", "It is a space of another kind"),
        ("x = a \u2212 b", "It only looks like a minus: type - instead"),
        ("x = 'a \u2212 b' +", f"The grader runs {version()}"),
        ("x = a[  # \u201cquoted\u201d", f"The grader runs {version()}"),
        ("x = y -- z)", f"The grader runs {version()}"),
    ],
)
def test_what_something_else_than_an_editor_left(line, told):
    assert of_syntax("SyntaxError", line).startswith(told)


def test_imports_with_a_dot_and_what_only_notebooks_have():
    said = "The files that were handed in are no package: import them without the dot"
    assert of_name("attempted relative import with no known parent package") == said
    assert of_environment("NameError", "name 'get_ipython' is not defined") == (
        "It exists in notebooks only: remove the line"
    )
    assert of_environment("NameError", "name 'x' is not defined") == ""


ONE_ENTRY = "an array with one entry no longer counts as a number. Where `a` is such an array, write `a.item()`"
NO_NUMBER = "only 0-dimensional arrays can be converted to Python scalars"
NO_ENTRY = "setting an array element with a sequence."
SINCE = [  # what a student writes, since which NumPy it is an error, the words of NumPy 2.5.5, and what is said then
    ("int(np.array([3]))", "2.4", f"TypeError: {NO_NUMBER}", ONE_ENTRY),
    ("float(np.ones((1, 1, 1)))", "2.4", f"TypeError: {NO_NUMBER}", ONE_ENTRY),
    ("out[0, 0] = np.ones((1, 1))", "2.4", f"ValueError: {NO_ENTRY}", ONE_ENTRY),
    ("out[0, 0] += np.array([2.0])", "2.4", f"ValueError: {NO_ENTRY}", ONE_ENTRY),
    ("out[0, 0] = np.max(out, keepdims=True)", "2.4", f"ValueError: {NO_ENTRY}", ONE_ENTRY),
    ("out.fill(np.array([2.0]))", "2.4", f"ValueError: {NO_ENTRY}", ONE_ENTRY),
    ("math.sqrt(np.array([2.0]))", "2.4", f"TypeError: {NO_NUMBER}", ONE_ENTRY),
    ("np.arange(np.array([3]))", "2.4", f"TypeError: {NO_NUMBER}", ONE_ENTRY),
    ("'%d' % np.array([3])", "2.4", "TypeError: %d format: a real number is required, not numpy.ndarray", ONE_ENTRY),
    (
        "np.reshape(out, newshape=(4,))",
        "2.4",
        "TypeError: reshape() got an unexpected keyword argument 'newshape'",
        "`newshape` is called `shape`",
    ),
    (
        "np.percentile(out, 5, interpolation='linear')",
        "2.4",
        "TypeError: percentile() got an unexpected keyword argument 'interpolation'",
        "`interpolation` is called `method`",
    ),
    (
        "out.tostring()",
        "2.3",
        "AttributeError: 'numpy.ndarray' object has no attribute 'tostring'",
        "`tostring` is called `tobytes`",
    ),
    ("np.in1d(out, 1)", "2.4", "AttributeError: module 'numpy' has no attribute 'in1d'", "`in1d` is called `isin`"),
    (
        "np.trapz(out)",
        "2.4",
        "AttributeError: module 'numpy' has no attribute 'trapz'",
        "`trapz` is called `trapezoid`",
    ),
    (
        "np.row_stack((out, out))",
        "2.5",
        "AttributeError: module 'numpy' has no attribute 'row_stack'",
        "`row_stack` is called `vstack`",
    ),
]


@pytest.mark.parametrize(("code", "since", "words", "remedy"), SINCE)
def test_what_an_older_numpy_accepted(code, since, words, remedy, monkeypatch):
    kind, _, message = words.partition(": ")
    for used in ("2.2.6", "2.3.5", "2.4.6", "2.5.5", "2.10.0rc1"):
        monkeypatch.setattr(np, "__version__", used)
        is_new = numbers(used) >= numbers(since)
        said = of_environment(kind, message)
        assert said.startswith(f"The grader runs NumPy {used}: since NumPy {since}, {remedy}") is is_new


@pytest.mark.parametrize(("code", "since", "words", "remedy"), SINCE)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_it_is_an_error_of_the_numpy_that_is_here(code, since, words, remedy):
    """Under every NumPy: older ones accept it, and newer ones use the words that are recognised."""
    raised = ""
    try:
        exec(code, {"np": np, "math": math, "out": np.zeros((2, 2))})
    except (TypeError, ValueError, AttributeError) as error:
        raised = f"{type(error).__name__}: {error}"
    assert raised == (words if numbers(np.__version__) >= numbers(since) else "")


def numbers(version):
    return [int(part) for part in version.split(".")[:2]]


def test_words_that_are_nobodys_version(monkeypatch):
    monkeypatch.setattr(np, "__version__", "2.5.5")
    for kind, message in [
        ("ValueError", NO_ENTRY + " The requested array has an inhomogeneous shape after 1 dimensions."),
        ("RuntimeError", NO_NUMBER),
        ("AttributeError", "'numpy.ndarray' object has no attribute 'append'"),
        ("AttributeError", "module 'layers' has no attribute 'in1d'"),
        ("TypeError", "pad() got an unexpected keyword argument 'p'"),
    ]:
        assert of_environment(kind, message) == ""


def test_what_this_numpy_does_not_have(student):
    source = "import numpy as np\ndef double(x):\n    return np.sliding_windows(x, 2)\n"
    with pytest.raises(Raised) as caught:
        student(source).double(np.ones(2))
    message = "double(x (2)) raised AttributeError: module 'numpy' has no attribute 'sliding_windows' (toy.py, line 3: "
    assert str(caught.value).startswith(message)
    assert str(caught.value).endswith(f". The grader runs NumPy {np.__version__}: another version may have it")


def test_a_long_line_takes_no_time():
    for line in ("x[" * 5000, "f'" + "{'" * 5000, "*" * 9000, "type " * 3000):
        assert advice.of_syntax("SyntaxError", line) == f"The grader runs {version()}"


# The line that is quoted, with a real import.


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("before", ["\f\n", "# page\u2028two\n", "# a\x85b\n", "# a\x1cb\x1db\x1ec\n", "'''\v'''\n"])
def test_the_line_is_counted_as_python_counts(submit, before, end):
    source = f"import sys\n{before}def double(x):\n    return x\nundefined_name\n".replace("\n", end)
    assert "(toy.py, line 5: undefined_name)" in submit(source).failure.message


def test_line_ends_of_an_old_mac_are_graded_as_any(submit):
    submission = submit("def double(x):\r    return 2 * x\rdef halve(x):\r    return x / 2, 1\r")
    assert submission.failure is None
    assert submission.defined == ("double", "halve")


def test_a_declared_encoding_is_quoted_in_it(sandbox, submit):
    submission = submit("# coding: utf-8\nGröße\n")
    assert "line 2: Größe" in submission.failure.message
