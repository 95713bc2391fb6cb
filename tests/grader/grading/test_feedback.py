"""What a student reads about a result, word for word."""

import dataclasses
from fractions import Fraction

import pytest

from autograder.core.outcomes import PASSED, CaseResult, Diagnosis, TestResult
from autograder.grading import feedback
from autograder.grading.diagnose.smallest import Example
from autograder.grading.feedback import HINT, VALUES, VERDICT
from autograder.grading.overview import by_test, mistakes, references, summary

FUNCTIONS = ("double", "halve", "unhalve")

WHAT_HIDDEN_TESTS_TELL = (
    "Hidden tests say what kind of mistake they found and where, but not which inputs they used. "
    "A pass means only that no mistake showed on those inputs."
)


def text_under(result, level, known=()):
    return feedback.test_output(result, level, dict(known), {})


def judged(*cases, name="test_double", subject="double"):
    return TestResult(name, f"{subject}: a title", subject, tuple(cases))


def passed(case=""):
    return CaseResult(case, PASSED)


def wrong(case="", message="y.shape=(1,), but should be (2,)", values="", function="double"):
    return CaseResult(case, "wrong", message, function, values)


def not_run(case="", message="needs halve, which raised an exception", function="halve", blocked=True):
    return CaseResult(case, "not run", message, function, blocked=blocked)


# Under one test.


def test_all_is_well():
    assert text_under(judged(passed()), HINT) == "Passed."
    assert text_under(judged(passed("a"), passed("b")), VERDICT) == "Passed in both cases."
    assert text_under(judged(passed("a"), passed("b"), passed("c")), VERDICT) == "Passed in all 3 cases."


def test_one_failure_without_cases():
    assert text_under(judged(wrong()), HINT) == "y.shape=(1,), but should be (2,) [double]"
    assert text_under(judged(wrong()), VERDICT) == "Failed."


def test_cases_with_the_same_failure_are_named_once():
    result = judged(passed("a"), wrong("tall-kernel"), wrong("one"))
    expected = "1 of 3 cases passed.\ny.shape=(1,), but should be (2,) [double, tall-kernel, one]"
    assert text_under(result, HINT) == expected
    assert text_under(result, VERDICT) == "1 of 3 cases passed."


def test_a_message_that_ends_in_a_bracket_gets_its_place_as_well():
    case = wrong("one", "y differs in 1 of 2 entries, first at [0]", "y[0]=1, but should be 2")
    assert text_under(judged(case), HINT) == "y differs in 1 of 2 entries, first at [0] [double, one]"


def test_values_are_shown_where_they_may_be():
    case = wrong("one", "y differs in 1 of 2 entries, first at [0]", "y[0]=1, but should be 2")
    shown = "y differs in 1 of 2 entries, first at [0] [double, one]\ny[0]=1, but should be 2"
    assert text_under(judged(case), VALUES) == shown
    for level in (HINT, VERDICT):
        assert "should be 2" not in text_under(judged(case), level)


def test_a_public_test_speaks_for_itself():
    case = wrong(message="y=3,\nbut should be 2 [double, by hand]", function="")
    assert text_under(judged(case), VALUES) == "y=3,\nbut should be 2 [double, by hand]"


@pytest.mark.parametrize(("count", "ending"), [(4, "c0, c1, c2, c3]"), (5, "c0, c1, c2, c3, 1 more]")])
def test_long_lists_of_cases_are_counted(count, ending):
    text = text_under(judged(*(wrong(f"c{number}") for number in range(count))), HINT)
    assert text == f"0 of {count} cases passed.\ny.shape=(1,), but should be (2,) [double, {ending}"


def test_many_different_failures_are_counted():
    cases = [wrong(f"c{number}", f"message {number // 2}") for number in range(13)]
    assert text_under(judged(*cases), HINT).splitlines() == [
        "0 of 13 cases passed.",
        *(f"message {number} [double, c{2 * number}, c{2 * number + 1}]" for number in range(5)),
        "… and 3 more did not pass.",
    ]


