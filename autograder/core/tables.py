"""Tables that people, spreadsheets and platforms write: read strictly, written so that we read the same values back.

Also the one place that writes points and reads times. It does not know what a table is about.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path

from autograder.core import files
from autograder.core.errors import ConfigurationError
from autograder.core.text import printable

MOST_BYTES = 64 << 20
"""The most bytes of a table: a class of 10,000 students has 10 MiB."""

_SEPARATORS = ",;\t"
_YEARS = range(1970, 9000)
"""A time outside of these years cannot be told in every time zone."""

# --- Numbers and times -----------------------------------------------------------------------------------------------


def number(value: Fraction | float | None) -> str:
    """Return points as people write them; empty for None."""
    return "" if value is None else f"{float(value):.10g}"


def amount(text: str, comma: bool = False) -> Fraction | None:
    """Return a number as people write it in a table, exactly; None if it is not one.

    Parameters
    ----------
    text : str
        Digits, with at most four decimals. What `number` wrote is read back to the same value.
    comma : bool
        Whether a comma may be the decimal point, too.
    """
    if not re.fullmatch(r"[+-]?(\d{1,6}(\.\d{0,4})?|\.\d{1,4})", text.replace(",", ".") if comma else text, re.ASCII):
        return None
    return Fraction(text.replace(",", "."))


_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d)?)(?:\.(\d+))? ?(Z|UTC|[+-]\d\d:?\d\d)", re.ASCII)


def moment(text: object) -> datetime | None:
    """Return a time with its time zone, as ISO 8601 or Ruby write it, to the microsecond; None if it is not one."""
    match = _MOMENT.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        return None
    day, time, fraction, zone = match.groups()
    offset = "+00:00" if zone in ("Z", "UTC") else f"{zone[:3]}:{zone[-2:]}"
    seconds = time if time.count(":") == 2 else f"{time}:00"
    try:
        found = datetime.fromisoformat(f"{day}T{seconds}.{(fraction or '0')[:6]:0<6}{offset}")
    except ValueError:
        return None
    return found if found.year in _YEARS else None


# --- In --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sheet:
    """A table as it was written.

    Attributes
    ----------
    variable : str
        The option that named the file, for messages.
    separator, encoding, newline : str
    lines : list of (int, list of str)
        For each line of the table its cells, and the line number in the file where it begins, as an editor counts. The
        first line holds the names of the columns. Lines without any text are left out.
    """

    variable: str
    path: Path
    separator: str
    encoding: str
    newline: str
    lines: list[tuple[int, list[str]]]

    @property
    def comma(self) -> bool:
        """Whether a comma may be the decimal point in this table."""
        return self.separator == ";"

    def refusal(self, line: int, problem: str, remedy: str) -> ConfigurationError:
        """Return the error to raise about a line."""
        return ConfigurationError(self.path.name, f"line {line}", problem, remedy)


@dataclass(frozen=True)
class Line:
    """One line of a table: its number as an editor counts, and its cells by the name of the column in lower case."""

    number: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


@dataclass(frozen=True)
class Table(Sheet):
    """A table whose columns have names.

    Attributes
    ----------
    columns : tuple of str
        In lower case.
    rows : list of Line
    """

    columns: tuple[str, ...] = ()
    rows: Sequence[Line] = ()

    @property
    def written(self) -> tuple[str, ...]:
        """The names of the columns as they are written."""
        return tuple(printable(cell) for cell in self.lines[0][1]) if self.lines else ()

    def amount(self, line: Line, column: str) -> Fraction | None:
        """Return the number in a cell, None if it is empty.

        Raises
        ------
        ConfigurationError
            If it is not a number.
        """
        cell = line[column]
        value = amount(cell, self.comma)
        if value is None and cell:
            remedy = "Correct it: digits, and at most four decimals after a point"
            if not self.comma and amount(cell, comma=True) is not None:
                remedy = "Write a decimal point; a decimal comma is understood where semicolons separate the cells"
            raise self.refusal(line.number, f"{column} is {cell!r}, but should be a number", remedy)
        return value


def read(variable: str, path: Path, needed: Iterable[str] = ()) -> Table:
    """Return the rows of a table that a program or a spreadsheet wrote.

    Parameters
    ----------
    variable : str
        The option that named the file, for messages.
    needed : iterable of str
        Columns that must be there, in lower case.

    Raises
    ------
    ConfigurationError
        If the file cannot be read, or is not a table in which every cell has a column of its own.
    """
    sheet = read_sheet(variable, path)
    columns = tuple(printable(cell).lower() for cell in sheet.lines[0][1]) if sheet.lines else ()
    missing = [name for name in needed if name not in columns]
    if missing:
        raise without_columns(variable, path, missing, columns)
    rows = [
        Line(line, dict(zip(columns, (_unguarded(printable(cell)) for cell in cells), strict=False)))
        for line, cells in sheet.lines[1:]
    ]
    return Table(**vars(sheet), columns=columns, rows=rows)


def without_columns(variable: str, path: Path, missing: Iterable[str], columns: Iterable[str]) -> ConfigurationError:
    """Return the error to raise when columns are missing."""
    found = ", ".join(printable(column) for column in columns)[:500] or "nothing"
    return ConfigurationError(
        variable, "", f"{path} has no column {', '.join(missing)}", f"Its first line names {found}"
    )


def read_sheet(variable: str, path: Path) -> Sheet:
    """Return a table with its cells as they are written; see `read`."""
    text, encoding = _decoded(variable, path)
    newline = "\r\n" if "\r\n" in text else "\r" if "\r" in text and "\n" not in text else "\n"
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    sheet = Sheet(variable, path, ",", encoding, newline, [])
    for place, line in enumerate(lines, 1):
        if "\0" in line:
            raise sheet.refusal(place, "holds a NUL character: this is not a text file", "Save the table as CSV UTF-8")
    first = 0
    while first < len(lines) and not lines[first].strip(_SEPARATORS + " "):
        first += 1
    stated = re.fullmatch(r'"?sep=([,;|\t])"?', lines[first]) if first < len(lines) else None  # as Excel writes it
    first += bool(stated)
    head = lines[first] if first < len(lines) else ""
    separator = (
        stated[1] if stated else max(_SEPARATORS, key=lambda mark: len(next(csv.reader([head], delimiter=mark), [])))
    )
    sheet = replace(sheet, separator=separator)
    found = [(place, cells) for place, cells in _records(sheet, lines, first) if any(cell.strip() for cell in cells)]
    _check_columns(sheet, found)
    return replace(sheet, lines=found)


def _decoded(variable: str, path: Path) -> tuple[str, str]:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(variable, "", f"{path} cannot be read: {error.strerror}", "Check the path") from None
    if len(data) > MOST_BYTES:
        problem = f"{path} has more than {MOST_BYTES >> 20} MiB: this is not the table of a class"
        raise ConfigurationError(variable, "", problem, "Check the path")
    if data[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        raise ConfigurationError(variable, "", f"{path} is a workbook or a zip, no text", "Save it as CSV UTF-8")
    if data[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        problem = f"{path} is a web page, no table: perhaps the page on which one signs in"
        raise ConfigurationError(variable, "", problem, "Download the table again")
    encoding = "utf-8-sig" if data[:3] == b"\xef\xbb\xbf" else "utf-8"
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    elif len(data) > 1 and 0 in data[:2] and data[:2] != b"\0\0":  # without a byte order mark
        encoding = "utf-16-be" if data[0] == 0 else "utf-16-le"
    try:
        return data.decode(encoding), encoding
    except UnicodeDecodeError as error:
        if encoding.startswith("utf-16"):
            raise ConfigurationError(variable, "", f"{path} is cut off or no text", "Save it as CSV UTF-8") from None
        before = data[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        problem = f"{path} is not UTF-8 text: see line {before.count(10) + 1}"
        raise ConfigurationError(variable, "", problem, "Save it as CSV UTF-8") from None


def _records(sheet: Sheet, lines: list[str], first: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows, each with the number of its first line."""
    reader = csv.reader((f"{line}\n" for line in lines[first:]), delimiter=sheet.separator, strict=True)
    width = 0
    while True:
        before = first + reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _unreadable(sheet, lines, before + 1, str(error)) from None
        width = width or len(cells)
        if width > 1 and any(
            _swallows(cell, width - 1, width - 1 - place, sheet.separator) for place, cell in enumerate(cells)
        ):
            problem = f"a cell that begins with a quote goes on until line {first + reader.line_num}, over other rows"
            remedy = f"Close the quote in line {before + 1}, or remove it; or write the cell in one line"
            raise sheet.refusal(before + 1, problem, remedy)
        yield before + 1, cells


