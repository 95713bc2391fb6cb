"""What grading costs, and where the bounds of the speed tests belong: ``make bench``.

Prints tables; exits with status 1 when vectorised code comes near ``none_ratio`` or loops come near ``full_ratio``, on
this processor or without its newer features. Wall times, like all times here but ratios, are worth something on a quiet
machine only.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autograder.core import config
from autograder.core.config import Config
from autograder.core.errors import StudentError
from autograder.core.sections import Speed
from autograder.grading import steps, timing
from autograder.grading.link import Link
from autograder.grading.proxy import Proxy, preflight
from autograder.grading.session import Interface, Session
from autograder.sandbox import launcher
from autograder.sandbox.launcher import Sandbox

ROOT = Path(__file__).resolve().parents[2]
SUBMISSIONS = ROOT / "tests" / "grader" / "submissions"
SPEED = SUBMISSIONS / "speed"

VECTORISED = ("tensordot", "float64-inside", "full-convolution", "running-sums")
"""Whole files of submissions/correct/ that loop over taps at most."""
LOOPING = ("python-numbers", "two-loops", "seven-loops")
"""Whole files of it that loop over pixels."""
ROUNDS = 5
EXTRAS = ROOT / "solutions" / "extras" / "extras.py"
MOST_FOR_BOTH = 2.5
"""Both parts may take this many times the processor time of the first one alone."""
PAIRS = 7


def main() -> int:
    """Print every table; return the exit status."""
    tables: dict[str, Callable[[Config], bool]] = {
        "worker": worker,
        "calls": calls,
        "grading": grading,
        "parts": parts,
        "bounds": bounds,
    }
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=list(tables), help="one table instead of all")
    only = parser.parse_args().only
    settings = config.load(ROOT / "config.yaml")
    fine = [table(settings) for name, table in tables.items() if only in (None, name)]
    return 0 if all(fine) else 1


Race = tuple[timing.Lap, int, Sequence[int]]
"""What a speed test hands to ``race``: the calls, and the small and the large size."""

# --- workers and calls -----------------------------------------------------------------------------------------------

ECHO = """\
import numpy as np

def {function}(x, kernel_size, stride=1, padding=0):
    return x
"""


def worker(settings: Config) -> bool:
    """Print what it takes to start a worker, step by step."""
    steps: dict[str, list[float]] = {}
    with _submission(settings, settings.homework.solution.read_text(encoding="utf-8")) as submission:
        preflight(submission)
        for _ in range(40):
            link = Link(submission)
            marks = [time.perf_counter()]
            process = submission.sandbox.start(submission.directory)
            assert process.pid  # it is there
            marks.append(time.perf_counter())
            link.expect_hello(process)
            marks.append(time.perf_counter())
            link.worker = process
            link.load()
            marks.append(time.perf_counter())
            used = process.cpu_seconds()
            ending = time.perf_counter()  # reading the clock is none of the steps
            link.end()
            marks.append(marks[-1] + time.perf_counter() - ending)
            names = ("fork", "lock down", "import the student's file", "stop and reap")
            for name, start, end in zip(names, marks, marks[1:], strict=False):
                steps.setdefault(name, []).append(end - start)
            steps.setdefault("in all", []).append(marks[-1] - marks[0])
            steps.setdefault("processor time of the worker", []).append(used)
    print("\nOne worker (medians, ms)")
    for name, seconds in steps.items():
        print(f"  {name:30} {statistics.median(seconds) * 1000:8.2f}")
    return True


def calls(settings: Config) -> bool:
    """Print what a call costs that does nothing: one small array, and 10 MB there and back."""
    function = "im2col"
    print("\nOne call that returns its argument (medians, ms)")
    with _submission(settings, ECHO.format(function=function)) as submission:
        preflight(submission)
        student = Proxy(submission)
        for name, entries in (("1 KB", 128), ("10 MB", 1_250_000)):
            x = np.arange(entries, dtype=np.float64).reshape(1, 1, 1, -1)
            seconds, used = [], []
            process = student.connect()
            for _ in range(30):
                before, start = process.cpu_seconds(), time.perf_counter()
                getattr(student, function)(x, (1, 1))
                seconds.append(time.perf_counter() - start)
                used.append(process.cpu_seconds() - before)
                student.forget()
            whole, inside = (statistics.median(each) * 1000 for each in (seconds, used))
            print(f"  {name:30} {whole:8.2f}   of which processor time of the worker {inside:.2f}")
        student.close()
    return True


# --- whole gradings --------------------------------------------------------------------------------------------------


def grading(settings: Config) -> bool:
    """Print what grading three submissions takes, and which tests the time went into."""
    sources = {
        "full marks": (settings.homework.solution, 5),
        "loops everywhere": (SPEED / "loops" / "everywhere.py", 3),
        "hangs in one function": (SUBMISSIONS / "sample" / "infinite-loop" / "layers.py", 1),
    }
    print("\nGrading one submission, the whole process (medians)")
    print(f"  {'':24} {'wall s':>7} {'CPU s':>7} {'MB':>5}   of the wall time, s")
    for name, (path, repeated) in sources.items():
        source = path.read_text(encoding="utf-8")
        if path.is_relative_to(SPEED):
            source = settings.homework.solution.read_text(encoding="utf-8") + source
        runs = [_grade({settings.homework.required_file: source}) for _ in range(repeated)]
        wall, cpu, memory = (statistics.median(run[key] for run in runs) for key in ("wall", "cpu", "memory"))
        tests = runs[-1]["tests"]
        speed = sum(seconds for test, seconds in tests.items() if test in settings.speed_tests)
        slowest = max(tests, key=lambda test: tests[test])
        graded = runs[-1]["graded"]
        parts = {
            "start and imports": runs[-1]["wall"] - graded,
            "before and between tests": graded - sum(tests.values()),
            "speed tests": speed,
            "other tests": sum(tests.values()) - speed,
        }
        made_of = ", ".join(f"{part} {seconds:.2f}" for part, seconds in parts.items())
        print(f"  {name:24} {wall:7.2f} {cpu:7.2f} {memory:5.0f}   {made_of}")
        print(f"  {'':24} {'':21}   longest: {slowest} {tests[slowest]:.2f}")
    return True


MEASURE = """\
import resource, runpy, sys
sys.argv = ["autograder", *sys.argv[1:]]
try:
    runpy.run_module("autograder", run_name="__main__")
