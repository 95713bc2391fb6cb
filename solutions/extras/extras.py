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
        both = (array.reshape(*array.shape[:3], np.prod(dout.shape[3:])) for array in (dout, xp[window]))
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
        dx = dout - dout.mean(axis=(0, 2, 3), keepdims=True)
        dx = dx - normal * (dout * normal).mean(axis=(0, 2, 3), keepdims=True)
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


# ---- padding


def pad2d_forward(x: Array, padding: tuple[int, int, int, int]) -> tuple[Array, Any]:
    """Put rows and columns of zeros around each image, as many on each side as asked for.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Images.
    padding : tuple of four ints
        ``(top, bottom, left, right)``.

    Returns
    -------
    out : ndarray, shape (N, C, top + H + bottom, left + W + right)
        ``out[n, c, top + p, left + q] = x[n, c, p, q]``, and zero everywhere else. dtype of `x`.
    cache : any
        Whatever `pad2d_backward` needs.

    References
    ----------
    Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016, section 2.2.

    Examples
    --------
    >>> pad2d_forward(np.array([[[[1.0, 2.0]]]]), (1, 0, 0, 2))[0]
    array([[[[0., 0., 0., 0.],
             [1., 2., 0., 0.]]]])
    """
    # BEGIN SOLUTION
    top, bottom, left, right = padding
    return np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right))), (x.shape, top, left)
    # END SOLUTION


def pad2d_backward(dout: Array, cache: Any) -> Array:
    """Compute the gradient of `pad2d_forward`.

    Parameters
    ----------
    dout : ndarray, shape (N, C, top + H + bottom, left + W + right)
        Derivative of the loss with respect to `out`.
    cache : any
        What `pad2d_forward` returned.

    Returns
    -------
    ndarray, shape (N, C, H, W)
        ``dx``. dtype of `dout`.

    References
    ----------
    The chain rule, applied to the formula of `pad2d_forward`.

    Examples
    --------
    >>> _, cache = pad2d_forward(np.array([[[[1.0, 2.0]]]]), (1, 0, 0, 2))
    >>> pad2d_backward(np.arange(8.0).reshape(1, 1, 2, 4), cache)
    array([[[[4., 5.]]]])
    """
    # BEGIN SOLUTION
    (_, _, H, W), top, left = cache
    return dout[:, :, top : top + H, left : left + W].copy()
    # END SOLUTION


# ---- other pools


def min_pool2d_forward(x: Array, kernel_size: tuple[int, int], stride: int) -> tuple[Array, Any]:
    """Keep the smallest pixel of every window, in each channel by itself.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Images.
    kernel_size : tuple of two ints
        ``(KH, KW)``.
    stride : int
        Step of the window.

    Returns
    -------
    out : ndarray, shape (N, C, OH, OW)
        ``out[n, c, p, q] = min over i, j of x[n, c, stride*p + i, stride*q + j]``. dtype of `x`.
    cache : any
        Whatever `min_pool2d_backward` needs.

    References
    ----------
    Goodfellow, Bengio and Courville, "Deep Learning", 2016, section 9.3, with the minimum for the maximum.

    Examples
    --------
    >>> min_pool2d_forward(np.array([[[[1.0, 5.0, 2.0], [4.0, 3.0, 9.0]]]]), (2, 2), 1)[0]
    array([[[[1., 2.]]]])
    """
    # BEGIN SOLUTION
    out_size = _out_size(x.shape[2:], kernel_size, stride)
    out = np.full((*x.shape[:2], *out_size), np.inf, dtype=x.dtype)
    winner = np.zeros((*out.shape, 2), dtype=int)
    for tap, window in _taps(kernel_size, out_size, stride):
        winner[x[window] < out] = tap
        out = np.minimum(out, x[window])
    return out, (winner, x.shape, kernel_size, stride)
    # END SOLUTION


