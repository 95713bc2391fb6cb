"""The smallest example: the first program of the family on which a function is wrong, in words that can be pasted."""

# mypy: ignore-errors
# Stands in for a homework's family of programs.

import time
import types

import pytest

from autograder.core.outcomes import CaseResult, TestResult
from autograder.grading.diagnose.smallest import CHANGED, DTYPE, SHARED, VALUES
from autograder.grading.examples import Examples, at_fault, promises_only
from tests.grader.support.toy import FUNCTIONS, SOLUTION

DOUBLE = "y = double(x)"
UNHALVE = "out, cache = halve(x)\nx = unhalve(out, cache)"


def program(values, call, dtype=""):
    given = f", dtype=np.{dtype}" if dtype else ""
    return types.SimpleNamespace(numbers=len(values), code=f"x = np.array({values}{given})\n{call}")


def twice(first, second):
    return types.SimpleNamespace(numbers=first.numbers + second.numbers, code=f"{first.code}\n{second.code}")


def family(function):
    call = {"double": DOUBLE, "halve": "out, cache = halve(x)", "unhalve": UNHALVE}[function]
    plain = [program(values, call) for values in ([1.0], [-1.0], [1.0, 2.0], [0.1])]
    return [*plain, program([1.0], call, "float32"), twice(plain[0], plain[1])]


def defined(source):
    """Return the functions that a source defines."""
    found = {}
    exec(source, found)
    return found


@pytest.fixture
def find(submit):
    """Give a source, get the examples of these functions."""

    def find(source, functions=("double",), most_calls=100, right=SOLUTION, promises=(), **limits):
        module = types.SimpleNamespace(family=family)
        session = submit(source, **limits)
        return Examples(session, defined(right), module, (1e-10, 1e-4), most_calls).find(functions, promises)

    return find


def double(body):
    """Return the right solution with another `double`."""
    return SOLUTION.replace("return 2 * x", body, 1)


HEAD = "import numpy as np\nfrom toy import double\n"


@pytest.mark.parametrize(
    ("body", "code", "said", "rank"),
    [
        ("return 2 * abs(x)", "x = np.array([-1.0])", "y is\n    [2]\nbut should be\n    [-2]", VALUES),
        (
            "return 2 * x[:1]",
            "x = np.array([1.0, 2.0])",
            "y has shape (1,):\n    [2]\nbut should have shape (2,):\n    [2, 4]",
            VALUES,
        ),
        ("return [2]", "x = np.array([1.0])", "y is a list of 1, but should be an array of numbers:\n    [2]", VALUES),
        ("return None", "x = np.array([1.0])", "y is None, but should be an array of numbers:\n    [2]", VALUES),
        ("return (2 * x).astype(int)", "x = np.array([1.0])", "y.dtype is int64, but should be float64.", VALUES),
        (
            "return 2.0 * np.float32(x)",
            "x = np.array([0.1])",
            "y is\n    [0.200000003]\nbut should be\n    [0.2]",
            VALUES,
        ),
        (
            "return 1 / 0",
            "x = np.array([1.0])",
            "double(x (1)) raised ZeroDivisionError: division by zero (toy.py, line 3: return 1 / 0).\n"
            "It should return\n    y = [2]",
            VALUES,
        ),
        (
            "import os; os._exit(3)",
            "x = np.array([1.0])",
            "double(x (1)) ended the Python process with exit status 3.\nIt should return\n    y = [2]",
            VALUES,
        ),
        (
            "return np.float64(2) * x.astype(np.float64)",
            "x = np.array([1.0], dtype=np.float32)",
            "y.dtype is float64, but should be float32.",
            DTYPE,
        ),
        ("x *= 2; return x.copy()", "x = np.array([1.0])", "After the call x is\n    [2]\nbut was\n    [1]", CHANGED),
    ],
    ids=["values", "shape", "list", "none", "integers", "float32-inside", "raises", "exits", "dtype", "in-place"],
)
def test_what_is_wrong_is_shown_on_the_smallest_input(find, body, code, said, rank):
    promises = ("double",) if rank == CHANGED else ()
    (example,) = find("import numpy as np\n" + double(body), promises=promises).values()
    assert example.code == f"{HEAD}{code}\n{DOUBLE}"
    assert example.said == said
    assert (example.rank, example.function) == (rank, "double")


def test_memory_that_is_shared(find):
    (example,) = find(double("return x"), right=double("return x.copy()"), promises=("double",)).values()
    assert (example.rank, example.said) == (SHARED, "y shares memory with x, but should have memory of its own.")


def test_a_mistake_in_values_comes_before_one_in_memory(find):
    (example,) = find(double("return x if len(x) == 1 else x[::-1]"), right=double("return x.copy()")).values()
    assert (example.rank, example.numbers) == (VALUES, 2)


def test_what_is_remembered_shows_in_the_second_call_of_a_fresh_process(find):
    body = "double.calls = getattr(double, 'calls', 0) + 1; return 2 * x * double.calls"
    (example,) = find(double(body)).values()
    assert example.code == f"{HEAD}x = np.array([1.0])\n{DOUBLE}\nx = np.array([-1.0])\n{DOUBLE}"
    assert example.said == "y is\n    [-4]\nbut should be\n    [-2]"


