# Convolution and average pooling as products of Fourier transforms; max pooling tap by tap.


def _correlate(x, w, stride, padding):
    H, W = x.shape[2] + 2 * padding, x.shape[3] + 2 * padding
    OH, OW = conv_output_size(H, w.shape[2], stride), conv_output_size(W, w.shape[3], stride)
    xp = np.zeros((*x.shape[:2], H, W))
    xp[:, :, padding:H - padding, padding:W - padding] = x
    X, K = np.fft.rfft2(xp), np.fft.rfft2(w.astype(float), (H, W))
    dense = np.fft.irfft2(np.einsum("nchw,fchw->nfhw", X, K.conj()), (H, W))
    return dense[:, :, :stride * OH:stride, :stride * OW:stride], (X, K, (H, W), stride, padding)


def _gradients(dout, cache):
    X, K, (H, W), stride, padding = cache
    OH, OW = dout.shape[2:]
    dense = np.zeros((*dout.shape[:2], H, W))
    dense[:, :, :stride * OH:stride, :stride * OW:stride] = dout
    D = np.fft.rfft2(dense)
    dx = np.fft.irfft2(np.einsum("nfhw,fchw->nchw", D, K), (H, W))
    dw = np.fft.irfft2(np.einsum("nfhw,nchw->fchw", D.conj(), X), (H, W))
    return dx[:, :, padding:H - padding, padding:W - padding], dw


def conv2d_forward(x, w, b, stride=1, padding=0):
    out, cache = _correlate(x, w, stride, padding)
    return (out + b[:, None, None]).astype(x.dtype), (cache, w.shape)


def conv2d_backward(dout, cache):
    cache, (_, _, KH, KW) = cache
    dx, dw = _gradients(dout, cache)
    return dx.astype(dout.dtype), dw[:, :, :KH, :KW].astype(dout.dtype), dout.sum(axis=(0, 2, 3))


def max_pool2d_forward(x, kernel_size, stride):
    (H, W), (KH, KW) = x.shape[2:], kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    taps = np.array([x[:, :, rows, columns] for _, _, rows, columns in _taps(kernel_size, (OH, OW), stride)])
    return taps.max(axis=0), (taps.argmax(axis=0), x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    winner, x_shape, kernel_size, stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for k, (_, _, rows, columns) in enumerate(_taps(kernel_size, dout.shape[2:], stride)):
        dx[:, :, rows, columns] += np.where(winner == k, dout, 0)
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    box = np.ones((1, 1, *kernel_size)) / (kernel_size[0] * kernel_size[1])
    out, cache = _correlate(x.reshape(N * C, 1, H, W), box, stride, 0)
    return out.reshape(N, C, *out.shape[2:]).astype(x.dtype), cache


def avg_pool2d_backward(dout, cache):
    N, C, OH, OW = dout.shape
    dx, _ = _gradients(dout.reshape(N * C, 1, OH, OW), cache)
    return dx.reshape(N, C, *dx.shape[2:]).astype(dout.dtype)
