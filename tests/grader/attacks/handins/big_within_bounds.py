# Every result is as large as it may be: a megabyte of entries that are not finite, of the widest dtype.
_NAMES = [name for name in globals() if name.endswith(("col", "im", "forward", "backward"))]


def _large(parts):
    return [np.full((2**20 - 4096) // 16 // parts, np.nan, "c16")] * parts


def _wrap(name, honest):
    def wrapped(*args, **kwargs):
        result = honest(*args, **kwargs)
        if name.endswith("_forward"):
            return _large(1)[0], result[1]
        return tuple(_large(len(result))) if isinstance(result, tuple) else _large(1)[0]

    return wrapped


globals().update({name: _wrap(name, globals()[name]) for name in _NAMES})
