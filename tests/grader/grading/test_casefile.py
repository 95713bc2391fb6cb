"""The fixture files: what goes in comes out, the bytes never change, and damage is found before anything is graded."""

import copy
import hashlib
import json
import pickle

import numpy as np
import pytest

from autograder.core.errors import ConfigurationError
from autograder.grading import casefile

GROUPS: casefile.Groups = {
    "conv": {
        "tall-kernel": {"stride": 2, "x": np.arange(6.0).reshape(2, 3), "dtype": "float64", "kernel_size": (3, 2)},
        "float32": {"stride": 1, "x": np.ones((1, 2), np.float32), "dtype": "float32", "kernel_size": (1, 1)},
    },
    "size": {"plain": {"size": 5, "expected": 3}},
}


@pytest.fixture
def directory(tmp_path):
    casefile.save(tmp_path, 7, {"numpy": "1.2.3"}, GROUPS)
    return tmp_path


def refusal(directory):
    with pytest.raises(ConfigurationError) as caught:
        casefile.load(directory)
    assert "make fixtures" in str(caught.value)
    return caught.value


# What goes in comes out.


def test_cases_come_back_in_order(directory):
    loaded = casefile.load(directory)
    assert {group: [case.id for case in cases] for group, cases in loaded.items()} == {
        "conv": ["tall-kernel", "float32"],
        "size": ["plain"],
    }


def test_values_come_back(directory):
    case = casefile.load(directory)["conv"][0]
    assert (case.group, case.stride, case.dtype, case.kernel_size) == ("conv", 2, "float64", (3, 2))
    assert np.array_equal(case.x, [[0, 1, 2], [3, 4, 5]])
    assert case.names == ("stride", "dtype", "kernel_size", "x")
    assert repr(case) == "conv[tall-kernel]"


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 4, 5)])
def test_dtypes_and_shapes_come_back(tmp_path, dtype, shape):
    array = np.arange(np.prod(shape, dtype=int), dtype=dtype).reshape(shape)
    casefile.save(tmp_path, 7, {}, {"group": {"id": {"x": array}}})
    (case,) = casefile.load(tmp_path)["group"]
    assert (case.x.dtype, case.x.shape) == (array.dtype, shape)
    assert np.array_equal(case.x, array)


def test_the_manifest_says_where_the_files_are_from(directory):
    manifest = json.loads((directory / "manifest.json").read_text())
    assert list(manifest) == ["seed", "numpy", "groups", "files"]
    assert (manifest["seed"], manifest["numpy"]) == (7, "1.2.3")
    assert manifest["groups"]["size"] == {"plain": {"size": 5, "expected": 3}}
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((directory / name).read_bytes()).hexdigest() == digest


def test_an_array_is_read_once_and_cannot_be_changed(directory):
    case = casefile.load(directory)["conv"][0]
    assert case.x is case.x
    with pytest.raises(ValueError, match="read-only"):
        case.x[0, 0] = 1


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda case: pickle.loads(pickle.dumps(case))])
def test_a_case_may_be_copied(directory, copied):
    case = copied(casefile.load(directory)["conv"][0])
    assert (case.id, case.x[1, 2]) == ("tall-kernel", 5)


def test_a_missing_attribute_names_the_case_and_what_it_has(directory):
    case = casefile.load(directory)["conv"][1]
    with pytest.raises(AttributeError, match=r"conv\[float32\] has no 'dout', only stride, dtype, kernel_size, x"):
        _ = case.dout


# The bytes never change.


def test_bytes_are_the_same_on_every_platform(directory):
    """A change of the format: run `make fixtures` and put the new digests here."""
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in directory.iterdir()}
    assert digests == {
        "conv.npz": "d15f91666b7d1937",
        "size.npz": "8739c76e681f9009",
        "manifest.json": "8135e44f24abc05e",
    }


