"""conv2d_dx_as_conv: dx as a full convolution."""

import pytest


def given(case, sign=1):
    """Return what conv2d_dx_as_conv is given, with dout or its opposite."""
    numbers = () if case.id == "defaults" else (case.padding,)
    return sign * case.dout, case.w, *numbers


@pytest.mark.cases("conv2d_dx_as_conv_contract")
def test_conv2d_dx_as_conv_shape(student, case, check):
    """conv2d_dx_as_conv: dx has the shape of x."""
    dx = student.conv2d_dx_as_conv(*given(case))
    other = student.conv2d_dx_as_conv(*given(case, -1))
    check.shape("dx", dx, case.dx.shape)
    check.distinct("dx", dx, other)


@pytest.mark.cases("conv2d_dx_as_conv")
def test_conv2d_dx_as_conv(student, case, check):
    """conv2d_dx_as_conv: dx is a full convolution of dout with the rotated filters."""
    dx = student.conv2d_dx_as_conv(*given(case))
    check.array("dx", dx, case.dx)


@pytest.mark.cases("conv2d_dx_as_conv_contract")
def test_conv2d_dx_as_conv_promises(student, case, check):
    """conv2d_dx_as_conv: dx has the dtype of dout and memory of its own; inputs stay."""
    call = student.inspect("conv2d_dx_as_conv", *given(case))
    other = student.conv2d_dx_as_conv(*given(case, -1))
    check.distinct("dx", call.results[0], other)
    check.dtype("dx", call.results[0], case.dtype)
    check.untouched(call)
    check.own_memory(call)
