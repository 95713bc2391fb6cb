"""The contract apart from values, one rule per test: dtype, unchanged inputs, own memory, no state between calls.

Every test compares a submission with itself, so wrong values lose no points here. A constant result earns none.
"""

import pytest

# ---- float32 in, float32 out


@pytest.mark.cases("im2col_float32")
def test_im2col_dtype(student, case, check):
    """im2col: cols has the dtype of x."""
    cols = student.im2col(case.x, case.kernel_size, stride=case.stride, padding=case.padding)
    other = student.im2col(-case.x, case.kernel_size, stride=case.stride, padding=case.padding)
    check.dtype("cols", cols, case.dtype)
    check.distinct("cols", cols, other)


@pytest.mark.cases("im2col_float32")
def test_col2im_dtype(student, case, check):
    """col2im: x has the dtype of cols."""
    x = student.col2im(case.cols, case.x_shape, case.kernel_size, stride=case.stride, padding=case.padding)
    other = student.col2im(-case.cols, case.x_shape, case.kernel_size, stride=case.stride, padding=case.padding)
    check.dtype("x", x, case.dtype)
    check.distinct("x", x, other)


@pytest.mark.cases("conv2d_float32")
def test_conv2d_forward_dtype(student, case, check):
    """conv2d_forward: out has the dtype of x."""
    out, _ = student.conv2d_forward(case.x, case.w, case.b, stride=case.stride, padding=case.padding)
    other, _ = student.conv2d_forward(-case.x, case.w, case.b, stride=case.stride, padding=case.padding)
    check.dtype("out", out, case.dtype)
    check.distinct("out", out, other)


@pytest.mark.cases("conv2d_float32")
def test_conv2d_backward_dtype(student, case, check):
    """conv2d_backward: dx, dw and db have the dtype of x."""
    _, cache = student.conv2d_forward(case.x, case.w, case.b, stride=case.stride, padding=case.padding)
    gradients = student.conv2d_backward(case.dout, cache)
    _, cache = student.conv2d_forward(case.x, case.w, case.b, stride=case.stride, padding=case.padding)
    others = student.conv2d_backward(-case.dout, cache)
    for name, got, other in zip(("dx", "dw", "db"), gradients, others, strict=True):
        check.dtype(name, got, case.dtype)
        check.distinct(name, got, other)


@pytest.mark.cases("pool_float32")
def test_max_pool2d_forward_dtype(student, case, check):
    """max_pool2d_forward: out has the dtype of x."""
    out, _ = student.max_pool2d_forward(case.x, case.kernel_size, case.stride)
    other, _ = student.max_pool2d_forward(-case.x, case.kernel_size, case.stride)
    check.dtype("out", out, case.dtype)
    check.distinct("out", out, other)


@pytest.mark.cases("pool_float32")
def test_max_pool2d_backward_dtype(student, case, check):
    """max_pool2d_backward: dx has the dtype of x."""
    _, cache = student.max_pool2d_forward(case.x, case.kernel_size, case.stride)
    dx = student.max_pool2d_backward(case.dout, cache)
    _, cache = student.max_pool2d_forward(case.x, case.kernel_size, case.stride)
    other = student.max_pool2d_backward(-case.dout, cache)
    check.dtype("dx", dx, case.dtype)
    check.distinct("dx", dx, other)


@pytest.mark.cases("pool_float32")
def test_avg_pool2d_forward_dtype(student, case, check):
    """avg_pool2d_forward: out has the dtype of x."""
    out, _ = student.avg_pool2d_forward(case.x, case.kernel_size, case.stride)
    other, _ = student.avg_pool2d_forward(-case.x, case.kernel_size, case.stride)
    check.dtype("out", out, case.dtype)
    check.distinct("out", out, other)


