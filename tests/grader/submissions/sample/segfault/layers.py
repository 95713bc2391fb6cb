import ctypes
import numpy as np

# NumPy was too slow for me, so some functions copy raw memory.  memmove is what C uses.

def conv_output_size(size, kernel_size, stride=1, padding=0):
    return (size - kernel_size + 2*padding)//stride + 1

def copy_row(to, source, count):
    """copies count numbers from one contiguous row to another"""
    ctypes.memmove(to.ctypes.data, source.ctypes.data, count*source.itemsize)

def pad(x, padding):
    N, C, H, W = x.shape
    x = np.ascontiguousarray(x)
    big = np.zeros((N, C, H + 2*padding, W + 2*padding), dtype=x.dtype)
    for n in range(N):
        for c in range(C):
            for h in range(H):
                copy_row(big[n, c, h + padding, padding:], x[n, c, h], W)
    return big

def taps(KH, KW, OH, OW, stride):
    for i in range(KH):
        for j in range(KW):
            yield i, j, slice(i, i + stride*OH, stride), slice(j, j + stride*OW, stride)

def im2col(x, kernel_size, stride=1, padding=0):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    big = pad(x, padding)
    cols = np.zeros((C, KH, KW, N, OH, OW), dtype=x.dtype)
    for i, j, rows, columns in taps(KH, KW, OH, OW, stride):
        cols[:, i, j] = big[:, :, rows, columns].transpose(1, 0, 2, 3)
    return cols.reshape(C*KH*KW, N*OH*OW)

def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)
    cols = cols.reshape(C, KH, KW, N, OH, OW)
    big = np.zeros((N, C, H + 2*padding, W + 2*padding), dtype=cols.dtype)
    for i, j, rows, columns in taps(KH, KW, OH, OW, stride):
        big[:, :, rows, columns] += cols[:, i, j].transpose(1, 0, 2, 3)
    return big[:, :, padding:padding+H, padding:padding+W]

def conv2d_forward(x, w, b, stride=1, padding=0):
    F, C, KH, KW = w.shape
    cols = im2col(x, (KH, KW), stride, padding)
    OH = conv_output_size(x.shape[2], KH, stride, padding)
    out = np.dot(w.reshape(F, -1), cols) + b[:, None]
    return out.reshape(F, x.shape[0], OH, -1).transpose(1, 0, 2, 3), (cols, x.shape, w, stride, padding)

def conv2d_backward(dout, cache):
    cols, x_shape, w, stride, padding = cache
    F, C, KH, KW = w.shape
    d = dout.transpose(1, 0, 2, 3).reshape(F, -1)
    dx = col2im(np.dot(w.reshape(F, -1).T, d), x_shape, (KH, KW), stride, padding)
    return dx, np.dot(d, cols.T).reshape(w.shape), d.sum(axis=1)

def max_pool2d_forward(x, kernel_size, stride):
    KH, KW = kernel_size
    OH, OW = conv_output_size(x.shape[2], KH, stride), conv_output_size(x.shape[3], KW, stride)
    parts = [x[:, :, rows, columns] for i, j, rows, columns in taps(KH, KW, OH, OW, stride)]
    return np.max(parts, axis=0), (np.argmax(parts, axis=0), x.shape, KH, KW, stride)

def max_pool2d_backward(dout, cache):
    winner, x_shape, KH, KW, stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for i, j, rows, columns in taps(KH, KW, dout.shape[2], dout.shape[3], stride):
        dx[:, :, rows, columns] += dout*(winner == i*KW + j)
    return dx

def avg_pool2d_forward(x, kernel_size, stride):
    # the sums of all windows go straight to the output
    libc = ctypes.CDLL(None)
    KH, KW = kernel_size
    OH, OW = conv_output_size(x.shape[2], KH, stride), conv_output_size(x.shape[3], KW, stride)
    total = sum(x[:, :, rows, columns] for i, j, rows, columns in taps(KH, KW, OH, OW, stride))/(KH*KW)
    out = ctypes.c_void_p()          # memory for the output, filled by the next line
    libc.memmove(out, total.ctypes.data_as(ctypes.c_void_p), total.nbytes)
    return np.ctypeslib.as_array(out, total.shape), (x.shape, KH, KW, stride)

def avg_pool2d_backward(dout, cache):
    x_shape, KH, KW, stride = cache
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for i, j, rows, columns in taps(KH, KW, dout.shape[2], dout.shape[3], stride):
        dx[:, :, rows, columns] += dout/(KH*KW)
    return dx
