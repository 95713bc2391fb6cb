"""The plugin, on a homework of three functions: every outcome, and whose fault it is. Every student's file is run."""

import os
import signal
import sys
import threading
import time

import numpy as np
import pytest

from autograder.core.errors import GraderFault
from autograder.grading import link, session
from autograder.sandbox.launcher import Sandbox
from tests.grader.support.verdicts import DOUBLE, HALVE, ONE, ends, said

# Right answers.


def test_full_marks(run, toy):
    results = run()
    assert list(results) == list(toy.POINTS)  # in the order of config.yaml, whatever file they are in
    assert set(ends(results).values()) == {"passed"}
    double = results["test_double"]
    assert (double.title, double.subject) == ("double: twice the input", "double")
    assert [case.case for case in double.cases] == ["one", "two"]
    assert [case.case for case in results["test_halve"].cases] == [""]
    assert results["test_unhalve"].subject == "unhalve"  # not halve, whose name is shorter
    assert all(0 < result.seconds < 5 for result in results.values())


def test_the_order_is_that_of_config(run, toy):
    toy.configure(tests={name: {"points": 1} for name in reversed(toy.POINTS)})
    assert list(run()) == list(reversed(toy.POINTS))


def test_public_and_hidden_files_may_share_names(run, toy):
    (hidden,) = (toy.root / "secret").glob("test_*.py")
    (public,) = (toy.root / "open").glob("test_*.py")
    public.rename(public.with_name(hidden.name))
    assert ends(run()) == dict.fromkeys(toy.POINTS, "passed")


def test_progress_is_told_of_every_test_when_it_is_done(run, toy):
    told = []
    run(progress=lambda result: told.append((result.name, len(result.cases))))
    assert told == [("test_double_example", 1), ("test_double", 2), ("test_halve", 1), ("test_unhalve", 2)]


def test_progress_can_be_shown_while_tests_run(run, capsys):
    """Standard output is the tests' own meanwhile, so a terminal has to be held on to."""
    terminal = sys.stdout
    run(progress=lambda result: print(result.name, file=terminal))
    assert capsys.readouterr().out.split() == ["test_double_example", "test_double", "test_halve", "test_unhalve"]


# Every outcome of a student's file.


@pytest.mark.parametrize(
    ("double", "outcome", "message"),
    [
        ("return x", "wrong", "y differs in 1 of 1 entries, first at [0]"),
        ("return 2 * x.reshape(1, -1)", "wrong", "y.shape=(1, 1), but should be (1,)"),
        ("return None", "wrong", "y is None, but should be an array of shape (1,)"),
        ("return (2 * x).tolist()", "wrong", "y is a list of 1, but should be an array of shape (1,)"),
        ("return (2 * x).astype(int)", "wrong", "y.dtype=int64, but should be a float dtype"),
        (
            "return x * float('nan')",
            "wrong",
            "y has NaN at [0] (1 of 1 entries are not finite), but should be finite everywhere",
        ),
        ("return 2 * X", "raised", "double(x (1)) raised NameError: name 'X' is not defined (toy.py, line 1: {})"),
        ("import os; os._exit(3)", "crashed", "double(x (1)) ended the Python process with exit status 3"),
        ("return x.repeat(10**9)", "out of memory", "double ran out of memory; the limit is 512 MiB"),
        (
            "return x.repeat(2**18)",
            "wrong",
            "double returned an array of shape (262144,), which is far more than it should",
        ),
    ],
)
def test_how_a_case_ends(run, double, outcome, message):
    source = f"def double(x): {double}"
    result = run(f"{source}\n{HALVE}", only="test_double[one]")["test_double"]
    assert said(result) == [(outcome, message.format(source), "double")]


def test_a_hang_costs_its_own_function_only(run):
    started = time.monotonic()
    results = run(
        f"def double(x):\n    while True: pass\n{HALVE}def unhalve(out, cache): return 2 * out", call_seconds=0.4
    )
    assert time.monotonic() - started < 5
    hung = "double(x (2)) did not return within 0.4 s (it was in this loop: toy.py, line 2: while True: pass)"
    again = "double was not called again: before, it did not return within 0.4 s"
    assert said(results["test_double_example"]) == [("timed out", hung, "double")]
    assert said(results["test_double"]) == [("timed out", again, "double")] * 2
    assert results["test_halve"].outcome == results["test_unhalve"].outcome == "passed"


def test_partly(run):
    result = run(f"def double(x): return x + 1\n{HALVE}")["test_double"]
    assert (result.outcome, result.passed) == ("partly", 1)
    assert [case.outcome for case in result.cases] == ["passed", "wrong"]


