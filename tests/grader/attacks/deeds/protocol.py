"""Deeds that answer the grader's request themselves, over the worker's own socket.

Some answer with what is no answer, and sleep so that nothing else is sent; some answer rightly and add to it.
"""

import json
import os
import socket
import struct
import sys
import time

MAX_HEADER = 64 * 1024


def seize():
    """Return the socket and the request that is being answered, found in a caller's variables."""
    caller = sys._getframe().f_back
    while caller is not None:
        if {"connection", "request"} <= set(caller.f_locals):
            return caller.f_locals["connection"], caller.f_locals["request"]
        caller = caller.f_back
    raise LookupError("no caller holds a socket")


def frame(header, payload=b"", magic=b"NDA1", length=None):
    """Return the bytes of one frame, whatever its header is."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<4sI", magic, len(text) if length is None else length) + text + payload


def answer(body, arrays=(), payload=b""):
    """Return a frame that answers the present request."""
    return frame({"body": {"nonce": seize()[1]["nonce"], **body}, "arrays": list(arrays)}, payload)


def right_answer(honest):
    """Return the frame that an honest worker would send."""
    array = honest()
    return answer({"results": [{"array": 0}]}, [[array.dtype.str, list(array.shape)]], array.tobytes())


def send(data):
    """Write to the worker's socket."""
    connection, _ = seize()
    connection.settimeout(None)
    connection.sendall(data)


def send_and_sleep(data):
    """Write, and never say anything again."""
    send(data)
    time.sleep(1000)


def claim(dtype, shape):
    """Announce an array."""
    send_and_sleep(answer({"results": [{"array": 0}]}, [[dtype, shape]]))


# --- what is no frame ---


def forge_magic(target, honest):
    """Begin with something else."""
    send_and_sleep(frame({"body": {}, "arrays": []}, magic=b"GET "))


def forge_huge_length(target, honest):
    """Announce a header of 4 GiB."""
    send_and_sleep(frame({}, length=0xFFFFFFFF))


def forge_deep_json(target, honest):
    """Nest until the reader's stack is full."""
    send_and_sleep(frame(b'{"body":' + b"[" * 60_000))


def forge_big_int_json(target, honest):
    """Write a number that takes long to read."""
    send_and_sleep(frame(b'{"body":{"n":' + b"9" * 60_000 + b'},"arrays":[]}'))


def forge_nan_json(target, honest):
    """Write a number that is none."""
    send_and_sleep(frame(b'{"body":{"n":NaN},"arrays":[]}'))


def forge_bytes(target, honest):
    """Write no text at all."""
    send_and_sleep(frame(bytes(range(256))))


def forge_no_body(target, honest):
    """Write JSON with nothing in it."""
    send_and_sleep(frame([]))


def forge_huge_array(target, honest):
    """Announce 8 TiB."""
    claim("<f8", [2**40])


def forge_overflowing_shape(target, honest):
    """Announce axes whose product is zero in 64 bits."""
    claim("<f8", [2**32, 2**32])


def forge_empty_axis(target, honest):
    """Hide huge axes behind an empty one."""
    claim("<f8", [0, 2**62, 2**62])


def forge_object_dtype(target, honest):
    """Announce pointers."""
    claim("|O", [1])


def forge_structured_dtype(target, honest):
    """Announce records."""
    claim([["a", "<f8"]], [1])


def forge_negative_dim(target, honest):
    """Announce an axis shorter than nothing."""
    claim("<f8", [-1])


def forge_bool_dim(target, honest):
    """Announce an axis of length True."""
    claim("<f8", [True])


def forge_nine_axes(target, honest):
    """Announce more axes than there may be."""
    claim("<f8", [1] * 9)


def forge_many_arrays(target, honest):
    """Announce more arrays than there may be."""
    send_and_sleep(answer({"results": []}, [["<f8", [0]]] * 17))


# --- what is a frame and no answer ---


def forge_nonce(target, honest):
    """Answer another request."""
    send_and_sleep(frame({"body": {"nonce": "0" * 16, "results": [{"array": 0}]}, "arrays": [["<f8", [1]]]}, bytes(8)))


def forge_no_results(target, honest):
    """Answer nothing."""
    send_and_sleep(answer({}))


def forge_array_out_of_range(target, honest):
    """Name an array that was not sent."""
    send_and_sleep(answer({"results": [{"array": 3}]}))


def forge_array_index(target, honest):
    """Name an array by something that is no number."""
    send_and_sleep(answer({"results": [{"array": [0]}]}, [["<f8", [1]]], bytes(8)))


def forge_results_nested(target, honest):
    """Put results into results."""
    send_and_sleep(answer({"results": [[{"array": 0}]]}, [["<f8", [1]]], bytes(8)))


def forge_results_count(target, honest):
    """Give two results where there is one."""
    send_and_sleep(answer({"results": [{"array": 0}, {"array": 0}]}, [["<f8", [1]]], bytes(8)))


def forge_results_text(target, honest):
    """Give a text that holds the right word."""
    send_and_sleep(answer({"results": "array"}))


def forge_handle_for_array(target, honest):
    """Give a handle where an array is expected."""
    send_and_sleep(answer({"results": [{"handle": 5}]}))