def min_pool2d_backward(dout: Array, cache: Any) -> Array:
    """Compute the gradient of min pooling.

    Parameters
    ----------
    dout : ndarray, shape (N, C, OH, OW)
        Derivative of the loss with respect to `out`.
    cache : any
        What `min_pool2d_forward` returned.

    Returns
    -------
    ndarray, shape (N, C, H, W)
        ``dx``. Each entry of `dout` goes to the pixel that was the minimum of its window; of several that are equally
        small, to the first one in row-major order. dtype of `dout`.

    References
    ----------
    The chain rule, applied to the formula of `min_pool2d_forward`.

    Examples
    --------
    >>> _, cache = min_pool2d_forward(np.array([[[[1.0, 5.0, 2.0], [4.0, 3.0, 9.0]]]]), (2, 2), 1)
    >>> min_pool2d_backward(np.array([[[[10.0, 20.0]]]]), cache)
    array([[[[10.,  0., 20.],
             [ 0.,  0.,  0.]]]])
    """
    # BEGIN SOLUTION
    winner, shape, kernel_size, stride = cache
    dx = np.zeros(shape, dtype=dout.dtype)
    for tap, window in _taps(kernel_size, dout.shape[2:], stride):
        dx[window] += dout * (winner == tap).all(axis=-1)
    return dx
    # END SOLUTION


def lp_pool2d_forward(x: Array, kernel_size: tuple[int, int], stride: int) -> tuple[Array, Any]:
    """Take the length of every window as a vector: its L2 norm, in each channel by itself.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Images.
    kernel_size : tuple of two ints
        ``(KH, KW)``.
    stride : int
        Step of the window.

    Returns
    -------
    out : ndarray, shape (N, C, OH, OW)
        ``out[n, c, p, q] = sqrt(sum over i, j of x[n, c, stride*p + i, stride*q + j]**2)``. dtype of `x`.
    cache : any
        Whatever `lp_pool2d_backward` needs.

    References
    ----------
    Goodfellow, Bengio and Courville, "Deep Learning", 2016, section 9.3.

    Examples
    --------
    >>> lp_pool2d_forward(np.array([[[[3.0, 4.0, 0.0]]]]), (1, 2), 1)[0]
    array([[[[5., 4.]]]])
    """
    # BEGIN SOLUTION
    out_size = _out_size(x.shape[2:], kernel_size, stride)
    out = np.zeros((*x.shape[:2], *out_size), dtype=x.dtype)
    for _, window in _taps(kernel_size, out_size, stride):
        out += x[window] ** 2
    out = np.sqrt(out)
    return out, (x, out.copy(), kernel_size, stride)
    # END SOLUTION


def lp_pool2d_backward(dout: Array, cache: Any) -> Array:
    """Compute the gradient of L2 pooling.

    Parameters
    ----------
    dout : ndarray, shape (N, C, OH, OW)
        Derivative of the loss with respect to `out`.
    cache : any
        What `lp_pool2d_forward` returned.

    Returns
    -------
    ndarray, shape (N, C, H, W)
        ``dx``: every window gives each of its pixels ``dout * x / out``, and nothing if all its pixels are zero. dtype
        of `dout`.

    References
    ----------
    The chain rule, applied to the formula of `lp_pool2d_forward`.

    Examples
    --------
    >>> _, cache = lp_pool2d_forward(np.array([[[[3.0, 4.0, 0.0]]]]), (1, 2), 1)
    >>> lp_pool2d_backward(np.array([[[[10.0, 20.0]]]]), cache)
    array([[[[ 6., 28.,  0.]]]])
    """
    # BEGIN SOLUTION
    x, out, kernel_size, stride = cache
    share = np.divide(dout, out, out=np.zeros_like(dout), where=out > 0)
    dx: Array = np.zeros_like(x)
    for _, window in _taps(kernel_size, dout.shape[2:], stride):
        dx[window] += share * x[window]
    return dx
    # END SOLUTION


def global_avg_pool2d_forward(x: Array) -> tuple[Array, Any]:
    """Average each channel over all of its pixels.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Images.

    Returns
    -------
    out : ndarray, shape (N, C)
        ``out[n, c] = (sum over p, q of x[n, c, p, q]) / (H*W)``. dtype of `x`.
    cache : any
        Whatever `global_avg_pool2d_backward` needs.

    References
    ----------
    Lin, Chen and Yan, "Network in network", 2013, section 3.2.

    Examples
    --------
    >>> global_avg_pool2d_forward(np.array([[[[1.0, 5.0], [4.0, 2.0]]]]))[0]
    array([[3.]])
    """
    # BEGIN SOLUTION
    return x.mean(axis=(2, 3)), x.shape
    # END SOLUTION


