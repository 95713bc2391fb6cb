"""What pytest has collected, as the tests of a homework: an item is a test function, and is run once for every case."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence

import pytest

from autograder.core.errors import GraderFault
from autograder.grading.casefile import Case


def function_of(item: pytest.Item) -> str:
    """Return the name of a test function, without its case."""
    return getattr(item, "originalname", None) or item.name


def cases_of(item: pytest.Function, groups: Mapping[str, Sequence[Case]]) -> Sequence[Case | None]:
    """Return the cases of a test's group; None alone if it takes no ``case``.

    Raises
    ------
    GraderFault
        The fixtures lack that group, or it is empty: the test would pass without having run. Or a fixture of the tests'
        own takes what changes with every case.
    """
    taken = parameters_of(item)
    for name in ("case", "check"):
        if name in item.fixturenames and name not in taken:
            raise GraderFault(f"{function_of(item)} has a fixture that takes {name}, which only a test itself can take")
    if "case" not in taken:
        return [None]
    marker = item.get_closest_marker("cases")
    if marker is None or marker.args[0] not in groups:
        group = marker.args[0] if marker else "no group"
        raise GraderFault(f"{function_of(item)} asks for the cases of {group}, which the fixtures lack")
    if not groups[marker.args[0]]:
        raise GraderFault(f"{function_of(item)} asks for the cases of {marker.args[0]}, which has none")
    return groups[marker.args[0]]


def id_of(item: pytest.Item, case: Case | None) -> str:
    """Return what a case is called: by the fixtures, and by the test's own ``parametrize``."""
    own = item.callspec.id if hasattr(item, "callspec") else ""
    return "-".join(filter(None, [own, case.id if case is not None else ""]))


def name_of(item: pytest.Item, case: Case | None) -> str:
    """Return the name of a test with its case, as ``ONLY`` takes it."""
    id = id_of(item, case)
    return f"{function_of(item)}[{id}]" if id else function_of(item)


def parameters_of(item: pytest.Function) -> tuple[str, ...]:
    """Return what a test function takes; like pytest, without what has a default."""
    parameters = inspect.signature(item.obj).parameters
    return tuple(name for name, parameter in parameters.items() if parameter.default is parameter.empty)
