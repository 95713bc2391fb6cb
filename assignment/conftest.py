"""How a check says what is wrong: the sentence, got beside expected, then the line of your own that it comes from.

pytest and the notebook use this file. There is nothing to write in it.
"""

import contextlib
import re
import traceback
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).resolve().parent
FRAME = re.compile(r'^ *File "([^"]+)", line (\d+), in (\S+)\n *(.*)\n', re.MULTILINE)
NOT_YOURS = re.compile(r"test_\w+\.py|conftest\.py|lenet\.py")
AXES = {"dw": ("filter", "channel", "row", "column"), "db": ("filter",), "cols": ("row", "column")}
MOST = 12
"""Rows and columns that are shown side by side."""


def told(error):
    """Shorten an error to its message, what is seen in the numbers, and the last line of your own, or your function."""
    text = "".join(traceback.format_exception(error))
    frames = list(FRAME.finditer(text))
    rest = text[frames[-1].end() :] if frames else text
    message = "\n".join(line for line in rest.strip().splitlines() if line.strip(" ^~"))
    message = message.removeprefix("AssertionError: ")
    if not isinstance(error, (AssertionError, NotImplementedError)):
        message += _call(error)
    call = re.search(r"\[(\w+)[^\]]*\]\s*$", message)
    if isinstance(error, AssertionError):
        message = _seen(error, message, call)
    yours = [frame for frame in frames if _is_yours(Path(frame[1]))]
    if yours:
        if not yours[-1][4].startswith("raise NotImplementedError"):
            message += "\n  your line: " + _line(yours[-1])
            message += "\n  called by: " + _line(yours[0]) if len(yours) > 1 else ""
    elif call:
        message += _where(call[1])
    return message


def _is_yours(path):
    in_here = HERE in path.parents and "site-packages" not in path.parts  # a .venv in this folder is not yours
    return in_here and not NOT_YOURS.fullmatch(path.name)


def _line(frame):
    path, line, function, code = frame.groups()
    return f"{Path(path).name}, line {line}, in {function}: {code}"


def _call(error):
    """Return the call in which an exception was raised, in the words of the check."""
    known = [frame.f_locals.get("call") for frame, _ in traceback.walk_tb(error.__traceback__)]
    return next((f" [{call}]" for call in known if isinstance(call, str)), "")


def _where(function):
    """Return in which line of your files a function begins."""
    for path in sorted(filter(_is_yours, HERE.glob("*.py"))):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if line.startswith(f"def {function}("):
                    return f"\n  your function: {path.name}, line {number}: {line}"
    return ""


# --- What is seen in the numbers -------------------------------------------------------------------------------------


def _seen(error, message, call):
    """Add to the message of a check: got and expected side by side, and what their difference looks like."""
    if "=\n" not in message:
        message = re.sub(r"\s*\n\s*", " ", message)
    if " is None, but should be" in message:
        return message + "\n  A function that ends without return gives None."
    known = [frame for frame, _ in traceback.walk_tb(error.__traceback__)][-1].f_locals
    what = re.match(r"(\w+)", message)
    got, expected = known.get("got", known.get(what[1] if what else "")), known.get("expected")
    if not isinstance(got, np.ndarray) or expected is None or got.dtype.kind not in "fiu":
        return message
    name, got, expected = known.get("name", what[1]), np.asarray(got), np.asarray(expected, dtype=float)
    if got.ndim == 4 and expected.ndim == 2 and ".shape" not in message:
        name, got = what[1], got[0, 0]
    if got.shape != expected.shape:
        same = got.ndim == expected.ndim and sorted(got.shape) == sorted(expected.shape)
        return message + ("\n  The axes have another order." if same else "")
    wrong = ~np.isclose(got, expected, rtol=1e-4, atol=1e-6 * (1 + np.abs(expected).max()))
    if not wrong.any():
        return message
    table = list(_table(got, expected, wrong))
    if "=\n" in message and call and table:  # the table says it better
        message = f"{message.partition('=')[0]} differs {call[0].strip()}"
    return "\n".join([message, *table, *_looks(name, got, expected, wrong)])


