"""conv_output_size, im2col and col2im: values, and the identity that ties the two together."""

import pytest


def geometry(case):
    """Give stride and padding by name, but leave both out of one case: they have defaults."""
    return {} if case.id in ("plain", "one-image") else {"stride": case.stride, "padding": case.padding}


@pytest.mark.cases("conv_output_size")
def test_conv_output_size(student, case, check):
    """conv_output_size: the number of windows along one axis."""
    size = student.conv_output_size(case.size, case.kernel_size, **geometry(case))
    check.integer("size", size, case.expected)


@pytest.mark.cases("im2col")
def test_im2col(student, case, check):
    """im2col: each column of cols is one window, image by image, then output row, then output column."""
    cols = student.im2col(case.x, case.kernel_size, **geometry(case))
    check.array("cols", cols, case.cols)


@pytest.mark.cases("col2im")
def test_col2im(student, case, check):
    """col2im: each entry of cols is added to the pixel it belongs to."""
    x = student.col2im(case.cols, case.x_shape, case.kernel_size, **geometry(case))
    check.array("x", x, case.x)


@pytest.mark.cases("col2im_slopes")
def test_col2im_adjoint(student, case, check):
    """col2im: is the adjoint of im2col, <x, col2im(cols)> = <im2col(x), cols>."""
    x = student.col2im(case.cols, case.x_shape, case.kernel_size, stride=case.stride, padding=case.padding)
    check.slopes("x", x, case.directions, case.slopes, source="im2col")
