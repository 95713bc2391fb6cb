"""The class report for a browser: one page for the class, and one page beside each results.json.

Names and messages come from strangers, so the templates escape everything. Each page is one file. Pictures are inside
it, and each picture has a text that says the same. This module does not know how grading works.
"""

from __future__ import annotations

import base64
import io
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from autograder.classroom import pages
from autograder.classroom.books import Change
from autograder.classroom.gradebook import Gradebook, Row
from autograder.classroom.journal import PAGE
from autograder.core import files
from autograder.core.outcomes import FAULT
from autograder.core.results import Results
from autograder.core.tables import number
from autograder.grading.grader import GRADED_WITH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS = 20
"""The number of bars in a histogram."""
WIDTH = 4.4
"""The width of a picture in inches; on a phone it is shown at three quarters of that, and still readable."""

# colours that colour-blind people can tell apart; the order helps, too
_FULL, _PART, _NONE = "#1b7f5c", "#e0a32e", "#b8405e"


@dataclass(frozen=True)
class Picture:
    """A picture as part of a page, and a text that says the same."""

    data: str
    alt: str


@dataclass(frozen=True)
class Item:
    """How the class did on one test.

    Attributes
    ----------
    full, part, none : float
        Shares of the class that have all, some and no points.
    mean : float
        Mean share of the points: how easy the test is.
    discrimination : float or None
        Correlation with the points of all other tests; None if all students got the same.
    """

    name: str
    points: str
    full: float
    part: float
    none: float
    mean: float
    discrimination: float | None


def write(
    book: Gradebook,
    changes: Sequence[Change] | None,
    problems: Sequence[str],
    results_of: Callable[[str], Results],
    out: Path,
    name: str,
) -> None:
    """Write ``out/<name>`` and a page in a folder of every submission's there.

    Parameters
    ----------
    results_of : callable
        Returns the results of a submission.

    Raises
    ------
    ImportError
        If Jinja or matplotlib is not installed.
    """
    graded = [row for row in book.rows if row.score is not None]
    tested = [row for row in book.rows if row.has_results]
    for row in tested:  # first, since they need no pictures
        write_page(book, row, results_of(row.entry.name), out, f"../{quote(name)}")
    items = item_analysis(book, graded)
    content = {
        "book": book,
        "graded": graded,
        "faults": [row for row in book.rows if row.status == FAULT],
        "problems": problems,
        "changes": changes,
        "figures": _figures(book, graded),
        "items": items,
        "mistakes": _groups(graded, lambda row: row.mistakes),
        "patterns": _groups(graded, lambda row: row.patterns),
        "graded_with": GRADED_WITH,
        "slowest": sorted(tested, key=lambda row: -row.seconds)[:5],
        "scores": _scores_picture(book, graded) if graded else None,
        "tests": _items_picture(items) if items else None,
        "times": _times_picture(tested) if tested else None,
    }
    files.replace(out / name, pages.render("report.html.j2", content))


def write_page(book: Gradebook, row: Row, results: Results, out: Path, up: str) -> Path:
    """Write the page of one submission into its folder in `out`, with a link to `up` if that is not empty."""
    page = out / row.entry.name / PAGE
    page.parent.mkdir(mode=0o700, exist_ok=True)
    files.replace(page, pages.staff(book, row, results, up))
    return page


# --- Figures ---------------------------------------------------------------------------------------------------------


def _figures(book: Gradebook, graded: list[Row]) -> dict[str, str]:
    scores = [float(row.score) for row in graded if row.score is not None]
    shown = {"submissions": str(len(book.rows)), "graded": str(len(graded))}
    if scores:
        shown |= {
            "mean": f"{statistics.fmean(scores):.1f}",
            "median": f"{statistics.median(scores):.1f}",
            "full marks": str(sum(row.score is not None and row.score >= book.total for row in graded)),
            "late": str(sum(row.late is not None for row in graded)),
        }
    if book.absent:
        shown["without a submission"] = str(len(book.absent))
    return shown


