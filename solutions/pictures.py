"""The pictures of the handout, as SVG: what is easier to see than to read.

Every number in them is computed here from the worked examples, none is typed in. Each picture brings its own
background and follows the reader's choice of a light or a dark screen. The bytes depend on this file alone.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

CELL = 34
"""Side of one pixel of an image, in SVG units."""

STYLE = """
  svg { --paper: #ffffff; --ink: #1f2328; --faint: #6b7280; --line: #9aa3ad; --none: #eef0f2;
        --red: #ffd7d3; --green: #cdeed3; --blue: #cfe4ff; --gold: #ffe9ad; --violet: #e7dbff; --teal: #bff0ec;
        --mark: #c2255c; }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #16191d; --ink: #e8eaed; --faint: #9aa3ad; --line: #5b646e; --none: #23272c;
          --red: #6e2a26; --green: #1f5a2d; --blue: #1d4a80; --gold: #6b5310; --violet: #56368c; --teal: #0f5f5f;
          --mark: #ff7eb0; } }
  text { font: 14px system-ui, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', sans-serif; fill: var(--ink);
         text-anchor: middle; dominant-baseline: central; }
  .small { font-size: 12px; } .faint { fill: var(--faint); } .bold { font-weight: 700; }
  .left { text-anchor: start; } .code { font-family: ui-monospace, Consolas, 'DejaVu Sans Mono', monospace; }
  .paper { fill: var(--paper); } .cell { stroke: var(--line); } .none { fill: var(--none); }
  .plain { fill: var(--paper); } .red { fill: var(--red); } .green { fill: var(--green); } .blue { fill: var(--blue); }
  .gold { fill: var(--gold); } .violet { fill: var(--violet); }
  .teal { fill: var(--teal); }
  .window { fill: none; stroke: var(--mark); stroke-width: 3; }
  .arrow { fill: none; stroke: var(--faint); stroke-width: 1.5; }
"""


class Picture:
    """A drawing that grows element by element; x to the right, y downwards."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self.width, self.height, self.title = width, height, title
        self.elements: list[str] = []

    def rect(self, x: float, y: float, width: float, height: float, css: str) -> None:
        """Draw a rectangle from its top left corner."""
        self.elements.append(f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" class="{css}"/>')

    def text(self, x: float, y: float, text: object, css: str = "") -> None:
        """Write a line of text around its middle."""
        self.elements.append(f'<text x="{x:g}" y="{y:g}" class="{css}">{text}</text>')

    def arrow(self, x: float, y: float, to_x: float) -> None:
        """Draw a horizontal arrow."""
        path = f"M{x:g} {y:g}H{to_x:g}m-7 -5l7 5l-7 5"
        self.elements.append(f'<path d="{path}" class="arrow"/>')

    def grid(
        self,
        x: float,
        y: float,
        values: Array,
        css: Callable[[int, int], str] = lambda row, column: "plain",
        width: float = CELL,
        height: float = CELL,
        text: str = "",
    ) -> None:
        """Draw an array as a table, each cell with its own colour."""
        for (row, column), value in np.ndenumerate(values):
            left, top = x + column * width, y + row * height
            self.rect(left, top, width, height, f"cell {css(row, column)}")
            self.text(left + width / 2, top + height / 2, value, text)

    def window(self, x: float, y: float, row: int, column: int, rows: int = 2, columns: int = 2) -> None:
        """Frame some cells of a grid that was drawn at (x, y)."""
        self.rect(x + column * CELL, y + row * CELL, columns * CELL, rows * CELL, "window")

    def svg(self) -> str:
        """Return the file."""
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
        head += f'width="{self.width}" height="{self.height}" role="img">'
        paper = f'<rect width="{self.width}" height="{self.height}" rx="8" class="paper"/>'
        lines = [head, f"<title>{self.title}</title>", f"<style>{STYLE}</style>", paper, *self.elements, "</svg>", ""]
        return "\n".join(lines)


def windows(image: Array, rows: int, columns: int, stride: int) -> Array:
    """Return every window of a 2-D image, shape (OH, OW, rows, columns)."""
    return np.lib.stride_tricks.sliding_window_view(image, (rows, columns))[::stride, ::stride]


def draw_im2col() -> Picture:
    """Three channels on the left, their 12 x 9 matrix on the right; one window and its column are framed."""
    picture = Picture(790, 420, "im2col: each window of the image becomes one column of the matrix")
    x = np.arange(1, 49).reshape(3, 4, 4)
    colours = ("red", "green", "blue")
    row, column = 0, 1
    for channel, colour in enumerate(colours):
        top = 46 + channel * 122
        picture.text(12, top + 30, f"c={channel}", "left small faint code")
        picture.grid(52, top - 26, x[channel], lambda *_, colour=colour: colour, height=28, text="small")
        picture.rect(52 + column * CELL, top - 26 + row * 28, 2 * CELL, 2 * 28, "window")
    picture.text(120, 404, "x: 3 channels of 4×4", "small")
    picture.arrow(206, 190, 246)
    cols = np.concatenate([windows(channel, 2, 2, 1).reshape(9, 4).T for channel in x])
    left, top, width, height = 366, 48, 44, 27
    picture.grid(left, top, cols, lambda r, c: colours[r // 4], width=width, height=height, text="small")
    for r in range(12):
        label = f"c={r // 4} i={r % 4 // 2} j={r % 2}"
        picture.text(left - 100, top + (r + 0.5) * height, label, "left small faint code")
    for c in range(9):
        picture.text(left + (c + 0.5) * width, top - 12, f"{c // 3},{c % 3}", "small faint code")
    picture.text(left - 100, top - 12, "p,q →", "left small faint code")
    picture.rect(left + (3 * row + column) * width, top, width, 12 * height, "window")
    picture.text(left + 4.5 * width, 392, "im2col(x, (2, 2)): 12 rows, one column for each of the 9 windows", "small")
    return picture


def draw_col2im() -> Picture:
    """Four windows that overlap in the middle pixel, and the image that their sum makes."""
    picture = Picture(790, 250, "col2im: where windows overlap, their entries add up")
    cols = np.arange(1, 17).reshape(4, 4)
    colours = ("red", "green", "blue", "gold")
    x = np.zeros((3, 3), dtype=int)
    picture.grid(50, 62, cols, lambda r, c: colours[c])
    picture.text(50 + 2 * CELL, 222, "cols: 4 windows, one per column", "small")
    picture.arrow(202, 130, 232)
    parts: dict[tuple[int, int], list[str]] = {}
    for k, colour in enumerate(colours):
        p, q = divmod(k, 2)
        window = cols[:, k].reshape(2, 2)
        x[p : p + 2, q : q + 2] += window
        picture.grid(254 + q * 92, 36 + p * 92, window, lambda *_, colour=colour: colour)
        for (i, j), value in np.ndenumerate(window):
            parts.setdefault((p + i, q + j), []).append(str(value))
    picture.text(334, 222, "each put back as a 2×2 window", "small")
    picture.arrow(428, 130, 458)
    number = {1: "plain", 2: "none", 4: "gold"}
    side = 62
    picture.grid(482, 26, x, lambda r, c: number[len(parts[r, c])], width=side + 30, height=side - 4, text="bold")
    for (r, c), terms in parts.items():
        if len(terms) > 1:
            picture.text(482 + (c + 0.5) * (side + 30), 26 + (r + 0.82) * (side - 4), "+".join(terms), "small faint")
    picture.text(482 + 138, 222, "x: the pixel in the middle is in all four", "small")
    return picture


def draw_stride() -> Picture:
    """A 6 x 6 image, 3 x 3 windows, stride 2: the last row and the last column are in no window."""
    picture = Picture(790, 290, "A stride that does not come out even leaves a border that no window reaches")
    size, kernel, stride = 6, 3, 2
    reach = stride * ((size - kernel) // stride) + kernel
    covered = np.zeros((size, size), dtype=int)
    for p in range(0, reach - kernel + 1, stride):
        for q in range(0, reach - kernel + 1, stride):
            covered[p : p + kernel, q : q + kernel] += 1
    colours = {0: "none", 1: "blue", 2: "green", 4: "gold"}
    blank = np.full((size, size), "")
    picture.grid(60, 40, blank, lambda r, c: colours[int(covered[r, c])])
    for p in range(0, reach - kernel + 1, stride):
        for q in range(0, reach - kernel + 1, stride):
            picture.window(60, 40, p, q, kernel, kernel)
    picture.text(60 + 3 * CELL, 20, "6×6 image, 3×3 windows, stride 2", "small")
    count = (size - kernel) // stride + 1
    picture.text(60 + 3 * CELL, 266, f"(6 − 3) // 2 + 1 = {count} windows along each axis", "small")
    for line, (times, words) in enumerate(
        [(1, "in one window"), (2, "in two windows"), (4, "in four windows"), (0, "in none: no influence, gradient 0")]
    ):
        y = 84 + line * 40
        picture.rect(340, y - 12, 24, 24, f"cell {colours[times]}")
        picture.text(376, y, words, "left")
    return picture


def draw_max_pool() -> Picture:
    """The pooling example of the lecture; the colour of a maximum tells which windows it won."""
    picture = Picture(790, 236, "Max pooling: each window keeps its largest pixel, and remembers which one it was")
    image = np.array([[0.4, 2.3, 0, 1.3, 0], [1.9, 3.2, 2.1, 1.5, 0], [2.3, 0, 3.8, 0, 4.3], [1.5, 2.3, 1.5, 0.7, 2.1]])
    flat = windows(image, 2, 2, 1).reshape(3, 4, 4)
    first = flat.argmax(axis=2)
    winner = {(p, q): (p + int(first[p, q]) // 2, q + int(first[p, q]) % 2) for p in range(3) for q in range(4)}
    palette = ("blue", "gold", "red", "green", "violet", "teal")
    order = list(dict.fromkeys(winner.values()))
    colour = dict(zip(order, palette, strict=True))
    picture.grid(70, 44, image, lambda r, c: colour.get((r, c), "plain"))
    picture.window(70, 44, 2, 0)
    picture.text(70 + 2.5 * CELL, 20, "x: 4×5", "small")
    picture.text(70 + 2.5 * CELL, 204, "framed: a tie, 2.3 twice; the first one wins", "small")
    picture.arrow(258, 112, 294)
    picture.grid(314, 44, flat.max(axis=2), lambda r, c: colour[winner[r, c]])
    picture.window(314, 44, 2, 0, 1, 1)
    picture.text(314 + 2 * CELL, 20, "out: 2×2 windows, stride 1", "small")
    picture.text(314 + 2 * CELL, 172, "the colour is the winner's", "small faint")
    picture.arrow(468, 112, 504)
    wins = np.zeros(image.shape, dtype=int)
    for place in winner.values():
        wins[place] += 1
    picture.grid(524, 44, wins, lambda r, c: colour.get((r, c), "plain"))
    picture.text(524 + 2.5 * CELL, 20, "dx when dout is all ones", "small")
    picture.text(524 + 2.5 * CELL, 204, "how many windows each pixel won", "small")
    return picture


def draw() -> dict[str, str]:
    """Return the name and the text of every picture."""
    pictures = {"im2col": draw_im2col, "col2im": draw_col2im, "stride": draw_stride, "max_pool": draw_max_pool}
    return {f"{name}.svg": make().svg() for name, make in pictures.items()}
