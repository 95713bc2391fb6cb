"""``make fixtures``: all or nothing, and a seed that is changed without touching anything else."""

import errno
import hashlib
import json
import os
import sys

import numpy as np
import pytest
import yaml

from autograder.__main__ import main
from autograder.authoring.fixtures import make_fixtures, with_seed, write_seed
from autograder.core.errors import ConfigurationError
from autograder.grading import casefile

CASES = """
from dataclasses import dataclass
import numpy as np

@dataclass
class Spec:  # needs its module in sys.modules
    size: "int"

def build(seed, oracle):
    x = np.random.default_rng(seed).integers(0, 99, size=Spec(4).size)
    return {"double": {"plain": {"x": x, "expected": oracle.double(x)}, "again": {"x": x, "n": 2}}}
"""
ORACLE = "def double(x):\n    return x + x\n"


@pytest.fixture
def homework(tmp_path):
    (tmp_path / "cases.py").write_text(CASES)
    (tmp_path / "naive.py").write_text(ORACLE)
    return tmp_path


def make(homework, seed=7):
    return make_fixtures(seed, homework / "cases.py", homework / "naive.py", homework / "fixtures")


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def refusal(homework):
    with pytest.raises(ConfigurationError) as caught:
        make(homework)
    return caught.value


def test_fixtures_hold_what_the_oracle_says(homework):
    summary = make(homework)
    plain, again = casefile.load(homework / "fixtures")["double"]
    assert np.array_equal(plain.expected, 2 * plain.x)
    assert again.n == 2
    size = sum(len(data) for data in contents(homework / "fixtures").values())
    assert (summary.seed, summary.cases, summary.bytes) == (7, {"double": 2}, size)
    assert str(summary) == f"2 cases in 1 group from seed 7: {homework / 'fixtures'} ({size / 1024:.0f} KiB)"


def test_the_manifest_names_the_programs(homework):
    make(homework)
    manifest = (homework / "fixtures/manifest.json").read_text()
    for program in (CASES, ORACLE):
        assert hashlib.sha256(program.encode()).hexdigest() in manifest
    assert "numpy" not in manifest  # the same files, whatever version draws them


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(homework):
    make(homework)
    first = contents(homework / "fixtures")
    make(homework)
    assert contents(homework / "fixtures") == first
    make(homework, seed=8)
    assert contents(homework / "fixtures") != first


def test_what_is_old_goes(homework):
    (homework / "fixtures").mkdir()
    (homework / "fixtures/old.npz").write_bytes(b"old")
    make(homework)
    assert sorted(contents(homework / "fixtures")) == ["double.npz", "manifest.json"]


def test_nothing_is_left_behind(homework):
    before = set(sys.modules)
    make(homework)
    assert {path.name for path in homework.iterdir()} - {"__pycache__"} == {"cases.py", "naive.py", "fixtures"}
    assert {name for name in set(sys.modules) - before if name.startswith("homework")} == set()


@pytest.mark.parametrize(
    ("file", "source", "problem"),
    [
        ("cases.py", None, "raised FileNotFoundError"),
        ("naive.py", None, "raised FileNotFoundError"),
        ("cases.py", "def build(:", "raised SyntaxError"),
        ("naive.py", "import no_such_package", "raised ModuleNotFoundError"),
        ("naive.py", "", "build(seed, oracle): raised AttributeError: module 'homework_naive' has no"),
        ("cases.py", "", "build(seed, oracle): raised AttributeError"),
        ("cases.py", "def build(seed, oracle): return {'g': {'id': {'x': 0.5}}}", "g[id].x: cannot hold a float"),
        ("cases.py", "def build(seed, oracle): return None", "build(seed, oracle): raised AttributeError"),
    ],
)
def test_the_old_fixtures_stay_when_anything_fails(homework, file, source, problem):
    make(homework)
    before = contents(homework / "fixtures")
    (homework / file).unlink()
    if source is not None:
        (homework / file).write_text(source + "\n")
    error = refusal(homework)
    assert problem in str(error)
    blamed = "cases.py" if problem.startswith("build") else file
    assert error.file == str(homework / blamed)
    assert contents(homework / "fixtures") == before
    assert not [path for path in homework.iterdir() if path.name.startswith(".")]


def test_a_program_must_be_python(homework):
    with pytest.raises(ConfigurationError, match="is not a Python file"):
        make_fixtures(7, homework / "cases.txt", homework / "naive.py", homework / "fixtures")


