"""A two-layer network learns a curve: a hidden layer, and the chain rule through it.

Run: python 03_mlp_single_input.py, with common.py in the same folder (copy both).

New since 02: a layer of H neurons, called units, hidden between input and output. Each
puts a line of its own, with slope W1[j] and offset b1[j], through the activation, which
bends it, for example relu(z) = max(z, 0). The output sums them, times W2[j], plus b2:

    z1 = x @ W1 + b1         z1[i, j] = x[i] W1[j] + b1[j], sample i of n, unit j of H
    a1 = activation(z1)      a1[i, j] = activation(z1[i, j]): bent, entry by entry
    y_pred = a1 @ W2 + b2    y_pred[i] = sum over j of a1[i, j] W2[j], plus b2
    loss = mean((y_pred - y)^2)    (short: x[i] = x[i, 0], W1[j] = W1[0, j], and so on)

Without a bend nothing is gained: if a1 = z1, the identity, both layers, hidden and
output, multiply out to a single line, y_pred = x @ (W1 @ W2) + (b1 @ W2 + b2).

Backwards, dz1[i, j] stands for d(loss)/d(z1[i, j]), and so on: the loss's rise over h,
if z1[i, j] alone rises by a tiny h. Chain rule: multiply along a path, add over paths.
Add h to W2[j]: each y_pred[i] rises by h a1[i, j]. Add h to a1[i, j]: only y_pred[i]
rises, by h W2[j]. To z1[i, j]: only a1[i, j] rises, by about h activation'(z1[i, j]).

    dy_pred = 2/n (y_pred - y)     1/n from the mean, 2 from the square, for each i
    dW2 = a1.T @ dy_pred           dW2[j] = sum over i (n paths) of a1[i, j] dy_pred[i]
    db2 = dy_pred.sum(axis=0)      db2 = sum over i of dy_pred[i] (factor 1, not a1)
    da1 = dy_pred @ W2.T           da1[i, j] = dy_pred[i] W2[j]
    dz1 = da1 * activation'(z1)    dz1[i, j] = da1[i, j] activation'(z1[i, j])
    dW1 = x.T @ dz1                dW1[j] = sum over i of x[i] dz1[i, j] (as dW2)
    db1 = dz1.sum(axis=0)          db1[j] = sum over i of dz1[i, j]

identity' is 1, relu' is 1 where z > 0, else 0 (at 0 by choice), tanh' is 1 - tanh^2, as
tanh = (e^z - e^-z) / (e^z + e^-z). An epoch: one step, params - learning_rate * grads.
"""

# %% Dependencies, for `uv run 03_mlp_single_input.py` (PEP 723)
# /// script
# requires-python = ">=3.9"
# dependencies = ["numpy>=1.22", "matplotlib>=3.5"]
# ///

# %% Imports
import matplotlib.pyplot as plt
import numpy as np
from common import identity, identity_grad, mse, relu, relu_grad, tanh, tanh_grad

# %% Settings
SEED = 0  # another seed draws other data and another start, and may end elsewhere
N_SAMPLES = 160
NOISE = 0.2  # standard deviation, in the unit of y
HIDDEN = 8  # hidden units
LEARNING_RATE = 0.03  # by trial; from about 0.12 on, the identity's loss overflows
EPOCHS = 4000
DERIVATIVE = {relu: relu_grad, tanh: tanh_grad, identity: identity_grad}  # activation'


# %% Data: a sine, the truth, with noise (n: number of samples)
def make_data(rng, n):
    """Return x (n, 1) and y (n, 1)."""
    x = rng.uniform(-2, 2, size=(n, 1))
    y = np.sin(2 * x) + NOISE * rng.normal(size=(n, 1))
    return x, y


# %% Model
def init_params(rng, H):  # random: equal units get equal gradients, so stay equal
    W1 = rng.choice([-1.0, 1.0], size=(1, H))  # slope up or down
    b1 = rng.uniform(-2, 2, size=H)  # so z1 is 0, relu's bend, at an x from -2 to 2
    W2 = rng.normal(size=(H, 1)) / np.sqrt(H)  # H random terms sum to about sqrt(H)
    return W1, b1, W2, np.zeros(1)  # b2


def forward(params, x, activation):
    """Return z1 and a1, both (n, H), and y_pred (n, 1), for x (n, 1)."""
    W1, b1, W2, b2 = params
    z1 = x @ W1 + b1  # (n, H)
    a1 = activation(z1)  # (n, H)
    y_pred = a1 @ W2 + b2  # (n, 1)
    return z1, a1, y_pred


