"""A wrong kind of file is known by its bytes, and its student reads what it is and what to do."""

import contextlib
import gzip
import json

import pytest

from autograder.core.errors import BadSubmission
from autograder.intake import sniff
from tests.grader.support.handins import make_folder, zip_bytes

SOURCE = 'def im2col(x):\n    """Größe."""\n'
NOTEBOOK = json.dumps({"cells": [{"cell_type": "code", "source": ["x = 1"]}], "nbformat": 4, "metadata": {}}, indent=1)
OFFICE = [("[Content_Types].xml", b"<?xml"), ("word/document.xml", b"<w>")]
HERE = "the submission: layers.py is {}, but should be Python. {}."

WRONG = {
    "a zip": (zip_bytes([("layers.py", b"x")]), "a zip archive whose name ends in .py", "Hand in the zip under a name"),
    "an empty zip": (zip_bytes([]), "a zip archive whose name ends in .py", "Hand in the zip under a name"),
    "Word": (zip_bytes(OFFICE), "a Word document", "Copy the code into a plain text file"),
    "Excel": (zip_bytes([OFFICE[0], ("xl/workbook.xml", b"")]), "an Excel workbook", "Copy the code into a plain"),
    "RTF": (rb"{\rtf1\ansi\cocoartf2639 import numpy}", "an RTF document, as TextEdit and WordPad", "Copy the code"),
    "old Word": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "an old Word or Excel document", "Copy the code"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3", "a PDF document", "Copy the code into a plain text file"),
    "gzip": (gzip.compress(b"x"), "a gzip archive", "Hand in the file itself, or a zip of it"),
    "tar": (b"layers.py" + bytes(248) + b"ustar\x0000" + bytes(250), "a tar archive", "Hand in the file itself"),
    "RAR": (b"Rar!\x1a\x07\x00", "a RAR archive", "Hand in the file itself"),
    "HTML": (b"<!DOCTYPE html>\n<html><head>", "a web page", "Download the file itself, not the page that shows it"),
    "HTML, spaced": (b"\n  <!-- saved -->\n<!doctype HTML><body>", "a web page", "Download the file itself"),
    "XHTML with a mark": (b'\xef\xbb\xbf<?xml version="1.0"?>\n<html>', "a web page", "Download the file itself"),
    "a notebook": (NOTEBOOK.encode(), "a notebook whose name ends in .py", "Copy the functions from the notebook"),
    "UTF-16": (SOURCE.encode("utf-16"), "UTF-16 text, which Python does not read", "Save it as UTF-8"),
    "UTF-16, big end first": (b"\xfe\xff" + SOURCE.encode("utf-16-be"), "UTF-16 text, which", "Save it as UTF-8"),
    "UTF-16 without a mark": (SOURCE.encode("utf-16-le"), "UTF-16 text, which Python", "Save it as UTF-8"),
    "UTF-16, neither": (SOURCE.encode("utf-16-be"), "UTF-16 text, which Python", "Save it as UTF-8"),
    "UTF-32": (SOURCE.encode("utf-32"), "UTF-32 text, which Python does not read", "Save it as UTF-8"),
    "UTF-32 without a mark": (SOURCE.encode("utf-32-be"), "UTF-32 text, which Python", "Save it as UTF-8"),
    "zeros": (bytes(5000), "not text: 5000 of its 5000 bytes are zero", "Copy the code into a plain text file"),
    "one zero": (b"x = 1\n\0", "not text: 1 of its 7 bytes are zero", "Copy the code into a plain text file"),
    "Latin-1": (
        b"x = 1\ny = 2\r# Gr\xf6\xdfe\n",
        "not UTF-8 text: the byte 0xF6 in line 3 is of an older",
        "Save it as",
    ),
    "half a character": (b"# \xe2\x82", "not UTF-8 text: the byte 0xE2 in line 1", "Save it as UTF-8, or declare"),
    "compiled": (b"o\r\r\n\0\0\0\0\x12\x34", "compiled Python", "Hand in the source"),
    "Finder's": (b"\0\5\x16\7" + bytes(60), "what Finder keeps beside a file, not the file", "Hand in the file itself"),
    "Git's": (b"version https://git-lfs.github.com/spec/v1\noid", "a pointer of Git LFS", "Hand in the file itself"),
    "a picture": (b"\x89PNG\r\n\x1a\n", "a picture", "Copy the code into a plain text file"),
}


