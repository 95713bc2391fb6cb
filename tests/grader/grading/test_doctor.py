"""The doctor starts a real worker and says what it found."""

import subprocess
import sys

from autograder.grading import doctor
from autograder.sandbox import isolation, launcher
from tests.grader.support import ROOT
from tests.grader.support.toy import limits


def test_every_layer_is_reported():
    diagnosis = doctor.examine(limits())
    assert [finding.name for finding in diagnosis.findings] == [layer.name for layer in isolation.LAYERS]
    for finding in diagnosis.findings:
        assert finding.holds == (finding.reason == "")
        assert finding.holds == (finding.remedy == "")


def test_a_missing_layer_comes_with_reason_and_remedy(monkeypatch):
    class Weaker(launcher.Sandbox):
        def __init__(self, **limits):
            super().__init__(**limits, without={"seccomp"})

    monkeypatch.setattr(doctor, "Sandbox", Weaker)
    diagnosis = doctor.examine(limits())
    (seccomp,) = [finding for finding in diagnosis.findings if finding.name == "seccomp"]
    assert not seccomp.holds
    assert seccomp.reason == "switched off"
    assert seccomp.remedy == "use Linux on x86-64 or aarch64 with seccomp enabled"
    assert "grade only what you trust" in diagnosis.level


def test_the_command_prints_a_line_for_each_layer_and_a_verdict():
    done = subprocess.run(
        [sys.executable, "-m", "autograder", "doctor"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    *layers, _, verdict = done.stdout.splitlines()
    for layer in isolation.LAYERS:
        assert any(layer.name in line for line in layers)
    assert verdict.startswith("Isolation here: ")
