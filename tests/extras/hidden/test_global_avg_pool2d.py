"""global_avg_pool2d: global average pooling."""

import pytest


def given(case, sign=1):
    """Return what global_avg_pool2d_forward is given, with x or its opposite."""
    return (sign * case.x,)


@pytest.mark.cases("global_avg_pool2d_contract")
def test_global_avg_pool2d_forward_shape(student, case, check):
    """global_avg_pool2d_forward: out has the shape (N, C)."""
    out, _ = student.global_avg_pool2d_forward(*given(case))
    other, _ = student.global_avg_pool2d_forward(*given(case, -1))
    check.shape("out", out, case.out.shape)
    check.distinct("out", out, other)


@pytest.mark.cases("global_avg_pool2d")
def test_global_avg_pool2d_forward(student, case, check):
    """global_avg_pool2d_forward: out is the mean of each channel."""
    out, _ = student.global_avg_pool2d_forward(*given(case))
    check.array("out", out, case.out)


@pytest.mark.cases("global_avg_pool2d_contract")
def test_global_avg_pool2d_forward_promises(student, case, check):
    """global_avg_pool2d_forward: out has the dtype of x and memory of its own; inputs stay."""
    call = student.inspect("global_avg_pool2d_forward", *given(case))
    other, _ = student.global_avg_pool2d_forward(*given(case, -1))
    check.distinct("out", call.results[0], other)
    check.dtype("out", call.results[0], case.dtype)
    check.untouched(call)
    check.own_memory(call)


def gradients(student, case, sign=1):
    """Return the gradients for dout, or for its opposite."""
    _, cache = student.global_avg_pool2d_forward(*given(case))
    return student.global_avg_pool2d_backward(sign * case.dout, cache)


@pytest.mark.cases("global_avg_pool2d_contract")
def test_global_avg_pool2d_backward_shape(student, case, check):
    """global_avg_pool2d_backward: dx has the shape of x."""
    dx, other = gradients(student, case), gradients(student, case, -1)
    check.shape("dx", dx, case.x.shape)
    check.distinct("dx", dx, other)


@pytest.mark.cases("global_avg_pool2d")
def test_global_avg_pool2d_backward(student, case, check):
    """global_avg_pool2d_backward: dx is the gradient of the loss with respect to x."""
    check.array("dx", gradients(student, case), case.dx)


@pytest.mark.cases("global_avg_pool2d_contract")
def test_global_avg_pool2d_backward_promises(student, case, check):
    """global_avg_pool2d_backward: dtype, inputs and memory are as promised."""
    cache = student.watch("global_avg_pool2d_forward", *given(case)).results[-1]
    call = student.inspect("global_avg_pool2d_backward", case.dout, cache)
    check.distinct("dx", call.results[0], gradients(student, case, -1))
    check.dtype("dx", call.results[0], case.dtype)
    check.untouched(call)
    check.own_memory(call)
