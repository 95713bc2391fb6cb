"""A submission becomes a clean directory, or a sentence that tells a student what to do."""

import errno
import io
import os
import stat
import unicodedata
import warnings
import zipfile

import pytest

from autograder.core.errors import BadSubmission, ConfigurationError, GraderFault
from autograder.intake import submission
from autograder.intake.submission import ArchiveLimits

CODE = b"def im2col(x): ...\n"
LIMITS = ArchiveLimits(total_bytes=20 << 20, files=200)

ALONE = "Hand in layers.py alone, or in a zip with the modules it imports."
RENAME = "Rename the file that holds your functions to layers.py."
NOTEBOOK = "Move your functions from the notebook into layers.py and hand that in."


@pytest.fixture
def into(tmp_path):
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


@pytest.fixture
def read(into):
    def read(path, limits=LIMITS):
        return submission.read(path, into, required="layers.py", limits=limits)

    return read


@pytest.fixture
def refusal(read, into):
    """What a student reads; nothing may have been written."""

    def refusal(path, limits=LIMITS):
        with pytest.raises(BadSubmission) as caught:
            read(path, limits)
        assert not list(into.iterdir())
        return caught.value.message

    return refusal


def zip_bytes(members):
    """Return a zip of `members`: pairs of a name, or a ZipInfo, and bytes."""
    sink = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as writer:
        warnings.simplefilter("ignore", UserWarning)  # duplicate names
        for name, data in members:
            writer.writestr(name, data)
    return sink.getvalue()


def make_zip(path, members):
    path.write_bytes(zip_bytes(members))
    return path


def make_folder(path, members):
    for name, data in members:
        if isinstance(name, zipfile.ZipInfo):
            (path / name.filename).parent.mkdir(parents=True, exist_ok=True)
            os.symlink(data, path / name.filename)
        elif name.endswith("/"):
            (path / name).mkdir(parents=True, exist_ok=True)
        else:
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
    return path


def with_code(members):
    """Return pairs: a member that is only a name holds CODE."""
    return [member if isinstance(member, tuple) else (member, CODE) for member in members]


@pytest.fixture(params=["zip", "folder"])
def handed_in(request, tmp_path):
    """Hand in the same things as a zip and as a folder; returns the path, and what messages call it."""

    def handed_in(*members):
        pairs = with_code(members)
        if request.param == "zip":
            return make_zip(tmp_path / "hw.zip", pairs), "hw.zip"
        (tmp_path / "hw").mkdir()
        return make_folder(tmp_path / "hw", pairs), "the submission"

    return handed_in


def with_mode(name, mode):
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info


def link(name, target):
    return with_mode(name, stat.S_IFLNK | 0o777), target


def tree(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}


# Taken: what real people hand in.


