"""conv2d_as_linear: convolution with filters of one pixel."""

import pytest


def given(case, sign=1):
    """Return what conv2d_as_linear is given, with x or its opposite."""
    return sign * case.x, case.w, case.b


@pytest.mark.cases("conv2d_as_linear_contract")
def test_conv2d_as_linear_shape(student, case, check):
    """conv2d_as_linear: out has the shape (N, F, H, W)."""
    out = student.conv2d_as_linear(*given(case))
    other = student.conv2d_as_linear(*given(case, -1))
    check.shape("out", out, case.out.shape)
    check.distinct("out", out, other)


@pytest.mark.cases("conv2d_as_linear")
def test_conv2d_as_linear(student, case, check):
    """conv2d_as_linear: out is a linear layer at every pixel."""
    out = student.conv2d_as_linear(*given(case))
    check.array("out", out, case.out)


@pytest.mark.cases("conv2d_as_linear_contract")
def test_conv2d_as_linear_promises(student, case, check):
    """conv2d_as_linear: out has the dtype of x and memory of its own; inputs stay."""
    call = student.inspect("conv2d_as_linear", *given(case))
    other = student.conv2d_as_linear(*given(case, -1))
    check.distinct("out", call.results[0], other)
    check.dtype("out", call.results[0], case.dtype)
    check.untouched(call)
    check.own_memory(call)
