# %% Dependencies (PEP 723: `uv run 02_logistic_regression.py` needs no set-up)
# /// script
# requires-python = ">=3.9"
# dependencies = ["numpy>=1.22", "matplotlib>=3.5"]
# ///

# %% What this is
"""One neuron learns to tell two classes apart: a dot product, a sigmoid, cross-entropy.

For a point x, here two numbers, the model gives the probability p that its label y
is 1 and not 0:

    z = x . w + b      a score, from minus to plus infinity, called the logit
    p = sigmoid(z)     1 / (1 + exp(-z)), which lies between 0 and 1

New since 01: x and w are vectors, the sigmoid bends the line, and the loss is the
cross-entropy, -log of the probability that the model gave to the true label:

    loss = mean(-(y log p + (1 - y) log(1 - p)))

Backwards, dz stands for d(loss)/dz, and so on. As sigmoid'(z) = p (1 - p), the chain
rule says dz = 1/n (-y/p + (1 - y)/(1 - p)) p (1 - p), where nearly everything cancels:

    dz = 1/n (p - y)   one number for each of the n samples
    dw = x^T @ dz      the samples are the rows of x: each times its dz, summed
    db = sum(dz)

Run: python 02_logistic_regression.py. To reuse it, copy this file and common.py.
"""

# %% Imports
import math
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np

from common import bce_with_logits, sigmoid

# %% Settings
SEED = 0
N_SAMPLES = 300
CENTRES = np.array([[-1.0, 0.0], [1.0, 1.0]])  # of class 0 and of class 1
NOISE = 1.0  # standard deviation of a class about its centre
LEARNING_RATE = 0.5
EPOCHS = 1000


# %% Data: two overlapping clouds of points (shapes: n samples)
def make_data(rng, n=N_SAMPLES):
    """Return x (n, 2) and the labels y (n,), each 0.0 or 1.0."""
    y = rng.integers(2, size=n)
    x = CENTRES[y] + NOISE * rng.normal(size=(n, 2))
    return x, y.astype(float)


# %% Model
class Params(NamedTuple):
    w: np.ndarray  # (2,)
    b: float


def init_params(rng):
    return Params(w=rng.normal(size=2), b=rng.normal())


def forward(params, x):
    z = x @ params.w + params.b  # (n,)
    p = sigmoid(z)  # (n,)
    return z, p


# %% Loss and backprop
def loss_and_grads(params, x, y):
    """Return the loss and a Params that holds d(loss)/d(field) in each field."""
    z, p = forward(params, x)  # (n,), (n,)
    loss = bce_with_logits(z, y)  # cross-entropy from z, as p may round to 0 or 1

    dz = 1 / y.size * (p - y)  # (n,), the one place where 1/n comes in
    dw = x.T @ dz  # (2,)
    db = float(np.sum(dz))
    return loss, Params(w=dw, b=db)


# %% Training
@np.errstate(all="ignore")  # a loss that overflows is reported below, in plain words
def train(params, x, y, epochs=EPOCHS, learning_rate=LEARNING_RATE):
    """Return the trained params and each epoch's loss, taken before its step.

    ValueError: x is not (n, 2), or y is not (n,) or not from 0 to 1.
    FloatingPointError: the loss is not finite.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if x.shape[1:] != (2,) or y.shape != x.shape[:1] or y.size == 0:
        raise ValueError(
            f"x must be (n, 2) and y (n,), n > 0, not {x.shape} and {y.shape}"
        )
    losses = []
    for epoch in range(1, epochs + 1):
        loss, grads = loss_and_grads(params, x, y)
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"the loss is {loss} in epoch {epoch}, learning rate {learning_rate}: "
                "try a smaller one, and look for NaN or infinity in x and y"
            )
        losses.append(loss)
        params = Params(
            w=params.w - learning_rate * grads.w,
            b=params.b - learning_rate * grads.b,
        )
    return params, losses


def newton(x, y, steps=10):
    """Return the exact optimum, by Newton's method, as a Params to compare with."""
    x_ones = np.column_stack([x, np.ones(len(x))])  # (n, 3), the ones are for b
    wb = np.zeros(3)
    for _ in range(steps):
        p = sigmoid(x_ones @ wb)  # (n,)
        gradient = x_ones.T @ (p - y)  # (3,), of n times the loss
        curvature = (x_ones.T * (p * (1 - p))) @ x_ones  # (3, 3), d(gradient)/d(wb)
        wb = wb - np.linalg.pinv(curvature) @ gradient
    return Params(w=wb[:2], b=float(wb[2]))


