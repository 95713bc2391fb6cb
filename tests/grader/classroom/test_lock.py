"""An output folder is one run's alone, apart from the hand-ins, and what is not finished is in one place."""

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.classroom import lock
from autograder.core.errors import ConfigurationError

HOLD = """\
import sys, time
from pathlib import Path
from autograder.classroom import lock
with lock.hold(Path(sys.argv[1])) as held:
    print(held.drafts, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def another(tmp_path):
    """Another process that holds tmp_path/out; give it and its drafts."""
    out = tmp_path / "out"
    process = subprocess.Popen([sys.executable, "-c", HOLD, out, "it's me"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield process, out, Path(process.stdout.readline().strip())
    process.kill()
    process.communicate()


def test_a_second_run_is_told_who_holds_it(another):
    process, out, _ = another
    with pytest.raises(ConfigurationError) as caught, lock.hold(out):
        pass
    said = str(caught.value)
    assert said.startswith(
        f"OUT: {out} is in use by another run: process {process.pid} on {os.uname().nodename}, since 2"
    )
    assert said.endswith(f"autograder {out} 'it'\"'\"'s me'. Wait until it has ended, or give another folder with OUT=")


def test_a_dead_run_blocks_nobody_and_leaves_no_drafts(another):
    process, out, drafts = another
    (drafts / "half").write_text("a file")
    process.send_signal(signal.SIGKILL)
    process.wait()
    with lock.hold(out) as held:
        assert list(out.glob(".drafts-*")) == [held.drafts]
        assert held.drafts != drafts
        assert list(held.drafts.iterdir()) == []
        assert held.problem == ""
        assert json.loads((out / ".lock").read_text())["pid"] == os.getpid()
    assert os.listdir(out) == [".lock"]


def test_a_child_does_not_keep_it(tmp_path):
    with lock.hold(tmp_path), subprocess.Popen(["sleep", "60"]) as child:
        pass_on = lock.hold(tmp_path)
        with pytest.raises(ConfigurationError, match="is in use"), pass_on:
            pass
        child.kill()
    child = subprocess.Popen(["sleep", "60"])
    try:
        with lock.hold(tmp_path):
            pass
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "\0" * 100])
def test_a_holder_that_has_not_written_down_who_it_is(tmp_path, text):
    with lock.hold(tmp_path):
        (tmp_path / ".lock").write_text(text)
        with pytest.raises(ConfigurationError, match=r"is in use by another run\. Wait"), lock.hold(tmp_path):
            pass


def test_a_disk_without_locks_is_told(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with lock.hold(tmp_path) as held:
        assert held.problem == (
            f"{tmp_path} cannot be locked (No locks available): do not grade into it from two terminals at once"
        )


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.EACCES, "Make it writable, or give another folder"), (errno.ENOSPC, "Make room on this disk")],
)
def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch, number, remedy):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    said = rf"OUT: {tmp_path} cannot be written to: {os.strerror(number)}\. {remedy}$"
    with pytest.raises(ConfigurationError, match=said), lock.hold(tmp_path):
        pass


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file/deeper"):
        said = r"cannot be made: .*\. Make it writable, or give another folder"
        with pytest.raises(ConfigurationError, match=said), lock.hold(out):
            pass


@pytest.mark.parametrize(
    ("source", "out", "problem"),
    [
        (
            "a",
            "a",
            r"a is inside the submissions \(\S+/a\): results would be taken for hand-ins\. .* OUT=\S+/a-results$",
        ),
        ("a", "a/ann/deep", "deep is inside the submissions"),
        ("a", "link/results", "link/results is inside the submissions"),
        ("link", "a/results", "a/results is inside the submissions"),
        ("a", "b/../a/results", "is inside the submissions"),
        ("a/ann", "a", r"a holds the submissions \(\S+/a/ann\): results would be written among them"),
        ("a", ".", "holds the submissions"),
        ("a", "ab", None),
        ("a", "b", None),
        ("a/ann/toy.py", "a", None),
    ],
)
def test_apart_from_the_hand_ins(tmp_path, source, out, problem):
    (tmp_path / "a/ann").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    (tmp_path / "a/ann/toy.py").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    if problem is None:
        lock.keep_apart(tmp_path / source, tmp_path / out)
        return
    with pytest.raises(ConfigurationError, match=problem):
        lock.keep_apart(tmp_path / source, tmp_path / out)
