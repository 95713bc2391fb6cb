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


def test_pad2d_forward_example(extras):
    """pad2d_forward: one row above, two columns on the right."""
    import numpy as np

    x = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    result = extras.pad2d_forward(x, (1, 0, 0, 2))
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [pad2d_forward]"
    for name, got, expected in [
        ("out", result[0], np.array([0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 0.0, 0.0, 3.0, 4.0, 0.0, 0.0]).reshape(1, 1, 3, 4)),
    ]:
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [pad2d_forward]"
        assert got.shape == expected.shape, f"{name}.shape={got.shape}, but should be {expected.shape} [pad2d_forward]"
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [pad2d_forward]"


def test_pad2d_backward_example(extras):
    """pad2d_backward: one row above, two columns on the right."""
    import numpy as np

    x = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    result = extras.pad2d_forward(x, (1, 0, 0, 2))
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [pad2d_forward]"
    result = extras.pad2d_backward(np.arange(1.0, 13.0).reshape(1, 1, 3, 4), result[-1])
    for name, got, expected in [
        ("dx", result, np.array([5.0, 6.0, 9.0, 10.0]).reshape(1, 1, 2, 2)),
    ]:
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [pad2d_backward]"
        assert got.shape == expected.shape, f"{name}.shape={got.shape}, but should be {expected.shape} [pad2d_backward]"
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [pad2d_backward]"


def test_min_pool2d_forward_example(extras):
    """min_pool2d_forward: 2x2 windows, stride 1; a tie in the second one."""
    import numpy as np

    x = np.array([[[[1.0, 5.0, 2.0], [4.0, 2.0, 9.0]]]])
    result = extras.min_pool2d_forward(x, (2, 2), 1)
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [min_pool2d_forward]"
    for name, got, expected in [
        ("out", result[0], np.array([1.0, 2.0]).reshape(1, 1, 1, 2)),
    ]:
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [min_pool2d_forward]"
        assert got.shape == expected.shape, (
            f"{name}.shape={got.shape}, but should be {expected.shape} [min_pool2d_forward]"
        )
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [min_pool2d_forward]"


def test_min_pool2d_backward_example(extras):
    """min_pool2d_backward: 2x2 windows, stride 1; a tie in the second one."""
    import numpy as np

    x = np.array([[[[1.0, 5.0, 2.0], [4.0, 2.0, 9.0]]]])
    result = extras.min_pool2d_forward(x, (2, 2), 1)
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [min_pool2d_forward]"
    result = extras.min_pool2d_backward(np.array([[[[10.0, 20.0]]]]), result[-1])
    for name, got, expected in [
        ("dx", result, np.array([10.0, 0.0, 20.0, 0.0, 0.0, 0.0]).reshape(1, 1, 2, 3)),
    ]:
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [min_pool2d_backward]"
        assert got.shape == expected.shape, (
            f"{name}.shape={got.shape}, but should be {expected.shape} [min_pool2d_backward]"
        )
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [min_pool2d_backward]"


def test_lp_pool2d_forward_example(extras):
    """lp_pool2d_forward: windows of 3 and 4, and one of zeros."""
    import numpy as np

    x = np.array([[[[3.0, 4.0, 0.0, 0.0]]]])
    result = extras.lp_pool2d_forward(x, (1, 2), 1)
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [lp_pool2d_forward]"
    for name, got, expected in [
        ("out", result[0], np.array([5.0, 4.0, 0.0]).reshape(1, 1, 1, 3)),
    ]:
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [lp_pool2d_forward]"
        assert got.shape == expected.shape, (
            f"{name}.shape={got.shape}, but should be {expected.shape} [lp_pool2d_forward]"
        )
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [lp_pool2d_forward]"


