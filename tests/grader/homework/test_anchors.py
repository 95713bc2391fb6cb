"""Numbers that public course handouts print for inputs with a formula: model answer and oracle give them, too."""

import numpy as np
import pytest

from solutions import fast, layers, naive

MODULES = [layers, fast, naive]


def ramp(start, stop, *shape):
    return np.linspace(start, stop, num=int(np.prod(shape))).reshape(shape)


@pytest.mark.parametrize("module", MODULES)
def test_cs231n_convolution(module):
    """CS231n, assignment 2: conv_forward_naive, stride 2, padding 1. Both images, as the notebook prints them."""
    x, w, b = ramp(-0.1, 0.5, 2, 3, 4, 4), ramp(-0.2, 0.3, 3, 3, 4, 4), np.linspace(-0.1, 0.2, num=3)
    out, _ = module.conv2d_forward(x, w, b, stride=2, padding=1)
    first = [
        [[-0.08759809, -0.10987781], [-0.18387192, -0.2109216]],
        [[0.21027089, 0.21661097], [0.22847626, 0.23004637]],
        [[0.50813986, 0.54309974], [0.64082444, 0.67101435]],
    ]
    second = [
        [[-0.98053589, -1.03143541], [-1.19128892, -1.24695841]],
        [[0.69108355, 0.66880383], [0.59480972, 0.56776003]],
        [[2.36270298, 2.36904306], [2.38090835, 2.38247847]],
    ]
    assert np.abs(out - [first, second]).max() < 1e-8


@pytest.mark.parametrize("module", MODULES)
def test_cs231n_max_pooling(module):
    """CS231n, assignment 2: max_pool_forward_naive, windows of 2 by 2, stride 2."""
    out, _ = module.max_pool2d_forward(ramp(-0.3, 0.4, 2, 3, 4, 4), (2, 2), 2)
    expected = [-0.26315789, -0.24842105, -0.20421053, -0.18947368]
    assert np.abs(out[0, 0].ravel() - expected).max() < 1e-8
    assert np.abs(out[1, 2].ravel() - [0.32631579, 0.34105263, 0.38526316, 0.4]).max() < 1e-8


@pytest.mark.parametrize("module", MODULES)
def test_deeplearning_ai_convolution(module):
    """Course 4, week 1: conv_forward with seed 1, padding 2, stride 2, and conv_backward with dZ = Z; channels last."""
    random = np.random.RandomState(1)
    x = random.randn(10, 4, 4, 3).transpose(0, 3, 1, 2)
    w = random.randn(2, 2, 3, 8).transpose(3, 2, 0, 1)
    b = random.randn(1, 1, 1, 8).ravel()
    out, cache = module.conv2d_forward(x, w, b, stride=2, padding=2)
    assert abs(out.mean() - 0.0489952035289) < 1e-12
    dx, dw, db = module.conv2d_backward(out, cache)
    assert abs(dx.mean() - 1.4524377775388) < 1e-12
    assert abs(dw.mean() - 1.7269914583139) < 1e-12
    assert abs(db.mean() - 7.8392325646169) < 1e-12
