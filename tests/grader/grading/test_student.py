"""The proxy: what a student's file does, and the words for it. Every file here runs in a real worker."""

import sys
import time
from pathlib import Path

import numpy as np
import pytest

from autograder.core.errors import (
    Crashed,
    MalformedReply,
    NotRun,
    OutOfMemory,
    Raised,
    StudentError,
    TimedOut,
    Wrong,
)
from autograder.grading.compare import Foreign
from autograder.grading.proxy import Proxy

X = np.array([1.0, 2.0, 3.0])

FRAMES = """\
import gc, json, socket, struct, sys
wire = sys.modules["__main__"].wire
connection = [each for each in gc.get_objects() if isinstance(each, socket.socket) and each.fileno() >= 0][0]
"""
"""What a hostile file needs to speak for the worker."""


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


def failure(call, *arguments, **keywords):
    with pytest.raises(StudentError) as caught:
        call(*arguments, **keywords)
    return type(caught.value), caught.value.message, caught.value.function


# What goes there and comes back.


def test_arrays_come_back_as_they_are(student):
    toy = student("def double(x): return x")
    for array in (
        X,
        X.astype("float32"),
        np.arange(6).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(12.0)[::-3],
        np.array(5.0),
        np.zeros((2, 0, 3)),
        np.array([True, False]),
        np.array([1 + 2j]),
        X.astype(">f8"),
    ):
        got = toy.double(array)
        assert type(got) is np.ndarray
        assert got.dtype == array.dtype.newbyteorder("=")
        assert got.shape == array.shape
        assert np.array_equal(got, array)
        assert got.flags.writeable


def test_nothing_keeps_its_meaning_by_name_only(student):
    """Integers and tuples go there as such, keywords as keywords."""
    toy = student("def double(x, shape, *, times): return x * times + len(shape) + sum(shape)")
    assert toy.double(X, (2, 5), times=np.int64(3)).tolist() == [12.0, 15.0, 18.0]


def test_integers_come_back(student):
    toy = student("import numpy as np\ndef double(x): return x\ndef unhalve(x): return np.int32(x + 1)")
    assert toy.double(7) == 7
    assert type(toy.unhalve(7)) is int


def test_a_cache_never_leaves_the_worker(student):
    toy = student("def halve(x): return x / 2, lambda: x\ndef unhalve(out, cache): return cache()")
    out, cache = toy.halve(X)
    assert "lambda" not in repr(cache)
    assert toy.unhalve(out, cache).tolist() == X.tolist()
    assert toy.unhalve(out, cache).tolist() == X.tolist()


def test_what_prints_does_no_harm(student):
    toy = student("import sys\ndef double(x):\n    print('x' * 10**6); sys.stderr.write('y'); return 2 * x")
    assert toy.double(X).tolist() == [2.0, 4.0, 6.0]


def test_a_function_that_nobody_asked_for_is_not_there(student):
    toy = student("def helper(x): return x")
    with pytest.raises(AttributeError, match=r"the assignment has no function 'helper'"):
        toy.helper(X)


def test_a_test_may_send_what_can_be_sent_and_no_more(student):
    """Anything else would be a broken test, and no student's fault."""
    toy = student("def double(x): return x")
    with pytest.raises(TypeError):
        toy.double(1.5)


# What is no array of numbers.


@pytest.mark.parametrize(
    ("returned", "kind"),
    [
        ("None", "None"),
        ("[1.0, 2.0]", "a list of 2"),
        ("(x,)", "a tuple of 1"),
        ("{}", "a dict"),
        ("True", "a bool"),
        ("1.5", "a float"),
        ("np.float64(1.5)", "a float64"),
        ("x.astype(object)", "an array of dtype object"),
        ("np.zeros((1,) * 9)", "an array with 9 axes"),
        ("x.astype('f16')", "an array of dtype float128"),
        ("np.array(['a'])", "an array of dtype ‹U1"),
        ("2 ** 80", "an int"),
        ("type('\\x1b[31m' + 'x' * 200, (), {})()", "a [31m" + "x" * 73 + "…"),
        ("double", "a function"),
    ],
)
def test_what_cannot_travel_is_named(student, returned, kind):
    if "f16" in returned and np.dtype("longdouble").itemsize != 16:
        pytest.skip("there is no float128 here")
    got = student(f"import numpy as np\ndef double(x): return {returned}").double(X)
    assert repr(got) == kind
    assert type(got) is Foreign


