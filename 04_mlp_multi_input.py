"""A two-layer network learns from many inputs, trained as one would on real data.

The data are samples with five inputs, and a target y that depends on them through a
curved function, with noise added. The network is that of 03, now with D inputs instead
of one, H hidden units, and K outputs. Here D is 5 and K is 1. The activation is relu:

    z1 = x @ W1 + b1                  each unit: its inputs, times weights, plus a bias
    a1 = relu(z1)                     max(z1, 0): a unit is silent where z1 is below 0
    y_pred = a1 @ W2 + b2             each output: the units, times weights, plus a bias
    loss = mean((y_pred - y) ** 2)    the mean of all n * K squared errors

New besides the sizes is how the network is trained. The data are scaled, so that no
input outweighs the others. Training goes in mini-batches, which makes many quick steps
out of one slow one, and the steps shrink towards the end. And the result is judged by
test data, which the training has never seen. Each reason is given where it happens.

The index i counts the n samples, which are the rows of x and y. In training, these are
the samples of one batch. The index d counts the inputs, j the units, and k the outputs.
So x[i, d], z1[i, j] and y_pred[i, k] are numbers. A comment such as (n, H) gives the
shape of a result.

Run this with `python 04_mlp_multi_input.py`. Keep common.py in the same folder.
"""

# %% Imports
# The next four lines are for `uv run`, which installs the packages that they name.
# /// script
# requires-python = ">=3.9"
# dependencies = ["numpy>=1.22", "matplotlib>=3.5"]
# ///
import matplotlib.pyplot as plt
import numpy as np
from common import mse, relu, relu_grad

# %% Settings
SEED = 0  # fixes the random numbers; another seed gives other data and another start
N_SAMPLES, N_TEST = 8000, 2000  # samples to train on, and to test
NOISE = 1.0  # standard deviation of the noise, in the unit of y
HIDDEN = 40  # number of hidden units
LEARNING_RATE = 0.15  # of the first epoch; if the loss explodes, try 0.05
EPOCHS = 60
BATCH_SIZE = 32  # number of samples for each step


# %% Data
def truth(x):
    """Return the y (n, 1) that belongs to x (n, 5), without noise.

    This is Friedman #1, a common test function (J. Friedman, Multivariate Adaptive
    Regression Splines, Annals of Statistics 19, 1991).
    """
    x1, x2, x3, x4, x5 = x.T
    y = 10 * np.sin(np.pi * x1 * x2) + 20 * (x3 - 0.5) ** 2 + 10 * x4 + 5 * x5
    return y[:, None]


def make_data(rng, n):
    """Return n samples: x (n, 5) and y (n, 1)."""
    x = rng.uniform(size=(n, 5))
    y = truth(x) + NOISE * rng.normal(size=(n, 1))
    return x, y


# %% Model
def init_params(rng, D, H, K):
    """Return W1 (D, H), b1 (H,), W2 (H, K) and b2 (K,) to start from.

    Two units that started with equal weights would get equal gradients, make equal
    steps, and stay equal forever. So the start is random.
    """
    W1 = rng.normal(size=(D, H)) / np.sqrt(D)  # D random terms sum to about sqrt(D)
    b1 = np.zeros(H)
    W2 = rng.normal(size=(H, K)) / np.sqrt(H)  # so z1 is sized like x, y_pred like a1
    b2 = np.zeros(K)
    return W1, b1, W2, b2


def forward(params, x):
    """Return z1 and a1, both (n, H), and y_pred (n, K), for x (n, D)."""
    W1, b1, W2, b2 = params
    z1 = x @ W1 + b1  # (n, H)
    a1 = relu(z1)  # (n, H)
    y_pred = a1 @ W2 + b2  # (n, K)
    return z1, a1, y_pred