# %% Plot
def plot(x, y, params, losses, exact, true):
    blue, orange = "#0072B2", "#D55E00"
    fig, (ax1, ax2, ax3) = plt.subplots(1, 3, figsize=(12, 4), layout="constrained")

    ax1.set(title="Solid: p = 1/2. Dashed: the true boundary", xlabel="x1", ylabel="x2")
    side = np.linspace(-4, 4, 100)
    grid = np.stack(np.meshgrid(side, side), axis=-1)  # (100, 100, 2)
    _, p = forward(params, grid)  # (100, 100)
    _, true_p = forward(true, grid)
    shades = ax1.contourf(side, side, p, np.arange(11) / 10, cmap="RdBu_r", alpha=0.4)
    fig.colorbar(shades, ax=ax1, label="p")
    ax1.contour(side, side, p, [0.5], colors="black", linestyles="-")
    ax1.contour(side, side, true_p, [0.5], colors="black", linestyles="--")

    ax2.set(title="The sigmoid turns the score into p", xlabel="score z", ylabel="p")
    z, p = forward(params, x)
    for label, color, marker in ((0, blue, "o"), (1, orange, "^")):
        style = {"s": 28, "color": color, "marker": marker, "edgecolor": "white"}
        ax1.scatter(*x[y == label].T, linewidth=0.4, **style)
        ax2.scatter(z[y == label], p[y == label], label=f"y = {label}", **style)
    ax2.axhline(0.5, color="black", linewidth=1, label="p = 1/2")
    ax2.legend()

    ax3.set(title="The loss falls to its minimum", xlabel="epoch", ylabel="loss")
    epochs = range(1, len(losses) + 1)
    ax3.semilogx(epochs, losses, color=blue, label="gradient descent")
    floor, _ = loss_and_grads(exact, x, y)
    ax3.axhline(floor, linestyle="--", color=orange, label="exact optimum")
    ax3.legend()
    return fig


# %% Run
if __name__ == "__main__":
    rng = np.random.default_rng(SEED)
    x, y = make_data(rng)
    params, losses = train(init_params(rng), x, y)
    exact = newton(x, y)
    # the true z is the log of the ratio of the two classes' densities
    true_w = (CENTRES[1] - CENTRES[0]) / NOISE**2
    true = Params(w=true_w, b=-float(true_w @ CENTRES.mean(axis=0)))

    for epoch in np.unique(np.geomspace(1, EPOCHS, 10).round().astype(int)):
        print(f"epoch {epoch:4d} | loss {losses[epoch - 1]:.6f}")
    fits = {"gradient descent": params, "exact optimum": exact, "true boundary": true}
    for name, fit in fits.items():
        (w1, w2), b = fit
        _, p = forward(fit, x)
        accuracy = np.mean((p > 0.5) == y)
        boundary = f"{w1:.6f} x1 {w2:+.6f} x2 {b:+.6f} = 0"
        print(f"{name:16} | {boundary} | accuracy {accuracy:.3f}")

    figure = "02_logistic_regression.png"
    plot(x, y, params, losses, exact, true).savefig(figure, dpi=135)
    print(f"figure saved as {figure}")
    if plt.get_backend().lower() != "agg":  # agg only draws files, it has no window
        plt.show()
