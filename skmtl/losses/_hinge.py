"""Hinge loss of one score: loss(y, z) = max(0, 1 - (2y - 1) z) for y in {0, 1}."""

from .._backend import Array, namespace_of
from ._elementwise import ElementwiseLoss


class Hinge(ElementwiseLoss):
    """Hinge loss of a binary label, elementwise in the score z, which is positive for y = 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.losses import Hinge
    >>> Hinge().value(np.array([1.0, 1.0, 0.0]), np.array([0.5, 2.0, 0.5]))
    array([0.5, 0. , 1.5])
    """

    for_classes = True

    def value(self, y: Array, z: Array) -> Array:
        """Loss of each prediction, of the shape of `z`."""
        xp, missed = namespace_of(z), 1 - (2 * y - 1) * z
        return xp.maximum(missed, xp.zeros_like(missed))

    def gradient(self, y: Array, z: Array) -> Array:
        """Derivative in `z`, zero at the kink."""
        xp, side = namespace_of(z), 2 * y - 1
        return -side * xp.astype(side * z < 1, z.dtype)

    def curvature(self, y: Array, z: Array) -> Array:
        """Second derivative in `z`, zero but at the kink."""
        return namespace_of(z).zeros_like(z)

    def prox(self, v: Array, gamma: float | Array, y: Array) -> Array:
        """Minimiser over z of gamma * loss(y, z) + (z - v)^2 / 2."""
        side = 2 * y - 1
        return v + side * namespace_of(v).clip(1 - side * v, 0, gamma)