finally:
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    cpu = sum(usage.ru_utime + usage.ru_stime for usage in (own, children))
    unit = 2**20 if sys.platform == "darwin" else 2**10
    print(f"cpu {cpu} memory {own.ru_maxrss / unit}", file=sys.stderr)
"""


def parts(settings: Config) -> bool:
    """Print what both parts' model answers take, as a multiple of the first one's; return whether that fits.

    They take turns: what slows one down slows the other.
    """
    answers = {path.name: path.read_text(encoding="utf-8") for path in (settings.homework.solution, EXTRAS)}
    first = settings.homework.required_file
    with tempfile.TemporaryDirectory() as folder:
        for name in ("solutions", "tests/public", "tests/hidden", "tests/extras"):
            shutil.copytree(ROOT / name, Path(folder, name), ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "extras.yaml", folder)
        both = Path(folder, "both.yaml")
        both.write_text(
            "parts: {extras.yaml: {}}\n" + (ROOT / "config.yaml").read_text(encoding="utf-8"), encoding="utf-8"
        )
        turns = [(_grade({first: answers[first]}, both), _grade(answers, both)) for _ in range(PAIRS)]
    ratio = statistics.median(together["cpu"] / alone["cpu"] for alone, together in turns)
    print(f"\nBoth parts take {ratio:.2f} times the processor time of the first alone; the bound is {MOST_FOR_BOTH}")
    return ratio <= MOST_FOR_BOTH


def _grade(files: Mapping[str, str], config: Path = ROOT / "config.yaml") -> dict[str, Any]:
    """Grade one submission with the real command, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        submission = Path(folder) / "layers"
        submission.mkdir()
        for name, text in files.items():
            (submission / name).write_text(text, encoding="utf-8")
        command = [sys.executable, "-c", MEASURE, "--config", str(config), "grade", str(submission)]
        command += ["--out", f"{folder}/out"]
        started = time.perf_counter()
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        wall = time.perf_counter() - started
        results = json.loads(Path(folder, "out", "layers", "results.json").read_text(encoding="utf-8"))
    _, cpu, _, memory = ran.stderr.split()[-4:]
    tests = {test["extra_data"]["test"]: test["extra_data"]["seconds"] for test in results["tests"]}
    return {
        "wall": wall,
        "cpu": float(cpu),
        "memory": float(memory),
        "tests": tests,
        "graded": results["execution_time"],
    }


# --- the bounds of the speed tests -----------------------------------------------------------------------------------

PROCESSORS: dict[str, dict[str, str]] = {
    "as it is": {},
    "without AVX-512": {
        "OPENBLAS_CORETYPE": "Haswell",
        "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR",
    },
    "without AVX2": {
        "OPENBLAS_CORETYPE": "Nehalem",
        "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR",
    },
}
"""Settings under which NumPy runs as on other processors. What a processor does not have cannot be disabled, either."""

MARGIN = 2.0
"""How far vectorised code has to stay below ``none_ratio``, and loops above ``full_ratio``: load and other machines."""

MARGINS = {"without AVX2": 1.3}
"""Where the margin is another: no machine that grades is older than 2013, so what is left there is the noise."""


def bounds(settings: Config) -> bool:
    """Print the ratios of every style in every race, on this processor and as on others; return whether all fits."""
    races = _races(settings)
    fine = True
    usual = dict(launcher.ENVIRONMENT)
    for processor, variables in PROCESSORS.items():
        known = _known_features(variables)
        launcher.ENVIRONMENT.clear()
        launcher.ENVIRONMENT.update(usual | known)
        print(f"\nProcessor time, as a multiple of the model answer's: this processor {processor}")
        columns = [test.removeprefix("test_").removesuffix("_speed") for test in races]
        print(f"  {'':24}" + "".join(f"{column:>22}" for column in columns))
        for group, sources in styles(settings).items():
            for name, source in sources.items():
                row = measure(settings, source, races)
                print(
                    f"  {name:24}" + "".join(f"{each.ratio:13.1f} {each.steps:8}" for each in row.values()), flush=True
                )
                for test, each in row.items():
                    margin = MARGINS.get(processor, MARGIN)
                    for complaint in each.complaints(settings.speed, group == "loops", margin):
                        fine = False
                        print(f"    {test}: {complaint}")
    launcher.ENVIRONMENT.clear()
    launcher.ENVIRONMENT.update(usual)
    return fine


