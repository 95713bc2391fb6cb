"""What a student reads on top of a result: the mistakes, each once, then the points, and what to look at first.

Pure: outcomes in, text out. Correctness comes before speed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

from autograder.core.errors import TooSlow
from autograder.core.outcomes import NOT_MEASURED, PASSED, CaseResult, Diagnosis, TestResult
from autograder.grading.diagnose.smallest import Example

NO_POINTS: Mapping[str, Fraction] = MappingProxyType({})
RIGHT = (PASSED, NOT_MEASURED, TooSlow.outcome)
"""Outcomes of cases whose results are right."""

NAMED = "Mistake "
"""How the paragraph about a mistake begins; its number follows."""


@dataclass(frozen=True)
class Found:
    """One distinct mistake.

    Attributes
    ----------
    function : str
        The function that is wrong.
    hint : str
        What is wrong; empty unless that is certain.
    example : Example or None
        The smallest input that shows it.
    seen : str
        What is true of its wrong results, if there is no hint.
    own, later : int
        How many tests of the function fail because of it, and how many of later functions.
    cost : Fraction
        The points that these tests lost.
    tests : tuple of str
        Those that fail because of it, and of no mistake before it.
    """

    function: str
    hint: str
    example: Example | None = None
    seen: str = ""
    own: int = 0
    later: int = 0
    cost: Fraction = Fraction(0)
    tests: tuple[str, ...] = ()


def mistakes(
    functions: Sequence[str],
    results: Sequence[TestResult],
    examples: Mapping[str, Example] = MappingProxyType({}),
    points: Mapping[str, Fraction] = NO_POINTS,
) -> list[Found]:
    """Return the distinct mistakes, in the order of the assignment.

    Parameters
    ----------
    functions : sequence of str
    results : sequence of TestResult
        The tests about which the student may read more than passed or failed.
    examples : mapping of str to Example
        For the functions that are at fault.
    points : mapping of str to Fraction
        What each test is worth.
    """
    failed = [result for result in results if not all(case.outcome in RIGHT for case in result.cases)]
    named = dict.fromkeys(known for result in failed for known in _known(result))
    slips = set(named) - {known for result in failed if not _is_slip(result) for known in _known(result)}
    wrong = {name for name, _ in set(named) - slips}
    wrong |= {str(result.subject) for result in failed if any(name != result.subject for name, _ in _known(result))}
    unnamed = {result.subject for result in failed if not _known(result) and not _is_slip(result)}
    unnamed |= set(examples) - {name for name, _ in named}
    keys = [*named, *((name, "") for name in examples if name in unnamed - wrong)]
    observed = _seen(failed)
    keys += [] if keys else [(name, "") for name in observed]
    keys = sorted((key for key in keys if key[0] in functions), key=lambda key: (functions.index(key[0]), key in slips))
    found = {key: Found(*key) for key in keys}
    for name, example in examples.items():
        for key in [key for key in keys if key[0] == name][:1]:  # the first mistake of a function gets its example
            found[key] = dataclasses.replace(found[key], example=example)
    for key in [key for key in keys if not key[1] and key[0] in observed]:
        said = observed[key[0]]
        by_chance = said.of_one_case and found[key].example is not None  # the example tells more
        found[key] = dataclasses.replace(found[key], seen="" if by_chance else said.notes[0])
    roots: dict[str | None, dict[str, None]] = {}
    for result in results:
        for case in result.cases:
            roots.setdefault(result.subject, {}).update(dict.fromkeys(case.stand_ins))
    for result in failed:
        worth = points.get(result.name, Fraction(0))
        causes = list(_causes(result, keys, slips, list(roots.get(result.subject, ()))))
        for key in causes:
            found[key] = _because_of(found[key], result, worth, first=key == causes[0])
    return list(found.values())


def _because_of(found: Found, result: TestResult, worth: Fraction, first: bool) -> Found:
    """Return a mistake because of which one more test failed; the first one bears what that costs."""
    own = result.subject == found.function
    cost, tests = (worth - result.score(worth), (result.name,)) if first else (Fraction(0), ())
    return dataclasses.replace(
        found,
        own=found.own + own,
        later=found.later + (not own),
        cost=found.cost + cost,
        tests=(*found.tests, *tests),
    )


def _known(result: TestResult) -> list[tuple[str, str]]:
    """Return the known mistakes behind a result: the function that is wrong, and the hint."""
    carried = all(case.outcome in RIGHT or case.stand_ins for case in result.cases)
    if carried or result.diagnosis is None or not result.diagnosis.hint:
        return []
    return list(result.diagnosis.known) or [(result.subject or "", result.diagnosis.hint)]


def _seen(failed: Sequence[TestResult]) -> dict[str, Diagnosis]:
    """Return whose first note says what can be seen of each function; the first that is true of more than one case."""
    found: dict[str, Diagnosis] = {}
    for name, said in (one for result in failed for one in _observed(result)):
        if name not in found or (found[name].of_one_case and not said.of_one_case):
            found[name] = said
    return found


def _observed(result: TestResult) -> Iterator[tuple[str, Diagnosis]]:
    """Yield the diagnosis of a test that says what can be seen of its wrong results, with the function."""
    own = any(case.outcome not in RIGHT and not case.stand_ins for case in result.cases)
    found = result.diagnosis
    if own and found is not None and found.notes and found.known and found.known[0][0] == result.subject:
        yield result.subject, found


def _is_slip(result: TestResult) -> bool:
    """Whether the values of a test are right: only a dtype, an input or shared memory is wrong."""
    kinds = {case.detail.get("kind", case.outcome) for case in result.cases if case.outcome not in RIGHT}
    return kinds <= {"dtype", "changed", "shared"}


def _causes(
    result: TestResult, keys: Sequence[tuple[str, str]], slips: Collection[tuple[str, str]], roots: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Yield the mistakes because of which a test failed.

    If its function has none, they are those of `roots`, the earlier functions that explain other tests of it: speed
    tests are not run again.
    """
    known = [key for key in _known(result) if key in keys]
    if known:
        yield from known
        return
    guilty: dict[str, None] = {}
    for case in result.cases:
        if case.outcome not in RIGHT:
            guilty |= dict.fromkeys(case.stand_ins or (case.function or result.subject or "",))
    guilty = guilty if {name for name, _ in keys} & set(guilty) else dict.fromkeys(roots)
    for function in guilty:
        fit = [key for key in keys if key[0] == function and (_is_slip(result) or key not in slips)]
        yield from fit[:1]


