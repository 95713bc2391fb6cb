"""Arrays and small JSON over a stream socket, for both ends of the trust boundary.

A frame is::

    magic (4 bytes) | header length (u32, little endian) | JSON header | raw array bytes, one array after the other

The header is ``{"body": ..., "arrays": [[dtype, shape], ...]}``, with a third entry ``"F"`` for an array
that is stored columns first. Nothing is ever unpickled, and every length is checked against a bound before it is used:
the other end may be hostile.
"""

from __future__ import annotations

import json
import math
import select
import socket
import struct
import time
from collections.abc import Sequence
from typing import Any, Literal, NoReturn

import numpy as np

MAGIC = b"NDA1"
MAX_HEADER_BYTES = 64 * 1024
MAX_ARRAYS = 16
MAX_DIMENSIONS = 8
SMALL_BYTES = 64 * 1024
"""A frame up to this size is sent in one piece: the kernel always has room for it."""
MAX_INTEGER_DIGITS = 20
"""Longer than any 64-bit number; int() of a long text takes quadratic time."""

DTYPES = frozenset(("|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8", "<c8", "<c16"))

_PREFIX = struct.Struct("<4sI")

Array = np.ndarray[Any, np.dtype[Any]]


class WireError(Exception):
    """What came is not a frame; says why."""


class ConnectionClosed(WireError):
    """The other end is gone, before or inside a frame."""


class TooLarge(WireError):
    """The arrays of a frame would hold more bytes than is accepted; none has been read.

    Attributes
    ----------
    total : int
        How many bytes they would hold.
    shapes : list of tuple of int
    """

    def __init__(self, total: int, cap: int, shapes: list[tuple[int, ...]]) -> None:
        super().__init__(f"its arrays hold {total} bytes; at most {cap} are allowed")
        self.total = total
        self.shapes = shapes


def shippable(array: Array) -> bool:
    """Whether `array` can travel: a dtype of plain numbers and not too many axes."""
    return array.dtype.newbyteorder("<").str in DTYPES and array.ndim <= MAX_DIMENSIONS


def send(
    connection: socket.socket, body: dict[str, Any], arrays: Sequence[Array] = (), deadline: float = math.inf
) -> None:
    """Send one frame.

    Parameters
    ----------
    connection : socket.socket
    body : dict
        JSON values only.
    arrays : sequence of ndarray
        Those that are stored columns first arrive so; any other memory layout arrives rows first. All little endian.
    deadline : float
        On the ``time.monotonic`` clock, in seconds.

    Raises
    ------
    WireError
        If the frame would break one of the bounds.
    ConnectionClosed
        If the other end is gone.
    TimeoutError
        If the deadline passes.
    """
    orders = ["F" if array.flags.fnc else "C" for array in arrays]
    plain = [
        np.ascontiguousarray(array.T if order == "F" else array, dtype=array.dtype.newbyteorder("<"))
        for array, order in zip(arrays, orders, strict=True)
    ]
    specs = [
        [array.dtype.str, list(original.shape), *order.strip("C")]
        for array, original, order in zip(plain, arrays, orders, strict=True)
    ]
    header = json.dumps({"body": body, "arrays": specs}, separators=(",", ":")).encode()
    if len(header) > MAX_HEADER_BYTES or len(plain) > MAX_ARRAYS or not all(map(shippable, plain)):
        raise WireError("the frame to be sent breaks the bounds of the protocol")
    parts: list[bytes | memoryview] = [_PREFIX.pack(MAGIC, len(header)) + header, *map(_bytes, plain)]
    if sum(map(len, parts)) <= SMALL_BYTES:
        parts = [b"".join(parts)]
    try:
        for part in parts:
            _send_all(connection, part, deadline)
    except (BrokenPipeError, ConnectionResetError) as error:
        raise ConnectionClosed("the other end closed the connection") from error


def receive(connection: socket.socket, byte_cap: int, deadline: float = math.inf) -> tuple[dict[str, Any], list[Array]]:
    """Receive one frame.

    Parameters
    ----------
    connection : socket.socket
    byte_cap : int
        Most array bytes that are accepted.
    deadline : float
        On the ``time.monotonic`` clock, in seconds. Absolute: a slow drip of bytes does not move it.

    Returns
    -------
    body : dict
    arrays : list of ndarray
        Base-class arrays with memory of their own.

    Raises
    ------
    WireError
        If the bytes are not a frame, or break one of the bounds; TooLarge if that is `byte_cap`.
    ConnectionClosed
        If the other end is gone.
    TimeoutError
        If the deadline passes.
    """
    try:
        magic, length = _PREFIX.unpack(_receive_exactly(connection, _PREFIX.size, deadline))
        if magic != MAGIC:
            raise WireError("it does not begin with the frame mark")
        if length > MAX_HEADER_BYTES:
            raise WireError(f"its header claims {length} bytes; at most {MAX_HEADER_BYTES} are allowed")
        body, specs = decode_header(bytes(_receive_exactly(connection, length, deadline)), byte_cap)
        return body, [_receive_array(connection, *spec, deadline) for spec in specs]
    except ConnectionResetError as error:
        raise ConnectionClosed("the other end closed the connection") from error