def test_lp_pool2d_backward_example(extras):
    """lp_pool2d_backward: windows of 3 and 4, and one of zeros."""
    import numpy as np

    x = np.array([[[[3.0, 4.0, 0.0, 0.0]]]])
    result = extras.lp_pool2d_forward(x, (1, 2), 1)
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [lp_pool2d_forward]"
    result = extras.lp_pool2d_backward(np.array([[[[10.0, 20.0, 30.0]]]]), result[-1])
    for name, got, expected in [
        ("dx", result, np.array([6.0, 28.0, 0.0, 0.0]).reshape(1, 1, 1, 4)),
    ]:
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [lp_pool2d_backward]"
        assert got.shape == expected.shape, (
            f"{name}.shape={got.shape}, but should be {expected.shape} [lp_pool2d_backward]"
        )
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [lp_pool2d_backward]"


def test_global_avg_pool2d_forward_example(extras):
    """global_avg_pool2d_forward: two channels of 1x3 pixels."""
    import numpy as np

    x = np.array([[[[1.0, 2.0, 6.0]], [[4.0, 4.0, 7.0]]]])
    result = extras.global_avg_pool2d_forward(x)
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [global_avg_pool2d_forward]"
    for name, got, expected in [
        ("out", result[0], np.array([3.0, 5.0]).reshape(1, 2)),
    ]:
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [global_avg_pool2d_forward]"
        assert got.shape == expected.shape, (
            f"{name}.shape={got.shape}, but should be {expected.shape} [global_avg_pool2d_forward]"
        )
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [global_avg_pool2d_forward]"


def test_global_avg_pool2d_backward_example(extras):
    """global_avg_pool2d_backward: two channels of 1x3 pixels."""
    import numpy as np

    x = np.array([[[[1.0, 2.0, 6.0]], [[4.0, 4.0, 7.0]]]])
    result = extras.global_avg_pool2d_forward(x)
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [global_avg_pool2d_forward]"
    result = extras.global_avg_pool2d_backward(np.array([[3.0, 6.0]]), result[-1])
    for name, got, expected in [
        ("dx", result, np.array([1.0, 1.0, 1.0, 2.0, 2.0, 2.0]).reshape(1, 2, 1, 3)),
    ]:
        assert isinstance(got, np.ndarray), (
            f"{name} is {got!r:.60}, but should be an array [global_avg_pool2d_backward]"
        )
        assert got.shape == expected.shape, (
            f"{name}.shape={got.shape}, but should be {expected.shape} [global_avg_pool2d_backward]"
        )
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [global_avg_pool2d_backward]"


def test_adaptive_avg_pool2d_forward_example(extras):
    """adaptive_avg_pool2d_forward: five columns into two windows: they share the third."""
    import numpy as np

    x = np.array([[[[1.0, 3.0, 5.0, 7.0, 9.0]]]])
    result = extras.adaptive_avg_pool2d_forward(x, (1, 2))
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [adaptive_avg_pool2d_forward]"
    for name, got, expected in [
        ("out", result[0], np.array([3.0, 7.0]).reshape(1, 1, 1, 2)),
    ]:
        assert isinstance(got, np.ndarray), (
            f"{name} is {got!r:.60}, but should be an array [adaptive_avg_pool2d_forward]"
        )
        assert got.shape == expected.shape, (
            f"{name}.shape={got.shape}, but should be {expected.shape} [adaptive_avg_pool2d_forward]"
        )
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [adaptive_avg_pool2d_forward]"


def test_adaptive_avg_pool2d_backward_example(extras):
    """adaptive_avg_pool2d_backward: five columns into two windows: they share the third."""
    import numpy as np

    x = np.array([[[[1.0, 3.0, 5.0, 7.0, 9.0]]]])
    result = extras.adaptive_avg_pool2d_forward(x, (1, 2))
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [adaptive_avg_pool2d_forward]"
    result = extras.adaptive_avg_pool2d_backward(np.array([[[[3.0, 6.0]]]]), result[-1])
    for name, got, expected in [
        ("dx", result, np.array([1.0, 1.0, 3.0, 2.0, 2.0]).reshape(1, 1, 1, 5)),
    ]:
        assert isinstance(got, np.ndarray), (
            f"{name} is {got!r:.60}, but should be an array [adaptive_avg_pool2d_backward]"
        )
        assert got.shape == expected.shape, (
            f"{name}.shape={got.shape}, but should be {expected.shape} [adaptive_avg_pool2d_backward]"
        )
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [adaptive_avg_pool2d_backward]"


