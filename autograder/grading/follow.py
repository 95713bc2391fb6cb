"""Follow-through marks: which cases of a function pass when its earlier functions are right.

Every failed case is run again with stand-ins for the earlier functions that failed; ``standins.py`` says how, and what
a hostile submission could gain. If a case passes, the earlier functions are the reason why it failed. First the
functions that can be replaced are tried against each other: one that is right if an earlier one is, is not replaced.
The others are replaced together, and then each alone, as far as that can change anything.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest

from autograder.core.errors import GraderFault, NotRun, forget_frames
from autograder.core.outcomes import CARRIED, NOT_MEASURED, PASSED
from autograder.grading.casefile import Case
from autograder.grading.check import Check
from autograder.grading.examples import at_fault
from autograder.grading.history import History
from autograder.grading.items import cases_of, function_of, id_of, parameters_of
from autograder.grading.large import Sizes, failure_at
from autograder.grading.plan import Plan
from autograder.grading.proxy import AtHome, Proxy
from autograder.grading.record import Record
from autograder.grading.session import Interface, Session
from autograder.grading.standins import Kept, StandIns, answering
from autograder.grading.timing import Lap

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
        Runs the case again with these functions of the student's and of the model answer's, and says whether it passes.
    is_large : bool
        Whether it is about large inputs.
    """

    test: str
    case: str
    subject: str
    passes: Callable[[Proxy, Proxy], bool]
    is_large: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """The test and the case."""
        return self.test, self.case


Carried = Mapping[tuple[str, str], tuple[str, ...]]
"""For each test and case: the functions that must be right for it to pass."""


def through(items: Sequence[pytest.Function], records: Mapping[str, Record], plan: Plan, submission: Session) -> None:
    """Run failed cases again with right earlier functions, and note in their records which of them pass."""
    guilty = at_fault([record.result() for record in records.values()], list(submission.interface.functions))
    failures = [
        failure
        for item in items
        for case in cases_of(item, plan.cases)
        if (failure := _failure(item, case, records, plan, submission)) is not None
    ]
    if not guilty or not failures or plan.races is None:
        return
    found = carried(failures, guilty, submission, plan.races.reference)
    for record in records.values():
        for number, case in enumerate(record.cases):
            if (record.name, case.case) in found:
                outcome = CARRIED if plan.follow_through == CREDIT else case.outcome
                names = found[record.name, case.case]
                record.cases[number] = dataclasses.replace(case, outcome=outcome, stand_ins=names)


