"""Packs the zip for Gradescope: the engine, the tests with what they need, and nothing else.

Only listed files are packed. Before that, configuration, tests, fixtures and model answer have to fit together, and the
unpacked content has to give the model answer all points.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from autograder.core import config as configuration
from autograder.core import files, homework
from autograder.core.config import Config
from autograder.core.errors import ConfigurationError
from autograder.grading import casefile

SCRIPTS = ("setup.sh", "run_autograder")
REQUIREMENTS = ("requirements/grading.txt", "requirements/python.sh")


@dataclass(frozen=True)
class Packed:
    """What was packed."""

    size: int
    count: int
    points: float
    minutes: float
    late: bool

    def instructions(self, archive: Path) -> str:
        """Say what to enter on Gradescope."""
        lines = [
            f"wrote {archive}: {self.count} files, {self.size / 1024:.0f} KB. On Gradescope:",
            f"  Autograder points        {self.points:g}",
            "  Configure Autograder     Zip file upload: this file; base image Ubuntu, 22.04",
            f"  Settings                 container timeout {self.minutes:g} minutes; the smallest container will do",
        ]
        if self.late:
            lines.append("  Allow late submissions   yes: config.yaml says what being late costs")
        return "\n".join([*lines, "docs/gradescope.md has every step."])


def pack(config_path: Path, archive: Path) -> Packed:
    """Write the zip: the same bytes for the same files, at any time and on every machine.

    Parameters
    ----------
    config_path : Path
        The homework's config.yaml; all files of the homework are below its folder.
    archive : Path
        The zip to write; its folder is made.

    Raises
    ------
    ConfigurationError
        If the homework's parts do not fit together, are in another folder, or need a file that is not packed to grade
        the model answer.
    """
    settings = configuration.load(config_path)
    for part in settings.whole:
        casefile.load(part.homework.fixtures)  # every file is as the manifest recorded it
        casefile.refuse_out_of_date(part)
    content = dict(sorted(contents(config_path, settings).items()))
    with tempfile.TemporaryDirectory(prefix="bundle-") as scratch:
        root = _unpacked(content, Path(scratch).resolve())
        _refuse_elsewhere(config_path, root)
        _refuse_wrong(config_path, root)
    packed = files.zipped(content, executable=SCRIPTS)
    files.make_folder_of(archive)
    files.replace(archive, packed)
    return Packed(
        len(packed),
        len(content),
        float(settings.total_points),
        settings.limits.platform_minutes,
        settings.late is not None,
    )


def contents(config_path: Path, settings: Config) -> dict[str, bytes]:
    """Return the files to pack, by their names in the zip."""
    root = config_path.resolve().parent
    found = {name: (Path(__file__).parent / name).read_bytes() for name in SCRIPTS}
    found |= {name: (files.PROJECT / name).read_bytes() for name in REQUIREMENTS}
    # The whole engine is packed: it is small, and staff who log in to a container there have every command.
    for path in _visible(files.ENGINE, files.ENGINE.rglob("*.py")):
        if path.parent != Path(__file__).parent:
            found[f"autograder/{path.relative_to(files.ENGINE).as_posix()}"] = path.read_bytes()
    needed = [homework.with_imports(_needed(part), part.homework.root.resolve()) for part in settings.whole]
    for path in itertools.chain.from_iterable(needed):
        if not path.resolve().is_relative_to(root):
            problem = f"{path} lies outside of {root}"
            raise ConfigurationError(config_path.name, "homework", problem, "Move it below the folder of this file.")
        name = "config.yaml" if path == config_path.resolve() else path.resolve().relative_to(root).as_posix()
        found[name] = path.read_bytes()
    return found


def _needed(part: Config) -> list[Path]:
    """Return the files of one part of the homework, without what these import."""
    home = part.homework
    paths = [part.path.resolve(), home.solution, home.oracle, home.cases]
    if home.misconceptions is not None:
        paths += homework.files_of(home.misconceptions)
    for folder in (home.public_tests, home.hidden_tests):
        paths += _visible(folder, folder.glob("*.py"))
    return paths + [home.fixtures / name for name in (casefile.MANIFEST, *casefile.manifest(home.fixtures)["files"])]


def _visible(folder: Path, paths: Iterable[Path]) -> list[Path]:
    """Leave out files whose names begin with a dot: editors and macOS put these beside others."""
    return [path for path in sorted(paths) if not any(part.startswith(".") for part in path.relative_to(folder).parts)]


def _unpacked(content: dict[str, bytes], root: Path) -> Path:
    for name, data in content.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def _refuse_elsewhere(config_path: Path, root: Path) -> None:
    """Raise if the configuration would not find all files in the zip, for example because of an absolute path."""
    for part in configuration.load(root / "config.yaml").whole:
        file = config_path.name if part.path == root / "config.yaml" else part.file
        for key, path in part.homework:
            if isinstance(path, Path) and not path.resolve().is_relative_to(root):
                problem = f"leads out of the folder of {file}"
                raise ConfigurationError(file, f"homework.{key}", problem, "Write the path relative to that file.")


def _refuse_wrong(config_path: Path, root: Path) -> None:
    """Raise if the unpacked zip, engine included, does not give the model answer all points."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    # setup.sh does the same: an error costs seconds here, but a build there
    command = [sys.executable, "-m", "autograder", "self-check"]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        problem = f"what would be packed does not grade rightly: {(done.stdout + done.stderr).strip()}"
        remedy = "Where it grades rightly unpacked, a test needs a file that is neither Python beside it nor imported"
        raise ConfigurationError(config_path.name, "", problem, f"{remedy}: put it into the test, or into a fixture.")
