"""One hostile submission against everything there is to harm.

Around every attack stand a test of the same submission before it, another after it, and a neighbour that is graded
beside it all the time; all of them must stay right. What is harmed is for the watches to see.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autograder.core.errors import StudentError, Wrong
from autograder.grading import compare
from autograder.grading.proxy import Proxy
from autograder.grading.session import Interface, Session
from autograder.sandbox.launcher import Sandbox
from autograder.sandbox.slots import Slot
from tests.grader.support import ROOT
from tests.grader.support.toy import limits

from . import watch
from .table import Attack, Result

DEEDS = Path(__file__).parent / "deeds"
MODEL = ROOT / "solutions" / "layers.py"
INTERFACE = Interface(
    module="layers",
    functions={"conv_output_size": ["size"], "im2col": ["cols"], "conv2d_forward": ["out", "cache"]},
    opaque=frozenset({"cache"}),
    limits=limits(call_seconds=10.0, import_seconds=10.0, submission_seconds=60.0, reply_mib=32),
)
IMPATIENT = dataclasses.replace(
    INTERFACE, limits=INTERFACE.limits.model_copy(update={"call_seconds": 0.5, "import_seconds": 0.5})
)
"""For attacks that take for ever."""
HARMLESS, REFERENCE = Attack("harmless", ""), Attack("reference", "")
LOOT = "raised Loot: "
"""How ``deeds/layers.py`` carries out what it got hold of."""
BARE = """
import json, socket, sys
sys.path.insert(0, sys.argv[1])
connection, request = socket.socket(fileno=int(sys.argv[2])), {}
import layers, numpy
loot = ""
try:
    layers.im2col(numpy.ones((1, 1, 3, 3)), (2, 2))
except layers.Loot as error:
    loot = str(error)
print(json.dumps(loot), flush=True)
sys.stdin.read()
"""
"""A worker without any sandbox: it imports, calls, says what it got hold of, and waits to be looked at."""
BARE_SECONDS = 10.0


def _model() -> Any:
    specification = importlib.util.spec_from_file_location("model_answer", MODEL)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


model = _model()
X = np.arange(32.0).reshape(1, 2, 4, 4)
CALLS: Mapping[str, Callable[[Any], Any]] = {
    "conv_output_size": lambda layers: np.array([float(layers.conv_output_size(7, 3, stride=2, padding=1))]),
    "im2col": lambda layers: layers.im2col(X, (2, 3), stride=1, padding=1),
    "conv2d_forward": lambda layers: layers.conv2d_forward(X, X[:, :, :2, :2], np.ones(1), stride=2, padding=0)[0],
}


def expect_right(student: Proxy, function: str) -> None:
    """Call a function and raise Wrong if it is not what the model answer returns."""
    mismatch = compare.array(function, CALLS[function](student), CALLS[function](model), 1e-12)
    if mismatch is not None:
        raise Wrong(mismatch.message, function)


def hostile_files(
    attacks: Iterable[Attack], facts: Mapping[str, Any], model: Path = MODEL, functions: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return what a student hands in, by name: ``layers.py``, the deeds it uses, and what they are told.

    Parameters
    ----------
    attacks : iterable of Attack
        Several if all of them also give the right answer.
    facts : mapping
        What the deeds may reach for.
    model : Path
        The model answer that is attacked.
    functions : mapping of str to str
        For another homework: which of its functions stands for one of ours.
    """
    files = {path.name: path.read_text() for path in DEEDS.glob("*.py")}
    files["model.py"] = model.read_text()
    plan: dict[str, Any] = {"FACTS": dict(facts), "AROUND": {}, "INSTEAD": {}, "AT_IMPORT": []}
    for attack in attacks:
        function = (functions or {}).get(attack.function, attack.function)
        deed = f"{attack.module}.{attack.name}"
        if attack.at_import:
            plan["AT_IMPORT"].append(deed)
        elif attack.instead:
            plan["INSTEAD"][function] = deed
        elif attack.module:
            plan["AROUND"].setdefault(function, []).append(deed)
        files |= attack.files
    files["plan.py"] = "".join(f"{name} = {value!r}\n" for name, value in plan.items())
    return files


