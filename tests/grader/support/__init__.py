"""What tests of several packages need. No test is in here."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
"""The checkout."""

SUBMISSIONS = ROOT / "tests" / "grader" / "submissions"
"""Whole submissions: a sample class, right ones that are oddly written, fast and slow ones."""
