"""The Makefile, the scripts that set up .venv, the locks and .ci/run. Stand-ins play Python: nothing is installed."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.grader.support import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
LOCKS = ("grading", "ta", "dask", "dev", "instructor")

NAMES = [
    "Lab 3/hand-ins",
    "Zoë's work, 卷積",
    "$HOME $(HOME) $(shell touch pwned) $$x ${x}",
    "`touch pwned`; touch pwned & touch pwned | cat > pwned",
    'say "hi" \\ 100% #1 *',
    "--force",
]


def run(*command: str | Path, cwd: Path = ROOT, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a command as a user would: without the variables of a make that runs these tests."""
    ours = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES"} | set(re.findall(r"^override (\w+)", MAKEFILE, re.M))
    environment = {name: value for name, value in os.environ.items() if name not in ours | {"PY"}}
    return subprocess.run(
        command, cwd=cwd, env=environment | variables, capture_output=True, encoding="utf-8", check=False, timeout=60
    )


def executable(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


# make: the help, and what reaches the program


def test_bare_make_describes_every_target():
    (phony,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.M)
    described = re.findall(r"^  ([a-z-]+)\s+\S", run("make").stdout.partition("Examples")[0], re.M)
    assert described == [target for target in phony.split() if not target.endswith("-env")]


def test_every_example_of_the_help_names_a_target():
    help_text, _, examples = run("make").stdout.partition("Examples")
    targets = re.findall(r"^  make (\S+)", examples, re.M)
    assert len(targets) >= 4
    assert all(f"\n  {target} " in help_text for target in targets)


def test_the_program_knows_what_make_calls():
    recipes = re.findall(r"\$\(AUTOGRADER\) (\w+)((?:.*\\\n)*.*)", MAKEFILE)
    assert recipes
    for command, rest in recipes:
        finished = run(sys.executable, "-m", "autograder", command, "--help")
        assert finished.returncode == 0, finished.stderr
        assert [option for option in re.findall(r"--\w+", rest) if option not in finished.stdout] == []


@pytest.fixture
def echo(tmp_path):
    """A stand-in for Python that prints its arguments, one a line."""
    folder = tmp_path / "an odd's place"
    folder.mkdir()
    return executable(folder / "python", "printf '%s\\n' \"$@\"")


@pytest.mark.parametrize("name", NAMES)
def test_odd_names_reach_the_program(name, echo):
    finished = run("make", "grade", f"PY={echo}", f"SUBMISSIONS={name}", f"OUT={name}", "ONLY=test_x[a case]", "JOBS=3")
    assert finished.stdout.splitlines() == [
        *["-m", "autograder", "grade"],
        *[f"--out={name}", "--only=test_x[a case]", "--jobs=3", "--", name],
    ]
    assert not (ROOT / "pwned").exists()


@pytest.mark.parametrize("name", NAMES)
def test_odd_names_from_the_environment_do_too(name, echo):
    finished = run("make", "grade", f"PY={echo}", SUBMISSIONS=name)
    assert finished.stdout.splitlines() == ["-m", "autograder", "grade", "--", name]


def test_everything_that_grading_a_class_may_be_told(echo):
    said = {"FORCE": "1", "ROSTER": "the class's.csv", "OVERRIDES": "o.csv", "COMPARE": "$HOME", "ANONYMOUS": "1"}
    said |= {"SCHEDULER": "tcp://a:1", "AS": "class"}
    finished = run("make", "grade", f"PY={echo}", *(f"{name}={value}" for name, value in said.items()))
    assert finished.stdout.splitlines() == [
        *["-m", "autograder", "grade", "--force", "--roster=the class's.csv", "--overrides=o.csv"],
        *["--compare=$HOME", "--anonymous", "--as=class", "--scheduler=tcp://a:1"],
    ]


def test_another_homework(echo):
    finished = run("make", "grade", f"PY={echo}", "CONFIG=hw 2/$HOME.yaml", "OUT=x")
    assert finished.stdout.splitlines() == ["-m", "autograder", "--config=hw 2/$HOME.yaml", "grade", "--out=x"]
    for target in ("fixtures", "assignment", "handout", "bundle", "doctor", "verify"):
        finished = run("make", target, f"PY={echo}", "CONFIG=a.yaml")
        assert finished.stdout.splitlines()[:4] == ["-m", "autograder", "--config=a.yaml", target]
    for theirs in ("of another program", ""):
        assert run("make", "grade", f"PY={echo}", CONFIG=theirs).stdout.split() == ["-m", "autograder", "grade"]


def test_what_is_not_said_is_left_to_the_program(echo):
    assert run("make", "grade", f"PY={echo}").stdout.split() == ["-m", "autograder", "grade"]
    assert run("make", "grade", f"PY={echo}", "FORCE=", "ANONYMOUS=").stdout.split() == ["-m", "autograder", "grade"]
    assembler = "/opt/conda/bin/x86_64-conda-linux-gnu-as"  # not ours, and often there
    assert run("make", "grade", f"PY={echo}", AS=assembler).stdout.split() == ["-m", "autograder", "grade"]
    assert run("make", "fixtures", f"PY={echo}").stdout.split() == ["-m", "autograder", "fixtures"]
    assert run("make", "fixtures", f"PY={echo}", "SEED=7").stdout.split()[2:] == ["fixtures", "--seed=7"]


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ("submissions=x", "submissions: no such variable. Did you mean SUBMISSIONS?"),
        ("SUBMISSION=x y", "SUBMISSION: no such variable. Did you mean SUBMISSIONS?"),
        ("SUMBISSIONS=x", "SUMBISSIONS: no such variable. Did you mean SUBMISSIONS?"),
        ("ROSTERS=x", "ROSTERS: no such variable. Did you mean ROSTER?"),
        ("Only=x", "Only: no such variable. Did you mean ONLY?"),
        ("OUTPUT=$HOME FOO=1", "OUTPUT: no such variable. Did you mean OUT?"),
        ("CLASS=x", "CLASS: no such variable. There are: ANONYMOUS "),
        ("SUBMISSIONS=", "SUBMISSIONS: has no value. Give it one, or leave out SUBMISSIONS="),
        ("CONFIG=", "CONFIG: has no value. Give it one, or leave out CONFIG="),
        ("OUT=", "OUT: has no value. Give it one, or leave out OUT="),
        ("ROSTER=", "ROSTER: has no value. Give it one, or leave out ROSTER="),
        ("FORCE=maybe", "FORCE: should be 1 (or yes, true, on) or 0 (or no, false, off)"),
        ("ANONYMOUS=2", "ANONYMOUS: should be 1 (or yes, true, on) or 0 (or no, false, off)"),
    ],
)
def test_a_slip_in_a_variable_grades_nothing(said, complaint, echo):
    finished = run("make", "grade", f"PY={echo}", said)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr.splitlines()[0].startswith(complaint)
    assert len(finished.stderr.splitlines()) == 2  # the other is make's