def global_avg_pool2d_backward(dout: Array, cache: Any) -> Array:
    """Compute the gradient of `global_avg_pool2d_forward`.

    Parameters
    ----------
    dout : ndarray, shape (N, C)
        Derivative of the loss with respect to `out`.
    cache : any
        What `global_avg_pool2d_forward` returned.

    Returns
    -------
    ndarray, shape (N, C, H, W)
        ``dx``: every pixel of a channel gets the same share. dtype of `dout`.

    References
    ----------
    The chain rule, applied to the formula of `global_avg_pool2d_forward`.

    Examples
    --------
    >>> _, cache = global_avg_pool2d_forward(np.array([[[[1.0, 5.0], [4.0, 2.0]]]]))
    >>> global_avg_pool2d_backward(np.array([[8.0]]), cache)
    array([[[[2., 2.],
             [2., 2.]]]])
    """
    # BEGIN SOLUTION
    _, _, H, W = cache
    return np.tile(dout[:, :, np.newaxis, np.newaxis] / (H * W), (H, W))
    # END SOLUTION


def adaptive_avg_pool2d_forward(x: Array, out_size: tuple[int, int]) -> tuple[Array, Any]:
    """Average over windows that are chosen so that the result has the size asked for.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Images.
    out_size : tuple of two ints
        ``(OH, OW)``.

    Returns
    -------
    out : ndarray, shape (N, C, OH, OW)
        ``out[n, c, p, q]`` is the mean over rows ``floor(p*H/OH)`` to ``ceil((p + 1)*H/OH)``, the last one excluded,
        and over columns likewise. dtype of `x`.
    cache : any
        Whatever `adaptive_avg_pool2d_backward` needs.

    Notes
    -----
    Where OH does not divide H, windows differ in height and may overlap by one row.

    References
    ----------
    He, Zhang, Ren and Sun, "Spatial pyramid pooling in deep convolutional networks", 2014, section 2.3.

    Examples
    --------
    >>> adaptive_avg_pool2d_forward(np.array([[[[1.0, 3.0, 5.0]]]]), (1, 2))[0]
    array([[[[2., 4.]]]])
    """
    # BEGIN SOLUTION
    N, C, H, W = x.shape
    out = np.zeros((N, C, *out_size), dtype=x.dtype)
    for p, (top, bottom) in enumerate(_cells(0, H, out_size[0])):
        for q, (left, right) in enumerate(_cells(0, W, out_size[1])):
            out[:, :, p, q] = x[:, :, top:bottom, left:right].mean(axis=(2, 3))
    return out, x.shape
    # END SOLUTION


def adaptive_avg_pool2d_backward(dout: Array, cache: Any) -> Array:
    """Compute the gradient of `adaptive_avg_pool2d_forward`.

    Parameters
    ----------
    dout : ndarray, shape (N, C, OH, OW)
        Derivative of the loss with respect to `out`.
    cache : any
        What `adaptive_avg_pool2d_forward` returned.

    Returns
    -------
    ndarray, shape (N, C, H, W)
        ``dx``: every pixel of a window gets the same share, and shares add up where windows overlap. dtype of `dout`.

    References
    ----------
    The chain rule, applied to the formula of `adaptive_avg_pool2d_forward`.

    Examples
    --------
    >>> _, cache = adaptive_avg_pool2d_forward(np.array([[[[1.0, 3.0, 5.0]]]]), (1, 2))
    >>> adaptive_avg_pool2d_backward(np.array([[[[2.0, 4.0]]]]), cache)
    array([[[[1., 3., 2.]]]])
    """
    # BEGIN SOLUTION
    dx = np.zeros(cache, dtype=dout.dtype)
    for p, (top, bottom) in enumerate(_cells(0, cache[2], dout.shape[2])):
        for q, (left, right) in enumerate(_cells(0, cache[3], dout.shape[3])):
            window = dx[:, :, top:bottom, left:right]
            window += dout[:, :, p, q, np.newaxis, np.newaxis] / ((bottom - top) * (right - left))
    return dx
    # END SOLUTION


# ---- other convolutions


