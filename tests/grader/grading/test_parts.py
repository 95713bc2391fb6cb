"""A homework of two parts: the second is graded beside the first where it is handed in, and nowhere else."""

import json
import shutil

import pytest

from autograder.core import config
from autograder.core.errors import ConfigurationError
from autograder.grading import casefile
from autograder.grading.grader import Grader
from tests.grader.support.parts import POINTS, SECOND, add_second
from tests.grader.support.toy import POINTS as SOLUTION_TESTS
from tests.grader.support.toy import SOLUTION, Toy


@pytest.fixture
def parts(toy):
    """The toy homework with a second part, which is switched on as a bonus."""
    add_second(toy)
    return toy


def graded(parts, *, only=None, keep=False, **files):
    """Grade a submission of these files; return the grade and results.json, without what varies."""
    folder = parts.root / "handed in" / "ann"
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in files.items():
        (folder / f"{name}.py").write_text(source)
    results = parts.root / "results.json"
    grade = Grader(config.load(parts.config), only).grade(folder, results)
    assert grade.score is not None, grade.remark
    return grade, Toy.lasting(json.loads(results.read_text()))


def test_without_the_second_file_everything_is_as_without_parts(parts):
    _, with_parts = graded(parts, toy=SOLUTION)
    parts.configure(parts={})
    _, without = graded(parts, toy=SOLUTION)
    assert json.dumps(with_parts) == json.dumps(without)


def test_a_bonus_is_on_top(parts):
    grade, results = graded(parts, toy=SOLUTION, second=SECOND)
    assert (grade.score, grade.points, results["score"]) == (16, 10, 16)
    tests = {test["extra_data"]["test"]: test for test in results["tests"]}
    assert set(POINTS) < set(tests)
    assert tests["test_flip"]["number"] == "Part 2: 3.1"
    assert [test["number"] for test in results["tests"]][:4] == ["1.1", "1.2", "2.1", "3.1"]
    assert "Part 2, second.py: 6 of 6 points" in results["output"]
    assert results["output"].startswith("Found toy.py; 3 of 3 functions defined.\nEvery test passed.\n\nPart 2, ")


def test_what_is_wrong_in_one_part_costs_nothing_in_the_other(parts):
    wrong = SECOND.replace("x + 1", "x + 2")
    grade, results = graded(parts, toy=SOLUTION, second=wrong)
    assert grade.score == 14
    assert "Part 2, second.py: 4 of 6 points" in results["output"]
    grade, results = graded(parts, toy=SOLUTION.replace("2 * x", "3 * x"), second=SECOND)
    assert grade.score == 12


@pytest.mark.parametrize(("broken", "score"), [("toy", 6), ("second", 10)])
def test_a_file_that_cannot_be_imported_costs_its_own_part_only(parts, broken, score):
    files = {"toy": SOLUTION, "second": SECOND} | {broken: "import nowhere"}
    grade, results = graded(parts, **files)
    assert grade.score == score
    assert "nowhere" in grade.remark
    assert results["extra_data"]["unusable"] == ""
    grade, results = graded(parts, toy="import nowhere", second="import nowhere")
    assert (grade.score, results["extra_data"]["unusable"]) == (0, "toy.py could not be imported")


def test_the_second_part_may_use_the_first(parts):
    """The files lie side by side, as on a student's machine."""
    second = "import toy\n" + SECOND.replace("x + 1", "toy.double(x) - x + 1")
    grade, _ = graded(parts, toy=SOLUTION, second=second)
    assert grade.score == 16


def test_a_file_that_was_meant_to_be_the_second_part_is_named(parts):
    grade, results = graded(parts, toy=SOLUTION, Second=SECOND)
    assert grade.score == 10
    assert (
        "Part 2 is not graded: Second.py should be called second.py, beside toy.py: capitals count."
        in results["output"]
    )
    folder = parts.root / "handed in" / "ben"
    (folder / "a").mkdir(parents=True)
    (folder / "b").mkdir()
    (folder / "a" / "toy.py").write_text(SOLUTION)
    (folder / "b" / "second.py").write_text(SECOND)
    grade = Grader(config.load(parts.config)).grade(folder, parts.root / "results.json")
    assert grade.score == 10
    assert "b/second.py should be called second.py, beside toy.py" in (parts.root / "results.json").read_text()


