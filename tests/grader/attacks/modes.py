"""Under which layers attacks run, and what is to be expected then.

A mode is run in a process of its own (``__main__.py``), which plays the grader: it may be somebody else's, and if an
attack ends it the tests live on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy

from autograder.sandbox import interpreter
from autograder.sandbox.worker import landlock
from tests.grader.support import ROOT

from .table import ATTACKS, THE_END, Attack, Result
from .watch import secret

PLAIN_USER = 61234
"""Whom root becomes to run a plain user's mode: nobody, and nobody else's."""
LANDLOCK_VERSIONS = (4, 6)
"""Those that stop more than the ones before."""
SECONDS = 600


@dataclass(frozen=True)
class Mode:
    """Who grades, and which layers are off.

    Attributes
    ----------
    plain : bool
        The grader is not root, and so has no other user for the worker.
    without : frozenset of str
        The layers that are off.
    fork : bool
        Workers are forked from a launcher.
    bare : bool
        No sandbox at all.
    """

    name: str
    plain: bool
    without: frozenset[str] = frozenset()
    fork: bool = True
    bare: bool = False

    @property
    def layers(self) -> frozenset[str]:
        """What holds, in the words of the table."""
        if self.bare:
            return frozenset()
        on = {"limits", *({"landlock", "seccomp"} - self.without)}
        if not self.plain and "uid" not in self.without:
            on.add("uid")
        if not self.plain:
            on.add("capabilities")
        if self.plain or "uid" in on:
            on.add("no root")
        if "landlock" in on:
            on.update(f"landlock {version}" for version in LANDLOCK_VERSIONS if landlock_version() >= version)
        return frozenset(on)

    @property
    def is_full(self) -> bool:
        """Whether nothing is off."""
        return not self.without and not self.bare

    def succeeds(self, attack: Attack) -> bool:
        """Whether nothing here stops an attack."""
        return attack.stopped_by is not None and not attack.stopped_by & self.layers

    @property
    def attacks(self) -> tuple[Attack, ...]:
        """The attacks worth trying here: where layers are off, those that have something to do with layers."""
        return ATTACKS if self.is_full else tuple(attack for attack in ATTACKS if attack.stopped_by is not None)

    @property
    def missing(self) -> str:
        """Why this machine cannot offer the mode; empty if it can."""
        if not self.plain and os.geteuid() != 0:
            return "needs root"
        if sys.platform != "linux":
            return "needs Linux"
        if "landlock" in self.layers and landlock_version() == 0:
            return "needs a kernel with Landlock"
        if "seccomp" in self.layers and not Path("/proc/sys/kernel/seccomp").exists():
            return "needs a kernel with seccomp"
        if "uid" in self.layers or (self.plain and os.geteuid() == 0):  # somebody else runs Python
            advice = interpreter.interpreter(for_others=True)[1]
            return advice or (_closed(ROOT) or _closed(Path(numpy.__file__)) if self.plain else "")
        return ""

    def run(self, names: Sequence[str] = ()) -> dict[str, Result]:
        """Run the attacks of these names, or all, and return how each went."""
        waiting = [attack.name for attack in self.attacks if not names or attack.name in names]
        results: dict[str, Result] = {}
        while waiting:
            results |= self._run(waiting)
            waiting = [name for name in waiting if name not in results]
        return results

    def _run(self, names: Sequence[str]) -> dict[str, Result]:
        """Run attacks in one process, for as long as it lives."""
        own, user = sys.executable, None
        if self.plain and os.geteuid() == 0:
            own, user = interpreter.interpreter(for_others=True)[0], PLAIN_USER
        packages = os.path.dirname(os.path.dirname(numpy.__file__))
        environment = {
            "GRADER_TOKEN": secret(),
            "PATH": os.defpath,
            "PYTHONPATH": os.pathsep.join((str(ROOT), packages)),
        }
        process = subprocess.run(
            [own, "-B", "-m", "tests.grader.attacks", self.name, *names],
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            start_new_session=True,
        )
        results = {}
        for line in process.stdout.splitlines():
            result = Result(**json.loads(line))
            results[result.name] = result
        if THE_END not in results:
            story = process.stderr[-2000:] or f"it ended with status {process.returncode}"
            present = next((name for name in names if name not in results), None)
            if present is None or (not results and "Traceback" in story):
                raise RuntimeError(f"mode {self.name} cannot be run: {story}")
            results[present] = Result(present, harm=[f"the grader: {story}"])
        return results


def landlock_version() -> int:
    """Return the version of Landlock this kernel has, 0 for none."""
    try:
        return landlock.version()
    except OSError:
        return 0


def _closed(path: Path) -> str:
    """Say so if other users cannot read `path`."""
    return "" if interpreter.open_to_others(path) else f"other users cannot read {path}"


_OFF = {
    "without landlock": {"landlock"},
    "without seccomp": {"seccomp"},
    "without uid": {"uid"},
    "only uid": {"landlock", "seccomp"},
    "only landlock": {"uid", "seccomp"},
    "only seccomp": {"uid", "landlock"},
    "only limits": {"uid", "landlock", "seccomp"},
}
_OFF_FOR_PLAIN = ("without landlock", "without seccomp", "only limits")
MODES = {
    mode.name: mode
    for mode in (
        Mode("root", plain=False),
        Mode("plain", plain=True),
        Mode("root, a launcher each", plain=False, fork=False),
        Mode("plain, a launcher each", plain=True, fork=False),
        *(Mode(f"root, {name}", plain=False, without=frozenset(off)) for name, off in _OFF.items()),
        *(Mode(f"plain, {name}", plain=True, without=frozenset(_OFF[name])) for name in _OFF_FOR_PLAIN),
        Mode("root, nothing", plain=False, bare=True),
        Mode("plain, nothing", plain=True, bare=True),
    )
}
