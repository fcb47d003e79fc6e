"""SCAD of whole tasks: slope alpha up to alpha, falling to 0 at gamma alpha."""

from .._backend import Array, namespace_of
from ._norms import TaskNormPenalty


class TaskSCAD(TaskNormPenalty):
    """Smoothly clipped absolute deviation of the norms of the tasks' coefficients.

    P'(t) = alpha for t <= alpha, then (gamma alpha - t)_+ / (gamma - 1): tasks longer than
    gamma alpha are not shrunk at all.

    Parameters
    ----------
    alpha : float in [0, inf), default=1.0
        The threshold.
    gamma : float in (2, inf), default=3.0
        Concavity; infinity would be the lasso.

    References
    ----------
    .. [1] Fan, J. and Li, R. (2001). Variable selection via nonconcave penalized likelihood and its
       oracle properties. Journal of the American Statistical Association 96.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.penalties import TaskSCAD
    >>> TaskSCAD(alpha=1.0, gamma=3.0).prox(np.array([[3.0, 4.0], [0.6, 0.8]]), 1.0)
    array([[3., 4.],
           [0., 0.]])
    """

    is_convex = False

    def __init__(self, alpha: float = 1.0, gamma: float = 3.0):
        self.alpha = alpha
        self.gamma = gamma

    def _values(self, t: Array) -> Array:
        xp, a, g = namespace_of(t), self.alpha, self.gamma
        end = g * a * xp.ones_like(t)
        u = xp.where(t < end, t, end)
        curved = (2 * g * a * u - u**2 - a**2) / (2 * (g - 1))
        return xp.where(t <= a, a * t, curved)

    def _slopes(self, t: Array) -> Array:
        xp, a = namespace_of(t), self.alpha
        fall = (self.gamma * a - t) / (self.gamma - 1)
        fall = xp.where(fall > 0, fall, xp.zeros_like(t))
        return xp.where(t <= a, a * xp.ones_like(t), fall)

    def _lengths(self, t: Array, step: float | Array) -> Array:
        xp, a, g = namespace_of(t), self.alpha, self.gamma
        start = t - step * a
        start = xp.where(start > 0, start, xp.zeros_like(t))
        fall = ((g - 1) * t - step * g * a) / (g - 1 - step)
        return xp.where(t <= (1 + step) * a, start, xp.where(t <= g * a, fall, t))
