"""Mistakes on one path only: a wrong function of the catalogue where the input is of one kind, else the right one.

Students write shortcuts: a reshape where windows lie side by side, a matrix product for a kernel of one pixel, ``x[0]``
where there is one image. A mistake in a shortcut shows on inputs of that kind alone.
"""

# mypy: ignore-errors
# Functions put together while running.

import copy
import functools

import numpy as np

from solutions import layers
from solutions.misconceptions import geometry
from tests.grader.support.rehearsal import injected

MANY = 2**15


def gap(x):
    """How far apart the closest two values are, as a share of the largest."""
    values = np.unique(x)
    return np.diff(values).min(initial=np.inf) / max(abs(values).max(initial=0), 1e-300)


def fits(s):
    return (s.H + 2 * s.padding - s.KH) % s.stride == 0 and (s.W + 2 * s.padding - s.KW) % s.stride == 0


PATHS = {
    "windows side by side": lambda s: s.stride == s.KH == s.KW > 1,
    "windows overlap": lambda s: s.stride < min(s.KH, s.KW),
    "gaps between windows": lambda s: s.stride > max(s.KH, s.KW),
    "one-pixel kernel": lambda s: s.KH == s.KW == 1,
    "square kernel": lambda s: s.KH == s.KW > 1,
    "tall kernel": lambda s: s.KH > s.KW,
    "wide kernel": lambda s: s.KH < s.KW,
    "kernel of one row": lambda s: s.KH == 1 < s.KW,
    "kernel of one column": lambda s: s.KW == 1 < s.KH,
    "kernel of an even height": lambda s: s.KH % 2 == 0,
    "kernel of an odd height": lambda s: s.KH % 2 == 1 < s.KH,
    "large kernel": lambda s: s.KH * s.KW > 255,
    "square image": lambda s: s.H == s.W,
    "tall image": lambda s: s.H > s.W,
    "wide image": lambda s: s.H < s.W,
    "one image": lambda s: s.N == 1,
    "several images": lambda s: s.N > 1,
    "one channel": lambda s: s.C == 1,
    "several channels": lambda s: s.C > 1,
    "one filter": lambda s: s.F == 1,
    "as many filters as channels": lambda s: s.F == s.C,
    "as many images as channels": lambda s: s.N == s.C,
    "exact fit": fits,
    "border left over": lambda s: not fits(s),
    "padding 0": lambda s: s.padding == 0,
    "padding 1": lambda s: s.padding == 1,
    "padding 2 or more": lambda s: s.padding > 1,
    "stride 1": lambda s: s.stride == 1,
    "stride 2": lambda s: s.stride == 2,
    "stride 3 or more": lambda s: s.stride > 2,
    "one window": lambda s: s.OH == s.OW == 1,
    "one row of windows": lambda s: s.OH == 1 < s.OW,
    "one column of windows": lambda s: s.OW == 1 < s.OH,
    "square output": lambda s: s.OH == s.OW > 1,
    "float32": lambda s: s.x.dtype == np.float32,
    "float64": lambda s: s.x.dtype == np.float64,
    "large numbers": lambda s: abs(s.x).max(initial=0) > 1000,
    "small numbers": lambda s: abs(s.x).max(initial=0) < 0.001,
    "nothing above zero": lambda s: s.x.max(initial=-np.inf) <= 0,
    "nothing below zero": lambda s: s.x.min(initial=np.inf) >= 0,
    "equal values": lambda s: len(np.unique(s.x)) < s.x.size,
    "near-equal values": lambda s: 0 < gap(s.x) < 1e-7,
    "another memory order": lambda s: not s.x.flags.c_contiguous,
    "many pixels": lambda s: s.H * s.W > MANY,
}


PARAMETERS = {
    "im2col": ("x", "kernel_size", "stride", "padding"),
    "col2im": ("cols", "x_shape", "kernel_size", "stride", "padding"),
    "conv2d_forward": ("x", "w", "b", "stride", "padding"),
    "max_pool2d_forward": ("x", "kernel_size", "stride"),
    "avg_pool2d_forward": ("x", "kernel_size", "stride"),
}
DEFAULTS = {"stride": 1, "padding": 0}


