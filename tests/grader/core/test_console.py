"""How a command ends: closed streams, streams that take nothing, signals."""

import signal
import subprocess
import sys
import time

import pytest

from autograder.core import console

LISTEN = """\
import sys, time
from autograder.core import console
console.listen()
"""
READY = 'print("ready", flush=True)'


def run(code, *, stdout=subprocess.PIPE, shell=""):
    command = [sys.executable, "-E", "-c", code]
    if shell:
        command = ["/bin/sh", "-c", f'exec "$@" {shell}', "sh", *command]
    return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=60, check=False)


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams_are_opened_before_anything_else_gets_their_numbers(tmp_path, closed):
    code = f"""
import os
from autograder.core import console
console.prepare()
print("said")
console.complain("complained")
number = os.open({str(tmp_path / "file")!r}, os.O_WRONLY | os.O_CREAT)
assert number > 2, number
assert all(os.get_inheritable(stream) for stream in (0, 1, 2))
"""
    assert run(code, shell=closed).returncode == 0


def test_what_a_stream_cannot_show_is_escaped():
    code = "from autograder.core import console; console.prepare(); print('Zoë \\udc80')"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONIOENCODING": "ascii"}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "Zo\\xeb \\udc80\n")


def test_a_stream_that_takes_nothing_is_let_go():
    code = "import sys; from autograder.core import console; print(1); console.let_go(sys.stdout)"
    with open("/dev/full", "w") as full:
        done = run(code, stdout=full)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def start():
    started = []

    def nothing_ignored():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)

    def start(code):
        process = subprocess.Popen(
            [sys.executable, "-c", LISTEN + code],
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=nothing_ignored,  # under nohup, for example, some are, and children inherit that
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


WAIT = """
try:
    print("ready", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    time.sleep({seconds})
    print("cleaned up", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_one_interrupts_and_others_wait(start, number):
    process = start(WAIT.format(seconds=1))
    process.send_signal(number)
    assert process.stdout.readline() == "interrupted\n"
    process.send_signal(number)
    assert process.communicate(timeout=30)[0] == "cleaned up\n"
    assert process.returncode == 0


def test_who_insists_ends_it(start):
    process = start(f"console.PATIENCE_SECONDS = 0.1\n{WAIT.format(seconds=60)}")
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "interrupted\n"
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == console.INTERRUPTED


def test_it_waits_for_what_is_shielded(start):
    process = start(
        """
try:
    print("ready", flush=True)
    with console.shielded():
        print("inside", flush=True)
        deadline = time.monotonic() + 0.5
        while time.monotonic() < deadline:
            pass
        print("done", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    )
    assert process.stdout.readline() == "inside\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30)[0] == "done\ninterrupted\n"


def test_it_waits_for_an_import(start, tmp_path):
    (tmp_path / "slow.py").write_text(
        "import time\nprint('importing', flush=True)\n"
        "try:\n    time.sleep(0.5)\nexcept BaseException:\n    raise ImportError('no slow')\n"
    )
    process = start(
        f"sys.path.insert(0, {str(tmp_path)!r})\n{READY}\n"
        "try:\n    import slow\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    print('interrupted', flush=True)\n"
    )
    assert process.stdout.readline() == "importing\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30)[0] == "interrupted\n"


def test_what_is_ignored_stays_so():
    code = (
        "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        f"{LISTEN}assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN"
    )
    assert run(code).returncode == 0
