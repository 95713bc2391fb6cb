"""config.yaml: what is accepted, and the very text an instructor reads when it is not."""

import time
from fractions import Fraction
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import ValidationError

from autograder.core import config, results
from autograder.core.errors import ConfigurationError
from tests.grader.support import ROOT

GOOD = """\
title: "Sums"
total_points: 10
homework:
  required_file: sums.py
  solution: solutions/sums.py
  oracle: solutions/naive.py
  cases: solutions/cases.py
  public_tests: tests/public
  hidden_tests: tests/hidden
  fixtures: tests/hidden/fixtures
  misconceptions: solutions/misconceptions
  correct: solutions/correct
  expected: solutions/expected.yaml
  functions:
    add: [total]
    add_forward: [out, cache]
  opaque: [cache]
fixtures:
  seed: 7
tolerances: {float64: 1e-10, float32: 1.0e-4, slope: 1E-7}
limits:
  call_seconds: 10
  import_seconds: 2.5
  submission_seconds: 60
  platform_minutes: 10
  memory_mib: 512
  reply_mib: 32
  archive_mib: 20
  archive_files: 200
isolation:
  without_seccomp: warn
speed: {full_ratio: 3, none_ratio: 30, rounds: 11}
tests:
  test_add_example: {points: 2.5, feedback: values}
  test_add: {points: 3}
  test_add_forward: {points: 4.5, feedback: verdict, visibility: after_due_date}
"""


@pytest.fixture
def homework(tmp_path):
    """A folder with a small homework; returns its config.yaml, not yet written."""
    for name, text in {
        "solutions/sums.py": "",
        "solutions/naive.py": "",
        "solutions/cases.py": "",
        "tests/public/test_add.py": "def test_add_example(layers): ...\n",
        "tests/hidden/test_add.py": "def helper(): ...\n\ndef test_add(): ...\n\ndef test_add_forward(): ...\n",
        "tests/hidden/helpers.py": "def test_of_no_test_file(): ...\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path / "config.yaml"


def load(path, *changes, text=GOOD):
    """Load the good file with some of its text replaced."""
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} is not in the file once"
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return config.load(path)


def refused(path, *changes, text=GOOD):
    """Return the messages with which it is refused, line by line."""
    with pytest.raises(ConfigurationError) as error:
        load(path, *changes, text=text)
    return str(error.value).splitlines()


# What is accepted.


def test_everything_is_read(homework):
    got = load(homework)
    assert got.title == "Sums"
    assert got.total_points == 10
    assert got.homework.required_file == "sums.py"
    assert got.homework.functions == {"add": ("total",), "add_forward": ("out", "cache")}
    assert got.homework.opaque == ("cache",)
    assert got.fixtures.seed == 7
    assert got.limits.call_seconds == 10
    assert got.limits.import_seconds == 2.5
    assert list(got.tests) == ["test_add_example", "test_add", "test_add_forward"]
    assert got.tests["test_add"] == config.TestSettings(points=Fraction(3), feedback="hint", visibility="visible")
    assert got.tests["test_add_forward"].visibility == "after_due_date"
    assert [settings.feedback for settings in got.tests.values()] == ["values", "hint", "verdict"]


def test_paths_are_those_of_the_files_folder(homework, monkeypatch):
    root = homework.parent
    homework.write_text(GOOD)
    monkeypatch.chdir(root)
    got = config.load(Path("config.yaml")).homework
    assert got.solution == root / "solutions" / "sums.py"
    assert got.oracle == root / "solutions" / "naive.py"
    assert got.cases == root / "solutions" / "cases.py"
    assert got.public_tests == root / "tests" / "public"
    assert got.hidden_tests == root / "tests" / "hidden"
    assert got.fixtures == root / "tests" / "hidden" / "fixtures"


def test_paths_may_lie_elsewhere(homework):
    root = homework.parent
    got = load(homework, ("solutions/sums.py", str(root / "solutions" / "sums.py")))
    assert got.homework.solution == root / "solutions" / "sums.py"


@pytest.mark.parametrize("number", ["1e-7", "1E-7", "1.e-7", ".1e-6", "+1e-7", "0.0000001", "1.0e-07", "10e-8"])
def test_every_way_to_write_a_number(homework, number):
    assert load(homework, ("1E-7", number)).tolerances.slope == pytest.approx(1e-7, rel=1e-12)


