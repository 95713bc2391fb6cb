"""Take the pictures of the README anew: ``make pictures``.

Grades the sample class with the real command and photographs two of its pages with a headless Chromium: the report of
the class, and what one student reads.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
SUBMISSIONS = ROOT / "tests" / "grader" / "submissions" / "sample"
STUDENT = "padding-crop-zero"
"""Whose page is shown: one mistake, whose hint says what it is."""

PAGES = {"class-report": ("report.html", 860, 520), "student-page": (f"{STUDENT}/page.html", 860, 620)}
"""Of each picture: its page, and the width and height of the window in pixels."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> int:
    """Grade, take the pictures, return the exit status."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print("No Chromium was found. On Debian: apt install chromium", file=sys.stderr)
        return 2
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pictures-") as scratch:
        out = Path(scratch, "results")
        command = [sys.executable, "-m", "autograder", "grade", str(SUBMISSIONS), "--out", str(out)]
        subprocess.run(command, cwd=ROOT, check=True)
        for name, (page, width, height) in PAGES.items():
            picture = PICTURES / f"{name}.png"
            photograph(browser, out / page, picture, width, height, Path(scratch, "profile"))
            print(f"wrote {picture.relative_to(ROOT)}, {picture.stat().st_size // 1024} KB")
    return 0


def photograph(browser: str, page: Path, picture: Path, width: int, height: int, profile: Path) -> None:
    """Take a picture of the top of a page, in a window of this size."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=5000"]
    options += [f"--user-data-dir={profile}", f"--window-size={width},{height}", f"--screenshot={picture}"]
    subprocess.run([browser, *options, page.as_uri()], check=True, capture_output=True, timeout=120)


if __name__ == "__main__":
    sys.exit(main())