@pytest.mark.cases("pool_float32")
def test_avg_pool2d_backward_dtype(student, case, check):
    """avg_pool2d_backward: dx has the dtype of x."""
    _, cache = student.avg_pool2d_forward(case.x, case.kernel_size, case.stride)
    dx = student.avg_pool2d_backward(case.dout, cache)
    _, cache = student.avg_pool2d_forward(case.x, case.kernel_size, case.stride)
    other = student.avg_pool2d_backward(-case.dout, cache)
    check.dtype("dx", dx, case.dtype)
    check.distinct("dx", dx, other)


# ---- inputs and results keep apart; case.promise is "untouched" or "own_memory"


@pytest.mark.cases("im2col_inputs")
def test_im2col_inputs(student, case, check):
    """im2col: leaves x as it was, and cols has memory of its own."""
    call = student.inspect("im2col", case.x, case.kernel_size, stride=case.stride, padding=case.padding)
    other = student.im2col(-case.x, case.kernel_size, stride=case.stride, padding=case.padding)
    check.distinct("cols", call.results[0], other)
    getattr(check, case.promise)(call)


@pytest.mark.cases("im2col_inputs")
def test_col2im_inputs(student, case, check):
    """col2im: leaves cols as it was, and x has memory of its own."""
    arguments = case.x_shape, case.kernel_size
    call = student.inspect("col2im", case.cols, *arguments, stride=case.stride, padding=case.padding)
    other = student.col2im(-case.cols, *arguments, stride=case.stride, padding=case.padding)
    check.distinct("x", call.results[0], other)
    getattr(check, case.promise)(call)


@pytest.mark.cases("conv2d_inputs")
def test_conv2d_forward_inputs(student, case, check):
    """conv2d_forward: leaves x, w and b as they were, and out has memory of its own."""
    call = student.inspect("conv2d_forward", case.x, case.w, case.b, stride=case.stride, padding=case.padding)
    other, _ = student.conv2d_forward(-case.x, case.w, case.b, stride=case.stride, padding=case.padding)
    check.distinct("out", call.results[0], other)
    getattr(check, case.promise)(call)


@pytest.mark.cases("conv2d_inputs")
def test_conv2d_backward_inputs(student, case, check):
    """conv2d_backward: leaves dout, x, w and b as they were, and dx, dw and db have memory of their own."""
    _, cache = student.watch("conv2d_forward", case.x, case.w, case.b, stride=case.stride, padding=case.padding).results
    call = student.inspect("conv2d_backward", case.dout, cache)
    _, cache = student.conv2d_forward(case.x, case.w, case.b, stride=case.stride, padding=case.padding)
    others = student.conv2d_backward(-case.dout, cache)
    for name, got, other in zip(("dx", "dw", "db"), call.results, others, strict=True):
        check.distinct(name, got, other)
    getattr(check, case.promise)(call)


@pytest.mark.cases("pool_inputs")
def test_max_pool2d_forward_inputs(student, case, check):
    """max_pool2d_forward: leaves x as it was, and out has memory of its own."""
    call = student.inspect("max_pool2d_forward", case.x, case.kernel_size, case.stride)
    other, _ = student.max_pool2d_forward(-case.x, case.kernel_size, case.stride)
    check.distinct("out", call.results[0], other)
    getattr(check, case.promise)(call)


@pytest.mark.cases("pool_inputs")
def test_max_pool2d_backward_inputs(student, case, check):
    """max_pool2d_backward: leaves dout and x as they were, and dx has memory of its own."""
    _, cache = student.watch("max_pool2d_forward", case.x, case.kernel_size, case.stride).results
    call = student.inspect("max_pool2d_backward", case.dout, cache)
    _, cache = student.max_pool2d_forward(case.x, case.kernel_size, case.stride)
    other = student.max_pool2d_backward(-case.dout, cache)
    check.distinct("dx", call.results[0], other)
    getattr(check, case.promise)(call)


