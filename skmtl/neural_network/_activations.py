"""Activations of the trunk, and their slopes written in the activation itself: a' = s(a)."""

from typing import NamedTuple

import numpy as np

from .._backend import namespace_of


class Activation(NamedTuple):
    """A function of the preactivation, and the derivative from above times its slope.

    Attributes
    ----------
    apply : callable
        Activation A from the preactivation Z, which it may overwrite.
    slope : callable
        D * a' from the activation A and the derivative D in it, which it may overwrite.
    gain : float
        Numerator of Glorot's bound.
    """

    apply: object
    slope: object
    gain: float = 6.0


def _relu(Z):
    xp = namespace_of(Z)
    zeros = xp.zeros_like(Z[:1, :])  # a row: with a scalar NumPy takes twice the time
    if isinstance(Z, np.ndarray):
        return np.maximum(Z, zeros, out=Z)
    return xp.maximum(Z, zeros)


def _relu_slope(A, D):
    # a product with 0 and 1: three times as fast as assigning where a mask is set
    if isinstance(D, np.ndarray):
        return np.multiply(D, A > 0, out=D)
    return D * namespace_of(D).astype(A > 0, D.dtype)


def _tanh(Z):
    if isinstance(Z, np.ndarray):
        return np.tanh(Z, out=Z)
    return namespace_of(Z).tanh(Z)


def _tanh_slope(A, D):
    D *= 1 - A * A
    return D


def _logistic(Z):
    Z *= 0.5
    A = _tanh(Z)  # which does not overflow
    A *= 0.5
    A += 0.5
    return A


def _logistic_slope(A, D):
    D *= A * (1 - A)
    return D


ACTIVATIONS = {
    "identity": Activation(lambda Z: Z, lambda A, D: D),
    "logistic": Activation(_logistic, _logistic_slope, gain=2.0),
    "tanh": Activation(_tanh, _tanh_slope),
    "relu": Activation(_relu, _relu_slope),
}