def item_analysis(book: Gradebook, graded: list[Row]) -> list[Item]:
    """Return for each test which shares got all, some or no points, and how well it separates submissions."""
    items = []
    for name, points in book.points.items():
        rows = [row for row in graded if name in row.tests]
        if not rows:
            continue
        shares = [float(row.tests[name] / points) for row in rows]
        others = [float(sum(row.tests.values()) - row.tests[name]) for row in rows]
        full, none = (sum(share == edge for share in shares) / len(rows) for edge in (1, 0))
        mean = statistics.fmean(shares)
        items.append(Item(name, number(points), full, 1 - full - none, none, mean, _correlation(shares, others)))
    return items


def _correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    if len(set(first)) < 2 or len(set(second)) < 2:
        return None
    return statistics.correlation(first, second)


def _groups(graded: list[Row], of: Callable[[Row], Sequence[str]]) -> list[tuple[str, list[Row]]]:
    """Return what several submissions have in common, each with these submissions, the most frequent first."""
    found: dict[str, list[Row]] = {}
    for row in graded:
        for what in of(row):
            found.setdefault(what, []).append(row)
    return sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))


# --- Pictures --------------------------------------------------------------------------------------------------------


def _axes(height: float) -> tuple[Figure, Axes]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    return figure, axes


def _picture(figure: Figure, alt: str) -> Picture:
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=180, metadata={"Software": None})
    return Picture("data:image/png;base64," + base64.b64encode(image.getvalue()).decode(), alt)


def _scores_picture(book: Gradebook, graded: list[Row]) -> Picture:
    total = float(book.total)
    scores = [float(row.score) for row in graded if row.score is not None]
    figure, axes = _axes(2.2)
    counts, edges, _ = axes.hist(scores, bins=BINS, range=(0, max(total, *scores)), color=_FULL, edgecolor="white")
    axes.set(xlabel=f"score of {total:g}", ylabel="submissions")
    said = [
        f"{int(count)} from {low:g} to {high:g}"
        for count, low, high in zip(counts, edges[:-1], edges[1:], strict=True)
        if count
    ]
    return _picture(figure, f"Histogram of {len(scores)} scores: {', '.join(said)}.")


def _items_picture(items: list[Item]) -> Picture:
    figure, axes = _axes(0.7 + 0.18 * len(items))
    places = range(len(items))
    left = [0.0] * len(items)
    for label, colour in (("full", _FULL), ("part", _PART), ("none", _NONE)):
        shares = [100 * getattr(item, label) for item in items]
        axes.barh(
            places, shares, left=left, color=colour, label={"full": "all points", "part": "some"}.get(label, "none")
        )
        left = [before + share for before, share in zip(left, shares, strict=True)]
    axes.set_yticks(places, [item.name.removeprefix("test_") for item in items], fontsize=8)
    axes.invert_yaxis()
    axes.set(xlim=(0, 100), xlabel="% of the class", ylim=(len(items) - 0.4, -0.6))
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False, fontsize=8)
    hardest = sorted(items, key=lambda item: item.mean)[:3]
    said = ", ".join(f"{item.name} ({100 * item.mean:.0f} % of its points)" for item in hardest)
    return _picture(figure, f"Shares of the class with all, some and no points in each test. Hardest: {said}.")


def _times_picture(graded: list[Row]) -> Picture:
    seconds = [max(row.seconds, 0.1) for row in graded]
    figure, axes = _axes(2.0)
    low, high = math.floor(min(seconds)), math.ceil(max(seconds))
    axes.hist(seconds, bins=BINS, range=(low, max(high, low + 1)), color="#4a6fa5", edgecolor="white")
    axes.set(xlabel="seconds to grade", ylabel="submissions")
    middle, longest = statistics.median(seconds), max(seconds)
    return _picture(figure, f"Histogram of grading times: median {middle:.1f} s, longest {longest:.1f} s.")
