"""``make verify``: a toy homework whose tests are sound, and then, one by one, every way in which they might not be."""

import csv
import io
import json
import re
import shutil
import textwrap
from contextlib import nullcontext
from fractions import Fraction
from pathlib import Path

import pytest

from autograder.__main__ import main
from autograder.authoring import fixtures, handout, killmatrix, verify
from autograder.authoring.killmatrix import Fall, MistakeLine
from autograder.classroom import lock, terminal
from autograder.core import config
from autograder.core.errors import ConfigurationError
from autograder.grading import casefile
from autograder.grading.grader import Grade

SOLUTION = """\
def double(x):
    # BEGIN SOLUTION
    return 2 * x
    # END SOLUTION


def halve(x):
    # BEGIN SOLUTION
    return x / 2, x.shape
    # END SOLUTION


def unhalve(out, cache):
    # BEGIN SOLUTION
    return 2 * out.reshape(cache)
    # END SOLUTION
"""

CATALOGUE = """\
from types import SimpleNamespace
from .text import SOLUTION

def entry(id, function, old, new, also_fails=(), noticed_by=()):
    return SimpleNamespace(**locals())

def source(entry):
    assert SOLUTION.count(entry.old) == 1
    return SOLUTION.replace(entry.old, entry.new)

CATALOGUE = [
{entries}]
"""

TRIPLED = "entry('tripled', 'double', '2 * x', '3 * x')"
QUARTERED = "entry('quartered', 'halve', 'x / 2', 'x / 4', also_fails=('unhalve',))"
RAISING = "entry('raising', 'halve', 'return x / 2', 'return x / 0 / nothing')"
LOST = "entry('lost', 'unhalve', '2 * out', '1 * out', noticed_by=('test_unhalve',))"
SOUND = (TRIPLED, QUARTERED, RAISING, LOST)

CASES = """\
import numpy as np

def build(seed, oracle):
    draw = np.random.default_rng(seed).integers
    xs = {name: draw(1, 9, size).astype(float) for name, size in (("one", 1), ("two", 2))}
    return {"numbers": {name: {"x": x, "y": oracle.double(x), "dtype": "float64"} for name, x in xs.items()}}
"""


class Proof:
    """The toy homework with what it takes to verify it."""

    def __init__(self, toy):
        self.toy, self.root, self.config = toy, toy.root, toy.config
        content = json.loads(self.config.read_text())
        content["homework"] |= {
            "required_file": "toy.py",
            "solution": "answers/layers.py",
            "misconceptions": "wrong",
            "correct": "odd",
            "expected": "expected.yaml",
        }
        self.config.write_text(json.dumps(content))
        self.write("answers/layers.py", SOLUTION)
        self.write("answers/cases.py", CASES)
        self.write("wrong/text.py", f"SOLUTION = {SOLUTION!r}")
        self.write("odd/added.py", SOLUTION.replace("2 * x", "x + x"))
        self.write("odd/list.py", SOLUTION.replace("return 2 * x", "return sum([x, x])"))
        self.write("expected.yaml", "correct: {added: {score: 10}}")
        self.catalogue(*SOUND)
        self.draw(7)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def catalogue(self, *entries):
        listed = "".join(f"    {entry},\n" for entry in entries)
        self.write("wrong/__init__.py", CATALOGUE.replace("{entries}", listed))

    def draw(self, seed):
        home = config.load(self.config).homework
        fixtures.make_fixtures(seed, home.cases, home.oracle, home.fixtures)
        content = json.loads(self.config.read_text())
        self.config.write_text(json.dumps(content | {"fixtures": {"seed": seed}}))

    def verify(self, seed=None, follow=terminal.LineDisplay):
        return verify.verify(self.config, self.root / "out", 1, lambda total: nullcontext(follow(total)), seed)


@pytest.fixture
def proof(toy):
    return Proof(toy)


# --- sound -----------------------------------------------------------------------------------------------------------


