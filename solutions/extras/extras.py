"""Layers beyond the nine functions of ``layers.py``: the rest of the lectures, for a bonus.

Every function stands by itself: do those you like, in any order. Names, shapes and rules are those of ``layers.py``,
and your own functions of that file may be imported: ``from layers import im2col``. Hand both files in then. Run
``pytest`` in this folder to check the worked examples.

Names
-----
=================  ======================================================================================
``x``              a batch of images, ``(N, C, H, W)``; ``(N, C, L)`` in one direction, ``(N, C, D, H, W)`` in three
``w``, ``b``       filters and biases; each docstring says their shapes
``out``            what a layer returns
``dout``, ``dx``   the derivative of the loss with respect to ``out``, to ``x`` and so on: same shape, same dtype
``cache``          what forward hands to backward: anything you like, and each cache is used only once
``xp``             in formulas: ``x`` with its padding
=================  ======================================================================================

Rules
-----
All arrays of numbers in a call are float32, or all are float64, and results have the dtype of ``x``. Inputs are never
modified, and results do not share memory with them. Arguments need no checking: the grader passes valid ones only.
NumPy is the only package.
"""

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]  # float32 or float64

# BEGIN SOLUTION
# As in the model answer of layers.py, loops run over the few taps of a window, and each step moves a whole image.


