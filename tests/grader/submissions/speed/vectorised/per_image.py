# A Python loop over the images; each image is done at once.


def _image_columns(image, kernel_size, stride, padding):
    C, H, W = image.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    padded = np.pad(image, ((0, 0), (padding, padding), (padding, padding)))
    taps = [padded[:, rows, columns] for _, _, rows, columns in _taps((KH, KW), (OH, OW), stride)]
    return np.stack(taps, axis=1).reshape(C * KH * KW, OH * OW)


def _image_from_columns(cols, shape, kernel_size, stride, padding):
    C, H, W = shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    cols = cols.reshape(C, KH, KW, OH, OW)
    padded = np.zeros((C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    for i, j, rows, columns in _taps((KH, KW), (OH, OW), stride):
        padded[:, rows, columns] += cols[:, i, j]
    return padded[:, padding:padding + H, padding:padding + W]


def im2col(x, kernel_size, stride=1, padding=0):
    return np.concatenate([_image_columns(image, kernel_size, stride, padding) for image in x], axis=1)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    parts = np.split(cols, x_shape[0], axis=1)
    return np.stack([_image_from_columns(part, x_shape[1:], kernel_size, stride, padding) for part in parts])


def conv2d_forward(x, w, b, stride=1, padding=0):
    F, _, KH, KW = w.shape
    OH = conv_output_size(x.shape[2], KH, stride, padding)
    out, cols = [], []
    for image in x:
        cols.append(_image_columns(image, (KH, KW), stride, padding))
        out.append((w.reshape(F, -1) @ cols[-1] + b[:, None]).reshape(F, OH, -1))
    return np.stack(out), (cols, x.shape, w, stride, padding)


def conv2d_backward(dout, cache):
    cols, x_shape, w, stride, padding = cache
    F, _, KH, KW = w.shape
    dx = np.zeros(x_shape, dtype=dout.dtype)
    dw, db = np.zeros((F, w[0].size), dtype=dout.dtype), np.zeros(F, dtype=dout.dtype)
    for n in range(len(dx)):
        d = dout[n].reshape(F, -1)
        dw += d @ cols[n].T
        db += d.sum(axis=1)
        dx[n] = _image_from_columns(w.reshape(F, -1).T @ d, x_shape[1:], (KH, KW), stride, padding)
    return dx, dw.reshape(w.shape), db


def max_pool2d_forward(x, kernel_size, stride):
    (H, W), (KH, KW) = x.shape[2:], kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    out, winners = [], []
    for image in x:
        windows = _image_columns(image, kernel_size, stride, 0).reshape(-1, KH * KW, OH, OW)
        out.append(windows.max(axis=1))
        winners.append(windows.argmax(axis=1))
    return np.stack(out), (winners, x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    winners, x_shape, kernel_size, stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for n, winner in enumerate(winners):
        for k, (_, _, rows, columns) in enumerate(_taps(kernel_size, dout.shape[2:], stride)):
            dx[n, :, rows, columns] += dout[n] * (winner == k)
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    (H, W), (KH, KW) = x.shape[2:], kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    out = []
    for image in x:
        windows = _image_columns(image, kernel_size, stride, 0).reshape(-1, KH * KW, OH, OW)
        out.append(windows.mean(axis=1))
    return np.stack(out), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for n in range(len(dx)):
        share = dout[n] / (KH * KW)
        for _, _, rows, columns in _taps((KH, KW), dout.shape[2:], stride):
            dx[n, :, rows, columns] += share
    return dx
