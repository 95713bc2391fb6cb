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
# At the end they are the layers of LeNet-5, a network that learns to read handwritten digits: your own, down to the
# last gradient.
#
# How to work:
#
# 1. Run the cells from top to bottom (Shift + Enter). Nothing is written yet, so every check will say so.
# 2. Open `layers.py` beside this notebook (in JupyterLab: double-click it in the list of files on the left). Read the
#    docstring of a function, replace its `raise NotImplementedError(...)`, and **save** (Ctrl + S).
# 3. Come back and run the check of that function again. There is no need to restart anything.
#
# Under each function there are three folded hints. Think first, then open one at a time: the idea, the shape of each
# step, a pitfall. The formulas are in the docstrings of `layers.py`; the rules, the points and what the grader looks at
# beyond these checks are in `README.md`; who may help you, and whether AI may, is in `POLICY.md`.
#
# **Was the kernel restarted, or is it another day?** Then a check says `NameError: name 'grader' is not defined`.
# Nothing is lost: run the first two code cells again, they say where you are.

# %%
import html
import importlib
import inspect
import os
import re
import sys
import time
import traceback
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # on small matrices, threads spend their time waiting for each other

import matplotlib.pyplot as plt
import numpy as np
import otter
from conftest import points, told
from IPython import get_ipython
from IPython.display import display
from otter.test_files.abstract_test import TestFile

grader = otter.Notebook("conv_pool.ipynb")

# %% [markdown]
# The next cell prepares the workbench. It reads `layers.py` anew **before every cell you run**, so what runs is what
# you saved, and never an older version. If Python cannot read the file, say because a bracket is missing, `layers` is
# gone until you repair it, and every check says where the mistake is.

# %%
sys.dont_write_bytecode = True
HERE = Path.cwd()
FUNCTIONS = ["conv_output_size", "im2col", "col2im", "conv2d_forward", "conv2d_backward"]
FUNCTIONS += ["max_pool2d_forward", "max_pool2d_backward", "avg_pool2d_forward", "avg_pool2d_backward"]


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


def in_few_lines(result):
    """Return what a check has found: a sentence for each test that fails, and the line of yours that it comes from."""
    failed = [one for one in result.test_case_results if not one.passed]
    if not failed:
        return f"{result.name}: all {len(result.test_case_results)} checks passed"
    lines = [f"{result.name}: {len(failed)} of {len(result.test_case_results)} checks failed"]
    return "\n".join([*lines, *dict.fromkeys(why(one) for one in failed)])


def why(failed):
    """Run a test again, for the line of yours that otter does not tell."""
    try:
        failed.test_case.body.test_func(layers)
    except Exception as error:
        return told(error)
    return failed.message


def saved(path):
    """Say when a file was saved."""
    when = time.localtime(path.stat().st_mtime)
    day = "today" if when[:3] == time.localtime()[:3] else time.strftime("on %d %B %Y", when)
    return f"{path.relative_to(HERE)}, saved {day} at {time.strftime('%H:%M', when)}"


def where_you_are():
    """Say which functions are still to be written."""
    if isinstance(layers, Unreadable):
        print(layers.reason)
        return
    text = (HERE / "layers.py").read_text(encoding="utf-8", errors="replace")
    missing = re.findall(r'NotImplementedError\("(\w+) is not', text)
    written = f"{len(FUNCTIONS) - len(missing)} of {len(FUNCTIONS)} functions are written"
    print(f"Ready. {saved(HERE / 'layers.py')}: {written}" + (f"; next is {missing[0]}." if missing else "."))


def public_score(show=print):
    """Check everything, in the order of the assignment; say what passes and what it is worth."""
    worth, earned, possible = points("README.md"), 0, 0  # README.md says what each test is worth
    for function in FUNCTIONS:
        checked = grader.check(function).test_case_results
        results = {one.test_case.body.test_func.__name__: one.passed for one in checked}
        own = sum(worth.get(test, 0) for test, passed in results.items() if passed)
        best = sum(worth.get(test, 0) for test in results)
        failed = [test.removeprefix(f"test_{function}_") for test, passed in results.items() if not passed]
        show(f"{function:20} {own:4g} of {best:g}" + (f"   fails: {', '.join(failed)}" if failed else ""))
        earned, possible = earned + own, possible + best
    hidden = sum(worth.values()) - possible
    return f"{earned:g} of {possible:g} points; hidden tests decide about the other {hidden:g}"


