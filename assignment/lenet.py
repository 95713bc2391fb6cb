"""LeNet-5 on handwritten digits, made of your layers: it learns, and draws what it has learned.

``python lenet.py`` in this folder trains the network with your ``layers.py`` and writes pictures to ``digits/``. It
needs NumPy, and for the pictures matplotlib. The notebook uses the same functions. There is nothing to write in this
file, but read `forward` and `backward`: they are all that a convolutional network is.

The network (LeCun and others, 1998), for one image of 28x28 pixels:

=======================================  ============  ===============================================
layer                                    what it makes what for
=======================================  ============  ===============================================
``conv2d`` 6 filters 5x5, padding 2      (6, 28, 28)   strokes and edges
``avg_pool2d`` 2x2, stride 2             (6, 14, 14)   how much of it is here? a quarter of the pixels
``conv2d`` 16 filters 5x5                (16, 10, 10)  corners, loops, ends of lines
``max_pool2d`` 2x2, stride 2             (16, 5, 5)    was there one around here?
``conv2d`` 120 filters 5x5               (120, 1, 1)   one window is the whole image: a linear layer
``conv2d`` 84 filters 1x1                (84, 1, 1)    another one
``conv2d`` 10 filters 1x1                (10, 1, 1)    one score for each digit
=======================================  ============  ===============================================

After each convolution but the last comes ReLU, ``max(a, 0)``. Its gradient passes where ``a`` was positive.
"""

import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # on small matrices, threads spend their time waiting for each other

import numpy as np

HERE = Path(__file__).resolve().parent
SHAPES = [(6, 1, 5, 5), (16, 6, 5, 5), (120, 16, 5, 5), (84, 120, 1, 1), (10, 84, 1, 1)]  # of w: F, C, KH, KW
TRAINED_WITH = 4000  # of the 5,000 digits; the others are held out, to see what it makes of digits it has never seen


def load():
    """Return images (5000, 1, 28, 28) from 0 to 1 in float32, and the digit on each: 0 1 2 … 9 0 1 and so on."""
    with np.load(HERE / "digits.npz") as file:
        return file["images"][:, np.newaxis].astype("float32") / 255, file["labels"].astype(int)


# --- The network -----------------------------------------------------------------------------------------------------


def new_parameters(rng):
    """Return w, b of each convolution: w at random, so large that signals neither fade nor explode; b zero."""
    parameters = []
    for F, C, KH, KW in SHAPES:
        w = rng.normal(0, np.sqrt(2 / (C * KH * KW)), size=(F, C, KH, KW))
        parameters += [w.astype("float32"), np.zeros(F, dtype="float32")]
    parameters[-2] /= 4  # all scores are small at first: the network has no opinion yet
    return parameters


def forward(layers, parameters, x):
    """Return the ten scores of each image, (N, 10), and what backward needs."""
    w1, b1, w2, b2, w3, b3, w4, b4, w5, b5 = parameters
    a1, conv1 = layers.conv2d_forward(x, w1, b1, stride=1, padding=2)
    p1, pool1 = layers.avg_pool2d_forward(np.maximum(a1, 0), (2, 2), 2)
    a2, conv2 = layers.conv2d_forward(p1, w2, b2)
    p2, pool2 = layers.max_pool2d_forward(np.maximum(a2, 0), (2, 2), 2)
    a3, conv3 = layers.conv2d_forward(p2, w3, b3)
    a4, conv4 = layers.conv2d_forward(np.maximum(a3, 0), w4, b4)
    a5, conv5 = layers.conv2d_forward(np.maximum(a4, 0), w5, b5)
    return a5[:, :, 0, 0], ((a1, a2, a3, a4), (conv1, pool1, conv2, pool2, conv3, conv4, conv5))


def backward(layers, dscores, caches):
    """Return the gradient of every parameter, and of the images: forward, read from bottom to top."""
    (a1, a2, a3, a4), (conv1, pool1, conv2, pool2, conv3, conv4, conv5) = caches
    d, dw5, db5 = layers.conv2d_backward(dscores[:, :, np.newaxis, np.newaxis], conv5)
    d, dw4, db4 = layers.conv2d_backward(d * (a4 > 0), conv4)
    d, dw3, db3 = layers.conv2d_backward(d * (a3 > 0), conv3)
    d = layers.max_pool2d_backward(d, pool2)
    d, dw2, db2 = layers.conv2d_backward(d * (a2 > 0), conv2)
    d = layers.avg_pool2d_backward(d, pool1)
    dx, dw1, db1 = layers.conv2d_backward(d * (a1 > 0), conv1)
    return [dw1, db1, dw2, db2, dw3, db3, dw4, db4, dw5, db5], dx


