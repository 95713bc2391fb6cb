# Pooling by reshape where the windows tile the image, and by slices where they do not.


def _tiles(x_shape, kernel_size, stride):
    (H, W), (KH, KW) = x_shape[2:], kernel_size
    return stride == KH == KW and H % KH == 0 and W % KW == 0


def _windows(x, kernel_size, stride):
    """(N, C, OH, OW, K)"""
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    if _tiles(x.shape, kernel_size, stride):
        return x.reshape(N, C, OH, KH, OW, KW).transpose(0, 1, 2, 4, 3, 5).reshape(N, C, OH, OW, KH * KW)
    taps = [x[:, :, rows, columns] for _, _, rows, columns in _taps((KH, KW), (OH, OW), stride)]
    return np.stack(taps, axis=-1)


def _back(dwindows, x_shape, kernel_size, stride):
    (N, C, OH, OW, _), (KH, KW) = dwindows.shape, kernel_size
    if _tiles(x_shape, kernel_size, stride):
        return dwindows.reshape(N, C, OH, OW, KH, KW).transpose(0, 1, 2, 4, 3, 5).reshape(x_shape)
    dx = np.zeros(x_shape, dtype=dwindows.dtype)
    for k, (_, _, rows, columns) in enumerate(_taps((KH, KW), (OH, OW), stride)):
        dx[:, :, rows, columns] += dwindows[..., k]
    return dx


def max_pool2d_forward(x, kernel_size, stride):
    windows = _windows(x, kernel_size, stride)
    winner = windows.argmax(axis=-1)[..., None]
    out = np.take_along_axis(windows, winner, axis=-1)[..., 0]
    return out, (winner, x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    winner, x_shape, kernel_size, stride = cache
    dwindows = np.zeros((*dout.shape, kernel_size[0] * kernel_size[1]), dtype=dout.dtype)
    np.put_along_axis(dwindows, winner, dout[..., None], axis=-1)
    return _back(dwindows, x_shape, kernel_size, stride)


def avg_pool2d_forward(x, kernel_size, stride):
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    if _tiles(x.shape, kernel_size, stride):
        out = x.reshape(N, C, H // KH, KH, W // KW, KW).mean(axis=(3, 5))
    else:
        out = _windows(x, kernel_size, stride).mean(axis=-1)
    return out, (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), stride = cache
    if _tiles(x_shape, (KH, KW), stride):
        return np.repeat(np.repeat(dout / (KH * KW), KH, axis=2), KW, axis=3)
    share = np.repeat(dout[..., None] / (KH * KW), KH * KW, axis=-1)
    return _back(share, x_shape, (KH, KW), stride)
