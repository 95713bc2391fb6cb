"""Mutants of the model answer: one small change each. What they are, and whether one computes the same after all.

A mutant is named by the function it changes and by the line before and after, so that the list of equivalent ones in
``equivalent.yaml`` survives any change elsewhere in the file.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import yaml

EQUIVALENT = Path(__file__).with_name("equivalent.yaml")

LAYERS = 1000
"""Random inputs on which an equivalent mutant has to agree to the last bit."""


@dataclass(frozen=True)
class Mutant:
    """One change of one line."""

    function: str
    line: str
    mutated: str

    def __str__(self) -> str:
        return f"{self.function}:\n    - {self.line}\n    + {self.mutated}"

    def apply(self, source: str) -> str:
        """Return the source with the change made; its line is there once in its function."""
        lines = source.splitlines()
        first, last = _span(source, self.function)
        places = [number for number in range(first, last) if lines[number].strip() == self.line]
        if len(places) != 1:
            raise ValueError(f"{self.function} has {len(places)} lines {self.line!r}, but should have one")
        lines[places[0]] = lines[places[0]].replace(self.line, self.mutated)
        return "\n".join(lines) + "\n"


def generate(source: str) -> dict[Mutant, str]:
    """Return every mutant that Cosmic Ray makes of a source, with its text."""
    from cosmic_ray import plugins  # here alone: listed mutants are examined without it
    from cosmic_ray.mutating import mutate_code

    mutants = {}
    for name in sorted(plugins.operator_names()):
        operator = plugins.get_operator(name)
        if operator.arguments():  # these two need to be told names of variables
            continue
        occurrence = 0
        while (text := mutate_code(source, operator(), occurrence)) is not None:
            mutants[_described(source, text)] = text
            occurrence += 1
    return mutants


def _described(source: str, text: str) -> Mutant:
    pairs = zip(source.splitlines(), text.splitlines(), strict=True)
    ((number, line, mutated),) = [(k, old, new) for k, (old, new) in enumerate(pairs) if old != new]
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    (function,) = [node.name for node in functions if node.lineno <= number + 1 <= (node.end_lineno or 0)]
    return Mutant(function, line.strip(), mutated.strip())


def _span(source: str, function: str) -> tuple[int, int]:
    (node,) = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == function]
    return node.lineno - 1, node.end_lineno or node.lineno


def listed(path: Path = EQUIVALENT) -> dict[Mutant, str]:
    """Return the mutants that are said to be equivalent, each with the reason."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {Mutant(entry["function"], entry["line"], entry["mutated"]): entry["reason"] for entry in entries}


# --- the same to the last bit ----------------------------------------------------------------------------------------


def difference(source: str, other: str, layers: int = LAYERS, inputs: Any = None) -> str:
    """Say on which of so many random valid inputs two sources differ, be it in one bit; empty if on none.

    Inputs and calls are those of layers.py, or those of a module with `random_layers` and `results`.
    """
    one, two = _executed(source), _executed(other)
    draw, results = (_random_layers, _results) if inputs is None else (inputs.random_layers, inputs.results)
    for layer in draw(layers):
        theirs = results(two, layer)
        for function, expected in results(one, layer):
            try:
                same = _bits(next(theirs)[1]) == _bits(expected)
            except Exception:  # whatever a mutant runs into
                same = False
            if not same:
                shapes = {name: getattr(value, "shape", value) for name, value in layer.items()}
                return f"{function} differs for {shapes}"
    return ""


def _executed(source: str) -> SimpleNamespace:
    names: dict[str, Any] = {"__name__": "layers"}
    exec(compile(source, "layers", "exec"), names)
    return SimpleNamespace(**names)


def _random_layers(count: int) -> Iterator[dict[str, Any]]:
    """Draw layers: rectangles, strides, paddings, gaps, kernels as large as the padded image, ties, both dtypes."""
    rng = np.random.default_rng(20260901)
    for number in range(count):
        N, C, F = rng.integers(1, 4, 3).tolist()
        KH, KW, stride = rng.integers(1, 5, 3).tolist()
        padding = int(rng.integers(0, 4))
        H, W = (max(1, k - 2 * padding) + int(rng.integers(0, 7)) for k in (KH, KW))
        OH, OW = ((size + 2 * padding - k) // stride + 1 for size, k in ((H, KH), (W, KW)))
        pooled = (N, C, max(H, KH), max(W, KW))
        pools = ((size - k) // stride + 1 for size, k in zip(pooled[2:], (KH, KW), strict=True))
        dtype = ("float64", "float32")[number % 2]
        shapes = {
            "x": (N, C, H, W),
            "w": (F, C, KH, KW),
            "b": (F,),
            "dout": (N, F, OH, OW),
            "cols": (C * KH * KW, N * OH * OW),
            "pooled": pooled,
            "dpooled": (N, C, *pools),
        }
        arrays: dict[str, Any] = {name: rng.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}
        if number % 4 > 1:
            arrays["pooled"] = np.sign(arrays["pooled"])
        geometry = {"stride": stride, "padding": padding}
        if number % 3 == 0:  # what is not said is 1 and 0
            geometry = {name: value for name, value in geometry.items() if value != {"stride": 1, "padding": 0}[name]}
        yield arrays | {"stride": stride, "geometry": geometry}


def _results(homework: Any, layer: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield every function with what it returns."""
    x, w, b, dout, cols, pooled, dpooled, stride, geometry = layer.values()
    kernel_size = w.shape[2:]
    for size, kernel in zip(x.shape[2:], kernel_size, strict=True):
        yield "conv_output_size", homework.conv_output_size(size, kernel, **geometry)
    yield "im2col", homework.im2col(x, kernel_size, **geometry)
    yield "col2im", homework.col2im(cols, x.shape, kernel_size, **geometry)
    out, cache = homework.conv2d_forward(x, w, b, **geometry)
    yield "conv2d_forward", out
    yield "conv2d_backward", homework.conv2d_backward(dout, cache)
    for kind in ("max", "avg"):
        out, cache = getattr(homework, f"{kind}_pool2d_forward")(pooled, kernel_size, stride)
        yield f"{kind}_pool2d_forward", out
        yield f"{kind}_pool2d_backward", getattr(homework, f"{kind}_pool2d_backward")(dpooled, cache)


def _bits(returned: Any) -> list[Any]:
    """Return results in a form in which equal means equal in every bit."""
    values = returned if isinstance(returned, tuple) else (returned,)
    return [(value.dtype, value.shape, value.tobytes()) if isinstance(value, np.ndarray) else value for value in values]