def _table(got, expected, wrong):
    """Yield the lines of the first matrix with a wrong entry, got on the left and expected on the right."""
    place = tuple(int(index) for index in np.argwhere(wrong)[0][:-2])
    got, expected, wrong = (np.atleast_2d(array[place]) for array in (got, expected, wrong))
    if max(got.shape) > MOST:
        return
    marks = np.where(wrong, "*", " ")
    left = [
        [f"{round(entry, 2) + 0.0:g}{mark}" for entry, mark in zip(*row, strict=True)]
        for row in zip(got, marks, strict=True)
    ]
    right = [[f"{round(entry, 2) + 0.0:g}" for entry in row] for row in expected]
    width = max(len(cell) for row in left + right for cell in row) + 1
    head = f"got{list(place) if place else ''}, * is wrong"
    long = max(len(head), (width + 1) * got.shape[1])
    yield f"  {head.ljust(long)}  expected"
    for one, other in zip(left, right, strict=True):
        yield "  " + " ".join(cell.rjust(width) for cell in one).ljust(long) + " ".join(c.rjust(width) for c in other)


def _looks(name, got, expected, wrong):
    """Yield what the difference looks like: zeros, other places, a factor, a constant, or where it is."""
    factor = (got * expected).sum() / max((expected**2).sum(), 1e-30)
    off = (got - expected).mean()
    if not got.any():
        yield "  All entries are 0."
    elif np.allclose(got, np.flip(expected, axis=(-1, -2)[: got.ndim]), rtol=1e-4, atol=1e-6):
        yield "  These are the right numbers, flipped."
    elif np.allclose(np.sort(got, axis=None), np.sort(expected, axis=None), rtol=1e-4, atol=1e-6):
        yield "  These are the right numbers in other places. Often, a reshape in place of a transpose does that."
    elif np.allclose(got, factor * expected, rtol=1e-3, atol=1e-5):
        yield f"  Every entry is {factor:.4g} times what it should be."
    elif np.allclose(got - off, expected, rtol=1e-3, atol=1e-5):
        yield f"  Every entry is {abs(off):.4g} too {'large' if off > 0 else 'small'}."
    elif got.ndim > 1 or name in AXES:
        axes = AXES.get(name, ("image", "channel", "row", "column"))[-got.ndim :]
        places = [sorted({int(index) for index in indices}) for indices in np.nonzero(wrong)]
        few = [
            f"{axis}{'s' if len(indices) > 1 else ''} {', '.join(map(str, indices))}"
            for axis, indices, size in zip(axes, places, got.shape, strict=True)
            if len(indices) <= min(MOST / 3, size / 2)
        ]
        if few:
            yield f"  Wrong only in {'; '.join(few)}."


# --- pytest ----------------------------------------------------------------------------------------------------------


def points(pages="*.md"):
    """Return what each test is worth, in the order of the assignment, as README.md (and pages like it) says."""
    worth = {}
    for path in sorted(HERE.glob(pages), key=lambda path: path.name != "README.md"):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            worth |= re.findall(r"^\| `(test_\w+)` \| ([\d.]+) \|", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: float(number) for name, number in worth.items()}


def pytest_collection_modifyitems(items):
    """Run the checks in the order of the assignment."""
    order = list(points())
    items.sort(key=lambda item: order.index(item.name) if item.name in order else len(order))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Have pytest print what `told` says, and no lines of the checks."""
    report = yield
    if report.failed and call.excinfo is not None:
        report.longrepr = told(call.excinfo.value)
        if call.when == "setup":
            needed = item.function.__code__.co_varnames[0]
            item.session.shouldfail = f"No check can run before {needed}.py can be imported."
    return report


def pytest_terminal_summary(terminalreporter):
    """Print the points of the checks that ran."""
    worth = points()
    ran = {
        outcome: sum(worth.get(report.nodeid.partition("::")[2], 0) for report in terminalreporter.getreports(outcome))
        for outcome in ("passed", "failed")
    }
    if sum(ran.values()):
        terminalreporter.write_line(f"points of these checks: {ran['passed']:g} of {sum(ran.values()):g}")
