"""What a worker needs works under the lockdown: NumPy, the standard library, a quick start."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest

from autograder.sandbox.worker import lockdown
from tests.grader.support.jail import (
    CONFINED,
    IS_ROOT,
    MODES,
    ROOT_STAYS,
    in_mode,
    in_worker,
    libraries,
    run,
    tried,
)

if sys.platform != "linux":
    pytest.skip("all but the limits needs Linux", allow_module_level=True)


def everybody_can_read(path: str) -> bool:
    resolved = Path(path).resolve()
    return bool(resolved.stat().st_mode & 0o004) and all(p.stat().st_mode & 0o001 for p in resolved.parents)


def interpreters() -> Iterator[str]:
    """Find Pythons of this version, this one first."""
    yield sys.executable
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for directory in os.get_exec_path():
        if os.access(os.path.join(directory, name), os.X_OK):
            yield os.path.join(directory, name)


@in_mode(*CONFINED)
def test_numpy_and_the_standard_library_work(outcomes):
    mode = outcomes["mode"]

    def launcher(modules: str, file: str, **settings: Any) -> Any:
        sys.path.append(modules)
        import numpy as np

        np.random, np.fft, np.linalg  # noqa: B018  # they are loaded when they are looked at
        folder = os.path.join(os.path.dirname(os.__file__), "lib-dynload")
        for name in os.listdir(folder):  # as the launcher of workers does
            tried(ctypes.CDLL, os.path.join(folder, name))

        def work(report: dict[str, str]) -> Any:
            import asyncio
            import decimal
            import inspect
            import linecache
            import logging
            import platform
            import random
            import traceback
            import unittest

            from numpy.testing import assert_allclose

            x = np.random.default_rng(0).normal(size=(300, 300))
            checks = {
                "matmul": tried(assert_allclose, (x @ x).sum(axis=0), x.sum(axis=0) @ x, 1e-6) == "did it",
                "solve": np.allclose(x @ np.linalg.solve(x, x), x),
                "svd": len(np.linalg.svd(x)[1]) == 300,
                "fft": np.allclose(np.fft.ifft2(np.fft.fft2(x)).real, x),
                "einsum": np.allclose(np.einsum("ij,jk->ik", x, x, optimize=True), x @ x),
                "large": np.ones((4000, 4000)).sum() == 16e6,
                "seed": np.random.default_rng().random() != np.random.default_rng().random(),
                "load": (np.load(file) == np.arange(6.0)).all(),
                "map": np.load(file, mmap_mode="r")[2] == 2,
                "fromfile": np.fromfile(file, np.uint8).size > 48,
                "sleep": tried(time.sleep, 0.001) == "did it",
                "clocks": time.process_time() > 0 and time.thread_time() > 0 and time.time() > 0,
                "localtime": time.localtime().tm_year > 2000,
                "source": "def run" in inspect.getsource(asyncio.runners),
                "line": linecache.getline(decimal.__file__, 1) != "",
                "traceback": "ZeroDivisionError" in divide(traceback),
                "cores": (os.cpu_count() or 1) >= 1,
                "directory": os.path.basename(file) in os.listdir(os.path.dirname(file)),
                "chdir": tried(os.chdir, os.path.dirname(file)) == "did it" and os.path.exists(os.path.basename(file)),
                "urandom": len(os.urandom(16)) == 16 and random.SystemRandom().random() < 1,
                "C function": ctypes.CDLL(None).abs(-3) == 3,
                # It gets no memory for code. Newer libffi needs none; code_over_a_callback tries to overwrite its.
                "callback": any(
                    end in tried(ctypes.CFUNCTYPE(ctypes.c_int), lambda: 3) for end in ("MemoryError", "did it")
                ),
                "platform": "Linux" in platform.platform(),
                "own signal": handled(),
                "log": logging.getLogger("x").isEnabledFor(logging.ERROR) and unittest.TestCase is not None,
                "thread": tried(threading.Thread(target=print).start) == repr(RuntimeError("can't start new thread")),
                "program": tried(os.system, "true") == "did it",  # says 127, as where there is no shell
                "print": tried(print, "unseen", file) == "did it",
                "socket": echoes(),
            }
            return [name for name, holds in checks.items() if not holds]

        def divide(traceback: Any) -> str:
            try:
                return str(1 / 0)
            except ZeroDivisionError:
                return str(traceback.format_exc())

        def handled() -> bool:
            seen = []
            signal.signal(signal.SIGUSR1, lambda number, frame: seen.append(number))
            os.kill(os.getpid(), signal.SIGUSR1)
            signal.raise_signal(signal.SIGUSR1)
            return len(seen) == 2

        def echoes() -> bool:
            here.settimeout(5)
            here.sendall(b"ping")
            return here.recv(4) == b"pong"

        def pong(pid: int) -> None:
            there.sendall(b"pong")

        here, there = socket.socketpair()
        np.save(file, np.arange(6.0))
        os.chmod(file, 0o644)
        readable = [os.path.dirname(os.__file__), modules, os.path.dirname(file), *libraries()]
        return in_worker(work, outside=pong, readable=readable, **settings).result

    modules = str(Path(numpy.__file__).parent.parent)
    others_too = IS_ROOT and mode != ROOT_STAYS
    found = [each for each in interpreters() if not others_too or everybody_can_read(each)]
    if not found or (others_too and not everybody_can_read(modules)):
        pytest.skip(f"no other user can run {sys.executable} with the NumPy in {modules}")
    playground = Path(tempfile.mkdtemp(prefix="lockdown-"))
    try:
        playground.chmod(0o777)
        failures = run(launcher, python=found[0], modules=modules, file=str(playground / "x.npy"), **MODES[mode])
    finally:
        shutil.rmtree(playground)
    assert failures == []


def test_abort_ends_in_its_own_signal():
    def launcher() -> Any:
        return in_worker(lambda report: os.abort()).signal

    assert run(launcher) == signal.SIGABRT


def test_lockdown_is_quick():
    def launcher() -> Any:
        def timed() -> float:
            settings = lockdown.Confinement(memory_mib=1024, cpu_seconds=20, readable=libraries())
            reader, writer = os.pipe()
            pid = os.fork()
            if pid == 0:
                start = time.perf_counter()
                lockdown.apply(settings)
                os.write(writer, struct.pack("d", time.perf_counter() - start))
                os._exit(0)
            os.waitpid(pid, 0)
            os.close(writer)
            with os.fdopen(reader, "rb") as stream:
                return float(struct.unpack("d", stream.read())[0])

        return min(timed() for _ in range(20))

    assert run(launcher) < 0.005