def test_an_empty_value_in_the_environment_grades_nothing(echo):
    finished = run("make", "grade", f"PY={echo}", SUBMISSIONS="")
    assert (finished.returncode, finished.stdout) == (2, "")


@pytest.mark.parametrize(("name", "option"), [("FORCE", "--force"), ("ANONYMOUS", "--anonymous")])
def test_a_switch_is_on_or_off(name, option, echo):
    for value, on in {"1": True, "yes": True, "True": True, "0": False, "no": False, "False": False}.items():
        expected = ["-m", "autograder", "grade", *[option] * on]
        assert run("make", "grade", f"PY={echo}", f"{name}={value}").stdout.split() == expected
        in_environment = run("env", f"{name}={value}", "make", "grade", f"PY={echo}")
        assert in_environment.stdout.split() == expected


OUTER = f"""\
export SUBMISSIONS =
export OUT :=
all:
\t@$(MAKE) -s -C '{ROOT}' grade PY=echo ROSTER=$(CLASS)
"""


def test_a_make_that_make_starts_is_told_nothing_by_accident(tmp_path):
    (tmp_path / "Makefile").write_text(OUTER)
    finished = run("make", "-s", "-C", tmp_path, "CLASS=x.csv", "DESTDIR=/opt", "V=1")
    assert finished.stdout.split() == ["-m", "autograder", "grade", "--roster=x.csv"]
    finished = run("make", "-s", "-C", tmp_path)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr.startswith("ROSTER: has no value. Give it one, or leave out ROSTER=")