def test_a_quoted_number_is_text(homework):
    (line,) = refused(homework, ("1E-7", "'1e-7'"))
    assert line == (
        "config.yaml: tolerances.slope: got the text '1e-7', but should be a number. "
        "Write a plain number, without quotes and without a unit."
    )


def test_our_numbers_are_not_everybodys(homework):
    load(homework)
    assert yaml.safe_load("1e-7") == "1e-7", "PyYAML itself is left as it is"


def test_points_are_exact(homework):
    got = load(
        homework,
        ("total_points: 10", "total_points: 0.6"),
        ("points: 2.5", "points: 0.1"),
        ("points: 3", "points: 0.2"),
        ("points: 4.5", "points: 0.3"),
    )
    assert got.tests["test_add_example"].points == Fraction(1, 10)
    assert got.total_points == Fraction(3, 5)


def test_models_are_frozen(homework):
    got = load(homework)
    with pytest.raises(ValidationError, match="frozen"):
        got.tests["test_add"].points = Fraction(100)
    with pytest.raises(ValidationError, match="frozen"):
        got.homework.solution = Path("elsewhere")


@pytest.mark.parametrize(
    ("test", "subject"),
    [
        ("test_add", "add"),
        ("test_add_dtype", "add"),
        ("test_add_forward", "add_forward"),
        ("test_add_forward_shape", "add_forward"),
        ("test_repository", None),
    ],
)
def test_a_test_is_about_the_longest_name_in_its_own(homework, test, subject):
    assert load(homework).subject(test) == subject


def test_names_of_equal_length_go_by_the_order_of_the_assignment(homework):
    got = load(homework, ("    add: [total]\n", "    sum: [s]\n    add: [total]\n"))
    assert got.subject("test_add_sum") == "sum"


def test_a_byte_order_mark_is_no_text(homework):
    assert load(homework, text="\ufeff" + GOOD).title == "Sums"


def test_it_works_without_the_c_parser(homework, monkeypatch):
    class Slow(yaml.SafeLoader):
        yaml_implicit_resolvers = config._Loader.yaml_implicit_resolvers

    homework.write_text(GOOD)
    fast = config.load(homework)
    monkeypatch.setattr(config, "_Loader", Slow)
    assert config.load(homework) == fast
    (line,) = refused(homework, ("fixtures:\n", "title: again\nfixtures:\n"))
    assert line == "config.yaml: title: stands in line 1 and again in line 18. Remove one of them."


# The file itself.


def test_no_file(tmp_path):
    with pytest.raises(ConfigurationError) as error:
        config.load(tmp_path / "config.yaml")
    assert str(error.value) == (
        "config.yaml: cannot be read: No such file or directory. Run this in the folder that holds it."
    )
    assert error.value.file == "config.yaml"
    assert error.value.key == ""


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n"])
def test_an_empty_file(homework, text):
    assert refused(homework, text=text) == ["config.yaml: is empty. Restore it from the repository."]


def test_not_utf_8(homework):
    homework.write_bytes('title: "Größe"'.encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"^config.yaml: is not UTF-8 text \(byte 10\)\. Save it as UTF-8\.$"):
        config.load(homework)


def test_a_syntax_error_names_the_line(homework):
    (line,) = refused(homework, ("fixtures:\n", "fixtures: now: then\n"))
    assert line == (
        "config.yaml: is not YAML: line 18: mapping values are not allowed in this context. "
        "Correct this line or the one before it."
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('"Sums"', "a\x07b"), "config.yaml: is not YAML: "),
        (('"Sums"', "2026-13-45"), "config.yaml: is not YAML: month must be in 1..12. Correct it."),
        (("[total]", "&a {b: *a}"), "config.yaml: is not YAML: maximum recursion depth exceeded"),
        (('"Sums"', "!!python/name:os.system"), "config.yaml: is not YAML: line 1: could not determine a constructor"),
        (("tests:\n", "tests:\n---\n"), "config.yaml: is not YAML: line 34: but found another document."),
    ],
)
def test_what_is_no_yaml_we_know(homework, change, message):
    assert refused(homework, change)[0].startswith(message)


