"""Start, limit, measure and stop the processes that run student code."""
