"""Hostile submissions cost themselves their points, and nobody anything else. See ``attacks/`` for what they are.

Two modes are full: root, who gives each worker a user of its own, and a plain user. In both no attack may succeed. In
every other mode a layer is off, and exactly the attacks succeed that the table says this layer stops: the attacks are
real, and each layer matters.
"""

import ast
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

import pytest

from autograder.sandbox.slots import Slot
from tests.grader.attacks import arena, watch
from tests.grader.attacks.modes import LANDLOCK_VERSIONS, MODES
from tests.grader.attacks.table import ATTACKS, NEEDS, THE_END, TWICE
from tests.grader.support import ROOT
from tests.grader.support.slices import is_whole, smoke

BY_NAME = {attack.name: attack for attack in ATTACKS}
KINDS = {
    kind: attack.name for attack in reversed(ATTACKS) for kind in (attack.module, attack.stopped_by, attack.outcome)
}
FEW = set(KINDS.values())
"""The first of each file, of each way to end, and of those that the same layers stop; ``make test-all`` tries all."""
FULL = [mode.name for mode in MODES.values() if mode.is_full and mode.fork]
SLOW = [mode.name for mode in MODES.values() if mode.name not in FULL]
SUCCEED = {
    "root, without landlock": 5,
    "root, without seccomp": 17,
    "root, without uid": 0,
    "root, only uid": 30,
    "root, only landlock": 24,
    "root, only seccomp": 9,
    "root, only limits": 61,
    "plain, without landlock": 10,
    "plain, without seccomp": 24,
    "plain, only limits": 65,
}
"""How many attacks succeed where a layer is off: what the layers are worth, on a kernel with all of Landlock."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the layers are Linux's")


def present(name):
    """Return a mode, or skip the test where this machine cannot offer it."""
    mode = MODES[name]
    if mode.missing:
        pytest.skip(mode.missing)
    return mode


# --- the table -------------------------------------------------------------------------------------------------------


def test_every_deed_is_in_the_table():
    deeds = set()
    for path in arena.DEEDS.glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and [each.arg for each in node.args.args][:1] == ["target"]:
                assert ast.get_docstring(node), f"{node.name} does not say what it tries"
                deeds.add((path.stem, node.name))
    assert deeds == {(attack.module, attack.name) for attack in ATTACKS}
    assert len(BY_NAME) == len(ATTACKS)
    assert set(NEEDS) | set(TWICE) <= set(BY_NAME)


@pytest.mark.parametrize("name", FULL)
def test_full_modes_stop_every_attack(name):
    assert not [attack.name for attack in ATTACKS if MODES[name].succeeds(attack)]


def test_every_layer_stops_what_no_other_does():
    alone = {next(iter(attack.stopped_by)) for attack in ATTACKS if attack.stopped_by and len(attack.stopped_by) == 1}
    assert alone == {"limits", "landlock", "seccomp"}  # a user of its own is for where one of these does not hold
    assert SUCCEED["root, only seccomp"] > SUCCEED["root, without landlock"]
    assert SUCCEED["root, only landlock"] > SUCCEED["root, without seccomp"]


@pytest.mark.parametrize("name", SUCCEED)
def test_what_a_layer_is_worth(name, monkeypatch):
    monkeypatch.setattr("tests.grader.attacks.modes.landlock_version", lambda: max(LANDLOCK_VERSIONS))
    assert sum(MODES[name].succeeds(attack) for attack in ATTACKS) == SUCCEED[name]


# --- where everything is on ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def full_runs(request):
    """Run attacks in the full modes, side by side."""
    modes = [MODES[name] for name in FULL if not MODES[name].missing]
    names = () if is_whole(request) else sorted(FEW)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        results = pool.map(lambda mode: mode.run(names), modes)
        return dict(zip((mode.name for mode in modes), results, strict=True))


@pytest.mark.parametrize("attack", smoke(BY_NAME, FEW))
@pytest.mark.parametrize("name", FULL)
def test_no_attack_succeeds(full_runs, name, attack):
    present(name)
    expect_harmless(full_runs[name][attack], BY_NAME[attack])


@pytest.mark.parametrize("name", FULL)
def test_nothing_is_left(full_runs, name):
    present(name)
    assert full_runs[name][THE_END].harm == []


def expect_harmless(result, attack):
    """Nobody else is harmed, the test ends as the table says, and the student reads something safe and short."""
    assert result.harm == []
    assert result.outcome in attack.outcome, result.message
    assert attack.says in result.message
    assert result.message.isprintable()
    assert not set("<>") & set(result.message)
    assert len(result.message) < 600


# --- where something is off ------------------------------------------------------------------------------------------

ONE_FOR_EACH_EYE = {
    "plant_pycache",
    "lock_grader_files",
    "leave_shared_memory",
    "read_model_answer",
    "signal_parent",
    "kill_neighbour",
    "prlimit_bystander",
    "fork_bomb",
    "network_udp",
    "unix_socket_in_folder",
    "write_to_terminal",
}


def test_the_eyes_see():
    """The attacks above could fail: without layers, these succeed."""
    mode = present("root, only limits" if os.geteuid() == 0 else "plain, nothing")
    results = mode.run(sorted(ONE_FOR_EACH_EYE))
    assert {name for name, result in results.items() if result.harm} == ONE_FOR_EACH_EYE


@pytest.mark.heavy
@pytest.mark.parametrize("name", SLOW)
def test_every_layer_matters(name):
    mode = present(name)
    results = mode.run()
    assert results.pop(THE_END).harm == []
    tried = {name for name, result in results.items() if not result.skipped}
    succeeded = {name: result.harm for name, result in results.items() if result.harm}
    expected = {attack.name for attack in mode.attacks if mode.succeeds(attack)} & tried
    assert {name: succeeded[name] for name in succeeded.keys() - expected} == {}
    assert expected - succeeded.keys() == set()
    if mode.is_full:
        for name in tried:
            expect_harmless(results[name], BY_NAME[name])


# --- what the layers rest on -----------------------------------------------------------------------------------------

GRADE_ONE_IMPORT = """
import ctypes, sys
from autograder.sandbox.launcher import Sandbox
from autograder.grading.proxy import Proxy
from autograder.grading.session import Interface, Session
from tests.grader.support.toy import limits
with Sandbox(memory_mib=512, cpu_seconds=10) as sandbox:
    directory = sandbox.directory("student")
    (directory / "layers.py").write_text("import numpy.polynomial\\ndef im2col(): return 1\\n")
    (directory / "layers.py").chmod(0o644)
    interface = Interface("layers", {"im2col": ["cols"]}, frozenset(), limits())
    student = Proxy(Session(sandbox, directory, ["layers.py"], interface))
    student.connect()
    student.close()
    print("imported", "dumpable" if ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) else "protected")
