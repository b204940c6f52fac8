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

A comment such as (n, H) gives the shape of a result. Keep common.py in the same folder.
"""

# %% Imports
import matplotlib.pyplot as plt
import numpy as np
from common import identity, identity_grad, mse, relu, relu_grad, tanh, tanh_grad

# %% Settings
SEED = 0  # fixes the random numbers; another seed gives other data and another start
N_SAMPLES = 160  # at least 2, as a single point makes no line
NOISE = 0.2  # standard deviation of the noise, in the unit of y
HIDDEN = 8  # number of hidden units
LEARNING_RATE = 0.03  # found by trial; with many more units it must be smaller
EPOCHS = 4000
# The activations to compare, each with its derivative
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
# The index i counts the n samples, and j the units. The index of an axis of length 1 is
# left out: x[i] is x[i, 0], W1[j] is W1[0, j], and W2[j] is W2[j, 0]. How does W2[j]
# act on the loss? There is one path for each sample i:
#
#     W2[j] -> y_pred[i] -> loss
#
# Nudge W2[j] up by a tiny amount. Then y_pred[i] moves by a1[i, j] times that amount,
# and the loss moves by about dy_pred[i] times the movement of y_pred[i]. So along a
# path, derivatives multiply. The nudge takes all paths at once, so the products of the
# paths add up. This is the chain rule. The matrix product a1.T @ dy_pred is just such a
# sum over i, because i counts the columns of a1.T and the rows of dy_pred.
#
# The paths of W1[j] are longer:
#
#     W1[j] -> z1[i, j] -> a1[i, j] -> y_pred[i] -> loss
#
# The derivatives along the arrows are x[i], the slope of the activation at z1[i, j],
# W2[j], and dy_pred[i]. We walk the paths backwards, from the loss to the parameters,
# so that each step can use the result of the one before. This is backpropagation.
def loss_and_grads(params, x, y, activation):
    """Return the loss, and its derivatives in the order of params."""
    W1, b1, W2, b2 = params
    z1, a1, y_pred = forward(params, x, activation)
    loss = mse(y_pred, y)

    # loss = 1/n * sum over i of (y_pred[i] - y[i])^2, where n is y.size
    # Each y_pred[i] is in one term of the sum only, and the derivative of u^2 is 2 u.
    dy_pred = 2 / y.size * (y_pred - y)  # (n, 1)

    # y_pred[i] = sum over j of a1[i, j] * W2[j], plus b2
    dW2 = a1.T @ dy_pred  # (H, 1)  dW2[j] = sum over i of a1[i, j] * dy_pred[i]
    db2 = dy_pred.sum(axis=0)  # (1,)  db2 = sum over i of 1 * dy_pred[i]
    da1 = dy_pred @ W2.T  # (n, H)  da1[i, j] = dy_pred[i] * W2[j]: one path, one term

    # a1[i, j] = activation(z1[i, j])
    # Each z1[i, j] moves only a1[i, j], so we multiply entry by entry: with *, not @.
    # The slope of relu is 1 where z1 > 0 and 0 where z1 < 0 (at 0 we choose 0), that of
    # tanh is 1 - tanh^2, and that of the identity is 1 (see common.py).
    dz1 = da1 * DERIVATIVE[activation](z1)  # (n, H)

    # z1[i, j] = x[i] * W1[j] + b1[j]
    dW1 = x.T @ dz1  # (1, H)  dW1[j] = sum over i of x[i] * dz1[i, j]
    db1 = dz1.sum(axis=0)  # (H,)  db1[j] = sum over i of 1 * dz1[i, j]
    return loss, (dW1, db1, dW2, db2)


def check_gradient(params, x, y, activation):
    """Nudge an entry of each parameter. Print its gradient and the rise per nudge."""
    nudge = 1e-6  # so small that the loss rises almost in proportion to it
    loss, grads = loss_and_grads(params, x, y, activation)
    for number, name in enumerate(("dW1", "db1", "dW2", "db2")):
        nudged = [param.copy() for param in params]
        nudged[number].flat[0] += nudge
        nudged_loss, _ = loss_and_grads(nudged, x, y, activation)
        measured = (nudged_loss - loss) / nudge
        print(f"{name} {grads[number].flat[0]:7.4f} | measured {measured:7.4f}")


# %% Training
# An epoch is one pass over all samples. Here it makes one step: we compute all
# derivatives, and then from each parameter subtract learning_rate times its derivative.
# If z1 of a relu unit is below 0 at all samples, for example after too large a step,
# its a1 and its slope are 0 there. So its derivatives are 0, and it never learns again.
@np.errstate(over="ignore", invalid="ignore")  # train reports what explodes
def train(params, x, y, activation, epochs, learning_rate):
    """Return the trained params, and the loss before each step.

    Raises FloatingPointError if the loss is not finite.
    """
    losses = []
    for epoch in range(1, epochs + 1):
        loss, grads = loss_and_grads(params, x, y, activation)
        if not np.isfinite(loss):
            advice = "lower learning_rate, or look for NaN and infinity in x and y"
            raise FloatingPointError(f"epoch {epoch:4d} | loss {loss}: {advice}")
        if epoch in (1, 10, 100, 1000, epochs):
            print(f"epoch {epoch:4d} | loss {loss:.4g}")
        losses.append(loss)
        params = [param - learning_rate * grad for param, grad in zip(params, grads)]
    return params, losses


# %% Plot
BLUE, PALE_BLUE, VERMILION, GREY = "#0072B2", "#80B8D8", "#D55E00", "0.8"
STYLE = {
    relu: {"color": BLUE, "linewidth": 2, "zorder": 3},  # on top of the others
    tanh: {"color": PALE_BLUE, "linewidth": 4},
    identity: {"color": VERMILION, "linewidth": 1},
}
OTHER = {"linestyle": "-."}  # the style of an activation that you add
END = {"marker": ".", "markevery": slice(-1, None)}  # a dot where a line ends


def plot_fits(ax, x, y, runs):
    """Draw the data, what each network has learned, and the truth."""
    grid = np.linspace(x.min(), x.max(), 401)[:, None]  # (401, 1)
    ax.plot(x, y, "o", color=GREY, markersize=4, label="data")
    for activation, (params, _) in runs.items():
        _, _, y_pred = forward(params, grid, activation)
        ax.plot(grid, y_pred, label=activation.__name__, **STYLE.get(activation, OTHER))
    ax.plot(grid, truth(grid), "--", color="black", zorder=4, label="truth")
    ax.set(title="Without a bend, only a straight line", xlabel="x", ylabel="y")


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
    for activation, (_, losses) in runs.items():
        style = {"label": activation.__name__, **END, **STYLE.get(activation, OTHER)}
        ax.loglog(range(1, len(losses) + 1), losses, **style)
    ax.axhline(true_loss, linestyle="--", color="black", label="truth")
    ax.set(title="Below the truth, noise is learned", xlabel="epoch", ylabel="loss")


# %% Run
if __name__ == "__main__":
    rng = np.random.default_rng(SEED)
    x, y = make_data(rng, N_SAMPLES)
    start = init_params(rng, HIDDEN)
    check_gradient(start, x, y, list(DERIVATIVE)[0])  # try mean for sum in db1

    runs = {}
    for activation in DERIVATIVE:
        print(activation.__name__)
        try:
            runs[activation] = train(start, x, y, activation, EPOCHS, LEARNING_RATE)
        except FloatingPointError as error:
            print(error)  # this network is left out
    if not runs:
        raise FloatingPointError("none of the networks could be trained, see above")
    first = list(runs)[0]  # its units are drawn
    params, losses = runs[first]

    y_preds = {}
    for activation, (trained_params, _) in runs.items():
        _, _, y_preds[activation.__name__] = forward(trained_params, x, activation)
    slope, offset = np.polyfit(x[:, 0], y[:, 0], deg=1)
    y_preds["least squares"] = slope * x + offset  # the best straight line
    y_preds["truth"] = truth(x)
    for name, y_pred in y_preds.items():
        # The root of the mean squared error. Where it is below that of the truth, a
        # network has also learned noise.
        rmse = np.sqrt(mse(y_pred, y))
        print(f"{name:13} | training RMSE {rmse:.4f} (unit of y)")

    plt.style.use(["default", {"axes.titlesize": 11, "axes.formatter.min_exponent": 4}])
    fig, axes = plt.subplots(1, 3, figsize=(10, 4.2))
    fig.subplots_adjust(left=0.07, right=0.955, top=0.91, bottom=0.34, wspace=0.3)
    plot_fits(axes[0], x, y, runs)
    plot_units(axes[1], x, params, first)
    plot_losses(axes[2], runs, mse(truth(x), y))
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncol=2)
    fig.savefig("03_mlp_single_input.png", dpi=160)
    print("saved 03_mlp_single_input.png")
    plt.show()

# %% For `uv run`, which installs the packages that these lines name
# /// script
# requires-python = ">=3.9"
# dependencies = ["numpy>=1.22", "matplotlib>=3.5"]
# ///