@pytest.mark.parametrize(("data", "kind", "remedy"), WRONG.values(), ids=WRONG.keys())
def test_what_is_no_python_is_named(tmp_path, refusal, data, kind, remedy):
    path = make_folder(tmp_path / "hw", [("hw/layers.py", data), ("hw/tools.py", b"")])
    said = refusal(path)
    assert said.startswith(f"the submission: layers.py is {kind}")
    assert f", but should be Python. {remedy}" in said
    (tmp_path / "alone.py").write_bytes(data)
    assert refusal(tmp_path / "alone.py") == said


@pytest.mark.parametrize("data", [value[0] for value in WRONG.values()], ids=WRONG.keys())
def test_python_would_not_take_it_either(data):
    """No file that Python runs is refused; a notebook runs, and defines nothing."""
    try:
        code = compile(data, "layers.py", "exec")
    except (SyntaxError, ValueError):
        return
    assert not any(hasattr(constant, "co_code") for constant in code.co_consts)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"\xef\xbb\xbfx = 1\n",
        "# Größe\n".encode(),
        b"# -*- coding: latin-1 -*-\n# Gr\xf6\xdfe\n",
        b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\nx = '\x80'\n",
        b"\n# coding: iso-8859-15\r# \xa4\r",
        b"x = 1\r\ry = 2\r",
        b"import numpy\n\f\nx = 1\n",
        b"{'cells': 1}\n",
        b"PK = 1\n",
        b"x = '<html>'\n",
        b"BZ = 2\n",
        b"MZ = 2\n",
        b"U\r\r\n",
        b"# page \xe2\x80\xa8 two\n",
    ],
)
def test_what_python_takes_is_taken(tmp_path, read, into, data):
    (tmp_path / "layers.py").write_bytes(data)
    compile(data, "layers.py", "exec")
    assert read(tmp_path / "layers.py").notes == ()
    assert (into / "layers.py").read_bytes() == data


def test_a_helper_of_a_wrong_kind_is_a_note(tmp_path, read):
    members = [("layers.py", b""), ("tools.py", SOURCE.encode("utf-16")), ("pkg/data.py", NOTEBOOK.encode())]
    assert read(make_folder(tmp_path / "hw", members)).notes == (
        "pkg/data.py cannot be imported, since it is a notebook whose name ends in .py. Copy the functions from the "
        "notebook into a text file.",
        "tools.py cannot be imported, since it is UTF-16 text, which Python does not read. Save it as UTF-8.",
    )


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("a\n\fb\nc", ["a", "\fb", "c"]),
        ("a\u2028b\nc\x85d\x1ce", ["a\u2028b", "c\x85d\x1ce"]),
        ("a\rb\r\nc\n", ["a", "b", "c", ""]),
        ("", [""]),
    ],
)
def test_lines_are_those_that_python_counts(source, lines):
    assert sniff.lines(source) == lines


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("# Größe".encode(), "# Größe"),
        (b"\xef\xbb\xbf# x", "# x"),
        (b"# coding: latin-1\n# Gr\xf6", "# coding: latin-1\n# Grö"),
        (b"# coding: rot13\n# \xf6", "# coding: rot13\n# \ufffd"),
        (b"# coding: no-such\nx", "# coding: no-such\nx"),
        (b"# \xf6", "# \ufffd"),
    ],
)
def test_text_is_read_as_it_declares(data, text):
    assert sniff.text(data) == text


@pytest.mark.parametrize("name", ["layers.py", "x.zip", "x.rar", "x", "x.ipynb"])
@pytest.mark.parametrize("data", [value[0] for value in WRONG.values()], ids=WRONG.keys())
def test_no_bytes_are_too_odd_for_any_name(tmp_path, read, into, name, data):
    (tmp_path / name).write_bytes(data)
    with contextlib.suppress(BadSubmission):
        read(tmp_path / name)