formatters = get_ipython().display_formatter.formatters
formatters["text/plain"].for_type(TestFile, lambda result, printer, cycle: printer.text(in_few_lines(result)))
formatters["text/html"].for_type(TestFile, lambda result: f"<pre>{html.escape(in_few_lines(result))}</pre>")

events = get_ipython().events
for hook in [hook for hook in events.callbacks["pre_run_cell"] if hook.__name__ == "read_layers"]:
    events.unregister("pre_run_cell", hook)  # when this cell runs a second time
events.register("pre_run_cell", read_layers)
read_layers()
where_you_are()

# %% [markdown]
# ## Before you start: what is the problem?
#
# A convolution puts a small window on an image, multiplies every pixel in it with a weight, and adds up. It does that
# at every place. As code that is a few lines, given here without stride and padding. Run it and feel how long ten small
# images take.


# %%
def with_loops(x, w, b):
    """Convolve as the definition says it: window by window."""
    (N, _, H, W), (F, _, KH, KW) = x.shape, w.shape
    out = np.empty((N, F, H - KH + 1, W - KW + 1))
    for n, f, p, q in np.ndindex(*out.shape):
        out[n, f, p, q] = (x[n, :, p : p + KH, q : q + KW] * w[f]).sum() + b[f]
    return out


rng = np.random.default_rng(0)
w, b = rng.normal(size=(8, 3, 5, 5)), np.zeros(8)
start = time.perf_counter()
for _ in range(10):
    with_loops(rng.normal(size=(1, 3, 32, 32)), w, b)
    print("█", end="", flush=True)
seconds = (time.perf_counter() - start) / 10
print(f" {seconds:.2f} seconds for each image: {60_000 * seconds / 3600:.1f} hours for the 60,000 images of MNIST,")
print("for one layer, forward only, once. Training needs that hundreds of times.")

# %% [markdown]
# The sums are not the problem: a processor adds millions of numbers in a blink. The loop is, because Python takes a
# step of its own for every window. So: what would let NumPy do all windows at once?
#
# ## 1. How many windows fit
#
# A window of `kernel_size` pixels starts at the left end of a padded image and moves `stride` pixels at a time. It must
# not stick out at the right end.
#
# **Predict first:** an image of 6 pixels, a window of 3, stride 2. How many windows fit? And what is the gradient of
# the last pixel? Then look at the picture.
#
# ![Two 6×6 images under 3×3 windows of stride 2; each pixel says in how many windows it is. Without padding, 2 windows
# fit along each axis, and the last row and column read 0; with padding 1 there are 3, and none reads
# 0.](pictures/stride.svg)
#
# <details><summary>Hint 1: the idea</summary>
#
# The first window starts at 0. The last one may start at `size + 2*padding - kernel_size`. How many steps of
# `stride` lead there?
#
# </details>
#
# <details><summary>Hint 2: the shape of each step</summary>
#
# There are none: numbers in, one number out. Try 6 pixels and a window of 3 with strides 1, 2 and 3 by hand: 4, 2 and
# 2.
#
# </details>
#
# <details><summary>Hint 3: a pitfall</summary>
#
# `/` makes a float, and `round` may round up. One operator of Python divides and rounds down, and its result is an int.
#
# </details>

# %%
grader.check("conv_output_size")