def test_what_could_not_be_tried_says_what_to_repair_first():
    expected = "Not run: needs halve, which raised an exception.\nRepair that first; this function may be fine."
    for level in (VALUES, HINT, VERDICT):
        assert text_under(judged(not_run("a"), not_run("b")), level) == expected


def test_every_reason_is_given_once():
    used_up = not_run("b", "the 60 s for the whole submission were used up", "double", blocked=False)
    result = judged(not_run("a"), used_up, not_run("c"))
    assert text_under(result, HINT).splitlines() == [
        "Not run: needs halve, which raised an exception.",
        "Not run: the 60 s for the whole submission were used up.",
    ]


def test_some_cases_could_not_be_tried():
    assert text_under(judged(passed("a"), wrong("b"), not_run("c")), HINT).splitlines() == [
        "1 of 3 cases passed.",
        "y.shape=(1,), but should be (2,) [double, b]",
        "Not run: needs halve, which raised an exception. [halve, c]",
    ]


# On top of all tests.


def top(*results, defined=FUNCTIONS, notes=()):
    return summary("toy.py", FUNCTIONS, defined, notes, results).splitlines()


DOUBLE, HALVE, UNHALVE = (judged(passed(), name=f"test_{name}", subject=name) for name in FUNCTIONS)


def test_full_marks():
    assert top(DOUBLE, HALVE, UNHALVE) == ["Found toy.py; 3 of 3 functions defined.", "Every test passed."]


EXAMPLE = Example("double", 1, "x = np.array([1.0])\ny = double(x)", "y is\n    [3]\nbut should be\n    [2]", 0, 1)
POINTS = {"test_double": Fraction(3), "test_halve": Fraction(2), "test_unhalve": Fraction(1, 2)}


def paragraphs(*results, examples=()):
    """Return what is on top of these results, with all that is known about them."""
    found = mistakes(FUNCTIONS, results, dict(examples), POINTS)
    return summary("toy.py", FUNCTIONS, FUNCTIONS, (), results, found, POINTS).split("\n\n")


def test_mistakes_come_first_and_can_be_pasted():
    broken = judged(wrong(), name="test_double", subject="double")
    _, mistake, rest = paragraphs(broken, HALVE, examples={"double": EXAMPLE})
    assert mistake.splitlines() == [
        "Mistake 1, in double (costs 3 points; fails 1 of its tests).",
        "The smallest input that shows it, to paste into the notebook:",
        "    x = np.array([1.0])",
        "    y = double(x)",
        "y is",
        "    [3]",
        "but should be",
        "    [2]",
    ]
    assert rest.splitlines() == [
        "All tests passed for: halve.",
        "Look at double: nothing else lost points.",
        WHAT_HIDDEN_TESTS_TELL,
        "Points:",
        "    double   0 of 3",
        "    halve    2 of 2",
    ]


def because(function, hint, subject, *others):
    known = ((function, hint), *others)
    found = Diagnosis("known", f"This comes from {function}. {hint}", known=known)
    return TestResult(f"test_{subject}", "a title", subject, (wrong(function=subject),), diagnosis=found)


def test_a_mistake_that_shows_in_two_functions_is_named_once():
    own, later = because("double", "It is tripled.", "double"), because("double", "It is tripled.", "unhalve")
    examples = {"double": EXAMPLE, "unhalve": EXAMPLE}
    _, mistake, _ = paragraphs(own, HALVE, later, examples=examples)
    assert mistake.splitlines()[:2] == [
        "Mistake 1, in double (costs 3.5 points; fails 1 of its tests, and 1 of later functions).",
        "It is tripled.",
    ]
    found = references(mistakes(FUNCTIONS, [own, later], examples, POINTS))
    assert text_under(later, HINT, found).splitlines()[1] == "As above: mistake 1, in double."
    assert text_under(later, HINT).splitlines()[1] == "Hint: This comes from double. It is tripled."