def test_a_key_twice(homework):
    lines = refused(
        homework,
        ("  test_add: {points: 3}\n", "  test_add: {points: 3}\n  test_add: {points: 9}\n"),
        ("  archive_mib: 20\n", "  archive_mib: 20\n  reply_mib: 64\n"),
    )
    assert lines == [
        "config.yaml: limits.reply_mib: stands in line 27 and again in line 29. Remove one of them.",
        "config.yaml: tests.test_add: stands in line 36 and again in line 37. Remove one of them.",
    ]


@pytest.mark.parametrize(
    ("text", "got"), [("- a list\n", "a list"), ("words\n", "the text 'words'"), ("[]", "an empty list")]
)
def test_not_a_mapping(homework, text, got):
    assert refused(homework, text=text) == [
        f"config.yaml: got {got}, but should be keys with values: title, total_points, homework, fixtures, tolerances, "
        "limits, isolation, speed, late, attempts, tests. Correct the value."
    ]


# Keys and values.


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("call_seconds: 10\n", "call_secs: 10\n", "limits.call_secs: no such key. Did you mean call_seconds?"),
        ("title:", "titel:", "titel: no such key. Did you mean title?"),
        (
            "{points: 3}",
            "{points: 3, colour: red}",
            "tests.test_add.colour: no such key. Known are points, feedback, visibility.",
        ),
        ("  seed: 7\n", "  seed: 7\n  42: 1\n", "fixtures.42: no such key. Known are seed."),
        ("  memory_mib: 512\n", "", "limits.memory_mib: is missing. Add this key and its value."),
        ("{points: 3}", "{}", "tests.test_add.points: is missing. Add this key and its value."),
        (
            "{points: 3}",
            "3",
            "tests.test_add: got 3, but should be keys with values: points, feedback, visibility. Correct ",
        ),
        ("\n  seed: 7\n", "\n", "fixtures: got nothing, but should be keys with values: seed. Correct the value."),
        ("seed: 7", "seed: seven", "fixtures.seed: got the text 'seven', but should be a whole number. Write a plain "),
        ("seed: 7", "seed: 7.5", "fixtures.seed: got 7.5, but should be a whole number. Correct the value."),
        ("seed: 7", "seed: -1", "fixtures.seed: got -1, but should be greater than or equal to 0. Correct the value."),
        ("call_seconds: 10\n", "call_seconds: 10 s\n", "limits.call_seconds: got the text '10 s', but should be a "),
        ("call_seconds: 10\n", "call_seconds: yes\n", "limits.call_seconds: got the truth value true, but should be a"),
        ("call_seconds: 10\n", "call_seconds: 0\n", "limits.call_seconds: got 0, but should be greater than 0. "),
        ("call_seconds: 10\n", "call_seconds: .inf\n", "limits.call_seconds: got inf, but should be a finite number. "),
        ("rounds: 11", "rounds: 2", "speed.rounds: got 2, but should be greater than or equal to 3. Correct the "),
        ("full_ratio: 3", "full_ratio: 30", "speed: got keys with values, but should have 1 <= full_ratio < none_"),
        ("full_ratio: 3", "full_ratio: 0.5", "speed: got keys with values, but should have 1 <= full_ratio < none_"),
        ("memory_mib: 512", "memory_mib: 0", "limits.memory_mib: got 0, but should be greater than 0. "),
        ("archive_files: 200", "archive_files: true", "limits.archive_files: got the truth value true, but should be "),
        ("float64: 1e-10", "float64: 1", "tolerances.float64: got 1, but should be less than 1. "),
        ("float64: 1e-10", "float64: 0.0", "tolerances.float64: got 0.0, but should be greater than 0. "),
        ("total_points: 10", "total_points: ten", "total_points: got the text 'ten', but should be a number. "),
        ("points: 3}", "points: '3'}", "tests.test_add.points: got the text '3', but should be a number. Write a "),
        ("points: 3}", "points: -3}", "tests.test_add.points: got -3, but should be greater than 0. "),
        ("points: 3}", "points: 0}", "tests.test_add.points: got 0, but should be greater than 0. "),
        ("points: 3}", "points: .nan}", "tests.test_add.points: got nan, but should be "),
        ("points: 3}", "points: no}", "tests.test_add.points: got the truth value false, but should be a number. "),
        ("points: 3}", "points: [3]}", "tests.test_add.points: got a list, but should be a number. Correct the value."),
        (
            "feedback: verdict",
            "feedback: hints",
            "tests.test_add_forward.feedback: got the text 'hints', but should be 'values', 'hint' or 'verdict'. "
            "Did you mean hint?",
        ),
        (
            "feedback: verdict",
            "feedback: 3",
            "tests.test_add_forward.feedback: got 3, but should be 'values', 'hint' or 'verdict'. Correct the value.",
        ),
        (
            "visibility: after_due_date",
            "visibility: never",
            "tests.test_add_forward.visibility: got the text 'never', but should be 'visible', 'hidden', "
            "'after_due_date' or 'after_published'. Choose one of them.",
        ),
        ('title: "Sums"', "title: 2026", "title: got 2026, but should be text. Put it in quotes."),
        ('title: "Sums"', "title: 2026-01-09", "title: got 2026-01-09, but should be text. Put it in quotes."),
        ('title: "Sums"', "title:", "title: got nothing, but should be text. Correct the value."),
        ("oracle: solutions/naive.py", "oracle: 7", "homework.oracle: got 7, but should be text. Put it in quotes."),
        (
            "required_file: sums.py",
            "required_file: src/sums.py",
            "homework.required_file: got the text 'src/sums.py', but should be the name of a Python file, without ",
        ),
        ("required_file: sums.py", "required_file: sums", "homework.required_file: got the text 'sums', but should "),
        ("add: [total]", "2add: [total]", "homework.functions.2add: got the text '2add', but should be a name in "),
        ("add: [total]", "add: [the total]", "homework.functions.add.0: got the text 'the total', but should be a "),
        ("add: [total]", "add: [3]", "homework.functions.add.0: got 3, but should be text. Put it in quotes."),
        ("add: [total]", "add: total", "homework.functions.add: got the text 'total', but should be a list. "),
        ("add: [total]", "add: []", "homework.functions.add: got an empty list, but should name at least one. "),
        ("opaque: [cache]", "opaque: cache", "homework.opaque: got the text 'cache', but should be a list. "),
        (
            "    add: [total]\n    add_forward: [out, cache]\n",
            "",
            "homework.functions: got nothing, but should be names with values. Correct the value.",
        ),
        (
            "\n    add: [total]\n    add_forward: [out, cache]\n",
            " {}\n",
            "homework.functions: got no keys, but should name at least one. Correct the value.",
        ),
        ("test_add: {", "17: {", "tests.17: got 17, but should be text. Put it in quotes."),
        ("{points: 3}", f"{{points: {'x' * 500}}}", f"tests.test_add.points: got the text '{'x' * 50}"),
    ],
)
def test_a_value_that_does_not_fit(homework, old, new, message):
    first = refused(homework, (old, new))[0]
    assert first.startswith(f"config.yaml: {message}")
    assert len(first) < 300