def references(found: Sequence[Found]) -> dict[tuple[str, str], int]:
    """Return the number of each mistake that has a hint, by function and hint."""
    return {(one.function, one.hint): number for number, one in enumerate(found, start=1) if one.hint}


def by_test(found: Sequence[Found]) -> dict[str, str]:
    """Return which mistake is behind each test, in words."""
    return {test: f"mistake {number}, in {one.function}" for number, one in enumerate(found, 1) for test in one.tests}


def summary(
    file: str,
    functions: Sequence[str],
    defined: Sequence[str] | None,
    notes: Sequence[str],
    results: Sequence[TestResult],
    found: Sequence[Found] = (),
    points: Mapping[str, Fraction] = NO_POINTS,
) -> str:
    """Return the text on top of a result: what was found, the mistakes, the points, and what to look at first.

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
    found : sequence of Found
        See `mistakes`.
    points : mapping of str to Fraction
        What each test is worth.
    """
    if defined is None:
        return "\n".join(notes)
    missing = [name for name in functions if name not in defined]
    lines = [f"Found {file}; {len(defined)} of {len(functions)} functions defined"]
    lines[0] += f" (missing: {', '.join(missing)})" if missing and defined else ""
    unwritten = _unwritten(functions, results)
    lines[0] += f"; still to be written: {', '.join(unwritten)}." if unwritten else "."
    lines += notes
    for number, one in enumerate(found, start=1):
        lines += ["", *_mistake(number, one)]
    lines += [""] if found else []
    if results and all(result.outcome == PASSED for result in results):
        return "\n".join([*lines, "Every test passed."])
    return "\n".join([*lines, *_advice(functions, results), *_points(functions, results, points)])


