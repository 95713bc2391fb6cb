"""What tests of hand-ins share: they are read into an empty folder."""

import pytest

from autograder.core.errors import BadSubmission
from autograder.intake import submission
from autograder.intake.submission import ArchiveLimits
from tests.grader.support.handins import make_folder, make_zip, with_code

LIMITS = ArchiveLimits(total_bytes=20 << 20, files=200)


@pytest.fixture
def into(tmp_path):
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


@pytest.fixture
def read(into):
    def read(path, limits=LIMITS):
        return submission.read(path, into, required="layers.py", limits=limits)

    return read


@pytest.fixture
def refusal(read, into):
    """What a student reads; nothing may have been written."""

    def refusal(path, limits=LIMITS):
        with pytest.raises(BadSubmission) as caught:
            read(path, limits)
        assert not list(into.iterdir())
        return caught.value.message

    return refusal


@pytest.fixture(params=["zip", "folder"])
def handed_in(request, tmp_path):
    """Hand in the same things as a zip and as a folder; returns the path, and what messages call it."""

    def handed_in(*members):
        pairs = with_code(members)
        if request.param == "zip":
            return make_zip(tmp_path / "hw.zip", pairs), "hw.zip"
        (tmp_path / "hw").mkdir()
        return make_folder(tmp_path / "hw", pairs), "the submission"

    return handed_in