def test_what_differs_by_chance_is_no_example(find):
    source = "import os\n" + double("return x * int.from_bytes(os.urandom(3), 'big')")
    assert find(source) == {}


def test_a_call_that_hangs_is_waited_for_once(find, monkeypatch):
    monkeypatch.setattr("autograder.grading.examples.CALL_SECONDS", 0.5)
    started = time.monotonic()
    (example,) = find(double("while True: pass")).values()
    assert example.said == (
        "double(x (1)) did not return within 0.5 s (it was in this loop: toy.py, line 2: while True: pass).\n"
        "It should return\n    y = [2]"
    )
    assert time.monotonic() - started < 8


def test_where_an_earlier_function_is_wrong_the_later_one_has_no_example(find):
    source = SOLUTION.replace("return x / 2, x.shape", "return x / 3, x.shape")
    assert list(find(source, ["halve", "unhalve"])) == ["halve"]


def test_a_later_function_is_looked_at_where_the_earlier_one_is_right(find):
    (example,) = find(SOLUTION.replace("return 2 * out.reshape(cache)", "return 2 * out[:1]"), ["unhalve"]).values()
    assert example.code.startswith("import numpy as np\nfrom toy import halve, unhalve\nx = np.array([1.0, 2.0])\n")


def test_numbers_that_the_earlier_function_fails_on_do_not_hide_others_of_the_same_shape(find):
    """`halve` is wrong for negative numbers; `unhalve` for tenths, and only the first shape has tenths."""
    source = SOLUTION.replace("return x / 2, x.shape", "return abs(x) / 2, x.shape")
    source = "import numpy as np\n" + source.replace("return 2 * out.reshape(cache)", "return np.round(2 * out)")
    (example,) = find(source, ["unhalve"]).values()
    assert example.code.endswith(f"x = np.array([0.1])\n{UNHALVE}")


def test_a_right_function_may_return_an_integer_of_numpy(find):
    right = "import numpy as np\n" + double("return np.int64(2 * len(x))")
    (example,) = find(double("return len(x)"), right=right).values()
    assert example.said == "y is 1, but should be 2."
    assert find(double("return 2 * len(x)"), right=right) == {}


def test_where_there_is_no_right_result_there_is_no_example(find):
    for right in ("return 1 / 0", "return None", "return (1, 2)"):
        assert find(double("return x"), right=double(right)) == {}


def test_what_a_cache_keeps_of_an_input_is_not_spoiled_by_looking_at_it(find):
    """The cache is the input itself, and a right function may read it later."""
    right = SOLUTION.replace("return x / 2, x.shape", "return x / 2, x").replace("2 * out.reshape(cache)", "cache + 0")
    assert find(right, list(FUNCTIONS), right=right) == {}


def test_right_functions_have_none(find):
    assert find(SOLUTION, list(FUNCTIONS)) == {}


def test_the_search_ends_with_its_budget(find):
    body = "return 2 * abs(x)"
    assert find(double(body), most_calls=1) == {}
    assert list(find(double(body), most_calls=2)) == ["double"]


@pytest.mark.heavy
def test_when_time_is_up_what_was_found_is_kept(find):
    slow = "import time; time.sleep(1.5); return 2 * abs(out.reshape(cache))"
    source = double("return 3 * x").replace("return 2 * out.reshape(cache)", slow)
    assert list(find(source, ["double", "unhalve"], submission_seconds=4)) == ["double"]


def test_the_same_in_every_run(find):
    source = double("return 2 * abs(x)")
    assert find(source) == find(source)


def test_where_values_are_known_to_be_right_the_search_ends_with_the_first_example(find):
    source = "import numpy as np\n" + double("return (2 * x).astype(np.float64) if len(x) < 2 else 3.0 * x")
    assert find(source)["double"].rank == VALUES
    assert find(source, promises=("double",))["double"].numbers == 2  # it comes before the one about the dtype
    source = "import numpy as np\n" + double("return (2 * x).astype(np.float64)")
    assert find(source, promises=("double",), most_calls=5)["double"].rank == DTYPE


def test_whose_values_are_right():
    def test(subject, *kinds):
        cases = (CaseResult("", "wrong", function=subject, detail={"kind": kind} if kind else {}) for kind in kinds)
        return TestResult("test", "", subject, tuple(cases))

    results = [
        test("double", "dtype", "changed"),
        test("halve", "shared"),
        test("halve", "values"),
        test("unhalve", ""),
    ]
    assert promises_only(results, list(FUNCTIONS)) == {"double"}


def test_at_fault_is_who_returned_something_wrong():
    def test(subject, *ends):
        cases = tuple(CaseResult(str(n), outcome, function=function) for n, (outcome, function) in enumerate(ends))
        return TestResult(f"test_{subject}", "", subject, cases)

    results = [
        test("halve", ("raised", "halve")),
        test("double", ("passed", ""), ("wrong", "double")),
        test("unhalve", ("not run", "halve"), ("too slow", "unhalve"), ("not measured", "")),
        test(None, ("wrong", "")),
    ]
    assert at_fault(results, list(FUNCTIONS)) == ["double", "halve"]
