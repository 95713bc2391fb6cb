"""What tests of several packages need: the toy homework, and workers with a student's code in them."""

import decimal
import gc
import locale
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from _pytest.assertion.rewrite import AssertionRewritingHook

from autograder.grading.proxy import preflight
from autograder.grading.session import Interface, Session
from autograder.sandbox.launcher import Sandbox
from tests.grader.support.toy import FUNCTIONS, PARAMETERS, Toy, numbers
from tests.grader.support.toy import limits as toy_limits


def pytest_collection_finish() -> None:
    """Thousands of tests are no garbage: a search for garbage among them would come back every few seconds."""
    gc.freeze()


def settings_of_the_process() -> dict[str, object]:
    """Return what a student's file may change for all code that runs after it."""
    return {
        "printing": np.get_printoptions(),
        "errors": np.geterr(),
        "locale": locale.setlocale(locale.LC_ALL),
        "digits": decimal.getcontext().prec,
        "recursion": sys.getrecursionlimit(),
        "traceback": getattr(sys, "tracebacklimit", None),
    }


@pytest.fixture(autouse=True, scope="module")
def unchanged_process() -> Iterator[None]:
    """A student's file is run in a process of its own: here it could change how later tests end."""
    before = settings_of_the_process()
    yield
    assert settings_of_the_process() == before


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Toy:
    # Graded tests run inside these tests, whose own pytest would rewrite their asserts. A grading of its own does not.
    plain = [finder for finder in sys.meta_path if not isinstance(finder, AssertionRewritingHook)]
    monkeypatch.setattr(sys, "meta_path", plain)
    return Toy(tmp_path / "toy homework")


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """One launcher for all tests that need workers and no special ones."""
    with Sandbox(memory_mib=512, cpu_seconds=30) as sandbox:
        yield sandbox


@pytest.fixture
def submit(sandbox: Sandbox) -> Callable[..., Session]:
    """Give a student's source, get the submission as the engine sees it after the first import."""

    def submit(source: str, helpers: dict[str, str] | None = None, **limits: Any) -> Session:
        directory = sandbox.directory(f"student-{next(numbers)}")
        files = {"toy.py": source, **(helpers or {})}
        for name, text in files.items():
            (directory / name).write_text(text)
        interface = Interface("toy", FUNCTIONS, frozenset({"cache"}), toy_limits(**limits), PARAMETERS)
        submission = Session(sandbox, directory, list(files), interface)
        submission.start_clock()
        preflight(submission)
        return submission

    return submit
