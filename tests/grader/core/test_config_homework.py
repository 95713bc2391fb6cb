"""config.yaml and the homework that it speaks of: files, functions, tests and their points."""

import pytest

from tests.grader.support.configs import load, refused

# The homework it speaks of.


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("solutions/sums.py", "solutions/sum.py", "homework.solution: no such file: solutions/sum.py. "),
        ("solutions/naive.py", "/nowhere/naive.py", "homework.oracle: no such file: /nowhere/naive.py. "),
        ("solutions/cases.py", "solutions", "homework.cases: no such file: solutions. "),
        ("tests/public", "tests/open", "homework.public_tests: no such folder: tests/open. "),
        (
            "hidden_tests: tests/hidden",
            "hidden_tests: tests/hidden/test_add.py",
            "homework.hidden_tests: no such folder: tests/hidden/test_add.py. ",
        ),
    ],
)
def test_a_path_to_nothing(homework, old, new, message):
    (line,) = refused(homework, (old, new))
    assert line == f"config.yaml: {message}Correct the path; it is relative to config.yaml."


def test_all_paths_to_nothing_are_listed(homework):
    lines = refused(homework, ("solutions/sums.py", "a.py"), ("tests/public", "b"))
    assert [line.split(": ")[1] for line in lines] == ["homework.solution", "homework.public_tests"]


@pytest.mark.parametrize(
    ("name", "remedy"), [("cahce", "Did you mean cache?"), ("xyz", "Returned are cache, out, total.")]
)
def test_an_opaque_name_that_nothing_returns(homework, name, remedy):
    (line,) = refused(homework, ("opaque: [cache]", f"opaque: [{name}]"))
    assert line == f"config.yaml: homework.opaque: no function returns {name}. {remedy}"


def test_nothing_opaque(homework):
    assert load(homework, ("opaque: [cache]", "opaque: []")).homework.opaque == ()


def test_an_unknown_test(homework):
    lines = refused(homework, ("test_add_forward:", "test_add_foward:"))
    assert lines == [
        "config.yaml: tests.test_add_foward: no such test in tests/hidden/ or tests/public/. "
        "Did you mean test_add_forward?",
        "config.yaml: tests.test_add_forward: tests/hidden/test_add.py defines this test, but it has no points. "
        "Add a line under tests: test_add_forward: {points: 1}",
    ]


def test_an_unknown_test_is_compared_with_those_that_have_no_points_first(homework):
    (homework.parent / "tests/hidden/test_more.py").write_text("def test_add_forward_too(): ...\n")
    lines = refused(homework, ("tests:\n", "tests:\n  test_add_forwards: {points: 1}\n"))
    assert lines[0].endswith("Did you mean test_add_forward_too?")


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("test_ad", "Did you mean test_add?"), ("test_subtraction", "Remove it, or write the test.")],
)
def test_a_test_that_is_not_there(homework, name, remedy):
    (line,) = refused(homework, ("tests:\n", f"tests:\n  {name}: {{points: 1}}\n"))
    assert line == f"config.yaml: tests.{name}: no such test in tests/hidden/ or tests/public/. {remedy}"


def test_only_test_functions_of_test_files_count(homework):
    (line,) = refused(homework, ("tests:\n", "tests:\n  test_of_no_test_file: {points: 1}\n"))
    assert line.startswith("config.yaml: tests.test_of_no_test_file: no such test")
    (line,) = refused(homework, ("tests:\n", "tests:\n  helper: {points: 1}\n"))
    assert line.startswith("config.yaml: tests.helper: no such test")


def test_tests_are_found_without_running_them(homework):
    path = homework.parent / "tests/hidden/test_add.py"
    path.write_text(path.read_text() + "raise SystemExit('imported')\n")
    assert "test_add" in load(homework).tests


@pytest.mark.parametrize(
    ("change", "total"), [("points: 2", "9"), ("points: 3.25", "10.25"), ("points: 3.001", "10.001")]
)
def test_points_that_do_not_add_up(homework, change, total):
    (line,) = refused(homework, ("points: 3", change))
    assert line == (
        f"config.yaml: tests: points of tests add up to {total}, but total_points is 10. "
        "Change the points of some tests, or total_points."
    )


def test_a_name_in_two_files(homework):
    (homework.parent / "tests/public/test_add.py").write_text(
        "def test_add(layers): ...\ndef test_add_example(): ...\n"
    )
    (line,) = refused(homework)
    assert line == (
        "tests/public/test_add.py: test_add: also defined in tests/hidden/test_add.py. "
        "Rename one of them: points go by name."
    )


def test_a_name_twice_in_a_file(homework):
    path = homework.parent / "tests/hidden/test_add.py"
    path.write_text(path.read_text() + "def test_add(): ...\n")
    (line,) = refused(homework)
    assert line == "tests/hidden/test_add.py: test_add: defined twice. Rename one of them: points go by name."


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (b"x = 1\ndef test_(:\n", "line 2: is not Python: invalid syntax. Correct it."),
        (b"x = '\0'\n", "is not Python: "),
        (b"\xff\n", "is not Python: "),
    ],
)
def test_a_test_file_that_is_no_python(homework, source, problem):
    (homework.parent / "tests/hidden/test_bad.py").write_bytes(source)
    (line,) = refused(homework)
    assert line.startswith("tests/hidden/test_bad.py: ")
    assert problem in line
