"""Find the loop that a call hangs in, from the lines that its process says it runs.

The process belongs to the student, so this is the student's word. It decides nothing, and only a line of the student's
own files can come of it. Pure: the files are text, which is never parsed or run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_LOOP = re.compile(r"\s*while\b")
_OUTSIDE = re.compile(r"\s*(?:async\s+def|def|class)\b")
_NOTHING = re.compile(r"\s*(?:#|$)")


def hung_in(inside: object, sources: Mapping[str, Sequence[str]]) -> tuple[str, int] | None:
    """Return file and line of the innermost ``while`` that a process does not leave; None if there is none.

    Parameters
    ----------
    inside : object
        What the process says, see ``worker/hanging.py``: for each call, the outermost first, a file and the lines of
        it that run.
    sources : mapping of str to sequence of str
        The lines of each of the student's files.

    Notes
    -----
    A ``for`` is never named: it may be slow, but it ends some time.
    """
    for call in reversed(inside) if isinstance(inside, list) else []:
        if not (isinstance(call, list) and len(call) == 2 and isinstance(call[0], str) and isinstance(call[1], list)):
            return None
        file, numbers = call
        around = [_loops(sources.get(file, ()), number) for number in numbers]
        common = set.intersection(*map(set, around)) if around else set()
        if common:
            return file, max(common)
    return None


def _loops(lines: Sequence[str], number: object) -> list[int]:
    """Return the lines of all ``while`` statements around a line, within its function."""
    if type(number) is not int or not 0 < number <= len(lines):
        return []
    found, indent = [], _indent(lines[number - 1]) + 1  # the line itself may be the head of the loop
    for above in range(number, 0, -1):
        line = lines[above - 1]
        if _NOTHING.match(line) or _indent(line) >= indent:
            continue
        indent = _indent(line)
        if _OUTSIDE.match(line):
            break
        if _LOOP.match(line):
            found.append(above)
    return found


def _indent(line: str) -> int:
    return len(line.expandtabs()) - len(line.expandtabs().lstrip())
