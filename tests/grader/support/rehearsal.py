"""Hidden tests against functions in this process: no sandbox, no pytest, the real tests, checks and diagnosis.

For the tests of the diagnosis, which have some ten thousand wrong results to look at.
"""

# mypy: ignore-errors
# Stands in for what it is not: results of every kind, and modules put together while running.

import ast
import copy
import functools
import importlib.util
import itertools
import types
import warnings
from pathlib import Path

import numpy as np

from autograder.core import config
from autograder.core.errors import NotRun, Raised, Wrong
from autograder.core.outcomes import PASSED, CaseResult
from autograder.grading import casefile
from autograder.grading.calls import Call, Handle
from autograder.grading.check import Check
from autograder.grading.compare import Foreign
from autograder.grading.diagnose.diagnosis import Diagnostician
from autograder.grading.history import History
from autograder.grading.large import require_right
from autograder.grading.record import Record
from solutions import cases, layers, misconceptions, naive
from solutions.cases import Layer
from tests.grader.support import ROOT

STYLES = Path(__file__).parent / "styles"
SETTINGS = config.load(ROOT / "config.yaml")
CASES = casefile.load(SETTINGS.homework.fixtures)
SHAPES = (
    Layer((2, 3, 6, 8), (3, 2), stride=1, padding=1, filters=4),
    Layer((3, 2, 8, 7), (2, 3), stride=2, padding=1, filters=3),
    Layer((2, 2, 9, 11), (2, 2), stride=3, padding=2, filters=3),
    Layer((2, 3, 7, 7), (3, 2), stride=2, filters=2),
    Layer((3, 2, 6, 6), (2, 3), stride=1, filters=3),
    Layer((2, 2, 8, 8), (3, 3), stride=3, filters=2),
)
ONE_PIXEL = (
    Layer((1, 3, 4, 5), (1, 1), filters=2, promise="own_memory"),
    Layer((1, 2, 5, 4), (1, 1), filters=3, promise="own_memory"),
    Layer((1, 2, 3, 6), (1, 1), filters=2, promise="own_memory"),
)
TOLERANCES = SETTINGS.tolerances.model_dump()


