"""Explains to the person who grades what each layer of a worker's lockdown means.

Pure: a report in (layer -> "on", or why not), words out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ON = "on"
GRADESCOPE = Path("/autograder/source")
"""Where the platform unpacks an autograder. On other machines it does not exist."""


@dataclass(frozen=True)
class Layer:
    """One layer of the lockdown.

    Attributes
    ----------
    name : str
        As in the worker's report.
    stops : str
        What it keeps student code from.
    remedy : str
        What to do where it does not hold.
    """

    name: str
    stops: str
    remedy: str


LAYERS = (
    Layer(
        "view",
        "learning which other files and processes exist, and leaving marks in times of last access",
        "use Linux 5.12 or newer as root, outside of Docker, or with user namespaces enabled",
    ),
    Layer("rlimits", "writing files, using more memory or processor time than allowed", "use Linux"),
    Layer("no_new_privs", "gaining rights through setuid programs", "use Linux 3.5 or newer"),
    Layer(
        "uid",
        "reading what only you may read, and touching your processes: it runs as a user of its own",
        "run as root (in a container, as Gradescope does), with a Python that every user can run",
    ),
    Layer("capabilities", "using rights of root's", "use Linux"),
    Layer("dumpable", "reading the memory of other workers", "use Linux"),
    Layer("parent_death", "living on when the grader is killed", "use Linux"),
    Layer("oom_score_adj", "taking the grader down when memory runs out", "use Linux with /proc mounted"),
    Layer(
        "landlock",
        "reading any file but Python's, NumPy's and its own, and TCP connections",
        "use Linux 5.13 or newer with Landlock enabled",
    ),
    Layer(
        "seccomp",
        "starting programs and threads, the network, changing files, signals to other processes",
        "use Linux on x86-64 or aarch64 with seccomp enabled",
    ),
    Layer("imports", "", "let every user read the Python installation"),
)
"""``imports`` is not a layer but a check: can a locked-down worker still import from the standard library?"""


def level(report: Mapping[str, str]) -> str:
    """Say in one sentence what student code can do here.

    Parameters
    ----------
    report : mapping of str to str
        Layer to "on", or to the reason why it does not hold.
    """

    def holds(name: str) -> bool:
        return report.get(name) == ON

    if not holds("seccomp"):
        rights = "the rights of a user of its own" if holds("uid") else "your rights"
        return f"student code runs with {rights}: grade only what you trust"
    if holds("landlock"):
        return "full: student code reads Python, NumPy and its own files, and can change or reach nothing"
    if holds("uid"):
        return "student code can READ files that every user of this machine may read, and can change nothing"
    return "student code can READ your files, and can change nothing"


def missing(report: Mapping[str, str]) -> list[str]:
    """List the layers that do not hold, each with its reason.

    If Landlock holds, two layers are not missed: the change of user, and hiding that other files exist. Docker, and so
    Gradescope, allows no namespaces.
    """
    return [
        f"{layer.name}: {report.get(layer.name, 'not reported')}"
        for layer in LAYERS
        if report.get(layer.name) != ON and not (layer.name in ("uid", "view") and report.get("landlock") == ON)
    ]


def objection(report: Mapping[str, str], without_seccomp: str) -> str:
    """Return why nothing may be graded on Gradescope with this report; empty if it may.

    Parameters
    ----------
    report : mapping of str to str
    without_seccomp : str
        What config.yaml says of it: ``warn`` or ``refuse``.
    """
    if report.get("uid") != ON:
        return f"student code would run as root, because the change of user failed ({report.get('uid')})"
    if report.get("seccomp") != ON and without_seccomp == "refuse":
        return (
            f"seccomp does not hold ({report.get('seccomp')}), and config.yaml says isolation.without_seccomp: refuse"
        )
    return ""