def test_the_time_of_a_submission_runs_out(run, monkeypatch):
    for module in (session, link):  # waiting for a processor gives nothing back: the machine may be busy
        monkeypatch.setattr(module, "PATIENCE", 1.0)
    results = run("import time\ndef double(x): time.sleep(0.5)\n" + HALVE, submission_seconds=0.4)
    assert ends(results)["test_unhalve"] == "not run"
    used_up = "the 0.4 s for the whole submission were used up"
    assert said(results["test_unhalve"]) == [("not run", used_up, "unhalve")] * 2


# Another function has to be repaired first.


@pytest.mark.parametrize(
    ("halve", "why"),
    [
        ("def halve(x): return 1 / 0", "needs halve, which raised an exception"),
        ("import os\ndef halve(x): os._exit(1)", "needs halve, which ended its process"),
        ("def halve(x):\n    while True: pass", "needs halve, which did not return in time"),
        ("def halve(x): return x.repeat(10**9), 0", "needs halve, which ran out of memory"),
        ("def halve(x): return x.repeat(2**18), 0", "needs halve, which returned something that this test cannot use"),
        ("def halve(x): return x", "needs halve, which returned something that this test cannot use"),
        ("", "needs halve, which is not defined"),
    ],
)
def test_another_function_failed(run, halve, why):
    source = f"{halve}\ndef unhalve(out, cache): return 2 * out"
    result = run(source, only="test_unhalve[one]", call_seconds=0.4)["test_unhalve"]
    assert said(result) == [("not run", why, "halve")]


def test_a_result_that_the_next_function_cannot_take(run):
    source = "def halve(x): return [1], 0\ndef unhalve(out, cache): return 2 * out"
    result = run(source, only="test_unhalve[one]")["test_unhalve"]
    assert said(result) == [("not run", "an argument is a list of 1, but should be an array", "unhalve")]


def test_what_is_not_defined_is_wrong_where_it_is_asked_for(run):
    result = run(HALVE, only="test_double[one]")["test_double"]
    assert said(result) == [("wrong", "double is not defined in toy.py", "double")]


def test_a_stale_cache(judge):
    """A death between forward and backward: the cache has died with it."""
    body = """
    from autograder.core.errors import Crashed
    out, cache = student.halve(x)
    try: student.unhalve(out, cache)
    except Crashed: pass
    check.array("y", student.unhalve(out, cache), x)
"""
    source = f"import os\n{HALVE}def unhalve(out, cache): os._exit(1)"
    assert judge(body, source) == ("not run", "the cache was lost with the process that held it", "double", "")


# Workers.


def test_a_worker_for_every_test_function(run, workers, toy):
    run()
    assert len(workers) == 1 + len(toy.POINTS)  # the first one is for the import


def test_a_new_worker_after_a_death(run, workers):
    source = f"import os\ncalls = []\ndef double(x):\n    calls.append(x)\n    os._exit(len(calls))\n{HALVE}"
    result = run(source, only="test_double")["test_double"]
    dead = "ended the Python process with exit status 1"
    assert [message for _, message, _ in said(result)] == [f"double(x ({size})) {dead}" for size in "12"]
    assert len(workers) == 1 + 2


def test_cases_share_a_worker_and_tests_do_not(run, workers):
    source = f"calls = []\ndef double(x):\n    calls.append(x)\n    return 2 * x if len(calls) == 1 else x\n{HALVE}"
    results = run(source)
    assert [case.outcome for case in results["test_double"].cases] == ["passed", "wrong"]
    assert results["test_double_example"].outcome == "passed"


def test_a_file_that_cannot_be_imported_is_imported_once(run, workers):
    results = run("raise ValueError('no')")
    assert len(workers) == 1
    for result in results.values():
        for outcome, message, _ in said(result):
            assert (outcome, message) == ("not run", "toy.py could not be imported")


def test_no_worker_is_left(run, monkeypatch):
    started, start = [], Sandbox.start

    def kept(*arguments, **more):
        started.append(start(*arguments, **more))
        return started[-1]

    monkeypatch.setattr(Sandbox, "start", kept)
    run()
    with pytest.raises(GraderFault):
        run(only="test_unknown")
    assert started
    for worker in started:
        with pytest.raises(ProcessLookupError):
            os.kill(worker.pid, 0)


# What does not help a cheat.


