"""Odd: every window is an array of indices into the flat image; np.add.at adds them up; caches are objects."""

import numpy as np


class Cache:
    """Whatever is given by name."""

    def __init__(self, **named):
        vars(self).update(named)


def places_of(size, kernel_size, stride, dilation=1):
    """Return for each window the indices of its pixels in a flat image: shape (*out_size, *kernel_size)."""
    axes = len(size)
    out_size = [(n - dilation * (k - 1) - 1) // stride + 1 for n, k in zip(size, kernel_size)]
    index = np.zeros((1,) * (2 * axes), dtype=int)
    for axis in range(axes):
        along = stride * np.arange(out_size[axis])[:, None] + dilation * np.arange(kernel_size[axis])
        shape = [1] * (2 * axes)
        shape[axis], shape[axes + axis] = along.shape
        index = index * size[axis] + along.reshape(shape)
    return index


def flat(x):
    return x.reshape(*x.shape[:2], -1)


def scatter(values, places, size):
    """Add values, shape (N, C, *places.shape), to flat images, and return images."""
    N, C = values.shape[:2]
    images = np.zeros((int(np.prod(size)), N, C), dtype=values.dtype)
    np.add.at(images, places.ravel(), values.reshape(N, C, -1).transpose(2, 0, 1))
    return np.ascontiguousarray(images.transpose(1, 2, 0)).reshape(N, C, *size)


def convolve(x, w, b, stride, padding, dilation=1, groups=1):
    axes = x.ndim - 2
    N, C, F = len(x), x.shape[1], len(w)
    size = tuple(n + 2 * padding for n in x.shape[2:])
    xp = np.zeros((N, C, *size), dtype=x.dtype)
    xp[(slice(None), slice(None), *[slice(padding, padding + n) for n in x.shape[2:]])] = x
    places = places_of(size, w.shape[2:], stride, dilation)
    out_size, taps = places.shape[:axes], int(np.prod(w.shape[2:]))
    places = places.reshape(-1, taps)
    windows = flat(xp)[:, :, places].reshape(N, groups, C // groups, len(places), taps)
    filters = w.reshape(groups, F // groups, C // groups, taps)
    out = np.einsum("ngcpk,gfck->ngfp", windows, filters).reshape(N, F, *out_size) + b.reshape(F, *[1] * axes)
    return out, Cache(windows=windows, filters=filters, places=places, size=size, x=x.shape, w=w.shape, padding=padding)


def unconvolve(dout, cache):
    N, F = dout.shape[:2]
    groups, per_group = cache.filters.shape[:2]
    d = dout.reshape(N, groups, per_group, -1)
    dw = np.einsum("ngcpk,ngfp->gfck", cache.windows, d).reshape(cache.w)
    dwindows = np.einsum("ngfp,gfck->ngcpk", d, cache.filters).reshape(N, cache.x[1], *cache.places.shape)
    dxp = scatter(dwindows, cache.places, cache.size)
    inside = [slice(cache.padding, cache.padding + n) for n in cache.x[2:]]
    return dxp[(slice(None), slice(None), *inside)], dw, np.einsum("ngfp->gf", d).ravel()


def spatial_batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.9, eps=1e-5):
    column = (None, slice(None), None, None)
    cache = Cache(training=bool(training), gamma=gamma)
    mean, var, averages = running_mean, running_var, (np.array(running_mean), np.array(running_var))
    if cache.training:
        M = x.size / x.shape[1]
        mean = np.einsum("nchw->c", x) / x.dtype.type(M)
        centred = x - mean[column]
        var = np.einsum("nchw,nchw->c", centred, centred) / x.dtype.type(M)
        averages = (running_mean - mean) * momentum + mean, (running_var - var) * momentum + var
    cache.root = np.sqrt(var + eps)
    cache.normal = (x - mean[column]) / cache.root[column]
    return gamma[column] * cache.normal + beta[column], *averages, cache


def spatial_batchnorm_backward(dout, cache):
    dgamma = np.einsum("nchw,nchw->c", dout, cache.normal)
    dbeta = np.einsum("nchw->c", dout)
    if cache.training:
        M = dout.dtype.type(dout.size / dout.shape[1])
        along = cache.normal * dgamma[None, :, None, None] + dbeta[None, :, None, None]
        dout = (M * dout - along) / M
    return dout * (cache.gamma / cache.root)[None, :, None, None], dgamma, dbeta


def conv_transpose2d_forward(x, w, b, stride=1, padding=0):
    N, C, H, W = x.shape
    _, F, KH, KW = w.shape
    size = stride * (H - 1) + KH, stride * (W - 1) + KW
    places = places_of(size, (KH, KW), stride)
    stamps = np.einsum("nchw,cfij->nfhwij", x, w)
    full = scatter(stamps, places, size)
    rows, columns = (slice(padding, n - padding) for n in size)
    cache = Cache(x=x, w=w, places=places, size=size, rows=rows, columns=columns)
    return full[:, :, rows, columns] + b[None, :, None, None], cache


def conv_transpose2d_backward(dout, cache):
    full = np.zeros((*dout.shape[:2], *cache.size), dtype=dout.dtype)
    full[:, :, cache.rows, cache.columns] = dout
    windows = flat(full)[:, :, cache.places]
    dx = np.einsum("nfhwij,cfij->nchw", windows, cache.w)
    dw = np.einsum("nfhwij,nchw->cfij", windows, cache.x)
    return dx, dw, np.einsum("nfhw->f", dout)


def upsample_forward(x, factor):
    size = tuple(factor * n for n in x.shape[2:])
    places = places_of(size, (1, 1), factor)
    return scatter(x[..., None, None], places, size), Cache(places=places)


def upsample_backward(dout, cache):
    return flat(dout)[:, :, cache.places[..., 0, 0]]


def downsample_forward(x, factor):
    places = places_of(x.shape[2:], (1, 1), factor)
    return flat(x)[:, :, places[..., 0, 0]], Cache(places=places, size=x.shape[2:])


def downsample_backward(dout, cache):
    return scatter(dout[..., None, None], cache.places, cache.size)


def pad2d_forward(x, padding):
    top, bottom, left, right = padding
    H, W = x.shape[2:]
    size = top + H + bottom, left + W + right
    places = (np.arange(H)[:, None] + top) * size[1] + np.arange(W) + left
    return scatter(x, places, size), Cache(places=places)


def pad2d_backward(dout, cache):
    return flat(dout)[:, :, cache.places]


def min_pool2d_forward(x, kernel_size, stride):
    places = places_of(x.shape[2:], kernel_size, stride)
    windows = flat(x)[:, :, places].reshape(*x.shape[:2], *places.shape[:2], -1)
    tap = np.argmin(windows, axis=-1)[..., None]
    winners = np.take_along_axis(np.broadcast_to(places.reshape(*places.shape[:2], -1), windows.shape), tap, -1)
    return np.take_along_axis(windows, tap, -1)[..., 0], Cache(winners=winners[..., 0], shape=x.shape)


def min_pool2d_backward(dout, cache):
    N, C, H, W = cache.shape
    dx = np.zeros((N, C, H * W), dtype=dout.dtype)
    n, c = np.ogrid[:N, :C]
    np.add.at(dx, (n[..., None, None], c[..., None, None], cache.winners), dout)
    return dx.reshape(cache.shape)


def lp_pool2d_forward(x, kernel_size, stride):
    places = places_of(x.shape[2:], kernel_size, stride)
    windows = flat(x)[:, :, places]
    out = np.sqrt(np.einsum("nchwij,nchwij->nchw", windows, windows))
    return out, Cache(places=places, unit=windows / np.maximum(out, np.finfo(x.dtype).tiny)[..., None, None], size=x.shape[2:])


def lp_pool2d_backward(dout, cache):
    return scatter(dout[..., None, None] * cache.unit, cache.places, cache.size)


def global_avg_pool2d_forward(x):
    return flat(x).sum(axis=-1) / (x.shape[2] * x.shape[3]), Cache(shape=x.shape)


def global_avg_pool2d_backward(dout, cache):
    H, W = cache.shape[2:]
    return np.repeat(dout / (H * W), H * W, axis=1).reshape(cache.shape)


def adaptive_avg_pool2d_forward(x, out_size):
    """By sums over all pixels above and to the left: here of float64, so that differences keep their digits."""
    sums = np.zeros((*x.shape[:2], x.shape[2] + 1, x.shape[3] + 1))
    sums[:, :, 1:, 1:] = x.astype(float).cumsum(axis=2).cumsum(axis=3)
    edges = []
    for n, count in zip(x.shape[2:], out_size):
        i = np.arange(count)
        edges.append((i * n // count, np.ceil((i + 1) * n / count).astype(int)))
    (top, bottom), (left, right) = edges
    part = sums[:, :, bottom] - sums[:, :, top]
    areas = np.outer(bottom - top, right - left)
    out = ((part[..., right] - part[..., left]) / areas).astype(x.dtype)
    return out, Cache(shape=x.shape, edges=edges, areas=areas)


def adaptive_avg_pool2d_backward(dout, cache):
    dx = np.zeros(cache.shape, dtype=dout.dtype)
    (top, bottom), (left, right) = cache.edges
    share = dout / cache.areas.astype(dout.dtype)
    for row in range(cache.shape[2]):
        inside = (top <= row) & (row < bottom)
        for column in range(cache.shape[3]):
            dx[:, :, row, column] = share[:, :, inside][..., (left <= column) & (column < right)].sum(axis=(2, 3))
    return dx


def conv2d_grouped_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    return convolve(x, w, b, stride, padding, dilation, groups)


def conv2d_grouped_backward(dout, cache):
    return unconvolve(dout, cache)


def conv1d_forward(x, w, b, stride=1, padding=0):
    return convolve(x, w, b, stride, padding)


def conv1d_backward(dout, cache):
    return unconvolve(dout, cache)


def conv3d_forward(x, w, b, stride=1, padding=0):
    return convolve(x, w, b, stride, padding)


def conv3d_backward(dout, cache):
    return unconvolve(dout, cache)


def conv2d_as_linear(x, w, b):
    N, C, H, W = x.shape
    rows = np.moveaxis(x, 1, -1).reshape(-1, C)
    return np.moveaxis((rows @ w.reshape(len(w), C).T + b).reshape(N, H, W, len(w)), -1, 1)


def conv2d_dx_as_conv(dout, w, padding=0):
    F, C, KH, KW = w.shape
    around = np.zeros((len(dout), F, dout.shape[2] + 2 * KH - 2, dout.shape[3] + 2 * KW - 2), dtype=dout.dtype)
    around[:, :, KH - 1 : KH - 1 + dout.shape[2], KW - 1 : KW - 1 + dout.shape[3]] = dout
    full, _ = convolve(around, w[:, :, ::-1, ::-1].swapaxes(0, 1), np.zeros(C, dtype=w.dtype), 1, 0)
    return full[:, :, padding : full.shape[2] - padding, padding : full.shape[3] - padding]


def roi_max_pool_forward(x, images, boxes, out_size):
    """A mask of each cell over its whole image."""
    N, C, H, W = x.shape
    row, column = np.ogrid[:H, :W]
    out = np.zeros((len(boxes), C, *out_size), dtype=x.dtype)
    winner = np.full(out.shape, H * W)
    for r, (x1, y1, x2, y2) in enumerate(boxes):
        for p, q in np.ndindex(*out_size):
            h, w = y2 - y1, x2 - x1
            down = (row >= y1 + p * h // out_size[0]) & (row < y1 + np.ceil((p + 1) * h / out_size[0]))
            across = (column >= x1 + q * w // out_size[1]) & (column < x1 + np.ceil((q + 1) * w / out_size[1]))
            if (down & across).any():
                masked = np.where(down & across, x[images[r]], -np.inf).reshape(C, -1)
                winner[r, :, p, q] = masked.argmax(axis=1)
                out[r, :, p, q] = masked.max(axis=1)
    return out, Cache(winner=winner, images=np.array(images), shape=x.shape)


def roi_max_pool_backward(dout, cache):
    N, C, H, W = cache.shape
    dx = np.zeros((N, C, H * W + 1), dtype=dout.dtype)  # one place more, for cells without a pixel
    image = cache.images[:, None, None, None]
    np.add.at(dx, (image, np.arange(C)[None, :, None, None], cache.winner), dout)
    return dx[:, :, :-1].reshape(cache.shape)


def box_iou(a, b):
    r, s = np.indices((len(a), len(b)))
    r, s = a[r.ravel()], b[s.ravel()]
    low, high = np.maximum(r[:, :2], s[:, :2]), np.minimum(r[:, 2:], s[:, 2:])
    shared = np.prod(np.where(high > low, high - low, 0), axis=1)
    union = sum(np.prod(box[:, 2:] - box[:, :2], axis=1) for box in (r, s)) - shared
    union[union <= 0] = np.inf
    return (shared / union).reshape(len(a), len(b))