def conv2d_grouped_forward(
    x: Array, w: Array, b: Array, stride: int = 1, padding: int = 0, dilation: int = 1, groups: int = 1
) -> tuple[Array, Any]:
    """Convolve with filters that have gaps, each on its own group of channels.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Images.
    w : ndarray, shape (F, C/groups, KH, KW)
        Filters.
    b : ndarray, shape (F,)
        One bias for each filter.
    stride, padding : int
        Step of the window, and zeros added around each image.
    dilation : int
        How many pixels two neighbouring weights of a filter are apart; 1 is without gaps.
    groups : int
        Channels and filters are cut into so many groups, in order. It divides C and F.

    Returns
    -------
    out : ndarray, shape (N, F, OH, OW)
        ``out[n, f, p, q] = b[f] + sum over c, i, j of
        xp[n, g*C/groups + c, stride*p + dilation*i, stride*q + dilation*j] * w[f, c, i, j]``, where g is the group of
        f, the integer part of ``f / (F/groups)``. ``OH = (H + 2*padding - dilation*(KH - 1) - 1) / stride + 1``,
        rounded down. dtype of `x`.
    cache : any
        Whatever `conv2d_grouped_backward` needs.

    Notes
    -----
    With ``groups = C`` each filter sees one channel: a depthwise convolution.

    References
    ----------
    Yu and Koltun, "Multi-scale context aggregation by dilated convolutions", 2015. Howard et al., "MobileNets", 2017.

    Examples
    --------
    >>> x, w = np.arange(1.0, 9.0).reshape(1, 2, 1, 4), np.array([[[[1.0, -1.0]]], [[[1.0, 1.0]]]])
    >>> conv2d_grouped_forward(x, w, np.zeros(2), dilation=2, groups=2)[0]
    array([[[[-2., -2.]],
    <BLANKLINE>
            [[12., 14.]]]])
    """
    # BEGIN SOLUTION
    out = _convolve(x, w, b, stride, padding, dilation, groups)
    return out, (x, w, stride, padding, dilation, groups)
    # END SOLUTION


def conv2d_grouped_backward(dout: Array, cache: Any) -> tuple[Array, Array, Array]:
    """Compute the gradients of `conv2d_grouped_forward`.

    Parameters
    ----------
    dout : ndarray, shape (N, F, OH, OW)
        Derivative of the loss with respect to `out`.
    cache : any
        What `conv2d_grouped_forward` returned.

    Returns
    -------
    dx : ndarray, shape (N, C, H, W)
        The derivative with respect to `x`.
    dw : ndarray, shape (F, C/groups, KH, KW)
        The derivative with respect to `w`.
    db : ndarray, shape (F,)
        The sum of ``dout[n, f, p, q]`` over n, p and q.

    References
    ----------
    The chain rule, applied to the formula of `conv2d_grouped_forward`.

    Examples
    --------
    >>> x, w = np.arange(1.0, 9.0).reshape(1, 2, 1, 4), np.array([[[[1.0, -1.0]]], [[[1.0, 1.0]]]])
    >>> _, cache = conv2d_grouped_forward(x, w, np.zeros(2), dilation=2, groups=2)
    >>> dx, dw, db = conv2d_grouped_backward(np.array([[[[1.0, 0.0]], [[0.0, 2.0]]]]), cache)
    >>> dx.reshape(2, 4)
    array([[ 1.,  0., -1.,  0.],
           [ 0.,  2.,  0.,  2.]])
    >>> dw.reshape(2, 2), db
    (array([[ 1.,  3.],
           [12., 16.]]), array([1., 2.]))
    """
    # BEGIN SOLUTION
    dx, dw, db = _gradients(dout, *cache)
    return dx, dw, db
    # END SOLUTION


def conv1d_forward(x: Array, w: Array, b: Array, stride: int = 1, padding: int = 0) -> tuple[Array, Any]:
    """Convolve sequences: the window slides in one direction.

    Parameters
    ----------
    x : ndarray, shape (N, C, L)
        Sequences.
    w : ndarray, shape (F, C, K)
        Filters.
    b : ndarray, shape (F,)
        One bias for each filter.
    stride, padding : int
        Step of the window, and zeros added at both ends.

    Returns
    -------
    out : ndarray, shape (N, F, OL)
        ``out[n, f, p] = b[f] + sum over c, i of xp[n, c, stride*p + i] * w[f, c, i]``. dtype of `x`.
    cache : any
        Whatever `conv1d_backward` needs.

    References
    ----------
    Goodfellow, Bengio and Courville, "Deep Learning", 2016, section 9.1.

    Examples
    --------
    >>> conv1d_forward(np.array([[[1.0, 2.0, 4.0]]]), np.array([[[-1.0, 1.0]]]), np.zeros(1), padding=1)[0]
    array([[[ 1.,  1.,  2., -4.]]])
    """
    # BEGIN SOLUTION
    return _convolve(x, w, b, stride, padding), (x, w, stride, padding)
    # END SOLUTION


