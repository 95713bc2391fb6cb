"""What is handed in at the rehearsal, with the platform's metadata, and what has to come of each.

It must not know: in what world it is graded, or how.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from autograder.core import config as configuration
from autograder.core import yamlfile
from autograder.core.config import Config
from tests.grader.attacks import arena
from tests.grader.attacks.table import ATTACKS
from tests.grader.support import SUBMISSIONS

SAMPLES = SUBMISSIONS / "sample"
NOON = datetime(2026, 10, 1, 12, tzinfo=timezone(timedelta(hours=-4)))
DUE = NOON + timedelta(hours=12)
RULES = {
    "late": {"grace_minutes": 15, "percent_per_day": 10, "at_most_percent": 50},
    "attempts": {"per_day": 2, "in_total": 9},
}

SPY = """
import os

for _folder in ("/autograder", "/tmp", "/var/tmp", "/dev/shm", "/root", "/home"):
    for _here, _, _names in os.walk(_folder):
        if _names and "grading-" not in _here:
            raise RuntimeError(f"here is {_here}/{_names[0]}")
    try:
        open(f"{_folder}/mark", "w").close()
    except OSError:
        continue
    raise RuntimeError(f"left a mark in {_folder}")
"""
"""In front of the model answer: looks for what an earlier submission has left, and leaves a mark for a later one."""

REACHABLE = [
    "write_results_json",
    "replace_results_json",
    "read_hidden_tests",
    "read_model_answer",
    "read_reference",
    "list_folder",
    "read_slots",
    "read_neighbour_submission",
    "poison_site_packages",
    "proc_scan_other_cmdlines",
    "kill_minus_one",
    "daemon_left_behind",
    "spawn_process",
    "exec_shell",
    "chmod_grader_files",
    "leave_state_file",
    "leave_state_directory",
]
"""Attacks that give the right answer when they are denied, all in one submission."""
SOURCE = "/autograder/source"
FACTS: Mapping[str, Any] = {
    "results": "/autograder/results/results.json",
    "scratchpad": "/autograder/submission/layers.py",
    "hidden_test": f"{SOURCE}/config.yaml",
    "fixtures": f"{SOURCE}/config.yaml",
    "model_answer": f"{SOURCE}/config.yaml",
    "reference": f"{SOURCE}/config.yaml",
    "neighbour": "/autograder/submission_metadata.json",
    "slots": "/run/autograder-slots",
    "modules": "/opt/autograder",
    "shared": "/tmp",
    "victim": 1,
}


@dataclass(frozen=True)
class HandIn:
    """One submission.

    Attributes
    ----------
    name : str
    files : dict of str to bytes
    score : float or None
        What it must get; None for what it gets from `make grade`, with the same texts.
    says : tuple of str
        What the student must read.
    published : bool
        Whether there is a grade at all.
    metadata : dict
        What the platform says of it.
    replaced : dict of str to bytes
        Other contents for files of the source.
    small : bool
        On the platform's smallest machine.
    seconds : float
        How long it may take.
    """

    name: str
    files: dict[str, bytes]
    score: float | None = None
    says: tuple[str, ...] = ()
    published: bool = True
    metadata: dict[str, Any] = field(default_factory=lambda: metadata())
    replaced: dict[str, bytes] = field(default_factory=dict)
    small: bool = False
    seconds: float = 120.0


def all_of_them(config_path: Path) -> list[HandIn]:
    """Return what is handed in, in this order."""
    config = configuration.load(config_path)
    file, points = config.homework.required_file, float(config.total_points)
    model = {file: config.homework.solution.read_bytes()}
    spy = {file: SPY.encode() + model[file]}
    plain, rules = {"config.yaml": _with_rules(config_path, {})}, {"config.yaml": _with_rules(config_path, RULES)}
    damaged = {**plain, "tests/hidden/fixtures/manifest.json": b"{}"}
    late = metadata(DUE + timedelta(hours=30))
    group = metadata(DUE + timedelta(hours=30), extensions=[None, DUE + timedelta(days=3)])
    third = metadata(previous=[(-60, 81.5, True), (-30, 12.25, True), (-20, 0.0, False), (-10, 12.25, False)])
    return [
        HandIn("full marks", model, says=("Every test passed.",), replaced=plain, seconds=5.0),
        HandIn("partly right", _sample("padding-crop-zero"), replaced=plain),
        HandIn("hostile", _hostile(config), points, replaced=plain),
        HandIn("looks for what others left", spy, points, replaced=plain),
        HandIn("the same again", spy, points, replaced=plain),
        HandIn("hangs", _sample("infinite-loop"), replaced=plain),
        HandIn(
            "30 h late", model, 0.8 * points, ("1 day 6 h late: 2 days begun × 10 % = 20 % off",), True, late, rules
        ),
        HandIn("a group, one with an extension", model, points, ("Attempt 1 of 2",), True, group, rules),
        HandIn("third of two attempts", model, 12.25, ("The score stays 12.25",), True, third, rules),
        HandIn("without the required file", {"notes.txt": b"later"}, 0.0, ("does not count",), replaced=rules),
        HandIn("damaged fixtures: no grade", model, published=False, replaced=damaged),
        HandIn("full marks, smallest machine", model, replaced=plain, small=True, seconds=20.0),
        HandIn("loops, smallest machine", _sample("slow-loops"), replaced=plain, small=True),
        HandIn("hoards, smallest machine", _sample("memory-hog"), replaced=plain, small=True),
    ]


def metadata(
    created: datetime = NOON,
    extensions: list[datetime | None] | None = None,
    previous: list[tuple[int, float | None, bool]] | None = None,
) -> dict[str, Any]:
    """Return what the platform writes beside a submission.

    Parameters
    ----------
    extensions : list of datetime or None, optional
        The due dates of the members of a group, None for the assignment's.
    previous : list of (int, float, bool), optional
        Earlier submissions: minutes from this one, score, whether it counts. The ledger comes with the latest.
        None of those without a score is in it: they are being graded.
    """
    dates = {"release_date": text(DUE - timedelta(days=14)), "due_date": text(DUE), "late_due_date": None}
    users = [
        {
            "id": 1000 + number,
            "email": f"student{number}@example.edu",
            "name": f"Student {number}",
            "assignment": {**dates, "due_date": text(due or DUE)},
        }
        for number, due in enumerate(extensions or [None])
    ]
    earlier: list[dict[str, Any]] = [
        {"submission_time": text(created + timedelta(minutes=minutes)), "score": score, "autograder_error": False}
        for minutes, score, _ in previous or []
    ]
    if earlier:
        ledger = [
            {"created_at": text(created + timedelta(minutes=minutes)), "counts": counts, "score": score}
            for minutes, score, counts in previous or []
            if score is not None
        ]
        earlier[-1]["results"] = {"score": earlier[-1]["score"], "extra_data": {"attempts": {"ledger": ledger}}}
    return {
        "id": 123456,
        "created_at": text(created),
        "submission_method": "upload",
        "users": users,
        "assignment": {
            **dates,
            "id": 25828,
            "course_id": 7777,
            "title": "Homework",
            "group_size": len(users),
            "group_submission": len(users) > 1,
            "total_points": "100.0",
        },
        "previous_submissions": earlier,
    }


def text(time: datetime) -> str:
    """Return a time as the platform writes it."""
    return time.isoformat(timespec="microseconds")


def _with_rules(config_path: Path, rules: Mapping[str, Any]) -> bytes:
    """Return config.yaml with these rules for late work and attempts for its own. It is JSON, so YAML, too."""
    content: Any = yamlfile.parse(config_path, config_path.name)
    return json.dumps({**{key: content[key] for key in content.keys() - {"late", "attempts"}}, **rules}).encode()


def _sample(name: str) -> dict[str, bytes]:
    folder = SAMPLES / name
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.py")}


def _hostile(config: Config) -> dict[str, bytes]:
    attacks = [attack for attack in ATTACKS if attack.name in REACHABLE]
    assert len(attacks) == len(REACHABLE)
    files = arena.hostile_files(attacks, FACTS, config.homework.solution)
    return {name: source.encode() for name, source in files.items()}