def _failure(
    item: pytest.Function, case: Case | None, records: Mapping[str, Record], plan: Plan, submission: Session
) -> Failure | None:
    """Return a case that failed and can be run again: of a test that takes our fixtures alone, and no time."""
    name, subject = function_of(item), plan.subject(function_of(item))
    record = records.get(name)
    parameters = parameters_of(item)
    if record is None or subject is None or not set(parameters) <= {"student", plan.module, "case", "check", "large"}:
        return None
    case_id = id_of(item, case)
    if not any(one.case == case_id and one.outcome not in (PASSED, NOT_MEASURED) for one in record.cases):
        return None

    def passes(student: Proxy, right: Proxy) -> bool:
        def large(lap: Lap, sizes: Sizes, **words: str) -> None:
            failure = failure_at(lap, subject, student, right, sizes[-1], plan.tolerances["float64"])
            if failure is not None:
                raise failure

        check = Check(student, History(), plan.tolerances, getattr(case, "dtype", "float64"))
        given = {"student": student, plan.module: AtHome(student), "case": case, "check": check, "large": large}
        try:
            item.obj(**{parameter: given[parameter] for parameter in parameters})
        except GraderFault:
            raise
        except (Exception, pytest.skip.Exception, pytest.fail.Exception) as error:
            forget_frames(error)
            submission.refuse_when_late()
            return False
        return True

    return Failure(name, case_id, subject, passes, is_large="large" in parameters)


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
    guilty : sequence of str
        The functions that a test has found wrong.
    session : Session
        The submission. The cases of one function share a worker in each attempt: to start one takes longer than most
        cases.
    reference : callable
        Returns the model answer, as a submission.
    """
    suspects = [name for name in replaceable(session.interface) if name in guilty]
    later = [one for one in failures if one.subject not in suspects]
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    experiment, roots = _Experiment(session, reference), list[str]()

    def attempt(names: Sequence[str], cases: Sequence[Failure]) -> _Attempt:
        return experiment.attempt(names, [one for one in cases if one.key not in found])

    try:
        for name in suspects:
            own = [one for one in failures if one.subject == name]
            if own and all(one.key in found for one in own):  # it is right if the ones before it are
                continue
            roots.append(name)
            found |= attempt([name], [one for one in failures if one.subject in suspects]).found
        if len(roots) == 1:
            return found | attempt(roots, later).found
        together = attempt(roots, failures)
        for name in roots:
            found |= attempt([name], [one for one in later if name in together.worth_trying[one.key]]).found
        return together.found | found
    finally:
        experiment.close()


@dataclass(frozen=True)
class _Attempt:
    """What came out with some functions right.

    Attributes
    ----------
    found : dict
        For each case that passes: the functions whose answers it got.
    worth_trying : dict
        For each case: the functions with which, alone, it may end in another way. A case that asked for nothing would
        do the same again. So would a case that asked for a single function, with that one alone.
    """

    found: dict[tuple[str, str], tuple[str, ...]]
    worth_trying: dict[tuple[str, str], set[str]]


class _Experiment:
    """Runs cases of one submission again, with some functions right.

    Parameters
    ----------
    session : Session
        The submission.
    reference : callable
        Returns the model answer, as a submission.
    """

    def __init__(self, session: Session, reference: Callable[[], Session]) -> None:
        self._session = session
        self._answers, self._kept = answering(reference()), Kept()
        # A question may make the functions that answer hang; these make the calls that a test on large inputs makes.
        self._model = Proxy(reference())
        self._asking: set[str] = set()  # functions with a case that asks for something, or might have

    def close(self) -> None:
        """End the workers of the model answer."""
        self._answers.close()
        self._model.close()

    def attempt(self, names: Sequence[str], failures: Sequence[Failure]) -> _Attempt:
        """Run cases with these functions right, as far as they come earlier, until the time is up."""
        order = list(self._session.interface.functions)
        attempt = _Attempt({}, {one.key: set(names) for one in failures})
        again = copy.copy(self._session)
        again.hung = set()  # a function that hung may return when the earlier functions are right
        for subject in order:
            cases = [one for one in failures if one.subject == subject]
            earlier = tuple(name for name in names if order.index(name) < order.index(subject))
            if not cases or not earlier or (len(names) > 1 and len(earlier) == 1):  # a single function is tried alone
                continue
            again.stand_ins = stand_ins = StandIns(earlier, self._answers, self._kept)
            try:
                for case, passes, is_told in self._again(cases, again, stand_ins):
                    if passes and stand_ins.asked:
                        attempt.found[case.key] = tuple(name for name in earlier if name in stand_ins.asked)
                    if is_told and len(stand_ins.heard) < 2:
                        attempt.worth_trying[case.key] = set(earlier) - stand_ins.heard if stand_ins.heard else set()
                self._session.refuse_when_late()
            except NotRun:
                break
        return attempt

    def _again(
        self, cases: Sequence[Failure], session: Session, stand_ins: StandIns
    ) -> Iterator[tuple[Failure, bool, bool]]:
        """Run cases again in one worker; yield each with whether it passes, and whether all it asks for is known.

        A worker that has died may have been about to ask, and a function that has hung is not called again. Large
        inputs take long where code loops, so they come last. They are left out if smaller cases fail too, and all of
        them return a result without a question.
        """
        student = Proxy(session)
        smaller = [case for case in cases if not case.is_large]
        try:
            for case in [*smaller, *(case for case in cases if case.is_large)]:
                stand_ins.next_case()
                if case.is_large and smaller and case.subject not in self._asking:
                    yield case, False, True
                    continue
                passes = case.passes(student, self._model)
                is_told = student.lives and not session.hung and not stand_ins.refused
                if stand_ins.heard or not is_told or all(call.function != case.subject for call in student.calls):
                    self._asking.add(case.subject)
                yield case, passes, is_told
                student.calls.clear()
        finally:
            student.close()