def test_sound_tests_have_no_problems(proof, capsys):
    report = proof.verify()
    assert report.problems == ()
    assert report.graded == {"model answer": 1, "starter": 1, "correct": 2, "misconception": 4}
    assert report.seed == 7
    assert report.at_home == "public tests notice 1 of 4 misconceptions"
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [f"{done}/8" for done in range(1, 9)]
    assert {row.name: row.killers for row in report.rows} == {
        "tripled": ["test_double_example", "test_double"],
        "quartered": ["test_halve", "test_unhalve"],
        "raising": ["test_halve"],  # test_unhalve was not run, and that is not counted
        "lost": ["test_unhalve"],
    }
    assert report.rows[2].falls["test_unhalve"] == Fall("not run", 0, 2, allowed=False)
    assert report.rows[1].falls["test_unhalve"] == Fall("wrong", 2, 2, allowed=True)
    results = {path.parent.relative_to(proof.root / "out") for path in proof.root.glob("out/*/*/results.json")}
    assert {"model-answer/layers", "starter/untouched", "correct/list", "misconception/lost"} <= set(map(str, results))


@pytest.mark.heavy
def test_a_seed_on_which_a_mistake_hides(proof):
    hiding = CASES.replace("draw(1, 9, size)", "(draw(0, 1, size) if seed == 3 else draw(1, 9, size))")
    proof.write("answers/cases.py", hiding)
    proof.draw(7)
    proof.catalogue(LOST)
    before = {path.name: path.read_bytes() for path in (proof.root / "secret/arrays").iterdir()}
    report = proof.verify(seed=8)
    assert (report.problems, report.seed) == ((), 8)
    survives = "misconception lost survives: no hidden test of unhalve noticed it. Add a case that does"
    assert proof.verify(seed=3).problems == (survives,)
    assert {path.name: path.read_bytes() for path in (proof.root / "secret/arrays").iterdir()} == before
    assert json.loads(proof.config.read_text())["fixtures"] == {"seed": 7}


# --- unsound ---------------------------------------------------------------------------------------------------------


def test_every_way_in_which_tests_are_unsound(proof):
    thirds = SOLUTION.replace("x / 2", "x / 3").replace("2 * out", "3 * out")
    proof.write("answers/layers.py", thirds)
    proof.write("odd/list.py", thirds)
    proof.write("odd/declared.py", thirds)
    proof.write("expected.yaml", "correct: {declared: {score: 8, not passed: {test_halve: wrong}}}")
    proof.catalogue(
        "entry('harmless', 'double', '2 * x', 'x * 2')",
        "entry('noticed-elsewhere', 'double', 'x / 2', 'x / 4', also_fails=('halve', 'test_unhalve'))",
        "entry('cascade', 'halve', 'x / 2', 'x / 4')",
        "entry('slip', 'double', '2 * x', '3 * x', noticed_by=('test_double',))",
    )
    problems = [problem.partition(". out")[0] for problem in proof.verify().problems]
    assert problems == [
        "model answer layers: test_halve ended wrong, but should be passed",
        "model answer layers: gets 8 points, but should get 10",
        "correct list: test_halve ended wrong, but should be passed",
        "correct list: gets 8 points, but should get 10",
        "misconception harmless survives: no hidden test of double noticed it. Add a case that does",
        "misconception noticed-elsewhere survives: no hidden test of double noticed it. Add a case that does",
        "misconception cascade fails test_unhalve [one, two], but should fail tests of halve alone",
        "misconception slip fails test_double_example [all], but should fail test_double alone",
    ]


def test_a_starter_that_earns_something():
    starter = verify._Starter("starter", "untouched", Path("starter.py"))
    ended = {"test_a": verify._Ended("raised", {"one": "raised"}, ""), "test_b": verify._Ended("passed", {}, "")}
    assert list(starter.problems(Grade(Fraction(0), Fraction(9)), ended)) == []
    assert list(starter.problems(Grade(Fraction(2), Fraction(9)), ended)) == [
        "starter untouched: gets 2 points for nothing, in test_b"
    ]