def conv1d_backward(dout: Array, cache: Any) -> tuple[Array, Array, Array]:
    """Compute the gradients of `conv1d_forward`.

    Parameters
    ----------
    dout : ndarray, shape (N, F, OL)
        Derivative of the loss with respect to `out`.
    cache : any
        What `conv1d_forward` returned.

    Returns
    -------
    dx : ndarray, shape (N, C, L)
        The derivative with respect to `x`.
    dw : ndarray, shape (F, C, K)
        The derivative with respect to `w`.
    db : ndarray, shape (F,)
        The sum of ``dout[n, f, p]`` over n and p.

    References
    ----------
    The chain rule, applied to the formula of `conv1d_forward`.

    Examples
    --------
    >>> _, cache = conv1d_forward(np.array([[[1.0, 2.0, 4.0]]]), np.array([[[-1.0, 1.0]]]), np.zeros(1))
    >>> conv1d_backward(np.array([[[1.0, 10.0]]]), cache)
    (array([[[-1., -9., 10.]]]), array([[[21., 42.]]]), array([11.]))
    """
    # BEGIN SOLUTION
    dx, dw, db = _gradients(dout, *cache)
    return dx, dw, db
    # END SOLUTION


def conv3d_forward(x: Array, w: Array, b: Array, stride: int = 1, padding: int = 0) -> tuple[Array, Any]:
    """Convolve volumes, or films: the window slides in three directions.

    Parameters
    ----------
    x : ndarray, shape (N, C, D, H, W)
        Volumes.
    w : ndarray, shape (F, C, KD, KH, KW)
        Filters.
    b : ndarray, shape (F,)
        One bias for each filter.
    stride, padding : int
        Step of the window, and zeros added on all six sides.

    Returns
    -------
    out : ndarray, shape (N, F, OD, OH, OW)
        ``out[n, f, o, p, q] = b[f] + sum over c, h, i, j of
        xp[n, c, stride*o + h, stride*p + i, stride*q + j] * w[f, c, h, i, j]``. dtype of `x`.
    cache : any
        Whatever `conv3d_backward` needs.

    References
    ----------
    Tran et al., "Learning spatiotemporal features with 3-D convolutional networks", 2014.

    Examples
    --------
    >>> x, w = np.arange(8.0).reshape(1, 1, 2, 2, 2), np.ones((1, 1, 2, 1, 2))
    >>> conv3d_forward(x, w, np.zeros(1))[0]
    array([[[[[10.],
              [18.]]]]])
    """
    # BEGIN SOLUTION
    return _convolve(x, w, b, stride, padding), (x, w, stride, padding)
    # END SOLUTION


def conv3d_backward(dout: Array, cache: Any) -> tuple[Array, Array, Array]:
    """Compute the gradients of `conv3d_forward`.

    Parameters
    ----------
    dout : ndarray, shape (N, F, OD, OH, OW)
        Derivative of the loss with respect to `out`.
    cache : any
        What `conv3d_forward` returned.

    Returns
    -------
    dx : ndarray, shape (N, C, D, H, W)
        The derivative with respect to `x`.
    dw : ndarray, shape (F, C, KD, KH, KW)
        The derivative with respect to `w`.
    db : ndarray, shape (F,)
        The sum of ``dout[n, f, o, p, q]`` over n, o, p and q.

    References
    ----------
    The chain rule, applied to the formula of `conv3d_forward`.

    Examples
    --------
    >>> x, w = np.arange(8.0).reshape(1, 1, 2, 2, 2), np.ones((1, 1, 2, 1, 2))
    >>> _, cache = conv3d_forward(x, w, np.zeros(1))
    >>> dx, dw, db = conv3d_backward(np.array([1.0, 10.0]).reshape(1, 1, 1, 2, 1), cache)
    >>> dx.reshape(2, 4), dw.reshape(2, 2), db
    (array([[ 1.,  1., 10., 10.],
           [ 1.,  1., 10., 10.]]), array([[20., 31.],
           [64., 75.]]), array([11.]))
    """
    # BEGIN SOLUTION
    dx, dw, db = _gradients(dout, *cache)
    return dx, dw, db
    # END SOLUTION