"""


def grade_one_import(tmpdir="", **options):
    environment = {"PATH": os.defpath, "PYTHONPATH": str(ROOT), **({"TMPDIR": str(tmpdir)} if tmpdir else {})}
    command = [sys.executable, "-c", GRADE_ONE_IMPORT]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, **options)


def test_a_private_umask_is_not_the_students_fault():
    done = grade_one_import(umask=0o077)
    assert done.stdout.startswith("imported"), done.stderr


def test_a_private_folder_for_temporary_files_is_not_the_students_fault(tmp_path):
    tmp_path.chmod(0o700)
    done = grade_one_import(tmpdir=tmp_path)
    assert done.stdout.startswith("imported"), done.stderr


def test_a_grader_cannot_be_traced():
    assert grade_one_import().stdout.split()[1:] == ["protected"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_graders_share_no_user_whatever_their_tmpdir(tmp_path, monkeypatch):
    one = Slot.take()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    other = Slot.take()
    one.release()
    other.release()
    assert one.uid != other.uid


# --- the real command ------------------------------------------------------------------------------------------------

CLASS = (
    "os_exit_0",
    "segfault",
    "infinite_loop_ignore_signals",
    "ansi_html_surrogate_message",
    "memory_bomb_at_once",
    "forge_huge_length",
    "reply_before_request",
    "monkeypatch_numpy_time",
    "forge_score_marker",
    "stdout_bomb",
    "shadow_modules",
    "exit_at_import",
)
"""One for each way to end, and whatever ends nothing."""
VARIES = ("execution_time", "seconds", "import_seconds")


@pytest.fixture
def watches(tmp_path):
    """Targets of every kind, but for the grader itself: which process that is nobody can say beforehand."""
    base = tmp_path / "targets"
    base.mkdir()
    found = [
        watch.Files(base),
        watch.Processes(),
        watch.Bystander(),
        watch.Ears(base),
        watch.Terminal(),
        watch.Segment(),
    ]
    yield found
    for each in found:
        each.close()


@pytest.mark.heavy
def test_a_class_of_attackers(toy, tmp_path, watches):
    """Graded side by side by the real command, between two honest students whose grades stay the same."""
    out = tmp_path / "out"
    toy.configure(limits={"call_seconds": 4})
    for name in ("ann", "zoe"):
        toy.hand_in(name=f"{name}/toy.py")
    facts = what_attackers_know(toy, out, watches)
    # All of these in one file: none of them may end the process.
    denied = [attack for attack in ATTACKS if attack.stopped_by is not None and attack.outcome == {"passed"}]
    for name, attacks in {"bob": denied, **{name: [BY_NAME[name]] for name in CLASS}}.items():
        files = arena.hostile_files(attacks, facts, toy.root / "answers" / "toy.py", {"im2col": "double"})
        files["toy.py"] = files.pop("layers.py")
        for file, text in files.items():
            toy.hand_in(text, f"{name}/{file}")
    watches[0].folders.append(toy.root)
    for each in watches[:2]:
        each.look()

    command = [
        sys.executable,
        "-B",  # it writes nothing beside the tests
        "-m",
        "autograder",
        "--config",
        toy.config,
        "grade",
        toy.root / "handed in",
        "--out",
        out,
    ]
    said = subprocess.run([*map(str, command), "--jobs=2"], cwd=ROOT, capture_output=True, text=True, timeout=300)

    watches[1].settle(seconds=10)
    assert [harm for each in watches for harm in each.harm()] == []
    assert said.returncode == 0, said.stderr
    assert "\x1b" not in said.stdout
    results = {path.parent.name: json.loads(path.read_text()) for path in out.glob("*/results.json")}
    assert set(results) == {"ann", "bob", "zoe", *CLASS}
    for name in ("ann", "bob", "zoe"):
        assert results[name]["score"] == sum(toy.POINTS.values()), name
    assert without_times(results["ann"]) == without_times(results["zoe"])
    for name in CLASS:
        expect_one_loss(results[name], BY_NAME[name])


def what_attackers_know(toy, out, watches):
    """Name a target for every deed; the bystander stands for every process."""
    facts = {"mark_backwards": watch.MARK[::-1], "other_user": os.geteuid() == 0, "grader_uid": os.geteuid()}
    facts["slots"] = str(Slot.FOLDER)
    for each in watches:
        facts |= each.facts
    facts |= dict.fromkeys(("grader", "launcher", "neighbour_worker", "reference_worker"), facts["victim"])
    return facts | {
        "grader_address": facts["victim_address"],
        "modules": facts["shared"],
        "hidden_test": str(next((toy.root / "secret").glob("*.py"))),
        "fixtures": str(toy.root / "secret" / "arrays" / "manifest.json"),
        "model_answer": str(toy.root / "answers" / "toy.py"),
        "neighbour": str(toy.root / "handed in" / "zoe" / "toy.py"),
        "results": str(out / "ann" / "results.json"),
    }


def expect_one_loss(results, attack):
    """The function attacked has ended as the table says, the others work; at import none does."""
    ended = {
        test["extra_data"]["test"]: {case["outcome"] for case in test["extra_data"]["cases"].values()}
        for test in results["tests"]
    }
    if attack.name == "exit_at_import":
        assert set.union(*ended.values()) == {"not run"}
        assert "ended the Python process with exit status 0" in results["output"]
    else:
        assert ended["test_double"] <= attack.outcome | {"passed"}, attack.name
        assert ended["test_double"] & attack.outcome, attack.name
        assert ended["test_halve"] == ended["test_unhalve"] == {"passed"}, attack.name
    shown = "\n".join([results["output"], *(test["output"] for test in results["tests"])])
    assert "<" not in shown
    assert shown.replace("\n", "").isprintable()


def without_times(content):
    """Leave out of results.json what varies between two runs."""
    if isinstance(content, dict):
        return {key: without_times(value) for key, value in content.items() if key not in VARIES}
    return [without_times(each) for each in content] if isinstance(content, list) else content
