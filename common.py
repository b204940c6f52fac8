"""Activations with their derivatives, and losses: all that the four scripts share.

Every function takes scalars, lists or arrays of any shape. The activations and their
derivatives work on each entry by itself and keep the shape: float32 in gives float32
out, anything else is computed in float64. The losses return one Python float.
"""

import numpy as np


def _as_floats(z):
    z = np.asarray(z)
    return z if z.dtype == np.float32 else z.astype(np.float64, copy=False)


def sigmoid(z):
    """1 / (1 + exp(-z)), which rises from 0 to 1 and is 1/2 at z = 0.

    Where exp(-z) would overflow, below z = -80, this is exp(z + 80) * sigmoid(-80),
    the same number to the last digit or two.
    """
    z = _as_floats(z)
    with np.errstate(under="ignore"):  # exp(-1000) is 0: rounding, not an error
        return np.exp(np.minimum(z + 80, 0)) / (1 + np.exp(-np.maximum(z, -80)))


def relu(z):
    """max(z, 0), the rectified linear unit."""
    return np.maximum(_as_floats(z), 0)


def relu_grad(z):
    """d relu(z) / dz: 1 where z > 0, and 0 elsewhere, also at the kink z = 0."""
    z = _as_floats(z)
    return (z > 0).astype(z.dtype)


def tanh(z):
    """(exp(z) - exp(-z)) / (exp(z) + exp(-z)), which rises from -1 to 1."""
    return np.tanh(_as_floats(z))


def tanh_grad(z):
    """d tanh(z) / dz = 1 - tanh(z)^2 = (1 - tanh(z)) (1 + tanh(z))."""
    a = tanh(z)
    return (1 - a) * (1 + a)


def identity(z):
    """z itself, for a layer that stays linear."""
    return _as_floats(z)


def identity_grad(z):
    """d z / dz = 1."""
    return np.ones_like(_as_floats(z))


def _same_shape(prediction, y):
    prediction, y = np.asarray(prediction, dtype=float), np.asarray(y, dtype=float)
    if prediction.shape != y.shape:  # NumPy would broadcast (n,) and (n, 1) to (n, n)
        raise ValueError(f"shapes differ: prediction {prediction.shape}, y {y.shape}")
    if y.size == 0:
        raise ValueError(f"prediction and y are empty, of shape {y.shape}")
    return prediction, y


def mse(y_pred, y):
    """Mean squared error, the mean of (y_pred - y)^2 over all entries.

    ValueError: the shapes differ, or there are no entries.
    """
    y_pred, y = _same_shape(y_pred, y)
    error = (y_pred - y).ravel()
    return float(error @ error / error.size)


def bce_with_logits(z, y):
    """Binary cross-entropy: mean of -(y log p + (1 - y) log(1 - p)), p = sigmoid(z).

    Minus the log-likelihood of the labels y (C. Bishop, Pattern Recognition and Machine
    Learning, 2006, eq. 4.90). p may round to 0, so -log p is taken as log(1 + exp(-z)).
    ValueError: the shapes differ, there are no entries, or a label is not in [0, 1].
    """
    z, y = _same_shape(z, y)
    if not np.all((y >= 0) & (y <= 1)):  # NaN is not, either
        raise ValueError(f"labels must be in [0, 1], not from {y.min()} to {y.max()}")
    with np.errstate(under="ignore", invalid="ignore"):  # z of NaN makes a loss of NaN
        return float(np.mean(y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z)))
