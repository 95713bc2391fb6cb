"""Names of hand-ins are safe as folders and as cells, and no two are one, on any file system."""

import os
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.intake import names

ANY = st.text(max_size=300)  # all of Unicode, lone surrogates included
ODD = st.text(st.sampled_from("aAäÄßﬁ\u0308\u200b\u202e\n\r\t \u3000/\\.-~=(1)\ud800\udcff\U0001f600"), max_size=12)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("ann", "ann"),
        ("Zoë O'Hara", "Zoë O'Hara"),
        ("李", "李"),
        ("a\u0308", "ä"),
        ("x\n=2+2", "x =2+2"),
        ("\u202eevil\u200b", "evil"),
        ("\x1b[31mred", "[31mred"),
        ("  two   spaces\u3000", "two spaces"),
        ("b\udce4n", "b\ufffdn"),
        ("a/b\\c", "a b c"),
        ("", "(hand-in)"),
        ("..", "(hand-in)"),
        (".hidden", "hidden (hand-in)"),
        ("-rf", "rf (hand-in)"),
        ("grades.csv", "grades.csv (hand-in)"),
        ("Report.HTML", "Report.HTML (hand-in)"),
        ("only", "only (hand-in)"),
        ("feedback", "feedback (hand-in)"),
    ],
)
def test_safe(name, safe):
    assert names.safe(name) == safe
    assert names.safe(safe) == safe or safe.endswith(" (hand-in)")


@given(ANY | ODD)
def test_any_name_is_safe(name):
    safe = names.safe(name)
    assert 0 < len(safe.encode()) <= 180
    assert safe not in (".", "..")
    assert not {"/", "\\", "\0"} & set(safe)
    assert safe[0] not in ".-~ "
    assert not any(unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp") for each in safe)
    assert safe == " ".join(safe.split())


@given(st.lists(st.tuples(ANY | ODD, st.sampled_from(["", ".py", ".zip", ".PY"])), max_size=8))
def test_no_two_are_one(tmp_path_factory, pairs):
    wanted = [(name, name + suffix) for name, suffix in pairs]
    final, said = names.distinct(wanted)
    assert len(final) == len(wanted)
    folded = [unicodedata.normalize("NFC", name.casefold()) for name in final]
    assert len(set(folded)) == len(folded)
    alone = [names.safe(name) for name, _ in wanted]
    for before, after in zip(alone, final, strict=True):
        key = unicodedata.normalize("NFC", unicodedata.normalize("NFD", before).casefold())
        others = [unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold()) for name in alone]
        if others.count(key) == 1:
            assert after == before, "who collides with nobody keeps the name"
    place = tmp_path_factory.mktemp("names")
    for name in final:
        (place / name).mkdir()
    assert len(os.listdir(place)) == len(final)
    assert all(isinstance(sentence, str) for sentence in said)