def loss_of(scores, y):
    """Return the mean of -log p, where p is the probability that the network gives the right digit, and dscores."""
    scores = scores - scores.max(axis=1, keepdims=True)
    p = np.exp(scores)
    p /= p.sum(axis=1, keepdims=True)
    rows = np.arange(len(y))
    loss = -np.log(p[rows, y] + 1e-30).mean()
    p[rows, y] -= 1
    return loss, p / len(y)


def classify(layers, parameters, x, batch=100):
    """Return the scores of many images, a few at a time."""
    return np.concatenate([forward(layers, parameters, x[k : k + batch])[0] for k in range(0, len(x), batch)])


# --- Training --------------------------------------------------------------------------------------------------------


def train(layers, x, y, epochs=4, batch=32, rate=0.002, seed=0, watch=None):
    """Return the trained parameters and the loss of every step.

    The step is Adam: it keeps a running mean of each gradient and divides it by the running size of that gradient, so
    that all parameters move at a similar pace. `watch(losses, steps, seconds_to_go)` is called now and then.
    """
    rng = np.random.default_rng(seed)
    parameters = new_parameters(rng)
    means = [np.zeros_like(p) for p in parameters]
    squares = [np.zeros_like(p) for p in parameters]
    losses, steps = [], epochs * (len(x) // batch)
    start = last = time.perf_counter()
    while len(losses) < steps:
        order = rng.permutation(len(x))
        for k in range(len(x) // batch):
            chosen = order[k * batch : (k + 1) * batch]
            scores, caches = forward(layers, parameters, x[chosen])
            loss, dscores = loss_of(scores, y[chosen])
            gradients, _ = backward(layers, dscores.astype(x.dtype), caches)
            losses.append(loss)
            pace = rate * (1 - len(losses) / (steps + 1))  # large steps first, small ones in the end
            for parameter, gradient, mean, square in zip(parameters, gradients, means, squares, strict=True):
                mean += 0.1 * (gradient - mean)
                square += 0.001 * (gradient**2 - square)
                corrected = square / (1 - 0.999 ** len(losses))
                parameter -= pace * (mean / (1 - 0.9 ** len(losses))) / (np.sqrt(corrected) + 1e-8)
            now = time.perf_counter()
            if watch is not None and (now - last > 1 or len(losses) in (3, steps)):
                last = now
                watch(losses, steps, (now - start) / len(losses) * (steps - len(losses)))
    return parameters, losses


# --- When it does not learn ------------------------------------------------------------------------------------------


def nudge(layers, x, y, seed=1, step=1e-6):
    """Compare the gradient of every parameter with what a small step of it does to the loss, in float64.

    Return the name of each parameter with two slopes of the loss along one random direction: the one that backward
    says, and the one measured on forward alone. They should agree to four digits.
    """
    rng = np.random.default_rng(seed)
    # Biases of zero would put all black pixels on the kink of ReLU, where there is no slope.
    parameters = [
        p.astype("float64") + (0.1 * rng.normal(size=p.shape) if p.ndim == 1 else 0) for p in new_parameters(rng)
    ]
    x = x.astype("float64")
    scores, caches = forward(layers, parameters, x)
    gradients, _ = backward(layers, loss_of(scores, y)[1], caches)
    slopes = {}
    for k, name in enumerate(f"d{kind}{layer}" for layer in range(1, 6) for kind in "wb"):
        direction = rng.normal(size=parameters[k].shape)
        losses = []
        for sign in (1, -1):
            moved = [p + sign * step * direction if k == j else p for j, p in enumerate(parameters)]
            losses.append(loss_of(forward(layers, moved, x)[0], y)[0])
        slopes[name] = float((gradients[k] * direction).sum()), (losses[0] - losses[1]) / (2 * step)
    return slopes


def overfit(layers, x, y, steps=60):
    """Train on a few images again and again; return the losses. They should go to zero: it learns them by heart."""
    return train(layers, x, y, epochs=steps, batch=len(x))[1]


# --- Pictures --------------------------------------------------------------------------------------------------------


def _plot():
    import matplotlib.pyplot as plt

    return plt


def _row(images, titles, columns=10, **how):
    """Draw images side by side, each with a title."""
    rows = -(-len(images) // columns)
    width = min(columns, len(images))
    figure, axes = _plot().subplots(rows, width, figsize=(1.25 * width, 1.5 * rows), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, title in zip(axes.flat, images, titles, strict=False):
        axis.imshow(image, **{"cmap": "gray", **how})
        axis.set_title(title, fontsize=10)
    figure.tight_layout()
    return figure


def draw_loss(losses, steps=None):
    """Draw the loss of every step, its running mean, and what guessing costs."""
    figure, axis = _plot().subplots(figsize=(7, 3))
    axis.plot(losses, color="0.75", label="each batch")
    if len(losses) >= 20:
        axis.plot(np.arange(19, len(losses)), np.convolve(losses, np.ones(20) / 20, mode="valid"), label="mean of 20")
    axis.axhline(np.log(10), color="0.3", linestyle=":", label="guessing: log 10")
    axis.set(xlabel="step", ylabel="loss", xlim=(0, steps or len(losses)), ylim=(0, max(2.5, max(losses))))
    axis.legend()
    figure.tight_layout()
    return figure


def draw_confusion(y, guessed):
    """Draw how often each digit was taken for each; right ones are on the diagonal."""
    counts = np.zeros((10, 10), dtype=int)
    np.add.at(counts, (y, guessed), 1)
    figure, axis = _plot().subplots(figsize=(5, 5))
    axis.imshow(counts, cmap="Blues")
    for (row, column), count in np.ndenumerate(counts):
        if count:
            colour = "white" if count > counts.max() / 2 else "black"
            axis.text(column, row, count, ha="center", va="center", color=colour)
    axis.set(xlabel="taken for", ylabel="digit", xticks=range(10), yticks=range(10))
    figure.tight_layout()
    return figure


def draw_mistakes(x, y, scores, most=10):
    """Draw the digits that it got wrong and was surest about."""
    guessed = scores.argmax(axis=1)
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    sure = p.max(axis=1) / p.sum(axis=1)
    wrong = np.flatnonzero(guessed != y)
    worst = wrong[np.argsort(-sure[wrong])][:most]
    titles = [f"a {y[k]}, taken\nfor {guessed[k]} ({sure[k]:.0%})" for k in worst]
    return _row([x[k, 0] for k in worst], titles, columns=5) if len(worst) else None


def draw_filters(parameters):
    """Draw the filters of the first layer: light is positive, dark is negative."""
    w = parameters[0]
    edge = np.abs(w).max()
    return _row(w[:, 0], [f"filter {k}" for k in range(len(w))], vmin=-edge, vmax=edge)


def draw_maps(layers, parameters, x):
    """Draw what the first two convolutions make of one image, after ReLU."""
    (a1, a2, _, _), _ = forward(layers, parameters, x[np.newaxis])[1]
    maps = [x[0], *np.maximum(a1[0], 0), *np.maximum(a2[0], 0)]
    titles = ["x", *(f"1st, {k}" for k in range(6)), *(f"2nd, {k}" for k in range(16))]
    return _row(maps, titles, columns=8)


def draw_saliency(layers, parameters, x):
    """Draw images, and below each the size of the gradient of its highest score with respect to each pixel."""
    scores, caches = forward(layers, parameters, x)
    dscores = np.zeros_like(scores)
    dscores[np.arange(len(x)), scores.argmax(axis=1)] = 1
    _, dx = backward(layers, dscores, caches)
    images = [*x[:, 0], *np.abs(dx[:, 0])]
    return _row(images, [*(f"x, is {k}" for k in scores.argmax(axis=1)), *["|dx|"] * len(x)], columns=len(x))


# --- Without a notebook ----------------------------------------------------------------------------------------------


def main():
    """Train, say how good it is, and write the pictures."""
    sys.path.insert(0, str(HERE))
    import layers

    x, y = load()
    try:
        scores, _ = forward(layers, new_parameters(np.random.default_rng(0)), x[:10])
        print(f"loss before training: {loss_of(scores, y[:10])[0]:.2f}; guessing costs log 10 = {np.log(10):.2f}")
        parameters, losses = train(layers, x[:TRAINED_WITH], y[:TRAINED_WITH], watch=say)
    except NotImplementedError as missing:
        sys.exit(f"Not yet: {missing}. Write it in layers.py, then run this again.")
    test_x, test_y = x[TRAINED_WITH:], y[TRAINED_WITH:]
    scores = classify(layers, parameters, test_x)
    print(f"right on {np.mean(scores.argmax(axis=1) == test_y):.1%} of {len(test_y)} digits that it has never seen")
    try:
        import matplotlib
    except ImportError:
        sys.exit("For the pictures: python -m pip install matplotlib, then run this again.")
    matplotlib.use("Agg")  # files, no windows
    folder = HERE / "digits"
    folder.mkdir(exist_ok=True)
    for name, figure in {
        "loss": draw_loss(losses),
        "confusion": draw_confusion(test_y, scores.argmax(axis=1)),
        "mistakes": draw_mistakes(test_x, test_y, scores),
        "filters": draw_filters(parameters),
        "maps": draw_maps(layers, parameters, test_x[2]),
        "saliency": draw_saliency(layers, parameters, test_x[:8]),
    }.items():
        if figure is not None:
            figure.savefig(folder / f"{name}.png", dpi=150)
            print(f"wrote {folder.name}/{name}.png")


def say(losses, steps, seconds):
    """Print one line about the training."""
    loss = np.mean(losses[-20:])
    print(f"step {len(losses)} of {steps}: loss {loss:.3f}, about {seconds:.0f} seconds to go", flush=True)


if __name__ == "__main__":
    main()