# %% [markdown]
# ## 2. `im2col`: every window a column
#
# A convolution takes the same weighted sum in every window. Write the windows side by side, as the columns of a matrix,
# and all those sums are one matrix product, which NumPy does very fast. The price is memory, since neighbouring windows
# overlap and their pixels are copied.
#
# ![Three channels of 4×4 pixels and their matrix, 12 rows by 9 columns. The framed 2×2 window, second in its row, is
# the framed second column: four pixels of channel 0, then of channel 1, then of channel 2.](pictures/im2col.svg)
#
# The order is a convention, and public code uses several. Ours: **rows** run channel, kernel row, kernel column;
# **columns** run image by image, then output row, then output column.
#
# <details><summary>Hint 1: the idea</summary>
#
# One loop over all windows is what you want to avoid. Loop over the places in the kernel instead: they are few. For one
# place `(i, j)`, which pixels of `xp` do all windows together read there? A slice with a step takes them at once.
#
# </details>
#
# <details><summary>Hint 2: the shape of each step</summary>
#
# Pad to `(N, C, H + 2*padding, W + 2*padding)`. The pixels of one place are `(N, C, OH, OW)`. Collect them in an array
# that keeps all axes apart, `(C, KH, KW, N, OH, OW)`: its axes have the order of the matrix already, and `reshape`
# merges the first three and the last three.
#
# </details>
#
# <details><summary>Hint 3: a pitfall</summary>
#
# `reshape` never moves a number. If N comes before C when you merge, transpose first. And `np.zeros(shape)` is float64:
# what is the dtype of `x`?
#
# </details>
#
# **Predict first:** below, pixel $(r, s)$ of image $n$ is the number $100n + 10r + s$. What is the second column of its
# matrix? And the fifth? This is a good way to check any order by eye.

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
# ![Four columns A to D of a matrix, each put back as a 2×2 window, and the 3×3 image they add up to. Its corners get
# one entry each, its edges two, its middle four: 13+10+7+4=34.](pictures/col2im.svg)
#
# It does not undo `im2col`. It is its *adjoint*: $\langle \text{im2col}(x), c\rangle = \langle x,
# \text{col2im}(c)\rangle$ for every $x$ and $c$. That is what a backward pass needs: when a pixel is used four times,
# its gradient is the sum of four gradients.
#
# <details><summary>Hint 1: the idea</summary>
#
# Read your `im2col` from its end to its beginning. Where it read a slice, add to that slice.
#
# </details>
#
# <details><summary>Hint 2: the shape of each step</summary>
#
# From `(C*KH*KW, N*OH*OW)` back to the array with all axes apart. For each place in the kernel, its `(N, C, OH, OW)`
# entries are added to a slice of a padded image of zeros. At the end, cut the padding off.
#
# </details>
#
# <details><summary>Hint 3: a pitfall</summary>
#
# What does `x[:, :, p:-p]` return if `p` is 0? And with an array of indices, `x[index] += 1` adds once where `index`
# names a place twice; with slices there is no such place.
#
# </details>
#
# **Predict first:** `col2im` of a matrix of ones counts how many windows each pixel is in. For 3×3 windows in an 8×8
# image, what is the number in a corner, and in the middle? Which rows and columns are 0 with stride 2, and with 3?

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
# A window times a filter, entry by entry, and added up, is one number of the output. The filter is not flipped: what
# frameworks call convolution is what signal processing calls cross-correlation.
#
# ![A 5×5 image, a 3×3 filter and the 3×3 output. The framed window times the filter, entry by entry, is nine products.
# Their sum 10, plus the bias −1, is the framed entry of the output, 9.](pictures/conv_forward.svg)
#
# **Predict first:** which entry of `out` is next to the 9? The window moves by one pixel; take it on paper.
#
# <details><summary>Hint 1: the idea</summary>
#
# A window is a column of `cols`. Which product of matrices takes the weighted sums of all columns with all filters at
# once?
#
# </details>
#
# <details><summary>Hint 2: the shape of each step</summary>
#
# `w` becomes `(F, C*KH*KW)`, `cols` is `(C*KH*KW, N*OH*OW)`, the product `(F, N*OH*OW)`. The bias is `(F,)`: which axis
# is it for? Then four axes, and the order `(N, F, OH, OW)`.
#
# </details>
#
# <details><summary>Hint 3: a pitfall</summary>
#
# The product has the filters first and the images second. `reshape` to `(N, F, OH, OW)` gives the right shape and wrong
# numbers as soon as N and F are both more than 1. What order of axes does the product have, before you swap two?
#
# </details>