def test_two_mistakes_that_meet_are_both_named():
    second = ("halve", "It is not halved.")
    both = because("double", "It is tripled.", "unhalve", second)
    _, first, other, _ = paragraphs(because(*second, "halve"), both)
    assert first.startswith("Mistake 1, in double (costs 0.5 points; fails 0 of its tests, and 1 of later functions).")
    assert other.startswith("Mistake 2, in halve (costs 2 points; fails 1 of its tests, and 1 of later functions).")
    found = references(mistakes(FUNCTIONS, [because(*second, "halve"), both]))
    assert text_under(both, HINT, found).splitlines()[1] == "As above: mistakes 1 and 2 meet here."


def test_what_waits_for_a_function_is_a_cost_of_its_mistake():
    broken = judged(wrong(function="halve"), name="test_halve", subject="halve")
    waiting = judged(not_run(), name="test_unhalve", subject="unhalve")
    _, mistake, _ = paragraphs(DOUBLE, broken, waiting, examples={"halve": EXAMPLE})
    assert mistake.startswith("Mistake 1, in halve (costs 2.5 points; fails 1 of its tests, and 1 of later functions).")


def test_what_only_has_a_wrong_dtype_is_not_blamed_for_wrong_values():
    slip = CaseResult("", "wrong", "y.dtype=float64", "double", detail={"kind": "dtype"})
    found = Diagnosis("float64", "It is float64.", known=(("double", "It is float64."),))
    dtype = TestResult("test_double_dtype", "a title", "double", (slip,), diagnosis=found)
    one, other = mistakes(FUNCTIONS, [judged(wrong()), dtype], {"double": EXAMPLE}, {**POINTS, dtype.name: Fraction(1)})
    assert (one.hint, one.example, one.cost, one.own) == ("", EXAMPLE, Fraction(3), 1)
    assert (other.hint, other.example, other.cost, other.own) == ("It is float64.", None, Fraction(1), 1)
    (alone,) = mistakes(FUNCTIONS, [dtype], {"double": EXAMPLE})
    assert (alone.hint, alone.example) == ("It is float64.", EXAMPLE)


def not_timed(function="halve"):
    message = f"{function} was not timed: y has wrong values on larger inputs"
    return judged(wrong(message=message, function=function), name=f"test_{function}_speed", subject=function)


def test_a_wrong_result_in_a_speed_test_refers_to_the_mistake():
    own = because("halve", "It doubles.", "halve")
    found = mistakes(FUNCTIONS, [own, not_timed()])
    (one,) = found
    assert (one.own, one.tests) == (2, (own.name, "test_halve_speed"))
    assert feedback.test_output(not_timed(), HINT, references(found), by_test(found)).splitlines() == [
        "halve was not timed: y has wrong values on larger inputs [halve]",
        "See mistake 1, in halve.",
    ]
    assert feedback.test_output(not_timed(), VERDICT, references(found), by_test(found)) == "Failed."


def test_a_speed_test_that_an_earlier_function_spoils_refers_to_that():
    earlier = because("double", "It triples.", "double")
    carried = judged(CaseResult("", "carried", "", "halve", stand_ins=("double",)), name="test_halve", subject="halve")
    found = mistakes(FUNCTIONS, [earlier, carried, not_timed()])
    (one,) = found
    assert (one.function, one.own, one.later) == ("double", 1, 2)
    assert by_test(found)["test_halve_speed"] == "mistake 1, in double"


def test_without_a_hint_the_top_says_what_was_seen():
    seen = dataclasses.replace(
        judged(wrong()),
        diagnosis=Diagnosis("a", "", ("y is shifted by 1 row down.", "More."), "", 0.0, (("double", ""),)),
    )
    assert paragraphs(seen)[1].splitlines()[1:] == ["y is shifted by 1 row down."]


