"""How much a test tells: all where values may be shown, what kind of mistake and where in hidden tests, or nothing.

A hidden test is honest about what it saw and gives away neither inputs nor expected values; a hostile submission,
which is given the inputs and may write whatever it likes, gets a line of its own words per test and no more.
"""

import functools
import json
import re

import numpy as np
import pytest

from autograder.core import config
from autograder.core.outcomes import CaseResult, Diagnosis, TestResult
from autograder.grading import casefile
from autograder.grading.feedback import HINT, MOST_QUOTED, VALUES, VERDICT, test_output
from autograder.grading.grader import Grader
from solutions import misconceptions
from solutions.misconceptions import CATALOGUE, family
from tests.grader.support import ROOT, rehearsal

test_output.__test__ = False  # type: ignore[attr-defined]  # pytest takes it for a test

SETTINGS = config.load(ROOT / "config.yaml")


def grade(tmp_path, source, only=None):
    """Grade the text of a layers.py for real; return the tests of its results.json, by name."""
    path = tmp_path / "layers.py"
    path.write_text(source, encoding="utf-8")
    Grader(SETTINGS, only).grade(path, tmp_path / "results.json")
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    return {test["extra_data"]["test"]: test for test in results["tests"]}


# --- the levels ------------------------------------------------------------------------------------------------------


def judged(*cases, diagnosis=None):
    return TestResult("test_double", "double: a title", "double", cases, diagnosis=diagnosis)


EXPLAINED = Diagnosis("doubled", "It is doubled.", (), "Map of y (1 by 3): . right, # wrong\n  ..#")
WRONG = CaseResult("one", "wrong", "y differs in 1 of 3 entries", "double", "y[2]=4, but should be 2", group="values y")


def test_values_tell_all():
    assert test_output(judged(WRONG, diagnosis=EXPLAINED), VALUES, {}, {}).splitlines() == [
        "y differs in 1 of 3 entries [double, one]",
        "y[2]=4, but should be 2",
        "Hint: It is doubled.",
        "Map of y (1 by 3): . right, # wrong",
        "  ..#",
    ]


def test_hints_tell_what_and_where():
    assert test_output(judged(WRONG, diagnosis=EXPLAINED), HINT, {}, {}).splitlines() == [
        "y differs in 1 of 3 entries [double, one]",
        "Hint: It is doubled.",
        "Map of y (1 by 3): . right, # wrong",
        "  ..#",
    ]


def test_a_verdict_tells_nothing():
    assert test_output(judged(WRONG, diagnosis=EXPLAINED), VERDICT, {}, {}) == "Failed."


def test_what_is_only_seen_is_not_called_a_hint():
    seen = Diagnosis("factor", notes=("y is 2 times what it should be.",))
    assert test_output(judged(WRONG, diagnosis=seen), HINT, {}, {}).endswith("\ny is 2 times what it should be.")
    assert "Hint" not in test_output(judged(WRONG, diagnosis=seen), HINT, {}, {})


def test_cases_that_failed_alike_are_named_together():
    second = CaseResult("two", "wrong", "y differs in 2 of 9 entries", "double", group="values y")
    other = CaseResult(
        "three", "raised", "double(x (2)) raised KeyError: 'a'", "double", group="KeyError toy.py, line 3"
    )
    assert test_output(judged(WRONG, second, other), HINT, {}, {}).splitlines() == [
        "0 of 3 cases passed.",
        "y differs in 1 of 3 entries [double, one; likewise two]",
        "double(x (2)) raised KeyError: 'a' [double, three]",
    ]


def test_a_student_is_quoted_within_bounds():
    said = ["a" * 150, "b" * 150, "c" * 150]
    cases = [CaseResult(text[0], "raised", f"f raised {text} (x)", "f", group=text, quoted=text) for text in said]
    text = test_output(judged(*cases), HINT, {}, {})
    assert f"f raised {'a' * 150} (x) [f, a]\nf raised {'b' * 49}… (x) [f, b]\nf raised … (x) [f, c]" in text
    assert "c" * 150 in test_output(judged(*cases), VALUES, {}, {})


