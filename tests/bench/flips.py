"""How often a grade depends on luck: ``make bench-flips``.

Grades a fixed class again and again, quiet and beside four busy processes and one that fills memory, and compares
scores and every word with those of the first grading. Exits with status 1 when anything has changed.

A share of 0 in N gradings means: with 95 % certainty the true share is at most 3/N.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SUBMISSIONS = ROOT / "tests" / "grader" / "submissions"
MODEL = ROOT / "solutions" / "layers.py"

RIGHT = ("tensordot", "float64-inside", "full-convolution", "running-sums", "prints", "closure-cache", "bound-methods")
LOOPS = ("quick_python", "mapped_builtins", "im2col", "col2im", "comprehension", "winners", "product", "ndindex")
WHOLE_LOOPS = ("python-numbers", "two-loops")
FLAWED = ("slow-loops", "float64-everywhere", "overlapping-assigned", "padding-crop-zero")

HOG = "import numpy as np\nx = np.ones(1 << 27)\nwhile True: x += 1\n"
BUSY = "while True: pass\n"

Seen = tuple[float | None, tuple[tuple[str, str], ...]]
"""The score, and what a student reads: the text on top, and of each test."""


def main() -> int:
    """Grade, print, return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=15, help="gradings of each solution, quiet and again under load")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    first: dict[str, Seen] = {}
    changed = False
    with tempfile.TemporaryDirectory(prefix="flips-") as name:
        folder = Path(name)
        solutions = write_class(folder / "class")
        print(f"{solutions} solutions, each graded {options.times} times quiet and {options.times} times under load")
        for load in (False, True):
            started = time.monotonic()
            scores, words = Counter[str](), Counter[str]()
            with under_load() if load else quiet():
                for number in range(options.times):
                    for who, seen in grade(folder / "class", folder / f"out-{load}-{number}", options.jobs):
                        usual = first.setdefault(who, seen)
                        scores[who] += seen[0] != usual[0]
                        words[who] += seen != usual
                        if seen != usual:
                            print("\n".join(difference(who, usual, seen)))
                    print(f"  {'under load' if load else 'quiet'}: {number + 1} of {options.times}", flush=True)
            total = solutions * options.times
            for what, counted in (("scores", scores), ("words", words)):
                flips = sum(counted.values())
                changed = changed or flips > 0
                bound = f"{flips / total:.4f}" if flips else f"at most {3 / total:.4f}"
                print(f"{'under load' if load else 'quiet'}: {flips} of {total} {what} changed, P(change) {bound}")
                for who, count in (+counted).items():
                    print(f"    {who}: {count} of {options.times}")
            print(f"    {time.monotonic() - started:.0f} s")
    return int(changed)


def write_class(folder: Path) -> int:
    """Write the solutions into `folder`; return how many there are."""
    folder.mkdir()
    model = MODEL.read_text(encoding="utf-8")
    sources = {"model": model}
    for path in sorted((SUBMISSIONS / "speed" / "vectorised").glob("*.py")):
        sources[path.stem] = model + path.read_text(encoding="utf-8")
    for stem in LOOPS:
        sources[f"loop-{stem}"] = model + (SUBMISSIONS / "speed" / "loops" / f"{stem}.py").read_text(encoding="utf-8")
    for name in (*RIGHT, *WHOLE_LOOPS):
        sources[name] = (SUBMISSIONS / "correct" / name / "layers.py").read_text(encoding="utf-8")
    for name in FLAWED:
        path = SUBMISSIONS / "sample" / name
        path = path / "layers.py" if path.is_dir() else path.with_suffix(".py")
        sources[f"flawed-{name}"] = path.read_text(encoding="utf-8")
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
    return len(sources)


def grade(folder: Path, out: Path, jobs: int) -> Iterator[tuple[str, Seen]]:
    """Grade the class with the real command; yield what each solution got."""
    command = [sys.executable, "-m", "autograder", "grade", str(folder), "--out", str(out), "--jobs", str(jobs)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    for path in sorted(folder.glob("*.py")):
        results = out / path.stem / "results.json"
        yield path.stem, seen(json.loads(results.read_text(encoding="utf-8")) if results.exists() else None)


def seen(results: dict[str, object] | None) -> Seen:
    """Return what must be the same in every grading."""
    if results is None:
        return None, ()
    tests = results["tests"]
    assert isinstance(tests, list)
    texts = ((test["name"], f"{test['score']}: {test['output']}") for test in tests)
    return float(str(results["score"])), (("", str(results["output"])), *texts)


def difference(who: str, usual: Seen, now: Seen) -> Iterator[str]:
    """Say what is not as in the first grading."""
    yield f"  {who}: {usual[0]} was {now[0]} now"
    before = dict(usual[1])
    for name, text in now[1]:
        if before.get(name) != text:
            yield f"    {name}\n      {before.get(name)!r}\n      {text!r}"


@contextmanager
def quiet() -> Iterator[None]:
    """Leave the machine as it is."""
    yield


@contextmanager
def under_load() -> Iterator[None]:
    """Keep four processes busy meanwhile, and one that runs through a gigabyte of memory."""
    hogs = [subprocess.Popen([sys.executable, "-c", program]) for program in (*[BUSY] * 4, HOG)]
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


if __name__ == "__main__":
    sys.exit(main())
