"""Activations with their derivatives, and losses: what the four scripts share.

All take float64 arrays. An activation and its derivative work on each entry by itself.
A loss takes a prediction and a target y of one shape, and returns the mean over all.
"""

import numpy as np


def sigmoid(z):
    """1 / (1 + exp(-z)): rises from 0 to 1, and is 1/2 at z = 0."""
    return np.exp(-np.logaddexp(0, -z))  # exp(-log(1 + exp(-z))), without an overflow


def relu(z):
    """max(z, 0), the rectified linear unit."""
    return np.maximum(z, 0.0)


def relu_grad(z):
    """The derivative of relu: 1 where z > 0, else 0, also at the kink z = 0."""
    return (z > 0).astype(float)


def tanh(z):
    """(exp(z) - exp(-z)) / (exp(z) + exp(-z)): rises from -1 to 1."""
    return np.tanh(z)


def tanh_grad(z):
    """The derivative of tanh: 1 - tanh(z)^2."""
    return 1 - np.tanh(z) ** 2


def identity(z):
    """z itself, for a layer that does not bend."""
    return z


def identity_grad(z):
    """The derivative of identity: 1."""
    return np.ones_like(z)


def _check_shapes(prediction, y):
    if prediction.shape != y.shape:  # NumPy would broadcast (n,) and (n, 1) to (n, n)
        shapes = f"prediction {prediction.shape}, y {y.shape}"
        raise ValueError(f"shapes differ: {shapes}; y[:, None] makes a flat y a column")
    if y.size == 0:
        raise ValueError(f"no samples: prediction and y have the shape {y.shape}")


def mse(y_pred, y):
    """Mean squared error: the mean of (y_pred - y)^2, in the unit of y squared.

    ValueError: the shapes differ, or there are no entries.
    """
    _check_shapes(y_pred, y)
    error = y_pred - y
    return np.vdot(error, error) / error.size  # vdot: the sum of error * error


def bce_with_logits(z, y):
    """Binary cross-entropy: mean of -(y log p + (1 - y) log(1 - p)), p = sigmoid(z).

    Minus the log-likelihood of the labels y, per sample (C. Bishop, Pattern Recognition
    and Machine Learning, 2006, eq. 4.90). From z, since p may round to 0 or to 1:
    -log p = log(1 + exp(-z)), and -log(1 - p) = log(1 + exp(z)).
    ValueError: the shapes differ, there are no entries, or a label is not in [0, 1].
    """
    _check_shapes(z, y)
    if not np.all((y >= 0) & (y <= 1)):  # NaN is not, either
        raise ValueError(f"labels must be in [0, 1], not from {y.min()} to {y.max()}")
    return np.mean(y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z))
