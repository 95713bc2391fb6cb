"""Recognises what staff want to grade: one submission, a class, or a platform's download. Nothing is guessed.

It looks in this order for the required file at the top (one submission), Gradescope's metadata (an export), names that
a platform gives (its download), and several hand-ins with a required file each (a class). If one folder holds
everything, it looks inside. If two of these fit, it refuses, with a sentence that says how to decide. So a student's
own zip never becomes a class with other people in it, whatever is in the zip.

This module does not know how a hand-in is read, or whose it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from autograder.core.errors import ConfigurationError
from autograder.core.text import clean
from autograder.intake import export, sniff
from autograder.intake.pile import Item, Pile
from autograder.intake.platforms import Platform, platform_of
from autograder.intake.variants import is_python

Asked = Literal["class", "one"]

_CODE = {".py", ".zip", ".ipynb", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".pyc", ".pyw"}
"""Suffixes of files that people hand in, also by mistake."""

_PLAIN_FILES = {"makefile", "license", "readme", "dockerfile"}
_INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_EXPORT_NAME = re.compile(r"assignment_\d+_export.*")
_SUBMISSION = re.compile(r"submission_\d+(?:\.zip)?")
_WRAPPERS = 6
"""The most folders around a class that hold nothing else."""

_PROJECT = frozenset(
    re.findall(
        r"\w+",
        """
        assignment attempt backup build code copy data demo dist docs draft edit ex exercise fast final finished fixed
        handin handout helper helpers hw homework improved lab lib main mine model module my naive new notebook
        notebooks old orig original part prob problem project q question reference release run sample scratch skeleton
        sol solution solutions source src start starter step stub submission submit submitted task template test testing
        tests tmp todo tool tools train try turnin util utils v ver version week wip work working
        """,
    )
)
"""Words that name a part of one student's work, and not a student."""


@dataclass(frozen=True)
class Decision:
    """What the download is.

    Attributes
    ----------
    kind : {'one', 'class', 'export'}
    pile : Pile
        Where the hand-ins lie.
    why : str
        The reason, in words and without names of students.
    platform : Platform or None
        The platform that it was downloaded from.
    """

    kind: Literal["one", "class", "export"]
    pile: Pile
    why: str
    platform: Platform | None = None


@dataclass(frozen=True)
class Question:
    """What to look for.

    Attributes
    ----------
    place : str
        The path that staff named.
    packed : bool
        Whether the path is a zip.
    required : str
        The file that every submission must hold.
    functions : collection of str
        The functions that a student's file defines. A ``.py`` file with half of them is a hand-in, whatever its name
        is.
    asked : {'class', 'one'} or None
        What staff said it is.
    """

    place: str
    packed: bool
    required: str
    functions: Collection[str] = ()
    asked: Asked | None = None

    def refusal(self, problem: str, remedy: str) -> ConfigurationError:
        """Return the error that says what is wrong with what staff named, and what to do."""
        return ConfigurationError("SUBMISSIONS", "", f"{clean(self.place, 300)} {problem}", remedy)

    def unclear(self, problem: str) -> ConfigurationError:
        """Return the error for a source that could be read in two ways."""
        remedy = "Say AS=class if each of them is another student's, AS=one if all of it is one submission"
        return self.refusal(problem, remedy)


def decide(pile: Pile, question: Question) -> Decision:
    """Recognise what is at `pile`, the top level of what staff named.

    Raises
    ------
    ConfigurationError
        If two answers fit, or nothing in it is a hand-in.
    """
    if question.asked == "one":
        return Decision("one", pile, "AS=one was said")
    deepest = pile
    for depth, (level, wrapper) in enumerate(_levels(pile)):
        if _has_required(level, question):
            if question.asked is None and (depth == 0 or question.packed):
                return Decision("one", pile, f"{question.required} is at its top")
            if depth:
                deepest = pile
                break  # a class of one hand-in, which is a folder
        found = _export(level, wrapper, question) or _download(level) or _several(level, question)
        if found is not None:
            return found
        deepest = level
    return _otherwise(pile, deepest, question)


def is_hand_in(item: Item, pile: Pile) -> bool:
    """Whether this is a hand-in, if `pile` is a class: a folder, or a file of a kind that people hand in."""
    if item.kind not in ("file", "folder") or item.name.startswith((".", "__")):
        return False
    if item.is_folder:
        ours_or_tools = {(".graded.jsonl",), ("pyvenv.cfg",)}  # results of an earlier run, a virtual environment
        return ours_or_tools.isdisjoint(item.inside)
    name = item.name.strip().strip(_INVISIBLE).strip().lower()
    suffix = PurePath(name).suffix
    if suffix in _CODE or name.endswith(".py.txt"):
        return True
    if suffix or name in _PLAIN_FILES:
        return False
    start = pile.start(item)
    return sniff.is_zip(start) or bool(re.search(rb"^\s*(?:def|import|from) ", start, re.M))


