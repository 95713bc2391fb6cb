"""Makes web pages from templates; these escape everything, and clean text from strangers."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from autograder.classroom.gradebook import Gradebook, Row
from autograder.classroom.journal import PAGE
from autograder.core.results import Results
from autograder.core.tables import number
from autograder.core.text import printable, visible

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).with_name("templates")
_NAME = 80
"""The most characters of a name on a page."""


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters["number"] = number
    environment.filters["percent"] = lambda share: f"{100 * share:.0f} %"
    environment.filters["page"] = _page_of
    environment.filters["name"] = _name
    return environment


def _finalize(value: Any) -> Any:
    """Remove direction marks and other invisible characters from a text, even if staff wrote it."""
    return visible(value) if type(value) is str else value  # but leave our own markup as it is


def _name(text: str) -> str:
    shown = printable(text)
    return shown if len(shown) <= _NAME else shown[: _NAME - 1] + "…"


def _page_of(row: Row) -> str:
    return f"{quote(os.fsencode(row.entry.name))}/{PAGE}"


def render(template: str, content: Mapping[str, Any]) -> bytes:
    """Return a page.

    Raises
    ------
    ImportError
        If Jinja is not installed.
    """
    return _environment().get_template(template).render(content).encode("utf-8", "replace")


def staff(book: Gradebook, row: Row, results: Results, up: str) -> bytes:
    """Return the staff's page of one submission: what the student reads, and the decisions of staff."""
    decided = {override.test: override for override in row.overrides}
    return render("page.html.j2", {"book": book, "row": row, "results": results, "decided": decided, "up": up})


def feedback(book: Gradebook, row: Row, who: str, results: Results | None) -> bytes:
    """Return the student's page: without anything that is hidden from students or about other people."""
    tests = results.tests if results else ()
    shown = [test for test in tests if test.visibility != "hidden"]
    content = {"book": book, "row": row, "who": who, "results": results, "shown": shown}
    return render("feedback.html.j2", {**content, "hidden": len(tests) - len(shown)})
