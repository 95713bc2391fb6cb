"""What a student reads when pytest runs the public tests at home: few lines, and the line of their own."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.core import config
from tests.grader.support import ROOT

FUNCTIONS = list(config.load(ROOT / "config.yaml").homework.functions)
ANSWER = (ROOT / "solutions" / "layers.py").read_text(encoding="utf-8")


@pytest.fixture
def at_home(tmp_path):
    """Run the handed-out tests on a layers.py, as a student does; return what pytest prints."""

    def run(source, *arguments):
        for name in ("test_public.py", "conftest.py", "pytest.ini", "README.md"):
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
    assert "points of these checks: 0 of 10\n" in said
    about = re.findall(r"^_+ test_(\w+)_[a-z]+ _+$", said, re.MULTILINE)
    assert list(dict.fromkeys(about)) == FUNCTIONS  # in the order of the assignment


@pytest.mark.heavy
def test_what_raises_is_told_with_the_line(at_home):
    said = at_home(changed("pixels > out]", "pixels > nothing]"), "-k", "max_pool2d_forward_example")
    (line,) = [number for number, text in enumerate(ANSWER.splitlines(), 1) if "pixels > out]" in text]
    assert (
        "NameError: name 'nothing' is not defined [max_pool2d_forward, stride 1]\n"
        f"  your line: layers.py, line {line}, in max_pool2d_forward: winner[pixels > nothing] = i * KW + j\n"
    ) in said


def test_wrong_values_are_told_with_the_function(at_home):
    source = changed("dout.transpose(1, 0, 2, 3).reshape(F, -1)", "dout.reshape(F, -1)")
    source = source.replace("    out += b[:, np.newaxis]\n", "")
    said = at_home(source, "-k", "conv2d_backward_images or conv2d_forward_example")
    assert re.search(
        r"^dx\[0, 0, .*, but should be .*; \d+ of 240 entries differ \[conv2d_backward, float32, .*\]\n"
        r"(  .*\n)*"
        r"  your function: layers.py, line \d+: def conv2d_backward\(dout: ",
        said,
        re.MULTILINE,
    )
    assert (  # got and expected side by side
        "out[0, 0] differs [conv2d_forward, stride 1]\n"
        "  got, * is wrong  expected\n"
        "   10*  -8*   8*    9   -9    7\n"
        "    3*   6*   7*    2    5    6\n"
        "   -6*  10*  -9*   -7    9  -10\n"
        "  Every entry is 1 too large.\n"
        "  your function: layers.py, line "
    ) in said


@pytest.mark.heavy
def test_what_a_difference_looks_like(at_home, tmp_path):
    source = ANSWER
    for old, new in [
        ("out = out.reshape(F, N, OH, OW).transpose(1, 0, 2, 3)", "out = out.reshape(N, F, OH, OW)"),
        (
            "dw = (dout_matrix @ cols.T).reshape(w.shape)",
            "dw = (dout_matrix @ cols.T).reshape(w.shape)[..., ::-1, ::-1]",
        ),
        ("return out, (winner, x.shape", "return out * np.nan, (winner, x.shape"),
        (
            "* (winner == i * KW + j)\n    return dx",
            "* (winner == i * KW + j)\n    dx[-1, :, -1] += 1\n    return dx",
        ),
        ("    out /= KH * KW\n", "    out[:] = 0\n"),
        ("    share = dout / (KH * KW)\n", "    share = dout\n"),
    ]:
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    said = at_home(source)
    for looks in [
        "These are the right numbers in other places. Often, a reshape in place of a transpose does that.",
        "These are the right numbers, flipped.",
        " nan*  nan*  nan*  nan*   3.2   3.2   2.1   1.5\n",
        "Wrong only in image 1; row 4.",
        "All entries are 0.",
        "Every entry is 4 times what it should be.",
    ]:
        assert looks in said, looks
    assert "Warning" not in said
    assert "assert " not in said  # pytest's own lines

    library = Path(tmp_path, ".venv", "lib", "python3", "site-packages", "library.py")
    library.parent.mkdir(parents=True)
    library.write_text("def fail():\n    raise ValueError('too deep')\n")
    raising = f"    import sys\n    sys.path.insert(0, {str(library.parent)!r})\n    __import__('library').fail()\n"
    said = at_home(changed("    out += b[:, np.newaxis]\n", raising), "-k", "conv2d_forward_rectangle")
    assert "ValueError: too deep [conv2d_forward, stride 1]\n  your line: layers.py, line " in said

    at, by = "    out = np.full((N, C, OH, OW), -np.inf", "    conv_output_size(H, kernel_size)\n"
    said = at_home(changed(at, by + at), "-k", "max_pool2d_forward_example")
    where = r"  your line: layers.py, line \d+, in conv_output_size: return .*\n"
    assert re.search(where + r"  called by: layers.py, line \d+, in max_pool2d_forward: conv_output", said)

    said = at_home(changed("return cols.reshape(C *", "cols.reshape(C *"), "-k", "im2col_example")
    assert "cols is None, but should be an array [im2col, one image]\n  A function that ends without return" in said

    said = at_home(changed("return out, (x, w, stride, padding)", "return out"), "-k", "conv2d_forward_rectangle")
    assert re.search(r"^result is array\(.* but should be \(out, cache\) \[conv2d_for.*\]$", said, re.MULTILINE)

    source = changed("return cols.reshape(C * KH * KW, N * OH * OW)", "return cols.reshape(C * KH * KW, -1).T")
    said = at_home(source, "-k", "test_im2col_example")
    assert "should be (12, 9) [im2col, one image]\n  The axes have another order.\n" in said


@pytest.mark.heavy
def test_a_file_that_python_cannot_read(at_home):
    said = at_home("def im2col(:\n")
    assert 'layers.py", line 1\n    def im2col(:\nSyntaxError: invalid syntax\n' in said
    assert said.count("SyntaxError") == 1
    assert "No check can run before layers.py can be imported." in said
