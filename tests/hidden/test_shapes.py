"""Shapes alone, for the first points. Two different inputs must give two different results: a constant is no answer."""

import pytest


@pytest.mark.cases("im2col_shapes")
def test_im2col_shape(student, case, check):
    """im2col: cols has the shape (C*KH*KW, N*OH*OW)."""
    cols = student.im2col(case.x, case.kernel_size, stride=case.stride, padding=case.padding)
    other = student.im2col(-case.x, case.kernel_size, stride=case.stride, padding=case.padding)
    check.shape("cols", cols, case.cols.shape)
    check.distinct("cols", cols, other)


@pytest.mark.cases("im2col_shapes")
def test_col2im_shape(student, case, check):
    """col2im: x has the shape x_shape."""
    x = student.col2im(case.cols, case.x_shape, case.kernel_size, stride=case.stride, padding=case.padding)
    other = student.col2im(-case.cols, case.x_shape, case.kernel_size, stride=case.stride, padding=case.padding)
    check.shape("x", x, case.x_shape)
    check.distinct("x", x, other)


@pytest.mark.cases("conv2d_shapes")
def test_conv2d_forward_shape(student, case, check):
    """conv2d_forward: out has the shape (N, F, OH, OW)."""
    out, _ = student.conv2d_forward(case.x, case.w, case.b, stride=case.stride, padding=case.padding)
    other, _ = student.conv2d_forward(-case.x, case.w, case.b, stride=case.stride, padding=case.padding)
    check.shape("out", out, case.dout.shape)
    check.distinct("out", out, other)


@pytest.mark.cases("conv2d_shapes")
def test_conv2d_backward_shape(student, case, check):
    """conv2d_backward: dx, dw and db have the shapes of x, w and b."""
    _, cache = student.conv2d_forward(case.x, case.w, case.b, stride=case.stride, padding=case.padding)
    gradients = student.conv2d_backward(case.dout, cache)
    _, cache = student.conv2d_forward(case.x, case.w, case.b, stride=case.stride, padding=case.padding)
    others = student.conv2d_backward(-case.dout, cache)
    shapes = case.x.shape, case.w.shape, case.b.shape
    for name, got, other, shape in zip(("dx", "dw", "db"), gradients, others, shapes, strict=True):
        check.shape(name, got, shape)
        check.distinct(name, got, other)


@pytest.mark.cases("pool_shapes")
def test_max_pool2d_forward_shape(student, case, check):
    """max_pool2d_forward: out has the shape (N, C, OH, OW)."""
    out, _ = student.max_pool2d_forward(case.x, case.kernel_size, case.stride)
    other, _ = student.max_pool2d_forward(-case.x, case.kernel_size, case.stride)
    check.shape("out", out, case.dout.shape)
    check.distinct("out", out, other)


@pytest.mark.cases("pool_shapes")
def test_max_pool2d_backward_shape(student, case, check):
    """max_pool2d_backward: dx has the shape of x."""
    _, cache = student.max_pool2d_forward(case.x, case.kernel_size, case.stride)
    dx = student.max_pool2d_backward(case.dout, cache)
    _, cache = student.max_pool2d_forward(case.x, case.kernel_size, case.stride)
    other = student.max_pool2d_backward(-case.dout, cache)
    check.shape("dx", dx, case.x.shape)
    check.distinct("dx", dx, other)


@pytest.mark.cases("pool_shapes")
def test_avg_pool2d_forward_shape(student, case, check):
    """avg_pool2d_forward: out has the shape (N, C, OH, OW)."""
    out, _ = student.avg_pool2d_forward(case.x, case.kernel_size, case.stride)
    other, _ = student.avg_pool2d_forward(-case.x, case.kernel_size, case.stride)
    check.shape("out", out, case.dout.shape)
    check.distinct("out", out, other)


@pytest.mark.cases("pool_shapes")
def test_avg_pool2d_backward_shape(student, case, check):
    """avg_pool2d_backward: dx has the shape of x."""
    _, cache = student.avg_pool2d_forward(case.x, case.kernel_size, case.stride)
    dx = student.avg_pool2d_backward(case.dout, cache)
    _, cache = student.avg_pool2d_forward(case.x, case.kernel_size, case.stride)
    other = student.avg_pool2d_backward(-case.dout, cache)
    check.shape("dx", dx, case.x.shape)
    check.distinct("dx", dx, other)
