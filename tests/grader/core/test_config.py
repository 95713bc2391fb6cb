"""config.yaml: what is accepted, and the very text an instructor reads when it is not."""

import time
from fractions import Fraction
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import ValidationError

from autograder.core import config, results, sections, yamlfile
from autograder.core.errors import ConfigurationError
from tests.grader.support import ROOT
from tests.grader.support.configs import GOOD, load, refused

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
    assert got.tests["test_add"] == sections.TestSettings(points=Fraction(3), feedback="hint", visibility="visible")
    assert got.tests["test_add_forward"].visibility == "after_due_date"
    assert [settings.feedback for settings in got.tests.values()] == ["values", "hint", "verdict"]


@pytest.mark.parametrize(
    ("line", "read"),
    [("", "credit"), ("follow_through: credit", "credit"), ("follow_through: explain", "explain"),
     ("follow_through: off", "off")],
)  # fmt: skip
def test_what_follows_from_a_mistake(homework, line, read):
    assert load(homework, ("tests:\n", f"{line}\ntests:\n")).follow_through == read


def test_another_word_for_what_follows_is_refused(homework):
    (message,) = refused(homework, ("tests:\n", "follow_through: maybe\ntests:\n"))
    assert message.startswith("config.yaml: follow_through: got the text 'maybe', but should be ")
    assert all(word in message for word in ("credit", "explain", "off"))


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
        yaml_implicit_resolvers = yamlfile.Loader.yaml_implicit_resolvers

    homework.write_text(GOOD)
    fast = config.load(homework)
    monkeypatch.setattr(yamlfile, "Loader", Slow)
    assert config.load(homework) == fast
    (line,) = refused(homework, ("fixtures:\n", "title: again\nfixtures:\n"))
    assert line == "config.yaml: title: is in line 1 and again in line 18. Remove one of them."


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
        (("tests:\n", "tests:\n---\n"), "config.yaml: is not YAML: line 35: but found another document."),
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
        "config.yaml: limits.reply_mib: is in line 27 and again in line 29. Remove one of them.",
        "config.yaml: tests.test_add: is in line 37 and again in line 38. Remove one of them.",
    ]


@pytest.mark.parametrize(
    ("text", "got"), [("- a list\n", "a list"), ("words\n", "the text 'words'"), ("[]", "an empty list")]
)
def test_not_a_mapping(homework, text, got):
    assert refused(homework, text=text) == [
        f"config.yaml: got {got}, but should be keys with values: title, total_points, homework, fixtures, tolerances, "
        "limits, isolation, speed, follow_through, late, attempts, grades, parts, tests. Correct the value."
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
    assert get_args(sections.Visibility) == get_args(results.Visibility)
