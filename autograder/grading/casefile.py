"""The fixture files: inputs and expected arrays of the hidden tests, written once and read in every run.

One folder holds ``<group>.npz`` (arrays, uncompressed, under the key ``<case id>/<name>``) and ``manifest.json``
(everything that is not an array, where the files came from, and the SHA-256 of each). The same groups give the same
bytes on every platform. Nobody's code is run when they are read: pickles are refused.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograder.core import files
from autograder.core.config import Config
from autograder.core.errors import ConfigurationError

Value = NDArray[Any] | int | str | tuple[int, ...]
"""What a case may hold."""

Groups = Mapping[str, Mapping[str, Mapping[str, Value]]]
"""Group, then case id, then name."""

MANIFEST = "manifest.json"

_REMEDY = "Run `make fixtures` to write the fixtures again"
_WORDS = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_RESERVED = {"id", "group", "names"}


class Case:
    """One case of a group: what its file holds, by attribute (``case.x``, ``case.stride``).

    Arrays are read when they are first asked for, and are read-only, so that no test can change them for the next one.
    Those of a case whose ``order`` is ``F`` are stored columns first, the others rows first.

    Attributes
    ----------
    id, group : str
        The case's words, and the group it belongs to.
    """

    def __init__(self, group: str, id: str, parameters: Mapping[str, Any], archive: _Archive) -> None:
        self.group = group
        self.id = id
        self._parameters = {name: tuple(v) if isinstance(v, list) else v for name, v in parameters.items()}
        self._archive = archive

    @property
    def names(self) -> tuple[str, ...]:
        """Every other attribute: parameters, then arrays, in the order they were saved."""
        prefix = f"{self.id}/"
        return (*self._parameters, *(key[len(prefix) :] for key in self._archive.keys if key.startswith(prefix)))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # looked up by copy, pickle and pytest, also before __init__ has run
            raise AttributeError(name)
        if name in self._parameters:
            return self._parameters[name]
        if name not in self.names:
            raise AttributeError(f"{self!r} has no {name!r}, only {', '.join(self.names)}")
        array = self._archive.read(f"{self.id}/{name}")
        if self._parameters.get("order") == "F":
            array = np.asfortranarray(array)
            array.flags.writeable = False
        self.__dict__[name] = array
        return array

    def __repr__(self) -> str:
        return f"{self.group}[{self.id}]"


class _Archive:
    """The arrays of one group: bytes already known to be intact, looked into when first needed."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @cached_property
    def keys(self) -> tuple[str, ...]:
        return tuple(self._zip.namelist())

    def read(self, key: str) -> NDArray[Any]:
        array: NDArray[Any] = np.load(io.BytesIO(self._zip.read(key)), allow_pickle=False)
        array.flags.writeable = False
        return array

    @cached_property
    def _zip(self) -> zipfile.ZipFile:
        return zipfile.ZipFile(io.BytesIO(self._data))


def load(directory: Path) -> dict[str, tuple[Case, ...]]:
    """Return the cases of every group, in the order they were saved.

    Raises
    ------
    ConfigurationError
        The folder, the manifest or a group's file is missing or is not what was saved.
    """
    known = manifest(directory)
    loaded = {}
    for group, cases in known["groups"].items():
        path = directory / f"{group}.npz"
        data = _read(path)
        if hashlib.sha256(data).hexdigest() != known["files"].get(path.name):
            raise ConfigurationError(str(path), "", f"is not the file that {MANIFEST} was written for", _REMEDY)
        archive = _Archive(data)
        loaded[group] = tuple(Case(group, id, parameters, archive) for id, parameters in cases.items())
    return loaded


def save(directory: Path, seed: int, provenance: Mapping[str, str], groups: Groups) -> None:
    """Write `groups` into an existing folder.

    Parameters
    ----------
    directory : Path
        Where the files go; files of the same name are overwritten.
    seed : int
        What the inputs were drawn from.
    provenance : mapping
        More entries for the top of the manifest (NumPy's version, hashes of the programs).
    groups : mapping
        ``groups[group][case id][name]`` is an array, an int, a text or a tuple of ints.

    Raises
    ------
    ValueError
        A name or a value that the files cannot hold.
    """
    parameters: dict[str, dict[str, dict[str, Value]]] = {}
    known: dict[str, str] = {}
    for group, cases in groups.items():
        if not group.isidentifier():
            raise ValueError(f"group {group!r}: should be a Python name")
        arrays: dict[str, bytes] = {}
        parameters[group] = {id: _split(arrays, group, id, values) for id, values in cases.items()}
        # np.savez happens to give the same bytes for the same arrays, but does not guarantee it.
        packed = files.zipped(arrays, mode=0o600)
        (directory / f"{group}.npz").write_bytes(packed)
        known[f"{group}.npz"] = hashlib.sha256(packed).hexdigest()
    content = {"seed": seed, **provenance, "groups": parameters, "files": known}
    (directory / MANIFEST).write_bytes(_manifest_text(content).encode("ascii"))


