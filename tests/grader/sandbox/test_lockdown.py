"""What a worker must not be able to do, tried from inside under every set of layers, and what is reported of them."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from typing import Any

import pytest

from autograder.sandbox.worker import landlock, lockdown
from tests.grader.support.jail import (
    ANOTHER_USER,
    CONFINED,
    NO_LANDLOCK,
    NO_SECCOMP,
    PLAIN,
    SLOT,
    attempts,
    in_mode,
    in_worker,
    needs_root,
    run,
    tried,
)

if sys.platform != "linux":
    pytest.skip("all but the limits needs Linux", allow_module_level=True)


REFUSALS = {"EPERM", "EACCES", "ENOSYS"}
NAMES = list(attempts(None))
BY_LANDLOCK = {"read a secret", "list secrets"}
"""What only Landlock refuses to a plain user."""
BY_LANDLOCK_ALONE = [
    *sorted(BY_LANDLOCK),
    "write to a file",
    "create a file",
    "remove a file",
    "make a directory",
    "make a pipe with a name",
    "trace the launcher",
]
"""Some of what Landlock refuses to a plain user without the filter's help."""
BY_FILTER = [
    "change a mode",
    "change times",
    "create a file in memory",
    "limit the launcher",
    "lock a file",
    "make shared memory",
    "open a UDP socket",
    "pin the launcher",
    "resize the terminal",
    "slow the launcher",
]
"""Some of what only the filter refuses to a plain user, on every kernel."""


@in_mode(*CONFINED)
@pytest.mark.parametrize("name", NAMES)
def test_is_refused(outcomes, name):
    if outcomes["mode"] == NO_LANDLOCK and name in BY_LANDLOCK:
        assert outcomes[name] == "did it"  # the reason why there is Landlock
    else:
        assert outcomes[name] in REFUSALS


@in_mode(*CONFINED)
def test_nothing_outside_has_changed(outcomes):
    assert outcomes["untouched"]
    assert outcomes["received"] == "EAGAIN"


@in_mode(NO_SECCOMP)
@pytest.mark.parametrize("name", BY_FILTER)
def test_nothing_but_the_filter_refuses(outcomes, name):
    assert outcomes[name] == "did it"


@in_mode(NO_SECCOMP)
@pytest.mark.parametrize("name", BY_LANDLOCK_ALONE)
def test_landlock_alone_refuses(outcomes, name):
    assert outcomes[name] in REFUSALS


@in_mode(NO_SECCOMP)
@pytest.mark.parametrize(
    ("version", "name"),
    [
        (3, "empty a file"),
        (4, "bind a TCP port"),
        (6, "connect to an abstract socket"),
        (6, "signal the launcher"),
    ],
)
def test_newer_landlock_alone_refuses(outcomes, version, name):
    if landlock.version() < version:
        pytest.skip(f"this is Landlock {landlock.version()}")
    assert outcomes[name] in REFUSALS


@in_mode(PLAIN)
@pytest.mark.usefixtures("outcomes")
def test_landlock_lets_a_single_file_be_read(tmp_path):
    def launcher(directory: str) -> Any:
        def look(report: dict[str, str]) -> Any:
            return report["landlock"], tried(open, directory + "/this"), tried(open, directory + "/that")

        for name in ("this", "that"):
            open(f"{directory}/{name}", "w").close()
        return in_worker(look, readable=[directory + "/this"], seccomp=False).result

    assert run(launcher, directory=str(tmp_path)) == ["on", "did it", "EACCES"]


@in_mode(PLAIN)
@pytest.mark.parametrize("name", ["clone3", "create a file by openat2"])
def test_newer_calls_look_unknown(outcomes, name):
    assert outcomes[name] == "ENOSYS"


# --- the report ------------------------------------------------------------------------------------------------------

LAYERS = [
    "oom_score_adj",
    "rlimits",
    "no_new_privs",
    "uid",
    "capabilities",
    "dumpable",
    "parent_death",
    "landlock",
    "seccomp",
]


@in_mode(PLAIN)
def test_report_names_every_layer_in_order(outcomes):
    report = outcomes["report"]
    assert list(report) == LAYERS
    assert {name: held for name, held in report.items() if held != "on"} == {"uid": "no other user to become"}


@in_mode(ANOTHER_USER)
def test_report_of_another_user_is_on_throughout(outcomes):
    assert set(outcomes["report"].values()) == {"on"}


@in_mode(NO_LANDLOCK, NO_SECCOMP)
def test_report_says_what_is_switched_off(outcomes):
    layer = "landlock" if outcomes["mode"] == NO_LANDLOCK else "seccomp"
    assert outcomes["report"][layer] == "switched off"


@in_mode(PLAIN)
@pytest.mark.usefixtures("outcomes")
def test_report_says_why_a_layer_does_not_hold():
    def launcher() -> Any:
        again = lockdown.Confinement(memory_mib=2048, cpu_seconds=30, uid=12345, readable=["/"])
        return in_worker(lambda report: lockdown.apply(again), landlock=False).result  # the first time forbids it all

    report = run(launcher)
    assert report["uid"] == "Operation not permitted"
    assert report["seccomp"] == "Operation not permitted"
    assert report["landlock"] == "Function not implemented"
    assert report["rlimits"].startswith("RLIMIT_FSIZE: ")


def test_no_directory_to_read_leaves_landlock_off():
    def launcher() -> Any:
        return in_worker(lambda report: report["landlock"], readable=[]).result

    assert run(launcher) == "nothing was named that the worker may read"


@needs_root
@pytest.mark.parametrize("uid", [0, -1])
def test_root_is_no_user_to_become(uid):
    def launcher(uid: int) -> Any:
        return in_worker(lambda report: [report["uid"], os.getuid()], uid=uid).result

    assert run(launcher, uid=uid) == [f"user {uid} is no user to become", 0]


def test_confinement_survives_json():
    confinement = lockdown.Confinement(memory_mib=512, cpu_seconds=60, uid=SLOT, readable=["/usr/lib"], landlock=False)
    assert lockdown.Confinement.from_json(json.loads(json.dumps(dataclasses.asdict(confinement)))) == confinement
