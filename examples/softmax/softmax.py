"""Softmax and cross entropy, from scores to losses and back."""

import numpy as np


def cross_entropy_forward(scores, labels):
    """Return the loss of every row, and what the backward pass needs.

    Parameters
    ----------
    scores : ndarray, shape (N, K)
        Any finite numbers, large ones as well.
    labels : ndarray of int, shape (N,)
        The right class of every row.

    Returns
    -------
    losses : ndarray, shape (N,)
        ``-log(softmax(scores)[n, labels[n]])``
    cache
        Whatever you like.
    """
    # BEGIN SOLUTION
    shifted = scores - scores.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -logs[np.arange(len(labels)), labels], (logs, labels)
    # END SOLUTION


def cross_entropy_backward(dlosses, cache):
    """Return the gradient of the loss with respect to the scores.

    Parameters
    ----------
    dlosses : ndarray, shape (N,)
        The gradient with respect to the losses.
    cache
        From ``cross_entropy_forward``.

    Returns
    -------
    dscores : ndarray, shape (N, K)
    """
    # BEGIN SOLUTION
    logs, labels = cache
    dscores = np.exp(logs)
    dscores[np.arange(len(labels)), labels] -= 1
    return dscores * dlosses[:, np.newaxis]
    # END SOLUTION
