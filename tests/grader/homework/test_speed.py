"""The speed tests, graded by the real command: who passes, who does not, and who gains nothing by cheating.

Most submissions here are the model answer with a file of ``submissions/speed/`` at its end; the others are whole files
of ``submissions/correct/``. Verdicts are steps in a wide gap, so each of them is exact: no test here has a tolerance.
"""

import json
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager

import pytest

from autograder.core import config
from autograder.grading.grader import Grader
from tests.grader.support import ROOT, SUBMISSIONS
from tests.grader.support.slices import is_whole, smoke

SPEED = SUBMISSIONS / "speed"
MODEL = (ROOT / "solutions" / "layers.py").read_text(encoding="utf-8")


def fragments(folder):
    return {path.stem: MODEL + path.read_text(encoding="utf-8") for path in sorted((SPEED / folder).glob("*.py"))}


def whole(*names):
    return {name: (SUBMISSIONS / "correct" / name / "layers.py").read_text(encoding="utf-8") for name in names}


VECTORISED = {
    "model": MODEL,
    **fragments("vectorised"),
    **whole("tensordot", "float64-inside", "full-convolution", "running-sums"),
}
LOOPS = {**fragments("loops"), **whole("python-numbers", "two-loops", "seven-loops")}
WRONG = fragments("wrong")
CHEATS = {
    path.stem: LOOPS["everywhere"] + path.read_text(encoding="utf-8")
    for path in sorted((SPEED / "cheats").glob("*.py"))
}

SLOW_TO_TRY = (
    "cache_storm",
    "done_first",
    "edited_reply",
    "lazy_results",
    "opcodes_off",
    "other_path_when_counted",
    "replayed_count",
    "trace_restored",
    "work_on_receipt",
)
"""Cheats that have large images looked at, which takes their loops about ten seconds each; the others come first."""

CONVOLUTION = ["test_conv2d_forward_speed", "test_conv2d_backward_speed"]
POOLING = [f"test_{kind}_pool2d_{way}_speed" for kind in ("max", "avg") for way in ("forward", "backward")]
SLOW = {
    "im2col": CONVOLUTION,
    "padding": CONVOLUTION,
    "col2im": CONVOLUTION[1:],
    "winners": ["test_max_pool2d_backward_speed"],
}
"""Where loops in one function show; loops everywhere show everywhere."""

OTHER_ENDS = {
    "threads": {"raised": 3, "not run": 3},
    "cache_by_shape": {"wrong": 6},
    "exit_in_backward": {"too slow": 3, "crashed": 3},
}
"""How the tests of these cheats end; those of all others are too slow."""

FEW_STYLES = ("add_at_float64", "everywhere")
FEW_CHEATS = ("tracing_off",)
"""A few of each kind; ``make test-all`` tries all. The tests of the bundle grade the model answer, too."""

REPEATED = 5
"""Gradings of each vectorised style, on a quiet machine and again on a busy one, and of each style of loops."""


