"""What a student reads about a result. Pure: outcomes in, text out, the same text for the same outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType

from autograder.core.outcomes import CARRIED, PASSED, CaseResult, Diagnosis, TestResult
from autograder.grading.compare import Foreign
from autograder.grading.diagnose.smallest import Example
from autograder.grading.steps import OBJECTS, PIXELS, ROWS, UNKNOWN

SHOWN_GROUPS = 5
"""How many different messages one test shows; the rest are counted."""

SHOWN_CASES = 4
"""How many cases are named after a message that is true of all of them."""

MOST_QUOTED = 200
"""How many characters written by a student's code (exceptions, what it returned) one hidden test repeats. The code
knows the inputs of the test, so its text may contain them."""

VALUES, HINT, VERDICT = "values", "hint", "verdict"
"""How much a test tells: got and expected; what kind of mistake and where; passed or failed only."""


def test_output(result: TestResult, feedback: str) -> str:
    """Return the text under one test.

    Parameters
    ----------
    result : TestResult
    feedback : str
        ``values``, ``hint`` or ``verdict``.
    """
    failing = [case for case in result.cases if case.outcome not in (PASSED, CARRIED)]
    carried = [case for case in result.cases if case.outcome == CARRIED]
    if carried and not failing:
        return _carried(carried, len(result.cases))
    if not failing:
        counted = {1: "", 2: " in both cases"}.get(len(result.cases), f" in all {len(result.cases)} cases")
        return f"Passed{counted}."
    explained = [case for case in failing if case.stand_ins]
    if all(case.outcome == "not run" for case in result.cases) and not explained:
        reasons = dict.fromkeys(f"Not run: {case.message}." for case in failing)
        repair = ["Repair that first; this function may be fine."] if all(case.blocked for case in failing) else []
        return "\n".join([*reasons, *repair])
    lines = [] if len(result.cases) == 1 else [f"{result.passed} of {len(result.cases)} cases passed."]
    if feedback == VERDICT:
        return lines[0] if lines else "Failed."
    lines += [_carried(carried, len(result.cases))] if carried else []
    lines += [f"With a right {_names(cases)} {_of_cases(cases, len(result.cases))}." for cases in _by_roots(explained)]
    groups: dict[str, list[CaseResult]] = {}
    for case in failing:
        groups.setdefault(case.group or _case_text(case, feedback), []).append(case)
    allowance = MOST_QUOTED
    for cases in list(groups.values())[:SHOWN_GROUPS]:
        text, first = _case_text(cases[0], feedback), cases[0]
        if feedback != VALUES and first.quoted:
            quoted = first.quoted
            if len(quoted) > allowance:
                quoted = f"{quoted[: max(allowance - 1, 0)]}…"
                text = text.replace(first.quoted, quoted)
            allowance -= len(quoted)
        lines.append(_group_text(text, cases, feedback))
    if len(groups) > SHOWN_GROUPS:
        lines.append(f"… and {sum(map(len, list(groups.values())[SHOWN_GROUPS:]))} more did not pass.")
    return "\n".join([*lines, *_explained(result.diagnosis)])


def summary(
    file: str,
    functions: Sequence[str],
    defined: Sequence[str] | None,
    notes: Sequence[str],
    results: Sequence[TestResult],
    examples: Mapping[str, Example] = MappingProxyType({}),
) -> str:
    """Return the text on top of a result: what was found, what works, and what to look at first.

    Parameters
    ----------
    file : str
        The required file.
    functions : sequence of str
        What the assignment asks for, in its order.
    defined : sequence of str or None
        What the file defines of them; None if it could not be used at all.
    notes : sequence of str
        Sentences about what was handed in, or why it cannot be used.
    results : sequence of TestResult
    examples : mapping of str to Example
        The smallest example for each function that is at fault.
    """
    if defined is None:
        return "\n".join(notes)
    missing = [name for name in functions if name not in defined]
    found = f"Found {file}; {len(defined)} of {len(functions)} functions defined"
    lines = [found + (f" (missing: {', '.join(missing)})." if missing and defined else "."), *notes]
    for number, (function, example) in enumerate(examples.items(), start=1):
        lines += ["", _mistake(number, function, results), _example(example)]
    lines += [""] if examples else []
    lost = {name: [r for r in results if r.subject == name and r.earned < 1] for name in functions}
    broken = [name for name in functions if not all(map(_not_run, lost[name]))]
    carried = [name for name in functions if any(r.subject == name and r.carried for r in results)]
    working = [name for name in functions if not lost[name] and any(r.subject == name for r in results)]
    working = [name for name in working if name not in carried]
    unreached = [name for name in functions if lost[name] and name not in broken]
    waiting = [name for name in unreached if any(_waits(case, name) for result in lost[name] for case in result.cases)]
    late = [name for name in unreached if name not in waiting]
    if results and all(result.outcome == PASSED for result in results):
        lines.append("Every test passed.")
    if broken and working:
        lines.append(f"All tests passed for: {', '.join(working)}.")
    if carried:
        lines.append(f"Some tests fail only because of an earlier function, for: {', '.join(carried)}.")
    if len(broken) == 1 and not unreached:
        lines.append(f"Look at {broken[0]}: nothing else lost points.")
    elif broken:
        lines.append(f"Look at {broken[0]} first: it comes earliest, and later functions may build on it.")
    if waiting:
        lines.append(f"Not judged, since something they need does not work: {', '.join(waiting)}.")
    if late:
        lines.append(f"Not judged, as their tests explain: {', '.join(late)}.")
    if broken:
        lines.append(
            "Hidden tests say what kind of mistake they found and where, but not which inputs they used. "
            "A pass means only that no mistake showed on those inputs."
        )
    return "\n".join(lines)


def _carried(cases: Sequence[CaseResult], number: int) -> str:
    """Say which functions are to blame for cases that get their points all the same."""
    said = [f"Carried: with a right {_names(same)} {_of_cases(same, number)}." for same in _by_roots(cases)]
    return "\n".join([*said, "They get their points: the mistake is paid for where it was made."])


def _by_roots(cases: Sequence[CaseResult]) -> list[list[CaseResult]]:
    groups: dict[tuple[str, ...], list[CaseResult]] = {}
    for case in cases:
        groups.setdefault(case.stand_ins, []).append(case)
    return list(groups.values())


def _names(cases: Sequence[CaseResult]) -> str:
    return " and ".join(cases[0].stand_ins)


def _of_cases(cases: Sequence[CaseResult], number: int) -> str:
    return "this passes" if number == 1 else f"{len(cases)} of {number} cases pass that fail with yours"


def follow_through(
    score: Fraction, carried: Fraction, total: Fraction, with_right: Mapping[str, Fraction]
) -> list[str]:
    """Say how much of a score is carried, and what one would have with a right function.

    Parameters
    ----------
    score, carried, total : Fraction
        Of the tests that a student sees: the points, the carried points among them, and all possible points.
    with_right : mapping of str to Fraction
        The points if this function were right. Speed tests are not run again, so it may be more.
    """
    lines = []
    if carried:
        own = f"{float(score - carried):g} + {float(carried):g} carried"
        lines.append(f"{own}: tests that fail only because of an earlier function get their points.")
    for function, points in with_right.items():
        if points > score:
            lines.append(f"With a right {function} you would have at least {float(points):g} of {float(total):g}.")
    return lines


def _mistake(number: int, function: str, results: Sequence[TestResult]) -> str:
    """Name a mistake: by the first hint about its function, if there is one, and how many tests it costs points."""
    failed = [result for result in results if result.subject == function and result.earned < 1]
    others = sum(any(function in case.stand_ins for case in result.cases) for result in results)
    hints = [result.diagnosis.hint for result in failed if result.diagnosis is not None and result.diagnosis.hint]
    own = [hint for hint in hints if not hint.startswith(("This comes from", "Two mistakes meet"))] or hints
    tests = f"{len(failed)} of its tests" + (f", and {others} of later functions" if others else "")
    said = [f"Mistake {number}, in {function} (fails {tests}).", *own[:1]]
    return "\n".join([*said, "The smallest input that shows it, to paste into the notebook:"])


def _example(example: Example) -> str:
    """Return code to paste, and its result."""
    return "\n".join([*(f"    {line}" for line in example.code.split("\n")), example.said])


def _not_run(result: TestResult) -> bool:
    """Whether a test lost its points only because cases could not be run."""
    return all(case.outcome in (PASSED, "not run") for case in result.cases)


def _waits(case: CaseResult, name: str) -> bool:
    """Whether a case about the function `name` was not run because of another one."""
    return case.outcome == "not run" and case.function != name


def _explained(diagnosis: Diagnosis | None) -> list[str]:
    """Describe wrong results: first the hint, which is certain, then what was observed."""
    if diagnosis is None:
        return []
    hint = [f"Hint: {diagnosis.hint}"] if diagnosis.hint else []
    return [*hint, *diagnosis.notes, *([diagnosis.map] if diagnosis.map else [])]


def _case_text(case: CaseResult, feedback: str) -> str:
    text = f"Not run: {case.message}." if case.outcome == "not run" else case.message
    return f"{text}\n{case.values}" if feedback == VALUES and case.values else text


def _group_text(text: str, cases: Sequence[CaseResult], feedback: str) -> str:
    """Add the cases to a message: ``dx.shape=…, but should be … [conv2d_backward, tall-kernel]``.

    For the first cases the message is true word for word; the others, after "likewise", failed in the same way.
    """
    same = [case for case in cases if _case_text(case, feedback) == _case_text(cases[0], feedback)]
    named = [case.case for case in same if case.case]
    others = [case.case for case in cases if case not in same]
    shown = _counted(named)
    place = ", ".join([cases[0].function, *shown] if cases[0].function else shown)
    place += f"; likewise {', '.join(_counted(others))}" if others else ""
    if not place:  # a public test has said it in its own words
        return text
    first, *rest = text.split("\n")
    return "\n".join([f"{first} [{place}]", *rest])


def _counted(names: Sequence[str]) -> list[str]:
    return [*names[:SHOWN_CASES], *([f"{len(names) - SHOWN_CASES} more"] if len(names) > SHOWN_CASES else [])]


# --- Words for what the plugin finds -------------------------------------------------------------------------------

OF_NO_USE = {
    "wrong": "returned something that this test cannot use",
    "raised": "raised an exception",
    "crashed": "ended its process",
    "timed out": "did not return in time",
    "out of memory": "ran out of memory",
    "malformed reply": "sent something that is not a reply",
}
"""Why a test could not use a function that it needs."""

NOT_MEASURED = "The processor time of another process cannot be read on this machine: not measured, full points"


def too_slow(function: str, at_most: float, kind: str, over: str) -> str:
    """Say why a function is too slow, in words that are the same in every run.

    Parameters
    ----------
    function : str
    at_most : float
        How many times the model answer's processor time it may take.
    kind : str
        How its Python steps grow; see ``steps.Growth``.
    over : str
        What a large input has more of: pixels.
    """
    message = f"{function} takes more than {at_most:g} times the processor time of the model answer"
    if kind in (PIXELS, OBJECTS):
        return f"{message} and loops over {over} in Python"
    return message + (", and its Python steps could not be counted" if kind == UNKNOWN else "")


def loop_hint(looping: str, kind: str, over: str) -> str:
    """Return a line that says which function loops; empty if none does."""
    hints = {
        PIXELS: f"{looping} loops over {over}: its Python steps grow with their number.",
        OBJECTS: f"work on whole arrays: tolist and map loop over {over}, and make a Python object of each.",
        ROWS: f"{looping} loops over rows or columns of {over}.",
    }
    return f"\nHint: {hints[kind]}" if kind in hints else ""


def public_message(error: BaseException, results: Mapping[str, object]) -> str:
    """Say how a public test failed: in its own words, or that it could not use what came back (None, a list)."""
    if isinstance(error, AssertionError):
        return str(error)
    foreign = [f"{name} is {result}" for name, result in results.items() if isinstance(result, Foreign)]
    if foreign:
        return f"the test cannot use what came back: {', '.join(foreign)}"
    return f"the test cannot use what came back: {type(error).__name__}: {error}"
