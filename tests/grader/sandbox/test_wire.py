"""Frames between grader and worker: whatever NumPy can hold arrives as it was, and whatever is no frame is refused.

The refusals matter most: the other end belongs to a student, who can send any bytes at any speed.
"""

import json
import socket
import struct
import threading
import time

import numpy as np
import pytest

from autograder.sandbox.worker import wire

CAP = 1 << 20
SOON = 0.3
"""Seconds until the deadlines of these tests."""


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def refusal(ends):
    """Send bytes, return why they are no frame."""
    ours, theirs = ends

    def refusal(data, cap=CAP):
        sending = threading.Thread(target=theirs.sendall, args=(data,))
        sending.start()
        with pytest.raises(wire.WireError) as caught:
            wire.receive(ours, cap, time.monotonic() + 10)
        ours.close()
        sending.join()
        return str(caught.value)

    return refusal


def frame(header, payload=b"", magic=wire.MAGIC, length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<4sI", magic, len(text) if length is None else length) + text + payload


def described(*specs):
    return {"body": {}, "arrays": list(specs)}


def there(ends, *arrays, body=None, cap=CAP):
    """Send a frame from a thread, so that it may be larger than what the kernel holds for the reader."""
    ours, theirs = ends
    sending = threading.Thread(target=wire.send, args=(theirs, body or {}, arrays))
    sending.start()
    try:
        return wire.receive(ours, cap, time.monotonic() + 10)
    except BaseException:
        ours.close()  # the sender need not wait for a reader any more
        raise
    finally:
        sending.join()


# --- what arrives ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", sorted(wire.DTYPES))
def test_every_dtype_arrives(ends, dtype):
    array = np.frombuffer(bytes(range(48)), dtype).reshape(-1, 1)
    _, (got,) = there(ends, array)
    assert got.dtype == array.dtype
    assert got.tobytes() == array.tobytes()


BASE = np.arange(24.0).reshape(2, 3, 4)
LAYOUTS = {
    "transposed": BASE.T,
    "Fortran": np.asfortranarray(BASE),
    "every other": BASE[:, ::2, ::-1],
    "broadcast": np.broadcast_to(BASE[0, 0], (5, 4)),
    "big endian": BASE.astype(">f8"),
    "big endian integers": np.arange(5, dtype=">i4"),
    "read-only": np.frombuffer(b"12345678"),
    "not aligned": np.frombuffer(bytes(9), np.uint8)[1:].view(np.float64),
    "no axes": np.array(7.5),
    "no entries": np.empty((3, 0, 2)),
    "no entries, big endian": np.empty(0, ">f4"),
    "one entry": np.ones((1,) * wire.MAX_DIMENSIONS),
    "special values": np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324]),
    "truth": np.array([True, False]),
    "a subclass": np.ma.masked_array([1.0, 2.0], mask=[True, False]),
}


@pytest.mark.parametrize("array", LAYOUTS.values(), ids=LAYOUTS)
def test_every_layout_arrives(ends, array):
    _, (got,) = there(ends, array)
    assert type(got) is np.ndarray
    assert got.shape == array.shape
    assert got.dtype == array.dtype.newbyteorder("<")
    assert got.tobytes() == np.asarray(array).astype(got.dtype).tobytes()
    assert got.flags.c_contiguous is not array.flags.fnc
    assert got.flags.f_contiguous or not array.flags.fnc
    assert got.flags.writeable
    assert got.flags.owndata


def test_many_arrays_arrive_in_order(ends):
    arrays = [np.full((number, 2), number, np.float32) for number in range(wire.MAX_ARRAYS)]
    _, got = there(ends, *arrays)
    assert [array.tolist() for array in got] == [array.tolist() for array in arrays]


def test_a_body_arrives(ends):
    body = {"text": "größer 😀 \ud800 \0", "list": [1, -(2**63), 2.5, None, True], "nested": {"": {}}}
    assert there(ends, body=body) == (body, [])


def test_a_frame_larger_than_any_buffer_arrives(ends):
    array = np.arange(2.0**20)
    _, (got,) = there(ends, array, cap=array.nbytes)
    assert np.array_equal(got, array)


def test_frames_follow_one_another(ends):
    ours, theirs = ends
    for number in range(3):
        wire.send(theirs, {"number": number}, [np.array(number)])
    for number in range(3):
        body, (array,) = wire.receive(ours, CAP)
        assert body["number"] == array == number