TAKEN = {
    "at the root": (["layers.py"], {"layers.py"}, []),
    "inside a folder": (["hw/layers.py"], {"layers.py"}, []),
    "a repository download": (
        ["conv-main/src/layers.py", "conv-main/src/util.py", ("conv-main/README.md", b"#"), "conv-main/setup.py"],
        {"layers.py", "util.py"},
        ["conv-main/README.md", "conv-main/setup.py"],
    ),
    "from Finder": (
        ["hw/layers.py", "__MACOSX/hw/._layers.py", "hw/.DS_Store", "__MACOSX/._hw", ("hw/Icon\r", b"")],
        {"layers.py"},
        ["__MACOSX/", "hw/.DS_Store", "hw/Icon"],
    ),
    "from Windows": (["hw\\layers.py", "hw\\pkg\\__init__.py"], {"layers.py", "pkg/__init__.py"}, []),
    "with helpers and packages": (
        ["layers.py", "helpers.py", "pkg/__init__.py", "pkg/sub/deep.py", "my-scripts/run.py"],
        {"layers.py", "helpers.py", "pkg/__init__.py", "pkg/sub/deep.py", "my-scripts/run.py"},
        [],
    ),
    "with what tests leave": (
        [
            "layers.py",
            "tests/test_layers.py",
            "tests/conftest.py",
            "conftest.py",
            "pytest.ini",
            "setup.cfg",
            ".coverage",
        ],
        {"layers.py", "tests/test_layers.py"},
        [".coverage", "conftest.py", "pytest.ini", "setup.cfg", "tests/conftest.py"],
    ),
    "with compiled files": (
        ["layers.py", "fast.so", "fast.pyd", "layers.pyc", "__pycache__/layers.cpython-310.pyc", "a/__pycache__/x.py"],
        {"layers.py"},
        ["__pycache__/", "a/__pycache__/", "fast.pyd", "fast.so", "layers.pyc"],
    ),
    "with a notebook and data": (
        ["layers.py", "conv_pool.ipynb", ".ipynb_checkpoints/layers.py", ("data/x.npy", bytes(3 << 20)), "LICENSE"],
        {"layers.py"},
        [".ipynb_checkpoints/", "LICENSE", "conv_pool.ipynb", "data/x.npy"],
    ),
    "with large data": (["layers.py", ("cifar.bin", os.urandom(21 << 20))], {"layers.py"}, ["cifar.bin"]),
    "with a repository": (
        ["layers.py", ".git/config", ".git/objects/ab/cdef", link(".git/data", "/datasets"), ".venv/bin/x.py"],
        {"layers.py"},
        [".git/", ".venv/"],
    ),
    "with a virtual environment": (
        [
            "layers.py",
            "env/pyvenv.cfg",
            link("env/bin/python", "/usr/bin/python3"),
            "env/bin/activate_this.py",
            "env/lib/python3.11/site-packages/numpy/layers.py",
            "share/kept.py",
        ],
        {"layers.py", "share/kept.py"},
        ["env/bin/", "env/lib/", "env/pyvenv.cfg"],
    ),
    "inside a virtual environment": (
        ["hw/pyvenv.cfg", link("hw/lib64", "/usr/lib"), "hw/Scripts/activate.py", "hw/layers.py"],
        {"layers.py"},
        ["hw/Scripts/", "hw/lib64", "hw/pyvenv.cfg"],
    ),
    "in a folder named like the file": (["layers.py/layers.py"], {"layers.py"}, []),
    "beside a folder named like a module": (
        ["layers.py", "util.py/x.py", "conv.py/"],
        {"layers.py", "util.py/x.py"},
        [],
    ),
    "names that collide where nothing is copied": (
        ["hw/layers.py", "hw/notes.txt", "hw/NOTES.txt", "Util.py", "util.py"],
        {"layers.py"},
        ["Util.py", "hw/NOTES.txt", "hw/notes.txt", "util.py"],
    ),
    "in a folder with a zero-width joiner": (["تمرین\u200cها/layers.py"], {"layers.py"}, []),
    "long name": (["layers.py", "ü" * 126 + ".py"], {"layers.py", "ü" * 126 + ".py"}, []),
    "very deep": (["a/" * 19 + "layers.py"], {"layers.py"}, []),
}


@pytest.mark.parametrize(("members", "files", "ignored"), TAKEN.values(), ids=TAKEN.keys())
def test_taken(handed_in, read, into, members, files, ignored):
    taken = read(handed_in(*members)[0])
    assert taken.directory == into
    assert set(taken.files) == files == tree(into)
    assert all((into / file).read_bytes() == CODE for file in taken.files)
    assert list(taken.ignored) == ignored
    assert taken.notes == ()


@pytest.mark.parametrize("data", [b"", bytes(range(256)), b"\r\n" * 9, bytes(submission.MODULE_BYTES)])
def test_any_bytes_are_taken_as_they_are(handed_in, read, into, data):
    path, _ = handed_in(("layers.py", data))
    read(path, ArchiveLimits(total_bytes=2 << 20, files=1))
    assert (into / "layers.py").read_bytes() == data