def test_what_has_no_value_is_not_passed_on(tmp_path):
    (tmp_path / "Makefile").write_text(f"{MAKEFILE}\nshow: ; @env\n")
    told = run("make", "-s", "-C", tmp_path, "show", "OUT=lab3", "FORCE=0").stdout.splitlines()
    ours = set(re.findall(r"^override (\w+)", MAKEFILE, re.M))
    assert [line for line in told if line.partition("=")[0] in ours] == ["OUT=lab3"]


def test_other_variables_of_make_are_its_own(echo):
    assert run("make", "grade", f"PY={echo}", "SHELL=/bin/sh").returncode == 0


def test_make_fails_when_the_program_does(tmp_path):
    assert run("make", "grade", f"PY={executable(tmp_path / 'python', 'exit 2')}").returncode == 2


# requirements/python.sh: choosing an interpreter


def choose(folder: Path, answers: Mapping[str, str], python: str = "") -> "subprocess.CompletedProcess[str]":
    """Run python.sh where only stand-ins are on the PATH. Each answers the probe; an empty one crashes."""
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    for name, answer in answers.items():
        executable(bin_folder / name, f"echo '{answer}'" if answer else "exit 127")
    (bin_folder / "cat").symlink_to(str(shutil.which("cat")))
    return run("/bin/sh", "requirements/python.sh", PATH=str(bin_folder), PYTHON=python)


def test_the_newest_that_runs_is_taken(tmp_path):
    answers = {
        "python3.13": "",
        "python3.12": "Python 3.12.9 without venv",
        "python3.11": "yes /a b",
        "python3": "yes /c",
    }
    assert choose(tmp_path, answers).stdout == "/a b\n"


def test_one_with_the_numpy_of_the_platform_comes_first(tmp_path):
    assert choose(tmp_path, {"python3.15": "yes /newest", "python3.10": "yes /old"}).stdout == "/old\n"


def test_a_newer_one_is_taken_where_it_is_alone(tmp_path):
    assert choose(tmp_path, {"python3.14": "yes /new", "python3": "Python 3.9.2"}).stdout == "/new\n"


def test_root_takes_one_that_others_can_run(tmp_path):
    assert choose(tmp_path, {"python3.13": "root-only /own/new", "python3.11": "yes /old"}).stdout == "/old\n"


def test_root_takes_its_own_where_there_is_no_other(tmp_path):
    assert choose(tmp_path, {"python3.13": "root-only /own/new", "python3.11": "root-only /own/old"}).stdout == (
        "/own/new\n"
    )


def test_the_one_asked_for_is_taken(tmp_path):
    answers = {"python3.13": "yes /new", "python3.10": "yes /old"}
    assert choose(tmp_path, answers, python="python3.10").stdout == "/old\n"


def test_without_a_python_it_says_what_to_install(tmp_path):
    found = choose(tmp_path, {"python3.13": "", "python3.12": "Python 3.12.9 without venv", "python3": "Python 3.9.2"})
    assert found.returncode == 1
    assert found.stdout == ""
    assert (
        found.stderr
        == f"""\
No usable Python: this needs CPython 3.10 to 3.15, with venv. Tried:
  {tmp_path}/bin/python3.13: does not run
  {tmp_path}/bin/python3.12: Python 3.12.9 without venv
  {tmp_path}/bin/python3: Python 3.9.2

Install one:
  Debian, Ubuntu  sudo apt install python3 python3-venv
  Fedora          sudo dnf install python3.13
  macOS           brew install python@3.13
or name one: make … PYTHON=/path/to/python3.13
"""
    )


