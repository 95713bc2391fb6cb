"""The extras: model answer, oracle, cases, hidden tests and catalogue, which extras.yaml puts together."""

import ast
import doctest
import functools
import inspect
import re
from contextlib import nullcontext

import numpy as np
import pytest

from autograder.authoring import fixtures, verify
from autograder.core import config, homework
from autograder.core.outcomes import PASSED
from autograder.grading import casefile
from autograder.grading.diagnose import smallest
from autograder.grading.examples import caller_of
from solutions.extras import cases, extras, misconceptions, naive, pictures
from solutions.extras.misconceptions import CATALOGUE, FUNCTIONS, assemble
from solutions.extras.misconceptions.family import family as programs_of
from tests.grader.support import ROOT, rehearsal

CONFIG = config.load(ROOT / "extras.yaml")
HOMEWORK = CONFIG.homework
GROUPS = casefile.load(HOMEWORK.fixtures)
TESTS = {test.name: test for test in homework.all_functions(HOMEWORK.hidden_tests)}
FAMILIES = cases.FAMILIES
OTHER_SEED = 1
TOLERANCE = {"float64": 1e-13, "float32": 1e-5}  # share of the largest magnitude
ENTRIES = pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.id)


def arguments(name, case):
    """What the first function of a family is given in a case, by parameter name; and dout."""
    function = getattr(extras, f"{name}_forward" if FAMILIES[name].gradients else name)
    return {key: getattr(case, key) for key in (*inspect.signature(function).parameters, "dout") if key in case.names}


def results(module, name, given):
    """All results of a family but the cache, by name."""
    family, dout = FAMILIES[name], given.get("dout")
    if not family.gradients:
        return {family.results[0]: getattr(module, name)(**given)}
    *outs, cache = getattr(module, f"{name}_forward")(**{key: given[key] for key in given if key != "dout"})
    gradients = getattr(module, f"{name}_backward")(dout, cache)
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    return dict(zip((*family.results, *family.gradients), (*outs, *gradients), strict=True))


# --- one against the other -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAMILIES)
def test_the_model_answer_agrees_with_the_oracle(name):
    """Cases hold what the oracle returned, and are read-only: who changes an input gets an exception."""
    for case in (*GROUPS[name], *GROUPS[f"{name}_contract"]):
        given = arguments(name, case)
        for result, got in results(extras, name, given).items():
            expected = getattr(case, result)
            assert got.dtype == case.dtype
            assert got.shape == expected.shape
            bound = TOLERANCE[case.dtype] * (np.abs(expected).max(initial=0) or 1.0)
            assert np.abs(got - expected).max(initial=0) <= bound, (case, result)
            assert not any(np.shares_memory(got, one) for one in given.values() if isinstance(one, np.ndarray))


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if family.slopes])
def test_slopes_are_those_of_the_gradients(name):
    for case in GROUPS[f"{name}_slopes"]:
        for result, gradient in results(naive, name, arguments(name, case)).items():
            if result in FAMILIES[name].gradients:
                argument = result[1:]
                directions, slopes = getattr(case, f"directions_{argument}"), getattr(case, f"slopes_{argument}")
                found = directions.reshape(len(directions), -1) @ gradient.reshape(-1)
                assert np.abs(found - slopes).max() <= 0.1 * CONFIG.tolerances.slope * np.abs(slopes).max()


EXACT = ("conv_transpose2d", "conv2d_grouped", "conv1d", "conv3d", "conv2d_as_linear", "conv2d_dx_as_conv")


@pytest.mark.parametrize("name", EXACT)
def test_sums_are_exact_in_any_order(name):
    """With all signs positive, no sum has more units than a float holds."""
    for case in (*GROUPS[name], *GROUPS[f"{name}_contract"]):
        given = {
            key: np.abs(value) if isinstance(value, np.ndarray) else value
            for key, value in arguments(name, case).items()
        }
        x, w, dout = cases.BITS[case.dtype]
        units = {"out": x + w, "dx": w + dout, "dw": x + dout, "db": dout}
        significand = {"float64": 53, "float32": 24}[case.dtype]
        for result, got in results(naive, name, given).items():
            assert got.max() * 2.0 ** units[result] <= 2.0**significand, (case, result)


