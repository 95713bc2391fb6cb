"""What is known about a test function while its cases are still running."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

from autograder.core.outcomes import CaseResult, Diagnosis, TestResult
from autograder.grading.diagnose.evidence import Evidence

MOST_EVIDENCE = 8
"""How many wrong cases of one test the diagnosis gets. It names a mistake only if it explains all of them."""


@dataclass
class Record:
    """One test function: how its cases ended so far, and the evidence of what is wrong."""

    name: str
    title: str
    subject: str | None
    cases: list[CaseResult] = field(default_factory=list)
    seconds: float = 0.0
    evidence: list[Evidence] = field(default_factory=list)
    diagnosis: Diagnosis | None = None

    def witness(self, evidence: Sequence[Evidence]) -> None:
        """Keep what the diagnosis needs to know of the last case, if it is one of the first that are wrong."""
        kinds = {one.kind == "raised" for one in evidence}
        if sum((one.kind == "raised") in kinds for one in self.evidence) < MOST_EVIDENCE:
            self.evidence += [dataclasses.replace(one, case=self.cases[-1].case) for one in evidence]

    def result(self) -> TestResult:
        """Return what came out."""
        return TestResult(self.name, self.title, self.subject, tuple(self.cases), self.seconds, self.diagnosis)
