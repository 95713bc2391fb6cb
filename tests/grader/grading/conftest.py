"""What tests of grading share: a student's functions as a test sees them, and verdicts on the toy homework."""

import pytest

from autograder.core import config
from autograder.grading import casefile, suite
from autograder.grading.plan import Plan
from autograder.grading.proxy import Proxy
from autograder.sandbox.launcher import Sandbox
from tests.grader.support.verdicts import ONE


@pytest.fixture
def proxy():
    """Give a submission, get a proxy of its own."""
    students = []

    def proxy(submission):
        students.append(Proxy(submission))
        return students[-1]

    yield proxy
    for each in students:
        each.close()


@pytest.fixture
def student(submit, proxy):
    """Give the source, get the proxy."""
    return lambda source, **more: proxy(submit(source, **more))


@pytest.fixture
def run(toy, submit):
    """Give a student's source, get the result of every test by its name."""

    def run(source=toy.SOLUTION, only=None, progress=None, **limits):
        settings = config.load(toy.config)
        home = settings.homework
        plan = Plan(
            public=home.public_tests,
            hidden=home.hidden_tests,
            cases=casefile.load(home.fixtures),
            tolerances=settings.tolerances.model_dump(),
            order=list(settings.tests),
            subject=settings.subject,
            module=home.module,
            only=only,
        )
        results = suite.run(plan, submit(source, **limits), progress)
        return {result.name: result for result in results}

    return run


@pytest.fixture
def judge(toy, run):
    """Give the body of the only hidden test and a student's source, get outcome, message, function and values."""

    def judge(body, source):
        toy.set_tests(hidden=ONE + body, test_double=1, test_double_example=1)
        (case,) = run(source, only="test_double")["test_double"].cases
        return case.outcome, case.message, case.function, case.values

    return judge


@pytest.fixture
def workers(monkeypatch):
    """The folders for which a worker was started."""
    started, start = [], Sandbox.start

    def counted(sandbox, directory, **more):
        started.append(directory)
        return start(sandbox, directory, **more)

    monkeypatch.setattr(Sandbox, "start", counted)
    return started
