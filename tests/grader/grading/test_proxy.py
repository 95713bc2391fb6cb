"""The proxy: what goes to a student's file and comes back, and the words for it. Every file runs in a real worker."""

import numpy as np
import pytest

from autograder.core.errors import (
    NotRun,
    Raised,
    Wrong,
)
from autograder.grading.compare import Foreign
from autograder.grading.proxy import AtHome
from tests.grader.support.calls import X, failure

# What goes there and comes back.


def test_arrays_come_back_as_they_are(student):
    toy = student("def double(x): return x")
    for array in (
        X,
        X.astype("float32"),
        np.arange(6).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(12.0)[::-3],
        np.array(5.0),
        np.zeros((2, 0, 3)),
        np.array([True, False]),
        np.array([1 + 2j]),
        X.astype(">f8"),
    ):
        got = toy.double(array)
        assert type(got) is np.ndarray
        assert got.dtype == array.dtype.newbyteorder("=")
        assert got.shape == array.shape
        assert np.array_equal(got, array)
        assert got.flags.writeable


def test_nothing_keeps_its_meaning_by_name_only(student):
    """Integers and tuples go there as such, keywords as keywords."""
    toy = student("def double(x, shape, *, times): return x * times + len(shape) + sum(shape)")
    assert toy.double(X, (2, 5), times=np.int64(3)).tolist() == [12.0, 15.0, 18.0]


def test_integers_come_back(student):
    toy = student("import numpy as np\ndef double(x): return x\ndef unhalve(x): return np.int32(x + 1)")
    assert toy.double(7) == 7
    assert type(toy.unhalve(7)) is int


def test_a_cache_never_leaves_the_worker(student):
    toy = student("def halve(x): return x / 2, lambda: x\ndef unhalve(out, cache): return cache()")
    out, cache = toy.halve(X)
    assert "lambda" not in repr(cache)
    assert toy.unhalve(out, cache).tolist() == X.tolist()
    assert toy.unhalve(out, cache).tolist() == X.tolist()


def test_what_prints_does_no_harm(student):
    toy = student("import sys\ndef double(x):\n    print('x' * 10**6); sys.stderr.write('y'); return 2 * x")
    assert toy.double(X).tolist() == [2.0, 4.0, 6.0]


def test_a_function_that_nobody_asked_for_is_not_there(student):
    toy = student("def helper(x): return x")
    with pytest.raises(AttributeError, match=r"the assignment has no function 'helper'"):
        toy.helper(X)


def test_a_test_may_send_what_can_be_sent_and_no_more(student):
    """Anything else would be a broken test, and no student's fault."""
    toy = student("def double(x): return x")
    with pytest.raises(TypeError):
        toy.double(1.5)


# What is no array of numbers.


@pytest.mark.parametrize(
    ("returned", "kind"),
    [
        ("None", "None"),
        ("[1.0, 2.0]", "a list of 2"),
        ("(x,)", "a tuple of 1"),
        ("{}", "a dict"),
        ("True", "a bool"),
        ("1.5", "a float"),
        ("np.float64(1.5)", "a float64"),
        ("x.astype(object)", "an array of dtype object"),
        ("np.zeros((1,) * 9)", "an array with 9 axes"),
        ("x.astype('f16')", "an array of dtype float128"),
        ("np.array(['a'])", "an array of dtype ‹U1"),
        ("2 ** 80", "an int"),
        ("type('\\x1b[31m' + 'x' * 200, (), {})()", "a [31m" + "x" * 73 + "…"),
        ("double", "a function"),
    ],
)
def test_what_cannot_travel_is_named(student, returned, kind):
    if "f16" in returned and np.dtype("longdouble").itemsize != 16:
        pytest.skip("there is no float128 here")
    got = student(f"import numpy as np\ndef double(x): return {returned}").double(X)
    assert repr(got) == kind
    assert type(got) is Foreign


