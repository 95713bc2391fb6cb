"""The handout: what students download is up to date, says what config.yaml says, and is packed the same every time."""

import inspect
import json
import re
import shutil
import zipfile
from fractions import Fraction
from html import unescape
from pathlib import Path
from typing import get_args

import pytest

from autograder.__main__ import main
from autograder.authoring import handout, notebook, starter
from autograder.core import config, sections, tables
from autograder.core.errors import ConfigurationError
from solutions import layers, pictures
from tests.grader.support import ROOT

CONFIG = ROOT / "config.yaml"
ASSIGNMENT = ROOT / "assignment"
README = (ASSIGNMENT / "README.md").read_text(encoding="utf-8")
NOTEBOOK = json.loads((ASSIGNMENT / "conv_pool.ipynb").read_text(encoding="utf-8"))
SETTINGS = config.load(CONFIG)
FUNCTIONS = list(SETTINGS.homework.functions)
READY_MADE = [
    ROOT / "solutions" / "handout" / name
    for name in ("conftest.py", "digits.npz", "lenet.png", "lenet.py", "pytest.ini")
]


def cells(kind):
    return ["".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == kind]


# --- up to date ------------------------------------------------------------------------------------------------------


def test_the_handout_is_up_to_date():
    assert handout.stale(CONFIG, ASSIGNMENT) == [], "run `make assignment`"


@pytest.fixture
def copy(tmp_path):
    return Path(shutil.copytree(ASSIGNMENT, tmp_path / "assignment"))


def handed_out():
    return sorted(path.relative_to(ASSIGNMENT).as_posix() for path in ASSIGNMENT.rglob("*.*") if path.is_file())


def test_editing_by_hand_is_noticed(copy):
    names = [name for name in handed_out() if not any(map(handout.LEFTOVERS.match, Path(name).parts))]
    assert {"README.md", "layers.py", "conv_pool.ipynb", "test_public.py", "requirements.txt"} < set(names)
    for name in names:
        before = (copy / name).read_bytes()
        assert b"e" in before
        (copy / name).write_bytes(before.replace(b"e", b"E", 1))
        assert handout.stale(CONFIG, copy) == [name]
        (copy / name).write_bytes(before)


def test_a_notebook_that_was_run_is_noticed(copy):
    used = json.loads(json.dumps(NOTEBOOK))
    next(cell for cell in used["cells"] if cell["cell_type"] == "code")["execution_count"] = 1
    (copy / "conv_pool.ipynb").write_text(json.dumps(used), encoding="utf-8")
    assert handout.stale(CONFIG, copy) == ["conv_pool.ipynb"]


def test_missing_and_strange_files_are_noticed(copy):
    (copy / "layers.py").unlink()
    (copy / "answers.txt").write_text("42")
    (copy / "__pycache__").mkdir()
    (copy / "__pycache__" / "layers.pyc").write_text("what trying it out leaves")
    (copy / "conv_pool.ipynb").write_text("[]")
    assert handout.stale(CONFIG, copy) == ["answers.txt", "conv_pool.ipynb", "layers.py"]


def test_the_notebook_depends_on_source_and_tests(tmp_path):
    source = tmp_path / "conv_pool.py"
    source.write_bytes((ROOT / "solutions" / "conv_pool.py").read_bytes())
    sources = starter.sources_of_tests(SETTINGS.homework.public_tests)
    tests: dict[str, dict[str, str]] = {}
    for name, text in sources.items():
        tests.setdefault(SETTINGS.subject(name) or "", {})[name] = text
    tests = {function: tests[function] for function in FUNCTIONS}
    answer = tmp_path / "layers.py"
    answer.write_bytes(SETTINGS.homework.solution.read_bytes())
    made = (ASSIGNMENT / "conv_pool.ipynb").read_bytes()
    assert notebook.is_current(made, source, tests, [answer, *READY_MADE])
    tests["im2col"]["test_im2col_example"] += "\n    assert True"
    assert not notebook.is_current(made, source, tests, [answer, *READY_MADE])
    tests["im2col"]["test_im2col_example"] = sources["test_im2col_example"]
    assert notebook.is_current(made, source, tests, [answer, *READY_MADE])
    answer.write_text(answer.read_text() + "\n# to be proved again\n")
    assert not notebook.is_current(made, source, tests, [answer, *READY_MADE])
    answer.write_bytes(SETTINGS.homework.solution.read_bytes())
    source.write_text(source.read_text() + "\n# %%\nprint()\n")
    assert not notebook.is_current(made, source, tests, [answer, *READY_MADE])


