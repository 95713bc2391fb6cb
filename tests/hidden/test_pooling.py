"""max_pool2d and avg_pool2d: values of the forward and backward pass, and who gets the gradient of a tie."""

import pytest


@pytest.mark.cases("max_pool2d")
def test_max_pool2d_forward(student, case, check):
    """max_pool2d_forward: out is the largest value of each window."""
    out, _ = student.max_pool2d_forward(case.x, case.kernel_size, case.stride)
    check.array("out", out, case.out)


@pytest.mark.cases("max_pool2d")
def test_max_pool2d_backward(student, case, check):
    """max_pool2d_backward: each entry of dout is added to the pixel that was the largest of its window."""
    _, cache = student.max_pool2d_forward(case.x, case.kernel_size, case.stride)
    dx = student.max_pool2d_backward(case.dout, cache)
    check.array("dx", dx, case.dx)


@pytest.mark.cases("max_pool2d_ties")
def test_max_pool2d_backward_ties(student, case, check):
    """max_pool2d_backward: of equal values the first in row-major order gets the gradient."""
    _, cache = student.max_pool2d_forward(case.x, case.kernel_size, case.stride)
    dx = student.max_pool2d_backward(case.dout, cache)
    check.array("dx", dx, case.dx)


@pytest.mark.cases("avg_pool2d")
def test_avg_pool2d_forward(student, case, check):
    """avg_pool2d_forward: out is the mean of each window."""
    out, _ = student.avg_pool2d_forward(case.x, case.kernel_size, case.stride)
    check.array("out", out, case.out)


@pytest.mark.cases("avg_pool2d")
def test_avg_pool2d_backward(student, case, check):
    """avg_pool2d_backward: each entry of dout is shared equally by the pixels of its window."""
    _, cache = student.avg_pool2d_forward(case.x, case.kernel_size, case.stride)
    dx = student.avg_pool2d_backward(case.dout, cache)
    check.array("dx", dx, case.dx)
