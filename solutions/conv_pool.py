# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Convolution and pooling in NumPy
#
# You write nine functions in **`layers.py`**. This notebook explains each of them, shows what it does, and checks it.
# At the end they are the layers of a small network that learns to find an X in noise: your own, down to the last
# gradient.
#
# How to work:
#
# 1. Run the cells from top to bottom (Shift + Enter). Nothing is written yet, so every check will say so.
# 2. Open `layers.py` beside this notebook (in JupyterLab: double-click it in the list of files on the left). Read the
#    docstring of a function, replace its `raise NotImplementedError(...)`, and **save** (Ctrl + S).
# 3. Come back and run the check of that function again. There is no need to restart anything.
#
# The rules, the points and what the grader looks at beyond these checks are in `README.md`.

# %%
import importlib
import sys
import time
import traceback
from contextlib import contextmanager
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import otter
from IPython import get_ipython

grader = otter.Notebook("conv_pool.ipynb")

# %% [markdown]
# The next cell prepares the workbench. It reads `layers.py` anew **before every cell you run**, so what runs is what
# you saved, and never an older version. If Python cannot read the file, say because a bracket is missing, `layers` is
# gone until you repair it, and every check says where the mistake is.

# %%
sys.dont_write_bytecode = True
HERE = Path.cwd()


class Unreadable:
    """Takes the place of layers.py while Python cannot import it, so that no older version passes for it."""

    def __init__(self, error):
        last = traceback.extract_tb(error.__traceback__)[-1]
        file, line = (error.filename, error.lineno) if isinstance(error, SyntaxError) else last[:2]
        problem = f"{type(error).__name__}: {getattr(error, 'msg', error)}"
        self.reason = f"layers.py cannot be imported, see line {line} of {Path(file).name}: {problem}"

    def __getattr__(self, name):
        raise ImportError(self.reason)


def read_layers(*_):
    """Import layers.py and the modules beside it, as they are on the disk now."""
    global layers
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if HERE in Path(file).parents and "site-packages" not in file:
            del sys.modules[name]
    importlib.invalidate_caches()
    try:
        layers = importlib.import_module("layers")
    except (Exception, SystemExit) as error:
        layers = Unreadable(error)


@contextmanager
def when_ready():
    """Run the lines below it, up to the first function that is still to be written."""
    try:
        yield
    except NotImplementedError as missing:
        print(f"Not yet: {missing}. Write it in layers.py, save, and run this cell again.")


