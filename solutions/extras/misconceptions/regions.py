"""Wrong pooling of regions, and wrong overlaps of boxes. Caches are right."""

# mypy: allow-untyped-defs
# As a student writes them.

import numpy as np

from solutions.extras.extras import box_iou, roi_max_pool_backward, roi_max_pool_forward
from solutions.extras.misconceptions.entry import misconception

# ---- roi_max_pool


@misconception("roi_max_pool_forward")
def corners_in_rows_first(x, images, boxes, out_size):
    """Rows and columns of the boxes are swapped: a box is x1, y1, x2, y2, and x runs along the columns."""
    _, cache = roi_max_pool_forward(x, images, boxes, out_size)
    return roi_max_pool_forward(x, images, boxes[:, [1, 0, 3, 2]], out_size)[0], cache


@misconception("roi_max_pool_forward")
def last_row_and_column_included(x, images, boxes, out_size):
    """The boxes are one pixel too large: row y2 and column x2 do not belong to them."""
    _, cache = roi_max_pool_forward(x, images, boxes, out_size)
    return roi_max_pool_forward(x, images, boxes + np.array([0, 0, 1, 1]), out_size)[0], cache


@misconception("roi_max_pool_forward")
def all_boxes_in_the_first_image(x, images, boxes, out_size):
    """All boxes are cut out of the first image, but each box has the index of its own."""
    _, cache = roi_max_pool_forward(x, images, boxes, out_size)
    return roi_max_pool_forward(x, np.zeros_like(images), boxes, out_size)[0], cache


@misconception("roi_max_pool_forward")
def region_maximum_starts_at_zero(x, images, boxes, out_size):
    """A cell with nothing above zero gives zero: only a cell without pixels is zero."""
    out, cache = roi_max_pool_forward(x, images, boxes, out_size)
    return np.maximum(out, 0), cache


@misconception("roi_max_pool_forward")
def minus_infinity_for_empty_cells(x, images, boxes, out_size):
    """Cells without a pixel are minus infinity: they should be zero."""
    out, cache = roi_max_pool_forward(x, images, boxes, out_size)
    out[cache[0] < 0] = -np.inf
    return out, cache


@misconception("roi_max_pool_backward")
def boxes_overwrite_each_other(dout, cache):
    """A pixel that is chosen several times gets the gradient of the last cell only: it should get the sum."""
    winner, images, (N, C, H, W) = cache
    dx = np.zeros((N, C, H * W), dtype=dout.dtype)
    for r, c, p, q in np.argwhere(winner >= 0):
        dx[images[r], c, winner[r, c, p, q]] = dout[r, c, p, q]
    return dx.reshape(N, C, H, W)


@misconception("roi_max_pool_backward")
def empty_cells_hit_the_last_pixel(dout, cache):
    """The gradient of cells without a pixel goes to the last pixel of the image: they have no gradient.

    An index of -1 means the last one.
    """
    winner, images, (N, C, H, W) = cache
    dx = np.zeros((N, C, H * W), dtype=dout.dtype)
    for r, c, p, q in np.ndindex(*winner.shape):
        dx[images[r], c, winner[r, c, p, q]] += dout[r, c, p, q]
    return dx.reshape(N, C, H, W)


@misconception("roi_max_pool_backward")
def gradient_in_the_first_image(dout, cache):
    """The gradient of all boxes goes to the first image, but each box belongs to an image of its own."""
    winner, images, shape = cache
    return roi_max_pool_backward(dout, (winner, np.zeros_like(images), shape))


# ---- box_iou


@misconception("box_iou")
def union_counts_the_overlap_twice(a, b):
    """The union is too large: both areas contain what the boxes have in common, so subtract it once."""
    iou = box_iou(a, b)
    return iou / (1 + iou)


@misconception("box_iou")
def areas_of_boxes_apart(a, b):
    """Boxes that do not meet have an overlap: two negative sides multiply to a positive area. Cut them off at zero."""
    one, other = a[:, np.newaxis], b[np.newaxis]
    sides = np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])
    common = sides.prod(axis=2)
    union = (one[..., 2:] - one[..., :2]).prod(axis=2) + (other[..., 2:] - other[..., :2]).prod(axis=2) - common
    return np.divide(common, union, out=np.zeros_like(union), where=union != 0)


@misconception("box_iou")
def sides_one_pixel_longer(a, b):
    """Every side is one longer than it is, as if x2 and y2 belonged to the box: a side is x2 - x1."""
    longer = np.array([0, 0, 1, 1], dtype=a.dtype)
    return box_iou(a + longer, b + longer)


@misconception("box_iou")
def nan_where_nothing_is_covered(a, b):
    """Two boxes without an area give something that is not a number: zero was divided by zero. It should be zero."""
    iou = box_iou(a, b)
    empty = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) == 0 for boxes in (a, b)]
    iou[np.logical_and.outer(*empty)] = np.nan
    return iou