# --- an honest submission --------------------------------------------------------------------------------------------


@functools.cache
def numbers_of_fixtures():
    """Return every number of the fixtures that is no size, as a program or a person might print it."""
    shown = set()
    for cases in casefile.load(SETTINGS.homework.fixtures).values():
        for case in cases:
            for name in ("x", "w", "b", "dout", "cols", "out", "dx", "dw", "db"):
                array = getattr(case, name, None)
                if isinstance(array, np.ndarray):
                    values = array.reshape(-1)[:20].tolist()
                    shown |= {form % value for value in values for form in ("%r", "%.3g", "%.4f", "%.6g", "%.2e")}
    return {text for text in shown if "." in text}


HONEST = [entry for entry in CATALOGUE if not entry.fails_only][::7]


@pytest.mark.parametrize("entry", HONEST, ids=lambda entry: entry.id)
def test_no_number_of_a_fixture_is_shown(entry):
    numbers = numbers_of_fixtures()
    assert len(numbers) > 1000
    tests = [name for name in rehearsal.hidden_tests() if SETTINGS.subject(name) == entry.function]
    texts = [
        test_output(r.result(), HINT, {}, {}) for r in rehearsal.rehearse(rehearsal.injected("loops", entry), tests)
    ]
    assert any("Hint: " in text for text in texts)
    for text in texts:
        assert not any(number in text for number in numbers & set(re.findall(r"-?\d*\.\d+(?:e[-+]\d+)?", text)))
        assert not re.search(r"\d\.\d|\de[-+]?\d", text), text


@pytest.mark.heavy
@pytest.mark.parametrize("id", ["columns-padded-with-the-edge", "overlaps-averaged", "maximum-of-magnitudes"])
def test_no_number_of_a_fixture_is_on_the_page(id, tmp_path):
    """The smallest example shows inputs: those of the family, and nothing that a hidden test put in."""
    (entry,) = [entry for entry in CATALOGUE if entry.id == id]
    path = tmp_path / "layers.py"
    path.write_text(misconceptions.source(entry).replace(f"right_{entry.function}(x", f"{entry.function}(x"))
    Grader(SETTINGS).grade(path, tmp_path / "results.json")
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    example = results["output"].split("to paste into the notebook:\n")[1].split("\n\n")[0]
    code = "\n".join(line[4:] for line in example.split("\n")[2:] if line.startswith("    "))
    assert any(code.startswith(program.code) for program in family.family(entry.function)), code
    hidden = [test["output"] for test in results["tests"] if "_example" not in test["extra_data"]["test"]]
    shown = "\n".join([results["output"].replace(example, ""), *hidden])
    numbers = {number for number in numbers_of_fixtures() if len(number) > 5}  # points are shorter
    assert not numbers & set(re.findall(r"-?\d*\.\d+(?:e[-+]\d+)?", shown))


def test_sizes_are_inputs_where_there_is_nothing_else(tmp_path):
    """conv_output_size is given numbers alone: who raises there is not told which."""
    source = "def conv_output_size(size, kernel_size, stride=1, padding=0):\n    raise KeyError\n"
    test = grade(tmp_path, source, "test_conv_output_size")["test_conv_output_size"]
    first = test["output"].splitlines()[1]
    assert re.match(r"conv_output_size\(size, kernel_size[a-z, ]*\) raised KeyError \(layers.py, line 2\) \[", first)


def test_a_call_is_said_in_words(tmp_path):
    source = "def conv2d_forward(x, w, b, stride=1, padding=0):\n    return x, (x, w)\n"
    source += "def conv2d_backward(dout, cache):\n    x, w = cache\n    return dout.reshape(7), w, w\n"
    test = grade(tmp_path, source, "test_conv2d_backward_db")["test_conv2d_backward_db"]
    said = "conv2d_backward(dout (1,2,4,4), cache) raised ValueError: cannot reshape array of size 32 into shape (7,)"
    assert f"{said} (layers.py, line 5: return dout.reshape(7), w, w)" in test["output"]