def _unwritten(functions: Sequence[str], results: Sequence[TestResult]) -> list[str]:
    """Return the functions that do nothing but raise NotImplementedError, as the starter's do."""
    said: dict[str, set[object]] = {}
    for case in (case for result in results for case in result.cases):
        if case.function and case.outcome != "not run":
            said.setdefault(case.function, set()).add(case.detail.get("exception", case.outcome))
    return [name for name in functions if said.get(name) == {"NotImplementedError"}]


def _mistake(number: int, found: Found) -> list[str]:
    """Name a mistake, say what it costs, and show the smallest example."""
    later = f", and {found.later} of later functions" if found.later else ""
    costs = f"costs {float(found.cost):g} {'point' if found.cost == 1 else 'points'}; " if found.cost else ""
    lines = [f"{NAMED}{number}, in {found.function} ({costs}fails {found.own} of its tests{later})."]
    lines += list(filter(None, [found.hint, found.seen]))
    if found.example is None:
        return lines
    code = [f"    {line}" for line in found.example.code.split("\n")]
    return [*lines, "The smallest input that shows it, to paste into the notebook:", *code, found.example.said]


def _advice(functions: Sequence[str], results: Sequence[TestResult]) -> Iterator[str]:
    """Say what works, and what to look at first: what is wrong before what is slow."""
    about = {name: [result for result in results if result.subject == name] for name in functions}
    lost = {name: [result for result in about[name] if result.earned < 1] for name in functions}
    broken = [name for name in functions if not all(map(_not_run, lost[name]))]
    slow = [name for name in broken if all(_only_slow(result) for result in lost[name])]
    wrong = [name for name in broken if name not in slow]
    carried = [name for name in functions if any(result.carried for result in about[name])]
    working = [name for name in functions if about[name] and not lost[name] and name not in carried]
    unreached = [name for name in functions if lost[name] and name not in broken]
    partly = [name for name in unreached if any(result.earned for result in about[name])]
    unjudged = [name for name in unreached if name not in partly]
    waiting = [name for name in unjudged if any(_waits(case, name) for result in lost[name] for case in result.cases)]
    late = [name for name in unjudged if name not in waiting]
    if broken and working:
        yield f"All tests passed for: {', '.join(working)}."
    if carried:
        yield f"Some tests fail only because of an earlier function, for: {', '.join(carried)}."
    if len(wrong) == 1 and not unreached and not slow:
        yield f"Look at {wrong[0]}: nothing else lost points."
    elif wrong:
        yield f"Look at {wrong[0]} first: it comes earliest, and later functions may build on it."
    if slow:
        yield f"Right, but too slow: {', '.join(slow)}." + (" First repair what is wrong." if wrong else "")
    if waiting:
        yield f"Not judged, since something they need does not work: {', '.join(waiting)}."
    if late:
        yield f"Not judged, as their tests explain: {', '.join(late)}."
    if partly:
        yield f"Some tests were not run, and say why, for: {', '.join(partly)}."
    if broken:
        yield (
            "Hidden tests say what kind of mistake they found and where, but not which inputs they used. "
            "A pass means only that no mistake showed on those inputs."
        )


def _points(functions: Sequence[str], results: Sequence[TestResult], points: Mapping[str, Fraction]) -> Iterator[str]:
    """Yield a table of the points of each function."""
    if not points:
        return
    yield "Points:"
    width = max(map(len, functions))
    for name in functions:
        about = [result for result in results if result.subject == name]
        total = sum((points[result.name] for result in about), Fraction(0))
        earned = sum((result.score(points[result.name]) for result in about), Fraction(0))
        if about:
            yield f"    {name:{width}}  {float(earned):g} of {float(total):g}"


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
            least = "at least " if points < total else ""
            lines.append(f"With a right {function} you would have {least}{float(points):g} of {float(total):g}.")
    return lines


def _only_slow(result: TestResult) -> bool:
    """Whether a test lost its points only because right results came too late."""
    return all(case.outcome in RIGHT for case in result.cases)


def _not_run(result: TestResult) -> bool:
    """Whether a test lost its points only because cases could not be run."""
    return all(case.outcome in (PASSED, "not run") for case in result.cases)


def _waits(case: CaseResult, name: str) -> bool:
    """Whether a case about the function `name` was not run because of another one."""
    return case.outcome == "not run" and case.function != name
