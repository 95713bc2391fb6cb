import numpy as np

# ---------- helpers ----------

def conv_output_size(size, kernel_size, stride=1, padding=0):
    out = (size + 2*padding - kernel_size) // stride
    return out + 1

def _geometry(shape, kernel_size, stride, padding=0):
    N, C, H, W = shape
    KH, KW = kernel_size
    return N, C, H, W, KH, KW, conv_output_size(H, KH, stride, padding), conv_output_size(W, KW, stride, padding)

# ---------- im2col / col2im ----------

def im2col(x, kernel_size, stride=1, padding=0):
    N, C, H, W, KH, KW, OH, OW = _geometry(x.shape, kernel_size, stride, padding)
    img = np.pad(x, [(0,0), (0,0), (padding, padding), (padding, padding)])
    col = np.zeros((C, KH, KW, N, OH, OW), dtype=x.dtype)
    for i in range(KH):
        i_max = i + stride*OH
        for j in range(KW):
            j_max = j + stride*OW
            col[:, i, j] = img[:, :, i:i_max:stride, j:j_max:stride].transpose(1, 0, 2, 3)
    return col.reshape(C*KH*KW, N*OH*OW)

def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    N, C, H, W, KH, KW, OH, OW = _geometry(x_shape, kernel_size, stride, padding)
    col = cols.reshape(C, KH, KW, N, OH, OW)
    img = np.zeros((N, C, H + 2*padding, W + 2*padding), dtype=cols.dtype)
    for i in range(KH):
        i_max = i + stride*OH
        for j in range(KW):
            j_max = j + stride*OW
            img[:, :, i:i_max:stride, j:j_max:stride] = col[:, i, j].transpose(1, 0, 2, 3)
    return img[:, :, padding:H+padding, padding:W+padding]

# ---------- convolution ----------

def conv2d_forward(x, w, b, stride=1, padding=0):
    F = w.shape[0]
    N, C, H, W, KH, KW, OH, OW = _geometry(x.shape, w.shape[2:], stride, padding)
    col = im2col(x, (KH, KW), stride, padding)
    out = np.dot(w.reshape(F, -1), col).T + b
    out = out.reshape(N, OH, OW, F).transpose(0, 3, 1, 2)
    return out, (x.shape, col, w, stride, padding)

def conv2d_backward(dout, cache):
    x_shape, col, w, stride, padding = cache
    F, C, KH, KW = w.shape
    dout = dout.transpose(0, 2, 3, 1).reshape(-1, F)
    db = np.sum(dout, axis=0)
    dw = np.dot(col, dout).T.reshape(F, C, KH, KW)
    dcol = np.dot(dout, w.reshape(F, -1)).T
    return col2im(dcol, x_shape, (KH, KW), stride, padding), dw, db

# ---------- pooling ----------

def _taps(KH, KW, OH, OW, stride):
    for i in range(KH):
        for j in range(KW):
            yield i*KW + j, slice(i, i + stride*OH, stride), slice(j, j + stride*OW, stride)

def max_pool2d_forward(x, kernel_size, stride):
    N, C, H, W, KH, KW, OH, OW = _geometry(x.shape, kernel_size, stride)
    out = np.full((N, C, OH, OW), -np.inf, dtype=x.dtype)
    arg = np.zeros((N, C, OH, OW), dtype=int)
    for k, rows, cols in _taps(KH, KW, OH, OW, stride):
        arg[x[:, :, rows, cols] > out] = k
        out = np.maximum(out, x[:, :, rows, cols])
    return out, (x.shape, arg, kernel_size, stride)

def max_pool2d_backward(dout, cache):
    x_shape, arg, kernel_size, stride = cache
    N, C, H, W, KH, KW, OH, OW = _geometry(x_shape, kernel_size, stride)
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for k, rows, cols in _taps(KH, KW, OH, OW, stride):
        dx[:, :, rows, cols][arg == k] = dout[arg == k]
    return dx

def avg_pool2d_forward(x, kernel_size, stride):
    N, C, H, W, KH, KW, OH, OW = _geometry(x.shape, kernel_size, stride)
    out = np.zeros((N, C, OH, OW), dtype=x.dtype)
    for k, rows, cols in _taps(KH, KW, OH, OW, stride):
        out += x[:, :, rows, cols]
    return out / (KH*KW), (x.shape, kernel_size, stride)

def avg_pool2d_backward(dout, cache):
    x_shape, kernel_size, stride = cache
    N, C, H, W, KH, KW, OH, OW = _geometry(x_shape, kernel_size, stride)
    dx = np.zeros(x_shape, dtype=dout.dtype)
    for k, rows, cols in _taps(KH, KW, OH, OW, stride):
        dx[:, :, rows, cols] = dout / (KH*KW)
    return dx
