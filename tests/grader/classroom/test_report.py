"""The class report: what it says, that it escapes names, and how it looks in a browser."""

import html
import json
import re
import shutil
import subprocess
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.classroom import gradebook, report
from autograder.classroom.books import Change
from autograder.classroom.gradebook import Gradebook, Row, Standing
from autograder.classroom.overrides import Override
from autograder.core.results import Results
from autograder.grading.grader import Grade
from autograder.intake.handins import HandIn, Student
from tests.grader.support.books import journal_with

NASTY = '<script>document.title="pwned"</script>'
POINTS = {"test_double": Fraction(3), "test_halve": Fraction(2), "test_same": Fraction(1)}


@pytest.fixture
def unrendered():
    """Here the pictures are real."""


@pytest.fixture
def book(tmp_path):
    """Six submissions of people with odd names; one is a fault of the grader."""
    rows = []
    names = [NASTY, "Zoë O'Hara", "李", "a" * 200, "D & E\u202e\u2066"]
    for number, name in enumerate(names):
        folder = tmp_path / (f"odd {number} #?%" if number < 2 else f"submission_{number}")
        folder.mkdir()
        tests: list[dict[str, Any]] = [
            {
                "number": "1.1",
                "name": f"{test}: its title",
                "score": score,
                "max_score": float(POINTS[test]),
                "status": "passed" if score == POINTS[test] else "failed",
                "output": f"got {NASTY} " + "x" * 300,
                "extra_data": {"test": test, "outcome": "passed" if score else "wrong"}
                | ({} if score else {"diagnosis": {"id": "twice-too-much", "certain": True, "seconds": 0.1}}),
            }
            for test, score in (
                ("test_double", 3.0 * (number % 2)),
                ("test_halve", min(2.0, number / 2)),
                ("test_same", 1.0),
            )
        ]
        total = sum(test["score"] for test in tests)
        results = {"score": total, "output": f"Found it. {NASTY}", "tests": tests, "extra_data": {}}
        grade = Grade(Fraction(repr(total)), Fraction(6), Counter(passed=3), 1.5 * number, NASTY)
        entry = HandIn(folder.name, folder, (Student(name, str(number)),))
        override = [Override(folder.name, "test_halve", Fraction(1), NASTY)] if number == 1 else []
        journal = journal_with(tmp_path, folder.name, grade, results)
        rows.append(gradebook.row(entry, grade, journal, override, None))
    rows.append(
        gradebook.row(HandIn("lost", tmp_path), Grade.fault(Fraction(6), f"Traceback {NASTY}"), journal, (), None)
    )
    rows.append(Row(HandIn("submission_9", tmp_path), None, status=gradebook.NO_FILES))
    nobody = Student(f"Absent {NASTY}")
    absent = [Standing(nobody, None, gradebook.given(HandIn("", Path(), (nobody,)), (), gradebook.NO_SUBMISSION))]
    return Gradebook(f"Homework {NASTY}", POINTS, rows, absent)


def results_in(out):
    return lambda name: Results.read(out / name / "results.json")


@pytest.fixture
def written(book, tmp_path):
    changes = [Change(book.rows[0], Fraction(5), NASTY)]
    report.write(book, changes, [f"{NASTY}: nobody in the roster"], results_in(tmp_path), tmp_path, "report.html")
    return tmp_path


def text_of(path):
    page = re.sub(r"<style>.*?</style>|<[^>]*>", " ", path.read_text(encoding="utf-8"), flags=re.S)
    return " ".join(html.unescape(page).split())


def pages(folder):
    return [folder / "report.html", *folder.glob("*/page.html")]


def test_nothing_a_stranger_wrote_is_markup(written):
    assert len(pages(written)) == 6
    for page in pages(written):
        source = page.read_text(encoding="utf-8")
        assert "<script" not in source
        assert not {"\u202e", "\u2066"} & set(source)
        assert "&lt;script&gt;" in source
        assert NASTY in text_of(page)


def test_it_stands_alone(written):
    for page in pages(written):
        source = page.read_text(encoding="utf-8")
        assert "http" not in source
        for place in re.findall(r'(?:src|href)="([^"]*)"', source):
            local = place.startswith("data:") or "/page.html" in place or place == "../report.html"
            assert local, place


def test_every_row_leads_to_its_page(written, book):
    source = (written / "report.html").read_text(encoding="utf-8")
    for number, row in enumerate(book.rows[:5]):
        place = f"odd%20{number}%20%23%3F%25/page.html" if number < 2 else f"submission_{number}/page.html"
        assert f'<a href="{place}">{row.entry.name}</a>' in source
        assert (written / row.entry.name / "page.html").exists()


