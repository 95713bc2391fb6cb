"""What staff point at is recognised from evidence: a class, one submission, or what could be both and is refused."""

import pytest

from autograder.core.errors import ConfigurationError
from autograder.intake import download
from tests.grader.support.downloads import HW, METADATA, OTHER, WHOLE, filled

CANVAS = ["leeann_501_90001_layers.py", "moraben_LATE_502_90002_layers-1.py", "zhaocy_503_90003_hw 3.zip"]
MOODLE = ["Ann Lee_1201_assignsubmission_file_/hw.zip", "Cy O'Hara_1203_assignsubmission_file_/layers.py"]
MOODLE_FLAT = ["Ann Lee_1201_assignsubmission_file_layers.py", "Cy_1203_assignsubmission_file_hw.zip"]
BRIGHTSPACE = [
    "12-34 - Ann Lee - Oct 1, 2026 1155 PM - hw3.zip",
    "13-34 - Ben Smith-Mora - 1 October, 2026 120 AM - layers.py",
    "index.html",
]
BRIGHTSPACE_FOLDERS = [
    "12-34 - Ann Lee - Oct 1, 2026 1155 PM/hw3.zip",
    "13-34 - Ben Mora- Oct 1, 2026 120 AM/layers.py",
    "index.html",
]
BLACKBOARD = [
    "Lab 3_lee.a_attempt_2026-10-01-12-00-00_layers.py",
    "Lab 3_lee.a_attempt_2026-10-01-12-00-00.txt",
    "Lab 3_mora_attempt_2026-10-02-08-30-59_hw_final.zip",
    "Lab 3_mora_attempt_2026-10-02-08-30-59.txt",
    "Lab 3_zhao_attempt_2026-10-02-08-30-59.txt",
]
CLASSES = {
    "Canvas": (CANVAS, "Canvas download: 3 students, 3 files", 3),
    "Canvas, one student": (CANVAS[:1], "Canvas download: 1 student, 1 file", 1),
    "Canvas, with a letter for a name": (
        ["Å_1_2_layers.py", "b_c_2_3_x.zip"],
        "Canvas download: 2 students, 2 files",
        2,
    ),
    "Canvas, without names": (
        ["anon_aB3dE_90001_layers.py", "LATE_anon_x9fGh_90002_layers.py", ("anon_aB3dE_90003_tools.txt", OTHER)],
        "Canvas download: 2 students, 3 files",
        2,
    ),
    "Brightspace, 24 hours": (
        ["12-34 - Ann Lee - 1 Oct, 2026 23.55 - hw3.zip", "13-34 - Ben Mora - 2 Oct, 2026 9h05 - layers.py"],
        "Brightspace download: 2 students, 2 files",
        2,
    ),
    "Moodle": (MOODLE, "Moodle download: 2 students, 2 files", 2),
    "Moodle, flat": (MOODLE_FLAT, "Moodle download: 2 students, 2 files", 2),
    "Brightspace": (BRIGHTSPACE, "Brightspace download: 2 students, 2 files", 2),
    "Brightspace, folders": (BRIGHTSPACE_FOLDERS, "Brightspace download: 2 students, 2 files", 2),
    "Blackboard": (BLACKBOARD, "Blackboard download: 3 students, 3 files", 3),
    "Gradescope without its metadata": (
        ["submission_123/layers.py", "submission_124/layers.py"],
        "Gradescope download: 2 students, 2 files",
        2,
    ),
    "zips": (["ann.zip", "ben.zip", ("Zoë's.ZIP", HW)], "Class: 3 hand-ins (3 zips, each a submission of its own)", 3),
    ".py files": (["a0001.py", "a0002.py"], "Class: 2 hand-ins (2 .py files, each a submission of its own)", 2),
    "folders": (["ann/layers.py", "ben/hw3/layers.py", "cy/x.zip"], "Class: 3 hand-ins (3 folders", 3),
    "one without the file": (["ann/layers.py", "ben/layers.py", "cy/plot.py", "cy/my.py"], "Class: 3 hand-ins", 3),
    "one that is bad": (["ann.zip", "ben.zip", ("cy/notes.txt", b"")], "Class: 3 hand-ins (2 zips", 3),
    "other archives": (["ann.zip", "ben.zip", "cy.rar", "dora.tar.gz", "e.ipynb"], "Class: 5 hand-ins", 5),
    "a name that says the file": (["ann layers.py", "ben_layers.py"], "Class: 2 hand-ins", 2),
    "numbers for names": (["20261234/layers.py", "20261235/layers.py", "20261236/layers.py"], "Class: 3 hand-ins", 3),
    "groups": (["group1/layers.py", "group2/layers.py", "group10/layers.py"], "Class: 3 hand-ins", 3),
}


@pytest.mark.parametrize("wrapped", ["", "Lab 3/", "home/Lab 3/section one/"])
@pytest.mark.parametrize("form", ["folder", "zip"])
@pytest.mark.parametrize(("names", "said", "number"), CLASSES.values(), ids=CLASSES.keys())
def test_a_class(point, form, wrapped, names, said, number):
    pairs = [(wrapped + name, data) for name, data in filled(names)]
    found = point(pairs, form)
    assert found.recognised.startswith(said)
    assert not found.single
    assert len(found.entries) == number
    assert found.platform in (*found.recognised.split()[:1], "")


@pytest.mark.parametrize("form", ["folder", "zip"])
@pytest.mark.parametrize("names", [value[0] for value in CLASSES.values()], ids=CLASSES.keys())
def test_every_whole_hand_in_of_it_can_be_read(point, copied, form, names):
    for entry in point(names, form).entries:
        files = copied(entry)
        if isinstance(files, dict):
            assert files == {"layers.py": WHOLE}
        else:
            assert any(entry.name.startswith(bad) for bad in ("cy", "dora", "e", "Lab 3_zhao")), files


