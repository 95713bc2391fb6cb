"""Tables: read strictly, in every spelling that spreadsheets have; what is written is harmless and read back."""

import csv
import io
import unicodedata
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.core import tables
from autograder.core.errors import ConfigurationError
from autograder.core.text import printable

ROSTER = "Name,SID,Note\nAnn,01,\nMora,02,x\n"


@pytest.fixture
def read(tmp_path):
    def read(content, encoding="utf-8", needed=()):
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return tables.read("ROSTER", path, needed)

    return read


def cells(table):
    return [(row.number, *row.cells.values()) for row in table.rows]


# Spellings.


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_spelling_of_one_table(read, encoding, separator, end):
    table = read(ROSTER.replace(",", separator).replace("\n", end), encoding)
    assert table.columns == ("name", "sid", "note")
    assert cells(table) == [(2, "Ann", "01", ""), (3, "Mora", "02", "x")]


def test_lines_are_counted_as_an_editor_does(read):
    table = read('\n\nName;SID\nA;1\n\n"B\nb";2\n;\nC;3')
    assert cells(table) == [(4, "A", "1"), (6, "B b", "2"), (9, "C", "3")]


def test_excel_says_its_separator(read):
    assert cells(read("sep=;\nName;SID\nA, a, a;1\n")) == [(3, "A, a, a", "1")]


def test_more_separators_inside_names_of_columns(read):
    assert read('"Name; first; last",SID\nA,1\n').columns == ("name; first; last", "sid")


def test_cells_are_cleaned(read):
    assert cells(read("Name,SID\n Ann\u200b \u2800 Lee\u202e ,\ufeff01\xa0\n")) == [(2, "Ann Lee", "01")]


def test_a_short_row_has_empty_cells(read):
    table = read("Name,SID,Note\nAnn,01\n")
    assert table.rows[0]["note"] == table.rows[0]["no such column"] == ""


def test_no_rows(read):
    assert read("").rows == read("\n ,,\n").rows == read("Name,SID\n").rows == []


# What is refused.


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("Name,SID\nA,1\nMora, Jr.,2\n", "line 3: has 3 cells, but the first line names 2 columns. Put a cell that "
         'holds a comma into double quotes, like "Mora, Jr."'),
        ("Name,SID,\nMora, Jr.,2\n", "line 2: has 3 cells, but the first line names 2 columns"),
        ("Name;SID\nMora; Jr.;2\n", "a cell that holds a semicolon into double quotes"),
        ("SID,Name,sid \n1,A,2\n", "line 1: the column 'sid' is there twice. Rename or remove one of the two"),
        ('Name,SID\n"A,1\nB,2\n', "line 2: a quote is opened and never closed"),
        ('Name,SID\nX,0\nA,"1\nB,2\nC,3"\n', "line 3: a cell that begins with a quote goes on until line 5, over"),
        ('a,b,c,d\nx,y,9,"late\nz,y,5,copied"\n', "line 2: a cell that begins with a quote goes on until line 3"),
        ('a,b,c\nx,"y,9\nz",y,5\n', "line 2: a cell that begins with a quote goes on until line 3"),
        ('Name,SID\nA,"1\nB,"2\n', "line 2: text follows a closing quote"),
        (f"Name,SID\n{'x' * 200_000},1\n", "line 2: a cell has more than 131,072 characters"),
        ("Name,SID\nA,1\nB\0,2\n", "line 3: holds a NUL character"),
        ("Name,SID\nA,1\n\r\nZo\xeb,2\n".encode("latin-1"), "is not UTF-8 text: see line 4. Save it as CSV UTF-8"),
        ("Name,SID\n".encode("utf-16")[:-1], "is cut off or no text"),
        ("\n<!DOCTYPE html>\n<title>Hi</title>", "is a web page, no table: perhaps the page on which one signs in"),
        ("\ufeff<html lang='de'>", "is a web page, no table"),
        (b"PK\x03\x04\0\0 an .xlsx", "is a workbook or a zip, no text. Save it as CSV UTF-8"),
    ],
)  # fmt: skip
def test_what_is_no_table(read, content, problem):
    with pytest.raises(ConfigurationError) as caught:
        read(content)
    assert problem in str(caught.value)
    assert "table.csv" in str(caught.value)


def test_a_column_that_is_missing(read):
    with pytest.raises(ConfigurationError) as caught:
        read("Name;Points\nA;1", needed=("name", "score"))
    assert "table.csv has no column score. Its first line names name, points" in str(caught.value)


def test_no_file(tmp_path):
    with pytest.raises(ConfigurationError, match=r"ROSTER: .*nowhere cannot be read: No such file"):
        tables.read("ROSTER", tmp_path / "nowhere")
    with pytest.raises(ConfigurationError, match=r"ROSTER: .* cannot be read: Is a directory"):
        tables.read("ROSTER", tmp_path)


def test_a_file_that_is_far_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "MOST_BYTES", 1 << 20)
    (tmp_path / "large").write_bytes(b"x" * (1 << 20) + b"x")
    with pytest.raises(ConfigurationError, match="has more than 1 MiB"):
        tables.read("ROSTER", tmp_path / "large")


# Numbers.


@pytest.mark.parametrize(
    ("cell", "value"), [("3.5", "3.5"), ("-0.25", "-0.25"), ("+7", "7"), (".5", "0.5"), ("100.", "100"), ("", None)]
)
def test_numbers(read, cell, value):
    table = read(f"SID,score\n1,{cell}\n")
    assert table.amount(table.rows[0], "score") == (None if value is None else Fraction(value))