def test_file_key_problem_and_remedy_can_be_told_apart(homework):
    with pytest.raises(ConfigurationError) as caught:
        load(homework, ("seed: 7", "seed: -1"))
    error = caught.value
    assert (error.file, error.key) == ("config.yaml", "fixtures.seed")
    assert error.problem == "got -1, but should be greater than or equal to 0"
    assert error.remedy == "Correct the value."


def test_all_problems_are_listed_the_spelling_first(homework):
    lines = refused(
        homework, ("memory_mib: 512", "memory_mb: 512"), ("seed: 7", "seed: -1"), ("points: 3}", "points: x}")
    )
    assert [line.split(": ")[1] for line in lines] == [
        "limits.memory_mb",
        "fixtures.seed",
        "limits.memory_mib",
        "tests.test_add.points",
    ]


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
        (b"x = 1\ndef test_(:\n", "is not Python: line 2: invalid syntax. Correct it."),
        (b"x = '\0'\n", "is not Python: "),
        (b"\xff\n", "is not Python: "),
    ],
)
def test_a_test_file_that_is_no_python(homework, source, problem):
    (homework.parent / "tests/hidden/test_bad.py").write_bytes(source)
    (line,) = refused(homework)
    assert line.startswith(f"tests/hidden/test_bad.py: {problem}")


# Ours.