@pytest.mark.parametrize(
    ("returned", "kind"),
    [
        ("x", "an array of dtype float64"),
        ("None", "None"),
        ("(x, x, x)", "a tuple of 3"),
        ("[x]", "a list of 1"),
        ("{'out': x, 'cache': x}", "a dict"),
        ("1", "an int"),
    ],
)
def test_a_wrong_number_of_results(student, returned, kind):
    toy = student(f"def halve(x): return {returned}")
    assert failure(toy.halve, X) == (Wrong, f"halve returned {kind}, but should return (out, cache)", "halve")


def test_a_list_of_results_is_as_good_as_a_tuple(student):
    out, _ = student("def halve(x): return [x / 2, None]").halve(X)
    assert out.tolist() == [0.5, 1.0, 1.5]


@pytest.mark.parametrize("source", ["", "double = 3", "def Double(x): return x"])
def test_a_function_that_is_not_defined(student, source):
    toy = student(source)
    assert failure(toy.double, X) == (Wrong, "double is not defined in toy.py", "double")


def test_a_result_of_the_wrong_kind_cannot_be_an_argument(student):
    toy = student("def halve(x): return None, None\ndef unhalve(out, cache): return out")
    out, cache = toy.halve(X)
    assert failure(toy.unhalve, out, cache) == (NotRun, "an argument is None, but should be an array", None)


# What raises.


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return int('3.5')", "ValueError: invalid literal for int() with base 10: '3.5' (toy.py, line 2: {body})"),
        ("raise ValueError('odd size')", "ValueError: odd size (toy.py, line 2)"),
        ("raise RuntimeError", "RuntimeError (toy.py, line 2)"),
        ("raise SystemExit(3)", "SystemExit: 3 (toy.py, line 2)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt (toy.py, line 2)"),
        ("raise type('Odd', (BaseException,), {})('a<b>\\x1b[31m')", "Odd: a‹b›[31m (toy.py, line 2)"),
        ("raise ValueError('long ' * 1000)", "ValueError: " + "long " * 39 + "long… (toy.py, line 2)"),
        ("return undefined", "NameError: name 'undefined' is not defined (toy.py, line 2: {body})"),
    ],
)
def test_an_exception_is_told_with_its_line(student, body, message):
    toy = student(f"def double(x):\n    {body}")
    message = "double(x (3)) raised " + message.format(body=body)
    assert failure(toy.double, X) == (Raised, message, "double")


def test_the_innermost_line_of_their_own_counts(student):
    source = "import numpy as np\nfrom helper import stack\ndef double(x):\n    return stack(x)"
    helper = "import numpy as np\n\ndef stack(x):\n    return np.concatenate([x, x[None]])"
    expected = (
        "double(x (3)) raised ValueError: all the input arrays must have same number of dimensions, but the array at "
        "index 0 has 1 dimension(s) and the array at index 1 has 2 dimension(s) "
        "(helper.py, line 4: return np.concatenate([x, x[None]]))"
    )
    assert failure(student(source, helpers={"helper.py": helper}).double, X) == (Raised, expected, "double")


def test_a_wrong_call_has_no_line_of_theirs(student):
    kind, message, _ = failure(student("def double(): return 1").double, X)
    assert kind is Raised
    assert message == "double(x (3)) raised TypeError: double() takes 0 positional arguments but 1 was given"


@pytest.mark.parametrize(("file", "line"), [("/etc/passwd", 1), ("toy.py", "1"), (None, None), ("../toy.py", 1)])
def test_a_worker_cannot_have_other_files_shown(submit, file, line):
    assert submit("secret = 1").where(file, line) == ""


@pytest.mark.parametrize(("line", "shown"), [(0, ""), (-1, ""), (2, "toy.py, line 2"), (3, ""), (99, "")])
def test_a_line_that_is_not_there_is_not_shown(submit, line, shown):
    assert submit("a = 1").where("toy.py", line) == shown


# What ends the worker.


def test_a_call_that_hangs(student):
    toy = student("def double(x, shape, stride):\n    while True: pass", call_seconds=0.3)
    started = time.monotonic()
    assert failure(toy.double, X, (2, 2), stride=1) == (
        TimedOut,
        "double(x (3), (2,2), stride=1) did not return within 0.3 s",
        "double",
    )
    assert time.monotonic() - started < 2


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
    connection.sendall(b"early")
    import time; time.sleep(5)
