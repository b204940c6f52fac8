"""A two-layer network learns from many inputs, trained as one would on real data.

The data are n samples with five inputs, and a target y that depends on them through a
curved function, with noise added. The network is that of 03, now with D inputs instead
of one, H hidden units, and K outputs. Here D is 5 and K is 1. The activation is relu:

    z1 = x @ W1 + b1                  each unit: its inputs, times weights, plus a bias
    a1 = relu(z1)                     max(z1, 0): a unit is silent where z1 is below 0
    y_pred = a1 @ W2 + b2             each output: the units, times weights, plus a bias
    loss = mean((y_pred - y) ** 2)    the mean of all n * K squared errors

New besides the sizes is how the network is trained and judged:

- The data are scaled, so that one learning rate suits all inputs.
- Each step uses a mini-batch of a few samples. The steps shrink towards the end.
- The result is judged by test data, which the training has never seen.

A comment such as (n, H) gives the shape of a result. Keep common.py in the same folder.
"""

# %% Imports
import matplotlib.pyplot as plt
import numpy as np
from common import mse, relu, relu_grad

# %% Settings
SEED = 0  # fixes the random numbers; another seed gives other data and another start
N_SAMPLES, N_TEST = 8000, 2000  # samples to train on (try 20), and to test
NOISE = 1.0  # standard deviation of the noise, in the unit of y
HIDDEN = 40  # number of hidden units
LEARNING_RATE = 0.15  # of the first epoch; if the loss explodes, try a third of it
EPOCHS = 60
BATCH_SIZE = 32  # number of samples for each step


# %% Data
def truth(x):
    """Return the y (n, 1) that belongs to x (n, 5), without noise.

    This is Friedman #1, a common test function (Annals of Statistics 19, 1991).
    """
    x1, x2, x3, x4, x5 = x.T
    y = 10 * np.sin(np.pi * x1 * x2) + 20 * (x3 - 0.5) ** 2 + 10 * x4 + 5 * x5
    return y[:, None]


def make_data(rng, n):
    """Return n samples: x (n, 5) and y (n, 1)."""
    x = rng.uniform(size=(n, 5))
    y = truth(x) + NOISE * rng.normal(size=(n, 1))
    return x, y


def fit_scaling(x, y):
    """Return x_mean, x_std, y_mean and y_std, of the training data.

    The derivative for a weight grows with its input. So if one input is in millimetres
    and another in metres, no learning rate suits both. And inputs far from 0 make a
    long valley of the loss, as in 01. So each input is shifted to mean 0 and scaled to
    standard deviation 1. (Here all inputs go from 0 to 1, so this only speeds up the
    first epochs.) The target is scaled, too. Then its unit does not matter, and a model
    that always predicts the mean has a loss of about 1. (Here this matters most: with y
    as it is, and at this rate, the loss explodes in the first epoch.) The numbers come
    from the training data alone, as test data stand for data that nobody has seen yet.
    """
    return x.mean(axis=0), x.std(axis=0), y.mean(axis=0), y.std(axis=0)


def scale(x, y, scaling):
    """Return x and y as the network sees them."""
    x_mean, x_std, y_mean, y_std = scaling
    if np.shape(x)[-1:] != x_mean.shape:  # NumPy would broadcast (n, 1) to (n, D)
        raise ValueError(f"x needs {x_mean.size} columns, but it is {np.shape(x)}")
    for mean, std in ((x_mean, x_std), (y_mean, y_std)):
        if np.any(std <= 1e-12 * np.abs(mean)):  # it is 0, but for rounding
            raise ValueError("a column never changes: leave it out, or add samples")
    return (x - x_mean) / x_std, (y - y_mean) / y_std


# %% Model
def init_params(rng, D, H, K):
    """Return W1 (D, H), b1 (H,), W2 (H, K) and b2 (K,) to start from.

    Two units that started with equal weights, in and out, would get equal gradients,
    make equal steps, and stay equal forever. So the start is random.
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


def predict(params, scaling, x):
    """Return y_pred (n, K) for x (n, D), or (K,) for (D,), in the data's own units."""
    _, _, y_mean, y_std = scaling
    x_scaled, _ = scale(x, y_mean, scaling)  # there is no y to scale
    _, _, y_pred = forward(params, x_scaled)
    return y_pred * y_std + y_mean


