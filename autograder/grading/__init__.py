"""Judge one submission: tests, comparisons, speed, diagnosis, feedback."""
