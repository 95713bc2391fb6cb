import numpy as np

from wire import wires


def _pool(x, kernel_size, stride):
    return np.stack([x[index] for _, index in wires(x.shape, kernel_size, stride)])


def _unpool(blocks, x_shape, kernel_size, stride):
    x = np.zeros(x_shape, dtype=blocks.dtype)
    for k, index in wires(x_shape, kernel_size, stride):
        x[index] += blocks[k]
    return x


def max_pool2d_forward(x, kernel_size, stride):
    blocks = _pool(x, kernel_size, stride)
    return blocks.max(axis=0), (blocks.argmax(axis=0), x.shape, kernel_size, stride)


def max_pool2d_backward(dout, cache):
    winner, x_shape, kernel_size, stride = cache
    blocks = np.stack([dout * (winner == k) for k in range(kernel_size[0] * kernel_size[1])])
    return _unpool(blocks, x_shape, kernel_size, stride)


def avg_pool2d_forward(x, kernel_size, stride):
    return _pool(x, kernel_size, stride).mean(axis=0), (x.shape, kernel_size, stride)


def avg_pool2d_backward(dout, cache):
    x_shape, kernel_size, stride = cache
    size = kernel_size[0] * kernel_size[1]
    return _unpool(np.broadcast_to(dout / size, (size, *dout.shape)), x_shape, kernel_size, stride)
