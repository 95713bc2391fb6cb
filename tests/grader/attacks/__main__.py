"""Run attacks under one set of layers, and print how each went, a line of JSON for each.

::

    python -m tests.grader.attacks "root, only uid" write_results_json read_hidden_tests

Without names it runs all of them; without a mode it lists the modes.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os

from .arena import Arena
from .modes import MODES
from .offers import offers
from .table import ATTACKS, NEEDS, THE_END, Result
from .watch import secret


def main() -> None:
    """Run the attacks of these names."""
    parser = argparse.ArgumentParser(prog="python -m tests.grader.attacks", description=__doc__.split("::")[0])
    parser.add_argument("mode", nargs="?", choices=MODES, metavar="MODE", help="the layers; without it they are listed")
    parser.add_argument("names", nargs="*", metavar="ATTACK", help="without names all of them")
    asked = parser.parse_args()
    if asked.mode is None:
        print("\n".join(MODES))
        return
    mode, names = MODES[asked.mode], asked.names
    unknown = set(names) - {attack.name for attack in ATTACKS}
    if unknown:
        parser.error(f"no attack is called {', '.join(sorted(unknown))}")
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
    main()
