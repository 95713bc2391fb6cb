"""``make numpys``: grade with one NumPy after the other, and print what differs.

The sample class and all that ``make verify`` grades are graded with every version, each in an environment of its own
with the other packages of requirements/ta.txt. Scores must be the same, and every version must pass ``make verify``.
Words may differ, since NumPy's own error messages change; they are printed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from autograder.classroom import parallel
from autograder.core.results import Results
from tests.grader.support import ROOT

VERSIONS = ("2.2.6", "2.3.5", "2.4.6", "2.5.5")
"""The first is what everybody has up to Python 3.13, the last what they have from 3.14 on."""


class Told(NamedTuple):
    """What one submission got; None if it could not be graded. Figures that vary are for staff alone, and not here."""

    score: float | None
    points: dict[str, float]
    texts: dict[str, str]


def main() -> int:
    """Grade with every version; return 1 if a score differs or a version does not pass ``make verify``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--versions", type=str.split, default=list(VERSIONS))
    parser.add_argument("--out", type=Path, help="keep the results here")
    parser.add_argument("--jobs", type=int, default=parallel.default_jobs())
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="numpys-") as name:
        scratch = Path(name)
        scratch.chmod(0o755)  # student code runs as another user, who has to reach NumPy
        out = options.out or scratch / "results"
        verified = True
        for version in options.versions:
            try:
                python = environment(version, scratch / version)
            except subprocess.CalledProcessError as error:
                return refused(version, error)
            verified &= grade(python, version, out / version, options.jobs)
        told = {version: read(out / version) for version in options.versions}
    changed = list(compare(told))
    for line in changed:
        print(line)
    scores = sum(line.startswith("SCORE") for line in changed)
    print(f"{len(told[options.versions[0]])} submissions with each of {', '.join(options.versions)}: ", end="")
    print(f"{scores} scores and {len(changed) - scores} texts differ from those with NumPy {options.versions[0]}.")
    return int(scores > 0 or not verified)


def environment(version: str, folder: Path) -> Path:
    """Make a virtual environment with this NumPy and all else that a class is graded with; return its Python."""
    python, override = folder / "bin" / "python", folder.with_suffix(".txt")
    override.write_text(f"numpy=={version}\n", encoding="utf-8")
    uv: list[str | Path] = [sys.executable, "-m", "uv", "--quiet"]
    subprocess.run([*uv, "venv", "--python", sys.executable, folder], check=True, capture_output=True, text=True)
    install: list[str | Path] = ["pip", "install", "--python", python, "--only-binary", ":all:", "--override", override]
    lock = ROOT / "requirements" / "ta.txt"
    subprocess.run([*uv, *install, "--requirement", lock], check=True, capture_output=True, text=True)
    return python


def refused(version: str, error: subprocess.CalledProcessError) -> int:
    """Say why an environment could not be made; return the exit status."""
    print(f"{error.stderr.strip()}\nNumPy {version} cannot be installed for Python {sys.version.split()[0]}.")
    print('Name others, like NUMPYS="2.2.6 2.3.5", or another Python, like PYTHON=python3.12.')
    return 2


def grade(python: Path, version: str, out: Path, jobs: int) -> bool:
    """Grade everything with this Python; return whether ``make verify`` found no problem."""
    started = time.monotonic()
    engine: list[str | Path] = [python, "-m", "autograder"]
    sample = [*engine, "grade", "--out", out / "sample", "--jobs", str(jobs)]
    verify = [*engine, "verify", "--out", out / "verify", "--jobs", str(jobs)]
    subprocess.run(sample, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    verified = subprocess.run(verify, cwd=ROOT, check=False, stdout=subprocess.PIPE, text=True)
    lines = [line for line in verified.stdout.splitlines() if line.startswith(("PROBLEM", "seed"))]
    print(f"NumPy {version}, {time.monotonic() - started:.0f} s", *lines, sep="\n  ", flush=True)
    return verified.returncode == 0


def read(out: Path) -> dict[str, Told]:
    """Return what every submission got, by its folder."""
    found = {}
    for path in sorted(out.rglob(parallel.RESULTS)):
        results = Results.read(path)
        points = {test.name: test.score for test in results.tests}
        texts = {"": results.output} | {test.name: test.output for test in results.tests}
        found[path.parent.relative_to(out).as_posix()] = Told(results.score, points, texts)
    return found


def compare(told: Mapping[str, Mapping[str, Told]]) -> Iterator[str]:
    """Say what is not as with the first version: ``SCORE`` or ``TEXT``, whose, in which test, what was and what is."""
    (first, usual), *others = told.items()
    nothing = Told(None, {}, {})
    for version, now in others:
        for name in sorted({*usual, *now}):
            before, after = usual.get(name, nothing), now.get(name, nothing)
            if before.score != after.score:
                yield f"SCORE {name}: {before.score} with {first}, {after.score} with {version}"
            for test in {**before.points, **after.points}:
                was, is_now = before.points.get(test), after.points.get(test)
                if was != is_now:
                    yield f"SCORE {name}, {test}: {was} with {first}, {is_now} with {version}"
            for test in {**before.texts, **after.texts}:
                said, says = before.texts.get(test), after.texts.get(test)
                if said != says:
                    yield f"TEXT {name}, {test or 'summary'}\n  {first}: {said!r}\n  {version}: {says!r}"


if __name__ == "__main__":
    sys.exit(main())
