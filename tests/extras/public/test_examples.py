"""The worked examples of the handout, small enough to follow by hand.

Each test takes `extras`, the module with the functions, and needs NumPy alone.
"""


def test_spatial_batchnorm_forward_example(extras):
    """spatial_batchnorm_forward: two images of two pixels, in training."""
    import numpy as np

    x = np.array([1.0, 3.0, 5.0, 7.0]).reshape(2, 1, 1, 2)
    gamma = np.array([2.0])
    beta = np.array([10.0])
    running_mean = np.array([8.0])
    running_var = np.array([1.0])
    result = extras.spatial_batchnorm_forward(
        x, gamma, beta, running_mean, running_var, True, np.array(0.75), np.array(4.0)
    )
    is_whole = isinstance(result, (tuple, list)) and len(result) == 4
    assert is_whole, (
        f"result is {result!r:.60}, but should be (out, new_mean, new_var, cache) [spatial_batchnorm_forward]"
    )
    for name, got, expected in [
        ("out", result[0], np.array([8.0, 9.333333333333334, 10.666666666666666, 12.0]).reshape(2, 1, 1, 2)),
        ("new_mean", result[1], np.array([7.0])),
        ("new_var", result[2], np.array([2.0])),
    ]:
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [spatial_batchnorm_forward]"
        assert got.shape == expected.shape, (
            f"{name}.shape={got.shape}, but should be {expected.shape} [spatial_batchnorm_forward]"
        )
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [spatial_batchnorm_forward]"


def test_spatial_batchnorm_backward_example(extras):
    """spatial_batchnorm_backward: two images of two pixels, in training."""
    import numpy as np

    x = np.array([1.0, 3.0, 5.0, 7.0]).reshape(2, 1, 1, 2)
    gamma = np.array([2.0])
    beta = np.array([10.0])
    running_mean = np.array([8.0])
    running_var = np.array([1.0])
    result = extras.spatial_batchnorm_forward(
        x, gamma, beta, running_mean, running_var, True, np.array(0.75), np.array(4.0)
    )
    is_whole = isinstance(result, (tuple, list)) and len(result) == 4
    assert is_whole, (
        f"result is {result!r:.60}, but should be (out, new_mean, new_var, cache) [spatial_batchnorm_forward]"
    )
    result = extras.spatial_batchnorm_backward(np.array([3.0, 0.0, 0.0, 6.0]).reshape(2, 1, 1, 2), result[-1])
    is_triple = isinstance(result, (tuple, list)) and len(result) == 3
    assert is_triple, f"result is {result!r:.60}, but should be (dx, dgamma, dbeta) [spatial_batchnorm_backward]"
    for name, got, expected in [
        ("dx", result[0], np.array([1.0, -1.3333333333333335, -1.6666666666666665, 2.0]).reshape(2, 1, 1, 2)),
        ("dgamma", result[1], np.array([3.0])),
        ("dbeta", result[2], np.array([9.0])),
    ]:
        assert isinstance(got, np.ndarray), (
            f"{name} is {got!r:.60}, but should be an array [spatial_batchnorm_backward]"
        )
        assert got.shape == expected.shape, (
            f"{name}.shape={got.shape}, but should be {expected.shape} [spatial_batchnorm_backward]"
        )
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [spatial_batchnorm_backward]"


def test_conv_transpose2d_forward_example(extras):
    """conv_transpose2d_forward: two pixels stamp a filter, with stride 2."""
    import numpy as np

    x = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    w = np.array([[[[1.0, 1.0, 1.0], [0.0, 5.0, 0.0]]]])
    b = np.array([100.0])
    result = extras.conv_transpose2d_forward(x, w, b, stride=2, padding=0)
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [conv_transpose2d_forward]"
    for name, got, expected in [
        (
            "out",
            result[0],
            np.array(
                [
                    101.0,
                    101.0,
                    103.0,
                    102.0,
                    102.0,
                    100.0,
                    105.0,
                    100.0,
                    110.0,
                    100.0,
                    103.0,
                    103.0,
                    107.0,
                    104.0,
                    104.0,
                    100.0,
                    115.0,
                    100.0,
                    120.0,
                    100.0,
                ]
            ).reshape(1, 1, 4, 5),
        ),
    ]:
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [conv_transpose2d_forward]"
        assert got.shape == expected.shape, (
            f"{name}.shape={got.shape}, but should be {expected.shape} [conv_transpose2d_forward]"
        )
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [conv_transpose2d_forward]"


