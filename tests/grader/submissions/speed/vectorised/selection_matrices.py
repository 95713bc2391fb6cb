# Matrices of zeros and ones pick the rows and columns that a tap meets; their transposes add.


def _select(size, kernel_size, stride, padding=0):
    """(K, O, size): the matrix of tap k has a 1 at [p, stride*p + k - padding], no 1 on the padding."""
    k, p, h = np.ogrid[:kernel_size, :conv_output_size(size, kernel_size, stride, padding), :size]
    return h == stride * p + k - padding


def im2col(x, kernel_size, stride=1, padding=0):
    N, C, H, W = x.shape
    rows = _select(H, kernel_size[0], stride, padding).astype(x.dtype)
    columns = _select(W, kernel_size[1], stride, padding).astype(x.dtype)
    taps = [[row @ x @ column.T for column in columns] for row in rows]  # KH, KW, N, C, OH, OW
    return np.array(taps).transpose(3, 0, 1, 2, 4, 5).reshape(C * len(rows) * len(columns), -1)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    rows = _select(H, kernel_size[0], stride, padding).astype(cols.dtype)
    columns = _select(W, kernel_size[1], stride, padding).astype(cols.dtype)
    cols = cols.reshape(C, len(rows), len(columns), N, rows.shape[1], columns.shape[1])
    x = np.zeros(x_shape, dtype=cols.dtype)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            x += row.T @ cols[:, i, j].transpose(1, 0, 2, 3) @ column
    return x


def max_pool2d_forward(x, kernel_size, stride):
    rows = _select(x.shape[2], kernel_size[0], stride).astype(x.dtype)
    columns = _select(x.shape[3], kernel_size[1], stride).astype(x.dtype)
    taps = np.array([row @ x @ column.T for row in rows for column in columns])
    return taps.max(axis=0), (taps.argmax(axis=0), rows, columns)


def max_pool2d_backward(dout, cache):
    winner, rows, columns = cache
    dx = 0
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            dx += row.T @ (dout * (winner == i * len(columns) + j)) @ column
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    rows = _select(x.shape[2], kernel_size[0], stride).sum(axis=0).astype(x.dtype)
    columns = _select(x.shape[3], kernel_size[1], stride).sum(axis=0).astype(x.dtype)
    area = kernel_size[0] * kernel_size[1]
    return rows @ x @ columns.T / area, (rows, columns, area)


def avg_pool2d_backward(dout, cache):
    rows, columns, area = cache
    return rows.T @ dout @ columns / area
