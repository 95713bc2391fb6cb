"""The worked examples of the lecture, small enough to follow by hand.

Each test takes `layers`, the module with the nine functions, and needs NumPy alone.
"""


def test_conv_output_size_example(layers):
    """conv_output_size: how many windows fit, by hand."""
    import numpy as np

    for size, kernel_size, stride, padding, expected in [
        (4, 2, 1, 0, 3),
        (5, 3, 2, 0, 2),
        (6, 3, 2, 0, 2),  # the last pixel belongs to no window
        (5, 3, 1, 1, 5),
        (6, 3, 2, 1, 3),
        (28, 5, 3, 2, 10),
    ]:
        got = layers.conv_output_size(size, kernel_size, stride=stride, padding=padding)
        call = f"conv_output_size({size}, {kernel_size}, stride={stride}, padding={padding})"
        assert isinstance(got, (int, np.integer)), f"size is {got!r:.60}, but should be an int [{call}]"
        assert got == expected, f"size={got}, but should be {expected} [{call}]"


def test_im2col_example(layers):
    """im2col: the 1x3x4x4 example of the lecture."""
    import numpy as np

    x = np.arange(1.0, 49.0).reshape(1, 3, 4, 4)
    red = [
        [1, 2, 3, 5, 6, 7, 9, 10, 11],
        [2, 3, 4, 6, 7, 8, 10, 11, 12],
        [5, 6, 7, 9, 10, 11, 13, 14, 15],
        [6, 7, 8, 10, 11, 12, 14, 15, 16],
    ]
    one = np.vstack([red, np.add(red, 16), np.add(red, 32)])  # a channel has 16 pixels
    for name, images, expected in [
        ("one image", x, one),
        ("two images side by side", np.concatenate([x, x + 100]), np.hstack([one, one + 100])),
    ]:
        call = f"im2col, {name}"
        cols = layers.im2col(images, (2, 2), stride=1, padding=0)
        assert isinstance(cols, np.ndarray), f"cols is {cols!r:.60}, but should be an array [{call}]"
        cols = np.asarray(cols)  # a row of a np.matrix would be a matrix
        assert cols.shape == expected.shape, f"cols.shape={cols.shape}, but should be {expected.shape} [{call}]"
        for row in range(12):
            assert np.array_equal(cols[row], expected[row]), (
                f"cols[{row}]=\n{cols[row]},\nbut should be\n{expected[row]} [{call}]"
            )


def test_col2im_example(layers):
    """col2im: overlaps add up, and what falls on the padding is dropped."""
    import numpy as np

    cols = np.arange(1.0, 17.0).reshape(4, 4)
    for x_shape, padding, pixels in [
        ((1, 1, 3, 3), 0, [[1, 7, 6], [12, 34, 22], [11, 27, 16]]),
        ((1, 1, 1, 1), 1, [[34]]),
    ]:
        call = f"col2im, padding {padding}"
        x = layers.col2im(cols, x_shape, (2, 2), stride=1, padding=padding)
        assert isinstance(x, np.ndarray), f"x is {x!r:.60}, but should be an array [{call}]"
        assert x.shape == x_shape, f"x.shape={x.shape}, but should be {x_shape} [{call}]"
        expected = np.array(pixels, dtype=float)
        assert np.array_equal(x[0, 0], expected), f"x[0, 0]=\n{x[0, 0]},\nbut should be\n{expected} [{call}]"


def test_conv2d_forward_example(layers):
    """conv2d_forward: the 5x5 example of the lecture, with a bias of -1."""
    import numpy as np

    image = [[0, 2, -3, 2, -3], [-2, -2, -2, -1, -2], [-3, -3, 2, -2, 1], [-3, -2, 1, -3, 1], [0, -1, 0, 2, -3]]
    x = np.array(image, dtype=float).reshape(1, 1, 5, 5)
    w = np.array([[-1, 0, -2], [1, 1, -1], [-1, -1, 0]], dtype=float).reshape(1, 1, 3, 3)
    for stride, pixels in [
        (1, [[9, -9, 7], [2, 5, 6], [-7, 9, -10]]),
        (2, [[9, 7], [-7, -10]]),  # stride 1 with every other one left out
    ]:
        call = f"conv2d_forward, stride {stride}"
        result = layers.conv2d_forward(x.copy(), w.copy(), np.array([-1.0]), stride=stride, padding=0)
        is_pair = isinstance(result, (tuple, list)) and len(result) == 2
        assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [{call}]"
        out, expected = result[0], np.array(pixels, dtype=float)
        assert isinstance(out, np.ndarray), f"out is {out!r:.60}, but should be an array [{call}]"
        shape = (1, 1, *expected.shape)
        assert out.shape == shape, f"out.shape={out.shape}, but should be {shape} [{call}]"
        assert np.allclose(out[0, 0], expected, rtol=0, atol=1e-6), (
            f"out[0, 0]=\n{out[0, 0]},\nbut should be\n{expected} [{call}]"
        )


