"""Strings from strangers, made safe: for JSON, for a terminal, for a web page, for a table, for the length of a line.

Exception messages, file names and archive members are written by the student. This module knows nothing else.
"""

from __future__ import annotations

import re
import unicodedata

_DROPPED = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
"""Unicode categories that are never shown: control and format characters (escape codes, bidi marks), lone surrogates,
private code points, line and paragraph separators. Not the unassigned ones, which differ between Python versions."""

_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that look like a space: with them a name imitates the columns of a table."""

_MOST_MARKS = 4
"""Combining marks on one letter: Vietnamese needs two, Tibetan and Hebrew three or four; piles of them cover other
lines."""

_PILE = re.compile(rf"([\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{{{_MOST_MARKS}}})"
                   r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")  # fmt: skip


def clean(text: str, limit: int = 200, lines: bool = False) -> str:
    """Return `text` with nothing in it that a terminal, JSON or HTML could act upon.

    Parameters
    ----------
    text : str
        Anything, lone surrogates included.
    limit : int
        Most characters that come back; what is cut ends in an ellipsis.
    lines : bool
        Keep line feeds. By default runs of white space become one space.

    Returns
    -------
    str
        Printable characters only; ``<`` and ``>`` are shown as ``‹`` and ``›``.
    """
    if len(text) > 8 * limit + 8:  # a bound on the work, before any is done
        text = text[: 8 * limit + 8] + "…"
    if lines:
        return _cut("\n".join(_shown(line).rstrip() for line in text.splitlines()), limit)
    return _cut(" ".join(_shown(text).split()), limit)


def printable(text: str) -> str:
    """Return all of `text` in one line: runs of white space become one space, what is never shown is left out."""
    return " ".join(_visible(text).split())


def visible(text: str) -> str:
    """Return `text` with its lines and spaces as they are, without what is never shown, like direction marks."""
    return "\n".join(_PILE.sub(r"\1", _visible(line)) for line in text.split("\n"))


def _shown(text: str) -> str:
    return _PILE.sub(r"\1", _visible(text)).replace("<", "‹").replace(">", "›")


def _visible(text: str) -> str:
    if text.isascii() and text.isprintable():  # as almost all of it is
        return text
    spaced = (" " if character.isspace() or character in _BLANKS else character for character in text)
    return "".join(character for character in spaced if unicodedata.category(character) not in _DROPPED)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
