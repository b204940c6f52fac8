"""A straight line, fitted by gradient descent: a loss, its gradient, many small steps.

Run: python 01_linear_regression.py, with common.py in the same folder (copy both).

The data, made up here, are n samples, each a number x and the y that goes with it. The
model predicts y from x with two parameters, w (weight, slope) and b (bias, y at x = 0):

    y_pred = w x + b
    loss = mean((y_pred - y)^2)    squares: errors cannot cancel, large ones weigh most

The loss says how wrong the predictions are, in the unit of y squared (mse in common.py:
mean squared error). Training moves w and b, random at first, towards the least loss.

The gradient, (dw, db), says how fast the loss rises with w alone, and with b alone. dw
is a name for d(loss)/dw, dy_pred for d(loss)/d(y_pred): these names leave out the loss.
Backpropagation is the chain rule, link by link, from the loss back to w and b. A small
step in w moves every y_pred, each of which moves the loss; the effects add up: sums.

    dy_pred = 2/n (y_pred - y)    one per sample: 1/n from the mean, 2 from the square
    dw = sum(dy_pred * x)         as d(y_pred)/dw = x
    db = sum(dy_pred)             as d(y_pred)/db = 1

Gradient descent: where dw is positive, the loss rises with w, so w goes down; where it
is negative, w goes up. w becomes w - learning_rate * dw, and b likewise, both from the
same gradient: if learning_rate is small enough, the loss falls. An epoch is one pass
over the data, here one such step. As x averages about 2, not 0, the loss is a long
valley (middle panel): w up with b down tilts the line amid the data, at low loss. If
learning_rate is too large, each step lands higher up the other side; if too small, the
way along the floor takes very many. Near the lowest point, the gradient and the steps
shrink towards 0; there lies the least-squares line, off the truth through the noise.
"""

# %% Dependencies, for `uv run 01_linear_regression.py` (PEP 723)
# /// script
# requires-python = ">=3.9"
# dependencies = ["numpy>=1.22", "matplotlib>=3.5"]
# ///

# %% Imports
import matplotlib.pyplot as plt
import numpy as np
from common import mse

# %% Settings
SEED = 0  # another seed draws other data and another start
N_SAMPLES = 50
NOISE = 1.0  # standard deviation, in the unit of y; the least loss is about its square
TRUE_W, TRUE_B = 1.0, 5.0  # the line behind the data: slope, and y at x = 0
LEARNING_RATE = 0.05  # by trial; from about 0.15 on, with these x, the steps lead up
EPOCHS = 1000


# %% Data: a line with noise (n: number of samples)
def make_data(rng, n):
    """Return x (n,) and y (n,)."""
    x = rng.uniform(0, 4, size=n)
    y = TRUE_W * x + TRUE_B + NOISE * rng.normal(size=n)
    return x, y


# %% Model
def init_params(rng):
    return rng.normal(), rng.normal()  # w, b; any start will do: the loss is one bowl


def forward(params, x):
    """Return y_pred (n,) for x (n,)."""
    w, b = params
    y_pred = w * x + b  # (n,)
    return y_pred


# %% Loss and backpropagation
def loss_and_grads(params, x, y):
    """Return the loss and the gradient, in the order of params."""
    y_pred = forward(params, x)  # (n,)
    loss = mse(y_pred, y)

    dy_pred = 2 / y.size * (y_pred - y)  # (n,), 1/n enters here: below, plain sums
    dw = (dy_pred * x).sum()
    db = dy_pred.sum()
    return loss, (dw, db)


# %% Training
def train(params, x, y, epochs, learning_rate):
    """Return the trained params, and each epoch's loss and params, before its step.
    FloatingPointError: the loss is not finite. ValueError: wrong shapes."""
    losses, path = [], []
    for epoch in range(1, epochs + 1):
        loss, grads = loss_and_grads(params, x, y)
        report = f"epoch {epoch:4d} | loss {loss:.4g}"
        if not np.isfinite(loss):
            raise FloatingPointError(f"{report}: lower learning_rate, or check x and y")
        if epoch in (1, 10, 100, 1000, epochs):
            print(report)
        losses.append(loss)
        path.append(params)
        params = [p - learning_rate * dp for p, dp in zip(params, grads)]
    return params, losses, path