def test_a_machine_without_any_python_is_told_so(tmp_path):
    assert "Tried:\n  nothing called python3 is on the PATH\n" in choose(tmp_path, {}).stderr


def test_the_probe_accepts_the_python_of_these_tests():
    found = run("sh", "requirements/python.sh", PYTHON=sys.executable)
    assert found.returncode == 0, found.stderr
    assert run(found.stdout.rstrip("\n"), "-c", "import sys; print(sys.version)").stdout.rstrip("\n") == sys.version


# requirements/install.sh: setting up .venv

STAND_IN = r"""
case $2 in
    venv) echo "$*" >> "$LOG"; mkdir -p "$3/bin" && ln -s "$0" "$3/bin/python" ;;
    compileall) echo "compile $6" >> "$LOG"; exit 1 ;;
    pip) echo "$*" | sed "s/.* /install /" >> "$LOG"; ! [ -e pip-fails ] ;;
    *) echo probe >> "$LOG"; echo "yes $0" ;;
esac
"""


class Checkout:
    """A checkout with the Makefile and its scripts, and a stand-in for Python that writes down what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "a checkout's folder"
        shutil.copytree(ROOT / "requirements", self.folder / "requirements")
        shutil.copy(ROOT / "Makefile", self.folder)
        self.log = folder / "log"
        self.python = executable(folder / "python3.12", STAND_IN)

    def make(self, level: str, python: Path | str | None = None) -> "subprocess.CompletedProcess[str]":
        self.log.write_text("")
        return run(
            *["make", f"{level}-env", f"PYTHON={python or self.python}"],
            cwd=self.folder,
            LOG=str(self.log),
        )

    def asked(self) -> list[str]:
        return self.log.read_text().splitlines()


COMPILED = "compile .venv/lib"
NEW = ["probe", "-m venv .venv", "install requirements/ta.txt", COMPILED]


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path)


def test_a_fresh_checkout_gets_its_environment(checkout):
    made = checkout.make("ta")
    assert made.returncode == 0, made.stderr
    assert checkout.asked() == NEW
    assert made.stderr == (
        f"Making .venv with {checkout.python} and requirements/ta.txt, once; this may take a minute.\n"
    )


def test_the_second_time_no_python_is_started(checkout):
    checkout.make("ta")
    again = checkout.make("ta")
    assert (again.returncode, again.stderr, checkout.asked()) == (0, "", [])


def test_development_adds_to_grading_and_covers_it(checkout):
    checkout.make("ta")
    checkout.make("dev")
    assert checkout.asked() == ["install requirements/dev.txt", COMPILED]
    checkout.make("ta")
    assert checkout.asked() == []


def test_a_changed_lock_makes_it_anew(checkout):
    checkout.make("ta")
    with (checkout.folder / "requirements/ta.txt").open("a") as lock:
        lock.write("# changed\n")
    checkout.make("ta")
    assert checkout.asked() == NEW


def test_a_vanished_interpreter_makes_it_anew(checkout):
    checkout.make("ta")
    link = checkout.folder / ".venv/bin/python"
    link.unlink()
    link.symlink_to("/nonexistent/python3.12")
    checkout.make("ta")
    assert checkout.asked() == NEW


def test_another_python_asked_for_makes_it_anew(checkout):
    checkout.make("ta")
    checkout.make("ta", executable(checkout.python.with_name("python3.10"), STAND_IN))
    assert checkout.asked() == NEW


def test_dask_is_installed_for_those_who_ask(checkout):
    checkout.make("ta")
    assert checkout.asked() == NEW
    checkout.make("dask")
    assert checkout.asked() == ["install requirements/dask.txt", COMPILED]
    for level in ("dask", "ta"):
        checkout.make(level)
        assert checkout.asked() == []


def test_the_instructor_needs_most_and_covers_all(checkout):
    checkout.make("dev")
    checkout.make("instructor")
    assert checkout.asked() == ["install requirements/instructor.txt", COMPILED]
    for level in ("instructor", "dev", "dask", "ta"):
        checkout.make(level)
        assert checkout.asked() == []


@pytest.mark.parametrize("first", ["ta", "dev"])
def test_an_interrupted_installation_does_not_count(checkout, first):
    checkout.make(first)
    (checkout.folder / "requirements/dev.txt").write_text("changed\n")
    (checkout.folder / "pip-fails").touch()
    failed = checkout.make("dev")
    assert failed.returncode != 0
    assert "Could not install requirements/dev.txt; pip says why above." in failed.stderr
    (checkout.folder / "pip-fails").unlink()
    checkout.make("ta")
    assert checkout.asked() == NEW


def test_without_a_python_the_old_environment_stays(checkout):
    checkout.make("ta")
    failed = checkout.make("ta", "/nonexistent")
    assert failed.returncode != 0
    assert "/nonexistent: does not run" in failed.stderr
    assert "python3-venv" in failed.stderr
    assert (checkout.folder / ".venv/bin/python").exists()


# The locks


def pins(lock: str) -> dict[str, list[str]]:
    """Return the pinned versions by package: several where they depend on Python's version."""
    text = (ROOT / f"requirements/{lock}.txt").read_text(encoding="utf-8")
    versions: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([a-z0-9-]+)==([^\s;]+)", text, re.M):
        versions.setdefault(name, []).append(version)
    return versions


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host_and_hashes_everything(lock):
    text = (ROOT / f"requirements/{lock}.txt").read_text(encoding="utf-8")
    assert not re.search(r"://|index|find-links|trusted-host|@", text)
    entries = re.split(r"^(?=[a-z])", re.sub(r"^#.*\n", "", text, flags=re.M), flags=re.M)[1:]
    assert len(entries) == sum(map(len, pins(lock).values()))
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def test_each_lock_holds_the_one_before():
    grading, ta, dask, dev, instructor = (
        {(name, version) for name, versions in pins(lock).items() for version in versions} for lock in LOCKS
    )
    assert grading < ta < dev < instructor
    assert ta < dask < instructor


