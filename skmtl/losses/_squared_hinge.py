"""Squared hinge of one score: loss(y, z) = max(0, 1 - (2y - 1) z)^2 for y in {0, 1}, smooth."""

from .._backend import Array, namespace_of
from ._elementwise import ElementwiseLoss


class SquaredHinge(ElementwiseLoss):
    """Squared hinge loss of a binary label, elementwise in the score z, positive for y = 1.

    Not halved, as in scikit-learn's LinearSVC.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.losses import SquaredHinge
    >>> SquaredHinge().value(np.array([1.0, 1.0, 0.0]), np.array([0.5, 2.0, 0.5]))
    array([0.25, 0.  , 2.25])
    """

    for_classes = True
    largest_curvature = 2.0

    def value(self, y: Array, z: Array) -> Array:
        """Loss of each prediction, of the shape of `z`."""
        return _missed(2 * y - 1, z) ** 2

    def gradient(self, y: Array, z: Array) -> Array:
        """Derivative in `z`."""
        side = 2 * y - 1
        return -2 * side * _missed(side, z)

    def curvature(self, y: Array, z: Array) -> Array:
        """Second derivative in `z`, zero beyond the margin."""
        return 2 * namespace_of(z).astype((2 * y - 1) * z < 1, z.dtype)

    def prox(self, v: Array, gamma: float | Array, y: Array) -> Array:
        """Minimiser over z of gamma * loss(y, z) + (z - v)^2 / 2."""
        side = 2 * y - 1
        return v + side * _missed(side, v) * (2 * gamma / (1 + 2 * gamma))


def _missed(side: Array, z: Array) -> Array:
    """By how much the scores miss the margin."""
    xp, missed = namespace_of(z), 1 - side * z
    return xp.maximum(missed, xp.zeros_like(missed))
