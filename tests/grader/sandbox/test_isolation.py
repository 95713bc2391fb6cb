"""The report of a worker's lockdown becomes a sentence that a teaching assistant understands."""

import pytest

from autograder.sandbox import isolation

FULL = {layer.name: "on" for layer in isolation.LAYERS}


def without(*names):
    return {**FULL, **dict.fromkeys(names, "not here")}


@pytest.mark.parametrize(
    ("report", "level"),
    [
        (FULL, "full: student code reads Python, NumPy and its own files, and can change or reach nothing"),
        (without("uid"), "full: student code reads Python, NumPy and its own files, and can change or reach nothing"),
        (
            without("landlock"),
            "student code can READ files that every user of this machine may read, and can change nothing",
        ),
        (without("landlock", "uid"), "student code can READ your files, and can change nothing"),
        (without("seccomp"), "student code runs with the rights of a user of its own: grade only what you trust"),
        (without("seccomp", "uid"), "student code runs with your rights: grade only what you trust"),
        ({}, "student code runs with your rights: grade only what you trust"),
    ],
)
def test_level(report, level):
    assert isolation.level(report) == level


def test_missing_names_each_layer_with_its_reason():
    assert isolation.missing(FULL) == []
    assert isolation.missing(without("landlock", "seccomp")) == ["landlock: not here", "seccomp: not here"]
    assert "seccomp: not reported" in isolation.missing({})


def test_who_need_not_change_user_lacks_nothing():
    assert isolation.missing(without("uid")) == []
    assert isolation.missing(without("view")) == []
    assert isolation.missing(without("uid", "landlock")) == ["uid: not here", "landlock: not here"]


@pytest.mark.parametrize(
    ("report", "without_seccomp", "objection"),
    [
        (FULL, "refuse", ""),
        (without("uid"), "warn", "student code would run as root, because the change of user failed (not here)"),
        (without("seccomp"), "warn", ""),
        (
            without("seccomp"),
            "refuse",
            "seccomp does not hold (not here), and config.yaml says isolation.without_seccomp: refuse",
        ),
    ],
)
def test_objection_on_gradescope(report, without_seccomp, objection):
    assert isolation.objection(report, without_seccomp) == objection
