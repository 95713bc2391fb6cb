"""Odd: the gradient of whatever is linear is a product with the transpose of a matrix, made from unit images."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def windows_of(x, kernel_size, stride, dilation=1):
    """View all windows: axes N, C, output positions, taps."""
    axes = tuple(range(2, x.ndim))
    view = sliding_window_view(x, [dilation * (k - 1) + 1 for k in kernel_size], axis=axes)
    steps = [slice(None)] * 2 + [slice(None, None, stride)] * len(axes) + [slice(None, None, dilation)] * len(axes)
    return view[tuple(steps)]


def put_back(windows, shape, stride, dilation=1):
    """Add all windows to an image of this shape."""
    axes = len(shape) - 2
    x = np.zeros(shape, dtype=windows.dtype)
    out_size, kernel_size = windows.shape[2 : 2 + axes], windows.shape[2 + axes :]
    for tap in np.ndindex(*kernel_size):
        part = tuple(slice(dilation * t, dilation * t + stride * (n - 1) + 1, stride) for t, n in zip(tap, out_size))
        x[(slice(None), slice(None)) + part] += windows[(Ellipsis,) + tap]
    return x


def padded_by(x, padding):
    return np.pad(x, [(0, 0)] * 2 + [(padding, padding)] * (x.ndim - 2))


def convolution(x, w, b, stride, padding, dilation=1):
    axes = x.ndim - 2
    xp = padded_by(x, padding)
    taps = list(range(2 + axes, 2 + 2 * axes))
    windows = windows_of(xp, w.shape[2:], stride, dilation)
    out = np.tensordot(windows, w, ([1, *taps], [1, *range(2, 2 + axes)])) + b

    def backward(dout):
        positions = list(range(2, 2 + axes))
        dw = np.tensordot(dout, windows, ([0, *positions], [0, *positions]))
        dwindows = np.moveaxis(np.tensordot(dout, w, (1, 0)), 1 + axes, 1)
        dxp = put_back(dwindows, xp.shape, stride, dilation)
        inside = tuple(slice(padding, padding + n) for n in x.shape[2:])
        return dxp[(slice(None), slice(None)) + inside], dw, dout.sum(axis=(0, *positions))

    return np.moveaxis(out, -1, 1), backward


def spatial_batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.9, eps=1e-5):
    N, C, H, W = x.shape
    rows = np.moveaxis(x, 1, 0).reshape(C, -1)
    mean, var = running_mean, running_var
    if training:
        mean, var = rows.mean(axis=1), rows.var(axis=1)
        running_mean, running_var = (
            momentum * old + (1 - momentum) * new for old, new in ((running_mean, mean), (running_var, var))
        )
    root = np.sqrt(var + eps)[:, None]
    centred = rows - mean[:, None]
    normal = centred / root

    def image(rows):
        return np.moveaxis(rows.reshape(C, N, H, W), 0, 1)

    def backward(dout):
        d = np.moveaxis(dout, 1, 0).reshape(C, -1)
        dnormal = d * gamma[:, None]
        dx = dnormal / root
        if training:
            dvar = -(dnormal * centred).sum(axis=1, keepdims=True) / (2 * root**3)
            dmean = -(dnormal / root).sum(axis=1, keepdims=True)
            dx = dx + (2 * dvar * centred + dmean) / rows.shape[1]
        return image(dx), (d * normal).sum(axis=1), d.sum(axis=1)

    out = image(gamma[:, None] * normal + beta[:, None])
    return out, running_mean.copy(), running_var.copy(), backward


def spatial_batchnorm_backward(dout, cache):
    return cache(dout)


def conv_transpose2d_forward(x, w, b, stride=1, padding=0):
    """Zeros between the pixels, then a convolution with the rotated filters."""
    N, C, H, W = x.shape
    KH, KW = w.shape[2:]
    wide = np.zeros((N, C, stride * (H - 1) + 1, stride * (W - 1) + 1), dtype=x.dtype)
    wide[:, :, ::stride, ::stride] = x
    around = np.pad(wide, ((0, 0), (0, 0), (KH - 1, KH - 1), (KW - 1, KW - 1)))
    rotated = w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    full, back = convolution(around, rotated, b, 1, 0)

    def inside(length):
        return slice(padding, length - padding)

    def backward(dout):
        dfull = padded_by(dout, padding)
        daround, drotated, db = back(dfull)
        dx = daround[:, :, KH - 1 :, KW - 1 :][:, :, : wide.shape[2] : stride, : wide.shape[3] : stride]
        return dx, drotated.transpose(1, 0, 2, 3)[:, :, ::-1, ::-1], dout.sum(axis=(0, 2, 3))

    return full[:, :, inside(full.shape[2]), inside(full.shape[3])], backward


def conv_transpose2d_backward(dout, cache):
    return cache(dout)


def upsample_forward(x, factor):
    first = np.zeros((factor, factor), dtype=x.dtype)
    first[0, 0] = 1
    return np.kron(x, first), lambda dout: windows_of(dout, (1, 1), factor)[..., 0, 0].copy()


def upsample_backward(dout, cache):
    return cache(dout)


def downsample_forward(x, factor):
    def backward(dout):
        return put_back(dout[..., None, None], x.shape, factor)

    return windows_of(x, (1, 1), factor)[..., 0, 0].copy(), backward


def downsample_backward(dout, cache):
    return cache(dout)


def pad2d_forward(x, padding):
    top, bottom, left, right = padding
    N, C, H, W = x.shape
    above, below = (np.zeros((N, C, n, W), dtype=x.dtype) for n in (top, bottom))
    tall = np.concatenate([above, x, below], axis=2)
    before, after = (np.zeros((N, C, tall.shape[2], n), dtype=x.dtype) for n in (left, right))
    out = np.concatenate([before, tall, after], axis=3)
    return out, lambda dout: np.array(dout[:, :, top:][:, :, :H, left:][..., :W])


def pad2d_backward(dout, cache):
    return cache(dout)


def min_pool2d_forward(x, kernel_size, stride):
    windows = windows_of(x, kernel_size, stride)
    flat = windows.reshape(*windows.shape[:4], -1)
    first = flat.argmin(axis=-1)

    def backward(dout):
        chosen = np.arange(flat.shape[-1]) == first[..., None]
        return put_back((chosen * dout[..., None]).reshape(windows.shape), x.shape, stride)

    return flat.min(axis=-1), backward


def min_pool2d_backward(dout, cache):
    return cache(dout)


def lp_pool2d_forward(x, kernel_size, stride):
    windows = windows_of(x, kernel_size, stride)
    out = np.linalg.norm(windows.reshape(*windows.shape[:4], -1), axis=-1)

    def backward(dout):
        with np.errstate(all="ignore"):
            share = np.nan_to_num(windows / out[..., None, None])
        return put_back(share * dout[..., None, None], x.shape, stride)

    return out.copy(), backward


def lp_pool2d_backward(dout, cache):
    return cache(dout)


def global_avg_pool2d_forward(x):
    N, C, H, W = x.shape
    out = np.einsum("nchw->nc", x) / (H * W)
    return out, lambda dout: np.einsum("nc,hw->nchw", dout, np.full((H, W), 1 / (H * W), dtype=dout.dtype))


def global_avg_pool2d_backward(dout, cache):
    return cache(dout)


def adaptive_avg_pool2d_forward(x, out_size):
    def shares(size, count):
        matrix = np.zeros((count, size), dtype=x.dtype)
        for i in range(count):
            cell = slice(i * size // count, ((i + 1) * size + count - 1) // count)
            matrix[i, cell] = 1 / (cell.stop - cell.start)
        return matrix

    down, across = (shares(size, count) for size, count in zip(x.shape[2:], out_size))
    return down @ x @ across.T, lambda dout: down.T @ dout @ across


def adaptive_avg_pool2d_backward(dout, cache):
    return cache(dout)


def conv2d_grouped_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    parts = zip(np.split(x, groups, axis=1), np.split(w, groups), np.split(b, groups))
    outs, backs = zip(*(convolution(*part, stride, padding, dilation) for part in parts))

    def backward(dout):
        dxs, dws, dbs = zip(*(back(part) for back, part in zip(backs, np.split(dout, groups, axis=1))))
        return np.concatenate(dxs, axis=1), np.concatenate(dws), np.concatenate(dbs)

    return np.concatenate(outs, axis=1), backward


def conv2d_grouped_backward(dout, cache):
    return cache(dout)


def conv1d_forward(x, w, b, stride=1, padding=0):
    return convolution(x, w, b, stride, padding)


def conv1d_backward(dout, cache):
    return cache(dout)


def conv3d_forward(x, w, b, stride=1, padding=0):
    return convolution(x, w, b, stride, padding)


def conv3d_backward(dout, cache):
    return cache(dout)


def conv2d_as_linear(x, w, b):
    return np.tensordot(w[:, :, 0, 0], x, (1, 1)).transpose(1, 0, 2, 3) + b.reshape(1, -1, 1, 1)


def conv2d_dx_as_conv(dout, w, padding=0):
    KH, KW = w.shape[2:]
    around = np.pad(dout, ((0, 0), (0, 0), (KH - 1, KH - 1), (KW - 1, KW - 1)))
    bare = np.zeros(w.shape[1], dtype=w.dtype)
    full, _ = convolution(around, np.rot90(w, 2, axes=(2, 3)).swapaxes(0, 1), bare, 1, 0)
    return full[:, :, padding:, padding:][:, :, : full.shape[2] - 2 * padding, : full.shape[3] - 2 * padding]


def roi_max_pool_forward(x, images, boxes, out_size):
    H, W = x.shape[2:]
    out = np.zeros((len(boxes), x.shape[1], *out_size), dtype=x.dtype)
    chosen = []
    for r, p, q in np.ndindex(len(boxes), *out_size):
        x1, y1, x2, y2 = (int(edge) for edge in boxes[r])
        rows = range(y1 + p * (y2 - y1) // out_size[0], y1 + -(-(p + 1) * (y2 - y1) // out_size[0]))
        columns = range(x1 + q * (x2 - x1) // out_size[1], x1 + -(-(q + 1) * (x2 - x1) // out_size[1]))
        rows, columns = [i for i in rows if 0 <= i < H], [j for j in columns if 0 <= j < W]
        if rows and columns:
            cell = x[images[r]][:, rows][:, :, columns].reshape(x.shape[1], -1)
            for c, k in enumerate(cell.argmax(axis=1)):
                out[r, c, p, q] = cell[c, k]
                chosen.append(((r, c, p, q), (images[r], c, rows[k // len(columns)], columns[k % len(columns)])))

    def backward(dout):
        dx = np.zeros_like(x)
        for cell, pixel in chosen:
            dx[pixel] += dout[cell]
        return dx

    return out, backward


def roi_max_pool_backward(dout, cache):
    return cache(dout)


def box_iou(a, b):
    x1, y1, x2, y2 = (np.stack(np.meshgrid(a[:, k], b[:, k], indexing="ij")) for k in range(4))
    shared = np.maximum(0, x2.min(axis=0) - x1.max(axis=0)) * np.maximum(0, y2.min(axis=0) - y1.max(axis=0))
    union = ((x2 - x1) * (y2 - y1)).sum(axis=0) - shared
    return np.where(union > 0, shared / np.where(union > 0, union, 1), 0).astype(a.dtype)


# ---- backward by matrices


def matrix_of(linear, shape):
    """Return the matrix of a linear function: its columns are what it makes of unit images."""
    size = int(np.prod(shape))
    units = np.eye(size).reshape(size, *shape)
    return np.stack([linear(unit).ravel() for unit in units], axis=1)


class Linear:
    """A cache: the function without its bias, and the shape of what it takes."""

    def __init__(self, linear, shape):
        self.linear, self.shape = linear, shape

    def back(self, dout):
        one = (1, *self.shape[1:])
        matrix = matrix_of(self.linear, one)
        return (dout.reshape(len(dout), -1).astype(float) @ matrix).reshape(self.shape).astype(dout.dtype)


right = dict(globals())


def linear_in_x(name):
    """Replace the gradient with respect to x of a layer by a product with a matrix."""

    def forward(x, *args, **named):
        out, back = right[f"{name}_forward"](x, *args, **named)
        bare = [0 * one if isinstance(one, np.ndarray) and one.ndim == 1 else one for one in args]
        return out, (Linear(lambda unit: right[f"{name}_forward"](unit, *bare, **named)[0], x.shape), back)

    def backward(dout, cache):
        linear, back = cache
        others = back(dout)
        return (linear.back(dout), *others[1:]) if isinstance(others, tuple) else linear.back(dout)

    return forward, backward


upsample_forward, upsample_backward = linear_in_x("upsample")
downsample_forward, downsample_backward = linear_in_x("downsample")
pad2d_forward, pad2d_backward = linear_in_x("pad2d")
global_avg_pool2d_forward, global_avg_pool2d_backward = linear_in_x("global_avg_pool2d")
adaptive_avg_pool2d_forward, adaptive_avg_pool2d_backward = linear_in_x("adaptive_avg_pool2d")
conv_transpose2d_forward, conv_transpose2d_backward = linear_in_x("conv_transpose2d")
conv2d_grouped_forward, conv2d_grouped_backward = linear_in_x("conv2d_grouped")
conv1d_forward, conv1d_backward = linear_in_x("conv1d")