# --- refusals: the old handout stays in place ------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A copy of all that the handout is made from, with an older handout beside it."""
    for name in ("solutions", "tests/public", "tests/hidden", "requirements"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("config.yaml", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "assignment").mkdir()
    (tmp_path / "assignment" / "layers.py").write_text("older")
    monkeypatch.setattr(handout, "PROJECT", tmp_path)
    return tmp_path


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, path
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            "solutions/layers.py",
            "// stride + 1",
            "// stride + 2",
            "fails the public test test_conv_output_size_example",
        ),
        (
            "solutions/layers.py",
            "    # Forward was out = W @ cols + b, so these three are the backward pass of a linear layer.\n    db",
            "    # END SOLUTION\n    db = dout_matrix.sum(axis=1)\n    # BEGIN SOLUTION\n    db",
            "a line of the solution is also outside the markers: db = dout_matrix.sum(axis=1)",
        ),
        ("tests/public/test_examples.py", "(28, 5, 3, 2, 10)", "(28, 5, 3, 2, 11)", "fails the public test"),
        ("solutions/conv_pool.py", 'check("col2im")', 'check("col2row")', 'check("col2row"): has no public test'),
        ("solutions/conv_pool.py", 'check("col2im")', 'check("im2col")', 'check("im2col"): is there twice'),
        ("solutions/conv_pool.py", 'grader.check("col2im")', "pass", "never checks col2im, which has public tests"),
        ("solutions/handout/README.md", "{{ numpy }}**", "{{ numpi }}**", "README.md: {{ numpi }}: is no placeholder"),
        ("requirements/grading.txt", "numpy==2.2.6", "nump==2.2.6", "grading.txt: names no version"),
    ],
)
def test_what_is_not_proved_is_not_handed_out(project, capsys, file, old, new, message):
    edit(project / file, old, new)
    out = project / "assignment"
    assert main(["--config", str(project / "config.yaml"), "assignment", "--out", str(out)]) == 2
    assert message in capsys.readouterr().err
    assert [(path.name, path.read_text()) for path in out.iterdir()] == [("layers.py", "older")]


