"""The grading engine. It knows processes, arrays, outcomes and points, but nothing about any homework."""

import sys

__version__ = "0.1.0"

if sys.argv[:1] == ["-m"]:  # `python -m autograder` is starting
    import signal

    # as long as there is nothing to clean up, Ctrl-C ends the process at once
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
