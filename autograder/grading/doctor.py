"""Start a real worker and report which layers of the isolation work on this machine."""

from __future__ import annotations

from dataclasses import dataclass

from autograder.core.errors import GraderFault
from autograder.core.sections import Limits
from autograder.grading.proxy import preflight
from autograder.grading.session import Interface, Session
from autograder.sandbox import isolation
from autograder.sandbox.launcher import Sandbox

SECONDS = 10.0


@dataclass(frozen=True)
class Finding:
    """One layer of the isolation on this machine.

    Attributes
    ----------
    name : str
    holds : bool
    stops : str
        What it keeps student code from.
    reason, remedy : str
        Why it does not hold and what to do; empty where it does.
    """

    name: str
    holds: bool
    stops: str
    reason: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class MachineReport:
    """Which layers of the isolation hold on this machine."""

    level: str
    findings: tuple[Finding, ...]


def examine(limits: Limits) -> MachineReport:
    """Start a worker as grading does, with an empty submission, and report how it locked itself down.

    Parameters
    ----------
    limits : Limits
        As in config.yaml; times are our own.

    Raises
    ------
    GraderFault
        If no worker can be started at all.
    """
    patient = dict.fromkeys(("call_seconds", "import_seconds", "submission_seconds"), SECONDS)
    interface = Interface("empty", {}, frozenset(), limits.model_copy(update=patient))
    with Sandbox(memory_mib=limits.memory_mib, cpu_seconds=int(SECONDS)) as sandbox:
        directory = sandbox.directory("student")
        (directory / "empty.py").touch(mode=0o644)
        probe = Session(sandbox, directory, [], interface)
        preflight(probe)
        if probe.failure is not None:
            raise GraderFault(f"a worker cannot import an empty file: {probe.failure.message}")
        report = dict(probe.isolation)
        if sandbox.advice:
            report["uid"] = sandbox.advice
    return MachineReport(isolation.level(report), tuple(_finding(layer, report) for layer in isolation.LAYERS))


def _finding(layer: isolation.Layer, report: dict[str, str]) -> Finding:
    reason = report.get(layer.name, "not reported")
    if reason == isolation.ON:
        return Finding(layer.name, True, layer.stops)
    return Finding(layer.name, False, layer.stops, reason, layer.remedy)