def test_a_change_of_points_needs_no_otter(project, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    command = ["--config", str(project / "config.yaml"), "assignment", "--without-otter"]
    command += ["--out", str(project / "assignment")]
    shutil.copytree(ASSIGNMENT, project / "assignment", dirs_exist_ok=True)
    edit(project / "config.yaml", "title: ", 'title: "A new title" # ')
    assert main(command) == 0
    assert (project / "assignment" / "README.md").read_text(encoding="utf-8").startswith("# A new title\n")
    edit(project / "solutions" / "conv_pool.py", "# ## 9. Hand in", "# ## 9. The end")
    assert main(command) == 3


def test_without_otter_it_says_what_to_do(project, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        ConfigurationError, match=r"otter-grader and jupytext, which are not installed. `make assignment`"
    ):
        handout.write(project / "config.yaml", project / "assignment")
    assert (project / "assignment" / "layers.py").read_text() == "older"


def test_with_another_otter_it_says_so(project, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    monkeypatch.setattr("importlib.metadata.version", lambda name: "6.1.0")
    with pytest.raises(ConfigurationError, match=r"needs otter-grader 7\.0\.\*, not 6\.1\.0"):
        handout.write(project / "config.yaml", project / "assignment")


def test_all_files_are_written_and_named(project, monkeypatch):
    made = (ASSIGNMENT / "conv_pool.ipynb").read_text(encoding="utf-8")
    monkeypatch.setattr(notebook, "make_notebook", lambda source, tests, beside: made)
    out = project / "new" / "assignment"
    written = handout.write(project / "config.yaml", out)
    assert sorted(path for path in out.rglob("*") if path.is_file()) == sorted(written)
    for path in written:
        assert path.read_bytes() == (ASSIGNMENT / path.relative_to(out)).read_bytes()
    assert handout.stale(project / "config.yaml", out) == []


# --- the zip ---------------------------------------------------------------------------------------------------------


def test_the_zip_is_small_complete_and_the_same_every_time(tmp_path, copy):
    first = handout.pack(CONFIG, ASSIGNMENT, tmp_path / "dist" / "handout.zip")
    for path in copy.rglob("*"):
        path.touch()
    second = handout.pack(CONFIG, copy, tmp_path / "again" / "handout.zip")
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_size < 1_200_000  # of it 830,000 for the digits
    assert [path.name for path in first.parent.iterdir()] == ["handout.zip"]
    with zipfile.ZipFile(first) as contents:
        names = contents.namelist()
        assert {"handout/README.md", "handout/conv_pool.ipynb", "handout/pictures/im2col.svg"} < set(names)
        assert {entry.date_time[0] for entry in contents.infolist()} == {2026}  # and not 1980
        for name in names:
            assert contents.read(name) == (ASSIGNMENT / name.removeprefix("handout/")).read_bytes()


def test_an_outdated_handout_is_not_packed(tmp_path, copy):
    archive = tmp_path / "handout.zip"
    archive.write_text("older")
    (copy / "README.md").write_text("edited")
    with pytest.raises(
        ConfigurationError, match=r"not what its sources make: README\.md\. Run `make assignment` first"
    ):
        handout.pack(CONFIG, copy, archive)
    assert archive.read_text() == "older"


def test_what_is_no_part_of_it_is_to_be_moved_away(tmp_path, copy):
    (copy / "answers.txt").write_text("42")
    problem = (
        rf"holds what is no part of the handout: answers\.txt\. Move it out of {copy.name}/; "
        r"if students should get it, put it into \S+solutions/handout/ and run `make assignment`"
    )
    with pytest.raises(ConfigurationError, match=problem):
        handout.pack(CONFIG, copy, tmp_path / "handout.zip")
    (copy / "answers.txt").unlink()
    for name in (".DS_Store", "Thumbs.db", "layers.py~", ".layers.py.swp", "desktop.ini"):
        (copy / name).write_text("")
    handout.pack(CONFIG, copy, tmp_path / "handout.zip")
    with zipfile.ZipFile(tmp_path / "handout.zip") as contents:
        assert sorted(contents.namelist()) == sorted(f"handout/{name}" for name in handed_out())


def test_a_place_that_is_no_folder(tmp_path, copy):
    (tmp_path / "dist").write_text("")
    with pytest.raises(ConfigurationError, match=r"handout\.zip: cannot be written: \S+/dist is not a folder\. Move"):
        handout.pack(CONFIG, copy, tmp_path / "dist/handout.zip")


# --- README.md: what it says is what config.yaml says ----------------------------------------------------------------


def rows(text, columns):
    """Return the rows of every table with that many columns, cells without their markup."""
    lines = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return [[unescape(cell.strip(" `")) for cell in line] for line in lines if len(line) == columns]


def test_every_test_stands_there_with_its_points():
    table = {name: points for name, points, _, _ in rows(README, 4)}
    assert {name: Fraction(points) for name, points in table.items()} == {
        name: test.points for name, test in SETTINGS.tests.items()
    }
    assert list(table) == list(SETTINGS.tests)
    titles = [title for _, _, title, _ in rows(README, 4)]
    assert all(titles)
    assert len(set(zip([SETTINGS.subject(name) for name in table], titles, strict=True))) == len(titles)


def test_the_points_of_each_function_add_up():
    generated = README.partition("## How it is graded")[2].partition("<details>")[0]
    table = {name: (Fraction(all_of_it), Fraction(own)) for name, all_of_it, own in rows(generated, 3)}
    public = starter.sources_of_tests(SETTINGS.homework.public_tests)
    assert list(table) == FUNCTIONS
    for function, (all_of_it, own) in table.items():
        names = [name for name in SETTINGS.tests if SETTINGS.subject(name) == function]
        assert all_of_it == sum(SETTINGS.tests[name].points for name in names)
        assert own == sum(SETTINGS.tests[name].points for name in names if name in public)
    assert sum(points for points, _ in table.values()) == SETTINGS.total_points
    assert f"{tables.number(SETTINGS.total_points)} points in {len(SETTINGS.tests)} tests." in generated


def with_test(name, **values):
    base = SETTINGS.tests["test_im2col"].model_copy(update=values)
    return SETTINGS.model_copy(update={"tests": {**SETTINGS.tests, name: base}})


def test_what_a_student_is_told_follows_the_settings():
    changed = with_test("test_im2col", feedback="verdict", visibility="after_due_date", points=Fraction(1, 2))
    told = {row[0]: row[1:] for row in rows(handout.points(changed), 4)}
    assert told["test_im2col"][0] == "0.5"
    assert told["test_im2col"][2] == "that it failed; shown after the due date"
    assert told["test_im2col_example"][2] == "what came out and what should have; in the handout"
    assert set(handout.TOLD) == set(get_args(sections.Feedback))
    assert set(handout.SHOWN) == set(get_args(sections.Visibility))


def test_speed_is_explained_when_a_test_is_about_it():
    section = handout.speed(SETTINGS)
    assert section in README
    assert section.startswith("### Speed\n\n20 points are for speed.")
    assert f"Up to {SETTINGS.speed.full_ratio:g} times that answer's time you get all points." in section
    assert f"Beyond {SETTINGS.speed.none_ratio:g} times you get none." in section
    told = {row[0]: row[3] for row in rows(handout.points(SETTINGS), 4)}
    fast = {name for name, said in told.items() if said == "whether it is fast enough"}
    assert fast == SETTINGS.speed_tests


def test_titles_cannot_break_the_table(toy):
    public = 'def test_double_example(layers):\n    """double: <x|y> is a*b_c.\n\n    More.\n    """\n'
    toy.set_tests(public=public, hidden="", test_double_example=1)
    assert r" \<x\|y\> is a\*b\_c |" in handout.points(config.load(toy.config))


def test_the_limits_and_versions_are_the_graders():
    pins = re.findall(r"^(numpy==(\S+) ; .+) \\$", (ROOT / "requirements" / "grading.txt").read_text(), re.MULTILINE)
    assert [line for line in (ASSIGNMENT / "requirements.txt").read_text().splitlines() if "numpy" in line[:5]] == [
        line for line, _ in pins
    ]
    pinned = pins[0][1]
    assert all(
        f"Python 3.10 to {newest}" in text for newest in ["3.15"] for text in [README, (ROOT / "README.md").read_text()]
    )
    assert f"**NumPy {pinned}**" in README
    limits = SETTINGS.limits
    assert f"may take {limits.call_seconds:g} seconds and {limits.memory_mib} MiB" in README
    assert "**Python 3.10** or newer" in README
    assert "{{" not in README


def test_the_signatures_are_those_of_the_starter():
    headings = re.findall(r"^### `(\w+)(\(.*?\))` →", README, re.MULTILINE)
    assert [name for name, _ in headings] == FUNCTIONS
    for name, signature in headings:
        parameters = inspect.signature(getattr(layers, name)).parameters.values()
        plain = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in parameters]
        assert str(inspect.Signature(plain)) == signature


@pytest.mark.parametrize("text", [README, "\n".join(cells("markdown"))], ids=["README.md", "conv_pool.ipynb"])
def test_every_picture_is_shown_and_exists(text):
    shown = re.findall(r"!\[[^\]]+\]\((.*?)\)", text)
    drawn = [f"pictures/{name}" for name in pictures.draw()]
    assert sorted(shown) == sorted([*drawn, *(["lenet.png"] if "lenet.png" in text else [])])


def test_it_can_be_read_in_ten_minutes():
    """The table of all tests is folded, and for looking things up."""
    page = re.sub(r"(?s)<details>.*?</details>", "", README)
    assert len([word for word in page.split() if re.search(r"\w", word)]) <= 1800


def test_what_a_course_decides_itself_is_in_one_place():
    policy = (ASSIGNMENT / "POLICY.md").read_text(encoding="utf-8")
    assert policy == (ROOT / "solutions" / "handout" / "POLICY.md").read_text(encoding="utf-8")
    assert "(POLICY.md)" in README
    assert "`POLICY.md`" in "\n".join(cells("markdown"))
    everything = [path for path in ASSIGNMENT.iterdir() if path.suffix in {".md", ".py", ".ipynb", ".txt"}]
    assert [path.name for path in everything if "AI assistant" in path.read_text(encoding="utf-8")] == ["POLICY.md"]


# --- conv_pool.ipynb, without running it -----------------------------------------------------------------------------


def test_every_function_is_checked_once_and_in_order():
    checks = [match[1] for cell in cells("code") if (match := notebook.CHECK.fullmatch(cell))]
    assert checks == FUNCTIONS


def test_the_notebook_holds_the_public_tests_word_for_word():
    embedded = NOTEBOOK["metadata"]["otter"]["tests"]
    sources = starter.sources_of_tests(SETTINGS.homework.public_tests)
    assert list(embedded) == sorted(FUNCTIONS)
    assert sum(text.count("@test_case(") for text in embedded.values()) == len(sources)
    for name, source in sources.items():
        assert source in embedded[SETTINGS.subject(name)]


def test_the_notebook_is_clean():
    for cell in NOTEBOOK["cells"]:
        assert cell["cell_type"] in ("code", "markdown")
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
    ids = [cell["id"] for cell in NOTEBOOK["cells"]]
    assert len(set(ids)) == len(ids)
    text = json.dumps(NOTEBOOK)
    assert not re.search(r"SOLUTION|/home/|/root/|/tmp/", text)
    starter = (ASSIGNMENT / "layers.py").read_text(encoding="utf-8")
    answer = (ROOT / "solutions" / "layers.py").read_text(encoding="utf-8")
    removed = {line.strip() for line in answer.splitlines()} - {line.strip() for line in starter.splitlines()}
    assert [line for line in removed if len(line) > 30 and line in "\n".join(cells("code"))] == []


def test_each_function_has_hints_that_are_opened_one_by_one():
    """Three of them, somewhere between the check before and its own."""
    stages = ["Hint 1: the idea", "Hint 2: the shape of each step", "Hint 3: a pitfall"]
    text = ""
    for source in ("".join(cell["source"]) for cell in NOTEBOOK["cells"]):
        text += source
        if notebook.CHECK.fullmatch(source):
            assert re.findall(r"<details><summary>(.*?)</summary>\n\n", text) == stages, source
            assert text.count("\n\n</details>") == 3
            text = ""
