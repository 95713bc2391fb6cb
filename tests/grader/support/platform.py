"""The platform, with the toy homework's autograder in its folders."""

import contextlib
import io
import json
import os
import subprocess
import sys
import time

from autograder.core import config
from autograder.core.results import Results
from autograder.gradescope import hosted
from tests.grader.stage.submissions import metadata
from tests.grader.support import ROOT

LATE = {"grace_minutes": 15, "percent_per_day": 10, "at_most_percent": 50}
FAULT = "def test_double(student):\n    undefined\n"


class Platform:
    """The platform's folders, with the toy homework's autograder in them."""

    def __init__(self, toy, root):
        self.toy, self.root = toy, root
        for folder in ("source", "submission", "results"):
            (root / folder).mkdir(parents=True)

    def run(self, source=None, about=None, stdout=subprocess.PIPE, **environment):
        """Run it as run_autograder does; the platform wipes these folders before."""
        for folder in ("submission", "results"):
            for path in (self.root / folder).iterdir():
                path.unlink()
        return self.run_again(source, about, stdout, **environment)

    def run_again(self, source=None, about=None, stdout=subprocess.PIPE, **environment):
        """Run it where nothing was wiped."""
        self._hand_in(source, about)
        stderr = subprocess.PIPE if stdout == subprocess.PIPE else subprocess.STDOUT
        done = subprocess.run(
            self.command, cwd=ROOT, env={**os.environ, **environment}, stdout=stdout, stderr=stderr, timeout=120
        )
        self.said = ((done.stdout or b"") + (done.stderr or b"")).decode()
        return done.returncode

    def grade(self, source=None, about=None):
        """Grade in this process: the supervisor has nothing to do but to publish what was found."""
        self._hand_in(source, about)
        place = hosted.Folders(self.root)
        with contextlib.redirect_stdout(io.StringIO()) as said:
            is_graded = hosted.grade(place, config.load(self.toy.config))
        self.said = said.getvalue()
        if is_graded:
            place.draft.replace(place.results)
        return is_graded

    def _hand_in(self, source, about):
        if source != "":
            (self.root / "submission/toy.py").write_text(source or self.toy.SOLUTION)
        (self.root / "submission_metadata.json").write_text(json.dumps(metadata() if about is None else about))

    def run_out_of_time(self, **more):
        """Run a grading that hangs after its first test until its time is up; return how many seconds that were.

        There are more of them where this machine was too busy to come as far as that.
        """
        for seconds in (3, 15, 75):
            minutes = seconds / 60 / config.PLATFORM_SHARE
            self.toy.configure(limits={"platform_minutes": minutes, "submission_seconds": seconds / 2})
            status = self.run(**more)
            if status == 0 and any(test["status"] == "passed" for test in self.results["tests"]):
                break
        assert status == 0
        return seconds

    @property
    def command(self):
        words = [sys.executable, "-m", "autograder", "--config", self.toy.config, "hosted", self.root]
        return [str(word) for word in words]

    @property
    def results(self):
        content = json.loads((self.root / "results/results.json").read_text())
        Results.model_validate({**content, "total_points": None})
        return content

    def draft(self):
        """The draft of the grading that runs, as soon as it is there."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for path in (self.root / "results").glob("results.partial-*.json"):
                return path
            time.sleep(0.05)
        raise AssertionError("no draft")

    @property
    def left(self):
        return sorted(path.name for path in (self.root / "results").iterdir())