def test_the_folder_above_must_exist(homework):
    with pytest.raises(ConfigurationError, match="cannot be written") as caught:
        make_fixtures(7, homework / "cases.py", homework / "naive.py", homework / "no/fixtures")
    assert caught.value.file == str(homework / "no/fixtures")


def test_the_old_fixtures_come_back_when_the_new_ones_cannot_be_moved(homework, monkeypatch):
    make(homework)
    before = contents(homework / "fixtures")
    rename = type(homework).rename

    def fails_for_new(self, target):
        if self.name == "new":
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(type(homework), "rename", fails_for_new)
    assert "cannot be written (Input/output error)" in str(refusal(homework))
    assert contents(homework / "fixtures") == before


# The seed in config.yaml.

CONFIG = """\
# seed: 1
homework:
  fixtures: tests/hidden/fixtures
other: {seed: 3}
%s
tolerances: {float64: 1.0e-10, seed: 5}
"""


@pytest.mark.parametrize(
    "section",
    [
        "fixtures: {seed: %s}",
        "fixtures: {seed: %s} # was seed: 4",
        "fixtures: { other: 1, seed: %s }",
        "fixtures:\n  seed: %s",
        "fixtures:\n  seed: %s # was seed: 4",
        "# seed: 4\nfixtures: # seed: 4\n\n# seed: 4\n  # seed: 4\n  other: 1\n  seed: %s\n  another: 2",
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_only_the_seed_is_written(tmp_path, section, newline):
    def text(seed):
        return (CONFIG % (section % seed)).replace("\n", newline).encode()

    path = tmp_path / "config.yaml"
    path.write_bytes(text(20260901))
    path.chmod(0o640)
    write_seed(path, with_seed(path, 12))
    assert path.read_bytes() == text(12)
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["config.yaml"]


@pytest.mark.parametrize(
    ("section", "count"),
    [
        ("", 0),
        ("fixtures:", 0),
        ("fixtures: {}", 0),
        ("fixtures: # {seed: 1}", 0),
        ("fixtures: {seed: text}", 0),
        ("fixtures: {seed: 1.5}", 0),
        ("fixtures: {my_seed: 1}", 0),
        ("fixtures:\nseed: 1", 0),
        ("fixtures:\n  seed: 1\n  seed: 2", 2),
        ("fixtures: {seed: 1}\nfixtures: {seed: 2}", 2),
    ],
)
def test_a_file_without_that_one_seed_is_left_alone(tmp_path, section, count):
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG % section)
    with pytest.raises(ConfigurationError, match=f"fixtures.seed: found {count} times, but should be there once"):
        with_seed(path, 12)
    assert path.read_text() == CONFIG % section


def test_a_config_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        with_seed(tmp_path / "config.yaml", 12)


def test_a_config_that_cannot_be_written(tmp_path, monkeypatch):
    path = tmp_path / "config.yaml"
    path.write_text("fixtures: {seed: 1}")

    def refuse(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(ConfigurationError, match=r"cannot be written \(Read-only file system\)\. Write fixtures.seed"):
        write_seed(path, b"fixtures: {seed: 2}")
    assert [(name, (tmp_path / name).read_text()) for name in os.listdir(tmp_path)] == [
        ("config.yaml", "fixtures: {seed: 1}")
    ]


@pytest.mark.parametrize("seed", ["-1", "1.5", "text", "", "1e3"])
def test_a_refused_seed_changes_nothing(toy, capsys, seed):
    before = toy.config.read_bytes()
    with pytest.raises(SystemExit) as caught:
        main(["--config", str(toy.config), "fixtures", f"--seed={seed}"])
    assert caught.value.code == 2
    said = f"argument --seed: {seed!r} should be a whole number, 0 or more; nothing has been changed"
    assert said in capsys.readouterr().err
    assert toy.config.read_bytes() == before


def test_a_seed_that_draws_nothing_is_not_kept(toy, capsys):
    (toy.root / "answers/cases.py").write_text("def build(seed, oracle):\n    raise ValueError(seed)\n")
    toy.config.write_text(yaml.safe_dump(json.loads(toy.config.read_text())))
    before = toy.config.read_bytes()
    assert main(["--config", str(toy.config), "fixtures", "--seed=7"]) == 2
    assert "raised ValueError: 7" in capsys.readouterr().err
    assert toy.config.read_bytes() == before
