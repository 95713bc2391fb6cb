"""Gradients against finite differences: of the true forward pass, and of the student's own.

The slopes of the true forward pass are in the fixtures. A backward pass that is right for the student's own forward
pass gets the points of ``own_forward`` even where that one is wrong, as long as it depends on its inputs.
"""

import numpy as np
import pytest


def own_slopes(check, case, directions, forward):
    """Return the slopes of ``<dout, forward(step)>`` along `directions`: central differences, two calls for each."""
    slopes = np.empty(len(directions))
    for k, direction in enumerate(directions):
        ahead = check.tensor("out", forward(direction), case.dout.shape)
        behind = check.tensor("out", forward(-direction), case.dout.shape)
        check.distinct("out", ahead, behind)
        slopes[k] = (case.dout * (ahead - behind)).sum() / 2
    return check.tensor("slopes of out", slopes, slopes.shape)


@pytest.mark.cases("conv2d_slopes")
def test_conv2d_backward_slopes(student, case, check):
    """conv2d_backward: dx, dw and db agree with finite differences."""
    _, cache = student.conv2d_forward(case.x, case.w, case.b, stride=case.stride, padding=case.padding)
    dx, dw, db = student.conv2d_backward(case.dout, cache)
    check.slopes("dx", dx, case.directions_x, case.slopes_x)
    check.slopes("dw", dw, case.directions_w, case.slopes_w)
    check.slopes("db", db, case.directions_b, case.slopes_b)


@pytest.mark.cases("conv2d_slopes")
def test_conv2d_backward_own_forward(student, case, check):
    """conv2d_backward: dx, dw and db agree with finite differences of your own conv2d_forward."""

    def forward(x=0, w=0, b=0):
        out, _ = student.conv2d_forward(case.x + x, case.w + w, case.b + b, stride=case.stride, padding=case.padding)
        return out

    _, cache = student.conv2d_forward(case.x, case.w, case.b, stride=case.stride, padding=case.padding)
    dx, dw, db = student.conv2d_backward(case.dout, cache)
    check.slopes("dx", dx, case.directions_x, own_slopes(check, case, case.directions_x, lambda d: forward(x=d)))
    check.slopes("dw", dw, case.directions_w, own_slopes(check, case, case.directions_w, lambda d: forward(w=d)))
    check.slopes("db", db, case.directions_b, own_slopes(check, case, case.directions_b, lambda d: forward(b=d)))


@pytest.mark.cases("max_pool2d_slopes")
def test_max_pool2d_backward_slopes(student, case, check):
    """max_pool2d_backward: dx agrees with finite differences."""
    _, cache = student.max_pool2d_forward(case.x, case.kernel_size, case.stride)
    dx = student.max_pool2d_backward(case.dout, cache)
    check.slopes("dx", dx, case.directions, case.slopes)


@pytest.mark.cases("max_pool2d_slopes")
def test_max_pool2d_backward_own_forward(student, case, check):
    """max_pool2d_backward: dx agrees with finite differences of your own max_pool2d_forward."""

    def forward(step):
        out, _ = student.max_pool2d_forward(case.x + step, case.kernel_size, case.stride)
        return out

    _, cache = student.max_pool2d_forward(case.x, case.kernel_size, case.stride)
    dx = student.max_pool2d_backward(case.dout, cache)
    check.slopes("dx", dx, case.directions, own_slopes(check, case, case.directions, forward))


@pytest.mark.cases("avg_pool2d_slopes")
def test_avg_pool2d_backward_slopes(student, case, check):
    """avg_pool2d_backward: dx agrees with finite differences."""
    _, cache = student.avg_pool2d_forward(case.x, case.kernel_size, case.stride)
    dx = student.avg_pool2d_backward(case.dout, cache)
    check.slopes("dx", dx, case.directions, case.slopes)


@pytest.mark.cases("avg_pool2d_slopes")
def test_avg_pool2d_backward_own_forward(student, case, check):
    """avg_pool2d_backward: dx agrees with finite differences of your own avg_pool2d_forward."""

    def forward(step):
        out, _ = student.avg_pool2d_forward(case.x + step, case.kernel_size, case.stride)
        return out

    _, cache = student.avg_pool2d_forward(case.x, case.kernel_size, case.stride)
    dx = student.avg_pool2d_backward(case.dout, cache)
    check.slopes("dx", dx, case.directions, own_slopes(check, case, case.directions, forward))