def test_staff_get_a_record_that_scripts_can_read(tmp_path):
    entry = next(entry for entry in CATALOGUE if entry.id == "columns-kernel-flipped")
    from solutions.misconceptions import source

    tests = grade(tmp_path, source(entry), "test_im2col*")
    data = tests["test_im2col"]["extra_data"]
    assert data["outcome"] == "partly"
    assert data["cases"]["padded"] == {"outcome": "wrong", "kind": "values", "result": "cols"}
    assert data["diagnosis"]["id"] == entry.id
    assert data["diagnosis"]["certain"] is True
    assert data["diagnosis"]["seconds"] < data["seconds"] + 5
    assert "As above: mistake 1, in im2col." in tests["test_im2col_example"]["output"], "public tests have hints"
    assert "diagnosis" not in tests["test_im2col_shape"]["extra_data"]


# --- a hostile one ---------------------------------------------------------------------------------------------------

MARK = "Ж"
"""A letter that no text of ours has: what is made of it comes from the submission."""

HOSTILE = f"""
import numpy as np
calls = 0

def tell(*arrays):
    return "".join(chr(0x4E00 + int(abs(value) * 20000)) for array in arrays for value in array.ravel())

def im2col(x, kernel_size, stride=1, padding=0):
    global calls
    calls += 1
    name = "{MARK}" * 50 + tell(x)
    if calls % 4 == 0:
        exec("class " + "{MARK}" * 50 + str(calls) + "(Exception): pass")
        raise locals()["{MARK}" * 50 + str(calls)](name * 9)
    if calls % 4 == 1:
        return type("{MARK}" * 60 + str(calls), (), {{}})()
    if calls % 4 == 2:
        return np.zeros((0, *(int(abs(value) * 2**40) for value in x.ravel()[:6])))
    return int(abs(x.ravel()[0]) * 2**50)
"""


def test_a_hostile_submission_gets_a_line_of_its_own_words(tmp_path):
    tests = grade(tmp_path, HOSTILE, "test_im2col*")
    hidden = {name: test for name, test in tests.items() if SETTINGS.tests[name].feedback == "hint"}
    assert len(hidden) >= 4
    ours = re.compile(r"[\x20-\x7e…‹›\n]")
    cases = {case.id: case for case in casefile.load(SETTINGS.homework.fixtures)["im2col"]}
    expected = {repr(value) for case in cases.values() for value in np.unique(case.cols).tolist() if value}
    leaked = 0
    for test in hidden.values():
        theirs = len(ours.sub("", test["output"])) + sum(len(n) for n in re.findall(r"\d{6,}", test["output"]))
        assert theirs <= MOST_QUOTED
        assert not any(value in test["output"] for value in expected)
        leaked += theirs
    assert leaked > 0, "it is to say something, or this proves nothing"


@pytest.mark.parametrize("factor", ["1.2345", "np.pi", "1 + 1e-6", "x.ravel()[0]"])
def test_a_relation_is_no_oracle(tmp_path, factor):
    """Whoever controls what is returned learns no number of what is expected: only simple factors are named."""
    source = "import numpy as np\nfrom numpy.lib.stride_tricks import sliding_window_view as view\n"
    source += "def im2col(x, kernel_size, stride=1, padding=0):\n"
    source += "    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))\n"
    source += "    v = view(x, kernel_size, (2, 3))[:, :, ::stride, ::stride]\n"
    source += "    cols = v.transpose(1, 4, 5, 0, 2, 3).reshape(x.shape[1] * kernel_size[0] * kernel_size[1], -1)\n"
    source += f"    return cols * ({factor})\n"
    output = grade(tmp_path, source, "test_im2col")["test_im2col"]["output"]
    assert "differs in" in output
    assert not re.search(r"\d\.\d|times|of what it should be", output), output
