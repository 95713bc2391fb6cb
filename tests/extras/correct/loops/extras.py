"""Odd: loops over every pixel, in float64; a decorator gives results the dtype they should have."""

import functools
import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def rounded(function):
    """Return what the function returns, in the dtype of its first argument."""

    @functools.wraps(function)
    def wrapper(*args, **named):
        results = function(*args, **named)
        dtype = args[0].dtype
        if isinstance(results, tuple):
            return tuple(one.astype(dtype) if isinstance(one, np.ndarray) else one for one in results)
        return results.astype(dtype)

    return wrapper


def _float64(*arrays: Array) -> list[Array]:
    return [np.asarray(array, dtype=np.float64) for array in arrays]


# ---- batch normalization


@rounded
def spatial_batchnorm_forward(
    x: Array,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    training: bool,
    momentum: float = 0.9,
    eps: float = 1e-5,
) -> tuple[Array, Array, Array, Any]:
    """Normalize the pixels of each channel one by one."""
    x, gamma, beta, old_mean, old_var = _float64(x, gamma, beta, running_mean, running_var)
    momentum, eps = float(momentum), float(eps)
    N, C, H, W = x.shape
    out, normal = np.zeros(x.shape), np.zeros(x.shape)
    new_mean, new_var, deviation = old_mean.copy(), old_var.copy(), np.zeros(C)
    for c in range(C):
        pixels = [(n, c, p, q) for n in range(N) for p in range(H) for q in range(W)]
        mean, var = old_mean[c], old_var[c]
        if training:
            mean = sum(x[pixel] for pixel in pixels) / len(pixels)
            var = sum((x[pixel] - mean) * (x[pixel] - mean) for pixel in pixels) / len(pixels)
            new_mean[c] = momentum * old_mean[c] + (1 - momentum) * mean
            new_var[c] = momentum * old_var[c] + (1 - momentum) * var
        deviation[c] = math.sqrt(var + eps)
        for pixel in pixels:
            normal[pixel] = (x[pixel] - mean) / deviation[c]
            out[pixel] = gamma[c] * normal[pixel] + beta[c]
    return out, new_mean, new_var, (normal, gamma, deviation, training)


@rounded
def spatial_batchnorm_backward(dout: Array, cache: Any) -> tuple[Array, Array, Array]:
    """Ask for each pixel how it changes each normalized pixel of its channel, and add that up.

    With m and v the mean and the variance of M pixels, and d the root of ``v + eps``: dm/dx is 1/M, dv/dx is
    ``2*(x - m)/M``, and so a normalized pixel k changes with pixel j by ``((k == j) - 1/M - z_k*z_j/M) / d``.
    """
    normal, gamma, deviation, training = cache
    (dout,) = _float64(dout)
    N, C, H, W = dout.shape
    dx, dgamma, dbeta = np.zeros(dout.shape), np.zeros(C), np.zeros(C)
    for c in range(C):
        pixels = [(n, c, p, q) for n in range(N) for p in range(H) for q in range(W)]
        for k in pixels:
            dgamma[c] += dout[k] * normal[k]
            dbeta[c] += dout[k]
            if not training:
                dx[k] = dout[k] * gamma[c] / deviation[c]
                continue
            for j in pixels:
                change = ((k == j) - 1 / len(pixels) - normal[k] * normal[j] / len(pixels)) / deviation[c]
                dx[j] += dout[k] * gamma[c] * change
    return dx, dgamma, dbeta


# ---- convolutions


def _meetings(
    sizes: Sequence[int], kernel_size: Sequence[int], stride: int, padding: int, dilation: int = 1
) -> dict[tuple[int, ...], list[tuple[tuple[int, ...], tuple[int, ...]]]]:
    """List for each output position the pairs (tap, pixel) that meet there, along any number of axes.

    Taps on the padding meet no pixel: they would add zero, so they are left out.
    """
    along = []
    for size, length in zip(sizes, kernel_size, strict=True):
        positions: list[list[tuple[int, int]]] = []
        while len(positions) * stride + dilation * (length - 1) < size + 2 * padding:
            start = len(positions) * stride - padding
            positions.append([(tap, start + dilation * tap) for tap in range(length)])
        along.append([[(tap, pixel) for tap, pixel in pairs if 0 <= pixel < size] for pairs in positions])
    found = {}
    for place in itertools.product(*(range(len(positions)) for positions in along)):
        met = itertools.product(*(positions[one] for positions, one in zip(along, place, strict=True)))
        found[place] = [(tuple(tap for tap, _ in pairs), tuple(pixel for _, pixel in pairs)) for pairs in met]
    return found


