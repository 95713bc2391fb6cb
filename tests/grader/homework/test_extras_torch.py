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


def pooled(x, images, boxes, out_size):
    """Pad so far that no box sticks out, with what no maximum is; then pool box by box."""
    x, cells = F.pad(x, (16, 16, 16, 16), value=-np.inf), []
    for image, (x1, y1, x2, y2) in zip(images.tolist(), (boxes + 16).tolist(), strict=True):
        if x1 < x2 and y1 < y2:
            cells.append(F.adaptive_max_pool2d(x[image : image + 1, :, y1:y2, x1:x2], out_size)[0])
        else:
            cells.append(torch.full((x.shape[1], *out_size), -np.inf, dtype=x.dtype))
    out = torch.stack(cells)
    return torch.where(torch.isinf(out), 0, out)


def of_stride_one(dout, w, padding=0):
    (N, _, OH, OW), (_, C, KH, KW) = dout.shape, w.shape
    shape = N, C, OH + KH - 1 - 2 * padding, OW + KW - 1 - 2 * padding
    return torch.nn.grad.conv2d_input(shape, w, dout, padding=padding)


THEIRS = {
    "spatial_batchnorm": normalized,
    "conv_transpose2d": F.conv_transpose2d,
    "upsample": spread,
    "downsample": lambda x, factor: F.max_pool2d(x, 1, factor),
    "pad2d": lambda x, padding: F.pad(x, (*padding[2:], *padding[:2])),
    "min_pool2d": lambda x, kernel_size, stride: -F.max_pool2d(-x, kernel_size, stride),
    "lp_pool2d": lambda x, kernel_size, stride: F.lp_pool2d(x, 2, kernel_size, stride),
    "global_avg_pool2d": lambda x: x.mean(dim=(2, 3)),
    "adaptive_avg_pool2d": F.adaptive_avg_pool2d,
    "conv2d_grouped": F.conv2d,
    "conv1d": F.conv1d,
    "conv3d": F.conv3d,
    "conv2d_as_linear": F.conv2d,
    "conv2d_dx_as_conv": of_stride_one,
    "roi_max_pool": pooled,
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
