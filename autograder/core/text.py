"""Strings from strangers, made safe: for JSON, for a terminal, for a web page, for the length of a line.

Exception messages, file names and archive members are written by the student. This room knows nothing else.
"""

from __future__ import annotations

import unicodedata

_DROPPED = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
"""Unicode categories that are never shown: control and format characters (escape codes, bidi marks), lone surrogates,
private code points, line and paragraph separators. Not the unassigned ones, which differ between Python versions."""


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
        return _cut("\n".join(_visible(line).rstrip() for line in text.splitlines()), limit)
    return _cut(" ".join(_visible(text).split()), limit)


def _visible(text: str) -> str:
    spaced = (" " if character.isspace() else character for character in text)
    kept = (character for character in spaced if unicodedata.category(character) not in _DROPPED)
    return "".join(kept).replace("<", "‹").replace(">", "›")


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