def test_the_locks_fit_the_project():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.findall(r'"numpy==(\S+) ;', project) == pins("grading")["numpy"]

    def wanted(key: str) -> set[str]:
        (names,) = re.findall(rf"^{key} = \[(.*?)\]$", project, re.M | re.S)
        return {name.lower() for name in re.findall(r'"([\w-]+)', names)}

    base = wanted("dependencies")
    assert base >= {"numpy", "pytest"}
    assert base <= pins("grading").keys()
    assert base | wanted("ta") <= pins("ta").keys()
    assert base | wanted("ta") | wanted("dev") <= pins("dev").keys()
    assert base | wanted("ta") | wanted("dask") <= pins("dask").keys()
    assert wanted("instructor") >= {"jupytext", "otter-grader"}
    assert wanted("instructor") <= pins("instructor").keys()


# .ci/run


@pytest.mark.parametrize(
    ("failing", "calls"),
    [("none", ["check", "test", "test-all"]), ("test", ["check", "test"]), ("check", ["check"])],
)
def test_ci_runs_what_the_makefile_names_and_stops_at_the_first_failure(tmp_path, failing, calls):
    executable(tmp_path / "make", f'echo "$*" "$PWD" >> "$LOG"; [ "$*" != {failing} ]')
    log = tmp_path / "log"
    finished = run(ROOT / ".ci/run", cwd=tmp_path, PATH=f"{tmp_path}:{os.environ['PATH']}", LOG=str(log))
    assert log.read_text().splitlines() == [f"{call} {ROOT}" for call in calls]
    assert (finished.returncode == 0) == (failing == "none")
