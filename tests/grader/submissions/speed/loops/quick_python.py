# Pixel by pixel in plain Python, as quick as it gets for 2x2 windows: rows as lists, zip, comprehensions.
from operator import mul


def _correlate(rows, w, stride):
    """One filter over one plane: a flat list, with one number for each window."""
    KH, KW = len(w), len(w[0])
    out = []
    if (KH, KW) == (2, 2):
        (r, s), (t, u) = w
        for top, bottom in zip(rows[::stride], rows[1::stride]):
            windows = zip(top[::stride], top[1::stride], bottom[::stride], bottom[1::stride])
            out += [r * a + s * b + t * c + u * d for a, b, c, d in windows]
        return out
    for p in range(0, len(rows) - KH + 1, stride):
        for q in range(0, len(rows[0]) - KW + 1, stride):
            out.append(sum(w[i][j] * rows[p + i][q + j] for i in range(KH) for j in range(KW)))
    return out


def _sum(planes):
    return planes[0] if len(planes) == 1 else [sum(numbers) for numbers in zip(*planes)]


def conv2d_forward(x, w, b, stride=1, padding=0):
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding))).tolist()
    filters = w.tolist()
    out = np.empty((N, F, OH, OW), dtype=x.dtype)
    for n in range(N):
        for f in range(F):
            plane = _sum([_correlate(xp[n][c], filters[f][c], stride) for c in range(C)])
            out[n, f] = np.fromiter(plane, x.dtype, OH * OW).reshape(OH, OW)
    out += b[:, None, None]
    return out, (xp, x.shape, w, stride, padding)


def conv2d_backward(dout, cache):
    xp, (N, C, H, W), w, stride, padding = cache
    F, _, KH, KW = w.shape
    OH, OW = dout.shape[2:]
    H, W = H + 2 * padding, W + 2 * padding
    # dx is a convolution of dout, with stride - 1 zeros between its pixels, with the filters turned round.
    spread = np.zeros((N, F, H + KH - 1, W + KW - 1), dtype=dout.dtype)
    spread[:, :, KH - 1:KH - 1 + stride * OH:stride, KW - 1:KW - 1 + stride * OW:stride] = dout
    spread, turned, douts = spread.tolist(), w[:, :, ::-1, ::-1].tolist(), dout.tolist()
    dx = np.empty((N, C, H, W), dtype=dout.dtype)
    for n in range(N):
        for c in range(C):
            plane = _sum([_correlate(spread[n][f], turned[f][c], 1) for f in range(F)])
            dx[n, c] = np.fromiter(plane, dout.dtype, H * W).reshape(H, W)
    dw, db = np.zeros_like(w), np.zeros(F, dtype=dout.dtype)
    for f in range(F):
        db[f] = sum(sum(row) for n in range(N) for row in douts[n][f])
        for c, i, j in np.ndindex(C, KH, KW):
            dw[f, c, i, j] = sum(
                sum(map(mul, row, pixels[j::stride]))
                for n in range(N)
                for row, pixels in zip(douts[n][f], xp[n][c][i::stride])
            )
    return dx[:, :, padding:H - padding, padding:W - padding].copy(), dw, db


def _winners(x, kernel_size, stride):
    """The number of the first largest pixel of every window in x.ravel()."""
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    rows = x.reshape(N * C * H, W).tolist()
    winners = []
    for first in range(0, N * C * H, H):
        for row in range(first, first + stride * OH, stride):
            if (KH, KW) != (2, 2):
                for column in range(0, stride * OW, stride):
                    places = [(row + i, column + j) for i in range(KH) for j in range(KW)]
                    i, j = max(places, key=lambda place: rows[place[0]][place[1]])
                    winners.append(i * W + j)
                continue
            top, bottom, k = rows[row], rows[row + 1], row * W
            numbers = range(k, k + W, stride)
            windows = zip(numbers, top[::stride], top[1::stride], bottom[::stride], bottom[1::stride])
            winners += [
                ((k if a >= d else k + W + 1) if a >= c else (k + W if c >= d else k + W + 1))
                if a >= b
                else ((k + 1 if b >= d else k + W + 1) if b >= c else (k + W if c >= d else k + W + 1))
                for k, a, b, c, d in windows
            ]
    return winners


def max_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    OH, OW = conv_output_size(H, kernel_size[0], stride), conv_output_size(W, kernel_size[1], stride)
    if stride == 1 or kernel_size != (2, 2):  # found once, and used again by backward
        winners = _winners(x, kernel_size, stride)
        return x.ravel()[winners].reshape(N, C, OH, OW), (winners, x, kernel_size, stride)
    out = []
    for plane in x.reshape(N * C, H, W).tolist():
        for top, bottom in zip(plane[::stride], plane[1::stride]):
            windows = zip(top[::stride], top[1::stride], bottom[::stride], bottom[1::stride])
            out += [
                ((a if a > d else d) if a > c else (c if c > d else d))
                if a > b
                else ((b if b > d else d) if b > c else (c if c > d else d))
                for a, b, c, d in windows
            ]
    return np.fromiter(out, x.dtype, N * C * OH * OW).reshape(N, C, OH, OW), (None, x, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    winners, x, kernel_size, stride = cache
    dx = [0.0] * x.size
    for k, d in zip(winners or _winners(x, kernel_size, stride), dout.ravel().tolist()):
        dx[k] += d
    return np.fromiter(dx, dout.dtype, x.size).reshape(x.shape)


def avg_pool2d_forward(x, kernel_size, stride):
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    out = []
    for plane in x.reshape(N * C, H, W).tolist():
        if (KH, KW) != (2, 2):
            out += _correlate(plane, [[1.0] * KW] * KH, stride)
            continue
        for top, bottom in zip(plane[::stride], plane[1::stride]):
            windows = zip(top[::stride], top[1::stride], bottom[::stride], bottom[1::stride])
            out += [a + b + c + d for a, b, c, d in windows]
    out = np.fromiter(out, x.dtype, N * C * OH * OW).reshape(N, C, OH, OW)
    out /= KH * KW
    return out, (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    (N, C, H, W), (KH, KW), stride = cache
    dx = []
    for plane in (dout / (KH * KW)).reshape(N * C, *dout.shape[2:]).tolist():
        rows = [[0.0] * W for _ in range(H)]
        for p, row in enumerate(plane):
            if (KH, KW) == (2, 2) == (stride, stride):
                wide = [share for d in row for share in (d, d)]
                wide += [0.0] * (W - len(wide))
                rows[2 * p] = rows[2 * p + 1] = wide
                continue
            for i in range(KH):
                target = rows[stride * p + i]
                for q, share in enumerate(row):
                    for j in range(stride * q, stride * q + KW):
                        target[j] += share
        for row in rows:
            dx += row
    return np.fromiter(dx, dout.dtype, N * C * H * W).reshape(N, C, H, W)
