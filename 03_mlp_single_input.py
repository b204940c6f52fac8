"""A two-layer network learns a curve: a hidden layer, and the chain rule through it.

The data are points near a sine, each a little off it because of noise. No straight line
can follow a sine. So we put a layer of H neurons between the input and the output. Such
a layer is called hidden, and its neurons are called units. Each unit makes a straight
line of its own and bends it. The output adds up the bent lines, each times a weight.

    z1 = x @ W1 + b1                  one straight line for each unit
    a1 = activation(z1)               each line bent, by relu for example: max(z1, 0)
    y_pred = a1 @ W2 + b2             the bent lines, each times its weight, added up
    loss = mean((y_pred - y) ** 2)    the mean of the squared errors

The bend is what matters. If a1 were z1, then y_pred would be (x @ W1 + b1) @ W2 + b2.
This is x @ (W1 @ W2) + (b1 @ W2 + b2), a straight line again, however many units there
are. So the script trains the same network with three activations: relu and tanh bend
the lines, and the identity leaves them straight.

The index i counts the n samples, which are the rows of x and y. The index j counts the
units. We leave out the index of an axis of length 1: x[i] means x[i, 0], W1[j] means
W1[0, j], and W2[j] means W2[j, 0]. A comment such as (n, H) gives the shape of a
result.

Run this with `python 03_mlp_single_input.py`. Keep common.py in the same folder.
"""

# %% Imports
# The next four lines are for `uv run`, which installs the packages that they name.
# /// script
# requires-python = ">=3.9"
# dependencies = ["numpy>=1.22", "matplotlib>=3.5"]
# ///
import matplotlib.pyplot as plt
import numpy as np
from common import identity, identity_grad, mse, relu, relu_grad, tanh, tanh_grad

# %% Settings
SEED = 0  # fixes the random numbers; another seed gives other data and another start
N_SAMPLES = 160
NOISE = 0.2  # standard deviation of the noise, in the unit of y
HIDDEN = 8  # number of hidden units
LEARNING_RATE = 0.03  # found by trial; with many more units it must be smaller
EPOCHS = 4000

# The activations, each with its derivative. The script trains and draws all of them.
# It also draws the single units of the first one.
DERIVATIVE = {relu: relu_grad, tanh: tanh_grad, identity: identity_grad}


# %% Data
def truth(x):
    """Return the y that belongs to x, without noise."""
    return np.sin(2 * x)


def make_data(rng, n):
    """Return n samples: x (n, 1) and y (n, 1)."""
    x = rng.uniform(-2, 2, size=(n, 1))
    y = truth(x) + NOISE * rng.normal(size=(n, 1))
    return x, y


# %% Model
def init_params(rng, H):
    """Return W1 (1, H), b1 (H,), W2 (H, 1) and b2 (1,) to start from.

    Two units that started with equal W1, b1 and W2 would get equal gradients, make
    equal steps, and stay equal forever. So the start is random.
    """
    W1 = rng.choice([-1.0, 1.0], size=(1, H))  # the slope of each line is 1 or -1
    b1 = rng.uniform(-2, 2, size=H)  # z1 is 0, and relu bends, at x = -b1 / W1
    W2 = rng.normal(size=(H, 1)) / np.sqrt(H)  # H random terms sum to about sqrt(H)
    b2 = np.zeros(1)
    return W1, b1, W2, b2


def forward(params, x, activation):
    """Return z1 and a1, both (n, H), and y_pred (n, 1), for x (n, 1)."""
    W1, b1, W2, b2 = params
    z1 = x @ W1 + b1  # (n, H)
    a1 = activation(z1)  # (n, H)
    y_pred = a1 @ W2 + b2  # (n, 1)
    return z1, a1, y_pred