def test_what_lies_too_deep_is_left(handed_in, read):
    path, _ = handed_in("layers.py", "a/" * 19 + "in.py", "a/" * 20 + "out.py")
    assert set(read(path).files) == {"layers.py", "a/" * 19 + "in.py"}


def test_accents_are_written_as_import_looks_for_them(handed_in, read, into):
    path, _ = handed_in("layers.py", unicodedata.normalize("NFD", "größe/é.py"))
    assert set(read(path).files) == {"layers.py", unicodedata.normalize("NFC", "größe/é.py")} == tree(into)


def test_modes(handed_in, read, into):
    path, _ = handed_in("layers.py", "pkg/sub/x.py")
    if path.is_dir():
        (path / "layers.py").chmod(0o4700)
    before = os.umask(0o077)
    try:
        read(path)
    finally:
        os.umask(before)
    modes = {path.relative_to(into).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in into.rglob("*")}
    assert modes == {"layers.py": 0o644, "pkg": 0o755, "pkg/sub": 0o755, "pkg/sub/x.py": 0o644}


def test_ignored_is_bounded_and_clean(handed_in, read):
    path, _ = handed_in("layers.py", *(f"{index:03}.txt" for index in range(60)), "000\x1b[31m<b>.txt")
    ignored = read(path).ignored
    assert ignored[:3] == ("000.txt", "000[31m‹b›.txt", "001.txt")
    assert len(ignored) == 51
    assert ignored[-1] == "and 11 more"


@pytest.mark.parametrize(("name", "notes"), [("layers.py", ()), ("Conv.PY", ("Conv.PY was taken as layers.py.",))])
def test_a_single_file(tmp_path, read, into, name, notes):
    (tmp_path / name).write_bytes(CODE)
    taken = read(tmp_path / name)
    assert taken == submission.CleanCopy(into, ("layers.py",), (), notes)
    assert (into / "layers.py").read_bytes() == CODE


def test_a_zip_of_another_name(tmp_path, read):
    assert read(make_zip(tmp_path / "download (1)", [("layers.py", CODE)])).files == ("layers.py",)


def test_the_shallowest_is_taken(handed_in, read, into):
    path, _ = handed_in("hw/layers.py", ("hw/old/layers.py", b"old"), ("z/starter/Layers.py", b"starter"))
    taken = read(path)
    assert taken.notes == ("hw/layers.py was taken; also found: hw/old/layers.py, z/starter/Layers.py.",)
    assert tree(into) == {"layers.py", "old/layers.py"}
    assert (into / "layers.py").read_bytes() == CODE


def test_a_zip_inside(handed_in, read, into):
    inner = zip_bytes([("hw/layers.py", CODE), ("hw/notes.txt", b"")])
    path, _ = handed_in(("Lab 3/hw_final.ZIP", inner), ("report.pdf", b"%PDF"), ".DS_Store")
    taken = read(path)
    assert taken.notes == ("layers.py was taken from Lab 3/hw_final.ZIP.",)
    assert taken.ignored == (".DS_Store", "hw/notes.txt", "report.pdf")
    assert tree(into) == {"layers.py"}


def test_a_zip_beside_is_left(handed_in, read):
    path, _ = handed_in("layers.py", ("old.zip", zip_bytes([("layers.py", b"old")])))
    assert read(path).ignored == ("old.zip",)


def test_links_that_stay_inside_are_not_followed(handed_in, read, into):
    path, _ = handed_in("hw/layers.py", link("hw/README.md", "docs/x.md"), link("hw/pkg", "../other/pkg"))
    taken = read(path)
    assert taken.notes == ("Links are not followed: hw/README.md, hw/pkg.",)
    assert taken.ignored == ("hw/README.md", "hw/pkg")
    assert tree(into) == {"layers.py"}