# --- what students read ----------------------------------------------------------------------------------------------


def test_the_functions_are_those_of_the_configuration():
    assert list(HOMEWORK.functions) == list(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_docstrings_teach_and_signatures_are_those_of_the_oracle(name):
    documented = inspect.getdoc(getattr(extras, name)) or ""
    headings = ["Parameters", "Returns", "References", "Examples"]
    places = [documented.find(f"\n{heading}\n{'-' * len(heading)}\n") for heading in headings]
    assert min(places) > 0
    assert places == sorted(places)
    mine, its = (inspect.signature(getattr(module, name)).parameters.values() for module in (extras, naive))
    assert [(one.name, one.default) for one in mine] == [(one.name, one.default) for one in its]
    for parameter in mine:
        assert re.search(rf"\b{parameter.name}\b.* : ", documented[places[0] : places[1]]), parameter


def test_docstring_examples_hold():
    outcome = doctest.testmod(extras)
    assert outcome.failed == 0
    assert outcome.attempted >= len(FUNCTIONS)


def test_the_handout_has_a_picture_for_every_question():
    handout = (HOMEWORK.solution.parent / "handout" / "README.md").read_text(encoding="utf-8")
    drawn = pictures.draw()
    assert sorted(re.findall(r"\(pictures/(\w+\.svg)\)", handout)) == sorted(drawn)
    assert all(f"`{name}" in handout or f"`{name}_forward" in handout for name in FAMILIES)
    for name, text in drawn.items():
        assert text.startswith("<svg "), name


# --- cases and hidden tests ------------------------------------------------------------------------------------------


def test_the_fixtures_are_up_to_date(tmp_path):
    fixtures.make_fixtures(CONFIG.fixtures.seed, HOMEWORK.cases, HOMEWORK.oracle, tmp_path / "fixtures")
    kept, new = (
        {path.name: path.read_bytes() for path in at.iterdir()} for at in (HOMEWORK.fixtures, tmp_path / "fixtures")
    )
    assert kept.keys() == new.keys()
    assert [name for name in new if kept[name] != new[name]] == [], "run `make fixtures CONFIG=extras.yaml`"


def test_every_test_has_a_title_and_a_group_of_cases():
    for test in TESTS.values():
        assert test.title.startswith(f"{CONFIG.subject(test.name)}: "), test.name
        assert len(test.title) < 110, test.name
        assert test.arguments == ("student", "case", "check")
    assert {test.cases for test in TESTS.values()} == set(GROUPS)


def test_every_function_has_its_tests():
    for function in FUNCTIONS:
        aspects = {"_example", "_shape", "_promises", *(["_slopes"] if "backward" in function else [])}
        about = {name for name in CONFIG.tests if CONFIG.subject(name) == function}
        assert {f"test_{function}{aspect}" for aspect in aspects} < about


def test_default_values_are_left_out_somewhere():
    for name, family in FAMILIES.items():
        function = getattr(extras, f"{name}_forward" if family.gradients else name)
        if any(one.default is not one.empty for one in inspect.signature(function).parameters.values()):
            assert any("defaults" in case.id for case in GROUPS[name]), name


# --- the catalogue ---------------------------------------------------------------------------------------------------


def test_every_function_can_go_wrong():
    assert len(CATALOGUE) >= 30
    assert {entry.function for entry in CATALOGUE} == set(FUNCTIONS)


@ENTRIES
def test_ids_are_words_and_hints_are_short(entry):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", entry.id)
    assert [one.id for one in CATALOGUE].count(entry.id) == 1
    assert re.fullmatch(r"[A-Z][A-Za-z0-9 ,:;'-]+\.( [A-Z][A-Za-z0-9 ,:;'-]+\.)?", entry.hint), entry.hint
    assert 30 <= len(entry.hint) <= 300
    assert not entry.fails_only or entry.function in entry.fails_only in CONFIG.tests


def test_assembled_functions_are_right_without_a_mistake():
    right = assemble()
    (case,) = [case for case in GROUPS["conv_transpose2d"] if case.id == "defaults"]
    assert np.array_equal(right["conv_transpose2d_forward"](case.x, case.w, case.b)[0], case.out)


def test_right_solutions_say_what_is_odd_about_them():
    odd = sorted((ROOT / "tests" / "extras" / "correct").glob("*/extras.py"))
    assert len(odd) == 6
    for path in odd:
        source = path.read_text(encoding="utf-8")
        assert (ast.get_docstring(ast.parse(source)) or "").startswith("Odd: "), path
        assert all(re.search(rf"^(def )?{name}\b", source, re.MULTILINE) for name in FUNCTIONS), path


# --- rehearsed: the hidden tests in this process, without the sandbox ------------------------------------------------


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory):
    """Return what runs the hidden tests of the extras on inputs of another seed, and says how each ended."""
    folder = tmp_path_factory.mktemp("drawn") / "fixtures"
    fixtures.make_fixtures(OTHER_SEED, HOMEWORK.cases, HOMEWORK.oracle, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rehearsal, "SETTINGS", CONFIG)
        patch.setattr(rehearsal, "CASES", casefile.load(folder))
        patch.setattr(rehearsal, "TOLERANCES", CONFIG.tolerances.model_dump())
        patch.setattr(rehearsal, "hidden_tests", functools.cache(rehearsal.hidden_tests.__wrapped__))
        yield lambda functions: list(rehearsal.rehearse(functions, knowledge=misconceptions))