@pytest.mark.parametrize(
    ("returned", "kind"),
    [
        ("x", "an array of dtype float64"),
        ("None", "None"),
        ("(x, x, x)", "a tuple of 3"),
        ("[x]", "a list of 1"),
        ("{'out': x, 'cache': x}", "a dict"),
        ("1", "an int"),
    ],
)
def test_a_wrong_number_of_results(student, returned, kind):
    toy = student(f"def halve(x): return {returned}")
    assert failure(toy.halve, X) == (Wrong, f"halve returned {kind}, but should return (out, cache)", "halve")


def test_a_list_of_results_is_as_good_as_a_tuple(student):
    out, _ = student("def halve(x): return [x / 2, None]").halve(X)
    assert out.tolist() == [0.5, 1.0, 1.5]


@pytest.mark.parametrize("source", ["", "double = 3", "def Double(x): return x"])
def test_a_function_that_is_not_defined(student, source):
    toy = student(source)
    assert failure(toy.double, X) == (Wrong, "double is not defined in toy.py", "double")


def test_a_result_of_the_wrong_kind_cannot_be_an_argument(student):
    toy = student("def halve(x): return None, None\ndef unhalve(out, cache): return out")
    out, cache = toy.halve(X)
    assert failure(toy.unhalve, out, cache) == (NotRun, "an argument is None, but should be an array", None)


# What raises.


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return int('3.5')", "ValueError: invalid literal for int() with base 10: '3.5' (toy.py, line 2: {body})"),
        ("raise ValueError('odd size')", "ValueError: odd size (toy.py, line 2)"),
        ("raise RuntimeError", "RuntimeError (toy.py, line 2)"),
        ("raise SystemExit(3)", "SystemExit: 3 (toy.py, line 2)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt (toy.py, line 2)"),
        ("raise type('Odd', (BaseException,), {})('a<b>\\x1b[31m')", "Odd: a‹b›[31m (toy.py, line 2)"),
        ("raise ValueError('long ' * 1000)", "ValueError: " + "long " * 39 + "long… (toy.py, line 2)"),
        ("return undefined", "NameError: name 'undefined' is not defined (toy.py, line 2: {body})"),
    ],
)
def test_an_exception_is_told_with_its_line(student, body, message):
    toy = student(f"def double(x):\n    {body}")
    message = "double(x (3)) raised " + message.format(body=body)
    assert failure(toy.double, X) == (Raised, message, "double")


def test_the_innermost_line_of_their_own_counts(student):
    source = "import numpy as np\nfrom helper import stack\ndef double(x):\n    return stack(x)"
    helper = "import numpy as np\n\ndef stack(x):\n    return np.concatenate([x, x[None]])"
    expected = (
        "double(x (3)) raised ValueError: all the input arrays must have same number of dimensions, but the array at "
        "index 0 has 1 dimension(s) and the array at index 1 has 2 dimension(s) "
        "(helper.py, line 4: return np.concatenate([x, x[None]]))"
    )
    assert failure(student(source, helpers={"helper.py": helper}).double, X) == (Raised, expected, "double")


def test_a_wrong_call_has_no_line_of_theirs(student):
    kind, message, _ = failure(student("def double(): return 1").double, X)
    assert kind is Raised
    assert message == "double(x (3)) raised TypeError: double() takes 0 positional arguments but 1 was given"


@pytest.mark.parametrize(("file", "line"), [("/etc/passwd", 1), ("toy.py", "1"), (None, None), ("../toy.py", 1)])
def test_a_worker_cannot_have_other_files_shown(submit, file, line):
    assert submit("secret = 1").where(file, line) == ""


@pytest.mark.parametrize(("line", "shown"), [(0, ""), (-1, ""), (2, "toy.py, line 2"), (3, ""), (99, "")])
def test_a_line_that_is_not_there_is_not_shown(submit, line, shown):
    assert submit("a = 1").where("toy.py", line) == shown


# Inspected calls.


def test_an_inspected_call_shows_its_inputs_afterwards(student):
    toy = student("def double(x):\n    x *= 2\n    return x\ndef halve(x): return x / 2, None")
    call = toy.inspect("double", X)
    assert (call.function, call.names) == ("double", ("y",))
    assert call.inputs[0] is X
    assert call.inputs_after[0].tolist() == [2.0, 4.0, 6.0]
    assert X.tolist() == [1.0, 2.0, 3.0]
    assert call.shares == ((True,),)
    call = toy.inspect("halve", X)
    assert np.array_equal(call.inputs_after[0], X)
    assert call.shares == ((False,),)