def test_conv2d_forward_rectangle(layers):
    """conv2d_forward: the 4x5 example of the lecture."""
    import numpy as np

    image = np.array(
        [[1, 0.9, 1.6, 0.3, 0.4], [0.9, 0.2, 0, 0.5, 3], [0.4, 0.2, 0.8, 0.6, 0.3], [0.5, 0.8, 1, 0.7, 2.1]]
    )
    wider = np.hstack([image, np.zeros((4, 1))])
    w = np.array([[[[1.0, 0.0], [1.0, 1.0]]]])
    for name, pixels, stride, expected in [
        ("stride 1", image, 1, [[2.1, 1.1, 2.1, 3.8], [1.5, 1.2, 1.4, 1.4], [1.7, 2, 2.5, 3.4]]),
        ("stride 2", image, 2, [[2.1, 2.1], [1.7, 2.5]]),
        ("stride 2, a column of zeros on the right", wider, 2, [[2.1, 2.1, 3.4], [1.7, 2.5, 2.4]]),
    ]:
        call, x = f"conv2d_forward, {name}", pixels[np.newaxis, np.newaxis].copy()
        result = layers.conv2d_forward(x, w.copy(), np.zeros(1), stride=stride, padding=0)
        is_pair = isinstance(result, (tuple, list)) and len(result) == 2
        assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [{call}]"
        out, shape = result[0], (1, 1, len(expected), len(expected[0]))
        assert isinstance(out, np.ndarray), f"out is {out!r:.60}, but should be an array [{call}]"
        assert out.shape == shape, f"out.shape={out.shape}, but should be {shape} [{call}]"
        assert np.allclose(out[0, 0], expected, rtol=0, atol=1e-6), (
            f"out[0, 0]=\n{out[0, 0]},\nbut should be\n{np.array(expected)} [{call}]"
        )


def test_conv2d_backward_example(layers):
    """conv2d_backward: a 3x3 image and a 2x2 filter, by hand."""
    import numpy as np

    x = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    w = np.arange(1.0, 5.0).reshape(1, 1, 2, 2)
    dout = np.array([[[[1.0, 0.0], [2.0, -1.0]]]])
    result = layers.conv2d_forward(x, w, np.zeros(1), stride=1, padding=0)
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [conv2d_forward]"
    result = layers.conv2d_backward(dout, result[1])
    is_triple = isinstance(result, (tuple, list)) and len(result) == 3
    assert is_triple, f"result is {result!r:.60}, but should be (dx, dw, db) [conv2d_backward]"
    # For the pixel in the middle: dout11 w22 + dout12 w21 + dout21 w12 + dout22 w11 = 1*4 + 0*3 + 2*2 - 1*1 = 7.
    for name, got, expected in [
        ("dx", result[0], np.array([[[[1.0, 2.0, 0.0], [5.0, 7.0, -2.0], [6.0, 5.0, -4.0]]]])),
        ("dw", result[1], np.array([[[[4.0, 6.0], [10.0, 12.0]]]])),
        ("db", result[2], np.array([2.0])),
    ]:
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [conv2d_backward]"
        assert got.shape == expected.shape, (
            f"{name}.shape={got.shape}, but should be {expected.shape} [conv2d_backward]"
        )
        assert np.allclose(got, expected, rtol=0, atol=1e-6), (
            f"{name}=\n{got},\nbut should be\n{expected} [conv2d_backward]"
        )


def test_max_pool2d_forward_example(layers):
    """max_pool2d_forward: the 4x5 example of the lecture."""
    import numpy as np

    image = [[0.4, 2.3, 0, 1.3, 0], [1.9, 3.2, 2.1, 1.5, 0], [2.3, 0, 3.8, 0, 4.3], [1.5, 2.3, 1.5, 0.7, 2.1]]
    x = np.array(image).reshape(1, 1, 4, 5)
    for stride, pixels in [
        (1, [[3.2, 3.2, 2.1, 1.5], [3.2, 3.8, 3.8, 4.3], [2.3, 3.8, 3.8, 4.3]]),
        (2, [[3.2, 2.1], [2.3, 3.8]]),  # no window reaches the last column
    ]:
        call = f"max_pool2d_forward, stride {stride}"
        result = layers.max_pool2d_forward(x.copy(), (2, 2), stride)
        is_pair = isinstance(result, (tuple, list)) and len(result) == 2
        assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [{call}]"
        out, expected = result[0], np.array(pixels)
        assert isinstance(out, np.ndarray), f"out is {out!r:.60}, but should be an array [{call}]"
        shape = (1, 1, *expected.shape)
        assert out.shape == shape, f"out.shape={out.shape}, but should be {shape} [{call}]"
        assert np.allclose(out[0, 0], expected, rtol=0, atol=1e-6), (
            f"out[0, 0]=\n{out[0, 0]},\nbut should be\n{expected} [{call}]"
        )