def _out_size(sizes: tuple[int, ...], kernel_size: tuple[int, ...], stride: int, dilation: int = 1) -> tuple[int, ...]:
    """Count the windows that fit along each axis."""
    return tuple((size - dilation * (k - 1) - 1) // stride + 1 for size, k in zip(sizes, kernel_size, strict=True))


def _taps(kernel_size: tuple[int, ...], out_size: tuple[int, ...], stride: int, dilation: int = 1) -> list[Any]:
    """List each tap of a window with the part of an array that it meets: one entry for each window."""
    return [
        (
            tap,
            (
                ...,
                *(slice(dilation * t, dilation * t + stride * n, stride) for t, n in zip(tap, out_size, strict=True)),
            ),
        )
        for tap in np.ndindex(*kernel_size)
    ]


def _convolve(x: Array, w: Array, b: Array, stride: int, padding: int, dilation: int = 1, groups: int = 1) -> Array:
    """Convolve along all axes after the first two."""
    N, F, axes = len(x), len(w), w.ndim - 2
    xp = np.pad(x, [(0, 0), (0, 0)] + [(padding, padding)] * axes)
    xp = xp.reshape(N, groups, w.shape[1], *xp.shape[2:])
    wg = w.reshape(groups, F // groups, *w.shape[1:])
    out_size = _out_size(xp.shape[3:], w.shape[2:], stride, dilation)
    out = np.zeros((N, groups, F // groups, *out_size), dtype=x.dtype)
    for tap, window in _taps(w.shape[2:], out_size, stride, dilation):
        weights = (..., *tap)
        out += np.einsum("gfc,ngc...->ngf...", wg[weights], xp[window])
    return out.reshape(N, F, *out_size) + b.reshape(F, *[1] * axes)


def _gradients(dout: Array, x: Array, w: Array, stride: int, padding: int, dilation: int = 1, groups: int = 1) -> Any:
    """Compute dx, dw and db of `_convolve`."""
    N, F, axes = len(x), len(w), w.ndim - 2
    xp = np.pad(x, [(0, 0), (0, 0)] + [(padding, padding)] * axes)
    xp = xp.reshape(N, groups, w.shape[1], *xp.shape[2:])
    wg, dw = w.reshape(groups, F // groups, *w.shape[1:]), np.zeros_like(w)
    dout, dxp = dout.reshape(N, groups, F // groups, *dout.shape[2:]), np.zeros_like(xp)
    for tap, window in _taps(w.shape[2:], dout.shape[3:], stride, dilation):
        weights = (..., *tap)
        dxp[window] += np.einsum("gfc,ngf...->ngc...", wg[weights], dout)
        both = (array.reshape(*array.shape[:3], dout[0, 0, 0].size) for array in (dout, xp[window]))
        dw[weights] = np.einsum("ngfp,ngcp->gfc", *both).reshape(w.shape[:2])
    inside: Any = (..., *(slice(padding, padding + n) for n in x.shape[2:]))
    dx = dxp.reshape(*x.shape[:2], *dxp.shape[3:])[inside]
    return dx, dw, dout.sum(axis=(0, *range(3, dout.ndim))).reshape(F)


def _cells(start: int, stop: int, count: int) -> list[tuple[int, int]]:
    """Cut the pixels from start to stop into cells that may overlap by one: where each begins and ends."""
    size = stop - start
    return [(start + i * size // count, start - (-(i + 1) * size // count)) for i in range(count)]


# END SOLUTION


# ---- batch normalization


def spatial_batchnorm_forward(
    x: Array,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    training: bool,
    momentum: float = 0.9,
    eps: float = 1e-5,
) -> tuple[Array, Array, Array, Any]:
    """Normalize each channel over all images and pixels, then scale and shift it.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Images.
    gamma, beta : ndarray, shape (C,)
        Scale and shift of each channel.
    running_mean, running_var : ndarray, shape (C,)
        Averages over the batches seen so far.
    training : bool
        Whether the statistics are those of this batch; otherwise they are `running_mean` and `running_var`.
    momentum : float
        How much of the running averages is kept.
    eps : float
        Added to the variance, so that nothing is divided by zero. Both may come as an array with one number.

    Returns
    -------
    out : ndarray, shape (N, C, H, W)
        ``gamma[c] * (x[n, c, p, q] - mean[c]) / sqrt(var[c] + eps) + beta[c]``. In training, mean and var are taken
        over n, p and q, and var divides by ``N*H*W``.
    running_mean, running_var : ndarray, shape (C,)
        New arrays. In training ``momentum * running_mean + (1 - momentum) * mean``, and likewise for var; otherwise
        the same values as before.
    cache : any
        Whatever `spatial_batchnorm_backward` needs.

    Notes
    -----
    PyTorch calls ``1 - momentum`` the momentum, and divides by ``N*H*W - 1`` for the running variance.

    References
    ----------
    Ioffe and Szegedy, "Batch normalization", 2015, section 3.2.

    Examples
    --------
    >>> x = np.array([1.0, 3.0]).reshape(2, 1, 1, 1)
    >>> one, zero = np.ones(1), np.zeros(1)
    >>> out, mean, var, _ = spatial_batchnorm_forward(x, 2 * one, one, zero, zero, True, 0.5, 0.0)
    >>> out.reshape(2), mean, var
    (array([-1.,  3.]), array([1.]), array([0.5]))
    """
    # BEGIN SOLUTION
    mean, var = running_mean.copy(), running_var.copy()
    new_mean, new_var = mean, var
    if training:
        mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
        new_mean = momentum * running_mean + (1 - momentum) * mean
        new_var = momentum * running_var + (1 - momentum) * var
    scale = 1 / np.sqrt(var + eps)
    normal = (x - mean[:, np.newaxis, np.newaxis]) * scale[:, np.newaxis, np.newaxis]
    out = gamma[:, np.newaxis, np.newaxis] * normal + beta[:, np.newaxis, np.newaxis]
    return out, new_mean, new_var, (normal, gamma * scale, training)
    # END SOLUTION


def spatial_batchnorm_backward(dout: Array, cache: Any) -> tuple[Array, Array, Array]:
    """Compute the gradients of batch normalization.

    Parameters
    ----------
    dout : ndarray, shape (N, C, H, W)
        Derivative of the loss with respect to `out`.
    cache : any
        What `spatial_batchnorm_forward` returned, in training or not.

    Returns
    -------
    dx : ndarray, shape (N, C, H, W)
        The derivative with respect to `x`. In training, mean and var depend on `x` as well.
    dgamma : ndarray, shape (C,)
        The sum of ``dout[n, c, p, q] * (x[n, c, p, q] - mean[c]) / sqrt(var[c] + eps)`` over n, p and q.
    dbeta : ndarray, shape (C,)
        The sum of ``dout[n, c, p, q]`` over n, p and q.

    References
    ----------
    Ioffe and Szegedy, "Batch normalization", 2015, section 3.

    Examples
    --------
    With two pixels, what is normalized is -1 and 1 whatever `x` is, so it has no gradient:

    >>> x, one = np.array([1.0, 3.0]).reshape(2, 1, 1, 1), np.ones(1)
    >>> *_, cache = spatial_batchnorm_forward(x, one, one, one, one, True, 0.9, 0.0)
    >>> dx, dgamma, dbeta = spatial_batchnorm_backward(np.array([1.0, 5.0]).reshape(2, 1, 1, 1), cache)
    >>> dx.reshape(2), dgamma, dbeta
    (array([0., 0.]), array([4.]), array([6.]))
    """
    # BEGIN SOLUTION
    normal, slope, training = cache
    dgamma, dbeta = (dout * normal).sum(axis=(0, 2, 3)), dout.sum(axis=(0, 2, 3))
    dx = dout
    if training:  # what changes the mean or the variance has no effect
        lost = dbeta[:, np.newaxis, np.newaxis] + normal * dgamma[:, np.newaxis, np.newaxis]
        dx = dout - lost / (dout.size // len(dbeta))
    return dx * slope[:, np.newaxis, np.newaxis], dgamma, dbeta
    # END SOLUTION


# ---- transposed convolution


def conv_transpose2d_forward(x: Array, w: Array, b: Array, stride: int = 1, padding: int = 0) -> tuple[Array, Any]:
    """Stamp each filter onto a larger image: a convolution with fractional stride.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Images.
    w : ndarray, shape (C, F, KH, KW)
        Filters. C comes first: they are those of a convolution from F channels to C.
    b : ndarray, shape (F,)
        One bias for each channel of `out`.
    stride, padding : int
        Step between stamps, and rows and columns that are cut off on all four sides at the end.

    Returns
    -------
    out : ndarray, shape (N, F, OH, OW)
        ``OH = stride*(H - 1) + KH - 2*padding``, and OW likewise. Each ``x[n, c, p, q] * w[c, f, i, j]`` is added at
        row ``stride*p + i - padding`` and column ``stride*q + j - padding``, where that is inside of `out`, and
        ``b[f]`` to every pixel. dtype of `x`.
    cache : any
        Whatever `conv_transpose2d_backward` needs.

    Notes
    -----
    Without b it is the adjoint of a convolution: ``(conv2d(y, w) * x).sum() == (y * out).sum()`` for all y with the
    shape of `out`. So it computes what `conv2d_backward` calls dx.

    References
    ----------
    Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016, chapter 4.

    Examples
    --------
    >>> x, w = np.array([[[[1.0, 2.0]]]]), np.array([[[[1.0, 1.0, 1.0]]]])
    >>> conv_transpose2d_forward(x, w, np.zeros(1), stride=2)[0]
    array([[[[1., 1., 3., 2., 2.]]]])
    """
    # BEGIN SOLUTION
    N, _, H, W = x.shape
    _, F, KH, KW = w.shape
    full = np.zeros((N, F, stride * (H - 1) + KH, stride * (W - 1) + KW), dtype=x.dtype)
    for (i, j), window in _taps((KH, KW), (H, W), stride):
        full[window] += np.einsum("cf,nchw->nfhw", w[:, :, i, j], x)
    OH, OW = full.shape[2] - 2 * padding, full.shape[3] - 2 * padding
    out = full[:, :, padding : padding + OH, padding : padding + OW] + b[:, np.newaxis, np.newaxis]
    return out, (x, w, stride, padding)
    # END SOLUTION


def conv_transpose2d_backward(dout: Array, cache: Any) -> tuple[Array, Array, Array]:
    """Compute the gradients of a transposed convolution.

    Parameters
    ----------
    dout : ndarray, shape (N, F, OH, OW)
        Derivative of the loss with respect to `out`.
    cache : any
        What `conv_transpose2d_forward` returned.

    Returns
    -------
    dx : ndarray, shape (N, C, H, W)
        The derivative with respect to `x`: the convolution of `dout` with `w`.
    dw : ndarray, shape (C, F, KH, KW)
        The derivative with respect to `w`.
    db : ndarray, shape (F,)
        The sum of ``dout[n, f, p, q]`` over n, p and q.

    References
    ----------
    Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016, chapter 4.

    Examples
    --------
    >>> x, w = np.array([[[[1.0, 2.0]]]]), np.array([[[[1.0, 1.0, 1.0]]]])
    >>> _, cache = conv_transpose2d_forward(x, w, np.zeros(1), stride=2)
    >>> dx, dw, db = conv_transpose2d_backward(np.array([[[[1.0, 2.0, 3.0, 4.0, 5.0]]]]), cache)
    >>> dx, dw, db
    (array([[[[ 6., 12.]]]]), array([[[[ 7., 10., 13.]]]]), array([15.]))
    """
    # BEGIN SOLUTION
    x, w, stride, padding = cache
    padded = np.pad(dout, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for (i, j), window in _taps(w.shape[2:], x.shape[2:], stride):
        dx += np.einsum("cf,nfhw->nchw", w[:, :, i, j], padded[window])
        dw[:, :, i, j] = np.einsum("nchw,nfhw->cf", x, padded[window])
    return dx, dw, dout.sum(axis=(0, 2, 3))
    # END SOLUTION


# ---- upsampling and downsampling


def upsample_forward(x: Array, factor: int) -> tuple[Array, Any]:
    """Spread the pixels: insert ``factor - 1`` zeros after every row and column.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Images.
    factor : int
        How many times as high and as wide the result is.

    Returns
    -------
    out : ndarray, shape (N, C, factor*H, factor*W)
        ``out[n, c, factor*p, factor*q] = x[n, c, p, q]``, and zero everywhere else. dtype of `x`.
    cache : any
        Whatever `upsample_backward` needs.

    References
    ----------
    Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016, section 4.5.

    Examples
    --------
    >>> upsample_forward(np.array([[[[1.0, 2.0]]]]), 2)[0]
    array([[[[1., 0., 2., 0.],
             [0., 0., 0., 0.]]]])
    """
    # BEGIN SOLUTION
    N, C, H, W = x.shape
    out = np.zeros((N, C, factor * H, factor * W), dtype=x.dtype)
    out[:, :, ::factor, ::factor] = x
    return out, factor
    # END SOLUTION


def upsample_backward(dout: Array, cache: Any) -> Array:
    """Compute the gradient of `upsample_forward`.

    Parameters
    ----------
    dout : ndarray, shape (N, C, factor*H, factor*W)
        Derivative of the loss with respect to `out`.
    cache : any
        What `upsample_forward` returned.

    Returns
    -------
    ndarray, shape (N, C, H, W)
        ``dx``. dtype of `dout`.

    References
    ----------
    The chain rule, applied to the formula of `upsample_forward`.

    Examples
    --------
    >>> _, cache = upsample_forward(np.array([[[[1.0, 2.0]]]]), 2)
    >>> upsample_backward(np.array([[[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]]]), cache)
    array([[[[1., 3.]]]])
    """
    # BEGIN SOLUTION
    return dout[:, :, ::cache, ::cache].copy()
    # END SOLUTION


def downsample_forward(x: Array, factor: int) -> tuple[Array, Any]:
    """Keep every factor-th row and column, from the first one on.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Images.
    factor : int
        Step from one row or column that is kept to the next.

    Returns
    -------
    out : ndarray, shape (N, C, OH, OW)
        ``out[n, c, p, q] = x[n, c, factor*p, factor*q]``, as far as `x` goes: ``OH = H / factor``, rounded up. dtype
        of `x`.
    cache : any
        Whatever `downsample_backward` needs.

    Notes
    -----
    A convolution with a stride is one with stride 1, followed by this.

    References
    ----------
    Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016, section 2.4.

    Examples
    --------
    >>> downsample_forward(np.array([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]]), 2)[0]
    array([[[[1., 3.]]]])
    """
    # BEGIN SOLUTION
    return x[:, :, ::factor, ::factor].copy(), (x.shape, factor)
    # END SOLUTION


def downsample_backward(dout: Array, cache: Any) -> Array:
    """Compute the gradient of `downsample_forward`.

    Parameters
    ----------
    dout : ndarray, shape (N, C, OH, OW)
        Derivative of the loss with respect to `out`.
    cache : any
        What `downsample_forward` returned.

    Returns
    -------
    ndarray, shape (N, C, H, W)
        ``dx``: a pixel that was left out has no influence. dtype of `dout`.

    References
    ----------
    The chain rule, applied to the formula of `downsample_forward`.

    Examples
    --------
    >>> _, cache = downsample_forward(np.array([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]]), 2)
    >>> downsample_backward(np.array([[[[7.0, 8.0]]]]), cache)
    array([[[[7., 0., 8.],
             [0., 0., 0.]]]])
    """
    # BEGIN SOLUTION
    shape, factor = cache
    dx = np.zeros(shape, dtype=dout.dtype)
    dx[:, :, ::factor, ::factor] = dout
    return dx
    # END SOLUTION
