"""spatial_batchnorm: spatial batch normalization."""

import pytest


def given(case, sign=1):
    """Return what spatial_batchnorm_forward is given, with x or its opposite."""
    numbers = () if "defaults" in case.id else (case.momentum, case.eps)
    return sign * case.x, case.gamma, case.beta, case.running_mean, case.running_var, case.training, *numbers


@pytest.mark.cases("spatial_batchnorm_contract")
def test_spatial_batchnorm_forward_shape(student, case, check):
    """spatial_batchnorm_forward: out has the shape of x."""
    out, *_ = student.spatial_batchnorm_forward(*given(case))
    other, *_ = student.spatial_batchnorm_forward(*given(case, -1))
    check.shape("out", out, case.out.shape)
    check.distinct("out", out, other)


@pytest.mark.cases("spatial_batchnorm")
def test_spatial_batchnorm_forward(student, case, check):
    """spatial_batchnorm_forward: each channel is normalized, scaled and shifted."""
    out, *_ = student.spatial_batchnorm_forward(*given(case))
    check.array("out", out, case.out)


@pytest.mark.cases("spatial_batchnorm")
def test_spatial_batchnorm_forward_running(student, case, check):
    """spatial_batchnorm_forward: in training the running averages move towards the batch, else they stay."""
    _, new_mean, new_var, _ = student.spatial_batchnorm_forward(*given(case))
    check.array("new_mean", new_mean, case.new_mean)
    check.array("new_var", new_var, case.new_var)


@pytest.mark.cases("spatial_batchnorm_contract")
def test_spatial_batchnorm_forward_promises(student, case, check):
    """spatial_batchnorm_forward: out, new_mean and new_var have the dtype of x and memory of their own; inputs stay."""
    call = student.inspect("spatial_batchnorm_forward", *given(case))
    other, *_ = student.spatial_batchnorm_forward(*given(case, -1))
    check.distinct("out", call.results[0], other)
    for name, got in zip(("out", "new_mean", "new_var"), call.results[:-1], strict=True):
        check.dtype(name, got, case.dtype)
    check.untouched(call)
    check.own_memory(call)


def gradients(student, case, sign=1):
    """Return the gradients for dout, or for its opposite."""
    *_, cache = student.spatial_batchnorm_forward(*given(case))
    return student.spatial_batchnorm_backward(sign * case.dout, cache)


@pytest.mark.cases("spatial_batchnorm_contract")
def test_spatial_batchnorm_backward_shape(student, case, check):
    """spatial_batchnorm_backward: dx, dgamma and dbeta have the shapes of x, gamma and beta."""
    got, others = gradients(student, case), gradients(student, case, -1)
    shapes = case.x.shape, case.gamma.shape, case.beta.shape
    for name, one, other, shape in zip(("dx", "dgamma", "dbeta"), got, others, shapes, strict=True):
        check.shape(name, one, shape)
        check.distinct(name, one, other)


@pytest.mark.cases("spatial_batchnorm")
def test_spatial_batchnorm_backward_dx(student, case, check):
    """spatial_batchnorm_backward: dx is the gradient of the loss with respect to x."""
    dx, _, _ = gradients(student, case)
    check.array("dx", dx, case.dx)


@pytest.mark.cases("spatial_batchnorm")
def test_spatial_batchnorm_backward_dgamma(student, case, check):
    """spatial_batchnorm_backward: dgamma is the gradient of the loss with respect to gamma."""
    _, dgamma, _ = gradients(student, case)
    check.array("dgamma", dgamma, case.dgamma)


@pytest.mark.cases("spatial_batchnorm")
def test_spatial_batchnorm_backward_dbeta(student, case, check):
    """spatial_batchnorm_backward: dbeta is the gradient of the loss with respect to beta."""
    _, _, dbeta = gradients(student, case)
    check.array("dbeta", dbeta, case.dbeta)


@pytest.mark.cases("spatial_batchnorm_contract")
def test_spatial_batchnorm_backward_promises(student, case, check):
    """spatial_batchnorm_backward: dtype, inputs and memory are as promised; calls keep apart."""
    cache = student.watch("spatial_batchnorm_forward", *given(case)).results[-1]
    call = student.inspect("spatial_batchnorm_backward", case.dout, cache)
    for name, got, other in zip(("dx", "dgamma", "dbeta"), call.results, gradients(student, case, -1), strict=True):
        check.distinct(name, got, other)
        check.dtype(name, got, case.dtype)
    check.untouched(call)
    check.own_memory(call)
    caches = [student.spatial_batchnorm_forward(*given(case, sign))[-1] for sign in (1, -1)]
    mixed = student.spatial_batchnorm_backward(case.dout, caches[0])
    for name, expected, got in zip(("dx", "dgamma", "dbeta"), call.results, mixed, strict=True):
        check.array(name, got, check.tensor(name, expected, expected.shape))
