"""A straight line learns to fit data: a loss, its gradient, and gradient descent.

The data are n samples, made up here. Each is a number x and a number y that belongs to
it. The samples lie near a straight line, each a little off it because of noise. The
model predicts y from x. Training changes its two parameters, a weight w and a bias b:

    y_pred = w * x + b                w is the slope, and b is y_pred at x = 0
    loss = mean((y_pred - y) ** 2)    how wrong the predictions are, as one number

Training starts with a random line, and repeats three things. It computes the loss. It
computes how the loss would change if w or b changed a little. Then it moves w and b a
little, in the direction in which the loss falls. Even the largest neural networks are
trained in this way, with some refinements.

For a straight line there is also a formula for the best w and b, called least squares.
So the script can show how near training comes to the line of least loss. The noise
moves this line away from the true one.

A comment such as (n,) gives the shape of a result. Keep common.py in the same folder.
"""

# %% Imports
import matplotlib.pyplot as plt
import numpy as np
from common import mse

# %% Settings
SEED = 0  # fixes the random numbers; another seed gives other data and another start
N_SAMPLES = 50  # at least 2, as a single point makes no line
NOISE = 1.0  # standard deviation of the noise, in the unit of y
TRUE_W, TRUE_B = 1.0, 5.0  # the line behind the data: its slope, and its y at x = 0
LEARNING_RATE = 0.05  # found by trial; with these x, the loss explodes above about 0.15
EPOCHS = 1000  # an epoch is one pass over all samples, and here it is one step


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
    """Return random w and b to start from. Any start will do (see Training)."""
    w = rng.normal()
    b = rng.normal()
    return w, b


def forward(params, x):
    """Return y_pred (n,), for x (n,)."""
    w, b = params
    y_pred = w * x + b  # (n,)
    return y_pred


# %% Loss and backpropagation
# The loss is the mean of the squared errors (mse in common.py). Squares cannot be
# negative, so errors up and errors down do not cancel. And squares grow fast, so an
# error that is twice as large counts four times as much.
#
# The name dw is short for d(loss)/d(w). It says how fast the loss rises when w rises
# and b stays. In the same way, dy_pred[i] says how fast the loss rises when only the
# prediction for sample i rises. Together, dw and db are called the gradient.
#
# How does w act on the loss? There is one path for each sample i:
#
#     w -> y_pred[i] -> loss
#
# Nudge w up by a tiny amount. Then y_pred[i] moves by x[i] times that amount, and the
# loss moves by about dy_pred[i] times the movement of y_pred[i]. So along a path,
# derivatives multiply. The nudge takes all paths at once, so the products of the paths
# add up. This is the chain rule. We walk the paths backwards, from the loss to the
# parameters, so that each step can use the result of the one before: backpropagation.
def loss_and_grads(params, x, y):
    """Return the loss, and its derivatives in the order of params."""
    y_pred = forward(params, x)
    loss = mse(y_pred, y)

    # loss = 1/n * sum over i of (y_pred[i] - y[i])^2, where n is y.size
    # Each y_pred[i] is in one term of the sum only, and the derivative of u^2 is 2 u.
    dy_pred = 2 / y.size * (y_pred - y)  # (n,)

    # y_pred[i] = w * x[i] + b
    dw = (dy_pred * x).sum()  # sum over i of dy_pred[i] * x[i]
    db = dy_pred.sum()  # sum over i of dy_pred[i] * 1, as b is added to each y_pred[i]
    return loss, (dw, db)


def check_gradient(params, x, y):
    """Nudge w, then b. Print dw and db, each beside the rise of the loss per nudge."""
    nudge = 1e-6  # so small that the loss rises almost in proportion to it
    w, b = params
    loss, (dw, db) = loss_and_grads(params, x, y)
    loss_w, _ = loss_and_grads((w + nudge, b), x, y)
    loss_b, _ = loss_and_grads((w, b + nudge), x, y)
    print(f"dw {dw:7.4f} | measured {(loss_w - loss) / nudge:7.4f}")
    print(f"db {db:7.4f} | measured {(loss_b - loss) / nudge:7.4f}")


# %% Training
# If dw is positive, the loss rises with w, so w should go down. If dw is negative, w
# should go up. Either way, w becomes w - learning_rate * dw, and b likewise, from the
# same gradient. This is called gradient descent.
#
# If the x differ, then along any straight way through w and b the loss, as a mean of
# squares, is a parabola that opens upwards. So it is a bowl with one lowest point, and
# any start will do. But the gradient describes the loss only near the present w and b.
# If the learning rate is too large, a step leads across the floor and higher up on the
# other side, and so does the next one. If it is too small, training takes very long.
# Near the lowest point the gradient is near 0, and the steps get small by themselves.
@np.errstate(over="ignore", invalid="ignore")  # train reports what explodes
def train(params, x, y, epochs, learning_rate):
    """Return the trained params, and two lists: losses and params before each step.

    Raises FloatingPointError if the loss is not finite.
    """
    print(f"learning rate {learning_rate}")
    losses = []
    path = []
    for epoch in range(1, epochs + 1):
        loss, (dw, db) = loss_and_grads(params, x, y)
        if not np.isfinite(loss):
            advice = "lower learning_rate, or look for NaN and infinity in x and y"
            raise FloatingPointError(f"epoch {epoch:4d} | loss {loss}: {advice}")
        if epoch in (1, 10, 100, 1000, epochs):
            print(f"epoch {epoch:4d} | loss {loss:.4g}")
        losses.append(loss)
        path.append(params)
        w, b = params
        params = w - learning_rate * dw, b - learning_rate * db
    return params, losses, path


