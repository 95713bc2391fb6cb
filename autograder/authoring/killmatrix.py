"""Shows which test noticed which misconception (the kill matrix): in a terminal, and as a table for programs.

This module does not know what a test does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autograder.core.tables import as_text

if TYPE_CHECKING:
    from rich.console import RenderableType

ALL, SOME, NONE, NOT_RUN = "●", "◐", "·", " "
LEGEND = f"{ALL} every case fails   {SOME} some cases fail   {NONE} passes   blank: not run"


@dataclass(frozen=True)
class Fall:
    """How one misconception ended in one test.

    Attributes
    ----------
    outcome : str
        The outcome of the test.
    failed, cases : int
        How many cases failed, and how many there are. A case that was not run has not failed.
    allowed : bool
        Whether this misconception may fail this test.
    """

    outcome: str
    failed: int
    cases: int
    allowed: bool

    @property
    def mark(self) -> str:
        """Return one character for the matrix."""
        if self.failed:
            return ALL if self.failed == self.cases else SOME
        return NOT_RUN if self.outcome == "not run" else NONE

    @property
    def style(self) -> str:
        """Return the colour of the character."""
        return "dim" if not self.failed else "green" if self.allowed else "bold red"


@dataclass(frozen=True)
class MistakeLine:
    """One misconception, the function that is wrong, how every test ended, and whether a public one noticed."""

    name: str
    function: str
    falls: Mapping[str, Fall]
    at_home: bool = False

    @property
    def killers(self) -> list[str]:
        """The tests that noticed the misconception."""
        return [test for test, fall in self.falls.items() if fall.failed]


def tables(rows: Sequence[MistakeLine], subject: Callable[[str], str | None]) -> Iterator[RenderableType]:
    """Draw one small matrix for each function: its misconceptions, and the tests about it.

    The last line says how many misconceptions each test noticed. Failures in tests of other functions are named below.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    for function in dict.fromkeys(row.function for row in rows):
        own = [row for row in rows if row.function == function]
        tests = [test for test in own[0].falls if subject(test) == function]
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_footer=True, title_justify="left")
        table.title = Text(f"{function}: {len(own)} misconceptions", "bold")
        table.add_column("", Text(f"noticed, of {len(own)}", "dim"), no_wrap=True)
        for test in tests:
            noticed = sum(test in row.killers for row in own)
            table.add_column(_short(test, function), Text(str(noticed), "dim"), justify="center", overflow="fold")
        for row in own:
            survives = not set(row.killers) & set(tests)
            marks = (Text(row.falls[test].mark, row.falls[test].style) for test in tests)
            table.add_row(Text(row.name, "bold red" if survives else ""), *marks)
        yield table
        for row in own:
            others = [Text(test, row.falls[test].style) for test in row.killers if test not in tests]
            if others:
                yield Text(f" {row.name} also fails ").append(Text(", ").join(others))
    yield Text(f"\n{LEGEND}", "dim")


def _short(test: str, function: str) -> str:
    """Return a short name of a test for a column head: ``test_softmax_inputs`` becomes ``inputs``."""
    aspect = test.removeprefix(f"test_{function}").lstrip("_") or "values"
    return aspect.replace("_", "\n")


def as_csv(rows: Sequence[MistakeLine]) -> str:
    """Return the whole matrix: ``passed``, ``not run``, or how many cases failed of how many."""
    tests = list(rows[0].falls) if rows else []
    lines = [["misconception", "function", *tests]]
    for row in rows:
        cells = (row.falls[test] for test in tests)
        ends = [f"{fall.failed}/{fall.cases}" if fall.failed else fall.outcome for fall in cells]
        lines.append([row.name, row.function, *ends])
    return as_text(lines)
