"""Both answers against PyTorch, whose convolution nobody here has written. For development: skipped without torch.

Nothing installs torch, and no lock names it. To run this: ``pip install torch`` into an environment of your own.
"""

import numpy as np
import pytest

from solutions import layers, naive

torch = pytest.importorskip("torch")
F = torch.nn.functional

LAYERS = 200
TOLERANCE = 1e-12  # share of the largest magnitude; all in float64
both_answers = pytest.mark.parametrize("homework", [naive, layers], ids=["oracle", "model answer"])


def geometries(padded):
    """Draw shapes: rectangles, strides beyond the window, paddings, borders that no window reaches."""
    rng = np.random.default_rng(20260901)
    for _ in range(LAYERS):
        N, C, filters, KH, KW, stride = rng.integers(1, 5, 6).tolist()
        padding = int(rng.integers(0, 3)) if padded else 0
        H, W = (max(1, k - 2 * padding) + int(rng.integers(0, 7)) for k in (KH, KW))
        yield rng, (N, C, H, W), filters, (KH, KW), stride, padding


def tensor(array):
    return torch.tensor(array, requires_grad=True)


def agree(got, expected):
    expected = expected.detach().numpy()
    assert got.shape == expected.shape
    assert np.abs(got - expected).max(initial=0) <= TOLERANCE * np.abs(expected).max(initial=1)


@both_answers
def test_convolution_is_that_of_torch(homework):
    for rng, x_shape, filters, kernel_size, stride, padding in geometries(padded=True):
        inputs = [rng.standard_normal(shape) for shape in (x_shape, (filters, x_shape[1], *kernel_size), filters)]
        tensors = [tensor(array) for array in inputs]
        out, cache = homework.conv2d_forward(*inputs, stride=stride, padding=padding)
        expected = F.conv2d(*tensors, stride=stride, padding=padding)
        agree(out, expected)
        dout = rng.standard_normal(out.shape)
        expected.backward(torch.tensor(dout))
        for gradient, argument in zip(homework.conv2d_backward(dout, cache), tensors, strict=True):
            agree(gradient, argument.grad)


@both_answers
@pytest.mark.parametrize("kind", ["max", "avg"])
def test_pooling_is_that_of_torch(homework, kind):
    forward, backward = (getattr(homework, f"{kind}_pool2d_{way}") for way in ("forward", "backward"))
    for rng, x_shape, _, kernel_size, stride, _ in geometries(padded=False):
        x = rng.standard_normal(x_shape)
        argument = tensor(x)
        out, cache = forward(x, kernel_size, stride)
        expected = getattr(F, f"{kind}_pool2d")(argument, kernel_size, stride)
        agree(out, expected)
        dout = rng.standard_normal(out.shape)
        expected.backward(torch.tensor(dout))
        agree(backward(dout, cache), argument.grad)


@both_answers
def test_columns_are_those_of_torch(homework):
    """Torch has one matrix for each image; here they stand side by side."""
    for rng, x_shape, _, kernel_size, stride, padding in geometries(padded=True):
        x = rng.standard_normal(x_shape)
        cols = homework.im2col(x, kernel_size, stride=stride, padding=padding)
        unfolded = F.unfold(torch.tensor(x), kernel_size, stride=stride, padding=padding)
        agree(cols, unfolded.transpose(0, 1).reshape(cols.shape))
        cols = rng.standard_normal(cols.shape)
        apart = torch.tensor(cols).reshape(len(cols), len(x), -1).transpose(0, 1)
        folded = F.fold(apart, x_shape[2:], kernel_size, stride=stride, padding=padding)
        agree(homework.col2im(cols, x_shape, kernel_size, stride=stride, padding=padding), folded)


@both_answers
def test_ties_go_where_torch_sends_them(homework):
    for rng, x_shape, _, kernel_size, stride, _ in geometries(padded=False):
        x = rng.integers(0, 3, x_shape).astype(np.float64)
        argument = tensor(x)
        out, cache = homework.max_pool2d_forward(x, kernel_size, stride)
        dout = rng.standard_normal(out.shape)
        F.max_pool2d(argument, kernel_size, stride).backward(torch.tensor(dout))
        agree(homework.max_pool2d_backward(dout, cache), argument.grad)
