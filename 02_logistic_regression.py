"""Logistic regression: one neuron learns the probability that a sample is of class 1.

The data are n samples of two classes, called 0 and 1. Each sample has two inputs, x1
and x2. The samples of a class form a cloud in the plane of x1 and x2, and the clouds
overlap. So no model can always tell the class, but a model can learn how probable each
class is.

The model is a single neuron. It adds up its inputs, each times a weight, and adds a
bias. The result is called the score, or logit, and may be any number. The sigmoid turns
it into a number between 0 and 1:

    z = x @ w + b        the score, for each sample: x1 * w1 + x2 * w2 + b
    p = sigmoid(z)       1 / (1 + exp(-z)), the probability that y is 1
    loss = mean(cost)    a sample costs -log(p) if y is 1, and -log(1 - p) if y is 0

New since 01 are the second input, the sigmoid and this loss, which is called the binary
cross-entropy, or bce for short. If p is above 1/2, which is where z is above 0, class 1
is the best guess. The points where z is 0 form a straight line in the plane.

The index i counts the n samples. x has a row for each, (n, 2), while y, z and p have a
number for each, (n,). x1 and x2 are the columns of x, and w1 and w2 are the two entries
of w. A comment such as (n,) gives the shape of a result.

Run this with `python 02_logistic_regression.py`. Keep common.py in the same folder.
"""

# %% Imports
# The next four lines are for `uv run`, which installs the packages that they name.
# /// script
# requires-python = ">=3.9"
# dependencies = ["numpy>=1.22", "matplotlib>=3.5"]
# ///
import matplotlib.pyplot as plt
import numpy as np
from common import bce_with_logits, sigmoid

# %% Settings
SEED = 0  # fixes the random numbers; another seed gives other data and another start
N_SAMPLES = 300
NOISE = 1.0  # standard deviation of x1 and of x2 about the centre of the class
CENTRES = np.array([[-1.0, 0.0], [1.0, 1.0]])  # x1 and x2 of class 0, and of class 1
LEARNING_RATE = 0.5  # found by trial; a tenth of it would take ten times the epochs
EPOCHS = 1000


# %% Data
def make_data(rng, n):
    """Return n samples: x (n, 2) and y (n,), the labels, 0.0 or 1.0 by equal chance."""
    y = rng.integers(2, size=n)
    centre = CENTRES[y]  # (n, 2), one row for each sample
    x = centre + NOISE * rng.normal(size=(n, 2))
    return x, y.astype(float)


def true_params():
    """Return the w and b with which the model gives the true probabilities.

    The classes are equally likely, and their noise is normal. So near a point x, the
    samples of a class are in proportion to exp(-d^2 / (2 NOISE^2)), where d is the
    distance from x to the centre of the class. As p is 1 / (1 + exp(-z)), exp(z) is
    p / (1 - p): how many times as many samples class 1 has there. So the true z is
    (d0^2 - d1^2) / (2 NOISE^2). In this difference the squares of x1 and x2 cancel, and
    2 x @ (c1 - c0) + c0 @ c0 - c1 @ c1 is left, where c0 and c1 are the centres. This
    gives w and b. Without noise, they are infinite.
    """
    steepness = 1 / NOISE**2 if NOISE > 0 else np.inf
    w = steepness * (CENTRES[1] - CENTRES[0])
    b = steepness * ((CENTRES[0] ** 2).sum() - (CENTRES[1] ** 2).sum()) / 2
    return w, b


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


