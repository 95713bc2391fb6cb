"""Convolution and pooling in NumPy: nine functions, forwards and backwards.

Work from top to bottom: each function may call those above it. The docstrings say what goes in and what comes out,
index by index. The code is your task. Run ``pytest test_public.py`` in this folder to check the lecture's examples.

Names
-----
=================  ======================================================================================
``x``              a batch of images, shape ``(N, C, H, W)``: image, channel, row, column
``w``, ``b``       F filters, shape ``(F, C, KH, KW)``, and their biases, shape ``(F,)``
``out``            what a layer returns, shape ``(N, F, OH, OW)``, or ``(N, C, OH, OW)`` after pooling
``dout``, ``dx``   the derivative of the loss with respect to ``out``, to ``x`` and so on: same shape, same dtype
``cache``          what forward hands to backward: anything you like, and each cache is used only once
``kernel_size``    ``(KH, KW)``, the height and the width of the window; they may differ
``stride``         int, by how many pixels the window moves, down as well as to the right
``padding``        int, how many rows and columns of zeros surround the image, the same number on all four sides
=================  ======================================================================================

In the formulas ``xp`` is ``x`` with its padding, and the window of ``out[n, f, p, q]`` starts at row ``stride*p`` and
column ``stride*q`` of ``xp``.

Rules
-----
All arrays of a call are float32, or all are float64, and results have the dtype of ``x``. Inputs are never modified,
and results do not share memory with them. Arguments need no checking: the grader passes valid ones only. NumPy is the
only package, threads and processes are not allowed; helper functions, and modules beside this file, are welcome.
"""

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]  # float32 or float64

# BEGIN SOLUTION
# The model answer. A loop over windows is long and its steps are tiny; a loop over kernel taps is short, and each of
# its steps moves a whole image's worth of pixels at once. So every function below loops over the KH*KW taps only.


def _taps(kernel_size: tuple[int, int], out_size: tuple[int, ...], stride: int) -> list[tuple[int, int, slice, slice]]:
    """List each tap (i, j) with the rows and the columns of the image that it meets, one pixel for each window."""
    (KH, KW), (OH, OW) = kernel_size, out_size
    return [
        (i, j, slice(i, i + stride * OH, stride), slice(j, j + stride * OW, stride))
        for i in range(KH)
        for j in range(KW)
    ]


# END SOLUTION


def conv_output_size(size: int, kernel_size: int, stride: int = 1, padding: int = 0) -> int:
    """Compute how many windows fit along one axis.

    Parameters
    ----------
    size : int
        Pixels along the axis: ``H`` or ``W``.
    kernel_size : int
        Length of the window along the same axis: ``KH`` or ``KW``. The one function where it is a single number.
    stride, padding : int
        Step of the window, and zeros added at either end.

    Returns
    -------
    int
        ``OH`` or ``OW``: ``(size + 2*padding - kernel_size) / stride + 1``, rounded down.

    Notes
    -----
    Rounding down means that the last pixels belong to no window when the stride does not come out even. They have no
    influence on the output, so their gradient is zero.

    References
    ----------
    Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016, relationship 6.

    Examples
    --------
    >>> conv_output_size(7, 3, stride=2)
    3
    >>> conv_output_size(8, 3, stride=2)
    3
    """
    # BEGIN SOLUTION
    return (size + 2 * padding - kernel_size) // stride + 1
    # END SOLUTION


def im2col(x: Array, kernel_size: tuple[int, int], stride: int = 1, padding: int = 0) -> Array:
    """Write every window of the images as one column of a matrix.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Images.
    kernel_size : tuple of two ints
        ``(KH, KW)``.
    stride, padding : int
        Step of the window, and zeros added around each image.

    Returns
    -------
    ndarray, shape (C*KH*KW, N*OH*OW)
        ``cols[(c*KH + i)*KW + j, (n*OH + p)*OW + q] = xp[n, c, stride*p + i, stride*q + j]``. Rows run channel, then
        kernel row, then kernel column. Columns run image by image, then output row, then output column: the matrices
        of the N images stand side by side. dtype of `x`.

    Notes
    -----
    Neighbouring windows overlap, so most pixels are copied several times. That memory buys speed: afterwards a
    convolution is one matrix product.

    References
    ----------
    Chellapilla, Puri and Simard, "High performance convolutional neural networks for document processing", 2006.

    Examples
    --------
    >>> im2col(np.arange(1.0, 10.0).reshape(1, 1, 3, 3), (2, 2))
    array([[1., 2., 4., 5.],
           [2., 3., 5., 6.],
           [4., 5., 7., 8.],
           [5., 6., 8., 9.]])
    """
    # BEGIN SOLUTION
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding))) if padding else x
    cols = np.empty((C, KH, KW, N, OH, OW), dtype=x.dtype)
    for i, j, rows, columns in _taps((KH, KW), (OH, OW), stride):
        cols[:, i, j] = padded[:, :, rows, columns].transpose(1, 0, 2, 3)
    return cols.reshape(C * KH * KW, N * OH * OW)
    # END SOLUTION


