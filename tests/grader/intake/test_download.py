"""Every hand-in of a class comes out once, as itself; what is none is listed; a bad one costs its own row."""

import os
import stat
import tracemalloc
import zipfile

import pytest

from autograder.core.errors import ConfigurationError
from autograder.intake import download, pile
from tests.grader.support.downloads import FUNCTIONS, HW, OTHER, WHOLE
from tests.grader.support.handins import zip_bytes

# What is no hand-in; what costs its own row.


def test_what_is_no_hand_in_is_listed_and_left_out(point):
    stray = [
        "Thumbs.db",
        "desktop.ini",
        "index.html",
        "grades.csv",
        "roster.csv",
        "overrides.csv",
        "notes to self.docx",
    ]
    stray += ["README.md", "Makefile", "feedback.txt", "scores.xlsx"]
    silent = [".DS_Store", "._a.py", "__MACOSX/._b.py", ".git/config", "$RECYCLE.BIN/c.py", "@eaDir/x", "~$d.py"]
    silent += ["System Volume Information/WPSettings.dat", "lost+found/"]
    found = point([*((name, b"x") for name in stray), *silent, "ann.py", "ben.zip"])
    assert [entry.name for entry in found.entries] == ["ann", "ben"]
    assert (
        found.recognised == "Class: 2 hand-ins (1 zip, 1 .py file, each a submission of its own); 11 others left out"
        or (
            found.recognised
            == "Class: 2 hand-ins (1 .py file, 1 zip, each a submission of its own); 11 others left out"
        )
    )
    assert found.problems == [f"not hand-ins, so left out: {', '.join(sorted(stray))}"]


def test_hidden_names_are_listed(point):
    found = point(["ann.py", "ben.py", ".cy.zip", "__init__.py"])
    assert found.problems == ["hidden by their names, so left out: .cy.zip, __init__.py; rename what is a hand-in"]


def test_links_and_pipes_are_listed(point, tmp_path):
    (tmp_path / "Lab 3").mkdir()
    (tmp_path / "Lab 3" / "ann.py").write_bytes(WHOLE)
    (tmp_path / "Lab 3" / "ben.py").symlink_to("ann.py")
    os.mkfifo(tmp_path / "Lab 3" / "cy.py")
    found = download.read(tmp_path / "Lab 3", "layers.py", functions=FUNCTIONS)
    assert [entry.name for entry in found.entries] == ["ann"]
    assert found.problems == [
        "ben.py is a link and was not followed: not graded",
        "cy.py is neither a file nor a folder: not graded",
    ]


def test_results_of_an_earlier_run_are_left_out(point):
    found = point(["ann.py", "ben.py", ("results/.graded.jsonl", b""), ("results/ann/results.json", b"")])
    assert [entry.name for entry in found.entries] == ["ann", "ben"]
    why = "holds results of an earlier run, or Python itself, and is no hand-in: left out"
    assert found.problems == [f"results {why}"]
    found = point(["a.py", "b.py", ("venv/pyvenv.cfg", b""), "venv/lib/pip.py"], name="other")
    assert ([entry.name for entry in found.entries], found.problems) == (["a", "b"], [f"venv {why}"])


def test_a_file_without_a_suffix_counts_by_what_is_in_it(point):
    found = point(["ann.py", "ben.py", ("cy", WHOLE), ("dora", HW), ("e", b"hello\n"), ("f", b"\0")])
    assert [entry.name for entry in found.entries] == ["ann", "ben", "cy", "dora"]


def test_nothing_to_grade(point):
    with pytest.raises(
        ConfigurationError, match=r"Lab 3 holds no hand-in: Thumbs\.db, grades\.csv\. Give a file or a f"
    ):
        point([("Thumbs.db", b""), ("grades.csv", b"")])


def test_only_the_pair_that_collides_is_renamed(point):
    found = point(["a0001.py", "a0001.zip", "a0002.py", "a0003.py"])
    assert [entry.name for entry in found.entries] == ["a0001.py", "a0001.zip", "a0002", "a0003"]
    assert [entry.ids for entry in found.entries] == [("a0001",), ("a0001",), ("a0002",), ("a0003",)]
    assert found.problems == ["2 hand-ins have the name a0001: here they are called a0001.py, a0001.zip"]


@pytest.mark.parametrize("name", ["grades.csv.py", "overrides.csv.py", "canvas.csv.zip", "report.html.py", "only.py"])
def test_names_of_ours(point, name):
    found = point([name, "alice.py"])
    wanted = f"{os.path.splitext(name)[0]} (hand-in)"
    assert sorted(entry.name for entry in found.entries) == sorted(["alice", wanted])
    assert found.problems == [f"{name} is called {wanted} here: its own name is hidden, or one of ours"]


def test_twins_in_a_zip(point, copied):
    same = point([("ann.zip", HW), ("ann.zip", HW), ("ben.zip", HW)], "zip")
    assert [entry.name for entry in same.entries] == ["ann", "ben"]
    assert same.problems == ["ann.zip is in Lab 3.zip twice with the same bytes: graded once"]
    other = zip_bytes([("layers.py", OTHER)])
    found = point([("ann.zip", HW), ("ann.zip", other), ("ben.zip", HW)], "zip", name="other")
    assert [entry.name for entry in found.entries] == ["ann.zip", "ann.zip (2)", "ben"]
    assert [copied(entry) for entry in found.entries][:2] == [{"layers.py": WHOLE}, {"layers.py": OTHER}]