def test_max_pool2d_backward_example(layers):
    """max_pool2d_backward: a 3x4 image, by hand."""
    import numpy as np

    x = np.array([[1, 5, 2, 3], [4, 0, 9, 6], [8, 7, -1, -2]], dtype=float).reshape(1, 1, 3, 4)
    for stride, dout, pixels in [
        (1, [[1, 2, 3], [4, 5, 6]], [[0, 1, 0, 0], [0, 0, 16, 0], [4, 0, 0, 0]]),  # the 9 wins four windows
        (2, [[1, 2]], [[0, 1, 0, 0], [0, 0, 2, 0], [0, 0, 0, 0]]),  # no window reaches the last row
    ]:
        result = layers.max_pool2d_forward(x.copy(), (2, 2), stride)
        is_pair = isinstance(result, (tuple, list)) and len(result) == 2
        assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [max_pool2d_forward, stride {stride}]"
        dx = layers.max_pool2d_backward(np.array([[dout]], dtype=float), result[1])
        call, expected = f"max_pool2d_backward, stride {stride}", np.array(pixels, dtype=float)
        assert isinstance(dx, np.ndarray), f"dx is {dx!r:.60}, but should be an array [{call}]"
        assert dx.shape == x.shape, f"dx.shape={dx.shape}, but should be {x.shape} [{call}]"
        assert np.allclose(dx[0, 0], expected, rtol=0, atol=1e-6), (
            f"dx[0, 0]=\n{dx[0, 0]},\nbut should be\n{expected} [{call}]"
        )


def test_avg_pool2d_forward_example(layers):
    """avg_pool2d_forward: the 4x5 example of the lecture."""
    import numpy as np

    image = [[0.4, 2.3, 0, 1.3, 0], [1.9, 3.2, 2.1, 1.5, 0], [2.3, 0, 3.8, 0, 4.3], [1.5, 2.3, 1.5, 0.7, 2.1]]
    x = np.array(image).reshape(1, 1, 4, 5)
    for stride, pixels in [
        (1, [[1.95, 1.9, 1.225, 0.7], [1.85, 2.275, 1.85, 1.45], [1.525, 1.9, 1.5, 1.775]]),
        (2, [[1.95, 1.225], [1.525, 1.5]]),  # no window reaches the last column
    ]:
        call = f"avg_pool2d_forward, stride {stride}"
        result = layers.avg_pool2d_forward(x.copy(), (2, 2), stride)
        is_pair = isinstance(result, (tuple, list)) and len(result) == 2
        assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [{call}]"
        out, expected = result[0], np.array(pixels)
        assert isinstance(out, np.ndarray), f"out is {out!r:.60}, but should be an array [{call}]"
        shape = (1, 1, *expected.shape)
        assert out.shape == shape, f"out.shape={out.shape}, but should be {shape} [{call}]"
        assert np.allclose(out[0, 0], expected, rtol=0, atol=1e-6), (
            f"out[0, 0]=\n{out[0, 0]},\nbut should be\n{expected} [{call}]"
        )


def test_avg_pool2d_backward_example(layers):
    """avg_pool2d_backward: a 3x4 image, by hand."""
    import numpy as np

    x = np.arange(1.0, 13.0).reshape(1, 1, 3, 4)
    for stride, dout, pixels in [
        (1, [[4, 8, 12], [16, 20, 24]], [[1, 3, 5, 3], [5, 12, 16, 9], [4, 9, 11, 6]]),
        (2, [[4, 8]], [[1, 1, 2, 2], [1, 1, 2, 2], [0, 0, 0, 0]]),  # no window reaches the last row
    ]:
        result = layers.avg_pool2d_forward(x.copy(), (2, 2), stride)
        is_pair = isinstance(result, (tuple, list)) and len(result) == 2
        assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [avg_pool2d_forward, stride {stride}]"
        dx = layers.avg_pool2d_backward(np.array([[dout]], dtype=float), result[1])
        call, expected = f"avg_pool2d_backward, stride {stride}", np.array(pixels, dtype=float)
        assert isinstance(dx, np.ndarray), f"dx is {dx!r:.60}, but should be an array [{call}]"
        assert dx.shape == x.shape, f"dx.shape={dx.shape}, but should be {x.shape} [{call}]"
        assert np.allclose(dx[0, 0], expected, rtol=0, atol=1e-6), (
            f"dx[0, 0]=\n{dx[0, 0]},\nbut should be\n{expected} [{call}]"
        )