def _levels(pile: Pile) -> Iterator[tuple[Pile, str]]:
    """Yield the top level, then each level below as long as it is a single folder; with the folder's name."""
    wrapper = ""
    for _ in range(_WRAPPERS):
        yield pile, wrapper
        items = [item for item in pile.items if is_hand_in(item, pile) or item.name == export.METADATA]
        if len(items) != 1 or not items[0].is_folder:
            return
        pile, wrapper = pile.enter(items[0]), items[0].name


def _has_required(level: Pile, question: Question) -> bool:
    """Whether this is one submission, since the required file is at its top."""
    if not any(item.kind == "file" and item.name == question.required for item in level.items):
        return False
    rivals = [item.name for item in level.items if _is_zip(item) and _names(level.start(item, 1 << 16), question)]
    platform = platform_of([(item.name, item.is_folder) for item in level.items], lambda name: False)
    if question.asked is None and (len(rivals) > 1 or platform is not None):
        others = "files named as a platform names them" if platform else f"zips with one each ({_listed(rivals)})"
        raise question.unclear(f"holds {question.required} and beside it {others}")
    return True


def _names(start: bytes, question: Question) -> bool:
    return question.required.encode() in start


def _is_zip(item: Item) -> bool:
    return item.kind == "file" and item.name.strip().lower().endswith(".zip")


def _export(level: Pile, wrapper: str, question: Question) -> Decision | None:
    """Recognise Gradescope's export: its metadata, and folders named as they are there."""
    metadata = next((item for item in level.items if item.name == export.METADATA and item.kind == "file"), None)
    submissions = [
        item for item in level.items if _SUBMISSION.fullmatch(item.name) and item.kind in ("file", "folder", "link")
    ]
    if metadata is None:
        return None
    others = [item.name for item in level.items if is_hand_in(item, level) and item not in submissions]
    if not submissions and not others:
        raise question.refusal(f"holds {export.METADATA} and no submissions", "Download it again")
    listed = export.metadata(level.start(metadata, export.METADATA_BYTES)) if submissions else {}
    if not submissions or not all(map(_SUBMISSION.fullmatch, listed)):
        return None
    if question.asked is None and others:
        problem = f"holds {export.METADATA}, and beside it what no export of Gradescope holds: {_listed(others)}"
        raise question.refusal(problem, f"Move these elsewhere, or remove {export.METADATA}")
    if question.asked is None and wrapper and not _EXPORT_NAME.fullmatch(wrapper):
        if len(submissions) == 1:
            return None
        raise question.unclear(
            f"holds {export.METADATA}, but in a folder that Gradescope would not name {clean(wrapper)}"
        )
    if (
        question.asked is None
        and question.packed
        and len(submissions) == 1
        and not _EXPORT_NAME.match(PurePath(question.place).name)
    ):
        return Decision("one", level, f"its {export.METADATA} may be the student's own, so it is not read")
    return Decision("export", level, f"{export.METADATA} is at its top")


def _download(level: Pile) -> Decision | None:
    """Recognise a platform by the names it gives."""
    items = {item.name: item for item in level.items if item.kind in ("file", "folder") and item.name[:1] != "."}
    names = [(name, item.is_folder) for name, item in items.items()]
    platform = platform_of(names, lambda name: is_hand_in(items[name], level))
    return Decision("class", level, f"named {platform.pattern}", platform) if platform else None


def _several(level: Pile, question: Question) -> Decision | None:
    """Recognise a class by several hand-ins with a required file each; None if there are none or only one."""
    hand_ins = [item for item in level.items if is_hand_in(item, level)]
    classes = [item.name for item in hand_ins if _looks_like_class(item, question)]
    if question.asked is None and 1 < len(hand_ins) <= 2 * len(classes):  # also a class beside its zip
        raise question.unclear(f"holds classes: {_listed(classes)}. Give one of them at a time")
    own = [item for item in hand_ins if _is_whole(item, level, question)]
    if len(own) < 2:
        return None
    names = _listed([item.name for item in own])
    parts = [item for item in own if _names_a_part(item, question)]
    if question.asked == "class":
        return Decision("class", level, f"AS=class was said; {_kinds(hand_ins)}")
    if len(parts) == len(own):
        return Decision("one", level, f"the names of its {_kinds(own)} are those of parts of one project")
    if 2 * len(parts) >= len(own):
        raise question.unclear(f"may be a class or one project: {names}")
    if question.packed and len(own) == len(hand_ins) == 2 and all(item.is_folder for item in own):
        raise question.unclear(f"holds two folders with {question.required} in each: {names}")
    return Decision("class", level, f"{_kinds(hand_ins)}, each a submission of its own")