def hashes(oracle: Path, cases: Path) -> dict[str, str]:
    """Return what the manifest says of the programs that the fixtures come from."""
    programs = {"oracle": oracle, "cases": cases}
    return {f"{name}_sha256": hashlib.sha256(path.read_bytes()).hexdigest() for name, path in programs.items()}


def out_of_date(config: Config) -> Iterator[ConfigurationError]:
    """Say in which ways the fixtures are not those of this seed and these programs."""
    home, remedy = config.homework, "Run `make fixtures`, then `make verify`."
    known = manifest(home.fixtures)
    if known.get("seed") != config.fixtures.seed:
        problem = f"says {config.fixtures.seed}, but the fixtures were drawn from seed {known.get('seed')}"
        yield ConfigurationError(config.file, "fixtures.seed", problem, remedy)
    for key, digest in hashes(home.oracle, home.cases).items():
        if known.get(key) != digest:
            path = home.oracle if key.startswith("oracle") else home.cases
            yield ConfigurationError(path.name, "", "has changed since the fixtures were made", remedy)


def refuse_out_of_date(config: Config) -> None:
    """Raise the first ConfigurationError of `out_of_date`, if there is one."""
    for error in out_of_date(config):
        raise error


def _split(arrays: dict[str, bytes], group: str, id: str, values: Mapping[str, Value]) -> dict[str, Value]:
    """Put the arrays of one case into `arrays` and return the rest."""
    if not _WORDS.fullmatch(id):
        raise ValueError(f"{group}[{id}]: a case id should be words joined by hyphens, in lower case")
    rest: dict[str, Value] = {}
    for name, value in values.items():
        if not name.isidentifier() or name.startswith("_") or name in _RESERVED:
            raise ValueError(f"{group}[{id}]: {name!r} cannot be the name of an attribute")
        if isinstance(value, np.ndarray):
            arrays[f"{id}/{name}"] = _npy(value)
        elif type(value) in (int, str) or (type(value) is tuple and all(type(item) is int for item in value)):
            rest[name] = value
        else:
            raise ValueError(f"{group}[{id}].{name}: cannot hold a {type(value).__name__}: {value!r}")
    return rest


def _npy(array: NDArray[Any]) -> bytes:
    """Return `array` as an ``.npy`` file: little-endian, rows first."""
    buffer = io.BytesIO()
    np.save(buffer, array.astype(array.dtype.newbyteorder("<"), order="C"), allow_pickle=False)
    return buffer.getvalue()


def _manifest_text(manifest: Mapping[str, Any]) -> str:
    """Return the manifest as JSON, one case to a line, so that a diff shows which cases changed."""
    lines = []
    for key, value in manifest.items():
        if key != "groups":
            lines.append(f"{json.dumps(key)}: {json.dumps(value, indent=1)}")
            continue
        groups = []
        for group, cases in value.items():
            rows = ",\n".join(f"  {json.dumps(id)}: {json.dumps(rest)}" for id, rest in cases.items())
            groups.append(f" {json.dumps(group)}: {{\n{rows}\n }}")
        lines.append('"groups": {\n' + ",\n".join(groups) + "\n}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def manifest(directory: Path) -> dict[str, Any]:
    """Return what the manifest of a folder says.

    Raises
    ------
    ConfigurationError
        It is missing or is not what was saved.
    """
    path = directory / MANIFEST
    try:
        manifest = json.loads(_read(path))
    except ValueError as error:
        raise ConfigurationError(str(path), "", f"is not JSON ({error})", _REMEDY) from None
    if not isinstance(manifest, dict):
        raise ConfigurationError(str(path), "", "is not a mapping", _REMEDY)
    for key in ("groups", "files"):
        if not _maps_to(manifest.get(key), dict if key == "groups" else str):
            raise ConfigurationError(str(path), key, "is missing or is not what was saved", _REMEDY)
    for group, cases in manifest["groups"].items():
        if not _maps_to(cases, dict):
            raise ConfigurationError(str(path), f"groups.{group}", "should map case ids to parameters", _REMEDY)
    return manifest


def _maps_to(value: object, kind: type) -> bool:
    return isinstance(value, dict) and all(isinstance(item, kind) for item in value.values())


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(str(path), "", f"cannot be read ({error.strerror})", _REMEDY) from None