def show(images, columns=5, cmap="gray", limits=None):
    """Draw images side by side; `images` is a dict of title and array."""
    rows = -(-len(images) // columns)
    width = min(columns, len(images))
    figure, axes = plt.subplots(rows, width, figsize=(2.4 * width, 2.6 * rows), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, (title, image) in zip(axes.flat, images.items()):
        low, high = limits or (None, None)
        axis.imshow(image, cmap=cmap, vmin=low, vmax=high)
        axis.set_title(title, fontsize=10)
    figure.tight_layout()
    plt.show()


events = get_ipython().events
for hook in [hook for hook in events.callbacks["pre_run_cell"] if hook.__name__ == "read_layers"]:
    events.unregister("pre_run_cell", hook)  # when this cell runs a second time
events.register("pre_run_cell", read_layers)
read_layers()

# %% [markdown]
# ## 1. How many windows fit
#
# A window of `kernel_size` pixels starts at the left end of a padded image and moves `stride` pixels at a time. It must
# not stick out at the right end:
#
# $$ OH = \left\lfloor \frac{H + 2\,\text{padding} - KH}{\text{stride}} \right\rfloor + 1 $$
#
# By hand: $H=6$, $KH=3$, stride 2. The window fits at 0 and at 2; at 4 it would need pixels 4, 5 and 6, and there is no
# 6. So $OH=2$, and the last pixel is in no window. The output does not depend on it, so its gradient will be zero.
#
# ![The last row and column of a 6×6 image are in no 3×3 window of stride 2](pictures/stride.svg)

# %%
grader.check("conv_output_size")

# %% [markdown]
# ## 2. `im2col`: every window a column
#
# A convolution takes the same weighted sum in every window. Write the windows side by side, as the columns of a matrix,
# and all those sums are one matrix product, which NumPy does very fast. The price is memory, since neighbouring windows
# overlap and their pixels are copied.
#
# ![Each window of the image becomes one column of the matrix](pictures/im2col.svg)
#
# The order is a convention, and public code uses several. Ours: **rows** run channel, kernel row, kernel column;
# **columns** run image by image, then output row, then output column.
#
# $$ \text{cols}[(c\,KH + i)\,KW + j,\; (n\,OH + p)\,OW + q] = xp[n, c, \text{stride}\,p + i, \text{stride}\,q + j] $$
#
# A tip for checking an order by eye: fill images with numbers that tell where they come from, as here, where pixel
# $(r, s)$ of image $n$ is the number $100n + 10r + s$.

# %%
with when_ready():
    n, r, s = np.ogrid[1:3, 0:3, 0:3]
    images = (100.0 * n + 10 * r + s)[:, np.newaxis]  # shape (2, 1, 3, 3)
    print(layers.im2col(images, (2, 2)).astype(int))

# %%
grader.check("im2col")

# %% [markdown]
# ## 3. `col2im`: back again, adding up
#
# `col2im` takes a matrix in that same order and adds every entry to the pixel that `im2col` reads it from. A pixel in
# four windows gets four entries. What belongs to the padding is dropped.
#
# ![Where windows overlap, their entries add up](pictures/col2im.svg)
#
# It does not undo `im2col`. It is its *adjoint*: $\langle \text{im2col}(x), c\rangle = \langle x,
# \text{col2im}(c)\rangle$ for every $x$ and $c$. That is what a backward pass needs: when a pixel is used four times,
# its gradient is the sum of four gradients.
#
# Below, `col2im` of a matrix of ones counts how many windows each pixel is in. Do you see why the numbers are lower at
# the border, and why the last row and column are empty with stride 2?

# %%
with when_ready():
    counts = {}
    for stride in (1, 2, 3):
        size = layers.conv_output_size(8, 3, stride)
        ones = np.ones((9, size * size))
        counts[f"3×3 windows, stride {stride}"] = layers.col2im(ones, (1, 1, 8, 8), (3, 3), stride)[0, 0]
    show(counts, cmap="viridis", limits=(0, 9))

    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 3, 7, 6))
    cols = layers.im2col(x, (3, 2), stride=2, padding=1)
    c = rng.normal(size=cols.shape)
    print("<im2col(x), c> =", (cols * c).sum())
    print("<x, col2im(c)> =", (x * layers.col2im(c, x.shape, (3, 2), stride=2, padding=1)).sum())

# %%
grader.check("col2im")

# %% [markdown]
# ## 4. `conv2d_forward`
#
# $$ out[n, f, p, q] = b[f] + \sum_{c,\,i,\,j} xp[n, c, \text{stride}\,p + i, \text{stride}\,q + j]\; w[f, c, i, j] $$
#
# The filter is not flipped: what frameworks call convolution is what signal processing calls cross-correlation.
#
# With the columns at hand, each filter is one row of a matrix, and one product does it all. Then look closely at the
# shapes: the product has the filters first and the images second, and `out` wants it the other way round. `reshape`
# never moves a number, `transpose` does.

# %%
grader.check("conv2d_forward")

# %% [markdown]
# ### Edge detectors
#
# Before networks learned their filters, people designed them. The filter below is negative on the left and positive on
# the right: it answers where a picture turns brighter from left to right. Its transpose does the same from top to
# bottom. The colours show the sign: red is positive, blue negative. (The frame around the picture is the padding: for
# the filter, the world ends in black.)


# %%
def draw_scene(size=96):
    """A house, a sun and a hill."""
    row, column = np.mgrid[0:size, 0:size] / size
    scene = 0.75 - 0.35 * row
    scene[(row - 0.22) ** 2 + (column - 0.8) ** 2 < 0.012] = 1.0
    scene[row > 0.78 + 0.08 * np.sin(7 * column)] = 0.25
    scene[(row > 0.5) & (row < 0.82) & (column > 0.18) & (column < 0.55)] = 0.9
    scene[(row <= 0.5) & (row > 0.25 + np.abs(column - 0.365))] = 0.1
    scene[(row > 0.6) & (row < 0.7) & (column > 0.24) & (column < 0.32)] = 0.15
    scene[(row > 0.62) & (row < 0.82) & (column > 0.4) & (column < 0.48)] = 0.4
    return scene[np.newaxis, np.newaxis]


scene = draw_scene()
sobel = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 4

with when_ready():
    w = np.stack([sobel, sobel.T])[:, np.newaxis]  # two filters of one channel: shape (2, 1, 3, 3)
    out, _ = layers.conv2d_forward(scene, w, np.zeros(2), stride=1, padding=1)
    show({"x": scene[0, 0], "strength": np.hypot(*out[0])}, limits=(0, 1))
    show({"left to right": out[0, 0], "top to bottom": out[0, 1]}, cmap="RdBu_r", limits=(-1, 1))

