"""What the handout promises beside values: the dtype, inputs that stay as they are, ties, and calls that keep apart.

Each test takes `layers`, the module with the nine functions, and needs NumPy alone. It compares a submission with
itself, so wrong values lose no points here. A constant result earns none.
"""


def test_im2col_promises(layers):
    """im2col: cols is float32 when x is, and x stays as it was."""
    import numpy as np

    for kernel_size, stride, padding in [((2, 3), 1, 1), ((2, 2), 2, 0), ((1, 1), 1, 0)]:
        call = f"im2col, float32, kernel_size {kernel_size}, stride {stride}, padding {padding}"
        x = np.arange(1.0, 41.0, dtype="float32").reshape(2, 1, 4, 5)
        before = x.copy()
        cols = layers.im2col(x, kernel_size, stride=stride, padding=padding)
        other = layers.im2col(-before, kernel_size, stride=stride, padding=padding)
        assert isinstance(cols, np.ndarray), f"cols is {cols!r:.60}, but should be an array [{call}]"
        assert cols.dtype == "float32", f"cols.dtype={cols.dtype}, but should be float32, as x [{call}]"
        assert not np.array_equal(cols, other), f"cols is the same for x and for -x, but should be another [{call}]"
        assert np.array_equal(x, before), f"x is changed by the call, but should be as it was [{call}]"


def test_col2im_promises(layers):
    """col2im: x is float32 when cols is, and cols stays as it was."""
    import numpy as np

    for x_shape, kernel_size, stride, padding in [((2, 1, 3, 4), (2, 3), 1, 1), ((2, 3, 2, 2), (1, 1), 1, 0)]:
        call = f"col2im, float32, kernel_size {kernel_size}, stride {stride}, padding {padding}"
        cols = np.arange(1.0, 193.0, dtype="float32").reshape(6, 32) if padding else np.ones((3, 8), "float32")
        before = cols.copy()
        x = layers.col2im(cols, x_shape, kernel_size, stride=stride, padding=padding)
        other = layers.col2im(-before, x_shape, kernel_size, stride=stride, padding=padding)
        assert isinstance(x, np.ndarray), f"x is {x!r:.60}, but should be an array [{call}]"
        assert x.dtype == "float32", f"x.dtype={x.dtype}, but should be float32, as cols [{call}]"
        assert not np.array_equal(x, other), f"x is the same for cols and for -cols, but should be another [{call}]"
        assert np.array_equal(cols, before), f"cols is changed by the call, but should be as it was [{call}]"


def test_conv2d_forward_promises(layers):
    """conv2d_forward: out is float32 when x is, and x, w and b stay as they were."""
    import numpy as np

    for kernel_size, padding in [((2, 3), 1), ((1, 1), 0)]:
        call = f"conv2d_forward, float32, kernel_size {kernel_size}, padding {padding}"
        x = np.arange(1.0, 41.0, dtype="float32").reshape(2, 1, 4, 5)
        w = np.arange(1.0, 1 + 2 * kernel_size[0] * kernel_size[1], dtype="float32").reshape(2, 1, *kernel_size)
        b = np.array([1, 2], dtype="float32")
        given = {"x": x, "w": w, "b": b}
        before = {name: array.copy() for name, array in given.items()}
        result = layers.conv2d_forward(x, w, b, stride=1, padding=padding)
        other = layers.conv2d_forward(-before["x"], before["w"].copy(), before["b"].copy(), stride=1, padding=padding)
        is_pair = isinstance(result, (tuple, list)) and len(result) == 2
        assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [{call}]"
        assert isinstance(result[0], np.ndarray), f"out is {result[0]!r:.60}, but should be an array [{call}]"
        assert result[0].dtype == "float32", f"out.dtype={result[0].dtype}, but should be float32, as x [{call}]"
        assert not np.array_equal(result[0], other[0]), (
            f"out is the same for x and for -x, but should be another [{call}]"
        )
        for name, array in given.items():
            untouched = array.shape == before[name].shape and np.array_equal(array, before[name])
            assert untouched, f"{name} is changed by the call, but should be as it was [{call}]"