# %%
grader.check("conv2d_forward")

# %% [markdown]
# ### What have you gained?
#
# The loops from the beginning against your layer, on larger and larger images. Guess first: does the gain grow with the
# image? And will it stop growing?

# %%
with when_ready():
    rng = np.random.default_rng(0)
    w, b = rng.normal(size=(8, 3, 5, 5)), rng.normal(size=8)
    sizes, gains = [8, 12, 16, 24, 32, 48], []
    for size in sizes:
        x = rng.normal(size=(1, 3, size, size))
        start = time.perf_counter()
        expected = with_loops(x, w, b)
        between = time.perf_counter()
        for _ in range(5):
            out, _ = layers.conv2d_forward(x, w, b)
        gains.append(5 * (between - start) / (time.perf_counter() - between))
    same = np.shape(out) == expected.shape and np.allclose(out, expected)
    print("Both return the same." if same else "They differ! Run the check above: the times mean nothing yet.")
    plt.figure(figsize=(6, 3))
    plt.plot(sizes, gains, marker="o")
    plt.axhline(1, color="0.3", linestyle=":")
    plt.xlabel("height and width of the image")
    plt.ylabel("times faster than loops")
    plt.ylim(bottom=0)
    plt.show()

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
# Take a 3×3 image, a 2×2 filter and a pencil. The loss depends on `out`, and its derivative with respect to
# each output, `dout`, is given. Answer before you scroll:
#
# 1. Which outputs does the pixel in the middle influence? Through which weight each? If it grows by a little, by how
#    much does each of these outputs grow, and by how much the loss?
# 2. Which outputs does the pixel in a corner influence?
# 3. Which outputs does one weight influence, and which pixel does it meet in each? So what is its gradient a sum of?
# 4. Which outputs does the bias influence?
#
# Now in matrices. Forward was one product, `w` as rows times `cols`, plus `b`. Keep the shapes in view:
#
# 5. `dout` is `(N, F, OH, OW)`. What must happen to it, to be the gradient of that product, `(F, N*OH*OW)`?
# 6. Your answer to 3 is a sum over all columns. Which product of two matrices that you have adds exactly that? There is
#    only one way in which the shapes fit.
# 7. The gradient of `cols` has the shape of `cols`. From what can it be made? And who adds it up, pixel by pixel?
#
# ![A 2×2 dout, A to D, and a 2×2 filter. Below, the filter times each entry of dout, put where the window of that entry
# was in a 3×3 image. Their sum is dx; in the middle, 5+4−3+4=10.](pictures/conv_backward.svg)
#
# <details><summary>Hint 1: the idea</summary>
#
# It is the backward pass of a linear layer, between two changes of shape: undo the last change of shape of forward, go
# back through the product, and let a function that you have written bring the gradient of `cols` to `x`.
#
# </details>
#
# <details><summary>Hint 2: the shape of each step</summary>
#
# `dout` as `(F, N*OH*OW)`. `db` is `(F,)`: one axis is summed. `dw` is `(F, C*KH*KW)`, then `(F, C, KH, KW)`. The
# gradient of `cols` is `(C*KH*KW, N*OH*OW)`, `dx` is `(N, C, H, W)`.
#
# </details>
#
# <details><summary>Hint 3: a pitfall</summary>
#
# Undoing a transpose is a transpose, before the `reshape`. `db` is a sum, no mean. And `dx` has the shape of `x`, which
# the stride does not tell you: keep it in the cache.
#
# </details>

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
    if not grader.check("conv2d_forward").passed_all:
        print("conv2d_forward does not pass its check. Repair that first: a nudge measures with it.")
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
# ![A 4×5 image, its 3×4 output after 2×2 windows of stride 1, and dx. Letters A to F tell which pixel won each window.
# If dout is all ones, dx counts wins. In a tie of two 2.3, the first one wins.](pictures/max_pool.svg)
#
# **Predict first:** can a pixel get more gradient than any entry of `dout`? Can most of the image get none?
#
# <details><summary>Hint 1: the idea</summary>
#
# Keep two arrays, the largest value so far and who it was, and look at one place of the kernel after the other. Or put
# the windows on an axis of their own and ask `argmax`.
#
# </details>
#
# <details><summary>Hint 2: the shape of each step</summary>
#
# Values and winners are `(N, C, OH, OW)`. A winner is a number from 0 to `KH*KW - 1`: its place in the window.
#
# </details>
#
# <details><summary>Hint 3: a pitfall</summary>
#
# Pixels may all be negative: what do you compare the first one with? And each channel is on its own: with `im2col`, C
# must not end up in the window.
#
# </details>

