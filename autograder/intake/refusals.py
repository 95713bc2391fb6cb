"""Says why a submission is refused, and what to do about it."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import NoReturn

from autograder.core.errors import BadSubmission
from autograder.core.text import clean
from autograder.intake import variants
from autograder.intake.archive import shown

TOGETHER = "Hand in both, side by side."
"""What to do if only the file of another part of the homework is there."""


def is_for(name: str, others: Collection[str], required: str) -> bool:
    """Whether a file belongs to another part of the homework, by its name alone."""
    for other in others:
        if name.casefold() == other.casefold() or name.endswith(f"_{other}"):  # platforms put the student's name before
            return True
        if variants.mistaken(name, other) and not variants.mistaken(name, required):
            return True
    return False


def refuse_missing(
    what: str, found: list[tuple[str, ...]], skipped: list[str], required: str, others: Collection[str]
) -> NoReturn:
    """Refuse a submission without the required file; `found` are the files in it, `others` those of other parts."""
    found = sorted(found, key=lambda parts: (not parts[-1].endswith(".py"), len(parts), parts))
    theirs = [parts for parts in found if is_for(parts[-1], others, required)]
    found = [parts for parts in found if parts not in theirs]
    causes = {parts: cause for parts in found if (cause := variants.mistaken(parts[-1], required))}
    if causes:
        those = listed([shown(parts) for parts in causes])
        rename = "Rename the file" if len(causes) == 1 else "Keep the one to be graded and rename it"
        cause = next(iter(causes.values()))
        raise BadSubmission(f"{what} contains {those}, but the name must be exactly {required}: {cause}. {rename}.")
    if theirs:
        code = [shown(parts) for parts in found if parts[-1].endswith(".py")]
        rename = f" Rename the file that holds its functions, if that is one of {listed(code)}." if code else ""
        there = listed([shown(parts) for parts in theirs])
        raise BadSubmission(f"{what} contains {there}, but {required} is missing. {TOGETHER}{rename}")
    names = [shown(parts) for parts in found]
    if names:
        contains = f"contains {listed(names)}"
    elif skipped:
        contains = f"contains nothing but {listed([clean(name, 80) for name in sorted(set(skipped))])}"
    else:
        contains = "is empty"
    do = remedy({os.path.splitext(parts[-1])[1].lower() for parts in found}, required)
    raise BadSubmission(f"{what} {contains}, but should contain {required}. {do}")


def unreadable(what: str, name: str) -> BadSubmission:
    """Return the refusal of a file that its permissions lock."""
    return BadSubmission(
        f"{what}: {name} cannot be read, since its permissions forbid it. "
        "Allow reading it (chmod -R u+rX), pack the files again and hand in the new zip."
    )


def refuse_large(what: str, got: str, most: str, required: str) -> NoReturn:
    """Refuse a submission that holds too much."""
    remedy = f"Hand in {required} and the modules it imports, nothing else."
    raise BadSubmission(f"{what} holds {got}, but should hold at most {most}. {remedy}")


def remedy(suffixes: set[str], required: str) -> str:
    """Return what to do, according to the kinds of files that were found instead of the required one."""
    if ".py" in suffixes:
        return f"Rename the file that holds your functions to {required}."
    if ".ipynb" in suffixes:
        return f"Move your functions from the notebook into {required} and hand that in."
    return f"Hand in {required} alone, or in a zip with the modules it imports."


def listed(names: list[str], most: int = 5) -> str:
    """Return the first of these names as text."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def mib(size: int) -> str:
    """Return a size as text."""
    return f"{size / 2**20:.1f} MiB"
