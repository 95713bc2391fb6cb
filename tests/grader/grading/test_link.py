"""What ends a worker, and what it sends that is no reply. Every file here runs in a real worker."""

import sys
import time

import numpy as np
import pytest

from autograder.core.errors import (
    Crashed,
    MalformedReply,
    NotRun,
    OutOfMemory,
    Raised,
    TimedOut,
    Wrong,
)
from autograder.grading.proxy import Proxy
from autograder.grading.session import Interface, Session
from autograder.sandbox.launcher import Sandbox
from tests.grader.support.calls import FRAMES, X, failure
from tests.grader.support.toy import limits as toy_limits

# What ends the worker.


def test_a_call_that_hangs(student):
    toy = student("def double(x, shape, stride):\n    while True: pass", call_seconds=0.3)
    started = time.monotonic()
    assert failure(toy.double, X, (2, 2), stride=1) == (
        TimedOut,
        "double(x (3), (2,2), stride=1) did not return within 0.3 s"
        " (it was in this loop: toy.py, line 2: while True: pass)",
        "double",
    )
    assert time.monotonic() - started < 2


NESTED = """
def double(x):
    i = 0
    while i < 3:
        j = 0
        while j < 3:
            total = sum(k for k in range(9))
        j += 1
    return x
"""
CALLING = """
def step(n): return n + 1

def double(x):
    n = 0
    while n >= 0:
        n = step(n)
"""
ENDLESS_FOR = """
import itertools
def double(x):
    for n in itertools.count(): n + 1
"""
WITHIN_A_CALL = """
def double(x):
    while True: sum(range(10**15))
"""
DECEIVED = """
import signal
def double(x):
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    while True: pass
"""


@pytest.mark.parametrize(
    ("source", "loop"),
    [
        pytest.param(NESTED, " (it was in this loop: toy.py, line 6: while j ‹ 3:)", id="nested"),
        pytest.param(CALLING, " (it was in this loop: toy.py, line 6: while n ›= 0:)", id="calling"),
        pytest.param(ENDLESS_FOR, "", id="for"),
        pytest.param(WITHIN_A_CALL, "", marks=pytest.mark.heavy, id="within-a-call"),
        pytest.param(DECEIVED, "", id="signal-ignored"),
    ],
)
def test_a_call_that_hangs_in_a_loop_names_the_innermost_while(student, source, loop):
    toy = student(source, call_seconds=0.3)
    assert failure(toy.double, X) == (TimedOut, f"double(x (3)) did not return within 0.3 s{loop}", "double")


def test_an_import_that_hangs_names_its_loop(submit):
    submission = submit("import math\nwhile True:\n    math.sqrt(2)", import_seconds=0.3)
    said = "importing toy.py did not return within 0.3 s (it was in this loop: toy.py, line 2: while True:)"
    assert submission.failure.message == said


def test_a_call_that_asks_itself_where_it_is_sends_no_reply(student):
    toy = student("import signal\ndef double(x):\n    signal.raise_signal(signal.SIGUSR1)\n    while True: pass")
    assert failure(toy.double, X)[0] is MalformedReply


def test_what_hung_is_not_called_again_and_all_else_is(student):
    source = "def double(x):\n    while True: pass\ndef halve(x): return x / 2, None"
    toy = student(source, call_seconds=0.3)
    failure(toy.double, X)
    started = time.monotonic()
    again = "double was not called again: before, it did not return within 0.3 s"
    assert failure(toy.double, X[:2]) == (TimedOut, again, "double")
    assert time.monotonic() - started < 0.2
    assert toy.halve(X)[0].tolist() == [0.5, 1.0, 1.5]


def test_a_hang_is_remembered_by_all_tests(submit, proxy):
    submission = submit("def double(x):\n    while True: pass", call_seconds=0.3)
    failure(proxy(submission).double, X)
    assert failure(proxy(submission).double, X)[0] is TimedOut
    assert submission.hung == {"double"}


@pytest.mark.parametrize("exit_status", [0, 1, 3])
def test_a_call_that_exits(student, exit_status):
    toy = student(f"import os\ndef double(x): os._exit({exit_status})")
    message = f"double(x (3)) ended the Python process with exit status {exit_status}"
    assert failure(toy.double, X) == (Crashed, message, "double")


@pytest.mark.skipif(sys.platform != "linux", reason="the words for it are Linux's")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("SIGSEGV", "segmentation fault (endless recursion, or memory used in a way NumPy forbids)"),
        ("SIGABRT", "abort"),
        ("SIGTERM", "SIGTERM"),
        ("SIGALRM", "SIGALRM"),
        ("SIGRTMIN + 6", "signal 40"),  # has no name; the grader must not stumble over that
    ],
)
def test_a_call_that_dies_by_a_signal(student, name, words):
    toy = student(f"import signal\ndef double(x): signal.raise_signal(signal.{name})")
    message = f"double(x (3)) ended the Python process: {words}"
    assert failure(toy.double, X) == (Crashed, message, "double")


