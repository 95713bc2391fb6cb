"""What a student reads when pytest runs the public tests at home: few lines, and the line of their own."""

import re
import shutil
import subprocess
import sys

import pytest

from tests.grader.support import ROOT

ANSWER = (ROOT / "solutions" / "layers.py").read_text(encoding="utf-8")


@pytest.fixture
def at_home(tmp_path):
    """Run the handed-out tests on a layers.py, as a student does; return what pytest prints."""

    def run(source, *arguments):
        for name in ("test_public.py", "conftest.py", "pytest.ini"):
            shutil.copy(ROOT / "assignment" / name, tmp_path)
        (tmp_path / "layers.py").write_text(source, encoding="utf-8")
        command = [sys.executable, "-B", "-m", "pytest", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", check=False).stdout

    return run


def changed(old, new):
    assert ANSWER.count(old) == 1
    return ANSWER.replace(old, new)


def test_the_starter_fits_on_a_page(at_home):
    said = at_home((ROOT / "assignment" / "layers.py").read_text(encoding="utf-8"))
    assert len(said.splitlines()) <= 60
    assert said.count("NotImplementedError: im2col is not implemented yet\n") == 3
    assert "0x" not in said
    assert "26 failed" in said


def test_what_raises_is_told_with_the_line(at_home):
    said = at_home(changed("pixels > out]", "pixels > nothing]"), "-k", "max_pool2d_forward_example")
    (line,) = [number for number, text in enumerate(ANSWER.splitlines(), 1) if "pixels > out]" in text]
    assert (
        "NameError: name 'nothing' is not defined\n"
        f"  your line: layers.py, line {line}, in max_pool2d_forward: winner[pixels > nothing] = i * KW + j\n"
    ) in said


def test_wrong_values_are_told_with_the_function(at_home):
    said = at_home(
        changed("dout.transpose(1, 0, 2, 3).reshape(F, -1)", "dout.reshape(F, -1)"), "-k", "conv2d_backward_images"
    )
    assert re.search(
        r"^dx\[0, 0, .*, but should be .*; \d+ of 240 entries differ \[conv2d_backward, float32, .*\]\n"
        r"  your function: layers.py, line \d+: def conv2d_backward\(dout: ",
        said,
        re.MULTILINE,
    )


def test_a_file_that_python_cannot_read(at_home):
    said = at_home("def im2col(:\n", "-k", "im2col_example")
    assert 'layers.py", line 1\n    def im2col(:\nSyntaxError: invalid syntax\n' in said
