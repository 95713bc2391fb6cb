# Every result is as large as a reply may be, and another one each time: kept until the end of a test they fill memory.
_NAMES = [name for name in globals() if name.endswith(("col", "im", "forward", "backward"))]
_count = [0]


def _large(parts):
    _count[0] += 1
    array = np.zeros((32 * 2**20 - 4096) // parts, "i1")
    array[0] = _count[0] % 100
    return [array] * parts


def _wrap(name, honest):
    def wrapped(*args, **kwargs):
        result = honest(*args, **kwargs)
        if name.endswith("_forward"):
            return _large(1)[0], result[1]
        return tuple(_large(len(result))) if isinstance(result, tuple) else _large(1)[0]

    return wrapped


globals().update({name: _wrap(name, globals()[name]) for name in _NAMES})