def test_what_is_true_of_one_case_is_not_said_above_an_example():
    note = "y holds all the right values, but in other places (in the case tall)."
    said = Diagnosis("a", "", (note,), "", 0.0, (("double", ""),), of_one_case=True)
    seen = dataclasses.replace(judged(wrong()), diagnosis=said)
    assert [one.seen for one in mistakes(FUNCTIONS, [seen])] == [note]
    assert [one.seen for one in mistakes(FUNCTIONS, [seen], {"double": EXAMPLE})] == [""]
    general = dataclasses.replace(said, notes=("y is shifted by 1 row down.",), of_one_case=False)
    both = [seen, dataclasses.replace(seen, diagnosis=general)]
    assert [one.seen for one in mistakes(FUNCTIONS, both, {"double": EXAMPLE})] == ["y is shifted by 1 row down."]
    assert note in text_under(seen, HINT)


def test_correctness_comes_before_speed():
    slow = CaseResult("", "too slow", "double takes long", "double")
    broken = judged(wrong(), name="test_halve", subject="halve")
    assert top(judged(slow), broken)[1:3] == [
        "Look at halve first: it comes earliest, and later functions may build on it.",
        "Right, but too slow: double. First repair what is wrong.",
    ]
    assert top(judged(slow), HALVE)[2] == "Right, but too slow: double."


def test_what_the_other_function_did_is_said_within_bounds():
    case = CaseResult("a", "not run", "needs halve, which raised an exception", "halve", blocked=True)
    case = dataclasses.replace(case, because=f"halve(x) raised {'p' * 300}", quoted="p" * 300)
    assert text_under(judged(case, case), HINT).splitlines() == [
        f"Not run: needs halve, which raised an exception: halve(x) raised {'p' * 199}….",
        "Repair that first; this function may be fine.",
    ]
    assert "raised p" not in text_under(judged(case), VERDICT)


def test_what_needs_a_function_that_is_right_is_sent_to_the_mistake():
    """Forward raises because of a function before it: repairing forward would not help."""
    blocked, lost = not_run(), not_run(message="unhalve passes no other test", function="unhalve", blocked=False)
    behind = {"test_unhalve": "mistake 1, in double"}
    for case in (blocked, lost):
        text = feedback.test_output(judged(case, name="test_unhalve", subject="unhalve"), HINT, {}, behind)
        assert text.splitlines()[1:] == ["See mistake 1, in double; this function may be fine."]
    behind = {"test_unhalve": "mistake 1, in halve"}
    text = feedback.test_output(judged(blocked, name="test_unhalve", subject="unhalve"), HINT, {}, behind)
    assert text.splitlines()[1:] == ["Repair that first; this function may be fine."]


def test_an_exception_because_of_an_earlier_function_refers_to_that():
    raised = judged(CaseResult("", "raised", "halve(x) raised ValueError", "halve"), name="test_halve", subject="halve")
    said = feedback.test_output(raised, HINT, {}, {"test_halve": "mistake 1, in double"})
    assert said.splitlines()[1:] == ["See mistake 1, in double."]
    assert "See" not in feedback.test_output(raised, HINT, {}, {"test_halve": "mistake 1, in halve"})


def test_where_to_look_first():
    broken = judged(wrong(), name="test_halve", subject="halve")
    later = judged(not_run(), name="test_unhalve", subject="unhalve")
    assert top(DOUBLE, broken, later, defined=("double", "halve")) == [
        "Found toy.py; 2 of 3 functions defined (missing: unhalve).",
        "All tests passed for: double.",
        "Look at halve first: it comes earliest, and later functions may build on it.",
        "Not judged, since something they need does not work: unhalve.",
        WHAT_HIDDEN_TESTS_TELL,
    ]


def test_half_a_function_does_not_work():
    broken = judged(passed("a"), wrong("b"), name="test_double_more")
    assert top(DOUBLE, broken) == [
        "Found toy.py; 3 of 3 functions defined.",
        "Look at double: nothing else lost points.",
        WHAT_HIDDEN_TESTS_TELL,
    ]


def test_nothing_is_defined():
    assert top(judged(wrong()), defined=())[0] == "Found toy.py; 0 of 3 functions defined."