def _convolve(
    x: Array, w: Array, b: Array, stride: int, padding: int, dilation: int = 1, groups: int = 1
) -> tuple[Array, Any]:
    x, w, b = _float64(x, w, b)
    N, F, per_group = len(x), len(w), w.shape[1]
    meetings = _meetings(x.shape[2:], w.shape[2:], stride, padding, dilation)
    out = np.zeros((N, F, *(last + 1 for last in max(meetings))))
    for n, f in np.ndindex(N, F):
        first = f // (F // groups) * per_group
        for place, pairs in meetings.items():
            total = b[f]
            for c in range(per_group):
                for tap, pixel in pairs:
                    total += x[n, first + c][pixel] * w[f, c][tap]
            out[n, f][place] = total
    return out, (x, w, meetings, groups)


def _gradients(dout: Array, cache: Any) -> tuple[Array, Array, Array]:
    x, w, meetings, groups = cache
    (dout,) = _float64(dout)
    F, per_group = w.shape[:2]
    dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros(F)
    for n, f in np.ndindex(*dout.shape[:2]):
        first = f // (F // groups) * per_group
        for place, pairs in meetings.items():
            upstream = dout[n, f][place]
            db[f] += upstream
            for c in range(per_group):
                for tap, pixel in pairs:
                    dx[n, first + c][pixel] += upstream * w[f, c][tap]
                    dw[f, c][tap] += upstream * x[n, first + c][pixel]
    return dx, dw, db


@rounded
def conv2d_grouped_forward(
    x: Array, w: Array, b: Array, stride: int = 1, padding: int = 0, dilation: int = 1, groups: int = 1
) -> tuple[Array, Any]:
    """Slide each filter, with gaps between its taps, over the channels of its group."""
    return _convolve(x, w, b, stride, padding, dilation, groups)


@rounded
def conv2d_grouped_backward(dout: Array, cache: Any) -> tuple[Array, Array, Array]:
    """Hand each entry of dout back to everything that was multiplied into it."""
    return _gradients(dout, cache)


@rounded
def conv1d_forward(x: Array, w: Array, b: Array, stride: int = 1, padding: int = 0) -> tuple[Array, Any]:
    """Slide each filter along one axis."""
    return _convolve(x, w, b, stride, padding)


@rounded
def conv1d_backward(dout: Array, cache: Any) -> tuple[Array, Array, Array]:
    """Hand each entry of dout back to everything that was multiplied into it."""
    return _gradients(dout, cache)


@rounded
def conv3d_forward(x: Array, w: Array, b: Array, stride: int = 1, padding: int = 0) -> tuple[Array, Any]:
    """Slide each filter along three axes."""
    return _convolve(x, w, b, stride, padding)


@rounded
def conv3d_backward(dout: Array, cache: Any) -> tuple[Array, Array, Array]:
    """Hand each entry of dout back to everything that was multiplied into it."""
    return _gradients(dout, cache)


@rounded
def conv2d_as_linear(x: Array, w: Array, b: Array) -> Array:
    """Add up the channels of each pixel, weighted."""
    x, w, b = _float64(x, w, b)
    N, C, H, W = x.shape
    out = np.zeros((N, len(w), H, W))
    for n, f, p, q in np.ndindex(*out.shape):
        total = b[f]
        for c in range(C):
            total += x[n, c, p, q] * w[f, c, 0, 0]
        out[n, f, p, q] = total
    return out