def conv2d_as_linear(x: Array, w: Array, b: Array) -> Array:
    """Convolve with filters of one pixel, by one matrix product: a linear layer at every pixel.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Images.
    w : ndarray, shape (F, C, 1, 1)
        Filters.
    b : ndarray, shape (F,)
        One bias for each filter.

    Returns
    -------
    ndarray, shape (N, F, H, W)
        ``out[n, f, p, q] = b[f] + sum over c of x[n, c, p, q] * w[f, c, 0, 0]``: what `conv2d_forward` returns for such
        filters. dtype of `x`.

    References
    ----------
    Lin, Chen and Yan, "Network in network", 2013, section 3.1.

    Examples
    --------
    >>> x, w = np.array([1.0, 2.0, 10.0, 20.0]).reshape(1, 2, 1, 2), np.array([1.0, 1.0]).reshape(1, 2, 1, 1)
    >>> conv2d_as_linear(x, w, np.array([0.5]))
    array([[[[11.5, 22.5]]]])
    """
    # BEGIN SOLUTION
    pixels = x.transpose(0, 2, 3, 1)  # the layer sees each pixel as a row of C numbers
    return (pixels @ w.squeeze((2, 3)).T + b).transpose(0, 3, 1, 2)
    # END SOLUTION


def conv2d_dx_as_conv(dout: Array, w: Array, padding: int = 0) -> Array:
    """Compute dx of a convolution with stride 1, as a full convolution of dout with the rotated filters.

    Parameters
    ----------
    dout : ndarray, shape (N, F, OH, OW)
        Derivative of the loss with respect to `out`.
    w : ndarray, shape (F, C, KH, KW)
        Filters of the convolution.
    padding : int
        Padding of the convolution.

    Returns
    -------
    ndarray, shape (N, C, OH + KH - 1 - 2*padding, OW + KW - 1 - 2*padding)
        What `conv2d_backward` returns as dx, where the stride is 1. dtype of `dout`.

    Notes
    -----
    Full means: `dout` gets ``KH - 1`` rows of zeros above and below, and ``KW - 1`` columns on both sides. Rotated
    means: turned by 180 degrees, in rows and in columns; and F and C change places.

    References
    ----------
    Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016, section 4.2.

    Examples
    --------
    >>> conv2d_dx_as_conv(np.array([[[[1.0, 10.0]]]]), np.array([[[[2.0, 3.0]]]]))
    array([[[[ 2., 23., 30.]]]])
    """
    # BEGIN SOLUTION
    _, C, KH, KW = w.shape
    around = np.pad(dout, ((0, 0), (0, 0), (KH - 1, KH - 1), (KW - 1, KW - 1)))
    rotated = w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    full = _convolve(around, rotated, np.zeros(C, dtype=dout.dtype), 1, 0)
    return full[:, :, padding : full.shape[2] - padding, padding : full.shape[3] - padding]
    # END SOLUTION


# ---- regions of interest


