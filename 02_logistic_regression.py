"""Logistic regression: one neuron learns the probability that a sample is of class 1.

Run: python 02_logistic_regression.py, with common.py in the same folder (copy both).

New since 01: a sample has two inputs, x1 and x2, and y is its class, 0 or 1. x is now a
matrix, one sample per row. The model is one neuron: it adds up its inputs, each times a
weight, and a bias b, and puts the sum through a function:

    z = x @ w + b       score (logit), per row: x1 w1 + x2 w2 + b (@: matrix product)
    p = sigmoid(z)      1 / (1 + e^-z), the predicted probability that y is 1
    loss = mean(-(y log p + (1 - y) log(1 - p)))    log to base e

The sigmoid squeezes every score into 0 to 1. Points of equal p have equal z, and lie on
a straight line in the plane of x1 and x2. Where z > 0, p > 1/2: the guess is class 1.

The loss of a sample is -log of the probability given to its class, p or 1 - p: 0 at
probability 1, without bound towards 0. Nothing costs like being sure and wrong.
Why the log: training should make all labels together probable. For independent samples
the probability is a product, its -log a sum; the mean is binary cross-entropy, or bce.

Backwards, by the chain rule; dz stands for d(loss)/dz, and so on. p = e^z / (1 + e^z),
so -log p is log(1 + e^z) - z; 1 - p = 1 / (1 + e^z), so -log(1 - p) is log(1 + e^z). A
sample costs log(1 + e^z) - y z, with derivative e^z / (1 + e^z) - y, which is p - y:

    dz = 1/n (p - y)    one per sample of n, 1/n from the mean
    dw = x.T @ dz       dw1 = sum(x1 * dz): a step in w1 moves z by x1 times that step
    db = sum(dz)        b moves each z by 1; the effects through all samples add up

A sample of class 0 with p = 0.9 has dz = +0.9/n: its loss rises with its score, so it
pulls the score down. With p = 0.1, nearly right, it has +0.1/n, and hardly pulls.

Gradient descent as in 01: an epoch is one pass over the data and one step, each
parameter minus learning_rate times its derivative. p - y rises with z, and z is linear
in w and b: the loss bends up, one valley. If a line parts the classes, w never settles.
"""

# %% Dependencies, for `uv run 02_logistic_regression.py` (PEP 723)
# /// script
# requires-python = ">=3.9"
# dependencies = ["numpy>=1.22", "matplotlib>=3.5"]
# ///

# %% Imports
import matplotlib.pyplot as plt
import numpy as np
from common import bce_with_logits, sigmoid

# %% Settings
SEED = 0  # another seed draws other data and another start
N_SAMPLES = 300
NOISE = 1.0  # standard deviation of x1 and x2 about the centre of the class
CENTRES = np.array([[-1.0, 0.0], [1.0, 1.0]])  # x1 and x2 of class 0, of class 1
LEARNING_RATE = 0.5  # a tenth of it would take about ten times the epochs
EPOCHS = 1000


# %% Data: two overlapping clouds (n: number of samples)
def make_data(rng, n):
    """Return x (n, 2) and the labels y (n,), each 0.0 or 1.0, equally likely."""
    y = rng.integers(2, size=n)
    x = CENTRES[y] + NOISE * rng.normal(size=(n, 2))  # CENTRES[y]: row y, per sample
    return x, y.astype(float)


# %% Model
def init_params(rng):
    return rng.normal(size=2), rng.normal()  # w (2,), b; any start will do


def forward(params, x):
    """Return z and p, both (n,), for x (n, 2); for the plot, x may be (k, m, 2)."""
    w, b = params
    z = x @ w + b  # (n,)
    p = sigmoid(z)  # (n,)
    return z, p


# %% Loss and backpropagation
def loss_and_grads(params, x, y):
    """Return the loss and the gradient, in the order of params."""
    z, p = forward(params, x)  # (n,), (n,)
    loss = bce_with_logits(z, y)  # the mean of log(1 + e^z) - y z: never log 0

    dz = 1 / y.size * (p - y)  # (n,), 1/n enters here: below, plain sums
    dw = x.T @ dz  # (2,)
    db = dz.sum()
    return loss, (dw, db)


# %% Training
def train(params, x, y, epochs, learning_rate):
    """Return the trained params, and each epoch's loss, before its step.
    FloatingPointError: the loss is not finite. ValueError: wrong shapes or labels."""
    losses = []
    for epoch in range(1, epochs + 1):
        loss, grads = loss_and_grads(params, x, y)
        report = f"epoch {epoch:4d} | loss {loss:.4g}"
        if not np.isfinite(loss):
            raise FloatingPointError(f"{report}: lower learning_rate, or check x and y")
        if epoch in (1, 3, 10, 30, 100, 300, epochs):
            print(report)
        losses.append(loss)
        params = [p - learning_rate * dp for p, dp in zip(params, grads)]
    return params, losses


