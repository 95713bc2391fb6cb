"""What cannot be taken becomes a sentence that tells a student what to do."""

import os
import stat
import zipfile

import pytest

from tests.grader.support.configs import archive_limits
from tests.grader.support.handins import CODE, link, make_folder, make_zip, with_code, with_mode, zip_bytes

LIMITS = archive_limits(20 << 20, 200)

ALONE = "Hand in layers.py alone, or in a zip with the modules it imports."
RENAME = "Rename the file that holds your functions to layers.py."
NOTEBOOK = "Move your functions from the notebook into layers.py and hand that in."


# Refused, with what was found, what was expected, and what to do.


REFUSED = {
    "nothing": ([], "{} is empty, but should contain layers.py. " + ALONE),
    "empty folders": (["hw/", "hw/src/"], "{} is empty, but should contain layers.py. " + ALONE),
    "only what is hidden": (
        ["__MACOSX/._layers.py", ".git/layers.py", ".DS_Store", ".git/x"],
        "{} contains nothing but .DS_Store, .git/, __MACOSX/, but should contain layers.py. " + ALONE,
    ),
    "a notebook": (["hw/conv.ipynb"], "{} contains hw/conv.ipynb, but should contain layers.py. " + NOTEBOOK),
    "the notebook": (["layers.ipynb"], "{} contains layers.ipynb, but should contain layers.py. " + NOTEBOOK),
    "no Python": (["a.txt", "b/c.md"], "{} contains a.txt, b/c.md, but should contain layers.py. " + ALONE),
    "another name": (
        ["data.txt", "a.ipynb", "src/layers (1).py"],
        "{} contains src/layers (1).py, but the name must be exactly layers.py: a browser adds a number to a second "
        "download. Rename the file.",
    ),
    "many names": (
        [f"{name}.py" for name in "gfedcba"],
        "{} contains a.py, b.py, c.py, d.py, e.py and 2 more, but should contain layers.py. " + RENAME,
    ),
    "another archive": (["hw.rar"], "{} contains hw.rar, but should contain layers.py. " + ALONE),
    "two zips": (["a.zip", "b.zip"], "{} contains a.zip, b.zip, but should contain layers.py. " + ALONE),
    "a name that hides": (["layers\u202eyp.txt"], "{} contains layersyp.txt, but should contain layers.py. " + ALONE),
    "case": (["src/Layers.py"], "{}: found src/Layers.py; the name must be exactly layers.py. Rename the file."),
    "case, all of it": (["LAYERS.PY"], "{}: found LAYERS.PY; the name must be exactly layers.py. Rename the file."),
    "case, with a starter further down": (
        ["Layers.py", "starter/layers.py"],
        "{}: found Layers.py; the name must be exactly layers.py. Rename the file.",
    ),
    "two of them": (
        ["b/layers.py", "a/layers.py", "a/b/layers.py"],
        "{} contains a/layers.py, b/layers.py, but should contain one layers.py. Keep the one to be graded.",
    ),
    "two spellings": (
        ["layers.py", "Layers.py"],
        "{} contains Layers.py, layers.py, but should contain one layers.py. Keep the one to be graded.",
    ),
    "a link to a file outside": (
        [link("layers.py", "/etc/passwd")],
        "{} contains layers.py, a link that leaves the submission. Replace it by the file.",
    ),
    "a link to a folder outside": (
        ["hw/layers.py", link("hw/data", "../../datasets")],
        "{} contains hw/data, a link that leaves the submission. Replace it by the file.",
    ),
    "a link out and in again": (
        ["layers.py", link("data", "a/../../hw/data")],
        "{} contains data, a link that leaves the submission. Replace it by the file.",
    ),
    "a link to Windows": (
        ["layers.py", link("data", "C:\\data")],
        "{} contains data, a link that leaves the submission. Replace it by the file.",
    ),
    "a link for the file": (
        ["src/layers.py", link("layers.py", "src/layers.py")],
        "{}: layers.py is a link, but should be a file. Replace it by the file.",
    ),
    "a link for a module": (
        ["layers.py", "b/util.py", link("a/util.py", "../b/util.py")],
        "{}: a/util.py is a link, but should be a file. Replace it by the file.",
    ),
    "bidi": (
        ["layers.py", "evil\u202eyp.exe.py"],
        "{}: the name of evilyp.exe.py contains invisible characters. Rename the file.",
    ),
    "control character in a folder": (
        ["layers.py", "a\x1b[31m/x.py"],
        "{}: the name of a[31m/x.py contains invisible characters. Rename the file.",
    ),
    "long path": (
        ["layers.py", "abcdefgh/" * 18 + "x" * 91 + ".py"],
        f"{{}}: the name {'abcdefgh/' * 8}abcdefg… is longer than 255 bytes. Shorten it.",
    ),
    "collision by case": (
        ["hw/layers.py", "hw/util.py", "hw/Util.py"],
        "{} contains hw/Util.py and hw/util.py, which some computers take for one name. Rename one.",
    ),
    "collision of folders": (
        ["layers.py", "pkg/a.py", "Pkg/b.py"],
        "{} contains Pkg and pkg, which some computers take for one name. Rename one.",
    ),
    "collision by the way to write an accent": (
        ["layers.py", "e\u0301.py", "\u00e9.py"],
        "{} contains e\u0301.py and \u00e9.py, which some computers take for one name. Rename one.",
    ),
    "collision by ligature": (
        ["layers.py", "file.py", "\ufb01le.py"],
        "{} contains file.py and \ufb01le.py, which some computers take for one name. Rename one.",
    ),
    "collision by case and alphabet": (
        ["layers.py", "c.py", "\u2102.py"],
        "{} contains c.py and \u2102.py, which some computers take for one name. Rename one.",
    ),
    "a link to a zip": (
        ["a/x.md", link("hw.zip", "a/x.md")],
        "{} contains hw.zip, a/x.md, but should contain layers.py. " + ALONE,
    ),
    "a large file": (
        ["layers.py", ("weights.py", os.urandom((1 << 20) + 1))],
        "{}: weights.py holds 1.0 MiB, but a Python file should hold at most 1 MiB.",
    ),
    "a large zip inside": (
        [("hw.zip", os.urandom(21 << 20))],
        "hw.zip holds 21.0 MiB, but should hold at most 20.0 MiB. "
        "Hand in layers.py and the modules it imports, nothing else.",
    ),
    "a zip inside that is none": (
        [("hw.zip", b"Rar!")],
        "hw.zip is not a zip archive. Pack the files again and hand in the new zip.",
    ),
    "a zip in a zip in it": (
        [("b.zip", zip_bytes([("a.zip", zip_bytes([("layers.py", CODE)]))]))],
        "b.zip contains a.zip, but should contain layers.py. " + ALONE,
    ),
}