def test_a_score_that_was_declared_must_be_met():
    right = verify._Right("correct", "slow", Path("slow"), Fraction(95), {"test_speed": "too slow"})
    ended = {"test_speed": verify._Ended("too slow", {"all": "too slow"}, "")}
    assert list(right.problems(Grade(Fraction(95), Fraction(100)), ended)) == []
    assert list(right.problems(Grade(Fraction(94), Fraction(100)), ended)) == [
        "correct slow: gets 94 points, but should get 95"
    ]
    faster = {"test_speed": verify._Ended("passed", {"all": "passed"}, "", 2.5)}
    assert list(right.problems(Grade(Fraction(95), Fraction(100)), faster)) == [
        "correct slow: test_speed ended passed, but should be too slow. It took 2.5 times the model answer's time. "
        "`make bench` measures where speed.full_ratio and speed.none_ratio belong."
    ]


def test_what_a_machine_cannot_measure_is_no_problem():
    right = verify._Right("correct", "slow", Path("slow"), Fraction(95), {"test_speed": "too slow"})
    ended = {"test_speed": verify._Ended("not measured", {"all": "not measured"}, "")}
    assert list(right.problems(Grade(Fraction(100), Fraction(100)), ended)) == []


@pytest.mark.heavy
def test_a_broken_test(proof):
    hidden = next((proof.root / "secret").glob("test_*.py"))
    hidden.write_text(hidden.read_text().replace("np.array([2.0]))", "np.array([2.0]))\n    1 / 0"))
    proof.catalogue(TRIPLED)
    report = proof.verify()
    assert report.rows == ()  # the matrix has nothing to say about a submission without results
    problems = [problem.partition(": grader fault: test_halve: ZeroDivisionError")[0] for problem in report.problems]
    assert problems == [
        "model answer layers",
        "correct added",
        "correct list",
        "misconception tripled",
    ]


# --- what is missing, or stopped -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("wrong/__init__.py", "import nothing_of_that_name", r"wrong: cannot be imported \(ModuleNotFoundError: "),
        ("wrong/__init__.py", "", r"wrong: has no CATALOGUE\. docs/new-homework\.md shows a catalogue"),
        ("wrong/__init__.py", "CATALOGUE = []", r"wrong: has no source\. docs/new-homework\.md"),
        (
            "wrong/__init__.py",
            "CATALOGUE = [1]\ndef source(entry): return ''",
            r"wrong: entry 1 of CATALOGUE: has no text id\. docs/new-homework\.md",
        ),
        ("expected.yaml", "{", r"expected.yaml: cannot be read \("),
        (
            "expected.yaml",
            "sample: {}",
            r"expected.yaml: cannot be read \(KeyError: 'correct'\). It should hold `correct:`",
        ),
    ],
)
def test_what_cannot_be_read_is_named(proof, name, text, complaint):
    proof.write(name, text)
    with pytest.raises(ConfigurationError, match=complaint):
        proof.verify()


@pytest.mark.heavy
def test_a_catalogue_is_forgotten(proof):
    """Two homeworks may call theirs by the same name."""
    (proof.root / "odd/list.py").unlink()
    for name, entry in (("tripled", TRIPLED), ("lost", LOST)):
        proof.catalogue(entry)
        assert [row.name for row in proof.verify().rows] == [name]