# %% Plot
def plot(x, y, params):
    """Return the figure."""
    blue, sky, orange = "#0072B2", "#56B4E9", "#E69F00"
    plt.style.use(["default", {"axes.spines.top": False, "axes.spines.right": False}])
    fig, (ax1, ax2, ax3) = plt.subplots(1, 3, figsize=(10, 4), layout="constrained")
    ax1.set(title="Lines of p = 0.1, 0.5 (thick), 0.9", xlabel="x1", ylabel="x2")
    ax2.set(title="p, and share of class 1 (squares)", xlabel="score z", ylabel="p, y")
    ax3.set(title="What a sample costs", xlabel="score z", ylabel="loss of the sample")
    z, p = forward(params, x)  # (n,), (n,)
    order = np.argsort(z)  # from here on, samples by score: lines can join them
    x, y, z, p = x[order], y[order], z[order], p[order]
    cost = np.logaddexp(0, z) - y * z  # log(e^0 + e^z) - y z, without overflow
    jitter = np.random.default_rng(0).uniform(-0.04, 0.04, size=y.size)  # shows all
    for label, color, marker, ha in ((0, sky, "o", "right"), (1, orange, "^", "left")):
        own = y == label
        style = {"color": color, "marker": marker, "markersize": 4}
        ax1.plot(x[own, 0], x[own, 1], linestyle="", label=f"class {label}", **style)
        ax2.plot(z[own], y[own] + jitter[own], linestyle="", **style)
        ax3.plot(z[own], cost[own], **style)  # joined by lines
        i = np.argmax(cost * own)  # the costliest sample of this class
        name = f"    class {label},    \n    p = {p[i]:.2g}    "
        ax3.text(z[i], cost[i], name, ha=ha, va="top")
    ax2.plot(z, p, color=blue, linewidth=2)
    for z_tenth, y_tenth in zip(np.array_split(z, 10), np.array_split(y, 10)):
        ax2.plot(z_tenth.mean(), y_tenth.mean(), "ks", markerfacecolor="white")

    wrong = x[(p > 0.5) != y].T  # (2, mistakes)
    ax1.plot(*wrong, "ko", markeredgewidth=0.7, fillstyle="none", label="mistake")
    middle, (u, v) = CENTRES.mean(axis=0), CENTRES[1] - CENTRES[0]  # (-v, u): at 90 deg
    ax1.axline(middle, middle + [-v, u], color="black", linestyle="--", label="truth")
    x1, x2 = np.linspace(*ax1.get_xlim(), 100), np.linspace(*ax1.get_ylim(), 100)
    _, p_grid = forward(params, np.stack(np.meshgrid(x1, x2), axis=-1))  # (100, 100)
    shades = [sky + "55", sky + "22", orange + "22", orange + "55"]  # opacity in hex
    ax1.contourf(x1, x2, p_grid, [0, 0.1, 0.5, 0.9, 1], colors=shades, zorder=0)
    ax1.contour(x1, x2, p_grid, [0.1, 0.5, 0.9], colors=blue, linewidths=[1, 2, 1])
    ax1.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15), ncol=2)
    return fig


# %% Run
if __name__ == "__main__":
    rng = np.random.default_rng(SEED)
    x, y = make_data(rng, N_SAMPLES)
    start = init_params(rng)
    params, losses = train(start, x, y, EPOCHS, LEARNING_RATE)
    _, (dw, db) = loss_and_grads(params, x, y)
    print(f"largest derivative | {np.abs([dw[0], dw[1], db]).max():.10f}")
    # Near x, as noise is normal, class k is as common as e^(-dk^2 / (2 NOISE^2)), dk is
    # the distance to its centre; e^z = p / (1 - p), so z = (d0^2 - d1^2) / (2 NOISE^2)
    true_w = (CENTRES[1] - CENTRES[0]) / NOISE**2  # few samples find it only roughly
    true_b = -true_w @ CENTRES.mean(axis=0)  # z is 0 halfway between the centres
    for name, (w, b) in {"learned": params, "truth": (true_w, true_b)}.items():
        _, p = forward((w, b), x)  # truth may err less: training lowers only the loss
        accuracy = f"training accuracy {np.mean((p > 0.5) == y):.3f}"  # share right
        print(f"{name:7} | w {w[0]:.4f} {w[1]:.4f} | b {b:.4f} | {accuracy}")
    plot(x, y, params).savefig("02_logistic_regression.png", dpi=160)
    print("saved 02_logistic_regression.png")
    plt.show()
