"""The pytest plugin: gives tests their fixtures, and turns how they end into outcomes.

A graded test is an ordinary pytest function. Public ones take the module under its name, ``layers``; hidden ones take
``student``, ``case`` and ``check``, or ``large`` alone, or ``race`` alone: tests with large inputs or of speed, which
run after all others. ``suite.run`` runs them.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.core.errors import (
    AutograderError,
    GraderFault,
    Killed,
    NotRun,
    Raised,
    StudentError,
    TooSlow,
    Wrong,
    forget_frames,
)
from autograder.core.files import ENGINE
from autograder.core.outcomes import FAULT, NOT_MEASURED, PASSED, CaseResult, Diagnosis, TestResult
from autograder.grading import feedback, follow, steps, timing
from autograder.grading.casefile import Case
from autograder.grading.check import Check
from autograder.grading.compare import Foreign
from autograder.grading.diagnose.diagnosis import Diagnostician
from autograder.grading.diagnose.evidence import Evidence
from autograder.grading.history import History
from autograder.grading.items import cases_of, function_of, id_of, name_of, parameters_of
from autograder.grading.large import require_right
from autograder.grading.plan import Plan, is_meant
from autograder.grading.proxy import AtHome, Proxy
from autograder.grading.record import Record
from autograder.grading.session import Session


class GradingPlugin:
    """The fixtures of graded tests, and the record of how each case ended."""

    def __init__(self, plan: Plan, submission: Session, progress: Callable[[TestResult], None] | None) -> None:
        self._plan = plan
        self._submission = submission
        self._progress = progress
        self._student = Proxy(submission)
        self._history = History()
        self._diagnostician = Diagnostician(plan.knowledge)
        self._records: dict[str, Record] = {}
        self._verdict: timing.Verdict | None = None
        self._reference: Proxy | None = None
        self._raced: dict[timing.Lap, timing.Race] = {}
        self.fault: GraderFault | None = None
        self.interrupted = False

    def results(self) -> list[TestResult]:
        """Return one result for each test function, in the order of the assignment."""
        return [self._records[name].result() for name in self._plan.order if name in self._records]

    # --- what a test is given ---

    @pytest.fixture
    def student(self) -> Proxy:
        """The student's functions."""
        return self._student

    @pytest.fixture
    def case(self) -> None:
        """One case of the test's group: the test gets each in turn, see `pytest_pyfunc_call`."""

    @pytest.fixture
    def check(self) -> None:
        """The comparisons a hidden test may ask for; as above."""

    def as_module(self) -> AtHome:
        """The student's functions, as public tests use them."""
        return AtHome(self._student)

    @pytest.fixture
    def race(self, request: pytest.FixtureRequest) -> Callable[..., None]:
        """A race against the model answer: ``race(lap, small=…, large=…, over="entries")``; see ``timing.Race``."""
        name = function_of(request.node)
        subject = self._plan.subject(name)
        races = self._plan.races
        assert races is not None, "the plan has no races"
        assert subject is not None, f"{name} names no function of the assignment"

        def race(lap: timing.Lap, *, small: int, large: Sequence[int], over: str) -> None:
            self._refuse_lost_race(name)
            if lap not in self._raced:
                sizes: dict[str, Any] = {"small": small, "large": large}
                self._raced[lap] = timing.Race(lap, self._student, self._model(), races.bounds, **sizes)
            verdict = self._raced[lap].verdict(subject)
            if verdict.step == timing.NONE:
                raise _too_slow(subject, verdict, races.bounds, over)
            self._verdict = verdict

        return race

    @pytest.fixture
    def large(self, request: pytest.FixtureRequest) -> Callable[..., None]:
        """A comparison with the model answer: ``large(lap, sizes, over="entries")``; see ``large.require_right``."""
        name = function_of(request.node)
        subject = self._plan.subject(name)
        assert subject is not None, f"{name} names no function of the assignment"

        def large(lap: timing.Lap, sizes: Sequence[tuple[int, int]], **words: str) -> None:
            tolerance = self._plan.tolerances["float64"]
            require_right(lap, subject, self._student, self._model(), sizes, tolerance, **words)

        return large

    def _model(self) -> Proxy:
        """Return the model answer's functions; one worker serves all tests that compare with it."""
        assert self._plan.races is not None, "the plan has no model answer"
        self._reference = self._reference or Proxy(self._plan.races.reference())
        return self._reference

    def pytest_configure(self, config: pytest.Config) -> None:
        """Declare the marker that names a group of cases."""
        config.addinivalue_line("markers", "cases(group): run once for every case of this group of the fixtures")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep what was asked for, in the order of the assignment."""
        only = self._plan.only
        rank = {name: number for number, name in enumerate(self._plan.order)}
        asked = [item for item in items if function_of(item) not in self._plan.left_out]
        kept = [item for item in asked if is_meant(only, function_of(item))]
        try:
            names = [name_of(item, case) for item in kept for case in self._cases(item)]
        except GraderFault as fault:
            self._set_fault(str(fault))
        else:
            if only is not None and "[" in only and only not in names:
                self._set_fault(f"ONLY: no case is called {only}. The cases are: {', '.join(names)}")
        items[:] = kept
        # The slowest tests come last: if the time runs out there, no other test is lost.
        items.sort(key=lambda item: (_is_race(item), _takes(item, "large"), rank[function_of(item)]))

    # --- how it ended ---

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A test file that cannot be collected is our fault."""
        if report.failed:
            self._set_fault(f"the graded tests cannot be collected: {report.longrepr}")

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Pass Ctrl-C on to the caller; pytest alone would swallow it."""
        self.interrupted = excinfo.errisinstance(KeyboardInterrupt)

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool:
        """Run a test once for every case; pytest sees it pass, and draws up no report of its own.

        One item of pytest's for every case would take longer than most cases do.
        """
        only = self._plan.only if "[" in (self._plan.only or "") else None
        given = {name: pyfuncitem.funcargs[name] for name in parameters_of(pyfuncitem)}
        for case in self._cases(pyfuncitem):
            if self.fault is None and only in (None, name_of(pyfuncitem, case)):
                self._run(pyfuncitem, case, given)
        return True

    def _run(self, item: pytest.Function, case: Case | None, given: dict[str, Any]) -> None:
        """Run a test with one case, and record how it ended."""
        dtype = getattr(case, "dtype", "float64")
        own = {"case": case, "check": Check(self._student, self._history, self._plan.tolerances, dtype)}
        given = {**given, **{name: own[name] for name in given.keys() & own}}
        name = function_of(item)
        record = self._records.setdefault(name, Record(name, _title(item), self._plan.subject(name)))
        started = time.perf_counter()
        error = _tried(item, given)
        if isinstance(error, Killed):  # who killed the first worker is not known: once more, in a new one
            self._student.calls.clear()
            self._raced.clear()
            error = _tried(item, given)
        record.seconds += time.perf_counter() - started
        record.cases.append(self._case_result(item, case, record.subject, error))
        if record.cases[-1].outcome in (Wrong.outcome, Raised.outcome):
            record.witness(self._evidence(error))
        forget_frames(error)
        if "student" in given:
            self._history.add(self._student.calls)
            self._history.forget_calls()
            self._student.calls.clear()

    def _cases(self, item: pytest.Item) -> Sequence[Case | None]:
        return cases_of(item, self._plan.cases) if isinstance(item, pytest.Function) else [None]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Iterator[None]:  # the report itself is not used
        """Whatever fails around a test is our fault."""
        if call.excinfo is not None:
            self._set_fault(f"{item.name}: {call.when} failed:\n{item.repr_failure(call.excinfo)}")
        return (yield)

    def pytest_runtest_teardown(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        """Between two test functions: end the worker, and say that one is done."""
        if nextitem is None or function_of(nextitem) != function_of(item):
            self._student.close()
            record = self._records.get(function_of(item))
            if record is not None:
                record.diagnosis = self._diagnosed(record.evidence, self._history.passed)
                record.evidence.clear()
                if self._progress is not None:
                    self._progress(record.result())
            self._history.clear()

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """End the model answer's worker, which has served all races; then see what failed because of what."""
        if self._reference is not None:
            self._reference.close()
        for record in self._records.values():  # a test that was run later may have refuted a hint
            record.diagnosis = self._checked(record.diagnosis)
        if self.fault is None and not self.interrupted and self._plan.follow_through != follow.OFF:
            items = [item for item in session.items if isinstance(item, pytest.Function)]
            try:
                follow.through(items, self._records, self._plan, self._submission)
            except GraderFault as fault:
                self.fault = fault

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """After a fault of ours run no more tests: there will be no grade."""
        if self.fault is not None:
            pytest.exit("grader fault")

    def _case_result(
        self, item: pytest.Item, of: Case | None, subject: str | None, error: BaseException | None
    ) -> CaseResult:
        case = id_of(item, of)
        verdict, self._verdict = self._verdict, None
        if error is None and verdict is not None:
            measured = verdict.step != timing.NOT_MEASURED
            outcome, message = (PASSED, "") if measured else (NOT_MEASURED, feedback.NOT_MEASURED)
            return CaseResult(case, outcome, message, detail=verdict.figures)
        if error is None:
            return CaseResult(case, PASSED)
        if not isinstance(error, AutograderError) and self._is_about_a_result(item, error):
            if _is_below(item.path, self._plan.public):
                return CaseResult(case, Wrong.outcome, feedback.public_message(error, self._results_of_last_call()))
            error = Wrong("the result is not the expected one", values=str(error))
        if not isinstance(error, StudentError):
            self._set_fault(f"{name_of(item, of)}: {type(error).__name__}: {error} ({_line(item.path, error)})")
            return CaseResult(case, FAULT)
        because = ""
        if subject is not None and error.function not in (None, subject):
            which = "is not defined" if error.detail.get("kind") == "undefined" else feedback.OF_NO_USE[error.outcome]
            because = "" if error.detail.get("kind") == "undefined" else error.message
            quoted, error = error.quoted, NotRun(f"needs {error.function}, which {which}", error.function)
            error.quoted = quoted
        detail = error.detail
        group = " ".join(str(fact) for key, fact in detail.items() if key in ("kind", "result", "exception", "line"))
        function = error.function or subject or ""
        elsewhere = self._is_unusable() if error.function is None else error.function != subject
        blocked = elsewhere and isinstance(error, NotRun)
        more = (error.values, detail, group, error.quoted)
        return CaseResult(case, error.outcome, error.message, function, *more, blocked=blocked, because=because)

    def _is_unusable(self) -> bool:
        """Whether the submission itself cannot be read or imported. It may also be given up for another reason."""
        return self._submission.failure is not None and not isinstance(self._submission.failure, NotRun)

    def _evidence(self, error: BaseException | None) -> list[Evidence]:
        """Return what is known of a wrong result.

        A public test compares by itself. Then the evidence is the results of the last call, one of which is wrong.
        """
        calls, tolerance = self._student.calls, self._plan.tolerances["float64"]
        if isinstance(error, Raised) and self._student.failed is not None:
            raised = self._history.evidence_of_raised(calls, self._student.failed, error.quoted)
            return [raised] if raised.function == error.function else []
        if isinstance(error, StudentError):
            return [error.evidence] if isinstance(error, Wrong) and isinstance(error.evidence, Evidence) else []
        found = [
            self._history.evidence(calls, calls[-1], "public", name, got, None, tolerance)
            for name, got in (zip(calls[-1].names, calls[-1].results, strict=True) if calls else ())
            if isinstance(got, (np.ndarray, int, Foreign))
        ]
        return [evidence for evidence in found if evidence is not None]

    def _diagnosed(self, evidence: list[Evidence], passed: list[Evidence]) -> Diagnosis | None:
        """Diagnose. No grade depends on it, so a bug of ours in there costs the explanation only."""
        try:
            return self._diagnostician.diagnose(evidence, passed)
        except Exception as error:
            return Diagnosis(f"no diagnosis: {type(error).__name__}: {error}")

    def _checked(self, diagnosis: Diagnosis | None) -> Diagnosis | None:
        """Return a diagnosis without a hint that was refuted; likewise."""
        try:
            return self._diagnostician.without_refuted(diagnosis) if diagnosis is not None else None
        except Exception as error:
            return Diagnosis(f"no diagnosis: {type(error).__name__}: {error}")

    def _results_of_last_call(self) -> dict[str, object]:
        calls = self._student.calls
        return dict(zip(calls[-1].names, calls[-1].results, strict=True)) if calls else {}

    def _refuse_lost_race(self, name: str) -> None:
        """Raise NotRun if every other test of the same function has failed: wrong results have no speed."""
        subject = self._plan.subject(name)
        others = [record.result() for record in self._records.values() if record.subject == subject and record.cases]
        if others and not any(result.passed for result in others):
            passes_none = f"with your code as it is, {subject} passes no other test"
            raise NotRun(f"{passes_none}, and wrong results have no speed", subject)

    def _is_about_a_result(self, item: pytest.Item, error: BaseException) -> bool:
        """Whether a test complains, with an exception of Python's own, of what the student's code returned.

        A hidden test complains with ``assert``. A public test may also raise because it cannot use a result. Any other
        exception is our fault: one before any call returned, or an ``assert`` in the engine.
        """
        if _is_below(item.path, self._plan.public):
            return isinstance(error, Exception) and bool(self._student.calls)
        raised_in = Path(traceback.extract_tb(error.__traceback__)[-1].filename)
        return isinstance(error, AssertionError) and not _is_below(raised_in, ENGINE)

    def _set_fault(self, story: str) -> None:
        if self.fault is None:
            self.fault = GraderFault(story)