# %% Loss and backpropagation
# The name dW2 is short for d(loss)/d(W2). It has the shape of W2. Each of its entries
# says how fast the loss rises when this entry of W2 rises and all others stay. Names
# such as da1 mean the same for the values on the way from the parameters to the loss.
#
# The chain rule: along a path from a number to the loss, derivatives multiply, and if
# there are several paths, their products add up. W2[j, k] acts on output k alone, so
# its paths differ only in the sample i. The paths of W1[d, j] differ in i and in k:
#
#     W2[j, k] -> y_pred[i, k] -> loss
#     W1[d, j] -> z1[i, j] -> a1[i, j] -> y_pred[i, k] -> loss
#
# We walk the paths from right to left, so that each step can use the result of the step
# before. That is why the method is called backpropagation. In the code, each line of
# the model comes again as a comment, with indices. The derivatives that follow from it
# stand below. New since 03 is the sum over k in da1, because a unit now acts on K
# outputs.
def loss_and_grads(params, x, y):
    """Return the loss, and its derivatives in the order of params."""
    W1, b1, W2, b2 = params
    z1, a1, y_pred = forward(params, x)
    loss = mse(y_pred, y)

    # loss = 1/(n K) * sum over i and k of (y_pred[i, k] - y[i, k])^2
    # Each y_pred[i, k] is in one term of the sum, and the derivative of u^2 is 2 u. The
    # 1/(n K), where n K is y.size, comes in here and nowhere else.
    dy_pred = 2 / y.size * (y_pred - y)  # (n, K)

    # y_pred[i, k] = sum over j of a1[i, j] * W2[j, k], plus b2[k]
    dW2 = a1.T @ dy_pred  # (H, K)  dW2[j, k] = sum over i of a1[i, j] * dy_pred[i, k]
    db2 = dy_pred.sum(axis=0)  # (K,)  db2[k] = sum over i of 1 * dy_pred[i, k]
    da1 = dy_pred @ W2.T  # (n, H)  da1[i, j] = sum over k of dy_pred[i, k] * W2[j, k]

    # a1[i, j] = relu(z1[i, j])
    # Each z1[i, j] moves only a1[i, j], so we multiply entry by entry: with *, not @.
    # The derivative of relu is 1 where z1 > 0 and 0 where z1 < 0. At its kink, z1 = 0,
    # we choose 0.
    dz1 = da1 * relu_grad(z1)  # (n, H)

    # z1[i, j] = sum over d of x[i, d] * W1[d, j], plus b1[j]
    dW1 = x.T @ dz1  # (D, H)  dW1[d, j] = sum over i of x[i, d] * dz1[i, j]
    db1 = dz1.sum(axis=0)  # (H,)  db1[j] = sum over i of 1 * dz1[i, j]
    return loss, (dW1, db1, dW2, db2)


# %% Training
# An epoch is one pass over all samples. Here it makes many steps, one for each batch of
# samples. In a step we compute all derivatives, for the samples of the batch, and then
# from each parameter subtract learning_rate times its derivative.
def train_one_epoch(params, x, y, rng, learning_rate, batch_size):
    """Return params after a step for each batch.

    The derivatives for a batch are only a rough guess at those for all samples, but
    they are quick to compute. Far from the lowest point, many rough steps get further
    than a single exact one. (Try BATCH_SIZE = N_SAMPLES.)
    """
    order = rng.permutation(len(x))  # shuffled row numbers: new batches in each epoch
    for first in range(0, len(x), batch_size):
        batch = order[first : first + batch_size]  # the last batch may be shorter
        _, grads = loss_and_grads(params, x[batch], y[batch])
        params = [param - learning_rate * grad for param, grad in zip(params, grads)]
    return params


