"""A homework of two parts: its handout, its bundle and its fixtures have both."""

import json
import subprocess
import sys
import zipfile

import pytest

from autograder.__main__ import main
from autograder.authoring import handout
from autograder.authoring.bundle import pack
from autograder.core import config
from autograder.core.errors import ConfigurationError
from tests.grader.support import ROOT
from tests.grader.support.parts import SECOND, add_second
from tests.grader.support.toy import SOLUTION


def marked(source):
    """Mark the body of every function as the solution."""
    lines = []
    for line in source.splitlines():
        inside = line.startswith("    ")
        lines += ["    # BEGIN SOLUTION", line, "    # END SOLUTION"] if inside else [line]
    return "\n".join(lines) + "\n"


@pytest.fixture
def parts(toy):
    add_second(toy)
    home = {**json.loads(toy.config.read_text())["homework"], "hidden_tests": "secret"}  # a zip can hold that
    toy.configure(homework={key: home[key] for key in home if key not in ("misconceptions", "correct", "expected")})
    (toy.root / "answers/toy.py").write_text(marked(SOLUTION))
    (toy.root / "second/second.py").write_text(marked(SECOND))
    return toy


def test_students_get_both_starters_and_both_files_of_tests(parts, tmp_path):
    out = tmp_path / "out"
    (parts.root / "second/handout").mkdir()
    (parts.root / "second/handout/README.md").write_text("# {{ title }}\n\n{{ points }}")
    (parts.root / "answers/handout").mkdir()
    (parts.root / "answers/handout/README.md").write_text("{{ title }}\n{{ parts }}")
    written = {path.name for path in handout.write(parts.config, out)}
    assert written == {"toy.py", "test_public.py", "README.md", "second.py", "test_second.py", "second.md"}
    assert 'raise NotImplementedError("flip is not implemented yet")' in (out / "second.py").read_text()
    assert (out / "README.md").read_text() == (
        "Doubles and halves\n\n### Part 2\n\n`second.py` is another part of the homework, for up to 6 points on top. "
        "[second.md](second.md) explains it. Hand it in beside `toy.py`; its tests are in `test_second.py`. Without "
        "it, nothing else changes.\n"
    )
    assert "worth 1 points, are in your hands: `test_second.py`." in (out / "second.md").read_text()
    (out / "toy.py").write_text(SOLUTION)
    (out / "second.py").write_text(SECOND)
    done = subprocess.run([sys.executable, "-m", "pytest", "-q"], cwd=out, capture_output=True, timeout=60)
    assert b"2 passed" in done.stdout
    parts.configure(parts={})
    assert {path.name for path in handout.write(parts.config, tmp_path / "one")} == {
        "toy.py",
        "test_public.py",
        "README.md",
    }
    assert (tmp_path / "one/README.md").read_text() == "Doubles and halves\n"


def test_students_read_that_points_within_the_total_are_missing_without_the_part(parts):
    parts.configure(parts={"second.yaml": {"points": "within"}}, total_points=16)
    assert handout.parts(config.load(parts.config)) == (
        "\n### Part 2\n\n`second.py` is another part of the homework, for 6 of these points. Hand it in beside "
        "`toy.py`; its tests are in `test_second.py`. Without it, these points are missing.\n"
    )


def test_students_get_the_questions_that_are_asked(parts, tmp_path):
    parts.configure(parts={"second.yaml": {"questions": ["flip"]}})
    out = tmp_path / "out"
    handout.write(parts.config, out)
    assert "def flip" in (out / "second.py").read_text()
    assert "shift" not in (out / "second.py").read_text()
    parts.configure(parts={"second.yaml": {"questions": ["shift"]}})
    with pytest.raises(ConfigurationError, match="has no public tests"):
        handout.write(parts.config, tmp_path)


def test_two_files_of_one_name_are_refused(parts, tmp_path):
    for folder, text in {"answers": "one", "second": "other"}.items():
        (parts.root / folder / "handout").mkdir()
        (parts.root / folder / "handout/notes.md").write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        handout.write(parts.config, tmp_path)
    assert str(caught.value) == (
        "second.yaml: the handout has notes.md already, with other content. Give the file of this part another name"
    )


@pytest.mark.heavy
def test_the_bundle_grades_both(parts, tmp_path):
    packed = pack.pack(parts.config, tmp_path / "autograder.zip")
    assert packed.points == 10
    with zipfile.ZipFile(tmp_path / "autograder.zip") as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path / "source")
    assert {"second.yaml", "second/second.py", "second/secret/test_second.py", "second/secret/arrays/moves.npz"} < names
    (parts.root / "second/second.py").write_text(marked(SECOND).replace("x + 1", "x + 2"))
    with pytest.raises(ConfigurationError, match="gets 14 of 16 points") as caught:
        pack.pack(parts.config, tmp_path / "again.zip")
    assert "test_shift_forward" in str(caught.value)
    (parts.root / "second/oracle.py").write_text(SECOND + "# changed\n")
    with pytest.raises(ConfigurationError, match=r"oracle\.py: has changed since the fixtures were made"):
        pack.pack(parts.config, tmp_path / "again.zip")


def test_what_a_part_in_a_folder_of_its_own_imports_is_packed(parts):
    """Its imports begin in the folder of its own file."""
    content = json.loads((parts.root / "second.yaml").read_text())
    home = content["homework"]
    for key in ("solution", "oracle", "cases", "public_tests", "hidden_tests", "fixtures"):
        home[key] = home[key].removeprefix("second/")
    home["misconceptions"] = "wrong.py"
    (parts.root / "second/wrong.py").write_text("import words\nfrom texts.short import hint\n")
    (parts.root / "second/words.py").write_text("")
    (parts.root / "second/texts").mkdir()
    (parts.root / "second/texts/short.py").write_text("hint = ''\n")
    (parts.root / "second/config.yaml").write_text(json.dumps(content))
    parts.configure(parts={"second/config.yaml": {}})
    names = set(pack.contents(parts.config, config.load(parts.config)))
    wanted = {"config.yaml", "second/config.yaml", "second/wrong.py", "second/words.py", "second/texts/short.py"}
    assert wanted < names


@pytest.mark.heavy
def test_fixtures_are_drawn_for_both(parts, capsys):
    cases = "def build(seed, oracle):\n    import numpy as np\n"
    inputs = "{'one': {'x': np.full(3, float(seed)), 'y': 2 * np.full(3, float(seed))}}"
    (parts.root / "answers/cases.py").write_text(f"{cases}    return {{'numbers': {inputs}}}\n")
    (parts.root / "second/cases.py").write_text(f"{cases}    return {{'moves': {inputs}}}\n")
    with pytest.raises(ConfigurationError):
        pack.pack(parts.config, parts.root / "autograder.zip")
    assert main(["--config", str(parts.config), "fixtures", "--seed", "7"]) == 2  # a seed is not replaced in JSON
    assert main(["--config", str(parts.config), "fixtures"]) == 0
    assert capsys.readouterr().out.count("1 case") == 2
    assert pack.pack(parts.config, parts.root / "autograder.zip").points == 10


@pytest.mark.heavy
@pytest.mark.parametrize("points", ["bonus", "within"])
def test_the_main_part_is_verified_alone(parts, tmp_path, points):
    parts.configure(parts={"second.yaml": {"points": points}}, total_points=16 if points == "within" else 10)
    command = [sys.executable, "-m", "autograder", "--config", str(parts.config), "verify", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert "all as it should be" in done.stdout, done.stdout + done.stderr
    assert config.load(parts.config).most_points == 16
