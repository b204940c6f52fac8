# %% Dependencies (PEP 723: `uv run 04_mlp_multi_input.py` needs no set-up)
# /// script
# requires-python = ">=3.9"
# dependencies = ["numpy>=1.22", "matplotlib>=3.5"]
# ///

# %% What this is
"""A two-layer network learns from several inputs, the way one trains it on real data.

The model is that of 03 with ReLU, for D inputs and K outputs (rows are samples):

    z1 = x @ W1 + b1,   a1 = relu(z1),   y_pred = a1 @ W2 + b2
    loss = mean((y_pred - y)^2)    over all n K entries

Backwards, dz1 stands for d(loss)/d(z1) and has the shape of z1, and so on:

    dy_pred = 2/(n K) (y_pred - y)
    dW2 = a1^T @ dy_pred,    db2 = the sum of dy_pred over the samples
    da1 = dy_pred @ W2^T
    dz1 = da1 * relu'(z1)    entry by entry; relu' is 1 where z1 > 0, and 0 elsewhere
    dW1 = x^T @ dz1,         db1 = the sum of dz1 over the samples

New since 03:
- scaling: inputs and targets are brought to mean 0 and standard deviation 1, with the
  training data's own numbers, so that one learning rate suits all weights;
- mini-batches: a step looks at a few samples only, so an epoch has many steps. Each
  epoch shuffles the samples; the steps shrink towards 0, to average out their noise;
- held-out data: what counts is the error on samples that training has never seen.

Run: python 04_mlp_multi_input.py. To reuse it, copy this file and common.py.
"""

# %% Imports
import math
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np

from common import mse, relu, relu_grad

# %% Settings
SEED = 0
N_SAMPLES, N_TEST = 8000, 2000  # to train on, and held out
NOISE = 1.0  # standard deviation of the noise in y
HIDDEN = 40  # units in the hidden layer
LEARNING_RATE = 0.15  # in the first epoch
EPOCHS = 60
BATCH_SIZE = 32


# %% Data: Friedman #1 (shapes: n samples, D inputs, H hidden units, K outputs)
def true_function(x):
    """Map (n, 5) to (n, 1). Source: J. Friedman, Annals of Statistics 19, 1991."""
    x1, x2, x3, x4, x5 = x.T
    y = 10 * np.sin(np.pi * x1 * x2) + 20 * (x3 - 0.5) ** 2 + 10 * x4 + 5 * x5
    return y[:, None]


def make_data(rng, n=N_SAMPLES):
    """Return x (n, 5) and y (n, 1)."""
    x = rng.uniform(size=(n, 5))
    y = true_function(x) + NOISE * rng.normal(size=(n, 1))
    return x, y


# %% Model
class Params(NamedTuple):
    W1: np.ndarray  # (D, H)
    b1: np.ndarray  # (H,)
    W2: np.ndarray  # (H, K)
    b2: np.ndarray  # (K,)


def init_params(rng, D=5, H=HIDDEN, K=1):
    """Return weights small enough for z1 and y_pred to be of the size of x."""
    return Params(
        W1=rng.normal(size=(D, H)) / np.sqrt(D),
        b1=np.zeros(H),
        W2=rng.normal(size=(H, K)) / np.sqrt(H),
        b2=np.zeros(K),
    )


def forward(params, x):
    z1 = x @ params.W1 + params.b1  # (n, H)
    a1 = relu(z1)  # (n, H)
    y_pred = a1 @ params.W2 + params.b2  # (n, K)
    return z1, a1, y_pred


# %% Loss and backprop
def loss_and_grads(params, x, y):
    """Return the loss and a Params that holds d(loss)/d(field) in each field."""
    z1, a1, y_pred = forward(params, x)  # (n, H), (n, H), (n, K)
    loss = mse(y_pred, y)

    dy_pred = 2 / y.size * (y_pred - y)  # (n, K), the one place where 1/(n K) comes in
    dW2 = a1.T @ dy_pred  # (H, K)
    db2 = dy_pred.sum(axis=0)  # (K,)
    da1 = dy_pred @ params.W2.T  # (n, H)
    dz1 = da1 * relu_grad(z1)  # (n, H)
    dW1 = x.T @ dz1  # (D, H)
    db1 = dz1.sum(axis=0)  # (H,)
    return loss, Params(W1=dW1, b1=db1, W2=dW2, b2=db2)


