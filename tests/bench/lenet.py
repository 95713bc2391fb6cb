"""LeNet-5 on 28x28 images, once over any module with the homework's functions and once in PyTorch.

Convolution 5x5 of 6 filters with padding 2, pooling, convolution 5x5 of 16 filters, pooling, then linear layers of 120,
84 and 10; ReLU, softmax and cross-entropy, plain gradient descent. Both start from the same numbers, so after the same
batches both must have the same loss: `peers.py` insists on it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

RATE = 0.01
SHAPES = [(6, 1, 5, 5), (16, 6, 5, 5), (120, 400), (84, 120), (10, 84)]


def parameters(dtype: str) -> list[Array]:
    """Draw w and b of each layer, the same ones every time."""
    rng = np.random.default_rng(5)
    drawn = []
    for shape in SHAPES:
        inputs = int(np.prod(shape[1:]))
        drawn += [rng.standard_normal(shape) * np.sqrt(2 / inputs), np.zeros(shape[0])]
    return [parameter.astype(dtype) for parameter in drawn]


def images(count: int, dtype: str) -> tuple[Array, Array]:
    """Draw images ``(count, 1, 28, 28)`` that can be told apart, and their classes: ten patterns under noise."""
    rng = np.random.default_rng(6)
    patterns = rng.standard_normal((10, 1, 28, 28))
    labels = rng.integers(0, 10, count)
    return (patterns[labels] + rng.standard_normal((count, 1, 28, 28))).astype(dtype), labels


class NumPyNet:
    """LeNet-5 over the layers of `homework`."""

    def __init__(self, homework: Any, dtype: str) -> None:
        self.homework = homework
        self.parameters = parameters(dtype)

    def step(self, x: Array, labels: Array) -> float:
        """Learn from one batch; return its loss before that."""
        w1, b1, w2, b2, w3, b3, w4, b4, w5, b5 = self.parameters
        convolve, pool = self.homework.conv2d_forward, self.homework.max_pool2d_forward
        N = len(x)
        out1, conv1 = convolve(x, w1, b1, padding=2)
        x1, pool1 = pool(np.maximum(out1, 0), (2, 2), 2)
        out2, conv2 = convolve(x1, w2, b2)
        x2, pool2 = pool(np.maximum(out2, 0), (2, 2), 2)
        x3 = x2.reshape(N, -1)
        x4 = np.maximum(x3 @ w3.T + b3, 0)
        x5 = np.maximum(x4 @ w4.T + b4, 0)
        scores = x5 @ w5.T + b5
        scores -= scores.max(axis=1, keepdims=True)
        scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
        loss = -scores[np.arange(N), labels].mean()

        d = np.exp(scores)
        d[np.arange(N), labels] -= 1
        d /= N
        dw5, db5, d = d.T @ x5, d.sum(axis=0), (d @ w5) * (x5 > 0)
        dw4, db4, d = d.T @ x4, d.sum(axis=0), (d @ w4) * (x4 > 0)
        dw3, db3, d = d.T @ x3, d.sum(axis=0), d @ w3
        d = self.homework.max_pool2d_backward(d.reshape(x2.shape), pool2) * (out2 > 0)
        d, dw2, db2 = self.homework.conv2d_backward(d, conv2)
        d = self.homework.max_pool2d_backward(d, pool1) * (out1 > 0)
        _, dw1, db1 = self.homework.conv2d_backward(d, conv1)
        gradients = (dw1, db1, dw2, db2, dw3, db3, dw4, db4, dw5, db5)
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter -= RATE * gradient
        return float(loss)


class TorchNet:
    """LeNet-5 in PyTorch, eager, as its tutorials write it. It is spared the dx of the first layer; NumPyNet is not."""

    def __init__(self, torch: Any, dtype: str) -> None:
        self.torch = torch
        self.parameters = [torch.from_numpy(parameter).requires_grad_() for parameter in parameters(dtype)]
        self.optimizer = torch.optim.SGD(self.parameters, lr=RATE)

    def step(self, x: Array, labels: Array) -> float:
        """Learn from one batch; return its loss before that."""
        w1, b1, w2, b2, w3, b3, w4, b4, w5, b5 = self.parameters
        F = self.torch.nn.functional
        self.optimizer.zero_grad()
        x1 = F.max_pool2d(F.relu(F.conv2d(self.torch.from_numpy(x), w1, b1, padding=2)), 2)
        x2 = F.max_pool2d(F.relu(F.conv2d(x1, w2, b2)), 2)
        x4 = F.relu(F.linear(x2.flatten(1), w3, b3))
        x5 = F.relu(F.linear(x4, w4, b4))
        loss = F.cross_entropy(F.linear(x5, w5, b5), self.torch.from_numpy(labels))
        loss.backward()
        self.optimizer.step()
        return loss.item()
