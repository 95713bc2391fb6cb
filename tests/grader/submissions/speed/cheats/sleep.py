# Sleeps before every call: processor time that is not used is not counted, but the work remains to be done.
import time

_slow = {name: globals()[name] for name in ("conv2d_forward", "max_pool2d_forward", "avg_pool2d_forward")}


def _sleepy(function):
    def wrapped(*args, **kwargs):
        time.sleep(0.01)
        return function(*args, **kwargs)

    return wrapped


globals().update({name: _sleepy(function) for name, function in _slow.items()})
