"""Imports a homework's catalogue of mistakes, and says what is missing in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autograder.core import homework
from autograder.core.errors import ConfigurationError


def read(package: Path, root: Path) -> Any:
    """Import the catalogue of mistakes.

    Raises
    ------
    ConfigurationError
        If that fails, or something is missing in it.
    """
    try:
        catalogue = homework.package(package, root, fresh=True)
    except Exception as error:
        problem = f"cannot be imported ({type(error).__name__}: {error})"
        remedy = "It should be a package with CATALOGUE and source(entry)"
        raise ConfigurationError(str(package), "", problem, remedy) from error
    remedy = "docs/new-homework.md shows a catalogue"
    for name in ("CATALOGUE", "source"):
        if not hasattr(catalogue, name):
            raise ConfigurationError(str(package), "", f"has no {name}", remedy)
    for number, entry in enumerate(catalogue.CATALOGUE, start=1):
        for name in ("id", "function"):
            if not isinstance(getattr(entry, name, None), str):
                raise ConfigurationError(str(package), f"entry {number} of CATALOGUE", f"has no text {name}", remedy)
    return catalogue
