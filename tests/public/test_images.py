"""Two images of 5x8 pixels, three channels, 2x3 windows, stride 2: no two of the sizes that one could mix up are equal.

Each test takes `layers`, the module with the nine functions, and needs NumPy alone. In float32 all numbers are whole;
in float64 they are thirds, which float32 cannot hold.
"""


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
