# %% Dependencies (PEP 723: `uv run 03_mlp_single_input.py` needs no set-up)
# /// script
# requires-python = ">=3.9"
# dependencies = ["numpy>=1.22", "matplotlib>=3.5"]
# ///

# %% What this is
"""A two-layer network learns a curve: a hidden layer, and the chain rule through it.

Rows are samples, and a layer is x @ W + b, with b added to every row. The model is two
layers, with an activation between them:

    z1 = x @ W1 + b1         H straight lines in x, one for each hidden unit
    a1 = activation(z1)      each of them bent, entry by entry
    y_pred = a1 @ W2 + b2    their weighted sum, shifted by b2
    loss = mean((y_pred - y)^2)

New since 02: the hidden layer. Without the bend, the sum of lines is one line again.
Backwards, the chain rule takes these formulas in reverse. dz1 stands for d(loss)/d(z1)
and has the shape of z1, and so on:

    dy_pred = 2/n (y_pred - y)
    dW2 = a1^T @ dy_pred,    db2 = the sum of dy_pred over the samples
    da1 = dy_pred @ W2^T           each sample's dy_pred times each unit's weight
    dz1 = da1 * activation'(z1)    entry by entry (relu' is 1 where z1 > 0, else 0)
    dW1 = x^T @ dz1,         db1 = the sum of dz1 over the samples

Run: python 03_mlp_single_input.py. To reuse it, copy this file and common.py.
"""

# %% Imports
import math
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np

from common import identity, identity_grad, mse, relu, relu_grad, tanh, tanh_grad

# %% Settings
SEED = 0
N_SAMPLES = 160
NOISE = 0.2  # standard deviation of the noise in y
HIDDEN = 8  # units in the hidden layer
LEARNING_RATE = 0.03
EPOCHS = 4000
ACTIVATIONS = {  # name: the function and its derivative
    "identity": (identity, identity_grad),
    "relu": (relu, relu_grad),
    "tanh": (tanh, tanh_grad),
}


# %% Data: a noisy sine (shapes: n samples, H hidden units, one input, one output)
def make_data(rng, n=N_SAMPLES):
    """Return x (n, 1) and y (n, 1)."""
    x = rng.uniform(-2, 2, size=(n, 1))
    y = np.sin(2 * x) + NOISE * rng.normal(size=(n, 1))
    return x, y


# %% Model
class Params(NamedTuple):
    W1: np.ndarray  # (1, H)
    b1: np.ndarray  # (H,)
    W2: np.ndarray  # (H, 1)
    b2: np.ndarray  # (1,)


def init_params(rng):
    """Start with lines of slope 1 or -1 that cross zero at a random x from -2 to 2."""
    return Params(
        W1=rng.choice([-1.0, 1.0], size=(1, HIDDEN)),
        b1=rng.uniform(-2, 2, size=HIDDEN),
        W2=rng.normal(size=(HIDDEN, 1)) / np.sqrt(HIDDEN),
        b2=np.zeros(1),
    )


def forward(params, x, activation="relu"):
    function, _ = ACTIVATIONS[activation]
    z1 = x @ params.W1 + params.b1  # (n, H)
    a1 = function(z1)  # (n, H)
    y_pred = a1 @ params.W2 + params.b2  # (n, 1)
    return z1, a1, y_pred


# %% Loss and backprop
def loss_and_grads(params, x, y, activation="relu"):
    """Return the loss and a Params that holds d(loss)/d(field) in each field."""
    _, derivative = ACTIVATIONS[activation]
    z1, a1, y_pred = forward(params, x, activation)  # (n, H), (n, H), (n, 1)
    loss = mse(y_pred, y)

    dy_pred = 2 / y.size * (y_pred - y)  # (n, 1), the one place where 1/n comes in
    dW2 = a1.T @ dy_pred  # (H, 1)
    db2 = dy_pred.sum(axis=0)  # (1,)
    da1 = dy_pred @ params.W2.T  # (n, H)
    dz1 = da1 * derivative(z1)  # (n, H)
    dW1 = x.T @ dz1  # (1, H)
    db1 = dz1.sum(axis=0)  # (H,)
    return loss, Params(W1=dW1, b1=db1, W2=dW2, b2=db2)