# %% Loss and backpropagation
# The model gives the label 1 the probability p, and the label 0 the probability 1 - p.
# Good parameters make the labels that really occurred as probable as possible, all of
# them together. If the samples are independent, this probability is a product of n
# factors. Its logarithm is a sum, which is easier to handle. Divided by n, it does not
# grow with the number of samples. A minus sign turns it into a loss, which is to be
# small. So a sample costs -log(p) or -log(1 - p). This is nearly 0 if the model gave
# the true class a probability near 1, and it grows without limit as this falls to 0.
#
# The name dw is short for d(loss)/d(w). It has the shape of w. Each of its entries says
# how fast the loss rises when this entry of w rises and all others stay. The name dz
# means the same for the scores.
#
# How does w1 act on the loss? There is one path for each sample i:
#
#     w1 -> z[i] -> loss
#
# Nudge w1 up by a tiny amount. Then each z[i] moves by x1[i] times that amount. Each
# z[i] moves the loss, by about dz[i] times its own movement. So sample i contributes
# the product of the two, and we add up over all samples. This is the chain rule: along
# a path, derivatives multiply, and the products of several paths add up.
#
# What is dz[i]? The score z[i] acts only on the cost of sample i, of which the loss
# contains 1/n. So dz[i] is 1/n times the derivative of that cost with respect to z[i].
# As p is 1 / (1 + exp(-z)), 1 - p is exp(-z) / (1 + exp(-z)): the two add up to 1.
#
# If y is 1, the cost is -log(p), which is log(1 + exp(-z)). The derivative of log(u) is
# 1/u times the derivative of u, and that of exp(-z) is -exp(-z). So we get
#
#     -exp(-z) / (1 + exp(-z)), which is -(1 - p), which is p - 1.
#
# If y is 0, the cost is -log(1 - p). Divide the numerator and the denominator of 1 - p
# by exp(-z), and it becomes 1 / (exp(z) + 1). So the cost is log(1 + exp(z)), and its
# derivative is
#
#     exp(z) / (1 + exp(z)), which is 1 / (exp(-z) + 1), which is p.
#
# In both cases the derivative is p - y. Take a sample of class 0 with p = 0.9. It costs
# -log(1 - 0.9), about 2.3, and p - y is 0.9. So if z falls by 0.01, the cost falls by
# about 0.009. With p = 0.1, nearly right, the same step would gain only about 0.001.
def loss_and_grads(params, x, y):
    """Return the loss, and its derivatives in the order of params."""
    z, p = forward(params, x)
    loss = bce_with_logits(z, y)  # from z, as log(p) fails where p is rounded to 0

    # loss = 1/n * sum over i of the cost of sample i
    # The 1/n, where n is y.size, comes in here and nowhere else.
    dz = 1 / y.size * (p - y)  # (n,)

    # z[i] = x1[i] * w1 + x2[i] * w2 + b
    dw = x.T @ dz  # (2,)  dw1 = sum over i of x1[i] * dz[i], and likewise dw2
    db = dz.sum()  # sum over i of 1 * dz[i], as b is added to each z[i]
    return loss, (dw, db)


# %% Training
# An epoch is one pass over all samples. Here it makes one step: we compute all
# derivatives, and then from each parameter subtract learning_rate times its derivative.
#
# Does the start matter? On any straight way through w and b, each z changes evenly. The
# slope of its cost, p - y, rises with z, so the loss never bends down. Such a loss has
# a single valley, and every start leads there if the steps are small enough. But if
# some w and b get every sample right, twice that w and b cost less still. Then the
# valley has no lowest point, and w grows for as long as we train.
def train(params, x, y, epochs, learning_rate):
    """Return the trained params, and the loss of each epoch, taken before its step.

    Raises FloatingPointError if the loss is not finite, and ValueError if the shapes
    of x and y do not fit or a label is not in [0, 1].
    """
    losses = []
    for epoch in range(1, epochs + 1):
        loss, grads = loss_and_grads(params, x, y)
        report = f"epoch {epoch:4d} | loss {loss:.4g}"
        if not np.isfinite(loss):
            advice = "is there NaN or infinity in x or y? If not, lower learning_rate"
            raise FloatingPointError(f"{report}: {advice}")
        if epoch in (1, 3, 10, 30, 100, 300, epochs):
            print(report)
        losses.append(loss)
        params = [param - learning_rate * grad for param, grad in zip(params, grads)]
    return params, losses


# %% Plot
BLUE = "#0072B2"
SKY = "#56B4E9"
ORANGE = "#E69F00"
CLASSES = ((0, SKY, "o"), (1, ORANGE, "^"))  # label, colour and marker


def plot_plane(ax, x, y, params):
    """Draw the samples, the mistakes, the lines of equal p, and the true boundary."""
    for label, color, marker in CLASSES:
        x1, x2 = x[y == label].T
        ax.plot(x1, x2, marker, color=color, markersize=4, label=f"class {label}")
    _, p = forward(params, x)
    x1, x2 = x[(p > 0.5) != y].T
    ax.plot(x1, x2, "ko", fillstyle="none", markeredgewidth=0.7, label="mistake")

    # The true boundary is halfway between the centres, and perpendicular to the line
    # from one to the other: (u, v) turned by 90 degrees is (-v, u).
    middle = CENTRES.mean(axis=0)
    u, v = CENTRES[1] - CENTRES[0]
    ax.axline(middle, middle + [-v, u], color="black", linestyle="--", label="truth")

    x1_grid = np.linspace(*ax.get_xlim(), 100)
    x2_grid = np.linspace(*ax.get_ylim(), 100)
    x_grid = np.stack(np.meshgrid(x1_grid, x2_grid), axis=-1)  # (100, 100, 2)
    _, p_grid = forward(params, x_grid)  # (100, 100)
    shades = [SKY + "55", SKY + "22", ORANGE + "22", ORANGE + "55"]  # 55, 22: opacity
    zones = [0, 0.1, 0.5, 0.9, 1]
    ax.contourf(x1_grid, x2_grid, p_grid, zones, colors=shades, zorder=0)
    lines = [0.1, 0.5, 0.9]
    ax.contour(x1_grid, x2_grid, p_grid, lines, colors=BLUE, linewidths=[1, 2, 1])
    ax.set(title="Lines of p = 0.1, 0.5 (thick), 0.9", xlabel="x1", ylabel="x2")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncol=2)


