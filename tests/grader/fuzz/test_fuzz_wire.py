"""The decoder of frames, and the proxy behind it, against replies that nobody thought of, for as long as one likes.

::

    FUZZ_SECONDS=600 python -m pytest tests/grader/fuzz/test_fuzz_wire.py

Not collected by default. What is found here becomes a test in test_wire.py, or a deed in attacks/deeds/protocol.py.
"""

import json
import math
import os
import socket
import struct
import time
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from autograder.core.errors import StudentError
from autograder.core.text import clean
from autograder.grading import compare, link
from autograder.grading.calls import Handle
from autograder.grading.compare import Foreign
from autograder.grading.proxy import Proxy
from autograder.grading.session import Interface, Session
from autograder.sandbox.ending import Ending
from autograder.sandbox.worker import wire
from tests.grader.support.toy import limits

SECONDS = float(os.environ.get("FUZZ_SECONDS", "5"))
CAP = 1 << 16
INTERFACE = Interface(
    module="layers",
    functions={"size": ["n"], "apply": ["out", "cache"], "undo": ["x"]},
    opaque=frozenset({"cache"}),
    limits=limits(call_seconds=0.2, import_seconds=0.2, submission_seconds=1e9),
)


def for_a_while(test, share, *examples):
    """Run a hypothesis test with new seeds until its share of the time is over."""
    deadline = time.monotonic() + SECONDS * share
    quiet = settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    start = time.time_ns() % 10**9
    for number in range(start, start + 10**9):
        seed(number)(quiet(given(*examples)(test)))()
        if time.monotonic() > deadline:
            return


# --- what may come ---------------------------------------------------------------------------------------------------

numbers = st.integers() | st.sampled_from(
    [0, 1, -1, True, 2**31, 2**32, 2**62, 2**63, 2**64, 10**19, 10**20 - 1, 10**30]
)
KEYS = ["body", "arrays", "nonce", "results", "steps", "raised", "returned", "defined"]
KEYS += ["array", "integer", "handle", "foreign", "type", "message", "file", "line"]
NASTY = ["layers.py", "../../etc/passwd", "\x1b[2J", "\ud800", "\u202e", "<b>"]
words = st.text(max_size=8) | st.sampled_from(KEYS + NASTY)
scalars = st.none() | st.booleans() | numbers | st.floats() | words
junk = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4), max_leaves=12
)
dtypes = st.sampled_from(sorted(wire.DTYPES)) | st.sampled_from(["|O", ">f8", "<U4", "|V8", "<f16"]) | junk
shapes = st.lists(numbers, max_size=10) | st.lists(st.integers(0, 4), max_size=3) | junk
specs = st.tuples(dtypes, shapes).map(list) | st.tuples(dtypes, shapes, st.sampled_from("FC")).map(list) | junk
headers = st.fixed_dictionaries({"body": st.dictionaries(words, junk) | junk, "arrays": st.lists(specs) | junk}) | junk


def encode(header, nan=True):
    """Return JSON as a hostile encoder would write it."""
    return json.dumps(header, allow_nan=nan, separators=(",", ":")).encode()


@st.composite
def damaged(draw):
    """Draw frames with bytes overwritten, left out, repeated or put in."""
    header = encode(draw(headers))
    data = bytearray(struct.pack("<4sI", wire.MAGIC, len(header)) + header + draw(st.binary()))
    for _ in range(draw(st.integers(0, 4))):
        at, end = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
        change = draw(st.sampled_from(["overwrite", "cut", "repeat", "insert"]))
        if change == "overwrite":
            data[at : at + 4] = struct.pack("<I", draw(st.integers(0, 2**32 - 1)))
        elif change == "cut":
            del data[at:end]
        elif change == "repeat":
            data[at:at] = data[at:end]
        else:
            data[at:at] = draw(st.sampled_from([b"[" * 3000, b"9" * 3000, b"\\ud800", b"\x00", b'"', wire.MAGIC]))
    return bytes(data)


# --- the decoder -----------------------------------------------------------------------------------------------------


def decode(header):
    """Whatever is accepted keeps every bound."""
    try:
        body, found = wire.decode_header(header, CAP)
    except wire.WireError:
        return
    assert type(body) is dict
    assert len(found) <= wire.MAX_ARRAYS
    assert sum(math.prod(shape) * np.dtype(dtype).itemsize for dtype, shape, _ in found) <= CAP
    for dtype, shape, order in found:
        assert np.empty(shape, dtype, order).shape == shape


def test_headers():
    for_a_while(decode, 0.2, headers.map(encode) | st.binary())