def _swallows(cell: str, whole: int, rest: int, separator: str) -> bool:
    """Whether a cell of several lines holds rows: enough separators for a whole row, or for the rest of its own."""
    first, *others = cell.split("\n")
    return bool(others) and (
        (rest > 0 and first.count(separator) == rest) or any(other.count(separator) >= whole for other in others)
    )


def _unreadable(sheet: Sheet, lines: list[str], line: int, error: str) -> ConfigurationError:
    if "field larger" in error:
        problem = f"a cell has more than {csv.field_size_limit():,} characters"
        return sheet.refusal(line, problem, "Close its quote if it has one, else shorten it or remove the column")
    if "end of data" in error:
        return sheet.refusal(line, "a quote is opened and never closed", "Close it, or remove it")
    problem = "text follows a closing quote"
    return sheet.refusal(
        line, problem, "Close the quote where the cell ends, and double quotes that belong to the text"
    )


def _check_columns(sheet: Sheet, lines: list[tuple[int, list[str]]]) -> None:
    """Refuse a table in which a cell has no column, or two columns have the same name."""
    if not lines:
        return
    top, head = lines[0]
    names = [printable(cell).lower() for cell in head]
    for place, name in enumerate(names):
        if name and name in names[:place]:
            problem = f"the column {printable(head[place])!r} is there twice"
            raise sheet.refusal(top, problem, "Rename or remove one of the two")
    named = max((place for place, name in enumerate(names, 1) if name), default=0)
    mark = {"\t": "tab", ",": "comma", ";": "semicolon"}.get(sheet.separator, "separator")
    for line, cells in lines[1:]:
        if len(cells) > len(names) or any(cell.strip() for cell in cells[named:]):
            problem = f"has {len(cells)} cells, but the first line names {named} columns"
            remedy = f'Put a cell that holds a {mark} into double quotes, like "Mora{sheet.separator} Jr."'
            if sheet.separator == ",":
                remedy += ", and write decimals with a point"
            raise sheet.refusal(line, problem, remedy)


