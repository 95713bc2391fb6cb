"""conv2d_grouped: convolution with dilation and groups."""

import pytest


def given(case, sign=1):
    """Return what conv2d_grouped_forward is given, with x or its opposite."""
    numbers = () if case.id == "defaults" else (case.stride, case.padding, case.dilation, case.groups)
    return sign * case.x, case.w, case.b, *numbers


@pytest.mark.cases("conv2d_grouped_contract")
def test_conv2d_grouped_forward_shape(student, case, check):
    """conv2d_grouped_forward: out has the shape (N, F, OH, OW)."""
    out, _ = student.conv2d_grouped_forward(*given(case))
    other, _ = student.conv2d_grouped_forward(*given(case, -1))
    check.shape("out", out, case.out.shape)
    check.distinct("out", out, other)


@pytest.mark.cases("conv2d_grouped")
def test_conv2d_grouped_forward(student, case, check):
    """conv2d_grouped_forward: out is the cross-correlation of x and w, plus b."""
    out, _ = student.conv2d_grouped_forward(*given(case))
    check.array("out", out, case.out)


@pytest.mark.cases("conv2d_grouped_contract")
def test_conv2d_grouped_forward_promises(student, case, check):
    """conv2d_grouped_forward: out has the dtype of x and memory of its own; inputs stay."""
    call = student.inspect("conv2d_grouped_forward", *given(case))
    other, _ = student.conv2d_grouped_forward(*given(case, -1))
    check.distinct("out", call.results[0], other)
    check.dtype("out", call.results[0], case.dtype)
    check.untouched(call)
    check.own_memory(call)


def gradients(student, case, sign=1):
    """Return the gradients for dout, or for its opposite."""
    _, cache = student.conv2d_grouped_forward(*given(case))
    return student.conv2d_grouped_backward(sign * case.dout, cache)


@pytest.mark.cases("conv2d_grouped_contract")
def test_conv2d_grouped_backward_shape(student, case, check):
    """conv2d_grouped_backward: dx, dw and db have the shapes of x, w and b."""
    got, others = gradients(student, case), gradients(student, case, -1)
    shapes = case.x.shape, case.w.shape, case.b.shape
    for name, one, other, shape in zip(("dx", "dw", "db"), got, others, shapes, strict=True):
        check.shape(name, one, shape)
        check.distinct(name, one, other)


@pytest.mark.cases("conv2d_grouped")
def test_conv2d_grouped_backward_dx(student, case, check):
    """conv2d_grouped_backward: dx is the gradient of the loss with respect to x."""
    dx, _, _ = gradients(student, case)
    check.array("dx", dx, case.dx)


@pytest.mark.cases("conv2d_grouped")
def test_conv2d_grouped_backward_dw(student, case, check):
    """conv2d_grouped_backward: dw is the gradient of the loss with respect to w."""
    _, dw, _ = gradients(student, case)
    check.array("dw", dw, case.dw)


@pytest.mark.cases("conv2d_grouped")
def test_conv2d_grouped_backward_db(student, case, check):
    """conv2d_grouped_backward: db is the gradient of the loss with respect to b."""
    _, _, db = gradients(student, case)
    check.array("db", db, case.db)


@pytest.mark.cases("conv2d_grouped_contract")
def test_conv2d_grouped_backward_promises(student, case, check):
    """conv2d_grouped_backward: dtype, inputs and memory are as promised; calls keep apart."""
    cache = student.watch("conv2d_grouped_forward", *given(case)).results[-1]
    call = student.inspect("conv2d_grouped_backward", case.dout, cache)
    for name, got, other in zip(("dx", "dw", "db"), call.results, gradients(student, case, -1), strict=True):
        check.distinct(name, got, other)
        check.dtype(name, got, case.dtype)
    check.untouched(call)
    check.own_memory(call)
    caches = [student.conv2d_grouped_forward(*given(case, sign))[-1] for sign in (1, -1)]
    mixed = student.conv2d_grouped_backward(case.dout, caches[0])
    for name, expected, got in zip(("dx", "dw", "db"), call.results, mixed, strict=True):
        check.array(name, got, check.tensor(name, expected, expected.shape))
