"""The engine as `pip install .` installs it: another homework is graded and packed, far from the checkout."""

import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from tests.grader.support import ROOT

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run a command of the engine from the wheel, on a copy of the second homework, in a folder of its own."""
    root = tmp_path_factory.mktemp("installed")
    (root / "checkout").mkdir()
    for name in ("autograder", "requirements"):
        shutil.copytree(ROOT / name, root / "checkout" / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, root / "checkout")
    build = [sys.executable, "-m", "uv", "build", "--quiet", "--wheel", "--out-dir", str(root), "--no-python-downloads"]
    built = subprocess.run([*build, str(root / "checkout")], capture_output=True, text=True, timeout=300)
    assert built.returncode == 0, built.stderr
    (wheel,) = root.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(root / "site")
    shutil.rmtree(root / "checkout")
    shutil.copytree(ROOT / "examples/softmax", root / "hw", ignore=shutil.ignore_patterns("__pycache__", "dist"))
    (root / "elsewhere").mkdir()

    def run(*words):
        command = [sys.executable, "-m", "autograder", "--config", "../hw/config.yaml", *words]
        environment = {**os.environ, "PYTHONPATH": str(root / "site")}
        done = subprocess.run(
            command, cwd=root / "elsewhere", env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout, root

    return run


def test_a_class_is_graded(run):
    said, root = run("grade", "../hw/softmax.py")
    assert "20 of 20" in said
    assert (root / "elsewhere/results/softmax/page.html").exists()


def test_the_tests_are_proved(run):
    assert "all as it should be" in run("verify")[0]


def test_students_and_the_platform_get_their_files(run):
    _, root = run("assignment")
    run("handout")
    assert "Autograder points        20" in run("bundle")[0]
    with zipfile.ZipFile(root / "hw/dist/autograder.zip") as archive:
        assert {"setup.sh", "requirements/grading.txt", "autograder/__main__.py", "softmax.py"} < set(
            archive.namelist()
        )