@pytest.mark.parametrize(("members", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(handed_in, refusal, members, message):
    path, what = handed_in(*members)
    assert refusal(path) == message.format(what)


AGAIN = " Pack the files again and hand in the new zip."
REFUSED_ZIPS = {
    "dotdot": (["layers.py", "../evil.txt"], "hw.zip contains ../evil.txt, but no path may contain '..'." + AGAIN),
    "dotdot in what is skipped": ([".git/../x"], "hw.zip contains .git/../x, but no path may contain '..'." + AGAIN),
    "absolute": (["layers.py", "/tmp/x"], "hw.zip contains /tmp/x, but no path may be absolute." + AGAIN),
    "fifo": (
        ["layers.py", (with_mode("pipe", stat.S_IFIFO), b"")],
        "hw.zip contains pipe, a pipe or a device, but should contain files. Remove it.",
    ),
    "device": (
        [(with_mode("layers.py", stat.S_IFCHR), b"")],
        "hw.zip contains layers.py, a pipe or a device, but should contain files. Remove it.",
    ),
    "a link that is too long": (
        ["layers.py", link("data", b"x/" * 3000)],
        "hw.zip contains data, a link that leaves the submission. Replace it by the file.",
    ),
    "the file twice": (
        ["hw/layers.py", ("hw/layers.py", b"other")],
        "hw.zip contains hw/layers.py twice, but should contain it once. Pack the files again.",
    ),
    "a module twice, spelled differently": (
        ["layers.py", "a/x.py", "a\\.\\x.py"],
        "hw.zip contains a/x.py twice, but should contain it once. Pack the files again.",
    ),
    "file and folder": (
        ["layers.py", "pkg", "pkg/x.py"],
        "hw.zip contains pkg both as a file and as a folder. Rename one.",
    ),
    "file and folder of the file": (
        ["hw", "hw/layers.py"],
        "hw.zip contains hw both as a file and as a folder. Rename one.",
    ),
    "link and folder": (
        ["layers.py", link("pkg", "other"), "pkg/x.py"],
        "hw.zip contains pkg both as a file and as a folder. Rename one.",
    ),
    "long name": (
        ["layers.py", "ü" * 127 + ".py"],
        f"hw.zip: the name {'ü' * 79}… is longer than 255 bytes. Shorten it.",
    ),
    "bomb": (
        ["layers.py", ("zeros.bin", bytes(50 << 20))],
        "hw.zip unpacks to 50.0 MiB, over 100 times its size, as zip bombs do. Hand in your Python files only.",
    ),
    "bomb of many": (
        ["layers.py", *((f"{index}.py", bytes(1 << 20)) for index in range(21))],
        "hw.zip unpacks to 21.0 MiB, over 100 times its size, as zip bombs do. Hand in your Python files only.",
    ),
}


@pytest.mark.parametrize(("members", "message"), REFUSED_ZIPS.values(), ids=REFUSED_ZIPS.keys())
def test_refused_zips(tmp_path, refusal, members, message):
    assert refusal(make_zip(tmp_path / "hw.zip", with_code(members))) == message


def test_encrypted(tmp_path, refusal):
    data = bytearray(zip_bytes([("layers.py", CODE)]))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "hw.zip").write_bytes(data)
    assert refusal(tmp_path / "hw.zip") == "hw.zip: layers.py is encrypted, but should have no password." + AGAIN


def test_a_module_that_is_damaged_leaves_nothing_behind(tmp_path, refusal):
    data = zip_bytes([("layers.py", CODE), (zipfile.ZipInfo("util.py"), b"stored")])
    (tmp_path / "hw.zip").write_bytes(data.replace(b"stored", b"STORED"))
    assert refusal(tmp_path / "hw.zip") == "hw.zip is damaged: its parts contradict each other." + AGAIN


def test_a_pipe_in_a_folder(tmp_path, refusal):
    make_folder(tmp_path / "hw", [("layers.py", CODE)])
    os.mkfifo(tmp_path / "hw" / "pipe")
    message = "the submission contains pipe, a pipe or a device, but should contain files. Remove it."
    assert refusal(tmp_path / "hw") == message


@pytest.mark.parametrize(
    ("name", "start", "kind"),
    [
        ("hw.rar", b"Rar!\x1a\x07", "a RAR archive"),
        ("hw.zip", b"Rar!\x1a\x07", "a RAR archive"),
        ("hw.7z", b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
        ("hw.tar.gz", b"\x1f\x8b\x08", "a gzip archive"),
        ("hw.tgz", b"?", "a gzip archive"),
        ("hw.tar", b"hw/layers.py\0", "a tar archive"),
        ("hw.tar.bz2", b"BZh9", "a bzip2 archive"),
        ("hw.tar.xz", b"\xfd7zXZ\0", "an xz archive"),
        ("hw.pdf", b"%PDF-1.7", "a PDF document"),
        ("hw.docx", b"PK\x03\x04", "a Word document"),
        ("hw.zip", b"<!DOCTYPE html><title>Log in", "a web page"),
        ("layers.pyc", b"\xcb\r\r\n", "compiled Python"),
        ("notes.txt", b"import numpy", "neither a .py file nor a zip"),
        ("hw.zip", b"", "an empty file"),
        ("\x1b[1m<i>.txt", b"x", "neither a .py file nor a zip"),
    ],
)
def test_other_files(tmp_path, refusal, name, start, kind):
    (tmp_path / name).write_bytes(start + b"." * 100 * bool(start))
    shown = name if name.isprintable() else "[1m‹i›.txt"
    expected = f"{shown} is {kind}, but should be layers.py or a zip that contains it. {ALONE}"
    assert refusal(tmp_path / name) == expected


def test_a_notebook(tmp_path, refusal):
    (tmp_path / "conv.ipynb").write_text("{}")
    expected = f"conv.ipynb is a notebook, but should be layers.py or a zip that contains it. {NOTEBOOK}"
    assert refusal(tmp_path / "conv.ipynb") == expected


def test_a_name_of_nothing_visible(tmp_path, refusal):
    (tmp_path / "\u202e").write_bytes(b"x")
    assert refusal(tmp_path / "\u202e").startswith("the submission is neither a .py file nor a zip, but")


def test_a_zip_that_is_none(tmp_path, refusal):
    (tmp_path / "hw.zip").write_bytes(b"not a zip at all")
    assert refusal(tmp_path / "hw.zip") == "hw.zip is not a zip archive." + AGAIN


def test_a_download_that_broke_off(tmp_path, refusal):
    (tmp_path / "hw.zip").write_bytes(zip_bytes([("layers.py", CODE)])[:-30])
    assert refusal(tmp_path / "hw.zip") == "hw.zip is cut short: its end is missing." + AGAIN


def test_a_large_single_file(tmp_path, refusal):
    (tmp_path / "layers.py").write_bytes(bytes(3 << 20))
    message = "the submission: layers.py holds 3.0 MiB, but a Python file should hold at most 1 MiB."
    assert refusal(tmp_path / "layers.py") == message


def test_limits(handed_in, refusal):
    path, what = handed_in(("layers.py", os.urandom(700_000)), ("util.py", os.urandom(700_000)), "data.txt")
    remedy = "Hand in layers.py and the modules it imports, nothing else."
    message = f"{what} holds 2 Python files, but should hold at most 1. {remedy}"
    assert refusal(path, archive_limits(2 << 20, 1)) == message
    message = f"{what} holds 1.3 MiB of Python, but should hold at most 1.0 MiB. {remedy}"
    assert refusal(path, archive_limits(1 << 20, 2)) == message


def test_limits_count_what_is_copied(handed_in, read):
    path, _ = handed_in("hw/layers.py", "elsewhere.py", "hw/data.txt", "hw/conftest.py", "hw/.hidden.py")
    assert read(path, archive_limits(len(CODE), 1)).files == ("layers.py",)