# %% Plot
def plot(x, y, best, path, runs):
    """Return the figure; best: least-squares w and b, runs: losses by learning rate."""
    blue, vermilion, grey = "#0072B2", "#D55E00", "0.8"
    plt.style.use(["default", {"axes.spines.top": False, "axes.spines.right": False}])
    fig, (ax1, ax2, ax3) = plt.subplots(1, 3, figsize=(10, 4), layout="constrained")
    ax1.set(title="The line as it learns", xlabel="x", ylabel="y")
    ax2.set(title="Path; grey: equal loss", xlabel="w", ylabel="b", aspect="equal")
    ax3.set(title="Loss, by learning rate", xlabel="epoch", ylabel="loss")

    least = mse(forward(best, x), y)
    w, b = np.array([*path, best]).T  # (epochs + 1,) each; best is to be in view
    room = 0.3 * max(np.ptp(w), np.ptp(b))  # ptp: max - min
    w_side, b_side = [np.linspace(v.min() - room, v.max() + room, 50) for v in (w, b)]
    bowl = [[mse(forward((w_i, b_i), x), y) for w_i in w_side] for b_i in b_side]
    # A row for each b, a column for each w; log of the excess: rings near the star
    ax2.contour(w_side, b_side, np.log(bowl - least), colors=grey, linestyles="solid")
    ax2.plot(w[:-1], b[:-1], color=blue, linewidth=2)
    ax2.plot(*best, "k*", markersize=14, fillstyle="none", zorder=3)
    ax2.text(*best, "least   \nsquares   ", ha="right")

    ax1.plot(x, y, "o", color=grey, markersize=4, label="data")
    ends = np.array([x.min(), x.max()])
    marks = [epoch for epoch in (1, 10, 100) if epoch < len(path)] + [len(path)]
    for epoch, alpha in zip(marks, np.linspace(0.3, 1, len(marks))):  # early is pale
        point = path[epoch - 1]
        style = {"color": blue, "alpha": alpha, "linewidth": 2}
        ax1.plot(ends, forward(point, ends), label=f"epoch {epoch}", **style)
        ax2.plot(*point, "o", **style)
        side = "top" if epoch < len(path) else "bottom"
        ax2.text(*point, f"  epoch {epoch}", va=side)
    ax1.plot(ends, forward((TRUE_W, TRUE_B), ends), "--", color="black", label="truth")
    ax1.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15), ncol=2)

    for (rate, losses), at in zip(runs.items(), (100, 10, 2)):
        at = min(at, len(losses))  # where the line is named, in the order of runs
        color = blue if rate == LEARNING_RATE else vermilion
        ax3.loglog(range(1, len(losses) + 1), losses, color=color, linewidth=2)
        ax3.text(at, losses[at - 1], f"  {rate}", color=color, va="bottom")
    ax3.axhline(least, linestyle="--", color="black")
    ax3.text(1, 0.93 * least, "least squares", va="top")
    ax3.set_ylim(0.5 * least, 10 * runs[LEARNING_RATE][0])  # cuts off the explosion
    return fig


# %% Run
if __name__ == "__main__":
    rng = np.random.default_rng(SEED)
    x, y = make_data(rng, N_SAMPLES)
    start = init_params(rng)
    print(f"learning rate {LEARNING_RATE}")
    params, losses, path = train(start, x, y, EPOCHS, LEARNING_RATE)
    runs = {LEARNING_RATE: losses}
    for rate, epochs in ((0.005, EPOCHS), (0.25, 50)):  # too small; too large: explodes
        print(f"learning rate {rate}")
        _, runs[rate], _ = train(start, x, y, epochs, rate)
    best = np.polyfit(x, y, deg=1)  # least squares, by a formula: w, b
    lines = {"learned": params, "least squares": best, "truth": (TRUE_W, TRUE_B)}
    for name, (w, b) in lines.items():
        print(f"{name:13} | w {w:.4f} (y per x) | b {b:.4f} (unit of y)")
    plot(x, y, best, path, runs).savefig("01_linear_regression.png", dpi=160)
    print("saved 01_linear_regression.png")
    plt.show()
