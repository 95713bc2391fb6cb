"""How a check says what is wrong: the sentence first, then the line of your own that it comes from.

pytest and the notebook use this file. There is nothing to write in it.
"""

import contextlib
import re
import traceback
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
FRAME = re.compile(r'^ *File "([^"]+)", line (\d+), in (\S+)\n *(.*)\n', re.MULTILINE)
NOT_YOURS = re.compile(r"test_\w+\.py|conftest\.py|lenet\.py")


def told(text):
    """Shorten the text of a traceback to its message and the last line of your own in it, or your function."""
    frames = list(FRAME.finditer(text))
    rest = text[frames[-1].end() :] if frames else text
    message = "\n".join(line for line in rest.strip().splitlines() if line.strip(" ^~"))
    message = message.removeprefix("AssertionError: ")
    yours = [frame for frame in frames if _is_yours(Path(frame[1]))]
    if yours:
        path, line, function, code = yours[-1].groups()
        if not code.startswith("raise NotImplementedError"):
            message += f"\n  your line: {Path(path).name}, line {line}, in {function}: {code}"
    elif called := re.search(r"\[(\w+)[^\]]*\]\s*$", message):
        message += _where(called[1])
    return message


def _is_yours(path):
    return HERE in path.parents and not NOT_YOURS.fullmatch(path.name)


def _where(function):
    """Return in which line of your files a function begins."""
    for path in sorted(filter(_is_yours, HERE.glob("*.py"))):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if line.startswith(f"def {function}("):
                    return f"\n  your function: {path.name}, line {number}: {line}"
    return ""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call):
    """Have pytest print that, and no lines of the checks."""
    report = yield
    if report.failed and call.excinfo is not None:
        report.longrepr = told("".join(traceback.format_exception(call.excinfo.value)))
    return report
