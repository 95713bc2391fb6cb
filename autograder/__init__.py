"""The grading engine. It knows processes, arrays, outcomes and points, but nothing about convolution."""

__version__ = "0.1.0"
