"""Run attacks under one set of layers, and print how each went, a line of JSON for each.

::

    python -m tests.grader.attacks "root, only uid" write_results_json read_hidden_tests

Without names it runs all of them; without a mode it lists the modes.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys

from .arena import Arena
from .modes import MODES
from .offers import offers
from .table import NEEDS, THE_END, Result
from .watch import secret


def main(arguments: list[str]) -> None:
    """Run the attacks of these names."""
    if not arguments:
        sys.exit("\n".join(MODES))
    mode, names = MODES[arguments[0]], arguments[1:]
    os.environ.setdefault("GRADER_TOKEN", secret())
    arena: Arena | None = None
    for attack in mode.attacks:
        if names and attack.name not in names:
            continue
        need = NEEDS.get(attack.name, "")
        if mode.succeeds(attack) and need and not offers(need):
            say(Result(attack.name, skipped=f"needs {need}"))
            continue
        arena = arena or Arena(mode.without, mode.fork)
        result = arena.attempt_bare(attack) if mode.bare else arena.attempt(attack)
        say(result)
        if arena.is_spoiled:
            arena.close()
            arena = None
    say(Result(THE_END, harm=arena.close() if arena else []))


def say(result: Result) -> None:
    """Print one result."""
    print(json.dumps(dataclasses.asdict(result)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
