"""conv2d: values of the forward and backward pass, and what holds for every convolution."""

import pytest


@pytest.mark.cases("conv2d")
def test_conv2d_forward(student, case, check):
    """conv2d_forward: out is the cross-correlation of x and w, plus b."""
    # One case leaves both out: they have defaults.
    geometry = {} if case.id == "one-image" else {"stride": case.stride, "padding": case.padding}
    out, _ = student.conv2d_forward(case.x, case.w, case.b, **geometry)
    check.array("out", out, case.out)


@pytest.mark.cases("conv2d")
def test_conv2d_backward_dx(student, case, check):
    """conv2d_backward: dx is the gradient of the loss with respect to x."""
    _, cache = student.conv2d_forward(case.x, case.w, case.b, stride=case.stride, padding=case.padding)
    dx, _, _ = student.conv2d_backward(case.dout, cache)
    check.array("dx", dx, case.dx)


@pytest.mark.cases("conv2d")
def test_conv2d_backward_dw(student, case, check):
    """conv2d_backward: dw is the gradient of the loss with respect to w."""
    _, cache = student.conv2d_forward(case.x, case.w, case.b, stride=case.stride, padding=case.padding)
    _, dw, _ = student.conv2d_backward(case.dout, cache)
    check.array("dw", dw, case.dw)


@pytest.mark.cases("conv2d")
def test_conv2d_backward_db(student, case, check):
    """conv2d_backward: db is the gradient of the loss with respect to b."""
    _, cache = student.conv2d_forward(case.x, case.w, case.b, stride=case.stride, padding=case.padding)
    _, _, db = student.conv2d_backward(case.dout, cache)
    check.array("db", db, case.db)


@pytest.mark.cases("conv2d_pairs")
def test_conv2d_forward_linear(student, case, check):
    """conv2d_forward: without b, out is linear in x and in w."""

    def forward(x, w):
        out, _ = student.conv2d_forward(x, w, 0 * case.b, stride=case.stride, padding=case.padding)
        return check.tensor("out", out, case.dout.shape)

    out = forward(case.x, case.w)
    for other, both in (
        (forward(case.second_x, case.w), forward(case.x + case.second_x, case.w)),
        (forward(case.x, case.second_w), forward(case.x, case.w + case.second_w)),
    ):
        check.distinct("out", out, other)
        check.array("out", both - other, out)


@pytest.mark.cases("conv2d_dense")
def test_conv2d_forward_stride(student, case, check):
    """conv2d_forward: stride s gives every s-th row and column of stride 1."""
    out, _ = student.conv2d_forward(case.x, case.w, case.b, stride=case.stride, padding=case.padding)
    other, _ = student.conv2d_forward(-case.x, case.w, case.b, stride=case.stride, padding=case.padding)
    dense, _ = student.conv2d_forward(case.x, case.w, case.b, stride=1, padding=case.padding)
    dense = check.tensor("out", dense, case.dense_shape)
    check.distinct("out", out, other)
    check.array("out", out, dense[:, :, :: case.stride, :: case.stride])
