"""Find a Python and a NumPy for student code that another user of this machine can run and read."""

from __future__ import annotations

import importlib.util
import os
import shutil
import stat
import sys
from pathlib import Path

from autograder.core.errors import GraderFault


def interpreter(for_others: bool) -> tuple[str, str]:
    """Return the Python for workers, and advice when there is none that another user can run.

    It is the Python that runs the grader, without its virtual environment. If that is in a private home, root can start
    it but a worker's user cannot; then another Python of the same minor version is used.
    """
    own = os.path.realpath(sys.executable)
    if not for_others or (open_to_others(Path(own)) and open_to_others(Path(os.__file__))):
        return own, ""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (Path("/usr/bin") / name, Path("/usr/local/bin") / name):
        library = candidate.parent.parent / "lib" / name / "os.py"
        if open_to_others(candidate) and open_to_others(library):
            return str(candidate.resolve()), ""
    return own, f"other users cannot run {own}: install {name} for all users, for instance in /usr/bin"


def numpy_alone(directory: Path, for_others: bool) -> Path:
    """Fill `directory` with NumPy and nothing else: links to where it is installed, or copies if others cannot look."""
    spec = importlib.util.find_spec("numpy")
    if spec is None or spec.origin is None:
        raise GraderFault("NumPy is not installed beside the grader")
    installed = Path(spec.origin).parent.parent
    directory.mkdir()
    directory.chmod(0o755)  # whatever the umask
    for name in ("numpy", "numpy.libs"):
        if not (installed / name).is_dir():
            continue
        if for_others and not open_to_others(installed / name):
            shutil.copytree(installed / name, directory / name, ignore=shutil.ignore_patterns("tests"))
        else:
            (directory / name).symlink_to(installed / name)
    return directory


def open_to_others(path: Path) -> bool:
    """Whether any user may read `path` and reach it from the root."""
    try:
        path = path.resolve(strict=True)
        return bool(path.stat().st_mode & stat.S_IROTH) and all(
            parent.stat().st_mode & stat.S_IXOTH for parent in path.parents
        )
    except OSError:
        return False
