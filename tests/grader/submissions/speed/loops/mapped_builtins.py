# Lists and map with functions that are written in C: no Python code runs for a pixel, yet each is an object.
from collections import deque
from itertools import repeat
from operator import add, getitem, mul


def _lists(x, kernel_size, stride):
    """One list for each tap: the pixel that it meets in every window."""
    KH, KW = kernel_size
    OH, OW = conv_output_size(x.shape[-2], KH, stride), conv_output_size(x.shape[-1], KW, stride)
    taps = _taps((KH, KW), (OH, OW), stride)
    return [x[..., rows, columns].ravel().tolist() for _, _, rows, columns in taps], (*x.shape[:-2], OH, OW)


def _array(numbers, shape, dtype):
    return np.fromiter(numbers, dtype, np.prod(shape)).reshape(shape)


def _sum(iterators):
    total, *others = iterators
    for other in others:
        total = map(add, total, other)
    return total


def _add_to(pixels, places, values):
    """pixels[place] += value for all of them, one after the other."""
    deque(map(pixels.__setitem__, places, map(add, map(pixels.__getitem__, places), values)), maxlen=0)


def _correlate(x, w, stride):
    """Without a bias."""
    N, F = len(x), len(w)
    taps = [_lists(x[:, c], w.shape[2:], stride) for c in range(x.shape[1])]
    lists, (_, OH, OW) = [list_ for lists, _ in taps for list_ in lists], taps[0][1]
    planes = []
    for f in range(F):
        total = _sum([map(mul, list_, repeat(k)) for list_, k in zip(lists, w[f].ravel().tolist())])
        planes.append(_array(total, (N, OH, OW), x.dtype))
    return np.stack(planes, axis=1)


def conv2d_forward(x, w, b, stride=1, padding=0):
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    return _correlate(xp, w, stride) + b[:, None, None], (xp, w, stride, padding)


def conv2d_backward(dout, cache):
    xp, w, stride, padding = cache
    (N, F, OH, OW), (_, C, H, W), (KH, KW) = dout.shape, xp.shape, w.shape[2:]
    spread = np.zeros((N, F, H + KH - 1, W + KW - 1), dtype=dout.dtype)
    spread[:, :, KH - 1:KH - 1 + stride * OH:stride, KW - 1:KW - 1 + stride * OW:stride] = dout
    dx = _correlate(spread, w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3), 1)
    douts = [dout[:, f].ravel().tolist() for f in range(F)]
    lists = [list_ for c in range(C) for list_ in _lists(xp[:, c], (KH, KW), stride)[0]]
    dw = np.array([[sum(map(mul, d, list_)) for list_ in lists] for d in douts], dtype=dout.dtype)
    db = np.array(list(map(sum, douts)), dtype=dout.dtype)
    return dx[:, :, padding:H - padding, padding:W - padding], dw.reshape(w.shape), db


def max_pool2d_forward(x, kernel_size, stride):
    lists, shape = _lists(x, kernel_size, stride)
    out = list(map(max, *lists)) if len(lists) > 1 else lists[0]
    winner = map(tuple.index, zip(*lists), out)  # the first that is equal; found when backward asks for it
    return _array(out, shape, x.dtype), (winner, x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    winner, x_shape, kernel_size, stride = cache
    places, _ = _lists(np.arange(np.prod(x_shape)).reshape(x_shape), kernel_size, stride)
    dx = [0.0] * int(np.prod(x_shape))
    _add_to(dx, list(map(getitem, zip(*places), winner)), dout.ravel().tolist())
    return _array(dx, x_shape, dout.dtype)


def avg_pool2d_forward(x, kernel_size, stride):
    lists, shape = _lists(x, kernel_size, stride)
    out = map(mul, map(sum, zip(*lists)), repeat(1 / len(lists)))
    return _array(out, shape, x.dtype), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, kernel_size, stride = cache
    places, _ = _lists(np.arange(np.prod(x_shape)).reshape(x_shape), kernel_size, stride)
    dx = [0.0] * int(np.prod(x_shape))
    share = list(map(mul, dout.ravel().tolist(), repeat(1 / len(places))))
    for list_ in places:
        _add_to(dx, list_, share)
    return _array(dx, x_shape, dout.dtype)