def test_a_starter_in_which_nothing_is_written_is_as_if_it_were_not_handed_in(parts):
    stub = 'raise NotImplementedError("not yet")'
    starter = f"def shift_forward(x): {stub}\ndef shift_backward(dout, cache): {stub}\ndef flip(x): {stub}\n"
    grade, results = graded(parts, toy=SOLUTION, second=starter)
    assert (grade.score, len(results["tests"])) == (10, len(SOLUTION_TESTS))
    assert "Part 2 is not graded: in second.py nothing is written yet." in results["output"]
    begun = starter.replace(f"flip(x): {stub}", "flip(x): return x[::-1].copy()")
    grade, results = graded(parts, toy=SOLUTION, second=begun)
    assert grade.score == 12
    assert "Part 2, second.py: 2 of 6 points" in results["output"]


def test_a_part_keeps_its_number_where_one_before_it_is_missing(parts):
    """A third part: the second one under other names."""
    new = {"second/": "third/", "second.": "third.", "(second)": "(third)", "shift": "move", "flip": "turn"}
    shutil.copytree(parts.root / "second", parts.root / "third")
    for path in (parts.root / "third").rglob("*second*"):
        path.rename(path.with_name(path.name.replace("second", "third")))
    for path in [*(parts.root / "third").rglob("*.py"), parts.root / "third.yaml"]:
        text = (path if path.exists() else parts.root / "second.yaml").read_text()
        for old, other in new.items():
            text = text.replace(old, other)
        path.write_text(text)
    programs = casefile.hashes(parts.root / "third/oracle.py", parts.root / "third/cases.py")
    manifest = parts.root / "third/secret/arrays/manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | programs))
    parts.configure(parts={"second.yaml": {}, "third.yaml": {}})
    third = SECOND.replace("shift", "move").replace("flip", "turn")
    grade, results = graded(parts, toy=SOLUTION, third=third)
    assert grade.score == 16
    assert "Part 3, third.py: 6 of 6 points" in results["output"]
    assert "Part 3: 1.1" in {test["number"] for test in results["tests"]}
    assert graded(parts, toy=SOLUTION, second=SECOND, third=third)[0].score == 22


NEARLY = {
    "second (1).py": "a browser adds a number to a second download",
    "second-1.py": "a number was added to a second upload or version",
    "second_v2.py": "a number was added to a second upload or version",
    "second.py.txt": "an editor has added .txt, which Windows and macOS do not show",
    "secnd.py": "it is misspelt",
    "second .py": "there is a space before .py",
    "second.ipynb": "it is a notebook, not a Python file",
    "second/__init__.py": "it is a folder, not a file",
}


@pytest.mark.parametrize(("name", "why"), NEARLY.items(), ids=NEARLY)
def test_a_nearly_right_name_of_the_second_file_is_told(parts, name, why):
    path = parts.root / "handed in" / "ann" / name
    path.parent.mkdir(parents=True)
    path.write_text(SECOND)
    grade, results = graded(parts, keep=True, toy=SOLUTION)
    assert grade.score == 10
    assert f"Part 2 is not graded: {name} should be called second.py, beside toy.py: {why}.\n" in results["output"]


@pytest.mark.parametrize("name", ["toy (1)", "helper", "first", "other/toy"])
def test_other_files_are_not_taken_for_the_second_one(parts, name):
    path = parts.root / "handed in" / "ann" / f"{name}.py"
    path.parent.mkdir(parents=True)
    path.write_text(SECOND)
    _, results = graded(parts, keep=True, toy=SOLUTION)
    assert "Part 2" not in results["output"]


ONLY_SECOND = {
    ("second.py",): "The submission contains second.py, but toy.py is missing. Hand in both, side by side.",
    ("second (1).py",): "The submission contains second (1).py, but toy.py is missing. Hand in both, side by side.",
    ("second.py", "mine.py"): "The submission contains second.py, but toy.py is missing. Hand in both, side by side. "
    "Rename the file that holds its functions, if that is one of mine.py.",
    ("second.py", "toy (1).py"): "The submission contains toy (1).py, but the name must be exactly toy.py: "
    "a browser adds a number to a second download. Rename the file.",
}


@pytest.mark.parametrize(("names", "said"), ONLY_SECOND.items(), ids=map(" and ".join, ONLY_SECOND))
def test_the_second_file_alone_is_not_called_a_wrong_name(parts, names, said):
    folder = parts.root / "handed in" / "ann"
    folder.mkdir()
    for name in names:
        (folder / name).write_text(SECOND)
    grade, results = graded(parts, keep=True)
    assert grade.score == 0
    assert said in results["output"]