# %% Plot
BLUE, VERMILION, GREY = "#0072B2", "#D55E00", "0.8"
END = {"marker": ".", "markevery": slice(-1, None)}  # a dot where a line ends


def plot_lines(ax, x, y, path, shades):
    """Draw the data, the truth, and the model's line after some steps."""
    ends = np.array([x.min(), x.max()])
    ax.plot(x, y, "o", color=GREY, markersize=4, label="data")
    for steps, alpha in shades:
        style = {"color": BLUE, "alpha": alpha, "linewidth": 2}
        ax.plot(ends, forward(path[steps], ends), label=f"step {steps}", **style)
        ax.set_ylim(ax.get_ylim())  # the first line sets the view, others are cut off
    ax.plot(ends, truth(ends), "--", color="black", label="truth")
    ax.set(title="The line learns, from pale to dark", xlabel="x", ylabel="y")


def plot_path(ax, x, y, path, shades, best):
    """Draw w and b on their way, over rings of equal loss."""
    # The bowl is a long valley: as x averages about 2, more w with less b only tilts
    # the line about the middle of the data. Raising both would change the loss much
    # more. So here, small steps first cross the valley, and then follow its floor.
    middle = np.mean([path[0], best], axis=0)
    reach = 0.9 * np.abs(path[0] - best).max()  # the start and the best are in view
    w_grid, b_grid = np.linspace(middle - reach, middle + reach, 100).T
    bowl = np.array([[mse(forward((w, b), x), y) for w in w_grid] for b in b_grid])
    least, highest = mse(forward(best, x), y), mse(forward(path[0], x), y)
    rings = (highest - least) * 4.0 ** np.arange(-5, 3)  # one goes through the start
    ax.contour(w_grid, b_grid, bowl - least, rings, colors=GREY)
    ax.plot([], [], color=GREY, label="equal loss")  # for the legend
    ax.plot(*np.transpose(path), color=BLUE, linewidth=1, label="path, by step")
    for steps, alpha in shades:
        ax.plot(*path[steps], "o", color=BLUE, alpha=alpha)
        side = "top" if steps < EPOCHS else "bottom"
        ax.annotate(f"   {steps}", path[steps], va=side)
    ax.plot(*best, "k*", markersize=14, fillstyle="none", label="least squares")
    ax.set(xlim=w_grid[[0, -1]], ylim=b_grid[[0, -1]], aspect="equal")
    ax.set(title="The path of w and b in a valley", xlabel="w", ylabel="b")


def plot_losses(ax, runs, least, start_loss):
    """Draw the loss for each learning rate, and the least loss that a line can have."""
    for rate, losses in runs.items():
        style = {"color": VERMILION, "linestyle": ":" if rate < LEARNING_RATE else "-."}
        if rate == LEARNING_RATE:
            style = {"color": BLUE, "linestyle": "-"}
        epochs = range(1, len(losses) + 1)
        ax.loglog(epochs, losses, linewidth=2, label=f"rate {rate:.3g}", **END, **style)
    ax.axhline(least, linestyle="--", color="black", label="least squares")
    ax.set_ylim(0.5 * least, 10 * start_loss)  # a loss that explodes is cut off
    ax.set(title="Too small crawls, too large explodes", xlabel="epoch", ylabel="loss")


# %% Run
if __name__ == "__main__":
    rng = np.random.default_rng(SEED)
    x, y = make_data(rng, N_SAMPLES)
    start = init_params(rng)
    check_gradient(start, x, y)  # write 1 for the 2 in dy_pred, and see what this says
    params, losses, path = train(start, x, y, EPOCHS, LEARNING_RATE)
    runs = {LEARNING_RATE: losses}
    for rate, epochs in ((0.005, EPOCHS), (0.25, 50)):  # too small and too large here
        if rate not in runs:
            _, runs[rate], _ = train(start, x, y, epochs, rate)
    best = np.polyfit(x, y, deg=1)  # least squares, by a formula: w, b
    lines = {"learned": params, "least squares": best, "truth": (TRUE_W, TRUE_B)}
    for name, (w, b) in lines.items():
        print(f"{name:13} | w {w:.4f} | b {b:.4f}")

    path.append(params)  # now path[k] is where w and b are after k steps
    shown = [k for k in (0, 10, 100) if k < EPOCHS] + [EPOCHS]
    shades = list(zip(shown, np.linspace(1, 0.25, len(shown))[::-1]))  # the last is 1
    plt.style.use(["default", {"axes.titlesize": 11, "axes.formatter.min_exponent": 4}])
    fig, axes = plt.subplots(1, 3, figsize=(10, 4.2))
    fig.subplots_adjust(left=0.07, right=0.955, top=0.91, bottom=0.34, wspace=0.3)
    plot_lines(axes[0], x, y, path, shades)
    plot_path(axes[1], x, y, path, shades, best)
    plot_losses(axes[2], runs, mse(forward(best, x), y), mse(forward(start, x), y))
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncol=2)
    fig.savefig("01_linear_regression.png", dpi=160)
    print("saved 01_linear_regression.png")
    plt.show()

# %% For `uv run`, which installs the packages that these lines name
# /// script
# requires-python = ">=3.9"
# dependencies = ["numpy>=1.22", "matplotlib>=3.5"]
# ///
