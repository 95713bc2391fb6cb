"""What a student reads about a result. Pure: outcomes in, text out, the same text for the same outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autograder.core.errors import Wrong
from autograder.core.outcomes import CARRIED, PASSED, CaseResult, TestResult
from autograder.grading.compare import Foreign
from autograder.grading.steps import ENTRIES, OBJECTS, ROWS, UNKNOWN

SHOWN_GROUPS = 5
"""How many different messages one test shows; the rest are counted."""

SHOWN_CASES = 4
"""How many cases are named after a message that is true of all of them."""

MOST_QUOTED = 200
"""How many characters written by a student's code (exceptions, what it returned) one hidden test repeats. The code
knows the inputs of the test, so its text may contain them."""

VALUES, HINT, VERDICT = "values", "hint", "verdict"
"""How much a test tells: got and expected; what kind of mistake and where; passed or failed only."""


def test_output(
    result: TestResult, feedback: str, mistakes: Mapping[tuple[str, str], int], behind: Mapping[str, str]
) -> str:
    """Return the text under one test.

    Parameters
    ----------
    result : TestResult
    feedback : str
        ``values``, ``hint`` or ``verdict``.
    mistakes : mapping of tuple of str to int
        The numbers of the mistakes that stand on top of all tests, by function and hint: a hint is printed once.
    behind : mapping of str to str
        The mistake because of which each test failed, for tests that have no hint themselves: ``mistake 1, in double``.
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
        reasons = _reasons(failing, feedback)
        return "\n".join([*reasons, *_repair(failing, behind.get(result.name, ""))])
    lines = [] if len(result.cases) == 1 else [f"{result.passed} of {len(result.cases)} cases passed."]
    if feedback == VERDICT:
        return lines[0] if lines else "Failed."
    lines += [_carried(carried, len(result.cases))] if carried else []
    lines += [f"With a right {_names(cases)} {_of_cases(cases, len(result.cases))}." for cases in _by_roots(explained)]
    groups: dict[str, list[CaseResult]] = {}
    for case in failing:
        alike = case.group or (case.message if case.because else _case_text(case, feedback))
        groups.setdefault(alike, []).append(case)
    allowance = MOST_QUOTED
    for cases in list(groups.values())[:SHOWN_GROUPS]:
        text = _case_text(cases[0], feedback)
        if feedback != VALUES:
            text, allowance = _bounded(text, cases[0].quoted, allowance)
        lines.append(_group_text(text, cases, feedback))
    if len(groups) > SHOWN_GROUPS:
        lines.append(f"… and {sum(map(len, list(groups.values())[SHOWN_GROUPS:]))} more did not pass.")
    lines += _explained(result, mistakes)
    is_wrong = any(case.outcome == Wrong.outcome for case in failing)
    where = behind.get(result.name, "")
    if where and (is_wrong or not _is_in(where, result.subject)) and not (result.diagnosis and result.diagnosis.hint):
        lines.append(f"See {where}.")
    return "\n".join(lines)


def _reasons(cases: Sequence[CaseResult], feedback: str) -> list[str]:
    """Return why these cases were not run, each reason once, with what the first case says about it."""
    first = {case.message: case for case in reversed(cases)}
    reasons, allowance = [], MOST_QUOTED
    for message in dict.fromkeys(case.message for case in cases):
        text = f"Not run: {message}." if feedback == VERDICT else _case_text(first[message], feedback)
        if feedback != VALUES:
            text, allowance = _bounded(text, first[message].quoted, allowance)
        reasons.append(text)
    return reasons


def _repair(cases: Sequence[CaseResult], where: str) -> list[str]:
    """Say what to repair before a test can run: `where` the mistake is, if the reasons do not say it."""
    if where and not all(_is_in(where, case.function) for case in cases):
        return [f"See {where}; this function may be fine."]
    return ["Repair that first; this function may be fine."] if all(case.blocked for case in cases) else []


def _is_in(where: str, function: str | None) -> bool:
    """Whether this is a mistake in this function."""
    return where.endswith(f", in {function}")


def _bounded(text: str, quoted: str, allowance: int) -> tuple[str, int]:
    """Return a text in which no more than `allowance` characters are the student's code's, and what is left of that."""
    if len(quoted) <= allowance:
        return text, allowance - len(quoted)
    return text.replace(quoted, f"{quoted[: max(allowance - 1, 0)]}…"), 0


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


def _explained(result: TestResult, mistakes: Mapping[tuple[str, str], int]) -> list[str]:
    """Describe wrong results: first the hint, which is certain, then what was observed."""
    found = result.diagnosis
    if found is None:
        return []
    known = found.known or ((result.subject or "", found.hint),)
    numbers = [str(mistakes[one]) for one in known if one in mistakes]
    hint = f"Hint: {found.hint}"
    if len(numbers) == len(known) == 1:
        hint = f"As above: mistake {numbers[0]}, in {known[0][0]}."
    elif len(numbers) == len(known):
        hint = f"As above: mistakes {' and '.join(numbers)} meet here."
    return [*([hint] if found.hint else []), *found.notes, *([found.map] if found.map else [])]


def _case_text(case: CaseResult, feedback: str) -> str:
    text = case.message
    if case.outcome == "not run":
        text = f"Not run: {case.message}{': ' if case.because else ''}{case.because}."
    return f"{text}\n{case.values}" if feedback == VALUES and case.values else text


def _group_text(text: str, cases: Sequence[CaseResult], feedback: str) -> str:
    """Add the cases to a message: ``dx.shape=…, but should be … [softmax_backward, one-row]``.

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
        What a large input has more of, in the words of the homework.
    """
    message = f"{function} takes more than {at_most:g} times the processor time of the model answer"
    if kind in (ENTRIES, OBJECTS):
        return f"{message} and loops over {over} in Python"
    return message + (", and its Python steps could not be counted" if kind == UNKNOWN else "")


def loop_hint(looping: str, kind: str, over: str) -> str:
    """Return a line that says which function loops; empty if none does."""
    hints = {
        ENTRIES: f"{looping} loops over {over}: its Python steps grow with their number.",
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