def _tried(item: pytest.Function, given: Mapping[str, Any]) -> BaseException | None:
    """Call a test function, and return how it fails."""
    try:
        item.obj(**given)
    except (Exception, pytest.skip.Exception, pytest.fail.Exception) as error:
        return error
    return None


def _too_slow(function: str, verdict: timing.Verdict, bounds: timing.Bounds, over: str) -> StudentError:
    """Return the error that says why it is too slow, and which of the student's functions loops."""
    growth = verdict.growth or steps.Growth(steps.UNKNOWN)
    hint = feedback.loop_hint(growth.function, growth.kind, over)
    if verdict.timed_out is not None:
        verdict.timed_out.message += hint
        return verdict.timed_out
    message = feedback.too_slow(function, bounds.bound(growth), growth.kind, over)
    return TooSlow(message + hint, function, verdict.figures)


def _is_race(item: pytest.Item) -> bool:
    return _takes(item, "race")


def _takes(item: pytest.Item, fixture: str) -> bool:
    return fixture in getattr(item, "fixturenames", ())


def _title(item: pytest.Item) -> str:
    docstring = getattr(getattr(item, "function", None), "__doc__", None) or function_of(item)
    return docstring.strip().splitlines()[0].rstrip(".")


def _line(path: Path, error: BaseException) -> str:
    """Return the innermost line of the test's file that an exception came through."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"{path.name}, line {lines[-1]}" if lines else path.name


def _is_below(path: Path, folder: Path) -> bool:
    return folder.resolve() in path.resolve().parents