@pytest.mark.parametrize(
    "cheat",
    [
        "class Right(np.ndarray):\n    __eq__ = lambda self, other: True\n    __array_priority__ = 1e9\n"
        "    __rsub__ = __sub__ = lambda self, other: np.zeros(1)\n    __array_ufunc__ = lambda *a, **k: np.zeros(1)\n"
        "def double(x): return np.zeros(x.shape).view(Right)",
        "np.allclose = np.isclose = np.array_equal = np.testing.assert_allclose = lambda *a, **k: True\n"
        "def double(x): return np.zeros(x.shape)",
        "class Always(float):\n    __eq__ = lambda self, other: True\ndef double(x): return Always(3)",
        "import time\ntime.monotonic = time.perf_counter = lambda: 0.0\ndef double(x): return np.zeros(x.shape)",
        "import builtins\nbuiltins.abs = lambda x: 0\nbuiltins.all = lambda x: True\n"
        "def double(x): return np.zeros(x.shape)",
        "def double(x): return np.full((1,) * x.ndim, 4.0)[:1] if x.size > 1 else np.zeros(1)",
        "def double(x): return np.full(x.shape, np.nan)",
        "def double(x): raise AssertionError",
        "import sys\ndef double(x): sys.exit(0)",
    ],
)
def test_a_cheat_earns_nothing(run, cheat):
    results = run(f"import numpy as np\n{cheat}\n{HALVE}")
    assert results["test_double"].passed == 0
    assert results["test_double_example"].passed == 0
    assert results["test_halve"].outcome == "passed"


# What the comparisons of a hidden test lead to.


@pytest.mark.parametrize(
    ("body", "source", "message", "values"),
    [
        ("check.shape('y', student.double(x), (3,))", DOUBLE, "y.shape=(2,), but should be (3,)", ""),
        ("check.tensor('y', student.double(x), (3,))", DOUBLE, "y.shape=(2,), but should be (3,)", ""),
        ("check.dtype('y', student.double(x), 'float32')", DOUBLE, "y.dtype=float64, but should be float32", ""),
        (
            "check.integer('y', student.double(3), 6)",
            "def double(x): return 2 * x + 1",
            "y has the wrong value",
            "y=7, but should be 6",
        ),
        (
            "check.distinct('y', student.double(x), student.double(-x))",
            "def double(x): return 0 * x",
            "y is the same for two different inputs, but should depend on them",
            "",
        ),
        (
            "check.slopes('y', student.double(x), np.eye(2), np.array([2.0, 5.0]))",
            DOUBLE,
            "y disagrees with finite differences along 1 of 2 directions",
            "",
        ),
        (
            "check.untouched(student.inspect('double', x))",
            "def double(x):\n    x *= 2\n    return x",
            "x was changed by the call, but should be left as it was",
            "",
        ),
        (
            "check.own_memory(student.inspect('double', x))",
            "def double(x): return x[:1]",
            "y shares memory with an input, but should have memory of its own",
            "",
        ),
        (
            "check.array('y', student.double(x), 2 * x)",
            "def double(x): return x",
            "y differs in 2 of 2 entries, first at [0]",
            "y[0]=1, but should be 2\ny[1]=2, but should be 4",
        ),
    ],
)
def test_a_check_that_does_not_hold(judge, body, source, message, values):
    assert judge(body, source) == ("wrong", message, "double", values)


OWN = """check.slopes('y', student.double(x), np.eye(2), np.array([2.0, 2.0]),
        own=lambda: check.tensor('slopes', student.halve(x)[0], (2,)))"""
"""Slopes that should be 2; the student's own are what `halve` returns."""


@pytest.mark.parametrize(
    ("halve", "double", "outcome"),
    [
        ("x / 2", "0 * x + 2", ("passed", "")),  # the right slopes
        ("0 * x + 7", "0 * x + 7", ("passed", "")),  # those of the student's own halve
        (
            "0 * x + 2",
            "0 * x + 7",
            ("wrong", "y disagrees with finite differences along 2 of 2 directions"),
        ),
        (
            "0 * x + 5",
            "0 * x + 7",
            (
                "wrong",
                "y disagrees with finite differences along 2 of 2 directions, and halve is wrong on the same inputs: "
                "repair that first",
            ),
        ),
    ],
)
def test_a_gradient_may_fit_a_forward_pass_that_is_wrong(judge, halve, double, outcome):
    source = f"def double(x): return {double}\ndef halve(x): return {halve}, None\n"
    assert judge(OWN, source)[:2] == outcome


@pytest.mark.parametrize(
    "body",
    [
        "check.shape('y', student.double(x), x.shape)",
        "assert check.tensor('y', student.double(x.astype('float32')), (2,)).dtype == 'float64'",
        "check.dtype('y', student.double(x.astype('float32')), np.float32)",
        "check.integer('y', student.double(3), 6)",
        "check.distinct('y', student.double(x), student.double(-x))",
        "check.slopes('y', student.double(x), np.eye(2), np.array([2.0, 4.0]))",
        "check.untouched(student.inspect('double', x))",
        "check.own_memory(student.inspect('double', x))",
        "check.own_memory(student.inspect('double', 3))",
        "check.array('y', student.double(x), 2 * x)",
    ],
)
def test_a_check_that_holds(judge, body):
    assert judge(body, DOUBLE) == ("passed", "", "", "")