def test_an_interrupted_run_leaves_nothing_behind(proof, tmp_path, monkeypatch):
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))

    class Interrupting(terminal.LineDisplay):
        def graded(self, name, grade):
            assert list((tmp_path / "scratch").glob("verify-*"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        proof.verify(follow=Interrupting)
    assert not list((tmp_path / "scratch").glob("verify-*"))


# --- without speed ---------------------------------------------------------------------------------------------------


def test_tests_of_speed_are_left_out(tmp_path, request):
    settings = config.load(request.config.rootpath / "config.yaml")
    speed = settings.speed_tests
    assert speed
    rest = config.load(verify.without_speed(settings, tmp_path))
    assert list(rest.tests) == [name for name in settings.tests if name not in speed]
    assert rest.total_points == settings.total_points - sum(settings.tests[name].points for name in speed)
    assert rest.homework.model_copy(update={"hidden_tests": settings.homework.hidden_tests}) == settings.homework
    assert (rest.limits, rest.tolerances) == (settings.limits, settings.tolerances)


def test_what_is_left_of_a_test_file_keeps_its_lines(toy):
    toy.set_tests(
        hidden=textwrap.dedent(
            """\
            import pytest

            @pytest.mark.cases("numbers")
            def test_double_speed(race, case):
                race()

            def test_double(student):
                pass
            """
        ),
        test_double_example=1,
        test_double_speed=1,
        test_double=1,
    )
    rest = config.load(verify.without_speed(config.load(toy.config), toy.root))
    (path,) = rest.homework.hidden_tests.glob("test_*.py")
    assert path.read_text() == "import pytest\n\n\n\n\n\ndef test_double(student):\n    pass\n"


# --- fixtures, configuration and handout -----------------------------------------------------------------------------


@pytest.fixture
def handed_out(proof, monkeypatch):
    """Stand in for the handout, which the toy homework has not got; return the list of files that are stale."""
    (proof.root / "assignment").mkdir()
    stale: list[str] = []

    def disagreement(config_path, folder):
        problem = f"not what its sources make: {', '.join(stale)}"
        return ConfigurationError("assignment", "", problem, "Run `make assignment` first") if stale else None

    monkeypatch.setattr(handout, "disagreement", disagreement)
    return stale


def test_what_agrees(proof, handed_out):
    assert verify.disagreements(proof.config, proof.root) == []


def test_the_handout_of_a_part_is_made_from_the_main_file(proof, handed_out):
    handed_out += ["extras.py"]
    part = proof.config.with_name("extras.yaml")
    shutil.copy(proof.config, part)
    assert verify.disagreements(part, proof.root / "assignment") == []
    assert len(verify.disagreements(proof.config, proof.root / "assignment")) == 1


def test_what_does_not(proof, handed_out):
    content = json.loads(proof.config.read_text())
    proof.config.write_text(json.dumps(content | {"fixtures": {"seed": 9}}))
    proof.write("answers/oracle.py", SOLUTION + "\n")
    proof.write("answers/cases.py", CASES + "\n")
    handed_out += ["layers.py", "README.md"]
    assert verify.disagreements(proof.config, proof.root / "assignment") == [
        "config.yaml: fixtures.seed: says 9, but the fixtures were drawn from seed 7. "
        "Run `make fixtures`, then `make verify`.",
        "oracle.py: has changed since the fixtures were made. Run `make fixtures`, then `make verify`.",
        "cases.py: has changed since the fixtures were made. Run `make fixtures`, then `make verify`.",
        "assignment: not what its sources make: layers.py, README.md. Run `make assignment` first",
    ]


def test_a_handout_that_is_not_made_yet_is_no_problem(proof, handed_out):
    handed_out.append("layers.py")
    (proof.root / "assignment").rmdir()
    assert verify.disagreements(proof.config, proof.root / "assignment") == []


def test_a_fixture_file_that_was_changed(proof, handed_out):
    (proof.root / "secret/arrays/numbers.npz").write_bytes(b"")
    with pytest.raises(ConfigurationError, match=f"numbers.npz: is not the file that {casefile.MANIFEST}"):
        verify.disagreements(proof.config, proof.root)


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def command(proof, handed_out, capsys):
    def command(*arguments):
        out = proof.root / "verified"
        status = main(["--config", str(proof.config), "verify", "--out", str(out), "--jobs", "1", *arguments])
        return status, capsys.readouterr().out, out

    return command


def test_two_proofs_do_not_share_a_folder(command, proof, capsys):
    with lock.hold(proof.root / "verified"):
        assert command()[0] == 2


def test_the_command_shows_and_writes_the_matrix(command, proof):
    proof.catalogue(QUARTERED, RAISING)
    status, said, out = command()
    assert status == 0
    assert "seed 7: 1 model answer, 1 starter, 2 correct, 2 misconception: all as it should be." in said
    for matrix in (said, (out / "verify.txt").read_text()):
        assert "halve: 2 misconceptions" in matrix
        assert "quartered also fails test_unhalve" in matrix
    with (out / "verify.csv").open() as file:
        rows = {row["misconception"]: row for row in csv.DictReader(file)}
    assert rows["quartered"] == {
        "misconception": "quartered",
        "function": "halve",
        "test_double_example": "passed",
        "test_double": "passed",
        "test_halve": "1/1",
        "test_unhalve": "2/2",
    }
    assert rows["raising"]["test_unhalve"] == "not run"


@pytest.mark.heavy
def test_the_command_goes_through_seeds_and_fails_for_any_problem(command, proof, handed_out):
    handed_out.append("layers.py")
    proof.catalogue("entry('harmless', 'double', '2 * x', 'x * 2')")
    status, said, out = command("--seeds", "3 4")
    assert status == 1
    first, *rest = [line for line in said.splitlines() if line.startswith(("PROBLEM", "seed"))]
    assert [rest.pop(2), rest.pop(4)] == [f"seed {seed}: public tests notice 0 of 1 misconceptions" for seed in (3, 4)]
    assert first.startswith("PROBLEM: assignment: not what its sources make: layers.py")
    survives = "PROBLEM: misconception harmless survives: no hidden test of double noticed it. Add a case that does"
    assert [rest[0], rest[2]] == [survives, survives]
    for line, seed in zip((rest[1], rest[3]), (3, 4), strict=True):
        assert line.startswith(f"seed {seed}: 1 model answer, 1 starter, 2 correct, 1 misconception: problems: 1. ")
    assert (out / "seed-3" / "verify.csv").read_text() == (out / "seed-4" / "verify.csv").read_text()
    assert "double: 1 misconceptions" not in said  # the matrix is not on the screen


# --- the matrix ------------------------------------------------------------------------------------------------------


def drawn(*rows, width=100):
    from rich.console import Console

    terminal = io.StringIO()
    console = Console(width=width, record=True, file=terminal, color_system="standard", force_terminal=True)
    for table in killmatrix.tables(rows, lambda test: test.split("_")[1]):
        console.print(table)
    return console.export_text(), terminal.getvalue()


def falls(**marks):
    known = {
        "all": Fall("wrong", 2, 2, allowed=True),
        "some": Fall("partly", 1, 2, allowed=True),
        "stray": Fall("partly", 1, 2, allowed=False),
        "passed": Fall("passed", 0, 2, allowed=True),
        "not_run": Fall("not run", 0, 2, allowed=False),
    }
    return {test: known[mark] for test, mark in marks.items()}


def test_the_matrix_can_be_read():
    plain, coloured = drawn(
        MistakeLine("one-thing", "a", falls(test_a="all", test_a_own_forward="some", test_b="passed")),
        MistakeLine("another", "a", falls(test_a="passed", test_a_own_forward="not_run", test_b="stray")),
        MistakeLine("third", "b", falls(test_a="passed", test_a_own_forward="passed", test_b="some")),
    )
    lines = [" ".join(line.split()) for line in plain.splitlines() if line.strip()]
    assert lines == [
        "a: 2 misconceptions",
        "own",
        "values forward",
        lines[3],  # a rule
        "one-thing ● ◐",
        "another ·",
        "noticed, of 2 1 1",
        "another also fails test_b",
        "b: 1 misconceptions",
        "values",
        lines[10],
        "third ◐",
        "noticed, of 1 1",
        killmatrix.LEGEND.replace("   ", " "),
    ]
    assert "\x1b[1;31manother" in coloured  # survives
    assert "\x1b[1;31mtest_b" in coloured  # not declared
    assert re.search(r"\x1b\[32m +●", coloured)


@pytest.mark.parametrize("width", [80, 150])
def test_the_matrix_fits_the_terminal(width):
    tests = {
        f"test_a_{aspect}": "some"
        for aspect in ("example", "shape", "dx", "dw", "db", "slopes", "dtype", "inputs", "state", "ties")
    }
    plain, _ = drawn(MistakeLine("a-rather-long-name-of-a-misconception", "a", falls(**tests)), width=width)
    assert all(len(line) <= width for line in plain.splitlines())
    assert plain.count("◐") == len(tests) + 1
    assert "a-rather-long-name-of-a-misconception" in plain
