"""Text from strangers, made safe for JSON, a terminal, a web page, a table, and the length of a line.

Students write exception messages, file names and the names of archive members.
"""

from __future__ import annotations

import re
import unicodedata

_DROPPED = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
"""Unicode categories that are never shown: control and format characters (escape codes, bidi marks), lone surrogates,
private code points, line and paragraph separators. Not the unassigned ones, which differ between Python versions."""

_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that look like a space: a name with them can imitate the columns of a table."""

_MOST_MARKS = 4
"""Combining marks on one letter: Vietnamese needs two, Tibetan and Hebrew three or four; piles of them cover other
lines."""

_PILE = re.compile(rf"([\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{{{_MOST_MARKS}}})"
                   r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")  # fmt: skip


def clean(text: str, limit: int = 200, lines: bool = False) -> str:
    """Return `text` without anything that a terminal, JSON or HTML could act upon.

    Parameters
    ----------
    text : str
        Anything, lone surrogates included.
    limit : int
        The most characters to return; a text that was cut ends in an ellipsis.
    lines : bool
        Keep line feeds. By default runs of white space become one space.

    Returns
    -------
    str
        Printable characters only; ``<`` and ``>`` are shown as ``‹`` and ``›``.
    """
    if len(text) > 8 * limit + 8:  # a limit on the work, before any is done
        text = text[: 8 * limit + 8] + "…"
    if lines:
        return _cut("\n".join(_shown(line).rstrip() for line in text.splitlines()), limit)
    return _cut(" ".join(_shown(text).split()), limit)


def printable(text: str) -> str:
    """Return all of `text` in one line: runs of white space become one space, invisible characters are left out."""
    return " ".join(_visible(text).split())


def visible(text: str) -> str:
    """Return `text` with its lines and spaces, but without invisible characters such as direction marks."""
    return "\n".join(_PILE.sub(r"\1", _visible(line)) for line in text.split("\n"))


def _shown(text: str) -> str:
    return _PILE.sub(r"\1", _visible(text)).replace("<", "‹").replace(">", "›")


def _visible(text: str) -> str:
    if text.isascii() and text.isprintable():  # almost all text is
        return text
    spaced = (" " if character.isspace() or character in _BLANKS else character for character in text)
    return "".join(character for character in spaced if unicodedata.category(character) not in _DROPPED)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