def test_a_real_segmentation_fault(student):
    toy = student("import ctypes\ndef double(x): return ctypes.string_at(1)")
    assert failure(toy.double, X)[:2] == (
        Crashed,
        "double(x (3)) ended the Python process: "
        "segmentation fault (endless recursion, or memory used in a way NumPy forbids)",
    )


def test_a_worker_that_dies_after_its_reply(student):
    """Between two calls; the next one tells of it, in words that are true."""
    source = """
import os, sys
def double(x):
    sys.modules["__main__"].wire.receive = lambda *arguments: os._exit(5)
    return 2 * x
"""
    toy = student(source)
    assert toy.double(X).tolist() == [2.0, 4.0, 6.0]
    time.sleep(0.1)
    message = "double(x (3)) ended the Python process with exit status 5"
    assert failure(toy.double, X) == (Crashed, message, "double")


@pytest.mark.skipif(sys.platform != "linux", reason="macOS bounds no address space")
@pytest.mark.parametrize(
    "body", ["np.ones(10**9)", "[np.empty(10**7) for _ in range(1000)]", "exec('raise MemoryError')"]
)
def test_a_call_that_takes_too_much_memory(student, body):
    toy = student(f"import numpy as np\ndef double(x): return {body}")
    message = "double ran out of memory; the limit is 512 MiB"
    assert failure(toy.double, X) == (OutOfMemory, message, "double")


def test_after_a_death_there_is_a_new_worker_without_the_old_caches(student):
    source = (
        "import os\ndef double(x): os._exit(1)\ndef halve(x): return x / 2, x\ndef unhalve(out, cache): return cache"
    )
    toy = student(source)
    out, cache = toy.halve(X)
    assert failure(toy.double, X)[0] is Crashed
    lost = "the cache was lost with the process that held it"
    assert failure(toy.unhalve, out, cache) == (NotRun, lost, None)
    out, cache = toy.halve(X)
    assert toy.unhalve(out, cache).tolist() == X.tolist()
    toy.close()
    assert failure(toy.unhalve, out, cache) == (NotRun, lost, None)


# What is no reply.


@pytest.mark.parametrize(
    ("lie", "message"),
    [
        (
            "connection.sendall(b'x' * 100)",
            "double sent something that is not a reply: it does not begin with the frame mark",
        ),
        (
            "connection.sendall(struct.pack('<4sI', b'NDA1', 2**31))",
            "double sent something that is not a reply: its header claims 2147483648 bytes; at most 65536 are allowed",
        ),
        (
            "connection.sendall(struct.pack('<4sI', b'NDA1', 3) + b'{]}')",
            "double sent something that is not a reply: its header is not JSON",
        ),
        (
            "wire.send(connection, {'nonce': 'guessed', 'results': []})",
            "double sent something that is not a reply: it does not answer the request",
        ),
        ("return 1 / 2", None),
    ],
)
def test_a_frame_that_is_none(student, lie, message):
    toy = student(f"{FRAMES}\ndef double(x):\n    {lie}")
    if message is None:  # the same file without the lie
        assert repr(toy.double(X)) == "a float"
    else:
        assert failure(toy.double, X) == (MalformedReply, message, "double")


@pytest.mark.parametrize(
    "body",
    [
        "{'results': [{'array': 7}]}",
        "{'results': [{'array': -1}]}",
        "{'results': [{'array': True}]}",
        "{'results': [{'handle': 0}]}",
        "{'results': [{'integer': 1.5}]}",
        "{'results': [{'integer': 1, 'array': 0}]}",
        "{'results': [{'odd': 1}]}",
        "{'results': ['array']}",
        "{'results': [['array']]}",
        "{'results': [3]}",
        "{'results': []}",
        "{'results': {}}",
        "{}",
    ],
)
def test_a_reply_that_describes_nothing(student, body):
    source = f"""{FRAMES}
def double(x):
    call = sys._getframe(1).f_locals["request"]
    wire.send(connection, {{"nonce": call["nonce"], **{body}}})
"""
    message = "double sent a reply that does not describe its results"
    assert failure(student(source).double, X) == (MalformedReply, message, "double")


@pytest.mark.parametrize(
    "body", ["{'raised': 7}", "{'raised': {'type': ['x'], 'message': {}, 'file': 3, 'line': 'x'}}"]
)
def test_a_nonsensical_exception_is_an_exception(student, body):
    source = f"""{FRAMES}
def double(x):
    call = sys._getframe(1).f_locals["request"]
    wire.send(connection, {{"nonce": call["nonce"], **{body}}})
"""
    kind, message, _ = failure(student(source).double, X)
    assert kind is Raised
    assert message in ("double(x (3)) raised an exception", "double(x (3)) raised ['x']: {}")


