# Lets a thread do the work.
import threading


def _threaded(function):
    def wrapped(*args, **kwargs):
        results = []
        thread = threading.Thread(target=lambda: results.append(function(*args, **kwargs)))
        thread.start()
        thread.join()
        return results[0]

    return wrapped


for _name in ("conv2d_forward", "conv2d_backward", "max_pool2d_forward", "max_pool2d_backward"):
    globals()[_name] = _threaded(globals()[_name])
for _name in ("avg_pool2d_forward", "avg_pool2d_backward"):
    globals()[_name] = _threaded(globals()[_name])
