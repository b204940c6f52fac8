# %% Dependencies (PEP 723: `uv run 01_linear_regression.py` needs no set-up)
# /// script
# requires-python = ">=3.9"
# dependencies = ["numpy>=1.22", "matplotlib>=3.5"]
# ///

# %% What this is
"""A straight line learns from data: a loss, its gradient, and gradient descent.

The model is y_pred = w x + b. The loss says in one number how wrong it is on n samples:

    loss = mean((y_pred - y)^2)

The gradient says how fast the loss rises with w and with b. The chain rule gives it; dw
stands for d(loss)/dw, and so on:

    dy_pred = 2/n (y_pred - y)    one number for each sample
    dw = sum(dy_pred * x)         since d(y_pred)/dw = x
    db = sum(dy_pred)             since d(y_pred)/db = 1

Gradient descent starts anywhere and goes downhill, from w to w - learning_rate * dw and
from b to b - learning_rate * db, again and again.

Run: python 01_linear_regression.py. To reuse it, copy this file and common.py.
"""

# %% Imports
import math
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np

from common import mse

# %% Settings
SEED = 0
N_SAMPLES = 50
NOISE = 1.0  # standard deviation of the noise in y
TRUE_W, TRUE_B = 1.0, 5.0  # the line behind the data
LEARNING_RATE = 0.05
EPOCHS = 1000  # an epoch is one pass over the data, here one step


# %% Data: points around a line (shapes: n samples)
def make_data(rng, n=N_SAMPLES):
    """Return x (n,) and y (n,)."""
    x = rng.uniform(0, 4, size=n)
    y = TRUE_W * x + TRUE_B + NOISE * rng.normal(size=n)
    return x, y


# %% Model
class Params(NamedTuple):
    w: float
    b: float


def init_params(rng):
    return Params(w=rng.normal(), b=rng.normal())


def forward(params, x):
    y_pred = params.w * x + params.b  # (n,)
    return y_pred


# %% Loss and backprop
def loss_and_grads(params, x, y):
    """Return the loss and a Params that holds d(loss)/d(field) in each field."""
    y_pred = forward(params, x)  # (n,)
    loss = mse(y_pred, y)

    dy_pred = 2 / y.size * (y_pred - y)  # (n,), the one place where 1/n comes in
    dw = float(np.sum(dy_pred * x))
    db = float(np.sum(dy_pred))
    return loss, Params(w=dw, b=db)


# %% Training
@np.errstate(all="ignore")  # a loss that overflows is reported below, in plain words
def train(params, x, y, epochs=EPOCHS, learning_rate=LEARNING_RATE):
    """Return the trained params, each epoch's loss, and the params that had that loss.

    ValueError: x and y are not both (n,). FloatingPointError: the loss is not finite.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if x.ndim != 1 or y.shape != x.shape or x.size == 0:
        raise ValueError(f"x and y must be (n,), n > 0, not {x.shape} and {y.shape}")
    losses, path = [], []
    for epoch in range(1, epochs + 1):
        loss, grads = loss_and_grads(params, x, y)
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"the loss is {loss} in epoch {epoch}, learning rate {learning_rate}: "
                "try a smaller one, and look for NaN or infinity in x and y"
            )
        losses.append(loss)
        path.append(params)
        params = Params(
            w=params.w - learning_rate * grads.w,
            b=params.b - learning_rate * grads.b,
        )
    return params, losses, path


# %% Plot
def plot(x, y, losses, path, exact):
    blue, orange, grey = "#0072B2", "#D55E00", "0.6"
    fig, (ax1, ax2, ax3) = plt.subplots(1, 3, figsize=(12, 4), layout="constrained")

    ax1.set(title="The line turns towards the data", xlabel="x", ylabel="y")
    ax1.scatter(x, y, s=14, color=grey)
    ends = np.array([0, 4])
    for power in range(4):  # epochs 1, 10, 100, 1000
        epoch = min(10**power, len(path))
        line, label = forward(path[epoch - 1], ends), f"epoch {epoch}"
        ax1.plot(ends, line, color=blue, alpha=(power + 1) / 4, label=label)
    ax1.plot(ends, TRUE_W * ends + TRUE_B, "--", color=orange, label="true line")
    ax1.set_ylim(top=13)  # room for the legend
    ax1.legend(loc="upper left", ncol=2)

    ax2.set(title="Down into the valley, then along it", xlabel="w", ylabel="b")
    w_path, b_path = np.array(path).T
    w = exact.w + 1.3 * np.max(np.abs(w_path - exact.w)) * np.linspace(-1, 1, 50)
    b = exact.b + 1.3 * np.max(np.abs(b_path - exact.b)) * np.linspace(-1, 1, 50)
    heights = np.array([[mse(forward(Params(wi, bi), x), y) for wi in w] for bi in b])
    levels = np.geomspace(1.1 * np.min(heights), np.max(heights), 9)
    contours = ax2.contour(w, b, heights, levels, colors=grey, linewidths=1)
    ax2.clabel(contours, fmt="%.1f", fontsize=8)
    ax2.plot(w_path, b_path, ".-", color=blue, label="gradient descent")
    ax2.plot(exact.w, exact.b, "*", color=orange, markersize=14, label="least squares")

    ax3.set(title="The loss falls to its minimum", xlabel="epoch", ylabel="loss")
    ax3.loglog(range(1, len(losses) + 1), losses, color=blue, label="gradient descent")
    floor = mse(forward(exact, x), y)
    ax3.axhline(floor, linestyle="--", color=orange, label="least squares")
    ax2.legend()
    ax3.legend()
    return fig


# %% Run
if __name__ == "__main__":
    rng = np.random.default_rng(SEED)
    x, y = make_data(rng)
    params, losses, path = train(init_params(rng), x, y)
    exact = Params(*np.polyfit(x, y, deg=1))  # the least-squares line, in one step

    for epoch in np.unique(np.geomspace(1, EPOCHS, 10).round().astype(int)):
        print(f"epoch {epoch:4d} | loss {losses[epoch - 1]:.6f}")
    print(f"gradient descent | w {params.w:.6f} | b {params.b:.6f}")
    print(f"least squares    | w {exact.w:.6f} | b {exact.b:.6f}")
    print(f"true line        | w {TRUE_W:.6f} | b {TRUE_B:.6f}")

    figure = "01_linear_regression.png"
    plot(x, y, losses, path, exact).savefig(figure, dpi=135)
    print(f"figure saved as {figure}")
    if plt.get_backend().lower() != "agg":  # agg only draws files, it has no window
        plt.show()
