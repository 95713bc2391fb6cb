"""What a test ends in, and what that is worth: exact shares, rounded once, full marks for full marks only."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.core.outcomes import CARRIED, FAULT, PARTLY, PASSED, CaseResult, TestResult, with_stand_in


def result(*outcomes):
    cases = tuple(CaseResult(f"case-{number}", outcome) for number, outcome in enumerate(outcomes))
    return TestResult("test_double", "double: twice the input", "double", cases)


@pytest.mark.parametrize(
    ("outcomes", "outcome"),
    [
        ([PASSED], PASSED),
        ([PASSED, PASSED], PASSED),
        ([PASSED, "wrong"], PARTLY),
        (["timed out", PASSED], PARTLY),
        (["wrong"], "wrong"),
        (["raised", "wrong"], "raised"),
        (["not run", "not run"], "not run"),
        ([FAULT], FAULT),
        ([CARRIED], CARRIED),
        ([PASSED, CARRIED], CARRIED),
        ([CARRIED, "wrong"], PARTLY),
    ],
)
def test_the_outcome_of_a_test(outcomes, outcome):
    assert result(*outcomes).outcome == outcome


@pytest.mark.parametrize(
    ("passed", "cases", "points", "score"),
    [
        (0, 3, "1", "0"),
        (1, 3, "1", "0.33"),
        (2, 3, "1", "0.67"),
        (3, 3, "1", "1"),
        (1, 2, "0.25", "0.13"),  # a half goes up
        (1, 2, "0.5", "0.25"),
        (5, 6, "8", "6.67"),
        (3, 3, "0.125", "0.125"),  # full marks are never rounded
        (199, 200, "1", "0.99"),  # and nothing else becomes full marks
        (1, 2, "0.01", "0"),
        (1, 2, "0.001", "0"),
        (0, 2, "0.001", "0"),
    ],
)
def test_points_are_shared_by_cases(passed, cases, points, score):
    outcomes = [PASSED] * passed + ["wrong"] * (cases - passed)
    assert result(*outcomes).score(Fraction(points)) == Fraction(score)


def test_what_could_not_be_measured_earns_all_points():
    unmeasured = TestResult("test_speed", "", "double", (CaseResult("", "not measured"),))
    assert (unmeasured.outcome, unmeasured.score(Fraction(3))) == ("not measured", Fraction(3))


@pytest.mark.parametrize(
    ("outcomes", "score", "carried"),
    [
        ([CARRIED], "1", "1"),
        ([PASSED, CARRIED], "1", "0.5"),
        ([PASSED, CARRIED, "wrong"], "0.67", "0.34"),  # what it would be without them is 0.33
        ([PASSED, "wrong"], "0.5", "0"),
    ],
)
def test_what_is_carried_counts_in_full_and_apart(outcomes, score, carried):
    test = result(*outcomes)
    assert test.score(Fraction(1)) == Fraction(score)
    assert test.carried_score(Fraction(1)) == Fraction(carried)


def test_with_a_right_function_its_own_tests_pass_and_those_it_is_to_blame_for():
    def case(name, *stand_ins):
        return CaseResult(name, "wrong", stand_ins=stand_ins)

    other = TestResult("test_halve", "", "halve", (case("a", "double"), case("b"), case("c", "double", "add")))
    assert with_stand_in(result("wrong", "raised"), "double").passed == 2
    assert with_stand_in(other, "double").passed == 1
    assert with_stand_in(other, "add").passed == 0


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.fractions(min_value="0.001", max_value=100))
def test_a_score_is_fair(passed, points):
    test = result(*(PASSED if each else "raised" for each in passed))
    score = test.score(points)
    assert 0 <= score <= points
    assert (score == points) == all(passed)
    if score not in (0, points):
        assert (score * 100).denominator == 1
        assert abs(score - points * sum(passed) / len(passed)) <= Fraction(1, 100)
