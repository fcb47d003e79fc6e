"""Huber's loss: half the square up to |y - z| = delta, then linear: outliers pull no harder."""

from .._backend import Array, namespace_of
from .._checks import check_strength
from ._elementwise import ElementwiseLoss


class Huber(ElementwiseLoss):
    """Huber's robust loss.

    Parameters
    ----------
    delta : float in (0, inf), default=1.35
        Residual from which the loss is linear; 1.35 standard deviations of Gaussian noise give an
        efficiency of 95 %.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.losses import Huber
    >>> Huber(delta=1.0).value(np.array([0.5, 10.0]), np.zeros(2))
    array([0.125, 9.5  ])
    """

    largest_curvature = 1.0
    slopes_cancel = True

    def __init__(self, delta: float = 1.35):
        self.delta = delta

    def check(self) -> None:
        """Refuse a delta outside (0, inf)."""
        check_strength("delta", self.delta, infinite=False)

    def at_scale(self, scale: float) -> "Huber":
        """The same loss of residuals in units of `scale`, but for a factor."""
        return Huber(self.delta * scale)

    def value(self, y: Array, z: Array) -> Array:
        """Loss of each prediction, of the shape of `y`."""
        e = z - y
        inner = self._clip(e)
        return inner * (e - inner / 2)

    def gradient(self, y: Array, z: Array) -> Array:
        """Derivative in `z`."""
        return self._clip(z - y)

    def curvature(self, y: Array, z: Array) -> Array:
        """Second derivative in `z`."""
        return namespace_of(z).astype(abs(z - y) <= self.delta, z.dtype)

    def second_order(self, y: Array, z: Array) -> Array:
        """Curvature of the parabola above the loss that touches it at `z`.

        The second derivative itself is zero beyond delta, where it gives a step no length.
        """
        xp, e = namespace_of(z), abs(z - y)
        return self.delta / xp.where(e > self.delta, e, xp.full_like(e, self.delta))

    def prox(self, v: Array, gamma: float | Array, y: Array) -> Array:
        """Minimiser over z of gamma * loss(y, z) + (z - v)^2 / 2."""
        return v - gamma * self._clip((v - y) / (1 + gamma))

    def _clip(self, e: Array) -> Array:
        delta = check_strength("delta", self.delta, infinite=False)
        return namespace_of(e).clip(e, -delta, delta)