# %% Loss and backpropagation
# As in 03, dW2 is short for d(loss)/d(W2). Each of its entries says how fast the loss
# rises when this entry of W2 rises and all others stay. Names such as da1 mean the same
# for the values on the way. Along a path from a number to the loss, derivatives
# multiply, and the products of several paths add up. The index i counts the n samples
# (in training, those of a batch), d the inputs, j the units, and k the outputs:
#
#     W2[j, k] -> y_pred[i, k] -> loss
#     W1[d, j] -> z1[i, j] -> a1[i, j] -> y_pred[i, k] -> loss
#
# As W2[j, k] acts on output k alone, it has one path for each i, and W1[d, j] has one
# for each i and k. We walk them backwards, so that each step can use the one before.
# New since 03 is the sum over k in da1, because a unit now acts on K outputs.
def loss_and_grads(params, x, y):
    """Return the loss, and its derivatives in the order of params."""
    W1, b1, W2, b2 = params
    z1, a1, y_pred = forward(params, x)
    loss = mse(y_pred, y)

    # loss = 1/(n K) * sum over i and k of (y_pred[i, k] - y[i, k])^2; n K is y.size
    # Each y_pred[i, k] is in one term of the sum, and the derivative of u^2 is 2 u.
    dy_pred = 2 / y.size * (y_pred - y)  # (n, K)

    # y_pred[i, k] = sum over j of a1[i, j] * W2[j, k], plus b2[k]
    dW2 = a1.T @ dy_pred  # (H, K)  dW2[j, k] = sum over i of a1[i, j] * dy_pred[i, k]
    db2 = dy_pred.sum(axis=0)  # (K,)  db2[k] = sum over i of 1 * dy_pred[i, k]
    da1 = dy_pred @ W2.T  # (n, H)  da1[i, j] = sum over k of dy_pred[i, k] * W2[j, k]

    # a1[i, j] = relu(z1[i, j])
    # Each z1[i, j] moves only a1[i, j], so we multiply entry by entry: with *, not @.
    dz1 = da1 * relu_grad(z1)  # (n, H)  relu_grad is 1 where z1 > 0, and 0 elsewhere

    # z1[i, j] = sum over d of x[i, d] * W1[d, j], plus b1[j]
    dW1 = x.T @ dz1  # (D, H)  dW1[d, j] = sum over i of x[i, d] * dz1[i, j]
    db1 = dz1.sum(axis=0)  # (H,)  db1[j] = sum over i of 1 * dz1[i, j]
    return loss, (dW1, db1, dW2, db2)


def check_gradient(params, x, y):
    """Nudge an entry of each parameter. Print its gradient and the rise per nudge."""
    nudge = 1e-6  # so small that the loss rises almost in proportion to it
    loss, grads = loss_and_grads(params, x, y)
    for number, name in enumerate(("dW1", "db1", "dW2", "db2")):
        nudged = [param.copy() for param in params]
        nudged[number].flat[0] += nudge
        nudged_loss, _ = loss_and_grads(nudged, x, y)
        measured = (nudged_loss - loss) / nudge
        print(f"{name} {grads[number].flat[0]:7.4f} | measured {measured:7.4f}")


# %% Training
# An epoch is one pass over all samples. Here it makes a step for each batch of samples:
# it subtracts from each parameter learning_rate times its derivative. The derivatives
# for a batch are only a rough guess at those for all samples, but they are quick to
# compute. Far from the lowest point, many rough steps get further than one exact step.
# (Try BATCH_SIZE = N_SAMPLES: an epoch is then one step instead of 250.)
def train_one_epoch(params, x, y, rng, learning_rate, batch_size):
    """Return params after a step for each batch."""
    order = rng.permutation(len(x))  # shuffled row numbers: new batches in each epoch
    for first in range(0, len(x), batch_size):
        batch = order[first : first + batch_size]  # the last batch may be shorter
        _, grads = loss_and_grads(params, x[batch], y[batch])
        params = [param - learning_rate * grad for param, grad in zip(params, grads)]
    return params