def col2im(
    cols: Array,
    x_shape: tuple[int, int, int, int],
    kernel_size: tuple[int, int],
    stride: int = 1,
    padding: int = 0,
) -> Array:
    """Add every entry of a column matrix to the pixel that `im2col` reads it from.

    Parameters
    ----------
    cols : ndarray, shape (C*KH*KW, N*OH*OW)
        A matrix in the order of `im2col`.
    x_shape : tuple of four ints
        ``(N, C, H, W)``, without padding.
    kernel_size : tuple of two ints
        ``(KH, KW)``.
    stride, padding : int
        As given to `im2col`.

    Returns
    -------
    ndarray, shape (N, C, H, W)
        The sum of all entries that belong to a pixel, and zero where there are none. What falls on the padding is
        dropped. dtype of `cols`.

    Raises
    ------
    ValueError
        If `cols` has not as many entries as the matrix of such an image. NumPy's own error will do.

    Notes
    -----
    This is the adjoint of `im2col`, not its inverse: ``(im2col(x) * cols).sum() == (x * col2im(cols)).sum()`` for all
    `x` and `cols`. In the backward pass it collects the gradients of all windows that a pixel belongs to.

    References
    ----------
    Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016, section 4.1 (the transposed
    matrix).

    Examples
    --------
    With a matrix of ones, each pixel counts the windows it belongs to:

    >>> col2im(np.ones((4, 4)), (1, 1, 3, 3), (2, 2))
    array([[[[1., 2., 1.],
             [2., 4., 2.],
             [1., 2., 1.]]]])
    """
    # BEGIN SOLUTION
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    cols_by_tap = cols.reshape(C, KH, KW, N, OH, OW)
    padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    for i, j, rows, columns in _taps((KH, KW), (OH, OW), stride):
        padded[:, :, rows, columns] += cols_by_tap[:, i, j].transpose(1, 0, 2, 3)
    # Counted from the front: a slice that ends at -padding would be empty when padding is 0.
    return padded[:, :, padding : padding + H, padding : padding + W]
    # END SOLUTION


def conv2d_forward(x: Array, w: Array, b: Array, stride: int = 1, padding: int = 0) -> tuple[Array, Any]:
    """Convolve a batch of images with a bank of filters.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Images.
    w : ndarray, shape (F, C, KH, KW)
        Filters.
    b : ndarray, shape (F,)
        One bias for each filter.
    stride, padding : int
        Step of the window, and zeros added around each image.

    Returns
    -------
    out : ndarray, shape (N, F, OH, OW)
        ``out[n, f, p, q] = b[f] + sum over c, i, j of xp[n, c, stride*p + i, stride*q + j] * w[f, c, i, j]``.
        dtype of `x`.
    cache : any
        Whatever `conv2d_backward` needs.

    Raises
    ------
    ValueError
        If `x` and `w` differ in C, or `w` and `b` in F. NumPy's own error will do.

    Notes
    -----
    The filter is not flipped: what every framework calls convolution is what signal processing calls
    cross-correlation.

    References
    ----------
    Goodfellow, Bengio and Courville, "Deep Learning", 2016, section 9.1.

    Examples
    --------
    >>> x = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    >>> w = np.array([[[[1.0, 0.0], [0.0, -1.0]]]])
    >>> conv2d_forward(x, w, np.array([0.5]))[0]
    array([[[[-3.5, -3.5],
             [-3.5, -3.5]]]])
    """
    # BEGIN SOLUTION
    N, _, H, W = x.shape
    F, _, KH, KW = w.shape
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    out = w.reshape(F, -1) @ im2col(x, (KH, KW), stride, padding)
    out += b[:, np.newaxis]
    # The product is ordered by filter, the result by image: reshape cannot swap axes, transpose can.
    out = out.reshape(F, N, OH, OW).transpose(1, 0, 2, 3)
    # The cache holds x and not its columns: they are KH*KW times as large and quick to make again.
    return out, (x, w, stride, padding)
    # END SOLUTION


