"""A class of a thousand, made up, and graded as a TA grades it: ``make bench-class``.

45 % of it have full marks, 40 % a mistake of the catalogue, 10 % loop over pixels, 3 % crash, 2 % hang. It is graded
once without a stop, once with a kill -9 in the middle, and once on Dask where that is installed. Prints how many a
minute, how busy the processors were and how much memory grew; exits with status 1 when a row is missing or one of the
three grade books differs from the others. The figures are worth something on a quiet machine only.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import itertools
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.classroom import parallel
from autograder.core import config
from solutions import misconceptions

ROOT = Path(__file__).resolve().parents[2]
SUBMISSIONS = ROOT / "tests" / "grader" / "submissions"
RIGHT = ("sliding-window-einsum", "as-strided", "kn2row", "tensordot", "views", "class-cache")
SHARES = {"right": 45, "wrong": 40, "loops": 10, "crash": 3, "hang": 2}
"""Of every hundred."""

CRASHES = (
    "import nowhere\n",
    "import os\n\n\ndef im2col(*_, **__):\n    os._exit(3)\n",
    "def conv2d_forward(*_, **__):\n    return conv2d_forward()\n",
)
HANGS = (
    "def max_pool2d_backward(dout, cache):\n    while True:\n        pass\n",
    "def conv2d_backward(dout, cache):\n    while True:\n        pass\n",
)


@dataclass(frozen=True)
class Run:
    """What one run of the command took."""

    seconds: float
    cpu_seconds: float
    memory_mib: list[float]  # of all its processes together, over time


def main() -> int:
    """Make the class, grade it three times, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=1000, help="how many submissions (default: %(default)s)")
    parser.add_argument(
        "--only", choices=["whole", "killed", "dask"], help="the whole run, and one other instead of both"
    )
    parser.add_argument("--keep", type=Path, help="keep the class and what comes out in this folder, which is new")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="class-") as scratch:
        folder = options.keep or Path(scratch)
        return compare(folder, options.size, options.only)


def compare(folder: Path, size: int, only: str | None) -> int:
    """Grade a class of this size in `folder`; return the exit status."""
    make(folder / "class", size)
    jobs = parallel.default_jobs()
    run = grade(folder / "class", folder / "whole")
    rows = gradebook(folder / "whole")
    print(f"{size} submissions, {jobs} at a time: {run.seconds:.0f} s, {size * 60 / run.seconds:.0f} a minute")
    print(f"  processors busy: {run.cpu_seconds / run.seconds / jobs:.0%}")
    quarter = max(len(run.memory_mib) // 4, 1)
    early, late = max(run.memory_mib[:quarter]), max(run.memory_mib[-quarter:])
    print(f"  memory of all processes: {early:.0f} MiB at most in the first quarter, {late:.0f} MiB in the last")
    bad = [f"{len(rows)} rows, but should be {size}"] if len(rows) != size else []
    if only in (None, "killed"):
        grade(folder / "class", folder / "killed", kill_after=run.seconds / 2)
        done = len(list((folder / "killed").glob("*/results.json")))
        grade(folder / "class", folder / "killed")
        print(f"  killed with about {done} done, and resumed: {difference(rows, gradebook(folder / 'killed'))}")
        bad += [] if gradebook(folder / "killed") == rows else ["the run that was killed and resumed differs"]
    if only in (None, "dask") and importlib.util.find_spec("distributed"):
        grade(folder / "class", folder / "dask", scheduler=True)
        print(f"  on Dask: {difference(rows, gradebook(folder / 'dask'))}")
        bad += [] if gradebook(folder / "dask") == rows else ["the run on Dask differs"]
    for problem in bad:
        print(f"WRONG: {problem}")
    return 1 if bad else 0


def make(folder: Path, size: int) -> None:
    """Write `size` submissions, all different, in an order that mixes the kinds."""
    folder.mkdir(parents=True)
    kinds = {kind: itertools.cycle(list(sources)) for kind, sources in _sources().items()}
    plan = [kind for kind, share in SHARES.items() for _ in range(share)]
    for number in range(size):
        kind = plan[number * 37 % len(plan)]  # 37 and 100 have no common factor: every kind in turn
        source = f"# Submission {number}\n{next(kinds[kind])}"
        (folder / f"{number:04}-{kind}.py").write_text(source, encoding="utf-8")


def _sources() -> dict[str, Iterator[str]]:
    model = config.load(ROOT / "config.yaml").homework.solution.read_text(encoding="utf-8")
    right = [(SUBMISSIONS / "correct" / name / "layers.py").read_text(encoding="utf-8") for name in RIGHT]
    loops = sorted((SUBMISSIONS / "speed" / "loops").glob("*.py"))
    return {
        "right": iter([model, *right]),
        "wrong": (misconceptions.source(entry) for entry in misconceptions.CATALOGUE),
        "loops": (model + path.read_text(encoding="utf-8") for path in loops),
        "crash": (f"{model}\n\n{crash}" for crash in CRASHES),
        "hang": (f"{model}\n\n{hang}" for hang in HANGS),
    }


def grade(submissions: Path, out: Path, kill_after: float | None = None, scheduler: bool = False) -> Run:
    """Run the command in a session of its own, and watch it; kill all of it after a while if asked to."""
    command = [sys.executable, "-m", "autograder", "grade", str(submissions), "--out", str(out)]
    command += ["--scheduler", "local"] if scheduler else []
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    memory = []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True) as process:
        while process.poll() is None:
            memory.append(_memory(process.pid))
            if kill_after is not None and time.monotonic() - started > kill_after:
                os.kill(process.pid, signal.SIGKILL)  # the command alone: what it has started must end by itself
                break
            time.sleep(1.0)
    if kill_after is None and process.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with status {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(time.monotonic() - started, cpu, memory)


def _memory(session: int) -> float:
    """Return the memory of all processes of a session that only they use, in MiB; 0 where that cannot be read."""
    found = 0.0
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if int((path / "stat").read_text().rpartition(")")[2].split()[3]) != session:
                continue
            rollup = (path / "smaps_rollup").read_text()
        except (OSError, ValueError):  # it has ended
            continue
        found += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / 1024
    return found


def gradebook(out: Path) -> dict[str, list[str]]:
    """Return the rows of grades.csv, without the points that are possible, by submission."""
    with (out / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    place = header.index("submission")
    return {row[place]: row for row in rows if row[place]}


def difference(one: dict[str, list[str]], other: dict[str, list[str]]) -> str:
    """Say how two grade books differ."""
    differing = [name for name in {**one, **other} if one.get(name) != other.get(name)]
    return "the same grade book" if not differing else f"{len(differing)} rows differ: {', '.join(differing[:5])}"


if __name__ == "__main__":
    sys.exit(main())
