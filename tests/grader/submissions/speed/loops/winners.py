# The backward pass of max pooling window by window, the shortest way; everything else is vectorised.


def max_pool2d_backward(dout, cache):  # the shortest loop over windows that there is
    winner, x_shape, (_, KW), stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for n, c, p, q in np.ndindex(*dout.shape):
        i, j = divmod(winner[n, c, p, q], KW)
        dx[n, c, stride * p + i, stride * q + j] += dout[n, c, p, q]
    return dx