def test_faults_come_first_then_what_needs_somebody(written):
    said = text_of(written / "report.html")
    places = [said.index(word) for word in ("Faults of the grader", "Traceback", "For somebody to look at", "Scores")]
    assert places == sorted(places)


def test_what_it_says(written):
    said = text_of(written / "report.html")
    for words in ("7 submissions", "5 graded", "3.3 mean", "1 without a submission", "twice-too-much · 3"):
        assert words in said, words
    assert "no files" in said
    assert f"test_halve = 1: {NASTY}" in said


def test_passed_tests_are_folded_and_all_others_shown_in_full(written, book):
    for row in book.rows:
        if not row.has_results:
            continue
        source = (written / row.entry.name / "page.html").read_text(encoding="utf-8")
        tests = json.loads((written / row.entry.name / "results.json").read_text(encoding="utf-8"))["tests"]
        decided = {override.test for override in row.overrides}
        passed = [test for test in tests if test["status"] == test["extra_data"]["outcome"] == "passed"]
        folded = [test for test in passed if test["extra_data"]["test"] not in decided]
        assert source.count("<li>") - source.split("<details>")[0].count("<li>") == len(folded)
        assert source.count('<td class="wide">') == len(tests) - len(folded)
        words = f"{len(folded)} {'test' if len(folded) == 1 else 'tests'} passed,"
        assert (words in source) == bool(folded)


def test_how_tests_did(book):
    graded = [row for row in book.rows if row.score is not None]
    double, halve, same = report.item_analysis(book, graded)
    assert (double.full, double.part, double.none, double.mean) == (0.4, 0.0, 0.6, 0.4)
    assert halve.part == pytest.approx(0.6)
    assert halve.mean == pytest.approx((0 + 0.5 + 0.5 + 0.75 + 1) / 5)
    assert same.discrimination is None  # all got the same
    assert double.discrimination == pytest.approx(np.corrcoef([0, 1, 0, 1, 0], [1, 2, 2, 2.5, 3])[0, 1])


def test_pictures_have_words(written):
    images = re.findall(r'<img src="data:image/png;base64,[^"]+" alt="([^"]+)">', (written / "report.html").read_text())
    assert len(images) == 3
    assert images[0].startswith("Histogram of 5 scores: ")
    assert "Hardest: test_double (40 % of its points)" in images[1]
    assert images[2] == "Histogram of grading times: median 3.0 s, longest 6.0 s."


def test_a_class_of_nobody(tmp_path):
    report.write(Gradebook("HW", POINTS, []), None, [], results_in(tmp_path), tmp_path, "report.html")
    assert "0 submissions" in text_of(tmp_path / "report.html")


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

PROBE = """\
<script>
const errors = [];
addEventListener("error", event => errors.push(String(event.message)));
addEventListener("load", () => {
  const frame = document.querySelector("iframe"), page = frame.contentDocument, root = page.documentElement;
  const broken = [...page.images].filter(image => !image.complete || !image.naturalWidth).length;
  document.body.textContent = JSON.stringify({
    title: page.title, scroll: root.scrollWidth, inside: root.clientWidth, broken, images: page.images.length, errors,
  });
});
</script>
"""


def browse(path, width):
    """Open a page in a frame of this width, which a window cannot be as narrow as; return what the browser found."""
    assert CHROMIUM is not None
    probe = path.with_name("probe.html")
    probe.write_text(f'<body><iframe src="{path.name}" style="border:0;width:{width}px;height:900px"></iframe>{PROBE}')
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files"]
    command += ["--enable-logging=stderr", "--virtual-time-budget=5000", f"--user-data-dir={path.parent}/profile"]
    done = subprocess.run(
        [*command, "--dump-dom", probe.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    (body,) = re.findall(r"\{.*\}(?=</body>)", done.stdout)
    return json.loads(html.unescape(body)), [line for line in done.stderr.splitlines() if ":CONSOLE" in line]


@pytest.mark.heavy
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH: on Debian, `apt install chromium`")
@pytest.mark.parametrize("width", [375, 1200])
@pytest.mark.parametrize("page", ["report.html", "odd 0 #?%/page.html"])
def test_in_a_browser(written, page, width):
    place = written / page
    if "/" in page:  # a name that is none in an address is for links to quote
        place = place.rename(written / "submission_2/page.html")
    found, console = browse(place, width)
    assert console == []
    assert found["errors"] == []
    assert width - 20 <= found["inside"] <= width  # but for a scroll bar at the side
    assert found["scroll"] == found["inside"]  # and none below
    assert found["broken"] == 0
    assert found["images"] == (3 if page == "report.html" else 0)
    assert NASTY in found["title"] or "odd 0" in found["title"]