def conv2d_backward(dout: Array, cache: Any) -> tuple[Array, Array, Array]:
    """Compute the gradients of a convolution.

    Parameters
    ----------
    dout : ndarray, shape (N, F, OH, OW)
        Derivative of the loss with respect to `out`.
    cache : any
        What `conv2d_forward` returned.

    Returns
    -------
    dx : ndarray, shape (N, C, H, W)
        The derivative with respect to `x`. Each ``dout[n, f, p, q] * w[f, c, i, j]`` is added to the pixel that
        ``w[f, c, i, j]`` met there: ``stride*p + i``, ``stride*q + j`` of the padded image.
    dw : ndarray, shape (F, C, KH, KW)
        ``dw[f, c, i, j] = sum over n, p, q of dout[n, f, p, q] * xp[n, c, stride*p + i, stride*q + j]``.
    db : ndarray, shape (F,)
        ``db[f] = sum over n, p, q of dout[n, f, p, q]``.

    Raises
    ------
    ValueError
        If `dout` has not as many entries as `out`. NumPy's own error will do.

    References
    ----------
    Goodfellow, Bengio and Courville, "Deep Learning", 2016, section 9.5.

    Examples
    --------
    >>> x = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    >>> w = np.array([[[[1.0, 0.0], [0.0, -1.0]]]])
    >>> _, cache = conv2d_forward(x, w, np.array([0.5]))
    >>> dx, dw, db = conv2d_backward(np.array([[[[1.0, 0.0], [0.0, 2.0]]]]), cache)
    >>> dx
    array([[[[ 1.,  0.,  0.],
             [ 0.,  1.,  0.],
             [ 0.,  0., -2.]]]])
    >>> dw
    array([[[[11., 14.],
             [20., 23.]]]])
    >>> db
    array([3.])
    """
    # BEGIN SOLUTION
    x, w, stride, padding = cache
    F, _, KH, KW = w.shape
    dout_matrix = dout.transpose(1, 0, 2, 3).reshape(F, -1)
    cols = im2col(x, (KH, KW), stride, padding)
    # Forward was out = W @ cols + b, so these three are the backward pass of a linear layer.
    db = dout_matrix.sum(axis=1)
    dw = (dout_matrix @ cols.T).reshape(w.shape)
    dcols = w.reshape(F, -1).T @ dout_matrix
    return col2im(dcols, x.shape, (KH, KW), stride, padding), dw, db
    # END SOLUTION


def max_pool2d_forward(x: Array, kernel_size: tuple[int, int], stride: int) -> tuple[Array, Any]:
    """Keep the largest pixel of every window, in each channel by itself.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Images. Pooling has no padding.
    kernel_size : tuple of two ints
        ``(KH, KW)``.
    stride : int
        Step of the window: windows overlap when it is smaller than the window, and leave gaps when it is larger.

    Returns
    -------
    out : ndarray, shape (N, C, OH, OW)
        ``out[n, c, p, q] = max over i, j of x[n, c, stride*p + i, stride*q + j]``. dtype of `x`.
    cache : any
        Whatever `max_pool2d_backward` needs.

    References
    ----------
    Goodfellow, Bengio and Courville, "Deep Learning", 2016, section 9.3.

    Examples
    --------
    >>> max_pool2d_forward(np.array([[[[1.0, 5.0, 2.0], [4.0, 3.0, 9.0]]]]), (2, 2), 1)[0]
    array([[[[5., 9.]]]])
    """
    # BEGIN SOLUTION
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    out = np.full((N, C, OH, OW), -np.inf, dtype=x.dtype)
    winner = np.zeros((N, C, OH, OW), dtype=np.int32)
    for i, j, rows, columns in _taps((KH, KW), (OH, OW), stride):
        pixels = x[:, :, rows, columns]
        # Only a strictly larger pixel takes over, so the first maximum of a window stays its winner.
        winner[pixels > out] = i * KW + j
        np.maximum(out, pixels, out=out)
    return out, (winner, x.shape, (KH, KW), stride)
    # END SOLUTION


