"""A few of many: what ``make test`` tries of a long list, where ``make test-all`` tries everything."""

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def smoke(names: Iterable[str], few: Collection[str]) -> list[Any]:
    """Return all names as parameters of a test, those that are not among the few marked as heavy."""
    names = list(names)
    assert set(few) <= set(names), set(few) - set(names)
    return [name if name in few else pytest.param(name, marks=pytest.mark.heavy) for name in names]


def is_whole(request: pytest.FixtureRequest) -> bool:
    """Whether a heavy test of the same module runs too, so that what they share has to be made whole."""
    items = [item for item in request.session.items if item.path == request.path]
    return any(item.get_closest_marker("heavy") for item in items)
