"""A journal that knows results which a test makes up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from autograder.classroom.journal import Journal
from autograder.grading.grader import Grade


def journal_with(out: Path, name: str, grade: Grade, content: dict[str, Any]) -> Journal:
    """Write these results for `name` into `out`, as a run does; return the journal."""
    journal = Journal(out, out, "x")
    draft = out / "draft.json"
    draft.write_text(json.dumps(content))
    assert journal.add(name, "key", grade, draft) == grade
    return journal