@pytest.mark.parametrize("name", ["second.py", "Second.py", "second (1).py", "ann_12_34_second.py"])
def test_the_second_file_is_never_taken_as_the_main_one(parts, name):
    """A download holds what students handed in as a single file as it is."""
    path = parts.hand_in(SECOND, name)
    grade = Grader(config.load(parts.config)).grade(path, parts.root / "results.json")
    assert grade.score == 0
    assert grade.remark == f"{name} is there, but toy.py is missing. Hand in both, side by side."
    grade = Grader(config.load(parts.config)).grade(parts.hand_in(SOLUTION, "ann.py"), parts.root / "results.json")
    assert grade.score == 10


def test_points_within_the_total(parts):
    parts.configure(parts={"second.yaml": {"points": "within"}}, total_points=16)
    grade, _ = graded(parts, toy=SOLUTION, second=SECOND)
    assert (grade.score, grade.points) == (16, 16)
    grade, results = graded(parts, toy=SOLUTION)
    assert (grade.score, grade.points) == (10, 16)
    said = "Part 2 is not graded, and its 6 points are missing: there is no second.py beside toy.py."
    assert said in results["output"]


def test_only_the_questions_that_are_asked_are_graded(parts):
    parts.configure(parts={"second.yaml": {"questions": ["shift"]}})
    grade, results = graded(parts, toy=SOLUTION, second=SECOND.replace("[::-1]", ""))
    assert grade.score == 14
    assert {"test_flip", "test_flip_example"}.isdisjoint(test["extra_data"]["test"] for test in results["tests"])
    assert "Found second.py; 2 of 2 functions defined." in results["output"]


def test_one_test_of_the_second_part_alone(parts):
    grade, results = graded(parts, only="test_shift_backward[two]", toy=SOLUTION, second=SECOND)
    assert (grade.score, grade.points) == (2, 2)
    assert [test["extra_data"]["test"] for test in results["tests"]] == ["test_shift_backward"]
    grade, _ = graded(parts, only="test_*_example", toy=SOLUTION, second=SECOND)
    assert (grade.score, grade.points) == (2, 2)
    for only, said in {"test_flop": "no test is called test_flop", "test_flip[six]": "no case is called"}.items():
        with pytest.raises(ConfigurationError, match=said.replace("[", r"\[")):
            Grader(config.load(parts.config), only)


def test_one_test_of_a_part_that_was_not_handed_in(parts):
    grade, results = graded(parts, only="test_flip", toy=SOLUTION)
    assert (grade.score, grade.points, grade.remark) == (0, 1, "that part was not handed in")
    assert results["tests"] == []
    assert "Part 2 was not handed in: there is no second.py beside toy.py." in results["output"]
    grade, results = graded(parts, only="test_*_example", toy=SOLUTION)
    assert (grade.score, grade.remark) == (1, "")
    assert "Part 2 was not handed in" in results["output"]


def refused(toy, **changes):
    toy.configure(**changes)
    with pytest.raises(ConfigurationError) as caught:
        config.load(toy.config)
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"parts": {"third.yaml": {}}}, "config.yaml: parts.third.yaml: no such file: third.yaml. Correct it; it is "),
        ({"parts": {"config.yaml": {}}}, "config.yaml: parts: is about the whole homework, and config.yaml is a part"),
        (
            {"parts": {"second.yaml": {"questions": ["flap"]}}},
            "config.yaml: parts.second.yaml.questions: second.yaml has no question flap. Did you mean flip?",
        ),
        (
            {"parts": {"second.yaml": {"points": "extra"}}},
            "config.yaml: parts.second.yaml.points: got the text 'extra'",
        ),
        (
            {"parts": {"second.yaml": {"questions": []}}},
            "config.yaml: parts.second.yaml.questions: got an empty list, ",
        ),
        (
            {"parts": {"second.yaml": None}},
            "config.yaml: parts.second.yaml: got nothing, but should be keys with values: ",
        ),
        (
            {"parts": {"second.yaml": {"points": "within"}}},
            "config.yaml: tests: points of tests, with those of second.yaml, add up to 16, but total_points is 10.",
        ),
        (
            {"limits": {"platform_minutes": 1}},
            "config.yaml: limits.submission_seconds: got 30 + 30, but should be less than 54: 90 % of ",
        ),
    ],
)
def test_what_does_not_fit_is_refused(parts, changes, said):
    if "limits" in changes:
        second = parts.root / "second.yaml"
        content = json.loads(second.read_text())
        content["limits"]["platform_minutes"] = 1
        second.write_text(json.dumps(content))
    assert refused(parts, **changes).startswith(said)


