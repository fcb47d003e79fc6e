"""Half the squared error: loss(y, z) = (y - z)^2 / 2, quadratic with curvature 1."""

from .._backend import Array, namespace_of
from ._elementwise import ElementwiseLoss


class SquaredError(ElementwiseLoss):
    """Half squared error, (y - z)^2 / 2.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.losses import SquaredError
    >>> loss = SquaredError()
    >>> loss.value(np.array([1.0, 2.0]), np.array([0.0, 4.0]))
    array([0.5, 2. ])
    """

    largest_curvature = 1.0
    is_quadratic = True

    def value(self, y: Array, z: Array) -> Array:
        """Loss of each prediction, of the shape of `y`."""
        return (y - z) ** 2 / 2

    def gradient(self, y: Array, z: Array) -> Array:
        """Derivative in `z`."""
        return z - y

    def difference(self, y: Array, z: Array, dz: Array) -> Array:
        """Loss at `z + dz` less that at `z`, with all the digits of a small one."""
        return dz * (z - y) + dz**2 / 2

    def curvature(self, y: Array, z: Array) -> Array:
        """Second derivative in `z`."""
        return namespace_of(z).ones_like(z)

    def prox(self, v: Array, gamma: float | Array, y: Array) -> Array:
        """Minimiser over z of gamma * loss(y, z) + (z - v)^2 / 2."""
        return (v + gamma * y) / (1 + gamma)