def bound(function, args, kwargs):
    """Return the arguments of a call by name, defaults included."""
    names = PARAMETERS[function]
    return {name: DEFAULTS[name] for name in names if name in DEFAULTS} | dict(zip(names, args, strict=False)) | kwargs


class Given:
    """What a path may ask of the inputs of a call: the sizes, and the values of its first array."""

    def __init__(self, function, inputs):
        self.__dict__.update({"F": 0} | geometry.sizes(function, inputs))
        self.x = inputs[PARAMETERS[function][0]]


def forward_of(function):
    """Return the function whose inputs are those of a pass."""
    return function.replace("backward", "forward")


def restricted(entry, path):
    """Return what `rehearse` takes: the nine functions, wrong on this path and right on all others."""
    on = PATHS[path]

    def functions():
        wrong, right, name = injected("layers", entry)(), injected("layers")(), entry.function
        forward = forward_of(name)

        def chosen(args, kwargs):
            inputs = bound(forward, args, kwargs)
            return inputs, wrong if on(Given(forward, inputs)) else right

        def alone(*args, **kwargs):
            inputs, functions = chosen(args, kwargs)
            return functions[name](**inputs)

        def first(*args, **kwargs):
            inputs, functions = chosen(args, kwargs)
            out, cache = functions[forward](**inputs)
            return out, (functions, cache)

        def second(dout, cache):
            functions, cache = cache
            return functions[name](dout, cache)

        return right | ({name: alone} if name == forward else {forward: first, name: second})

    return functions


# ---- whether a mistake can show on a path at all

MANY_PIXELS = {"N": 2, "C": 1, "F": 2, "H": 182, "W": 183, "KH": 1, "KW": 3, "stride": 2, "padding": 1}
"""As in the tests of large images."""
FIXED = {
    "windows side by side": lambda rng: dict.fromkeys(("KH", "KW", "stride"), int(rng.integers(2, 4))),
    "gaps between windows": lambda rng: {"stride": 3, "KH": int(rng.integers(1, 3)), "KW": int(rng.integers(1, 3))},
    "one-pixel kernel": lambda rng: {"KH": 1, "KW": 1},
    "square kernel": lambda rng: dict.fromkeys(("KH", "KW"), int(rng.integers(2, 5))),
    "kernel of one row": lambda rng: {"KH": 1},
    "kernel of one column": lambda rng: {"KW": 1},
    "large kernel": lambda rng: {"KH": 16, "KW": 17},
    "one image": lambda rng: {"N": 1},
    "one channel": lambda rng: {"C": 1},
    "one filter": lambda rng: {"F": 1},
    "padding 2 or more": lambda rng: {"padding": int(rng.integers(2, 4))},
    "stride 3 or more": lambda rng: {"stride": 3},
    "float32": lambda rng: {"dtype": "float32"},
    "many pixels": lambda rng: MANY_PIXELS,
}
VALUES = {
    "large numbers": lambda x: 1e5 * x,
    "small numbers": lambda x: 1e-6 * x,
    "nothing above zero": lambda x: -abs(x) - 1,
    "nothing below zero": lambda x: abs(x) + 1,
    "equal values": lambda x: np.rint(x),
    "near-equal values": lambda x: 1 + x * 1e-9,
    "another memory order": np.asfortranarray,
}