class Arena:
    """Targets of every kind, a sandbox to attack from, and another beside it.

    Parameters
    ----------
    without : frozenset of str
        Layers that are off.
    fork : bool
        Whether workers are forked from a launcher.

    Attributes
    ----------
    is_spoiled : bool
        Some harm lasts, so that the next attack needs another arena.
    """

    is_spoiled = False

    def __init__(self, without: frozenset[str], fork: bool) -> None:
        self._base = Path(tempfile.mkdtemp(prefix="arena-"))
        self._base.chmod(0o711)
        self._processes = watch.Processes()
        self._files = watch.Files(self._base)
        self._watches: tuple[watch.Watch, ...] = (
            self._files,
            self._processes,
            watch.Bystander(),
            watch.Ears(self._base / "public"),
            watch.Terminal(),
            watch.Segment(),
            watch.Grader(),
        )
        bounds: dict[str, Any] = {"memory_mib": INTERFACE.limits.memory_mib, "cpu_seconds": 60, "fork": fork}
        self._sandbox, self._beside = (Sandbox(**bounds, without=without) for _ in range(2))
        told, answer = watch.secret(), watch.secret()
        own = self._hand_in(self._sandbox, HARMLESS)
        neighbour = self._hand_in(self._beside, HARMLESS, {"notes.py": f"SECRET = {told!r}"})
        reference = self._hand_in(self._sandbox, REFERENCE, {"notes.py": f"SECRET = {answer!r}"})
        reference.reference = True
        with _connected(own) as (_, worker):
            launcher = _parent(worker)
        self._neighbour, self._reference = Proxy(neighbour), Proxy(reference)
        self._secrets = {"neighbour's file": told, "model answer": answer}
        self._facts: dict[str, Any] = {
            "mark_backwards": watch.MARK[::-1],
            "launcher": launcher,
            "modules": str(own.directory.parents[1] / "modules"),
            "neighbour": str(neighbour.directory / "notes.py"),
            "neighbour_worker": self._neighbour.connect().pid,
            "model_answer": str(reference.directory / "notes.py"),
            "reference_worker": self._reference.connect().pid,
            "slots": str(Slot.FOLDER),
            "other_user": os.geteuid() == 0 and "uid" not in without,
        }
        for each in self._watches:
            self._facts |= each.facts
            self._secrets |= each.secrets
        self._scratch = [own.directory.parents[1], neighbour.directory.parents[1]]
        self._files.folders += self._scratch

    def attempt(self, attack: Attack) -> Result:
        """Let an attack loose in a sandbox."""
        result = Result(attack.name)
        descriptors = self._descriptors()
        submission = self._hand_in(self._sandbox, attack)
        with self._must_hold(result, "the test before it"):
            self._test_another_function(attack, submission)
        if "timed out" in attack.outcome:
            submission.interface = IMPATIENT
        self._look()
        student = Proxy(submission)
        with self._must_hold(result, "the grader"):
            self._test(attack, student, result)
            result.harm += self._harm(result.message)
        with self._must_hold(result, "the end of the worker"):
            student.close()
            result.harm += self._harm()
        submission.interface = INTERFACE
        with self._must_hold(result, "the test after it"):
            self._test_another_function(attack, submission)
        self._look_around(result)
        if self._descriptors() != descriptors:
            result.harm.append(f"the grader has {self._descriptors()} descriptors open, {descriptors} before")
        return result

    def attempt_bare(self, attack: Attack) -> Result:
        """Let an attack loose with nothing to hold it, as the user who runs this."""
        result = Result(attack.name)
        directory = self._hand_in(self._sandbox, attack).directory
        ours, theirs = socket.socketpair()
        self._look()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-B", "-c", BARE, str(directory), str(theirs.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=[theirs.fileno(), self._files.open],
                start_new_session=True,
            )
        self._processes.expect(process.pid)
        assert process.stdout is not None
        line = process.stdout.readline()
        with contextlib.suppress(BrokenPipeError):
            ours.send(b"!")
        ours.close()
        result.harm += self._harm(LOOT + json.loads(line) if line else "")
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=BARE_SECONDS)
        process.kill()
        process.wait()
        process.stdout.close()
        self._look_around(result)
        return result

    def close(self) -> list[str]:
        """End everything; return what could not be ended, or what a sandbox should have ended and did not."""
        left: list[str] = []
        for student in (self._neighbour, self._reference):
            with contextlib.suppress(Exception):
                student.close()
        for sandbox in (self._sandbox, self._beside):
            try:
                sandbox.close()
            except Exception as error:
                left.append(f"{type(error).__name__}: {error}")
        left += [f"{folder} was left behind" for folder in self._scratch if folder.exists()]
        for each in self._watches:
            if each is not self._processes:
                each.close()
        left += self._processes.left()
        self._processes.close()
        shutil.rmtree(self._base)
        return left

    def _hand_in(self, sandbox: Sandbox, attack: Attack, files: Mapping[str, str] | None = None) -> Session:
        """Put the files of an attack where a worker of `sandbox` finds them."""
        directory = sandbox.directory(attack.name)
        facts = self._facts if attack.module else {}
        for name, text in {**hostile_files([attack], facts), **(files or {})}.items():
            (directory / name).write_text(text)
            (directory / name).chmod(0o644)
        return Session(sandbox, directory, ["layers.py"], INTERFACE)

    def _test(self, attack: Attack, student: Proxy, result: Result) -> None:
        """Do what a hidden test does."""
        try:
            self._processes.expect(student.connect().pid)
            for _ in range(attack.calls):
                expect_right(student, attack.function)
            result.outcome = "passed"
        except StudentError as error:
            result.outcome, result.message = error.outcome, error.message

    def _test_another_function(self, attack: Attack, submission: Session) -> None:
        """Test a function that no attack replaces, in a worker of its own."""
        if attack.at_import:  # there is none: just see that a worker starts
            self._sandbox.start(submission.directory).stop()
            return
        with _connected(submission) as (student, _):
            expect_right(student, "conv_output_size")

    def _look_around(self, result: Result) -> None:
        """See whether those beside it are still right, and whether everything stands for the next attack."""
        before = len(result.harm)
        for what, other in (("the neighbour", self._neighbour), ("the reference", self._reference)):
            with self._must_hold(result, what):
                expect_right(other, "im2col")
        result.harm += self._harm()
        self.is_spoiled = len(result.harm) > before

    def _descriptors(self) -> int:
        """Return how many descriptors the grader has open, but for those of the next worker, which may be there."""
        of_one = 1 if self._sandbox._fork else 3  # to the worker, to its launcher, from its launcher
        return _descriptors() - of_one * (self._sandbox._ahead is not None)

    def _look(self) -> None:
        self._files.look()
        self._processes.look()

    def _harm(self, message: str = "") -> Iterator[str]:
        """Say what has been harmed so far, or got out in `message`."""
        launcher = self._sandbox._next  # of the next worker
        self._processes.expect(launcher.pid)
        launcher.answer(launcher._asked)  # all is done that it was asked for; until then it has helpers of its own
        if self._sandbox._ahead is not None:
            self._processes.expect(self._sandbox._ahead[1].pid)  # the next worker
        for each in self._watches:
            yield from each.harm()
        told = [name for name, secret in self._secrets.items() if secret in message]
        yield from (f"told: the {name}" for name in told)
        if LOOT in message and not told:
            yield message.partition(LOOT)[2]

    @contextlib.contextmanager
    def _must_hold(self, result: Result, what: str) -> Iterator[None]:
        """Whatever goes wrong inside was harmed by the attack."""
        try:
            yield
        except Exception as error:
            result.harm.append(f"{what}: {type(error).__name__}: {error}")


@contextlib.contextmanager
def _connected(submission: Session) -> Iterator[tuple[Proxy, int]]:
    student = Proxy(submission)
    try:
        yield student, student.connect().pid
    finally:
        student.close()


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
