"""Cross entropy: losses and gradients."""

import pytest


@pytest.mark.cases("scores")
def test_cross_entropy_forward(student, case, check):
    """cross_entropy_forward: the loss of every row."""
    losses, _ = student.cross_entropy_forward(case.scores, case.labels)
    check.array("losses", losses, case.losses)


@pytest.mark.cases("scores")
def test_cross_entropy_backward(student, case, check):
    """cross_entropy_backward: the gradient of the loss."""
    _, cache = student.cross_entropy_forward(case.scores, case.labels)
    check.array("dscores", student.cross_entropy_backward(case.dlosses, cache), case.dscores)
