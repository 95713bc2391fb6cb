# kn2row: each tap is a 1x1 convolution of the whole image; what comes out is shifted and added.


def _dense(x_shape, kernel_size, stride):
    """Sizes of the output for stride 1, and which of its pixels count."""
    (H, W), (KH, KW) = x_shape[2:], kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    kept = np.s_[:, :, :stride * OH:stride, :stride * OW:stride]
    return H - KH + 1, W - KW + 1, kept


def conv2d_forward(x, w, b, stride=1, padding=0):
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    N, C, H, W = xp.shape
    F, _, KH, KW = w.shape
    DH, DW, kept = _dense(xp.shape, (KH, KW), stride)
    dense = np.zeros((N, F, DH, DW), dtype=x.dtype)
    for i in range(KH):
        for j in range(KW):
            one_by_one = (w[:, :, i, j] @ xp.reshape(N, C, H * W)).reshape(N, F, H, W)
            dense += one_by_one[:, :, i:i + DH, j:j + DW]
    return dense[kept] + b[:, None, None], (xp, w, stride, padding)


def conv2d_backward(dout, cache):
    xp, w, stride, padding = cache
    N, C, H, W = xp.shape
    F, _, KH, KW = w.shape
    DH, DW, kept = _dense(xp.shape, (KH, KW), stride)
    dense = np.zeros((N, F, DH, DW), dtype=dout.dtype)
    dense[kept] = dout
    dense = dense.reshape(N, F, DH * DW)
    dxp, dw = np.zeros_like(xp), np.zeros_like(w)
    for i in range(KH):
        for j in range(KW):
            pixels = xp[:, :, i:i + DH, j:j + DW].reshape(N, C, DH * DW)
            dw[:, :, i, j] = (dense @ pixels.transpose(0, 2, 1)).sum(axis=0)
            dxp[:, :, i:i + DH, j:j + DW] += (w[:, :, i, j].T @ dense).reshape(N, C, DH, DW)
    return dxp[:, :, padding:H - padding, padding:W - padding], dw, dout.sum(axis=(0, 2, 3))


def max_pool2d_forward(x, kernel_size, stride):
    KH, KW = kernel_size
    DH, DW, kept = _dense(x.shape, kernel_size, stride)
    out, winner = x[:, :, :DH, :DW], 0
    for k in range(1, KH * KW):
        i, j = divmod(k, KW)
        shifted = x[:, :, i:i + DH, j:j + DW]
        winner = np.where(shifted > out, k, winner)
        out = np.maximum(out, shifted)
    winner = np.broadcast_to(winner, out.shape)
    return out[kept].copy(), (winner[kept], x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    winner, x_shape, (KH, KW), stride = cache
    DH, DW, kept = _dense(x_shape, (KH, KW), stride)
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for k in range(KH * KW):
        i, j = divmod(k, KW)
        dx[:, :, i:i + DH, j:j + DW][kept] += np.where(winner == k, dout, 0)
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    KH, KW = kernel_size
    DH, DW, kept = _dense(x.shape, kernel_size, stride)
    total = sum(x[:, :, i:i + DH, j:j + DW] for i in range(KH) for j in range(KW))
    return total[kept] / (KH * KW), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), stride = cache
    DH, DW, kept = _dense(x_shape, (KH, KW), stride)
    dense = np.zeros((*x_shape[:2], DH, DW), dtype=dout.dtype)
    dense[kept] = dout / (KH * KW)
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for i in range(KH):
        for j in range(KW):
            dx[:, :, i:i + DH, j:j + DW] += dense
    return dx
