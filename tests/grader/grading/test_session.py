"""A student's file over the time of a submission: its import, its time, calls that are watched."""

import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from autograder.core.errors import (
    Crashed,
    MalformedReply,
    NotRun,
    OutOfMemory,
    Raised,
    TimedOut,
)
from autograder.grading.advice import version
from tests.grader.support.calls import FRAMES, X, failure

# Importing.


PYTHON = version()


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        (
            "x = 1\nimport nowhere",
            Raised,
            "ModuleNotFoundError: No module named 'nowhere' (toy.py, line 2: import nowhere). What can be imported is "
            "Python's standard library, NumPy, and the files that were handed in",
        ),
        (
            "def double(x)\n    return x",
            Raised,
            f"SyntaxError: expected ':' (toy.py, line 1: def double(x)). The grader runs {PYTHON}",
        ),
        ("raise ValueError('no')", Raised, "ValueError: no (toy.py, line 1)"),
        ("import sys\nsys.exit('bye')", Raised, "SystemExit: bye (toy.py, line 2: sys.exit('bye'))"),
        (
            "while True: pass",
            TimedOut,
            "importing toy.py did not return within 0.4 s (it was in this loop: toy.py, line 1: while True: pass)",
        ),
        ("import os\nos._exit(4)", Crashed, "importing toy.py ended the Python process with exit status 4"),
        (f"{FRAMES}connection.sendall(b'x' * 99)", MalformedReply, None),
        ("x = bytearray(2**30)", OutOfMemory, "importing the file ran out of memory; the limit is 512 MiB"),
    ],
)
def test_a_file_that_cannot_be_imported(submit, proxy, source, kind, message):
    submission = submit(source, import_seconds=0.4)
    assert submission.unusable == "toy.py could not be imported"
    assert type(submission.failure) is kind
    if message is None:
        message = "importing toy.py sent something that is not a reply: it does not begin with the frame mark"
    assert submission.failure.message == message
    started = time.monotonic()
    assert failure(proxy(submission).double, X) == (NotRun, "toy.py could not be imported", None)
    assert time.monotonic() - started < 0.1  # it is not tried again


def test_an_import_that_lists_nothing(submit):
    source = f"""{FRAMES}
frame = sys._getframe()
while "request" not in frame.f_locals: frame = frame.f_back
wire.send(connection, {{"nonce": frame.f_locals["request"]["nonce"], "defined": 7}})
"""
    failed = submit(source).failure
    assert type(failed) is MalformedReply
    assert failed.message == "importing toy.py sent a reply that does not list its functions"


def test_only_what_was_asked_for_is_defined(submit):
    submission = submit("def unhalve(a, b): return a\ndef other(): pass\ndef double(x): return x")
    assert submission.defined == ("double", "unhalve")  # in the order of the assignment
    assert submission.failure is None


# Time for all.


def test_the_time_of_a_submission_is_bounded(submit, proxy):
    submission = submit("import time\ndef double(x):\n    time.sleep(0.6)\n    return x", submission_seconds=1)
    toy = proxy(submission)
    used_up = (NotRun, "the 1 s for the whole submission were used up", None)
    outcomes = []
    for _ in range(8):
        try:
            toy.double(X)
            outcomes.append("passed")
        except NotRun as error:
            outcomes.append(error.message)
    assert outcomes[-1] == used_up[1]
    assert outcomes.count("passed") <= 5  # one on a quiet machine; on a busy one the time may be three times as long
    started = time.monotonic()
    assert failure(proxy(submission).double, X) == used_up
    assert time.monotonic() - started < 0.2
    assert submission.hung == set()  # there was no time left to know


# Calls that are watched.


def test_the_parts_of_a_call_are_timed_apart(student):
    works = "    end = time.process_time() + 0.05\n    while time.process_time() < end: pass\n"
    results, seconds = student(f"import time\ndef double(x):\n{works}    return 2 * x\n").timed("double", X)
    assert results.tolist() == [2.0, 4.0, 6.0]
    assert 0.05 <= seconds.call < 0.2
    assert seconds.copying == seconds.receive + seconds.send < 0.04


