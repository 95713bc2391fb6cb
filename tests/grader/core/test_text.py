"""Strangers' strings: what is kept, what is dropped, how long they may be."""

import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.core.text import clean, printable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("x.shape=(2, 3)", "x.shape=(2, 3)"),
        ("größe 大小 😀", "größe 大小 😀"),
        ("a\u0301", "a\u0301"),
        ("two\nlines\r\n\tand  more\v\f", "two lines and more"),
        ("next\x85line\u2028separator\u2029paragraph", "next line separator paragraph"),
        ("wide\u3000and\xa0hard", "wide and hard"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("\x1b]0;title\x07", "]0;title"),
        ("\x9b31mred", "31mred"),
        ("pass\b\b\b\bfail", "passfail"),
        ("\0nul\x7f", "nul"),
        ("lone \ud800 surrogate \udfff", "lone surrogate"),
        ("evil\u202egnp.py", "evilgnp.py"),
        ("\u2066isolated\u2069", "isolated"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("private\ue000use", "privateuse"),
        ("unassigned\uffff", "unassigned\uffff"),
        ("<b onclick='x'>bold</b>", "‹b onclick='x'›bold‹/b›"),
    ],
)
def test_one_line(text, expected):
    assert clean(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("first\nsecond", "first\nsecond"),
        ("  indented\n\n    more  \n", "  indented\n\n    more"),
        ("dos\r\nmac\rend", "dos\nmac\nend"),
        ("tab\there", "tab here"),
        ("a\u2028b\x85c\vd\fe", "a\nb\nc\nd\ne"),
        ("\x1b[2Jtop\n<script>", "[2Jtop\n‹script›"),
        ("\udc80\n\u202e", "\n"),
    ],
)
def test_lines_are_kept_when_asked_for(text, expected):
    assert clean(text, lines=True) == expected


@pytest.mark.parametrize("lines", [False, True])
def test_length(lines):
    assert clean("x" * 10, limit=10, lines=lines) == "x" * 10
    assert clean("x" * 11, limit=10, lines=lines) == "x" * 9 + "…"
    assert clean("x" * 10**6, limit=10, lines=lines) == "x" * 9 + "…"


def test_work_is_bounded():
    class Text(str):
        read = 0

        def __getitem__(self, index):
            Text.read = index.stop
            return super().__getitem__(index)

    clean(Text("x" * 10**6), limit=10)
    assert 10 < Text.read <= 100


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.text(st.characters(), max_size=300), st.integers(1, 100), st.booleans())
def test_nothing_dangerous_is_left(text, limit, lines):
    cleaned = clean(text, limit, lines)
    assert len(cleaned) <= limit
    assert not set(cleaned) & set("<>\r\t")
    assert "\n" not in cleaned or lines
    assert not {unicodedata.category(character) for character in cleaned.replace("\n", "")} & {"Cc", "Cf", "Cs", "Co"}
    assert json.loads(json.dumps(cleaned).encode()) == cleaned
    assert clean(cleaned, limit, lines) == cleaned, "cleaning twice is cleaning once"


@pytest.mark.parametrize("blank", "\u115f\u1160\u2800\u3164\uffa0")
def test_letters_that_look_like_a_space_are_one(blank):
    assert clean(f"eve{blank * 9}100 of 100{blank}") == "eve 100 of 100"


def test_piles_of_accents_are_cut():
    assert clean("zed" + "\u0301" * 40 + "!") == "zed" + "\u0301" * 4 + "!"
    assert clean("Việt".translate({7879: "e\u0302\u0323"})) == "Vie\u0302\u0323t"


def test_printable_keeps_all_that_can_be_seen():
    assert printable(" <b>\u202e a\n=1\u200b " + "x" * 999) == "<b> a =1 " + "x" * 999
