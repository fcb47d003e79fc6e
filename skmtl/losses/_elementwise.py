"""What elementwise losses share: their Hessian in the scores is the diagonal of `curvature`."""

from sklearn.base import BaseEstimator

from .._backend import Array


class ElementwiseLoss(BaseEstimator):
    """A loss of one score a label, from `value`, `gradient`, `curvature` and `prox`.

    Solvers take second derivatives from `second_order(y, z)`, once for many products.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.losses import ElementwiseLoss
    >>> class LogCosh(ElementwiseLoss):
    ...     largest_curvature = 1.0
    ...
    ...     def value(self, y, z):
    ...         return np.log(np.cosh(z - y))
    ...
    ...     def gradient(self, y, z):
    ...         return np.tanh(z - y)
    ...
    ...     def curvature(self, y, z):
    ...         return 1 - np.tanh(z - y) ** 2
    >>> LogCosh().hessian_product(LogCosh().second_order(np.zeros(2), np.zeros(2)), np.ones(2))
    array([1., 1.])
    """

    is_quadratic = False
    is_invariant_to_shifts = False
    for_classes = False  # labels are 0 and 1
    slopes_cancel = False  # whether slopes of labels far from their scores may sum to zero

    def check(self) -> None:
        """Refuse parameters out of range; here there are none."""

    def second_order(self, y: Array, z: Array) -> Array:
        """What the second derivative in `z` is made of: here the derivative itself."""
        return self.curvature(y, z)

    def hessian_diagonal(self, second: Array) -> Array:
        """Diagonal of the second derivative, from `second_order`."""
        return second

    def hessian_product(self, second: Array, dz: Array) -> Array:
        """Second derivative times `dz`."""
        return second * dz

    def hessian_blocks(self, second: Array) -> Array:
        """Second derivatives of shape (n_tasks, 1, 1, n), from those of shape (n_tasks, 1, n)."""
        return second[:, :, None, :]