# %%
grader.check("max_pool2d_forward")

# %% [markdown]
# <details><summary>Hint 1: the idea</summary>
#
# Forward knows who won. Each entry of `dout` is added to the pixel of its winner, wherever windows overlap.
#
# </details>
#
# <details><summary>Hint 2: the shape of each step</summary>
#
# For one place in the kernel: where it won, `(N, C, OH, OW)`, times `dout`, added to the slice of `dx` that this place
# reads, as in `col2im`.
#
# </details>
#
# <details><summary>Hint 3: a pitfall</summary>
#
# `dx[...] = ` loses all but the last of several wins. And `==` against the maximum finds both pixels of a tie.
#
# </details>

# %%
grader.check("max_pool2d_backward")

# %% [markdown]
# ## 7. Average pooling
#
# Each window keeps its mean. Backward, every pixel of the window gets the same share of the gradient, and shares add up
# where windows overlap.
#
# ![A 3×3 image under 2×2 windows of stride 1: the framed 1, 5, 3, 7 have the mean 4. Backward, each entry of dout, 4 8
# 12 16, gives a quarter to each pixel of its window; the middle gets 1+2+3+4=10.](pictures/avg_pool.svg)
#
# **Predict first:** if `dout` is all ones and windows are side by side, what is the sum of `dx`?
#
# <details><summary>Hint 1: the idea</summary>
#
# You have all of it: a sum over the places in the kernel, divided once.
#
# </details>
#
# <details><summary>Hint 2: the shape of each step</summary>
#
# One sum of `(N, C, OH, OW)` arrays, one for each place in the kernel.
#
# </details>
#
# <details><summary>Hint 3: a pitfall</summary>
#
# Divide by `KH*KW`, not by `KH**2`, and in the dtype of `x`.
#
# </details>

# %%
grader.check("avg_pool2d_forward")

# %% [markdown]
# <details><summary>Hint 1: the idea</summary>
#
# It is the backward pass of max pooling in which everybody wins, with a share each.
#
# </details>
#
# <details><summary>Hint 2: the shape of each step</summary>
#
# The share is `(N, C, OH, OW)`; it is added to one slice of `dx` for each place in the kernel.
#
# </details>
#
# <details><summary>Hint 3: a pitfall</summary>
#
# Do not divide `dout` in place: it is not yours. And `dx` has the shape of `x`, with zeros where no window was.
#
# </details>

# %%
grader.check("avg_pool2d_backward")

# %% [markdown]
# ### What is the difference?
#
# Both make an image smaller. Max pooling answers *was it anywhere in here?*, average pooling *how much of it was in
# here?* **Predict first:** the edges of the house are bright lines, one or two pixels wide. Which of the two keeps them
# bright in windows of 6×6, and which one makes them fade?

# %%
with when_ready():
    edges = np.abs(layers.conv2d_forward(scene, sobel[np.newaxis, np.newaxis], np.zeros(1), stride=1, padding=1)[0])
    largest, _ = layers.max_pool2d_forward(edges, (6, 6), 6)
    mean, _ = layers.avg_pool2d_forward(edges, (6, 6), 6)
    show({"edges": edges[0, 0], "max 6×6": largest[0, 0], "average 6×6": mean[0, 0]}, limits=(0, 1))

