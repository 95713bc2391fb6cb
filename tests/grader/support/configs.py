"""A small config.yaml that is accepted, and ways to change it."""

import pytest

from autograder.core import config, sections
from autograder.core.errors import ConfigurationError

GOOD = """\
title: "Sums"
total_points: 10
homework:
  required_file: sums.py
  solution: solutions/sums.py
  oracle: solutions/naive.py
  cases: solutions/cases.py
  public_tests: tests/public
  hidden_tests: tests/hidden
  fixtures: tests/hidden/fixtures
  misconceptions: solutions/misconceptions
  correct: solutions/correct
  expected: solutions/expected.yaml
  functions:
    add: [total]
    add_forward: [out, cache]
  opaque: [cache]
fixtures:
  seed: 7
tolerances: {float64: 1e-10, float32: 1.0e-4, slope: 1E-7}
limits:
  call_seconds: 10
  import_seconds: 2.5
  submission_seconds: 60
  platform_minutes: 10
  memory_mib: 512
  reply_mib: 32
  archive_mib: 20
  archive_files: 200
  example_calls: 1500
isolation:
  without_seccomp: warn
speed: {full_ratio: 3, none_ratio: 30, rounds: 11}
tests:
  test_add_example: {points: 2.5, feedback: values}
  test_add: {points: 3}
  test_add_forward: {points: 4.5, feedback: verdict, visibility: after_due_date}
"""


def archive_limits(total_bytes, files):
    """Return limits of archives alone, of which a test may want less than a whole MiB."""
    return sections.Limits.model_construct(archive_mib=total_bytes / 2**20, archive_files=files)


def load(path, *changes, text=GOOD):
    """Load the good file with some of its text replaced."""
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} is not in the file once"
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return config.load(path)


def refused(path, *changes, text=GOOD):
    """Return the messages with which it is refused, line by line."""
    with pytest.raises(ConfigurationError) as error:
        load(path, *changes, text=text)
    return str(error.value).splitlines()
