"""Wrong batch normalizations. Wrong forward passes keep the right cache, as in the core's catalogue."""

# mypy: allow-untyped-defs
# As a student writes them.

import numpy as np

from solutions.extras.extras import spatial_batchnorm_backward, spatial_batchnorm_forward
from solutions.extras.misconceptions.entry import misconception

RUNNING = "test_spatial_batchnorm_forward_running"


@misconception("spatial_batchnorm_forward")
def statistics_of_every_pixel(x, gamma, beta, running_mean, running_var, training, momentum=0.9, eps=1e-5):
    """Mean and variance are taken over the images alone, as for a linear layer.

    All pixels of a channel share one mean and one variance: take them over images, rows and columns.
    """
    right = spatial_batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum, eps)
    if not training:
        return right
    normal = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps)
    return gamma[:, np.newaxis, np.newaxis] * normal + beta[:, np.newaxis, np.newaxis], *right[1:]


@misconception("spatial_batchnorm_forward")
def batch_statistics_in_test_mode(x, gamma, beta, running_mean, running_var, training, momentum=0.9, eps=1e-5):
    """In test mode the statistics are those of the batch, but they should be the running averages."""
    right = spatial_batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum, eps)
    out, *_ = spatial_batchnorm_forward(x, gamma, beta, running_mean, running_var, True, momentum, eps)
    return out, *right[1:]


@misconception("spatial_batchnorm_forward")
def running_statistics_in_training(x, gamma, beta, running_mean, running_var, training, momentum=0.9, eps=1e-5):
    """In training the batch is normalized with the running averages, but it should be with its own statistics."""
    right = spatial_batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum, eps)
    out, *_ = spatial_batchnorm_forward(x, gamma, beta, running_mean, running_var, False, momentum, eps)
    return out, *right[1:]


@misconception("spatial_batchnorm_forward")
def eps_outside_of_the_root(x, gamma, beta, running_mean, running_var, training, momentum=0.9, eps=1e-5):
    """The number eps is added to the standard deviation, but it belongs to the variance, inside of the root."""
    right = spatial_batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum, eps)
    mean, var = (x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))) if training else (running_mean, running_var)
    normal = (x - mean[:, np.newaxis, np.newaxis]) / (np.sqrt(var) + eps)[:, np.newaxis, np.newaxis]
    return gamma[:, np.newaxis, np.newaxis] * normal + beta[:, np.newaxis, np.newaxis], *right[1:]


@misconception("spatial_batchnorm_forward")
def variance_without_the_root(x, gamma, beta, running_mean, running_var, training, momentum=0.9, eps=1e-5):
    """The pixels are divided by the variance, but they should be divided by its square root."""
    right = spatial_batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum, eps)
    mean, var = (x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))) if training else (running_mean, running_var)
    normal = (x - mean[:, np.newaxis, np.newaxis]) / (var + eps)[:, np.newaxis, np.newaxis]
    return gamma[:, np.newaxis, np.newaxis] * normal + beta[:, np.newaxis, np.newaxis], *right[1:]


@misconception("spatial_batchnorm_forward")
def gamma_and_beta_missing(x, gamma, beta, running_mean, running_var, training, momentum=0.9, eps=1e-5):
    """The result is normalized, but gamma and beta have no part in it: scale each channel, then shift it."""
    one, zero = np.ones_like(gamma), np.zeros_like(beta)
    right = spatial_batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum, eps)
    return spatial_batchnorm_forward(x, one, zero, running_mean, running_var, training, momentum, eps)[0], *right[1:]


@misconception("spatial_batchnorm_forward")
def momentum_of_the_batch(x, gamma, beta, running_mean, running_var, training, momentum=0.9, eps=1e-5):
    """The momentum is the share of the batch, as in PyTorch.

    Here it is the share of the running averages that is kept.
    """
    right = spatial_batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum, eps)
    _, *averages, _ = spatial_batchnorm_forward(x, gamma, beta, running_mean, running_var, training, 1 - momentum, eps)
    return right[0], *averages, right[3]


@misconception("spatial_batchnorm_forward")
def running_variance_unbiased(x, gamma, beta, running_mean, running_var, training, momentum=0.9, eps=1e-5):
    """The running variance is that of a sample, divided by one less than the number of pixels, as in PyTorch.

    Here it is divided by the number of pixels, like the variance that normalizes the batch.
    """
    out, new_mean, new_var, cache = spatial_batchnorm_forward(
        x, gamma, beta, running_mean, running_var, training, momentum, eps
    )
    if training:
        new_var = momentum * running_var + (1 - momentum) * x.var(axis=(0, 2, 3), ddof=1)
    return out, new_mean, new_var, cache


@misconception("spatial_batchnorm_forward", fails_only="test_spatial_batchnorm_forward_promises")
def running_averages_in_place(x, gamma, beta, running_mean, running_var, training, momentum=0.9, eps=1e-5):
    """The running averages that were passed in are changed.

    An operator that assigns changes the caller's arrays: return new ones.
    """
    results = spatial_batchnorm_forward(x, gamma, beta, running_mean, running_var, training, momentum, eps)
    running_mean[:], running_var[:] = results[1], results[2] + (0 if training else 1)
    return results


@misconception("spatial_batchnorm_backward")
def mean_and_variance_taken_for_constants(dout, cache):
    """The gradient dx leaves out that mean and variance depend on x.

    In training every pixel moves both, and so it has an effect on all pixels of its channel.
    """
    normal, slope, _ = cache
    return spatial_batchnorm_backward(dout, (normal, slope, False))


@misconception("spatial_batchnorm_backward")
def variance_taken_for_a_constant(dout, cache):
    """The gradient dx leaves out that the variance depends on x: only the path through the mean is there."""
    dx, dgamma, dbeta = spatial_batchnorm_backward(dout, cache)
    _, slope, training = cache
    if training:
        dx = (dout - dout.mean(axis=(0, 2, 3), keepdims=True)) * slope[:, np.newaxis, np.newaxis]
    return dx, dgamma, dbeta


@misconception("spatial_batchnorm_backward")
def test_mode_forgotten(dout, cache):
    """In test mode mean and variance are given numbers, but dx treats them as if they depended on x."""
    normal, slope, _ = cache
    return spatial_batchnorm_backward(dout, (normal, slope, True))


@misconception("spatial_batchnorm_backward")
def dgamma_without_the_normalized_pixels(dout, cache):
    """The gradient dgamma is the sum of dout: it still has to be multiplied by what gamma scales."""
    dx, _, dbeta = spatial_batchnorm_backward(dout, cache)
    return dx, dbeta.copy(), dbeta


@misconception("spatial_batchnorm_backward")
def gradients_averaged_over_pixels(dout, cache):
    """The gradients dgamma and dbeta are means, but they should be sums over images, rows and columns."""
    dx, dgamma, dbeta = spatial_batchnorm_backward(dout, cache)
    pixels = dout.size // len(dbeta)
    return dx, dgamma / pixels, dbeta / pixels