# %% [markdown]
# ## 5. `conv2d_backward`
#
# Forward was a matrix product: $\text{out} = W\,\text{cols} + b$. So backward is what it is for any linear layer,
# between two changes of shape:
#
# - $db$: the bias is added at every window of every image, so its gradient is a sum over all of them;
# - $dW = d\text{out}\;\text{cols}^\top$;
# - $d\text{cols} = W^\top d\text{out}$, and what leads from $d\text{cols}$ to $dx$ you have just written.
#
# By hand, for a 3×3 image and a 2×2 filter, the pixel in the middle meets each weight once:
#
# $$ dx_{22} = dout_{11} w_{22} + dout_{12} w_{21} + dout_{21} w_{12} + dout_{22} w_{11} $$

# %%
grader.check("conv2d_backward")

# %% [markdown]
# ### Nudge it
#
# A gradient is a promise: *if this number grows by a little, the loss grows by so much*. You can test any promise of
# this kind without knowing how it was computed. Change one number, run forward again, and look. Use this whenever a
# backward function does not do what you expect: it tells you **which** entries are wrong, and often that is the answer.


# %%
def nudged(loss, array, step=1e-4):
    """Measure the gradient of loss() with respect to every entry of `array`."""
    slope = np.zeros_like(array)
    for place in np.ndindex(array.shape):
        before = array[place]
        array[place] = before + step
        higher = loss()
        array[place] = before - step
        slope[place] = (higher - loss()) / (2 * step)
        array[place] = before
    return slope


with when_ready():
    rng = np.random.default_rng(1)
    x, w, b = rng.normal(size=(2, 2, 5, 6)), rng.normal(size=(3, 2, 3, 2)), rng.normal(size=3)
    out, cache = layers.conv2d_forward(x, w, b, stride=2, padding=1)
    dout = rng.normal(size=out.shape)  # the loss is sum(out * dout): its derivative with respect to out is dout
    for name, array, gradient in zip(("dx", "dw", "db"), (x, w, b), layers.conv2d_backward(dout, cache)):
        measured = nudged(lambda: (layers.conv2d_forward(x, w, b, stride=2, padding=1)[0] * dout).sum(), array)
        print(f"{name}: largest difference to what a nudge says: {np.abs(gradient - measured).max():.1e}")

# %% [markdown]
# Anything below `1e-6` is rounding.

# %% [markdown]
# ## 6. Max pooling
#
# Each window keeps its largest pixel, in each channel by itself. Backward, the whole gradient of a window goes to the
# pixel that won it; one that won several windows gets their sum. So forward has to remember the winners. When several
# pixels are equally large, the first one in row-major order wins, as for `np.argmax`.
#
# ![Each window keeps its largest pixel, and remembers which one it was](pictures/max_pool.svg)

# %%
grader.check("max_pool2d_forward")

# %%
grader.check("max_pool2d_backward")

# %% [markdown]
# ## 7. Average pooling
#
# Each window keeps its mean. Backward, every pixel of the window gets the same share of the gradient, and shares add up
# where windows overlap.

# %%
grader.check("avg_pool2d_forward")

# %%
grader.check("avg_pool2d_backward")

# %% [markdown]
# ### What is the difference?
#
# Both make an image smaller. Max pooling answers *was it anywhere in here?*, average pooling *how much of it was in
# here?* Look at what becomes of thin bright lines.

# %%
with when_ready():
    edges = np.abs(layers.conv2d_forward(scene, sobel[np.newaxis, np.newaxis], np.zeros(1), stride=1, padding=1)[0])
    largest, _ = layers.max_pool2d_forward(edges, (6, 6), 6)
    mean, _ = layers.avg_pool2d_forward(edges, (6, 6), 6)
    show({"edges": edges[0, 0], "max 6×6": largest[0, 0], "average 6×6": mean[0, 0]}, limits=(0, 1))

# %% [markdown]
# ## 8. Your layers learn
#
# Now the reward. Each image below holds three marks at random places, drawn over noise. In every second image one of
# them is an **X**. The network is told only *yes* or *no*, never where. It has to find out by itself what makes an X
# different from a plus, a circle, a stroke or a Y.

# %%
DRAWINGS = """
#...#   ..#..   .###.   #####   #....   ....#   #####   #...#
.#.#.   ..#..   #...#   #...#   .#...   ...#.   ..#..   .#.#.
..#..   #####   #...#   #...#   ..#..   ..#..   ..#..   ..#..
.#.#.   ..#..   #...#   #...#   ...#.   .#...   ..#..   ..#..
#...#   ..#..   .###.   #####   ....#   #....   ..#..   ..#..
"""
rows = [line.split() for line in DRAWINGS.split("\n") if line]
marks = [[[pixel == "#" for pixel in row[k]] for row in rows] for k in range(8)]
MARKS = np.array(marks, dtype=np.float32)  # shape (8, 5, 5), X first


