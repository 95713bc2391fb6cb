"""What staff download, made of names: a folder or a zip of hand-ins."""

import os

from tests.grader.support.handins import zip_bytes

WHOLE = b"def im2col(x): ...\ndef col2im(x): ...\n"
HALF = b"def im2col(x): ...\n"
OTHER = b"x = 1\n"
FUNCTIONS = ("im2col", "col2im", "conv2d_forward")
METADATA = b"---\n" + b"".join(
    b"submission_%d:\n  :submitters:\n  - :name: S%d\n    :sid: '%d'\n    :email: s%d@u.edu\n"
    b"  :created_at: 2026-01-01 12:00:00 Z\n" % (number, number, number, number)
    for number in (1, 2)
)


HW = zip_bytes([("layers.py", WHOLE)])


def filled(names):
    """Return pairs of a name and what such a file holds, where nothing else is said."""
    pairs = [name if isinstance(name, tuple) else (name, None) for name in names]
    kinds = {".py": WHOLE, ".zip": HW}
    return [(name, data if data is not None else kinds.get(os.path.splitext(name)[1], b"")) for name, data in pairs]
