"""No memory of a worker's becomes executable, and honest code does not notice: all that it can import, it can."""

import subprocess
import sys

import pytest

from autograder.core.errors import Raised
from autograder.grading.proxy import Proxy

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the filter is Linux's")

NOT_FOR_WORKERS = {"antigravity", "this", "idlelib", "__main__", "lib2to3"}
"""Modules that open a browser, print, or are the program itself."""
IMPORT_ALL = """
import importlib, sys, warnings
warnings.simplefilter("ignore")
failed = []
for name in {names!r}:
    try:
        importlib.import_module(name)
    except BaseException as error:
        failed.append(name)
"""
NAMES = sorted(
    name
    for name in sys.stdlib_module_names - NOT_FOR_WORKERS
    if not name.startswith(("_test", "_xx", "xx", "_pyrepl")) and "win" not in name
)
NAMES += [
    "numpy.testing",
    "numpy.polynomial",
    "numpy.ctypeslib",
    "numpy.ma",
    "numpy.rec",
    "numpy.strings",
    "numpy.f2py",
]


def without_sandbox(modules):
    """Return the names that the worker's Python cannot import even where nothing holds it."""
    code = f"import sys; sys.path.append({str(modules)!r})" + IMPORT_ALL.format(names=NAMES) + "print(*failed)"
    ran = subprocess.run([sys.executable, "-I", "-S", "-B", "-c", code], capture_output=True, text=True, timeout=120)
    return ran.stdout.split()


def test_a_worker_imports_what_python_imports(submit):
    source = IMPORT_ALL.format(names=NAMES) + "def double(x): raise ValueError(' '.join(failed) or 'none')\n"
    session = submit(source, import_seconds=60)
    assert session.failure is None, session.failure
    student = Proxy(session)
    with pytest.raises(Raised) as raised:
        student.double(1)
    student.close()
    told = set(raised.value.message.partition("ValueError: ")[2].partition(" (")[0].split())
    assert told - {"none"} <= set(without_sandbox(session.directory.parents[1] / "modules"))
