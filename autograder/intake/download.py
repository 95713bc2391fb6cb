"""Reads what staff want to grade: recognises it, and returns every hand-in in it exactly once.

A file that belongs to no student is not graded: it is listed, with the reason. This module does not know what is in
a submission, or how the list is graded.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from autograder.core.errors import BadSubmission, ConfigurationError
from autograder.core.text import clean
from autograder.intake import export, names, sniff
from autograder.intake.handins import HandIn, HandIns
from autograder.intake.pile import Folder, Item, Pile, Store, Zip
from autograder.intake.platforms import Part, Platform, own_names
from autograder.intake.recognise import Asked, Decision, Question, decide, is_hand_in

_REMEDY = "Give a file or a folder of submissions"


def read(
    path: Path,
    required: str,
    scratch: Callable[[], Path] | None = None,
    *,
    asked: Asked | None = None,
    functions: Collection[str] = (),
) -> HandIns:
    """Find the submissions at `path`.

    Parameters
    ----------
    path : Path
        A platform's download, a folder of zips, ``.py`` files and folders, a zip of any of these, or one submission.
    required : str
        The name of the file that every submission must hold; a folder that holds it is one submission.
    scratch : callable, optional
        Makes an empty folder for files from the zip of a class. Without it, every zip is one submission.
    asked : {'class', 'one'}, optional
        What staff say it is: a class, or one submission.
    functions : collection of str
        What a student's file defines; see `Question`.

    Raises
    ------
    ConfigurationError
        If there is nothing, it cannot be read, or it could be read in two ways.
    """
    if not path.exists():
        raise ConfigurationError("SUBMISSIONS", "", f"{path} does not exist", _REMEDY)
    question = Question(str(path), not path.is_dir(), required, functions, asked)
    if path.is_dir():
        return _found(Folder(path), question, path, scratch)
    if not path.is_file():
        raise ConfigurationError("SUBMISSIONS", "", f"{path} is neither a file nor a folder", _REMEDY)
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb"))
            start = file.read(1 << 16)
        except OSError as error:
            raise ConfigurationError("SUBMISSIONS", "", f"{path} cannot be read: {error.strerror}", _REMEDY) from None
        if asked == "one" or scratch is None or not sniff.is_zip(start) or sniff.document(start):
            if asked == "class":
                raise ConfigurationError("AS", "", f"{path.name} is one file, no class", "Leave AS out")
            return _one(path, "AS=one was said" if asked else "a file")
        try:
            return _found(Zip(file, clean(path.name)), question, path, scratch)
        except BadSubmission as refusal:
            remedy = "Unpack it and give the folder, or say AS=one if it is one student's"
            raise ConfigurationError("SUBMISSIONS", "", refusal.message.rstrip("."), remedy) from None


def _one(path: Path, why: str) -> HandIns:
    name = path.resolve().name if path.is_dir() else path.name
    entry = HandIn(names.safe(names.stem(name, path.is_dir())), path)
    return HandIns([entry], single=True, recognised=f"One submission ({why})")


def _found(pile: Pile, question: Question, path: Path, scratch: Callable[[], Path] | None) -> HandIns:
    decision = decide(pile, question)
    if decision.kind == "one":
        return _one(path, decision.why)
    store = Store(scratch or _no_scratch)
    if decision.kind == "export":
        found = export.read(decision.pile, lambda item: decision.pile.take(item, store, item.name))
        if not found.entries:
            raise question.refusal(f"holds {export.METADATA} and no submissions", "Download it again")
        students = sum(len(entry.students) for entry in [*found.entries, *found.without_files])
        count = f"{_count(len(found.entries), 'submission')} of {_count(students, 'student')}"
        return replace(found, recognised=f"Gradescope export: {count} ({decision.why})")
    return _class(decision, store, question.required)


def _no_scratch() -> Path:
    raise ConfigurationError(
        "SUBMISSIONS", "", "files of one student have to be put together", "Use make grade for that"
    )


def _class(decision: Decision, store: Store, required: str) -> HandIns:
    """Return the hand-ins of a class, and sentences about what was left out."""
    pile, platform = decision.pile, decision.platform
    groups: dict[object, list[tuple[Item, Part | None]]] = {}
    left = []
    for item in pile.items:
        part = platform.part(item.name, item.is_folder) if platform and item.kind in ("file", "folder") else None
        if part is None and not is_hand_in(item, pile):
            left.append(item)
        else:
            groups.setdefault(part.key if part else id(item), []).append((item, part))
    older: list[str] = []
    found = [entry for group in groups.values() for entry in _hand_ins(group, pile, store, required, older)]
    final, said = names.distinct([(wanted, longer) for _, wanted, longer in found])
    entries = [replace(entry, name=name) for (entry, _, _), name in zip(found, final, strict=True)]
    entries.sort(key=lambda entry: entry.name)
    problems = [*_left_out(left), *older, *pile.problems, *said]
    return HandIns(
        entries,
        problems=problems,
        recognised=_announced(decision, platform, entries, len(groups), left),
        platform=platform.name if platform else "",
    )


def _announced(
    decision: Decision, platform: Platform | None, entries: list[HandIn], people: int, left: list[Item]
) -> str:
    leaving = f"; {_count(len(left), 'other')} left out" if left else ""
    if platform is None:
        return f"Class: {_count(len(entries), 'hand-in')} ({decision.why}){leaving}"
    files = sum(len(entry.files) for entry in entries) or len(entries)
    return f"{platform.name} download: {_count(people, 'student')}, {_count(files, 'file')} ({decision.why}){leaving}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _hand_ins(
    group: list[tuple[Item, Part | None]], pile: Pile, store: Store, required: str, older: list[str]
) -> list[tuple[HandIn, str, str]]:
    """Return what one student handed in at one time: each with its name, and a longer name if that is taken.

    Sentences about older versions of files, which do not count, are added to `older`.
    """
    files = [member for member in group if not (member[1] and member[1].typed)] or group
    items = [item for item, _ in files]
    if any(item.is_folder for item in items) or len({item.name for item in items}) < len(items) or files[0][1] is None:
        return [_single(item, part, pile, store, required) for item, part in files]
    if len(files) == 1:
        return [_single(*files[0], pile, store, required)]
    parts = [part for _, part in files if part is not None]
    own = own_names(parts, required)
    kept = [(item, name) for item, name in zip(items, own, strict=True) if name]
    if left := [clean(item.name, 100) for item, name in zip(items, own, strict=True) if not name]:
        newer = ", ".join(clean(item.name, 100) for item, name in kept)
        older.append(f"{', '.join(left)}: a newer version of this file is there, so left out; graded: {newer}")
    first, _ = min(kept, key=lambda pair: (not pair[1].endswith(".py"), pair[0].name))
    wanted = parts[0].title or names.stem(first.name, False)
    path = pile.together(kept, store, wanted)
    entry = HandIn(
        wanted,
        path,
        ids=(*parts[0].ids, wanted),
        late=any(part.late for part in parts),
        files=tuple(item.name for item in items),
    )
    return [(entry, wanted, wanted)]


def _single(item: Item, part: Part | None, pile: Pile, store: Store, required: str) -> tuple[HandIn, str, str]:
    plain = names.stem(item.name, item.is_folder)
    wanted = part.title if part and part.title else plain
    own = own_names([part], required)[0] if part and part.file else item.name
    entry = HandIn(
        wanted,
        pile.take(item, store, own),
        ids=(*(part.ids if part else ()), plain),
        late=part is not None and part.late,
        files=(item.name,) if part else (),
    )
    return entry, wanted, item.name if not part or not part.title else wanted


def _left_out(items: list[Item]) -> list[str]:
    """Say which files were not taken for a hand-in."""
    links = [export.link(item) for item in items if item.kind == "link"]
    special = [f"{item.name} is neither a file nor a folder: not graded" for item in items if item.kind == "special"]
    ours = [item.name for item in items if item.is_folder and not item.name.startswith((".", "__"))]
    files = [item for item in items if item.kind in ("file", "folder") and item.name not in ours]
    hidden = [item.name for item in files if item.name.startswith((".", "__"))]
    plain = [item.name for item in files if item.name not in hidden]
    said = [f"{name} holds results of an earlier run, or Python itself, and is no hand-in: left out" for name in ours]
    if export.METADATA in plain:
        said.append(f"{export.METADATA} was not read: what is beside it is not named as in Gradescope's exports")
    if plain:
        said.append(f"not hand-ins, so left out: {', '.join(clean(name, 60) for name in plain)}")
    if hidden:
        listed = ", ".join(clean(name, 60) for name in hidden)
        said.append(f"hidden by their names, so left out: {listed}; rename what is a hand-in")
    return links + special + said
