"""What tests of config.yaml share: a folder with a small homework."""

import pytest


@pytest.fixture
def homework(tmp_path):
    """A folder with a small homework; returns its config.yaml, not yet written."""
    for name, text in {
        "solutions/sums.py": "",
        "solutions/naive.py": "",
        "solutions/cases.py": "",
        "tests/public/test_add.py": "def test_add_example(layers): ...\n",
        "tests/hidden/test_add.py": "def helper(): ...\n\ndef test_add(): ...\n\ndef test_add_forward(): ...\n",
        "tests/hidden/helpers.py": "def test_of_no_test_file(): ...\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path / "config.yaml"
