"""Downloads of learning platforms: whose a file is, which files are one student's, Gradescope's export."""

import pytest

from autograder.core.errors import ConfigurationError
from autograder.intake import export
from tests.grader.support.downloads import METADATA, OTHER, WHOLE, filled
from tests.grader.support.handins import zip_bytes

MOODLE = ["Ann Lee_1201_assignsubmission_file_/hw.zip", "Cy O'Hara_1203_assignsubmission_file_/layers.py"]
BLACKBOARD = [
    "Lab 3_lee.a_attempt_2026-10-01-12-00-00_layers.py",
    "Lab 3_lee.a_attempt_2026-10-01-12-00-00.txt",
    "Lab 3_mora_attempt_2026-10-02-08-30-59_hw_final.zip",
    "Lab 3_mora_attempt_2026-10-02-08-30-59.txt",
    "Lab 3_zhao_attempt_2026-10-02-08-30-59.txt",
]

# Students of Canvas, who have a file each for what they hand in.


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_two_files_of_a_canvas_student_are_one_submission(point, copied, form):
    names = ["leeann_501_90001_layers.py", ("leeann_501_90002_tools.py", OTHER), ("moraben_502_90003_layers.py", OTHER)]
    found = point([*names, ("leeann_501_90009_report.pdf", b"%PDF-1.7")], form)
    assert found.recognised.startswith("Canvas download: 2 students, 4 files (named <name>_<user id>_<file id>_<file>)")
    ann, ben = found.entries
    assert (ann.name, ben.name) == ("leeann_501_90001_layers", "moraben_502_90003_layers")
    assert copied(ann) == {"layers.py": WHOLE, "tools.py": OTHER}
    assert copied(ben) == {"layers.py": OTHER}
    assert ann.ids == ("canvas 501", "leeann_501_90001_layers")
    assert ann.files == ("leeann_501_90001_layers.py", "leeann_501_90002_tools.py", "leeann_501_90009_report.pdf")
    assert ben.files == ("moraben_502_90003_layers.py",)


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_a_second_upload_of_canvas_gets_its_own_name_back(point, copied, form):
    found = point(["a_1_11_layers-1.py", ("a_1_12_tools-12.py", OTHER), "b_LATE_2_13_layers-2.py"], form)
    assert [copied(entry) for entry in found.entries] == [
        {"layers.py": WHOLE, "tools.py": OTHER},
        {"layers.py": WHOLE},
    ]
    assert [entry.late for entry in found.entries] == [False, True]
    assert found.problems == []


OLD = b"old = 1\n"
VERSIONS = {
    "a second upload": ([("7_layers.py", OLD), "8_layers-1.py"], {"layers.py": WHOLE}, "7_layers.py"),
    "the number of the file decides": (["9_layers.py", ("8_layers-1.py", OLD)], {"layers.py": WHOLE}, "8_layers-1.py"),
    "ten is more than nine": ([("9_layers.py", OLD), "10_layers-1.py"], {"layers.py": WHOLE}, "9_layers.py"),
    "two later ones": ([("7_layers-1.py", OLD), "9_layers-2.py"], {"layers.py": WHOLE}, "7_layers-1.py"),
    "the same name": ([("7_layers.py", OLD), "8_layers.py"], {"layers.py": WHOLE}, "7_layers.py"),
    "a helper": (
        ["6_layers.py", ("7_tools.py", OLD), ("8_tools-1.py", OTHER)],
        {"layers.py": WHOLE, "tools.py": OTHER},
        "7_tools.py",
    ),
    "zips": ([("7_hw.zip", zip_bytes([("layers.py", OLD)])), "8_hw-1.zip"], {"layers.py": WHOLE}, "7_hw.zip"),
    "two parts": (
        ["6_layers.py", ("7_part-1.py", OTHER), ("8_part-2.py", OTHER)],
        {"layers.py": WHOLE, "part-1.py": OTHER, "part-2.py": OTHER},
        "",
    ),
}


@pytest.mark.parametrize("form", ["folder", "zip"])
@pytest.mark.parametrize(("names", "files", "left"), VERSIONS.values(), ids=VERSIONS.keys())
def test_the_newest_of_several_versions_counts(point, copied, form, names, files, left):
    ours = [(f"ann_3_{name}", data) for name, data in filled(names)]
    found = point([*ours, "ben_4_99_layers.py"], form)
    ann, ben = found.entries
    assert (copied(ann), copied(ben)) == (files, {"layers.py": WHOLE})
    said = [f"ann_3_{left}: a newer version of this file is there, so left out; graded: "] if left else []
    assert [problem.partition("graded: ")[0] + "graded: " for problem in found.problems] == said


