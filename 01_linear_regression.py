"""A straight line learns to fit data: a loss, its gradient, and gradient descent.

The data are n samples, made up here. Each is a number x and a number y that belongs to
it. The samples lie near a straight line, each a little off it because of noise. The
model predicts y from x. Its two parameters are numbers that training can change:

    y_pred = w * x + b                w is the slope, b is the value at x = 0
    loss = mean((y_pred - y) ** 2)    how wrong the predictions are, as one number

The parameter w is also called a weight, and b a bias.

Training starts with a random line, and repeats three things. It computes the loss. It
computes how the loss would change if w or b changed a little. Then it moves w and b a
little, in the direction in which the loss falls. Neural networks are trained in the
same way, even the largest, with some refinements.

For a straight line there is a formula for the best w and b, too. It is called least
squares. So the script can show, at the end, that training has found the line of least
loss. The noise moves this line a little away from the true one.

The index i counts the samples: x[i], y[i] and y_pred[i] belong to sample i, and mean
and sum are taken over i. A comment such as (n,) gives the shape of a result.

Run this with `python 01_linear_regression.py`. Keep common.py in the same folder.
"""

# %% Imports
# The next four lines are for `uv run`, which installs the packages that they name.
# /// script
# requires-python = ">=3.9"
# dependencies = ["numpy>=1.22", "matplotlib>=3.5"]
# ///
import matplotlib.pyplot as plt
import numpy as np
from common import mse

# %% Settings
SEED = 0  # fixes the random numbers; another seed gives other data and another start
N_SAMPLES = 50
NOISE = 1.0  # standard deviation of the noise, in the unit of y
TRUE_W, TRUE_B = 1.0, 5.0  # the line behind the data: its slope, and its y at x = 0
LEARNING_RATE = 0.05  # found by trial; with these x, the loss explodes above about 0.15
EPOCHS = 1000


# %% Data
def truth(x):
    """Return the y of the true line at x, without noise."""
    return TRUE_W * x + TRUE_B


def make_data(rng, n):
    """Return n samples: x (n,) and y (n,)."""
    x = rng.uniform(0, 4, size=n)
    y = truth(x) + NOISE * rng.normal(size=n)
    return x, y


# %% Model
def init_params(rng):
    """Return random w and b to start from.

    Any start will do. If the x differ, the loss bends up in every direction of w and b,
    so it is a bowl with a single lowest point.
    """
    w = rng.normal()
    b = rng.normal()
    return w, b


def forward(params, x):
    """Return y_pred (n,), for x (n,)."""
    w, b = params
    y_pred = w * x + b  # (n,)
    return y_pred


# %% Loss and backpropagation
# The loss is the mean of the squared errors (mse in common.py: mean squared error).
# Squares cannot be negative, so errors up and errors down do not cancel. And squares
# grow fast, so an error that is twice as large counts four times as much.
#
# The name dw is short for d(loss)/d(w). It says how fast the loss rises when w rises
# and b stays. In the same way, dy_pred[i] says how fast the loss rises when y_pred[i]
# rises and the other predictions stay. The derivatives with respect to all parameters,
# here dw and db, are together called the gradient.
#
# How does w act on the loss? There is one path for each sample i:
#
#     w -> y_pred[i] -> loss
#
# Nudge w up by a tiny amount. Then each y_pred[i] moves by x[i] times that amount. Each
# y_pred[i] moves the loss, by about dy_pred[i] times its own movement. So sample i
# contributes the product of the two, and we add up over all samples.
#
# This is the chain rule: along a path from a number to the loss, derivatives multiply,
# and if there are several paths, their products add up. We walk the paths from right to
# left, so that each step can use the result of the step before. That is why the method
# is called backpropagation. In the code, each line of the model comes again as a
# comment, with indices. The derivatives that follow from it stand below.
def loss_and_grads(params, x, y):
    """Return the loss, and its derivatives in the order of params."""
    y_pred = forward(params, x)
    loss = mse(y_pred, y)

    # loss = 1/n * sum over i of (y_pred[i] - y[i])^2
    # Each y_pred[i] is in one term of the sum only, and the derivative of u^2 is 2 u.
    # The 1/n, where n is y.size, comes in here and nowhere else.
    dy_pred = 2 / y.size * (y_pred - y)  # (n,)

    # y_pred[i] = w * x[i] + b
    dw = (dy_pred * x).sum()  # sum over i of dy_pred[i] * x[i]
    db = dy_pred.sum()  # sum over i of dy_pred[i] * 1, as b is added to each y_pred[i]
    return loss, (dw, db)