def _known_features(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables without the features that this processor lacks: NumPy refuses to disable those."""
    features = {name for name, has in np._core._multiarray_umath.__cpu_features__.items() if has}
    kept = dict(variables)
    if "NPY_DISABLE_CPU_FEATURES" in kept:
        dispatched = set(np._core._multiarray_umath.__cpu_dispatch__)
        wanted = kept["NPY_DISABLE_CPU_FEATURES"].split()
        kept["NPY_DISABLE_CPU_FEATURES"] = " ".join(name for name in wanted if name in features & dispatched)
    return kept


def styles(settings: Config) -> dict[str, dict[str, str]]:
    """Return the sources of all styles by name: vectorised ones, and loops over pixels."""
    model = settings.homework.solution.read_text(encoding="utf-8")
    fragments = {
        folder: {path.stem: model + path.read_text(encoding="utf-8") for path in sorted((SPEED / folder).glob("*.py"))}
        for folder in ("vectorised", "loops")
    }
    whole = {
        name: (SUBMISSIONS / "correct" / name / "layers.py").read_text(encoding="utf-8")
        for name in (*VECTORISED, *LOOPING)
    }
    return {
        "vectorised": {"model answer": model} | fragments["vectorised"] | {name: whole[name] for name in VECTORISED},
        "loops": fragments["loops"] | {name: whole[name] for name in LOOPING},
    }


def _races(settings: Config) -> dict[str, Race]:
    """Return what every speed test races: it is called with a function that only takes it down."""
    races: dict[str, Race] = {}
    for path in sorted(settings.homework.hidden_tests.glob("test_*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for name in (test for test in settings.tests if test in settings.speed_tests and hasattr(module, test)):

            def race(lap: timing.Lap, *, small: int, large: Sequence[int], over: str, name: str = name) -> None:
                races[name] = lap, small, large

            getattr(module, name)(race)
    return races


@dataclass(frozen=True)
class Measured:
    """One style in one race: how slow, and how its Python steps grow."""

    ratio: float
    steps: str

    def complaints(self, speed: Speed, loops: bool, margin: float) -> Iterator[str]:
        """Say what does not fit the bounds. A style may loop in some functions only."""
        if not loops and self.ratio * margin > speed.none_ratio:
            yield f"vectorised code takes {self.ratio:.1f} times; none_ratio is {speed.none_ratio:g}"
        if not loops and self.steps in (steps.ENTRIES, steps.UNKNOWN) and self.ratio * margin > speed.full_ratio:
            yield f"the steps of vectorised code are {self.steps}"
        if self.steps == steps.ENTRIES and self.ratio < margin * speed.full_ratio:
            yield f"a loop takes {self.ratio:.1f} times; full_ratio is {speed.full_ratio:g}"


def measure(settings: Config, source: str, races: Mapping[str, Race]) -> dict[str, Measured]:
    """Race one source against the model answer in every race; it is infinitely slow where it fails."""
    endless = timing.Bounds(math.inf, math.inf, ROUNDS, settings.tolerances.float32)
    measured = {}
    with _submission(settings, source) as submission:
        answer = settings.homework.solution.read_text(encoding="utf-8")
        reference = _admit(settings, submission.sandbox, answer, "reference")
        for test, (lap, small, large) in races.items():
            function = settings.subject(test) or ""
            with closing(Proxy(submission)) as student, closing(Proxy(reference)) as model:
                try:
                    verdict = timing.Race(lap, student, model, endless, small=small, large=large).verdict(function)
                    ratio = float(str(verdict.figures["ratio"]))
                except StudentError as error:
                    print(f"  {test}: {error.message}")
                    ratio = math.inf
                measured[test] = Measured(ratio, steps.count(lap, student, function).kind)
    return measured


@contextmanager
def _submission(settings: Config, source: str) -> Iterator[Session]:
    with Sandbox(memory_mib=settings.limits.memory_mib, cpu_seconds=600) as box:
        yield _admit(settings, box, source, "student")


def _admit(settings: Config, box: Sandbox, source: str, name: str) -> Session:
    homework = settings.homework
    directory = box.directory(name)
    (directory / homework.required_file).write_text(source, encoding="utf-8")
    interface = Interface(
        module=Path(homework.required_file).stem,
        functions=homework.functions,
        opaque=frozenset(homework.opaque),
        limits=settings.limits.model_copy(update={"submission_seconds": 600}),
    )
    return Session(box, directory, [], interface, reference=name == "reference")


if __name__ == "__main__":
    sys.exit(main())
