"""box_iou: intersection over union."""

import pytest


def given(case, sign=1):
    """Return what box_iou is given, with a or its opposite."""
    return sign * case.a, case.b


@pytest.mark.cases("box_iou_contract")
def test_box_iou_shape(student, case, check):
    """box_iou: iou has the shape (R, S)."""
    iou = student.box_iou(*given(case))
    other = student.box_iou(case.a, case.b[::-1])
    check.shape("iou", iou, (len(case.a), len(case.b)))
    check.distinct("iou", iou, other)


@pytest.mark.cases("box_iou")
def test_box_iou(student, case, check):
    """box_iou: iou is what two boxes have in common, as a share of what they cover."""
    iou = student.box_iou(*given(case))
    check.array("iou", iou, case.iou)


@pytest.mark.cases("box_iou_contract")
def test_box_iou_promises(student, case, check):
    """box_iou: iou has the dtype of a and memory of its own; inputs stay."""
    call = student.inspect("box_iou", *given(case))
    other = student.box_iou(case.a, case.b[::-1])
    check.distinct("iou", call.results[0], other)
    check.dtype("iou", call.results[0], case.dtype)
    check.untouched(call)
    check.own_memory(call)