def test_a_call_shows_the_inputs_of_the_watched_call_that_made_its_cache(student):
    toy = student(
        "def halve(x): return x / 2, x\ndef unhalve(out, cache):\n    cache.shape = (-1, 1)\n    return 2 * out"
    )
    out, cache = toy.watch("halve", X).results
    call = toy.inspect("unhalve", out, cache)
    assert call.labels == ("out", "x, which halve was given,")
    assert [array.shape for array in call.inputs] == [(3,), (3,)]
    assert [array.shape for array in call.inputs_after] == [(3,), (3, 1)]
    assert call.shares == ((False,),)
    out, cache = toy.halve(X)  # not watched, so that its inputs are not looked at again
    call = toy.inspect("unhalve", out, cache)
    assert len(call.inputs) == len(call.inputs_after) == 1


def test_at_home_a_test_sees_what_happens_to_its_arrays(student):
    source = "def double(x):\n    x += 1\n    return x\ndef halve(x): return x / 2, x\n"
    toy = AtHome(
        student(source + "def unhalve(out, cache):\n    cache.shape = (-1, 1)\n    out[0] = 7\n    return 2 * out")
    )
    x = np.array([1.0, 2.0])
    assert toy.double(x).tolist() == x.tolist() == [2.0, 3.0]
    assert toy.double(x).tolist() == x.tolist() == [3.0, 4.0]
    out, cache = toy.halve(x)
    assert toy.unhalve(out, cache).tolist() == [14.0, 4.0]
    assert (out.tolist(), x.shape) == ([7.0, 2.0], (2, 1))
    with pytest.raises(AttributeError, match="the assignment has no function 'helper'"):
        toy.helper(x)


def test_an_array_arrives_in_the_order_in_which_it_is_stored(student):
    toy = student("def double(x): return int(x.flags.fnc)")
    x = np.arange(6.0).reshape(2, 3)
    assert [toy.double(each) for each in (x, np.asfortranarray(x), x[:, ::2])] == [0, 1, 0]


def test_the_call_that_made_an_array_is_known(student):
    toy = student("def double(x): return 2 * x\ndef halve(x): return x / 2, None")
    y = toy.double(X)
    out, cache = toy.halve(X)
    for result, function in ((y, "double"), (out, "halve"), (cache, "halve")):
        call = toy.origin(result)
        assert call is not None
        assert call.function == function
    assert toy.origin(y.copy()) is None
    toy.close()
    assert toy.origin(y) is None


@pytest.mark.parametrize(
    ("double", "changed", "shares"),
    [
        ("return x.copy()", (False,), ((False,),)),
        ("return x[::2]", (False,), ((True,),)),
        ("x.flags.writeable = False; return x", (False,), ((True,),)),
        ("x[0] = np.nan; return 2 * x", (True,), ((False,),)),
        ("x.shape = (1, 3); return 2 * x", (True,), ((False,),)),
        ("y = np.full(3, np.nan); return y", (False,), ((False,),)),
        ("return np.broadcast_to(x[:1], (3,))", (False,), ((True,),)),
    ],
)
def test_changes_and_shares_are_seen_from_bytes(student, double, changed, shares):
    toy = student(f"import numpy as np\ndef double(x):\n    {double}")
    call = toy.inspect("double", X)
    seen = tuple(after.shape != X.shape or after.tobytes() != X.tobytes() for after in call.inputs_after)
    assert (seen, call.shares) == (changed, shares)
    assert toy.double(X) is not None


def test_what_a_worker_says_of_itself_does_not_count(student):
    toy = student("""
import __main__
_call = __main__.service._call
def _lie(*args):
    body, results = _call(*args)
    return {**body, "shares": [[False]]}, results
__main__.service._call = _lie
def double(x):
    return x
""")
    assert toy.inspect("double", X).shares == ((True,),)
