"""The pytest plugin: gives tests their fixtures, and turns how they end into outcomes.

A graded test is an ordinary pytest function. Public ones take ``layers``; hidden ones take ``student``, ``case`` and
``check``. ``run`` runs them in this process. It must not know: points, results.json, how a submission was handed in.
"""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder import compare
from autograder.casefile import Case
from autograder.compare import Array, Mismatch
from autograder.errors import GraderFault, NotRun, StudentError, Wrong
from autograder.outcomes import FAULT, PASSED, CaseResult, TestResult
from autograder.student import Call, Student, Submission

PYTEST_ARGUMENTS = (
    "--import-mode=importlib",
    "--assert=plain",
    "--strict-markers",
    "-p", "no:cacheprovider",
    "-p", "no:terminal",
    "-p", "no:logging",
    "-p", "no:doctest",
    "-p", "no:unittest",
    "-p", "no:junitxml",
    "-p", "no:faulthandler",
    "-W", "ignore",
)  # fmt: skip
"""Only what a graded test needs: no file of the machine's or the submission's has a say, and nothing is written."""


@dataclass(frozen=True)
class Plan:
    """What to run, and what the tests are given.

    Attributes
    ----------
    public, hidden : Path
        The folders with the tests.
    cases : mapping of str to sequence of Case
        The cases of each group.
    tolerances : mapping of str to float
        By dtype name, and ``slope``.
    order : sequence of str
        The names of all graded tests, in the order in which they run.
    subject : callable
        From a test's name to the student's function it is about.
    only : str or None
        One test's name, or ``name[case]``; all tests when None.
    """

    public: Path
    hidden: Path
    cases: Mapping[str, Sequence[Case]]
    tolerances: Mapping[str, float]
    order: Sequence[str]
    subject: Callable[[str], str | None]
    only: str | None = None


def run(plan: Plan, submission: Submission, progress: Callable[[TestResult], None] | None = None) -> list[TestResult]:
    """Run the graded tests against a submission.

    Parameters
    ----------
    plan : Plan
    submission : Submission
    progress : callable, optional
        Told of every test function as it ends.

    Returns
    -------
    list of TestResult
        One for each test function, in the order in which they ran.

    Raises
    ------
    GraderFault
        If a test is broken, cannot be collected, or fails for a reason that is not the student's.
    """
    plugin = GradingPlugin(plan, submission, progress)
    arguments = [*PYTEST_ARGUMENTS, f"--rootdir={plan.hidden}", f"--confcutdir={plan.hidden}", "-c", "/dev/null"]
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), _no_plugin_autoload():
        status = pytest.main([*arguments, str(plan.public), str(plan.hidden)], plugins=[plugin])
    if plugin.fault is not None:
        raise plugin.fault
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise GraderFault(f"the graded tests could not be run (pytest: {said.getvalue().strip() or status})")
    return plugin.results()