@pytest.mark.parametrize("cell", ["3,5", "many", "1/2", "1e3", "nan", "٣", "1_0", "5 %", "1.234.5", "0.12345", "--1"])
def test_what_is_no_number(read, cell):
    table = read(f'SID,score\n1,"{cell}"\n')
    with pytest.raises(ConfigurationError, match=r"table\.csv: line 2: score is .*, but should be a number") as caught:
        table.amount(table.rows[0], "score")
    assert ("Write a decimal point" in str(caught.value)) == (cell == "3,5")


def test_decimal_commas_between_semicolons(read):
    table = read("SID;score\n1;3,5\n2;3.5\n3;1.000,5\n")
    assert [table.amount(row, "score") for row in table.rows[:2]] == [Fraction(7, 2), Fraction(7, 2)]
    with pytest.raises(ConfigurationError, match=r"line 4: score is '1\.000,5'"):
        table.amount(table.rows[2], "score")


@given(st.integers(-(10**9), 10**9))
def test_what_is_written_of_a_number_is_read(hundredths):
    value = Fraction(hundredths, 10_000)
    assert tables.amount(tables.number(value)) == value


def test_nothing_is_no_number():
    assert (tables.number(None), tables.number(Fraction(1, 2)), tables.number(100.0)) == ("", "0.5", "100")


# Times.


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2018-07-01T14:22:32.365935-07:00", "2018-07-01 14:22:32.365935-07:00"),
        ("2018-07-01T14:22:32-07:00", "2018-07-01 14:22:32-07:00"),
        ("2018-07-01T14:22:32.5Z", "2018-07-01 14:22:32.500000+00:00"),
        ("2018-07-01T14:22:32.123456789+0000", "2018-07-01 14:22:32.123456+00:00"),
        ("2018-07-01 14:22:32.123456789 Z", "2018-07-01 14:22:32.123456+00:00"),
        ("2018-07-01 14:22:32 UTC", "2018-07-01 14:22:32+00:00"),
        ("2018-07-01 14:22 +0100", "2018-07-01 14:22:00+01:00"),
        ("2018-07-01T14:22:32", "None"),
        ("2018-13-01T14:22:32Z", "None"),
        ("2018-07-01T14:22:32+99:00", "None"),
        ("yesterday", "None"),
        ("0001-01-01T00:00:00+14:00", "None"),
        ("9999-12-31T23:59:59-12:00", "None"),
        (1530480152, "None"),
        (None, "None"),
    ],
)
def test_moments(text, time):
    assert str(tables.moment(text)) == time


# What is written.

texts = st.text(st.characters() | st.sampled_from("=+-@'\";,|\t\r\n \u200b\u2800＝＋－＠"), max_size=12)


@given(st.lists(st.lists(texts, min_size=3, max_size=3), max_size=5))
def test_what_is_written_is_read_back(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("tables") / "table.csv"
    tables.write(path, [["a", "b", "c"], *(["x", *line[1:]] for line in lines)])
    assert [row.cells for row in tables.read("ROSTER", path).rows] == [
        {"a": "x", "b": printable(line[1]), "c": printable(line[2])} for line in lines
    ]


def like_a_formula(cell):
    start = unicodedata.normalize("NFKC", cell.lstrip())[:1]
    return start in ("=", "+", "-", "@", "\N{MINUS SIGN}", "\t", "\r", "\n") and start != ""


@given(texts)
def test_no_reader_finds_a_formula(text):
    written = tables.as_text([[text, "x"]])
    assert "\r" not in written
    assert written.count("\n") == 1
    for separator in ",;\t":  # as spreadsheets of other countries split it, also without a regard for quotes
        for line in (*csv.reader(io.StringIO(written), delimiter=separator), written.replace('"', "").split(separator)):
            assert not [cell for cell in line if like_a_formula(cell.strip('"'))]


def test_every_character_that_may_begin_a_formula():
    dangerous = {chr(code) for code in range(0x110000) if like_a_formula(chr(code))} - {"\t", "\r", "\n"}
    assert len(dangerous) > 15
    for character in dangerous:
        assert tables.guarded(f"{character}1") == f"'{character}1"
        assert tables.guarded(f"x;{character}1") == f"x;'{character}1"
    assert tables.guarded('"=1') == "'\"=1"  # some readers drop quotes
    assert tables.guarded("\n=1") == tables.guarded("\u200b =1") == "'=1"
    assert tables.guarded("x-y a@b.c 1+1=2") == "x-y a@b.c 1+1=2"


def test_numbers_are_written_as_numbers(tmp_path):
    tables.write(tmp_path / "t.csv", [["a", "b", "c"], [Fraction(-5, 2), None, "-2.5"]])
    assert (tmp_path / "t.csv").read_text() == '"a","b","c"\n"-2.5","","\'-2.5"\n'


@pytest.mark.parametrize("content", ["A;B\r\nx;1,5\r\n", '\ufeffA,B\n"x, y",1\n'])
def test_a_sheet_is_written_as_it_was_read(tmp_path, content):
    (tmp_path / "in.csv").write_bytes(content.encode())
    tables.write_sheet(tables.read_sheet("ROSTER", tmp_path / "in.csv"), tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == content.encode()
