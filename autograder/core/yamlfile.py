"""Reads YAML strictly, as instructors write it: no key may occur twice, and 1e-7 is a number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from autograder.core.errors import ConfigurationError, together

try:
    from yaml import CSafeLoader as SafeLoader  # ten times faster
except ImportError:
    from yaml import SafeLoader  # type: ignore[assignment]


class Loader(SafeLoader):
    """Safe YAML in which 1e-7 is a number; YAML 1.1 reads it as text."""


Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)


def parse(path: Path, file: str) -> object:
    """Return the content of the file as plain Python objects; `file` is its name in messages."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
        raise ConfigurationError(file, "", problem, "Run this in the folder that holds it.") from None
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 text (byte {error.start})"
        raise ConfigurationError(file, "", problem, "Save it as UTF-8.") from None
    try:
        loader = Loader(text)
        node = loader.get_single_node()
        if node is None:
            raise ConfigurationError(file, "", "is empty", "Restore it from the repository.")
        repeated = [_repeated(file, *where) for where in _repetitions(node, ())]
        if repeated:
            raise together(repeated)
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        problem = f"is not YAML: {line}{error.problem}"
        raise ConfigurationError(file, "", problem, "Correct this line or the one before it.") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # For example a control character, a date like 2026-13-45, or a list inside itself.
        problem = f"is not YAML: {' '.join(str(error).split())}"
        raise ConfigurationError(file, "", problem, "Correct it.") from None


def _repetitions(node: yaml.Node, key: tuple[str, ...]) -> Iterator[tuple[str, int, int]]:
    """Yield each key that occurs twice in one section, and its lines; YAML would silently keep the last."""
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[str, int] = {}
    for name, value in node.value:
        line = name.start_mark.line + 1
        inner = (*key, str(name.value))
        if inner[-1] in lines:
            yield ".".join(inner), lines[inner[-1]], line
        lines[inner[-1]] = line
        yield from _repetitions(value, inner)


def _repeated(file: str, key: str, first: int, second: int) -> ConfigurationError:
    return ConfigurationError(file, key, f"is in line {first} and again in line {second}", "Remove one of them.")
