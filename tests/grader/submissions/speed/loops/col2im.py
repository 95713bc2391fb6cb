# col2im window by window; everything else is vectorised.


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    xp = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    column = 0
    for n in range(N):
        for p in range(OH):
            for q in range(OW):
                window = cols[:, column].reshape(C, KH, KW)
                xp[n, :, p * stride:p * stride + KH, q * stride:q * stride + KW] += window
                column += 1
    return xp[:, :, padding:padding + H, padding:padding + W].copy()