def _looks_like_class(item: Item, question: Question) -> bool:
    """Whether a folder is a class itself, by the names in it. Among several items it is still a hand-in."""
    names = {(parts[0], len(parts) > 1) for parts in item.inside}
    files = {name.lower() for name, is_folder in names if not is_folder}
    if not item.is_folder or question.required.lower() in files:
        return False
    zips = [name for name in files if name.endswith(".zip")]
    own = {parts[0] for parts in item.inside if len(parts) > 1 and parts[-1].lower() == question.required.lower()}
    people = [name for name in own if not _names_a_part(Item(name, "folder"), question)]
    people += [name for name in files if is_python(name) and not _names_a_part(Item(name, "file"), question)]
    platform = platform_of(sorted(names), lambda name: True)
    return len(zips) > 1 or len(people) > 1 or export.METADATA in files or platform is not None


def _is_whole(item: Item, level: Pile, question: Question) -> bool:
    """Whether this is a submission, by its content."""
    if item.is_folder:
        last = [parts[-1].lower() for parts in item.inside]
        return question.required.lower() in last or any(name.endswith(".zip") for name in last)
    if _is_zip(item):
        return True
    start = level.start(item)
    if sniff.is_zip(start):
        return True
    if not is_python(item.name.removesuffix(".txt")):
        return False
    words = set(re.findall(rb"^[ \t]*(?:async[ \t]+)?def[ \t]+(\w+)", start.replace(b"\0", b""), re.M))
    wanted = {function.encode() for function in question.functions}
    return not wanted or 2 * len(words & wanted) >= len(wanted)


def _names_a_part(item: Item, question: Question) -> bool:
    """Whether this is the name of a part of a project (``starter``, ``hw3_final``) and not of a student."""
    stem = item.name if item.is_folder else item.name.partition(".")[0]
    words = re.findall(r"[^\W\d_]+\d*[^\W\d_]+|[^\W\d_]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", stem))
    asked_for = {PurePath(question.required).stem.lower(), *"_".join(question.functions).lower().split("_")}
    known = _PROJECT | asked_for | {re.sub(r"\d.*", "", word) for word in asked_for}
    return bool(words) and all(word.lower() in known or re.sub(r"\d+", "", word.lower()) in known for word in words)


def _otherwise(pile: Pile, deepest: Pile, question: Question) -> Decision:
    """Decide if at most one hand-in is complete: a zip is one submission; a folder that staff made is a class."""
    loose = [item for item in deepest.items if is_hand_in(item, deepest) and _holds_python(item)]
    if question.asked == "class" and len(loose) > 1:
        pile = deepest
    hand_ins = [item for item in pile.items if is_hand_in(item, pile)]
    several = len(loose) > 1 and not all(_names_a_part(item, question) for item in loose)
    if several and question.asked is None and (question.packed or deepest is not pile):
        names = _listed([item.name for item in loose])
        what = "folders with Python in them" if any(item.is_folder for item in loose) else "files of Python"
        raise question.unclear(f"holds no {question.required}, but several {what}: {names}")
    if question.asked is None and question.packed:
        return Decision("one", pile, "no two hand-ins in it")
    if not hand_ins:
        found = f": {_listed([item.name for item in pile.items])}" if pile.items else ""
        problem = f"holds no hand-in{found}" if found else "is empty"
        raise question.refusal(problem, "Give a file or a folder of submissions")
    if question.asked is None and all(_names_a_part(item, question) for item in hand_ins):
        return Decision("one", pile, "the names in it are those of parts of one project")
    return Decision("class", pile, f"{'AS=class was said; ' * (question.asked == 'class')}{_kinds(hand_ins)}")


def _holds_python(item: Item) -> bool:
    return any(is_python(parts[-1]) for parts in item.inside) if item.is_folder else is_python(item.name)


def _kinds(items: Sequence[Item]) -> str:
    """Return how many there are of each kind, in words: ``2 folders, 1 zip``."""
    count: dict[str, int] = {}
    for item in items:
        suffix = PurePath(item.name.strip().lower()).suffix
        kind = (
            "folder"
            if item.is_folder
            else "zip"
            if suffix == ".zip"
            else ".py file"
            if suffix == ".py"
            else "other file"
        )
        count[kind] = count.get(kind, 0) + 1
    return ", ".join(f"{number} {kind}{'s' * (number > 1)}" for kind, number in count.items())


def _listed(names: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(clean(name, 60) for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
