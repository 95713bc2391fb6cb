"""Makes names of hand-ins that are safe as folder names, and different from each other on every file system.

These names become part of paths, tables and links, so nothing in them may act upon a terminal, a spreadsheet or a file
system.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from autograder.core.text import clean, printable

NAME_BYTES = 160
"""The most bytes of a name: file systems take 255, and names of other files are made from it by adding to it."""

_OURS = re.compile(r".*\.(?:csv|html|json|jsonl|lock|log|tmp)|feedback.*|only", re.IGNORECASE)
"""Names of files that `make grade` itself may write into the output folder."""

_MARK = " (hand-in)"


def stem(name: str, is_folder: bool) -> str:
    """Return the name of a file without its suffix, of a folder as it is."""
    return name if is_folder else PurePath(name).stem or name


def safe(name: str) -> str:
    """Return a name for a folder of the output, made from `name`; `distinct` then separates equal ones.

    Control characters, direction marks and line ends are removed. Runs of white space become one space, and bytes that
    are no text become a question mark in a diamond. A name that is too long ends in a digest of all of it. A name that
    the grader uses itself (``grades.csv``), a hidden one and an empty one end in `` (hand-in)``.
    """
    text = "".join("\ufffd" if unicodedata.category(each) == "Cs" else each for each in name)
    kept = printable(unicodedata.normalize("NFC", text.replace("/", " ").replace("\\", " ")))
    if len(kept.encode()) > NAME_BYTES:
        digest = hashlib.sha256(kept.encode()).hexdigest()[:8]
        kept = kept.encode()[: NAME_BYTES - 9].decode("utf-8", "ignore").rstrip() + "~" + digest
    if not kept or kept[0] in ".-~" or _OURS.fullmatch(kept):
        kept = (kept.lstrip(".-~ ") + _MARK).strip()
    return kept


def distinct(names: Sequence[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """Give other names to hand-ins whose names are the same on some file system; all others keep their name.

    Parameters
    ----------
    names : sequence of pairs of str
        For each hand-in the name it should have, and a longer one, with its suffix, to use if the first is taken.

    Returns
    -------
    list of str
        As long as `names`; no two are equal, not even on a Mac.
    list of str
        A sentence for every name that several had, or that the grader uses itself.
    """
    final = [safe(name) for name, _ in names]
    groups: dict[str, list[int]] = {}
    for index, name in enumerate(final):
        groups.setdefault(_folded(name), []).append(index)
    taken = {key for key, indices in groups.items() if len(indices) == 1}
    said = []
    for indices in groups.values():
        wanted = final[indices[0]]
        if len(indices) == 1:
            if wanted.endswith(_MARK) and not names[indices[0]][0].endswith(_MARK):
                own = clean(names[indices[0]][1], 100)
                said.append(f"{own} is called {wanted} here: its own name is hidden, or one of ours")
            continue
        for index in indices:
            final[index] = next(each for each in _numbered(safe(names[index][1])) if _folded(each) not in taken)
            taken.add(_folded(final[index]))
        listed = ", ".join(final[index] for index in indices)
        said.append(f"{len(indices)} hand-ins have the name {wanted}: here they are called {listed}")
    return final, said


def _numbered(name: str) -> Iterator[str]:
    yield name
    for number in range(2, 1_000_000):
        yield f"{name} ({number})"


def _folded(name: str) -> str:
    """Return the name as a file system sees it that ignores case and the ways to write an accent."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())