def drawn(rng, function, path, dtype):
    """Draw the inputs of a call on a path and dout, for backward; None where the draw is on another path."""
    sizes = {name: int(rng.integers(1, 4)) for name in ("N", "C", "F", "stride")}
    sizes |= {"KH": int(rng.integers(1, 5)), "KW": int(rng.integers(1, 5)), "padding": int(rng.integers(0, 3))}
    sizes |= {"dtype": dtype, **FIXED.get(path, lambda rng: {})(rng)}
    sizes |= {"padding": 0} if "pool" in function else {}
    for side, kernel in (("H", "KH"), ("W", "KW")):
        sizes.setdefault(side, max(1, sizes[kernel] - 2 * sizes["padding"]) + int(rng.integers(0, 7)))
    N, C, F, H, W = (sizes[name] for name in "NCFHW")
    KH, KW, stride, padding = (sizes[name] for name in ("KH", "KW", "stride", "padding"))
    OH, OW = (layers.conv_output_size(size, kernel, stride, padding) for size, kernel in ((H, KH), (W, KW)))

    def draw(*shape):
        return rng.standard_normal(shape).astype(sizes["dtype"])

    def values(array):
        return VALUES.get(path, lambda x: x)(array).astype(sizes["dtype"])

    inputs = {"x": draw(N, C, H, W), "kernel_size": (KH, KW), "stride": stride, "padding": padding}
    inputs |= {"cols": draw(C * KH * KW, N * OH * OW), "x_shape": (N, C, H, W), "w": draw(F, C, KH, KW), "b": draw(F)}
    inputs = {name: inputs[name] for name in PARAMETERS[forward_of(function)]}
    first = next(iter(inputs))
    inputs[first] = values(inputs[first])
    dout = draw(N, F if "conv2d" in function else C, OH, OW)
    return (inputs, dout) if PATHS[path](Given(forward_of(function), inputs)) else None


def shows(entry, inputs, dout):
    """Whether a mistake shows on these inputs: in results, in what becomes of the inputs, or in another call."""
    right, wrong = (_traces(injected("layers", *entries)(), entry.function, inputs, dout) for entries in ((), (entry,)))
    return wrong is None or any(not _alike(*pair) for pair in zip(right, wrong, strict=True))


def _traces(functions, name, inputs, dout):
    forward, traces = forward_of(name), []
    others = {key: 2 * value if isinstance(value, np.ndarray) else value for key, value in inputs.items()}
    try:
        with np.errstate(all="ignore"):
            given, caches = [copy.deepcopy(inputs), copy.deepcopy(others)], []
            for one in given:
                results = functions[forward](**one)
                results = results if isinstance(results, tuple) else (results,)
                caches.append(results[-1])
                if name == forward:
                    traces += [results[0], *_shared(results[:1], one)]
            if name != forward:
                douts = [dout.copy(), -2 * dout]
                for one, cache in zip(douts, caches, strict=True):
                    results = functions[name](one, cache)
                    results = results if isinstance(results, tuple) else (results,)
                    traces += [*results, *_shared(results, {"dout": one})]
                traces += douts
            return [*traces, *(value for one in given for value in one.values() if isinstance(value, np.ndarray))]
    except Exception:
        return None


def _shared(results, inputs):
    arrays = [value for value in inputs.values() if isinstance(value, np.ndarray)]
    return [any(np.shares_memory(result, array) for array in arrays) for result in results]


def _alike(one, other):
    if not isinstance(one, np.ndarray):
        return type(one) is type(other) and one == other
    if not isinstance(other, np.ndarray) or (one.shape, one.dtype) != (other.shape, other.dtype):
        return False
    tolerance = 1e-10 if one.dtype == np.float64 else 1e-4
    return bool((abs(one - other) <= tolerance * abs(one).max(initial=0)).all())


@functools.cache
def examples(function, path, dtype="float64", count=40):
    """Return inputs on a path; few or none where it is not to be had at random."""
    rng = np.random.default_rng(list(f"{function} {path}".encode()))
    count = 1 if path == "many pixels" else count
    found = (drawn(rng, function, path, dtype) for _ in range(20 * count))
    return [one for one in found if one is not None][:count]


def possible(entry, path):
    """Whether a mistake can show on a path."""
    about_dtype = entry.hides_on == "dtype == 'float64'" and path != "float64"
    return any(shows(entry, *one) for one in examples(entry.function, path, "float32" if about_dtype else "float64"))
