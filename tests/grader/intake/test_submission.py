"""A submission becomes a clean directory, or nobody is blamed."""

import errno
import os
import stat
import unicodedata

import pytest

from autograder.core.errors import BadSubmission, ConfigurationError, GraderFault
from autograder.intake import submission
from tests.grader.support.configs import archive_limits
from tests.grader.support.handins import CODE, link, make_folder, make_zip, tree, zip_bytes

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


@pytest.mark.parametrize("data", [b"", bytes(range(1, 128)), b"\r\n" * 9, b"#" * submission.MODULE_BYTES])
def test_any_bytes_are_taken_as_they_are(handed_in, read, into, data):
    path, _ = handed_in(("layers.py", data))
    read(path, archive_limits(2 << 20, 1))
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
    with pytest.raises(
        BadSubmission, match=r"^the submission: layers\.py cannot be read, since its permissions forbid it"
    ):
        read(make_folder(tmp_path / "hw", [("layers.py", CODE)]))


def test_no_descriptor_is_left_open(handed_in, read, refusal, into):
    path, _ = handed_in("hw/src/layers.py", "hw/src/pkg/x.py")
    before = os.listdir("/dev/fd")
    read(path)
    assert os.listdir("/dev/fd") == before
    for file in ("layers.py", "pkg/x.py"):
        (into / file).unlink()
    (into / "pkg").rmdir()
    refusal(path, archive_limits(1, 9))
    assert os.listdir("/dev/fd") == before