def roi_max_pool_forward(x: Array, images: Array, boxes: Array, out_size: tuple[int, int]) -> tuple[Array, Any]:
    """Cut each box out of its image, and max pool it onto a grid of fixed size.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Images.
    images : ndarray of ints, shape (R,)
        The image of each box: its index in `x`.
    boxes : ndarray of ints, shape (R, 4)
        ``(x1, y1, x2, y2)``: a box has the columns from x1 to x2 and the rows from y1 to y2, the last ones excluded. It
        may be empty, and it may stick out of the image.
    out_size : tuple of two ints
        ``(OH, OW)``.

    Returns
    -------
    out : ndarray, shape (R, C, OH, OW)
        ``out[r, c, p, q]`` is the largest pixel of channel c in one cell of box r. With ``h = y2 - y1`` the cell has
        rows ``y1 + floor(p*h/OH)`` to ``y1 + ceil((p + 1)*h/OH)``, the last one excluded, and columns likewise. A cell
        without a pixel of the image is 0. dtype of `x`.
    cache : any
        Whatever `roi_max_pool_backward` needs.

    References
    ----------
    Girshick, "Fast R-CNN", 2015, section 2.1.

    Examples
    --------
    >>> x = np.array([[[[1.0, 5.0, 2.0], [4.0, 3.0, 9.0]]]])
    >>> roi_max_pool_forward(x, np.array([0]), np.array([[0, 0, 2, 2]]), (2, 1))[0]
    array([[[[5.],
             [4.]]]])
    """
    # BEGIN SOLUTION
    _, C, H, W = x.shape
    out = np.zeros((len(boxes), C, *out_size), dtype=x.dtype)
    winner = np.full(out.shape, -1)
    places = np.arange(H * W).reshape(H, W)
    for r, (x1, y1, x2, y2) in enumerate(boxes):
        for p, (top, bottom) in enumerate(_cells(y1, y2, out_size[0])):
            for q, (left, right) in enumerate(_cells(x1, x2, out_size[1])):
                rows, columns = slice(max(top, 0), max(bottom, 0)), slice(max(left, 0), max(right, 0))
                cell = x[images[r], :, rows, columns].reshape(C, -1)
                if cell.size:
                    out[r, :, p, q] = cell.max(axis=1)
                    winner[r, :, p, q] = places[rows, columns].ravel()[cell.argmax(axis=1)]
    return out, (winner, images, x.shape)
    # END SOLUTION


def roi_max_pool_backward(dout: Array, cache: Any) -> Array:
    """Compute the gradient of `roi_max_pool_forward` with respect to x.

    Parameters
    ----------
    dout : ndarray, shape (R, C, OH, OW)
        Derivative of the loss with respect to `out`.
    cache : any
        What `roi_max_pool_forward` returned.

    Returns
    -------
    ndarray, shape (N, C, H, W)
        ``dx``. Each entry of `dout` goes to the pixel that was the maximum of its cell; of several that are equally
        large, to the first one in row-major order. A pixel that was chosen several times gets the sum. dtype of
        `dout`.

    References
    ----------
    Girshick, "Fast R-CNN", 2015, section 2.3.

    Examples
    --------
    >>> x = np.array([[[[1.0, 5.0, 2.0], [4.0, 3.0, 9.0]]]])
    >>> _, cache = roi_max_pool_forward(x, np.array([0]), np.array([[0, 0, 2, 2]]), (2, 1))
    >>> roi_max_pool_backward(np.array([[[[10.0], [20.0]]]]), cache)
    array([[[[ 0., 10.,  0.],
             [20.,  0.,  0.]]]])
    """
    # BEGIN SOLUTION
    winner, images, (N, C, H, W) = cache
    dx = np.zeros((N, C, H * W), dtype=dout.dtype)
    for r, c, p, q in np.argwhere(winner >= 0):
        dx[images[r], c, winner[r, c, p, q]] += dout[r, c, p, q]
    return dx.reshape(N, C, H, W)
    # END SOLUTION


def box_iou(a: Array, b: Array) -> Array:
    """Compute how much each box of one list overlaps with each box of another: intersection over union.

    Parameters
    ----------
    a : ndarray, shape (R, 4)
        Boxes ``(x1, y1, x2, y2)`` with ``x1 <= x2`` and ``y1 <= y2``.
    b : ndarray, shape (S, 4)
        Likewise.

    Returns
    -------
    ndarray, shape (R, S)
        ``iou[r, s]`` is the area that box r of `a` and box s of `b` have in common, divided by the area that they cover
        together; 0 if they cover none. dtype of `a`.

    References
    ----------
    Everingham et al., "The PASCAL visual object classes challenge", 2010, section 4.2.

    Examples
    --------
    >>> box_iou(np.array([[0.0, 0.0, 2.0, 2.0]]), np.array([[1.0, 0.0, 3.0, 2.0], [2.0, 2.0, 3.0, 3.0]]))
    array([[0.33333333, 0.        ]])
    """
    # BEGIN SOLUTION
    one, other = a[:, np.newaxis], b[np.newaxis]
    common = np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])
    shared = common.clip(min=0).prod(axis=2)
    union = (one[..., 2:] - one[..., :2]).prod(axis=2) + (other[..., 2:] - other[..., :2]).prod(axis=2) - shared
    iou: Array = np.divide(shared, union, out=np.zeros_like(union), where=union > 0)
    return iou
    # END SOLUTION
