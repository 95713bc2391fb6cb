"""The extras against PyTorch, on the inputs of the hidden tests. For development: skipped without torch."""

import inspect

import numpy as np
import pytest

from autograder.core import config
from autograder.grading import casefile
from solutions.extras import cases, extras, naive
from tests.grader.support import ROOT

torch = pytest.importorskip("torch")
F = torch.nn.functional
GROUPS = casefile.load(config.load(ROOT / "extras.yaml").homework.fixtures)
TOLERANCE = 1e-12  # share of the largest magnitude; all in float64


def normalized(x, gamma, beta, running_mean, running_var, training, momentum=0.9, eps=1e-5):
    statistics = running_mean.detach(), running_var.detach()
    return F.batch_norm(x, *statistics, gamma, beta, bool(training), 1 - float(momentum), float(eps))


def spread(x, factor):
    ones = torch.ones(x.shape[1], 1, 1, 1, dtype=x.dtype)
    return F.conv_transpose2d(x, ones, stride=factor, output_padding=factor - 1, groups=x.shape[1])


THEIRS = {
    "spatial_batchnorm": normalized,
    "conv_transpose2d": F.conv_transpose2d,
    "upsample": spread,
    "downsample": lambda x, factor: F.max_pool2d(x, 1, factor),
}
"""What PyTorch computes, by family; box_iou is in torchvision alone."""


@pytest.mark.parametrize("homework", [naive, extras], ids=["oracle", "model answer"])
@pytest.mark.parametrize("name", THEIRS)
def test_values_and_gradients_are_those_of_torch(homework, name):
    family = cases.FAMILIES[name]
    forward = getattr(homework, f"{name}_forward" if family.gradients else name)
    for case in GROUPS[name]:
        given = {key: getattr(case, key) for key in inspect.signature(forward).parameters if key in case.names}
        tensors = {
            key: torch.tensor(value, requires_grad=value.dtype.kind == "f" and value.ndim > 0)
            if isinstance(value, np.ndarray)
            else value
            for key, value in given.items()
        }
        expected = THEIRS[name](*tensors.values())
        returned = forward(**given)
        agree(returned[0] if family.gradients else returned, expected, case)
        if family.gradients:
            expected.backward(torch.tensor(case.dout))
            gradients = getattr(homework, f"{name}_backward")(case.dout, returned[-1])
            gradients = gradients if isinstance(gradients, tuple) else (gradients,)
            for result, gradient in zip(family.gradients, gradients, strict=True):
                agree(gradient, tensors[result[1:]].grad, case)


def agree(got, expected, case):
    expected = expected.detach().numpy()
    assert got.shape == expected.shape, case
    assert np.abs(got - expected).max(initial=0) <= TOLERANCE * np.abs(expected).max(initial=1), case