@pytest.mark.cases("pool_inputs")
def test_avg_pool2d_forward_inputs(student, case, check):
    """avg_pool2d_forward: leaves x as it was, and out has memory of its own."""
    call = student.inspect("avg_pool2d_forward", case.x, case.kernel_size, case.stride)
    other, _ = student.avg_pool2d_forward(-case.x, case.kernel_size, case.stride)
    check.distinct("out", call.results[0], other)
    getattr(check, case.promise)(call)


@pytest.mark.cases("pool_inputs")
def test_avg_pool2d_backward_inputs(student, case, check):
    """avg_pool2d_backward: leaves dout and x as they were, and dx has memory of its own."""
    _, cache = student.watch("avg_pool2d_forward", case.x, case.kernel_size, case.stride).results
    call = student.inspect("avg_pool2d_backward", case.dout, cache)
    _, cache = student.avg_pool2d_forward(case.x, case.kernel_size, case.stride)
    other = student.avg_pool2d_backward(-case.dout, cache)
    check.distinct("dx", call.results[0], other)
    getattr(check, case.promise)(call)


# ---- nothing is carried from one call to the next


def keeps_apart(check, names, inputs, forward, backward, by_values=()):
    """Require the same gradients of two calls whether they follow one another or are interleaved.

    For each call `inputs` holds what forward is given, then dout. Each gradient has the shape of what it belongs to.
    With the same dout those of `by_values` differ: they depend on the values that forward was given.
    """
    alone = [backward(dout, forward(*given)) for *given, dout in inputs]
    caches = [forward(*given) for *given, _ in inputs]
    mixed = [backward(dout, cache) for (*_, dout), cache in zip(inputs, caches, strict=True)]
    opposite = [backward(-dout, forward(*given)) for *given, dout in inputs]
    for (*given, _), *gradients in zip(inputs, alone, mixed, opposite, strict=True):
        for name, value, expected, got, other in zip(names, given, *gradients, strict=True):
            expected = check.tensor(name, expected, value.shape)
            check.distinct(name, expected, other)
            check.array(name, got, expected)
    (*_, dout), (*_, other) = inputs
    if dout.shape == other.shape:
        pairs = zip(*(backward(dout, forward(*given)) for *given, _ in inputs), strict=True)
        for name, (one, two) in zip(names, pairs, strict=True):
            if name in by_values:
                check.distinct(name, one, two)


@pytest.mark.cases("conv2d_pairs")
def test_conv2d_backward_state(student, case, check):
    """conv2d_backward: dx, dw and db depend on dout and cache alone, not on other calls."""

    def forward(x, w, b):
        return student.conv2d_forward(x, w, b, stride=case.stride, padding=case.padding)[1]

    inputs = (case.x, case.w, case.b, case.dout), (case.second_x, case.second_w, case.second_b, case.second_dout)
    keeps_apart(check, ("dx", "dw", "db"), inputs, forward, student.conv2d_backward, by_values=("dx", "dw"))


@pytest.mark.cases("pool_pairs")
def test_max_pool2d_backward_state(student, case, check):
    """max_pool2d_backward: dx depends on dout and cache alone, not on other calls."""

    def forward(x):
        return student.max_pool2d_forward(x, case.kernel_size, case.stride)[1]

    def backward(dout, cache):
        return (student.max_pool2d_backward(dout, cache),)

    inputs = (case.x, case.dout), (case.second_x, case.second_dout)
    keeps_apart(check, ("dx",), inputs, forward, backward, by_values=("dx",))


@pytest.mark.cases("pool_pairs")
def test_avg_pool2d_backward_state(student, case, check):
    """avg_pool2d_backward: dx depends on dout and cache alone, not on other calls."""

    def forward(x):
        return student.avg_pool2d_forward(x, case.kernel_size, case.stride)[1]

    def backward(dout, cache):
        return (student.avg_pool2d_backward(dout, cache),)

    keeps_apart(check, ("dx",), ((case.x, case.dout), (case.second_x, case.second_dout)), forward, backward)
