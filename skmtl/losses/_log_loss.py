"""Log loss of a logit: loss(y, z) = log(1 + e^z) - y z for y in {0, 1}, P(1) = 1/(1 + e^-z)."""

from .._backend import Array, namespace_of
from ._elementwise import ElementwiseLoss

MAX_ITER = 100  # of Newton's method, one step to each unit of z where gamma is huge
ROUNDING = 50  # times the rounding of z: a step that short is its last


class LogLoss(ElementwiseLoss):
    """Log loss of a binary label, elementwise in the logit z.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.losses import LogLoss
    >>> LogLoss().value(np.array([0.0, 1.0, 1.0]), np.array([0.0, 0.0, 800.0])).round(4)
    array([0.6931, 0.6931, 0.    ])
    """

    for_classes = True
    largest_curvature = 0.25

    def value(self, y: Array, z: Array) -> Array:
        """Loss of each prediction, of the shape of `z`."""
        xp = namespace_of(z)
        # softplus of z and of -z, whichever is small: no cancellation where the label is certain
        return xp.log1p(xp.exp(-xp.abs(z))) + xp.where(z > 0, (1 - y) * z, -y * z)

    def gradient(self, y: Array, z: Array) -> Array:
        """Derivative in `z`."""
        return self.mean(z) - y

    def difference(self, y: Array, z: Array, dz: Array) -> Array:
        """Loss at `z + dz` less that at `z`, with all the digits of a small one."""
        xp, side = namespace_of(z), 2 * y - 1
        small = xp.abs(dz) < 1
        near = xp.log1p(_logistic(-side * z) * xp.expm1(xp.where(small, -side * dz, dz * 0)))
        return xp.where(small, near, self.value(y, z + dz) - self.value(y, z))

    def curvature(self, y: Array, z: Array) -> Array:
        """Second derivative in `z`."""
        return _logistic(z) * _logistic(-z)

    def conjugate(self, y: Array, slope: Array) -> Array:
        """Supremum over z of slope * z - loss(y, z): p log p + (1 - p) log(1 - p).

        p is the size of the slope. Infinite where no z has that slope, which is in [0, 1] for y = 0
        and in [-1, 0] for y = 1; what lies outside by the rounding of a probability counts as an
        end.
        """
        xp = namespace_of(slope)
        p, eps = (1 - 2 * y) * slope, xp.finfo(slope.dtype).eps
        inside = (p > 0) & (p < 1)
        q = xp.where(inside, p, xp.full_like(p, 0.5))
        entropy = q * xp.log(q) + (1 - q) * xp.log1p(-q)
        is_end = (p >= -eps) & (p <= 1 + eps)
        ends = xp.where(is_end, xp.zeros_like(p), xp.full_like(p, xp.inf))
        return xp.where(inside, entropy, ends)

    def prox(self, v: Array, gamma: float | Array, y: Array) -> Array:
        """Minimiser over z of gamma * loss(y, z) + (z - v)^2 / 2, for y in {0, 1}.

        Root of u - v - gamma/(1 + e^u) in u = (2y - 1) z, by Newton's method.
        """
        xp, side = namespace_of(v), 2 * y - 1
        v = side * v
        # the function is convex below u = 0 and concave above: from these starts no step overshoots
        zero = xp.zeros_like(v + gamma)
        u = xp.where(v > -gamma / 2, xp.maximum(zero, v), xp.minimum(zero, v + gamma))
        for _ in range(MAX_ITER):
            miss = _logistic(-u)
            step = (u - v - gamma * miss) / (1 + gamma * miss * (1 - miss))
            u = u - step
            if not xp.any(abs(step) > ROUNDING * xp.finfo(u.dtype).eps * (1 + abs(u))):
                break
        return side * u

    def mean(self, z: Array) -> Array:
        """Mean of the label: the probability of 1."""
        return 0.5 + 0.5 * namespace_of(z).tanh(z / 2)


def _logistic(z: Array) -> Array:
    """1/(1 + e^-z), with all the digits of small ones."""
    xp = namespace_of(z)
    e = xp.exp(-abs(z))
    return xp.where(z > 0, xp.ones_like(e), e) / (1 + e)