def test_a_reply_before_the_request(student):
    source = (
        f"{FRAMES}\ndef double(x):\n    return x\ndef halve(x):\n    connection.sendall(b'early')\n    return x, None"
    )
    toy = student(source)
    assert failure(toy.halve, X)[0] is MalformedReply
    # A worker that answers properly and adds something is found out at the next call.
    source = f"""{FRAMES}
def double(x):
    call = sys._getframe(1).f_locals["request"]
    wire.send(connection, {{"nonce": call["nonce"], "results": [{{"integer": 4}}]}})
    connection.sendall(b"early, and no frame")
    import time; time.sleep(5)
"""
    toy = student(source)
    assert toy.double(2) == 4
    assert failure(toy.double, 2)[0] is MalformedReply


def test_a_reply_that_is_too_large(student):
    toy = student("import numpy as np\ndef double(x): return np.zeros(2**18)", reply_mib=1)
    expected = "double returned an array of shape (262144,), which is far more than it should"
    assert failure(toy.double, X) == (Wrong, expected, "double")


def test_a_reply_that_drips(student):
    source = f"""{FRAMES}
import time
def double(x):
    connection.sendall(struct.pack("<4sI", b"NDA1", 1000))
    while True:
        connection.sendall(b" ")
        time.sleep(0.05)
"""
    toy = student(source, call_seconds=0.4)
    assert failure(toy.double, X) == (TimedOut, "double(x (3)) did not return within 0.4 s", "double")


def test_a_closed_connection(student):
    toy = student(f"{FRAMES}\nimport time\ndef double(x):\n    connection.close()\n    time.sleep(60)")
    expected = "double(x (3)) closed its connection to the grader"
    assert failure(toy.double, X) == (Crashed, expected, "double")


# What does not help a cheat.


@pytest.mark.parametrize(
    "cheat",
    [
        "class Right(np.ndarray):\n    def __eq__(self, other): return np.ones(self.shape, bool)\n"
        "    __sub__ = __rsub__ = __abs__ = lambda self, *other: np.zeros(self.shape)\n"
        "def double(x): return np.zeros(3).view(Right)",
        "np.allclose = np.array_equal = lambda *a, **k: True\ndef double(x): return np.zeros(3)",
        "np.asarray = np.ascontiguousarray = lambda x, **k: np.zeros(3)\ndef double(x): return np.zeros(3)",
        "def double(x): return np.ma.masked_array(np.zeros(3), mask=True)",
    ],
)
def test_raw_bytes_are_what_counts(student, cheat):
    got = student(f"import numpy as np\n{cheat}").double(X)
    assert type(got) is np.ndarray
    assert got.tolist() == [0.0, 0.0, 0.0]


def test_a_subclass_cannot_lie_about_its_shape(student):
    source = """
import numpy as np
class Right(np.ndarray):
    shape = property(lambda self: (3,))
def double(x): return np.zeros(1).view(Right)
"""
    toy = student(source)
    assert toy.double(X).shape == (1,)


# The next worker.


@pytest.mark.skipif(sys.platform != "linux", reason="the filter is Linux's")
@pytest.mark.parametrize(("without", "ahead"), [((), True), (("seccomp",), False)], ids=["filter", "no filter"])
def test_the_next_worker_is_started_where_the_filter_holds(without, ahead):
    """Without it, all processes of its user are ended with each worker."""
    with Sandbox(memory_mib=512, cpu_seconds=30, without=without) as sandbox:
        directory = sandbox.directory("student")
        (directory / "toy.py").write_text("def double(x): return 2 * x")
        (directory / "toy.py").chmod(0o644)
        submission = Session(
            sandbox, directory, ["toy.py"], Interface("toy", {"double": ["y"]}, frozenset(), toy_limits())
        )
        submission.start_clock()
        student = Proxy(submission)
        pids = set()
        for _ in range(3):
            worker = student.connect()
            assert student.double(X).tolist() == (2 * X).tolist()
            if submission.isolation["seccomp"] != "on" and ahead:
                pytest.skip("the filter does not hold here")
            assert (sandbox._ahead is not None) == ahead
            pids.add(worker.pid)
            student.close()
        assert len(pids) == 3


def test_a_worker_that_was_to_import_when_the_time_was_up_is_ended(submit, monkeypatch):
    def late(_):
        raise NotRun("the time is up")

    session = submit("def double(x): return 2 * x")
    student = Proxy(session)
    with monkeypatch.context() as patched:
        patched.setattr(session, "deadline", late)
        with pytest.raises(NotRun):
            student.connect()
    assert not student.lives
    try:
        assert student.double(X).tolist() == (2 * X).tolist()
    finally:
        student.close()
