"""The command line: ``python -m autograder <command>``. What ``make`` calls.

Exit status 0: done (graded, with whatever score). 2: nothing could be done, and the message says what to change.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.errors import AutograderError
from autograder.grade import Grade
from autograder.outcomes import FAULT, PASSED

CONFIG = Path("config.yaml")
SAMPLE_CLASS = Path("tests/grader/submissions/sample")
OUT = Path("results")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except AutograderError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted. What has been graded so far is in the output folder.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m autograder", description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=CONFIG, help="the assignment's numbers (default: %(default)s)")
    commands = parser.add_subparsers(required=True, metavar="command")

    grade = commands.add_parser("grade", help="grade one submission, or a folder of them")
    grade.add_argument(
        "submissions",
        type=Path,
        nargs="?",
        default=SAMPLE_CLASS,
        help="a .py, a zip, a folder (default: the sample class)",
    )
    grade.add_argument(
        "--out", type=Path, default=OUT, help="where <submission>/results.json goes (default: %(default)s)"
    )
    grade.add_argument("--only", metavar="TEST", help="run one test, or one of its cases: TEST[case]")
    grade.add_argument("--jobs", type=_positive, metavar="N", help="how many side by side (default: one per processor)")
    grade.set_defaults(command=_grade)

    fixtures = commands.add_parser("fixtures", help="draw the inputs of the hidden tests and compute what is expected")
    fixtures.add_argument("--seed", type=int, help="write this seed into config.yaml first")
    fixtures.set_defaults(command=_fixtures)

    assignment = commands.add_parser("assignment", help="write the student's files from the model answer")
    assignment.set_defaults(command=_assignment)
    return parser


def _grade(options: argparse.Namespace) -> int:
    from autograder import batch, config

    settings = config.load(options.config)
    entries = batch.find(options.submissions, settings.homework.required_file)
    jobs = min(options.jobs or batch.default_jobs(), len(entries))
    console = Console(highlight=False)
    console.print(f"Grading {len(entries)} from {options.submissions}, {jobs} at a time; results go to {options.out}/")
    grades: dict[str, Grade] = {}
    for entry, grade in batch.grade_all(entries, options.out, options.config, jobs, options.only):
        grades[entry.name] = grade
        console.print(f"  {len(grades)}/{len(entries)}  {entry.name}: {_score(grade)}", markup=False)
    console.print(_table([(entry.name, grades[entry.name]) for entry in entries], options.only))
    faults = [name for name, grade in grades.items() if grade.score is None]
    for name in faults:
        console.print(
            f"grader fault in {name}, no grade was written:\n{grades[name].remark}", markup=False, style="red"
        )
    return 2 if len(faults) == len(entries) else 0


def _table(rows: Sequence[tuple[str, Grade]], only: str | None) -> Table:
    table = Table(title=f"only {only}" if only else None, caption=f"{len(rows)} submissions")
    table.add_column("submission")
    table.add_column("score", justify="right")
    table.add_column("tests")
    table.add_column("remark", overflow="fold")
    table.add_column("seconds", justify="right")
    for name, grade in rows:
        style = "red" if grade.score is None else "green" if grade.score == grade.points else ""
        remark = FAULT if grade.score is None else grade.remark
        cells = [name, _score(grade), _tally(grade), remark, f"{grade.seconds:.1f}"]
        table.add_row(*(Text(cell, style) for cell in cells))
    return table


def _score(grade: Grade) -> str:
    return "no grade" if grade.score is None else f"{float(grade.score):g} of {float(grade.points):g}"


def _tally(grade: Grade) -> str:
    ordered = sorted(grade.outcomes.items(), key=lambda item: (item[0] != PASSED, -item[1]))
    return ", ".join(f"{count} {outcome}" for outcome, count in ordered)


def _fixtures(options: argparse.Namespace) -> int:
    from autograder import config, fixtures

    if options.seed is not None:
        fixtures.write_seed(options.config, options.seed)
    settings = config.load(options.config)
    home = settings.homework
    print(fixtures.make_fixtures(settings.fixtures.seed, home.cases, home.oracle, home.fixtures))
    return 0


def _assignment(options: argparse.Namespace) -> int:
    from autograder import build, config

    home = config.load(options.config).homework
    for path in build.build_assignment(home.solution, home.public_tests, Path("assignment")):
        print(f"wrote {path}")
    return 0


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


if __name__ == "__main__":
    sys.exit(main())
