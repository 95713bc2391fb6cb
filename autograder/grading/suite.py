"""Runs the graded tests with pytest, in this process, without anything else that pytest would find on the machine."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autograder.core.errors import GraderFault
from autograder.core.outcomes import TestResult
from autograder.grading.plan import Plan
from autograder.grading.plugin import GradingPlugin
from autograder.grading.session import Session

_UNUSED = (
    "cacheprovider debugging doctest faulthandler junitxml legacypath logging monkeypatch pastebin recwarn setuponly "
    "setupplan stepwise terminal threadexception tmpdir unittest unraisableexception warnings"
)
"""Built-in plugins of pytest that no graded test needs. Each would add hooks around every one of many cases."""

PYTEST_ARGUMENTS = (
    "--import-mode=importlib",
    "--assert=plain",
    "--strict-markers",
    "--capture=no",  # `run` does it, once for all
    *(f"-pno:{name}" for name in _UNUSED.split()),
)
"""Only what a graded test needs. No settings file of the machine or the submission is read, no file is written."""


def run(plan: Plan, submission: Session, progress: Callable[[TestResult], None] | None = None) -> list[TestResult]:
    """Run the graded tests against a submission.

    Parameters
    ----------
    plan : Plan
    submission : Session
    progress : callable, optional
        Told of every test function as it ends. What it prints to ``sys.stdout`` is not seen.

    Returns
    -------
    list of TestResult
        One for each test function, in the order of the assignment.

    Raises
    ------
    GraderFault
        If a test is broken, cannot be collected, or fails for a reason that is not the student's.
    """
    plugin = GradingPlugin(plan, submission, progress)
    arguments = [*PYTEST_ARGUMENTS, f"--rootdir={plan.hidden}", f"--confcutdir={plan.hidden}", "-c", "/dev/null"]
    said = io.StringIO()
    fresh = _forgotten_modules(plan.public, plan.hidden)
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), _no_plugin_autoload(), fresh:
        plugins = [plugin, _fixture(plan.module, plugin.as_module)]
        status = pytest.main([*arguments, str(plan.public), str(plan.hidden)], plugins=plugins)
    if plugin.fault is not None:
        raise plugin.fault
    if plugin.interrupted:
        raise KeyboardInterrupt
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise GraderFault(f"the graded tests could not be run (pytest: {said.getvalue().strip() or status})")
    return plugin.results()


def _fixture(name: str, make: Callable[[], object]) -> object:
    """Return a plugin with one fixture of this name."""
    return type("Fixture", (), {name: pytest.fixture(name=name)(staticmethod(make))})()


@contextlib.contextmanager
def _forgotten_modules(*folders: Path) -> Iterator[None]:
    """Forget the test modules afterwards: pytest keeps them by name, and another homework may use the same names."""
    known = set(sys.modules)
    try:
        yield
    finally:
        for name in sys.modules.keys() - known:
            file = getattr(sys.modules[name], "__file__", None)
            if file and any(Path(file).resolve().is_relative_to(folder.resolve()) for folder in folders):
                del sys.modules[name]


@contextlib.contextmanager
def _no_plugin_autoload() -> Iterator[None]:
    """Keep plugins that happen to be installed out of the graded run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        patch.delenv("PYTEST_ADDOPTS", raising=False)
        patch.delenv("PYTEST_PLUGINS", raising=False)
        yield
