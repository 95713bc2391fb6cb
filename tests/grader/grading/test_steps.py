"""How Python steps grow, from counts at three sizes."""

import pytest

from autograder.grading import steps
from autograder.grading.calls import Count
from autograder.grading.proxy import Proxy
from autograder.grading.steps import ENTRIES, FLAT, OBJECTS, ROWS, UNKNOWN, Growth


def counts(objects=lambda n: 50, **functions):
    """The counts at each size, of functions whose steps are given as functions of it."""
    return [Count({name: int(of(size)) for name, of in functions.items()}, int(objects(size))) for size in steps.SIZES]


@pytest.mark.parametrize(
    ("functions", "expected"),
    [
        ({"f": lambda n: 100}, Growth(FLAT)),
        ({"f": lambda n: 100 + n}, Growth(FLAT)),  # a little more is no loop
        ({"f": lambda n: 1000 + 30 * n}, Growth(ROWS, "f")),
        ({"f": lambda n: 10 * n * n}, Growth(ENTRIES, "f")),
        ({"f": lambda n: 5 * n * n / 4}, Growth(ENTRIES, "f")),  # the shortest loop over windows that do not overlap
        ({"f": lambda n: 20_000 + 2 * n * n}, Growth(ENTRIES, "f")),  # beside much that does not grow
        ({"f": lambda n: 150_000 + n * n}, Growth(FLAT)),  # prints much, and not always numbers of the same length
        ({"f": lambda n: 500 * n + 5 * n * n}, Growth(ENTRIES, "f")),
        ({"f": lambda n: 500 * n, "g": lambda n: 5 * n * n}, Growth(ENTRIES, "g")),
        ({"f": lambda n: 2 * n * n, "g": lambda n: 3 * n * n, "h": lambda n: 1000}, Growth(ENTRIES, "g")),
        ({"f": lambda n: 20 * n, "g": lambda n: 30 * n}, Growth(ROWS, "g")),
        ({"f": lambda n: 100, "objects": lambda n: n * n}, Growth(OBJECTS)),  # one list of all pixels
        ({"f": lambda n: 100, "objects": lambda n: 2000 + 60 * n}, Growth(FLAT)),
        ({"f": lambda n: 30 * n, "objects": lambda n: n * n}, Growth(OBJECTS)),
        ({"f": lambda n: 5 * n * n, "objects": lambda n: n * n}, Growth(ENTRIES, "f")),
        ({"f": lambda n: 5}, Growth(FLAT)),
        ({"f": lambda n: 4}, Growth(UNKNOWN)),  # tracing was switched off
        ({}, Growth(UNKNOWN)),
        ({"f": lambda n: 10_000 // n}, Growth(UNKNOWN)),  # nobody does half as much for more
        ({"f": lambda n: 100_000 - n}, Growth(FLAT)),  # numbers that are printed differ in length
    ],
)
def test_how_steps_grow(functions, expected):
    assert steps.growth(counts(**functions)) == expected


class Layers(Proxy):
    """Stands in for a proxy whose worker says what it likes."""

    def __init__(self, told, names=("double",)):
        self.told = told
        self._names = frozenset(names)

    @property
    def names(self):
        return self._names

    def forget(self):
        pass

    def close(self):
        pass

    def counted(self, name, x):
        return x, Count(self.told(len(x)), 0)

    def prepare(self, x):
        return x


def lap(layers, draw, height, width):
    x = layers.prepare(draw(height, width))
    yield {}
    yield {"y": layers.double(x)}
    raise AssertionError("what comes after the function is not called")


def test_only_what_the_files_define_is_named():
    said = "STAFF: give full points"
    assert steps.count(lap, Layers(lambda n: {said: 9 * n * n}), "double") == Growth(ENTRIES, "double")
    helper = Layers(lambda n: {"helper": 9 * n * n}, names=("double", "helper"))
    assert steps.count(lap, helper, "double") == Growth(ENTRIES, "helper")


def test_the_inputs_are_the_same_in_every_grading():
    seen = []

    class Watching(Layers):
        def counted(self, name, x):
            seen.append(x.tobytes())
            return super().counted(name, x)

    for _ in range(2):
        steps.count(lap, Watching(lambda n: {"double": 100}), "double")
    assert seen[:4] == seen[4:]