def test_conv2d_grouped_forward_example(extras):
    """conv2d_grouped_forward: two groups of one channel, filters with a gap."""
    import numpy as np

    x = np.arange(1.0, 11.0).reshape(1, 2, 1, 5)
    w = np.array([[[[1.0, -1.0]]], [[[1.0, 1.0]]]])
    b = np.array([0.0, 100.0])
    result = extras.conv2d_grouped_forward(x, w, b, stride=2, padding=0, dilation=2, groups=2)
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [conv2d_grouped_forward]"
    for name, got, expected in [
        ("out", result[0], np.array([-2.0, -2.0, 114.0, 118.0]).reshape(1, 2, 1, 2)),
    ]:
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [conv2d_grouped_forward]"
        assert got.shape == expected.shape, (
            f"{name}.shape={got.shape}, but should be {expected.shape} [conv2d_grouped_forward]"
        )
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [conv2d_grouped_forward]"


def test_conv2d_grouped_backward_example(extras):
    """conv2d_grouped_backward: two groups of one channel, filters with a gap."""
    import numpy as np

    x = np.arange(1.0, 11.0).reshape(1, 2, 1, 5)
    w = np.array([[[[1.0, -1.0]]], [[[1.0, 1.0]]]])
    b = np.array([0.0, 100.0])
    result = extras.conv2d_grouped_forward(x, w, b, stride=2, padding=0, dilation=2, groups=2)
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [conv2d_grouped_forward]"
    result = extras.conv2d_grouped_backward(np.array([[[[1.0, 10.0]], [[2.0, 20.0]]]]), result[-1])
    is_triple = isinstance(result, (tuple, list)) and len(result) == 3
    assert is_triple, f"result is {result!r:.60}, but should be (dx, dw, db) [conv2d_grouped_backward]"
    for name, got, expected in [
        ("dx", result[0], np.array([1.0, 0.0, 9.0, 0.0, -10.0, 2.0, 0.0, 22.0, 0.0, 20.0]).reshape(1, 2, 1, 5)),
        ("dw", result[1], np.array([31.0, 53.0, 172.0, 216.0]).reshape(2, 1, 1, 2)),
        ("db", result[2], np.array([11.0, 22.0])),
    ]:
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [conv2d_grouped_backward]"
        assert got.shape == expected.shape, (
            f"{name}.shape={got.shape}, but should be {expected.shape} [conv2d_grouped_backward]"
        )
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [conv2d_grouped_backward]"


def test_conv1d_forward_example(extras):
    """conv1d_forward: differences of neighbours, with padding 1."""
    import numpy as np

    x = np.array([[[1.0, 2.0, 4.0]]])
    w = np.array([[[-1.0, 1.0]]])
    b = np.array([100.0])
    result = extras.conv1d_forward(x, w, b, stride=1, padding=1)
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [conv1d_forward]"
    for name, got, expected in [
        ("out", result[0], np.array([101.0, 101.0, 102.0, 96.0]).reshape(1, 1, 4)),
    ]:
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [conv1d_forward]"
        assert got.shape == expected.shape, f"{name}.shape={got.shape}, but should be {expected.shape} [conv1d_forward]"
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [conv1d_forward]"


