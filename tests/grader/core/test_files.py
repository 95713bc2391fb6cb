"""How files are written."""

import os

import pytest

from autograder.core import files


def test_a_file_is_replaced_and_a_pipe_is_not(tmp_path):
    """A device is the same; root could replace it, and nobody else should have to miss it."""
    (tmp_path / "old").write_bytes(b"old")
    files.replace(tmp_path / "old", b"new")
    assert (tmp_path / "old").read_bytes() == b"new"
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="Not a file, but a device or a pipe") as caught:
        files.replace_all({tmp_path / "old": b"newer", tmp_path / "pipe": b"new"})
    assert files.described(caught.value) == f"{tmp_path}/pipe: Not a file, but a device or a pipe"
    assert (tmp_path / "old").read_bytes() == b"new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old", "pipe"]


def test_the_place_of_a_link_gets_a_file(tmp_path):
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to("target")
    files.replace(tmp_path / "link", b"new")
    assert ((tmp_path / "target").read_bytes(), (tmp_path / "link").is_symlink()) == (b"old", False)
