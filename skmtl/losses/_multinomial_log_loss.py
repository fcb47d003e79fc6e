"""Log loss of K scores: loss(y, z) = log sum_k e^{z_k} - y.z for one-hot y; classes on axis -2."""

from sklearn.base import BaseEstimator

from .._backend import Array, namespace_of, place_of


class MultinomialLogLoss(BaseEstimator):
    """Log loss of a label with K classes: y one-hot and scores z, both of shape (..., K, n).

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.losses import MultinomialLogLoss
    >>> y, z = np.array([[1.0], [0.0], [0.0]]), np.array([[1000.0], [1000.0], [0.0]])
    >>> MultinomialLogLoss().value(y, z).round(4)
    array([[0.6931]])
    """

    largest_curvature = 0.5
    is_quadratic = False
    is_invariant_to_shifts = True
    slopes_cancel = False

    def value(self, y: Array, z: Array) -> Array:
        """Loss of each label, of shape (..., 1, n)."""
        xp = namespace_of(z)
        top = xp.max(z, axis=-2, keepdims=True)
        spread = xp.log(xp.sum(xp.exp(z - top), axis=-2, keepdims=True))
        # each difference by itself: y.z and the largest score may be huge and nearly equal
        return spread + xp.sum(y * (top - z), axis=-2, keepdims=True)

    def gradient(self, y: Array, z: Array) -> Array:
        """Derivative in `z`."""
        return self.mean(z) - y

    def difference(self, y: Array, z: Array, dz: Array) -> Array:
        """Loss at `z + dz` less that at `z`, with all the digits of a small one."""
        xp = namespace_of(z)
        away = dz - xp.sum(y * dz, axis=-2, keepdims=True)  # from the label's own score
        small = xp.max(xp.abs(away), axis=-2, keepdims=True) < 1
        moves = self.mean(z) * xp.expm1(xp.where(small, away, away * 0))
        near = xp.log1p(xp.sum(moves, axis=-2, keepdims=True))
        return xp.where(small, near, self.value(y, z + dz) - self.value(y, z))

    def curvature(self, y: Array, z: Array) -> Array:
        """Diagonal of the second derivative in `z`."""
        p = self.mean(z)
        return p * (1 - p)

    def mean(self, z: Array) -> Array:
        """Mean of the one-hot label: the probability of each class."""
        xp = namespace_of(z)
        e = xp.exp(z - xp.max(z, axis=-2, keepdims=True))
        return e / xp.sum(e, axis=-2, keepdims=True)

    def second_order(self, y: Array, z: Array) -> Array:
        """What the second derivative in `z` is made of: the probabilities."""
        return self.mean(z)

    def hessian_diagonal(self, p: Array) -> Array:
        """Diagonal of the second derivative at the probabilities `p`."""
        return p * (1 - p)

    def hessian_product(self, p: Array, dz: Array) -> Array:
        """Second derivative at the probabilities `p` times `dz`."""
        return p * (dz - namespace_of(p).sum(p * dz, axis=-2, keepdims=True))

    def hessian_blocks(self, p: Array) -> Array:
        """Second derivatives of shape (n_tasks, K, K, n) at probabilities (n_tasks, K, n)."""
        xp = namespace_of(p)
        one = xp.eye(p.shape[-2], dtype=p.dtype, device=place_of(p).device)[:, :, None]
        return p[:, :, None, :] * (one - p[:, None, :, :])
