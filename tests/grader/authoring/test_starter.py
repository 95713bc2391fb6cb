"""The starter and the tests that students get: nothing of the answer is left in them, and both are proved."""

import ast
import inspect
import os
import re
import runpy
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from autograder.authoring.starter import BEGIN, END, GIVEAWAY, make_starter, sources_of_tests, strip_solution
from autograder.core.errors import ConfigurationError
from solutions import layers
from tests.grader.support import ROOT

SOLUTION = ROOT / "solutions" / "layers.py"
PUBLIC_TESTS = ROOT / "tests" / "public"
FUNCTIONS = [name for name, value in vars(layers).items() if inspect.isfunction(value) and not name.startswith("_")]


def load(path):
    return SimpleNamespace(**runpy.run_path(str(path)))


def public_tests():
    files = sorted(PUBLIC_TESTS.glob("test_*.py"))
    return {name: test for path in files for name, test in vars(load(path)).items() if name.startswith("test_")}


# --- stripping -------------------------------------------------------------------------------------------------------

ANSWER = '''\
"""What both may read."""

import numpy as np

# BEGIN SOLUTION
# Why this is the answer.


def _helper(x):
    return np.negative(x)


# END SOLUTION


def opposite(x):
    """Turn the sign around."""
    # BEGIN SOLUTION
    return _helper(x)
    # END SOLUTION


def twice(x):
    """Go around twice."""
    def again(y):
        # BEGIN SOLUTION
        return _helper(_helper(y))
        # END SOLUTION

    return again(x)
'''

STARTER = '''\
"""What both may read."""

import numpy as np


def opposite(x):
    """Turn the sign around."""
    raise NotImplementedError("opposite is not implemented yet")


def twice(x):
    """Go around twice."""
    def again(y):
        raise NotImplementedError("again is not implemented yet")

    return again(x)
'''


def test_blocks_become_raises_in_functions_and_vanish_elsewhere():
    assert strip_solution(ANSWER) == STARTER


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (f"def f():\n    {BEGIN}\n    return 1\n", "line 2: # BEGIN SOLUTION has no end"),
        (f"def f():\n    {BEGIN}\n    {BEGIN}\n    return 1\n    {END}\n", "line 2: # BEGIN SOLUTION has no end"),
        (f"def f():\n    return 1\n    {END}\n", "line 3: # END SOLUTION has no beginning"),
        ("def f():\n    return 1\n", "marks no solution, so students would get all of it"),
        (
            f"def f():\n    {BEGIN}\n    return 1\n    {END}\n\n\ndef g():\n    #BEGIN SOLUTION\n    return 2\n",
            "would still read: #BEGIN SOLUTION",
        ),
        (f"if True:\n    {BEGIN}\n    x = 1\n    {END}\n", "line 2: the marked block is indented, but in no function"),
        (
            f'def f(x):\n    """Compute x * 2 + 17 // 3."""\n    {BEGIN}\n    x * 2 + 17 // 3\n    {END}\n',
            "is also outside the markers: x * 2 + 17 // 3",
        ),
        (f"def f(:\n    {BEGIN}\n    return 1\n    {END}\n", "answer.py: line 1: is not Python: "),
        (f"x = (\n{BEGIN}\n1)\n{END}\n", "answer.py without its solution: line 1: is not Python"),
    ],
)
def test_what_cannot_be_stripped_is_refused(source, message):
    with pytest.raises(ConfigurationError) as refusal:
        strip_solution(source, file="answer.py")
    assert message in str(refusal.value)
    assert str(refusal.value).startswith("answer.py")


# --- the starter students get ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("assignment")
    starter, tests = make_starter(SOLUTION, PUBLIC_TESTS, "layers")
    (folder / "layers.py").write_text(starter)
    (folder / "test_public.py").write_text(tests)
    return folder


def test_every_function_is_there_and_says_that_it_is_not_implemented(built):
    starter = load(built / "layers.py")
    for name in FUNCTIONS:
        function, answer = getattr(starter, name), getattr(layers, name)
        assert inspect.signature(function) == inspect.signature(answer)
        assert function.__doc__ == answer.__doc__
        arguments = [None for parameter in inspect.signature(function).parameters]
        with pytest.raises(NotImplementedError, match=f"^{name} is not implemented yet$"):
            function(*arguments)
    assert len(FUNCTIONS) == 9
    assert not [name for name in vars(starter) if name.startswith("_") and not name.startswith("__")]


def test_no_line_of_the_answer_is_left(built):
    starter = (built / "layers.py").read_text()
    inside, removed = False, []
    for line in map(str.strip, SOLUTION.read_text().splitlines()):
        if line in (BEGIN, END):
            inside = line == BEGIN
        elif inside and len(line) > GIVEAWAY:
            removed.append(line)
    assert len(removed) > 50
    assert [line for line in removed if line in starter] == []
    assert "SOLUTION" not in starter


def test_what_leaves_the_building_needs_numpy_and_pytest_alone(built):
    allowed = {"layers.py": {"numpy", "typing"}, "test_public.py": {"importlib", "numpy", "pathlib", "pytest", "sys"}}
    for file, modules in allowed.items():
        tree = ast.walk(ast.parse((built / file).read_text()))
        imports = [node for node in tree if isinstance(node, (ast.Import, ast.ImportFrom))]
        names = {node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in imports}
        assert names == modules