Spec = tuple[str, tuple[int, ...], Literal["C", "F"]]
"""Of an array: dtype, shape, and in which order its entries are stored."""


def decode_header(header: bytes, byte_cap: int) -> tuple[dict[str, Any], list[Spec]]:
    """Decode a frame's JSON header.

    Returns
    -------
    body : dict
    specs : list of (dtype, shape, order)
        The arrays that follow on the wire.

    Raises
    ------
    WireError
        If it is anything else than a header whose arrays hold at most `byte_cap` bytes.
    """
    try:
        content = json.loads(header, parse_int=_parse_int, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise WireError("its header is not JSON") from error
    if not isinstance(content, dict) or not isinstance(content.get("body"), dict):
        raise WireError("its header has no body")
    arrays = content.get("arrays")
    if not isinstance(arrays, list) or len(arrays) > MAX_ARRAYS:
        raise WireError(f"its header does not list at most {MAX_ARRAYS} arrays")
    specs = [_decode_spec(spec) for spec in arrays]
    total = sum(_claimed_bytes(dtype, shape) for dtype, shape, _ in specs)
    if total > byte_cap:
        raise TooLarge(total, byte_cap, [shape for _, shape, _ in specs])
    return content["body"], specs


def _decode_spec(spec: object) -> Spec:
    if not (isinstance(spec, list) and (len(spec) == 2 or spec[2:] == ["F"])):
        raise WireError("an array is not described by dtype and shape")
    dtype, shape = spec[:2]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise WireError("an array has a dtype that may not be sent")
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS or not all(type(n) is int and n >= 0 for n in shape):
        raise WireError("an array has no valid shape")
    return dtype, tuple(shape), "F" if spec[2:] else "C"


def _claimed_bytes(dtype: str, shape: tuple[int, ...]) -> int:
    """Bytes of an array, empty axes counted as one: NumPy multiplies the other axes and refuses what overflows."""
    return math.prod(max(n, 1) for n in shape) * np.dtype(dtype).itemsize


def _parse_int(text: str) -> int:
    if len(text) > MAX_INTEGER_DIGITS:
        raise ValueError("integer too long")
    return int(text)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _bytes(array: Array) -> memoryview:
    """View a C-contiguous array as the bytes it holds."""
    return array.reshape(-1).view(np.uint8).data if array.size else memoryview(b"")


def _send_all(connection: socket.socket, data: bytes | memoryview, deadline: float) -> None:
    view = memoryview(data)
    flags = _flags(deadline)
    while view:
        _expect(deadline)
        try:
            view = view[connection.send(view, flags) :]
        except BlockingIOError:
            _wait_until(connection, select.POLLOUT, deadline)


def _receive_array(
    connection: socket.socket, dtype: str, shape: tuple[int, ...], order: Literal["C", "F"], deadline: float
) -> Array:
    array = np.empty(shape, dtype, order)
    _receive_into(connection, _bytes(array.T if order == "F" else array), deadline)
    return array


def _receive_exactly(connection: socket.socket, size: int, deadline: float) -> bytearray:
    buffer = bytearray(size)
    _receive_into(connection, memoryview(buffer), deadline)
    return buffer


def _receive_into(connection: socket.socket, view: memoryview, deadline: float) -> None:
    flags = _flags(deadline)
    while view:
        _expect(deadline)  # a drip of bytes never has to wait
        try:
            count = connection.recv_into(view, 0, flags)
        except BlockingIOError:
            _wait_until(connection, select.POLLIN, deadline)
            continue
        if count == 0:
            raise ConnectionClosed("the other end closed the connection")
        view = view[count:]


def _expect(deadline: float) -> None:
    if time.monotonic() >= deadline:
        raise TimeoutError("the deadline has passed")


def _flags(deadline: float) -> int:
    """Return what keeps an operation from blocking, where there is a deadline."""
    return 0 if deadline == math.inf else socket.MSG_DONTWAIT


def _wait_until(connection: socket.socket, event: int, deadline: float) -> None:
    """Wait until `connection` is ready, but not beyond `deadline`. With poll: select fails from descriptor 1024 on."""
    poll = select.poll()
    poll.register(connection, event)
    poll.poll(max(1, math.ceil(1000 * (deadline - time.monotonic()))))