def test_conv1d_backward_example(extras):
    """conv1d_backward: differences of neighbours, with padding 1."""
    import numpy as np

    x = np.array([[[1.0, 2.0, 4.0]]])
    w = np.array([[[-1.0, 1.0]]])
    b = np.array([100.0])
    result = extras.conv1d_forward(x, w, b, stride=1, padding=1)
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [conv1d_forward]"
    result = extras.conv1d_backward(np.array([[[1.0, 10.0, 100.0, 1000.0]]]), result[-1])
    is_triple = isinstance(result, (tuple, list)) and len(result) == 3
    assert is_triple, f"result is {result!r:.60}, but should be (dx, dw, db) [conv1d_backward]"
    for name, got, expected in [
        ("dx", result[0], np.array([-9.0, -90.0, -900.0]).reshape(1, 1, 3)),
        ("dw", result[1], np.array([4210.0, 421.0]).reshape(1, 1, 2)),
        ("db", result[2], np.array([1111.0])),
    ]:
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [conv1d_backward]"
        assert got.shape == expected.shape, (
            f"{name}.shape={got.shape}, but should be {expected.shape} [conv1d_backward]"
        )
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [conv1d_backward]"


def test_conv3d_forward_example(extras):
    """conv3d_forward: a volume of 2x2x2 and a filter of 2x1x2."""
    import numpy as np

    x = np.arange(8.0).reshape(1, 1, 2, 2, 2)
    w = np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 1, 2, 1, 2)
    b = np.array([100.0])
    result = extras.conv3d_forward(x, w, b, stride=1, padding=0)
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [conv3d_forward]"
    for name, got, expected in [
        ("out", result[0], np.array([134.0, 154.0]).reshape(1, 1, 1, 2, 1)),
    ]:
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [conv3d_forward]"
        assert got.shape == expected.shape, f"{name}.shape={got.shape}, but should be {expected.shape} [conv3d_forward]"
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [conv3d_forward]"


def test_conv3d_backward_example(extras):
    """conv3d_backward: a volume of 2x2x2 and a filter of 2x1x2."""
    import numpy as np

    x = np.arange(8.0).reshape(1, 1, 2, 2, 2)
    w = np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 1, 2, 1, 2)
    b = np.array([100.0])
    result = extras.conv3d_forward(x, w, b, stride=1, padding=0)
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [conv3d_forward]"
    result = extras.conv3d_backward(np.array([1.0, 10.0]).reshape(1, 1, 1, 2, 1), result[-1])
    is_triple = isinstance(result, (tuple, list)) and len(result) == 3
    assert is_triple, f"result is {result!r:.60}, but should be (dx, dw, db) [conv3d_backward]"
    for name, got, expected in [
        ("dx", result[0], np.array([1.0, 2.0, 10.0, 20.0, 3.0, 4.0, 30.0, 40.0]).reshape(1, 1, 2, 2, 2)),
        ("dw", result[1], np.array([20.0, 31.0, 64.0, 75.0]).reshape(1, 1, 2, 1, 2)),
        ("db", result[2], np.array([11.0])),
    ]:
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [conv3d_backward]"
        assert got.shape == expected.shape, (
            f"{name}.shape={got.shape}, but should be {expected.shape} [conv3d_backward]"
        )
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [conv3d_backward]"


def test_conv2d_as_linear_example(extras):
    """conv2d_as_linear: two channels of two pixels."""
    import numpy as np

    x = np.array([1.0, 2.0, 10.0, 20.0]).reshape(1, 2, 1, 2)
    w = np.array([1.0, 3.0]).reshape(1, 2, 1, 1)
    b = np.array([0.5])
    result = extras.conv2d_as_linear(x, w, b)
    for name, got, expected in [
        ("out", result, np.array([31.5, 62.5]).reshape(1, 1, 1, 2)),
    ]:
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [conv2d_as_linear]"
        assert got.shape == expected.shape, (
            f"{name}.shape={got.shape}, but should be {expected.shape} [conv2d_as_linear]"
        )
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [conv2d_as_linear]"


