"""One submission against the oracle on random layers, without the engine.

Run as a program, this module proves that a submission is right, whatever the hidden tests think of it::

    python -m tests.grader.support.oracle tests/grader/submissions/correct/fft
"""

import contextlib
import importlib
import io
import sys
import warnings
from pathlib import Path

import numpy as np

from solutions import naive

LAYERS = 80
"""Random layers that a submission is tried on."""

TOLERANCE = {"float64": 1e-12, "float32": 1e-5}
"""Share of the largest magnitude. Inputs are not exact here, and Fourier transforms round."""


def random_layers(count):
    """Draw layers: rectangles, strides, paddings, gaps, kernels as large as the padded image, ties, both dtypes."""
    rng = np.random.default_rng(20260901)
    for number in range(count):
        N, C, F = rng.integers(1, 4, 3).tolist()
        KH, KW = rng.integers(1, 5, 2).tolist()
        stride, padding = int(rng.integers(1, 4)), int(rng.integers(0, 3))
        H, W = (max(1, k - 2 * padding) + int(rng.integers(0, 6)) for k in (KH, KW))
        dtype = ("float64", "float32")[number % 2]

        def draw(*shape, ties=False, dtype=dtype):
            values = rng.standard_normal(shape)
            array = (np.sign(values) if ties else values).astype(dtype)
            array.flags.writeable = False  # who changes an input gets an exception
            return array

        yield {
            "x": draw(N, C, H, W),
            "w": draw(F, C, KH, KW),
            "b": draw(F),
            "pooled": draw(N, C, max(H, KH), max(W, KW), ties=number % 4 > 1),
            "stride": stride,
            "padding": padding,
            "draw": draw,
        }


def calls(layer, oracle, student):
    """Yield for every function: what it was given, what it returned, what the oracle returned."""
    x, w, b, pooled, draw = (layer[name] for name in ("x", "w", "b", "pooled", "draw"))
    geometry = {"stride": layer["stride"], "padding": layer["padding"]}
    kernel_size = w.shape[2:]
    size = oracle.conv_output_size(x.shape[2], kernel_size[0], **geometry)
    yield "conv_output_size", [], [student.conv_output_size(x.shape[2], kernel_size[0], **geometry)], [size]
    cols = oracle.im2col(x, kernel_size, **geometry)
    yield "im2col", [x], [student.im2col(x, kernel_size, **geometry)], [cols]
    cols = draw(*cols.shape)
    arguments = (cols, x.shape, kernel_size)
    yield "col2im", [cols], [student.col2im(*arguments, **geometry)], [oracle.col2im(*arguments, **geometry)]
    for layer_name, inputs, keywords in (
        ("conv2d", (x, w, b), geometry),
        ("max_pool2d", (pooled, kernel_size, layer["stride"]), {}),
        ("avg_pool2d", (pooled, kernel_size, layer["stride"]), {}),
    ):
        forward, backward = f"{layer_name}_forward", f"{layer_name}_backward"
        arrays = [value for value in inputs if isinstance(value, np.ndarray)]
        (out, cache), (wanted, its_cache) = (getattr(who, forward)(*inputs, **keywords) for who in (student, oracle))
        yield forward, arrays, [out], [wanted]
        dout = draw(*wanted.shape)
        getattr(student, forward)(-inputs[0], *inputs[1:], **keywords)  # another layer, between the two passes
        got, wanted = getattr(student, backward)(dout, cache), getattr(oracle, backward)(dout, its_cache)
        pairs = (got, wanted) if isinstance(wanted, tuple) else ([got], [wanted])
        yield backward, [*arrays, dout], *pairs


def complaint(got, wanted, inputs, dtype):
    """Say what is wrong with one result; empty if nothing."""
    if isinstance(wanted, int):
        return "" if isinstance(got, (int, np.integer)) and got == wanted else f"{got!r} instead of {wanted}"
    if not isinstance(got, np.ndarray) or got.shape != wanted.shape or got.dtype != dtype:
        return f"{type(got).__name__} {getattr(got, 'shape', '')} {getattr(got, 'dtype', '')} instead of {wanted.shape}"
    if any(np.shares_memory(got, array) for array in inputs):
        return "shares memory with an input"
    error = np.max(np.abs(np.asarray(got) - wanted), initial=0.0)
    bound = TOLERANCE[dtype] * (np.max(np.abs(wanted), initial=0.0) or 1.0)
    return "" if error <= bound else f"error {error:.1e}"


def complaints(student, oracle):
    """Yield what is wrong with a submission."""
    for layer in random_layers(LAYERS):
        dtype = layer["x"].dtype.name
        where = [layer["x"].shape, layer["w"].shape, layer["stride"], layer["padding"], dtype]
        for function, inputs, got, wanted in calls(layer, oracle, student):
            for one, other in zip(got, wanted, strict=True):
                found = complaint(one, other, inputs, dtype)
                if found:
                    yield f"{function} {where}: {found}"


def main(folder):
    """Import the submission in `folder` and print what is wrong with it; exit status 1 if anything is."""
    sys.path.insert(0, str(Path(folder).resolve()))
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        found = list(complaints(importlib.import_module("layers"), naive))
    print("\n".join(found) or f"right on {LAYERS} random layers")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
