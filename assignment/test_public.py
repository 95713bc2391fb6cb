"""The public tests, to run by yourself: put this file beside your layers.py and type ``pytest test_public.py``.

They are the ones the grader runs and shows. It has others as well.
"""

import importlib
import sys
from pathlib import Path

import pytest


@pytest.fixture
def layers():
    """Your layers.py, from the folder of this file."""
    folder = str(Path(__file__).resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module("layers")


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


def test_im2col_images(layers):
    """im2col: two images with padding, whose pixels tell where they come from."""
    import numpy as np

    # 2134 is the pixel of image 2, channel 1, row 3, column 4; 0 is padding.
    image, channel, row, column = np.ogrid[1:3, 1:4, 1:6, 1:9]
    pixels = 1000.0 * image + 100 * channel + 10 * row + column
    columns = {
        0: "0 0 0 0 1111 1112 0 0 0 0 1211 1212 0 0 0 0 1311 1312",
        6: "1124 1125 1126 1134 1135 1136 1224 1225 1226 1234 1235 1236 1324 1325 1326 1334 1335 1336",
        11: "1146 1147 1148 1156 1157 1158 1246 1247 1248 1256 1257 1258 1346 1347 1348 1356 1357 1358",
        12: "0 0 0 0 2111 2112 0 0 0 0 2211 2212 0 0 0 0 2311 2312",
        23: "2146 2147 2148 2156 2157 2158 2246 2247 2248 2256 2257 2258 2346 2347 2348 2356 2357 2358",
    }
    rows = {
        0: """0 0 0 0 0 1122 1124 1126 0 1142 1144 1146
              0 0 0 0 0 2122 2124 2126 0 2142 2144 2146""",
        9: """0 1212 1214 1216 0 1232 1234 1236 0 1252 1254 1256
              0 2212 2214 2216 0 2232 2234 2236 0 2252 2254 2256""",
        17: """1312 1314 1316 1318 1332 1334 1336 1338 1352 1354 1356 1358
               2312 2314 2316 2318 2332 2334 2336 2338 2352 2354 2356 2358""",
    }
    for dtype, scale, tolerance in [("float32", 1, 1e-2), ("float64", 3, 1e-9)]:
        call = f"im2col, {dtype}, padding 1"
        cols = layers.im2col((pixels / scale).astype(dtype), (2, 3), stride=2, padding=1)
        assert isinstance(cols, np.ndarray), f"cols is {cols!r:.60}, but should be an array [{call}]"
        cols = np.asarray(cols)  # a row of a np.matrix would be a matrix
        assert cols.shape == (18, 24), f"cols.shape={cols.shape}, but should be (18, 24) [{call}]"
        lines = [(f"cols[:, {k}]", cols[:, k], text) for k, text in columns.items()]
        lines += [(f"cols[{k}]", cols[k], text) for k, text in rows.items()]
        for name, got, text in lines:
            expected = np.array(text.split(), dtype=float) / scale
            assert np.allclose(got, expected, rtol=0, atol=tolerance), (
                f"{name}=\n{got},\nbut should be\n{expected} [{call}]"
            )


def test_col2im_images(layers):
    """col2im: two images with padding, and overlaps."""
    import numpy as np

    def compare(name, got, expected, tolerance, call):
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [{call}]"
        assert got.shape == expected.shape, f"{name}.shape={got.shape}, but should be {expected.shape} [{call}]"
        wrong = np.argwhere(~np.isclose(got, expected, rtol=0, atol=tolerance))
        if len(wrong):
            place = tuple(int(index) for index in wrong[0])
            entry = f"{name}{list(place)}={got[place]:.9g}, but should be {expected[place]:.9g}"
            raise AssertionError(f"{entry}; {len(wrong)} of {got.size} entries differ [{call}]")

    cols = (np.arange(432.0) * 5 % 17 - 8).reshape(18, 24)
    pixels = """
        -4 -3 1 7 6 0 -6 -5 -4 -3 1 7 6 0 -6 -5 -1 3 4 13
        -8 -11 -3 -2 -1 3 4 13 -8 -11 -3 -2 2 9 7 2 -5 -5 0 1
        2 9 7 2 -5 -5 0 1 2 9 7 2 -5 -5 0 1 5 -2 -7 -9
        -2 1 3 4 5 -2 -7 -9 -2 1 3 4 8 -13 -4 -3 1 7 6 7
        8 -13 -4 -3 1 7 6 7 8 -13 -4 -3 1 7 6 7 -6 -7 -1 3
        4 13 -8 -7 -6 -7 -1 3 4 13 -8 -7 -3 -1 2 9 7 2 -5 -4
        5 -2 -7 -9 -2 1 3 4 5 -2 -7 -9 -2 1 3 4 8 -13 -4 -3
        1 7 6 7 8 -13 -4 -3 1 7 6 7 -6 -7 -1 3 4 13 -8 -7
        -6 -7 -1 3 4 13 -8 -7 -6 -7 -1 3 4 13 -8 -7 -3 -1 2 9
        7 2 -5 -4 -3 -1 2 9 7 2 -5 -4 0 5 5 -2 -7 -9 -2 -1
        0 5 5 -2 -7 -9 -2 -1 0 5 5 -2 -7 -9 -2 -1 3 11 8 -13
        -4 -3 1 2 3 11 8 -13 -4 -3 1 2 6 0 -6 -7 -1 3 4 5
    """
    expected = np.array(pixels.split(), dtype=float).reshape(2, 3, 5, 8)
    for dtype, scale, tolerance in [("float32", 1, 1e-3), ("float64", 3, 1e-9)]:
        x = layers.col2im((cols / scale).astype(dtype), (2, 3, 5, 8), (2, 3), stride=2, padding=1)
        compare("x", x, expected / scale, tolerance, f"col2im, {dtype}, padding 1")


def test_conv2d_forward_images(layers):
    """conv2d_forward: two images with padding and two filters of three channels."""
    import numpy as np

    def compare(name, got, expected, tolerance, call):
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [{call}]"
        assert got.shape == expected.shape, f"{name}.shape={got.shape}, but should be {expected.shape} [{call}]"
        wrong = np.argwhere(~np.isclose(got, expected, rtol=0, atol=tolerance))
        if len(wrong):
            place = tuple(int(index) for index in wrong[0])
            entry = f"{name}{list(place)}={got[place]:.9g}, but should be {expected[place]:.9g}"
            raise AssertionError(f"{entry}; {len(wrong)} of {got.size} entries differ [{call}]")

    x = (np.arange(240.0) * 7 % 19 - 9).reshape(2, 3, 5, 8)
    w = (np.arange(36.0) * 5 % 13 - 6).reshape(2, 3, 2, 3)
    b = np.array([1.0, -2.0])
    numbers = """
        33 1 9 -2 71 1 -7 4 -81 165 -185 -3
        36 -2 -6 -10 47 -92 -7 116 -145 -20 8 74
        38 6 -5 3 90 34 121 -77 71 -11 95 -84
        36 5 1 -3 127 11 -18 -104 87 -88 -117 82
    """
    expected = np.array(numbers.split(), dtype=float).reshape(2, 2, 3, 4)
    for dtype, scale, tolerance in [("float32", 1, 1e-2), ("float64", 3, 1e-9)]:
        call = f"conv2d_forward, {dtype}, stride 2, padding 1"
        given = (x / scale).astype(dtype), w.astype(dtype), (b / scale).astype(dtype)
        result = layers.conv2d_forward(*given, stride=2, padding=1)
        is_pair = isinstance(result, (tuple, list)) and len(result) == 2
        assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [{call}]"
        compare("out", result[0], expected / scale, tolerance, call)


def test_conv2d_backward_images(layers):
    """conv2d_backward: two images with padding and two filters of three channels."""
    import numpy as np

    def compare(name, got, expected, tolerance, call):
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [{call}]"
        assert got.shape == expected.shape, f"{name}.shape={got.shape}, but should be {expected.shape} [{call}]"
        wrong = np.argwhere(~np.isclose(got, expected, rtol=0, atol=tolerance))
        if len(wrong):
            place = tuple(int(index) for index in wrong[0])
            entry = f"{name}{list(place)}={got[place]:.9g}, but should be {expected[place]:.9g}"
            raise AssertionError(f"{entry}; {len(wrong)} of {got.size} entries differ [{call}]")

    x = (np.arange(240.0) * 7 % 19 - 9).reshape(2, 3, 5, 8)
    w = (np.arange(36.0) * 5 % 13 - 6).reshape(2, 3, 2, 3)
    dout = (np.arange(48.0) * 3 % 11 - 5).reshape(2, 2, 3, 4)
    pixels = """
        -5 -37 -2 -31 1 30 4 4 6 -1 -3 20 -12 -25 1 11 -4 -35 -1 -29
        2 32 5 15 3 6 -6 -39 7 15 9 -26 -3 -33 0 28 3 23 -5 -40
        -33 22 -6 -2 21 -15 4 4 -14 22 1 -26 16 -41 9 -7 -24 14 3 -10
        30 -23 13 -3 -9 6 6 -9 -1 31 -19 37 -15 6 12 -7 -5 13 -33 23
        30 -10 3 14 -24 5 4 4 18 6 18 6 18 -5 -48 1 21 -2 -6 22
        -33 13 -5 5 18 6 18 -5 -48 -5 18 9 12 6 -15 -3 13 -23 30 -5
        1 30 4 25 -4 -35 -1 4 -12 -25 1 29 3 6 -6 9 2 32 5 27
        -3 -33 0 15 7 15 9 -8 0 13 -9 16 3 23 -5 -37 -2 -31 1 26
        21 -15 4 5 -24 14 3 -5 16 -41 9 -1 -9 6 6 -18 30 -23 13 -3
        -15 6 12 -12 -1 31 -19 38 -4 -10 11 -29 -5 13 -33 22 -6 -2 21 -19
        -24 5 4 -15 21 -2 -6 -1 18 -5 -48 -5 18 6 18 -6 -33 13 -5 -7
        12 6 -15 0 -48 -5 18 6 18 6 18 -9 13 -23 30 -10 3 14 -24 1
    """
    weights = """
        66 -103 92 119 -70 92 66 2 -126 52 64 -78 -105 126 -135 -91 141 -58
        -134 2 92 -159 -19 147 79 -103 82 121 -86 80 64 20 -137 59 94 -158
    """
    dx = np.array(pixels.split(), dtype=float).reshape(2, 3, 5, 8)
    dw = np.array(weights.split(), dtype=float).reshape(2, 3, 2, 3)
    db = np.array([-4.0, 2.0])
    for dtype, scale, tolerance in [("float32", 1, 1e-2), ("float64", 3, 1e-9)]:
        call = f"conv2d_backward, {dtype}, stride 2, padding 1"
        result = layers.conv2d_forward(x.astype(dtype), w.astype(dtype), np.ones(2, dtype), stride=2, padding=1)
        is_pair = isinstance(result, (tuple, list)) and len(result) == 2
        assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [conv2d_forward]"
        result = layers.conv2d_backward((dout / scale).astype(dtype), result[1])
        is_triple = isinstance(result, (tuple, list)) and len(result) == 3
        assert is_triple, f"result is {result!r:.60}, but should be (dx, dw, db) [{call}]"
        for name, got, expected in zip(("dx", "dw", "db"), result, (dx, dw, db), strict=True):
            compare(name, got, expected / scale, tolerance, call)


def test_max_pool2d_forward_images(layers):
    """max_pool2d_forward: two images of negative numbers, and a border that no window reaches."""
    import numpy as np

    def compare(name, got, expected, tolerance, call):
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [{call}]"
        assert got.shape == expected.shape, f"{name}.shape={got.shape}, but should be {expected.shape} [{call}]"
        wrong = np.argwhere(~np.isclose(got, expected, rtol=0, atol=tolerance))
        if len(wrong):
            place = tuple(int(index) for index in wrong[0])
            entry = f"{name}{list(place)}={got[place]:.9g}, but should be {expected[place]:.9g}"
            raise AssertionError(f"{entry}; {len(wrong)} of {got.size} entries differ [{call}]")

    x = (np.arange(240.0) * 7 % 19 - 19).reshape(2, 3, 5, 8)
    numbers = """
        -1 -5 -3 -2 -1 -5 -5 -3 -1 -1 -5 -3 -3 -1 -1 -5 -3 -3
        -1 -1 -6 -3 -3 -1 -1 -6 -4 -3 -1 -6 -6 -4 -2 -1 -6 -4
    """
    expected = np.array(numbers.split(), dtype=float).reshape(2, 3, 2, 3)
    for dtype, scale, tolerance in [("float32", 1, 1e-3), ("float64", 3, 1e-9)]:
        call = f"max_pool2d_forward, {dtype}, stride 2"
        result = layers.max_pool2d_forward((x / scale).astype(dtype), (2, 3), 2)
        is_pair = isinstance(result, (tuple, list)) and len(result) == 2
        assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [{call}]"
        compare("out", result[0], expected / scale, tolerance, call)


def test_max_pool2d_backward_images(layers):
    """max_pool2d_backward: two images of negative numbers, and a border that no window reaches."""
    import numpy as np

    def compare(name, got, expected, tolerance, call):
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [{call}]"
        assert got.shape == expected.shape, f"{name}.shape={got.shape}, but should be {expected.shape} [{call}]"
        wrong = np.argwhere(~np.isclose(got, expected, rtol=0, atol=tolerance))
        if len(wrong):
            place = tuple(int(index) for index in wrong[0])
            entry = f"{name}{list(place)}={got[place]:.9g}, but should be {expected[place]:.9g}"
            raise AssertionError(f"{entry}; {len(wrong)} of {got.size} entries differ [{call}]")

    x = (np.arange(240.0) * 7 % 19 - 19).reshape(2, 3, 5, 8)
    dout = (np.arange(36.0) * 5 % 13 - 6).reshape(2, 3, 2, 3)
    pixels = """
        0 0 -1 0 0 4 0 0 -6 0 0 0 0 0 0 0 -4 0 0 0
        0 6 0 0 0 0 0 1 0 0 0 0 0 0 0 0 0 0 0 0
        -2 0 0 3 0 0 -5 0 0 0 0 0 0 0 0 0 0 0 0 5
        0 0 -3 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
        0 2 0 0 -7 0 0 0 0 0 0 0 0 0 0 0 0 4 0 0
        -3 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
        0 0 4 0 3 0 0 0 0 0 0 0 0 0 0 0 0 0 -5 0
        0 5 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
        -3 0 2 0 0 -6 0 0 0 0 0 0 0 0 0 0 -1 0 0 4
        0 -4 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
        1 0 0 6 0 0 -2 0 0 0 0 0 0 0 0 0 0 3 0 -5
        0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
    """
    expected = np.array(pixels.split(), dtype=float).reshape(2, 3, 5, 8)
    for dtype, scale, tolerance in [("float32", 1, 1e-3), ("float64", 3, 1e-9)]:
        call = f"max_pool2d_backward, {dtype}, stride 2"
        result = layers.max_pool2d_forward(x.astype(dtype), (2, 3), 2)
        is_pair = isinstance(result, (tuple, list)) and len(result) == 2
        assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [max_pool2d_forward]"
        dx = layers.max_pool2d_backward((dout / scale).astype(dtype), result[1])
        compare("dx", dx, expected / scale, tolerance, call)


def test_avg_pool2d_forward_images(layers):
    """avg_pool2d_forward: two images, and a border that no window reaches."""
    import numpy as np

    def compare(name, got, expected, tolerance, call):
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [{call}]"
        assert got.shape == expected.shape, f"{name}.shape={got.shape}, but should be {expected.shape} [{call}]"
        wrong = np.argwhere(~np.isclose(got, expected, rtol=0, atol=tolerance))
        if len(wrong):
            place = tuple(int(index) for index in wrong[0])
            entry = f"{name}{list(place)}={got[place]:.9g}, but should be {expected[place]:.9g}"
            raise AssertionError(f"{entry}; {len(wrong)} of {got.size} entries differ [{call}]")

    x = 6 * (np.arange(240.0) * 7 % 19 - 9).reshape(2, 3, 5, 8)  # a window has six pixels
    numbers = """
        4 -7 1 11 0 -11 -7 1 9 0 -11 -3 1 9 17 -11 -3 5
        9 17 -13 -3 5 13 17 -13 -5 5 13 -17 -13 -5 3 13 -17 -9
    """
    expected = np.array(numbers.split(), dtype=float).reshape(2, 3, 2, 3)
    for dtype, scale, tolerance in [("float32", 1, 1e-3), ("float64", 3, 1e-9)]:
        call = f"avg_pool2d_forward, {dtype}, stride 2"
        result = layers.avg_pool2d_forward((x / scale).astype(dtype), (2, 3), 2)
        is_pair = isinstance(result, (tuple, list)) and len(result) == 2
        assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [{call}]"
        compare("out", result[0], expected / scale, tolerance, call)


def test_avg_pool2d_backward_images(layers):
    """avg_pool2d_backward: two images, and a border that no window reaches."""
    import numpy as np

    def compare(name, got, expected, tolerance, call):
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [{call}]"
        assert got.shape == expected.shape, f"{name}.shape={got.shape}, but should be {expected.shape} [{call}]"
        wrong = np.argwhere(~np.isclose(got, expected, rtol=0, atol=tolerance))
        if len(wrong):
            place = tuple(int(index) for index in wrong[0])
            entry = f"{name}{list(place)}={got[place]:.9g}, but should be {expected[place]:.9g}"
            raise AssertionError(f"{entry}; {len(wrong)} of {got.size} entries differ [{call}]")

    x = (np.arange(240.0) * 7 % 19 - 9).reshape(2, 3, 5, 8)
    dout = 6 * (np.arange(36.0) * 5 % 13 - 6).reshape(2, 3, 2, 3)  # a window has six pixels
    pixels = """
        -6 -6 -7 -1 3 4 4 0 -6 -6 -7 -1 3 4 4 0 -4 -4 -3 1
        7 6 6 0 -4 -4 -3 1 7 6 6 0 0 0 0 0 0 0 0 0
        -2 -2 1 3 -2 -5 -5 0 -2 -2 1 3 -2 -5 -5 0 0 0 5 5
        2 -3 -3 0 0 0 5 5 2 -3 -3 0 0 0 0 0 0 0 0 0
        2 2 -4 -6 -7 -1 -1 0 2 2 -4 -6 -7 -1 -1 0 4 4 0 -4
        -3 1 1 0 4 4 0 -4 -3 1 1 0 0 0 0 0 0 0 0 0
        6 6 4 -2 1 3 3 0 6 6 4 -2 1 3 3 0 -5 -5 -5 0
        5 5 5 0 -5 -5 -5 0 5 5 5 0 0 0 0 0 0 0 0 0
        -3 -3 -1 2 -4 -6 -6 0 -3 -3 -1 2 -4 -6 -6 0 -1 -1 3 4
        0 -4 -4 0 -1 -1 3 4 0 -4 -4 0 0 0 0 0 0 0 0 0
        1 1 7 6 4 -2 -2 0 1 1 7 6 4 -2 -2 0 3 3 -2 -5
        -5 0 0 0 3 3 -2 -5 -5 0 0 0 0 0 0 0 0 0 0 0
    """
    expected = np.array(pixels.split(), dtype=float).reshape(2, 3, 5, 8)
    for dtype, scale, tolerance in [("float32", 1, 1e-3), ("float64", 3, 1e-9)]:
        call = f"avg_pool2d_backward, {dtype}, stride 2"
        result = layers.avg_pool2d_forward(x.astype(dtype), (2, 3), 2)
        is_pair = isinstance(result, (tuple, list)) and len(result) == 2
        assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [avg_pool2d_forward]"
        dx = layers.avg_pool2d_backward((dout / scale).astype(dtype), result[1])
        compare("dx", dx, expected / scale, tolerance, call)


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
