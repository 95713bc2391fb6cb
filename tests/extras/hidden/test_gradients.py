"""Gradients against finite differences: of the right forward pass, or of the student's own.

The slopes of the right forward pass are in the fixtures. If a backward pass does not have them, it is compared with the
student's own forward pass, provided that pass depends on its inputs. So it loses no points for a wrong forward pass.
"""

import numpy as np
import pytest


def agree(student, case, check, layer, given, numbers):
    """Require that every gradient has the right slopes; `given` and `numbers` are what forward takes."""
    forward, backward = getattr(student, f"{layer}_forward"), getattr(student, f"{layer}_backward")

    def own(argument, directions):
        slopes = np.empty(len(directions))
        for k, direction in enumerate(directions):
            moved = (given | {argument: given[argument] + sign * direction} for sign in (1, -1))
            outs = [forward(*values.values(), *numbers)[0] for values in moved]
            ahead, behind = (check.tensor("out", out, case.dout.shape) for out in outs)
            check.distinct("out", ahead, behind)
            slopes[k] = (case.dout * (ahead - behind)).sum() / 2
        return check.tensor("slopes of out", slopes, slopes.shape)

    *_, cache = forward(*given.values(), *numbers)
    gradients = backward(case.dout, cache)
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    arguments = [argument for argument in given if f"slopes_{argument}" in case.names]
    for argument, gradient in zip(arguments, gradients, strict=True):
        directions, slopes = getattr(case, f"directions_{argument}"), getattr(case, f"slopes_{argument}")
        check.slopes(f"d{argument}", gradient, directions, slopes, own=lambda a=argument, d=directions: own(a, d))


@pytest.mark.cases("spatial_batchnorm_slopes")
def test_spatial_batchnorm_backward_slopes(student, case, check):
    """spatial_batchnorm_backward: the gradients agree with finite differences of a right forward pass, or of yours."""
    given = {
        "x": case.x,
        "gamma": case.gamma,
        "beta": case.beta,
        "running_mean": case.running_mean,
        "running_var": case.running_var,
    }
    agree(student, case, check, "spatial_batchnorm", given, (case.training, case.momentum, case.eps))


@pytest.mark.cases("conv_transpose2d_slopes")
def test_conv_transpose2d_backward_slopes(student, case, check):
    """conv_transpose2d_backward: the gradients agree with finite differences of a right forward pass, or of yours."""
    given = {"x": case.x, "w": case.w, "b": case.b}
    agree(student, case, check, "conv_transpose2d", given, (case.stride, case.padding))


@pytest.mark.cases("upsample_slopes")
def test_upsample_backward_slopes(student, case, check):
    """upsample_backward: dx agrees with finite differences of a right forward pass, or of yours."""
    given = {"x": case.x}
    agree(student, case, check, "upsample", given, (case.factor,))


@pytest.mark.cases("downsample_slopes")
def test_downsample_backward_slopes(student, case, check):
    """downsample_backward: dx agrees with finite differences of a right forward pass, or of yours."""
    given = {"x": case.x}
    agree(student, case, check, "downsample", given, (case.factor,))


@pytest.mark.cases("pad2d_slopes")
def test_pad2d_backward_slopes(student, case, check):
    """pad2d_backward: dx agrees with finite differences of a right forward pass, or of yours."""
    given = {"x": case.x}
    agree(student, case, check, "pad2d", given, (case.padding,))


@pytest.mark.cases("min_pool2d_slopes")
def test_min_pool2d_backward_slopes(student, case, check):
    """min_pool2d_backward: dx agrees with finite differences of a right forward pass, or of yours."""
    given = {"x": case.x}
    agree(student, case, check, "min_pool2d", given, (case.kernel_size, case.stride))


@pytest.mark.cases("lp_pool2d_slopes")
def test_lp_pool2d_backward_slopes(student, case, check):
    """lp_pool2d_backward: dx agrees with finite differences of a right forward pass, or of yours."""
    given = {"x": case.x}
    agree(student, case, check, "lp_pool2d", given, (case.kernel_size, case.stride))


@pytest.mark.cases("global_avg_pool2d_slopes")
def test_global_avg_pool2d_backward_slopes(student, case, check):
    """global_avg_pool2d_backward: dx agrees with finite differences of a right forward pass, or of yours."""
    given = {"x": case.x}
    agree(student, case, check, "global_avg_pool2d", given, ())


@pytest.mark.cases("adaptive_avg_pool2d_slopes")
def test_adaptive_avg_pool2d_backward_slopes(student, case, check):
    """adaptive_avg_pool2d_backward: dx agrees with finite differences of a right forward pass, or of yours."""
    given = {"x": case.x}
    agree(student, case, check, "adaptive_avg_pool2d", given, (case.out_size,))


@pytest.mark.cases("conv2d_grouped_slopes")
def test_conv2d_grouped_backward_slopes(student, case, check):
    """conv2d_grouped_backward: the gradients agree with finite differences of a right forward pass, or of yours."""
    given = {"x": case.x, "w": case.w, "b": case.b}
    agree(student, case, check, "conv2d_grouped", given, (case.stride, case.padding, case.dilation, case.groups))


@pytest.mark.cases("conv1d_slopes")
def test_conv1d_backward_slopes(student, case, check):
    """conv1d_backward: the gradients agree with finite differences of a right forward pass, or of yours."""
    given = {"x": case.x, "w": case.w, "b": case.b}
    agree(student, case, check, "conv1d", given, (case.stride, case.padding))


@pytest.mark.cases("conv3d_slopes")
def test_conv3d_backward_slopes(student, case, check):
    """conv3d_backward: the gradients agree with finite differences of a right forward pass, or of yours."""
    given = {"x": case.x, "w": case.w, "b": case.b}
    agree(student, case, check, "conv3d", given, (case.stride, case.padding))


@pytest.mark.cases("roi_max_pool_slopes")
def test_roi_max_pool_backward_slopes(student, case, check):
    """roi_max_pool_backward: dx agrees with finite differences of a right forward pass, or of yours."""
    given = {"x": case.x, "images": case.images, "boxes": case.boxes}
    agree(student, case, check, "roi_max_pool", given, (case.out_size,))
