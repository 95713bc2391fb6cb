"""What tests of the confinement share: everything a worker must not do, tried once in each mode."""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import socket
import struct
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.grader.support.jail import (
    ANOTHER_USER,
    IS_ROOT,
    MODES,
    ROOT_STAYS,
    attempts,
    in_worker,
    run,
    tried,
)


@pytest.fixture(scope="session")
def outcomes(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Try everything in the mode that is the parameter; skip where it cannot be had."""
    mode = request.param
    if not IS_ROOT and mode in (ANOTHER_USER, ROOT_STAYS):
        pytest.skip("needs root")

    def launcher(directory: str, secret: str, **settings: Any) -> Any:
        def state() -> Any:
            entries = {each.name: each.stat() for each in os.scandir(directory)}
            files = [(name, s.st_mode, s.st_uid, s.st_size, s.st_mtime_ns) for name, s in entries.items()]
            limits = [resource.getrlimit(number) for number in range(10)]
            return files, limits, os.sched_getaffinity(0), os.getpriority(os.PRIO_PROCESS, 0), memory.value

        memory = ctypes.create_string_buffer(b"untouched")
        file = directory + "/file"
        with open(file, "w") as stream:
            stream.write("content")
        os.chmod(file, 0o666)
        name = f"lockdown-test-{os.getpid()}"
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listener.bind("\0" + name)
        listener.setblocking(False)
        world = SimpleNamespace(
            name=name,
            launcher=os.getpid(),
            directory=directory,
            file=file,
            descriptor=os.open(directory, os.O_RDONLY),
            secret=secret,
            memory=struct.pack("PN", ctypes.addressof(memory), 8),
            handle=os.pidfd_open(os.getpid()),
            datagram=socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM),
            address=listener.getsockname(),
            terminal=os.openpty()[1],
            limit=resource.getrlimit(resource.RLIMIT_NOFILE),
            cores=os.sched_getaffinity(0),
            priority=os.getpriority(os.PRIO_PROCESS, 0),
        )
        before = state()
        worker = in_worker(
            lambda report: {"report": report, **{name: tried(each) for name, each in attempts(world).items()}},
            readable=[directory],
            **settings,
        )
        return {**worker.result, "untouched": state() == before, "received": tried(listener.recv, 100)}

    playground = Path(tempfile.mkdtemp(prefix="lockdown-"))
    try:
        playground.chmod(0o755)
        directory, secret = playground / "readable", playground / "secrets" / "secret"
        for each in (directory, secret.parent):
            each.mkdir()
            each.chmod(0o777)
        secret.write_text("expected values")
        secret.chmod(0o644)
        result: dict[str, Any] = run(launcher, directory=str(directory), secret=str(secret), **MODES[mode])
    finally:
        shutil.rmtree(playground)
    for layer in ("landlock", "seccomp"):
        if MODES[mode].get(layer, True) and result["report"][layer] != "on":
            pytest.skip(f"no {layer} here: {result['report'][layer]}")
    return {"mode": mode, **result}
