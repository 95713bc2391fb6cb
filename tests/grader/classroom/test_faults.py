"""Disks that fill up, Ctrl-C and kill -9 at any operation on a file: no wrong grade, and the next run is whole."""

import subprocess
import sys

import pytest

from tests.grader.support import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at descriptors in /proc")


def faults(*options):
    command = [sys.executable, "-m", "tests.grader.support.faults", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_some_operations():
    done = faults("--stub", "--most", "5")
    assert (done.returncode, done.stdout, done.stderr) == (0, "10 faults, 0 with violations\n", "")


@pytest.mark.heavy
def test_many_operations():
    done = faults("--stub", "--most", "200")
    assert (done.returncode, done.stdout, done.stderr) == (0, "400 faults, 0 with violations\n", "")


@pytest.mark.heavy
def test_some_operations_of_real_gradings():
    done = faults("--most", "8")
    assert (done.returncode, done.stdout, done.stderr) == (0, "16 faults, 0 with violations\n", "")
