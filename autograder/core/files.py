"""Where the engine is, and writing files so that nobody ever sees half of one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

ENGINE = Path(__file__).resolve().parents[1]
"""The folder of the engine's code."""


def replace(path: Path, content: bytes) -> None:
    """Write beside `path`, then rename: no reader, and no power cut, sees half a file. Only the owner may read it.

    Raises
    ------
    OSError
        If that is not possible. What stood there before still does.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