def test_every_test_is_found_with_its_source():
    sources = sources_of_tests(PUBLIC_TESTS)
    assert list(sources) == list(public_tests())
    for name, source in sources.items():
        assert source.startswith(f"def {name}(layers):\n")
        assert any(source in path.read_text() for path in PUBLIC_TESTS.glob("test_*.py"))


def test_students_can_run_the_handed_out_tests(built, tmp_path):
    (tmp_path / "test_public.py").write_bytes((built / "test_public.py").read_bytes())
    (tmp_path / "layers.py").write_text("from helper import *\n")
    (tmp_path / "helper.py").write_bytes(SOLUTION.read_bytes())
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_public.py"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON"))}
    ran = subprocess.run(command, cwd=tmp_path, env=clean, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout
    assert f"{len(public_tests())} passed" in ran.stdout


# --- refusals --------------------------------------------------------------------------------------------------------


def refused(tmp_path, answer, public=PUBLIC_TESTS):
    """Try to make a starter from this answer; return the refusal."""
    solution = tmp_path / "layers.py"
    solution.write_text(answer)
    with pytest.raises(ConfigurationError) as refusal:
        make_starter(solution, public, "layers")
    return str(refusal.value)


def edited(old, new):
    source = SOLUTION.read_text()
    assert source.count(old) == 1
    return source.replace(old, new)


def test_a_wrong_answer_is_not_handed_out(tmp_path):
    message = refused(tmp_path, edited("// stride + 1", "// stride + 2"))
    assert "layers.py: fails the public test test_conv_output_size_example (AssertionError: size=4, but" in message


def test_an_answer_that_cannot_be_imported_is_not_handed_out(tmp_path):
    assert "cannot be imported (ZeroDivisionError: " in refused(tmp_path, edited("Array = ", "Array = 1 / 0 + "))


def test_a_forgotten_marker_is_noticed(tmp_path):
    code = "    return (size + 2 * padding - kernel_size) // stride + 1\n"
    answer = edited(f"    {BEGIN}\n{code}    {END}\n", code)
    message = refused(tmp_path, answer)
    assert "passes test_conv_output_size_example even without its solution" in message


@pytest.mark.parametrize(
    ("tests", "message"),
    [
        ("import numpy\n\n\ndef test_a(layers):\n    pass\n", "line 1: is no test that takes layers and nothing else"),
        ("def test_a(layers, student):\n    pass\n", "line 1: is no test that takes layers and nothing else"),
        ("def test_a(layers=None):\n    pass\n", "line 1: is no test that takes layers and nothing else"),
        ("def helper(layers):\n    pass\n", "line 1: is no test that takes layers and nothing else"),
        (
            "def test_a(layers):\n    pass\n\n\ndef test_a(layers):\n    pass\n",
            "line 5: there is another public test test_a",
        ),
        ('"""Nothing but words."""\n', "has no public tests"),
    ],
)
def test_public_tests_that_cannot_travel_are_refused(tmp_path, tests, message):
    public = tmp_path / "public"
    public.mkdir()
    (public / "test_a.py").write_text(tests)
    assert message in refused(tmp_path, SOLUTION.read_text(), public)


# --- the public tests: what a student reads --------------------------------------------------------------------------

MESSAGE = re.compile(r"(.+) is .+, but should be .+ \[.+\]|(.+?)=(.+), ?\n?but should be ?\n?(.+) \[.+\]", re.DOTALL)


@pytest.mark.parametrize("name", public_tests())
def test_public_tests_have_a_title_and_fit_on_a_page(name):
    test = public_tests()[name]
    title = test.__doc__.splitlines()[0]
    function = max((function for function in FUNCTIONS if function in name), key=len)
    assert re.fullmatch(rf"{function}: .+[^.]\.", title)
    assert len(inspect.getsource(test).splitlines()) <= 50


def stand_in(returned):
    """Make a homework whose functions all return the same."""
    return SimpleNamespace(**{name: lambda *args, **kwargs: returned for name in FUNCTIONS})


@pytest.mark.parametrize("name", public_tests())
@pytest.mark.parametrize(
    "garbage",
    [
        None,
        [[1.0]],
        (None, None),
        (None, None, None),
        (np.zeros(3), 0),
        np.zeros(()),
        np.zeros((1, 1, 3, 3, 3)),
        "x",
        2.5,
    ],
    ids=["none", "list", "pair", "triple", "array-pair", "scalar", "dimensions", "text", "float"],
)
def test_garbage_fails_with_a_sentence(name, garbage):
    with pytest.raises(AssertionError) as failure:
        public_tests()[name](stand_in(garbage))
    assert MESSAGE.fullmatch(str(failure.value))


@pytest.mark.parametrize("name", [name for name in public_tests() if not name.endswith("_promises")])
@pytest.mark.parametrize("error", [1.0, 1e-5, np.nan])
def test_wrong_values_are_shown_beside_the_right_ones(name, error):
    def off(result):
        if isinstance(result, tuple):
            return tuple(map(off, result)) if len(result) == 3 else (off(result[0]), result[1])
        return result + error if isinstance(result, np.ndarray) else result + 1

    about = max((function for function in FUNCTIONS if function in name), key=len)
    wrong = SimpleNamespace(**vars(layers))
    setattr(wrong, about, lambda *args, **kwargs: off(getattr(layers, about)(*args, **kwargs)))
    with pytest.raises(AssertionError) as failure:
        public_tests()[name](wrong)
    found = MESSAGE.fullmatch(str(failure.value))
    assert found, str(failure.value)
    assert "shape" not in found[2]
