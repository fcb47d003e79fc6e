"""Lasso of whole tasks: alpha sum_t ||w_t||, convex; a task is zero or shrunk by alpha."""

from .._backend import Array, namespace_of
from ._norms import TaskNormPenalty


class TaskLasso(TaskNormPenalty):
    """Sum of the norms of the tasks' coefficients, alpha sum_t ||w_t||.

    Parameters
    ----------
    alpha : float in [0, inf), default=1.0
        The threshold.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.penalties import TaskLasso
    >>> TaskLasso(alpha=1.0).prox(np.array([[3.0, 4.0], [0.3, 0.4]]), 1.0)
    array([[2.4, 3.2],
           [0. , 0. ]])
    """

    def __init__(self, alpha: float = 1.0):
        self.alpha = alpha

    def _values(self, t: Array) -> Array:
        return self.alpha * t

    def _slopes(self, t: Array) -> Array:
        return self.alpha * namespace_of(t).ones_like(t)

    def _lengths(self, t: Array, step: float | Array) -> Array:
        length = t - step * self.alpha
        return namespace_of(t).where(length > 0, length, namespace_of(t).zeros_like(t))
