"""The pictures of the handout, as SVG: what is easier to see than to read.

Every number in them is computed here from the worked examples, none is typed in. Each picture can be read on a phone,
brings its own background, and follows the reader's choice of a light or a dark screen. What a colour says, a letter or
a number says as well. The title says what is seen, for those who do not see it. The bytes depend on this file alone.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Css = Callable[[int, int], str]

WIDTH = 400
"""Of every picture, in SVG units. A phone shows about 340 pixels of a page."""

ZOOM = 1.2
"""How many pixels a unit takes on a large screen."""

STYLE = """
  svg { --paper: #ffffff; --ink: #1f2328; --faint: #59616d; --line: #8b949e; --none: #e9ebee;
        --red: #ffd7d3; --green: #cdeed3; --blue: #cfe4ff; --gold: #ffe9ad; --violet: #e7dbff; --teal: #bff0ec;
        --mark: #b3124c; }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #16191d; --ink: #eceef1; --faint: #b3bac3; --line: #7d868f; --none: #2a2f35;
          --red: #6e2a26; --green: #1f5a2d; --blue: #1d4a80; --gold: #5c460c; --violet: #56368c; --teal: #0f5555;
          --mark: #ff9cc4; } }
  text { font: 15px system-ui, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', sans-serif; fill: var(--ink);
         text-anchor: middle; dominant-baseline: central; }
  .small { font-size: 13px; } .faint { fill: var(--faint); } .bold { font-weight: 700; }
  .left { text-anchor: start; } .code { font-family: ui-monospace, Consolas, 'DejaVu Sans Mono', monospace; }
  .paper { fill: var(--paper); } .cell { stroke: var(--line); } .none { fill: var(--none); }
  .plain { fill: var(--paper); } .red { fill: var(--red); } .green { fill: var(--green); } .blue { fill: var(--blue); }
  .gold { fill: var(--gold); } .violet { fill: var(--violet); } .teal { fill: var(--teal); }
  .window { fill: none; stroke: var(--mark); stroke-width: 3; } .dashed { stroke-dasharray: 6 4; }
  .arrow { fill: none; stroke: var(--faint); stroke-width: 1.5; }
"""


class Picture:
    """A drawing that grows element by element; x to the right, y downwards."""

    def __init__(self, height: int, title: str) -> None:
        self.height, self.title = height, title
        self.elements: list[str] = []

    def rect(self, x: float, y: float, width: float, height: float, css: str) -> None:
        """Draw a rectangle from its top left corner."""
        self.elements.append(f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" class="{css}"/>')

    def text(self, x: float, y: float, text: object, css: str = "") -> None:
        """Write a line of text around its middle, with a real minus sign."""
        written = f"{text:g}" if isinstance(text, float) else str(text)
        self.elements.append(f'<text x="{x:g}" y="{y:g}" class="{css}">{written.replace("-", "−")}</text>')

    def arrow(self, x: float, y: float, length: float, down: bool = False) -> None:
        """Draw an arrow to the right, or downwards."""
        path = f"V{y + length:g}m-5 -7l5 7l5 -7" if down else f"H{x + length:g}m-7 -5l7 5l-7 5"
        self.elements.append(f'<path d="M{x:g} {y:g}{path}" class="arrow"/>')

    def grid(
        self,
        x: float,
        y: float,
        values: Array,
        css: Css = lambda row, column: "plain",
        width: float = 34,
        height: float = 34,
        text: str = "",
        notes: Sequence[Sequence[str]] = (),
    ) -> None:
        """Draw an array as a table, each cell with its own colour, and below its number a note."""
        for (row, column), value in np.ndenumerate(values):
            left, top = x + column * width, y + row * height
            self.rect(left, top, width, height, f"cell {css(row, column)}")
            note = notes[row][column] if notes else ""
            if value != "":
                self.text(left + width / 2, top + height * (0.32 if note else 0.5), value, text)
            if note:
                self.text(left + width / 2, top + height * 0.72, note, "small")

    def svg(self) -> str:
        """Return the file."""
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.height}" '
        head += f'width="{WIDTH * ZOOM:g}" height="{self.height * ZOOM:g}" role="img">'
        paper = f'<rect width="{WIDTH}" height="{self.height}" rx="8" class="paper"/>'
        lines = [head, f"<title>{self.title}</title>", f"<style>{STYLE}</style>", paper, *self.elements, "</svg>", ""]
        return "\n".join(lines)


def windows(image: Array, rows: int, columns: int, stride: int = 1) -> Array:
    """Return every window of a 2-D image, shape (OH, OW, rows, columns)."""
    return np.lib.stride_tricks.sliding_window_view(image, (rows, columns))[::stride, ::stride]


def places(size: int) -> list[list[tuple[int, int]]]:
    """Return row and column of each pixel of a square image."""
    return [[(row, column) for column in range(size)] for row in range(size)]


def listed(colours: Sequence[Sequence[str]]) -> Css:
    """Give each cell its own colour."""
    return lambda row, column: colours[row][column]


def painted(colour: str) -> Css:
    """Give all cells one colour."""
    return lambda row, column: colour


COLOURS = ("red", "green", "blue", "gold")
CORNERS = [(0, 0), (0, 1), (1, 0), (1, 1)]
"""Where the four 2x2 windows of a 3x3 image begin; they are called A, B, C and D."""


def scattered(parts: Array) -> tuple[Array, list[list[str]]]:
    """Add four 2x2 windows to a 3x3 image; return the image and, for each pixel, its sum in words."""
    image = np.zeros((3, 3), dtype=int)
    terms: dict[tuple[int, int], list[int]] = {}
    for (p, q), part in zip(CORNERS, parts, strict=True):
        image[p : p + 2, q : q + 2] += part
        for (i, j), value in np.ndenumerate(part):
            terms.setdefault((p + i, q + j), []).append(int(value))
    words = {place: "".join(f"{term:+}" for term in each).lstrip("+") for place, each in terms.items()}
    return image, [[words[r, c] if len(terms[r, c]) > 1 else "" for c in range(3)] for r in range(3)]


def draw_sum(picture: Picture, parts: Array, y: float, caption: str) -> None:
    """Draw the image that four windows add up to, with the sum of each pixel below it."""
    image, words = scattered(parts)
    picture.grid(50, y, image, lambda r, c: "none" if words[r][c] else "plain", 100, 46, "bold", words)
    picture.text(WIDTH / 2, y + 158, caption, "small")


# --- The pictures ----------------------------------------------------------------------------------------------------


def draw_stride() -> Picture:
    """Count the windows of each pixel, without and with padding."""
    title = (
        "Two 6×6 images under 3×3 windows of stride 2; each pixel says in how many windows it is. Without padding, 2 "
        "windows fit along each axis, and the last row and column read 0; with padding 1 there are 3, and none reads 0."
    )
    picture = Picture(394, title)
    size, kernel, stride, cell, y = 6, 3, 2, 24, 66
    colours = {0: "none", 1: "plain", 2: "green", 4: "gold"}
    for padding, x in ((0, 12), (1, 196)):
        full = size + 2 * padding
        counts = np.zeros((full, full), dtype=int)
        for window in windows(np.arange(full * full).reshape(full, full), kernel, kernel, stride).reshape(-1, 9):
            counts.flat[window] += 1
        inside = range(padding, padding + size)
        shown = [[counts[place] if {*place} <= {*inside} else "" for place in row] for row in places(full)]
        cells = np.array(shown, dtype=object)
        css = [[colours[int(cells[place] or 0)] for place in row] for row in places(full)]
        picture.grid(x, y, cells, listed(css), cell, cell)
        picture.rect(x + padding * cell, y + padding * cell, size * cell, size * cell, "window")
        picture.rect(x + 3, y + 3, kernel * cell - 6, kernel * cell - 6, "window dashed")
        count = (full - kernel) // stride + 1
        picture.text(x + full * cell / 2, y - 40, f"padding {padding}", "bold")
        picture.text(x + full * cell / 2, y - 16, f"({full} - 3) // 2 + 1 = {count}", "small")
    for line, words in enumerate(
        [
            "solid frame: the image; around it: padding, zeros",
            "dashed frame: the first window",
            "number: how many windows the pixel is in",
            "0: no window, no influence, gradient 0",
        ]
    ):
        picture.text(12, 296 + line * 26, words, "left small")
    return picture


def draw_im2col() -> Picture:
    """Three channels on top, their 12 x 9 matrix below; one window and its column are framed."""
    title = (
        "Three channels of 4×4 pixels and their matrix, 12 rows by 9 columns. The framed 2×2 window, second in its "
        "row, is the framed second column: four pixels of channel 0, then of channel 1, then of channel 2."
    )
    picture = Picture(560, title)
    x = np.arange(1, 49).reshape(3, 4, 4)
    for channel, colour in enumerate(COLOURS[:3]):
        left = 16 + channel * 128
        picture.text(left + 56, 18, f"c={channel}", "small code")
        picture.grid(left, 32, x[channel], painted(colour), 28, 28, "small")
        picture.rect(left + 28, 32, 56, 56, "window")
    picture.text(200, 162, "x: 3 channels of 4×4, a window framed", "small")
    picture.arrow(200, 176, 18, down=True)
    cols = np.concatenate([windows(channel, 2, 2).reshape(9, 4).T for channel in x])
    left, top, width, height = 116, 226, 30, 24
    picture.grid(left, top, cols, lambda r, c: COLOURS[r // 4], width, height, "small")
    for r in range(12):
        label = f"c={r // 4} i={r % 4 // 2} j={r % 2}"
        picture.text(14, top + (r + 0.5) * height, label, "left small code")
    for c in range(9):
        picture.text(left + (c + 0.5) * width, top - 14, f"{c // 3},{c % 3}", "small code")
    picture.text(64, top - 14, "p,q →", "left small code")
    picture.rect(left + width, top, width, 12 * height, "window")
    picture.text(200, 538, "cols: one column for each of the 9 windows", "small")
    return picture


def draw_col2im() -> Picture:
    """Four windows that overlap in the middle pixel, and the image that their sum makes."""
    title = (
        "Four columns A to D of a matrix, each put back as a 2×2 window, and the 3×3 image they add up to. "
        "Its corners get one entry each, its edges two, its middle four: 13+10+7+4=34."
    )
    picture = Picture(412, title)
    cols = np.arange(1, 17).reshape(4, 4)
    parts = cols.T.reshape(4, 2, 2)
    picture.grid(20, 42, cols, lambda r, c: COLOURS[c])
    picture.text(88, 200, "cols", "small")
    picture.arrow(166, 110, 26)
    for k, (p, q) in enumerate(CORNERS):
        picture.text(20 + (k + 0.5) * 34, 26, "ABCD"[k], "bold")
        left, top = 232 + q * 82, 32 + p * 82
        picture.text(left - 11, top + 14, "ABCD"[k], "bold")
        picture.grid(left, top, parts[k], painted(COLOURS[k]), 29, 29)
    picture.text(290, 200, "each column as a 2×2 window", "small")
    picture.arrow(200, 212, 16, down=True)
    draw_sum(picture, parts, 236, "x: where windows overlap, they add up")
    return picture


X = np.array([[0, 2, -3, 2, -3], [-2, -2, -2, -1, -2], [-3, -3, 2, -2, 1], [-3, -2, 1, -3, 1], [0, -1, 0, 2, -3]])
W = np.array([[-1, 0, -2], [1, 1, -1], [-1, -1, 0]])
BIAS = -1
"""The worked example of the convolution."""


def draw_conv_forward() -> Picture:
    """One window times the filter is one number; the other windows give the other numbers."""
    title = (
        "A 5×5 image, a 3×3 filter and the 3×3 output. The framed window times the filter, entry by entry, is nine "
        "products. Their sum 10, plus the bias −1, is the framed entry of the output, 9."
    )
    picture = Picture(400, title)
    out = np.einsum("pqij,ij->pq", windows(X, 3, 3), W) + BIAS
    for name, left, values, colour, width in (
        ("x", 8, X, "plain", 29),
        ("w", 174, W, "blue", 32),
        ("out", 292, out, "gold", 34),
    ):
        picture.text(left + values.shape[1] * width / 2, 22, name, "bold")
        picture.grid(left, 38, values, painted(colour), width, 30)
    picture.text(163, 83, "·", "bold")
    picture.text(281, 83, "→", "bold")
    picture.rect(8, 38, 87, 90, "window")
    picture.rect(292, 38, 34, 30, "window")
    products = X[:3, :3] * W
    spelled = [[f"{X[i, j]} · {W[i, j]}" for j in range(3)] for i in range(3)]
    picture.text(200, 208, "the framed window times the filter", "small")
    picture.grid(50, 224, products, painted("plain"), 100, 46, "bold", spelled)
    picture.text(200, 382, f"sum {products.sum()}, plus bias {BIAS}, is out[0, 0] = {out[0, 0]}", "small")
    return picture


def draw_conv_backward() -> Picture:
    """Each entry of dout times the filter is added to dx, where its window was."""
    title = (
        "A 2×2 dout, A to D, and a 2×2 filter. Below, the filter times each entry of dout, put where the window of "
        "that entry was in a 3×3 image. Their sum is dx; in the middle, 5+4−3+4=10."
    )
    picture = Picture(474, title)
    dout, w = np.array([[1, 2], [3, 4]]), np.array([[1, -1], [2, 5]])
    picture.grid(90, 40, dout, lambda p, q: COLOURS[2 * p + q], 48, 38, "", [["A", "B"], ["C", "D"]])
    picture.text(138, 22, "dout", "bold")
    picture.grid(230, 40, w, painted("plain"), 38, 38)
    picture.text(268, 22, "w", "bold")
    parts = np.array([entry * w for entry in dout.flat])
    for k, (p, q) in enumerate(CORNERS):
        left, top, cell = 11 + k * 97, 172, 29
        picture.text(left + 1.5 * cell, top - 20, f"{'ABCD'[k]} = {dout.flat[k]}", "bold")
        empty = np.full((3, 3), "")
        picture.grid(left, top, empty, painted("none"), cell, cell)
        picture.grid(left + q * cell, top + p * cell, parts[k], painted(COLOURS[k]), cell, cell)
    picture.text(200, 276, "each entry of dout times w, where its window was", "small")
    draw_sum(picture, parts, 296, "dx: the sum of the four")
    return picture


def draw_max_pool() -> Picture:
    """The pooling example of the lecture; the letter of a maximum tells which windows it won."""
    title = (
        "A 4×5 image, its 3×4 output after 2×2 windows of stride 1, and dx. Letters A to F tell which pixel won each "
        "window. If dout is all ones, dx counts wins. In a tie of two 2.3, the first one wins."
    )
    picture = Picture(560, title)
    image = np.array([[0.4, 2.3, 0, 1.3, 0], [1.9, 3.2, 2.1, 1.5, 0], [2.3, 0, 3.8, 0, 4.3], [1.5, 2.3, 1.5, 0.7, 2.1]])
    flat = windows(image, 2, 2).reshape(3, 4, 4)
    first = flat.argmax(axis=2)
    winner = {(p, q): (p + int(first[p, q]) // 2, q + int(first[p, q]) % 2) for p in range(3) for q in range(4)}
    order = list(dict.fromkeys(winner.values()))
    colour = dict(zip(order, (*COLOURS, "violet", "teal"), strict=True))
    letter = dict(zip(order, "ABCDEF", strict=True))
    wins = np.zeros(image.shape, dtype=int)
    for place in winner.values():
        wins[place] += 1
    for values, top, caption in (
        (image, 12, "x: framed, a tie; the first 2.3 wins"),
        (flat.max(axis=2), 212, "out: the winner's value and letter"),
        (wins, 370, "dx if dout is all ones"),
    ):
        rows, columns = values.shape
        left, width, height = 200 - columns * 28, 56, 38
        places = [[(r, c) if rows == 4 else winner[r, c] for c in range(columns)] for r in range(rows)]
        notes = [[letter.get(place, "") for place in row] for row in places]
        css = listed([[colour.get(place, "plain") for place in row] for row in places])
        picture.grid(left, top, values, css, width, height, "", notes)
        picture.text(200, top + rows * height + 16, caption, "small")
    picture.rect(60, 12 + 2 * 38, 2 * 56, 2 * 38, "window")
    picture.rect(88, 212 + 2 * 38, 56, 38, "window")
    return picture


def draw_avg_pool() -> Picture:
    """The mean of each window; backward, a quarter of each entry for each pixel of its window."""
    title = (
        "A 3×3 image under 2×2 windows of stride 1: the framed 1, 5, 3, 7 have the mean 4. Backward, each entry of "
        "dout, 4 8 12 16, gives a quarter to each pixel of its window; the middle gets 1+2+3+4=10."
    )
    picture = Picture(448, title)
    image = np.array([[1, 5, 2], [3, 7, 6], [8, 2, 1]])
    picture.text(110, 22, "x", "bold")
    picture.grid(50, 40, image, painted("plain"), 40, 34)
    picture.rect(50, 40, 80, 68, "window")
    picture.arrow(192, 91, 34)
    picture.text(290, 22, "out", "bold")
    picture.grid(250, 57, windows(image, 2, 2).mean(axis=(2, 3)), painted("gold"), 40, 34)
    picture.rect(250, 57, 40, 34, "window")
    picture.text(200, 162, "(1 + 5 + 3 + 7) / 4 = 4", "small")
    dout = np.array([[4, 8], [12, 16]])
    picture.text(110, 206, "dout", "bold")
    picture.grid(160, 188, dout, painted("plain"), 40, 34)
    shares = np.array([np.full((2, 2), entry // 4) for entry in dout.flat])
    draw_sum(picture, shares, 270, "dx: a quarter from each window that a pixel is in")
    return picture


def draw() -> dict[str, str]:
    """Return the name and the text of every picture."""
    pictures = {
        "stride": draw_stride,
        "im2col": draw_im2col,
        "col2im": draw_col2im,
        "conv_forward": draw_conv_forward,
        "conv_backward": draw_conv_backward,
        "max_pool": draw_max_pool,
        "avg_pool": draw_avg_pool,
    }
    return {f"{name}.svg": make().svg() for name, make in pictures.items()}
