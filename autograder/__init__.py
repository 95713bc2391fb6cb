"""The grading engine. It knows processes, arrays, outcomes and points; it knows nothing of convolution."""

__version__ = "0.1.0"