# %% Training
@np.errstate(all="ignore")  # a loss that overflows is reported below, in plain words
def train(
    params, x, y, epochs=EPOCHS, learning_rate=LEARNING_RATE, activation="relu"
):
    """Return the trained params and each epoch's loss, taken before its step.

    ValueError: x and y are not both (n, 1), or the activation is unknown.
    FloatingPointError: the loss is not finite.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if x.shape[1:] != (1,) or y.shape != x.shape or y.size == 0:
        raise ValueError(
            f"x and y must be (n, 1), n > 0, not {x.shape} and {y.shape}: "
            "y[:, None] makes a column of a flat y"
        )
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation must be in {[*ACTIVATIONS]}, not {activation!r}")
    losses = []
    for epoch in range(1, epochs + 1):
        loss, grads = loss_and_grads(params, x, y, activation)
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"the loss is {loss} in epoch {epoch}, learning rate {learning_rate}: "
                "try a smaller one, and look for NaN or infinity in x and y"
            )
        losses.append(loss)
        params = Params(
            W1=params.W1 - learning_rate * grads.W1,
            b1=params.b1 - learning_rate * grads.b1,
            W2=params.W2 - learning_rate * grads.W2,
            b2=params.b2 - learning_rate * grads.b2,
        )
    return params, losses


# %% Plot
def plot(x, y, runs):
    colors = {"identity": "#D55E00", "relu": "#0072B2", "tanh": "#CC79A7"}
    fig, (ax1, ax2, ax3) = plt.subplots(1, 3, figsize=(12, 4), layout="constrained")
    grid = np.linspace(-2, 2, 401)[:, None]  # (401, 1)

    ax1.set(title="A line, a chain of hinges, a curve", xlabel="x", ylabel="y")
    ax1.scatter(x, y, s=12, color="0.6")
    ax3.set(title="No bend: stuck above the noise", xlabel="epoch", ylabel="loss")
    for name, (params, losses) in runs.items():
        _, _, y_pred = forward(params, grid, name)
        ax1.plot(grid, y_pred, color=colors[name], linewidth=2, label=name)
        ax3.loglog(range(1, len(losses) + 1), losses, color=colors[name], label=name)
    ax3.axhline(NOISE**2, color="black", linestyle=":", label="noise variance")

    ax2.set(title="relu: each unit adds one hinge", xlabel="x", ylabel="y")
    params, _ = runs["relu"]
    _, a1, y_pred = forward(params, grid)
    ax2.plot(grid, a1 * params.W2.T, color="0.6", linewidth=1)  # a hinge for each unit
    ax2.plot(grid, y_pred, color=colors["relu"], linewidth=2, label="grey sum + b2")
    hinges = -params.b1 / params.W1[0]  # (H,), where z1 = 0
    hinges = hinges[np.abs(hinges) < 2][:, None]
    _, _, y_hinges = forward(params, hinges)
    ax2.plot(hinges, y_hinges, "o", color=colors["relu"], label="a unit's hinge")
    for ax in (ax1, ax2, ax3):
        ax.legend()
    return fig


# %% Run
if __name__ == "__main__":
    rng = np.random.default_rng(SEED)
    x, y = make_data(rng)
    start = init_params(rng)
    runs = {name: train(start, x, y, activation=name) for name in ACTIVATIONS}
    params, losses = runs["relu"]
    _, tanh_losses = runs["tanh"]
    line, line_losses = runs["identity"]

    for epoch in np.unique(np.geomspace(1, EPOCHS, 10).round().astype(int)):
        i = epoch - 1
        others = f"tanh {tanh_losses[i]:.6f} | identity {line_losses[i]:.6f}"
        print(f"epoch {epoch:4d} | loss {losses[i]:.6f} | {others}")
    rmse = f"relu {math.sqrt(losses[-1]):.4f}, tanh {math.sqrt(tanh_losses[-1]):.4f}"
    print(f"training RMSE    | {rmse}, and the noise alone {NOISE:.4f}")
    slope, intercept = (line.W1 @ line.W2).item(), (line.b1 @ line.W2 + line.b2).item()
    print(f"identity network | y = {slope:.6f} x {intercept:+.6f}")
    slope, intercept = np.polyfit(x[:, 0], y[:, 0], deg=1)
    print(f"least squares    | y = {slope:.6f} x {intercept:+.6f}")

    figure = "03_mlp_single_input.png"
    plot(x, y, runs).savefig(figure, dpi=135)
    print(f"figure saved as {figure}")
    if plt.get_backend().lower() != "agg":  # agg only draws files, it has no window
        plt.show()