def test_a_frame_in_pieces_arrives(ends):
    ours, theirs = ends
    data = frame(described(["<f8", [2]]), np.array([1.0, 2.0]).tobytes())

    def drip():
        for byte in data:
            theirs.sendall(bytes([byte]))

    dripping = threading.Thread(target=drip)
    dripping.start()
    _, (array,) = wire.receive(ours, CAP, time.monotonic() + 10)
    dripping.join()
    assert array.tolist() == [1.0, 2.0]


def test_what_was_sent_does_not_change_with_the_original(ends):
    ours, theirs = ends
    array = np.zeros(3)
    wire.send(theirs, {}, [array])
    array[:] = 1
    assert wire.receive(ours, CAP)[1][0].tolist() == [0, 0, 0]


# --- what is not sent ------------------------------------------------------------------------------------------------

UNSHIPPABLE = {
    "objects": np.array([None]),
    "text": np.array(["a"]),
    "bytes": np.array([b"a"]),
    "records": np.zeros(1, [("a", "<f8")]),
    "dates": np.array(["2026-01-01"], "M8[D]"),
    "spans": np.array([1], "m8[s]"),
    "long double": np.zeros(1, np.longdouble),
    "nine axes": np.zeros((1,) * 9),
}


@pytest.mark.parametrize("array", UNSHIPPABLE.values(), ids=UNSHIPPABLE)
def test_not_every_array_can_travel(ends, array):
    assert not wire.shippable(array)
    with pytest.raises(wire.WireError):
        wire.send(ends[0], {}, [array])


@pytest.mark.parametrize(
    ("body", "arrays"),
    [({"text": "x" * wire.MAX_HEADER_BYTES}, []), ({}, [np.empty(0)] * (wire.MAX_ARRAYS + 1))],
    ids=["a long header", "many arrays"],
)
def test_our_own_frames_keep_the_bounds(ends, body, arrays):
    ours, theirs = ends
    with pytest.raises(wire.WireError):
        wire.send(theirs, body, arrays)
    theirs.close()
    with pytest.raises(wire.ConnectionClosed):  # not a byte was sent
        wire.receive(ours, CAP)


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x93NUMPY\x01\x00",
        b"\x80\x04\x95\0\0\0\0\0",  # a pickle
        bytes(8),
        frame({}, magic=b"nda1"),
    ],
)
def test_another_language_is_refused(refusal, data):
    assert refusal(data) == "it does not begin with the frame mark"


@pytest.mark.parametrize("length", [wire.MAX_HEADER_BYTES + 1, 2**31, 2**32 - 1])
def test_a_long_header_is_refused_before_it_is_read(refusal, length):
    assert refusal(frame(b"", length=length)) == f"its header claims {length} bytes; at most 65536 are allowed"


NOT_JSON = {
    "nothing": b"",
    "cut": b'{"body":{},"arrays":[]',
    "more than one": b'{"body":{},"arrays":[]}{}',
    "not UTF-8": b'{"body":{"\xff":1},"arrays":[]}',
    "no text": bytes(range(256)),
    "NaN": b'{"body":{"n":NaN},"arrays":[]}',
    "infinity": b'{"body":{"n":-Infinity},"arrays":[]}',
    "deep lists": b'{"body":' + b"[" * 60_000,
    "deep, and closed": b"[" * 30_000 + b"]" * 30_000,
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "a long integer": b'{"body":{"n":' + b"9" * 60_000 + b'},"arrays":[]}',
    "an integer just too long": b'{"body":{"n":' + b"9" * 21 + b'},"arrays":[]}',
    "a long length": b'{"body":{},"arrays":[["<f8",[' + b"1" * 60_000 + b"]]]}",
}


