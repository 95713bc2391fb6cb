"""conv_transpose2d: transposed convolution."""

import pytest


def given(case, sign=1):
    """Return what conv_transpose2d_forward is given, with x or its opposite."""
    numbers = () if case.id == "defaults" else (case.stride, case.padding)
    return sign * case.x, case.w, case.b, *numbers


@pytest.mark.cases("conv_transpose2d_contract")
def test_conv_transpose2d_forward_shape(student, case, check):
    """conv_transpose2d_forward: out has the shape (N, F, OH, OW)."""
    out, _ = student.conv_transpose2d_forward(*given(case))
    other, _ = student.conv_transpose2d_forward(*given(case, -1))
    check.shape("out", out, case.out.shape)
    check.distinct("out", out, other)


@pytest.mark.cases("conv_transpose2d")
def test_conv_transpose2d_forward(student, case, check):
    """conv_transpose2d_forward: each pixel stamps the filters onto out, plus b."""
    out, _ = student.conv_transpose2d_forward(*given(case))
    check.array("out", out, case.out)


@pytest.mark.cases("conv_transpose2d_contract")
def test_conv_transpose2d_forward_dtype(student, case, check):
    """conv_transpose2d_forward: out has the dtype of x."""
    out, _ = student.conv_transpose2d_forward(*given(case))
    other, _ = student.conv_transpose2d_forward(*given(case, -1))
    check.dtype("out", out, case.dtype)
    check.distinct("out", out, other)


@pytest.mark.cases("conv_transpose2d_contract")
def test_conv_transpose2d_forward_inputs(student, case, check):
    """conv_transpose2d_forward: leaves its inputs as they were, and out has memory of its own."""
    call = student.inspect("conv_transpose2d_forward", *given(case))
    other, _ = student.conv_transpose2d_forward(*given(case, -1))
    check.distinct("out", call.results[0], other)
    check.untouched(call)
    check.own_memory(call)


def gradients(student, case, sign=1):
    """Return the gradients for dout, or for its opposite."""
    _, cache = student.conv_transpose2d_forward(*given(case))
    return student.conv_transpose2d_backward(sign * case.dout, cache)


@pytest.mark.cases("conv_transpose2d_contract")
def test_conv_transpose2d_backward_shape(student, case, check):
    """conv_transpose2d_backward: dx, dw and db have the shapes of x, w and b."""
    got, others = gradients(student, case), gradients(student, case, -1)
    shapes = case.x.shape, case.w.shape, case.b.shape
    for name, one, other, shape in zip(("dx", "dw", "db"), got, others, shapes, strict=True):
        check.shape(name, one, shape)
        check.distinct(name, one, other)


@pytest.mark.cases("conv_transpose2d")
def test_conv_transpose2d_backward_dx(student, case, check):
    """conv_transpose2d_backward: dx is the gradient of the loss with respect to x."""
    dx, _, _ = gradients(student, case)
    check.array("dx", dx, case.dx)


@pytest.mark.cases("conv_transpose2d")
def test_conv_transpose2d_backward_dw(student, case, check):
    """conv_transpose2d_backward: dw is the gradient of the loss with respect to w."""
    _, dw, _ = gradients(student, case)
    check.array("dw", dw, case.dw)


@pytest.mark.cases("conv_transpose2d")
def test_conv_transpose2d_backward_db(student, case, check):
    """conv_transpose2d_backward: db is the gradient of the loss with respect to b."""
    _, _, db = gradients(student, case)
    check.array("db", db, case.db)


@pytest.mark.cases("conv_transpose2d_contract")
def test_conv_transpose2d_backward_dtype(student, case, check):
    """conv_transpose2d_backward: dx, dw and db have the dtype of dout."""
    got, others = gradients(student, case), gradients(student, case, -1)
    for name, one, other in zip(("dx", "dw", "db"), got, others, strict=True):
        check.dtype(name, one, case.dtype)
        check.distinct(name, one, other)


@pytest.mark.cases("conv_transpose2d_contract")
def test_conv_transpose2d_backward_inputs(student, case, check):
    """conv_transpose2d_backward: leaves all inputs as they were; results have memory of their own."""
    cache = student.watch("conv_transpose2d_forward", *given(case)).results[-1]
    call = student.inspect("conv_transpose2d_backward", case.dout, cache)
    for name, got, other in zip(("dx", "dw", "db"), call.results, gradients(student, case, -1), strict=True):
        check.distinct(name, got, other)
    check.untouched(call)
    check.own_memory(call)


@pytest.mark.cases("conv_transpose2d_contract")
def test_conv_transpose2d_backward_state(student, case, check):
    """conv_transpose2d_backward: dx, dw and db depend on dout and cache alone, not on other calls."""
    alone, others = gradients(student, case), gradients(student, case, -1)
    caches = [student.conv_transpose2d_forward(*given(case, sign))[-1] for sign in (1, -1)]
    mixed = student.conv_transpose2d_backward(case.dout, caches[0])
    shapes = case.x.shape, case.w.shape, case.b.shape
    for name, expected, got, other, shape in zip(("dx", "dw", "db"), alone, mixed, others, shapes, strict=True):
        check.distinct(name, expected, other)
        check.array(name, got, check.tensor(name, expected, shape))
