"""Logistic regression: one neuron learns the probability that a sample is of class 1.

New since 01 are a second input, the sigmoid, and a loss for probabilities. Each of the
n samples has two inputs, x1 and x2, which are columns of x, and a label y, its class: 0
or 1. Each class forms a cloud in the plane of x1 and x2, and the clouds overlap. So no
model can always tell the class, but a model can learn how probable each class is.

The model is a single neuron. It adds up its inputs, each times a weight, and adds a
bias. The result is called the score, or logit, and may be any number. The sigmoid turns
it into a number between 0 and 1:

    z = x @ w + b        the score, for each sample: x1 * w1 + x2 * w2 + b
    p = sigmoid(z)       1 / (1 + exp(-z)), the probability that y is 1
    loss = mean(cost)    a sample costs -log(p) if y is 1, and -log(1 - p) if y is 0

This loss is called the binary cross-entropy, or bce for short. Class 1 is the best
guess where p is above 1/2. That is where z is above 0, on one side of a straight line.

A comment such as (n,) gives the shape of a result. Keep common.py in the same folder.
"""

# %% Imports
import matplotlib.pyplot as plt
import numpy as np
from common import bce_with_logits, sigmoid

# %% Settings
SEED = 0  # fixes the random numbers; another seed gives other data and another start
N_SAMPLES = 300
NOISE = 1.0  # standard deviation of x1 and x2 about the centre of the class, above 0
CENTRES = np.array([[-1.0, 0.0], [1.0, 1.0]])  # x1 and x2 of class 0, and of class 1
LEARNING_RATE = 0.5  # found by trial; if NOISE is 5, it is too large: try 0.05
EPOCHS = 300


# %% Data
def make_data(rng, n):
    """Return n samples: x (n, 2) and y (n,), the labels, 0.0 or 1.0 by equal chance."""
    y = rng.integers(2, size=n)
    centre = CENTRES[y]  # (n, 2), one row for each sample
    x = centre + NOISE * rng.normal(size=(n, 2))
    return x, y.astype(float)


# %% Model
def init_params(rng):
    """Return random w and b to start from. Any start will do (see Training)."""
    w = rng.normal(size=2)
    b = rng.normal()
    return w, b


def forward(params, x):
    """Return z (n,) and p (n,), for x (n, 2)."""
    w, b = params
    z = x @ w + b  # (n,)
    p = sigmoid(z)  # (n,)
    return z, p


def true_params():
    """Return the w and b that give the true probabilities.

    The classes are equally likely, and their noise is normal. So near x, the samples of
    a class are in proportion to exp(-d^2 / (2 NOISE^2)), where d is the distance to its
    centre, d0 or d1. As exp(z) = p / (1 - p) is the ratio of class 1 to class 0, z is
    (d0^2 - d1^2) / (2 NOISE^2). In it, x1^2 and x2^2 cancel, and x @ w + b is left.
    """
    if NOISE <= 0:
        raise ValueError("NOISE must be above 0: without it, the true w is infinite")
    w = (CENTRES[1] - CENTRES[0]) / NOISE**2
    b = -w @ CENTRES.mean(axis=0)  # halfway between the centres, z is 0
    return w, b