# %% Training
# If dw is positive, the loss rises with w, so w should go down. If dw is negative, w
# should go up. Either way, w becomes w - learning_rate * dw, and b likewise. Both steps
# use the same gradient. This is called gradient descent.
#
# The gradient describes the loss only near the present w and b, so the steps must be
# small. If the learning rate is too large, a step leads across the floor of the bowl
# and higher up on the other side, and so does the next one. If it is too small,
# training takes very long. Near the lowest point, the gradient is near 0, and the steps
# get small by themselves.
#
# An epoch is one pass over all samples. Here it makes one step.
def train(params, x, y, epochs, learning_rate):
    """Return the trained params, and the loss and params of each epoch before its step.

    Raises FloatingPointError if the loss is not finite, and ValueError if the shapes
    of x and y do not fit.
    """
    losses = []
    path = []
    for epoch in range(1, epochs + 1):
        loss, grads = loss_and_grads(params, x, y)
        report = f"epoch {epoch:4d} | loss {loss:.4g}"
        if not np.isfinite(loss):
            advice = "is there NaN or infinity in x or y? If not, lower learning_rate"
            raise FloatingPointError(f"{report}: {advice}")
        if epoch in (1, 10, 100, 1000, epochs):
            print(report)
        losses.append(loss)
        path.append(params)
        params = [param - learning_rate * grad for param, grad in zip(params, grads)]
    return params, losses, path


# %% Plot
BLUE = "#0072B2"
VERMILION = "#D55E00"
GREY = "0.8"


def marked_epochs(path):
    """Return the epochs to draw, each with its opacity: the early ones are pale."""
    candidates = {1, 10, 100, len(path)}
    epochs = sorted(epoch for epoch in candidates if 1 <= epoch <= len(path))
    return list(zip(epochs, np.linspace(0.3, 1, len(epochs))))


def plot_lines(ax, x, y, start, path):
    """Draw the data, the model's line at some epochs, and the truth."""
    ends = np.array([x.min(), x.max()])
    ax.plot(x, y, "o", color=GREY, markersize=4, label="data")
    for epoch, alpha in marked_epochs(path):
        y_pred = forward(path[epoch - 1], ends)
        label = f"epoch {epoch}"
        ax.plot(ends, y_pred, color=BLUE, alpha=alpha, linewidth=2, label=label)
    ax.plot(ends, truth(ends), "--", color="black", label="truth")

    # The data and the first line are in view. Lines far outside are cut off.
    in_view = np.concatenate([y, forward(start, ends)])
    room = 0.1 * np.ptp(in_view)  # ptp is the largest minus the smallest
    ax.set_ylim(in_view.min() - room, in_view.max() + room)
    ax.set(title="The line as it learns", xlabel="x", ylabel="y")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncol=2)