# %% Loss and backpropagation
# The name dW2 is short for d(loss)/d(W2). It has the shape of W2. Each of its entries
# says how fast the loss rises when this entry of W2 rises and all others stay. Names
# such as da1 mean the same for the values on the way from the parameters to the loss.
#
# How does W2[j] act on the loss? There is one path for each sample i:
#
#     W2[j] -> y_pred[i] -> loss
#
# Nudge W2[j] up by a tiny amount. Then each y_pred[i] moves by a1[i, j] times that
# amount. Each y_pred[i] moves the loss, by about dy_pred[i] times its own movement. So
# sample i contributes the product of the two, and we add up over all samples. A matrix
# product is just such a sum: a1.T @ dy_pred adds up over i, because i counts the
# columns of a1.T and the rows of dy_pred.
#
# This is the chain rule: along a path from a number to the loss, derivatives multiply,
# and if there are several paths, their products add up. The paths of W1[j] are longer:
#
#     W1[j] -> z1[i, j] -> a1[i, j] -> y_pred[i] -> loss
#
# The derivatives along the arrows are x[i], the slope of the activation at z1[i, j],
# W2[j], and dy_pred[i]. We walk the paths from right to left, so that each step can use
# the result of the step before. That is why the method is called backpropagation. In
# the code, each line of the model comes again as a comment, with indices. The
# derivatives that follow from it stand below.
def loss_and_grads(params, x, y, activation):
    """Return the loss, and its derivatives in the order of params."""
    W1, b1, W2, b2 = params
    z1, a1, y_pred = forward(params, x, activation)
    loss = mse(y_pred, y)

    # loss = 1/n * sum over i of (y_pred[i] - y[i])^2
    # Each y_pred[i] is in one term of the sum only, and the derivative of u^2 is 2 u.
    # The 1/n, where n is y.size, comes in here and nowhere else.
    dy_pred = 2 / y.size * (y_pred - y)  # (n, 1)

    # y_pred[i] = sum over j of a1[i, j] * W2[j], plus b2
    dW2 = a1.T @ dy_pred  # (H, 1)  dW2[j] = sum over i of a1[i, j] * dy_pred[i]
    db2 = dy_pred.sum(axis=0)  # (1,)  db2 = sum over i of 1 * dy_pred[i]
    da1 = dy_pred @ W2.T  # (n, H)  da1[i, j] = dy_pred[i] * W2[j]: one path, one term

    # a1[i, j] = activation(z1[i, j])
    # Each z1[i, j] moves only a1[i, j], so we multiply entry by entry: with *, not @.
    # The derivative of relu is 1 where z1 > 0 and 0 where z1 < 0. At its kink, z1 = 0,
    # we choose 0. That of tanh is 1 - tanh^2 (see common.py), that of the identity 1.
    dz1 = da1 * DERIVATIVE[activation](z1)  # (n, H)

    # z1[i, j] = x[i] * W1[j] + b1[j]
    dW1 = x.T @ dz1  # (1, H)  dW1[j] = sum over i of x[i] * dz1[i, j]
    db1 = dz1.sum(axis=0)  # (H,)  db1[j] = sum over i of 1 * dz1[i, j]
    return loss, (dW1, db1, dW2, db2)


# %% Training
# An epoch is one pass over all samples. Here it makes one step: we compute all
# derivatives, and then from each parameter subtract learning_rate times its derivative.
def train(params, x, y, activation, epochs, learning_rate):
    """Return the trained params, and the loss of each epoch, taken before its step.

    Raises FloatingPointError if the loss is not finite, and ValueError if the shapes
    of x and y do not fit.
    """
    losses = []
    for epoch in range(1, epochs + 1):
        loss, grads = loss_and_grads(params, x, y, activation)
        report = f"epoch {epoch:4d} | loss {loss:.4g}"
        if not np.isfinite(loss):
            advice = "is there NaN or infinity in x or y? If not, lower learning_rate"
            raise FloatingPointError(f"{report}: {advice}")
        if epoch in (1, 10, 100, 1000, epochs):
            print(report)
        losses.append(loss)
        params = [param - learning_rate * grad for param, grad in zip(params, grads)]
    return params, losses


def train_all(start, x, y, epochs, learning_rate):
    """Train with each activation from one start, and return params and losses for each.

    A network whose loss becomes infinite or NaN is reported and left out.
    """
    runs = {}
    for activation in DERIVATIVE:
        print(activation.__name__)
        try:
            with np.errstate(over="ignore", invalid="ignore"):  # train reports it
                runs[activation] = train(start, x, y, activation, epochs, learning_rate)
        except FloatingPointError as error:
            print(error)
    if not runs:
        raise FloatingPointError("none of the networks could be trained, see above")
    return runs


# %% Plot
BLUE = "#0072B2"
PALE_BLUE = "#80B8D8"
VERMILION = "#D55E00"
GREY = "0.8"


def line_style(runs, activation):
    """Return how to draw a network: the first one blue, the next ones paler and wider.

    The identity is vermilion, as it is only here for comparison.
    """
    if activation is identity:
        style = {"color": VERMILION, "linewidth": 1}
    else:
        place = list(runs).index(activation)
        style = {"color": BLUE, "alpha": 0.5**place, "linewidth": 2 + 2 * place}
    return {"label": activation.__name__, **style}