def train(params, x, y, x_test, y_test, rng, epochs, learning_rate, batch_size):
    """Return the trained params, the losses, and the test losses, after each epoch.

    Raises FloatingPointError if a loss is not finite, and ValueError if batch_size is
    below 1 or the shapes do not fit.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}")
    for inputs, targets in ((x, y), (x_test, y_test)):
        mse(forward(params, inputs)[-1], targets)  # raises ValueError if shapes differ

    losses = []
    test_losses = []
    for epoch in range(1, epochs + 1):
        # At first, large steps get on quickly. Later, when little is left to gain, they
        # would mostly follow the errors of the rough guesses. So the steps shrink.
        rate = learning_rate * (1 - (epoch - 1) / epochs)
        params = train_one_epoch(params, x, y, rng, rate, batch_size)

        # A network can learn the noise of its own samples by heart, so its loss on them
        # flatters. What counts is the loss on other samples. (If you choose settings by
        # the test loss, that one flatters, too. Then keep a third set for the end.)
        loss = mse(forward(params, x)[-1], y)
        test_loss = mse(forward(params, x_test)[-1], y_test)
        report = f"epoch {epoch:4d} | loss {loss:.4g} | test loss {test_loss:.4g}"
        if not np.isfinite(loss + test_loss):
            advice = "is there NaN or infinity in x or y? If not, lower learning_rate"
            raise FloatingPointError(f"{report}: {advice}")
        if epoch in (1, 2, 5, 10, 20, 40, epochs):
            print(report)
        losses.append(loss)
        test_losses.append(test_loss)
    return params, losses, test_losses


def predict(params, scaling, x):
    """Return y_pred (n, K) for x (n, D), both in the data's own units.

    scaling is x_mean, x_std, y_mean and y_std of the training data. One sample may also
    be given as (D,). Raises ValueError if the last axis of x is not D.
    """
    x_mean, x_std, y_mean, y_std = scaling
    if np.shape(x)[-1:] != x_mean.shape:  # NumPy would broadcast (n, 1) to (n, D)
        D = x_mean.size
        raise ValueError(f"x must be (n, {D}), or ({D},) for one, not {np.shape(x)}")
    _, _, y_pred = forward(params, (x - x_mean) / x_std)
    return y_pred * y_std + y_mean


# %% Plot
BLUE = "#0072B2"
PALE_BLUE = "#80B8D8"
VERMILION = "#D55E00"
GREY = "0.8"


def plot_errors(ax, errors):
    """Draw how the errors of each model are distributed, on the test data."""
    bins = np.histogram_bin_edges(list(errors.values()), 50)  # the same for all
    ax.hist(errors["truth"], bins, density=True, color=GREY, label="truth (noise)")
    for name, color, width in (("straight line", VERMILION, 1), ("network", BLUE, 2)):
        style = {"color": color, "linewidth": width, "label": name}
        ax.hist(errors[name], bins, density=True, histtype="step", **style)
    ax.set(title="Errors on test data", xlabel="y_pred - y", ylabel="density")


def plot_effect(ax, models):
    """Draw what each model predicts when x3 moves and the other inputs stay at 0.5."""
    x_grid = np.full((101, 5), 0.5)
    x3 = np.linspace(0, 1, 101)
    x_grid[:, 2] = x3
    for name, color, width in (("straight line", VERMILION, 1), ("network", BLUE, 2)):
        ax.plot(x3, models[name](x_grid), color=color, linewidth=width, label=name)
    ax.plot(x3, models["truth"](x_grid), "--", color="black", label="truth")
    ax.set(title="The effect of x3", xlabel="x3, other inputs at 0.5", ylabel="y")


def plot_losses(ax, losses, test_losses, line_loss, true_loss):
    """Draw the losses of the network, and the test losses of the line and the truth."""
    epochs = np.arange(1, len(losses) + 1)
    marker = "o" if len(losses) == 1 else ""  # one point alone makes no line
    pale = {"color": PALE_BLUE, "linewidth": 4, "marker": marker}
    dark = {"color": BLUE, "linewidth": 2, "marker": marker}
    ax.loglog(epochs, losses, label="training", **pale)
    ax.loglog(epochs, test_losses, label="test", **dark)
    ax.axhline(line_loss, color=VERMILION, linewidth=1, label="straight line, test")
    ax.axhline(true_loss, linestyle="--", color="black", label="truth, test")
    ax.set(title="The network's loss", xlabel="epoch", ylabel="loss (scaled y squared)")


def plot(models, errors, y_std, losses, test_losses):
    """Return the figure. models are functions of x, and errors are on the test data."""
    fig, axes = plt.subplots(1, 3, figsize=(10, 4.2))
    # Three square panels, with room for a legend below each
    fig.subplots_adjust(left=0.065, right=0.975, top=0.88, bottom=0.3, wspace=0.36)
    line_loss = np.mean((errors["straight line"] / y_std) ** 2)
    true_loss = np.mean((errors["truth"] / y_std) ** 2)
    plot_errors(axes[0], errors)
    plot_effect(axes[1], models)
    plot_losses(axes[2], losses, test_losses, line_loss, true_loss)
    for ax in axes:
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncol=2)
    return fig


# %% Run
if __name__ == "__main__":
    rng = np.random.default_rng(SEED)
    x, y = make_data(rng, N_SAMPLES)
    x_test, y_test = make_data(rng, N_TEST)
    start = init_params(rng, x.shape[1], HIDDEN, y.shape[1])

    # Row d of dW1 grows with input d. If one input is in millimetres and another in
    # metres, no learning rate suits both. And inputs far from 0 make a long valley of
    # the loss, along which steps are slow, as in 01. So each input is shifted to mean 0
    # and scaled to standard deviation 1. (Here all inputs go from 0 to 1, so this only
    # speeds up the first epochs. An input that never changes has standard deviation 0
    # and must be left out.) The target is scaled, too, so that its unit does not
    # matter. Then a model that always predicts the mean has a loss of about 1, which is
    # the variance of the scaled target.
    #
    # Test data stand for data that nobody has seen yet. So the means and standard
    # deviations come from the training data alone.
    x_mean, x_std = x.mean(axis=0), x.std(axis=0)  # (D,), (D,)
    y_mean, y_std = y.mean(axis=0), y.std(axis=0)  # (K,), (K,)
    scaling = x_mean, x_std, y_mean, y_std
    params, losses, test_losses = train(
        start,
        x=(x - x_mean) / x_std,
        y=(y - y_mean) / y_std,
        x_test=(x_test - x_mean) / x_std,
        y_test=(y_test - y_mean) / y_std,
        rng=rng,
        epochs=EPOCHS,
        learning_rate=LEARNING_RATE,
        batch_size=BATCH_SIZE,
    )

    # Three models to compare, each a function of x, in the data's own units. The
    # straight line is 01 with a slope for each input, by the formula for least squares.
    slopes, *_ = np.linalg.lstsq(x - x_mean, y - y_mean, rcond=None)  # (D, K)

    def network(x):
        return predict(params, scaling, x)

    def straight_line(x):
        return (x - x_mean) @ slopes + y_mean

    models = {"network": network, "straight line": straight_line, "truth": truth}
    errors = {name: model(x_test) - y_test for name, model in models.items()}
    for name, error in errors.items():
        rmse = np.sqrt(np.mean(error**2))  # root mean squared error
        print(f"{name:13} | test RMSE {rmse:.4f} (unit of y)")
    y_test_pred = network(x_test)  # to play with after `python -i`

    plt.style.use(["default", {"axes.spines.top": False, "axes.spines.right": False}])
    plt.style.use({"axes.formatter.min_exponent": 4})  # 0.1 at the axes, and not 10^-1
    fig = plot(models, errors, y_std, losses, test_losses)
    fig.savefig("04_mlp_multi_input.png", dpi=160)
    print("saved 04_mlp_multi_input.png")
    plt.show()
