"""A class of Canvas' and one of Moodle's, from the download to the files that are uploaded again."""

import csv
import io
import zipfile

import pytest

HALF = "def double(x): return 2 * x\n"


@pytest.fixture
def canvas(toy):
    """Canvas' download of two students, and its gradebook with three assignments."""
    for name, source in {
        "leeann_LATE_501_90007_toy-1.py": toy.SOLUTION,
        "moraben_502_90003_toy.py": HALF,
    }.items():
        toy.hand_in(source, name=name)
    (toy.root / "gradebook.csv").write_text(
        "Student,ID,SIS User ID,SIS Login ID,Section,Warm-up (1),Doubles and halves (2),Doubles and halves 2 (3)\n"
        ",,,,,,Manual Posting,\n    Points Possible,,,,,5,10,10\n"
        '"Lee, Ann",501,a1,lee.a,S1,4,,\n"Mora, Ben",502,,,S1,3,,\n"Zhao, Cy",503,a3,zhao.c,S1,2,,\n'
        '"Student, Test",504,,,S1,,,\n',
        encoding="utf-8-sig",
    )
    return toy


def table(path):
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


def test_canvas(mark, canvas):
    late = "late: {due: 2026-01-01 13:00:00 +00:00, grace_minutes: 0, percent_per_day: 25, at_most_percent: 40}"
    canvas.config.write_text(f"{canvas.config.read_text()[:-1]}, {late}}}")
    (canvas.root / "decided.csv").write_text("submission,test,score,reason\na3,total,7,on paper\n")
    done, _, _ = mark(roster=canvas.root / "gradebook.csv", overrides=canvas.root / "decided.csv")
    out = canvas.root / "results"
    assert table(out / "canvas.csv") == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Doubles and halves (2)"],
        ["    Points Possible", "", "", "", "", "10"],
        ["Lee, Ann", "501", "a1", "lee.a", "S1", "10"],
        ["Mora, Ben", "502", "", "", "S1", "4"],
        ["Zhao, Cy", "503", "a3", "zhao.c", "S1", "7"],
    ]
    with zipfile.ZipFile(out / "feedback.zip") as archive:
        assert archive.namelist() == ["leeann_LATE_501_90007_feedback.html", "moraben_502_90003_feedback.html"]
        ben = archive.read("moraben_502_90003_feedback.html").decode()
    assert "<b>4</b> of 10" in ben
    assert "Ben Mora" in ben
    assert "Ann" not in ben
    said = "\n".join(done.problems)
    assert "1 hand-ins are marked as late in their names, which hold no times" in said
    assert "no students, but staff or Canvas' test student, are in line 7: left out" in said
    assert done.next_step == (
        "Next: read report.html; import canvas.csv in Canvas' gradebook; upload feedback.zip to the assignment in "
        "Canvas (Re-Upload Submissions)."
    )


def test_canvas_marks_are_listed_also_where_no_date_is_known(mark, canvas):
    late = "late: {grace_minutes: 0, percent_per_day: 25, at_most_percent: 40}"
    canvas.config.write_text(f"{canvas.config.read_text()[:-1]}, {late}}}")
    said = mark()[0].problems
    assert said[:1] == [
        "1 hand-ins are marked as late in their names, which hold no times (leeann_LATE_501_90007_toy-1): nothing is "
        "taken off. Decide it in overrides.csv, as late"
    ]
    assert said[1].endswith("late has no due, and an export names no dates: nothing counts as late here")


def test_moodle(mark, toy):
    for name, source in {"Ann Lee_1201": toy.SOLUTION, "Ben_1202": HALF, "Stranger_9": HALF}.items():
        toy.hand_in(source, name=f"{name}_assignsubmission_file_/toy.py")
    (toy.root / "worksheet.csv").write_text(
        'ID,"Vollständiger Name",E-Mail-Adresse,Status,Bewertung,Bestwertung,"Zuletzt geändert"\n'
        '"Teilnehmer/in 1201","Ann Lee",ann@u.edu,x,,"10,00",-\n'
        '"Teilnehmer/in 1202",Ben,ben@u.edu,x,,"10,00",-\n"Teilnehmer/in 1203",Cy,cy@u.edu,-,,"10,00",-\n',
        encoding="utf-8-sig",
    )
    done, _, _ = mark(roster=toy.root / "worksheet.csv")
    out = toy.root / "results"
    assert [row[4] for row in table(out / "moodle.csv")] == ["Bewertung", "10,00", "4,00", ""]
    assert not (out / "canvas.csv").exists()
    with zipfile.ZipFile(out / "feedback.zip") as archive:
        assert archive.namelist() == [
            "Ann Lee_1201_assignfeedback_file_/feedback.html",
            "Ben_1202_assignfeedback_file_/feedback.html",
            "Stranger_9_assignfeedback_file_/feedback.html",
        ]
    assert done.problems == ["Stranger_9_assignsubmission_file: nobody in the roster"]
    assert done.next_step.startswith("Next: read report.html; upload moodle.csv in Moodle (Upload grading worksheet);")
