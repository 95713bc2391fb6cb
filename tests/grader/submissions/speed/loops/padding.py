# Pads pixel by pixel, but only where there is padding; everything else is vectorised.

_vectorised = im2col


def _padded(x, padding):
    if padding == 0:
        return x
    N, C, H, W = x.shape
    padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            padded[:, :, i + padding, j + padding] = x[:, :, i, j]
    return padded


def im2col(x, kernel_size, stride=1, padding=0):
    return _vectorised(_padded(x, padding), kernel_size, stride, 0)
