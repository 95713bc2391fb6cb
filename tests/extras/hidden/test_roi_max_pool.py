"""roi_max_pool: max pooling of regions."""

import pytest


def given(case, sign=1):
    """Return what roi_max_pool_forward is given, with x or its opposite."""
    return sign * case.x, case.images, case.boxes, case.out_size


@pytest.mark.cases("roi_max_pool_contract")
def test_roi_max_pool_forward_shape(student, case, check):
    """roi_max_pool_forward: out has the shape (R, C, OH, OW)."""
    out, _ = student.roi_max_pool_forward(*given(case))
    other, _ = student.roi_max_pool_forward(*given(case, -1))
    check.shape("out", out, case.out.shape)
    check.distinct("out", out, other)


@pytest.mark.cases("roi_max_pool")
def test_roi_max_pool_forward(student, case, check):
    """roi_max_pool_forward: out is the largest value of each cell of each box."""
    out, _ = student.roi_max_pool_forward(*given(case))
    check.array("out", out, case.out)


@pytest.mark.cases("roi_max_pool_contract")
def test_roi_max_pool_forward_promises(student, case, check):
    """roi_max_pool_forward: out has the dtype of x and memory of its own; inputs stay."""
    call = student.inspect("roi_max_pool_forward", *given(case))
    other, _ = student.roi_max_pool_forward(*given(case, -1))
    check.distinct("out", call.results[0], other)
    check.dtype("out", call.results[0], case.dtype)
    check.untouched(call)
    check.own_memory(call)


def gradients(student, case, sign=1):
    """Return the gradients for dout, or for its opposite."""
    _, cache = student.roi_max_pool_forward(*given(case))
    return student.roi_max_pool_backward(sign * case.dout, cache)


@pytest.mark.cases("roi_max_pool_contract")
def test_roi_max_pool_backward_shape(student, case, check):
    """roi_max_pool_backward: dx has the shape of x."""
    dx, other = gradients(student, case), gradients(student, case, -1)
    check.shape("dx", dx, case.x.shape)
    check.distinct("dx", dx, other)


@pytest.mark.cases("roi_max_pool")
def test_roi_max_pool_backward(student, case, check):
    """roi_max_pool_backward: dx is the gradient of the loss with respect to x."""
    check.array("dx", gradients(student, case), case.dx)


@pytest.mark.cases("roi_max_pool_contract")
def test_roi_max_pool_backward_promises(student, case, check):
    """roi_max_pool_backward: dtype, inputs and memory are as promised; calls keep apart."""
    cache = student.watch("roi_max_pool_forward", *given(case)).results[-1]
    call = student.inspect("roi_max_pool_backward", case.dout, cache)
    check.distinct("dx", call.results[0], gradients(student, case, -1))
    check.dtype("dx", call.results[0], case.dtype)
    check.untouched(call)
    check.own_memory(call)
    caches = [student.roi_max_pool_forward(*given(case, sign))[-1] for sign in (1, -1)]
    mixed = student.roi_max_pool_backward(case.dout, caches[0])
    expected = call.results[0]
    check.array("dx", mixed, check.tensor("dx", expected, expected.shape))
