import sys
import numpy as np

print("=== loading my layers, numpy", np.__version__, "===")
verbose = True          # TODO set to False before handing in!!!

def say(*args):
    if verbose:
        print("   >>", *args)
        print("   >>", *args, file=sys.stderr)

def conv_output_size(size, kernel_size, stride=1, padding=0):
    say("conv_output_size(", size, kernel_size, stride, padding, ")")
    return (size + 2*padding - kernel_size)//stride + 1

def im2col(x, kernel_size, stride=1, padding=0):
    say("im2col: x has shape", x.shape, "and sum", x.sum())
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH = conv_output_size(H, KH, stride, padding)
    OW = conv_output_size(W, KW, stride, padding)
    big = np.zeros((N, C, H + 2*padding, W + 2*padding), x.dtype)
    big[:, :, padding:padding + H, padding:padding + W] = x
    cols = np.zeros((C*KH*KW, N*OH*OW), x.dtype)
    for c in range(C):
        for i in range(KH):
            for j in range(KW):
                row = (c*KH + i)*KW + j
                piece = big[:, c, i:i + stride*OH:stride, j:j + stride*OW:stride]
                cols[row] = piece.reshape(-1)
    say("cols:", cols)
    return cols

def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
    say("col2im: cols has shape", cols.shape)
    N, C, H, W = x_shape
    KH, KW = kernel_size
    OH = conv_output_size(H, KH, stride, padding)
    OW = conv_output_size(W, KW, stride, padding)
    big = np.zeros((N, C, H + 2*padding, W + 2*padding), cols.dtype)
    for c in range(C):
        for i in range(KH):
            for j in range(KW):
                row = (c*KH + i)*KW + j
                big[:, c, i:i + stride*OH:stride, j:j + stride*OW:stride] += cols[row].reshape(N, OH, OW)
    say("big:", big)
    return big[:, :, padding:padding + H, padding:padding + W]

def conv2d_forward(x, w, b, stride=1, padding=0):
    say("conv2d_forward", x.shape, w.shape, b.shape, stride, padding)
    N, C, H, W = x.shape
    F, C, KH, KW = w.shape
    cols = im2col(x, (KH, KW), stride, padding)
    out = w.reshape(F, C*KH*KW).dot(cols)
    for f in range(F):
        out[f] += b[f]
    out = out.reshape(F, N, conv_output_size(H, KH, stride, padding), -1).transpose(1, 0, 2, 3)
    say("out:", out)
    return out, (cols, x.shape, w, stride, padding)

def conv2d_backward(dout, cache):
    say("conv2d_backward", dout)
    cols, x_shape, w, stride, padding = cache
    F, C, KH, KW = w.shape
    d = dout.transpose(1, 0, 2, 3).reshape(F, -1)
    dw = d.dot(cols.T).reshape(w.shape)
    dx = col2im(w.reshape(F, -1).T.dot(d), x_shape, (KH, KW), stride, padding)
    say("dx:", dx, "dw:", dw)
    return dx, dw, d.sum(axis=1)

def piece(k, KW, stride, OH, OW):
    i, j = k//KW, k%KW
    say("tap", i, j)
    return slice(i, i + stride*OH, stride), slice(j, j + stride*OW, stride)

def max_pool2d_forward(x, kernel_size, stride):
    say("max_pool2d_forward", x.shape, kernel_size, stride)
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    pieces = np.zeros((KH*KW, N, C, OH, OW), x.dtype)
    for k in range(KH*KW):
        rows, columns = piece(k, KW, stride, OH, OW)
        pieces[k] = x[:, :, rows, columns]
    where = pieces.argmax(0)
    say("where:", where)
    return pieces.max(0), (where, x.shape, KH, KW, stride)

def max_pool2d_backward(dout, cache):
    say("max_pool2d_backward", dout.shape)
    where, x_shape, KH, KW, stride = cache
    dx = np.zeros(x_shape, dout.dtype)
    for k in range(KH*KW):
        rows, columns = piece(k, KW, stride, dout.shape[2], dout.shape[3])
        dx[:, :, rows, columns] += dout*(where == k)
    say("dx:", dx)
    return dx

def avg_pool2d_forward(x, kernel_size, stride):
    say("avg_pool2d_forward", x.shape, kernel_size, stride)
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH, OW = conv_output_size(H, KH, stride), conv_output_size(W, KW, stride)
    out = np.zeros((N, C, OH, OW), x.dtype)
    for k in range(KH*KW):
        rows, columns = piece(k, KW, stride, OH, OW)
        out += x[:, :, rows, columns]
    out /= KH*KW
    say("out:", out)
    return out, (x.shape, KH, KW, stride)

def avg_pool2d_backward(dout, cache):
    say("avg_pool2d_backward", dout.shape)
    x_shape, KH, KW, stride = cache
    dx = np.zeros(x_shape, dout.dtype)
    for k in range(KH*KW):
        rows, columns = piece(k, KW, stride, dout.shape[2], dout.shape[3])
        dx[:, :, rows, columns] += dout/(KH*KW)
    say("dx:", dx)
    return dx

print("=== done ===")