@pytest.mark.parametrize(("part", "message"), [("receive", 1), ("send", 3)])
def test_work_before_and_after_the_call_is_seen(student, part, message):
    """Whatever the worker does instead of waiting for the next part, its clock goes on (message 0 lists functions)."""
    source = (
        "import sys, time\n"
        "wire = sys.modules['__main__'].wire\n"
        "told = 0\n"
        "def work():\n"
        "    end = time.process_time() + 0.05\n"
        "    while time.process_time() < end: pass\n"
        "send = wire.send\n"
        "def lazy(connection, body, arrays=()):\n"
        "    global told\n"
        f"    if told == {message}: work()\n"
        "    told += 1\n"
        "    send(connection, body, arrays)\n"
        "wire.send = lazy\n"
        "def double(x):\n"
        "    return 2 * x\n"
    )
    _, seconds = student(source).timed("double", X)
    assert getattr(seconds, part) >= 0.05
    assert seconds.call < 0.04


def test_a_timed_call_that_fails(student):
    raising = student("def double(x): raise ValueError('no')\n")
    assert failure(raising.timed, "double", X)[:2] == (
        Raised,
        "double(x (3)) raised ValueError: no (toy.py, line 1: def double(x): raise ValueError('no'))",
    )
    ending = student("import os\ndef double(x): os._exit(3)\n")
    assert failure(ending.timed, "double", X)[0] is Crashed
    assert student("def double(x): return 2 * x\n").timed("double", X)[0].tolist() == [2.0, 4.0, 6.0]


LOOP = "def double(x):\n    return helper(x)\ndef helper(x):\n    return np.array([2 * each for each in x])\n"


def test_steps_are_counted_by_function(student):
    layers = student("import numpy as np\n" + LOOP)
    counts = [layers.counted("double", np.arange(float(n)))[1].steps for n in (10, 10, 110)]
    assert set(counts[-1]) == {"double", "helper"}
    assert counts[2]["double"] == counts[1]["double"]
    assert counts[2]["helper"] - counts[1]["helper"] >= 500


def test_the_steps_of_numpys_own_python_count(student):
    layers = student("import numpy as np\ndef double(x):\n    return np.apply_along_axis(sum, 1, x[:, None])\n")
    few, many = (sum(layers.counted("double", np.arange(float(n)))[1].steps.values()) for n in (10, 110))
    assert many - few >= 500


def test_the_first_counted_call_counts_like_any_other(student):
    """Newer versions of Python begin to trace steps only later, if they are not asked in the right order."""
    source = "def helper(n):\n    return sum([i for i in range(n)])\n"
    source += "def double(x):\n    for i in range(len(x)):\n        helper(3)\n    return 2 * x\n"
    layers = student(source)
    counts = [layers.counted("double", X)[1].steps for _ in range(3)]
    assert counts == counts[:1] * 3
    assert counts[0]["double"] > 10
    assert counts[0]["helper"] > 20


def test_objects_are_counted(student):
    layers = student("import numpy as np\ndef double(x):\n    return np.array(list(map(abs, x.tolist())))\n")
    few, many = (layers.counted("double", np.arange(float(n)))[1] for n in (1000, 3000))
    assert few.steps == many.steps
    assert many.objects - few.objects >= 1900


def test_who_switches_tracing_off_is_not_counted(student):
    layers = student("import sys\ndef double(x):\n    sys.settrace(None)\n    return 2 * x\n")
    assert layers.counted("double", X)[1].steps == {}


def test_a_worker_is_stopped_while_nothing_is_asked_of_it(student):
    layers = student("def double(x): return 2 * x\n")
    process = layers.connect()

    def state():
        return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]

    for _ in range(3):
        end = time.monotonic() + 5
        while state() != "T" and time.monotonic() < end:
            time.sleep(0.001)
        assert state() == "T"
        assert layers.double(X).tolist() == [2.0, 4.0, 6.0]


def test_time_spent_waiting_for_a_processor_is_given_back(submit, monkeypatch):
    session = submit("def double(x): return x", submission_seconds=10)
    now, waited = [1000.0], [0.0]
    monkeypatch.setattr("autograder.grading.session.time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(session, "_waited", lambda: waited[0])
    session.start_clock()
    now[0] += 11
    with pytest.raises(NotRun):
        session.deadline(1)
    waited[0] = 5
    assert session.deadline(1) == now[0] + 1
    assert session.deadline(9) == 1015
    waited[0] = 100
    now[0] = 1030
    with pytest.raises(NotRun):  # three times the time allowed at most
        session.deadline(1)
