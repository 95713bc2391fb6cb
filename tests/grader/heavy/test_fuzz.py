"""What ``make fuzz`` runs for minutes still runs, for seconds."""

import os
import subprocess
import sys

import pytest

from tests.grader.support import ROOT


@pytest.mark.parametrize("name", ["archive", "wire"])
def test_nothing_breaks_at_once(name):
    command = [sys.executable, "-m", "pytest", "-q", f"tests/grader/fuzz/test_fuzz_{name}.py"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "FUZZ_SECONDS": "10"}, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout
