"""``make mutation``: change the model answer in every small way, and see whether the tests notice.

Cosmic Ray makes the mutants. Each is then a submission like any other and goes the real way, sandbox included: a
mutant that never returns or wants all memory is nothing special there. One that keeps all points survives. Survivors
are listed in ``equivalent.yaml``, with the reason why no test can tell them from the model answer, and have to agree
with it to the last bit on 1,000 random inputs. Tests of speed are left out: a mutant is to fall for what it computes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from autograder.authoring import verify
from autograder.classroom import parallel
from autograder.core import config
from tests.grader.mutation import extras, mutants
from tests.grader.mutation.mutants import Mutant

ENOUGH = 0.98
"""The share of mutants that has to be killed, equivalent ones not counted."""


def main() -> int:
    """Kill mutants; return 1 if too many live."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=Path("config.yaml"))
    parser.add_argument("--jobs", type=int, default=parallel.default_jobs())
    options = parser.parse_args()
    settings = config.load(options.config)
    source = settings.homework.solution.read_text(encoding="utf-8")
    inputs = extras if settings.homework.module == extras.__name__.rpartition(".")[2] else None
    made = mutants.generate(source)
    reasons = mutants.listed(mutants.EQUIVALENT if inputs is None else mutants.EQUIVALENT.with_name("extras.yaml"))
    with tempfile.TemporaryDirectory(prefix="mutation-") as scratch:
        alive = survivors(made, verify.without_speed(settings, Path(scratch)), Path(scratch), options.jobs)
    unexplained = [mutant for mutant in alive if mutant not in reasons]
    wrong = [
        mutant
        for mutant in reasons
        if mutant not in alive or mutants.difference(source, mutant.apply(source), inputs=inputs)
    ]
    for mutant in unexplained:
        differs = mutants.difference(source, made[mutant], inputs=inputs)
        print(f"survives, {differs or 'and may be equivalent'}\n  {mutant}")
    for mutant in wrong:
        print(f"listed as equivalent, but is not, or is no mutant any more\n  {mutant}")
    equivalent = len(alive) - len(unexplained)
    rate = (len(made) - len(alive)) / (len(made) - equivalent)
    print(f"{len(made)} mutants: {len(made) - len(alive)} killed, {equivalent} equivalent, {len(unexplained)} survive.")
    print(f"Killed of those that are not equivalent: {rate:.1%}")
    return 1 if wrong or rate < ENOUGH else 0


def survivors(made: dict[Mutant, str], config_path: Path, scratch: Path, jobs: int) -> list[Mutant]:
    """Grade every mutant; return those that keep all points."""
    entries = {}
    (scratch / "mutants").mkdir()
    for number, (mutant, text) in enumerate(made.items()):
        path = scratch / "mutants" / f"{number}.py"
        path.write_text(text, encoding="utf-8")
        entries[parallel.HandIn(path.stem, path)] = mutant
    alive = []
    for entry, grade in parallel.grade_all(list(entries), scratch / "results", config_path, jobs):
        if grade.score is None:
            sys.exit(f"grader fault:\n{grade.remark}\n  {entries[entry]}")
        if grade.score == grade.points:
            alive.append(entries[entry])
            print(f"survives: {entries[entry]}", flush=True)
    return alive


if __name__ == "__main__":
    sys.exit(main())