class GradingPlugin:
    """The fixtures of graded tests, and the record of how each case ended."""

    def __init__(self, plan: Plan, submission: Submission, progress: Callable[[TestResult], None] | None) -> None:
        self._plan = plan
        self._submission = submission
        self._progress = progress
        self._student = Student(submission)
        self._records: dict[str, _Record] = {}
        self.fault: GraderFault | None = None

    def results(self) -> list[TestResult]:
        """Return one result for each test function."""
        return [record.result() for record in self._records.values()]

    # --- what a test is given ---

    @pytest.fixture
    def student(self) -> Iterator[Student]:
        """The student's functions."""
        yield self._student
        self._student.calls.clear()

    @pytest.fixture
    def layers(self) -> Student:
        """The student's functions, under the name that public tests use."""
        return self._student

    @pytest.fixture
    def check(self, request: pytest.FixtureRequest) -> Check:
        """The comparisons a hidden test may ask for."""
        case = request.node.callspec.params.get("case") if hasattr(request.node, "callspec") else None
        return Check(self._student, self._plan.tolerances, getattr(case, "dtype", "float64"))

    def pytest_configure(self, config: pytest.Config) -> None:
        """Declare the marker that names a group of cases."""
        config.addinivalue_line("markers", "cases(group): run once for every case of this group of the fixtures")

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run a test that takes `case` once for every case of its group."""
        if "case" not in metafunc.fixturenames:
            return
        marker = metafunc.definition.get_closest_marker("cases")
        if marker is None or marker.args[0] not in self._plan.cases:
            group = marker.args[0] if marker else "no group"
            raise GraderFault(f"{metafunc.function.__name__} asks for the cases of {group}, which the fixtures lack")
        cases = self._plan.cases[marker.args[0]]
        metafunc.parametrize("case", cases, ids=[case.id for case in cases])

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep what was asked for, in the order of the assignment."""
        only = self._plan.only
        rank = {name: number for number, name in enumerate(self._plan.order)}
        items[:] = [item for item in items if only is None or only in (item.name, _function(item))]
        items.sort(key=lambda item: rank[_function(item)])

    # --- how it ended ---

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A test file that cannot be collected is our fault."""
        if report.failed:
            self._set_fault(f"the graded tests cannot be collected: {report.longrepr}")

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Iterator[None]:
        """Run a test and record how it ended; pytest sees it pass, and draws up no report of its own."""
        name = _function(pyfuncitem)
        record = self._records.setdefault(name, _Record(name, _title(pyfuncitem), self._plan.subject(name)))
        started = time.perf_counter()
        error: BaseException | None = None
        try:
            return (yield)
        except (Exception, pytest.skip.Exception, pytest.fail.Exception) as raised:
            error = raised
            return True  # type: ignore[return-value]  # as pytest's own implementation does
        finally:
            record.seconds += time.perf_counter() - started
            record.cases.append(self._case_result(pyfuncitem, record.subject, error))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Iterator[None]:  # the report itself is not used
        """Whatever fails around a test is our fault."""
        if call.excinfo is not None:
            self._set_fault(f"{item.name}: {call.when} failed: {call.excinfo.exconly()}")
        return (yield)

    def pytest_runtest_teardown(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        """Between two test functions: end the worker, and say that one is done."""
        if nextitem is None or _function(nextitem) != _function(item):
            self._student.close()
            if self._progress is not None and _function(item) in self._records:
                self._progress(self._records[_function(item)].result())

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """After a fault of ours nothing more is run: no grade will come out."""
        if self.fault is not None:
            pytest.exit("grader fault")

    def _case_result(self, item: pytest.Item, subject: str | None, error: BaseException | None) -> CaseResult:
        case = item.callspec.id if hasattr(item, "callspec") else ""
        if error is None:
            return CaseResult(case, PASSED)
        if _is_below(item.path, self._plan.public) and not isinstance(error, (StudentError, GraderFault)):
            return CaseResult(case, Wrong.outcome, _public_message(error), subject or "")
        if isinstance(error, AssertionError):
            error = Wrong("the result is not the expected one", detail={"values": str(error)})
        if not isinstance(error, StudentError):
            self._set_fault(f"{item.name}: {type(error).__name__}: {error}")
            return CaseResult(case, FAULT)
        if subject is not None and error.function not in (None, subject):
            error = NotRun(f"needs {error.function}, which {_WHICH[error.outcome]}", error.function)
        detail = dict(error.detail)
        values = str(detail.pop("values", ""))
        return CaseResult(case, error.outcome, error.message, error.function or subject or "", values, detail)

    def _set_fault(self, story: str) -> None:
        if self.fault is None:
            self.fault = GraderFault(story)


class Check:
    """The comparisons a hidden test may ask for; each passes silently or raises Wrong.

    Parameters
    ----------
    student : Student
        Knows which call produced a result.
    tolerances : mapping of str to float
    dtype : str
        Of the case: which tolerance is meant.
    """

    def __init__(self, student: Student, tolerances: Mapping[str, float], dtype: str) -> None:
        self._student = student
        self._tolerances = tolerances
        self._dtype = dtype

    def array(self, name: str, got: object, expected: Array) -> None:
        """`got` equals `expected`: ndarray, shape, float dtype, finite, values."""
        self._require(compare.array(name, got, expected, self._tolerances[self._dtype]), got)

    def tensor(self, name: str, got: object, shape: Sequence[int]) -> Array:
        """`got` is a finite array of floats with this shape; returned in float64, for arithmetic."""
        self._require(compare.tensor(name, got, shape), got)
        return np.asarray(got, dtype=np.float64)

    def shape(self, name: str, got: object, shape: Sequence[int]) -> None:
        """`got` is an array with this shape."""
        self._require(compare.shape(name, got, shape), got)

    def dtype(self, name: str, got: object, dtype: Any) -> None:
        """`got` is an array with this dtype."""
        self._require(compare.dtype(name, got, np.dtype(dtype)), got)

    def integer(self, name: str, got: object, expected: int) -> None:
        """`got` is the integer `expected`."""
        self._require(compare.integer(name, got, expected), got)

    def distinct(self, name: str, first: object, second: object) -> None:
        """The results for two different inputs differ."""
        self._require(compare.distinct(name, first, second), second)

    def slopes(self, name: str, got: object, directions: Array, slopes: Array) -> None:
        """The gradient `got` has these slopes along these directions."""
        self._require(compare.slopes(name, got, directions, slopes, self._tolerances["slope"]), got)

    def untouched(self, call: Call) -> None:
        """An inspected call left its inputs as they were."""
        self._require(compare.untouched(call.inputs, call.inputs_after), call=call)

    def own_memory(self, call: Call) -> None:
        """The results of an inspected call share no memory with its inputs."""
        arrays = [name for name, result in zip(call.names, call.results, strict=True) if isinstance(result, np.ndarray)]
        self._require(compare.own_memory(arrays, call.shares), call=call)

    def _require(self, mismatch: Mismatch | None, got: object = None, call: Call | None = None) -> None:
        if mismatch is None:
            return
        call = call or self._student.origin(got) or (self._student.calls[-1] if self._student.calls else None)
        function = call.function if call is not None else None
        raise Wrong(mismatch.message, function, {"kind": mismatch.kind, "values": mismatch.values})


@dataclass
class _Record:
    """What is known of a test function while its cases are still running."""

    name: str
    title: str
    subject: str | None
    cases: list[CaseResult] = field(default_factory=list)
    seconds: float = 0.0

    def result(self) -> TestResult:
        return TestResult(self.name, self.title, self.subject, tuple(self.cases), self.seconds)


_WHICH = {
    "wrong": "returned something that this test cannot use",
    "raised": "raised an exception",
    "crashed": "ended its process",
    "timed out": "did not return in time",
    "out of memory": "ran out of memory",
    "malformed reply": "sent something that is not a reply",
}
"""Why a function that a test needs on the way was of no use to it."""


def _public_message(error: BaseException) -> str:
    """Say how a public test failed: in its own words, or that it could not use what came back (None, a list)."""
    if isinstance(error, AssertionError):
        return str(error)
    return f"the test cannot use what came back: {type(error).__name__}: {error}"


def _function(item: pytest.Item) -> str:
    return getattr(item, "originalname", None) or item.name


def _title(item: pytest.Item) -> str:
    docstring = getattr(getattr(item, "function", None), "__doc__", None) or _function(item)
    return docstring.strip().splitlines()[0].rstrip(".")


def _is_below(path: Path, folder: Path) -> bool:
    return folder.resolve() in path.resolve().parents


@contextlib.contextmanager
def _no_plugin_autoload() -> Iterator[None]:
    """Keep plugins that happen to be installed out of the graded run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        patch.delenv("PYTEST_ADDOPTS", raising=False)
        patch.delenv("PYTEST_PLUGINS", raising=False)
        yield
