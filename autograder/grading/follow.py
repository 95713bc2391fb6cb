"""Follow-through marks: which cases of a function pass when its earlier functions are right.

Every failed case is run again with stand-ins for the earlier functions that failed: for each of them alone, then for
all (``standins.py`` says how, and what a hostile submission could gain). If a case passes with them, the student's
earlier functions are the reason why it failed.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autograder.core.errors import NotRun
from autograder.grading.proxy import Proxy
from autograder.grading.session import Interface, Session
from autograder.grading.standins import StandIns

CREDIT, EXPLAIN, OFF = "credit", "explain", "off"
"""Values in config.yaml: such cases get their points; or the text only mentions them; or nothing is tried."""


@dataclass(frozen=True)
class Failure:
    """A case that failed.

    Attributes
    ----------
    test, case : str
    subject : str
        The function that the test is about.
    passes : callable
        Runs the case again with these functions, and says whether it passes.
    """

    test: str
    case: str
    subject: str
    passes: Callable[[Proxy], bool]


Carried = Mapping[tuple[str, str], tuple[str, ...]]
"""For each test and case: the functions that must be right for it to pass."""


def replaceable(interface: Interface) -> list[str]:
    """Return the functions that a stand-in can replace: no argument or result of theirs stays in the worker."""
    kept = interface.opaque
    return [
        name
        for name, results in interface.functions.items()
        if not kept & set(results) and not kept & set(interface.parameters.get(name, ()))
    ]


def carried(
    failures: Sequence[Failure], guilty: Sequence[str], session: Session, reference: Callable[[], Session]
) -> Carried:
    """Return which of these cases pass, and with which right functions.

    Parameters
    ----------
    failures : sequence of Failure
        The failures of one test are next to each other.
    guilty : sequence of str
        The functions that a test has found wrong.
    session : Session
        The submission; each test of each attempt gets a worker of its own.
    reference : callable
        Returns the model answer, as a submission.
    """
    order = list(session.interface.functions)
    roots = [name for name in replaceable(session.interface) if name in guilty]
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for names in _attempts(roots):
        again = copy.copy(session)
        again.hung = set()  # a function that hung may return when the earlier functions are right
        for _, group in itertools.groupby(failures, key=lambda failure: failure.test):
            cases = [one for one in group if (one.test, one.case) not in found]
            earlier = [name for name in names if cases and order.index(name) < order.index(cases[0].subject)]
            if not earlier or (len(names) > 1 and len(earlier) == 1):  # a single function has been tried already
                continue
            stand_ins = StandIns(earlier, reference)
            again.stand_ins = stand_ins
            try:
                found |= {(case.test, case.case): tuple(earlier) for case in _passing(cases, again, stand_ins)}
                session.refuse_when_late()
            except NotRun:
                return found
            finally:
                stand_ins.close()
    return found


def _attempts(roots: Sequence[str]) -> list[tuple[str, ...]]:
    alone: list[tuple[str, ...]] = [(root,) for root in roots]
    return alone if len(roots) < 2 else [*alone, tuple(roots)]


def _passing(cases: Sequence[Failure], session: Session, stand_ins: StandIns) -> Iterator[Failure]:
    """Yield the cases that pass in one worker and called a stand-in."""
    student = Proxy(session)
    try:
        for case in cases:
            stand_ins.asked.clear()
            if case.passes(student) and stand_ins.asked:
                yield case
            student.calls.clear()
    finally:
        student.close()
