"""What tests of grading on the platform share: its folders, and a grading that hangs."""

import pytest

from tests.grader.support.platform import Platform

HANGING = "import time\ndef test_double(student):\n    student.double(1)\n    time.sleep(60)\n"


@pytest.fixture
def platform(toy, tmp_path):
    return Platform(toy, tmp_path / "auto grader")


@pytest.fixture
def hangs(platform, toy):
    """A grader that hangs in its second test."""
    toy.set_tests(hidden=HANGING, test_double_example=1, test_double=2)
    toy.configure(attempts={"per_day": 3})
    return platform