@rounded
def conv2d_dx_as_conv(dout: Array, w: Array, padding: int = 0) -> Array:
    """Hand each entry of dout back to the pixels that a filter met, without any convolution."""
    dout, w = _float64(dout, w)
    N, F, OH, OW = dout.shape
    _, C, KH, KW = w.shape
    H, W = OH + KH - 1 - 2 * padding, OW + KW - 1 - 2 * padding
    dx = np.zeros((N, C, H, W))
    for n, f, p, q in np.ndindex(N, F, OH, OW):
        for c, i, j in np.ndindex(C, KH, KW):
            row, column = p + i - padding, q + j - padding
            if 0 <= row < H and 0 <= column < W:
                dx[n, c, row, column] += dout[n, f, p, q] * w[f, c, i, j]
    return dx


# ---- transposed convolution


def _stamps(x: Array, w: Array, out_size: tuple[int, int], stride: int, padding: int) -> Iterator[tuple[Any, Any, Any]]:
    """Yield the indices of x, w and out for every product that is added somewhere inside of out."""
    _, F, KH, KW = w.shape
    for n, c, p, q in np.ndindex(*x.shape):
        for f, i, j in np.ndindex(F, KH, KW):
            row, column = stride * p + i - padding, stride * q + j - padding
            if 0 <= row < out_size[0] and 0 <= column < out_size[1]:
                yield (n, c, p, q), (c, f, i, j), (n, f, row, column)


@rounded
def conv_transpose2d_forward(x: Array, w: Array, b: Array, stride: int = 1, padding: int = 0) -> tuple[Array, Any]:
    """Add each product of a pixel and a weight where it belongs."""
    x, w, b = _float64(x, w, b)
    N, _, H, W = x.shape
    _, F, KH, KW = w.shape
    OH, OW = stride * (H - 1) + KH - 2 * padding, stride * (W - 1) + KW - 2 * padding
    out = np.zeros((N, F, OH, OW))
    for n, f, row, column in np.ndindex(*out.shape):
        out[n, f, row, column] = b[f]
    for pixel, weight, place in _stamps(x, w, (OH, OW), stride, padding):
        out[place] += x[pixel] * w[weight]
    return out, (x, w, stride, padding)


@rounded
def conv_transpose2d_backward(dout: Array, cache: Any) -> tuple[Array, Array, Array]:
    """Hand each entry of dout back to both factors of every product that was added there."""
    x, w, stride, padding = cache
    (dout,) = _float64(dout)
    dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros(w.shape[1])
    for n, f, row, column in np.ndindex(*dout.shape):
        db[f] += dout[n, f, row, column]
    for pixel, weight, place in _stamps(x, w, dout.shape[2:], stride, padding):
        dx[pixel] += dout[place] * w[weight]
        dw[weight] += dout[place] * x[pixel]
    return dx, dw, db


# ---- moving pixels


def _moved(x: Array, shape: Sequence[int], place: Any) -> Array:
    """Add each entry of x to where `place` sends its index; leave it out where that is None."""
    (x,) = _float64(x)
    out = np.zeros(shape)
    for index in np.ndindex(*x.shape):
        target = place(*index)
        if target is not None:
            out[target] += x[index]
    return out


@rounded
def upsample_forward(x: Array, factor: int) -> tuple[Array, Any]:
    """Put each pixel factor times as far from the corner."""
    N, C, H, W = x.shape
    return _moved(x, (N, C, factor * H, factor * W), lambda n, c, p, q: (n, c, factor * p, factor * q)), factor