def max_pool2d_backward(dout: Array, cache: Any) -> Array:
    """Compute the gradient of max pooling.

    Parameters
    ----------
    dout : ndarray, shape (N, C, OH, OW)
        Derivative of the loss with respect to `out`.
    cache : any
        What `max_pool2d_forward` returned.

    Returns
    -------
    ndarray, shape (N, C, H, W)
        ``dx``. Each entry of `dout` goes to the one pixel that was the maximum of its window; a pixel that won several
        windows gets their sum, one that won none gets zero. When several pixels of a window are equally large, the
        first one in row-major order is the maximum, as for ``np.argmax``. dtype of `dout`.

    References
    ----------
    The chain rule, applied to the formula of `max_pool2d_forward`.

    Examples
    --------
    >>> _, cache = max_pool2d_forward(np.array([[[[1.0, 5.0, 2.0], [4.0, 3.0, 9.0]]]]), (2, 2), 1)
    >>> max_pool2d_backward(np.array([[[[10.0, 20.0]]]]), cache)
    array([[[[ 0., 10.,  0.],
             [ 0.,  0., 20.]]]])
    """
    # BEGIN SOLUTION
    winner, x_shape, (KH, KW), stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for i, j, rows, columns in _taps((KH, KW), dout.shape[2:], stride):
        dx[:, :, rows, columns] += dout * (winner == i * KW + j)
    return dx
    # END SOLUTION


def avg_pool2d_forward(x: Array, kernel_size: tuple[int, int], stride: int) -> tuple[Array, Any]:
    """Average the pixels of every window, in each channel by itself.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Images. Pooling has no padding.
    kernel_size : tuple of two ints
        ``(KH, KW)``.
    stride : int
        Step of the window: windows overlap when it is smaller than the window, and leave gaps when it is larger.

    Returns
    -------
    out : ndarray, shape (N, C, OH, OW)
        ``out[n, c, p, q] = (sum over i, j of x[n, c, stride*p + i, stride*q + j]) / (KH*KW)``. dtype of `x`.
    cache : any
        Whatever `avg_pool2d_backward` needs.

    References
    ----------
    Goodfellow, Bengio and Courville, "Deep Learning", 2016, section 9.3.

    Examples
    --------
    >>> avg_pool2d_forward(np.array([[[[1.0, 5.0, 2.0], [4.0, 3.0, 9.0]]]]), (2, 2), 1)[0]
    array([[[[3.25, 4.75]]]])
    """
    # BEGIN SOLUTION
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    out = np.zeros((N, C, OH, OW), dtype=x.dtype)
    for _, _, rows, columns in _taps((KH, KW), (OH, OW), stride):
        out += x[:, :, rows, columns]
    out /= KH * KW
    return out, (x.shape, (KH, KW), stride)
    # END SOLUTION


def avg_pool2d_backward(dout: Array, cache: Any) -> Array:
    """Compute the gradient of average pooling.

    Parameters
    ----------
    dout : ndarray, shape (N, C, OH, OW)
        Derivative of the loss with respect to `out`.
    cache : any
        What `avg_pool2d_forward` returned.

    Returns
    -------
    ndarray, shape (N, C, H, W)
        ``dx``. Every pixel of a window gets the same share of the window's `dout`; a pixel in several windows gets the
        sum of its shares, one in no window gets zero. dtype of `dout`.

    References
    ----------
    The chain rule, applied to the formula of `avg_pool2d_forward`.

    Examples
    --------
    >>> _, cache = avg_pool2d_forward(np.array([[[[1.0, 5.0, 2.0], [4.0, 3.0, 9.0]]]]), (2, 2), 1)
    >>> avg_pool2d_backward(np.array([[[[4.0, 8.0]]]]), cache)
    array([[[[1., 3., 2.],
             [1., 3., 2.]]]])
    """
    # BEGIN SOLUTION
    x_shape, (KH, KW), stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    share = dout / (KH * KW)
    for _, _, rows, columns in _taps((KH, KW), dout.shape[2:], stride):
        dx[:, :, rows, columns] += share
    return dx
    # END SOLUTION