# %% Loss and backpropagation
def loss_and_grads(params, x, y, activation):
    """Return the loss and the gradient, in the order of params."""
    W1, b1, W2, b2 = params
    z1, a1, y_pred = forward(params, x, activation)  # (n, H), (n, H), (n, 1)
    loss = mse(y_pred, y)

    dy_pred = 2 / y.size * (y_pred - y)  # (n, 1), 1/n enters here: below, plain sums
    dW2 = a1.T @ dy_pred  # (H, 1)
    db2 = dy_pred.sum(axis=0)  # (1,)
    da1 = dy_pred @ W2.T  # (n, H)
    dz1 = da1 * DERIVATIVE[activation](z1)  # (n, H)
    dW1 = x.T @ dz1  # (1, H)
    db1 = dz1.sum(axis=0)  # (H,)
    return loss, (dW1, db1, dW2, db2)


# %% Training
def train(params, x, y, activation, epochs, learning_rate):
    """Return the trained params, and each epoch's loss, before its step.
    FloatingPointError: the loss is not finite. ValueError: wrong shapes."""
    losses = []
    for epoch in range(1, epochs + 1):
        loss, grads = loss_and_grads(params, x, y, activation)
        report = f"epoch {epoch:4d} | loss {loss:.4g}"
        if not np.isfinite(loss):
            raise FloatingPointError(f"{report}: lower learning_rate, or check x and y")
        if epoch in (1, 10, 100, 1000, epochs):
            print(report)
        losses.append(loss)
        params = [p - learning_rate * dp for p, dp in zip(params, grads)]
    return params, losses


# %% Plot
def plot(x, y, runs):
    """Return the figure; runs holds params and losses for each activation."""
    blue, pale, vermilion, grey = "#0072B2", "#80B8D8", "#D55E00", "0.8"
    plt.style.use(["default", {"axes.spines.top": False, "axes.spines.right": False}])
    fig, (ax1, ax2, ax3) = plt.subplots(1, 3, figsize=(10, 4), layout="constrained")
    ax1.set(title="Three networks", xlabel="x", ylabel="y")
    ax2.set(title="relu units (pale) add up", xlabel="x", ylabel="y")
    ax3.set(title="Loss per epoch", xlabel="epoch", ylabel="training loss")
    ax1.plot(x, y, "o", color=grey, markersize=4)
    grid = np.linspace(x.min(), x.max(), 401)[:, None]  # (401, 1)
    networks = ((identity, vermilion, 1), (tanh, pale, 4), (relu, blue, 2))
    for activation, color, width in networks:
        params, losses = runs[activation]
        style = {"color": color, "linewidth": width, "label": activation.__name__}
        ax1.plot(grid, forward(params, grid, activation)[-1], **style)
        ax3.loglog(range(1, len(losses) + 1), losses, **style)
    ax1.plot(grid, np.sin(2 * grid), "--", color="black", label="truth")
    ax3.axhline(mse(np.sin(2 * x), y), ls="--", color="black", label="truth (noise)")

    W1, b1, W2, _ = params = runs[relu][0]
    _, a1, y_pred = forward(params, grid, relu)
    ax2.plot(grid, a1 * W2.T, color=pale)  # (401, H): each unit times its W2
    ax2.plot(grid, y_pred, color=blue, linewidth=3, label="sum + b2")
    bends = -b1 / W1[0]  # (H,), the x where a unit's z1 is 0
    bends = bends[(bends > x.min()) & (bends < x.max())]
    y_bends = forward(params, bends[:, None], relu)[-1][:, 0]
    ax2.vlines(bends, 0, y_bends, color="black", linestyle=":")
    ax2.plot(bends, y_bends, "o", color=blue, markersize=7, label="a unit bends")
    for ax in (ax1, ax2, ax3):
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15), ncol=2)
    return fig


# %% Run
if __name__ == "__main__":
    rng = np.random.default_rng(SEED)
    x, y = make_data(rng, N_SAMPLES)
    start = init_params(rng, HIDDEN)  # one for all: train does not change it
    runs, ends = {}, {}
    for activation in DERIVATIVE:
        print(activation.__name__)
        runs[activation] = train(start, x, y, activation, EPOCHS, LEARNING_RATE)
        ends[activation.__name__] = runs[activation][1][-1]  # before the last step
    line = np.polyval(np.polyfit(x[:, 0], y[:, 0], deg=1), x)  # identity's best
    ends["least squares"], ends["truth"] = mse(line, y), mse(np.sin(2 * x), y)
    for name, loss in ends.items():  # RMSE: root of mse; below truth's: fits noise
        print(f"{name:13} | training RMSE {np.sqrt(loss):.4f} (unit of y)")
    params, losses = runs[relu]  # to play with under python -i
    plot(x, y, runs).savefig("03_mlp_single_input.png", dpi=160)
    print("saved 03_mlp_single_input.png")
    plt.show()
