"""The command line: ``python -m autograder <command>``. What ``make`` calls.

Exit status 0: done (graded, with whatever score). 1: ``verify`` or ``self-check`` found a problem, ``hosted`` publishes
no grade. 2: the command failed or ended early, and the message says what to change. 3: ``assignment --without-otter``
would need otter. 130: interrupted. 141: nobody reads the output any more.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.core import console, files
from autograder.core.errors import AutograderError, ConfigurationError
from autograder.core.text import clean

if TYPE_CHECKING:
    from autograder.authoring.verify import Report

CONFIG = Path("config.yaml")
SAMPLE_CLASS = Path("tests/grader/submissions/sample")
OUT = Path("results")
ASSIGNMENT = Path("assignment")
HANDOUT = Path("dist/handout.zip")
BUNDLE = Path("dist/autograder.zip")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    console.prepare()
    resume = ""
    try:
        options = _parser().parse_args(arguments)
        command: Callable[[argparse.Namespace], int] = options.command
        if command is _grade:
            resume = "What has been graded so far is kept: the same command goes on from there."
        status = command(options)
        if command is not _hosted:  # this command prints for nobody, and has written its results
            sys.stdout.flush()
        return status
    except AutograderError as error:
        console.complain(f"{type(error).__name__}: {clean(str(error), 10_000, lines=True)}")
        return 2
    except KeyboardInterrupt:
        console.complain(f"\nInterrupted. {resume}".rstrip())
        return console.INTERRUPTED
    except BrokenPipeError:
        console.complain(f"Nobody reads the output any more: stopped. {resume}".rstrip())
        return 141
    except OSError as error:
        remedy = files.remedy(error) or "Correct that, then give the same command again"
        console.complain(
            f"This machine refused something: {clean(files.described(error), 1000)}. {remedy}. {resume}".rstrip()
        )
        return 2
    finally:
        console.let_go(sys.stdout, sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m autograder", description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=CONFIG, help="the assignment's numbers (default: %(default)s)")
    commands = parser.add_subparsers(required=True, metavar="command")

    _add_grade(commands)

    doctor = commands.add_parser("doctor", help="say which isolation of student code holds on this machine")
    doctor.set_defaults(command=_doctor)

    fixtures = commands.add_parser("fixtures", help="draw the inputs of the hidden tests and compute what is expected")
    fixtures.add_argument("--seed", type=_seed, metavar="N", help="draw from this seed, and write it into config.yaml")
    fixtures.set_defaults(command=_fixtures)

    _add_verify(commands)

    assignment = commands.add_parser("assignment", help="write what students download, from solutions and public tests")
    assignment.add_argument("--out", type=Path, help=f"where to (default: {ASSIGNMENT}/ beside config.yaml)")
    assignment.add_argument(
        "--without-otter", action="store_true", help="stop with status 3 where the notebook has to be made anew"
    )
    assignment.set_defaults(command=_assignment)

    handout = commands.add_parser("handout", help="pack what students download, once it is up to date")
    handout.add_argument("--out", type=Path, help=f"the zip (default: {HANDOUT} beside config.yaml)")
    handout.set_defaults(command=_handout)

    bundle = commands.add_parser("bundle", help="pack what is uploaded to Gradescope")
    bundle.add_argument("--out", type=Path, help=f"the zip (default: {BUNDLE} beside config.yaml)")
    bundle.set_defaults(command=_bundle)

    hosted = commands.add_parser("hosted", help="grade as Gradescope does; run_autograder calls it")
    hosted.add_argument("root", type=Path, help="/autograder there")
    hosted.add_argument("--unsupervised", type=int, metavar="PID", help="what process PID does to grade, until it ends")
    hosted.add_argument("--run", metavar="NAME", default="by-hand", help="of the draft that is written then")
    hosted.set_defaults(command=_hosted)

    self_check = commands.add_parser("self-check", help="grade the model answer; setup.sh calls it")
    self_check.set_defaults(command=_self_check)
    return parser


def _add_verify(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    verify = commands.add_parser("verify", help="prove the tests with submissions whose grade is known")
    verify.add_argument(
        "--out",
        type=Path,
        default=OUT / "verify",
        help="where the kill matrix and all results go (default: %(default)s)",
    )
    verify.add_argument(
        "--jobs", type=_positive, metavar="N", help="how many side by side (default: one per processor)"
    )
    verify.add_argument("--seeds", type=_seeds, default=[], metavar='"1 2 3"', help="with fixtures drawn from these")
    verify.set_defaults(command=_verify)


def _add_grade(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    grade = commands.add_parser("grade", help="grade one submission, or a folder of them")
    grade.add_argument(
        "submissions",
        type=Path,
        nargs="?",
        help="a .py, a zip, a folder (default: the sample class)",
    )
    grade.add_argument(
        "--out", type=Path, default=OUT, help="where <submission>/results.json goes (default: %(default)s)"
    )
    grade.add_argument("--only", metavar="TEST", help="run one test, or one of its cases: TEST[case]")
    grade.add_argument("--jobs", type=_positive, metavar="N", help="how many side by side (default: one per processor)")
    grade.add_argument("--force", action="store_true", help="grade what has been graded already and is unchanged, too")
    grade.add_argument("--roster", type=Path, metavar="CSV", help="who is in the class, from Gradescope or Canvas")
    grade.add_argument("--compare", type=Path, metavar="EARLIER", help="an earlier grades.csv, or a Gradescope export")
    grade.add_argument(
        "--overrides", type=Path, metavar="CSV", help="decisions of staff (default: overrides.csv in the output folder)"
    )
    grade.add_argument("--scheduler", metavar="ADDRESS", help="grade on Dask: tcp://host:port, or `local`")
    grade.add_argument("--anonymous", action="store_true", help="no names in anything that is printed or written")
    grade.add_argument(
        "--as", dest="asked", choices=["class", "one"], help="what the submissions are, where that cannot be told"
    )
    grade.set_defaults(command=_grade)


def _beside(options: argparse.Namespace, place: Path) -> Path:
    """Return a place in the folder of config.yaml: that of the homework."""
    folder: Path = options.config.parent
    return folder / place


def _grade(options: argparse.Namespace) -> int:
    gc.disable()  # imported modules are never garbage: a search for garbage among them would take 75 of 830 ms
    from autograder.classroom import job, run, terminal

    gc.freeze()
    gc.enable()

    def path(given: Path | None) -> Path | None:
        return None if given is None else given.expanduser()

    without = options.submissions is None
    for name in ("roster", "overrides", "compare", "asked"):
        if without and getattr(options, name) is not None:
            name = {"asked": "as"}.get(name, name).upper()
            problem = f"is missing, and {name} says nothing about the sample class, which is graded then"
            raise ConfigurationError("SUBMISSIONS", "", problem, "Say which submissions to grade")
    order = job.ClassJob(
        source=_beside(options, SAMPLE_CLASS) if without else options.submissions.expanduser(),
        sample=without,
        out=options.out.expanduser(),
        config=options.config,
        only=options.only,
        jobs=options.jobs,
        scheduler=options.scheduler,
        force=options.force,
        roster=path(options.roster),
        overrides=path(options.overrides),
        compare=path(options.compare),
        anonymous=options.anonymous,
        asked=options.asked,
    )
    done = run.mark(order, lambda plan: print(clean(plan, 1000), flush=True), terminal.follow)
    faults = [name for name, grade in done.grades.items() if grade.score is None]
    for name in faults:
        story = clean(done.grades[name].remark, 10_000, lines=True)
        print(f"grader fault in {clean(name)}, no grade was written:\n{story}")
    terminal.print_problems(done.problems)
    total = next((grade.points for grade in done.grades.values()), Fraction())
    terminal.print_table(done.rows, total, f"only {options.only}" if options.only else "")
    for isolation in sorted({grade.isolation for grade in done.grades.values()} - {""}):
        print(f"Isolation: {isolation}.")
    if done.changes is not None:
        print(f"{len(done.changes)} of {len(done.rows)} scores change.")
    if done.page or (len(done.rows) == 1 and not done.written):
        terminal.print_one(done.rows[0], done.page)
    if done.written:
        print(clean(f"Written to {order.out}/: {', '.join(path.name for path in done.written)}", 1000))
        print(done.next_step)
    return 2 if len(faults) == len(done.grades) else 0


def _doctor(options: argparse.Namespace) -> int:
    from autograder.core import config
    from autograder.grading import doctor

    diagnosis = doctor.examine(config.load(options.config).limits)
    for finding in diagnosis.findings:
        print(f"{'holds  ' if finding.holds else 'MISSING'}  {finding.name:14} {finding.stops}")
        if not finding.holds:
            print(f"{'':24} why: {finding.reason}\n{'':24} remedy: {finding.remedy}")
    print(f"\nIsolation here: {diagnosis.level}.")
    return 0


def _fixtures(options: argparse.Namespace) -> int:
    from autograder.authoring import fixtures
    from autograder.core import config

    parts, seed = config.load(options.config).whole, options.seed
    changed = {part.path: fixtures.with_seed(part.path, seed) for part in parts} if seed is not None else {}
    for part in parts:
        home = part.homework
        drawn = part.fixtures.seed if seed is None else seed
        print(fixtures.make_fixtures(drawn, home.cases, home.oracle, home.fixtures))
        if part.path in changed:
            fixtures.write_seed(part.path, changed[part.path])
    return 0


def _verify(options: argparse.Namespace) -> int:
    from autograder.authoring import verify
    from autograder.classroom import lock, parallel, terminal
    from autograder.core import config

    settings = config.load(options.config)
    jobs = options.jobs or parallel.default_jobs()
    problems = verify.disagreements(options.config, _beside(options, ASSIGNMENT))
    _print_problems(problems)
    for seed in options.seeds or [None]:
        out = options.out.expanduser() / ("" if seed is None else f"seed-{seed}")
        with lock.hold(out):
            report = verify.verify(options.config, out, jobs, terminal.follow, seed)
            _write_matrix(report, out, settings.subject, on_screen=seed is None)
        _print_problems(report.problems)
        graded = ", ".join(f"{count} {kind}" for kind, count in report.graded.items())
        verdict = f"problems: {len(report.problems)}" if report.problems else "all as it should be"
        print(f"seed {report.seed}: {graded}: {verdict}. {report.seconds:.0f} s, kill matrix in {out}/")
        print(f"seed {report.seed}: {report.at_home}", flush=True)
        problems += report.problems
    return 1 if problems else 0


def _write_matrix(report: Report, out: Path, subject: Callable[[str], str | None], on_screen: bool) -> None:
    """Write the kill matrix as text and as a table for other programs; draw it on the screen."""
    from rich.console import Console

    from autograder.authoring import killmatrix

    (out / "verify.csv").write_text(killmatrix.as_csv(report.rows), encoding="utf-8")
    with (out / "verify.txt").open("w", encoding="utf-8") as file:
        for console in (Console(file=file, width=150), *([Console()] if on_screen else [])):
            for table in killmatrix.tables(report.rows, subject):
                console.print(table)


def _print_problems(problems: Sequence[str]) -> None:
    for problem in problems:
        print(clean(f"PROBLEM: {problem}", 2000), flush=True)


def _assignment(options: argparse.Namespace) -> int:
    from autograder.authoring import handout

    folder = options.out or _beside(options, ASSIGNMENT)
    if options.without_otter and handout.needs_otter(options.config, folder):
        return 3
    for path in handout.write(options.config, folder):
        print(f"wrote {path}")
    return 0


def _handout(options: argparse.Namespace) -> int:
    from autograder.authoring import handout

    archive = options.out or _beside(options, HANDOUT)
    handout.pack(options.config, _beside(options, ASSIGNMENT), archive)
    print(f"wrote {archive}, {archive.stat().st_size // 1024} KB")
    return 0


def _bundle(options: argparse.Namespace) -> int:
    from autograder.authoring.bundle import pack

    archive = options.out or _beside(options, BUNDLE)
    print(pack.pack(options.config, archive).instructions(archive))
    return 0


def _hosted(options: argparse.Namespace) -> int:
    from autograder.core import config
    from autograder.gradescope import hosted, supervisor

    if options.unsupervised:
        supervisor.follow(options.unsupervised)
        return 0 if hosted.grade(hosted.Folders(options.root, options.run), config.load(options.config)) else 1
    place, settings = hosted.Folders(options.root), config.load(options.config)
    command = [sys.executable, "-m", "autograder", "--config", str(options.config), "hosted", str(options.root)]
    command += ["--unsupervised", str(os.getpid()), "--run", place.run]
    seconds = settings.limits.platform_minutes * 60 * config.PLATFORM_SHARE
    return 0 if supervisor.supervise(command, place.draft, place.results, seconds) else 1


def _self_check(options: argparse.Namespace) -> int:
    from autograder.core import config
    from autograder.gradescope import hosted

    problem = hosted.self_check(config.load(options.config))
    print(clean(problem, 10_000, lines=True) or "The model answer gets all points.")
    return 1 if problem else 0


def _seeds(text: str) -> list[int]:
    return [_seed(word) for word in text.split()]


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} should be a whole number, 0 or more; nothing has been changed")
    return int(text)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} should be a whole number, 1 or more")
    return int(text)


if __name__ == "__main__":
    console.listen()
    status = main()
    console.stop_listening()
    sys.exit(status)