def plot_fits(ax, x, y, runs):
    """Draw the data, what each network has learned, and the truth."""
    grid = np.linspace(x.min(), x.max(), 401)[:, None]  # (401, 1)
    ax.plot(x, y, "o", color=GREY, markersize=4, label="data")
    for activation in reversed(list(runs)):  # the first one last, on top of the others
        params, _ = runs[activation]
        _, _, y_pred = forward(params, grid, activation)
        ax.plot(grid, y_pred, **line_style(runs, activation))
    ax.plot(grid, truth(grid), "--", color="black", label="truth")
    ax.set(title="What the networks learned", xlabel="x", ylabel="y")


def plot_units(ax, x, params, activation):
    """Draw what each hidden unit adds to the output, and their sum."""
    W1, b1, W2, b2 = params
    grid = np.linspace(x.min(), x.max(), 401)[:, None]  # (401, 1)
    _, a1, y_pred = forward(params, grid, activation)
    ax.plot(grid, a1 * W2.T, color=PALE_BLUE)  # (401, H): a1[i, j] * W2[j], not summed
    ax.plot(grid, y_pred, color=BLUE, linewidth=3, label="sum + b2")

    zeros = -b1 / W1[0]  # (H,), the x at which a unit's z1 is 0; relu bends there
    zeros = zeros[(zeros > x.min()) & (zeros < x.max())]
    _, _, y_zeros = forward(params, zeros[:, None], activation)
    ax.vlines(zeros, 0, y_zeros[:, 0], color="black", linestyle=":")
    ax.plot(zeros, y_zeros, "o", color=BLUE, markersize=7, label="a unit's z1 is 0")
    ax.set(title=f"{activation.__name__} units (pale) add up", xlabel="x", ylabel="y")


def plot_losses(ax, runs, true_loss):
    """Draw each network's loss, and the loss that the truth has on the same data."""
    for activation in reversed(list(runs)):
        _, losses = runs[activation]
        style = line_style(runs, activation)
        if len(losses) == 1:
            style["marker"] = "o"  # one point alone makes no line
        epochs = np.arange(1, len(losses) + 1)
        ax.loglog(epochs, losses, **style)
    ax.axhline(true_loss, linestyle="--", color="black", label="truth")
    ax.set(title="Loss per epoch", xlabel="epoch", ylabel="training loss")


def plot(x, y, runs):
    """Return the figure, for runs: a dict from each activation to params and losses."""
    fig, axes = plt.subplots(1, 3, figsize=(10, 4.2))
    # Three square panels, with room for a legend below each
    fig.subplots_adjust(left=0.065, right=0.975, top=0.88, bottom=0.3, wspace=0.36)
    first = list(runs)[0]
    params, _ = runs[first]
    plot_fits(axes[0], x, y, runs)
    plot_units(axes[1], x, params, first)
    plot_losses(axes[2], runs, mse(truth(x), y))
    for ax in axes:
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncol=2)
    return fig


# %% Run
if __name__ == "__main__":
    rng = np.random.default_rng(SEED)
    x, y = make_data(rng, N_SAMPLES)
    start = init_params(rng, HIDDEN)
    runs = train_all(start, x, y, EPOCHS, LEARNING_RATE)

    y_preds = {}
    for activation, (trained_params, _) in runs.items():
        _, _, y_pred = forward(trained_params, x, activation)
        y_preds[activation.__name__] = y_pred
    slope, offset = np.polyfit(x[:, 0], y[:, 0], deg=1)  # the best straight line
    y_preds["least squares"] = slope * x + offset
    y_preds["truth"] = truth(x)

    # RMSE is the root of the mean squared error. Where it is below that of the truth, a
    # network has also learned some of the noise.
    for name, y_pred in y_preds.items():
        rmse = np.sqrt(mse(y_pred, y))
        print(f"{name:13} | training RMSE {rmse:.4f} (unit of y)")

    plt.style.use(["default", {"axes.spines.top": False, "axes.spines.right": False}])
    plt.style.use({"axes.formatter.min_exponent": 4})  # 0.1 at the axes, and not 10^-1
    plot(x, y, runs).savefig("03_mlp_single_input.png", dpi=160)
    print("saved 03_mlp_single_input.png")
    params, losses = list(runs.values())[0]  # to play with after `python -i`
    plt.show()
