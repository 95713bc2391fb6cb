"""Where the engine is, and how files are written so that nobody ever sees half of one."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
import tempfile
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path

from autograder.core.errors import ConfigurationError

ENGINE = Path(__file__).resolve().parents[1]
"""The folder of the engine's code."""
_INSTALLED = ENGINE / "project"
PROJECT = _INSTALLED if _INSTALLED.is_dir() else ENGINE.parent
"""Where ``pyproject.toml`` and ``requirements/`` are: in the checkout, or where ``pip install`` puts a copy of them."""

_REMEDIES = {
    errno.ENOSPC: "Make room on this disk",
    errno.EDQUOT: "Make room: your quota is used up",
    errno.EROFS: "Use a disk that can be written to",
    errno.EIO: "Use another disk: this one reports errors",
    errno.EMFILE: "Allow more open files: ulimit -n 4096",
    errno.ENFILE: "End other programs: this machine has too many files open",
    errno.ENAMETOOLONG: "Give it a shorter name",
}


def replace(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write beside `path`, then rename: no reader, and no power cut, sees half a file.

    Raises
    ------
    OSError
        If that is not possible. The old file is then unchanged.
    """
    replace_all({path: content}, mode)


def replace_all(contents: Mapping[Path, bytes], mode: int = 0o600) -> None:
    """Write all files under temporary names first, then rename each; see `replace`."""
    fresh: dict[str, Path] = {}
    try:
        for path, content in contents.items():
            _refuse_device(path)
            descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}-")
            fresh[temporary] = path
            try:
                os.fchmod(descriptor, mode)
                write_all(descriptor, content)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        for temporary, path in list(fresh.items()):
            os.replace(temporary, path)
            del fresh[temporary]
    except OSError as error:
        error.filename, error.filename2 = str(path), None  # nobody else knows the temporary name
        raise
    finally:
        for temporary in fresh:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def _refuse_device(path: Path) -> None:
    """Refuse to put a file in the place of ``/dev/null`` and the like, which root could."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return
    if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, "Not a file, but a device or a pipe", str(path))


A_DAY = (2026, 1, 1, 12, 0, 0)
"""Date of the files in a zip that people unpack. Any day would do but the first one that a zip can hold, in 1980: it
looks like a broken clock, and further west it is a day of 1979, with which `zipfile` refuses to pack the file again."""


def zipped(
    contents: Mapping[str, bytes],
    mode: int = 0o100644,
    executable: Collection[str] = (),
    compression: int = zipfile.ZIP_STORED,
    date: tuple[int, int, int, int, int, int] = (1980, 1, 1, 0, 0, 0),
) -> bytes:
    """Return a zip: the same bytes for the same files in the same order, on every machine and at any time.

    The files are not compressed, because the result of deflate depends on the version of zlib.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as packed:
        for name, content in contents.items():
            entry = zipfile.ZipInfo(name, date)
            entry.create_system, entry.external_attr = 3, (0o100755 if name in executable else mode) << 16
            packed.writestr(entry, content, compression)
    return buffer.getvalue()


def make_folder_of(path: Path) -> None:
    """Make the folder that a file is to be written to.

    Raises
    ------
    ConfigurationError
        If the folder cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        problem = f"cannot be written: {path.parent} is not a folder"
        raise ConfigurationError(str(path), "", problem, "Move it away, or give it another name") from None
    except OSError as error:
        problem = f"cannot be written: {described(error)}"
        raise ConfigurationError(str(path), "", problem, remedy(error) or "Make that folder writable") from None


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of `content`, in several steps if need be: the system may take less than all at once."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def remedy(error: OSError) -> str:
    """Return what to do about an error of the operating system; empty if there is no advice for it."""
    return _REMEDIES.get(error.errno or 0, "")


def described(error: OSError) -> str:
    """Return in one line what the system refused, and for which file."""
    reason = error.strerror or str(error) or type(error).__name__
    places = [os.fsdecode(name) for name in (error.filename, error.filename2) if isinstance(name, (str, bytes))]
    return f"{' -> '.join(places)}: {reason}" if places else reason