def test_what_is_still_to_be_written_is_said():
    """A function that raises NotImplementedError in some cases only was begun."""
    nothing = [CaseResult(case, "raised", "…", "double", detail={"exception": "NotImplementedError"}) for case in "ab"]
    blocked = CaseResult("a", "not run", "needs double", "double", blocked=True)
    later = judged(blocked, name="test_halve", subject="halve")
    assert top(judged(*nothing), later)[0] == "Found toy.py; 3 of 3 functions defined; still to be written: double."
    assert top(judged(nothing[0], dataclasses.replace(nothing[1], outcome="passed", detail={})))[0] == (
        "Found toy.py; 3 of 3 functions defined."
    )


def test_notes_come_after_what_was_found():
    assert top(DOUBLE, notes=["ann.py was taken as toy.py."]) == [
        "Found toy.py; 3 of 3 functions defined.",
        "ann.py was taken as toy.py.",
        "Every test passed.",
    ]


def test_a_submission_that_cannot_be_used():
    assert top(DOUBLE, defined=None, notes=["toy.py could not be imported: ValueError"]) == [
        "toy.py could not be imported: ValueError"
    ]


def test_a_failure_that_is_about_no_function_is_a_failure():
    other = judged(wrong(), name="test_style", subject=None)
    assert top(other) == ["Found toy.py; 3 of 3 functions defined."]
    assert top(DOUBLE, other) == ["Found toy.py; 3 of 3 functions defined."]


# What is known of the mistakes.


def test_cases_that_failed_in_the_same_way_are_told_once():
    cases = [
        CaseResult(f"c{number}", "wrong", f"y.shape=({number},), but should be (9,)", "double", group="shape y")
        for number in range(1, 8)
    ]
    assert text_under(judged(passed("a"), *cases), HINT).splitlines() == [
        "1 of 8 cases passed.",
        "y.shape=(1,), but should be (9,) [double, c1; likewise c2, c3, c4, c5, 2 more]",
    ]


def explained(**diagnosis):
    return TestResult("test_double", "double: a title", "double", (wrong(),), diagnosis=Diagnosis("known", **diagnosis))


def test_a_hint_comes_before_notes_and_a_map():
    text = text_under(explained(hint="y has the shape of x.", notes=("All zeros.",), map="x.\n.x"), HINT)
    assert text.splitlines() == [
        "y.shape=(1,), but should be (2,) [double]",
        "Hint: y has the shape of x.",
        "All zeros.",
        "x.",
        ".x",
    ]
    assert text_under(explained(), HINT) == "y.shape=(1,), but should be (2,) [double]"


def test_a_verdict_tells_no_hint():
    assert text_under(explained(hint="y has the shape of x."), VERDICT) == "Failed."


def test_what_a_student_s_code_writes_is_bounded_where_inputs_are_hidden():
    """It is given the inputs, so it could write them down for its author to read."""
    cases = [
        CaseResult(f"c{number}", "raised", f"double raised {number * 150}", "double", quoted=f"{number * 150}")
        for number in ("p", "q", "r")
    ]
    text = text_under(judged(*cases), HINT)
    assert text.splitlines() == [
        "0 of 3 cases passed.",
        f"double raised {'p' * 150} [double, cp]",
        f"double raised {'q' * 49}… [double, cq]",
        "double raised … [double, cr]",
    ]
    assert sum(text.count(letter * 150) for letter in "pqr") == 1
    assert sum(text_under(judged(*cases), VALUES).count(letter * 150) for letter in "pqr") == 3


def test_what_there_was_no_time_for_is_not_blamed_on_another():
    late = judged(not_run("a", "the 60 s for the whole submission were used up", "unhalve"), subject="unhalve")
    assert top(DOUBLE, late)[1] == "Not judged, as their tests explain: unhalve."


def test_what_was_not_reached_is_not_called_broken():
    broken = judged(wrong(), name="test_halve", subject="halve")
    unreached = judged(passed("a"), not_run("b"), name="test_unhalve", subject="unhalve")
    assert top(DOUBLE, broken, unreached)[1:4] == [
        "All tests passed for: double.",
        "Look at halve first: it comes earliest, and later functions may build on it.",
        "Some tests were not run, and say why, for: unhalve.",
    ]
