# Works whenever it is woken: SIGCONT comes before every call, when no clock is read.
import signal


def _awake(number, frame):
    _tables = [(p, q) for p in range(200) for q in range(200)]


signal.signal(signal.SIGCONT, _awake)
