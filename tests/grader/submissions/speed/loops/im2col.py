# im2col window by window; everything else is vectorised.


def im2col(x, kernel_size, stride=1, padding=0):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    xp = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    cols = np.zeros((C * KH * KW, N * OH * OW), dtype=x.dtype)
    column = 0
    for n in range(N):
        for p in range(OH):
            for q in range(OW):
                window = xp[n, :, p * stride:p * stride + KH, q * stride:q * stride + KW]
                cols[:, column] = window.reshape(-1)
                column += 1
    return cols
