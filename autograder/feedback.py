"""What a student reads about a result. Pure: outcomes in, text out, the same text for the same outcomes.

It must not know: arrays, processes, points, the platform's keys.
"""

from __future__ import annotations

from collections.abc import Sequence

from autograder.outcomes import PASSED, CaseResult, TestResult

SHOWN_GROUPS = 5
"""Different things that are said about one test; more are counted."""

SHOWN_CASES = 4
"""Cases that are named behind one thing that is true of them all."""

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
    failing = [case for case in result.cases if case.outcome != PASSED]
    if not failing:
        return "Passed." if len(result.cases) == 1 else f"Passed in all {len(result.cases)} cases."
    if all(case.outcome == "not run" for case in result.cases):
        reasons = dict.fromkeys(f"Not run: {case.message}." for case in failing)
        return "\n".join([*reasons, "That is not a second mistake."])
    lines = [] if len(result.cases) == 1 else [f"{result.passed} of {len(result.cases)} cases passed."]
    if feedback == VERDICT:
        return lines[0] if lines else "Failed."
    groups: dict[str, list[CaseResult]] = {}
    for case in failing:
        groups.setdefault(_case_text(case, feedback), []).append(case)
    lines += [_group_text(text, cases) for text, cases in list(groups.items())[:SHOWN_GROUPS]]
    if len(groups) > SHOWN_GROUPS:
        lines.append(f"… and {sum(map(len, list(groups.values())[SHOWN_GROUPS:]))} more cases that did not pass.")
    return "\n".join(lines)


def summary(
    file: str,
    functions: Sequence[str],
    defined: Sequence[str] | None,
    notes: Sequence[str],
    results: Sequence[TestResult],
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
    """
    if defined is None:
        return "\n".join(notes)
    missing = [name for name in functions if name not in defined]
    found = f"Found {file}; {len(defined)} of {len(functions)} functions defined"
    lines = [found + (f" (missing: {', '.join(missing)})." if missing and defined else "."), *notes]
    broken = [name for name in functions if any(r.subject == name and r.outcome != PASSED for r in results)]
    working = [name for name in functions if name not in broken and any(r.subject == name for r in results)]
    if results and not broken:
        lines.append("Every test passed.")
    if broken and working:
        lines.append(f"All tests passed for: {', '.join(working)}.")
    if broken:
        lines.append(f"Look at {broken[0]} first: it comes earliest, and later functions may build on it.")
    return "\n".join(lines)


def _case_text(case: CaseResult, feedback: str) -> str:
    text = f"Not run: {case.message}." if case.outcome == "not run" else case.message
    return f"{text}\n{case.values}" if feedback == VALUES and case.values else text


def _group_text(text: str, cases: Sequence[CaseResult]) -> str:
    """Say one thing, and of which cases it is true: ``dx.shape=…, but should be … [conv2d_backward, tall-kernel]``."""
    named = [case.case for case in cases if case.case]
    shown = named[:SHOWN_CASES] + ([f"{len(named) - SHOWN_CASES} more cases"] if len(named) > SHOWN_CASES else [])
    place = ", ".join([cases[0].function, *shown] if cases[0].function else shown)
    if not place or text.endswith("]"):  # a public test has said it in its own words
        return text
    first, *rest = text.split("\n")
    return "\n".join([f"{first} [{place}]", *rest])
