"""Everything in this folder is heavy: ``make test-all`` runs it, ``make test`` does not."""

import pytest


def pytest_itemcollected(item):
    item.add_marker(pytest.mark.heavy)
