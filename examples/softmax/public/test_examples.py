"""What students can run themselves. A test takes the module, imports what it needs, and says what is wrong."""


def test_cross_entropy_forward_example(softmax):
    """cross_entropy_forward: two equal scores, and three with e = 2.718…."""
    import numpy as np

    losses, _ = softmax.cross_entropy_forward(np.array([[0.0, 0.0]]), np.array([1]))
    assert np.allclose(losses, [np.log(2)]), f"losses={losses}, but should be [log(2)] [cross_entropy_forward]"
    losses, _ = softmax.cross_entropy_forward(np.array([[1.0, 0.0, 0.0]]), np.array([0]))
    expected = np.log(np.e + 2) - 1
    assert np.allclose(losses, [expected]), f"losses={losses}, but should be [{expected}] [cross_entropy_forward]"


def test_cross_entropy_backward_example(softmax):
    """cross_entropy_backward: two equal scores."""
    import numpy as np

    _, cache = softmax.cross_entropy_forward(np.array([[0.0, 0.0]]), np.array([1]))
    dscores = softmax.cross_entropy_backward(np.array([2.0]), cache)
    assert np.allclose(dscores, [[1, -1]]), f"dscores={dscores}, but should be [[1, -1]] [cross_entropy_backward]"