@pytest.mark.parametrize("odd", [np.asfortranarray, lambda array: array.astype(">f8"), lambda array: array[::-1][::-1]])
def test_bytes_do_not_depend_on_the_layout_in_memory(tmp_path, odd):
    array = np.arange(6.0).reshape(2, 3)
    for folder, value in (("plain", array), ("odd", odd(array))):
        (tmp_path / folder).mkdir()
        casefile.save(tmp_path / folder, 7, {}, {"group": {"id": {"x": value}}})
    assert (tmp_path / "plain/group.npz").read_bytes() == (tmp_path / "odd/group.npz").read_bytes()


def test_a_case_says_in_which_order_its_arrays_are_stored(tmp_path):
    array = np.arange(6.0).reshape(2, 3)
    casefile.save(tmp_path, 7, {}, {"group": {"plain": {"x": array}, "odd": {"order": "F", "x": array}}})
    plain, odd = casefile.load(tmp_path)["group"]
    assert np.array_equal(plain.x, odd.x)
    assert (plain.x.flags.c_contiguous, odd.x.flags.fnc) == (True, True)
    assert not plain.x.flags.writeable
    assert not odd.x.flags.writeable


# Damage.


def test_a_missing_folder(tmp_path):
    error = refusal(tmp_path / "fixtures")
    assert error.file == str(tmp_path / "fixtures/manifest.json")


@pytest.mark.parametrize(
    ("text", "key", "problem"),
    [
        ("{", "", "is not JSON"),
        ("\udcff", "", "is not JSON"),
        ("[]", "", "is not a mapping"),
        ("{}", "groups", "is missing"),
        ('{"groups": []}', "groups", "is missing or is not what was saved"),
        ('{"groups": {"conv": 1}, "files": {}}', "groups", "is not what was saved"),
        ('{"groups": {"conv": {"plain": 1}}, "files": {}}', "groups.conv", "should map case ids to parameters"),
        ('{"groups": {"conv": {}}}', "files", "is missing"),
        ('{"groups": {"conv": {}}, "files": {"conv.npz": 1}}', "files", "is not what was saved"),
    ],
)
def test_a_damaged_manifest(directory, text, key, problem):
    (directory / "manifest.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    error = refusal(directory)
    assert (error.file, error.key) == (str(directory / "manifest.json"), key)
    assert problem in error.problem


def test_a_missing_file(directory):
    (directory / "conv.npz").unlink()
    error = refusal(directory)
    assert error.file == str(directory / "conv.npz")
    assert "cannot be read" in error.problem


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: data[:99] + b"?" + data[100:], lambda data: b""]
)
def test_a_damaged_file(directory, damage):
    path = directory / "conv.npz"
    path.write_bytes(damage(path.read_bytes()))
    error = refusal(directory)
    assert error.file == str(path)
    assert "is not the file that manifest.json was written for" in error.problem


def test_a_group_that_the_manifest_has_no_file_for(directory):
    path = directory / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["files"]["conv.npz"]
    path.write_text(json.dumps(manifest))
    assert refusal(directory).file == str(directory / "conv.npz")


# What the files cannot hold.


@pytest.mark.parametrize(
    ("groups", "complaint"),
    [
        ({"../conv": {}}, "should be a Python name"),
        ({"conv": {"Tall kernel": {}}}, "should be words joined by hyphens"),
        ({"conv": {"a/b": {}}}, "should be words joined by hyphens"),
        ({"conv": {"plain": {"id": 1}}}, "'id' cannot be the name"),
        ({"conv": {"plain": {"_zip": 1}}}, "'_zip' cannot be the name"),
        ({"conv": {"plain": {"d x": 1}}}, "'d x' cannot be the name"),
        ({"conv": {"plain": {"step": 0.5}}}, r"conv\[plain\].step: cannot hold a float"),
        ({"conv": {"plain": {"flag": True}}}, "cannot hold a bool"),
        ({"conv": {"plain": {"shape": [1, 2]}}}, "cannot hold a list"),
        ({"conv": {"plain": {"shape": (1, np.int64(2))}}}, "cannot hold a tuple"),
        ({"conv": {"plain": {"x": np.array([None])}}}, "allow_pickle"),
    ],
)
def test_what_cannot_be_held_is_refused(tmp_path, groups, complaint):
    with pytest.raises(ValueError, match=complaint):
        casefile.save(tmp_path, 7, {}, groups)