@np.errstate(over="ignore", invalid="ignore")  # train reports what explodes
def train(params, x, y, x_test, y_test, rng, epochs, learning_rate, batch_size):
    """Return the trained params, the losses, and the test losses, after each epoch.

    Raises FloatingPointError if a loss is not finite.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}")
    mse(forward(params, x)[-1], y)  # mse looks at the shapes
    mse(forward(params, x_test)[-1], y_test)

    losses = []
    test_losses = []
    for epoch in range(1, epochs + 1):
        # At first, large steps get on quickly. Later they would only jump about,
        # because the gradient of a batch is rough. So the steps shrink.
        rate = learning_rate * (1 - (epoch - 1) / epochs)
        params = train_one_epoch(params, x, y, rng, rate, batch_size)

        # A network can also fit the noise of its own samples, so its loss on them is
        # lower than on new ones. What counts is the loss on new ones. (If you choose
        # settings by the test loss, that gets lower, too. Then keep a third set.)
        loss = mse(forward(params, x)[-1], y)
        test_loss = mse(forward(params, x_test)[-1], y_test)
        report = f"epoch {epoch:4d} | loss {loss:.4g} | test loss {test_loss:.4g}"
        if not np.isfinite(loss + test_loss):
            advice = "lower learning_rate, or look for NaN and infinity in x and y"
            raise FloatingPointError(f"{report}: {advice}")
        if epoch in (1, 2, 5, 10, 20, 40, epochs):
            print(report)
        losses.append(loss)
        test_losses.append(test_loss)
    return params, losses, test_losses


# %% Plot
BLUE, PALE_BLUE, VERMILION, GREY = "#0072B2", "#80B8D8", "#D55E00", "0.8"
STYLE = {
    "network": {"color": BLUE, "linewidth": 2},
    "linear model": {"color": VERMILION, "linewidth": 1},
    "truth": {"color": "black", "linestyle": "--"},
}
END = {"marker": ".", "markevery": slice(-1, None)}  # a dot where a line ends


def plot_errors(ax, errors):
    """Draw how the errors of each model are distributed, on the test data."""
    bins = np.histogram_bin_edges(list(errors.values()), 50)  # the same for all
    ax.hist(errors["truth"], bins, color=GREY, label="truth (noise)")
    for name in ("linear model", "network"):
        ax.hist(errors[name], bins, histtype="step", label=name, **STYLE[name])
    ax.set(title="The truth errs only by noise", xlabel="y_pred - y", ylabel="count")


def plot_effect(ax, models):
    """Draw what each model predicts when x3 moves and the other inputs stay at 0.5."""
    x3 = np.linspace(0, 1, 101)
    x = np.full((101, 5), 0.5)
    x[:, 2] = x3
    for name, model in models.items():
        ax.plot(x3, model(x), label=name, **STYLE[name])
    ax.set(title="No linear model can bend", xlabel="x3, others at 0.5", ylabel="y")


def plot_rmses(ax, train_rmses, test_rmses, rmses):
    """Draw the RMSE (root mean squared error) of the network, and of other models."""
    epochs = range(1, len(test_rmses) + 1)
    pale = {"color": PALE_BLUE, "linewidth": 4, "label": "network, training"}
    ax.semilogx(epochs, train_rmses, **pale, **END)
    ax.semilogx(epochs, test_rmses, label="network, test", **STYLE["network"], **END)
    for name in ("linear model", "truth"):
        ax.axhline(rmses[name], label=name, **STYLE[name])
    ax.set(title="The test data are the judge", xlabel="epoch", ylabel="RMSE")


# %% Run
if __name__ == "__main__":
    rng = np.random.default_rng(SEED)
    x, y = make_data(rng, N_SAMPLES)
    x_test, y_test = make_data(rng, N_TEST)
    start = init_params(rng, x.shape[1], HIDDEN, y.shape[1])
    scaling = fit_scaling(x, y)
    data, test_data = scale(x, y, scaling), scale(x_test, y_test, scaling)
    check_gradient(start, *data)  # leave out relu_grad, and see what this says
    params, losses, test_losses = train(
        start, *data, *test_data, rng=rng,
        epochs=EPOCHS, learning_rate=LEARNING_RATE, batch_size=BATCH_SIZE,
    )

    # The linear model is 01 with a slope for each input, by a formula: least squares.
    x_mean, _, y_mean, y_std = scaling
    slopes, *_ = np.linalg.lstsq(x - x_mean, y - y_mean, rcond=None)  # (D, K)
    models = {
        "network": lambda inputs: predict(params, scaling, inputs),
        "linear model": lambda inputs: (inputs - x_mean) @ slopes + y_mean,
        "truth": truth,
    }
    errors = {name: model(x_test) - y_test for name, model in models.items()}
    rmses = {name: np.sqrt(np.mean(error**2)) for name, error in errors.items()}
    for name, rmse in rmses.items():
        print(f"{name:13} | test RMSE {rmse:.4f} (unit of y)")

    plt.style.use(["default", {"axes.titlesize": 11, "axes.formatter.min_exponent": 4}])
    fig, axes = plt.subplots(1, 3, figsize=(10, 4.2))
    fig.subplots_adjust(left=0.07, right=0.955, top=0.91, bottom=0.34, wspace=0.3)
    plot_errors(axes[0], errors)
    plot_effect(axes[1], models)
    plot_rmses(axes[2], y_std * np.sqrt(losses), y_std * np.sqrt(test_losses), rmses)
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncol=2)
    fig.savefig("04_mlp_multi_input.png", dpi=160)
    print("saved 04_mlp_multi_input.png")
    plt.show()

# %% For `uv run`, which installs the packages that these lines name
# /// script
# requires-python = ">=3.9"
# dependencies = ["numpy>=1.22", "matplotlib>=3.5"]
# ///
