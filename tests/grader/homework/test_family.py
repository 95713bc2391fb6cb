"""The family of small inputs: right, in order, and enough to show the mistakes that are known."""

# mypy: ignore-errors
# Modules that are put together while running.

import functools
import subprocess
import sys

import numpy as np
import pytest

from autograder.grading.diagnose import smallest
from autograder.grading.examples import caller_of
from solutions import layers, naive
from solutions.misconceptions import CATALOGUE, FUNCTIONS, assemble, source
from solutions.misconceptions.family import family
from tests.grader.support import ROOT, rehearsal

RETURNS = rehearsal.SETTINGS.homework.functions
MOST_NUMBERS = 12
ODD = sorted(path.name for path in (ROOT / "tests/grader/submissions/correct").iterdir() if path.is_dir())


def caller(functions, inspected=""):
    return caller_of(rehearsal.Proxy(functions), RETURNS, inspected)


def of_module(module):
    return {name: getattr(module, name) for name in FUNCTIONS}


def shown(function, functions, programs=None, right=None):
    """Return the first example of the worst kind among these programs."""
    right = caller(right or of_module(layers))
    student = caller(functions, function)
    best = None
    for program in programs or family(function):
        example = smallest.shown(function, program, student, right, (1e-10, 1e-4))
        if isinstance(example, smallest.Example) and (best is None or example.rank < best.rank):
            best = example
            if best.rank == smallest.VALUES:
                break
    return best


@functools.cache
def example_of(entry):
    """Return the example of a mistake, if a process in which nothing was called before shows the same."""
    first, programs = shown(entry.function, assemble((entry,))), family(entry.function)
    suspects = [one for one in programs if first is not None and first.code.startswith(one.code)]
    for program in [*suspects, *(one for one in programs if smallest.calls_twice(one.code))]:
        again = shown(entry.function, assemble((entry,)), [program])
        if again is not None:
            return again
    return None


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_programs_are_few_small_and_in_order(function):
    programs = family(function)
    assert 100 < len(programs) < 700
    assert len({program.code for program in programs}) == len(programs)
    costs = [program.numbers + program.special for program in programs]
    assert costs == sorted(costs)
    assert sum(program.numbers > 3 * MOST_NUMBERS for program in programs) <= 2  # those about long rows


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_oracle_agrees_on_every_program(function):
    programs = [program for program in family(function) if program.numbers <= 3 * MOST_NUMBERS]
    forward = function.replace("_backward", "_forward")
    functions = of_module(naive) | {forward: getattr(naive, forward)}
    for program in programs:
        for line in smallest.run(program.code, caller(of_module(layers))):
            assert all(not call.failure for call in line.calls), program.code
    if "backward" not in function:  # the oracle takes no cache
        found = shown(function, functions, programs)
        assert found is None or found.rank != smallest.VALUES  # the oracle is float64 throughout


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_numbers_that_go_in_are_counted(function):
    for program in family(function)[::7]:
        lines = [line for line in program.code.split("\n") if " = np." in line]
        variables = {"np": np}
        entries = 0
        for line in lines:
            exec(line, variables)
            entries += variables[line.split(" = ")[0]].size
        assert program.numbers == (entries or program.code.count(",") + 1), program.code


@pytest.mark.heavy
def test_nearly_every_known_mistake_has_a_small_example():
    found = {entry.id: example_of(entry) for entry in CATALOGUE if not entry.fails_only.endswith("_large")}
    others = [id for id, example in found.items() if example is None or example.numbers > MOST_NUMBERS]
    assert len(others) <= 0.05 * len(found), others


SEARCHER = """
import sys
from pathlib import Path
sys.path.insert(0, {folder!r})
from tests.grader.homework import test_family
print("an example of:", test_family.right_solution_with_example(Path({folder!r})))
"""


def right_solution_with_example(folder):
    """Return the first function of this right solution of which an example is found, or nothing."""
    functions = of_module(rehearsal.imported(folder / "layers.py"))
    for function in FUNCTIONS:  # but for the long rows, for which some need more memory than there is here
        programs = [program for program in family(function) if program.numbers <= 3 * MOST_NUMBERS]
        if shown(function, functions, programs) is not None:
            return function
    return ""


@pytest.mark.heavy
@pytest.mark.parametrize("name", ODD)
def test_right_solutions_have_no_example(name):
    # Each in a process of its own: some change NumPy's and Python's settings for all that runs after them.
    folder = ROOT / "tests/grader/submissions/correct" / name
    script = SEARCHER.format(folder=str(folder))
    ran = subprocess.run([sys.executable, "-B", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.endswith("an example of: \n"), ran.stdout


# --- what is pasted --------------------------------------------------------------------------------------------------

RUNNER = """
import sys
import numpy as np
sys.path[:0] = [{folder!r}, {root!r}]
from autograder.grading.diagnose.smallest import entries
exec({code!r})
for name, value in dict(globals()).items():
    if isinstance(value, np.ndarray):
        print(name, "has shape", f"{{value.shape}}:")
        print(f"{{name}}.dtype is {{value.dtype}},")
        for digits in (6, 9, 17):
            print(name, "is", *entries(value, digits).split())
    elif not callable(value):
        print(name, "is", type(value).__name__)
        print(name, "is", value)
arrays = {{name: value for name, value in globals().items() if isinstance(value, np.ndarray)}}
for name, one in arrays.items():
    for other, two in arrays.items():
        if np.may_share_memory(one, two):
            print(name, "shares memory with", f"{{other}},")
"""


def claimed(example):
    """Return what an example says of what came back, in the words of the runner; of an exception its name."""
    head, *rest = example.said.split("\n")
    if head.endswith(" is"):
        end = next(number for number, line in enumerate(rest) if not line.startswith("    "))
        return " ".join([head.removeprefix("After the call "), *" ".join(rest[:end]).split()])
    if " raised " in head:
        return head.split(" raised ")[1].split(":")[0].rstrip(".")
    return head.split(" but should ")[0].replace(" is a ", " is ").replace(" is an ", " is ").rstrip(",")


@pytest.mark.heavy
@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_is_pasted_gives_what_is_said(function, tmp_path):
    for entry in CATALOGUE:
        if entry.function != function:
            continue
        example = example_of(entry)
        if example is None:  # counted above
            continue
        folder = tmp_path / entry.id
        folder.mkdir()
        (folder / "layers.py").write_text(source(entry), encoding="utf-8")
        names = ", ".join(dict.fromkeys(smallest.called(example.code)))
        code = f"import numpy as np\nfrom layers import {names}\n{example.code}"
        script = RUNNER.format(folder=str(folder), root=str(ROOT), code=code)
        ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
        said = claimed(example).removeprefix("an input array")  # where two are equal, it has no name
        assert said in ran.stdout + ran.stderr, (entry.id, example.said, ran.stdout, ran.stderr)