def test_conv2d_backward_promises(layers):
    """conv2d_backward: float32 stays float32, inputs stay as they were, and each cache belongs to its own call."""
    import numpy as np

    call = "conv2d_backward, float32, padding 1"
    x = np.arange(1.0, 41.0, dtype="float32").reshape(2, 1, 4, 5)
    w = np.arange(1.0, 13.0, dtype="float32").reshape(2, 1, 2, 3)
    b = np.array([1, 2], dtype="float32")
    dout = np.arange(1.0, 101.0, dtype="float32").reshape(2, 2, 5, 5)
    given = {"x": x.copy(), "w": w.copy(), "b": b.copy(), "dout": dout.copy()}
    result = layers.conv2d_forward(given["x"], given["w"], given["b"], stride=1, padding=1)
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [conv2d_forward]"
    before = {name: array.copy() for name, array in given.items()}
    alone = layers.conv2d_backward(given["dout"], result[1])
    is_triple = isinstance(alone, (tuple, list)) and len(alone) == 3
    assert is_triple, f"result is {alone!r:.60}, but should be (dx, dw, db) [{call}]"
    for name, got in zip(("dx", "dw", "db"), alone, strict=True):
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [{call}]"
        assert got.dtype == "float32", f"{name}.dtype={got.dtype}, but should be float32, as dout [{call}]"
    for name, array in given.items():
        untouched = array.shape == before[name].shape and np.array_equal(array, before[name])
        assert untouched, f"{name} is changed by the call, but should be as it was [{call}]"
    # A second forward pass, of -x, before the first backward pass.
    caches = [layers.conv2d_forward(sign * x, w.copy(), b.copy(), stride=1, padding=1)[1] for sign in (1, -1)]
    first, second = (layers.conv2d_backward(dout.copy(), cache) for cache in caches)
    for name, expected, got, other in zip(("dx", "dw", "db"), alone, first, second, strict=True):
        alike = got.shape == expected.shape and np.allclose(got, expected, rtol=1e-4, atol=1e-3)
        assert alike, f"{name} is another one after a forward pass of -x, but should be the same [{call}]"
        opposite = name != "dw" or np.allclose(other, -expected, rtol=1e-4, atol=1e-3)
        assert opposite, f"dw is not the opposite for -x, but should be: each cache is for its own call [{call}]"
        assert got.any(), f"{name} is zero everywhere, but should be a gradient [{call}]"


def test_max_pool2d_forward_promises(layers):
    """max_pool2d_forward: out is float32 when x is, and x stays as it was."""
    import numpy as np

    for kernel_size, stride in [((2, 3), 1), ((2, 2), 2), ((1, 1), 1)]:
        call = f"max_pool2d_forward, float32, kernel_size {kernel_size}, stride {stride}"
        x = (np.arange(40.0, dtype="float32") * 7 % 41 - 20).reshape(2, 1, 4, 5)
        before = x.copy()
        result = layers.max_pool2d_forward(x, kernel_size, stride)
        other = layers.max_pool2d_forward(-before, kernel_size, stride)
        is_pair = isinstance(result, (tuple, list)) and len(result) == 2
        assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [{call}]"
        assert isinstance(result[0], np.ndarray), f"out is {result[0]!r:.60}, but should be an array [{call}]"
        assert result[0].dtype == "float32", f"out.dtype={result[0].dtype}, but should be float32, as x [{call}]"
        assert not np.array_equal(result[0], other[0]), (
            f"out is the same for x and for -x, but should be another [{call}]"
        )
        assert np.array_equal(x, before), f"x is changed by the call, but should be as it was [{call}]"


def test_max_pool2d_backward_promises(layers):
    """max_pool2d_backward: float32, inputs and caches as promised, and of equal pixels the first one wins."""
    import numpy as np

    for kernel_size, stride, OH, OW in [((2, 3), 1, 3, 3), ((2, 2), 2, 2, 2), ((1, 1), 1, 4, 5)]:
        call = f"max_pool2d_backward, float32, kernel_size {kernel_size}, stride {stride}"
        x = (np.arange(40.0, dtype="float32") * 7 % 41 - 20).reshape(2, 1, 4, 5)
        result = layers.max_pool2d_forward(x, kernel_size, stride)
        is_pair = isinstance(result, (tuple, list)) and len(result) == 2
        assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [max_pool2d_forward]"
        dout = np.arange(1.0, 1.0 + 2 * OH * OW, dtype="float32").reshape(2, 1, OH, OW)
        x_before, dout_before = x.copy(), dout.copy()
        dx = layers.max_pool2d_backward(dout, result[1])
        assert isinstance(dx, np.ndarray), f"dx is {dx!r:.60}, but should be an array [{call}]"
        assert dx.dtype == "float32", f"dx.dtype={dx.dtype}, but should be float32, as dout [{call}]"
        assert np.array_equal(x, x_before), f"x is changed by the call, but should be as it was [{call}]"
        assert np.array_equal(dout, dout_before), f"dout is changed by the call, but should be as it was [{call}]"
        # A second forward pass, of -x, before the first backward pass.
        caches = [layers.max_pool2d_forward(sign * x, kernel_size, stride)[1] for sign in (1, -1)]
        first = layers.max_pool2d_backward(dout.copy(), caches[0])
        assert np.array_equal(first, dx), (
            f"dx is another one after a forward pass of -x, but should be the same [{call}]"
        )
        opposite = layers.max_pool2d_backward(-dout, caches[1])
        assert not np.array_equal(opposite, dx), (
            f"dx is the same for dout and for -dout, but should be another [{call}]"
        )
    call = "max_pool2d_backward, three equal pixels in each window"
    x = np.array([[[[2.0, 2.0, 1.0, 5.0], [0.0, 2.0, 5.0, 5.0]]]])
    _, cache = layers.max_pool2d_forward(x, (2, 2), 2)
    dx = layers.max_pool2d_backward(np.array([[[[3.0, 4.0]]]]), cache)
    expected = np.array([[[[3.0, 0.0, 0.0, 4.0], [0.0, 0.0, 0.0, 0.0]]]])
    assert np.array_equal(dx, expected), f"dx[0, 0]=\n{dx[0, 0]},\nbut should be\n{expected[0, 0]} [{call}]"