@pytest.mark.parametrize(
    ("section", "value", "said"),
    [
        ("late", {"grace_minutes": 1, "percent_per_day": 1, "at_most_percent": 1}, "second.yaml: late: is about the "),
        ("attempts", {"per_day": 1}, "second.yaml: attempts: is about the whole homework, and second.yaml is a part"),
        ("fixtures", {"seed": 2}, "second.yaml: fixtures.seed: says 2, but the fixtures were drawn from seed 1."),
    ],
)
def test_what_does_not_fit_in_the_second_file_is_refused(parts, section, value, said):
    second = parts.root / "second.yaml"
    second.write_text(json.dumps(json.loads(second.read_text()) | {section: value}))
    with pytest.raises(ConfigurationError) as caught:
        Grader(config.load(parts.config))
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("section", "key", "value", "other"),
    [
        ("limits", "memory_mib", 1024, "512"),
        ("limits", "archive_mib", 1, "20"),
        ("limits", "archive_files", 20, "200"),
        ("limits", "platform_minutes", 20.5, "10"),
        ("isolation", "without_seccomp", "refuse", "warn"),
    ],
)
def test_what_one_submission_has_once_is_the_same_in_all_parts(parts, section, key, value, other):
    """A second file with more memory would change the score of those who hand in the first alone."""
    second = parts.root / "second.yaml"
    content = json.loads(second.read_text())
    content[section][key] = value
    second.write_text(json.dumps(content))
    with pytest.raises(ConfigurationError) as caught:
        config.load(parts.config)
    assert str(caught.value) == (
        f"second.yaml: {section}.{key}: is {value}, but {other} in config.yaml; one submission has one for all parts. "
        "Write the same in both"
    )
    content["limits"] |= {"call_seconds": 1, "import_seconds": 1, "submission_seconds": 20, "example_calls": 10}
    content[section][key] = json.loads(parts.config.read_text())[section][key]
    second.write_text(json.dumps(content))
    assert config.load(parts.config).whole[1].limits.call_seconds == 1


def test_two_files_of_one_name_are_told_apart(parts):
    """A part may have a folder of its own, with a config.yaml in it."""
    content = json.loads((parts.root / "second.yaml").read_text())
    home = content["homework"]
    for key in ("solution", "oracle", "cases", "public_tests", "hidden_tests", "fixtures"):
        home[key] = home[key].removeprefix("second/")
    own = parts.root / "second/config.yaml"
    own.write_text(json.dumps(content))
    parts.configure(parts={"second/config.yaml": {}})
    assert config.load(parts.config).whole[1].own_points == 6
    own.write_text(json.dumps(content | {"limits": {**content["limits"], "memory_mib": 600}}))
    said = "second/config.yaml: limits.memory_mib: is 600, but 512 in config.yaml; one submission has one for all parts"
    assert refused(parts).startswith(said)
    own.write_text(json.dumps(content | {"attempts": {"per_day": 1}}))
    said = "second/config.yaml: attempts: is about the whole homework, and second/config.yaml is a part of it. "
    assert refused(parts).startswith(f"{said}Write it into config.yaml")
    own.write_text(json.dumps(content | {"total_points": 5}))
    assert refused(parts).startswith("second/config.yaml: tests: points of tests add up to 6, but total_points is 5")
    own.write_text(json.dumps(content | {"fixtures": {"seed": 2}}))
    with pytest.raises(ConfigurationError, match=r"^second/config\.yaml: fixtures\.seed: says 2"):
        Grader(config.load(parts.config))
    own.write_text("{")
    assert refused(parts).startswith("second/config.yaml: is not YAML")


def test_two_parts_share_no_names(parts):
    second = parts.root / "second.yaml"
    content = json.loads(second.read_text())
    content["homework"]["functions"]["double"] = ["y"]
    second.write_text(json.dumps(content))
    assert refused(parts).startswith("second.yaml: homework.functions: config.yaml has double, too. Rename one of them")
