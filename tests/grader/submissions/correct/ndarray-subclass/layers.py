"""Odd: results are a subclass of ndarray that carries a name and a gradient; columns come as np.matrix."""
import numpy as np


class Tensor(np.ndarray):
    """an array with a name and a place for its gradient"""

    def __new__(cls, data, name=""):
        tensor = np.array(data).view(cls)
        tensor.name, tensor.grad = name, None
        return tensor

    def __array_finalize__(self, parent):
        self.name = getattr(parent, "name", "")
        self.grad = getattr(parent, "grad", None)

    def __repr__(self):
        return f"<Tensor {self.name} {self.shape}>"


def conv_output_size(size, kernel_size, stride=1, padding=0):
    return (size + 2 * padding - kernel_size) // stride + 1


def steps(size, k, stride):
    return [slice(i, i + stride * (conv_output_size(size, k, stride) - 1) + 1, stride) for i in range(k)]


def im2col(x, kernel_size, stride=1, padding=0):
    x = np.pad(np.asarray(x), [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    vertical, horizontal = steps(x.shape[2], kernel_size[0], stride), steps(x.shape[3], kernel_size[1], stride)
    rows = [x[:, c, v, h].ravel() for c in range(x.shape[1]) for v in vertical for h in horizontal]
    return np.asmatrix(rows)


def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    x = Tensor(np.zeros((N, C, H + 2 * padding, W + 2 * padding), cols.dtype), "x")
    rows = iter(np.asarray(cols))
    for c in range(C):
        for v in steps(x.shape[2], kernel_size[0], stride):
            for h in steps(x.shape[3], kernel_size[1], stride):
                x[:, c, v, h] += next(rows).reshape(x[:, c, v, h].shape)
    return x[:, :, padding:padding + H, padding:padding + W]


def conv2d_forward(x, w, b, stride=1, padding=0):
    x, w, b = Tensor(x, "x"), Tensor(w, "w"), Tensor(b, "b")
    cols = im2col(x, w.shape[2:], stride, padding)
    flat = np.asmatrix(w.reshape(len(w), -1)) * cols + np.asmatrix(b).T  # * is the matrix product here
    OH = conv_output_size(x.shape[2], w.shape[2], stride, padding)
    out = Tensor(np.asarray(flat).reshape(len(w), len(x), OH, -1).transpose(1, 0, 2, 3), "out")
    return out, (x, w, b, cols, stride, padding)


def conv2d_backward(dout, cache):
    x, w, b, cols, stride, padding = cache
    D = np.asmatrix(dout.transpose(1, 0, 2, 3).reshape(len(w), -1))
    x.grad = col2im(np.asmatrix(w.reshape(len(w), -1)).T * D, x.shape, w.shape[2:], stride, padding)
    w.grad = Tensor(D * cols.T, "dw").reshape(w.shape)
    b.grad = Tensor(D.sum(axis=1), "db").reshape(b.shape)  # a matrix always has two axes
    return x.grad, w.grad, b.grad


def max_pool2d_forward(x, kernel_size, stride):
    parts = Tensor([x[:, :, v, h] for v in steps(x.shape[2], kernel_size[0], stride)
                    for h in steps(x.shape[3], kernel_size[1], stride)], "parts")
    return parts.max(axis=0), (parts.argmax(axis=0), x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    winner, x_shape, (KH, KW), stride = cache
    dx = Tensor(np.zeros(x_shape, dout.dtype), "dx")
    for i, v in enumerate(steps(x_shape[2], KH, stride)):
        for j, h in enumerate(steps(x_shape[3], KW, stride)):
            dx[:, :, v, h] += (winner == i * KW + j) * dout
    return dx


def avg_pool2d_forward(x, kernel_size, stride):
    parts = Tensor([x[:, :, v, h] for v in steps(x.shape[2], kernel_size[0], stride)
                    for h in steps(x.shape[3], kernel_size[1], stride)], "parts")
    return np.mean(parts, axis=0), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, (KH, KW), stride = cache
    dx = np.ma.zeros(x_shape, dtype=dout.dtype)  # a masked array with nothing masked
    for v in steps(x_shape[2], KH, stride):
        for h in steps(x_shape[3], KW, stride):
            dx[:, :, v, h] += dout / (KH * KW)
    return dx