def forge_integer_for_array(target, honest):
    """Give a number where an array is expected."""
    send_and_sleep(answer({"results": [{"integer": 3}]}))


def forge_handle_text(target, honest):
    """Give a cache a name instead of a number."""
    out, _ = honest()
    array = [[out.dtype.str, list(out.shape)]]
    send_and_sleep(answer({"results": [{"array": 0}, {"handle": "../../etc"}]}, array, out.tobytes()))


def forge_array_for_handle(target, honest):
    """Give an array where a cache is expected, for the grader to send back."""
    out, _ = honest()
    array = [[out.dtype.str, list(out.shape)]]
    send_and_sleep(answer({"results": [{"array": 0}, {"array": 1}]}, array * 2, out.tobytes() * 2))


# --- lies about an exception ---


def raised(**facts):
    """Answer that the function raised."""
    send_and_sleep(answer({"raised": facts}))


def raise_in_foreign_file(target, honest):
    """Name a file of the machine, for the grader to quote."""
    raised(type="ValueError", message="look", file="../../../../../../etc/passwd", line=1)


def raise_in_absolute_file(target, honest):
    """The same, from the root."""
    raised(type="ValueError", message="look", file="/etc/shadow", line=1)


def raise_in_strange_line(target, honest):
    """Name a line that is no line."""
    raised(type="ValueError", message="look", file="layers.py", line=-(10**18))


def raise_escape_codes(target, honest):
    """Name an exception that clears the screen, and reads from right to left."""
    nasty = "\x1b[2J\u202e<script>\ud800\x00" * 600
    raised(type=nasty, message=nasty, file=nasty, line=1)


def raise_long_message(target, honest):
    """Tell a story of a million characters: more than a header may hold."""
    raised(type="E" * 1_000_000, message="M" * 1_000_000)


def raise_no_facts(target, honest):
    """Say that something was raised, in no known form."""
    send_and_sleep(answer({"raised": [[["ValueError"]]]}))


def raise_nested_type(target, honest):
    """Name an exception by a list of lists of lists."""
    nested: list[object] = []
    for _ in range(400):
        nested = [nested]
    raised(type=nested, message={"a": nested}, file=nested, line=nested)


def raise_nameless(target, honest):
    """Name an exception by characters that are all taken out."""
    raised(type="\x00\x1b", message="\x00")


def return_nameless_kind(target, honest):
    """Say what was returned by such characters."""
    send_and_sleep(answer({"returned": "\x00\x1b"}))


def return_nested_kind(target, honest):
    """Say what was returned by a list of lists."""
    send_and_sleep(answer({"returned": [[["\x1b[2J"]]]}))


def claim_out_of_memory(target, honest):
    """Blame the limit."""
    raised(type="MemoryError", message="")


def exit_out_of_memory(target, honest):
    """Blame it by the exit status."""
    os._exit(77)


# --- too much, too little, too early, too late ---


def forge_slow_drip(target, honest):
    """Send a byte now and then, so that something always comes."""
    for byte in right_answer(honest):
        send(bytes([byte]))
        time.sleep(0.1)


def forge_missing_bytes(target, honest):
    """Announce an array and keep its last byte."""
    send_and_sleep(right_answer(honest)[:-1])


def die_inside_answer(target, honest):
    """The same, and die."""
    send(right_answer(honest)[:-1])
    os._exit(0)


def forge_more_bytes(target, honest):
    """Send more bytes than announced."""
    send_and_sleep(right_answer(honest) + bytes(8))


def reply_before_request(target, honest):
    """Answer the next request along with this one."""
    send_and_sleep(right_answer(honest) * 2)


def reply_then_sleep(target, honest):
    """Answer rightly, and never again."""
    send_and_sleep(right_answer(honest))


def reply_then_die(target, honest):
    """Answer rightly, and end."""
    send(right_answer(honest))
    os._exit(0)


def flood(target, honest):
    """Send zeros without end."""
    while True:
        send(bytes(65536))


def huge_result(target, honest):
    """Return more than a reply may hold."""
    import numpy

    return numpy.zeros(5 * 2**20)


def close_socket(target, honest):
    """Hang up and live on."""
    connection, _ = seize()
    connection.close()
    time.sleep(1000)


def dup_over_socket(target, honest):
    """Put something else in the place of the socket."""
    connection, _ = seize()
    os.dup2(os.open(os.devnull, os.O_RDONLY), connection.fileno())
    return honest()


def shut_down_socket(target, honest):
    """Stop listening, but go on talking."""
    connection, _ = seize()
    connection.shutdown(socket.SHUT_RD)
    return honest()


def smuggle_descriptors(target, honest):
    """Hand descriptors to the grader until it has none left."""
    connection, _ = seize()
    with open(os.devnull) as null:
        socket.send_fds(connection, [right_answer(honest)], [null.fileno()] * 10)
    time.sleep(1000)


# --- at import ---


def forge_defined(target):
    """Claim to have defined every function."""
    send_and_sleep(answer({"defined": seize()[1]["functions"]}))


def forge_defined_number(target):
    """Claim to have defined 9 of them."""
    send_and_sleep(answer({"defined": 9}))


def forge_import_error(target):
    """Claim that importing failed, in a file of the machine."""
    raised(type="ImportError", message="look", file="/etc/passwd", line=1)