# %% [markdown]
# ## 8. Your layers read digits
#
# Now the reward: **LeNet-5**, the network that read the amounts on cheques in the 1990s, made of your layers. In
# `digits.npz` are 5,000 handwritten digits of 28×28 pixels (from MNIST). It learns from 4,000 of them. The other 1,000
# are held out, to see what it makes of digits that it has never seen.

# %%
import lenet

x, y = lenet.load()
learn_x, learn_y, test_x, test_y = x[:4000], y[:4000], x[4000:], y[4000:]
show({f"{k}: a {y[k]}": x[k, 0] for k in range(10)})

# %% [markdown]
# | layer | shape of one image | what for |
# |---|---|---|
# | `conv2d`, 6 filters 5×5, padding 2 | (6, 28, 28) | strokes and edges |
# | `avg_pool2d` 2×2, stride 2 | (6, 14, 14) | how much of it is here? A quarter of the pixels, a quarter of the work |
# | `conv2d`, 16 filters 5×5 | (16, 10, 10) | corners, loops, ends of lines |
# | `max_pool2d` 2×2, stride 2 | (16, 5, 5) | was there one around here? |
# | `conv2d`, 120 filters 5×5 | (120, 1, 1) | one window is the whole image: a linear layer |
# | `conv2d`, 84 filters 1×1 | (84, 1, 1) | another one |
# | `conv2d`, 10 filters 1×1 | (10, 1, 1) | one score for each digit |
#
# After each convolution but the last comes ReLU, `max(a, 0)`, the only part that is not yours. Its gradient passes
# where `a` was positive. The network is in `lenet.py`. Read its two functions side by side: backward is forward from
# bottom to top, and each cache goes to the function it was made for.

# %%
print(inspect.getsource(lenet.forward), inspect.getsource(lenet.backward), sep="\n")

# %% [markdown]
# ### Before you train
#
# A network with a mistake in it often learns a little, and only a little. Three questions take a second each and tell
# you more than an hour of watching a curve.
#
# **1. What does it cost to know nothing?** Ten digits, no opinion: every probability is about 1/10, and the loss is
# about $\log 10 = 2.30$. If yours is far off, a *forward* pass is wrong: some layer makes its output too large, or
# mixes images.
#
# **2. Does every gradient say what a step would do?** Move all weights of one layer a little in a random direction, and
# compare what the loss does with what backward has promised. Read the lines from the bottom: backward starts there. The
# lowest line that differs belongs to the layer to look at. If that is `dw5`, look at `conv2d_backward`; if `dw5` agrees
# and `dw2` does not, look at what lies between them. This measures with *your* forward pass, so it knows nothing of
# mistakes in there. That is why the cell looks at the checks of the forward passes first.
#
# **3. Can it learn ten digits by heart?** It has 60,000 numbers to do so. If the loss does not go to zero, some
# gradient is lost on the way.


# %%
def passes(function):
    """Whether your function passes its check."""
    return grader.check(function).passed_all


with when_ready():
    scores, _ = lenet.forward(layers, lenet.new_parameters(np.random.default_rng(0)), learn_x[:50])
    print(f"1. first loss: {lenet.loss_of(scores, learn_y[:50])[0]:.2f}; it should be near {np.log(10):.2f}")

    for function in ("conv2d_forward", "max_pool2d_forward", "avg_pool2d_forward"):
        if not passes(function):
            print(f"2. {function} does not pass its check. Repair that first: the numbers below measure with it.")
    print("2. along a random direction, the loss changes by\n       as measured   as backward says")
    for name, (says, measured) in lenet.nudge(layers, learn_x[:2], learn_y[:2]).items():
        verdict = "" if abs(says - measured) <= 1e-4 * (abs(says) + abs(measured)) else "   they differ"
        print(f"   {name} {measured:12.6f} {says:17.6f}{verdict}")

    losses = lenet.overfit(layers, learn_x[:10], learn_y[:10])
    print(f"3. ten digits by heart: the loss goes from {losses[0]:.2f} to {losses[-1]:.4f} in {len(losses)} steps")

