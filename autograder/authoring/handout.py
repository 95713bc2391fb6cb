"""Makes everything that a student downloads, compares it with what is there, and packs it.

The sources are beside the model answer, each of them optional: the files in ``handout/``, with ``{{ placeholders }}``
in those for reading; ``pictures.py``, whose ``draw()`` returns the text of each picture by name; and one notebook in
percent format. Points, limits and versions come from config.yaml and the engine's locks, so that the handout cannot
contradict the grader.

The folder is replaced only after all of it was made and proved. This module does not know what the homework is about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path

from autograder.authoring import notebook, starter
from autograder.core import config, homework
from autograder.core.config import Config
from autograder.core.errors import ConfigurationError
from autograder.core.files import A_DAY, PROJECT, make_folder_of, replace, replace_all, zipped
from autograder.core.sections import TestSettings
from autograder.core.tables import number

PLACEHOLDER = re.compile(r"\{\{ *([\w.]+) *\}\}")
NUMPY = r"^numpy==([\d.]+)(?: *\\$| ; python_full_version <)"
"""The version of a package in a lock; if there are several, the one for older Pythons, as on Gradescope."""
PICTURES = "pictures"
README = "README.md"
FILLED_IN = {".md", ".txt"}
"""Endings of the files in ``handout/`` whose placeholders are filled in; others are handed out as they are."""
LEFTOVERS = re.compile(r"\.|__pycache__$|.*~$|Thumbs\.db$|desktop\.ini$", re.IGNORECASE)
"""Names of files that editors, file managers and trial runs leave in the handout's folder; they are no part of it."""

TOLD = {
    "values": "what came out and what should have",
    "hint": "what is wrong and where, without values",
    "verdict": "that it failed",
}
SHOWN = {
    "visible": "",
    "hidden": "not shown",
    "after_due_date": "shown after the due date",
    "after_published": "shown with the grades",
}


def write(config_path: Path, folder: Path) -> list[Path]:
    """Make the whole handout and put it in its place.

    A notebook that is up to date is kept: a new one needs otter and takes half a minute.

    Parameters
    ----------
    config_path : Path
        ``config.yaml``.
    folder : Path
        Where the handout goes; made if it is missing.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    ConfigurationError
        If a part cannot be made or proved. The folder is then unchanged.
    """
    settings = config.load(config_path)
    files = _make(settings)
    for name, source in _notebooks(settings).items():
        if _is_current(folder, name, files, settings):
            files[name] = (folder / name).read_bytes()
        else:
            files[name] = notebook.make_notebook(source, _questions(settings), _beside(settings)).encode("utf-8")
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    replace_all({folder / name: content for name, content in files.items()}, mode=0o644)
    return [folder / name for name in files]


def needs_otter(config_path: Path, folder: Path) -> bool:
    """Whether the notebook has to be made anew."""
    settings = config.load(config_path)
    return any(not _is_current(folder, name, {}, settings) for name in _notebooks(settings))


def stale(config_path: Path, folder: Path) -> list[str]:
    """Return the names of files that are missing, out of date, changed by hand, or unknown.

    This works without otter: all files but the notebook are made anew and compared. The notebook itself says what it
    was made from.
    """
    settings = config.load(config_path)
    files = _make(settings)
    names = {*files, *_notebooks(settings), *_present(folder)}
    return sorted(name for name in names if not _is_current(folder, name, files, settings))


def disagreement(config_path: Path, folder: Path) -> ConfigurationError | None:
    """Say what is wrong with the folder and what to do about it; None if it is up to date."""
    wrong = stale(config_path, folder)
    if not wrong:
        return None
    settings = config.load(config_path)
    made = {*_make(settings), *_notebooks(settings)}
    strange = [name for name in wrong if name not in made]
    if len(strange) < len(wrong):
        problem = f"not what its sources make: {', '.join(name for name in wrong if name in made)}"
        return ConfigurationError(folder.name, "", problem, "Run `make assignment` first")
    problem = f"holds what is no part of the handout: {', '.join(strange)}"
    sources = settings.homework.solution.parent / "handout"
    remedy = (
        f"Move it out of {folder.name}/; if students should get it, put it into {sources}/ and run `make assignment`"
    )
    return ConfigurationError(folder.name, "", problem, remedy)