def draw_marks(count, rng, size=24, noise=0.25):
    """Return `count` images, (count, 1, size, size), and for each whether there is an X in it: 1 or 0."""
    x = rng.normal(0, noise, size=(count, 1, size, size)).astype(np.float32)
    y = rng.integers(0, 2, size=count)
    for k in range(count):
        tiles = rng.permutation(9)[:3]  # nine tiles of 8×8 pixels; a mark stands somewhere in its own
        marks = rng.integers(1, len(MARKS), size=3)
        marks[0] *= 1 - y[k]
        for tile, mark in zip(tiles, marks):
            row, column = 8 * np.array(divmod(tile, 3)) + rng.integers(0, 4, size=2)
            x[k, 0, row : row + 5, column : column + 5] += MARKS[mark]
    return x, y


x, y = draw_marks(10, np.random.default_rng(2))
show({f"{k}: {'X' if y[k] else 'no X'}": x[k, 0] for k in range(10)})

# %% [markdown]
# ### The network
#
# | layer | what for | shape of one image |
# |---|---|---|
# | `conv2d`, 8 filters 5×5, then ReLU | find strokes and corners | (8, 20, 20) |
# | `max_pool2d`, 2×2, stride 2 | was there one around here? half the size, half the work | (8, 10, 10) |
# | `conv2d`, 16 filters 3×3, then ReLU | combine them to marks | (16, 8, 8) |
# | `max_pool2d` over the whole map | was there one *anywhere*? | (16, 1, 1) |
# | `conv2d`, 1 filter 1×1 | weigh the evidence: one number, the score | (1, 1, 1) |
#
# The last layer is a linear layer: that is what a 1×1 convolution of a 1×1 image is. ReLU, `max(a, 0)`, is the only
# part that is not yours; its gradient lets through what was positive.
#
# Read the two functions side by side: backward is forward from bottom to top, each `cache` handed to the function it
# was made for.


# %%
def new_parameters(rng):
    """Filters drawn at random, scaled so that signals neither fade nor explode; biases zero."""
    parameters = []
    for F, C, K in [(8, 1, 5), (16, 8, 3), (1, 16, 1)]:
        w = rng.normal(0, np.sqrt(2 / (C * K * K)), size=(F, C, K, K))
        parameters += [w.astype(np.float32), np.zeros(F, dtype=np.float32)]
    return parameters


def forward(parameters, x):
    """Return the score of each image, and what backward needs."""
    w1, b1, w2, b2, w3, b3 = parameters
    a1, cache1 = layers.conv2d_forward(x, w1, b1)
    pooled, cache2 = layers.max_pool2d_forward(np.maximum(a1, 0), (2, 2), 2)
    a2, cache3 = layers.conv2d_forward(pooled, w2, b2)
    found, cache4 = layers.max_pool2d_forward(np.maximum(a2, 0), a2.shape[2:], 1)
    score, cache5 = layers.conv2d_forward(found, w3, b3)
    return score[:, 0, 0, 0], (cache1, a1 > 0, cache2, cache3, a2 > 0, cache4, cache5)


def backward(dscore, caches):
    """Return the gradient of every parameter, and of the images."""
    cache1, positive1, cache2, cache3, positive2, cache4, cache5 = caches
    d, dw3, db3 = layers.conv2d_backward(dscore[:, np.newaxis, np.newaxis, np.newaxis], cache5)
    d = layers.max_pool2d_backward(d, cache4) * positive2
    d, dw2, db2 = layers.conv2d_backward(d, cache3)
    d = layers.max_pool2d_backward(d, cache2) * positive1
    dx, dw1, db1 = layers.conv2d_backward(d, cache1)
    return [dw1, db1, dw2, db2, dw3, db3], dx


# %% [markdown]
# ### Training
#
# The score becomes a probability, $p = 1 / (1 + e^{-\text{score}})$, and the loss is how surprised the network is by
# the truth: $-\log p$ if there is an X, $-\log(1-p)$ if there is none. The derivative of that loss with respect to the
# score is simply $p - y$.
#
# The step is *Adam*: it keeps a running mean of each gradient and divides it by the running size of that gradient, so
# that all parameters move at a similar pace. Every batch is drawn afresh, so there is nothing to learn by heart.