ONE = {
    "the file": ["layers.py"],
    "the file and others": ["layers.py", "tools.py", ("a.zip", b""), ("b.zip", b"")],
    "a repository": ["src/layers.py", "tests/test_layers.py", ("data/x.csv", b"")],
    "starter and final": ["starter/layers.py", "final/layers.py"],
    "versions": ["v1/layers.py", "v2/layers.py", "v2_final/layers.py"],
    "attempts": ["attempt 1/layers.py", "attempt 2/layers.py"],
    "homework twice": ["HW3/layers.py", "hw3-old/layers.py"],
    "camels": ["MySolution/layers.py", "finalVersion/layers.py"],
    "parts as zips": ["part1.zip", "part2.zip"],
    "its functions in files of their own": ["im2col.py", "conv.py", "main.py", "utils.py"],
    "copies of the file": ["layers.py.txt", "layers (1).py"],
}


@pytest.mark.parametrize("form", ["folder", "zip"])
@pytest.mark.parametrize("names", ONE.values(), ids=ONE.keys())
def test_one_submission(point, tmp_path, form, names):
    found = point(names, form, name="alice")
    assert found.single
    assert found.recognised.startswith("One submission (")
    assert [(entry.name, entry.path.parent) for entry in found.entries] == [("alice", tmp_path)]
    assert not list(tmp_path.glob("scratch-*/*"))


@pytest.mark.parametrize(
    "names", [["ann/layers.py"], ["only.zip"], [("notes.txt", b"x")], ["ann/layers.py", ("ann/d/x", b"")]]
)
def test_a_zip_of_one_submission(point, names):
    assert point(names, "zip").single


UNCLEAR = {
    "two folders in a zip": (
        "zip",
        ["moje/layers.py", "zadani/layers.py"],
        "holds two folders with layers.py in",
    ),
    "half of them parts": ("zip", ["ann/layers.py", "final/layers.py"], "may be a class or one project: ann, final"),
    "half of them parts, on disk": (
        "folder",
        ["ann/layers.py", "old/layers.py"],
        "may be a class or one project: ann",
    ),
    "the file beside a class": (
        "folder",
        ["layers.py", "ann.zip", "ben.zip"],
        "holds layers.py and beside it zips",
    ),
    "the file beside a download": ("folder", ["layers.py", *CANVAS], "holds layers.py and beside it files"),
    "files that define too little": (
        "zip",
        [("a.py", OTHER), ("b.py", OTHER)],
        "holds no layers.py, but several",
    ),
    "folders without the file": (
        "zip",
        ["Lab 3/lee_ann_501/20261001_layers.py", "Lab 3/mora_ben_502/20261001_layers.py"],
        "holds no layers.py, but several folders with Python in them: lee_ann_501, mora_ben_502",
    ),
    "folders without the file, on disk": (
        "folder",
        ["Lab 3/lee_ann_501/20261001_layers.py", "Lab 3/mora_ben_502/20261001_layers.py"],
        "holds no layers.py, but several folders with Python in them: lee_ann_501, mora_ben_502",
    ),
    "sections in a folder": (
        "folder",
        ["mo/ann/layers.py", "mo/ben/layers.py", "tu/cy/layers.py", "tu/dora/hw3/layers.py", "tu/eve/layers.py"],
        "holds classes: mo, tu",
    ),
    "classes of files": ("folder", ["mo/a1.py", "mo/a2.py", "tu/a3.py", "tu/a4.py"], "holds classes: mo, tu"),
    "a class beside its zip": ("folder", ["mo/a.zip", "mo/b.zip", "mo.zip"], "holds classes: mo. Give one of them"),
    "classes in a folder": ("folder", ["mo/a.zip", "mo/b.zip", "tu/c.zip", "tu/d.zip"], "holds classes: mo, tu"),
    "exports in a folder": (
        "folder",
        [
            (f"{top}/{name}", data)
            for top in ("x", "y")
            for name, data in [("submission_metadata.yml", METADATA), ("submission_1/layers.py", WHOLE)]
        ],
        "holds classes: x, y",
    ),
}


@pytest.mark.parametrize(("form", "names", "problem"), UNCLEAR.values(), ids=UNCLEAR.keys())
def test_what_could_be_two_things_is_refused(point, form, names, problem):
    with pytest.raises(ConfigurationError) as caught:
        point(names, form)
    assert f"Lab 3{'.zip' * (form == 'zip')} {problem}" in str(caught.value)
    assert "AS=class" in str(caught.value)
    assert "AS=one" in str(caught.value)


@pytest.mark.parametrize(("form", "names", "problem"), UNCLEAR.values(), ids=UNCLEAR.keys())
def test_as_overrules(point, form, names, problem):
    assert point(names, form, "one", "x").recognised == "One submission (AS=one was said)"
    assert len(point(names, form, "class", "y").entries) >= 2


def test_as_class_of_one_student_or_file(point, tmp_path):
    assert [entry.name for entry in point(["starter/layers.py", "final/layers.py"], "zip", "class").entries] == [
        "final",
        "starter",
    ]
    (tmp_path / "ann.py").write_bytes(WHOLE)
    with pytest.raises(ConfigurationError, match=r"^AS: ann\.py is one file, no class\. Leave AS out$"):
        download.read(tmp_path / "ann.py", "layers.py", None, asked="class")


@pytest.mark.parametrize("asked", [None, "class"])
def test_a_folder_of_one_student_with_helpers_is_a_class_of_one(point, asked):
    found = point(["ann/layers.py", ("ann/plot.py", OTHER), ("ann/mine/x.py", OTHER)], asked=asked)
    assert ([entry.name for entry in found.entries], found.single) == (["ann"], False)