# %% Training
@np.errstate(all="ignore")  # a loss that overflows is reported below, in plain words
def train(params, x, y, rng, epochs=EPOCHS, learning_rate=LEARNING_RATE,
          batch_size=BATCH_SIZE, held_out=None):
    """Return the trained params, each epoch's loss (the mean over its batches), and, if
    held_out is a pair x, y, the loss on that after each epoch.

    ValueError: x is not (n, D), y is not (n, K), or batch_size is less than 1.
    FloatingPointError: the loss is not finite.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    D, K = len(params.W1), len(params.b2)
    if x.shape[1:] != (D,) or y.shape != (len(x), K) or y.size == 0:
        raise ValueError(
            f"x must be (n, {D}) and y (n, {K}), n > 0, not {x.shape} and {y.shape}: "
            "y[:, None] makes a column of a flat y"
        )
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}")
    losses, held_out_losses = [], []
    for epoch in range(1, epochs + 1):
        step = learning_rate * (1 - (epoch - 1) / epochs)
        order = rng.permutation(len(x))
        total = 0.0
        for start in range(0, len(x), batch_size):
            batch = order[start : start + batch_size]  # the last one may be shorter
            loss, grads = loss_and_grads(params, x[batch], y[batch])
            if not math.isfinite(loss):
                raise FloatingPointError(
                    f"the loss is {loss} in epoch {epoch}, learning rate "
                    f"{learning_rate}: try a smaller one, and look for NaN or infinity "
                    "in x and y"
                )
            total += loss * len(batch)
            params = Params(
                W1=params.W1 - step * grads.W1,
                b1=params.b1 - step * grads.b1,
                W2=params.W2 - step * grads.W2,
                b2=params.b2 - step * grads.b2,
            )
        losses.append(total / len(x))
        if held_out is not None:
            _, _, y_pred = forward(params, held_out[0])
            held_out_losses.append(mse(y_pred, held_out[1]))
    return params, losses, held_out_losses


# %% Plot
def plot(y_test, y_test_pred, y_test_line, predict, losses, test_losses, floor):
    blue, orange = "#0072B2", "#D55E00"
    fig, (ax1, ax2, ax3) = plt.subplots(1, 3, figsize=(12, 4), layout="constrained")

    ax1.set(title="Held out: close to the truth", xlabel="true y", ylabel="predicted y")
    ax1.scatter(y_test, y_test_line, s=4, color=orange, label="straight-line model")
    ax1.scatter(y_test, y_test_pred, s=4, color=blue, label="network")
    ax1.plot([0, 28], [0, 28], color="black", label="truth")

    ax2.set(title="One input moves, the others stay at 0.5", xlabel="input", ylabel="y")
    values = np.linspace(0, 1, 21)
    for j, color in enumerate((blue, "#56B4E9", orange, "#009E73", "#CC79A7")):
        x = np.full((21, 5), 0.5)
        x[:, j] = values
        ax2.plot(values, predict(x), color=color, label=f"x{j + 1}")
        ax2.plot(values, true_function(x), ".", color=color)
    ax2.plot([], [], ".", color="black", label="true")

    ax3.set(title="The held-out loss nears the noise", xlabel="epoch", ylabel="loss")
    epochs = range(1, len(losses) + 1)
    ax3.semilogx(epochs, losses, color=blue, label="training data")
    ax3.semilogx(epochs, test_losses, color=orange, label="held-out data")
    ax3.axhline(floor, color="black", linestyle=":", label="noise variance")
    for ax in (ax1, ax2, ax3):
        ax.legend()
    return fig


# %% Run
if __name__ == "__main__":
    rng = np.random.default_rng(SEED)
    x, y = make_data(rng)
    x_test, y_test = make_data(rng, N_TEST)

    x_mean, x_std = x.mean(axis=0), x.std(axis=0)  # (D,), of the training data alone
    y_mean, y_std = y.mean(axis=0), y.std(axis=0)  # (K,)
    x_scaled, y_scaled = (x - x_mean) / x_std, (y - y_mean) / y_std
    held_out = (x_test - x_mean) / x_std, (y_test - y_mean) / y_std
    params, losses, test_losses = train(
        init_params(rng), x_scaled, y_scaled, rng, held_out=held_out
    )

    def predict(x):
        _, _, y_pred = forward(params, (x - x_mean) / x_std)
        return y_pred * y_std + y_mean

    y_test_pred = predict(x_test)
    line, *_ = np.linalg.lstsq(x_scaled, y_scaled, rcond=None)  # (D, K), means are 0
    y_test_line = held_out[0] @ line * y_std + y_mean

    for epoch in np.unique(np.geomspace(1, EPOCHS, 10).round().astype(int)):
        held = f"held-out loss {test_losses[epoch - 1]:.6f}"
        print(f"epoch {epoch:4d} | loss {losses[epoch - 1]:.6f} | {held}")
    print(f"held-out RMSE, network       | {mse(y_test_pred, y_test) ** 0.5:.4f}")
    print(f"held-out RMSE, straight line | {mse(y_test_line, y_test) ** 0.5:.4f}")
    print(f"the noise alone              | {NOISE:.4f}")

    figure = "04_mlp_multi_input.png"
    floor = (NOISE / y_std.item()) ** 2
    fig = plot(y_test, y_test_pred, y_test_line, predict, losses, test_losses, floor)
    fig.savefig(figure, dpi=135)
    print(f"figure saved as {figure}")
    if plt.get_backend().lower() != "agg":  # agg only draws files, it has no window
        plt.show()