# %% Loss and backpropagation
# The model gives the label 1 the probability p, and the label 0 the probability 1 - p.
# Good parameters make the labels that really occurred probable, all of them together.
# For independent samples, this probability is a product, and its logarithm is a sum
# with one term for each sample. The cost of a sample is minus this term, and the loss
# is the mean of the costs. A sample costs nearly nothing if the model gave its true
# class a probability near 1. As this probability falls to 0, the cost grows without
# limit. Nothing costs like being sure and wrong.
#
# As in 01, dw is short for d(loss)/d(w), now with an entry for w1 and one for w2. For
# sample i, dz[i] says how fast the loss rises when only z[i] rises. From w1 to the loss
# there is one path for each sample i: w1 -> z[i] -> loss. Nudge w1, and z[i] moves
# x1[i] times as far, where x1[i] is x[i, 0]. The loss then moves about dz[i] times as
# far as z[i] did. By the chain rule, such derivatives multiply along each path, and the
# products of all paths add up.
#
# What is dz[i]? Only the cost of sample i depends on z[i], so dz[i] is 1/n times the
# derivative of this cost. As p is 1 / (1 + exp(-z)), p is also exp(z) / (1 + exp(z)),
# and 1 - p is 1 / (1 + exp(z)). If y is 0, the cost is -log(1 - p) = log(1 + exp(z)).
# If y is 1, the cost is -log(p) = log(1 + exp(z)) - z. In one formula, this is
#
#     cost = log(1 + exp(z)) - y * z, with derivative exp(z) / (1 + exp(z)) - y.
#
# The derivative is p - y. For a sample of class 0 with p = 0.9 it is 0.9, and the cost
# is -log(0.1), about 2.3. So if z falls by 0.01, the cost falls by about 0.009. With
# p = 0.1, nearly right, the same step would gain only about 0.001.
def loss_and_grads(params, x, y):
    """Return the loss, and its derivatives in the order of params."""
    z, p = forward(params, x)
    loss = bce_with_logits(z, y)  # from z, as log(p) fails where p is rounded to 0

    # loss = 1/n * sum over i of (log(1 + exp(z[i])) - y[i] * z[i]), where n is y.size
    dz = 1 / y.size * (p - y)  # (n,)

    # z[i] = x1[i] * w1 + x2[i] * w2 + b
    dw = x.T @ dz  # (2,)  dw1 = sum over i of x1[i] * dz[i], and likewise dw2
    db = dz.sum()  # sum over i of 1 * dz[i], as b is added to each z[i]
    return loss, (dw, db)


def check_gradient(params, x, y):
    """Nudge w1, w2 and b. Print each derivative beside the rise per nudge."""
    nudge = 1e-6  # so small that the loss rises almost in proportion to it
    w, b = params
    loss, (dw, db) = loss_and_grads(params, x, y)
    for d, step in enumerate(nudge * np.eye(w.size)):  # each step moves one entry of w
        nudged_loss, _ = loss_and_grads((w + step, b), x, y)
        print(f"dw{d + 1} {dw[d]:7.4f} | measured {(nudged_loss - loss) / nudge:7.4f}")
    nudged_loss, _ = loss_and_grads((w, b + nudge), x, y)
    print(f"db  {db:7.4f} | measured {(nudged_loss - loss) / nudge:7.4f}")


# %% Training
# Each epoch makes one step, as in 01: we compute all derivatives, and then from each
# parameter subtract learning_rate times its derivative.
#
# Along any straight way through w and b, each z changes evenly, and the slope of its
# cost, p - y, only rises with z. So the loss never bends down. It has a single valley,
# and any start will do if the steps are small. But if some w and b get every sample
# right, doubling them costs less still. Then there is no bottom, and w keeps growing.
@np.errstate(over="ignore", invalid="ignore")  # train reports what explodes
def train(params, x, y, epochs, learning_rate):
    """Return the trained params, and the loss before each step.

    Raises FloatingPointError if the loss is not finite.
    """
    losses = []
    for epoch in range(1, epochs + 1):
        loss, grads = loss_and_grads(params, x, y)
        if not np.isfinite(loss):
            advice = "lower learning_rate, or look for NaN and infinity in x and y"
            raise FloatingPointError(f"epoch {epoch:4d} | loss {loss}: {advice}")
        if epoch in (1, 3, 10, 30, 100, 300, epochs):
            print(f"epoch {epoch:4d} | loss {loss:.4g}")
        losses.append(loss)
        params = [param - learning_rate * grad for param, grad in zip(params, grads)]
    return params, losses


# %% Plot
BLUE, SKY, ORANGE = "#0072B2", "#56B4E9", "#E69F00"
CLASSES = ((0, SKY, "o"), (1, ORANGE, "^"))  # label, colour and marker