def test_without_numbers_no_version_is_newer(point, copied):
    start = "Ann_7_assignsubmission_file_"
    found = point([f"{start}layers.py", (f"{start}layers-1.py", OTHER)])
    assert [copied(entry) for entry in found.entries] == [{"layers.py": WHOLE, "layers-1.py": OTHER}]


def test_what_was_typed_is_a_hand_in_only_where_there_is_no_file(point, copied):
    found = point(["a_1_2_layers.py", ("a_1_text.html", b"<p>hello"), ("b_2_text.html", b"<html>hello")])
    assert [entry.name for entry in found.entries] == ["a_1_2_layers", "b_2_text"]
    assert copied(found.entries[0]) == {"layers.py": WHOLE}
    assert copied(found.entries[1]).startswith("b_2_text.html is a web page")
    names = [*MOODLE, ("Ann Lee_1201_assignsubmission_onlinetext_/onlinetext.html", b"hello")]
    found = point([*names, ("D_9_assignsubmission_onlinetext_/onlinetext.html", b"hello")], name="moodle")
    assert [entry.name for entry in found.entries][:2] == [
        "Ann Lee_1201_assignsubmission_file",
        "Cy O'Hara_1203_assignsubmission_file",
    ]
    assert len(found.entries) == 3


def test_a_year_in_the_name_is_no_number_of_a_student(point):
    found = point(["lee_2026_10_layers.py", "mora_2026_10_layers.py", "zhao_2026_10_layers.py"])
    assert found.platform == ""
    assert len(found.entries) == 3


def test_a_blackboard_name_gives_the_user(point):
    assert [entry.ids[0] for entry in point(BLACKBOARD).entries] == ["lee.a", "mora", "zhao"]


# Gradescope's export.


EXPORT = [(export.METADATA, METADATA), "submission_1/layers.py", "submission_2/layers.py"]


@pytest.mark.parametrize("top", ["", "assignment_9_export/"])
@pytest.mark.parametrize("form", ["folder", "zip"])
def test_an_export(point, copied, form, top):
    pairs = [(top + name, data) for name, data in filled([*EXPORT, ("submission_2/pkg/__init__.py", OTHER)])]
    found = point([*pairs, ("__MACOSX/._x", b""), (f"{top}.DS_Store", b"")], form)
    assert found.recognised == (
        "Gradescope export: 2 submissions of 2 students (submission_metadata.yml is at its top)"
    )
    assert (found.platform, found.problems) == ("Gradescope", [])
    assert [(entry.name, entry.students[0].sid) for entry in found.entries] == [
        ("submission_1", "1"),
        ("submission_2", "2"),
    ]
    assert copied(found.entries[1]) == {"layers.py": WHOLE, "pkg/__init__.py": OTHER}


def test_metadata_among_hand_ins_is_a_students_file(point):
    fake = METADATA.replace(b"submission_1", b"victim").replace(b"submission_2", b"mallory")
    found = point(["victim/layers.py", "mallory/layers.py", (export.METADATA, fake)])
    assert [(entry.name, entry.students) for entry in found.entries] == [("mallory", ()), ("victim", ())]
    assert found.problems[0] == (
        "submission_metadata.yml was not read: what is beside it is not named as in Gradescope's exports"
    )


def test_metadata_inside_a_hand_in_is_never_read(point):
    for form in ("folder", "zip"):
        inside = [(f"mallory/{name}", data) for name, data in filled(EXPORT)]
        found = point(["ann/layers.py", "ben/layers.py", *inside, "mallory/layers.py"], form)
        assert [entry.students for entry in found.entries] == [(), (), ()]
    alone = point([(f"mallory/{name}", data) for name, data in filled(EXPORT[:2])], name="hand-ins")
    assert [(entry.name, entry.students) for entry in alone.entries] == [("mallory", ())]


@pytest.mark.parametrize("top", ["", "x/", "assignment_1_export/"])
def test_one_students_zip_with_metadata_stays_one_students(point, top):
    found = point([(top + name, data) for name, data in filled(EXPORT[:2])], "zip", name="mallory")
    assert found.single
    assert found.entries[0].students == ()


def test_an_export_of_one_is_known_by_its_name(point):
    found = point(EXPORT[:2], "zip", name="assignment_77_export (1)")
    assert found.recognised.startswith("Gradescope export: 1 submission of 2 students")


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_metadata_beside_what_no_export_holds(point, form):
    with pytest.raises(ConfigurationError) as caught:
        point([*EXPORT, "ann.zip"], form)
    assert "beside it what no export of Gradescope holds: ann.zip. Move these elsewhere, or remove" in str(caught.value)


def test_an_export_in_a_folder_of_another_name(point):
    pairs = [(f"mallory/{name}", data) for name, data in filled(EXPORT)]
    with pytest.raises(ConfigurationError, match="in a folder that Gradescope would not name mallory"):
        point(pairs, "zip")
    assert point(pairs, "zip", "class", "x").platform == "Gradescope"