def plot_path(ax, x, y, start, best, path):
    """Draw w and b on their way, over rings of equal loss.

    The loss is a bowl, and here a long one. As x averages about 2, not 0, more w with
    less b only tilts the line about the middle of the data. This changes the loss much
    less than raising both would. The path crosses the bowl first, and then goes along
    its floor.
    """
    # The start and the best point are in view, with w and b on the same scale. A path
    # that leads far outside is cut off.
    middle = (np.array(start) + best) / 2
    reach = 0.9 * np.max(np.abs(np.array(start) - best))
    w_grid = np.linspace(middle[0] - reach, middle[0] + reach, 100)
    b_grid = np.linspace(middle[1] - reach, middle[1] + reach, 100)
    bowl = [[mse(forward((w, b), x), y) for w in w_grid] for b in b_grid]
    least = mse(forward(best, x), y)
    start_loss = mse(forward(start, x), y)
    # From ring to ring, the excess over the least loss is 4 times as large. One of the
    # rings goes through the start.
    rings = least + (start_loss - least) * 4.0 ** np.arange(-5, 3)
    ax.contour(w_grid, b_grid, bowl, rings, colors=GREY)
    ax.plot([], [], color=GREY, label="equal loss")  # no line, but a name in the legend

    w_path = [w for w, b in path]
    b_path = [b for w, b in path]
    ax.plot(w_path, b_path, color=BLUE, linewidth=2, label="path")
    for epoch, alpha in marked_epochs(path):
        w, b = path[epoch - 1]
        ax.plot(w, b, "o", color=BLUE, alpha=alpha)
        side = "top" if epoch < len(path) else "bottom"
        ax.annotate(f"   epoch {epoch}", (w, b), va=side)  # left out if out of view
    w, b = best
    star = {"markersize": 14, "fillstyle": "none", "zorder": 3}
    ax.plot(w, b, "*", color="black", label="least squares", **star)
    ax.set(title="The path of w and b", xlabel="w", ylabel="b", aspect="equal")
    ax.set(xlim=w_grid[[0, -1]], ylim=b_grid[[0, -1]])
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncol=2)


def plot_losses(ax, runs, least, start_loss):
    """Draw the loss for each learning rate, and the least loss that a line can have."""
    for rate, losses in runs.items():
        if rate == LEARNING_RATE:
            style = {"color": BLUE, "linestyle": "-"}
        elif rate < LEARNING_RATE:
            style = {"color": VERMILION, "linestyle": ":"}
        else:
            style = {"color": VERMILION, "linestyle": "-."}
        if len(losses) == 1:
            style["marker"] = "o"  # one point alone makes no line
        epochs = np.arange(1, len(losses) + 1)
        ax.loglog(epochs, losses, linewidth=2, label=f"rate {rate}", **style)
    ax.axhline(least, linestyle="--", color="black", label="least squares")
    ax.set_ylim(0.5 * least, 10 * start_loss)  # a loss that explodes is cut off
    ax.set(title="Loss, by learning rate", xlabel="epoch", ylabel="loss")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncol=2)


def plot(x, y, start, best, path, runs):
    """Return the figure. best is the least-squares w and b, runs has losses by rate."""
    fig, axes = plt.subplots(1, 3, figsize=(10, 4.2))
    # Three square panels, with room for a legend below each
    fig.subplots_adjust(left=0.065, right=0.975, top=0.88, bottom=0.3, wspace=0.36)
    plot_lines(axes[0], x, y, start, path)
    plot_path(axes[1], x, y, start, best, path)
    plot_losses(axes[2], runs, mse(forward(best, x), y), mse(forward(start, x), y))
    return fig


# %% Run
if __name__ == "__main__":
    rng = np.random.default_rng(SEED)
    x, y = make_data(rng, N_SAMPLES)
    start = init_params(rng)

    print(f"learning rate {LEARNING_RATE}")
    params, losses, path = train(start, x, y, EPOCHS, LEARNING_RATE)
    runs = {LEARNING_RATE: losses}
    for rate, epochs in ((0.005, EPOCHS), (0.25, 50)):  # one too small, one too large
        if rate not in runs:
            print(f"learning rate {rate}")
            _, runs[rate], _ = train(start, x, y, epochs, rate)

    best = np.polyfit(x, y, deg=1)  # least squares, by a formula: w, b
    lines = {"learned": params, "least squares": best, "truth": (TRUE_W, TRUE_B)}
    for name, (w, b) in lines.items():
        print(f"{name:13} | w {w:.4f} (y per x) | b {b:.4f} (unit of y)")

    plt.style.use(["default", {"axes.spines.top": False, "axes.spines.right": False}])
    plt.style.use({"axes.formatter.min_exponent": 4})  # 0.1 at the axes, and not 10^-1
    plot(x, y, start, best, path, runs).savefig("01_linear_regression.png", dpi=160)
    print("saved 01_linear_regression.png")
    plt.show()
