"""Activations with their derivatives, and losses: what the four scripts share.

All functions take float64 arrays. An activation, and its derivative, is applied to each
entry of an array by itself. A loss compares predictions with the targets y, two arrays
of the same shape, and returns one number: the mean over all entries.
"""

import numpy as np


# %% Activations
def sigmoid(z):
    """Return 1 / (1 + exp(-z)), which rises from 0 to 1 and is 1/2 at z = 0."""
    # The same as exp(-log(1 + exp(-z))), but exp(-z) alone would overflow at z = -1000.
    return np.exp(-np.logaddexp(0, -z))  # logaddexp(0, u) is log(1 + exp(u))


def relu(z):
    """Return max(z, 0). The name is short for rectified linear unit."""
    return np.maximum(z, 0.0)


def relu_grad(z):
    """Return the derivative of relu: 1 where z > 0, and 0 where z < 0.

    At z = 0 there is a kink and no derivative. Any number from 0 to 1 would do there,
    and the usual choice is 0.
    """
    return (z > 0).astype(float)


def tanh(z):
    """Return (exp(z) - exp(-z)) / (exp(z) + exp(-z)), which rises from -1 to 1."""
    return np.tanh(z)


def tanh_grad(z):
    """Return the derivative of tanh, which is 1 - tanh(z)^2.

    tanh is s / c with s = exp(z) - exp(-z) and c = exp(z) + exp(-z). The derivative of
    s is c, and that of c is s. So the quotient rule gives (c c - s s) / c^2.
    """
    return 1 - np.tanh(z) ** 2


def identity(z):
    """Return z itself: the activation that does not bend anything."""
    return z


def identity_grad(z):
    """Return the derivative of identity, which is 1."""
    return np.ones_like(z)


# %% Losses
def check_shapes(prediction, y):
    """Raise ValueError if the shapes differ, or if the arrays are empty."""
    # NumPy would broadcast (n,) and (n, 1) to (n, n), and compare all pairs of samples.
    if prediction.shape != y.shape:
        raise ValueError(
            f"shapes differ: prediction {prediction.shape}, y {y.shape}; "
            "y[:, None] makes a flat y a column, y[:, 0] makes a column flat"
        )
    if y.size == 0:
        raise ValueError(f"no samples: prediction and y have the shape {y.shape}")


def mse(y_pred, y):
    """Return the mean squared error. Its unit is that of y, squared."""
    check_shapes(y_pred, y)
    return np.mean((y_pred - y) ** 2)


def bce_with_logits(z, y):
    """Return the binary cross-entropy, for scores (logits) z and labels y.

    With p = sigmoid(z), it is the mean of -(y log(p) + (1 - y) log(1 - p)): minus the
    log-likelihood of the labels, per sample (C. Bishop, Pattern Recognition and Machine
    Learning, 2006, equation 4.90). A label that is not from 0 to 1 raises ValueError.
    """
    check_shapes(z, y)
    if not np.all((y >= 0) & (y <= 1)):  # a comparison with NaN is False
        raise ValueError(f"labels must be in [0, 1], not from {y.min()} to {y.max()}")
    # p may round to 0 or to 1, and log(0) is not finite. So the loss starts from z:
    # -log(p) = log(1 + exp(-z)), and -log(1 - p) = log(1 + exp(z)).
    return np.mean(y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z))
