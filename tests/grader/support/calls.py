"""What tests of calls into a worker share."""

import numpy as np
import pytest

from autograder.core.errors import (
    StudentError,
)

X = np.array([1.0, 2.0, 3.0])

FRAMES = """\
import gc, json, socket, struct, sys
wire = sys.modules["__main__"].wire
connection = [each for each in gc.get_objects() if isinstance(each, socket.socket) and each.fileno() >= 0][0]
"""
"""What a hostile file needs to speak for the worker."""


def failure(call, *arguments, **keywords):
    with pytest.raises(StudentError) as caught:
        call(*arguments, **keywords)
    return type(caught.value), caught.value.message, caught.value.function