def pack(config_path: Path, folder: Path, archive: Path) -> Path:
    """Write the zip that students download: the same bytes for the same files, at any time and on every machine.

    Raises
    ------
    ConfigurationError
        If the handout is not up to date.
    """
    wrong = disagreement(config_path, folder)
    if wrong is not None:
        raise wrong
    make_folder_of(archive)
    contents = {f"{archive.stem}/{name}": (folder / name).read_bytes() for name in sorted(_present(folder))}
    replace(archive, zipped(contents, date=A_DAY), mode=0o644)
    return archive


# --- The files -------------------------------------------------------------------------------------------------------


def _make(settings: Config) -> dict[str, bytes]:
    """Return all files but the notebook, by name; names are relative to the handout's folder, with ``/``."""
    made = _own_files(settings, starter.HANDED_OUT_TESTS)
    for part in settings.whole[1:]:
        module = part.homework.module
        for name, content in _own_files(part, _tests_of(part)).items():
            name = f"{module}.md" if name == README else name
            if made.setdefault(name, content) != content:
                problem = f"the handout has {name} already, with other content"
                raise ConfigurationError(part.file, "", problem, "Give the file of this part another name")
    return made


def _own_files(settings: Config, tests_file: str) -> dict[str, bytes]:
    """Return the files of one part of the homework; its tests get this name."""
    home = settings.homework
    source, tests = starter.make_starter(home.solution, home.public_tests, home.module, tests_file, settings.left_out)
    files = {home.required_file: source, tests_file: tests}
    ready: dict[str, bytes] = {}
    templates = _templates(settings)
    values = _values(settings, tests_file) if templates else {}
    for path in templates:
        if path.suffix in FILLED_IN:
            files[path.name] = fill(path.read_text(encoding="utf-8"), values, str(path))
        else:
            ready[path.name] = path.read_bytes()
    drawing = home.solution.parent / "pictures.py"
    if drawing.is_file():
        with homework.loaded(drawing) as module:
            files |= {f"{PICTURES}/{name}": text for name, text in module.draw().items()}
    return ready | {name: text.encode("utf-8") for name, text in files.items()}


def _templates(settings: Config) -> list[Path]:
    folder = settings.homework.solution.parent / "handout"
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in paths if not LEFTOVERS.match(path.name)]


def _beside(settings: Config) -> list[Path]:
    """Return what is beside the notebook while it is proved: the model answer, and what students get ready-made."""
    return [settings.homework.solution, *(path for path in _templates(settings) if path.suffix not in FILLED_IN)]


def fill(template: str, values: Mapping[str, str], file: str) -> str:
    """Fill the placeholders of a template.

    Raises
    ------
    ConfigurationError
        If a placeholder has no value.
    """
    unknown = [name for name in PLACEHOLDER.findall(template) if name not in values]
    if unknown:
        remedy = f"There are: {', '.join(values)}"
        raise ConfigurationError(file, f"{{{{ {unknown[0]} }}}}", "is no placeholder", remedy)
    return PLACEHOLDER.sub(lambda match: values[match[1]], template)


def _values(settings: Config, tests_file: str) -> dict[str, str]:
    root = PROJECT
    return {
        "title": settings.title,
        "points": points(settings, tests_file),
        "parts": parts(settings),
        "speed": speed(settings),
        "follow_through": _FOLLOW_THROUGH[settings.follow_through],
        "python": _version(root / "pyproject.toml", r'requires-python = ">=([\d.]+)'),
        "python.newest": _newest_python(root / "pyproject.toml"),
        "numpy": _version(root / "requirements" / "grading.txt", NUMPY),
        "numpy.pins": _numpy_pins(root / "requirements" / "grading.txt"),
        **{f"tolerances.{key}": f"{value:g}" for key, value in settings.tolerances.model_dump().items()},
        **{f"limits.{key}": f"{value:g}" for key, value in settings.limits.model_dump().items()},
    }


