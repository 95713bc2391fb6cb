# Every call raises an exception that is as long as a header may be.
import __main__

_count = [0]


def _raise(*args):
    _count[0] += 1
    return {"raised": {"type": chr(65 + _count[0] % 26) * 30_000, "message": f"m{_count[0]}" * 6_000}}, []


__main__.service._call = _raise