# %%
def train(steps=1500, batch=32, rate=0.01, seed=0):
    """Return the trained parameters and the loss of every step."""
    rng = np.random.default_rng(seed)
    parameters = new_parameters(rng)
    means = [np.zeros_like(p) for p in parameters]
    squares = [np.zeros_like(p) for p in parameters]
    losses = []
    start = time.perf_counter()
    for step in range(1, steps + 1):
        x, y = draw_marks(batch, rng)
        score, caches = forward(parameters, x)
        p = 1 / (1 + np.exp(-score))
        losses.append(-np.log(np.where(y, p, 1 - p) + 1e-9).mean())
        gradients, _ = backward(((p - y) / batch).astype(x.dtype), caches)
        pace = rate * (1 - step / (steps + 1))  # large steps first, small ones in the end
        for parameter, gradient, mean, square in zip(parameters, gradients, means, squares):
            mean += 0.1 * (gradient - mean)
            square += 0.01 * (gradient**2 - square)
            parameter -= pace * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-8)
        if step == 5:
            print(f"about {(time.perf_counter() - start) / 5 * steps:.0f} seconds to go")
        if step % 100 == 0:
            print(f"step {step}: loss {np.mean(losses[-100:]):.3f}")
    return parameters, losses


def accuracy(parameters, x, y):
    """Return the share of images that the network is right about."""
    score, _ = forward(parameters, x)
    return np.mean((score > 0) == (y == 1))


parameters = None

with when_ready():
    parameters, losses = train()
    test_x, test_y = draw_marks(1000, np.random.default_rng(99))
    print(f"accuracy on 1000 new images: {accuracy(parameters, test_x, test_y):.1%}")

    averaged = np.convolve(losses, np.ones(20) / 20, mode="valid")
    plt.figure(figsize=(7, 3))
    plt.plot(losses, color="0.8", label="each batch")
    plt.plot(np.arange(len(averaged)) + 19, averaged, label="mean of 20")
    plt.axhline(np.log(2), color="0.5", linestyle=":", label="guessing")
    plt.xlabel("step")
    plt.ylabel("loss")
    plt.legend()
    plt.show()

# %% [markdown]
# The dotted line is what guessing costs, $\log 2$. At first the network does no better. Then some filter begins to
# answer to something useful, everything behind it gets a gradient worth following, and the loss falls.
#
# With layers made of loops over single pixels this takes much longer; the line *seconds to go* tells. If it is minutes,
# stop the cell (■) and read about `im2col` above once more: that is what it is for.
#
# ### What it has learned
#
# These are the eight filters of the first layer. They began as noise. Which of them answer to a stroke, and which to an
# end or a corner?

# %%
if parameters is None:
    print("Not yet: the network above is still to be trained.")
else:
    w1 = parameters[0]
    edge = np.abs(w1).max()
    show({f"filter {k}": w1[k, 0] for k in range(len(w1))}, columns=8, cmap="RdBu_r", limits=(-edge, edge))

# %% [markdown]
# ### Where does it look?
#
# Nobody told the network where the X is. Ask it: `dx`, the gradient of the score with respect to the image, says which
# pixels would change its mind. Your functions carry it all the way down, through both pools and both convolutions.

# %%
if parameters is None:
    print("Not yet: the network above is still to be trained.")
else:
    x, y = draw_marks(200, np.random.default_rng(7))
    score, caches = forward(parameters, x)
    _, dx = backward(np.ones(len(x), dtype=x.dtype), caches)
    seen = np.flatnonzero((y == 1) & (score > 0))[:5]
    show({f"x, score {score[k]:.1f}": x[k, 0] for k in seen})
    show({f"|dx| of image {k}": np.abs(dx[k, 0]) for k in seen}, cmap="magma")

# %% [markdown]
# If you like to go on: replace both max pools by average pools and train again. What happens, and why? Raise the noise.
# Take away the second convolution. Which marks does it then take for an X?
#
# ## 9. Hand in
#
# All checks once more, with what is saved in `layers.py` now:

# %%
grader.check_all()

# %% [markdown]
# **Save this notebook (Ctrl + S)**, then run the last cell. It writes a zip file beside this notebook, with `layers.py`
# and the modules you added. Upload that file. The grader reads the Python files only: what you write in this notebook
# is for you.

# %%
found = sorted(path.relative_to(HERE) for path in HERE.rglob("*.py") if "site-packages" not in path.parts)
own_files = [str(path) for path in found if path.name != "test_public.py" and path.parts[0][0] != "."]
print("Packed:", *own_files)
grader.export(pdf=False, ignore_log=True, files=own_files)