def plot_plane(ax, x, y, params):
    """Draw the samples, the mistakes, the lines of equal p, and the true border."""
    for label, color, marker in CLASSES:
        x1, x2 = x[y == label].T
        ax.plot(x1, x2, marker, color=color, markersize=4, label=f"class {label}")
    _, p = forward(params, x)
    x1, x2 = x[(p > 0.5) != y].T
    ax.plot(x1, x2, "ko", fillstyle="none", markeredgewidth=0.7, label="mistake")

    x1_grid = np.linspace(*ax.get_xlim(), 100)
    x2_grid = np.linspace(*ax.get_ylim(), 100)
    x_grid = np.stack(np.meshgrid(x1_grid, x2_grid), axis=-1)  # (100, 100, 2)
    _, p_grid = forward(params, x_grid)  # (100, 100)
    ax.contourf(x1_grid, x2_grid, p_grid, [0, 0.5, 1], colors=[SKY, ORANGE], alpha=0.25)
    levels, widths = [0.1, 0.5, 0.9], [1, 2, 1]
    ax.contour(x1_grid, x2_grid, p_grid, levels, colors=BLUE, linewidths=widths)
    ax.plot([], [], color=BLUE, label="p = 0.1, 0.5 (thick), 0.9")  # for the legend
    u, v = CENTRES[1] - CENTRES[0]  # the true border is at a right angle to this
    ends = CENTRES.mean(axis=0) + np.outer([-1e4, 1e4], [-v, u])  # (2, 2), far away
    ax.plot(ends[:, 0], ends[:, 1], "k--", label="truth")
    ax.set(xlim=x1_grid[[0, -1]], ylim=x2_grid[[0, -1]])
    ax.set(title="The border is where p = 0.5", xlabel="x1", ylabel="x2")


def plot_probability(ax, y, z):
    """Draw p by score, the labels, and how often class 1 really occurs there."""
    z_grid = np.linspace(z.min(), z.max(), 1001)
    ax.plot(z_grid, sigmoid(z_grid), color=BLUE, linewidth=2, label="p")
    for label, color, _ in CLASSES:
        ax.plot(z[y == label], y[y == label], "|", color=color, markersize=12)

    # We take ten groups by score. If p is right, it is the share of class 1 in each.
    groups = np.array_split(np.argsort(z), min(10, z.size))
    z_means = [z[group].mean() for group in groups]
    shares = [y[group].mean() for group in groups]
    ax.plot(z_means, shares, "ks", markerfacecolor="white", label="share of class 1")
    ax.set(title="Is p how often class 1 occurs?", xlabel="score z", ylabel="p, and y")


def plot_costs(ax, y, z):
    """Draw what each sample costs, by score."""
    z_grid = np.linspace(z.min(), z.max(), 1001)
    for label, color, marker in CLASSES:
        ax.plot(z_grid, np.logaddexp(0, z_grid) - label * z_grid, color=color)
        own = z[y == label]
        costs = np.logaddexp(0, own) - label * own  # log(1 + exp(z)) - y * z
        ax.plot(own, costs, marker, color=color, markersize=4, label=f"class {label}")
    ax.set(title="Being sure and wrong costs most", xlabel="score z", ylabel="cost")


# %% Run
if __name__ == "__main__":
    rng = np.random.default_rng(SEED)
    x, y = make_data(rng, N_SAMPLES)
    truth = true_params()
    start = init_params(rng)
    check_gradient(start, x, y)  # write p for p - y in dz, and see what this says
    params, losses = train(start, x, y, EPOCHS, LEARNING_RATE)
    _, (dw, db) = loss_and_grads(params, x, y)  # near 0 at the bottom
    print(f"largest derivative | {max(np.abs(dw).max(), abs(db)):.1e}")
    # The truth may make more mistakes than the learned model, as it is not fitted to
    # these samples. Or it may make fewer, as training lowers the loss, not the count.
    for name, (w, b) in {"learned": params, "truth": truth}.items():
        _, p = forward((w, b), x)
        accuracy = np.mean((p > 0.5) == y)  # the share of guesses that are right
        line = f"{name:7} | w {w[0]:.4f} {w[1]:.4f} | b {b:.4f}"
        print(f"{line} | training accuracy {accuracy:.3f}")

    plt.style.use(["default", {"axes.titlesize": 11}])
    fig, axes = plt.subplots(1, 3, figsize=(10, 4.2))
    fig.subplots_adjust(left=0.07, right=0.955, top=0.91, bottom=0.34, wspace=0.3)
    z, _ = forward(params, x)
    plot_plane(axes[0], x, y, params)
    plot_probability(axes[1], y, z)
    plot_costs(axes[2], y, z)
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncol=2)
    fig.savefig("02_logistic_regression.png", dpi=160)
    print("saved 02_logistic_regression.png")
    plt.show()

# %% For `uv run`, which installs the packages that these lines name
# /// script
# requires-python = ">=3.9"
# dependencies = ["numpy>=1.22", "matplotlib>=3.5"]
# ///
