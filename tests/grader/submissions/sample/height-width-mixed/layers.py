import numpy as np

"""
HW3 - Tomás
all my tests with 28x28 images and 5x5 kernels work!!
"""


def conv_output_size(size, kernel_size, stride=1, padding=0):
    return (size - kernel_size + 2 * padding) // stride + 1


class Shapes:
    """everything that follows from the shape of the input"""

    def __init__(self, x_shape, kernel_size, stride, padding=0):
        self.N, self.C, self.H, self.W = x_shape
        self.KH, self.KW = kernel_size
        self.stride, self.padding = stride, padding
        self.OH = conv_output_size(self.H, self.KW, stride, padding)
        self.OW = conv_output_size(self.W, self.KH, stride, padding)

    def taps(self):
        """every place in the window, with the rows and columns that it slides over"""
        for i in range(self.KH):
            for j in range(self.KW):
                rows = i + self.stride * np.arange(self.OH)
                columns = j + self.stride * np.arange(self.OW)
                yield i, j, np.ix_(range(self.N), range(self.C), rows, columns)


def im2col(x, kernel_size, stride=1, padding=0):
    s = Shapes(x.shape, kernel_size, stride, padding)
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    cols = np.zeros((s.C, s.KH, s.KW, s.N, s.OH, s.OW), dtype=x.dtype)
    for i, j, where in s.taps():
        cols[:, i, j] = x[where].swapaxes(0, 1)
    return cols.reshape(s.C * s.KH * s.KW, s.N * s.OH * s.OW)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    s = Shapes(x_shape, kernel_size, stride, padding)
    cols = cols.reshape(s.C, s.KH, s.KW, s.N, s.OH, s.OW)
    x = np.zeros((s.N, s.C, s.H + 2 * padding, s.W + 2 * padding), dtype=cols.dtype)
    for i, j, where in s.taps():
        x[where] += cols[:, i, j].swapaxes(0, 1)
    return x[:, :, padding:padding + s.H, padding:padding + s.W]


def conv2d_forward(x, w, b, stride=1, padding=0):
    s = Shapes(x.shape, w.shape[2:], stride, padding)
    F = w.shape[0]
    cols = im2col(x, (s.KH, s.KW), stride, padding)
    out = w.reshape(F, -1) @ cols + b[:, None]
    out = out.reshape(F, s.N, s.OH, s.OW).transpose(1, 0, 2, 3)
    return out, (cols, w, s)


def conv2d_backward(dout, cache):
    cols, w, s = cache
    F = w.shape[0]
    d = dout.transpose(1, 0, 2, 3).reshape(F, -1)
    dx = col2im(w.reshape(F, -1).T @ d, (s.N, s.C, s.H, s.W), (s.KH, s.KW), s.stride, s.padding)
    return dx, (d @ cols.T).reshape(w.shape), d.sum(axis=1)


def max_pool2d_forward(x, kernel_size, stride):
    s = Shapes(x.shape, kernel_size, stride)
    candidates = np.array([x[where] for i, j, where in s.taps()])
    return candidates.max(axis=0), (candidates.argmax(axis=0), s)


def max_pool2d_backward(dout, cache):
    winner, s = cache
    dx = np.zeros((s.N, s.C, s.H, s.W), dtype=dout.dtype)
    for i, j, where in s.taps():
        dx[where] += dout * (winner == i * s.KW + j)
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    s = Shapes(x.shape, kernel_size, stride)
    return sum(x[where] for i, j, where in s.taps()) / (s.KH * s.KW), s


def avg_pool2d_backward(dout, cache):
    s = cache
    dx = np.zeros((s.N, s.C, s.H, s.W), dtype=dout.dtype)
    for i, j, where in s.taps():
        dx[where] += dout / (s.KH * s.KW)
    return dx
