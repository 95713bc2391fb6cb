"""The hidden tests: each has a title for students, takes what the engine gives, and has cases with what it asks for."""

import ast

import pytest

from autograder.core import config
from autograder.grading import casefile
from autograder.grading.check import Check
from solutions.misconceptions import CATALOGUE
from tests.grader.support import ROOT, rehearsal
from tests.grader.support.slices import smoke

CONFIG = config.load(ROOT / "config.yaml")
HOMEWORK = CONFIG.homework


def functions_of_tests():
    """The hidden tests by name, and their helpers."""
    tests: dict[str, ast.FunctionDef] = {}
    helpers: dict[str, ast.FunctionDef] = {}
    for path in sorted(HOMEWORK.hidden_tests.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                (tests if node.name.startswith("test_") else helpers)[node.name] = node
    return tests, helpers


TESTS, HELPERS = functions_of_tests()
RACES = sorted(CONFIG.speed_tests)
LARGE = [name for name in TESTS if name.endswith("_large")]
WITH_CASES = [name for name in TESTS if name not in (*RACES, *LARGE)]


def group_of(test):
    (decorator,) = TESTS[test].decorator_list
    assert isinstance(decorator, ast.Call)
    assert ast.unparse(decorator.func) == "pytest.mark.cases"
    (argument,) = decorator.args
    return ast.literal_eval(argument)


def attributes_of_case(function):
    """The attributes of `case` that a test asks for, itself or through a helper."""
    names = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "case":
            names.add(node.attr)
        elif isinstance(node, ast.Name) and node.id in HELPERS:
            names |= attributes_of_case(HELPERS[node.id])
    return names - {"id"}


@pytest.mark.parametrize("test", TESTS)
def test_a_title_begins_with_the_function(test):
    title = (ast.get_docstring(TESTS[test]) or "").splitlines()[0]
    assert title.startswith(f"{CONFIG.subject(test)}: ")
    assert title.endswith(".")
    assert len(title) <= 110


@pytest.mark.parametrize("test", TESTS)
def test_a_test_takes_what_the_engine_gives(test):
    taken = [argument.arg for argument in TESTS[test].args.args]
    alone = "race" if test in RACES else "large" if test in LARGE else ""
    assert taken == ([alone] if alone else ["student", "case", "check"])


def test_every_pass_is_timed_by_itself():
    passes = [name for name in HOMEWORK.functions if name.endswith(("forward", "backward"))]
    assert sorted(RACES) == sorted(f"test_{name}_speed" for name in passes)
    assert sum(CONFIG.tests[name].points for name in RACES) == 20


def test_every_function_of_images_has_a_test_of_large_ones():
    assert sorted(LARGE) == sorted(f"test_{name}_large" for name in HOMEWORK.functions if name != "conv_output_size")


@pytest.mark.parametrize("test", smoke(LARGE, {"test_im2col_large", "test_conv2d_forward_large"}))
def test_what_is_wrong_on_images_of_all_sizes_is_not_blamed_on_the_size(test):
    """A mistake of the sides, the border or the padding shows on the smallest image, if it shows on the largest."""
    blamed = []
    for entry in CATALOGUE:
        if entry.function == CONFIG.subject(test) and entry.fails_only != test and entry.hides_on != "apart":
            error = rehearsal.rehearse_large(rehearsal.injected("layers", entry), test)
            blamed += [entry.id] if error is not None and "It is right on small images" in str(error.message) else []
    assert blamed == []


@pytest.mark.parametrize("test", WITH_CASES)
def test_every_case_has_what_the_test_asks_for(test):
    cases = casefile.load(HOMEWORK.fixtures)[group_of(test)]
    wanted = attributes_of_case(TESTS[test])
    assert wanted
    assert {repr(case): wanted - set(case.names) for case in cases if wanted - set(case.names)} == {}


@pytest.mark.parametrize("group", ["conv_output_size", "im2col", "col2im", "conv2d"])
def test_the_case_that_leaves_them_out_means_the_defaults(group):
    (case,) = [case for case in casefile.load(HOMEWORK.fixtures)[group] if case.id in ("plain", "one-image")]
    assert (case.stride, case.padding) == (1, 0)


def test_no_two_tests_have_the_same_name():
    sources = [path.read_text(encoding="utf-8") for path in HOMEWORK.hidden_tests.glob("*.py")]
    assert sum(source.count("\ndef test_") for source in sources) == len(TESTS)


def test_every_group_is_used():
    assert {group_of(test) for test in WITH_CASES} == set(casefile.load(HOMEWORK.fixtures))


def test_every_promise_is_a_check():
    groups = casefile.load(HOMEWORK.fixtures)
    promises = {case.promise for name in groups if name.endswith("_inputs") for case in groups[name]}
    assert promises == {"untouched", "own_memory"}
    assert all(callable(getattr(Check, promise)) for promise in promises)


def test_every_function_has_its_tests():
    for function in HOMEWORK.functions:
        about = {test for test in TESTS if CONFIG.subject(test) == function}
        shapes = {f"test_{function}_{aspect}" for aspect in ("shape", "dtype", "inputs")}
        assert about > shapes or function == "conv_output_size", function


def test_there_are_enough_of_them():
    groups = casefile.load(HOMEWORK.fixtures)
    assert len(TESTS) >= 30
    assert sum(len(groups[group_of(test)]) for test in WITH_CASES) >= 120
