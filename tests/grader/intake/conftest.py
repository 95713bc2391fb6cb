"""What tests of hand-ins share: they are read into an empty folder."""

import pytest

from autograder.core.errors import BadSubmission
from autograder.intake import download, submission
from tests.grader.support.configs import archive_limits
from tests.grader.support.downloads import FUNCTIONS, filled
from tests.grader.support.handins import make_folder, make_zip, with_code, zip_bytes

LIMITS = archive_limits(20 << 20, 200)


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


@pytest.fixture
def point(tmp_path):
    """Point at the same things as a folder or as a zip; return what was found."""
    scratch = iter(range(10))

    def make():
        folder = tmp_path / f"scratch-{next(scratch)}"
        folder.mkdir()
        return folder

    def point(names, form="folder", asked=None, name="Lab 3"):
        pairs = filled(names)
        place = tmp_path / (name if form == "folder" else f"{name}.zip")
        if form == "folder":
            place.mkdir()
            for file, data in pairs:
                if file.endswith("/"):
                    (place / file).mkdir(parents=True)
                else:
                    (place / file).parent.mkdir(parents=True, exist_ok=True)
                    (place / file).write_bytes(data)
        else:
            place.write_bytes(zip_bytes(pairs))
        return download.read(place, "layers.py", make, asked=asked, functions=FUNCTIONS)

    return point


@pytest.fixture
def copied(tmp_path):
    """Return the files of a hand-in as the worker sees them, or what its student reads."""
    copies = iter(range(100))

    def copied(entry):
        into = tmp_path / f"copy-{next(copies)}"
        into.mkdir()
        try:
            taken = submission.read(entry.path, into, required="layers.py", limits=archive_limits(20 << 20, 200))
        except BadSubmission as refusal:
            return refusal.message
        return {name: (into / name).read_bytes() for name in taken.files}

    return copied