def _version(path: Path, pattern: str) -> str:
    found = re.search(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise ConfigurationError(str(path), "", f"names no version: nothing matches {pattern}", "Run `make lock`")
    return found[1]


def _newest_python(pyproject: Path) -> str:
    """Return the newest supported Python: `requires-python` names the first unsupported one."""
    major, minor = _version(pyproject, r'requires-python = "[^"]*<(\d+\.\d+)').split(".")
    return f"{major}.{int(minor) - 1}"


def _numpy_pins(lock: Path) -> str:
    """Return the lines of NumPy in the lock, one for every range of Python versions."""
    _version(lock, NUMPY)  # or the reason why NumPy is missing
    return "\n".join(re.findall(r"^(numpy==[^\\\n]+?) *\\?$", lock.read_text(encoding="utf-8"), re.MULTILINE))


def _notebooks(settings: Config) -> dict[str, Path]:
    """Return the source of the notebook by the notebook's name; nothing where there is none."""
    folder = settings.homework.solution.parent
    sources = [path for path in sorted(folder.glob("*.py")) if notebook.is_source(path)]
    if len(sources) > 1:
        names = ", ".join(path.name for path in sources)
        raise ConfigurationError(
            str(folder), "", f"should hold one notebook in percent format, found {names}", "Keep one"
        )
    return {f"{source.stem}.ipynb": source for source in sources}


def _questions(settings: Config) -> dict[str, dict[str, str]]:
    """Return the public tests by the function they are about, in the order of config.yaml."""
    sources = starter.sources_of_tests(settings.homework.public_tests)
    questions: dict[str, dict[str, str]] = {}
    for name in settings.tests:
        if name in sources:
            questions.setdefault(settings.subject(name) or name, {})[name] = sources[name]
    return questions


# --- What config.yaml says, for students -----------------------------------------------------------------------------


def points(settings: Config, tests_file: str = starter.HANDED_OUT_TESTS) -> str:
    """Return the section of the handout that says what every test is worth, in Markdown."""
    public = starter.sources_of_tests(settings.homework.public_tests)
    hidden = starter.sources_of_tests(settings.homework.hidden_tests)
    titles = {name: _title(source) for name, source in (public | hidden).items()}
    own = [name for name in settings.tests if name in public]
    timed = settings.speed_tests
    own_tests = f"the checks of the notebook, or `{tests_file}`" if _notebooks(settings) else f"`{tests_file}`"
    head = (
        f"{number(settings.own_points)} points in {len(settings.tests)} tests. {len(own)} of them, worth "
        f"{number(_sum(settings, own))} points, are in your hands: {own_tests}. "
        "The others stay hidden. A test with several cases gives each of them an equal share."
    )
    by_function: dict[str, list[str]] = {}
    for name in settings.tests:
        by_function.setdefault(settings.subject(name) or "other", []).append(name)
    summary = _table(
        ["function", "points", "of these in the handout"],
        [
            [f"`{function}`", number(_sum(settings, names)), number(_sum(settings, [n for n in names if n in public]))]
            for function, names in by_function.items()
        ],
    )
    every = _table(
        ["test", "points", "what it checks", "when it fails, you are told"],
        [
            [f"`{name}`", number(test.points), titles[name], _told(test, name in public, name in timed)]
            for name, test in settings.tests.items()
        ],
    )
    details = f"<details>\n<summary>Every test, and what it is worth</summary>\n\n{every}\n\n</details>\n"
    return f"{head}\n\n{summary}\n\n{details}"


def parts(settings: Config) -> str:
    """Return the section of the handout about the other parts of the homework, in Markdown; empty if there are none."""
    sections = []
    for place, part in enumerate(settings.whole[1:], start=2):
        home, worth = part.homework, number(part.own_points)
        how = f"{worth} of these points" if part in settings.within else f"up to {worth} points on top"
        without = (
            "Without it, these points are missing." if part in settings.within else "Without it, nothing else changes."
        )
        explained = f"[{home.module}.md]({home.module}.md) explains it. " if _has_readme(part) else ""
        sections.append(
            f"### Part {place}\n\n`{home.required_file}` is another part of the homework, for {how}. {explained}"
            f"Hand it in beside `{settings.homework.required_file}`; its tests are in `{_tests_of(part)}`. {without}\n"
        )
    return "".join(f"\n{section}" for section in sections)


def _tests_of(part: Config) -> str:
    return f"test_{part.homework.module}.py"


def _has_readme(part: Config) -> bool:
    return any(path.name == README for path in _templates(part))


_AGAIN = (
    "When a function fails because of an earlier one, its tests are run again with a right earlier function in its\n"
    "place, but for those of speed. What passes then "
)
_FOLLOW_THROUGH = {
    "credit": f"{_AGAIN}gets its points, so that one mistake costs its points once.",
    "explain": f"{_AGAIN}gets no points, but you are told which function to repair.",
    "off": "",
}
"""What the handout says about ``follow_through`` in config.yaml."""


def speed(settings: Config) -> str:
    """Return the section on how speed is judged, in Markdown; empty if there is no speed test."""
    timed, bounds = settings.speed_tests, settings.speed
    if not timed:
        return ""
    over = bounds.over
    fine = f"Loops over {bounds.fine_loops} are fine. " if bounds.fine_loops else ""
    return (
        f"### Speed\n\n{number(_sum(settings, timed))} points are for speed. Your function and a "
        "plain, vectorised NumPy answer take turns, on the same machine and the same inputs, each on one processor. "
        "What is compared is processor time, so a slow or busy machine costs you nothing.\n\n"
        f"- Up to {bounds.full_ratio:g} times that answer's time you get all points.\n"
        f"- Up to {bounds.none_ratio:g} times you get all points if your code has no loop over {over}. The grader "
        f"counts the Python steps that your function takes: their number must not grow with the number of {over}. "
        f"{fine}`np.vectorize`, `map` and list comprehensions over {over} are loops.\n"
        f"- Beyond {bounds.none_ratio:g} times you get none.\n\n"
        "Results that are fast and wrong earn nothing, so make it right first.\n"
    )


def _sum(settings: Config, names: Iterable[str]) -> Fraction:
    return sum((settings.tests[name].points for name in names), Fraction(0))


def _title(source: str) -> str:
    """Return what a test's docstring says it checks, without the function's name and the full stop."""
    found = re.search(r'"""(?:\w+: )?(.*?)\.?(?:"""|$)', source, re.MULTILINE)
    return re.sub(r"([\\*_|<>`\[\]])", r"\\\1", found[1]) if found else ""


def _told(test: TestSettings, is_public: bool, is_timed: bool) -> str:
    told = "whether it is fast enough" if is_timed else TOLD[test.feedback]
    said = [told, SHOWN[test.visibility], "in the handout" if is_public else ""]
    return "; ".join(filter(None, said))


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


# --- The folder ------------------------------------------------------------------------------------------------------


def _present(folder: Path) -> list[str]:
    paths = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    return [path.as_posix() for path in paths if not any(LEFTOVERS.match(part) for part in path.parts)]


def _is_current(folder: Path, name: str, files: Mapping[str, bytes], settings: Config) -> bool:
    try:
        content = (folder / name).read_bytes()
    except OSError:
        return False
    if (source := _notebooks(settings).get(name)) is not None:
        return notebook.is_current(content, source, _questions(settings), _beside(settings))
    return files.get(name) == content