def test_a_check_names_the_function_that_made_the_result(judge):
    body = "out, _ = student.halve(x); y = student.double(x); check.array('out', out, x)"
    assert judge(body, DOUBLE + HALVE) == (
        "not run",
        "needs halve, which returned something that this test cannot use",
        "halve",
        "",
    )


def test_the_tolerance_is_that_of_the_dtype_of_the_case(run, toy):
    """Without a dtype a case counts as float64."""
    tenth = np.array([0.1])
    single = {"x": tenth.astype("float32"), "dtype": "float32", "y": 2 * tenth}
    toy.set_cases(numbers={"double": {"x": tenth}, "single": single, "strict": {**single, "dtype": "float64"}})
    result = run(f"def double(x): return x + x\n{HALVE}")["test_double"]
    assert {case.case: case.outcome for case in result.cases} == {
        "double": "passed",
        "single": "passed",
        "strict": "wrong",
    }


def test_an_assert_of_a_hidden_test_is_about_the_result(judge):
    body = "y = student.double(x)\n    assert y[0] == 2, f'y[0]={y[0]}, but should be 2'"
    expected = ("wrong", "the result is not the expected one", "double", "y[0]=1.0, but should be 2")
    assert judge(body, "def double(x): return x") == expected
    assert judge("np.testing.assert_allclose(student.double(x), x)", DOUBLE)[:2] == expected[:2]


# Public tests speak for themselves.


@pytest.mark.parametrize(
    ("double", "outcome", "message"),
    [
        ("return x", "wrong", "y=[1.0, 2.0], but should be [2.0, 4.0] [double, by hand]"),
        ("return None", "wrong", "y is None, but should be an array [double, by hand]"),
        ("return 1 / 0", "raised", "double(x (2)) raised ZeroDivisionError: division by zero (toy.py, line 1: {})"),
    ],
)
def test_a_public_test_fails(run, double, outcome, message):
    source = f"def double(x): {double}"
    (case,) = run(source, only="test_double_example")["test_double_example"].cases
    assert (case.outcome, case.message) == (outcome, message.format(source))


def test_a_public_test_that_cannot_use_a_result(run, toy):
    public = 'def test_double_example(toy):\n    """double: by hand."""\n    assert toy.double(3) + 1 == 7\n'
    toy.set_tests(public=public, **toy.POINTS)
    (case,) = run("def double(x): return None", only="test_double_example")["test_double_example"].cases
    expected = "the test cannot use what came back: y is None"
    assert (case.outcome, case.message) == ("wrong", expected)


# A worker that somebody else ends.


@pytest.fixture
def kill(monkeypatch):
    """Kill some of the workers, by their number, in the middle of their work; return how many were started."""
    started, start = [], Sandbox.start

    def start_and_kill(numbers):
        def starting(sandbox, *arguments, **more):
            worker = start(sandbox, *arguments, **more)
            started.append(worker.pid)
            if len(started) in numbers:
                threading.Timer(0.3, os.kill, (worker.pid, signal.SIGKILL)).start()
            return worker

        monkeypatch.setattr(Sandbox, "start", starting)
        return started

    return start_and_kill


COMPARED = "check.array('y', student.double(x), 2 * x)\n"
SLOW_IMPORT = "import time\ntime.sleep(1)\n"
SLOW_CALL = "def double(x):\n    import time\n    time.sleep(1)\n    return 2 * x\n"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every worker has a launcher of its own")
@pytest.mark.parametrize(
    ("source", "number"),
    [
        pytest.param(SLOW_IMPORT + DOUBLE, 1, marks=pytest.mark.heavy, id="import"),
        pytest.param(SLOW_CALL, 2, id="call"),
    ],
)
def test_a_worker_that_is_killed_once_costs_nothing(toy, run, kill, source, number):
    toy.set_tests(hidden=ONE + COMPARED, test_double=1, test_double_example=1)
    started = kill({number})
    assert ends(run(source, only="test_double")) == {"test_double": "passed"}
    assert len(started) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every worker has a launcher of its own")
def test_a_worker_that_is_killed_twice_has_used_its_memory(toy, run, kill):
    toy.set_tests(hidden=ONE + COMPARED, test_double=1, test_double_example=1)
    kill({2, 3})
    (case,) = run(SLOW_CALL, only="test_double")["test_double"].cases
    assert (case.outcome, case.message) == ("out of memory", "double ran out of memory; the limit is 512 MiB")
