"""A two-layer network learns from many inputs, trained as one would on real data.

Run: python 04_mlp_multi_input.py, with common.py in the same folder (copy both).

New since 03: D inputs and K outputs, here 5 and 1. The activation is max(z, 0), relu:

    z1 = x @ W1 + b1         x (n, D), a sample per row; W1 (D, H), b1 (H,): H units
    a1 = relu(z1)            (n, H), entry by entry: a1[i, j] is unit j on sample i
    y_pred = a1 @ W2 + b2    (n, K), like the targets y; W2 (H, K), b2 (K,): K outputs
    loss = mean((y_pred - y)^2), over all n K entries (mse in common.py)

Backwards, by the chain rule; dz1[i, j] is d(loss)/d(z1[i, j]), and so on. If a number
enters many others, its effects add up: W2[j, k] and b2[k] over i, a1[i, j] over k.

    dy_pred = 2/(n K) (y_pred - y)
    dW2 = a1.T @ dy_pred           dW2[j, k] = sum over i of a1[i, j] dy_pred[i, k]
    db2 = sum of dy_pred           db2[k] = sum over i of dy_pred[i, k]
    da1 = dy_pred @ W2.T           da1[i, j] = sum over k of dy_pred[i, k] W2[j, k]
    dz1 = da1 * relu'(z1)          relu'(z) is 1 where z > 0, else 0 (at 0 by choice)
    dW1 = x.T @ dz1, db1 = sum of dz1    as dW2, db2: x for a1, dz1 for dy_pred

The data are made up, but treated as real data would be:
- scaling: inputs and targets get mean 0 and standard deviation 1, so that one learning
  rate suits every input (row d of dW1 grows with column d of x). The loss, in scaled y
  squared, is about 1 for always predicting the mean, (NOISE / y_std)^2 for the truth;
- mini-batches: an epoch takes all samples in random order, BATCH_SIZE (the n above) a
  step. A step subtracts learning_rate times the gradient: a rough guess at that of all
  samples, but quick to compute. Rough guesses and a high rate make the loss jump, so
  the steps shrink: the rate starts high, for speed, and falls towards 0;
- test data: a network also fits the noise of its own samples. What counts is the loss
  on others, with no part in training, scaling, or settings (tune those on a third set).
"""

# %% Dependencies, for `uv run 04_mlp_multi_input.py` (PEP 723)
# /// script
# requires-python = ">=3.9"
# dependencies = ["numpy>=1.22", "matplotlib>=3.5"]
# ///

# %% Imports
import matplotlib.pyplot as plt
import numpy as np
from common import mse, relu, relu_grad

# %% Settings
SEED = 0  # another seed draws other data, another start, other batches
N_SAMPLES, N_TEST = 8000, 2000  # to train on, and to test
NOISE = 1.0  # standard deviation of the noise, in the unit of y
HIDDEN = 40  # hidden units; y_pred is straight but for bends, where the z1 of one is 0
LEARNING_RATE = 0.15  # of the first epoch; try 0.05 if the loss soars or jumps
EPOCHS = 60
BATCH_SIZE = 32  # samples a step


# %% Data: Friedman #1 with noise (n: number of samples)
def true_function(x):
    """Return y (n, 1), without noise. J. Friedman, Annals of Statistics 19, 1991."""
    x1, x2, x3, x4, x5 = x.T
    y = 10 * np.sin(np.pi * x1 * x2) + 20 * (x3 - 0.5) ** 2 + 10 * x4 + 5 * x5
    return y[:, None]


def make_data(rng, n):
    """Return x (n, 5) and y (n, 1)."""
    x = rng.uniform(size=(n, 5))
    y = true_function(x) + NOISE * rng.normal(size=(n, 1))
    return x, y


# %% Model
def init_params(rng, D, H, K):  # random, as units that start equal stay equal
    """Return W1 (D, H), b1 (H,), W2 (H, K) and b2 (K,)."""
    W1 = rng.normal(size=(D, H)) / np.sqrt(D)  # D random terms sum to about sqrt(D)
    W2 = rng.normal(size=(H, K)) / np.sqrt(H)  # so z1 is sized like x, y_pred like a1
    return W1, np.zeros(H), W2, np.zeros(K)


def forward(params, x):
    """Return z1 and a1, both (n, H), and y_pred (n, K), for x (n, D)."""
    W1, b1, W2, b2 = params
    z1 = x @ W1 + b1  # (n, H)
    a1 = relu(z1)  # (n, H)
    y_pred = a1 @ W2 + b2  # (n, K)
    return z1, a1, y_pred


# %% Loss and backpropagation
def loss_and_grads(params, x, y):
    """Return the loss and the gradient, in the order of params."""
    W1, b1, W2, b2 = params
    z1, a1, y_pred = forward(params, x)  # (n, H), (n, H), (n, K)
    loss = mse(y_pred, y)

    dy_pred = 2 / y.size * (y_pred - y)  # (n, K), 1/(n K) enters here
    dW2 = a1.T @ dy_pred  # (H, K)
    db2 = dy_pred.sum(axis=0)  # (K,)
    da1 = dy_pred @ W2.T  # (n, H)
    dz1 = da1 * relu_grad(z1)  # (n, H)
    dW1 = x.T @ dz1  # (D, H)
    db1 = dz1.sum(axis=0)  # (H,)
    return loss, (dW1, db1, dW2, db2)