@pytest.mark.parametrize("header", NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_not_json_is_refused(refusal, header):
    """Newer versions of Python read what is nested more deeply."""
    assert refusal(frame(header)) in ("its header is not JSON", "its header has no body")


@pytest.mark.parametrize("header", [[], 1, None, "body", {}, {"arrays": []}, {"body": [], "arrays": []}])
def test_a_header_without_a_body_is_refused(refusal, header):
    assert refusal(frame(header)) == "its header has no body"


@pytest.mark.parametrize("arrays", [None, {}, "[]", 1, [["<f8", [0]]] * (wire.MAX_ARRAYS + 1)])
def test_a_header_without_a_list_of_arrays_is_refused(refusal, arrays):
    assert refusal(frame({"body": {}, "arrays": arrays})) == "its header does not list at most 16 arrays"


@pytest.mark.parametrize("spec", [None, [], ["<f8"], ["<f8", [1], "C"], ["<f8", [1], "F", 0], {"dtype": "<f8"}, "<f"])
def test_an_array_that_is_not_described_is_refused(refusal, spec):
    assert refusal(frame(described(spec))) == "an array is not described by dtype and shape"


@pytest.mark.parametrize(
    "dtype",
    ["|O", "O", "object", ">f8", "f8", "<U4", "|S1", "|V8", "<M8[s]", "<f16", "<f8,<f8", "", None, 8, ["<f8"], {}],
)
def test_any_other_dtype_is_refused(refusal, dtype):
    assert refusal(frame(described([dtype, [1]]))) == "an array has a dtype that may not be sent"


@pytest.mark.parametrize(
    "shape", [[-1], [2, -3], [1.0], ["1"], [True], [None], [[1]], [1] * 9, 4, "4", None, {}], ids=repr
)
def test_what_is_no_shape_is_refused(refusal, shape):
    assert refusal(frame(described(["<f8", shape]))) == "an array has no valid shape"


HUGE = {
    "one axis": [2**40],
    "the product overflows to zero": [2**32, 2**32],
    "the product overflows to something small": [2**63, 2, 1],
    "behind an empty axis": [0, 2**62, 2**62],
    "before an empty axis": [2**63, 0],
    "20 digits": [10**20 - 1],
    "8 axes of 20 digits": [10**20 - 1] * 8,
}


@pytest.mark.parametrize("shape", HUGE.values(), ids=HUGE)
def test_a_huge_array_is_refused_before_there_is_memory_for_it(refusal, shape):
    assert "at most 1048576 are allowed" in refusal(frame(described(["<f8", shape])))


def test_the_cap_is_for_all_arrays_together(refusal):
    half = ["<f8", [8]]
    assert refusal(frame(described(half, half)), cap=127) == "its arrays hold 128 bytes; at most 127 are allowed"


def test_the_cap_itself_is_allowed(ends):
    array = np.zeros(16)
    assert there(ends, array, cap=array.nbytes)[1][0].size == 16


def test_an_empty_axis_with_small_neighbours_is_an_array(ends):
    ours, theirs = ends
    theirs.sendall(frame(described(["<f8", [0, 1000]])))
    assert wire.receive(ours, 8000)[1][0].shape == (0, 1000)


# --- when ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cut", [0, 3, 8, 20, -1], ids=["before", "in the mark", "after it", "in the header", "at the end"]
)
def test_an_end_inside_a_frame_says_so(ends, cut):
    ours, theirs = ends
    data = frame(described(["<f8", [2]]), bytes(16))
    theirs.sendall(data[: cut if cut >= 0 else len(data) + cut])
    theirs.close()
    with pytest.raises(wire.ConnectionClosed):
        wire.receive(ours, CAP)


def test_an_end_with_bytes_unread_says_so(ends):
    ours, theirs = ends
    ours.sendall(b"request")
    theirs.close()  # a reset, not an end of file
    with pytest.raises(wire.ConnectionClosed):
        wire.receive(ours, CAP)


def test_sending_to_nobody_says_so(ends):
    ours, theirs = ends
    theirs.close()
    with pytest.raises(wire.ConnectionClosed):
        wire.send(ours, {}, [np.zeros(1000)])


def test_silence_ends_at_the_deadline(ends):
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        wire.receive(ends[0], CAP, started + SOON)
    assert SOON <= time.monotonic() - started < SOON + 5


def test_a_slow_drip_does_not_move_the_deadline(ends):
    ours, theirs = ends
    data = frame(described(["<f8", [1000]]), bytes(8000))
    ended = threading.Event()

    def drip():
        for byte in data:
            if ended.wait(SOON / 20):
                return
            theirs.sendall(bytes([byte]))

    dripping = threading.Thread(target=drip)
    dripping.start()
    started = time.monotonic()
    try:
        with pytest.raises(TimeoutError):
            wire.receive(ours, CAP, started + SOON)
    finally:
        ended.set()
        dripping.join()
    assert SOON <= time.monotonic() - started < SOON + 5


def test_a_reader_that_reads_nothing_does_not_hold_the_sender(ends):
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        wire.send(ends[0], {}, [np.zeros(2**20)], started + SOON)
    assert SOON <= time.monotonic() - started < SOON + 5


def test_a_deadline_that_has_passed_is_one(ends):
    ours, theirs = ends
    theirs.sendall(frame(described()))
    with pytest.raises(TimeoutError):
        wire.receive(ours, CAP, time.monotonic() - 1)
    with pytest.raises(TimeoutError):
        wire.send(ours, {}, [], time.monotonic() - 1)


def test_what_comes_after_a_frame_is_left_for_the_next_reader(ends):
    ours, theirs = ends
    theirs.sendall(frame(described(["<f8", [1]]), bytes(8)) + b"more")
    wire.receive(ours, CAP)
    assert ours.recv(10) == b"more"
