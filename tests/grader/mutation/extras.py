"""Random inputs for the extras, on which equivalent mutants of their model answer have to agree."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator
from typing import Any

from solutions.extras import cases, extras


def random_layers(count: int) -> Iterator[dict[str, Any]]:
    """Draw the inputs of the hidden tests from one seed after the other."""
    drawn = (layer for seed in itertools.count() for layer in _of(seed))
    yield from itertools.islice(drawn, count)


def _of(seed: int) -> Iterator[dict[str, Any]]:
    for name, family in cases.FAMILIES.items():
        for id, setting in {**family.values, **family.contract}.items():
            draw = cases.Draw(seed, name, id, setting)
            given = family.inputs(draw, setting)
            first = getattr(extras, f"{name}_forward" if family.gradients else name)
            usual = inspect.signature(first).parameters
            given = {
                key: value
                for key, value in given.items()
                if "defaults" not in id or usual[key].default is usual[key].empty
            }
            yield {"name": name, "given": given} | (
                {"dout": draw.dout(first(**given)[0].shape)} if family.gradients else {}
            )


def results(homework: Any, layer: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the functions of one family with what they return, the cache left out."""
    name, given = layer["name"], layer["given"]
    if "dout" not in layer:
        yield name, getattr(homework, name)(**given)
        return
    *out, cache = getattr(homework, f"{name}_forward")(**given)
    yield f"{name}_forward", tuple(out)
    yield f"{name}_backward", getattr(homework, f"{name}_backward")(layer["dout"], cache)