# %% Training
def train(params, x, y, x_test, y_test, rng, epochs, learning_rate, batch_size):
    """Return the trained params, and the losses on x and on x_test after each epoch.
    FloatingPointError: a loss is not finite. ValueError: wrong shapes or batch_size."""
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}")
    for inputs, targets in ((x, y), (x_test, y_test)):
        mse(forward(params, inputs)[-1], targets)  # raises if shapes do not fit
    losses, test_losses, first_rate = [], [], learning_rate
    for epoch in range(1, epochs + 1):
        learning_rate = first_rate * (1 - (epoch - 1) / epochs)
        order = rng.permutation(len(x))
        for i in range(0, len(x), batch_size):
            batch = order[i : i + batch_size]  # row numbers; the last may be shorter
            _, grads = loss_and_grads(params, x[batch], y[batch])
            params = [p - learning_rate * dp for p, dp in zip(params, grads)]
        loss = mse(forward(params, x)[-1], y)
        test_loss = mse(forward(params, x_test)[-1], y_test)
        report = f"epoch {epoch:4d} | loss {loss:.4g} | test loss {test_loss:.4g}"
        if not np.isfinite([loss, test_loss]).all():
            raise FloatingPointError(f"{report}: lower learning_rate, or check x and y")
        if epoch in (1, 2, 5, 10, 20, 40, epochs):
            print(report)
        losses.append(loss)
        test_losses.append(test_loss)
    return params, losses, test_losses


def predict(params, scaling, x):
    """Return y_pred (n, K) for x (n, D), both in the data's own units."""
    x_mean, x_std, y_mean, y_std = scaling
    return forward(params, (x - x_mean) / x_std)[-1] * y_std + y_mean


# %% Plot
def plot(errors, effects, losses):
    """Return the figure: dicts of errors and effects, in the unit of y, and losses."""
    blue, pale, vermilion = "#0072B2", "#80B8D8", "#D55E00"
    plt.style.use(["default", {"axes.spines.top": False, "axes.spines.right": False,
                               "axes.formatter.min_exponent": 4}])  # 0.1, not 10^-1
    fig, (ax1, ax2, ax3) = plt.subplots(1, 3, figsize=(10, 4), layout="constrained")
    ax1.set(title="Errors on test data", xlabel="y_pred - y", ylabel="density")
    ax2.set(title="The effect of x3", xlabel="x3, other inputs at 0.5", ylabel="y")
    ax3.set(title="Loss per epoch", xlabel="epoch", ylabel="loss, in scaled y squared")
    bins = np.histogram_bin_edges(list(errors.values()), 50)  # the same for all
    ax1.hist(errors["truth"], bins, density=True, color="0.8", label="truth (noise)")
    for name, color in (("straight line", vermilion), ("network", blue)):
        style = {"color": color, "linewidth": 2, "label": name}
        ax1.hist(errors[name], bins, density=True, histtype="step", **style)
        ax2.plot(effects["x3"], effects[name], **style)
    ax2.plot(effects["x3"], effects["truth"], "--", color="black", label="truth")
    epochs = range(1, len(losses["test"]) + 1)
    ax3.loglog(epochs, losses["training"], color=pale, lw=4, label="network, training")
    ax3.loglog(epochs, losses["test"], color=blue, lw=2, label="network, test")
    ax3.axhline(losses["straight line"], color=vermilion, label="straight line, test")
    ax3.axhline(losses["truth"], linestyle="--", color="black", label="truth, test")
    for ax in (ax1, ax2, ax3):
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15), ncol=2)
    return fig


# %% Run
if __name__ == "__main__":
    rng = np.random.default_rng(SEED)
    x, y = make_data(rng, N_SAMPLES)
    x_test, y_test = make_data(rng, N_TEST)
    start = init_params(rng, x.shape[1], HIDDEN, y.shape[1])
    scaling = x.mean(axis=0), x.std(axis=0), y.mean(axis=0), y.std(axis=0)
    x_mean, x_std, y_mean, y_std = scaling  # (D,), (D,), (K,), (K,), without test data
    params, losses, test_losses = train(
        start, x=(x - x_mean) / x_std, y=(y - y_mean) / y_std,
        x_test=(x_test - x_mean) / x_std, y_test=(y_test - y_mean) / y_std, rng=rng,
        epochs=EPOCHS, learning_rate=LEARNING_RATE, batch_size=BATCH_SIZE)

    slopes, *_ = np.linalg.lstsq(x - x_mean, y - y_mean, rcond=None)  # of the least mse
    y_test_line = (x_test - x_mean) @ slopes + y_mean  # 01 with 5 inputs: 5 slopes
    y_test_pred = predict(params, scaling, x_test)
    errors = {"network": y_test_pred - y_test, "straight line": y_test_line - y_test,
              "truth": true_function(x_test) - y_test}
    for name, error in errors.items():  # RMSE: root of the mean squared error
        print(f"{name:13} | test RMSE {np.sqrt(np.mean(error**2)):.4f} (unit of y)")
    x_new = np.full((101, 5), 0.5)
    x_new[:, 2] = np.linspace(0, 1, 101)  # x3
    effects = {"x3": x_new[:, 2], "network": predict(params, scaling, x_new),
               "straight line": (x_new - x_mean) @ slopes + y_mean,
               "truth": true_function(x_new)}
    curves = {"training": losses, "test": test_losses,
              "straight line": np.mean((errors["straight line"] / y_std) ** 2),
              "truth": np.mean((errors["truth"] / y_std) ** 2)}
    plot(errors, effects, curves).savefig("04_mlp_multi_input.png", dpi=160)
    print("saved 04_mlp_multi_input.png")
    plt.show()
