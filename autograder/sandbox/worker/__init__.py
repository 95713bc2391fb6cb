"""The only grader code that the sandbox sees: a program of its own, started as ``__main__.py`` says."""