@pytest.mark.heavy
def test_every_mistake_is_noticed_where_it_should_be_and_named(rehearsed):
    assert all(case.outcome == PASSED for record in rehearsed(assemble) for case in record.cases)
    for entry in CATALOGUE:
        records = rehearsed(lambda entry=entry: assemble([entry]))
        fell = {one.name for one in records if any(case.outcome not in (PASSED, "not run") for case in one.cases)}
        assert fell, entry.id
        own = {test for test in fell if CONFIG.subject(test) == entry.function}
        assert fell == own & ({entry.fails_only} if entry.fails_only else fell), entry.id
        assert {one.diagnosis.id for one in records if one.diagnosis is not None} == {entry.id}


@pytest.mark.heavy
def test_nearly_every_mistake_has_a_small_example_and_right_functions_have_none():
    right, others = caller(assemble()), []
    for function in FUNCTIONS:
        assert not has_example(function, caller(assemble()), right), function
    for entry in CATALOGUE:
        if not has_example(entry.function, caller(assemble([entry]), entry.function), right):
            others.append(entry.id)
    assert len(others) <= 0.05 * len(CATALOGUE), others


def has_example(function, student, right):
    found = (smallest.shown(function, program, student, right, (1e-10, 1e-4)) for program in programs_of(function))
    return any(isinstance(one, smallest.Example) for one in found)


def caller(functions, inspected=""):
    return caller_of(rehearsal.Proxy(functions), HOMEWORK.functions, inspected)


# --- graded ----------------------------------------------------------------------------------------------------------


@pytest.mark.heavy
def test_right_answers_get_all_points_and_the_starter_none(tmp_path):
    """In the sandbox. Wrong answers are rehearsed above; `make verify CONFIG=extras.yaml` takes minutes for them."""
    settings = HOMEWORK.model_copy(update={"misconceptions": None})
    path = verify.without_speed(CONFIG.model_copy(update={"homework": settings}), tmp_path)
    report = verify.verify(path, tmp_path / "graded", 2, lambda _: nullcontext(Silent()))
    assert report.problems == ()
    assert report.graded == {"model answer": 1, "starter": 1, "correct": 6}


class Silent:
    """Shows no progress."""

    def graded(self, *_):
        pass

    tested = graded