def test_avg_pool2d_forward_promises(layers):
    """avg_pool2d_forward: out is float32 when x is, and x stays as it was."""
    import numpy as np

    for kernel_size, stride in [((2, 3), 1), ((2, 2), 2), ((1, 1), 1)]:
        call = f"avg_pool2d_forward, float32, kernel_size {kernel_size}, stride {stride}"
        x = np.arange(1.0, 41.0, dtype="float32").reshape(2, 1, 4, 5)
        before = x.copy()
        result = layers.avg_pool2d_forward(x, kernel_size, stride)
        other = layers.avg_pool2d_forward(-before, kernel_size, stride)
        is_pair = isinstance(result, (tuple, list)) and len(result) == 2
        assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [{call}]"
        assert isinstance(result[0], np.ndarray), f"out is {result[0]!r:.60}, but should be an array [{call}]"
        assert result[0].dtype == "float32", f"out.dtype={result[0].dtype}, but should be float32, as x [{call}]"
        assert not np.array_equal(result[0], other[0]), (
            f"out is the same for x and for -x, but should be another [{call}]"
        )
        assert np.array_equal(x, before), f"x is changed by the call, but should be as it was [{call}]"


def test_avg_pool2d_backward_promises(layers):
    """avg_pool2d_backward: float32 stays float32, inputs stay as they were, and each cache belongs to its own call."""
    import numpy as np

    for kernel_size, stride, OH, OW in [((2, 3), 1, 3, 3), ((2, 2), 2, 2, 2), ((1, 1), 1, 4, 5)]:
        call = f"avg_pool2d_backward, float32, kernel_size {kernel_size}, stride {stride}"
        x = np.arange(1.0, 41.0, dtype="float32").reshape(2, 1, 4, 5)
        result = layers.avg_pool2d_forward(x, kernel_size, stride)
        is_pair = isinstance(result, (tuple, list)) and len(result) == 2
        assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [avg_pool2d_forward]"
        dout = np.arange(1.0, 1.0 + 2 * OH * OW, dtype="float32").reshape(2, 1, OH, OW)
        x_before, dout_before = x.copy(), dout.copy()
        dx = layers.avg_pool2d_backward(dout, result[1])
        assert isinstance(dx, np.ndarray), f"dx is {dx!r:.60}, but should be an array [{call}]"
        assert dx.dtype == "float32", f"dx.dtype={dx.dtype}, but should be float32, as dout [{call}]"
        assert np.array_equal(x, x_before), f"x is changed by the call, but should be as it was [{call}]"
        assert np.array_equal(dout, dout_before), f"dout is changed by the call, but should be as it was [{call}]"
        # A second forward pass, of a wider image, before the first backward pass.
        caches = [layers.avg_pool2d_forward(image, kernel_size, stride)[1] for image in (x, np.hstack([x, x]))]
        first = layers.avg_pool2d_backward(dout.copy(), caches[0])
        same = first.shape == dx.shape and np.allclose(first, dx, rtol=1e-4, atol=1e-3)
        assert same, f"dx is another one after a forward pass of a wider image, but should be the same [{call}]"
        _, cache = layers.avg_pool2d_forward(x, kernel_size, stride)
        other = layers.avg_pool2d_backward(-dout, cache)
        assert not np.array_equal(other, dx), f"dx is the same for dout and for -dout, but should be another [{call}]"
