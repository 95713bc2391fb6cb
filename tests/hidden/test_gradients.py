"""Gradients against finite differences: of the right forward pass, or of the student's own.

The slopes of the right forward pass are in the fixtures. If a backward pass does not have them, it is compared with the
student's own forward pass, provided that pass depends on its inputs. So it loses no points for a wrong forward pass.
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
    """conv2d_backward: dx, dw and db agree with finite differences of a right forward pass, or of yours."""

    def own(argument, directions):
        given = {"x": case.x, "w": case.w, "b": case.b}

        def forward(step):
            moved = given | {argument: given[argument] + step}
            return student.conv2d_forward(*moved.values(), stride=case.stride, padding=case.padding)[0]

        return lambda: own_slopes(check, case, directions, forward)

    _, cache = student.conv2d_forward(case.x, case.w, case.b, stride=case.stride, padding=case.padding)
    dx, dw, db = student.conv2d_backward(case.dout, cache)
    check.slopes("dx", dx, case.directions_x, case.slopes_x, own=own("x", case.directions_x))
    check.slopes("dw", dw, case.directions_w, case.slopes_w, own=own("w", case.directions_w))
    check.slopes("db", db, case.directions_b, case.slopes_b, own=own("b", case.directions_b))


@pytest.mark.cases("max_pool2d_slopes")
def test_max_pool2d_backward_slopes(student, case, check):
    """max_pool2d_backward: dx agrees with finite differences of a right forward pass, or of yours."""

    def forward(step):
        return student.max_pool2d_forward(case.x + step, case.kernel_size, case.stride)[0]

    _, cache = student.max_pool2d_forward(case.x, case.kernel_size, case.stride)
    dx = student.max_pool2d_backward(case.dout, cache)
    check.slopes("dx", dx, case.directions, case.slopes, own=lambda: own_slopes(check, case, case.directions, forward))


@pytest.mark.cases("avg_pool2d_slopes")
def test_avg_pool2d_backward_slopes(student, case, check):
    """avg_pool2d_backward: dx agrees with finite differences of a right forward pass, or of yours."""

    def forward(step):
        return student.avg_pool2d_forward(case.x + step, case.kernel_size, case.stride)[0]

    _, cache = student.avg_pool2d_forward(case.x, case.kernel_size, case.stride)
    dx = student.avg_pool2d_backward(case.dout, cache)
    check.slopes("dx", dx, case.directions, case.slopes, own=lambda: own_slopes(check, case, case.directions, forward))
