"""The calls to one worker, kept for the diagnosis after the results themselves are gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograder.grading.calls import Call, Handle
from autograder.grading.diagnose.evidence import Evidence, Made, Step

MOST_BYTES = 1 << 20
"""Larger results are not kept. Right results in tests of values are much smaller."""


MOST_PASSED = 12
"""How many right results of one test are kept. They distinguish mistakes that give the same wrong results."""


class History:
    """The calls to one worker, in order. An argument that never left the worker is named by the call that made it."""

    def __init__(self) -> None:
        self._steps: list[Step] = []
        self._made: dict[Handle, Made] = {}
        self._numbers: dict[int, tuple[Call, int]] = {}
        self.passed: list[Evidence] = []

    def add(self, calls: Sequence[Call]) -> None:
        """Add those of `calls` that were not added since `forget_calls`."""
        for call in calls:
            if id(call) in self._numbers:
                continue
            self._numbers[id(call)] = call, len(self._steps)
            args = tuple(self._kept(value) for value in call.args)
            kwargs = {name: self._kept(value) for name, value in call.kwargs.items()}
            self._steps.append(Step(call.function, args, kwargs))
            for place, result in enumerate(call.results):
                if isinstance(result, Handle):
                    self._made[result] = Made(len(self._steps) - 1, place)

    def forget_calls(self) -> None:
        """Forget the call objects. Calls that are added later are new ones."""
        self._numbers.clear()

    def clear(self) -> None:
        """Start again with a new worker."""
        self._steps, self._made, self.passed = [], {}, []
        self.forget_calls()

    def evidence(
        self, calls: Sequence[Call], call: Call, kind: str, name: str, got: object, expected: object, tolerance: float
    ) -> Evidence | None:
        """Return what the diagnosis needs to know of a wrong result of `call`; None if that call is not known."""
        self.add(calls)
        if id(call) not in self._numbers:
            return None
        steps = tuple(self._steps[: self._numbers[id(call)][1] + 1])
        place = next((place for place, result in enumerate(call.results) if result is got), None)
        shape = got.shape if isinstance(got, np.ndarray) else None
        if isinstance(got, np.ndarray) and got.nbytes > MOST_BYTES:
            got, place = None, None
        after = call.inputs_after if kind in ("changed", "shared", "public") else ()
        alone = len(call.names) == 1
        return Evidence("", kind, steps, name, place, got, expected, tolerance, after, call.shares, shape, alone)

    def evidence_of_raised(self, calls: Sequence[Call], call: Call, said: str) -> Evidence:
        """Return what the diagnosis needs to know of a call that raised."""
        self.add([*calls, call])
        return Evidence("", "raised", tuple(self._steps[: self._numbers[id(call)][1] + 1]), "", None, said, None, 0.0)

    def note_passed(self, calls: Sequence[Call], call: Call, name: str, got: object, tolerance: float) -> None:
        """Keep a right result, if it is one of the first."""
        if len(self.passed) < MOST_PASSED:
            evidence = self.evidence(calls, call, "values", name, got, None, tolerance)
            if evidence is not None and evidence.result is not None:
                self.passed.append(evidence)

    def _kept(self, value: Any) -> Any:
        return self._made.get(value, value) if isinstance(value, Handle) else value