# %% [markdown]
# ### Training
#
# Every step takes 32 digits: forward, the loss, backward, and a small step of all weights against their gradients. (The
# step is *Adam*, see `lenet.py`.) After the first steps the title of the picture tells how long **your** layers need
# for all of it: that is the honest estimate. With vectorised layers that is less than a minute. With loops over pixels
# it can be hours: stop the cell (■), and read about `im2col` above once more.

# %%
parameters = None
picture = None


def watch(losses, steps, seconds):
    """Draw the curve anew, in the same place."""
    global picture
    figure = lenet.draw_loss(losses, steps)
    figure.axes[0].set_title(f"step {len(losses)} of {steps}, about {seconds:.0f} seconds to go")
    if picture is None:
        picture = display(figure, display_id=True)
    else:
        picture.update(figure)
    plt.close(figure)


with when_ready():
    start = time.perf_counter()
    parameters, losses = lenet.train(layers, learn_x, learn_y, watch=watch)
    print(f"trained in {time.perf_counter() - start:.0f} seconds")
    scores = lenet.classify(layers, parameters, test_x)
    print(f"right on {np.mean(scores.argmax(axis=1) == test_y):.1%} of {len(test_y)} digits that it has never seen")

# %% [markdown]
# The dotted line is what guessing costs, $\log 10$. The curve starts there and leaves it within a few steps.
#
# ### Where is it wrong?
#
# **Predict first:** which two digits does it mix up most? Each row below is a digit, each column what it was taken for.
# Then come the mistakes that it was surest about. Would
# you have known?


# %%
def when_trained(draw):
    """Draw, if there is a trained network."""
    if parameters is None:
        print("Not yet: the network above is still to be trained.")
    else:
        draw()
        plt.show()


when_trained(lambda: lenet.draw_confusion(test_y, scores.argmax(axis=1)))
when_trained(lambda: lenet.draw_mistakes(test_x, test_y, scores))

# %% [markdown]
# ### What has it learned?
#
# The six filters of the first layer began as noise. Light is positive, dark is negative. Below them: what the first two
# convolutions make of one digit. Which map answers to strokes of which direction?

# %%
when_trained(lambda: lenet.draw_filters(parameters))
when_trained(lambda: lenet.draw_maps(layers, parameters, test_x[2]))

# %% [markdown]
# ### Where does it look?
#
# `dx`, the gradient of the highest score with respect to the image, says which pixels would change its mind. Your
# functions carry it all the way down, through three convolutions and both pools.

# %%
when_trained(lambda: lenet.draw_saliency(layers, parameters, test_x[:8]))

# %% [markdown]
# If you like to go on: make both pools max pools. Give the first convolution stride 2 and take away the first pool:
# what does that cost, and what does it save? Turn all test digits upside down and look at the confusions. Which
# digits does it still read, and why?
#
# ## 9. Hand in
#
# All checks once more, with what is saved in `layers.py` now:

# %%
print(f"Public score: {public_score()}.")

# %% [markdown]
# **Save this notebook (Ctrl + S)**, then run the last cell. It writes a zip file beside this notebook, with `layers.py`
# and the modules you added. Upload that file. The grader reads the Python files only: what you write in this notebook
# is for you.

# %%
found = sorted(path.relative_to(HERE) for path in HERE.rglob("*.py") if "site-packages" not in path.parts)
given = ("test_public.py", "test_extras.py", "lenet.py", "conftest.py")
own_files = [str(path) for path in found if path.name not in given and path.parts[0][0] != "."]
print("Packed:", "; ".join(saved(HERE / file) for file in own_files))
print(f"Public score of what is packed: {public_score(show=str)}.")
grader.export(pdf=False, ignore_log=True, files=own_files)
