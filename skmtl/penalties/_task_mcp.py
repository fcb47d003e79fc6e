"""Minimax concave penalty of whole tasks: slope alpha at zero, falling to 0 at gamma alpha."""

from .._backend import Array, namespace_of
from ._norms import TaskNormPenalty


class TaskMCP(TaskNormPenalty):
    """Minimax concave penalty of the norms of the tasks' coefficients.

    P'(t) = (alpha - t / gamma)_+: small tasks become zero as in the lasso, tasks longer than
    gamma alpha are not shrunk at all.

    Parameters
    ----------
    alpha : float in [0, inf), default=1.0
        The threshold.
    gamma : float in (1, inf), default=3.0
        Concavity; infinity would be the lasso.

    References
    ----------
    .. [1] Zhang, C.-H. (2010). Nearly unbiased variable selection under minimax concave penalty.
       Annals of Statistics 38.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.penalties import TaskMCP
    >>> TaskMCP(alpha=1.0, gamma=3.0).prox(np.array([[3.0, 4.0], [0.3, 0.4]]), 1.0)
    array([[3., 4.],
           [0., 0.]])
    """

    is_convex = False

    def __init__(self, alpha: float = 1.0, gamma: float = 3.0):
        self.alpha = alpha
        self.gamma = gamma

    def _values(self, t: Array) -> Array:
        xp, end = namespace_of(t), self.gamma * self.alpha
        t = xp.where(t < end, t, end * xp.ones_like(t))
        return self.alpha * t - t**2 / (2 * self.gamma)

    def _slopes(self, t: Array) -> Array:
        xp, slope = namespace_of(t), self.alpha - t / self.gamma
        return xp.where(slope > 0, slope, xp.zeros_like(t))

    def _lengths(self, t: Array, step: float | Array) -> Array:
        xp, start, end = namespace_of(t), step * self.alpha, self.gamma * self.alpha
        between = (t - start) * (self.gamma / (self.gamma - step))
        return xp.where(t >= end, t, xp.where(t > start, between, xp.zeros_like(t)))