def test_conv_transpose2d_backward_example(extras):
    """conv_transpose2d_backward: two pixels stamp a filter, with stride 2."""
    import numpy as np

    x = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    w = np.array([[[[1.0, 1.0, 1.0], [0.0, 5.0, 0.0]]]])
    b = np.array([100.0])
    result = extras.conv_transpose2d_forward(x, w, b, stride=2, padding=0)
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [conv_transpose2d_forward]"
    result = extras.conv_transpose2d_backward(np.arange(1.0, 21.0).reshape(1, 1, 4, 5), result[-1])
    is_triple = isinstance(result, (tuple, list)) and len(result) == 3
    assert is_triple, f"result is {result!r:.60}, but should be (dx, dw, db) [conv_transpose2d_backward]"
    for name, got, expected in [
        ("dx", result[0], np.array([41.0, 57.0, 121.0, 137.0]).reshape(1, 1, 2, 2)),
        ("dw", result[1], np.array([92.0, 102.0, 112.0, 142.0, 152.0, 162.0]).reshape(1, 1, 2, 3)),
        ("db", result[2], np.array([210.0])),
    ]:
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [conv_transpose2d_backward]"
        assert got.shape == expected.shape, (
            f"{name}.shape={got.shape}, but should be {expected.shape} [conv_transpose2d_backward]"
        )
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [conv_transpose2d_backward]"


def test_upsample_forward_example(extras):
    """upsample_forward: a 1x2 image becomes 2x4."""
    import numpy as np

    x = np.array([[[[1.0, 2.0]]]])
    result = extras.upsample_forward(x, 2)
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [upsample_forward]"
    for name, got, expected in [
        ("out", result[0], np.array([1.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0]).reshape(1, 1, 2, 4)),
    ]:
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [upsample_forward]"
        assert got.shape == expected.shape, (
            f"{name}.shape={got.shape}, but should be {expected.shape} [upsample_forward]"
        )
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [upsample_forward]"


def test_upsample_backward_example(extras):
    """upsample_backward: a 1x2 image becomes 2x4."""
    import numpy as np

    x = np.array([[[[1.0, 2.0]]]])
    result = extras.upsample_forward(x, 2)
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [upsample_forward]"
    result = extras.upsample_backward(np.arange(1.0, 9.0).reshape(1, 1, 2, 4), result[-1])
    for name, got, expected in [
        ("dx", result, np.array([1.0, 3.0]).reshape(1, 1, 1, 2)),
    ]:
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [upsample_backward]"
        assert got.shape == expected.shape, (
            f"{name}.shape={got.shape}, but should be {expected.shape} [upsample_backward]"
        )
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [upsample_backward]"


def test_downsample_forward_example(extras):
    """downsample_forward: every other pixel of a 3x4 image."""
    import numpy as np

    x = np.arange(1.0, 13.0).reshape(1, 1, 3, 4)
    result = extras.downsample_forward(x, 2)
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [downsample_forward]"
    for name, got, expected in [
        ("out", result[0], np.array([1.0, 3.0, 9.0, 11.0]).reshape(1, 1, 2, 2)),
    ]:
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [downsample_forward]"
        assert got.shape == expected.shape, (
            f"{name}.shape={got.shape}, but should be {expected.shape} [downsample_forward]"
        )
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [downsample_forward]"


def test_downsample_backward_example(extras):
    """downsample_backward: every other pixel of a 3x4 image."""
    import numpy as np

    x = np.arange(1.0, 13.0).reshape(1, 1, 3, 4)
    result = extras.downsample_forward(x, 2)
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [downsample_forward]"
    result = extras.downsample_backward(np.array([[[[10.0, 20.0], [30.0, 40.0]]]]), result[-1])
    for name, got, expected in [
        ("dx", result, np.array([10.0, 0.0, 20.0, 0.0, 0.0, 0.0, 0.0, 0.0, 30.0, 0.0, 40.0, 0.0]).reshape(1, 1, 3, 4)),
    ]:
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [downsample_backward]"
        assert got.shape == expected.shape, (
            f"{name}.shape={got.shape}, but should be {expected.shape} [downsample_backward]"
        )
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [downsample_backward]"