def plot_probability(ax, y, z):
    """Draw the labels and p, by score, and how often class 1 really occurs there."""
    # Jitter moves the dots up or down a little, so that they do not hide each other.
    jitter = np.random.default_rng(0).uniform(-0.04, 0.04, size=y.size)
    for label, color, marker in CLASSES:
        own = y == label
        ax.plot(z[own], y[own] + jitter[own], marker, color=color, markersize=4)
    z_grid = np.linspace(z.min(), z.max(), 1001)
    ax.plot(z_grid, sigmoid(z_grid), color=BLUE, linewidth=2, label="p")

    # Sort the samples by score, and split them into ten groups: if p is right, it is
    # about the share of class 1 in each group.
    groups = np.array_split(np.argsort(z), min(10, z.size))
    z_means = [z[group].mean() for group in groups]
    shares = [y[group].mean() for group in groups]
    ax.plot(z_means, shares, "ks", markerfacecolor="white", label="share of class 1")
    ax.set(title="Probability of class 1", xlabel="score z", ylabel="p, and y (dots)")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncol=2)


def plot_costs(ax, y, z, p):
    """Draw what each sample costs, by score, and name the p of the costliest ones."""
    for label, color, marker in CLASSES:
        own = y == label
        if not own.any():
            continue  # few samples may all be of one class
        # For class 0, the cost is log(1 + exp(z)). For class 1, it is log(1 + exp(-z)),
        # which is less by z.
        z_grid = np.linspace(z[own].min(), z[own].max(), 1001)
        ax.plot(z_grid, np.logaddexp(0, z_grid) - label * z_grid, color=color)
        costs = np.logaddexp(0, z[own]) - label * z[own]
        worst_p = p[own][np.argmax(costs)]
        name = f"class {label}, worst p = {worst_p:.2g}"
        ax.plot(z[own], costs, marker, color=color, markersize=4, label=name)
    ax.set(title="What a sample costs", xlabel="score z", ylabel="cost of the sample")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18))


def plot(x, y, params):
    """Return the figure."""
    fig, axes = plt.subplots(1, 3, figsize=(10, 4.2))
    # Three square panels, with room for a legend below each
    fig.subplots_adjust(left=0.065, right=0.975, top=0.88, bottom=0.3, wspace=0.36)
    z, p = forward(params, x)
    plot_plane(axes[0], x, y, params)
    plot_probability(axes[1], y, z)
    plot_costs(axes[2], y, z, p)
    return fig


# %% Run
if __name__ == "__main__":
    rng = np.random.default_rng(SEED)
    x, y = make_data(rng, N_SAMPLES)
    start = init_params(rng)
    params, losses = train(start, x, y, EPOCHS, LEARNING_RATE)

    # Where all derivatives are 0, we are at the bottom of the valley.
    _, (dw, db) = loss_and_grads(params, x, y)
    largest = max(np.abs(dw).max(), abs(db))
    print(f"largest derivative | {largest:.10f}")

    # The truth guesses the class whose centre is nearer. It may make fewer mistakes
    # than the learned model, because training lowers the loss and not the mistakes.
    _, p = forward(params, x)
    d0, d1 = [np.linalg.norm(x - centre, axis=1) for centre in CENTRES]
    guesses = {"learned": p > 0.5, "truth": d0 > d1}
    for name, (w, b) in {"learned": params, "truth": true_params()}.items():
        accuracy = np.mean(guesses[name] == y)  # the share of guesses that are right
        line = f"{name:7} | w {w[0]:.4f} {w[1]:.4f} | b {b:.4f}"
        print(f"{line} | training accuracy {accuracy:.3f}")

    plt.style.use(["default", {"axes.spines.top": False, "axes.spines.right": False}])
    plot(x, y, params).savefig("02_logistic_regression.png", dpi=160)
    print("saved 02_logistic_regression.png")
    plt.show()