def receive(data):
    """Whatever comes over a socket is a frame or is refused."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            theirs.sendall(data)
        try:
            _, found = wire.receive(ours, CAP, time.monotonic() + 5)
        except wire.WireError:
            return
        assert all(type(array) is np.ndarray and array.flags.owndata for array in found)


def test_frames():
    for_a_while(receive, 0.2, damaged())


def test_round_trips():
    def round_trip(array, body):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            wire.send(theirs, body, [array])
            got, (copy,) = wire.receive(ours, CAP)
        assert got == body
        assert copy.shape == array.shape
        assert copy.tobytes() == array.astype(copy.dtype).tobytes()

    kinds = arrays_of.integer_dtypes() | arrays_of.floating_dtypes() | arrays_of.complex_number_dtypes()
    plain = kinds.filter(lambda dtype: dtype.newbyteorder("<").str in wire.DTYPES)
    some = arrays_of.arrays(plain, arrays_of.array_shapes(min_dims=0, min_side=0, max_side=4))
    bodies = st.dictionaries(words, st.text() | st.integers(-(10**18), 10**18) | st.none() | st.booleans())
    for_a_while(round_trip, 0.1, some | some.map(np.transpose), bodies)


# --- the proxy -------------------------------------------------------------------------------------------------------

indices = st.integers(-1, 3) | junk
results = st.lists(
    st.dictionaries(st.sampled_from(["array", "integer", "handle", "foreign"]), indices, min_size=1, max_size=1) | junk,
    max_size=3,
)
facts = st.fixed_dictionaries({}, optional=dict.fromkeys(("type", "message", "file", "line"), junk))
replies = st.fixed_dictionaries(
    {},
    optional={
        "results": results | junk,
        "raised": facts | junk,
        "returned": junk,
        "steps": st.dictionaries(words, numbers) | junk,
        "defined": st.lists(st.sampled_from(list(INTERFACE.functions))) | junk,
    },
)
sent = st.lists(
    arrays_of.arrays(
        st.sampled_from(sorted(wire.DTYPES)), arrays_of.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3)
    ),
    max_size=4,
)


class Impostor:
    """Stands for a sandbox and its worker; says what it was told to, and knows the nonce."""

    pid = 1

    def __init__(self):
        self.connection, self.theirs = socket.socketpair()
        wire.send(self.theirs, {"lockdown": {}, "imports": "on"})

    def start(self, directory, reference=False):
        return self

    def pause(self):
        pass

    resume = pause

    def waited_seconds(self):
        return 0.0

    def end(self, died=False):
        self.connection.close()
        self.theirs.close()

    def stop(self, died=False):
        self.end(died)
        return Ending()

    def answer(self, nonce, body, found):
        wire.send(self.theirs, {**body, "nonce": nonce}, found)


@pytest.fixture
def converse(monkeypatch, tmp_path):
    """Import, then call every function; each answer is drawn, and only a StudentError may come of it."""
    (tmp_path / "layers.py").write_text("x = 1\n")
    script = SimpleNamespace(impostor=None, answers=[])

    def send(connection, request, arrays=(), deadline=math.inf):
        if connection is script.impostor.connection:
            script.impostor.answer(request["nonce"], *script.answers.pop(0))

    monkeypatch.setattr(link, "wire", SimpleNamespace(**{**vars(wire), "send": send}))

    def converse(imported, answers):
        script.impostor, script.answers = Impostor(), [imported, *answers]
        submission = Session(script.impostor, tmp_path, ["layers.py"], INTERFACE)
        proxy = Proxy(submission)
        submission.defined = tuple(INTERFACE.functions)
        try:
            proxy.connect()
            submission.defined = tuple(INTERFACE.functions)
            look_at(proxy)
        except StudentError as error:
            told = error.message
        else:
            told = ""
        finally:
            proxy.close()
            script.impostor.stop()
        assert clean(told, 1000) == told

    return converse


def look_at(proxy):
    """Do with the results what the hidden tests do."""
    x = np.ones((2, 2))
    compare.integer("n", proxy.size(3, stride=2), 4)
    call = proxy.inspect("apply", x, (2, 2))
    assert all(isinstance(result, (np.ndarray, int, Foreign, Handle)) for result in call.results)
    out, cache = call.results
    compare.array("out", out, x, 1e-10)
    compare.tensor("out", out, x.shape)
    compare.dtype("out", out, x.dtype)
    compare.shape("out", out, x.shape)
    compare.slopes("out", out, x[np.newaxis], np.ones(1), 1e-7, "finite differences")
    compare.untouched(call.inputs, call.inputs_after)
    compare.own_memory([name for name, each in zip(call.names, call.results, strict=True) if each is out], call.shares)
    compare.distinct("x", proxy.undo(x, cache), out)


def test_replies(converse):
    imported = st.just(({"defined": list(INTERFACE.functions)}, [])) | st.tuples(replies, st.just([]))
    honest = [
        ({"results": [{"integer": 4}]}, []),
        ({"results": [{"array": 0}, {"handle": 0}]}, [np.ones((2, 2))]),
        ({}, [np.ones((2, 2))] * 2),
        ({"results": [{"array": 0}]}, [np.ones((2, 2))]),
    ]

    def conversation(imported, place, answer):
        try:
            encode(answer[0], nan=False)
        except ValueError:  # the impostor's own encoder would send what is refused: that is test_headers' part
            return
        converse(imported, [*honest[:place], answer, *honest[place + 1 :]])

    for_a_while(conversation, 0.5, imported, st.integers(0, 3), st.tuples(replies, sent))
