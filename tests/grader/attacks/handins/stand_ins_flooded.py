# Breaks im2col, and asks its stand-in more often than it may, and for arrays that are as large as it can make them.
_honest_forward, _flooded = conv2d_forward, []


def im2col(x, kernel_size, stride=1, padding=0):
    return np.zeros((1, 1))


def conv2d_forward(x, w, b, stride=1, padding=0):
    if im2col.__code__.co_filename != __file__ and not _flooded:
        _flooded.append(True)
        for side in (1, 300, 900, 2000):
            try:
                im2col(np.zeros((1, 1, side, side)), (side // 2 + 1, 1), padding=side)
            except Exception:
                pass
        for number in range(21_000):
            im2col(np.full((1, 1, 1, 1), float(number)), (1, 1))
    return _honest_forward(x, w, b, stride, padding)
