"""Which loop a call hangs in, from the lines that its process says it runs."""

import pytest

from autograder.grading.loops import hung_in

SOURCE = """\
def double(x):
    i = 0
    while i < 3:
        j = 0

# a comment that begins on the left
        while j < 3:
            for k in range(3):
                x = x + 1
        j += 1
    i += 1
    return x

while_ = 1
def halve(x):
    return [
        double(x)
        for x in (1, 2)
    ]
while True: pass
class Layer:
\twhile True:
\t\tpass
""".splitlines()


def found(*inside):
    return hung_in([list(call) for call in inside], {"layers.py": SOURCE})


@pytest.mark.parametrize(
    ("lines", "loop"),
    [
        ([7, 8, 9], 7),
        ([7], 7),
        ([9], 7),
        ([4, 7, 9, 10], 3),
        ([3], 3),
        ([2, 7], None),
        ([2], None),
        ([17], None),
        ([20], 20),
        ([22, 23], 22),
        ([], None),
    ],
)
def test_it_is_the_innermost_loop_around_all_lines(lines, loop):
    assert found(("layers.py", lines)) == (None if loop is None else ("layers.py", loop))


def test_the_innermost_call_with_a_loop_is_named():
    assert found(("layers.py", [20]), ("layers.py", [7, 9])) == ("layers.py", 7)
    assert found(("layers.py", [20]), ("layers.py", [17])) == ("layers.py", 20)


@pytest.mark.parametrize(
    "inside",
    [
        None,
        "layers.py",
        {"layers.py": [7]},
        [["layers.py"]],
        [["layers.py", 7]],
        [[7, [7]]],
        [["other.py", [7]]],
        [["../layers.py", [7]]],
        [["layers.py", [0]]],
        [["layers.py", [-1]]],
        [["layers.py", [10**9]]],
        [["layers.py", [True]]],
        [["layers.py", ["7"]]],
        [["layers.py", [7.0]]],
        [["layers.py", [[7]]]],
    ],
)
def test_what_is_no_line_of_the_students_files_is_not_named(inside):
    assert hung_in(inside, {"layers.py": SOURCE}) is None
