"""What a student is told beside Python's own words, and that the line that is quoted is the right one."""

import sys

import pytest

from autograder.grading import advice
from autograder.grading.advice import IMPORTABLE, of_import, of_name, of_syntax, version

COPIED = ["toy.py", "helpers/pad.py", "pkg/__init__.py", "Tools.py"]
ELSEWHERE = ["hw/lib/extra.py", "hw/other/__init__.py", "hw/other/deep.py"]


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("No module named 'nowhere'", IMPORTABLE),
        (
            "No module named 'extra'",
            "hw/lib/extra.py was handed in, but only what is beside or below toy.py can",
        ),
        (
            "No module named 'other'",
            "hw/other/deep.py was handed in, but only what is beside or below toy.py can",
        ),
        ("No module named 'other.deep'", "hw/other/deep.py was handed in, but only what is beside or below toy.py"),
        ("No module named 'pad'", "helpers/pad.py was handed in: import it as helpers.pad, as seen from toy.py"),
        ("No module named 'tools'", "It was handed in as Tools, and capitals count"),
        ("No module named 'pad'; 'helpers' is not a package", "helpers/pad.py was handed in: import it as helpers.pad"),
        ("No module named '<b>x'", IMPORTABLE),
        ("anything else that a student writes", IMPORTABLE),
    ],
)
def test_a_module_that_was_not_found(message, told):
    assert of_import(message, COPIED, ELSEWHERE, "toy.py").startswith(told)


def test_a_module_of_a_newer_python(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    said = of_import("No module named 'tomllib'", COPIED, [], "toy.py")
    assert said == "Python 3.10 grades, and this module needs Python 3.11"
    monkeypatch.setattr(sys, "version_info", (3, 11, 0))
    assert of_import("No module named 'tomllib'", COPIED, [], "toy.py") == IMPORTABLE


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("cannot import name 'batched' from 'itertools' (unknown location)", True),
        ("cannot import name 'override' from 'typing' (/usr/lib/python3.10/typing.py)", True),
        ("cannot import name 'x' from 'toy' (toy.py)", False),
        ("cannot import name 'x' from partially initialized module 'toy'", False),
        ("no", False),
    ],
)
def test_a_name_that_another_version_may_have(message, told):
    assert of_name(message) == (f"{version()} grades: another version may have it" if told else "")


@pytest.mark.parametrize(
    ("line", "needed"),
    [
        ("def first[T](xs: list[T]) -> T:", "3.12"),
        ("    async def first[T](xs):", "3.12"),
        ("class Stack[T]:", "3.12"),
        ("type Pair = tuple[int, int]", "3.12"),
        ("type Pair[T] = tuple[T, T]", "3.12"),
        ('print(f"{x["a"]}")', "3.12"),
        ("print(f'{x['a']} {y}')", "3.12"),
        ("    except* ValueError:", "3.11"),
        ("    except *ValueError:", "3.11"),
        ("y = x[0, *rest]", "3.11"),
        ('x = t"{y}"', "3.14"),
        ("x = a[2*n", ""),
        ("def f(x)", ""),
        ("print 'x'", ""),
        ("import x[", ""),
        ('input"', ""),
        ("", ""),
    ],
)
def test_syntax_of_a_newer_python(monkeypatch, line, needed):
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    wanted = "Python 3.10 grades" + (f", and this line needs Python {needed}" if needed else "")
    assert of_syntax("SyntaxError", line) == wanted


def test_syntax_that_this_python_knows_needs_no_other(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 13, 0))
    assert of_syntax("SyntaxError", "def first[T](x)") == "Python 3.13 grades"
    assert of_syntax("NameError", "def first[T](x)") == ""


def test_what_notebooks_and_git_leave():
    assert of_syntax("SyntaxError", "%matplotlib inline").startswith("Lines that begin with % or ! work in")
    assert of_syntax("SyntaxError", "!pip install numpy").startswith("Lines that begin with % or ! work in")
    assert of_syntax("SyntaxError", "<<<<<<< HEAD").startswith(
        "This is a mark that git leaves where two versions differ"
    )


def test_a_long_line_takes_no_time():
    for line in ("x[" * 5000, "f'" + "{'" * 5000, "*" * 9000, "type " * 3000):
        assert advice.of_syntax("SyntaxError", line) == f"{version()} grades"


# The line that is quoted, with a real import.


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("before", ["\f\n", "# page\u2028two\n", "# a\x85b\n", "# a\x1cb\x1db\x1ec\n", "'''\v'''\n"])
def test_the_line_is_counted_as_python_counts(submit, before, end):
    source = f"import sys\n{before}def double(x):\n    return x\nundefined_name\n".replace("\n", end)
    assert "(toy.py, line 5: undefined_name)" in submit(source).failure.message


def test_line_ends_of_an_old_mac_are_graded_as_any(submit):
    submission = submit("def double(x):\r    return 2 * x\rdef halve(x):\r    return x / 2, 1\r")
    assert submission.failure is None
    assert submission.defined == ("double", "halve")


def test_a_declared_encoding_is_quoted_in_it(sandbox, submit):
    submission = submit("# coding: utf-8\nGröße\n")
    assert "line 2: Größe" in submission.failure.message