def test_conv2d_dx_as_conv_example(extras):
    """conv2d_dx_as_conv: a 1x2 dout and a filter of 2x3."""
    import numpy as np

    dout = np.array([[[[1.0, 10.0]]]])
    w = np.array([[[[2.0, 3.0, 4.0], [5.0, 6.0, 7.0]]]])
    result = extras.conv2d_dx_as_conv(dout, w, padding=0)
    for name, got, expected in [
        ("dx", result, np.array([2.0, 23.0, 34.0, 40.0, 5.0, 56.0, 67.0, 70.0]).reshape(1, 1, 2, 4)),
    ]:
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [conv2d_dx_as_conv]"
        assert got.shape == expected.shape, (
            f"{name}.shape={got.shape}, but should be {expected.shape} [conv2d_dx_as_conv]"
        )
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [conv2d_dx_as_conv]"


def test_roi_max_pool_forward_example(extras):
    """roi_max_pool_forward: a box of 2x3 pixels onto a grid of 1x2, and an empty box."""
    import numpy as np

    x = np.array([[[[1.0, 5.0, 2.0], [4.0, 3.0, 9.0]]]])
    images = np.array([0, 0])
    boxes = np.array([[0, 0, 3, 2], [1, 1, 1, 1]])
    result = extras.roi_max_pool_forward(x, images, boxes, (1, 2))
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [roi_max_pool_forward]"
    for name, got, expected in [
        ("out", result[0], np.array([5.0, 9.0, 0.0, 0.0]).reshape(2, 1, 1, 2)),
    ]:
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [roi_max_pool_forward]"
        assert got.shape == expected.shape, (
            f"{name}.shape={got.shape}, but should be {expected.shape} [roi_max_pool_forward]"
        )
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [roi_max_pool_forward]"


def test_roi_max_pool_backward_example(extras):
    """roi_max_pool_backward: a box of 2x3 pixels onto a grid of 1x2, and an empty box."""
    import numpy as np

    x = np.array([[[[1.0, 5.0, 2.0], [4.0, 3.0, 9.0]]]])
    images = np.array([0, 0])
    boxes = np.array([[0, 0, 3, 2], [1, 1, 1, 1]])
    result = extras.roi_max_pool_forward(x, images, boxes, (1, 2))
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    assert is_pair, f"result is {result!r:.60}, but should be (out, cache) [roi_max_pool_forward]"
    result = extras.roi_max_pool_backward(np.array([10.0, 20.0, 30.0, 40.0]).reshape(2, 1, 1, 2), result[-1])
    for name, got, expected in [
        ("dx", result, np.array([0.0, 10.0, 0.0, 0.0, 0.0, 20.0]).reshape(1, 1, 2, 3)),
    ]:
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [roi_max_pool_backward]"
        assert got.shape == expected.shape, (
            f"{name}.shape={got.shape}, but should be {expected.shape} [roi_max_pool_backward]"
        )
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [roi_max_pool_backward]"


def test_box_iou_example(extras):
    """box_iou: one box against three: half of it, beside it, itself."""
    import numpy as np

    a = np.array([[0.0, 0.0, 2.0, 2.0]])
    b = np.array([[1.0, 0.0, 3.0, 2.0], [2.0, 0.0, 4.0, 2.0], [0.0, 0.0, 2.0, 2.0]])
    result = extras.box_iou(a, b)
    for name, got, expected in [
        ("iou", result, np.array([0.3333333333333333, 0.0, 1.0]).reshape(1, 3)),
    ]:
        assert isinstance(got, np.ndarray), f"{name} is {got!r:.60}, but should be an array [box_iou]"
        assert got.shape == expected.shape, f"{name}.shape={got.shape}, but should be {expected.shape} [box_iou]"
        right = np.allclose(got, expected, rtol=0, atol=1e-9)
        assert right, f"{name}=\n{got},\nbut should be\n{expected} [box_iou]"
