"""Odd: everything is made of the functions of layers.py, which is handed in as well."""

import numpy as np
from layers import (
    avg_pool2d_backward,
    avg_pool2d_forward,
    col2im,
    conv2d_backward,
    conv2d_forward,
    im2col,
    max_pool2d_backward,
    max_pool2d_forward,
)

# ---- batch normalization, as a graph of small steps


def spatial_batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.9, eps=1e-5):
    N, C, H, W = x.shape
    flat = x.transpose(0, 2, 3, 1).reshape(-1, C)
    if training:
        mean = flat.mean(axis=0)
        centred = flat - mean
        var = (centred**2).mean(axis=0)
        running_mean = momentum * running_mean + (1 - momentum) * mean
        running_var = momentum * running_var + (1 - momentum) * var
    else:
        centred, var = flat - running_mean, running_var
    root = np.sqrt(var + eps)
    normal = centred / root
    out = (gamma * normal + beta).reshape(N, H, W, C).transpose(0, 3, 1, 2)
    return out, 1 * running_mean, 1 * running_var, (centred, root, normal, gamma, training)


def spatial_batchnorm_backward(dout, cache):
    centred, root, normal, gamma, training = cache
    N, C, H, W = dout.shape
    flat = dout.transpose(0, 2, 3, 1).reshape(-1, C)
    dbeta, dgamma = flat.sum(axis=0), (flat * normal).sum(axis=0)
    dnormal = flat * gamma
    dcentred = dnormal / root
    if training:
        droot = -(dnormal * centred).sum(axis=0) / root**2
        dvar = droot / (2 * root)
        dcentred = dcentred + 2 * centred * dvar / len(flat)
        dcentred = dcentred - dcentred.mean(axis=0)
    return dcentred.reshape(N, H, W, C).transpose(0, 3, 1, 2), dgamma, dbeta


# ---- transposed convolution: the way back of a convolution


def conv_transpose2d_forward(x, w, b, stride=1, padding=0):
    N, C, H, W = x.shape
    F, KH, KW = w.shape[1:]
    shape = N, F, stride * (H - 1) + KH - 2 * padding, stride * (W - 1) + KW - 2 * padding
    cols = w.reshape(C, -1).T @ x.transpose(1, 0, 2, 3).reshape(C, -1)
    return col2im(cols, shape, (KH, KW), stride, padding) + b.reshape(1, -1, 1, 1), (x, w, stride, padding)


def conv_transpose2d_backward(dout, cache):
    x, w, stride, padding = cache
    bare = np.zeros(len(w), dtype=w.dtype)
    dx, its_cache = conv2d_forward(dout, w, bare, stride, padding)
    _, dw, _ = conv2d_backward(x, its_cache)
    return dx, dw, dout.sum(axis=(0, 2, 3))


# ---- windows of one pixel


def upsample_forward(x, factor):
    N, C, H, W = x.shape
    cols = im2col(x, (1, 1))
    return col2im(cols, (N, C, factor * H, factor * W), (1, 1), factor), factor


def upsample_backward(dout, cache):
    return downsample_forward(dout, cache)[0]