def grade(sources, folder, jobs=1):
    """Grade submissions on the speed tests alone; return what each test said, by submission and test."""
    (folder / "in").mkdir()
    for name, source in sources.items():
        (folder / "in" / f"{name}.py").write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "autograder", "grade", str(folder / "in"), "--out", str(folder / "out")]
    ran = subprocess.run(
        [*command, "--only", "test_*_speed", "--jobs", str(jobs)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=3600,
    )
    assert ran.returncode == 0, ran.stderr
    results = {
        name: json.loads((folder / "out" / "only" / name / "results.json").read_text(encoding="utf-8"))
        for name in sources
    }
    return {name: {test["extra_data"]["test"]: test for test in got["tests"]} for name, got in results.items()}


def outcomes(tests):
    return {name: test["extra_data"]["outcome"] for name, test in tests.items()}


def expected(name):
    """How the speed tests end for a style: too slow where it loops, passed elsewhere."""
    slow = SLOW.get(name, CONVOLUTION + POOLING) if name in LOOPS else []
    return {test: "too slow" if test in slow else "passed" for test in CONVOLUTION + POOLING}


@pytest.fixture(scope="module")
def graded(request, tmp_path_factory):
    """Every style and every cheat, or a few of each, graded once."""
    styles, cheats = {**VECTORISED, **LOOPS}, {name: CHEATS[name] for name in CHEATS if name not in SLOW_TO_TRY}
    jobs = 2
    if not is_whole(request):
        jobs = 1  # a second process costs more than it saves
        styles, cheats = {name: styles[name] for name in FEW_STYLES}, {name: cheats[name] for name in FEW_CHEATS}
    cheats = {f"cheat-{name}": source for name, source in cheats.items()}
    return grade({**styles, **WRONG, **cheats}, tmp_path_factory.mktemp("speed"), jobs=jobs)


@pytest.mark.parametrize("name", smoke([*VECTORISED, *LOOPS], FEW_STYLES))
def test_vectorised_code_passes_and_loops_do_not(graded, name):
    assert outcomes(graded[name]) == expected(name)


@pytest.mark.parametrize("name", smoke([name for name in CHEATS if name not in SLOW_TO_TRY], FEW_CHEATS))
def test_a_cheat_gains_nothing(graded, name):
    tests = graded[f"cheat-{name}"]
    assert Counter(outcomes(tests).values()) == OTHER_ENDS.get(name, {"too slow": 6})
    assert sum(test["score"] for test in tests.values()) == 0


def test_what_is_fast_and_wrong_earns_nothing(graded):
    tests = graded["filters"]
    assert outcomes(tests) == {test: "wrong" if test in CONVOLUTION else "passed" for test in CONVOLUTION + POOLING}
    assert sum(tests[test]["score"] for test in CONVOLUTION) == 0


def test_one_test_alone(tmp_path):
    """Its first call comes before the clock starts."""
    results = tmp_path / "results.json"
    graded = Grader(config.load(ROOT / "config.yaml"), only=POOLING[1])
    assert graded.grade(ROOT / "solutions" / "layers.py", results).score == graded.points


@pytest.mark.heavy
def test_no_cheat_that_takes_long_gains_anything(tmp_path):
    results = grade({name: CHEATS[name] for name in SLOW_TO_TRY}, tmp_path)
    assert {name: Counter(outcomes(tests).values()) for name, tests in results.items()} == {
        name: {"too slow": 6} for name in SLOW_TO_TRY
    }


@pytest.mark.parametrize(
    ("style", "test", "looping"),
    [
        ("everywhere", "test_conv2d_forward_speed", "im2col"),
        ("everywhere", "test_max_pool2d_backward_speed", "max_pool2d_backward"),
        pytest.param("im2col", "test_conv2d_backward_speed", "im2col", marks=pytest.mark.heavy),
        pytest.param("col2im", "test_conv2d_backward_speed", "col2im", marks=pytest.mark.heavy),
        pytest.param("vectorize", "test_conv2d_forward_speed", "im2col", marks=pytest.mark.heavy),
        pytest.param("vectorize", "test_avg_pool2d_forward_speed", "of", marks=pytest.mark.heavy),
        pytest.param("cheat-fake_clock", "test_conv2d_forward_speed", "im2col", marks=pytest.mark.heavy),
    ],
)
def test_the_function_that_loops_is_named(graded, style, test, looping):
    hint = graded[style][test]["output"].splitlines()[-1]
    assert hint == f"Hint: {looping} loops over pixels: its Python steps grow with their number."


@pytest.mark.heavy
def test_loops_that_take_no_steps(graded):
    for test in graded["mapped_builtins"].values():
        assert test["output"].splitlines()[-1] == (
            "Hint: work on whole arrays: tolist and map loop over pixels, and make a Python object of each."
        )


def test_who_switches_tracing_off_is_told_less(graded):
    for test in graded["cheat-tracing_off"].values():
        assert "Hint" not in test["output"]


def test_the_very_text(graded):
    assert graded["everywhere"]["test_max_pool2d_forward_speed"]["output"] == (
        "max_pool2d_forward takes more than 3 times the processor time of the model answer and loops over pixels in "
        "Python [max_pool2d_forward]\n"
        "Hint: max_pool2d_forward loops over pixels: its Python steps grow with their number."
    )


def test_figures_are_for_staff_only(graded):
    for tests in graded.values():
        for test in tests.values():
            figures = test["extra_data"]["cases"]["all"]
            if figures["outcome"] in ("passed", "too slow"):
                assert {"ratio", "cpu_ms", "model_cpu_ms", "rounds"} <= set(figures)
                assert str(figures["ratio"]) not in test["output"]


# --- the long suite


@contextmanager
def busy(processes):
    """Keep some processes busy meanwhile."""
    command = [sys.executable, "-c", "while True: pass"]
    hogs = [subprocess.Popen(command) for _ in range(processes)]
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


def unexpected(styles, repeated, folder):
    """Grade each style again and again; return what was not as expected."""
    sources = {f"{name}-{number:02}": source for name, source in styles.items() for number in range(repeated)}
    started = time.monotonic()
    results = grade(sources, folder)
    print(f"{len(results)} gradings in {time.monotonic() - started:.0f} s")
    return {
        f"{name}: {test}": (got, results[name][test]["extra_data"]["cases"]["all"])
        for name, tests in results.items()
        for test, got in outcomes(tests).items()
        if got != expected(name[:-3])[test]
    }


@pytest.mark.heavy
@pytest.mark.parametrize("hogs", [0, 4])
def test_no_vectorised_solution_ever_fails(tmp_path, hogs):
    with busy(hogs):
        assert unexpected(VECTORISED, REPEATED, tmp_path) == {}


@pytest.mark.heavy
def test_no_loop_ever_passes(tmp_path):
    assert unexpected(LOOPS, REPEATED, tmp_path) == {}
