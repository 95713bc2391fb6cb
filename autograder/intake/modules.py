"""Chooses the files that become modules, and refuses names that could mean two files, to Python or to a reader."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from pathlib import PurePosixPath

from autograder.core.errors import BadSubmission
from autograder.intake.archive import Member, shown

PATH_BYTES = 255
"""The most bytes of a copied path, below the required file's folder: every file system takes this for one name."""

_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # Unicode categories: control, bidi and format, surrogates, line breaks


def modules(
    what: str, beside: list[Member], depth: int, files: set[tuple[str, ...]], required: str
) -> dict[str, Member]:
    """Return the `.py` files in the required file's folder, by their path in it; each path means only one file.

    Raises
    ------
    BadSubmission
        If a file cannot be copied under its name, or the name could mean two files.
    """
    found: dict[str, Member] = {}
    spelled: dict[tuple[str, ...], tuple[str, ...]] = {}
    for entry in beside:
        parts = entry.parts[depth:]
        if not parts[-1].endswith(".py") or parts[-1] == "conftest.py":
            continue
        _refuse_name(what, entry, parts, files)
        for end in range(1, len(parts) + 1):
            path, key = entry.parts[: depth + end], tuple(_folded(part) for part in parts[:end])
            if (other := spelled.setdefault(key, path)) != path:
                pair = f"{shown(other)} and {shown(path)}"
                raise BadSubmission(f"{what} contains {pair}, which some computers take for one name. Rename one.")
        # Finder splits letters from their accents; `import` needs them joined
        copied = unicodedata.normalize("NFC", "/".join(parts))
        if copied in found:
            name = shown(entry.parts)
            raise BadSubmission(f"{what} contains {name} twice, but should contain it once. Pack the files again.")
        found[copied] = entry
    package = f"{PurePosixPath(required).stem}/__init__.py"
    if package in found:
        pair = f"{shown(found[package].parts)} beside {required}"
        raise BadSubmission(f"{what} contains {pair}: Python would import the folder instead. Rename the folder.")
    return found


def shadowed(names: Collection[str]) -> list[str]:
    """Return the modules that Python never imports, since a package of the same name is beside them."""
    return sorted(name for name in names if f"{name.removesuffix('.py')}/__init__.py" in names)


def _refuse_name(what: str, entry: Member, parts: tuple[str, ...], files: set[tuple[str, ...]]) -> None:
    name = shown(entry.parts)
    if entry.kind == "link":
        raise BadSubmission(f"{what}: {name} is a link, but should be a file. Replace it by the file.")
    if any(unicodedata.category(character) in _INVISIBLE for character in "".join(parts)):
        raise BadSubmission(f"{what}: the name of {name} contains invisible characters. Rename the file.")
    if len("/".join(parts).encode()) > PATH_BYTES:
        raise BadSubmission(f"{what}: the name {name} is longer than {PATH_BYTES} bytes. Shorten it.")
    for end in range(1, len(entry.parts)):
        if (path := entry.parts[:end]) in files:
            raise BadSubmission(f"{what} contains {shown(path)} both as a file and as a folder. Rename one.")


def _folded(name: str) -> str:
    """Return the name as a file system sees it that ignores case and the ways to write an accent."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