def test_a_file_and_a_folder_of_one_name(point, copied):
    found = point(["ann.zip", "ben.zip", ("cy", b"x"), "cy/layers.py", ("dora", HW), "dora/layers.py"], "zip")
    assert [entry.name for entry in found.entries] == ["ann", "ben", "cy", "dora", "dora (2)"]
    assert all(copied(entry) == {"layers.py": WHOLE} for entry in found.entries)
    assert "not hand-ins, so left out: cy" in found.problems


COSTS_ITS_OWN = {
    "deep folders": (["mallory/layers.py", ("mallory/" + "a/" * 1200 + "x", b"")], {"layers.py": WHOLE}),
    "a long name": (["mallory/layers.py", ("mallory/" + "x" * 5000, b"")], {"layers.py": WHOLE}),
    "a long module": (
        ["mallory/layers.py", ("mallory/" + "x" * 300 + ".py", b"")],
        "is longer than 255 bytes",
    ),
    "a file and a folder": (["mallory/layers.py", ("mallory/d", b"1"), ("mallory/d/x", b"1")], {"layers.py": WHOLE}),
    "twins": (["mallory/layers.py", ("mallory/layers.py", OTHER)], "contains layers.py twice"),
    "a way out": (["mallory/layers.py", ("mallory/../../x", b"")], "no path may contain '..'"),
    "too many files": (["mallory/layers.py", *((f"mallory/{n}", b"") for n in range(20_001))], "contains 20001 files"),
    "a bomb": (["mallory/layers.py", ("mallory/zeros", bytes(60 << 20))], "over 100 times its size"),
    "a bomb of a file": ([("mallory.zip", bytes(60 << 20))], "over 100 times its size"),
    "no zip": ([("mallory.zip", b"Rar!")], "is a RAR archive"),
    "an empty file": ([("mallory.py", b"")], {"layers.py": b""}),
    "a very long name": ([("mallory" + "x" * 600 + ".zip", HW)], {"layers.py": WHOLE}),
}


@pytest.mark.parametrize(("names", "outcome"), COSTS_ITS_OWN.values(), ids=COSTS_ITS_OWN.keys())
def test_a_bad_hand_in_in_a_zip_costs_its_own(point, copied, names, outcome):
    found = point(["ann/layers.py", "ben/layers.py", *names], "zip")
    assert [entry.name[:7] for entry in found.entries] == ["ann", "ben", "mallory"]
    results = [copied(entry) for entry in found.entries]
    assert results[:2] == [{"layers.py": WHOLE}] * 2
    assert outcome in results[2] if isinstance(outcome, str) else results[2] == outcome


def test_members_that_lead_out_of_a_zip(point, tmp_path):
    found = point([("../evil.zip", HW), ("/tmp/evil.zip", HW), ("C:/evil.zip", HW), "ann.zip", "ben.zip"], "zip")
    assert [entry.name for entry in found.entries] == ["ann", "ben"]
    assert [problem.split(" leads out of ")[0] for problem in found.problems] == [
        "../evil.zip",
        "/tmp/evil.zip",
        "C:/evil.zip",
    ]
    assert not list(tmp_path.rglob("evil*"))
    assert not (tmp_path.parent / "evil.zip").exists()


def test_links_in_a_zip_are_left_out(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as writer:
        info = zipfile.ZipInfo("cy.zip")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        writer.writestr("ann.zip", HW)
        writer.writestr("ben.zip", HW)
        writer.writestr(info, b"/etc/passwd")
    (tmp_path / "scratch").mkdir()
    found = download.read(tmp_path / "x.zip", "layers.py", lambda: tmp_path / "scratch")
    assert [entry.name for entry in found.entries] == ["ann", "ben"]
    assert found.problems == ["cy.zip is a link and was not followed: not graded"]


def test_a_zip_of_a_class_that_is_too_large(point, monkeypatch):
    monkeypatch.setattr(pile, "CLASS_BYTES", 10)
    with pytest.raises(ConfigurationError, match="unpacks to more than"):
        point(["ann.zip", "ben.zip"], "zip")


def test_a_damaged_zip_says_what_to_do(tmp_path):
    (tmp_path / "x.zip").write_bytes(zip_bytes([("ann.zip", HW), ("ben.zip", HW)])[:-30])
    with pytest.raises(ConfigurationError, match=r"cut short.*Unpack it and give the folder, or say AS=one"):
        download.read(tmp_path / "x.zip", "layers.py", lambda: tmp_path)


def test_a_file_is_one_submission(tmp_path):
    for name in ("ann.py", "odd name.zip", "doc.docx"):
        (tmp_path / name).write_text("not a zip")
        found = download.read(tmp_path / name, "layers.py", lambda: tmp_path)
        assert found.single
        assert (found.entries[0].path, found.recognised) == (tmp_path / name, "One submission (a file)")


def test_a_class_zip_takes_little_memory(tmp_path):
    """Files of 200 MiB in a zip of 0.4 MB are neither unpacked to memory nor to disk."""
    big = zipfile.ZipInfo("mallory/zeros.bin")
    big.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as writer:
        for name in ("ann/layers.py", "ben/layers.py", "mallory/layers.py"):
            writer.writestr(name, WHOLE)
        with writer.open(big, "w", force_zip64=True) as member:
            for _ in range(200):
                member.write(bytes(1 << 20))
        with writer.open("mallory.zip", "w", force_zip64=True) as member:
            for _ in range(200):
                member.write(bytes(1 << 20))
    (tmp_path / "scratch").mkdir()
    tracemalloc.start()
    found = download.read(tmp_path / "x.zip", "layers.py", lambda: tmp_path / "scratch", functions=FUNCTIONS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found.entries) == 4
    assert peak < 8 << 20
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 4 << 20
