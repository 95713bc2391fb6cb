"""What is uploaded to Gradescope: what is in it, what is refused, how it is set up, and that it grades as we do."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from autograder.authoring.bundle import pack
from autograder.core import config
from autograder.core.errors import ConfigurationError
from tests.grader.stage.__main__ import differences
from tests.grader.stage.submissions import metadata
from tests.grader.support import ROOT, SUBMISSIONS

SCRIPTS = ROOT / "autograder" / "authoring" / "bundle"
SAMPLE = SUBMISSIONS / "sample"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    path = tmp_path_factory.mktemp("bundle") / "dist" / "autograder.zip"
    pack.pack(ROOT / "config.yaml", path)
    return path


@pytest.fixture(scope="module")
def unpacked(bundle):
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(bundle.parent / "source")
    return bundle.parent / "source"


@pytest.fixture
def homework(tmp_path):
    """A copy of the homework, to be spoiled."""
    for folder in ("solutions", "tests/public", "tests/hidden"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "config.yaml", tmp_path)
    return tmp_path / "config.yaml"


# The zip.


@pytest.fixture
def touched(homework):
    """The copy of the homework, with other times and modes, and with files that are not packed."""
    for path in homework.parent.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o700)
    (homework.parent / "solutions/__pycache__").mkdir()
    (homework.parent / "solutions/notes.txt").touch()
    return homework


def test_the_same_files_whenever_it_is_packed(bundle, touched):
    with zipfile.ZipFile(bundle) as archive:
        packed = {name: archive.read(name) for name in archive.namelist()}
    assert pack.contents(touched, config.load(touched)) == packed


@pytest.mark.heavy
def test_the_same_bytes_whenever_it_is_packed(bundle, touched, tmp_path):
    pack.pack(touched, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == bundle.read_bytes()


def test_it_is_small(bundle):
    assert bundle.stat().st_size <= 3 << 20


def test_nothing_else_is_in_it(bundle):
    with zipfile.ZipFile(bundle) as archive:
        names = archive.namelist()
    assert names == sorted(names)
    allowed = (
        r"setup\.sh|run_autograder|config\.yaml|requirements/(grading\.txt|python\.sh)|"
        r"autograder/([a-z_]+/)*[a-z_]+\.py|solutions/(cases|layers|naive|fast)\.py|solutions/misconceptions/[a-z_]+\.py|"
        r"tests/(public|hidden)/test_[a-z0-9_]+\.py|tests/hidden/fixtures/([a-z0-9_]+\.npz|manifest\.json)"
    )
    assert [name for name in names if not re.fullmatch(allowed, name)] == []
    assert {"setup.sh", "run_autograder", "autograder/sandbox/worker/__main__.py", "solutions/layers.py"} <= set(names)
    assert not any(name.startswith("autograder/authoring/bundle") for name in names)


def test_the_scripts_can_be_run(bundle):
    with zipfile.ZipFile(bundle) as archive:
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
    assert {name for name, mode in modes.items() if stat.S_IMODE(mode) == 0o755} == {"setup.sh", "run_autograder"}
    assert {stat.S_IMODE(mode) for name, mode in modes.items() if name not in pack.SCRIPTS} == {0o644}


def test_a_line_for_every_field(bundle):
    packed = pack.Packed(size=1 << 20, count=3, points=12.5, minutes=15, late=True)
    assert packed.instructions(Path("dist/autograder.zip")) == (
        "wrote dist/autograder.zip: 3 files, 1024 KB. On Gradescope:\n"
        "  Autograder points        12.5\n"
        "  Configure Autograder     Zip file upload: this file; base image Ubuntu, 22.04\n"
        "  Settings                 container timeout 15 minutes; the smallest container will do\n"
        "  Allow late submissions   yes: config.yaml says what being late costs\n"
        "docs/gradescope.md has every step."
    )


def test_its_command(toy, tmp_path):
    """The toy's hidden tests lie at a path from the root, which no zip can hold."""
    command = [
        sys.executable,
        "-m",
        "autograder",
        "--config",
        str(toy.config),
        "bundle",
        "--out",
        str(tmp_path / "b.zip"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("ConfigurationError: ")
    assert not (tmp_path / "b.zip").exists()


# What is refused.


def refused(config_path):
    with pytest.raises(ConfigurationError) as caught:
        pack.pack(config_path, config_path.parent / "b.zip")
    assert not (config_path.parent / "b.zip").exists()
    return str(caught.value)


def test_another_seed(homework):
    text = homework.read_text()
    (seed,) = re.findall(r"seed: (\d+)", text)
    homework.write_text(text.replace(f"seed: {seed}", "seed: 7"))
    assert refused(homework) == (
        f"config.yaml: fixtures.seed: says 7, but the fixtures were drawn from seed {seed}. "
        "Run `make fixtures`, then `make verify`."
    )


@pytest.mark.parametrize("name", ["cases.py", "naive.py"])
def test_a_program_that_has_changed_since(homework, name):
    with (homework.parent / "solutions" / name).open("a") as file:
        file.write("# changed\n")
    assert refused(homework) == (
        f"{name}: has changed since the fixtures were made. Run `make fixtures`, then `make verify`."
    )


def test_a_fixture_that_is_another(homework):
    (homework.parent / "tests/hidden/fixtures/im2col.npz").write_bytes(b"")
    assert "im2col.npz: is not the file that manifest.json was written for" in refused(homework)


def test_a_test_without_points(homework):
    with (homework.parent / "tests/public/test_examples.py").open("a") as file:
        file.write("\n\ndef test_im2col_twice(layers):\n    pass\n")
    assert "tests.test_im2col_twice: " in refused(homework)


def test_no_model_answer(homework):
    (homework.parent / "solutions/layers.py").unlink()
    assert "homework.solution: no such file: solutions/layers.py" in refused(homework)


def test_what_lies_elsewhere(homework, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "layers.py"
    shutil.copy(ROOT / "solutions/layers.py", elsewhere)
    homework.write_text(homework.read_text().replace("solution: solutions/layers.py", f"solution: {elsewhere}"))
    assert refused(homework) == (
        f"config.yaml: homework: {elsewhere} lies outside of {homework.parent}. Move it below the folder of this file."
    )


def test_a_path_from_the_root(homework):
    absolute = homework.parent / "solutions/layers.py"
    homework.write_text(homework.read_text().replace("solution: solutions/layers.py", f"solution: {absolute}"))
    assert refused(homework) == (
        "config.yaml: homework.solution: leads out of the folder of config.yaml. Write the path relative to that file."
    )


@pytest.mark.heavy
def test_what_the_homework_imports_goes_along(homework):
    (homework.parent / "solutions/helper").mkdir()
    (homework.parent / "solutions/helper/__init__.py").write_text("from solutions.another import number\n")
    (homework.parent / "solutions/another.py").write_text("number = 1\n")
    with (homework.parent / "solutions/misconceptions/entry.py").open("a") as file:
        file.write("\nimport solutions.helper\n")
    pack.pack(homework, homework.parent / "b.zip")
    with zipfile.ZipFile(homework.parent / "b.zip") as archive:
        assert {"solutions/helper/__init__.py", "solutions/another.py"} <= set(archive.namelist())


REMEDY = (
    "Where it grades rightly unpacked, a test needs a file that is neither Python beside it nor imported: "
    "put it into the test, or into a fixture."
)


@pytest.mark.heavy
def test_a_model_answer_that_loses_points(homework):
    with (homework.parent / "solutions/layers.py").open("a") as file:
        file.write("\n\n_right = avg_pool2d_forward\n\n\ndef avg_pool2d_forward(x, kernel_size, stride):\n")
        file.write("    out, cache = _right(x, kernel_size, stride)\n    return out.astype('f8'), cache\n")
    said = refused(homework)
    assert said.startswith("config.yaml: what would be packed does not grade rightly: the model answer gets ")
    assert " of 100 points, but should get all of them\n" in said
    assert said.endswith(f". {REMEDY}")


@pytest.mark.heavy
def test_a_test_that_needs_what_is_not_packed(homework):
    """Here the file is there: what is tried is the content of the zip."""
    (homework.parent / "tests/hidden/table.txt").write_text("1")
    test = homework.parent / "tests/hidden/test_shapes.py"
    test.write_text(f"{test.read_text()}\n\nopen(__file__.replace('test_shapes.py', 'table.txt')).close()\n")
    said = refused(homework)
    assert said.startswith("config.yaml: what would be packed does not grade rightly: ")
    assert "No such file or directory" in said
    assert "table.txt" in said


@pytest.fixture
def content():
    """What would be packed, without a try."""
    return lambda homework: set(pack.contents(homework, config.load(homework)))


def test_imports_from_beside_and_above(homework, content):
    for name, source in {
        "helper/__init__.py": "",
        "helper/deep/__init__.py": "from ..beside import number\n",
        "helper/deep/inner.py": "from . import other\nfrom .. import beside\n",
        "helper/deep/other.py": "",
        "helper/beside.py": "number = 1\n",
        "helper/unused.py": "",
    }.items():
        path = homework.parent / "solutions" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    with (homework.parent / "solutions/misconceptions/entry.py").open("a") as file:
        file.write("\nfrom ..helper.deep import inner\n")
    assert {name for name in content(homework) if "helper" in name} == {
        "solutions/helper/__init__.py",
        "solutions/helper/beside.py",
        "solutions/helper/deep/__init__.py",
        "solutions/helper/deep/inner.py",
        "solutions/helper/deep/other.py",
    }


def test_what_editors_and_macos_leave_stays_out(homework, content):
    before = content(homework)
    for folder in ("tests/hidden", "tests/public", "solutions/misconceptions"):
        (homework.parent / folder / ".#test_lock.py").symlink_to("nobody@nowhere.1:1")
        (homework.parent / folder / "._test_shapes.py").write_bytes(b"\x00\x05\x16\x07")
        (homework.parent / folder / ".ipynb_checkpoints").mkdir()
        (homework.parent / folder / ".ipynb_checkpoints/test_old.py").write_text("not Python")
    config.load(homework)
    assert content(homework) == before


# The scripts.


@pytest.mark.parametrize("name", pack.SCRIPTS)
def test_a_script_is_plain_sh(name):
    assert (SCRIPTS / name).read_bytes().startswith(b"#!/bin/sh\n")
    assert b"\r" not in (SCRIPTS / name).read_bytes()
    assert subprocess.run(["sh", "-n", SCRIPTS / name], check=False).returncode == 0


def test_the_scripts_agree_where_python_is():
    (made,) = re.findall(r"^environment=\$\{1:-(\S+)\}", (SCRIPTS / "setup.sh").read_text(), re.M)
    assert f" {made}/bin/python -m autograder hosted /autograder\n" in (SCRIPTS / "run_autograder").read_text()


def test_an_earlier_runs_results_go_first(tmp_path):
    """Whatever happens then: here nothing can be started."""
    root = tmp_path / "auto"
    (root / "results").mkdir(parents=True)
    names = ["results.json", "results.partial-1.json", ".results.partial-1.json-x", "results.partial.json", "stdout"]
    for name in names:
        (root / "results" / name).touch()
    script = re.sub(r"(?<!/opt)/autograder\b", str(root), (SCRIPTS / "run_autograder").read_text())
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert [path.name for path in (root / "results").iterdir()] == ["stdout"]


PYTHON = r"""
case "$*" in
    *'import os, sys'*) echo "yes $0" ;;
    '-m venv '*) mkdir -p "$3/bin" && ln -s "$0" "$3/bin/python" ;;
    *) echo "$*" | sed "s/--quiet.*/…/" >>"$LOG"; case "$*" in *"$FAILS"*) exit 1 ;; esac ;;
esac
"""


@pytest.fixture
def set_up(unpacked, tmp_path):
    """Run setup.sh where stand-ins play Python, apt-get and sleep; return its status, words, and what was called."""
    source = tmp_path / "source"
    shutil.copytree(unpacked, source)
    stand_ins = {"sleep": 'echo "sleep $1" >>"$LOG"', "apt-get": 'echo "apt-get $1" >>"$LOG"; exit "$APT"'}
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    for name in ("dirname", "cat", "cmp", "cp", "rm", "mkdir", "ln", "chmod", "sed", "sh"):
        (bin_folder / name).symlink_to(str(shutil.which(name)))

    def set_up(fails="nothing", apt=1, python=True):
        for name, body in {**stand_ins, **({"python3.11": PYTHON} if python else {})}.items():
            (bin_folder / name).write_text(f"#!/bin/sh\n{body}\n")
            (bin_folder / name).chmod(0o755)
        log = tmp_path / "log"
        log.write_text("")
        done = subprocess.run(
            ["/bin/sh", source / "setup.sh", tmp_path / "environment"],
            env={"PATH": str(bin_folder), "LOG": str(log), "FAILS": fails, "APT": str(apt)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.returncode, done.stdout + done.stderr, log.read_text().splitlines()

    return set_up


def test_setup(set_up, tmp_path):
    status, said, called = set_up()
    assert status == 0, said
    assert said.splitlines()[-1] == "setup.sh: ready"
    assert [call.split()[1] for call in called] == ["pip", "compileall", "autograder", "autograder"]
    assert "--require-hashes --only-binary :all: -r requirements/grading.txt" in called[0]
    assert [call.split()[2] for call in called[2:]] == ["doctor", "self-check"]
    for path in [tmp_path / "source", *(tmp_path / "source").rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0


def test_a_second_setup_installs_nothing(set_up):
    set_up()
    status, _, called = set_up()
    assert status == 0
    assert [call.split()[1] for call in called] == ["compileall", "autograder", "autograder"]


def test_an_installation_that_failed_is_tried_again(set_up):
    set_up("pip")
    status, _, called = set_up()
    assert status == 0
    assert called[0].startswith("-m pip install")


def test_without_a_python_apt_installs_one(set_up):
    status, said, called = set_up(apt=0, python=False)
    assert called == ["apt-get update", "apt-get install"]
    assert status == 1  # the stand-in has installed none
    assert "setup.sh: choose a base image with one of these Pythons: Ubuntu 22.04 has one.\n" in said


@pytest.mark.parametrize(
    ("fails", "python", "story", "tries"),
    [
        ("", False, "apt-get update failed, see above. Build the image again.", 3),
        (
            "pip",
            True,
            "the packages of requirements/grading.txt cannot be installed, see above. Build the image again.",
            3,
        ),
        ("doctor", True, "no isolated process can be started, see above.", 1),
        ("self-check", True, "this autograder does not grade rightly here, see above.", 1),
    ],
)
def test_what_goes_wrong_is_said(set_up, fails, python, story, tries):
    status, said, called = set_up(fails, python=python)
    assert status == 1
    assert said.splitlines()[-1] == f"setup.sh: {story}"
    assert len([call for call in called if (fails or "apt-get update") in call]) == tries


# It grades as we do.


@pytest.mark.parametrize(
    "folder",
    [
        pytest.param(ROOT / "solutions", marks=pytest.mark.heavy, id="full"),
        pytest.param(SAMPLE / "padding-crop-zero", marks=pytest.mark.heavy, id="partly"),
        pytest.param(SAMPLE / "syntax-error", id="nothing"),
    ],
)
def test_the_same_score_and_the_same_texts(unpacked, tmp_path, folder):
    root = tmp_path / "autograder"
    (root / "submission").mkdir(parents=True)
    shutil.copy(folder / "layers.py", root / "submission")
    (root / "submission_metadata.json").write_text(json.dumps(metadata()))
    command = [sys.executable, "-m", "autograder", "hosted", str(root)]
    done = subprocess.run(command, cwd=unpacked, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    here = json.loads((root / "results/results.json").read_text())
    command = [sys.executable, "-m", "autograder", "grade", str(root / "submission"), "--out", str(tmp_path / "home")]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, timeout=120)
    at_home = json.loads((tmp_path / "home/submission/results.json").read_text())
    assert list(differences(here, at_home)) == []
    assert here["score"] == (100 if folder.name == "solutions" else at_home["score"])