@rounded
def upsample_backward(dout: Array, cache: Any) -> Array:
    """Fetch each pixel from where it was put."""
    N, C, OH, OW = dout.shape
    return _kept(dout, (N, C, OH // cache, OW // cache), cache)


@rounded
def downsample_forward(x: Array, factor: int) -> tuple[Array, Any]:
    """Keep a pixel where factor divides both of its indices."""
    N, C, H, W = x.shape
    return _kept(x, (N, C, math.ceil(H / factor), math.ceil(W / factor)), factor), (x.shape, factor)


def _kept(x: Array, shape: Sequence[int], factor: int) -> Array:
    def place(n: int, c: int, p: int, q: int) -> Any:
        return None if p % factor or q % factor else (n, c, p // factor, q // factor)

    return _moved(x, shape, place)


@rounded
def downsample_backward(dout: Array, cache: Any) -> Array:
    """Put each entry back where it was."""
    shape, factor = cache
    return _moved(dout, shape, lambda n, c, p, q: (n, c, factor * p, factor * q))


@rounded
def pad2d_forward(x: Array, padding: Sequence[int]) -> tuple[Array, Any]:
    """Put each pixel top rows further down and left columns further to the right."""
    top, bottom, left, right = padding
    N, C, H, W = x.shape
    out = _moved(x, (N, C, top + H + bottom, left + W + right), lambda n, c, p, q: (n, c, top + p, left + q))
    return out, (x.shape, top, left)


@rounded
def pad2d_backward(dout: Array, cache: Any) -> Array:
    """Fetch each pixel from where it was put."""
    shape, top, left = cache
    (dout,) = _float64(dout)
    dx = np.zeros(shape)
    for n, c, p, q in np.ndindex(*shape):
        dx[n, c, p, q] = dout[n, c, top + p, left + q]
    return dx


# ---- pools


def _windows(shape: Sequence[int], kernel_size: Sequence[int], stride: int) -> dict[Any, list[Any]]:
    """List the pixels of each window, rows first."""
    meetings = _meetings(shape[2:], kernel_size, stride, 0)
    return {place: [pixel for _, pixel in pairs] for place, pairs in meetings.items()}


def _pool(x: Array, windows: dict[Any, list[Any]], pooled: Any) -> Array:
    (x,) = _float64(x)
    out = np.zeros((*x.shape[:2], *(last + 1 for last in max(windows))))
    for n, c in np.ndindex(*x.shape[:2]):
        for place, pixels in windows.items():
            out[n, c][place] = pooled([x[n, c][pixel] for pixel in pixels])
    return out


def _unpool(dout: Array, shape: Sequence[int], windows: dict[Any, list[Any]], share: Any) -> Array:
    """Give each pixel of each window its share of dout; `share` is asked for (n, c), the window and the pixel."""
    (dout,) = _float64(dout)
    dx = np.zeros(shape)
    for n, c in np.ndindex(*shape[:2]):
        for place, pixels in windows.items():
            for pixel in pixels:
                dx[n, c][pixel] += dout[n, c][place] * share((n, c), place, pixel)
    return dx


@rounded
def min_pool2d_forward(x: Array, kernel_size: Sequence[int], stride: int) -> tuple[Array, Any]:
    """Keep the smallest pixel of each window."""
    windows = _windows(x.shape, kernel_size, stride)
    return _pool(x, windows, min), (x, windows)


@rounded
def min_pool2d_backward(dout: Array, cache: Any) -> Array:
    """Give each entry of dout to the first pixel that is the smallest of its window."""
    x, windows = cache
    winners = {
        ((n, c), place): min(pixels, key=x[n, c].__getitem__)  # of equals, min returns the first
        for n, c in np.ndindex(*x.shape[:2])
        for place, pixels in windows.items()
    }
    return _unpool(dout, x.shape, windows, lambda image, place, pixel: winners[image, place] == pixel)


@rounded
def lp_pool2d_forward(x: Array, kernel_size: Sequence[int], stride: int) -> tuple[Array, Any]:
    """Take the root of the sum of the squares of each window."""
    windows = _windows(x.shape, kernel_size, stride)
    out = _pool(x, windows, lambda pixels: math.sqrt(sum(pixel * pixel for pixel in pixels)))
    return out, (x, out, windows)


@rounded
def lp_pool2d_backward(dout: Array, cache: Any) -> Array:
    """Give each pixel x / out of its window's dout; the gradient of the root of 0 is 0 here."""
    x, out, windows = cache
    (x,) = _float64(x)

    def share(image: Any, place: Any, pixel: Any) -> float:
        norm = out[image][place]
        return float(x[image][pixel]) / norm if norm else 0.0

    return _unpool(dout, x.shape, windows, share)


@rounded
def global_avg_pool2d_forward(x: Array) -> tuple[Array, Any]:
    """Average all pixels of each channel."""
    windows = _windows(x.shape, x.shape[2:], 1)
    return _pool(x, windows, _mean)[:, :, 0, 0], (x.shape, windows)


def _mean(pixels: Sequence[float]) -> float:
    return sum(pixels) / len(pixels)


@rounded
def global_avg_pool2d_backward(dout: Array, cache: Any) -> Array:
    """Share each entry of dout equally among all pixels of its channel."""
    shape, windows = cache
    dx: Array = _unpool(dout[:, :, None, None], shape, windows, lambda *_: 1.0) / (shape[2] * shape[3])
    return dx


def _cells(start: int, stop: int, count: int) -> list[range]:
    """Cut the pixels from start to stop into cells: from floor(i*size/count) to ceil((i + 1)*size/count)."""
    size = stop - start
    return [range(start + i * size // count, start + math.ceil((i + 1) * size / count)) for i in range(count)]


@rounded
def adaptive_avg_pool2d_forward(x: Array, out_size: Sequence[int]) -> tuple[Array, Any]:
    """Average the pixels of each cell."""
    rows, columns = (_cells(0, size, count) for size, count in zip(x.shape[2:], out_size, strict=True))
    windows = {
        (p, q): list(itertools.product(rows[p], columns[q]))
        for p, q in itertools.product(range(len(rows)), range(len(columns)))
    }
    return _pool(x, windows, _mean), (x.shape, windows)


@rounded
def adaptive_avg_pool2d_backward(dout: Array, cache: Any) -> Array:
    """Share each entry of dout equally among the pixels of its cell."""
    shape, windows = cache
    (dout,) = _float64(dout)
    dx = np.zeros(shape)
    for n, c in np.ndindex(*shape[:2]):
        for place, pixels in windows.items():
            for pixel in pixels:
                dx[n, c][pixel] += dout[n, c][place] / len(pixels)
    return dx


# ---- regions of interest


@rounded
def roi_max_pool_forward(x: Array, images: Array, boxes: Array, out_size: Sequence[int]) -> tuple[Array, Any]:
    """Look at every pixel of every cell of every box."""
    (x,) = _float64(x)
    _, C, H, W = x.shape
    out = np.zeros((len(boxes), C, *out_size))
    winners = {}
    for r, box in enumerate(boxes):
        x1, y1, x2, y2 = (int(edge) for edge in box)
        rows, columns = _cells(y1, y2, out_size[0]), _cells(x1, x2, out_size[1])
        for c, p, q in np.ndindex(*out.shape[1:]):
            pixels = [(i, j) for i in rows[p] for j in columns[q] if 0 <= i < H and 0 <= j < W]
            if pixels:
                image = x[int(images[r]), c]
                winner = max(pixels, key=image.__getitem__)  # of equals, max returns the first
                out[r, c, p, q] = image[winner]
                winners[r, c, p, q] = int(images[r]), c, *winner
    return out, (x.shape, winners)


@rounded
def roi_max_pool_backward(dout: Array, cache: Any) -> Array:
    """Give each entry of dout to the pixel that won its cell."""
    shape, winners = cache
    dx = np.zeros(shape)
    for cell, pixel in winners.items():
        dx[pixel] += dout[cell]
    return dx


@rounded
def box_iou(a: Array, b: Array) -> Array:
    """Compare each box with each other box."""
    a, b = _float64(a, b)
    iou = np.zeros((len(a), len(b)))
    for r, s in np.ndindex(*iou.shape):
        width = max(0.0, min(a[r, 2], b[s, 2]) - max(a[r, 0], b[s, 0]))
        height = max(0.0, min(a[r, 3], b[s, 3]) - max(a[r, 1], b[s, 1]))
        first = (a[r, 2] - a[r, 0]) * (a[r, 3] - a[r, 1])
        second = (b[s, 2] - b[s, 0]) * (b[s, 3] - b[s, 1])
        union = first + second - width * height
        iou[r, s] = width * height / union if union > 0 else 0.0
    return iou