def downsample_forward(x, factor):
    N, C, H, W = x.shape
    cols = im2col(x, (1, 1), factor)
    return cols.reshape(C, N, -(-H // factor), -(-W // factor)).transpose(1, 0, 2, 3), (x.shape, factor)


def downsample_backward(dout, cache):
    shape, factor = cache
    return col2im(im2col(dout, (1, 1)), shape, (1, 1), factor)


def pad2d_forward(x, padding):
    top, bottom, left, right = padding
    out = np.zeros((*x.shape[:2], top + x.shape[2] + bottom, left + x.shape[3] + right), dtype=x.dtype)
    out[:, :, top : top + x.shape[2], left : left + x.shape[3]] = x
    return out, (top, left, x.shape[2], x.shape[3])


def pad2d_backward(dout, cache):
    top, left, H, W = cache
    rows, columns = np.arange(top, top + H), np.arange(left, left + W)
    return dout[:, :, rows][:, :, :, columns]


# ---- pools


def min_pool2d_forward(x, kernel_size, stride):
    out, cache = max_pool2d_forward(-x, kernel_size, stride)
    return -out, cache


def min_pool2d_backward(dout, cache):
    return max_pool2d_backward(dout, cache)


def lp_pool2d_forward(x, kernel_size, stride):
    mean, cache = avg_pool2d_forward(x * x, kernel_size, stride)
    out = np.sqrt(mean * (kernel_size[0] * kernel_size[1]))
    return out, (x, out.copy(), kernel_size, cache)


def lp_pool2d_backward(dout, cache):
    x, out, (KH, KW), its_cache = cache
    safe = np.where(out == 0, np.ones_like(out), out)
    return x * avg_pool2d_backward(np.where(out == 0, np.zeros_like(out), dout / safe) * (KH * KW), its_cache)


def global_avg_pool2d_forward(x):
    out, cache = avg_pool2d_forward(x, x.shape[2:], 1)
    return out.reshape(x.shape[:2]), cache


def global_avg_pool2d_backward(dout, cache):
    return avg_pool2d_backward(dout.reshape(*dout.shape, 1, 1), cache)


def cells_of(size, count):
    return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


def adaptive_avg_pool2d_forward(x, out_size):
    out, caches = np.zeros((*x.shape[:2], *out_size), dtype=x.dtype), {}
    for p, (top, bottom) in enumerate(cells_of(x.shape[2], out_size[0])):
        for q, (left, right) in enumerate(cells_of(x.shape[3], out_size[1])):
            window = x[:, :, top:bottom, left:right]
            mean, caches[p, q] = avg_pool2d_forward(window, window.shape[2:], 1)
            out[:, :, p, q] = mean[:, :, 0, 0]
    return out, (x.shape, caches)


def adaptive_avg_pool2d_backward(dout, cache):
    shape, caches = cache
    dx = np.zeros(shape, dtype=dout.dtype)
    for p, (top, bottom) in enumerate(cells_of(shape[2], dout.shape[2])):
        for q, (left, right) in enumerate(cells_of(shape[3], dout.shape[3])):
            dx[:, :, top:bottom, left:right] += avg_pool2d_backward(dout[:, :, p : p + 1, q : q + 1], caches[p, q])
    return dx


# ---- other convolutions


def conv2d_grouped_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    F, per_group, KH, KW = w.shape
    wide = np.zeros((F, per_group, dilation * (KH - 1) + 1, dilation * (KW - 1) + 1), dtype=w.dtype)
    wide[:, :, ::dilation, ::dilation] = w  # filters with zeros in their gaps
    outs, caches = [], []
    for g in range(groups):
        filters, channels = slice(g * F // groups, (g + 1) * F // groups), slice(g * per_group, (g + 1) * per_group)
        out, cache = conv2d_forward(x[:, channels], wide[filters], b[filters], stride, padding)
        outs.append(out)
        caches.append(cache)
    return np.concatenate(outs, axis=1), (caches, dilation)


def conv2d_grouped_backward(dout, cache):
    caches, dilation = cache
    parts = [conv2d_backward(part, one) for part, one in zip(np.split(dout, len(caches), axis=1), caches)]
    dx, dw, db = (np.concatenate(each, axis=axis) for each, axis in zip(zip(*parts), (1, 0, 0)))
    return dx, dw[:, :, ::dilation, ::dilation], db


def conv1d_forward(x, w, b, stride=1, padding=0):
    image = np.pad(x, ((0, 0), (0, 0), (padding, padding)))[:, :, None]
    out, cache = conv2d_forward(image, w[:, :, None], b, stride)
    return out[:, :, 0], (cache, padding, x.shape[2])


def conv1d_backward(dout, cache):
    its_cache, padding, L = cache
    dx, dw, db = conv2d_backward(dout[:, :, None], its_cache)
    return dx[:, :, 0, padding : padding + L], dw[:, :, 0], db


def conv3d_forward(x, w, b, stride=1, padding=0):
    """Slices in depth are channels of a convolution in two directions."""
    N, C, D, H, W = x.shape
    F, _, KD, KH, KW = w.shape
    deep = np.pad(x, ((0, 0), (0, 0), (padding, padding), (0, 0), (0, 0)))
    outs, caches = [], []
    for first in range(0, deep.shape[2] - KD + 1, stride):
        image = deep[:, :, first : first + KD].reshape(N, C * KD, H, W)
        out, cache = conv2d_forward(image, w.reshape(F, C * KD, KH, KW), b, stride, padding)
        outs.append(out)
        caches.append(cache)
    return np.stack(outs, axis=2), (caches, x.shape, w.shape, stride, padding)


def conv3d_backward(dout, cache):
    caches, (N, C, D, H, W), w_shape, stride, padding = cache
    KD = w_shape[2]
    deep = np.zeros((N, C, D + 2 * padding, H, W), dtype=dout.dtype)
    dw, db = 0, 0
    for o, one in enumerate(caches):
        dimage, its_dw, its_db = conv2d_backward(np.ascontiguousarray(dout[:, :, o]), one)
        deep[:, :, stride * o : stride * o + KD] += dimage.reshape(N, C, KD, H, W)
        dw, db = dw + its_dw, db + its_db
    return deep[:, :, padding : padding + D], dw.reshape(w_shape), db


def conv2d_as_linear(x, w, b):
    return conv2d_forward(x, w, b)[0]


def conv2d_dx_as_conv(dout, w, padding=0):
    F, C, KH, KW = w.shape
    around = np.pad(dout, ((0, 0), (0, 0), (KH - 1,) * 2, (KW - 1,) * 2))
    full, _ = conv2d_forward(around, np.flip(w, (2, 3)).transpose(1, 0, 2, 3), np.zeros(C, dtype=w.dtype))
    return full[:, :, padding : full.shape[2] - padding, padding : full.shape[3] - padding]


# ---- regions


def roi_max_pool_forward(x, images, boxes, out_size):
    """Each cell is one window of a max pool."""
    N, C, H, W = x.shape
    out = np.zeros((len(boxes), C, *out_size), dtype=x.dtype)
    pooled = []
    for r, (x1, y1, x2, y2) in enumerate(np.asarray(boxes).tolist()):
        for p, (top, bottom) in enumerate(cells_of(y2 - y1, out_size[0])):
            for q, (left, right) in enumerate(cells_of(x2 - x1, out_size[1])):
                t, u = np.clip([y1 + top, y1 + bottom], 0, H)
                s, v = np.clip([x1 + left, x1 + right], 0, W)
                if t < u and s < v:
                    best, cache = max_pool2d_forward(x[images[r]][None, :, t:u, s:v], (u - t, v - s), 1)
                    out[r, :, p, q] = best[0, :, 0, 0]
                    pooled.append((cache, r, p, q, images[r], slice(t, u), slice(s, v)))
    return out, (pooled, x.shape)


def roi_max_pool_backward(dout, cache):
    pooled, shape = cache
    dx = np.zeros(shape, dtype=dout.dtype)
    for its_cache, r, p, q, image, rows, columns in pooled:
        dx[image, :, rows, columns] += max_pool2d_backward(dout[r : r + 1, :, p : p + 1, q : q + 1], its_cache)[0]
    return dx


def box_iou(a, b):
    iou = np.zeros((len(a), len(b)), dtype=a.dtype)
    for r, (x1, y1, x2, y2) in enumerate(a):
        width = np.clip(np.minimum(x2, b[:, 2]) - np.maximum(x1, b[:, 0]), 0, None)
        height = np.clip(np.minimum(y2, b[:, 3]) - np.maximum(y1, b[:, 1]), 0, None)
        union = (x2 - x1) * (y2 - y1) + (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1]) - width * height
        covered = union > 0
        iou[r, covered] = (width * height)[covered] / union[covered]
    return iou
