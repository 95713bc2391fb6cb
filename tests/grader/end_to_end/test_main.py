"""The command line: what it prints, and the status it ends with."""

import os
import re
import signal
import subprocess
import sys

import pytest

from autograder.__main__ import main
from autograder.grading.grader import GRADED_WITH
from tests.grader.support import ROOT

FAULT = "def test_double(student):\n    undefined\n"


@pytest.fixture
def run(toy, capsys, monkeypatch):
    """Grade as the command line does; return status, lines printed and lines complained."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def run(*arguments, submissions=toy.root / "handed in", jobs=1):
        command = ["--config", toy.config, "grade", submissions, "--out", toy.root / "results", "--jobs", jobs]
        status = main([str(word) for word in [*command, *arguments]])
        out, err = capsys.readouterr()
        return status, out.splitlines(), err.splitlines()

    return run


@pytest.fixture
def without_rich(monkeypatch):
    for module in ("rich", "rich.console", "rich.table", "rich.text"):
        monkeypatch.setitem(sys.modules, module, None)


def cells(line):
    return re.split("  +", line.strip())


def test_a_class(run, toy):
    toy.hand_in(name="ann.py")
    toy.hand_in("def double(x): return 2 * x", name="ben.py")
    toy.hand_in("raise ValueError('no')", name="cleo.py")
    status, lines, errors = run()
    assert (status, errors) == (0, [])
    assert lines[1:5] == [
        f"Grading 3 from {toy.root}/handed in with {GRADED_WITH}, 1 at a time; results go to {toy.root}/results/",
        "  1/3  10 of 10  ann",
        "  2/3  4 of 10  ben",
        "  3/3  0 of 10  cleo",
    ]
    rows = [cells(line) for line in lines[5:] if re.search(r"\d\.\d *$|seconds", line)]
    assert rows[0] == ["score", "submission", "how it ended", "seconds"]
    assert [row[:3] for row in rows[1:]] == [
        ["10 of 10", "ann", "4 passed"],
        ["4 of 10", "ben", "2 passed, 1 not run, 1 wrong"],
        ["0 of 10", "cleo", "ValueError: no (toy.py, line 1)"],
    ]


def test_problems_come_before_the_table_and_the_next_step_last(run, toy):
    toy.hand_in(name="ann.py")
    toy.hand_in("def double(x): return 2 * x", name="ben.py")
    (toy.root / "roster.csv").write_text("Name,SID\nAnn,ann\nCy,\n")
    _, lines, _ = run("--roster", toy.root / "roster.csv")
    place = lines.index("Look at 2 problems:")
    assert lines[place + 1 : place + 3] == [
        "  - roster.csv: line 3 (Cy) has no id and no e-mail address: matched with no submission",
        "  - ben: nobody in the roster",
    ]
    assert place < next(place for place, line in enumerate(lines) if "how it ended" in line)
    assert any(re.match(r"10 of 10 +ann +Ann +4 passed", line.strip()) for line in lines)
    assert lines[-1] == "Next: read report.html; grades.csv has everybody's points, canvas.csv is what Canvas imports."


def test_one_submission_ends_with_its_page_and_first_mistake(run, toy):
    _, lines, _ = run(submissions=toy.hand_in("def double(x): return 2 * x"))
    assert lines[-2].startswith("First mistake: halve is not defined in toy.py")
    assert lines[-1] == f"Its page: {toy.root}/results/ann/page.html"


def test_without_rich_as_on_gradescope(run, toy, without_rich):
    toy.hand_in(name="ann.py")
    status, lines, _ = run()
    assert status == 0
    assert lines[3] == "score  submission  how it ended  seconds"
    assert re.fullmatch(r"10 of 10  ann  4 passed  \d+\.\d", lines[4])


def test_what_is_not_graded_is_not_imported():
    """The Gradescope image holds no rich, and `--help` should not wait for what it does not need."""
    code = (
        "import sys, autograder.__main__; print(sorted({'rich', 'matplotlib', 'jinja2', 'otter'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_fault_in_one_of_two(run, toy):
    hidden = "def test_double(student):\n    assert student.double(3) != 666, undefined\n"
    toy.set_tests(hidden=hidden, test_double=1, test_double_example=1)
    toy.hand_in(name="ann.py")
    toy.hand_in("def double(x): return 666 if x is 3 else 2 * x", name="ben.py")
    status, lines, _ = run()
    assert status == 0
    assert "  2/2  no grade  ben" in lines
    assert cells(next(line for line in lines if line.startswith("  no grade")))[:3] == [
        "no grade",
        "ben",
        "grader fault",
    ]
    place = lines.index("grader fault in ben, no grade was written:")
    assert re.fullmatch(
        r"test_double: NameError: name 'undefined' is not defined \(test_toy_\d+\.py, line 2\)", lines[place + 1]
    )
    assert lines[-1] == "Next: read report.html; grades.csv has all points; ROSTER=students.csv adds names."
    assert not (toy.root / "results/ben/results.json").exists()


def test_when_nothing_could_be_graded(run, toy):
    toy.set_tests(hidden=FAULT, test_double=1, test_double_example=1)
    toy.hand_in(name="ann.py")
    toy.hand_in(name="ben.py")
    status, lines, _ = run()
    assert status == 2
    assert sum(line.startswith("grader fault in ") for line in lines) == 2


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"total_points": 99}, "config.yaml: tests: points of tests add up to 10, but total_points is 99"),
        ({"unknown": 1}, "config.yaml: unknown: no such key"),
    ],
)
def test_a_bad_configuration(run, toy, change, complaint):
    toy.hand_in()
    toy.configure(**change)
    status, lines, errors = run()
    assert (status, lines) == (2, [])
    assert errors[0].startswith(f"ConfigurationError: {complaint}")
    assert not (toy.root / "results").exists()


def test_nothing_to_grade(run, toy):
    status, lines, errors = run(submissions=toy.root / "nowhere")
    assert (status, lines) == (2, [])
    assert errors == [
        f"ConfigurationError: SUBMISSIONS: {toy.root}/nowhere does not exist. Give a file or a folder of submissions"
    ]


def test_only(run, toy):
    toy.hand_in()
    status, lines, _ = run("--only", "test_double[two]")
    assert status == 0
    assert "  1/1  3 of 3  ann" in lines
    assert "only test_double[two]" in map(str.strip, lines)


@pytest.mark.parametrize(
    ("only", "status", "complaint"),
    [
        (
            "test_triple",
            2,
            "ConfigurationError: ONLY: no test is called test_triple. The tests are: ",
        ),
        (
            "test_double[tow]",
            2,
            "ConfigurationError: ONLY: no case is called test_double[tow]. Did you mean test_double[two]? The cases",
        ),
    ],
)
def test_only_what_there_is(run, toy, only, status, complaint):
    toy.hand_in()
    got, lines, errors = run("--only", only)
    assert got == status
    assert (lines, len(errors)) == ([], 1)
    assert errors[0].startswith(complaint)
    assert not (toy.root / "results").exists()


@pytest.mark.parametrize("jobs", ["0", "-1", "two", "1.5"])
def test_a_number_of_jobs(run, capsys, jobs):
    with pytest.raises(SystemExit) as caught:
        run("--jobs", jobs)
    assert caught.value.code == 2
    assert f"argument --jobs: {jobs!r} should be a whole number, 1 or more" in capsys.readouterr().err


def test_home(run, toy, monkeypatch):
    """Make hands over `~` as it is."""
    monkeypatch.setenv("HOME", str(toy.root))
    toy.hand_in()
    assert run("--out", "~/my results", submissions="~/handed in")[0] == 0
    assert (toy.root / "my results/ann/results.json").exists()


def test_names_from_strangers(run, toy):
    """They neither move the cursor, nor are markup, nor end the run because they are no text at all."""
    toy.hand_in(name="[bold]ann[red] \x1b[31m.py")
    (toy.root / "handed in" / os.fsdecode(b"b\xe4n.py")).write_text(toy.SOLUTION)
    status, lines, _ = run()
    assert status == 0
    assert lines[2:4] == ["  1/2  10 of 10  [bold]ann[red] [31m", "  2/2  10 of 10  b\ufffdn"]
    assert any("  [bold]ann[red] [31m " in line for line in lines)
    assert "\x1b" not in "".join(lines)


def test_an_interruption(run, toy):
    toy.set_tests(hidden="def test_double(student): raise KeyboardInterrupt\n", test_double=1, test_double_example=1)
    toy.hand_in()
    status, _, errors = run()
    assert status == 130
    assert errors == ["", "Interrupted. What has been graded so far is kept: the same command goes on from there."]


@pytest.fixture
def commands(capsys):
    """Every command that there is, as the program itself lists them."""
    with pytest.raises(SystemExit):
        main(["no such command"])
    (listed,) = re.findall(r"\(choose from (.*)\)", capsys.readouterr().err)
    found = re.findall(r"[\w-]+", listed)
    assert {"grade", "fixtures", "verify", "hosted", "self-check"} <= set(found)
    return found


def test_help_names_every_command(commands, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    described = re.findall(r"^    ([\w-]+)(?=\s+\w)", capsys.readouterr().out, re.MULTILINE)
    assert described == commands


def test_every_command_has_a_help_of_its_own(commands, capsys):
    for command in commands:
        with pytest.raises(SystemExit) as caught:
            main([command, "--help"])
        assert caught.value.code == 0
        assert capsys.readouterr().out.startswith(f"usage: python -m autograder {command} ")


def test_every_command_says_that_there_is_no_configuration(commands, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    needed = {"hosted": [str(tmp_path)]}
    for command in commands:
        status = main(["--config", "nowhere.yaml", command, *needed.get(command, [])])
        out, err = capsys.readouterr()
        assert status == 2, command
        assert "nowhere.yaml: cannot be read: No such file or directory." in err + out, command


def test_ctrl_c_is_quiet_from_the_first_import_on(tmp_path):
    code = "import os, signal\nprint(signal.getsignal(signal.SIGINT) is signal.SIG_DFL, flush=True)\nos._exit(0)\n"
    (tmp_path / "__future__.py").write_text(code)  # what __main__ imports first
    done = subprocess.run(
        [sys.executable, "-m", "autograder"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert (done.stdout, done.stderr) == ("True\n", "")
    ask = "import signal; before = signal.getsignal(signal.SIGINT); import autograder; "
    ask += "print(signal.getsignal(signal.SIGINT) is before)"  # whoever only imports it keeps his own
    done = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


@pytest.mark.heavy
def test_the_first_mistake_is_named_where_it_has_a_name(capsys, tmp_path):
    sample = ROOT / "tests" / "grader" / "submissions" / "sample" / "overlapping-assigned"
    assert main([f"--config={ROOT}/config.yaml", "grade", f"--out={tmp_path}", str(sample)]) == 0
    said = capsys.readouterr().out
    assert "First mistake: in col2im (" in said
    assert "gets one entry instead of their sum" in said
    assert "As above" not in said