def test_the_projects_own_file():
    got = config.load(ROOT / "config.yaml")
    assert got.total_points == 100
    assert got.homework.required_file == "layers.py"
    about = [got.subject(name) for name in got.tests]
    functions = list(got.homework.functions)
    assert [function for function in functions if function not in about] == [], "a function without a test"
    order = [functions.index(function) for function in about if function]
    assert len(order) == len(about), "a test without a function"
    assert order == sorted(order), "tests are listed in the order of the assignment"


def test_public_tests_hide_nothing():
    got = config.load(ROOT / "config.yaml")
    source = "".join(path.read_text() for path in got.homework.public_tests.glob("test_*.py"))
    public = {name: settings for name, settings in got.tests.items() if f"def {name}(" in source}
    assert public
    assert {settings.feedback for settings in public.values()} == {"values"}
    assert {settings.visibility for settings in public.values()} == {"visible"}


def test_loading_is_fast():
    started = time.perf_counter()
    config.load(ROOT / "config.yaml")
    assert time.perf_counter() - started < 1


def test_visibility_is_the_platforms():
    assert get_args(config.Visibility) == get_args(results.Visibility)


# What late work costs.

LATE = """late:
  due: 2026-10-01 23:59:00 -04:00
  grace_minutes: 15
  percent_per_day: 12.5
  at_most_percent: 50
tests:
"""


def test_late_work(homework):
    assert load(homework).late is None
    late = load(homework, ("tests:\n", LATE)).late
    assert late is not None
    assert late.due.isoformat() == "2026-10-01T23:59:00-04:00"
    assert (late.grace_minutes, late.percent_per_day, late.at_most_percent) == (15, 12.5, 50)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ((" -04:00", ""), "late.due: got 2026-10-01 23:59:00, but should end in a time zone, like "),
        (("2026-10-01 23:59:00 -04:00", "5"), "late.due: got 5, but should be a day, a time and a time zone, like "),
        (("percent: 50", "percent: 101"), "late.at_most_percent: got 101, but should be less than or equal to 100."),
        (("  grace_minutes: 15\n", ""), "late.grace_minutes: is missing."),
        (("grace_minutes", "grace"), "late.grace: no such key. "),
    ],
)
def test_late_work_that_does_not_fit(homework, change, problem):
    first, *_ = refused(homework, ("tests:\n", LATE.replace(*change)))
    assert first.startswith(f"config.yaml: {problem}")


def test_late_work_may_leave_the_date_to_gradescope(homework):
    late = load(homework, ("tests:\n", LATE.replace("  due: 2026-10-01 23:59:00 -04:00\n", ""))).late
    assert late is not None
    assert late.due is None


# How often one may submit.


@pytest.mark.parametrize(
    ("section", "per_day", "in_total"),
    [("{per_day: 5}", 5, None), ("{in_total: 30}", None, 30), ("{per_day: 5, in_total: 30}", 5, 30)],
)
def test_attempts(homework, section, per_day, in_total):
    assert load(homework).attempts is None
    attempts = load(homework, ("tests:\n", f"attempts: {section}\ntests:\n")).attempts
    assert attempts is not None
    assert (attempts.per_day, attempts.in_total) == (per_day, in_total)


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ("{}", "attempts: got no keys, but should have per_day, in_total or both. Correct the value."),
        ("{per_week: 3}", "attempts.per_week: no such key. Known are per_day, in_total."),
        ("{per_day: 0}", "attempts.per_day: got 0, but should be greater than 0. Correct the value."),
        ("{per_day: 2.5}", "attempts.per_day: got 2.5, but should be a whole number. Correct the value."),
    ],
)
def test_attempts_that_do_not_fit(homework, section, problem):
    first, *_ = refused(homework, ("tests:\n", f"attempts: {section}\ntests:\n"))
    assert first == f"config.yaml: {problem}"


@pytest.mark.parametrize(("seconds", "fits"), [("539", True), ("540", False), ("600", False)])
def test_a_submission_must_end_before_the_platform_ends_it(homework, seconds, fits):
    change = ("submission_seconds: 60", f"submission_seconds: {seconds}")
    if fits:
        assert load(homework, change).limits.platform_minutes == 10
    else:
        assert refused(homework, change) == [
            f"config.yaml: limits.submission_seconds: got {seconds}, but should be less than 540: 90 % of "
            "limits.platform_minutes. Lower it, or have Gradescope allow more minutes and write them here."
        ]
