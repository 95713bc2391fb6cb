"""upsample: upsampling."""

import pytest


def given(case, sign=1):
    """Return what upsample_forward is given, with x or its opposite."""
    return sign * case.x, case.factor


@pytest.mark.cases("upsample_contract")
def test_upsample_forward_shape(student, case, check):
    """upsample_forward: out has the shape (N, C, factor*H, factor*W)."""
    out, _ = student.upsample_forward(*given(case))
    other, _ = student.upsample_forward(*given(case, -1))
    check.shape("out", out, case.out.shape)
    check.distinct("out", out, other)


@pytest.mark.cases("upsample")
def test_upsample_forward(student, case, check):
    """upsample_forward: factor - 1 zeros come after every row and column."""
    out, _ = student.upsample_forward(*given(case))
    check.array("out", out, case.out)


@pytest.mark.cases("upsample_contract")
def test_upsample_forward_promises(student, case, check):
    """upsample_forward: out has the dtype of x and memory of its own; inputs stay."""
    call = student.inspect("upsample_forward", *given(case))
    other, _ = student.upsample_forward(*given(case, -1))
    check.distinct("out", call.results[0], other)
    check.dtype("out", call.results[0], case.dtype)
    check.untouched(call)
    check.own_memory(call)


def gradients(student, case, sign=1):
    """Return the gradients for dout, or for its opposite."""
    _, cache = student.upsample_forward(*given(case))
    return student.upsample_backward(sign * case.dout, cache)


@pytest.mark.cases("upsample_contract")
def test_upsample_backward_shape(student, case, check):
    """upsample_backward: dx has the shape of x."""
    dx, other = gradients(student, case), gradients(student, case, -1)
    check.shape("dx", dx, case.x.shape)
    check.distinct("dx", dx, other)


@pytest.mark.cases("upsample")
def test_upsample_backward(student, case, check):
    """upsample_backward: dx is the gradient of the loss with respect to x."""
    check.array("dx", gradients(student, case), case.dx)


@pytest.mark.cases("upsample_contract")
def test_upsample_backward_promises(student, case, check):
    """upsample_backward: dtype, inputs and memory are as promised."""
    cache = student.watch("upsample_forward", *given(case)).results[-1]
    call = student.inspect("upsample_backward", case.dout, cache)
    check.distinct("dx", call.results[0], gradients(student, case, -1))
    check.dtype("dx", call.results[0], case.dtype)
    check.untouched(call)
    check.own_memory(call)
