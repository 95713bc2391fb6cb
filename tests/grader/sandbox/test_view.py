"""A worker sees Python, NumPy and its own files, and no sign of any other file or process."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from autograder.core.errors import Raised
from autograder.grading.proxy import Proxy
from autograder.sandbox.worker import view

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's")

LOOK = """
import os

def double(x):
    raise ValueError(" ".join([*(path for path in PATHS if os.path.lexists(path)), "and no more"]))
"""
READ = """
import os

def double(x):
    path = os.path.join(os.path.dirname(__file__), "notes.py")
    with open(path) as file:
        file.read()
    return int(os.stat(path).st_atime)
"""


@pytest.fixture
def view_of(submit):
    """Hand in a source and a file of notes; return its functions, and where these files are."""

    def view_of(source):
        session = submit(source, {"notes.py": "x = 1"})
        if session.isolation["view"] != "on":
            pytest.skip(session.isolation["view"])
        return Proxy(session), session.directory

    return view_of


@pytest.fixture
def seen(view_of):
    """Return those of some paths that exist for a worker."""

    def seen(paths):
        student, _ = view_of(LOOK.replace("PATHS", repr([str(path) for path in paths])))
        with pytest.raises(Raised) as raised:
            student.double(1)
        student.close()
        return raised.value.message.partition("ValueError: ")[2].partition("and no more")[0].split()

    return seen


def test_other_files_and_processes_do_not_exist(seen, tmp_path):
    tmp_path.chmod(0o755)
    ours = [tmp_path, Path(view.__file__), Path(str(np.__file__))]
    if not Path(sys.base_prefix).is_relative_to(Path.home()):  # or the home has to be there, with Python in it
        ours.append(Path.home())
    assert seen([*ours, "/etc/passwd", "/usr/bin", "/proc", f"/proc/{os.getpid()}"]) == []


def test_what_it_needs_is_there(seen):
    needed = ["/dev/null", "/dev/urandom", os.__file__]
    assert seen(needed) == needed


def test_reading_leaves_no_mark(view_of):
    student, directory = view_of(READ)
    os.utime(directory / "notes.py", (1, 2))  # whoever reads it next is noted
    assert student.double(1) == 1
    student.close()


def test_where_it_cannot_be_had_nothing_changes():
    trial = (
        "import sys; sys.path.insert(0, sys.argv[1]); import os, view\n"
        "view._SET_ATTRIBUTES = 10**6\n"  # as on a kernel before 5.12
        "root = sys.argv[2]; before = os.listdir('/')\n"
        "try:\n    view.narrow(root, {'/dev': '/dev'})\n"
        "except OSError as error:\n    print(error.strerror, os.listdir(root), os.listdir('/') == before)\n"
    )
    with tempfile.TemporaryDirectory() as root:
        command = [sys.executable, "-c", trial, str(Path(view.__file__).parent), root]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    said = ran.stdout.strip()
    assert said.endswith("[] True"), ran.stderr
    assert said.startswith(
        ("Function not implemented", "Operation not permitted", "Permission denied", "Invalid argument")
    )