"""
    toy = student(source)
    assert toy.double(2) == 4
    time.sleep(0.1)
    message = "double sent something that is not a reply: it came before the request"
    assert failure(toy.double, 2) == (MalformedReply, message, "double")


def test_a_reply_that_is_too_large(student):
    toy = student("import numpy as np\ndef double(x): return np.zeros(2**18)", reply_mib=1)
    expected = "double sent something that is not a reply: its arrays hold 2097152 bytes; at most 1048576 are allowed"
    assert failure(toy.double, X) == (MalformedReply, expected, "double")


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


# Importing.


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        (
            "x = 1\nimport nowhere",
            Raised,
            "ModuleNotFoundError: No module named 'nowhere' (toy.py, line 2: import nowhere). What can be imported is "
            "Python's standard library, NumPy, and the files that were handed in",
        ),
        ("def double(x)\n    return x", Raised, "SyntaxError: expected ':' (toy.py, line 1: def double(x))"),
        ("raise ValueError('no')", Raised, "ValueError: no (toy.py, line 1)"),
        ("import sys\nsys.exit('bye')", Raised, "SystemExit: bye (toy.py, line 2: sys.exit('bye'))"),
        ("while True: pass", TimedOut, "importing toy.py did not return within 0.4 s"),
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
    submission = submit("import time\ndef double(x):\n    time.sleep(0.3)\n    return x", submission_seconds=0.5)
    toy = proxy(submission)
    used_up = (NotRun, "the 0.5 s for the whole submission were used up", None)
    outcomes = []
    for _ in range(4):
        try:
            toy.double(X)
            outcomes.append("passed")
        except NotRun as error:
            outcomes.append(error.message)
    assert outcomes[-1] == used_up[1]
    assert outcomes.count("passed") <= 1
    started = time.monotonic()
    assert failure(proxy(submission).double, X) == used_up
    assert time.monotonic() - started < 0.2
    assert submission.hung == set()  # there was no time left to know


# Inspected calls.


def test_an_inspected_call_shows_its_inputs_afterwards(student):
    toy = student("def double(x):\n    x *= 2\n    return x\ndef halve(x): return x / 2, None")
    call = toy.inspect("double", X)
    assert (call.function, call.names) == ("double", ("y",))
    assert call.inputs[0] is X
    assert call.inputs_after[0].tolist() == [2.0, 4.0, 6.0]
    assert X.tolist() == [1.0, 2.0, 3.0]
    assert call.shares == ((True,),)
    call = toy.inspect("halve", X)
    assert np.array_equal(call.inputs_after[0], X)
    assert call.shares == ((False,),)


def test_the_call_that_made_an_array_is_known(student):
    toy = student("def double(x): return 2 * x\ndef halve(x): return x / 2, None")
    y = toy.double(X)
    out, cache = toy.halve(X)
    for result, function in ((y, "double"), (out, "halve"), (cache, "halve")):
        call = toy.origin(result)
        assert call is not None
        assert call.function == function
    assert toy.origin(y.copy()) is None
    toy.close()
    assert toy.origin(y) is None


# Calls that are watched.


def test_the_parts_of_a_call_are_timed_apart(student):
    works = "    end = time.process_time() + 0.05\n    while time.process_time() < end: pass\n"
    results, seconds = student(f"import time\ndef double(x):\n{works}    return 2 * x\n").timed("double", X)
    assert results.tolist() == [2.0, 4.0, 6.0]
    assert 0.05 <= seconds.call < 0.2
    assert seconds.copying == seconds.receive + seconds.send < 0.04


@pytest.mark.parametrize(("part", "message"), [("receive", 0), ("send", 2)])
def test_work_before_and_after_the_call_is_seen(student, part, message):
    """Whatever the worker does instead of waiting for the next part, its clock goes on."""
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


def test_objects_are_counted(student):
    layers = student("import numpy as np\ndef double(x):\n    return np.array(list(map(abs, x.tolist())))\n")
    few, many = (layers.counted("double", np.arange(float(n)))[1] for n in (1000, 3000))
    assert few.steps == many.steps
    assert many.objects - few.objects >= 1900


def test_who_switches_tracing_off_is_not_counted(student):
    layers = student("import sys\ndef double(x):\n    sys.settrace(None)\n    return 2 * x\n")
    assert layers.counted("double", X)[1].steps == {}


def test_a_worker_is_stopped_meanwhile(student):
    layers = student("def double(x): return 2 * x\n")
    process = layers.connect()

    def state():
        return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]

    with layers.stopped():
        end = time.monotonic() + 5
        while state() != "T" and time.monotonic() < end:
            time.sleep(0.001)
        assert state() == "T"
    assert layers.double(X).tolist() == [2.0, 4.0, 6.0]
    layers.close()
    with layers.stopped():  # nobody is there
        pass