def test_a_link_that_staff_gave_is_followed(tmp_path, read):
    (tmp_path / "alice").symlink_to(make_folder(tmp_path / "hw", [("layers.py", CODE)]))
    assert read(tmp_path / "alice").files == ("layers.py",)


def test_what_is_encrypted_may_lie_beside(tmp_path, read):
    data = bytearray(zip_bytes([("data.bin", b"12"), ("layers.py", CODE)]))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "hw.zip").write_bytes(data)
    assert read(tmp_path / "hw.zip").files == ("layers.py",)


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
        "{} contains src/layers (1).py, a.ipynb, data.txt, but should contain layers.py. " + RENAME,
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
        ("layers.py.txt", b"import numpy", "neither a .py file nor a zip"),
        ("layers", b"import numpy", "neither a .py file nor a zip"),
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
    assert refusal(path, ArchiveLimits(total_bytes=2 << 20, files=1)) == message
    message = f"{what} holds 1.3 MiB of Python, but should hold at most 1.0 MiB. {remedy}"
    assert refusal(path, ArchiveLimits(total_bytes=1 << 20, files=2)) == message


def test_limits_count_what_is_copied(handed_in, read):
    path, _ = handed_in("hw/layers.py", "elsewhere.py", "hw/data.txt", "hw/conftest.py", "hw/.hidden.py")
    assert read(path, ArchiveLimits(total_bytes=len(CODE), files=1)).files == ("layers.py",)


# Not the student's fault.


def test_nothing_there(tmp_path, read):
    for path in (tmp_path / "alice.zip", make_zip(tmp_path / "hw.zip", []) / "layers.py"):
        with pytest.raises(ConfigurationError) as caught:
            read(path)
        assert str(caught.value) == f"{path}: no such file or folder. Check the path."


def test_neither_file_nor_folder(tmp_path, read):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path / "pipe")
    expected = f"{tmp_path / 'pipe'}: neither a file nor a folder. Name a .py file, a folder or a zip."
    assert str(caught.value) == expected


def test_into_is_not_empty(tmp_path, read, into):
    (into / "left.py").touch()
    with pytest.raises(GraderFault, match=r"into should be empty before a submission is copied into it$"):
        read(make_zip(tmp_path / "hw.zip", [("layers.py", CODE)]))


def test_into_is_missing(tmp_path, read, into):
    into.rmdir()
    with pytest.raises(GraderFault, match=r"could not be copied into .*into: .*No such file"):
        read(make_zip(tmp_path / "hw.zip", [("layers.py", CODE)]))


def test_the_disk_is_full(handed_in, read, monkeypatch):
    def full(descriptor, mode):
        raise OSError(errno.ENOSPC, "No space left on device")

    path, _ = handed_in("layers.py")
    monkeypatch.setattr(os, "fchmod", full)
    with pytest.raises(GraderFault, match=r"hw.* could not be copied into .*No space left on device$"):
        read(path)


def test_a_file_that_may_not_be_read(tmp_path, read, monkeypatch):
    def forbidden(path, *arguments, **options):
        if path == "layers.py":
            raise PermissionError(errno.EACCES, "Permission denied")
        return really_open(path, *arguments, **options)

    really_open = os.open
    monkeypatch.setattr(os, "open", forbidden)
    with pytest.raises(GraderFault, match=r"hw could not be copied into .*Permission denied$"):
        read(make_folder(tmp_path / "hw", [("layers.py", CODE)]))


def test_no_descriptor_is_left_open(handed_in, read, refusal, into):
    path, _ = handed_in("hw/src/layers.py", "hw/src/pkg/x.py")
    before = os.listdir("/dev/fd")
    read(path)
    assert os.listdir("/dev/fd") == before
    for file in ("layers.py", "pkg/x.py"):
        (into / file).unlink()
    (into / "pkg").rmdir()
    refusal(path, ArchiveLimits(total_bytes=1, files=9))
    assert os.listdir("/dev/fd") == before