def imported(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@functools.cache
def hidden_tests():
    """Return the tests that compare results, in the order of the assignment, each with its group of cases."""
    found = {}
    for path in sorted(SETTINGS.homework.hidden_tests.glob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        groups = {}
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and node.decorator_list:
                groups[node.name] = ast.literal_eval(node.decorator_list.pop().args[0])  # a marker of the engine's
        names = {"__name__": path.stem}
        exec(compile(tree, path, "exec"), names)
        found |= {name: (names[name], group) for name, group in groups.items()}
    return {name: found[name] for name in SETTINGS.tests if name in found}


class Proxy:
    """What a hidden test sees as `student`, with functions of this process behind it."""

    def __init__(self, functions):
        self.functions, self.calls, self._kept, self._numbers = functions, [], {}, itertools.count(1)
        self._made = {}

    def connect(self):
        """Be there, as a worker is."""

    def __getattr__(self, name):
        def function(*args, **kwargs):
            results = self.inspect(name, *args, **kwargs).results
            return results[0] if len(results) == 1 else results

        return function

    def inspect(self, name, *args, **kwargs):
        handed = [self._handed(value) for value in args]
        named = {key: self._handed(value) for key, value in kwargs.items()}
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                returned = self.functions[name](*handed, **named)
        except Exception as error:
            self.failed = Call(name, args, kwargs, tuple(SETTINGS.homework.functions[name]), ())
            said = f"{type(error).__name__}: {error}"
            raise Raised(f"{name} raised {type(error).__name__}", name, {}, said) from error
        names = SETTINGS.homework.functions[name]
        returned = returned if len(names) > 1 else (returned,)
        if not isinstance(returned, (tuple, list)) or len(returned) != len(names):
            raise Wrong(f"{name} returned another number of results", name)
        results = tuple(self._travelled(key, value) for key, value in zip(names, returned, strict=True))
        inputs = [value for value in (*handed, *named.values()) if isinstance(value, np.ndarray)]
        arrays = [value for key, value in zip(names, returned, strict=True) if isinstance(value, np.ndarray)]
        shares = tuple(tuple(np.shares_memory(array, one) for one in inputs) for array in arrays)
        made = [self._made[value] for value in args if isinstance(value, Handle)]
        after = tuple(array.copy("K") for array in (*inputs, *(one for _, arrays in made for one in arrays)))
        earlier = tuple(call for call, _ in made)
        self.calls.append(Call(name, args, kwargs, tuple(names), results, after, shares, earlier))
        self._made |= {result: (self.calls[-1], inputs) for result in results if isinstance(result, Handle)}
        return self.calls[-1]

    watch = inspect

    def origin(self, array):
        return next((call for call in reversed(self.calls) if any(array is one for one in call.results)), None)

    def _handed(self, value):
        if isinstance(value, Foreign):
            raise NotRun("an argument is no array")
        return self._kept[value] if isinstance(value, Handle) else _copied(value)

    def _travelled(self, name, value):
        if name == "cache":
            handle = Handle(0, next(self._numbers))
            self._kept[handle] = value
            return handle
        if isinstance(value, np.ndarray) and value.dtype.kind in "fiu":
            return value.copy()
        if isinstance(value, (int, np.integer)):
            return int(value)
        return Foreign("None" if value is None else f"a {type(value).__name__}")


def _copied(value):
    return value.copy("K") if isinstance(value, np.ndarray) else copy.copy(value)


@functools.cache
def large_tests():
    """Return the tests of large inputs by name."""
    path = SETTINGS.homework.hidden_tests / "test_large.py"
    return {name: value for name, value in vars(imported(path)).items() if name.startswith("test_")}


def rehearse_large(functions, name):
    """Run a test of large inputs; return the error that it ends in, or None."""

    def large(lap, sizes, *, over, inputs):
        subject, student, reference = SETTINGS.subject(name), Proxy(functions()), Proxy(vars(layers))
        require_right(lap, subject, student, reference, sizes, TOLERANCES["float64"], over, inputs)

    try:
        large_tests()[name](large)
    except (Wrong, Raised, NotRun) as error:
        return error
    return None


@functools.cache
def other_cases():
    """Return cases of other shapes for every group of the fixtures; where values are compared each comes twice."""
    found = {"conv_output_size": CASES["conv_output_size"]}
    for group, (_, make) in cases.GROUPS.items():
        found[group] = []
        promised, twice = group.endswith("_inputs"), group.rpartition("2")[2] in ("col", "im", "d")
        for number, layer in enumerate(SHAPES * (1 + twice) + ONE_PIXEL * promised):
            layer = layer._replace(
                padding=0 if "pool" in group else layer.padding,
                dtype="float32" if group.endswith("_float32") else "float64",
                promise=layer.promise or "untouched" if promised else "",
            )
            case = make(cases.stream(7, group, str(number)), layer, naive)
            found[group].append(types.SimpleNamespace(id=f"shape-{number}", **case))
    return found


def rehearse(functions, tests=None, knowledge=misconceptions, others=False):
    """Yield a Record with its diagnosis for every hidden test, or for `tests`: as one submission is graded.

    The cases are those of the fixtures, or `others`.
    """
    records, diagnostician = [], Diagnostician(lambda: knowledge)
    for name in tests or hidden_tests():
        test, group = hidden_tests()[name]
        given = other_cases()[group] if others else CASES[group]
        student, history = Proxy(functions()), History()
        record = Record(name, name, SETTINGS.subject(name))
        for case in given:
            check = Check(student, history, TOLERANCES, getattr(case, "dtype", "float64"))
            error = None
            try:
                test(student, case, check)
            except (Wrong, Raised, NotRun) as raised:
                error = raised
            other = error is not None and error.function not in (None, record.subject)
            outcome = PASSED if error is None else NotRun.outcome if other else error.outcome
            said = (error.message, error.function or "", "", {}) if error else ()
            record.cases.append(CaseResult(case.id, outcome, *said))
            if outcome == Wrong.outcome and isinstance(error, Wrong) and error.evidence is not None:
                record.witness([error.evidence])
            elif outcome == Raised.outcome:
                record.witness([history.evidence_of_raised(student.calls, student.failed, error.quoted)])
            history.add(student.calls)
            history.forget_calls()
            student.calls.clear()
        record.diagnosis = diagnostician.diagnose(record.evidence, history.passed)
        records.append(record)
    for record in records:
        if record.diagnosis is not None:
            record.diagnosis = diagnostician.without_refuted(record.diagnosis)
        yield record


@functools.cache
def style(name):
    """Return one of the solutions in another style, as a module."""
    return layers if name == "layers" else imported(STYLES / f"{name}.py")


def injected(name, *entries):
    """Return a function that makes the nine functions of a style with these mistakes in them, fresh each time."""

    def functions():
        module = style(name)
        names = {key: value for key, value in vars(module).items() if isinstance(value, types.FunctionType)}
        for key, value in names.items():
            names[key] = types.FunctionType(value.__code__, {**vars(module)}, key, value.__defaults__)
        for value in names.values():
            value.__globals__.update(names)
        for entry in reversed(entries):
            below = dict(names)
            for wrong, key in (
                (entry.wrong, entry.function),
                (entry.forward, entry.function.replace("backward", "forward")),
            ):
                if wrong is not None:
                    defaults = copy.deepcopy(wrong.__defaults__)
                    names[key] = types.FunctionType(wrong.__code__, {**wrong.__globals__, **below}, key, defaults)
        # Mistakes stay in their own function: whether they show in others is for the tests of pairs to say.
        return {key: names[key] for key in misconceptions.FUNCTIONS}

    return functions


__all__ = ["SETTINGS", "hidden_tests", "injected", "large_tests", "rehearse", "rehearse_large", "style"]
