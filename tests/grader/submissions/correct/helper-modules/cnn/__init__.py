from .columns import col2im, im2col
from .conv import conv2d_backward, conv2d_forward
from .pooling import (
    avg_pool2d_backward,
    avg_pool2d_forward,
    max_pool2d_backward,
    max_pool2d_forward,
)

__all__ = [name for name in dir() if "2" in name]