# --- Out -------------------------------------------------------------------------------------------------------------

_FORMULA = (
    "=+\\-@\u2212\u207a\u207b\u207c\u208a\u208b\u208c\u2a74\u2a75\u2a76\ufb29"
    "\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20"
)
"""Characters that a spreadsheet takes for the beginning of a formula, also in full width and other forms."""

_START = r"(^|[,;|] ?)"
"""Where a cell may begin: also after the separators of spreadsheets in other countries, with or without quotes."""

_DANGEROUS = re.compile(rf"{_START}(?=['\"]*[{_FORMULA}])")
_GUARDED = re.compile(rf"{_START}'(?=['\"]*[{_FORMULA}])")


class Verbatim(str):
    """Text of the grader, which is written unchanged."""


Cell = str | Fraction | None
"""A cell: text is made harmless, a number is written as a number, None is an empty cell."""


def guarded(text: str) -> str:
    """Return text in one line that no spreadsheet runs as a formula; `read` gives back the `printable` text."""
    return _DANGEROUS.sub(r"\1'", printable(text))


def _unguarded(cell: str) -> str:
    return _GUARDED.sub(r"\1", cell)


def as_text(lines: Iterable[Iterable[Cell]]) -> str:
    """Return a table with commas, every cell in quotes, one line for each row."""
    table = io.StringIO()
    writer = csv.writer(table, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([_written(cell) for cell in line] for line in lines)
    return table.getvalue()


def _written(cell: Cell) -> str:
    if isinstance(cell, Verbatim):
        return str(cell)
    return guarded(cell) if isinstance(cell, str) else number(cell)


def write(path: Path, lines: Iterable[Iterable[Cell]]) -> None:
    """Write a table in one step.

    Raises
    ------
    OSError
        If that is not possible. The old file is then unchanged.
    """
    files.replace(path, as_text(lines).encode())


def write_sheet(sheet: Sheet, path: Path) -> None:
    """Write a table as it was read: with its separator, its line ends and its encoding."""
    table = io.StringIO(newline="")
    csv.writer(table, delimiter=sheet.separator, lineterminator=sheet.newline).writerows(
        cells for _, cells in sheet.lines
    )
    files.replace(path, table.getvalue().encode(sheet.encoding))
