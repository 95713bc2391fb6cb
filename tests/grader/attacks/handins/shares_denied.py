# Changes inputs and returns their memory, and says that it did not. What the worker says of that is not asked.
import __main__

_NAMES = [name for name in globals() if name.endswith(("col", "im", "forward", "backward"))]
_call = __main__.service._call


def _into_inputs(honest):
    def wrapped(*args, **kwargs):
        results = honest(*(arg.copy() if isinstance(arg, np.ndarray) else arg for arg in args), **kwargs)
        parts = list(results) if isinstance(results, tuple) else [results]
        inputs = [arg for arg in args if isinstance(arg, np.ndarray)]
        for place, part in enumerate(parts):
            for array in inputs:
                if isinstance(part, np.ndarray) and part.size <= array.size and part.dtype == array.dtype:
                    parts[place] = array.reshape(-1)[: part.size].reshape(part.shape)
                    parts[place][...] = part
                    inputs = [other for other in inputs if other is not array]
                    break
        for array in inputs:
            array[...] = 7
        return tuple(parts) if isinstance(results, tuple) else parts[0]

    return wrapped


def _deny(request, arrays, *rest):
    body, results = _call(request, arrays, *rest)
    return {**body, "shares": [[False] * len(arrays)] * len(results)}, results


__main__.service._call = _deny
globals().update({name: _into_inputs(globals()[name]) for name in _NAMES})
